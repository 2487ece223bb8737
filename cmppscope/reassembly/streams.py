"""Which TCP connection a segment belongs to, and in which direction it goes.

Theory of operation. An endpoint is folded into one 64-bit number: address and port for IPv4, the number of an
interned address and port for IPv6. The two endpoints of a segment, smaller first, name its four-tuple; `numpy.unique`
over a mixed 64-bit key finds the four-tuples of a batch (a collision of the mix is detected, and then the slow exact
way is taken). Python runs once for each four-tuple of a batch and once for each segment with SYN, FIN or RST, never
for each segment.

This module is the only owner of stream numbers: from 0 in order of first appearance, and a new number for a SYN
with a new initial sequence number on a four-tuple in use (or for any SYN once the old connection was closed).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from cmppscope.tables import ACK, FIN, I64, RST, SYN, U64, Bool, SegmentBatch

KNOWN_PORTS = (7890, 7900, 7930, 9168)
"""Ports of CMPP 2.0 §6.3: long and short SP–ISMG, ISMG–ISMG, ISMG–GNS."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_IPV6 = 1 << 62
_WRAP = 1 << 32
_HALF = 1 << 31


class Endpoint(NamedTuple):
    """One end of a connection."""

    ip_version: int
    address: int
    port: int


@dataclass(slots=True)
class Closing:
    """The first FIN or RST of a stream."""

    kind: Literal["fin", "rst"]
    direction: int
    frame: int
    time_ns: int


@dataclass(slots=True)
class Stream:
    """One TCP connection and what its header flags tell."""

    number: int
    originator: Endpoint
    responder: Endpoint
    lower_first: bool
    """Whether the originator is the smaller endpoint of the four-tuple's key."""
    first_frame: int
    first_time_ns: int
    first_seq: int
    """Sequence number of the first segment captured."""
    handshake: bool = False
    """A SYN was captured, so that the stream's first octets are known to be the first."""
    isn: list[int | None] = field(default_factory=lambda: [None, None])
    """Initial sequence number of each direction, where a SYN or the answer to one tells it."""
    isn_frame: list[int] = field(default_factory=lambda: [0, 0])
    """Frame that told each initial sequence number."""
    closing: Closing | None = None
    last_frame: int = 0
    last_time_ns: int = 0
    frames: int = 0
    seen: list[bool] = field(default_factory=lambda: [False, False])
    """Whether the capture holds any segment of each direction."""
    begun: list[int | None] = field(default_factory=lambda: [None, None])
    """Sequence number of the first octet that each direction's first segment has or would have."""
    sent: list[int | None] = field(default_factory=lambda: [None, None])
    """Sequence number behind the last octet that each direction's own segments tell of."""
    acked: list[int | None] = field(default_factory=lambda: [None, None])
    """The last acknowledgement that the other side sent of each direction."""
    fin: list[int | None] = field(default_factory=lambda: [None, None])
    """Sequence number of each direction's FIN: nothing was sent behind it."""

    @property
    def known_port(self) -> bool:
        """Whether either end uses a port of CMPP 2.0 §6.3."""
        return self.originator.port in KNOWN_PORTS or self.responder.port in KNOWN_PORTS


