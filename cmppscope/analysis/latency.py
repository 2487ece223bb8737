"""Latency by session and command, and over time: numbers that merge, in bounded memory.

Each session and request command has count, sum, least and greatest of its response times, exact to the nanosecond, and
its cells of one sparse histogram; a session's numbers add up to a peer's. Over time there is a histogram for each
bucket and command, with buckets of 1, 2, 4 … seconds by the time of the request. Sessions beyond AUDITED_SESSIONS are
counted together as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from cmppscope.analysis.cells import Cells, counted
from cmppscope.analysis.statistics import BINS_BITS, bins_of, joined_bins, middle_of
from cmppscope.analysis.waiting import AUDITED_SESSIONS
from cmppscope.analysis.window import EPOCH, SECOND
from cmppscope.arrays import distinct, grown, none, stable_order
from cmppscope.tables import I64
from cmppscope.transactions import Transactions

COMMANDS = (1, 2, 4, 5, 6, 7, 8, 9, *range(0x10, 0x18))
"""Command_Ids of the requests that are measured."""
HISTOGRAM_CELLS = 2_000_000
"""Bins with something in them, over all sessions and commands; beyond it bins become wider."""
BUCKETS = 240
"""The most buckets over time."""
_TIME_BIN_SHIFT = 4
"""Bins of the histograms over time are 16 of the others wide: 8 a doubling."""
_TIME_BITS = BINS_BITS - _TIME_BIN_SHIFT
_SLOT_BITS = 4
_SLOT = np.full(0x18, -1, np.int64)
_SLOT[list(COMMANDS)] = np.arange(len(COMMANDS))
_LOW = 0xFFFFFFFF


@dataclass(slots=True)
class Summary:
    """Response times of one session or more, of one command or more."""

    count: int = 0
    total_ns: int = 0
    least_ns: int = 0
    greatest_ns: int = 0
    bins: dict[int, int] = field(default_factory=dict)
    halvings: int = 0

    def add(self, other: Summary) -> None:
        """Put another one to this one; both have bins of one width."""
        if not other.count:
            return
        self.least_ns = min(self.least_ns, other.least_ns) if self.count else other.least_ns
        self.greatest_ns = max(self.greatest_ns, other.greatest_ns) if self.count else other.greatest_ns
        self.count += other.count
        self.total_ns += other.total_ns
        self.halvings = other.halvings
        for place, count in other.bins.items():
            self.bins[place] = self.bins.get(place, 0) + count

    @property
    def mean_ns(self) -> int:
        """The mean, rounded down to a nanosecond."""
        return self.total_ns // self.count if self.count else 0

    def percentile_ns(self, percent: int) -> int:
        """Give a percentile by nearest rank: the middle of its bin, not outside of the least and the greatest."""
        place = percentile_place(self.bins.items(), self.count, percent)
        return min(max(middle_of(place, self.halvings), self.least_ns), self.greatest_ns)

    def coarse(self, a_doubling: int) -> list[tuple[int, int, int]]:
        """Give the histogram in wider bins, so many a doubling: (from, to, count) in nanoseconds, none empty."""
        shift = max(0, 8 - a_doubling.bit_length() - self.halvings)
        return joined_bins(self.bins.items(), shift, self.halvings)


def percentile_place(bins: Iterable[tuple[int, int]], count: int, percent: int) -> int:
    """Give the bin that holds a percentile by nearest rank."""
    rank, place = max(1, -(-count * percent // 100)), 0
    for place, number in sorted(bins):  # noqa: B007 - the last one is the answer
        rank -= number
        if rank <= 0:
            break
    return place


class Latencies:
    """Response times by session and command, and over time."""

    def __init__(self) -> None:
        """Begin with none."""
        self._bins = Cells(BINS_BITS, HISTOGRAM_CELLS, "sum")
        self._count = self._high = self._low = self._least = self._greatest = none()
        self.series = Series()

    def add(self, table: Transactions) -> None:
        """Count the transactions that have their response."""
        rows = np.flatnonzero((table.response_pdu > 0) & (table.command < len(_SLOT)))
        if not len(rows):
            return
        latency = table.latency_ns[rows]
        slot = _SLOT[table.command[rows]]
        owner = (np.minimum(table.session[rows], AUDITED_SESSIONS) << _SLOT_BITS) | slot
        self._sums(owner, latency)
        bins = bins_of(latency)
        self._bins.add(owner, bins)
        self.series.add(slot, table.time_ns[rows], bins, latency)

    def _sums(self, owner: I64, latency: I64) -> None:
        """Keep count, sum, least and greatest by owner; the sum in two halves, so that it cannot overflow."""
        size = int(owner.max()) + 1
        fresh = len(self._least)
        for name in ("_count", "_high", "_low", "_least", "_greatest"):
            setattr(self, name, grown(getattr(self, name), size))
        self._least[fresh:] = np.iinfo(np.int64).max
        self._greatest[fresh:] = np.iinfo(np.int64).min
        self._count += np.bincount(owner, minlength=len(self._count))
        np.add.at(self._high, owner, latency >> 32)
        np.add.at(self._low, owner, latency & _LOW)
        np.minimum.at(self._least, owner, latency)
        np.maximum.at(self._greatest, owner, latency)

    def of(self, session: int) -> dict[int, Summary]:
        """Give the response times of a session by Command_Id; all beyond AUDITED_SESSIONS stand under that number."""
        found = {}
        for slot, command in enumerate(COMMANDS):
            owner = session << _SLOT_BITS | slot
            if owner >= len(self._count) or not self._count[owner]:
                continue
            place, count = self._bins.of(owner)
            found[command] = Summary(
                int(self._count[owner]),
                (int(self._high[owner]) << 32) + int(self._low[owner]),
                int(self._least[owner]),
                int(self._greatest[owner]),
                dict(zip(place.tolist(), count.tolist(), strict=True)),
                self._bins.halvings,
            )
        return found


@dataclass(slots=True)
class Bucket:
    """Response times of requests of one command, sent in one bucket of time."""

    count: int
    p50_ns: int
    p95_ns: int
    max_ns: int


class Series:
    """Response times over time, in at most BUCKETS buckets."""

    def __init__(self) -> None:
        """Begin with buckets of a second."""
        self.doublings = 0
        self._keys = none()
        """Bucket << (bits of slot and bin) | slot | bin."""
        self._counts = none()
        self._longest: dict[int, int] = {}
        """By bucket and slot."""

    def add(self, slot: I64, time_ns: I64, bins: I64, latency: I64) -> None:
        """Count response times by the time of their request."""
        owner = (((time_ns // SECOND + EPOCH) >> self.doublings) << _SLOT_BITS) | slot
        self._join(*counted((owner << _TIME_BITS) | (bins >> _TIME_BIN_SHIFT)))
        self._keep_longest(owner, latency)
        while self._span() >= BUCKETS:
            self._halve()

    def _span(self) -> int:
        """Say how many buckets lie between the first and the last."""
        first, last = (int(key) >> (_SLOT_BITS + _TIME_BITS) for key in (self._keys[0], self._keys[-1]))
        return last - first

    def _keep_longest(self, owner: I64, latency: I64) -> None:
        """Keep the longest of each bucket and slot."""
        numbers, first, _ = distinct(owner)
        longest = latency[first]
        np.maximum.at(longest, np.searchsorted(numbers, owner), latency)
        for number, most in zip(numbers.tolist(), longest.tolist(), strict=True):
            self._longest[number] = max(self._longest.get(number, most), most)

    def _halve(self) -> None:
        """Make buckets twice as wide."""
        self.doublings += 1
        shift = _SLOT_BITS + _TIME_BITS
        keys, counts = self._keys, self._counts
        self._keys = self._counts = none()
        self._join(((keys >> shift >> 1) << shift) | (keys & ((1 << shift) - 1)), counts)
        before, self._longest = self._longest, {}
        for owner, longest in before.items():
            wide = (owner >> _SLOT_BITS >> 1) << _SLOT_BITS | owner & ((1 << _SLOT_BITS) - 1)
            self._longest[wide] = max(self._longest.get(wide, longest), longest)

    def _join(self, keys: I64, counts: I64) -> None:
        """Put counts to those that are there."""
        keys = np.concatenate([self._keys, keys])
        order = stable_order(keys)
        keys = keys[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        self._keys = keys[starts]
        self._counts = np.add.reduceat(np.concatenate([self._counts, counts])[order], starts)

    def rows(self) -> dict[int, dict[int, Bucket]]:
        """Give the buckets of each command: {Command_Id: {start in seconds since 1970: Bucket}}."""
        found: dict[int, list[tuple[int, int]]] = {}
        for key, count in zip(self._keys.tolist(), self._counts.tolist(), strict=True):
            found.setdefault(key >> _TIME_BITS, []).append((key & ((1 << _TIME_BITS) - 1), count))
        result: dict[int, dict[int, Bucket]] = {}
        for owner, bins in found.items():
            start = ((owner >> _SLOT_BITS) << self.doublings) - EPOCH
            command = COMMANDS[owner & ((1 << _SLOT_BITS) - 1)]
            result.setdefault(command, {})[start] = _bucket(bins, self._longest[owner])
        return result


def _bucket(bins: list[tuple[int, int]], longest: int) -> Bucket:
    """Sum up the bins of a bucket."""
    count = sum(number for _, number in bins)
    p50, p95 = (middle_of(percentile_place(bins, count, p), _TIME_BIN_SHIFT) for p in (50, 95))
    return Bucket(count, min(p50, longest), min(p95, longest), longest)
