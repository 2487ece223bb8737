"""What lists show: rows that tell how many they are, what stands in some of them, and how to put them in order.

A list asks for the rows on the screen and no others. Columns say from which width of the list on they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cmppscope.tables import I64, Bool

CHUNK = 4096
"""Rows that are looked at in one go."""


class Column(NamedTuple):
    """One column of a list."""

    title: str
    width: int
    """Cells; of the last column, those it takes at least."""
    right: bool = False
    """Numbers stand at the right."""
    from_width: int = 0
    """Cells that the list must have for this column to be shown."""
    toned: bool = False
    """Drawn in the tone of the row."""
    sortable: bool = True


class Line(NamedTuple):
    """What a row shows."""

    cells: tuple[str, ...]
    """One text a column, printable."""
    tone: str = ""
    """`error`, `warn`, `note`, `good`, `quiet`, or nothing."""


class Rows(Protocol):
    """Rows of a list."""

    target: str
    """The table whose rows filters choose here; empty where there are only words to look for."""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns as they are now."""
        ...

    def __len__(self) -> int:
        """Count the rows."""
        ...

    @property
    def settled(self) -> int:
        """Count the rows at the beginning that change no more."""
        ...

    def page(self, rows: I64) -> list[Line]:
        """Give some rows, in the order asked for."""
        ...

    def key(self, column: int, count: int) -> NDArray[Any]:
        """Give what the first `count` rows are put in order by, for a column."""
        ...

    def attribute(self, name: str, rows: I64) -> I64:
        """Give a number that some rows have, by its name, such as `stream`."""
        ...

    def finder(self, needle: str) -> Finder:
        """Give what finds the rows for a text: a filter, or plain words; FilterError where it is a wrong filter."""
        ...


class Finder(NamedTuple):
    """Finds rows."""

    test: Callable[[I64], Bool]
    """Tells which of some rows, in ascending order, are wanted."""
    chunk: int = CHUNK
    """Rows to ask for in one go."""
    settles: bool = True
    """Whether a row that changes no more is found or not once and for all."""
    quick: bool = False
    """Whether a few rows may be asked for without a thread."""


def shown_finder(rows: Rows, needle: str) -> Finder:
    """Look for a text in what rows show."""
    low = needle.lower()

    def test(which: I64) -> Bool:
        found = [any(low in cell.lower() for cell in line.cells) for line in rows.page(which)]
        return np.array(found, np.bool_)

    return Finder(test, quick=True)


def codes(values: Sequence[str]) -> I64:
    """Number texts so that the numbers are in the order of the texts."""
    order = {value: at for at, value in enumerate(sorted(set(values)))}
    return np.fromiter((order[value] for value in values), np.int64, len(values))
