"""Sections and interfaces of a pcapng file: what its frames are read by."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cmppscope.capture.blocks import FIELDS, HEADERS, INTERFACE_MIN
from cmppscope.capture.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmppscope.tables import I64, Bool

OPTION_TSRESOL, OPTION_TSOFFSET = 9, 14
"""Options of an interface description: resolution of its clock, seconds to add."""


@dataclass(frozen=True, slots=True)
class Interface:
    """What an interface description says."""

    linktype: int
    snaplen: int
    clock: Clock


@dataclass(slots=True)
class Section:
    """What frames are read by: the byte order and the interfaces known so far."""

    order: str = "<"
    interfaces: list[Interface | None] = field(default_factory=list)
    """None stands for one whose description cannot be read."""

    def layout(self, kind: int) -> np.dtype[np.void]:
        """Describe the header of a block that holds a frame."""
        fields = {"length": (4, "u4"), **FIELDS[kind]}
        offsets = [offset for offset, _ in fields.values()]
        formats = [self.order + number for _, number in fields.values()]
        return np.dtype(
            {
                "names": list(fields),
                "formats": formats,
                "offsets": offsets,
                "itemsize": HEADERS[kind],
            }
        )

    def groups(self, number: I64) -> Iterator[tuple[slice | I64, Interface]]:
        """Give each interface that is named, and which rows name it; the time does not grow with how many there are."""
        if (number == number[0]).all():
            yield slice(None), self.interface(int(number[0]))
            return
        order = np.argsort(number, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
            yield rows, self.interface(int(number[rows[0]]))

    def interface(self, number: int) -> Interface:
        """Give an interface that is known to be described."""
        found = self.interfaces[number]
        assert found is not None  # noqa: S101 - frames of others were left out
        return found

    def described(self, number: I64) -> Bool:
        """Tell which numbers are those of interfaces that are described."""
        known = np.array([interface is not None for interface in self.interfaces] or [False])
        within = number < len(self.interfaces)
        described: Bool = within & known[np.where(within, number, 0)]
        return described


def read_interface(order: str, block: memoryview) -> Interface:
    """Read an interface description; of options that are cut or repeated, the last whole one counts."""
    linktype, snaplen = struct.unpack_from(order + "H2xI", block, 8)
    resolution, offset = 6, 0
    at, end = INTERFACE_MIN - 4, len(block) - 4
    while at + 4 <= end:
        code, size = struct.unpack_from(order + "HH", block, at)
        value = block[at + 4 : min(at + 4 + size, end)]
        if code == 0:
            break
        if code == OPTION_TSRESOL and len(value) == 1:
            resolution = value[0]
        elif code == OPTION_TSOFFSET and len(value) == 8:
            (offset,) = struct.unpack(order + "q", value)
        at += 4 + (size + 3) // 4 * 4
    return Interface(linktype, snaplen, Clock(resolution, offset))
