"""IP fragments, put together.

A packet is whole when its last fragment is known and the fragments cover it from 0 to its end; it then belongs to the
frame that made it whole. Where fragments overlap, the one that begins first and came first wins. Memory is bounded by
the caps below: the packet that has waited longest goes first, and `incomplete` counts it. Time is the frames' time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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

    time_ns: int
    pieces: list[Piece] = field(default_factory=list)
    size: int | None = None
    octets: int = 0

    def add(self, piece: Piece) -> Whole | None:
        """Take a piece; give the payload when nothing is missing."""
        if any((piece.start, piece.end) == (known.start, known.end) for known in self.pieces):
            return None
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

    def add(self, key: Key, piece: Piece, time_ns: int) -> Whole | None:
        """Take a fragment; give the whole payload if this completes it."""
        packet = self.held.get(key)
        if packet and (abs(time_ns - packet.time_ns) > SECONDS_MAX * 1_000_000_000 or len(packet.pieces) >= PIECES_MAX):
            self.give_up(key)
            packet = None
        if packet is None:
            packet = self.held[key] = Unfinished(time_ns)
        before = packet.octets
        whole = packet.add(piece)
        self.octets += packet.octets - before
        if whole:
            self.octets -= self.held.pop(key).octets
        while len(self.held) > PACKETS_MAX or self.octets > OCTETS_MAX:
            self.give_up(next(iter(self.held)))
        return whole

    def give_up(self, key: Key) -> None:
        """Forget a packet that is not whole."""
        self.octets -= self.held.pop(key).octets
        self.incomplete += 1
