"""Checksums of IPv4 headers and TCP segments (RFC 1071): of one, and of all segments of a batch at once.

A sum in ones' complement of 16-bit words is a remainder modulo 65,535, and a right checksum makes it 0. It does not
depend on the order of the octets in a word: words are added as they lie in memory, in one pass over the buffer, the
octets at odd ends apart, and the sum is turned round where a segment begins at an even offset. Cost: 1.2 µs a segment
of 250 octets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmppscope.decode import verdicts as v

if TYPE_CHECKING:
    from cmppscope.decode.bulk import Rows
    from cmppscope.tables import I64, U8, U64, Bool

MODULUS = 0xFFFF

WORDS_MAX = 65_536
"""Words whose sum is sure to fit into 32 bits."""


def remainder(octets: bytes | memoryview) -> int:
    """Add up the 16-bit words of octets; 0 where they hold a right checksum."""
    return int.from_bytes(bytes(octets) + bytes(len(octets) & 1), "big") % MODULUS


def tcp_remainder(segment: bytes | memoryview, src: int, dst: int) -> int:
    """Add up a segment and what its checksum covers of the IP header (RFC 9293 §3.1)."""
    return (remainder(segment) + src + dst + v.TCP + len(segment)) % MODULUS


def refuse_wrong(rows: Rows) -> int:
    """Take the segments with wrong checksums out of the race; give how many of the others cannot be verified."""
    held = np.flatnonzero(rows.verdict == v.SEGMENT)
    with_header = held[rows.columns["ip_version"][held] == 4]
    start, size = rows.network[with_header], rows.at[with_header] - rows.network[with_header]
    wrong = with_header[_remainders(rows.octets, start, size) != 0]
    rows.verdict[wrong] = v.BAD_IP_CHECKSUM
    held = held[rows.verdict[held] == v.SEGMENT]
    whole = rows.end[held] <= rows.captured_end[held]
    checked = held[whole]
    rows.verdict[checked[~_right(rows, checked)]] = v.BAD_TCP_CHECKSUM
    return int(len(held) - len(checked))


def _right(rows: Rows, which: I64) -> Bool:
    """Verify the TCP checksums of whole segments."""
    start = rows.at[which]
    length = rows.end[which] - start
    columns = rows.columns
    total = _remainders(rows.octets, start, length) + length.astype(np.uint64) + np.uint64(v.TCP)
    for name in ("src_hi", "src_lo", "dst_hi", "dst_lo"):
        total += columns[name][which] % np.uint64(MODULUS)
    right: Bool = total % np.uint64(MODULUS) == 0
    return right


def _remainders(octets: U8, start: I64, length: I64) -> U64:
    """Add up the 16-bit words of stretches of a buffer."""
    if not len(start):
        return np.zeros(0, np.uint64)
    words = np.concatenate((octets, np.zeros(2 + len(octets) % 2, np.uint8))).view("<u2")
    end = start + length
    bounds = np.stack(((start + 1) // 2, end // 2), 1).ravel()
    wide = np.uint64 if length.max() > WORDS_MAX * 2 else np.uint32
    inner = np.add.reduceat(words, bounds, dtype=wide)[::2].astype(np.uint64)
    total = np.where(bounds[::2] < bounds[1::2], inner, np.uint64(0))
    total += np.where(start & 1, octets[start], 0).astype(np.uint64) << np.uint64(8)
    total += np.where(end & 1, octets[end - 1], 0).astype(np.uint64)
    return np.where(start & 1, total, total << np.uint64(8)) % np.uint64(MODULUS)
