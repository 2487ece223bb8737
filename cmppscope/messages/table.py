"""Columns of equal length under names: the form of everything that messages keep from one batch to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cmppscope.tables import I64, Bool


class Table:
    """Rows as named arrays; a row's place in all of them is the same."""

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take columns of equal length."""
        self._columns = dict(columns)

    @classmethod
    def empty(cls, kinds: Mapping[str, DTypeLike]) -> Table:
        """Give a table without rows, with a column for each name."""
        return cls({name: np.zeros(0, kind) for name, kind in kinds.items()})

    @classmethod
    def of(cls, kinds: Mapping[str, DTypeLike], **columns: NDArray[Any] | int) -> Table:
        """Give a table whose columns have the kinds asked for; one number stands for a column of it."""
        rows = next(len(column) for column in columns.values() if isinstance(column, np.ndarray))
        return cls(
            {
                name: columns[name].astype(kind, copy=False)  # type: ignore[union-attr]
                if isinstance(columns[name], np.ndarray)
                else np.full(rows, columns[name], kind)
                for name, kind in kinds.items()
            }
        )

    def __len__(self) -> int:
        """Count the rows."""
        return len(next(iter(self._columns.values())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Give a column; who writes into it changes the table."""
        return self._columns[name]

    @property
    def names(self) -> Sequence[str]:
        """The names of the columns."""
        return tuple(self._columns)

    @property
    def nbytes(self) -> int:
        """Octets that the columns take."""
        return sum(column.nbytes for column in self._columns.values())

    def take(self, rows: I64 | Bool | slice) -> Table:
        """Give some rows."""
        return Table({name: column[rows] for name, column in self._columns.items()})

    def row(self, at: int) -> dict[str, int]:
        """Give one row of whole numbers."""
        return {name: int(column[at]) for name, column in self._columns.items()}


class Rows:
    """Rows of several tables, one behind the other; a column is gathered when it is asked for."""

    def __init__(
        self, kinds: Mapping[str, DTypeLike], places: Sequence[tuple[Table, I64]], at: I64 | None = None
    ) -> None:
        """`places` are rows of tables; `at`, where given, chooses among all of these."""
        self._kinds, self._places, self._at = kinds, places, at
        self._columns: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        """Count the rows."""
        return sum(len(rows) for _, rows in self._places) if self._at is None else len(self._at)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Give a column; it is the same array each time."""
        if name not in self._columns:
            parts = [table[name][rows] for table, rows in self._places]
            column = parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, self._kinds[name]), *parts])
            self._columns[name] = column if self._at is None else column[self._at]
        return self._columns[name]

    def take(self, at: I64) -> Rows:
        """Give some rows."""
        return Rows(self._kinds, self._places, at if self._at is None else self._at[at])

    def write(self, *names: str) -> None:
        """Write columns back into the tables."""
        start = 0
        for table, rows in self._places:
            for name in names:
                table[name][rows] = self[name][start : start + len(rows)]
            start += len(rows)


def joined(tables: Sequence[Table]) -> Table:
    """Put tables one behind the other."""
    if len(tables) == 1:
        return tables[0]
    filled = [table for table in tables if len(table)] or [tables[0]]
    if len(filled) == 1:
        return filled[0]
    return Table({name: np.concatenate([table[name] for table in filled]) for name in filled[0].names})
