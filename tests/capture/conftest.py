"""Captures built by hand, and the rows that a reader makes of one."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cmppscope.capture import Capture


class Row(NamedTuple):
    """A frame as a test sees it."""

    frame: int
    time_ns: int
    octets: bytes
    wirelen: int = -1
    linktype: int = 1
    file: int = 0
    file_frame: int = 0


class Build:
    """Octets of capture files: `order` is a byte order of `struct`."""

    @staticmethod
    def pcap_header(order: str = "<", magic: int = 0xA1B2C3D4, linktype: int = 1, snaplen: int = 65535) -> bytes:
        """Give a file header."""
        return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype)

    @staticmethod
    def record(
        octets: bytes,
        seconds: int = 1_700_000_000,
        fraction: int = 0,
        order: str = "<",
        **header: Any,
    ) -> bytes:
        """Give a record; `caplen`, `wirelen` and `extra` octets of header may be set apart."""
        caplen = header.get("caplen", len(octets))
        wirelen = header.get("wirelen", len(octets))
        head = struct.pack(order + "IIII", seconds, fraction, caplen, wirelen)
        extra: bytes = header.get("extra", b"")
        return head + extra + octets

    @classmethod
    def pcap(cls, *frames: bytes, order: str = "<", first: int = 1_700_000_000) -> bytes:
        """Give a file with one frame a second."""
        records = (cls.record(octets, first + n, 0, order) for n, octets in enumerate(frames))
        return cls.pcap_header(order) + b"".join(records)

    @staticmethod
    def block(kind: int, body: bytes, order: str = "<", length: int | None = None) -> bytes:
        """Give a pcapng block."""
        body += bytes(-len(body) % 4)
        size = struct.pack(order + "I", len(body) + 12 if length is None else length)
        return struct.pack(order + "I", kind) + size + body + size

    @classmethod
    def section(cls, order: str = "<", major: int = 1) -> bytes:
        """Give a section header."""
        return cls.block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, -1), order)

    @classmethod
    def interface(cls, order: str = "<", linktype: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
        """Give an interface description."""
        return cls.block(1, struct.pack(order + "HHI", linktype, 0, snaplen) + options, order)

    @staticmethod
    def option(code: int, value: bytes, order: str = "<") -> bytes:
        """Give an option."""
        return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    @classmethod
    def enhanced(
        cls,
        octets: bytes,
        ticks: int = 1_700_000_000_000_000,
        interface: int = 0,
        order: str = "<",
        caplen: int | None = None,
    ) -> bytes:
        """Give an Enhanced Packet Block."""
        caplen = len(octets) if caplen is None else caplen
        numbers = (interface, ticks >> 32, ticks & 0xFFFFFFFF, caplen, len(octets))
        return cls.block(6, struct.pack(order + "IIIII", *numbers) + octets, order)

    @classmethod
    def packet(cls, octets: bytes, ticks: int, interface: int = 0, order: str = "<") -> bytes:
        """Give a Packet Block, which is obsolete."""
        numbers = (interface, 7, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), len(octets))
        return cls.block(2, struct.pack(order + "HHIIII", *numbers) + octets, order)

    @classmethod
    def simple(cls, octets: bytes, wirelen: int | None = None, order: str = "<") -> bytes:
        """Give a Simple Packet Block."""
        size = len(octets) if wirelen is None else wirelen
        return cls.block(3, struct.pack(order + "I", size) + octets, order)

    @classmethod
    def pcapng(cls, *frames: bytes, order: str = "<") -> bytes:
        """Give a file with one section, one interface and one frame a second."""
        blocks = (cls.enhanced(octets, (1_700_000_000 + n) * 1_000_000, order=order) for n, octets in enumerate(frames))
        return cls.section(order) + cls.interface(order) + b"".join(blocks)


class Reading(NamedTuple):
    """What came of reading."""

    rows: list[Row]
    damage: list[str | None]
    capture: Capture


def read(*paths: Path | str, batch_frames: int = 100_000) -> Reading:
    """Read files through `Capture`."""
    capture = Capture(paths, batch_frames)
    rows = []
    for batch in capture:
        assert 0 < len(batch) <= batch_frames
        for at in range(len(batch)):
            offset, caplen = int(batch.offset[at]), int(batch.caplen[at])
            octets = batch.octets[offset : offset + caplen].tobytes()
            assert len(octets) == caplen
            numbers = (int(batch.wirelen[at]), int(batch.linktype[at]))
            place = (batch.file, batch.file_first + at)
            rows.append(Row(batch.first + at, int(batch.time_ns[at]), octets, *numbers, *place))
    return Reading(rows, [file.damage for file in capture.files], capture)


class Tools:
    """What the tests of this folder share."""

    Row = Row
    build = Build
    read = staticmethod(read)

    def __init__(self, folder: Path) -> None:
        """Keep files in a folder."""
        self.folder = folder

    def load(self, octets: bytes, *, batch_frames: int = 100_000) -> Reading:
        """Write a file and read it."""
        path = self.folder / "capture"
        path.write_bytes(octets)
        return read(path, batch_frames=batch_frames)

    def frames(self, octets: bytes) -> list[bytes]:
        """Give the captured octets of a file's frames."""
        return [row.octets for row in self.load(octets).rows]


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """Give the builders and the reader."""
    return Tools(tmp_path_factory.mktemp("captures"))
