"""The fields of one PDU as rows: offset, name, value; and which octets a field takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.report.safe import printable
from cmppscope.report.show import Tree
from cmppscope.rules import Severity
from cmppscope.tables import I64
from cmppscope.tui.rows import Column, Finder, Line, shown_finder

_COLUMNS = (
    Column("", 4, right=True, sortable=False),
    Column("Field", 23, sortable=False),
    Column("Value", 20, toned=True, sortable=False),
)


class FieldRows:
    """The field tree of a PDU, its findings above it."""

    target = ""

    def __init__(self) -> None:
        """Begin without a PDU."""
        self._tree: Tree | None = None
        self._findings: Sequence[tuple[Severity, str]] = ()
        self.octets = b""

    def show(self, tree: Tree | None, octets: bytes, findings: Sequence[tuple[Severity, str]]) -> None:
        """Take another PDU, or none."""
        self._tree, self.octets, self._findings = tree, octets, findings

    @property
    def columns(self) -> Sequence[Column]:
        """The columns."""
        return _COLUMNS

    def __len__(self) -> int:
        """Count the lines."""
        return len(self._findings) + (len(self._tree.lines) if self._tree else 0)

    @property
    def settled(self) -> int:
        """Count the lines that change no more: another PDU has others."""
        return 0

    def page(self, rows: I64) -> list[Line]:
        """Give some lines."""
        return [self._line(row) for row in rows.tolist()]

    def _line(self, row: int) -> Line:
        """Give one line; findings come first."""
        if row < len(self._findings):
            severity, words = self._findings[row]
            return Line((severity.word[0].upper(), "Finding", words), severity.word)
        if self._tree is None:
            return Line(("", "", ""))
        line = self._tree.lines[row - len(self._findings)]
        cells = (str(line.offset), "  " * line.depth + line.name, line.value)
        return Line(tuple(map(printable, cells)))

    def extent(self, row: int) -> range:
        """Give the offsets of the octets that a line is about."""
        at = row - len(self._findings)
        if self._tree is None or not 0 <= at < len(self._tree.lines):
            return range(0)
        lines = self._tree.lines
        line = lines[at]
        ends = (later.offset for later in lines[at + 1 :] if later.depth <= line.depth and later.offset > line.offset)
        return range(line.offset, next(ends, len(self.octets)))

    @property
    def hidden(self) -> frozenset[int]:
        """Offsets of the octets that redaction hides."""
        return frozenset(self._tree.hidden) if self._tree else frozenset()

    def key(self, column: int, count: int) -> NDArray[Any]:  # noqa: ARG002 - fields keep their order
        """Give what a column is put in order by."""
        return np.arange(count)

    def attribute(self, name: str, rows: I64) -> I64:
        """Give 1 where a line is a finding."""
        return (rows < len(self._findings)).astype(np.int64) if name == "marked" else np.zeros(len(rows), np.int64)

    def finder(self, needle: str) -> Finder:
        """Look for a text in what fields show."""
        return shown_finder(self, needle)
