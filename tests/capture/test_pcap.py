"""Classic pcap files: what is read of good ones, and where bad ones break off."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FRAMES = [b"one", b"", b"three" * 20, b"4" * 1500, b"five"]
SECOND = 1_000_000_000


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "extra", "unit"),
    [
        (0xA1B2C3D4, b"", 1000),
        (0xA1B23C4D, b"", 1),
        (0xA1B2CD34, b"12345678", 1000),
        (0x1C0001AB, b"", 1000),
        (0x1C0001AC, b"", 1000),
    ],
)
def test_kinds(tools: Any, order: str, magic: int, extra: bytes, unit: int) -> None:
    """Both byte orders, microseconds, nanoseconds, the modified format and IXIA's give the same frames."""
    header = tools.build.pcap_header(order, magic, 101) + (b"size" if magic >> 24 == 0x1C else b"")
    records = [
        tools.build.record(octets, 5 + n, 999_999, order, extra=extra, wirelen=2000) for n, octets in enumerate(FRAMES)
    ]
    read = tools.load(header + b"".join(records))
    assert read.rows == [
        tools.Row(n + 1, (5 + n) * SECOND + 999_999 * unit, octets, 2000, 101, 0, n + 1)
        for n, octets in enumerate(FRAMES)
    ]
    assert read.damage == [None]


DIALECTS = ((0xA1B2C3D4, 20), (0xA1B2C3D4, 24), (0xA1B2CD34, 24), (0xA1B2CD34, 28))
"""Magic numbers and octets of record headers: Nokia's, those of patched libpcaps."""


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "size"), DIALECTS)
@pytest.mark.parametrize("count", [2, 3, 10])
def test_longer_record_headers(tools: Any, order: str, magic: int, size: int, count: int) -> None:
    """Record headers longer than their magic number says are seen by the records behind them."""
    frames = [bytes([0x80 + n]) * (20 + n) for n in range(count)]
    extra = b"\xff" * (size - 16)
    records = [tools.build.record(octets, 5 + n, 9, order, extra=extra) for n, octets in enumerate(frames)]
    read = tools.load(tools.build.pcap_header(order, magic) + b"".join(records))
    assert ([row.octets for row in read.rows], read.damage) == (frames, [None])


@pytest.mark.parametrize("size", [7, 16, 17, 40, 60])
def test_damage_is_no_dialect(tools: Any, size: int) -> None:
    """Octets in front of the first record that cannot be do not change how all others are read."""
    records = [tools.build.record(b"abc" * 9, 5 + n, 9) for n in range(9)]
    read = tools.load(tools.build.pcap_header() + b"\xff" * size + b"".join(records))
    assert [row.octets for row in read.rows][-8:] == [b"abc" * 9] * 8
    assert read.damage != [None]


@pytest.mark.tshark
@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "size"), DIALECTS)
def test_longer_record_headers_as_tshark_reads_them(
    tools: Any, tmp_path: Path, order: str, magic: int, size: int
) -> None:
    """Times and lengths of frames are those that tshark shows."""
    frames = [bytes([n]) * (20 + n) for n in range(1, 6)]
    extra = struct.pack(order + "I", 3) + bytes(size - 20)
    records = [tools.build.record(octets, 5 + n, 9, order, extra=extra) for n, octets in enumerate(frames)]
    path = tmp_path / "f"
    path.write_bytes(tools.build.pcap_header(order, magic) + b"".join(records))
    command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.cap_len"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    theirs = [(round(float(time) * SECOND), int(size)) for time, size in map(str.split, ended.stdout.splitlines())]
    assert [(row.time_ns, len(row.octets)) for row in tools.read(path).rows] == theirs


def test_file_info(tools: Any) -> None:
    """A file's entry tells name, format, frames, octets and link types, and progress is whole."""
    octets = tools.build.pcap(*FRAMES)
    capture = tools.load(octets).capture
    (info,) = capture.files
    assert (info.name, info.format, info.frames, info.octets) == ("capture", "pcap", 5, 1607)
    assert info.linktypes == (1,)
    assert (capture.octets_read, capture.octets_total) == (len(octets), len(octets))


def test_checksum_bits(tools: Any) -> None:
    """What the upper half of the link type field says of frame checksums is not the link type."""
    octets = tools.build.pcap_header(linktype=0x54000001) + tools.build.record(b"x")
    assert [row.linktype for row in tools.load(octets).rows] == [1]


def test_offset_in_file(tools: Any) -> None:
    """Each frame says where its octets lie in the file."""
    octets = tools.build.pcap(*FRAMES)
    (batch,) = tools.load(octets).capture
    places = zip(batch.file_offset.tolist(), batch.caplen.tolist(), strict=True)
    assert [octets[at : at + size] for at, size in places] == FRAMES


