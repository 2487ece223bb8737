"""Conversations as lists of segments, cut into batches, and what reassembly makes of them in rows to compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from cmppscope.reassembly import Reassembler
from cmppscope.tables import ACK, FIN, PSH, RST, SYN, ChunkBatch, SegmentBatch

SP, ISMG = "10.0.0.1", "10.0.0.2"
PORT = 7890
SECOND = 1_000_000_000
MILLISECOND = 1_000_000
START_NS = 1_700_000_000 * SECOND
_WRAP = 1 << 32


class Segment(NamedTuple):
    """One TCP segment as a test writes it."""

    frame: int
    time_ns: int
    src: str
    sport: int
    dst: str
    dport: int
    seq: int
    ack: int
    flags: int
    payload: bytes = b""
    missing: int = 0
    ip_id: int = 0


@dataclass
class Talk:
    """Writes the segments of one connection, one frame a segment and a millisecond apart; 0 is the SP, 1 the ISMG."""

    ends: tuple[str, str] = (SP, ISMG)
    ports: tuple[int, int] = (40_000, PORT)
    isn: tuple[int, int] = (1000, 5000)
    segments: list[Segment] = field(default_factory=list)
    step_ns: int = MILLISECOND
    time_ns: int = START_NS
    next: list[int] = field(default_factory=lambda: [0, 0])
    """Offset of each direction's next octet."""

    def segment(
        self,
        direction: int,
        payload: bytes = b"",
        at: int | None = None,
        *,
        flags: int = ACK | PSH,
        ack: int | None = None,
        missing: int = 0,
    ) -> Talk:
        """Add a segment; `at` and `ack` are offsets behind the SYN, by default where the directions have got to."""
        offset = self.next[direction] if at is None else at
        ack = self.next[1 - direction] if ack is None else ack
        return self.raw(
            direction,
            (self.isn[direction] + 1 + offset) % _WRAP,
            (self.isn[1 - direction] + 1 + ack) % _WRAP if flags & ACK else 0,
            flags,
            payload,
            missing,
        )

    def raw(self, direction: int, seq: int, ack: int, flags: int, payload: bytes = b"", missing: int = 0) -> Talk:
        """Add a segment by its own numbers."""
        self.time_ns += self.step_ns
        self.segments.append(
            Segment(
                len(self.segments) + 1,
                self.time_ns,
                self.ends[direction],
                self.ports[direction],
                self.ends[1 - direction],
                self.ports[1 - direction],
                seq,
                ack,
                flags,
                payload,
                missing,
            )
        )
        octets = len(payload) + missing + (flags & SYN > 0)
        end = (seq + octets - self.isn[direction] - 1) % _WRAP
        if octets and end < _WRAP // 2:
            self.next[direction] = max(self.next[direction], end)
        return self

    def open(self) -> Talk:
        """Add the handshake."""
        self.segment(0, at=-1, flags=SYN)
        self.segment(1, at=-1, flags=SYN | ACK, ack=0)
        return self.segment(0, flags=ACK)

    def send(self, direction: int, *payloads: bytes) -> Talk:
        """Add segments in order."""
        for payload in payloads:
            self.segment(direction, payload)
        return self

    def ack(self, direction: int, ack: int | None = None, times: int = 1) -> Talk:
        """Add acknowledgements without octets."""
        for _ in range(times):
            self.segment(direction, flags=ACK, ack=ack)
        return self

    def fin(self, direction: int) -> Talk:
        """Add a FIN."""
        return self.segment(direction, flags=FIN | ACK)

    def rst(self, direction: int, payload: bytes = b"") -> Talk:
        """Add a RST."""
        return self.segment(direction, payload, flags=RST | ACK)

    def wait(self, nanoseconds: int) -> Talk:
        """Let time pass."""
        self.time_ns += nanoseconds
        return self


def renumbered(segments: Sequence[Segment], step_ns: int = MILLISECOND) -> list[Segment]:
    """Give segments the frames and times of a capture that saw them in this order."""
    return [segment._replace(frame=n, time_ns=START_NS + n * step_ns) for n, segment in enumerate(segments, 1)]


