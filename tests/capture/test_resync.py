"""Damage inside a file: what stands behind it is found again, told, and the same however the file is read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.capture import resync

FRAMES = [bytes([n]) * (20 + n * 7 % 60) for n in range(1, 30)]
BAD = b"\xff" * 40


def octets_of(read: Any) -> list[bytes]:
    """Give the captured octets of all frames."""
    return [row.octets for row in read.rows]


def place_of(tools: Any, kind: str, frame: int, order: str = "<") -> int:
    """Tell where the record of a frame begins."""
    build = {"pcap": tools.build.pcap, "pcapng": tools.build.pcapng}[kind]
    return len(build(*FRAMES[:frame], order=order))


def whole(tools: Any, kind: str, order: str = "<") -> bytes:
    """Build a good file."""
    octets: bytes = getattr(tools.build, kind)(*FRAMES, order=order)
    return octets


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_overwritten(tools: Any, kind: str, order: str) -> None:
    """Octets overwritten in the middle cost the frames they touch; other readers stop, or take the rest for one."""
    octets = bytearray(whole(tools, kind, order))
    at, behind = place_of(tools, kind, 9, order), place_of(tools, kind, 11, order)
    octets[at : at + 70] = b"\xff" * 70
    read = tools.load(bytes(octets))
    assert octets_of(read) == FRAMES[:9] + FRAMES[11:]
    assert read.damage[0].endswith(f"claims 4294967295 octets, {behind - at} octets skipped")
    assert f" at octet {at} " in read.damage[0]


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@given(frame=st.integers(1, 25), octets=st.binary(max_size=60), data=st.data())
def test_octets_that_do_not_belong(tools: Any, kind: str, frame: int, octets: bytes, data: st.DataObject) -> None:
    """Octets put between two records cost no frame, whatever they are, as long as the first is seen to be none."""
    at = place_of(tools, kind, frame)
    good = whole(tools, kind)
    batch_frames = data.draw(st.integers(1, 40))
    read = tools.load(good[:at] + BAD + octets + good[at:], batch_frames=batch_frames)
    assert octets_of(read) == FRAMES
    assert read.damage[0].endswith(f", {len(BAD) + len(octets)} octets skipped")


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_several_places(tools: Any, kind: str) -> None:
    """The first places are told, the others counted."""
    edges = [place_of(tools, kind, frame) for frame in range(3, 29, 5)]
    octets, good, last = b"", whole(tools, kind), 0
    for edge in edges:
        octets += good[last:edge] + BAD
        last = edge
    read = tools.load(octets + good[last:])
    assert octets_of(read) == FRAMES
    assert read.damage[0].count("octets skipped") == 4
    assert read.damage[0].endswith("; and 3 more places (120 octets skipped)")


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_too_many_places(tools: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is damaged in very many places is given up."""
    monkeypatch.setattr("cmppscope.capture.damage.PLACES_MAX", 2)
    edges = [place_of(tools, kind, frame) for frame in (5, 10, 15)]
    good = whole(tools, kind)
    octets = good[: edges[0]] + BAD + good[edges[0] : edges[1]] + BAD + good[edges[1] : edges[2]] + BAD
    read = tools.load(octets + good[edges[2] :])
    assert octets_of(read) == FRAMES[:15]
    assert read.damage[0].endswith(", given up here")


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("block", [24, 1000, 16 << 20])
def test_far_behind(tools: Any, kind: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next record is found megabytes away, through windows of any size."""
    monkeypatch.setattr("cmppscope.capture.source.Window.__init__.__defaults__", (block,))
    at, good = place_of(tools, kind, 5), whole(tools, kind)
    read = tools.load(good[:at] + b"\xff" * 3_000_000 + good[at:])
    assert octets_of(read) == FRAMES
    assert read.damage[0].endswith(", 3000000 octets skipped")


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("left", [1, 2, 3])
def test_last_frames(tools: Any, kind: str, left: int) -> None:
    """Fewer records than else are enough where the last one ends just where the file does."""
    at, good = place_of(tools, kind, len(FRAMES) - left), whole(tools, kind)
    assert octets_of(tools.load(good[:at] + BAD + good[at:])) == FRAMES


def test_one_record_alone_is_not_believed(tools: Any) -> None:
    """A header that might be one proves nothing when no other follows and the file goes on."""
    octets = tools.build.pcap(*FRAMES) + BAD + tools.build.record(b"x" * 30) + BAD
    assert octets_of(tools.load(octets)) == FRAMES


def test_a_pattern_is_not_believed(tools: Any) -> None:
    """The same few octets over and over are no records, even where they would fit."""
    octets = tools.build.pcap(*FRAMES) + BAD + struct.pack("<I", 16) * 5000
    assert octets_of(tools.load(octets)) == FRAMES
    assert octets_of(tools.load(octets + bytes(100_000))) == FRAMES
    octets = tools.build.pcap(*FRAMES) + BAD + struct.pack("<IIII", 7, 5, 16, 16) * 5000
    assert octets_of(tools.load(octets + bytes(100_000))) == FRAMES


def test_another_file_behind_damage(tools: Any) -> None:
    """A file header behind damage is found, and what follows it read by it."""
    second = tools.build.pcap_header(">", 0xA1B23C4D, 113) + tools.build.record(b"z" * 20, 7, 8, ">")
    read = tools.load(tools.build.pcap(*FRAMES) + BAD + second)
    assert octets_of(read) == [*FRAMES, b"z" * 20]
    assert (read.rows[-1].time_ns, read.rows[-1].linktype) == (7_000_000_008, 113)


def test_files_cut_short_one_behind_the_other(tools: Any) -> None:
    """Where the first of two files was cut, its last record swallows the next header, and the others are found."""
    first, second = tools.build.pcap(*FRAMES), tools.build.pcap(*FRAMES)
    found = octets_of(tools.load(first[:-30] + second))
    assert found[: len(FRAMES) - 1] == FRAMES[:-1]
    assert found[-len(FRAMES) + 2 :] == FRAMES[2:]


def test_another_section_behind_damage(tools: Any) -> None:
    """A section of another byte order is found behind damage."""
    octets = tools.build.pcapng(*FRAMES[:5]) + BAD + tools.build.pcapng(*FRAMES[5:], order=">")
    read = tools.load(octets)
    assert octets_of(read) == FRAMES


STRETCHES: dict[str, Callable[[Any], bytes]] = {
    "zeros": lambda _: bytes(2_000_000),
    "ones": lambda _: b"\xff" * 2_000_000,
    "small numbers": lambda _: struct.pack("<I", 20) * 500_000,
    "headers of empty records": lambda build: build.record(b"") * 100_000,
    "headers without octets": lambda build: build.record(b"", caplen=200_000, wirelen=200_000) * 100_000,
    "blocks of no length": lambda build: build.block(6, bytes(20), length=0) * 60_000,
}


@pytest.mark.parametrize("name", STRETCHES)
@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_bounded_work(tools: Any, kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long stretches of octets that nearly make sense take as few looks as any others."""
    looks = 0
    look = resync._first

    def counted(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        return look(*arguments)

    monkeypatch.setattr(resync, "_first", counted)
    read = tools.load(whole(tools, kind) + BAD + STRETCHES[name](tools.build))
    assert octets_of(read)[: len(FRAMES)] == FRAMES
    assert looks < 200
