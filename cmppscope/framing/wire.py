"""One direction of a CMPP stream, framed with care: what the fast path hands over when anything is odd.

Theory of operation. Octets are held from the first one not yet decided. In step, a PDU is taken at once when its
length fits a layout; one that fits none, or has an unknown Command_Id, is taken when a header follows it. A header
that cannot be (CMPP 2.0 §7.3) puts the direction out of step: the lowest place from which a whole PDU fits is
searched. After a Gap, or where the capture begins in the middle, a header must follow that PDU as well, since the
search may run through message text. Every decision names the octet that it needed, so that the frame at which
something became known does not depend on how the octets came.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from cmppscope.framing.headers import CANDIDATE, COMMANDS, HEADER, LONGEST, fits, may_fit, plausible, read
from cmppscope.tables import Oddity

_LENGTH = 4
_TELLING = 8
"""Octets that hold Total_Length and Command_Id."""


class Mode(enum.Enum):
    """What is known about the first octet held."""

    IN_STEP = enum.auto()
    """A PDU begins there."""
    LOST = enum.auto()
    """Framing was lost by the peer's doing."""
    BLIND = enum.auto()
    """The capture does not show where the PDU around it began."""


class Span(NamedTuple):
    """Octets up to an offset and the frames they came with."""

    end: int
    frame: int
    known_frame: int
    time_ns: int


class Found(NamedTuple):
    """A PDU: its octets and place."""

    octets: bytes
    offset: int
    bits: int
    frame: int
    known_frame: int
    time_ns: int


