"""Puts the parts of long messages together.

Theory of operation. Parts belong together by direction, SP, the handset's number (and the service of an MO), reference
and total (spec 7.3). Parts are taken when their transaction is closed, for one that was refused is not there and comes
again. A message is whole when each number came once; then its reference is free for the next. A number that comes
again before that is a second copy, unless the message began longer than PATIENCE ago: then it begins a new one, and
parts of the old one are missing.

Messages whose parts came one after the other or all within a batch are joined as columns, all others one by one.
Unfinished ones wait, at most MOST_WAITING parts; whether parts are missing is known when the capture ends.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.messages.table import Table, joined
from cmppscope.tables import I64, Bool

MOST_WAITING = 65_536
"""Parts of unfinished messages; the oldest messages are let go."""
PATIENCE_NS = 600_000_000_000
"""How long a reference is taken for that of one message: with 8 bits it comes again soon."""

TAKEN = {
    "key": np.uint64,
    "looks": np.uint64,
    "total": np.int64,
    "number": np.int64,
    "pdu": np.int64,
    "known": np.int64,
    "time": np.int64,
    "frame": np.int64,
    "stream": np.int64,
    "direction": np.int64,
    "party": np.int64,
    "deliver": np.int64,
}


class Assembly:
    """Parts that wait for the others of their message."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting = Table.empty(TAKEN)
        self.given_up: deque[Table] = deque()
        """Unfinished messages that another one took the place of; a table of parts each."""
        self._given_up = 0
        self.whole = 0
        """Long messages of which all parts came."""
        self.forgotten = 0
        """Parts let go for want of room."""
        self.repeated = Table.empty(TAKEN)
        """Of the last batch: parts whose number was there already."""
        self.mixed = Table.empty(TAKEN)
        """Of the last batch: parts that differ from the first one of their message."""
        self.leaders: tuple[I64, I64] = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        """Of the last batch: (part, first part) of messages that became whole, as PDUs."""

    @property
    def nbytes(self) -> int:
        """Octets that are kept."""
        return self._waiting.nbytes + sum(table.nbytes for table in self.given_up)

    def feed(self, parts: Table) -> None:
        """Take parts in the order in which they became known."""
        self.repeated = self.mixed = Table.empty(TAKEN)
        self.leaders = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        if not len(parts):
            return
        fresh = np.unique(parts["key"])
        called = np.isin(self._waiting["key"], fresh) if len(self._waiting) else np.zeros(0, np.bool_)
        rows = joined([self._waiting.take(called), parts])
        rows = rows.take(np.lexsort((rows["known"], rows["key"])))
        starts = np.flatnonzero(np.r_[True, rows["key"][1:] != rows["key"][:-1]])
        in_turn, once, whole = _shapes(rows, starts)
        sizes = np.diff(np.r_[starts, len(rows)])
        place = np.arange(len(rows)) - np.repeat(starts, sizes)
        begin = np.where(
            np.repeat(in_turn, sizes), np.arange(len(rows)) - place % rows["total"], np.repeat(starts, sizes)
        )
        leader = np.where(np.repeat(in_turn | (once & whole), sizes), begin, -1)
        still = np.flatnonzero(np.repeat(once & ~whole, sizes)).tolist()
        again: list[int] = []
        for at in np.flatnonzero(~in_turn & ~once).tolist():
            self._walk(rows, range(int(starts[at]), int(starts[at] + sizes[at])), leader, still, again)
        self._finish(rows, leader, np.array(sorted(again), np.int64))
        kept = rows.take(np.array(sorted(still), np.int64))
        self._keep(joined([self._waiting.take(~called), kept]))

    def unfinished(self) -> list[Table]:
        """Give the messages of which parts are missing, a table of parts each, in order of their first part."""
        rows = self._waiting.take(np.lexsort((self._waiting["known"], self._waiting["key"])))
        cuts = np.flatnonzero(rows["key"][1:] != rows["key"][:-1]) + 1
        bounds = [0, *cuts.tolist(), len(rows)]
        left = [rows.take(slice(low, high)) for low, high in pairwise(bounds) if high > low]
        return sorted([*self.given_up, *left], key=lambda table: int(table["pdu"].min()))

    def _walk(self, rows: Table, places: range, leader: I64, still: list[int], again: list[int]) -> None:
        """Put the parts of one key together, one by one."""
        there: dict[int, int] = {}
        numbers, totals, times = rows["number"], rows["total"], rows["time"]
        for place in places:
            number = int(numbers[place])
            if number in there:
                first = next(iter(there.values()))
                if times[place] - times[first] <= PATIENCE_NS:
                    again.append(place)
                    continue
                self._give_up(rows, list(there.values()))
                there = {}
            there[number] = place
            if len(there) == totals[place]:
                first = next(iter(there.values()))
                leader[list(there.values())] = first
                there = {}
        still += there.values()

    def _give_up(self, rows: Table, places: list[int]) -> None:
        """Keep an unfinished message whose reference is used for another one."""
        self.given_up.append(rows.take(np.array(places, np.int64)))
        self._given_up += len(places)
        while self._given_up > MOST_WAITING:
            gone = len(self.given_up.popleft())
            self._given_up -= gone
            self.forgotten += gone

    def _finish(self, rows: Table, leader: I64, again: I64) -> None:
        """Note what became whole, and what does not fit."""
        members = np.flatnonzero(leader >= 0)
        first = leader[members]
        self.whole += int((members == first).sum())
        self.leaders = rows["pdu"][members], rows["pdu"][first]
        odd: Bool = rows["looks"][members] != rows["looks"][first]
        self.mixed = rows.take(members[odd])
        self.repeated = rows.take(again)

    def _keep(self, waiting: Table) -> None:
        """Keep unfinished messages, the newest of too many."""
        beyond = len(waiting) - MOST_WAITING
        if beyond > 0:
            newest = stable_order(waiting["known"])[beyond:]
            self.forgotten += beyond
            waiting = waiting.take(np.sort(newest))
        self._waiting = waiting


def _shapes(rows: Table, starts: I64) -> tuple[Bool, Bool, Bool]:
    """Tell of the parts of each key whether they are whole messages in turn; each number once; and then, all of them.

    `rows` are in order of their keys, `starts` the first row of each.
    """
    sizes = np.diff(np.r_[starts, len(rows)])
    place = np.arange(len(rows)) - np.repeat(starts, sizes)
    total, number = rows["total"], rows["number"]
    in_turn = np.logical_and.reduceat((number == place % total + 1) & (np.repeat(sizes, sizes) % total == 0), starts)
    sorted_ = number[np.lexsort((number, rows["key"]))]
    fresh = np.r_[True, np.diff(sorted_) != 0]
    fresh[starts] = True
    once = np.logical_and.reduceat(fresh, starts)
    return in_turn, once, sizes == total[starts]
