"""Counts that merge: what a report says, kept in bounded memory and independent of the order of the batches.

Latencies go into a fixed histogram: 128 bins for each doubling, so that a bin is less than 1 % wide; sums are whole
nanoseconds, and the exact least and greatest stand beside it. Percentiles are by nearest rank.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import distinct, kinds
from cmppscope.tables import I64, PduBatch
from cmppscope.transactions import Stray, Transactions
from cmppscope.transactions.table import LATE, NO_RESULT, OPEN, STRAYS, UNANSWERED, UNKNOWN

_BINS_A_DOUBLING = 128
_DOUBLINGS = 63
BINS_BITS = 13
"""Bits of the number of a bin."""
BUCKETS = 3600
"""The most buckets of the throughput series."""
SLOWEST = 10


def bins_of(values: I64) -> I64:
    """Give the bin of each number of nanoseconds; below 1 it is that of 1.

    A float64 has its exponent in bits 52 to 62 and the seven bits that count below it.
    """
    bits = np.maximum(values, 1).astype(np.float64).view(np.int64)
    place: I64 = np.minimum((bits >> 45) - (1023 << 7), _BINS_A_DOUBLING * _DOUBLINGS - 1)
    return place


def edge_of(place: int, halvings: int = 0) -> int:
    """Give where a bin begins, in nanoseconds; each of the `halvings` joined two neighbours to one."""
    doubling, part = divmod(place << halvings, _BINS_A_DOUBLING)
    return (1 << doubling) * (_BINS_A_DOUBLING + part) // _BINS_A_DOUBLING


def middle_of(place: int, halvings: int = 0) -> int:
    """Give the middle of a bin, in nanoseconds."""
    if halvings:
        return (edge_of(place, halvings) + edge_of(place + 1, halvings)) // 2
    doubling, part = divmod(place, _BINS_A_DOUBLING)
    return (1 << doubling) * (2 * _BINS_A_DOUBLING + 2 * part + 1) // (2 * _BINS_A_DOUBLING)


class Latency:
    """Latencies in nanoseconds; those below 0 count as 0 in the histogram."""

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0
        self.total_ns = 0
        self.least_ns = 0
        self.greatest_ns = 0
        self._bins: I64 = np.zeros(_BINS_A_DOUBLING * _DOUBLINGS, np.int64)

    def add(self, values: I64) -> None:
        """Count latencies."""
        if not len(values):
            return
        least, greatest = int(values.min()), int(values.max())
        self.least_ns = min(self.least_ns, least) if self.count else least
        self.greatest_ns = max(self.greatest_ns, greatest) if self.count else greatest
        self.count += len(values)
        self.total_ns += (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
        self._bins += np.bincount(bins_of(values), minlength=len(self._bins))

    @property
    def mean_ns(self) -> int:
        """The mean, rounded down to a nanosecond."""
        return self.total_ns // self.count if self.count else 0

    def percentile_ns(self, percent: int) -> int:
        """Give a percentile: the middle of the bin that holds it, not outside of the least and the greatest."""
        if not self.count:
            return 0
        rank = max(1, -(-self.count * percent // 100))
        place = int(np.searchsorted(np.cumsum(self._bins), rank))
        return min(max(middle_of(place), self.least_ns), self.greatest_ns)

    def coarse(self, a_doubling: int) -> list[tuple[int, int, int]]:
        """Give the histogram in wider bins, so many a doubling: (from, to, count) in nanoseconds, none empty."""
        there = np.flatnonzero(self._bins)
        bins = zip(there.tolist(), self._bins[there].tolist(), strict=True)
        return joined_bins(bins, 8 - a_doubling.bit_length())


def joined_bins(bins: Iterable[tuple[int, int]], shift: int, halvings: int = 0) -> list[tuple[int, int, int]]:
    """Join 1 << shift neighbouring bins each: (from, to, count) in nanoseconds, none empty."""
    wide: dict[int, int] = {}
    for place, count in bins:
        wide[place >> shift] = wide.get(place >> shift, 0) + count
    width = halvings + shift
    return [(edge_of(place, width), edge_of(place + 1, width), wide[place]) for place in sorted(wide)]


class Slow(NamedTuple):
    """One of the slowest transactions, ordered by what makes it so."""

    latency_ns: int
    minus_pdu: int
    frame: int
    response_pdu: int
    response_frame: int
    stream: int
    command: int
    sequence: int
    result: int


@dataclass(slots=True)
class CommandCounts:
    """What became of the requests of one command."""

    requests: int = 0
    responses: int = 0
    """Requests that were answered, late or not."""
    late: int = 0
    unanswered: int = 0
    open: int = 0
    unknown: int = 0
    resends: int = 0
    strays: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STRAYS, 0))
    """Responses that answer nothing, by kind."""
    latency: Latency = field(default_factory=Latency)
    results: dict[int, int] = field(default_factory=dict)


class Throughput:
    """PDUs and their octets over time, in at most BUCKETS buckets of 1, 2, 4 … seconds."""

    def __init__(self) -> None:
        """Begin with buckets of a second."""
        self.doublings = 0
        self._counts: dict[int, list[int]] = {}

    def add(self, batch: PduBatch) -> None:
        """Count the PDUs of a batch."""
        for bucket, count, size in _counted(batch.time_ns // 1_000_000_000 >> self.doublings, batch.length):
            self._put(bucket, count, size)
        while self._counts and max(self._counts) - min(self._counts) >= BUCKETS:
            self._halve()

    def series(self) -> tuple[int, list[int], list[int]]:
        """Give (start of the first bucket in seconds since 1970, PDUs a bucket, octets a bucket)."""
        if not self._counts:
            return 0, [], []
        first, last = min(self._counts), max(self._counts)
        rows = [self._counts.get(at, (0, 0)) for at in range(first, last + 1)]
        return first << self.doublings, [row[0] for row in rows], [row[1] for row in rows]

    def _put(self, bucket: int, pdus: int, octets: int) -> None:
        """Add to a bucket."""
        counts = self._counts.setdefault(bucket, [0, 0])
        counts[0] += pdus
        counts[1] += octets

    def _halve(self) -> None:
        """Make buckets twice as wide."""
        before, self._counts = self._counts, {}
        self.doublings += 1
        for bucket, (pdus, octets) in before.items():
            self._put(bucket >> 1, pdus, octets)


class Statistics:
    """Everything that is counted over PDUs and transactions."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.pdus = 0
        self.octets = 0
        self.commands: dict[int, tuple[int, int]] = {}
        """PDUs and octets by Command_Id."""
        self.transactions: dict[int, CommandCounts] = {}
        """By Command_Id of the request."""
        self.throughput = Throughput()
        self.end_to_end = Latency()
        self._slowest: list[Slow] = []

    def add_pdus(self, batch: PduBatch) -> None:
        """Count a batch of PDUs."""
        if not len(batch):
            return
        self.pdus += len(batch)
        self.octets += int(batch.length.sum())
        for command, count, size in _counted(batch.command, batch.length):
            pdus, before = self.commands.get(command, (0, 0))
            self.commands[command] = pdus + count, before + size
        self.throughput.add(batch)

    def add_transactions(self, table: Transactions) -> None:
        """Count transactions that are closed."""
        for command in np.unique(table.command).tolist():
            counts = self.transactions.setdefault(command, CommandCounts())
            mine = table.command == command
            answered = mine & (table.response_pdu > 0)
            counts.requests += int(mine.sum())
            counts.responses += int(answered.sum())
            counts.resends += int(table.sendings[mine].sum()) - int(mine.sum())
            for name, state in (("late", LATE), ("unanswered", UNANSWERED), ("open", OPEN), ("unknown", UNKNOWN)):
                setattr(counts, name, getattr(counts, name) + int((mine & (table.state == state)).sum()))
            counts.latency.add(table.latency_ns[answered])
            _count_results(counts, table.result[answered])
        self._keep_slowest(table)

    def add_strays(self, strays: list[Stray]) -> None:
        """Count responses that answer nothing."""
        for stray in strays:
            counts = self.transactions.setdefault(stray.command & 0x7FFFFFFF, CommandCounts())
            counts.strays[STRAYS[stray.kind]] += 1

    @property
    def slowest(self) -> list[Slow]:
        """The slowest transactions, slowest first."""
        return sorted(self._slowest, reverse=True)

    def _keep_slowest(self, table: Transactions) -> None:
        """Keep the slowest transactions seen so far."""
        answered = np.flatnonzero(table.response_pdu > 0)
        latency = table.latency_ns[answered]
        if len(answered) > SLOWEST:
            answered = answered[latency >= np.partition(latency, -SLOWEST)[-SLOWEST]]
        names = ("frame", "response_pdu", "response_frame", "stream", "command", "sequence", "result")
        rows = [
            Slow(
                int(table.response_time_ns[row] - table.time_ns[row]),
                -int(table.pdu[row]),
                *(int(getattr(table, name)[row]) for name in names),
            )
            for row in answered.tolist()
        ]
        self._slowest = heapq.nlargest(SLOWEST, self._slowest + rows)


def _counted(kind: I64, length: I64) -> Iterator[tuple[int, int, int]]:
    """Give (kind, PDUs, octets) of PDUs of few kinds."""
    numbers, of = kinds(kind)
    octets = np.bincount(of, weights=length).astype(np.int64)
    return zip(numbers.tolist(), np.bincount(of).tolist(), octets.tolist(), strict=True)


def _count_results(counts: CommandCounts, results: I64) -> None:
    """Count Status, Result or Success_Id by code; in the 2.0 layouts each is one octet, so the codes are few."""
    codes, _, numbers = distinct(results[results != NO_RESULT])
    for code, number in zip(codes.tolist(), numbers.tolist(), strict=True):
        counts.results[code] = counts.results.get(code, 0) + number
