"""One direction of one stream, put in order: a position, the octets that wait beyond a hole, and when to give up.

Theory of operation. Sequence numbers are unwrapped into offsets from the first octet expected, so a stream may be of
any length. In order is the fast path of the caller; here comes what is not. Octets below the position were delivered
before and are dropped; octets beyond it wait in a list sorted by offset, first copy first served. When the hole in
front of them is filled they are released by the frame that filled it. Octets that the capture cut off are a hole of
their own, which a whole copy may fill.

A hole becomes a Gap when it can be believed that its octets will not come any more, counted in segments and time of
the same stream only, so that the decision is a function of the frames: the other side acknowledged the octets behind
the hole and after that ACKED_SEGMENTS segments or ACKED_NS passed; or HOLE_OCTETS or HOLE_SEGMENTS wait behind it;
or it stood open for HOLE_NS in which the other side did not say that it lacks the octets, too; or the stream ended.
A few segments FAR_OCTETS or more ahead, of which no acknowledgement tells, make no Gap: no receiver has so large a
window, so they are left out and the stream goes on where it stood.

A copy of octets that were delivered a short while ago, or that wait, is compared with them: `recent` holds the last
RECENT_OCTETS delivered, for RECENT_FRAMES frames of the capture, so that all directions together hold no more than
the product of both.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import NamedTuple

from cmppscope.tables import NOWHERE

ACKED_SEGMENTS = 16
ACKED_NS = 1_000_000_000
"""A mirror port may show an acknowledgement before what it acknowledges, but not by this much."""
HOLE_OCTETS = 4 << 20
HOLE_SEGMENTS = 4096
HOLE_NS = 120_000_000_000

FAR_OCTETS = 16 << 20
"""Beyond any window in use: octets so far behind are no resend, octets so far ahead must be confirmed."""
FAR_SEGMENTS = 3
"""So many ranges confirm each other where no acknowledgements are captured."""

RECENT_OCTETS = 4096
RECENT_FRAMES = 16_384
"""Octets delivered that copies are compared with, and for how many frames of the capture."""

LATE_GAPS = 64
"""Gaps a direction remembers, to tell octets that come too late from octets that come again."""

_WRAP = 1 << 32


class Chunk(NamedTuple):
    """Octets in stream order, or a Gap where `gap` is not 0."""

    offset: int
    piece: bytes | memoryview
    gap: int
    frame: int
    known_frame: int
    time_ns: int
    carrier: int
    """The frame in which the octets were captured."""
    address: int
    """Where the first octet lies in a file (`tables.ADDRESS_BITS`)."""


class Held(NamedTuple):
    """A range of octets that waits beyond a hole; `octets` is None where the capture cut them off."""

    start: int
    end: int
    octets: bytes | None
    frame: int
    time_ns: int
    carrier: int
    address: int


class Ack(NamedTuple):
    """An acknowledgement: the offset below which the other side has everything, and when it came."""

    offset: int
    segments: int
    time_ns: int


class Trouble(NamedTuple):
    """Something about a direction that people must hear of; a kind of `tables.Oddity`."""

    kind: str
    offset: int
    frame: int
    octets: int
    value: int


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
    """Octets of all ranges held, those cut off counted as well."""
    counted: int = 0
    """The same as it was counted last among those of all directions."""
    retransmitted: int = 0
    """Octets that came again."""
    late: int = 0
    """Octets that came after their place was given up as a Gap, or from before the first segment captured."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Offsets (start, end) of octets given up, at most LATE_GAPS of them."""
    trouble: list[Trouble] = field(default_factory=list)
    """What happened and was not fetched yet."""
    recent: bytes = b""
    """The last octets delivered, up to the position; empty behind a Gap."""
    recent_frame: int = 0
    """Frame by which the last of them was delivered."""
    _acks: list[Ack] = field(default_factory=list)
    """Acknowledgements seen while a hole is open that reach beyond the first one, each further than the one before."""
    _denied_ns: int | None = None
    """When the other side said last, since the first hole opened, that it lacks its octets."""
    _count: int = 0
    _opened: int = 0

    @property
    def is_quiet(self) -> bool:
        """Whether nothing of it matters any more but `base`, `start_known`, `position` and `retransmitted`."""
        return not (self.held or self.gaps or self.trouble or self.recent or self.late)

    def unwrap(self, seq: int) -> int:
        """Give the offset that a sequence number means: at most FAR_OCTETS behind the position, else ahead of it."""
        return self.position + ((seq - self.base - self.position + FAR_OCTETS) % _WRAP) - FAR_OCTETS

    def segment(
        self,
        start: int,
        end: int,
        octets: memoryview | None,
        frame: int,
        time_ns: int,
        out: list[Chunk],
        address: int = NOWHERE,
    ) -> None:
        """Take a range of offsets with its octets (None: the capture cut them off); append what is in order."""
        if start < self.position:
            self._again(start, min(end, self.position), octets, frame)
            if end <= self.position:
                return
            address = _moved(address, self.position - start)
            octets, start = None if octets is None else octets[self.position - start :], self.position
        if start == self.position and octets is not None and not self.held:
            self._give(Held(start, end, octets, frame, time_ns, frame, address), frame, out)  # type: ignore[arg-type]
            return
        was_whole = not self.held
        self._hold(Held(start, end, None if octets is None else bytes(octets), frame, time_ns, frame, address))
        moved = self._release(frame, out, filled=(frame, time_ns))
        if was_whole or moved:
            self._watch(time_ns)

    def acknowledged(self, offset: int, time_ns: int) -> None:
        """Note, while a hole is open, that the other side acknowledged everything below an offset."""
        if self._acks:
            if offset > self._acks[-1].offset:
                self._acks.append(Ack(offset, self._count, time_ns))
        elif offset >= self._hole_end():
            self._acks.append(Ack(offset, self._count, time_ns))
        else:
            self._denied_ns = time_ns

    def tick(self, frame: int, time_ns: int, out: list[Chunk]) -> None:
        """Count a segment of the stream while a hole is open; turn the hole into a Gap when its time has come."""
        self._count += 1
        while self.held and self._hopeless(time_ns):
            if len(self.held) > HOLE_SEGMENTS or self.held_octets > HOLE_OCTETS:
                self.trouble.append(Trouble("full", self.position, frame, self.held_octets, len(self.held)))
            self.settle(frame, out)

    def settle(self, frame: int, out: list[Chunk]) -> None:
        """Make the first hole a Gap, or leave out what lies behind it, if no receiver can have taken that."""
        far = self.held[0].start - self.position > FAR_OCTETS
        if far and not self._acks and (self._denied_ns is not None or len(self.held) < FAR_SEGMENTS):
            first = self.held[0]
            self.trouble.append(Trouble("far", first.start, first.frame, self.held_octets, first.start - self.position))
            self.held.clear()
            self.held_octets = 0
        else:
            self.give_up(frame, out)

    def give_up(self, frame: int, out: list[Chunk]) -> None:
        """Make the first hole a Gap and release what stands behind it; the next hole has its own acknowledgements."""
        first = self.held[0]
        if first.start > self.position:
            lost = Held(self.position, first.start, None, first.frame, first.time_ns, first.carrier, NOWHERE)
            self._give(lost, frame, out)
        else:
            del self.held[0]
            self.held_octets -= first.end - first.start
            self._give(first, frame, out)
        self._release(frame, out, filled=None)
        acks = self._acks
        self._watch(self.held[0].time_ns if self.held else 0)
        if self.held:
            end = self._hole_end()
            self._acks = [ack for ack in acks if ack.offset >= end]

    def remember(self, octets: bytes, frame: int) -> None:
        """Keep octets that were delivered by a frame to compare copies with them."""
        before = b"" if frame - self.recent_frame > RECENT_FRAMES else self.recent
        self.recent = octets[-RECENT_OCTETS:] if len(octets) >= RECENT_OCTETS else (before + octets)[-RECENT_OCTETS:]
        self.recent_frame = frame

    def _watch(self, time_ns: int) -> None:
        """Begin to wait for the octets of a hole."""
        self._acks = []
        self._denied_ns = None
        self._opened = time_ns

    def _hole_end(self) -> int:
        """Give the offset behind the first hole."""
        first = self.held[0]
        return first.start if first.start > self.position else first.end

    def _hopeless(self, time_ns: int) -> bool:
        """Tell whether the octets of the hole are not to be waited for."""
        if self.held_octets > HOLE_OCTETS or len(self.held) > HOLE_SEGMENTS:
            return True
        if self._acks:
            _, segments, acked_ns = self._acks[0]
            if self._count - segments >= ACKED_SEGMENTS or time_ns - acked_ns >= ACKED_NS:
                return True
        since = self._opened if self._denied_ns is None else max(self._opened, self._denied_ns)
        return time_ns - since >= HOLE_NS

    def _again(self, start: int, end: int, octets: memoryview | None, frame: int) -> None:
        """Count octets that were delivered or given up before, and compare them with what was delivered."""
        late = self._in_gaps(start, end)
        self.late += late
        self.retransmitted += end - start - late
        probe = end == self.position and end - start == 1  # a keep-alive probe may hold any octet (RFC 9293 §3.8.4)
        if octets is None or probe or frame - self.recent_frame > RECENT_FRAMES:
            return
        begin = max(start, self.position - len(self.recent))
        if begin < end:
            at = begin - self.position + len(self.recent)
            self._compare(self.recent[at : at + end - begin], octets[begin - start : end - start], begin, frame)

    def _compare(self, known: bytes, copy: memoryview | bytes, start: int, frame: int) -> None:
        """Say where a copy has other octets than what came first."""
        if known != copy:
            other = [at for at, (a, b) in enumerate(zip(known, copy, strict=True)) if a != b]
            self.trouble.append(Trouble("conflict", start + other[0], frame, len(other), 0))

    def _give(self, held: Held, known_frame: int, out: list[Chunk]) -> None:
        """Append a range at the position, as octets or as a Gap, and move on."""
        start, end, octets, frame, time_ns, carrier, address = held
        self.position = end
        if octets is None:
            out.append(Chunk(start, b"", end - start, frame, known_frame, time_ns, carrier, NOWHERE))
            self.gaps.append((start, end))
            del self.gaps[:-LATE_GAPS]
            self.recent = b""
        else:
            out.append(Chunk(start, octets, 0, frame, known_frame, time_ns, carrier, address))
            self.remember(bytes(octets[-RECENT_OCTETS:]), known_frame)

    def _hold(self, new: Held) -> None:
        """Keep the parts of a segment that no segment held already covers with octets."""
        at = bisect_left(self.held, new.start, key=lambda h: h.end)
        start = new.start
        while start < new.end:
            if at == len(self.held) or self.held[at].start > start:
                end = new.end if at == len(self.held) else min(new.end, self.held[at].start)
                self.held.insert(at, _part(new, start, end))
                self.held_octets += end - start
                at += 1
            else:
                known = self.held[at]
                end = max(start, min(new.end, known.end))
                if known.octets is None and new.octets is not None and end > start:
                    parts = [_part(known, known.start, start), _part(new, start, end), _part(known, end, known.end)]
                    self.held[at : at + 1] = [part for part in parts if part.end > part.start]
                    at += start > known.start
                else:
                    self._held_again(known, new, start, end)
                at += 1
            start = end

    def _held_again(self, known: Held, new: Held, start: int, end: int) -> None:
        """Count octets that are held already, and compare both copies."""
        self.retransmitted += end - start
        if known.octets is not None and new.octets is not None:
            mine, other = _part(known, start, end).octets or b"", _part(new, start, end).octets or b""
            self._compare(mine, other, start, new.frame)

    def _release(self, known_frame: int, out: list[Chunk], filled: tuple[int, int] | None) -> int:
        """Hand out held ranges from the position on, put down to the frame that filled the hole or to their own."""
        count = 0
        for held in self.held:
            if held.start != self.position or held.octets is None:
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


def _part(held: Held, start: int, end: int) -> Held:
    """Give a part of a range."""
    octets = None if held.octets is None else held.octets[start - held.start : end - held.start]
    return held._replace(start=start, end=end, octets=octets, address=_moved(held.address, start - held.start))


def _moved(address: int, octets: int) -> int:
    """Give the address so many octets on."""
    return address if address == NOWHERE else address + octets
