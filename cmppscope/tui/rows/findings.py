"""Findings as rows of two lists: the rules that do not hold, and the places of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.report.safe import printable
from cmppscope.tables import I64
from cmppscope.tui.rows import Column, Finder, Line, codes
from cmppscope.tui.store import FindingRow, Store

_RULE_COLUMNS = (
    Column("Grade", 5, toned=True),
    Column("Rule", 28, toned=True),
    Column("Count", 7, right=True),
    Column("Fault", 8),
    Column("Section", 10, from_width=120),
    Column("What should hold", 20),
)
_PLACE_COLUMNS = (
    Column("Frame", 8, right=True),
    Column("PDU", 8, right=True),
    Column("Stream", 6, right=True),
    Column("From", 5, from_width=60),
    Column("What is wrong", 20),
)


class FindingRows:
    """The rules that do not hold, gravest first."""

    target = "finding"

    def __init__(self, store: Store) -> None:
        """Draw from a store."""
        self.store = store

    @property
    def columns(self) -> Sequence[Column]:
        """The columns."""
        return _RULE_COLUMNS

    def __len__(self) -> int:
        """Count the findings."""
        return len(self.store.snapshot.findings)

    @property
    def settled(self) -> int:
        """Count the findings that change no more: nobody knows."""
        return 0

    def finding(self, row: int) -> FindingRow:
        """Give a finding."""
        return self.store.snapshot.findings[row]

    def page(self, rows: I64) -> list[Line]:
        """Give some findings."""
        return [self._line(self.finding(row)) for row in rows.tolist()]

    def _line(self, found: FindingRow) -> Line:
        """Give one finding."""
        cells = (found.severity.word, found.rule, str(found.times), found.fault, found.section, found.sentence)
        return Line(tuple(map(printable, cells)), found.severity.word)

    def key(self, column: int, count: int) -> NDArray[Any]:
        """Give what a column is put in order by."""
        findings = self.store.snapshot.findings[:count]
        if column == 0:
            return np.array([-found.severity for found in findings], np.int64)
        cells = [self._line(found).cells[column] for found in findings]
        return np.array(cells, np.int64) if _RULE_COLUMNS[column].right else codes(cells)

    def attribute(self, name: str, rows: I64) -> I64:
        """Give a number of some findings; all of them are `marked`."""
        if name == "marked":
            return np.ones(len(rows), np.int64)
        return np.array([getattr(self.finding(row), name) for row in rows.tolist()], np.int64)

    def finder(self, needle: str) -> Finder:
        """Find rules by a filter that one of their places passes, or by what they show."""
        from cmppscope.tui.search import rule_finder  # noqa: PLC0415 - filters are loaded when the first one is typed

        return rule_finder(self, needle, self.store)


class PlaceRows:
    """The places of one finding."""

    target = "finding"

    def __init__(self, store: Store) -> None:
        """Draw from a store."""
        self.store = store
        self.rule: tuple[str, str] | None = None
        """Rule and fault of the finding."""

    @property
    def finding(self) -> FindingRow | None:
        """The finding, as it is now."""
        found = (f for f in self.store.snapshot.findings if (f.rule, f.fault) == self.rule)
        return next(found, None)

    @property
    def columns(self) -> Sequence[Column]:
        """The columns."""
        return _PLACE_COLUMNS

    def __len__(self) -> int:
        """Count the places."""
        finding = self.finding
        return len(finding.places) if finding else 0

    @property
    def settled(self) -> int:
        """Count the places that change no more: nobody knows."""
        return 0

    def page(self, rows: I64) -> list[Line]:
        """Give some places."""
        finding = self.finding
        if finding is None:
            return [Line(("",) * len(_PLACE_COLUMNS)) for _ in rows]
        return [self._line(finding, row) for row in rows.tolist()]

    def _line(self, finding: FindingRow, row: int) -> Line:
        """Give one place."""
        place = finding.places[row]
        ends = self.store.snapshot.ends.get(place.stream)
        who = ends.roles[place.direction] if ends else ""
        stream = str(place.stream) if place.stream >= 0 else ""
        cells = (str(place.frame), str(place.pdu or ""), stream, who, place.detail)
        return Line(tuple(map(printable, cells)), finding.severity.word)

    def key(self, column: int, count: int) -> NDArray[Any]:
        """Give what a column is put in order by."""
        cells = [line.cells[column] for line in self.page(np.arange(count))]
        return np.array([int(cell or 0) for cell in cells]) if _PLACE_COLUMNS[column].right else codes(cells)

    def attribute(self, name: str, rows: I64) -> I64:
        """Give a number of some places; all of them are `marked`."""
        finding = self.finding
        if name == "marked" or finding is None:
            return np.ones(len(rows), np.int64)
        return np.array([getattr(finding.places[row], name) for row in rows.tolist()], np.int64)

    def finder(self, needle: str) -> Finder:
        """Find places by a filter or by what they show."""
        from cmppscope.tui.search import place_finder  # noqa: PLC0415 - filters are loaded when the first one is typed

        return place_finder(self, needle, self.store)
