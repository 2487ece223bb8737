"""The frames of one sample, and the file they make: classic pcap, or pcapng in nanoseconds."""

from __future__ import annotations

import datetime as dt
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from samples.making.conversation import Conversation
    from samples.making.frames import Link

CHINA = dt.timezone(dt.timedelta(hours=8))
START = dt.datetime(2026, 6, 1, 10, 15, 30, tzinfo=CHINA)
"""When every sample begins, unless it says otherwise."""

_SNAPLEN = 262_144
_NANOSECONDS = 9


class Frame(NamedTuple):
    """A captured frame: nanoseconds since 1970, the number of its interface, its octets."""

    time_ns: int
    interface: int
    octets: bytes


@dataclass(slots=True)
class Capture:
    """What one host captured, on one interface or several."""

    links: tuple[tuple[str, Link], ...]
    """Name and link layer of each interface."""
    start: dt.datetime = START
    kept: list[Frame] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)

    @property
    def frames(self) -> list[Frame]:
        """The frames in the order of their times."""
        for conversation in self.conversations:
            conversation.settle()
        return sorted(self.kept, key=lambda frame: frame.time_ns)

    def pcap(self) -> bytes:
        """Write classic pcap in microseconds, little-endian; of one link layer."""
        ((_name, link),) = self.links
        parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAPLEN, link.linktype)]
        for frame in self.frames:
            seconds, rest = divmod(frame.time_ns, 10**9)
            length = len(frame.octets)
            parts += [struct.pack("<IIII", seconds, rest // 1000, length, length), frame.octets]
        return b"".join(parts)

    def pcapng(self) -> bytes:
        """Write pcapng in nanoseconds, little-endian; any number of interfaces."""
        parts = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _option(4, b"cmppscope samples"))]
        for name, link in self.links:
            options = _option(2, name.encode()) + _option(9, bytes([_NANOSECONDS]))
            parts.append(_block(1, struct.pack("<HHI", link.linktype, 0, _SNAPLEN) + options))
        for frame in self.frames:
            high, low = divmod(frame.time_ns, 1 << 32)
            length = len(frame.octets)
            head = struct.pack("<IIIII", frame.interface, high, low, length, length)
            parts.append(_block(6, head + _padded(frame.octets)))
        return b"".join(parts)


def _padded(octets: bytes) -> bytes:
    """Fill up to a multiple of four octets."""
    return octets + bytes(-len(octets) % 4)


def _option(code: int, value: bytes) -> bytes:
    """Build a pcapng option; the end of the options stands behind each block's last."""
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _block(kind: int, body: bytes) -> bytes:
    """Build a pcapng block, whose length stands on both sides."""
    end = b"" if kind == 6 else bytes(4)
    length = 12 + len(body) + len(end)
    return struct.pack("<II", kind, length) + body + end + struct.pack("<I", length)
