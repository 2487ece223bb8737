"""The user data header in front of a message's text.

One octet tells how many follow; then come elements of identifier, length and data (GSM 03.40
§9.2.3.24). A header that runs over the content, or an element that runs over the header, is a
problem named in `problems`, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

CONCATENATION_8, CONCATENATION_16 = 0x00, 0x08
PORTS_8, PORTS_16 = 0x04, 0x05


class Element(NamedTuple):
    """One information element: its identifier and its data."""

    iei: int
    data: bytes


class Concatenation(NamedTuple):
    """Which part of a long message this is; `bits` is the width of the reference, 8 or 16."""

    reference: int
    total: int
    number: int
    bits: int


class Ports(NamedTuple):
    """The application ports of a message; `bits` is their width, 8 or 16."""

    destination: int
    source: int
    bits: int


@dataclass(frozen=True, slots=True)
class UserDataHeader:
    """A user data header; `octets` is the whole of it, its length octet included."""

    octets: bytes
    elements: tuple[Element, ...]
    problems: tuple[str, ...]

    @property
    def concatenation(self) -> Concatenation | None:
        """The first concatenation element of the right length, or None."""
        for iei, data in self.elements:
            if (iei, len(data)) == (CONCATENATION_8, 3):
                return Concatenation(data[0], data[1], data[2], 8)
            if (iei, len(data)) == (CONCATENATION_16, 4):
                return Concatenation(data[0] << 8 | data[1], data[2], data[3], 16)
        return None

    @property
    def ports(self) -> Ports | None:
        """The first port element of the right length, or None."""
        for iei, data in self.elements:
            if (iei, len(data)) == (PORTS_8, 2):
                return Ports(data[0], data[1], 8)
            if (iei, len(data)) == (PORTS_16, 4):
                return Ports(int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big"), 16)
        return None

    def __str__(self) -> str:
        """Name what is known of the header, in one line."""
        parts = []
        if part := self.concatenation:
            parts.append(f"part {part.number} of {part.total}, reference {part.reference} ({part.bits} bits)")
        if ports := self.ports:
            parts.append(f"port {ports.source} to {ports.destination}")
        known = {CONCATENATION_8, CONCATENATION_16, PORTS_8, PORTS_16}
        parts += [f"element 0x{iei:02x} {data.hex()}" for iei, data in self.elements if iei not in known]
        return "; ".join(parts + list(self.problems)) or "empty"


_FIXED_LENGTHS = {CONCATENATION_8: 3, CONCATENATION_16: 4, PORTS_8: 2, PORTS_16: 4}


def parse_udh(content: bytes) -> UserDataHeader:
    """Read the user data header at the start of `content`, whatever stands there."""
    if not content:
        return UserDataHeader(b"", (), ("content is empty",))
    problems = []
    end = 1 + content[0]
    if end > len(content):
        problems.append(f"header of {end} octets in a content of {len(content)}")
        end = len(content)
    elements = []
    offset = 1
    while offset < end:
        iei = content[offset]
        start = offset + 2
        stop = start + content[offset + 1] if start <= end else start
        if stop > end:
            problems.append(f"element 0x{iei:02x} runs over the header")
            break
        data = content[start:stop]
        if len(data) != _FIXED_LENGTHS.get(iei, len(data)):
            problems.append(f"element 0x{iei:02x} of {len(data)} octets")
        elements.append(Element(iei, data))
        offset = stop
    return UserDataHeader(content[:end], tuple(elements), tuple(problems))
