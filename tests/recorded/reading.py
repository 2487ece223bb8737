"""A reader of captures that has nothing in common with cmppscope: dpkt, and the Sequence Numbers of TCP.

Enough for loopback, where nothing is lost: it tells which frame carried an octet of a direction, and which closed it.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import NamedTuple

import dpkt

_HALF = 1 << 31


class Segment(NamedTuple):
    """A TCP segment with octets."""

    frame: int
    """Counted from 1."""
    begin: int
    """Where its octets stand among those of its direction."""
    octets: bytes


class Way:
    """One direction of a connection."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.first = -1
        """Sequence Number of the first octet."""
        self.segments: list[Segment] = []
        self.closing: tuple[int, str] | None = None
        """The first frame with FIN or RST, and which."""

    @property
    def octets(self) -> bytes:
        """All octets in order; ValueError where some are missing."""
        made = bytearray()
        for segment in sorted(self.segments, key=lambda segment: segment.begin):
            if segment.begin > len(made):
                raise ValueError(f"octets missing before frame {segment.frame}")
            made[segment.begin :] = segment.octets
        return bytes(made)

    def frame_of(self, octet: int) -> int:
        """Give the first frame that carries an octet."""
        return min(s.frame for s in self.segments if s.begin <= octet < s.begin + len(s.octets))


class Recorded:
    """A capture of one loopback: its connections by the ports of their originators."""

    def __init__(self, path: Path) -> None:
        """Read a file, pcap or pcapng, plain or in gzip."""
        octets = path.read_bytes()
        octets = gzip.decompress(octets) if path.suffix == ".gz" else octets
        self._records: list[tuple[float, bytes]] = list(dpkt.pcap.UniversalReader(io.BytesIO(octets)))
        self.frames = 0
        self.ways: dict[tuple[int, int], Way] = {}
        """By source and destination port."""
        for _, frame in self._records:
            self.frames += 1
            self._take(dpkt.ethernet.Ethernet(frame).data.data)

    @property
    def carriers(self) -> list[int]:
        """The frames with octets."""
        return sorted({segment.frame for way in self.ways.values() for segment in way.segments})

    def without(self, lost: int) -> bytes:
        """Give a pcap file of all frames but one."""
        file = io.BytesIO()
        writer = dpkt.pcap.Writer(file, nano=True)
        for number, (time, frame) in enumerate(self._records, 1):
            if number != lost:
                writer.writepkt(frame, time)
        return file.getvalue()

    def _take(self, tcp: dpkt.tcp.TCP) -> None:
        """Take a segment."""
        way = self.ways.setdefault((tcp.sport, tcp.dport), Way())
        if tcp.flags & dpkt.tcp.TH_SYN:
            way.first = (tcp.seq + 1) % (1 << 32)
        if tcp.data:
            begin = (tcp.seq - way.first + _HALF) % (1 << 32) - _HALF
            way.segments.append(Segment(self.frames, begin, bytes(tcp.data)))
        for flag, how in ((dpkt.tcp.TH_FIN, "FIN"), (dpkt.tcp.TH_RST, "RST")):
            if tcp.flags & flag and way.closing is None:
                way.closing = self.frames, how
