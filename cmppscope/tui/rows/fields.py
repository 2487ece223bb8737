"""The fields of one PDU as rows: offset, name, value; and which octets a field takes.

Above them stand the findings about the PDU and the frames that carried it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.report.safe import printable
from cmppscope.report.show import Tree
from cmppscope.rules import Severity
from cmppscope.tables import I64
from cmppscope.tui.recalled import Extent
from cmppscope.tui.rows import Column, Finder, Line, shown_finder

_COLUMNS = (
    Column("", 4, right=True, sortable=False),
    Column("Field", 23, sortable=False),
    Column("Value", 20, toned=True, sortable=False),
)


_FRAMES_TOLD = 16


class FieldRows:
    """The field tree of a PDU, its findings and its frames above it."""

    target = ""

    def __init__(self) -> None:
        """Begin without a PDU."""
        self._tree: Tree | None = None
        self._findings: Sequence[tuple[Severity, str]] = ()
        self._notes: Sequence[tuple[str, str]] = ()
        self.octets = b""

    def show(
        self,
        tree: Tree | None,
        octets: bytes,
        findings: Sequence[tuple[Severity, str]],
        notes: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Take another PDU, or none; `notes` are names and values from outside the PDU."""
        self._tree, self.octets, self._findings, self._notes = tree, octets, findings, notes

    @property
    def columns(self) -> Sequence[Column]:
        """The columns."""
        return _COLUMNS

    def __len__(self) -> int:
        """Count the lines."""
        return self._above + (len(self._tree.lines) if self._tree else 0)

    @property
    def _above(self) -> int:
        """Count the lines above the fields."""
        return len(self._findings) + len(self._notes)

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
        if row < self._above:
            name, value = self._notes[row - len(self._findings)]
            return Line(("", name, printable(value)))
        if self._tree is None:
            return Line(("", "", ""))
        line = self._tree.lines[row - self._above]
        cells = (str(line.offset), "  " * line.depth + line.name, line.value)
        return Line(tuple(map(printable, cells)))

    def extent(self, row: int) -> range:
        """Give the offsets of the octets that a line is about."""
        at = row - self._above
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


def frames_of(extents: Sequence[Extent], frame: int) -> tuple[str, str]:
    """Name the frames that carried a PDU, and which of its octets each did where there are several.

    `frame` is the one with which the PDU was complete; where it carried none of it, that is told.
    """
    frames = list(dict.fromkeys(extent.frame for extent in extents))
    told, at = [], 0
    for extent in extents[:_FRAMES_TOLD]:
        octets = f" (octets {at}-{at + extent.length - 1})" if len(extents) > 1 else ""
        told.append(f"{extent.frame}{octets}")
        at += extent.length
    if len(extents) > _FRAMES_TOLD:
        told.append(f"and {len(extents) - _FRAMES_TOLD} more")
    if frame not in frames:
        told.append(f"complete with {frame}")
    return "Frames" if len(frames) > 1 else "Frame", ", ".join(told)
