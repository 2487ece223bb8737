"""Random headers: both paths agree with each other, and with dpkt on the shapes that dpkt reads right."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import Any

import dpkt
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decode.frames import Frame, Segment, decode, same_on_both_paths

U8, U16, U32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
OPTIONS = st.sampled_from([0, 4, 12, 40])
PAYLOAD = st.binary(max_size=80)


@st.composite
def tcp_segments(draw: st.DrawFn) -> bytes:
    """Make a TCP segment: every field random, lengths true."""
    options = bytes(draw(OPTIONS))
    words = (20 + len(options)) // 4 << 4 | draw(st.integers(0, 15))
    head = struct.pack(
        ">HHIIBBHHH", *(draw(kind) for kind in (U16, U16, U32, U32)), words, *(draw(U8), 0, 0, draw(U16))
    )
    return head + options + draw(PAYLOAD)


@st.composite
def packets4(draw: st.DrawFn) -> bytes:
    """Make an IPv4 packet that is no fragment, with TCP or something else."""
    protocol = draw(st.sampled_from([6, 6, 6, 1, 17, 58]))
    body = draw(tcp_segments()) if protocol == 6 else struct.pack(">HHHH", 53, 53, 8, 0) + draw(PAYLOAD)
    options = bytes(draw(OPTIONS))
    first, total = 0x45 + len(options) // 4, 20 + len(options) + len(body)
    numbers = (first, draw(U8), total, draw(U16), draw(st.sampled_from([0, 0x4000])), draw(U8), protocol, draw(U16))
    return struct.pack(">BBHHHBBH", *numbers) + draw(st.binary(min_size=8, max_size=8)) + options + body


@st.composite
def packets6(draw: st.DrawFn) -> bytes:
    """Make an IPv6 packet without extension headers."""
    protocol = draw(st.sampled_from([6, 6, 6, 17, 58, 59]))
    body = draw(tcp_segments()) if protocol == 6 else struct.pack(">HHHH", 53, 53, 8, 0) + draw(PAYLOAD)
    first = 6 << 28 | draw(st.integers(0, (1 << 28) - 1))
    head = struct.pack(">IHBB", first, len(body), protocol, draw(U8))
    return head + draw(st.binary(min_size=32, max_size=32)) + body


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Make a frame of a common shape: a link header, tags, a packet, padding; some are cut by the snapshot length."""
    packet, kind = draw(st.one_of(st.tuples(packets4(), st.just(0x0800)), st.tuples(packets6(), st.just(0x86DD))))
    link = draw(st.sampled_from([1, 1, 1, 0, 101, 113]))
    tags = draw(st.lists(st.sampled_from([0x8100, 0x88A8]), max_size=2)) if link == 1 else []
    types = [*tags, kind]
    inside = b"".join(struct.pack(">HH", draw(U16), following) for following in types[1:])
    head = {
        1: draw(st.binary(min_size=12, max_size=12)) + struct.pack(">H", types[0]) + inside,
        0: struct.pack("<I", 2 if kind == 0x0800 else 30),
        101: b"",
        113: struct.pack(">HHH8sH", 0, 1, 6, draw(st.binary(min_size=8, max_size=8)), kind),
    }[link]
    padding = bytes(draw(st.sampled_from([0, 0, 6]))) if link == 1 else b""
    octets = head + packet + padding
    return Frame(octets, link, draw(st.none() | st.integers(0, len(octets))))


@settings(max_examples=300)
@given(batch=st.lists(frames(), min_size=1, max_size=10))
def test_both_paths_agree(batch: list[Frame]) -> None:
    """Any mixture of common frames gives the same rows and counts in bulk, one by one, and in batches of one."""
    same_on_both_paths(batch)


def by_dpkt(frame: Frame) -> list[Segment]:
    """Let dpkt read a whole frame."""
    if frame.linktype == 101:
        packet: Any = (dpkt.ip.IP if frame.octets[0] >> 4 == 4 else dpkt.ip6.IP6)(frame.octets)
    else:
        layer = {0: dpkt.loopback.Loopback, 1: dpkt.ethernet.Ethernet, 113: dpkt.sll.SLL}[frame.linktype]
        packet = layer(frame.octets).data
    segment = packet.data
    if not isinstance(segment, dpkt.tcp.TCP):
        return []
    src, dst = (str(ip_address(address)) for address in (packet.src, packet.dst))
    flags = segment.flags & 0xFF
    return [
        Segment(src, dst, segment.sport, segment.dport, segment.seq, segment.ack, flags, bytes(segment.data)),
    ]


@settings(max_examples=300)
@given(frame=frames())
def test_dpkt_agrees(frame: Frame) -> None:
    """A whole frame of a common shape gives the segment that dpkt finds in it."""
    frame = frame._replace(caplen=None)
    assert decode(frame)[0] == by_dpkt(frame)
