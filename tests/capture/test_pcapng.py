"""pcapng files: sections, interfaces, clocks, every block with a frame, and bad blocks."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

FRAMES = [b"one", b"", b"three" * 20, b"4" * 1500, b"five"]
SECOND = 1_000_000_000
SKIPPED = (4, 5, 10, 0xBAD, 0x0BADBEEF)


def seen(read: Any) -> list[tuple[int, bytes, int]]:
    """Give time, octets and link type of every frame."""
    return [(row.time_ns, row.octets, row.linktype) for row in read.rows]


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders(tools: Any, order: str) -> None:
    """A file of either byte order gives the same rows."""
    read = tools.load(tools.build.pcapng(*FRAMES, order=order))
    assert read.rows == [
        tools.Row(n + 1, (1_700_000_000 + n) * SECOND, octets, len(octets), 1, 0, n + 1)
        for n, octets in enumerate(FRAMES)
    ]
    assert read.damage == [None]
    assert read.capture.files[0].format == "pcapng"


def test_offset_in_file(tools: Any) -> None:
    """Each frame says where its octets lie in the file."""
    octets = tools.build.pcapng(*FRAMES)
    (batch,) = tools.load(octets).capture
    places = zip(batch.file_offset.tolist(), batch.caplen.tolist(), strict=True)
    assert [octets[at : at + size] for at, size in places] == FRAMES


def test_sections_of_different_byte_order(tools: Any) -> None:
    """A new section begins with its own byte order and without interfaces."""
    build = tools.build
    octets = build.pcapng(b"x") + build.section(">") + build.interface(">", 113)
    octets += build.enhanced(b"y", 5_000_000, order=">") + build.pcapng(b"z")
    read = tools.load(octets)
    assert [(row.octets, row.linktype) for row in read.rows] == [(b"x", 1), (b"y", 113), (b"z", 1)]
    assert read.damage == [None]


def test_interfaces(tools: Any) -> None:
    """Each frame has the link type, resolution and offset of its own interface."""
    build = tools.build
    nano = build.option(9, b"\x09") + build.option(14, struct.pack("<q", 1_700_000_000))
    binary = build.option(2, b"eth0") + build.option(9, b"\x94") + build.option(0, b"")
    octets = build.section() + build.interface() + build.interface(linktype=113, options=nano)
    octets += build.enhanced(b"a", 7_000_001) + build.enhanced(b"b", 5, 1)
    octets += build.interface(linktype=276, options=binary)
    octets += build.enhanced(b"c", 3 << 19, 2) + build.enhanced(b"d", 8_000_000)
    assert seen(tools.load(octets)) == [
        (7 * SECOND + 1000, b"a", 1),
        (1_700_000_000 * SECOND + 5, b"b", 113),
        (SECOND + SECOND // 2, b"c", 276),
        (8 * SECOND, b"d", 1),
    ]


def test_simple_packet(tools: Any) -> None:
    """A Simple Packet Block has no time and is cut where its interface says."""
    build = tools.build
    octets = build.section() + build.interface(snaplen=6)
    octets += build.simple(b"abcd") + build.simple(b"abcdef\0\0", 900)
    read = tools.load(octets)
    assert [(row.time_ns, row.octets, row.wirelen) for row in read.rows] == [
        (0, b"abcd", 4),
        (0, b"abcdef", 900),
    ]


def test_old_packet(tools: Any) -> None:
    """An old Packet Block is read, its count of drops left alone."""
    build = tools.build
    octets = build.section(">") + build.interface(">") * 2
    octets += build.packet(b"old", 9_000_000, 1, ">") + build.enhanced(b"new", 0, order=">")
    assert seen(tools.load(octets)) == [(9 * SECOND, b"old", 1), (0, b"new", 1)]


def test_other_blocks_are_skipped(tools: Any) -> None:
    """Names, statistics, secrets and unknown blocks are passed over."""
    build = tools.build
    octets = build.section() + build.interface()
    for kind in SKIPPED:
        octets += build.block(kind, b"whatever") + build.enhanced(bytes([kind & 255]))
    read = tools.load(octets)
    frames = [bytes([kind & 255]) for kind in SKIPPED]
    assert ([row.octets for row in read.rows], read.damage) == (frames, [None])


Maker = Callable[[Any], bytes]


STOPPING: dict[str, tuple[Maker, str]] = {
    "cut in its octets": (
        lambda build: build.enhanced(b"wxyz")[:30],
        "block 4 at octet 84 cut short: has 30 of 36 octets",
    ),
    "cut in its header": (
        lambda build: build.enhanced(b"wxyz")[:5],
        "block 4 at octet 84 cut short: has 5 of 12 octets",
    ),
    "section without byte order": (
        lambda build: build.block(0x0A0D0D0A, bytes(16)),
        "block 4 at octet 84 has no byte-order magic, and nothing behind it can be read",
    ),
    "section of the next version": (
        lambda build: build.section(major=2),
        "block 4 at octet 84 is of version 2 of pcapng, and nothing behind it can be read",
    ),
    "section header too short": (
        lambda build: build.block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a"),
        "block 4 at octet 84 is too short for a section header, and nothing behind it can be read",
    ),
}


@pytest.mark.parametrize("name", STOPPING)
@pytest.mark.parametrize("batch_frames", [1, 2, 100])
def test_damage_that_ends_the_file(tools: Any, name: str, batch_frames: int) -> None:
    """Behind a section header that cannot be read nothing is, and what came before is kept."""
    damage, text = STOPPING[name]
    build = tools.build
    octets = build.pcapng(b"good") + damage(build)
    if "cut" not in name:
        octets += build.enhanced(b"lost")
    read = tools.load(octets, batch_frames=batch_frames)
    assert ([row.octets for row in read.rows], read.damage) == ([b"good"], [text])


LENGTHS = {0: "claims 0 octets", 13: "claims 13 octets", 0xFFFFFFF0: "claims 4294967280 octets"}


def of_length(length: int) -> Maker:
    """Make a block that claims a length."""
    return lambda build: bytes(build.block(6, bytes(40), length=length))


PASSED: dict[str, tuple[Maker, str]] = {
    **{f"length {size}": (of_length(size), f"{text}, 52 octets skipped") for size, text in LENGTHS.items()},
    "two lengths": (
        lambda build: build.enhanced(b"wxyz")[:-4] + struct.pack("<I", 40),
        "tells two lengths, 36 and 40, 36 octets skipped",
    ),
    "octets in between": (lambda _: b"?" * 41, "claims 1061109567 octets, 41 octets skipped"),
    "interface description too short": (
        lambda build: build.block(1, b"\1\0\0\0"),
        "is too short for an interface description",
    ),
    "unreadable section, then another": (
        lambda build: build.section(major=9) + build.enhanced(b"lost") + build.section() + build.interface(),
        "is of version 9 of pcapng, 64 octets skipped",
    ),
}


@pytest.mark.parametrize("name", PASSED)
@pytest.mark.parametrize("batch_frames", [1, 2, 100])
def test_damage_that_is_passed(tools: Any, name: str, batch_frames: int) -> None:
    """Behind a block whose length cannot be trusted the next good one is found, and what is skipped is told."""
    damage, text = PASSED[name]
    build = tools.build
    octets = build.pcapng(b"good") + damage(build) + build.enhanced(b"found") + build.enhanced(b"all")
    read = tools.load(octets, batch_frames=batch_frames)
    frames = [row.octets for row in read.rows]
    assert (frames, read.damage) == ([b"good", b"found", b"all"], [f"block 4 at octet 84 {text}"])


def test_interface_that_cannot_be_read(tools: Any) -> None:
    """An interface description that is too short keeps its number: frames of the next one are of that one."""
    build = tools.build
    octets = build.section() + build.block(1, b"\1\0\0\0") + build.interface(linktype=113)
    octets += build.enhanced(b"unknown") + build.enhanced(b"known", interface=1)
    read = tools.load(octets)
    assert [(row.octets, row.linktype) for row in read.rows] == [(b"known", 113)]
    both = (
        "block 2 at octet 28 is too short for an interface description; "
        "block 4 at octet 64 is of interface 0, which is not described"
    )
    assert read.damage == [both]


@pytest.mark.parametrize("length", [-1, 0, 8, 1 << 40])
def test_section_length(tools: Any, length: int) -> None:
    """What a section header says of the length of its section is open or wrong in real files, and not used."""
    build = tools.build
    head = build.block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, length))
    read = tools.load(head + build.pcapng(b"x", b"y")[28:])
    assert ([row.octets for row in read.rows], read.damage) == ([b"x", b"y"], [None])


LEFT_OUT: dict[str, tuple[Maker, str]] = {
    "unknown interface": (
        lambda build: build.enhanced(b"x", interface=9),
        "block 4 at octet 84 is of interface 9, which is not described",
    ),
    "caplen > block": (
        lambda build: build.enhanced(b"x", caplen=5),
        "block 4 at octet 84 claims 5 captured octets and has 4",
    ),
    "old packet, caplen > block": (
        lambda build: build.block(2, struct.pack("<HHIIII", 0, 0, 0, 0, 2**31, 9)),
        "block 4 at octet 84 claims 2147483648 captured octets and has 0",
    ),
    "too short": (
        lambda build: build.block(6, bytes(16)),
        "block 4 at octet 84 is too short for a frame",
    ),
    "simple, too short": (
        lambda build: build.block(3, b""),
        "block 4 at octet 84 is too short for a frame",
    ),
}


@pytest.mark.parametrize("name", LEFT_OUT)
@pytest.mark.parametrize("batch_frames", [1, 2, 100])
def test_damage_that_costs_one_block(tools: Any, name: str, batch_frames: int) -> None:
    """A block that contradicts itself inside is left out; the first of them is named, all are counted."""
    damage, text = LEFT_OUT[name]
    build = tools.build
    octets = build.pcapng(b"good") + damage(build) + build.enhanced(b"better") + damage(build)
    read = tools.load(octets, batch_frames=batch_frames)
    frames = [row.octets for row in read.rows]
    assert (frames, read.damage) == ([b"good", b"better"], [f"{text}; 2 blocks left out"])


def test_frame_before_any_interface(tools: Any) -> None:
    """A frame in front of every interface description is left out."""
    build = tools.build
    octets = build.section() + build.enhanced(b"x") + build.interface() + build.enhanced(b"y")
    read = tools.load(octets)
    text = "block 2 at octet 28 is of interface 0, which is not described"
    assert ([row.octets for row in read.rows], read.damage) == ([b"y"], [text])


def test_interfaces_are_bounded(tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more interfaces than the cap no frame is read, and that is told."""
    monkeypatch.setattr("cmppscope.capture.pcapng.INTERFACES_MAX", 2)
    build = tools.build
    frames = [build.enhanced(octets, interface=n) for n, octets in enumerate((b"x", b"y", b"z"))]
    read = tools.load(build.section() + build.interface() * 3 + b"".join(frames))
    assert [row.octets for row in read.rows] == [b"x", b"y"]
    assert read.damage[0] is not None
    assert read.damage[0].startswith("block 4 at octet 68 describes one interface more than 2; ")


