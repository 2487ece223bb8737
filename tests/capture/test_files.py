"""Several files as one capture: order, what is read once, passed over or missing, and what overlaps."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from cmppscope.capture.files import missing_numbers


def put(folder: Path, **files: bytes) -> dict[str, Path]:
    """Write files."""
    paths = {name: folder / name for name in files}
    for name, octets in files.items():
        paths[name].write_bytes(octets)
    return paths


def frames_of(read: Any) -> list[bytes]:
    """Give the captured octets of all frames."""
    return [row.octets for row in read.rows]


def test_given_twice(tools: Any, tmp_path: Path) -> None:
    """A file that is named twice, through a link or a folder too, is read once, and that is told."""
    paths = put(tmp_path, a=tools.build.pcap(b"1", first=10), b=tools.build.pcap(b"2", first=20))
    (tmp_path / "link").symlink_to(paths["a"])
    for given, told in (
        ([paths["a"], paths["a"]], "a"),
        ([paths["a"], tmp_path / "link"], "link"),
        ([paths["b"], paths["a"], paths["b"]], "b"),
    ):
        read = tools.read(*given)
        assert frames_of(read) == ([b"1"] if len(given) == 2 else [b"1", b"2"])
        assert read.capture.notes == [f"given more than once, read once: {told}"]
    read = tools.read(tmp_path, paths["a"])
    assert frames_of(read) == [b"1", b"2"]
    assert read.capture.notes == ["given more than once, read once: link, a"]


def test_copies(tools: Any, tmp_path: Path) -> None:
    """Two files that hold the same frames, packed in different ways, are both read, and that is told."""
    octets = tools.build.pcap(b"1", b"2", first=10)
    put(tmp_path, a=octets, b=gzip.compress(octets))
    read = tools.read(tmp_path)
    assert frames_of(read) == [b"1", b"2"] * 2
    assert read.capture.notes[0] == "b holds the same frames as a"


def test_overlapping_times(tools: Any, tmp_path: Path) -> None:
    """A file that begins before the one in front of it ends is told; one that begins at that moment is not."""
    put(tmp_path, a=tools.build.pcap(b"1", b"2", b"3", first=10), b=tools.build.pcap(b"4", b"5", first=11))
    put(tmp_path, c=tools.build.pcap(b"6", first=12))
    read = tools.read(tmp_path)
    assert frames_of(read) == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert read.capture.notes == ["b begins 1.000 s before a ends; read one after the other"]


def test_passed_over(tools: Any, tmp_path: Path) -> None:
    """What is no capture in a folder is told, a few by name; none of it is damage."""
    put(tmp_path, **{"a.pcap": tools.build.pcap(b"1"), **{f"{n}.txt": b"text" for n in range(5)}})
    read = tools.read(tmp_path)
    assert (frames_of(read), read.damage) == ([b"1"], [None])
    assert read.capture.notes == ["no capture, passed over: 0.txt, 1.txt, 2.txt and 2 more"]


def test_nothing_to_tell(tools: Any, tmp_path: Path) -> None:
    """Files in order without a gap in their numbers give no notes."""
    put(tmp_path, **{f"t.pcap{n}": tools.build.pcap(b"x", first=n + 1) for n in range(3)})
    assert tools.read(tmp_path).capture.notes == []


NUMBERED = {
    "dumpcap": (
        ["r_00003_20260601101530.pcapng", "r_00001_20260601101500.pcapng"],
        ["number 2 of the set missing between r_00001_20260601101500.pcapng and r_00003_20260601101530.pcapng"],
    ),
    "dumpcap, packed": (
        [f"r_0000{n}_2026060110150{n}.cap.gz" for n in (7, 4)],
        ["numbers 5 to 6 of the set missing between r_00004_20260601101504.cap.gz and r_00007_20260601101507.cap.gz"],
    ),
    "tcpdump": (
        ["t.pcap1", "t.pcap3", "t.pcap"],
        ["number 2 of the set missing between t.pcap1 and t.pcap3"],
    ),
    "tcpdump, ring": (["t.pcap09", "t.pcap10", "t.pcap08"], []),
    "two sets": (["a_00001_20260601101500.pcap", "b_00003_20260601101500.pcap"], []),
    "addresses": (["10.0.0.1.pcap", "10.0.0.9.pcap"], []),
    "days": (["2026-06-01.pcap", "2026-06-05.pcap"], []),
    "ports": (["port7890.pcap", "port7900.pcap"], []),
}


@pytest.mark.parametrize("name", NUMBERED)
def test_missing_numbers(name: str) -> None:
    """A number missing inside a set that a capturing program numbered is told; other names prove nothing."""
    files, told = NUMBERED[name]
    assert list(missing_numbers([f"/somewhere/{file}" for file in files])) == told


def test_missing_number_in_a_folder(tools: Any, tmp_path: Path) -> None:
    """A hole in a rotated set is told of the capture, and costs nothing."""
    put(tmp_path, **{f"r_0000{n}_2026060110150{n}.pcap": tools.build.pcap(b"%d" % n, first=n) for n in (1, 2, 4)})
    read = tools.read(tmp_path)
    assert (frames_of(read), read.damage) == ([b"1", b"2", b"4"], [None] * 3)
    assert len(read.capture.notes) == 1


def test_times_of_files(tools: Any, tmp_path: Path) -> None:
    """A file's entry tells its least and greatest time, whatever the order of its frames."""
    record = tools.build.record
    octets = tools.build.pcap_header() + record(b"1", 50) + record(b"2", 20) + record(b"3", 30)
    put(tmp_path, a=octets)
    (info,) = tools.read(tmp_path / "a", batch_frames=1).capture.files
    assert (info.first_ns, info.last_ns) == (20_000_000_000, 50_000_000_000)


def test_fifo_among_files(tools: Any, tmp_path: Path) -> None:
    """A named pipe in a folder is no file of it: nobody waits for it."""
    put(tmp_path, a=tools.build.pcap(b"1"))
    os.mkfifo(tmp_path / "pipe")
    assert frames_of(tools.read(tmp_path)) == [b"1"]