class StreamTracker:
    """Numbers streams; `feed` gives stream and direction of every segment of a batch."""

    def __init__(self) -> None:
        """Begin with no stream."""
        self.streams: list[Stream] = []
        self._current: dict[tuple[int, int], Stream] = {}
        self._addresses: dict[tuple[int, int], int] = {}

    def feed(self, batch: SegmentBatch) -> tuple[I64, I64]:
        """Give arrays (stream, direction), one entry a segment."""
        source, target = self._endpoints(batch)
        source_lower = source <= target
        low = np.where(source_lower, source, target)
        high = np.where(source_lower, target, source)
        firsts, flow = _flows(low, high)
        owner, streams = self._assign(batch, firsts, flow, low, high, source_lower)
        number = np.array([s.number for s in streams], np.int64)[owner]
        lower_first = np.array([s.lower_first for s in streams], np.bool_)[owner]
        direction = (source_lower != lower_first).astype(np.int64)
        self._count(batch, number, direction)
        return number, direction

    def _endpoints(self, batch: SegmentBatch) -> tuple[U64, U64]:
        """Fold address and port of both ends into one number each."""
        shift = np.uint64(16)
        source = (batch.src_lo << shift) | batch.sport.astype(np.uint64)
        target = (batch.dst_lo << shift) | batch.dport.astype(np.uint64)
        six = np.flatnonzero(batch.ip_version == 6)
        if len(six):
            source[six] = self._intern(batch.src_hi[six], batch.src_lo[six], batch.sport[six])
            target[six] = self._intern(batch.dst_hi[six], batch.dst_lo[six], batch.dport[six])
        return source, target

    def _intern(self, high: U64, low: U64, port: np.ndarray) -> U64:
        """Number IPv6 addresses in order of appearance and fold number and port."""
        firsts, inverse = _flows(high, low)
        numbers = np.array(
            [self._addresses.setdefault((int(high[i]), int(low[i])), len(self._addresses)) for i in firsts.tolist()],
            np.uint64,
        )
        return np.uint64(_IPV6) | (numbers[inverse] << np.uint64(16)) | port.astype(np.uint64)

    def _assign(
        self, batch: SegmentBatch, firsts: I64, flow: I64, low: U64, high: U64, source_lower: Bool
    ) -> tuple[I64, list[Stream]]:
        """Open streams at first segments and at SYNs, in frame order; give each row's place in the list of streams."""
        holds: list[Stream] = []
        marks: list[int] = []  # flow and row from which the stream at the same place of `holds` owns the flow
        rows = len(batch)
        first_rows = set(firsts.tolist())
        flagged = np.flatnonzero(batch.flags & (SYN | FIN | RST))
        for row in np.union1d(firsts, flagged).tolist():
            key = (int(low[row]), int(high[row]))
            lower = bool(source_lower[row])
            stream = self._current.get(key)
            if stream is None or _reopens(stream, lower, batch, row):
                stream = self._current[key] = self._open(batch, row, lower)
            elif row not in first_rows:
                _note_flags(stream, lower, batch, row)
                continue
            holds.append(stream)
            marks.append(int(flow[row]) * rows + row)
            _note_flags(stream, lower, batch, row)
        order = np.argsort(marks, kind="stable")
        place = np.searchsorted(np.array(marks, np.int64)[order], flow * rows + np.arange(rows), "right") - 1
        return order[place], holds

    def _open(self, batch: SegmentBatch, row: int, lower: bool) -> Stream:  # noqa: FBT001 - what a column holds
        """Begin a stream at a row, and decide once and for all which end is the originator."""
        source = Endpoint(int(batch.ip_version[row]), _address(batch, row, "src"), int(batch.sport[row]))
        target = Endpoint(int(batch.ip_version[row]), _address(batch, row, "dst"), int(batch.dport[row]))
        towards = _source_originates(int(batch.flags[row]), source.port, target.port)
        stream = Stream(
            number=len(self.streams),
            originator=source if towards else target,
            responder=target if towards else source,
            lower_first=lower == towards,
            first_frame=int(batch.frame[row]),
            first_time_ns=int(batch.time_ns[row]),
            first_seq=int(batch.seq[row]),
        )
        self.streams.append(stream)
        return stream

    def _count(self, batch: SegmentBatch, stream: I64, direction: I64) -> None:
        """Keep the last frame and the number of frames of each stream of the batch."""
        for group in np.unique(stream * 2 + direction).tolist():
            self.streams[group >> 1].seen[group & 1] = True
        numbers, last, counts = np.unique(stream[::-1], return_index=True, return_counts=True)
        rows = len(stream) - 1 - last
        for number, row, count in zip(numbers.tolist(), rows.tolist(), counts.tolist(), strict=True):
            record = self.streams[number]
            record.last_frame = int(batch.frame[row])
            record.last_time_ns = int(batch.time_ns[row])
            record.frames += count
        self._tell(batch, stream, direction)

    def _tell(self, batch: SegmentBatch, stream: I64, direction: I64) -> None:
        """Keep how far each direction was sent, as its own segments and the other side's acknowledgements tell.

        The Sequence Number of a RST is often made up and tells nothing.
        """
        begin = (batch.seq + ((batch.flags & SYN) != 0)) % _WRAP
        sound = (batch.flags & RST) == 0
        own = np.flatnonzero(sound)
        group = stream * 2 + direction
        for each, row in zip(*(a.tolist() for a in np.unique(group[own], return_index=True)), strict=True):
            record = self.streams[each >> 1]
            if record.begun[each & 1] is None:
                record.begun[each & 1] = int(begin[own[row]])
        end = begin + batch.length + batch.missing
        for each, number in _furthest(group[own], end[own], [s.sent for s in self.streams]):
            self.streams[each >> 1].sent[each & 1] = number
        acks = np.flatnonzero((batch.flags & ACK) != 0)
        for each, number in _furthest(group[acks] ^ 1, batch.ack[acks], [s.acked for s in self.streams]):
            self.streams[each >> 1].acked[each & 1] = number


