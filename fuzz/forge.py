"""Capture files and TCP streams made by hand: every variant of the formats, and segments of any kind.

Nothing here knows how cmppscope reads them.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import struct
from collections.abc import Sequence
from typing import NamedTuple

import lz4.frame
import zstandard

ETHERNET, RAW_IP = 1, 101
ACK, SYN, FIN, RST, URG = 16, 2, 1, 4, 32
START_NS = 1_780_000_000 * 10**9
PORTS = (7890, 7891, 7900, 7930, 5016, 2775)


class Frame(NamedTuple):
    """A captured record."""

    time_ns: int
    linktype: int
    octets: bytes
    wirelen: int


def compressed(rng: random.Random, octets: bytes) -> bytes:
    """Wrap octets in a compression, sometimes as several members."""
    how = rng.choice((gzip.compress, bz2.compress, lzma.compress, zstandard.compress, lz4.frame.compress))
    if rng.random() < 0.3:
        middle = rng.randrange(len(octets) + 1)
        return bytes(how(octets[:middle])) + bytes(how(octets[middle:]))
    return bytes(how(octets))


def pcap(rng: random.Random, frames: Sequence[Frame]) -> bytes:
    """Write frames as classic pcap, in either octet order and either unit of time."""
    order, nano = rng.choice("<>"), rng.random() < 0.5
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    linktype = frames[0].linktype if frames else ETHERNET
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, linktype)]
    for frame in frames:
        seconds, rest = divmod(frame.time_ns, 10**9)
        head = (seconds & 0xFFFFFFFF, rest if nano else rest // 1000, len(frame.octets), frame.wirelen)
        parts.append(struct.pack(order + "IIII", *head) + frame.octets)
    return b"".join(parts)


def block(order: str, kind: int, body: bytes, *, wrong: int = 0) -> bytes:
    """Write one pcapng block; its second length is off by `wrong`."""
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", (length + wrong) & 0xFFFFFFFF)


def option(rng: random.Random, order: str) -> bytes:
    """Write any option, its length sometimes untrue."""
    value = rng.randbytes(rng.randrange(12))
    length = len(value) if rng.random() < 0.8 else rng.randrange(65536)
    return struct.pack(order + "HH", rng.randrange(16), length) + value + bytes(-len(value) % 4)


def pcapng(rng: random.Random, frames: Sequence[Frame]) -> bytes:
    """Write frames as pcapng: blocks of other kinds between them, several sections, several clocks."""
    out: list[bytes] = []
    interfaces: dict[int, int] = {}
    order, units = "<", 10**6
    for at, frame in enumerate(frames or [Frame(START_NS, ETHERNET, b"", 0)]):
        if at == 0 or rng.random() < 0.02:
            order, interfaces = rng.choice("<>"), {}
            out.append(block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)))
            units, resolution = rng.choice(((10**6, b""), (10**9, b"\x09"), (2**20, b"\x94"), (10**3, b"\x03")))
        if frame.linktype not in interfaces:
            interfaces[frame.linktype] = len(interfaces)
            tsresol = struct.pack(order + "HH", 9, 1) + resolution + bytes(3) if resolution else b""
            body = struct.pack(order + "HHI", frame.linktype & 0xFFFF, 0, rng.choice((0, 65535, 96))) + tsresol
            out.append(block(order, 1, body))
        if rng.random() < 0.1:
            kind = rng.choice((4, 5, 6, 10, 0xBAD, 0x40000BAD, rng.randrange(1, 2**31)))
            body = rng.randbytes(4 * rng.randrange(8))
            out.append(block(order, kind, body, wrong=rng.choice((0, 0, 0, 4, -8))))
        ticks = frame.time_ns * units // 10**9
        head = (interfaces[frame.linktype], ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF)
        body = struct.pack(order + "IIIII", *head, len(frame.octets), frame.wirelen)
        body += frame.octets + bytes(-len(frame.octets) % 4)
        while rng.random() < 0.1:
            body += option(rng, order)
        simple = rng.random() < 0.02
        out.append(block(order, 3, struct.pack(order + "I", frame.wirelen) + frame.octets) if simple else b"")
        out.append(b"" if simple else block(order, 6, body))
    return b"".join(out)


def segment(rng: random.Random, side: int, flow: tuple[int, int], seq: int, flags: int, payload: bytes) -> bytes:
    """Write a TCP segment in IPv4, or now and then IPv6 or fragments' first part, behind no link header."""
    host, port = flow
    ports = (port, 7000 + host) if side else (7000 + host, port)
    tcp = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, rng.getrandbits(32), 0x50, flags, 65535, 0, 0) + payload
    ends = [bytes([10, 0, 0, host % 250 + 1]), bytes([10, 9, 9, 9])]
    if side:
        ends.reverse()
    if host % 5 == 4:
        addresses = b"".join(bytes(12) + end for end in ends)
        return struct.pack(">IHBB", 6 << 28, len(tcp) & 0xFFFF, 6, 64) + addresses + tcp
    head = struct.pack(">BBHHHBBH", 0x45, 0, len(tcp) + 20 & 0xFFFF, rng.getrandbits(16), 0, 64, 6, 0)
    return head + b"".join(ends) + tcp


def stream(rng: random.Random, pdus: tuple[Sequence[bytes], Sequence[bytes]], host: int) -> list[Frame]:
    """Carry the octets of two directions in segments: cut anywhere, overlapping, lost, repeated, changed, early."""
    flow = host, rng.choice(PORTS)
    seq = [rng.choice((rng.getrandbits(32), 2**32 - rng.randrange(400))) for _ in range(2)]
    trouble = rng.choice((0.0, 0.05, 0.3))
    now = START_NS + rng.randrange(10**10)
    found: list[tuple[int, int, int, bytes]] = []
    if rng.random() < 0.6:
        found += [(0, seq[0] - 1, SYN, b""), (1, seq[1] - 1, SYN | ACK, b"")]
    left = [b"".join(side) for side in pdus]
    while any(left):
        side = rng.randrange(2) if all(left) else int(not left[0])
        size = rng.choice((1, 3, 12, 40, 200, 1448, len(left[side])))
        part, left[side] = left[side][:size], left[side][size:]
        if rng.random() >= trouble:
            found.append((side, seq[side], ACK, part))
        if rng.random() < trouble:
            back = rng.choice((0, 0, 5, -7, -(2**20), 2**31))
            other = part if rng.random() < 0.7 else rng.randbytes(len(part))
            found.append((side, seq[side] - back, rng.choice((ACK, ACK, ACK | URG, FIN | ACK, RST)), other))
        seq[side] += len(part)
    if rng.random() < 0.6:
        found += [(side, seq[side], rng.choice((FIN | ACK, RST, ACK)), b"") for side in (0, 1)]
    frames = []
    for side, number, flags, payload in found:
        now += rng.choice((0, 10**5, 10**7, 10**9, 61 * 10**9, -(10**6)))
        octets = segment(rng, side, flow, number, flags, payload)
        frames.append(Frame(now, RAW_IP, octets, len(octets)))
    for _ in range(int(trouble * len(frames))):
        a, b = rng.randrange(len(frames)), rng.randrange(len(frames))
        if abs(a - b) < 6:
            frames[a], frames[b] = frames[b], frames[a]
    return frames
