"""The file cases on which other programs fail, each with what they do (tshark 4.0, Scapy 2.8, dpkt 1.9)."""

from __future__ import annotations

import gzip
import struct
from typing import Any

import pytest

from cmppscope.capture import CaptureError

A, B, C = b"a" * 60, b"b" * 70, b"c" * 80
SECOND = 1_000_000_000


def outcome(tools: Any, octets: bytes) -> tuple[list[bytes], str | None]:
    """Read a file: frames and damage."""
    read = tools.load(octets)
    return [row.octets for row in read.rows], read.damage[0]


def test_truncated_last_record(tools: Any) -> None:
    """Scapy and dpkt return the cut record as if it were whole; we keep what is before it and say so."""
    frames, damage = outcome(tools, tools.build.pcap(A, B, C)[:-10])
    assert (frames, damage) == ([A, B], "record 3 at octet 186 cut short: has 86 of 96 octets")


@pytest.mark.parametrize("caplen", [0x7FFFFFFF, 300_000, 0xFFFFFFFF])
def test_impossible_record_length(tools: Any, caplen: int) -> None:
    """Tshark stops there, Scapy and dpkt swallow the rest as one frame; we find the next record."""
    build = tools.build
    octets = build.pcap(A) + build.record(B, caplen=caplen) + build.pcap(B, C)[24:]
    frames, damage = outcome(tools, octets)
    assert (frames, damage) == ([A, B, C], f"record 2 at octet 100 claims {caplen} octets, 86 octets skipped")


@pytest.mark.parametrize("length", [0, 13, 0xFFFFFFF0])
def test_impossible_block_length(tools: Any, length: int) -> None:
    """Tshark stops, Scapy stops without a word, dpkt raises; we find the next block."""
    build = tools.build
    octets = build.pcapng(A) + build.block(6, bytes(40), length=length) + build.enhanced(B)
    frames, damage = outcome(tools, octets)
    assert (frames, damage) == ([A, B], f"block 4 at octet 140 claims {length} octets, 52 octets skipped")


def test_unknown_interface(tools: Any) -> None:
    """Tshark and Scapy stop at a frame of an interface nobody described, dpkt takes it; we leave it out and say so."""
    build = tools.build
    octets = (
        build.section() + build.enhanced(A) + build.interface() + build.enhanced(B) + build.enhanced(C, interface=3)
    )
    frames, damage = outcome(tools, octets)
    assert frames == [B]
    assert damage == "block 2 at octet 28 is of interface 0, which is not described; 2 blocks left out"


def test_frame_longer_than_its_block(tools: Any) -> None:
    """Scapy and dpkt accept a frame longer than its block; it is left out and told."""
    build = tools.build
    octets = build.pcapng(A) + build.enhanced(B, caplen=500) + build.enhanced(C)
    frames, damage = outcome(tools, octets)
    assert (frames, damage) == ([A, C], "block 4 at octet 140 claims 500 captured octets and has 72")


def test_unknown_block(tools: Any) -> None:
    """Tshark shows blocks of unknown type as frames; they are none, and passed over."""
    build = tools.build
    octets = build.pcapng(A) + build.block(0x0BADBEEF, b"what") + build.block(0xBAD, b"cust") + build.enhanced(B)
    assert outcome(tools, octets) == ([A, B], None)


def test_simple_packets(tools: Any) -> None:
    """Dpkt finds no frame in Simple Packet Blocks; they are read, at time 0, since they have none."""
    build = tools.build
    read = tools.load(build.section() + build.interface() + build.simple(A) + build.simple(B))
    assert [(row.octets, row.time_ns) for row in read.rows] == [(A, 0), (B, 0)]


@pytest.mark.parametrize("orders", ["<>", "><", "<><>"])
def test_sections_of_either_byte_order(tools: Any, orders: str) -> None:
    """Dpkt loses a section whose byte order is another than the first one's; all are read."""
    octets = b"".join(tools.build.pcapng(A, B, order=order) for order in orders)
    assert outcome(tools, octets) == ([A, B] * len(orders), None)


@pytest.mark.parametrize("offset", [1_700_000_000, -5, 0])
def test_time_offset(tools: Any, offset: int) -> None:
    """Scapy ignores if_tsoffset and places frames in 1970; it is added."""
    build = tools.build
    options = build.option(14, struct.pack("<q", offset))
    read = tools.load(build.section() + build.interface(options=options) + build.enhanced(A, 5_000_000))
    assert [row.time_ns for row in read.rows] == [(5 + offset) * SECOND]


def test_files_one_behind_the_other(tools: Any) -> None:
    """Of `cat a.pcap b.pcap` tshark reads the first, and Scapy and dpkt make a frame of the rest; both are read."""
    build = tools.build
    assert outcome(tools, build.pcap(A, B) + build.pcap(C, order=">")) == ([A, B, C], None)
    assert outcome(tools, build.pcapng(A, B) + build.pcapng(C, order=">")) == ([A, B, C], None)


TIMES = {
    "the first second": (0, 0),
    "the last second": (0xFFFFFFFF, 999_999),
    "a fraction above one": (7, 3_000_000),
    "1970": (86_400, 0),
}


@pytest.mark.parametrize("name", TIMES)
def test_times(tools: Any, name: str) -> None:
    """Times at the edges of the format are taken as they are, forwards and backwards."""
    seconds, fraction = TIMES[name]
    build = tools.build
    octets = build.pcap(A, first=1_700_000_000) + build.record(B, seconds, fraction) + build.record(C, 1_600_000_000)
    read = tools.load(octets)
    times = [1_700_000_000 * SECOND, seconds * SECOND + fraction * 1000, 1_600_000_000 * SECOND]
    assert ([row.time_ns for row in read.rows], read.damage) == (times, [None])


def test_lengths_that_disagree(tools: Any) -> None:
    """Captured octets beyond the snapshot length or the length on the wire, or none at all, are taken as they are."""
    build = tools.build
    octets = (
        build.pcap_header(snaplen=50) + build.record(A) + build.record(B, wirelen=9) + build.record(b"", wirelen=60)
    )
    read = tools.load(octets)
    assert [(len(row.octets), row.wirelen) for row in read.rows] == [(60, 60), (70, 9), (0, 60)]
    assert read.damage == [None]


def test_gzip_cut_short(tools: Any) -> None:
    """Scapy keeps what came out of a cut gzip file without a word; the cut is told."""
    packed = gzip.compress(tools.build.pcap(*[A, B, C] * 100), 0)
    frames, damage = outcome(tools, packed[:-4000])
    assert frames == ([A, B, C] * 100)[: len(frames)]
    assert len(frames) > 200
    assert damage is not None
    assert damage.startswith(f"gzip data cut short at octet {len(packed) - 4000}; record {len(frames) + 1} ")


@pytest.mark.parametrize(
    "octets", [b"", b"hello, I am text", b"\xd4\xc3", bytes(64)], ids=["empty", "text", "2", "zeros"]
)
def test_no_capture(tools: Any, octets: bytes) -> None:
    """Scapy and dpkt raise their own errors on what is no capture; ours is one line."""
    with pytest.raises(CaptureError) as caught:
        tools.load(octets)
    assert "\n" not in str(caught.value)


def test_header_only(tools: Any) -> None:
    """A capture in which nothing was captured is one."""
    assert outcome(tools, tools.build.pcap()) == ([], None)
    assert outcome(tools, tools.build.section()) == ([], None)