def test_both_kinds_of_damage(tools: Any) -> None:
    """A block left out and the end of the file are both told."""
    build = tools.build
    octets = build.pcapng(b"x") + build.block(4, b"") + build.enhanced(b"y", interface=3)
    read = tools.load(octets + build.enhanced(b"z")[:20])
    text = (
        "block 5 at octet 96 is of interface 3, which is not described; "
        "block 6 at octet 132 cut short: has 20 of 36 octets"
    )
    assert ([row.octets for row in read.rows], read.damage) == ([b"x"], [text])


def test_options_cut_or_odd(tools: Any) -> None:
    """Options that run over the end of their block, or have another size, are not believed."""
    build = tools.build
    for options in (b"\x09\x00\xff\xff\x09", b"\x09\x00\x02\x00\x09\x09\0\0", b"\x0e\x00\x08\x00\1"):
        octets = build.section() + build.interface(options=options) + build.enhanced(b"x", 5)
        assert seen(tools.load(octets)) == [(5000, b"x", 1)]


def test_blocks_across_windows(tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that do not lie in one window are read like any other."""
    build = tools.build
    frames = [bytes([n % 256]) * (n % 97) for n in range(300)]
    octets = build.pcapng(*frames) + build.enhanced(b"", interface=7)
    number = 303
    text = f"block {number} at octet {len(octets) - 32} is of interface 7, which is not described"
    for block in (24, 40, 1000):
        monkeypatch.setattr("cmppscope.capture.source.Window.__init__.__defaults__", (block,))
        read = tools.load(octets)
        assert ([row.octets for row in read.rows], read.damage) == (frames, [text])
