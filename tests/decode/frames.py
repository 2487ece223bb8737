"""Frames built header by header, what a decoder makes of them, and the same on every path."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import ip_address
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cmppscope.decode import Decoder
from cmppscope.tables import FrameBatch, SegmentBatch

SRC4, DST4 = "10.1.2.3", "192.168.7.250"
SRC6, DST6 = "2001:db8::1:2", "fe80::ffff"
PAYLOAD = bytes(range(100))


class Segment(NamedTuple):
    """A row as a test sees it."""

    src: str
    dst: str
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    payload: bytes
    missing: int = 0
    frame: int = 1


SEGMENT4 = Segment(SRC4, DST4, 40_000, 7890, 4_294_967_290, 77, 0x18, PAYLOAD)
SEGMENT6 = SEGMENT4._replace(src=SRC6, dst=DST6)


class Frame(NamedTuple):
    """A frame to decode: all of it, or the first `caplen` octets."""

    octets: bytes
    linktype: int = 1
    caplen: int | None = None
    time_ns: int = 0


def batch_of(frames: Sequence[Frame], first: int = 1) -> FrameBatch:
    """Lay frames one behind the other with nothing around them."""
    kept = [frame.octets[: frame.caplen] for frame in frames]
    caplen = np.array([len(octets) for octets in kept], np.int64)
    return FrameBatch(
        octets=np.frombuffer(b"".join(kept), np.uint8),
        first=first,
        offset=np.cumsum(caplen) - caplen,
        caplen=caplen,
        wirelen=np.array([len(frame.octets) for frame in frames], np.int64),
        time_ns=np.array([frame.time_ns for frame in frames], np.int64),
        linktype=np.array([frame.linktype for frame in frames], np.int32),
    )


def rows_of(batch: SegmentBatch) -> list[Segment]:
    """Give the rows of a batch."""
    rows = []
    for n in range(len(batch)):
        version = int(batch.ip_version[n])
        src = int(batch.src_hi[n]) << 64 | int(batch.src_lo[n])
        dst = int(batch.dst_hi[n]) << 64 | int(batch.dst_lo[n])
        size = 4 if version == 4 else 16
        begin, length = int(batch.offset[n]), int(batch.length[n])
        payload = batch.octets[begin : begin + length].tobytes()
        assert begin + length <= len(batch.octets)
        assert len(payload) == length
        rows.append(
            Segment(
                str(ip_address(src.to_bytes(size, "big"))),
                str(ip_address(dst.to_bytes(size, "big"))),
                int(batch.sport[n]),
                int(batch.dport[n]),
                int(batch.seq[n]),
                int(batch.ack[n]),
                int(batch.flags[n]),
                payload,
                int(batch.missing[n]),
                int(batch.frame[n]),
            )
        )
    return rows


def decode(*frames: Frame, one_by_one: bool = False) -> tuple[list[Segment], Decoder]:
    """Decode frames in one batch."""
    decoder = Decoder(one_by_one=one_by_one)
    return rows_of(decoder.feed(batch_of(frames))), decoder


def tcp(payload: bytes = PAYLOAD, options: bytes = b"", offset: int | None = None) -> bytes:
    """Build a TCP segment."""
    words = 5 + len(options) // 4 if offset is None else offset
    head = struct.pack(">HHIIBBHHH", 40_000, 7890, 4_294_967_290, 77, words << 4, 0x18, 9, 0, 0)
    return head + options + payload


def ip4(payload: bytes, protocol: int = 6, **fields: int) -> bytes:
    """Build an IPv4 packet; `total`, `fragment`, `first`, `identification` and `options` may be set apart."""
    options = bytes(fields.get("options", 0))
    first = fields.get("first", 0x45 + len(options) // 4)
    total = fields.get("total", 20 + len(options) + len(payload))
    numbers = (first, 0, total, fields.get("identification", 1), fields.get("fragment", 0x4000))
    addresses = ip_address(SRC4).packed + ip_address(DST4).packed
    return struct.pack(">BBHHHBBH", *numbers, 64, protocol, 0) + addresses + options + payload


def ip6(payload: bytes, protocol: int = 6, length: int | None = None) -> bytes:
    """Build an IPv6 packet."""
    size = len(payload) if length is None else length
    addresses = ip_address(SRC6).packed + ip_address(DST6).packed
    return struct.pack(">IHBB", 6 << 28, size, protocol, 64) + addresses + payload


def ethernet(payload: bytes, kind: int = 0x0800) -> bytes:
    """Build an Ethernet frame."""
    return b"\2\0\0\0\0\1\2\0\0\0\0\2" + struct.pack(">H", kind) + payload


def tagged(payload: bytes, *tags: int, kind: int = 0x0800) -> bytes:
    """Build an Ethernet frame with VLAN tags."""
    types = [*tags, kind]
    body = b"".join(struct.pack(">HH", 5, following) for following in types[1:])
    return ethernet(body + payload, types[0])


def cooked(payload: bytes, kind: int = 0x0800) -> bytes:
    """Build a Linux cooked frame."""
    return struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1", kind) + payload


def cooked2(payload: bytes, kind: int = 0x0800) -> bytes:
    """Build a Linux cooked frame of version 2."""
    return struct.pack(">HHIHBB8s", kind, 0, 3, 1, 0, 6, b"\2\0\0\0\0\1") + payload


def udp(payload: bytes, port: int = 53) -> bytes:
    """Build a UDP datagram."""
    return struct.pack(">HHHH", 5000, port, 8 + len(payload), 0) + payload


def mpls(*labels: int) -> bytes:
    """Build a label stack."""
    stack = [struct.pack(">I", label << 12 | 64) for label in labels]
    return b"".join(stack[:-1]) + struct.pack(">I", labels[-1] << 12 | 0x140)


def gre(payload: bytes, kind: int = 0x0800, flags: int = 0) -> bytes:
    """Build a GRE packet with the optional fields that the flags tell."""
    optional = bytes(4 * sum(bool(flags & bit) for bit in (0x8000, 0x2000, 0x1000)))
    return struct.pack(">HH", flags, kind) + optional + payload


def extended(payload: bytes, *headers: int) -> bytes:
    """Build an IPv6 packet with extension headers of growing length."""
    following = [*headers[1:], 6]
    body = b"".join(struct.pack(">BB", number, n) + bytes(6 + 8 * n) for n, number in enumerate(following))
    return ip6(body + payload, headers[0])


def pieces(payload: bytes, *cuts: int, identification: int = 9, version: int = 4) -> list[bytes]:
    """Cut an IP payload into fragments."""
    edges = [0, *cuts, len(payload)]
    made = []
    for begin, end in pairwise(edges):
        more = end < len(payload)
        if version == 4:
            place = begin // 8 | (0x2000 if more else 0)
            made.append(ip4(payload[begin:end], fragment=place, identification=identification))
        else:
            head = struct.pack(">BBHI", 6, 0, begin | more, identification)
            made.append(ip6(head + payload[begin:end], 44))
    return made


def pcap(frames: list[Frame], linktype: int) -> bytes:
    """Write frames as a classic pcap file."""
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, linktype)
    for n, frame in enumerate(frames):
        kept = frame.octets[: frame.caplen]
        octets += struct.pack("<IIII", n, 0, len(kept), len(frame.octets)) + kept
    return octets


def same_on_both_paths(frames: list[Frame]) -> None:
    """Decode on either path, and in batches of one, and compare rows and counts."""
    rows, decoder = decode(*frames)
    others, other = decode(*frames, one_by_one=True)
    assert rows == others
    assert asdict(decoder.counts) == asdict(other.counts)
    single, alone = Decoder(), []
    for n, frame in enumerate(frames):
        alone += rows_of(single.feed(batch_of([frame], n + 1)))
    assert rows == alone
    assert asdict(decoder.counts) == asdict(single.counts)
    total = single.counts
    undecoded = sum(total.undecoded.values())
    assert total.frames == total.segments + total.not_tcp + total.fragments + undecoded
