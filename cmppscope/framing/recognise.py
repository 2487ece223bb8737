"""Is a stream CMPP? Decided by its first octets, on any port.

Two fitting PDUs say yes: two in a row, or the first of either direction. On a port of CMPP 2.0 §6.3 one plausible header
says yes. A first PDU of a relative (`lookalike`), a start in both directions that can be no CMPP, or
RECOGNITION_OCTETS without a PDU say no. A stream is fed chunk by chunk until then, so that the frame of the decision is
a function of the frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cmppscope.framing.headers import CANDIDATE, HEADER, LONGEST, fits, plausible, read
from cmppscope.framing.lookalike import lookalike, smpp_pair
from cmppscope.framing.wire import Mode, Span, Wire

RECOGNITION_OCTETS = 65_536
"""Octets of a stream that are held while it is not known what it is."""

_TELLING = 8
_ENOUGH = 20
"""Octets with which a relative can be told."""

CMPP = "CMPP"
UNKNOWN = "unknown"


@dataclass(slots=True)
class Recogniser:
    """Holds the octets of one stream until it is known whether they are CMPP."""

    stream: int
    known_port: bool
    wires: dict[int, Wire] = field(default_factory=dict)
    _octets: int = 0
    _start_known: dict[int, bool] = field(default_factory=dict)

    def add(self, direction: int, octets: bytes | memoryview, offset: int, span: Span, *, start_known: bool) -> str | None:
        """Take a chunk: CMPP, the name of what it is instead, or None when more must be seen."""
        wire = self.wires.get(direction)
        if wire is None:
            wire = self.wires[direction] = Wire(self.stream, direction, Mode.BLIND, offset=offset)
            self._start_known[direction] = start_known and offset == 0
        wire.held += octets
        wire.spans.append(span)
        self._octets += len(octets)
        return self._verdict(direction)

    def forget(self, direction: int, offset: int) -> None:
        """Begin a direction anew behind a Gap."""
        self.wires[direction] = Wire(self.stream, direction, Mode.BLIND, offset=offset)
        self._start_known[direction] = False

    def recognised(self, frame: int) -> None:
        """Set both directions in step where their first octet is known to begin a PDU."""
        for direction, wire in self.wires.items():
            wire.floor = frame
            if self._start_known[direction]:
                wire.mode = Mode.IN_STEP

    def reason(self) -> str:
        """Name what the stream is, when it turned out not to be CMPP."""
        names = [lookalike(wire.held) for wire in self.wires.values()]
        return next((name for name in names if name), UNKNOWN)

    def _verdict(self, direction: int) -> str | None:
        """Weigh what is held after a chunk of one direction."""
        held = self.wires[direction].held
        if not self._fitting(direction) and len(held) >= HEADER and (other := lookalike(held[:256])):
            return other
        weak = {d: self._fitting(d) for d in self.wires}
        for d, places in weak.items():
            if len(places) > 1:
                pair = [self.wires[d].held[at:] for at in places[:2]]
                return "SMPP" if smpp_pair(*pair) else CMPP
        if len([d for d, places in weak.items() if places]) > 1:
            return CMPP
        if self.known_port and any(weak[d] or self._plausible_start(d) for d in weak):
            return CMPP
        refuted = [d for d in self.wires if self._refuted(d)]
        if (len(refuted) > 1 and not self.known_port) or self._octets > RECOGNITION_OCTETS:
            return self.reason()
        return None

    def _fitting(self, direction: int) -> list[int]:
        """Give the places of up to two PDUs in a row that fit, the first of them whole."""
        held = self.wires[direction].held
        for match in CANDIDATE.finditer(held):
            at = match.start()
            if self._start_known[direction] and at:
                break
            length, command = read(held, at)
            end = at + length
            if not HEADER <= length <= LONGEST or end > len(held) or not fits(held, at, length, command):
                continue
            if len(held) - end < _TELLING:
                return [at]
            if not plausible(held, end):
                continue
            after, following = read(held, end)
            whole = end + after <= len(held)
            return [at, end] if whole and fits(held, end, after, following) else [at]
        return []

    def _plausible_start(self, direction: int) -> bool:
        """Tell whether a direction begins with a plausible header that no relative can have written."""
        held = self.wires[direction].held
        if not self._start_known[direction] or len(held) < _TELLING or not plausible(held, 0):
            return False
        return len(held) >= min(read(held, 0)[0], _ENOUGH)

    def _refuted(self, direction: int) -> bool:
        """Tell whether a direction's known first octets can begin no PDU."""
        held = self.wires[direction].held
        return self._start_known[direction] and len(held) >= _TELLING and not plausible(held, 0)
