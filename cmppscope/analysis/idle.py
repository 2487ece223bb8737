"""Silence on links: how long each session was idle, and how its sides tested it.

Vectorised over a batch: the rows of each session stand together, in order, and each is compared with the one before.
State: some numbers a session, and a sparse histogram of the intervals between link tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cmppscope.analysis.cells import Cells
from cmppscope.analysis.statistics import BINS_BITS, bins_of
from cmppscope.analysis.waiting import AUDITED_SESSIONS
from cmppscope.arrays import ByNumber, none, stable_order
from cmppscope.tables import I64, PduBatch
from cmppscope.transactions import Transactions
from cmppscope.transactions.table import UNANSWERED
from dissectors.cmpp.enums import ACTIVE_TEST

_INTERVAL_CELLS = 200_000


@dataclass(slots=True)
class _Silence(ByNumber):
    """By session."""

    last_ns: I64 = field(default_factory=none)
    seen: I64 = field(default_factory=none)
    longest_ns: I64 = field(default_factory=none)
    longest_frame: I64 = field(default_factory=none)
    """The frame that ended the longest idle time."""
    periods: I64 = field(default_factory=none)
    """Idle times longer than C, and their sum."""
    total_ns: I64 = field(default_factory=none)


class Idle:
    """Measures the time between two PDUs of a session, whichever way they go."""

    def __init__(self, c_ns: int) -> None:
        """`c_ns` is C."""
        self._c_ns = c_ns
        self.state = _Silence()

    def feed(self, batch: PduBatch, session: I64) -> None:
        """Take a batch."""
        order = stable_order(np.minimum(session, AUDITED_SESSIONS))
        owner = session[order]
        if not len(owner) or owner[0] >= AUDITED_SESSIONS:
            return
        if owner[-1] >= AUDITED_SESSIONS:
            order = order[: int(np.searchsorted(np.minimum(owner, AUDITED_SESSIONS), AUDITED_SESSIONS))]
            owner = session[order]
        state, time_ns = self.state, batch.time_ns[order]
        heads = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        numbers = owner[heads]
        idle = np.diff(time_ns, prepend=time_ns[:1])
        idle[heads] = np.where(state.seen[numbers] > 0, time_ns[heads] - state.last_ns[numbers], 0)
        longest = np.maximum.reduceat(idle, heads)
        tails = np.r_[heads[1:], len(owner)]
        for at in np.flatnonzero(longest > state.longest_ns[numbers]).tolist():
            row = int(heads[at]) + int(np.argmax(idle[heads[at] : tails[at]]))
            state.longest_ns[numbers[at]] = idle[row]
            state.longest_frame[numbers[at]] = batch.frame[order[row]]
        beyond = np.flatnonzero(idle > self._c_ns)
        np.add.at(state.periods, owner[beyond], 1)
        np.add.at(state.total_ns, owner[beyond], idle[beyond])
        state.last_ns[numbers] = time_ns[tails - 1]
        state.seen[numbers] = 1


@dataclass(slots=True)
class _Tests(ByNumber):
    """By session and direction."""

    count: I64 = field(default_factory=none)
    last_ns: I64 = field(default_factory=none)
    least_ns: I64 = field(default_factory=none)
    greatest_ns: I64 = field(default_factory=none)
    unanswered: I64 = field(default_factory=none)


class KeepAlive:
    """Counts ACTIVE_TESTs and the time between them, by session and direction."""

    def __init__(self) -> None:
        """Begin with none."""
        self.state = _Tests()
        self.intervals = Cells(BINS_BITS, _INTERVAL_CELLS, "sum")

    def feed(self, batch: PduBatch, session: I64) -> None:
        """Take a batch."""
        rows = np.flatnonzero((batch.command == ACTIVE_TEST) & (session < AUDITED_SESSIONS))
        if not len(rows):
            return
        group = session[rows] * 2 + batch.direction[rows]
        order = stable_order(group)
        group, time_ns = group[order], batch.time_ns[rows[order]]
        state = self.state
        heads = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        owners, counts = group[heads], np.diff(np.r_[heads, len(group)])
        gap = np.maximum(np.diff(time_ns, prepend=time_ns[:1]), 0)
        gap[heads] = np.maximum(time_ns[heads] - state.last_ns[owners], 0)
        measured = np.ones(len(group), np.bool_)
        measured[heads] = state.count[owners] > 0
        owner, gap = group[measured], gap[measured]
        fresh = np.unique(owner[state.count[owner] < 2])  # no interval is known of them yet
        state.least_ns[fresh] = np.iinfo(np.int64).max
        np.minimum.at(state.least_ns, owner, gap)
        np.maximum.at(state.greatest_ns, owner, gap)
        self.intervals.add(owner, bins_of(gap))
        state.last_ns[owners] = time_ns[np.r_[heads[1:], len(group)] - 1]
        state.count[owners] += counts

    def take_closed(self, table: Transactions) -> None:
        """Count the ACTIVE_TESTs that were never answered."""
        lost = (table.command == ACTIVE_TEST) & (table.state == UNANSWERED) & (table.session < AUDITED_SESSIONS)
        group = table.session[lost] * 2 + table.direction[lost]
        if len(group):
            np.add.at(self.state.unanswered, group, 1)