def _furthest(group: I64, number: I64, known: list[list[int | None]]) -> list[tuple[int, int]]:
    """Give for each group the furthest of its sequence numbers and the one known before, wraps minded."""
    if not len(group):
        return []
    order = np.argsort(group, kind="stable")
    group, number = group[order], number[order]
    heads = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    groups = group[heads].tolist()
    before = [known[each >> 1][each & 1] for each in groups]
    base = np.array([n if b is None else b for n, b in zip(number[heads].tolist(), before, strict=True)], np.int64)
    sizes = np.diff(np.r_[heads, len(group)])
    ahead = (number - np.repeat(base, sizes) + _HALF) % _WRAP - _HALF
    furthest = (base + np.maximum(np.maximum.reduceat(ahead, heads), 0)) % _WRAP
    return list(zip(groups, furthest.tolist(), strict=True))


def _flows(low: U64, high: U64) -> tuple[I64, I64]:
    """Group equal pairs: (row of first appearance of each group, group of each row)."""
    mixed = (low * _MIX) ^ high
    _, firsts, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    if not (np.array_equal(low[firsts][inverse], low) and np.array_equal(high[firsts][inverse], high)):
        _, firsts, inverse = np.unique(np.stack([low, high], 1), axis=0, return_index=True, return_inverse=True)
    return firsts, inverse.reshape(-1)


def _address(batch: SegmentBatch, row: int, side: str) -> int:
    """Put the two halves of an address together."""
    high, low = getattr(batch, f"{side}_hi"), getattr(batch, f"{side}_lo")
    return int(high[row]) << 64 | int(low[row])


def _source_originates(flags: int, source_port: int, target_port: int) -> bool:
    """Tell whether the sender of a stream's first captured segment counts as its originator."""
    if flags & SYN:
        return not flags & ACK
    if (source_port in KNOWN_PORTS) != (target_port in KNOWN_PORTS):
        return target_port in KNOWN_PORTS
    return source_port >= target_port


def _reopens(stream: Stream, lower: bool, batch: SegmentBatch, row: int) -> bool:  # noqa: FBT001 - what a column holds
    """Tell whether a segment begins a new connection on the four-tuple of an old one.

    A SYN captured behind the octets that follow it belongs to their stream, as it does in Wireshark.
    """
    flags = int(batch.flags[row])
    if not flags & SYN:
        return False
    known = stream.isn[int(lower != stream.lower_first)]
    if flags & ACK:
        return known is not None and known != int(batch.seq[row])
    if stream.closing is not None:
        return True
    if known is not None:
        return known != int(batch.seq[row])
    return not (stream.handshake or stream.first_seq == (int(batch.seq[row]) + 1) & 0xFFFFFFFF)


def _note_flags(stream: Stream, lower: bool, batch: SegmentBatch, row: int) -> None:  # noqa: FBT001 - what a column holds
    """Keep what SYN, FIN and RST of a segment tell about its stream."""
    flags = int(batch.flags[row])
    direction = int(lower != stream.lower_first)
    if flags & SYN:
        stream.handshake = True
        _learn_isn(stream, direction, int(batch.seq[row]), int(batch.frame[row]))
        if flags & ACK:
            _learn_isn(stream, 1 - direction, (int(batch.ack[row]) - 1) & 0xFFFFFFFF, int(batch.frame[row]))
    if flags & FIN and not flags & RST:
        behind = int(batch.seq[row] + batch.length[row] + batch.missing[row]) + (flags & SYN != 0)
        stream.fin[direction] = behind % _WRAP
    if flags & (FIN | RST) and stream.closing is None:
        kind: Literal["fin", "rst"] = "rst" if flags & RST else "fin"
        stream.closing = Closing(kind, direction, int(batch.frame[row]), int(batch.time_ns[row]))


def _learn_isn(stream: Stream, direction: int, isn: int, frame: int) -> None:
    """Keep a direction's initial sequence number when it is told for the first time."""
    if stream.isn[direction] is None:
        stream.isn[direction] = isn
        stream.isn_frame[direction] = frame
