"""One direction of one stream, put in order: a position, the octets that wait beyond a hole, and when to give up.

Theory of operation. Sequence numbers are unwrapped into offsets from the first octet expected, so a stream may be of
any length. In order is the fast path of the caller; here comes what is not. Octets below the position were delivered
before and are dropped; octets beyond it wait in a list sorted by offset, first copy first served. When the hole in
front of them is filled they are released by the frame that filled it.

A hole becomes a Gap when it can be believed that its octets will not come any more, counted in segments and time of
the same stream only, so that the decision is a function of the frames: the other side acknowledged the octets behind
the hole and after that ACKED_SEGMENTS segments or ACKED_NS passed; or HOLE_OCTETS or HOLE_SEGMENTS wait behind it;
or it stood open for HOLE_NS; or the stream ended.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import NamedTuple

ACKED_SEGMENTS = 16
ACKED_NS = 1_000_000_000
"""A mirror port may show an acknowledgement before what it acknowledges, but not by this much."""
HOLE_OCTETS = 4 << 20
HOLE_SEGMENTS = 4096
HOLE_NS = 120_000_000_000

_WRAP = 1 << 32
_HALF = 1 << 31


class Chunk(NamedTuple):
    """Octets in stream order, or a Gap where `gap` is not 0."""

    offset: int
    piece: bytes | memoryview
    gap: int
    frame: int
    known_frame: int
    time_ns: int


class Held(NamedTuple):
    """A range of octets that waits beyond a hole; `octets` is None where the capture cut them off."""

    start: int
    end: int
    octets: bytes | None
    frame: int
    time_ns: int


class Ack(NamedTuple):
    """An acknowledgement: the offset below which the other side has everything, and when it came."""

    offset: int
    segments: int
    time_ns: int


@dataclass(slots=True)
class Direction:
    """The state of one direction; `position` is the offset of the next octet in order."""

    base: int
    """Sequence number of offset 0."""
    start_known: bool
    """Offset 0 is known to be the first octet of the connection."""
    position: int = 0
    held: list[Held] = field(default_factory=list)
    held_octets: int = 0
    retransmitted: int = 0
    """Octets that came again."""
    late: int = 0
    """Octets that came after their place was given up as a Gap, or from before the first segment captured."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Offsets (start, end) of octets given up, at most LATE_GAPS of them."""
    _acks: list[Ack] = field(default_factory=list)
    """Acknowledgements seen while a hole is open that reach beyond the first one, each further than the one before."""
    _count: int = 0
    _opened: int = 0

    def unwrap(self, seq: int) -> int:
        """Give the offset nearest to the position that a sequence number can mean."""
        return self.position + ((seq - self.base - self.position + _HALF) % _WRAP) - _HALF

    def segment(
        self, start: int, end: int, octets: memoryview | None, frame: int, time_ns: int, out: list[Chunk]
    ) -> None:
        """Take a range of offsets with its octets (None: the capture cut them off); append what is in order."""
        if start < self.position:
            old = min(end, self.position) - start
            late = self._in_gaps(start, start + old)
            self.late += late
            self.retransmitted += old - late
            if end <= self.position:
                return
            octets, start = None if octets is None else octets[old:], self.position
        if start == self.position and not self.held:
            self._give(Held(start, end, octets, frame, time_ns), frame, out)  # type: ignore[arg-type]
            return
        was_whole = not self.held
        self._hold(Held(start, end, None if octets is None else bytes(octets), frame, time_ns))
        moved = self._release(frame, out, filled=(frame, time_ns))
        if was_whole or moved:
            self._acks.clear()
            self._opened = time_ns

    def acknowledged(self, offset: int, time_ns: int) -> None:
        """Note, while a hole is open, that the other side acknowledged everything below an offset."""
        if offset >= (self._acks[-1].offset + 1 if self._acks else self.held[0].start):
            self._acks.append(Ack(offset, self._count, time_ns))

    def tick(self, frame: int, time_ns: int, out: list[Chunk]) -> None:
        """Count a segment of the stream while a hole is open; turn the hole into a Gap when its time has come."""
        self._count += 1
        while self.held and self._hopeless(time_ns):
            self.give_up(frame, out)

    def _hopeless(self, time_ns: int) -> bool:
        """Tell whether the octets of the hole are not to be waited for."""
        if self.held_octets > HOLE_OCTETS or len(self.held) > HOLE_SEGMENTS:
            return True
        if self._acks:
            _, segments, acked_ns = self._acks[0]
            if self._count - segments >= ACKED_SEGMENTS or time_ns - acked_ns >= ACKED_NS:
                return True
        return time_ns - self._opened >= HOLE_NS

    def give_up(self, frame: int, out: list[Chunk]) -> None:
        """Make the first hole a Gap and release what stands behind it; the next hole has its own acknowledgements."""
        first = self.held[0]
        self._give(Held(self.position, first.start, None, first.frame, first.time_ns), frame, out)
        self._release(frame, out, filled=None)
        if self.held:
            self._acks = [ack for ack in self._acks if ack.offset >= self.held[0].start]
            self._opened = self.held[0].time_ns
        else:
            self._acks.clear()

    def _give(self, held: Held, known_frame: int, out: list[Chunk]) -> None:
        """Append a range at the position, as octets or as a Gap, and move on."""
        start, end, octets, frame, time_ns = held
        if octets is None:
            out.append(Chunk(start, b"", end - start, frame, known_frame, time_ns))
            self.gaps.append((start, end))
            del self.gaps[:-LATE_GAPS]
        else:
            out.append(Chunk(start, octets, 0, frame, known_frame, time_ns))
        self.position = end

    def _hold(self, new: Held) -> None:
        """Keep the parts of a segment that no segment held already covers."""
        at = bisect_left(self.held, new.start, key=lambda h: h.end)
        start = new.start
        while start < new.end:
            if at < len(self.held) and self.held[at].start <= start:
                covered = min(new.end, self.held[at].end)
                self.retransmitted += max(0, covered - start)
                start = max(start, self.held[at].end)
                at += 1
                continue
            end = min(new.end, self.held[at].start) if at < len(self.held) else new.end
            piece = None if new.octets is None else new.octets[start - new.start : end - new.start]
            self.held.insert(at, Held(start, end, piece, new.frame, new.time_ns))
            self.held_octets += end - start
            at += 1
            start = end

    def _release(self, known_frame: int, out: list[Chunk], filled: tuple[int, int] | None) -> int:
        """Hand out held ranges from the position on, put down to the frame that filled the hole or to their own."""
        count = 0
        for held in self.held:
            if held.start != self.position:
                break
            frame, time_ns = filled or (held.frame, held.time_ns)
            self._give(held._replace(frame=frame, time_ns=time_ns), known_frame, out)
            self.held_octets -= held.end - held.start
            count += 1
        del self.held[:count]
        return count

    def _in_gaps(self, start: int, end: int) -> int:
        """Count the octets of a range that were given up or lie before the first octet expected."""
        inside = max(0, min(end, 0) - start)
        return inside + sum(max(0, min(end, g_end) - max(start, g_start)) for g_start, g_end in self.gaps)


LATE_GAPS = 64
"""Gaps a direction remembers, to tell octets that come too late from octets that come again."""
