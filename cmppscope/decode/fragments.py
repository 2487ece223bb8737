"""IP fragments, put together.

A packet is whole when its last fragment is known and the fragments cover it from 0 to its end; it then belongs to the
frame that made it whole. Where fragments overlap, the one that begins first and came first wins, and that is told. A
fragment with the place of another and other octets begins a new packet: an identification is used again. A fragment
captured twice counts once, also when its packet was whole already. Memory is bounded by the caps below: the packet
that has waited longest goes first, and every packet that is never whole is told. Time is the frames' time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cmppscope.tables import Oddity

PACKETS_MAX = 1024
"""Unfinished packets held."""

OCTETS_MAX = 16 << 20
"""Octets of unfinished packets held."""

PIECES_MAX = 1024
"""Fragments of one packet."""

SECONDS_MAX = 30
"""A packet must be whole within this time (RFC 791 §3.2): identifications are used again."""

PACKET_END_MAX = 65_535
"""The largest payload that fragments can make."""

WHOLE_KEPT = 256
COPY_NS = 50_000_000
"""Packets made whole that are remembered, and for how long, to know copies of their fragments."""

Key = tuple[int, int, int, int, int]
"""IP version, source, destination, identification, protocol."""


@dataclass(slots=True)
class Piece:
    """One fragment: which octets of the payload it had on the wire, and those that were captured."""

    start: int
    end: int
    octets: bytes
    last: bool


@dataclass(slots=True)
class Whole:
    """A payload: `octets` are those captured from its beginning on, `size` is what it had on the wire."""

    octets: bytes
    size: int


@dataclass(slots=True)
class Unfinished:
    """The pieces of one packet so far."""

    frame: int
    time_ns: int
    pieces: list[Piece] = field(default_factory=list)
    size: int | None = None
    octets: int = 0
    overlap: int = 0
    """Octets that came in more than one piece."""

    def at(self, piece: Piece) -> Piece | None:
        """Find a piece in the same place."""
        return next((k for k in self.pieces if (k.start, k.end) == (piece.start, piece.end)), None)

    def add(self, piece: Piece) -> Whole | None:
        """Take a piece; give the payload when nothing is missing."""
        self.overlap += sum(max(0, min(piece.end, k.end) - max(piece.start, k.start)) for k in self.pieces)
        self.pieces.append(piece)
        self.octets += len(piece.octets)
        if piece.last and self.size is None:
            self.size = piece.end
        if self.size is None or sum(known.end - known.start for known in self.pieces) < self.size:
            return None
        return self._whole(self.size)

    def _whole(self, size: int) -> Whole | None:
        """Join the pieces; where the capture cut one, what lies behind the cut cannot be used."""
        covered, joined = 0, bytearray()
        for piece in sorted(self.pieces, key=lambda piece: piece.start):
            if piece.start > covered:
                return None
            if len(joined) == covered:
                joined += piece.octets[covered - piece.start :]
            covered = max(covered, piece.end)
        return Whole(bytes(joined[:size]), size) if covered >= size else None


class Fragments:
    """The table of unfinished packets, oldest first."""

    def __init__(self) -> None:
        """Begin with an empty table."""
        self.held: dict[Key, Unfinished] = {}
        self.octets = 0
        self.incomplete = 0
        """Packets given up."""
        self.odd: list[Oddity] = []
        """Packets never whole and fragments that overlap, not fetched yet; of no stream."""
        self._whole: dict[Key, tuple[int, set[tuple[int, int, int]]]] = {}
        """Time and fragments of packets made whole."""

    def add(self, key: Key, piece: Piece, frame: int, time_ns: int) -> Whole | None:
        """Take a fragment; give the whole payload if this completes it."""
        if self._is_copy(key, piece, time_ns):
            return None
        packet = self.held.get(key)
        if packet is not None:
            known = packet.at(piece)
            if known is not None and self._is_same(packet, known, piece):
                return None
            old = abs(time_ns - packet.time_ns) > SECONDS_MAX * 1_000_000_000
            if old or known is not None or len(packet.pieces) >= PIECES_MAX:
                self.give_up(key, full=not old and known is None)
                packet = None
        if packet is None:
            packet = self.held[key] = Unfinished(frame, time_ns)
        whole = packet.add(piece)
        self.octets += len(piece.octets)
        if whole:
            self._finish(key, packet, frame, time_ns)
        while len(self.held) > PACKETS_MAX or self.octets > OCTETS_MAX:
            self.give_up(next(iter(self.held)), full=True)
        return whole

    def _is_same(self, packet: Unfinished, known: Piece, piece: Piece) -> bool:
        """Tell whether two fragments in one place agree in what was captured of both; keep the longer one's octets."""
        both = min(len(known.octets), len(piece.octets))
        if known.octets[:both] != piece.octets[:both]:
            return False
        more = len(piece.octets) - both
        known.octets += piece.octets[both:]
        packet.octets += more
        self.octets += more
        return True

    def give_up(self, key: Key, *, full: bool = False) -> None:
        """Forget a packet that is not whole; `full` says that a cap was reached."""
        packet = self.held.pop(key)
        self.octets -= packet.octets
        self.incomplete += 1
        kind = "fragments-full" if full else "fragments-lost"
        self._tell(kind, packet.frame, packet.octets, len(packet.pieces))
        if packet.overlap:
            self._tell("fragments-overlap", packet.frame, packet.overlap, 0)

    def _finish(self, key: Key, packet: Unfinished, frame: int, time_ns: int) -> None:
        """Let go of a packet that is whole, and remember its fragments for a while."""
        self.octets -= self.held.pop(key).octets
        if packet.overlap:
            self._tell("fragments-overlap", frame, packet.overlap, 0)
        self._whole.pop(key, None)
        self._whole[key] = (time_ns, {(p.start, p.end, hash(p.octets)) for p in packet.pieces})
        while len(self._whole) > WHOLE_KEPT:
            del self._whole[next(iter(self._whole))]

    def _is_copy(self, key: Key, piece: Piece, time_ns: int) -> bool:
        """Tell whether a fragment is the copy of one whose packet was made whole; each is known once."""
        finished, pieces = self._whole.get(key, (0, set()))
        place = (piece.start, piece.end, hash(piece.octets))
        if key in self.held or place not in pieces or abs(time_ns - finished) >= COPY_NS:
            return False
        pieces.discard(place)
        return True

    def _tell(self, kind: str, frame: int, octets: int, value: int) -> None:
        """Note what happened to a packet."""
        self.odd.append(Oddity(kind, -1, 0, -1, frame, frame, octets, value, "capture"))