@dataclass(slots=True)
class Wire:
    """The octets of one direction that are not framed yet."""

    stream: int
    direction: int
    mode: Mode
    held: bytes = b""
    offset: int = 0
    """Stream offset of the first octet held."""
    spans: list[Span] = field(default_factory=list)
    skipping: int | None = None
    """Stream offset from which octets are being skipped."""
    skip_frame: int = 0
    """Frame of the first octet skipped."""
    _new: list[bytes | memoryview] = field(default_factory=list)
    careful: bool = False
    """What is held begins with a whole PDU that waits for the header behind it."""
    floor: int = 0
    """Nothing becomes known before this frame (that of recognition, or of losing step)."""
    past: list[Wire] = field(default_factory=list)
    """What stood in front of Gaps when the stream was not recognised yet."""

    @property
    def is_empty(self) -> bool:
        """Whether a PDU begins with the next octet that comes, and nothing else is to be known of the direction."""
        return self.mode is Mode.IN_STEP and not (self.held or self._new or self.past or self.careful)

    def take(self, octets: bytes | memoryview, span: Span) -> None:
        """Take more octets, to be framed by the next `settle`."""
        self._new.append(octets)
        self.spans.append(span)

    def lose(self, gap: int, frame: int, known_frame: int, found: list[Found], odd: list[Oddity]) -> None:
        """Meet a Gap, seen first in `frame`: settle what stands before it and begin anew behind it."""
        self.settle(found, odd, known_frame)
        begin = self.offset if self.skipping is None else self.skipping
        end = self.offset + len(self.held)
        odd.append(self._odd("gap", end, frame, known_frame, gap, end - begin, "capture"))
        self.offset = end + gap
        self.held, self.spans, self.mode, self.skipping = b"", [], Mode.BLIND, None

    def end_at_gap(self, found: list[Found], odd: list[Oddity]) -> None:
        """Settle octets in front of a Gap that is reported already; what is left over was cut by the capture."""
        self.settle(found, odd, self.floor)
        begin = self.offset if self.skipping is None else self.skipping
        if left := self.offset + len(self.held) - begin:
            frame = self.skip_frame if self.skipping is not None else self._span(begin).frame
            odd.append(self._odd("cut", begin, frame, self.floor, left, 0, "capture"))

    def settle(self, found: list[Found], odd: list[Oddity], end_frame: int | None = None) -> None:
        """Frame all that can be decided; `end_frame` says that no octet follows, and at which frame that was known."""
        for before in self.past:
            before.end_at_gap(found, odd)
        self.past.clear()
        if self._new:
            self.held = b"".join([self.held, *self._new])
            self._new.clear()
        at, going = 0, True
        while going and at < len(self.held):
            step = self._in_step if self.mode is Mode.IN_STEP else self._search
            at, going = step(at, found, odd, end_frame)
        self._drop(at)

    def finish(self, found: list[Found], odd: list[Oddity], end_frame: int, closed_frame: int | None) -> None:
        """Settle the end of the direction: `closed_frame` is the frame of FIN or RST, None when the capture ended."""
        self.settle(found, odd, end_frame)
        if not self.held and self.skipping is None:
            return
        if self.skipping is None and not _possible(self.held):
            self._lose_step(0)
        if self.skipping is not None:
            octets = self.offset + len(self.held) - self.skipping
            fault = "capture" if self.mode is Mode.BLIND else "peer"
            odd.append(self._odd("skipped", self.skipping, self.skip_frame, end_frame, octets, 0, fault))
            return
        claimed = int.from_bytes(self.held[:_LENGTH], "big") if len(self.held) >= _LENGTH else 0
        kind, fault = ("cut", "capture") if closed_frame is None else ("truncated", "peer")
        frame = closed_frame or self._span(self.offset).frame
        odd.append(self._odd(kind, self.offset, frame, end_frame, len(self.held), claimed, fault))

    def _in_step(self, at: int, found: list[Found], odd: list[Oddity], end_frame: int | None) -> tuple[int, bool]:
        """Take the PDU at a position: (next position, whether to go on)."""
        self.careful = False
        available = len(self.held) - at
        if available < _LENGTH:
            return at, False
        length = int.from_bytes(self.held[at : at + _LENGTH], "big")
        if not HEADER <= length <= LONGEST:
            return self._impossible(at, length, odd, end_frame)
        if available < length:
            return self._cut(at, length, end_frame)
        bits = fits(self.held, at, length, read(self.held, at)[1])
        end = at + length
        if bits:
            self._found(found, at, length, bits, self._known(end, end_frame))
        elif len(self.held) - end >= _TELLING:
            if not plausible(self.held, end):
                return self._doubt(at, end, found, end_frame)
            self._found(found, at, length, 0, self._known(end + _TELLING, end_frame))
        elif end_frame is not None:
            self._found(found, at, length, 0, end_frame)
        else:
            self.careful = True
            return at, False
        return end, True

    def _impossible(self, at: int, length: int, odd: list[Oddity], end_frame: int | None) -> tuple[int, bool]:
        """Go out of step where no PDU can begin: at a header with a wrong length, or at surplus octets."""
        if len(self.held) - at < _TELLING:
            return at, False
        if read(self.held, at)[1] in COMMANDS:
            kind = "below-header" if length < HEADER else "impossible"
            span, known = self._span(self.offset + at), self._known(at + _TELLING, end_frame)
            odd.append(self._odd(kind, self.offset + at, span.frame, known, 0, length, "peer"))
        return self._lose_step(at), True

    def _cut(self, at: int, length: int, end_frame: int | None) -> tuple[int, bool]:
        """Wait for the rest of a PDU; where none will come, a header that fits nothing may hide whole PDUs."""
        if end_frame is None or len(self.held) - at < _TELLING or may_fit(length, read(self.held, at)[1]):
            return at, False
        place, _, _ = self._candidate(at + 1, end_frame, chained=False)
        if place is None:
            return at, False
        self.floor = max(self.floor, end_frame)
        return self._lose_step(at), True

    def _doubt(self, at: int, end: int, found: list[Found], end_frame: int | None) -> tuple[int, bool]:
        """Settle a PDU that fits nothing and has no header behind it: there may be another one inside it."""
        place, need, waiting = self._candidate(at + 1, end_frame, chained=False, below=end)
        if waiting is not None:
            self.careful = True
            return at, False
        known = self._known(max(need, end + _TELLING), end_frame)
        if place is not None:
            self.floor = max(self.floor, known)
            return self._lose_step(at), True
        self._found(found, at, end - at, 0, known)
        return self._lose_step(end), True

    def _search(self, at: int, found: list[Found], odd: list[Oddity], end_frame: int | None) -> tuple[int, bool]:
        """Look for the next PDU from a position on: (where it or the first possible one stands, whether to go on)."""
        del found
        if self.skipping is None:
            self.skipping, self.skip_frame = self.offset + at, self._span(self.offset + at).frame
        first = self.skipping == self.offset + at
        place, need, waiting = self._candidate(
            at + (first and self.mode is Mode.LOST),
            end_frame,
            chained=self.mode is Mode.BLIND,
            unchained=at if first else -1,
        )
        if place is None:
            least = max(at, len(self.held) - _TELLING + 1)
            return (least if waiting is None else waiting), False
        known = self._known(need, end_frame)
        skipped = self.offset + place - self.skipping
        if skipped:
            fault = "capture" if self.mode is Mode.BLIND else "peer"
            odd.append(self._odd("skipped", self.skipping, self.skip_frame, known, skipped, 0, fault))
        self.floor = max(self.floor, known)
        self.mode, self.skipping = Mode.IN_STEP, None
        return place, True

    def _candidate(
        self, begin: int, end_frame: int | None, *, chained: bool, unchained: int = -1, below: int | None = None
    ) -> tuple[int | None, int, int | None]:
        """Find the lowest place of a whole fitting PDU: (place, octets needed to say so, place still undecided).

        `chained` asks for a header behind the PDU, but not at the place `unchained`; `below` ends the search.
        """
        need = 0
        for match in CANDIDATE.finditer(self.held, begin):
            at = match.start()
            if below is not None and at >= below:
                break
            good, seen = self._judge(at, chained=chained and at != unchained, ended=end_frame is not None)
            need = max(need, seen)
            if good is None:
                return None, need, at
            if good:
                return at, need, None
        return None, need, None

    def _judge(self, at: int, *, chained: bool, ended: bool) -> tuple[bool | None, int]:
        """Tell whether a PDU stands at a candidate's place, None if more octets will tell; and the octets it takes."""
        length, command = read(self.held, at)
        end = at + length
        if not may_fit(length, command):
            return False, at + _TELLING
        if end > len(self.held):
            return (False if ended else None), end
        if not fits(self.held, at, length, command):
            return False, end
        if not chained:
            return True, end
        if len(self.held) - end < _TELLING:
            return (True if ended else None), end + _TELLING
        return plausible(self.held, end), end + _TELLING

    def _lose_step(self, at: int) -> int:
        """Go out of step at a position."""
        self.mode, self.skipping = Mode.LOST, self.offset + at
        self.skip_frame = self._span(self.offset + at).frame
        return at

    def _found(self, found: list[Found], at: int, length: int, bits: int, known_frame: int) -> None:
        """Add a PDU."""
        span = self._span(self.offset + at + length - 1)
        octets = self.held[at : at + length]
        known = max(known_frame, self.floor)
        found.append(Found(octets, self.offset + at, bits, span.frame, known, span.time_ns))

    def _span(self, offset: int) -> Span:
        """Find the frames of one octet."""
        at = bisect_right(self.spans, offset, key=lambda s: s.end)
        return self.spans[min(at, len(self.spans) - 1)]

    def _known(self, need: int, end_frame: int | None) -> int:
        """Give the frame at which so many of the held octets were there."""
        if need > len(self.held) and end_frame is not None:
            return end_frame
        return max(self.floor, self._span(self.offset + min(need, len(self.held)) - 1).known_frame)

    def _drop(self, at: int) -> None:
        """Let go of the octets before a position."""
        if at:
            self.held = self.held[at:]
            self.offset += at
            del self.spans[: bisect_right(self.spans, self.offset, key=lambda s: s.end)]

    def _odd(self, kind: str, offset: int, frame: int, known: int, octets: int, value: int, fault: str) -> Oddity:
        """Make an oddity of this direction."""
        return Oddity(kind, self.stream, self.direction, offset, frame, max(known, self.floor), octets, value, fault)


def _possible(octets: bytes) -> bool:
    """Tell whether a few octets can be the first of a Total_Length."""
    return int.from_bytes(octets[:_LENGTH].ljust(_LENGTH, b"\0"), "big") <= LONGEST
