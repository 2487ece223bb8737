"""Frames that were captured twice: by a mirror port that sees both ways in, two ports, a network that copies packets.

Theory of operation. A copy has the addresses, ports, numbers, flags and octets of one of the DUPLICATE_SEGMENTS
segments before it, and the same identification of its IP packet, which a sender counts on when it sends again
(RFC 6864). Where a packet has none, only time can tell a copy from a resend: DUPLICATE_NS, and then only segments
count that a copy could disturb. One mixed number a segment is compared with those at each distance, vectorised; only
segments that agree in it are looked at. Copies are left out before anything else, so that they are no resends of the
peer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cmppscope.tables import FIN, I64, NOWHERE, SYN, U64, Bool, SegmentBatch

DUPLICATE_SEGMENTS = 16
"""How many segments may stand between both copies."""
IDENTIFIED_NS = 50_000_000
DUPLICATE_NS = 1_000_000
"""How far apart copies may be, with and without an identification; resends are further apart (RFC 6298 §2.4)."""

_NUMBERS = ("seq", "ack", "flags", "sport", "dport", "src_lo", "dst_lo", "src_hi", "dst_hi", "ip_id")
_FEW = 256
"""So few numbers are compared in a set, before anything is done by distance."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Duplicates:
    """Finds copies; carries the last segments from batch to batch."""

    def __init__(self) -> None:
        """Begin with no segment."""
        self._last: SegmentBatch | None = None
        self._mixed = np.zeros(0, np.uint64)
        self._streams = np.zeros(0, np.int64)
        """Stream of each of the last segments."""
        self._origin = np.zeros(0, np.int64)
        self.frames: dict[int, tuple[int, int]] = {}
        """By stream, how many frames were captured twice, and the first copy's number."""

    def find(self, batch: SegmentBatch) -> Bool:
        """Mark the segments that are copies of segments before them."""
        origin = np.arange(len(batch))
        carried = len(self._mixed)
        mixed = np.concatenate([self._mixed, _mixed(batch)])
        alone = len(mixed) <= _FEW and len(set(mixed.tolist())) == len(mixed)
        for distance in range(1, 1 if alone else min(DUPLICATE_SEGMENTS, len(mixed) - 1) + 1):
            first = np.flatnonzero(mixed[distance:] == mixed[:-distance]) - carried
            inside, across = first[first >= 0], first[(first < 0) & (first + distance >= 0)]
            if len(inside):
                _mark(origin, batch, inside, batch, inside + distance)
            if len(across) and self._last is not None:
                _mark(origin, self._last, across, batch, across + distance)
        self._carry(batch, mixed)
        self._origin = origin
        copies: Bool = origin != np.arange(len(batch))
        return copies

    def place(self, batch: SegmentBatch, copies: Bool, streams: I64) -> None:
        """Count the copies that `find` marked in a batch; `streams` are those of the other segments."""
        number = np.zeros(len(batch), np.int64)
        number[~copies] = streams
        for row in np.flatnonzero(copies).tolist():
            origin = int(self._origin[row])
            stream = int(number[origin] if origin >= 0 else self._streams[origin])
            count, frame = self.frames.get(stream, (0, int(batch.frame[row])))
            self.frames[stream] = (count + 1, frame)
            number[row] = stream
        self._streams = np.concatenate([self._streams, number])[-DUPLICATE_SEGMENTS:]

    def _carry(self, batch: SegmentBatch, mixed: U64) -> None:
        """Keep the last segments with octets of their own."""
        last = _last_of(batch)
        if self._last is not None and len(last) < DUPLICATE_SEGMENTS:
            last = _last_of(_joined(self._last, last))
        self._last, self._mixed = last, mixed[-DUPLICATE_SEGMENTS:]


def _mixed(batch: SegmentBatch) -> U64:
    """Mix what two copies have in common into one number a segment."""
    mixed = (batch.length + batch.missing).astype(np.uint64)
    for name in ("seq", "ack", "flags", "sport", "dport", "src_lo", "ip_id"):
        mixed *= _FACTOR
        mixed += getattr(batch, name).astype(np.uint64)
    return mixed


def _mark(origin: I64, one: SegmentBatch, first: I64, other: SegmentBatch, copy: I64) -> None:
    """Note for the rows `copy` of a batch that are copies of the rows `first` of one which these are.

    A copy that holds more octets than the first one is of use, and none.
    """
    whole = one.length[first] + one.missing[first]
    same = (other.length[copy] <= one.length[first]) & (other.length[copy] + other.missing[copy] == whole)
    for name in _NUMBERS:
        same &= getattr(one, name)[first] == getattr(other, name)[copy]
    identified = other.ip_id[copy] != 0
    apart = np.abs(other.time_ns[copy] - one.time_ns[first])
    same &= apart < np.where(identified, IDENTIFIED_NS, DUPLICATE_NS)
    same &= identified | (whole > 0) | (other.flags[copy] & (SYN | FIN) != 0)
    for mine, row in zip(first[same].tolist(), copy[same].tolist(), strict=True):
        begin, again, length = int(one.offset[mine]), int(other.offset[row]), int(other.length[row])
        if origin[row] == row and (one.octets[begin : begin + length] == other.octets[again : again + length]).all():
            origin[row] = mine


def _last_of(batch: SegmentBatch) -> SegmentBatch:
    """Give the last rows of a batch with octets of their own."""
    rows = np.arange(len(batch)) >= len(batch) - DUPLICATE_SEGMENTS
    last = batch.take(rows)
    pieces = [batch.octets[a : a + n] for a, n in zip(last.offset.tolist(), last.length.tolist(), strict=True)]
    last.octets = np.concatenate([np.zeros(0, np.uint8), *pieces])
    last.offset = np.cumsum(last.length) - last.length
    last.own, last.address = 0, NOWHERE
    return last


def _joined(one: SegmentBatch, other: SegmentBatch) -> SegmentBatch:
    """Put two batches one behind the other."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(one, name), getattr(other, name)])
        for name in SegmentBatch.__slots__
        if name not in {"offset", "own", "address"}
    }
    return SegmentBatch(**columns, offset=np.concatenate([one.offset, other.offset + len(one.octets)]))
