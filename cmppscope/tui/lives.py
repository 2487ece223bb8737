"""What screens draw the lives of messages from: which transactions carry one, its parts, and its reports.

Everything only grows, as the store does: the worker takes a `Life` from the facts of each batch, the application's own
thread adds it here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cmppscope.arrays import none
from cmppscope.messages.ledger import AGAIN, JOINED
from cmppscope.rules import Facts
from cmppscope.tables import I64, Bool
from cmppscope.transactions import Transactions
from cmppscope.tui.growing import Growing
from dissectors.cmpp.enums import DELIVER, FWD, SUBMIT

Reported = tuple[I64, ...]
"""SUBMIT, DELIVER, time, Stat and print of the receiver's number of reports."""
_FIELDS = 5


class Life(NamedTuple):
    """What a batch tells of messages; PDUs are meant by their numbers."""

    reports: I64
    """DELIVERs that are status reports, ascending."""
    joined: Reported
    """Reports that are the first of a receiver."""
    again: Reported
    """Reports of a receiver that has one."""
    leaders: tuple[I64, I64]
    """Parts of long messages that became whole, and the first part of each."""


def life_of(facts: Facts) -> Life:
    """Take what messages are told from out of the facts of a batch."""
    rows = facts.columns.rows(DELIVER)
    reports = facts.batch.first + rows[facts.columns.body(DELIVER).integer("registered_delivery") == 1]
    return Life(reports, _reported(facts, JOINED), _reported(facts, AGAIN), facts.messages.leaders)


def _reported(facts: Facts, kind: int) -> Reported:
    """Take the reports of a kind."""
    found = [(j, np.flatnonzero(j.kind == kind)) for j in facts.messages.judged]
    none = np.zeros(0, np.int64)
    return tuple(
        np.concatenate([none, *parts])
        for parts in (
            [j.rows["pdu"][at] for j, at in found],
            *([j.reports[name][at] for j, at in found] for name in ("pdu", "time", "stat")),
            [j.rows["number"][at].view(np.int64) for j, at in found],
        )
    )


class Kept(NamedTuple):
    """What there is of messages at one time, for any thread."""

    reports: I64
    """DELIVERs that are status reports."""
    joined: Reported
    again: Reported
    leaders: tuple[I64, I64]


class Lives:
    """Messages of everything that was read so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._heads = Growing(none())
        """Rows of the closed transactions that carry a message."""
        self._closed = 0
        self._reports = Growing(none())
        self._joined = [Growing(none()) for _ in range(_FIELDS)]
        self._again = [Growing(none()) for _ in range(_FIELDS)]
        self._leaders = [Growing(none()) for _ in range(2)]
        self._order: I64 = np.zeros(0, np.int64)

    def add(self, lives: list[Life], closed: list[Transactions]) -> None:
        """Take what came: the lives first, for they tell which DELIVERs are reports."""
        for life in lives:
            self._reports.add(life.reports)
            kept = [*self._joined, *self._again, *self._leaders]
            for column, value in zip(kept, (*life.joined, *life.again, *life.leaders), strict=True):
                column.add(value)
        for table in closed:
            self._heads.add(self._closed + np.flatnonzero(self._carries(table)))
            self._closed += len(table)

    @property
    def settled(self) -> int:
        """Count the messages whose request is closed."""
        return len(self._heads.values)

    def rows(self, table: Transactions) -> I64:
        """Give the rows of all transactions that carry a message, those that are open last."""
        waiting = Transactions(*(getattr(table, name)[self._closed :] for name in Transactions.__slots__))
        return np.concatenate([self._heads.values, self._closed + np.flatnonzero(self._carries(waiting))])

    @property
    def kept(self) -> Kept:
        """View what there is now."""
        joined, again = (tuple(column.values for column in columns) for columns in (self._joined, self._again))
        parts, firsts = (column.values for column in self._leaders)
        return Kept(self._reports.values, joined, again, (parts, firsts))

    def stats(self, submits: I64) -> tuple[I64, I64]:
        """Give (Stat, time) of the last report of SUBMITs; 0 where there is none."""
        order = self._sorted()
        submit, _, time, stat, _ = (column.values[order] for column in self._joined)
        if not len(submit):
            return np.zeros(len(submits), np.int64), np.zeros(len(submits), np.int64)
        place = np.searchsorted(submit, submits, "right") - 1
        there = (place >= 0) & (submit[np.maximum(place, 0)] == submits)
        return np.where(there, stat[place], 0), np.where(there, time[place], 0)

    def reports_of(self, submit: int) -> list[tuple[int, int, int]]:
        """Give (DELIVER, time, Stat) of the reports of a SUBMIT, in order."""
        order = self._sorted()
        submits = self._joined[0].values[order]
        low, high = (int(np.searchsorted(submits, submit, side)) for side in ("left", "right"))
        columns = [column.values[order[low:high]].tolist() for column in self._joined[1:4]]
        return list(zip(*columns, strict=True))

    def parts_of(self, pdu: int) -> list[int]:
        """Give the PDUs of all parts of a message, itself alone where it is whole."""
        parts, firsts = (column.values for column in self._leaders)
        mine = firsts[parts == pdu]
        return sorted(parts[firsts == mine[0]].tolist()) if len(mine) else [pdu]

    def _carries(self, table: Transactions) -> Bool:
        """Tell which requests carry a message."""
        carries = np.isin(table.command, (SUBMIT, FWD))
        deliver = np.flatnonzero(table.command == DELIVER)
        carries[deliver] = ~np.isin(table.pdu[deliver], self._reports.values)
        return carries

    def _sorted(self) -> I64:
        """Give the reports in order of their SUBMITs, and of time for one SUBMIT."""
        submit, _, time, _, _ = (column.values for column in self._joined)
        if len(self._order) != len(submit):
            self._order = np.lexsort((time, submit))
        return self._order
