"""What the blocks of a pcapng file look like: types, lengths at both ends, headers, and places where one may begin."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmppscope.capture.resync import CAPLEN_MAX, number_at
from cmppscope.capture.source import gather

if TYPE_CHECKING:
    from cmppscope.capture.resync import Likely
    from cmppscope.capture.source import Window
    from cmppscope.tables import I64

MAGIC = b"\x0a\x0d\x0d\x0a"
"""First four octets of a file; they read the same in both byte orders."""

SECTION, INTERFACE, PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
"""Block types."""

ORDER_MAGIC = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
"""The octets that tell a section's byte order."""

BLOCK_MAX = 16 << 20
"""Octets that a block may claim."""

BLOCK_LIKELY = CAPLEN_MAX + 512
"""Octets of a block that is looked for, and that the last block may claim although the file ends before."""

EDGE = 12
"""Octets of the smallest block: type, length, length."""

KNOWN = (1, 2, 3, 4, 5, 6, 9, 10, 0xBAD, 0x40000BAD)
"""Types of the blocks that are looked for behind damage, all but section headers."""

HEADERS = {ENHANCED: 28, PACKET: 28, SIMPLE: 12}
"""Octets before the frame in the blocks that hold one."""

HEAD = np.dtype("V28")
"""What tells two blocks apart: a frame's header with its time."""

INTERFACES_MAX = 65_536
"""Interfaces of one section; frames of any more are left out."""

SECTION_MIN, INTERFACE_MIN = 28, 20
"""Octets of the smallest section header and interface description."""

FIELDS = {
    ENHANCED: {
        "interface": (8, "u4"),
        "high": (12, "u4"),
        "low": (16, "u4"),
        "caplen": (20, "u4"),
        "wirelen": (24, "u4"),
    },
    PACKET: {
        "interface": (8, "u2"),
        "high": (12, "u4"),
        "low": (16, "u4"),
        "caplen": (20, "u4"),
        "wirelen": (24, "u4"),
    },
    SIMPLE: {"wirelen": (8, "u4")},
}
"""Offset and format of what these blocks say of their frames."""

Unpack = Callable[[memoryview, int], tuple[int, ...]]


def lengths(order: str) -> tuple[Unpack, Unpack]:
    """Make what reads a block's type and length, and the length at its end."""
    return struct.Struct(order + "II").unpack_from, struct.Struct(order + "I").unpack_from


def likely_in(order: str) -> Likely:
    """Make the test of places where a block may begin: a known type, and the same length at both ends."""

    def likely(window: Window, places: I64) -> tuple[I64, I64, NDArray[np.void]]:
        rows = np.flatnonzero(np.isin(number_at(window, places, order, 0), KNOWN))
        length = number_at(window, places[rows], order, 4)
        ok = (length >= EDGE) & (length <= BLOCK_LIKELY) & (length & 3 == 0)
        ok &= places[rows] + length <= window.end
        rows, length = rows[ok], length[ok]
        ends = places[rows] + length
        same = number_at(window, ends, order, -4) == length
        rows, ends = rows[same], ends[same]
        return rows, ends, gather(window.octets, places[rows], HEAD)

    return likely


def nothing_likely(window: Window, _places: I64) -> tuple[I64, I64, NDArray[np.void]]:
    """Trust no block."""
    none = np.zeros(0, np.int64)
    return none, none, gather(window.octets, none, HEAD)


def landmark(window: Window, begin: int, end: int) -> int | None:
    """Find the first section header that begins in a stretch of the window."""
    octets = bytes(window.view[begin : end + 11])
    at = octets.find(MAGIC)
    while at >= 0 and octets[at + 8 : at + EDGE] not in ORDER_MAGIC:
        at = octets.find(MAGIC, at + 1)
    return begin + at if at >= 0 else None
