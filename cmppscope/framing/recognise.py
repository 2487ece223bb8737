"""Is a stream CMPP? Decided by its first octets, on any port.

Two fitting PDUs say yes: two in a row, or one of either direction, or one on either side of a Gap. On a port of CMPP
2.0 §6.3 one plausible header says yes. A first PDU of a relative (`lookalike`), a start in both directions that can be
no CMPP, or RECOGNITION_OCTETS without a PDU say no. A stream is fed chunk by chunk until then, so that the frame of the
decision is a function of the frames. What was held in front of a Gap is kept until then, and framed like the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cmppscope.framing.headers import CANDIDATE, HEADER, fits, may_fit, plausible, read
from cmppscope.framing.lookalike import BINDS, lookalike, smpp_pair, surely_smpp
from cmppscope.framing.wire import Mode, Span, Wire
from dissectors.cmpp.enums import RESPONSE

RECOGNITION_OCTETS = 65_536
"""Octets of a stream that are held while it is not known what it is."""

_TELLING = 8
_ENOUGH = 20
"""Octets with which a relative can be told, by most."""
_BEGINNING = 256
"""Octets of a first PDU with which every relative can be told."""

CMPP = "CMPP"
UNKNOWN = "unknown"


@dataclass(slots=True)
class Recogniser:
    """Holds the octets of one stream until it is known whether they are CMPP."""

    stream: int
    known_port: bool
    wires: dict[int, Wire] = field(default_factory=dict)
    """What is held of each direction; a wire IN_STEP begins with the first octet of the connection."""
    octets: int = 0
    """Octets taken so far."""
    _searched: dict[int, int] = field(default_factory=dict)
    """Place in each wire below which no PDU can be found any more."""
    _fitted: int = 0
    """Directions that held a fitting PDU when a Gap came."""

    def add(
        self, direction: int, octets: bytes | memoryview, offset: int, span: Span, *, start_known: bool
    ) -> str | None:
        """Take a chunk: CMPP, the name of what it is instead, or None when more must be seen."""
        wire = self.wires.get(direction)
        if wire is None:
            mode = Mode.IN_STEP if start_known and offset == 0 else Mode.BLIND
            wire = self.wires[direction] = Wire(self.stream, direction, mode, offset=offset)
        wire.held += octets
        wire.spans.append(span)
        self.octets += len(octets)
        return self._verdict(direction)

    def forget(self, direction: int, offset: int) -> None:
        """Begin a direction anew behind a Gap."""
        after = Wire(self.stream, direction, Mode.BLIND, offset=offset)
        before = self.wires.get(direction)
        if before is not None:
            self._fitted += bool(self._fitting(direction))
            after.past, before.past = before.past, []
            if before.held:
                after.past.append(before)
        self.wires[direction] = after
        self._searched[direction] = 0

    def recognised(self, frame: int) -> None:
        """Let nothing of what is held become known before a frame."""
        for wire in self.wires.values():
            for each in (*wire.past, wire):
                each.floor = frame

    def last_verdict(self) -> str:
        """Name what the stream is when no more octets will come."""
        if self.known_port and self.reason() == UNKNOWN and any(self._begins_plausibly(d) for d in self.wires):
            return CMPP
        return self.reason()

    def reason(self) -> str:
        """Name what the stream is, when it turned out not to be CMPP."""
        held = [each.held[:_BEGINNING] for wire in self.wires.values() for each in (*wire.past, wire)]
        return next((name for name in map(lookalike, held) if name), UNKNOWN)

    def _verdict(self, direction: int) -> str | None:
        """Weigh what is held after a chunk of one direction."""
        weak = {d: self._fitting(d) for d in self.wires}
        if other := self._relative(direction, fitting=bool(weak[direction])):
            return other
        for d, places in weak.items():
            if len(places) > 1:
                pair = [self.wires[d].held[at:] for at in places]
                return "SMPP" if smpp_pair(*pair) else CMPP
        if len([d for d, places in weak.items() if places]) + self._fitted > 1:
            return CMPP
        if self.known_port and any(weak[d] or self._plausible_start(d) for d in weak):
            return CMPP
        refuted = [d for d in self.wires if self._refuted(d)]
        if (len(refuted) > 1 and not self.known_port) or self.octets > RECOGNITION_OCTETS:
            return self.reason()
        return None

    def _relative(self, direction: int, *, fitting: bool) -> str | None:
        """Name the relative that a direction begins with, once enough of its first PDU is there."""
        held = self.wires[direction].held[:_BEGINNING]
        if len(held) < HEADER or len(held) < _enough(held):
            return None
        if fitting:
            return "SMPP" if surely_smpp(held) else None
        return lookalike(held)

    def _fitting(self, direction: int) -> list[int]:
        """Give the places of up to two PDUs in a row that fit, the first of them whole."""
        wire = self.wires[direction]
        held = wire.held
        if wire.mode is Mode.IN_STEP:
            return self._fitting_at(held, 0) or [] if CANDIDATE.match(held) else []
        undecided: int | None = None
        for match in CANDIDATE.finditer(held, self._searched.get(direction, 0)):
            at = match.start()
            places = self._fitting_at(held, at)
            if places is None:
                undecided = at if undecided is None else undecided
            elif len(places) > 1 or (places and len(held) - at - read(held, at)[0] < _TELLING):
                self._searched[direction] = at if undecided is None else undecided
                return places
        self._searched[direction] = max(0, len(held) - _TELLING + 1) if undecided is None else undecided
        return []

    @staticmethod
    def _fitting_at(held: bytes, at: int) -> list[int] | None:
        """Give the places of a fitting PDU and of the one behind it; None where more octets may make it fit."""
        length, command = read(held, at)
        end = at + length
        if not may_fit(length, command):
            return []
        if end > len(held):
            return None
        if not fits(held, at, length, command):
            return []
        if len(held) - end < _TELLING or not plausible(held, end):
            return [at]
        after, following = read(held, end)
        whole = end + after <= len(held)
        return [at, end] if whole and fits(held, end, after, following) else [at]

    def _plausible_start(self, direction: int) -> bool:
        """Tell whether a direction begins with a plausible header that no relative can have written."""
        if not self._begins_plausibly(direction):
            return False
        wire = self._first(direction)
        complete = wire is not self.wires[direction]  # a Gap followed: no more octets come
        return complete or len(wire.held) >= min(_enough(wire.held), read(wire.held, 0)[0])

    def _begins_plausibly(self, direction: int) -> bool:
        """Tell whether the known first octets of a direction can be a header."""
        wire = self._first(direction)
        return wire.mode is Mode.IN_STEP and len(wire.held) >= _TELLING and plausible(wire.held, 0)

    def _first(self, direction: int) -> Wire:
        """Give the octets that a direction began with."""
        return next(iter(self.wires[direction].past), self.wires[direction])

    def _refuted(self, direction: int) -> bool:
        """Tell whether a direction's known first octets can begin no PDU."""
        wire = self.wires[direction]
        return wire.mode is Mode.IN_STEP and len(wire.held) >= _TELLING and not plausible(wire.held, 0)


def _enough(held: bytes) -> int:
    """Say how many octets of a first PDU it takes to tell CMPP from its relatives; `held` has at least 8.

    Requests of SMPP have 0 where CMPP has Sequence_Id, and its logins have CMPP's Command_Ids: of those all is read.
    """
    if not plausible(held, 0):
        return _TELLING
    length, command = read(held, 0)
    if command & ~RESPONSE in BINDS or not any(held[_TELLING:HEADER]):
        return min(length, _BEGINNING)
    return min(length, _ENOUGH)
