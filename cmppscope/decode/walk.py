"""One frame on its way from the link header to the TCP payload: what the layers work on, and what follows what.

Each layer is one function that looks at its header, moves `at` behind it and returns the next layer's function or a
verdict; the tables below say which follows which. The functions stand in `links`, `tunnels` and `network`, and look
each other up here; `layers` fills the tables. This path knows every shape that the bulk path knows and more (tunnels,
IPv6 extension headers, fragments), so a test holds both equal. It works on offsets into the frame, not on copies: a
frame cut by the snapshot length is decoded as far as it goes. Cost: 20 µs a frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cmppscope.decode import verdicts as v

if TYPE_CHECKING:
    from cmppscope.decode.fragments import Fragments

LAYERS_MAX = 32
"""Headers looked through in one frame."""


@dataclass(slots=True)
class Walk:
    """One frame on its way: `octets[at:captured_end]` is to be read, `end` is where the packet ended on the wire."""

    octets: memoryview
    at: int
    captured_end: int
    end: int
    cut: bool
    frame: int
    time_ns: int
    fragments: Fragments
    whole: bytes | None = None
    """The payload put together from fragments, once `octets` is that and no longer the frame."""
    version: int = 0
    src: int = 0
    dst: int = 0
    sport: int = 0
    dport: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0
    offset: int = 0
    length: int = 0
    missing: int = 0
    ip_id: int = 0
    check: bool = False
    """Verify checksums."""
    padded: bool = False
    """The link header is filled up to a multiple of four octets."""
    wrong: bool = False
    """The checksum of an IPv4 header on the way is wrong."""
    verified: bool = False
    """The TCP checksum was verified."""
    verifiable: bool = True
    """The TCP checksum is about the addresses in the IP header; a routing header may hold another destination."""

    def has(self, size: int) -> bool:
        """Tell whether so many octets more were captured."""
        return self.at + size <= self.captured_end

    def short(self) -> int:
        """Give the verdict about a frame that does not hold the next header."""
        return v.CUT if self.cut else v.SHORT

    def number(self, ahead: int, size: int) -> int:
        """Read a big-endian number."""
        at = self.at + ahead
        return int.from_bytes(self.octets[at : at + size], "big")

    def little(self, ahead: int, size: int) -> int:
        """Read a little-endian number."""
        at = self.at + ahead
        return int.from_bytes(self.octets[at : at + size], "little")

    def run(self, step: Next) -> int:
        """Walk from the first layer to the payload and return the verdict."""
        for _ in range(LAYERS_MAX):
            if isinstance(step, int):
                return step
            step = step(self)
        return step if isinstance(step, int) else v.TOO_DEEP


Layer = Callable[[Walk], "Next"]
Next: TypeAlias = "int | Layer"

LINKS: dict[int, Next] = {}
"""The first layer for every link type that is known."""

ETHERTYPES: dict[int, Next] = {}
"""What follows an ethertype; everything else is not TCP."""

GRE_KINDS: dict[int, Next] = {}
"""What only tunnels carry: Ethernet and PPP."""

PROTOCOLS4: dict[int, Next] = {}
"""What follows an IPv4 header."""

PROTOCOLS6: dict[int, Next] = {}
"""What follows an IPv6 header or an extension header."""

UDP_PORTS: dict[int, Next] = {}
"""The tunnel behind a UDP destination port; all other UDP is of no interest."""