def batch_of(segments: Sequence[Segment]) -> SegmentBatch:
    """Make one batch; other octets stand between the payloads."""
    octets, offsets = bytearray(b"\xee"), []
    for segment in segments:
        offsets.append(len(octets))
        octets += segment.payload + b"\xee"
    sources = [ip_address(s.src) for s in segments]
    targets = [ip_address(s.dst) for s in segments]

    def column(values: Iterator[Any], kind: Any) -> Any:
        return np.array(list(values), kind)

    return SegmentBatch(
        octets=np.frombuffer(bytes(octets), np.uint8),
        frame=column((s.frame for s in segments), np.int64),
        time_ns=column((s.time_ns for s in segments), np.int64),
        src_hi=column((int(a) >> 64 for a in sources), np.uint64),
        src_lo=column((int(a) & (1 << 64) - 1 for a in sources), np.uint64),
        dst_hi=column((int(a) >> 64 for a in targets), np.uint64),
        dst_lo=column((int(a) & (1 << 64) - 1 for a in targets), np.uint64),
        ip_version=column((a.version for a in sources), np.uint8),
        sport=column((s.sport for s in segments), np.int32),
        dport=column((s.dport for s in segments), np.int32),
        seq=column((s.seq for s in segments), np.int64),
        ack=column((s.ack for s in segments), np.int64),
        flags=column((s.flags for s in segments), np.uint8),
        offset=np.array(offsets, np.int64),
        length=column((len(s.payload) for s in segments), np.int64),
        missing=column((s.missing for s in segments), np.int64),
        ip_id=column((s.ip_id for s in segments), np.int32),
    )


def cut(segments: Sequence[Segment], borders: Sequence[int] = ()) -> list[SegmentBatch]:
    """Cut segments into batches in front of the given places; a place twice makes an empty batch."""
    places = [0, *sorted(min(b, len(segments)) for b in borders), len(segments)]
    return [batch_of(segments[a:b]) for a, b in pairwise(places)]


def one_by_one(segments: Sequence[Segment]) -> list[int]:
    """Give the borders that put every segment into a batch of its own."""
    return list(range(1, len(segments)))


class Run(NamedTuple):
    """Octets of one chunk, or a Gap of `gap` octets."""

    stream: int
    direction: int
    offset: int
    octets: bytes
    gap: int
    frame: int
    known_frame: int
    time_ns: int


def runs_of(chunks: ChunkBatch) -> list[Run]:
    """Give the rows of a batch of chunks, which must be grouped."""
    rows = [
        Run(
            int(chunks.stream[n]),
            int(chunks.direction[n]),
            int(chunks.offset[n]),
            bytes(chunks.piece(n)),
            int(chunks.gap[n]),
            int(chunks.frame[n]),
            int(chunks.known_frame[n]),
            int(chunks.time_ns[n]),
        )
        for n in range(len(chunks))
    ]
    assert [(r.stream, r.direction) for r in rows] == sorted((r.stream, r.direction) for r in rows)
    assert [len(r.octets) for r in rows] == chunks.length.tolist()
    assert all(bool(r.octets) != bool(r.gap) for r in rows)
    return rows


@dataclass
class Reassembled:
    """All that reassembly gave for a list of segments."""

    runs: list[Run]
    """By stream and direction, in stream order."""
    reassembler: Reassembler

    def direction(self, direction: int = 0, stream: int = 0) -> list[Run]:
        """Give the runs of one direction."""
        return [r for r in self.runs if (r.stream, r.direction) == (stream, direction)]

    def plain(self, direction: int = 0, stream: int = 0) -> list[bytes | int]:
        """Give one direction as octets joined and Gaps as numbers."""
        joined: list[bytes | int] = []
        for run in self.direction(direction, stream):
            if run.gap:
                joined.append(run.gap)
            elif joined and isinstance(joined[-1], bytes):
                joined[-1] += run.octets
            else:
                joined.append(run.octets)
        return joined

    def octets(self) -> list[tuple[Any, ...]]:
        """Give one row for each octet and each Gap: what may not depend on batches or on the borders of chunks."""
        rows: list[tuple[Any, ...]] = []
        for stream, direction, offset, octets, gap, *frames in self.runs:
            if gap:
                rows.append((stream, direction, offset, "gap", gap, *frames))
            rows += [(stream, direction, offset + n, "octet", octet, *frames) for n, octet in enumerate(octets)]
        return rows

    def counters(self) -> list[tuple[int, int, int]]:
        """Give (group, retransmitted, late) of every direction."""
        return [(g, d.retransmitted, d.late) for g, d in sorted(self.reassembler.directions.items())]


def reassemble(segments: Sequence[Segment], borders: Sequence[int] = ()) -> Reassembled:
    """Put segments in order, fed in batches; check that chunks follow each other without a hole."""
    reassembler = Reassembler()
    runs: list[Run] = []
    for batch in cut(segments, borders):
        runs += runs_of(reassembler.feed(batch))
    runs += runs_of(reassembler.close())
    runs.sort(key=lambda r: (r.stream, r.direction))
    for before, after in pairwise(runs):
        if before[:2] == after[:2]:
            assert after.offset == before.offset + len(before.octets) + before.gap
            assert after.known_frame >= before.known_frame
    return Reassembled(runs, reassembler)
