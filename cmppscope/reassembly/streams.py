"""Which TCP connection a segment belongs to, and in which direction it goes.

Theory of operation. An endpoint is folded into one 64-bit number: address and port for IPv4, for IPv6 the rank that
the address has among those of the batch, and port. What is kept from batch to batch names addresses in full. The two
endpoints of a segment, smaller first, name its four-tuple; `numpy.unique` over a mixed 64-bit key finds the four-tuples
of a batch (a collision of the mix is detected, and then the slow exact way is taken). Python runs once for each
four-tuple of a batch and once for each segment with SYN, FIN or RST, never for each segment.

This module is the only owner of stream numbers: from 0 in order of first appearance, and a new number for a SYN
with a new initial sequence number on a four-tuple in use (or for any SYN once the old connection was closed).
"""

from __future__ import annotations

import heapq
from collections import OrderedDict

import numpy as np

from cmppscope.arrays import distinct, stable_order
from cmppscope.reassembly.flags import Flags
from cmppscope.reassembly.table import KNOWN_PORTS, Closing, Endpoint, Stream, Streams
from cmppscope.tables import ACK, FIN, I64, RST, SYN, U64, Bool, Oddity, SegmentBatch

__all__ = ["KNOWN_PORTS", "Closing", "Endpoint", "Stream", "StreamTracker", "Streams"]

