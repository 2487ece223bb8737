"""Frames in bulk: Ethernet, IPv4 and TCP headers round spans of octets, as records of a pcap file.

Each frame is 66 octets of headers (TCP with the timestamp option) and a *tail*: its payload, or in
a SYN the eight octets of the other options. Checksums are real: IP over the header, TCP over the
pseudo-header and the segment, each a sum of 16-bit words taken from a running sum of the octets.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from cmpp_octets import Ints, Octets, number

FIN, SYN, PSH, ACK = 1, 2, 8, 16
RECORD, HEADERS = 16, 66
SYN_TAIL = bytes([2, 4, 1460 >> 8, 1460 & 0xFF, 1, 3, 3, 7])
"""MSS 1460, a NOP and a window scale of 7."""

FILE_HEADER = bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000")
"""Classic pcap, microseconds, little-endian, link type Ethernet."""


@dataclass(slots=True)
class Frames:
    """Frames of one stream (or of several, one after the other), one entry a frame.

    ``time`` is in microseconds since 1970; ``direction`` 0 is SP to ISMG; the tail of a frame is
    ``octets[start : start + size]`` of the buffer that goes with it.
    """

    time: Ints
    stream: Ints
    direction: Ints
    flags: Ints
    seq: Ints
    ack: Ints
    ip_id: Ints
    echo: Ints
    start: Ints
    size: Ints

    def take(self, index: Ints) -> Frames:
        """Return the frames at ``index``, in that order."""
        return Frames(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


def concatenate(parts: list[Frames], octets: list[Octets]) -> tuple[Frames, Octets]:
    """Join the frames of several streams and their buffers."""
    bases = np.cumsum([0] + [len(buffer) for buffer in octets[:-1]])
    joined = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Frames)}
    joined["start"] = np.concatenate([p.start + base for p, base in zip(parts, bases, strict=True)])
    return Frames(**joined), np.concatenate(octets)


def ragged(starts: Ints, sizes: Ints) -> Ints:
    """Positions ``start, start + 1, … start + size - 1`` of every span, one after the other."""
    ends = np.cumsum(sizes)
    return np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1] if len(ends) else 0)


def records(frames: Frames, octets: Octets) -> bytes:
    """Return the pcap records of ``frames``, in their order."""
    rows = _headers(frames)
    _checksums(rows, frames, octets)
    sizes = RECORD + HEADERS + frames.size
    starts = np.cumsum(sizes) - sizes
    out = np.empty(int(sizes.sum()), np.uint8)
    out[starts[:, None] + np.arange(RECORD + HEADERS)] = rows
    tails = ragged(frames.start, frames.size)
    out[ragged(starts + RECORD + HEADERS, frames.size)] = octets[tails]
    return out.tobytes()


def _headers(frames: Frames) -> Octets:
    """Record, Ethernet, IPv4 and TCP headers, checksums still zero."""
    rows = np.zeros((len(frames.time), RECORD + HEADERS), np.uint8)
    captured = HEADERS + frames.size
    little = np.stack([frames.time // 10**6, frames.time % 10**6, captured, captured], axis=1)
    rows[:, :RECORD] = little.astype("<u4").view(np.uint8)
    frame = rows[:, RECORD:]
    client = frames.direction == 0
    sp_address = (10 << 24 | 1 << 16) + 10 + frames.stream
    ismg_address = np.full_like(sp_address, 10 << 24 | 9 << 16 | 1)
    sp_port, ismg_port = 40_001 + frames.stream, np.full_like(sp_address, 7890)
    sp_mac, ismg_mac = (2 << 40 | 1 << 32) + frames.stream, np.full_like(sp_address, 2 << 40)
    for at, width, from_sp, from_ismg in (
        (0, 6, ismg_mac, sp_mac),
        (6, 6, sp_mac, ismg_mac),
        (26, 4, sp_address, ismg_address),
        (30, 4, ismg_address, sp_address),
        (34, 2, sp_port, ismg_port),
        (36, 2, ismg_port, sp_port),
    ):
        number(frame, at, width, np.where(client, from_sp, from_ismg))
    syn = frames.flags & SYN != 0
    number(frame, 12, 2, 0x0800)
    number(frame, 14, 1, 0x45)
    number(frame, 16, 2, captured - 14)
    number(frame, 18, 2, frames.ip_id & 0xFFFF)
    number(frame, 20, 4, 0x4000_4006)  # don't fragment; TTL 64; TCP
    number(frame, 38, 4, frames.seq & 0xFFFF_FFFF)
    number(frame, 42, 4, frames.ack & 0xFFFF_FFFF)
    number(frame, 46, 1, np.where(syn, 10 << 4, 8 << 4))
    number(frame, 47, 1, frames.flags)
    number(frame, 48, 2, np.where(syn, 64_240, 502))
    number(frame, 54, 4, 0x0101_080A)  # two NOPs, timestamp option of ten octets
    number(frame, 58, 4, frames.time // 1000 & 0xFFFF_FFFF)
    number(frame, 62, 4, frames.echo & 0xFFFF_FFFF)
    return rows


def _checksums(rows: Octets, frames: Frames, octets: Octets) -> None:
    """Fill in the checksums of IP and TCP."""
    frame = rows[:, RECORD:]
    words = np.ascontiguousarray(frame[:, 14:]).view(">u2").astype(np.int64)
    number(frame, 24, 2, _fold(words[:, :10].sum(axis=1)))
    pseudo_header = words[:, 6:10].sum(axis=1) + 6 + 32 + frames.size
    segment = words[:, 10:].sum(axis=1) + _tail_sums(frames, octets)
    number(frame, 50, 2, _fold(pseudo_header + segment))


def _tail_sums(frames: Frames, octets: Octets) -> Ints:
    """Sum of the 16-bit words of each tail; an odd last octet is a high one."""
    weights = np.where(np.arange(len(octets)) % 2, 1, 256)
    even = np.concatenate([[0], np.cumsum(octets * weights)])
    odd = np.concatenate([[0], np.cumsum(octets * (257 - weights))])
    ends = frames.start + frames.size
    sums: Ints = np.where(frames.start % 2, odd[ends] - odd[frames.start], even[ends] - even[frames.start])
    return sums


def _fold(sums: Ints) -> Ints:
    """Ones' complement of the ones' complement sum, 16 bits."""
    for _ in range(3):
        sums = (sums & 0xFFFF) + (sums >> 16)
    return 0xFFFF - sums