STRANGE: dict[str, tuple[dict[str, int], int]] = {
    "caplen > wirelen": ({"wirelen": 1}, 0),
    "caplen > snaplen": ({"snaplen": 2}, 0),
    "microseconds of more than a second": ({"fraction": 1_500_000}, 1_500_000_000),
    "last second of the format": ({"seconds": 0xFFFFFFFF}, (0xFFFFFFFF - 9) * SECOND),
    "before the frame in front": ({"seconds": 3}, -6 * SECOND),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_but_whole(tools: Any, name: str) -> None:
    """Strange numbers in a record header are taken as they are."""
    fields, later = STRANGE[name]
    header = tools.build.pcap_header(snaplen=fields.get("snaplen", 65535))
    second = {"seconds": 9, "fraction": 0, **fields}
    octets = header + tools.build.record(b"abc", 9) + tools.build.record(b"defg", **second)
    read = tools.load(octets)
    assert [(row.time_ns - 9 * SECOND, row.octets) for row in read.rows] == [
        (0, b"abc"),
        (later, b"defg"),
    ]
    assert read.damage == [None]


GOOD = [b"abc", b"defgh"]

DAMAGED: dict[str, tuple[Callable[[Any], bytes], str]] = {
    "record cut in its octets": (
        lambda build: build.record(b"12345", caplen=9),
        "record 3 at octet 64 cut short: has 21 of 25 octets",
    ),
    "record cut in its header": (
        lambda build: build.record(b"")[:7],
        "record 3 at octet 64 cut short: has 7 of 16 octets",
    ),
    "impossible caplen": (
        lambda build: build.record(b"1" * 400, caplen=0x7FFFFFFF),
        "record 3 at octet 64 claims 2147483647 octets, and nothing behind it can be read",
    ),
    "caplen above every snapshot length": (
        lambda build: build.record(b"1" * 300_000),
        "record 3 at octet 64 claims 300000 octets, and nothing behind it can be read",
    ),
    "second file cut in its header": (
        lambda build: build.pcap_header()[:20],
        "file header at octet 64 cut short: has 20 of 24 octets",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("batch_frames", [1, 2, 100])
def test_damage(tools: Any, name: str, batch_frames: int) -> None:
    """What is wrong is told with record and octet, and the frames before it are kept."""
    damage, text = DAMAGED[name]
    octets = tools.build.pcap(*GOOD) + damage(tools.build)
    read = tools.load(octets, batch_frames=batch_frames)
    assert ([row.octets for row in read.rows], read.damage) == (GOOD, [text])


@pytest.mark.parametrize("snaplen", [0, 1, 65535, 262_144, 0x7FFFFFFF, 0xFFFFFFFF])
def test_any_snapshot_length(tools: Any, snaplen: int) -> None:
    """Whatever snapshot length the file header tells, records of ordinary size are read."""
    octets = tools.build.pcap_header(snaplen=snaplen) + tools.build.record(bytes(2000)) * 3
    read = tools.load(octets)
    assert ([len(row.octets) for row in read.rows], read.damage) == ([2000] * 3, [None])


def test_large_snapshot_length(tools: Any) -> None:
    """A file header that announces large records is believed up to a bound."""
    octets = tools.build.pcap_header(snaplen=0xFFFFFFFF) + tools.build.record(b"1" * 300_000)
    assert tools.frames(octets) == [b"1" * 300_000]


def test_files_one_behind_the_other(tools: Any) -> None:
    """A file header where a record should be begins a file of another kind."""
    second = tools.build.pcap_header(">", 0xA1B23C4D, 113) + tools.build.record(b"z", 7, 8, ">")
    read = tools.load(tools.build.pcap(b"x", b"y", first=1) + second)
    assert [(row.time_ns, row.octets, row.linktype) for row in read.rows] == [
        (1 * SECOND, b"x", 1),
        (2 * SECOND, b"y", 1),
        (7 * SECOND + 8, b"z", 113),
    ]
    assert read.damage == [None]
    assert read.capture.files[0].linktypes == (1, 113)


def test_header_only(tools: Any) -> None:
    """A file without records is a capture without frames."""
    read = tools.load(tools.build.pcap())
    assert (read.rows, read.damage) == ([], [None])


def test_header_cut(tools: Any) -> None:
    """A file that ends in its header says so."""
    read = tools.load(struct.pack("<I", 0xA1B2C3D4))
    text = "file header at octet 0 cut short: has 4 of 24 octets"
    assert (read.rows, read.damage) == ([], [text])


def test_records_across_windows(tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that do not lie in one window are read like any other."""
    frames = [bytes([n % 256]) * (n % 97) for n in range(500)]
    octets = tools.build.pcap(*frames)
    for block in (24, 40, 1000):
        monkeypatch.setattr("cmppscope.capture.source.Window.__init__.__defaults__", (block,))
        read = tools.load(octets)
        assert ([row.octets for row in read.rows], read.damage) == (frames, [None])