STREAMS_OPEN = 1 << 20
"""Four-tuples in use that are remembered; beyond it one that was closed or never answered is forgotten first."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_IPV6 = 1 << 62
_END_BITS = 144
"""Bits of an IPv6 address and a port."""
_WRAP = 1 << 32
_HALF = 1 << 31
_QUARTER = 1 << 30


class StreamTracker:
    """Numbers streams; `feed` gives stream and direction of every segment of a batch."""

    def __init__(self) -> None:
        """Begin with no stream."""
        self.streams = Streams()
        self.odd: list[Oddity] = []
        """Streams forgotten for want of room."""
        self._current: OrderedDict[int, int] = OrderedDict()
        """Stream by four-tuple, the one that was opened first in front."""
        self._spare: OrderedDict[int, None] = OrderedDict()
        """Four-tuples of streams that were closed, or of which nothing but a SYN was seen, in this order."""

    def feed(self, batch: SegmentBatch) -> tuple[I64, I64]:
        """Give arrays (stream, direction), one entry a segment."""
        source, target = self._endpoints(batch)
        source_lower = source <= target
        low = np.where(source_lower, source, target)
        high = np.where(source_lower, target, source)
        firsts, flow = _flows(low, high)
        number = self._assign(batch, firsts, flow, low, high, source_lower)
        direction = (source_lower != self.streams.columns["lower_first"][number]).astype(np.int64)
        self._count(batch, number, direction)
        return number, direction

    def _endpoints(self, batch: SegmentBatch) -> tuple[U64, U64]:
        """Fold address and port of both ends into one number each."""
        shift = np.uint64(16)
        source = (batch.src_lo << shift) | batch.sport.astype(np.uint64)
        target = (batch.dst_lo << shift) | batch.dport.astype(np.uint64)
        six = np.flatnonzero(batch.ip_version == 6)
        if len(six):
            high, low = (
                np.concatenate([getattr(batch, f"{end}_{half}")[six] for end in ("src", "dst")])
                for half in ("hi", "lo")
            )
            rank = _ranks(high, low) << shift | np.uint64(_IPV6)
            source[six] = rank[: len(six)] | batch.sport[six].astype(np.uint64)
            target[six] = rank[len(six) :] | batch.dport[six].astype(np.uint64)
        return source, target

    def _assign(self, batch: SegmentBatch, firsts: I64, flow: I64, low: U64, high: U64, source_lower: Bool) -> I64:
        """Open streams at first segments and at SYNs, in frame order; give each row's stream."""
        holds: list[int] = []
        marks: list[int] = []  # flow and row from which the stream at the same place of `holds` owns the flow
        rows = len(batch)
        first_rows = set(firsts.tolist())
        visit: list[int] = np.union1d(firsts, np.flatnonzero(batch.flags & (SYN | FIN | RST))).tolist()
        noted = Flags(self.streams, batch)
        keys = _Keys(batch, low, high, source_lower)
        later = _Later(firsts, flow, keys)
        row = -1
        while visit:
            before, row = row, heapq.heappop(visit)
            if row == before:
                continue
            key = keys.of(row)
            lower, flags = bool(source_lower[row]), int(batch.flags[row])
            stream = self._current.get(key)
            opens = stream is None or noted.reopens(stream, row, flags, lower=lower)
            if stream is None or opens:
                stream = noted.open(row, lower=lower)
                self._current.pop(key, None)
                self._current[key] = stream
            if flags & (SYN | FIN | RST):
                noted.note(stream, row, flags, lower=lower)
                self._sort(key, flags)
            if opens or row in first_rows:
                holds.append(stream)
                marks.append(int(flow[row]) * rows + row)
            if len(self._current) > STREAMS_OPEN:
                gone = later.row(self._forget(key, int(batch.frame[row])), row)
                if gone is not None:
                    heapq.heappush(visit, gone)
        noted.write()
        order = np.argsort(marks, kind="stable")
        place = np.searchsorted(np.array(marks, np.int64)[order], flow * rows + np.arange(rows), "right") - 1
        return np.array(holds, np.int64)[order[place]]

    def _sort(self, key: int, flags: int) -> None:
        """Keep the four-tuples apart that can be spared first."""
        if flags & (FIN | RST) or not flags & ACK:
            self._spare.setdefault(key)
        else:
            self._spare.pop(key, None)

    def _forget(self, but: int, frame: int) -> int:
        """Forget a four-tuple, but not this one; give it."""
        key = next((k for table in (self._spare, self._current) for k in table if k != but), but)
        number = self._current.pop(key)
        self._spare.pop(key, None)
        self.odd.append(Oddity("streams", number, 0, -1, frame, frame, STREAMS_OPEN, 0, "capture"))
        return key

    def _count(self, batch: SegmentBatch, stream: I64, direction: I64) -> None:
        """Keep the last frame and the number of frames of each stream of the batch."""
        self.streams.both("seen")[stream * 2 + direction] = True
        numbers, last, counts = distinct(stream[::-1])
        rows = len(stream) - 1 - last
        columns = self.streams.columns
        columns["last_frame"][numbers] = batch.frame[rows]
        columns["last_time_ns"][numbers] = batch.time_ns[rows]
        columns["frames"][numbers] += counts
        self._tell(batch, stream, direction)

    def _tell(self, batch: SegmentBatch, stream: I64, direction: I64) -> None:
        """Keep how far each direction was sent, as its own segments and the other side's acknowledgements tell.

        The Sequence Number of a RST is often made up and tells nothing.
        """
        start = (batch.seq + ((batch.flags & SYN) != 0)) % _WRAP
        own = np.flatnonzero((batch.flags & RST) == 0)
        group = stream * 2 + direction
        groups, rows, _ = distinct(group[own])
        begun = self.streams.both("begun")
        new = begun[groups] < 0
        begun[groups[new]] = start[own[rows[new]]]
        end = start + batch.length + batch.missing
        _go_further(self.streams.both("sent"), group[own], end[own] % _WRAP)
        acks = np.flatnonzero((batch.flags & ACK) != 0)
        _go_further(self.streams.both("acked"), group[acks] ^ 1, batch.ack[acks])


class _Keys:
    """Names the four-tuple of a row by one number, the same one in every batch."""

    def __init__(self, batch: SegmentBatch, low: U64, high: U64, source_lower: Bool) -> None:
        """Take both ends of each row, the lower one first, and whether that is the source."""
        self._batch, self._low, self._high, self._source_lower = batch, low, high, source_lower
        six = batch.ip_version == 6
        self._six = six if six.any() else None

    def of(self, row: int) -> int:
        """Give the number: it holds the addresses themselves."""
        if self._six is None or not self._six[row]:
            return int(self._low[row]) << 64 | int(self._high[row])
        ends = (self._end(row, "src", "sport"), self._end(row, "dst", "dport"))
        low, high = ends if self._source_lower[row] else ends[::-1]
        return (1 << _END_BITS | low) << _END_BITS | high

    def _end(self, row: int, side: str, port: str) -> int:
        """Give an end with an IPv6 address as a number."""
        high, low = (int(getattr(self._batch, f"{side}_{half}")[row]) for half in ("hi", "lo"))
        return (high << 64 | low) << 16 | int(getattr(self._batch, port)[row])


class _Later:
    """Finds the next row of a four-tuple; sorts the batch when first asked."""

    def __init__(self, firsts: I64, flow: I64, keys: _Keys) -> None:
        """Take the rows of first appearance of each flow, the flow of each row, and what names their four-tuples."""
        self._firsts, self._flow, self._keys = firsts, flow, keys
        self._flow_of: dict[int, int] | None = None

    def row(self, key: int, row: int) -> int | None:
        """Give the first row of a four-tuple behind a row, None where the batch has none."""
        if self._flow_of is None:
            self._flow_of = {self._keys.of(first): flow for flow, first in enumerate(self._firsts.tolist())}
            self._order = stable_order(self._flow)
            self._starts = np.searchsorted(self._flow[self._order], np.arange(len(self._firsts) + 1))
        flow = self._flow_of.get(key)
        if flow is None:
            return None
        mine = self._order[self._starts[flow] : self._starts[flow + 1]]
        at = int(np.searchsorted(mine, row, "right"))
        return int(mine[at]) if at < len(mine) else None


def _go_further(furthest: I64, group: I64, number: I64) -> None:
    """Move the furthest sequence number of each group on, wraps minded; below 0 none is known."""
    if not len(group):
        return
    order = stable_order(group)
    group, number = group[order], number[order]
    heads = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    groups, sizes = group[heads], np.diff(np.r_[heads, len(group)])
    base = np.where(furthest[groups] < 0, number[heads], furthest[groups])
    ahead = (number - np.repeat(base, sizes) + _HALF) % _WRAP - _HALF
    most = np.maximum.reduceat(ahead, heads)
    furthest[groups] = (base + np.maximum(most, 0)) % _WRAP
    wild = (most >= _QUARTER) | (np.minimum.reduceat(ahead, heads) < -_QUARTER)
    for at in np.flatnonzero(wild).tolist():  # far apart, each counts from the one before
        now = int(base[at])
        for each in number[heads[at] : heads[at] + sizes[at]].tolist():
            if 0 < (each - now) % _WRAP < _HALF:
                now = each
        furthest[groups[at]] = now


def _ranks(high: U64, low: U64) -> U64:
    """Give the place of each number of two halves among all of them in ascending order, equal ones the same."""
    firsts, inverse = _flows(high, low)
    rank = np.empty(len(firsts), np.uint64)
    rank[np.lexsort((low[firsts], high[firsts]))] = np.arange(len(firsts), dtype=np.uint64)
    return rank[inverse]


def _flows(low: U64, high: U64) -> tuple[I64, I64]:
    """Group equal pairs: (row of first appearance of each group, group of each row)."""
    mixed = (low * _MIX) ^ high
    known = np.unique(mixed)  # by hashing, without a sort of all rows
    inverse = np.searchsorted(known, mixed)
    firsts = np.empty(len(known), np.int64)
    firsts[inverse[::-1]] = np.arange(len(mixed) - 1, -1, -1)  # of equal rows the first is written last
    if not (np.array_equal(low[firsts][inverse], low) and np.array_equal(high[firsts][inverse], high)):
        _, firsts, inverse = np.unique(np.stack([low, high], 1), axis=0, return_index=True, return_inverse=True)
    return firsts, inverse.reshape(-1)
