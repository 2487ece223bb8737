"""Which edition's layout one PDU has.

The layouts of CMPP 2.0, 2.1 and 3.0 share their Command_Ids. `layout` decides by the lengths of one
PDU alone, whatever connection it came over: the lengths of a fixed layout are a table; SUBMIT,
DELIVER and FWD fit a layout when the count and the length inside them add up to Total_Length. Where
both layouts fit, or the octets end before a count that would tell, it is the layout more of whose
text fields hold digits or nothing; among equals one that is known to fit, then that of 2.0. Where
nothing fits the layout is that of 2.0, and the PDU is broken. CONNECT, and all that did not change,
has the layout of 2.0 in every edition.
"""

from __future__ import annotations

import enum
import re
import struct
from typing import NamedTuple

from .enums import COMMANDS_20, COMMANDS_LATER, RESPONSE

HEADER_LENGTH = 12
_HEADER = struct.Struct("!II")
_DIGITS_OR_BLANK = re.compile(rb"\+?[0-9]*[ \0]*")


class Layout(enum.Enum):
    """The edition whose layout a PDU has; UNKNOWN where the Command_Id belongs to none."""

    V20 = "2.0"
    V21 = "2.1"
    V30 = "3.0"
    UNKNOWN = "unknown"


FIXED_LENGTHS: dict[int, dict[int, Layout]] = {
    RESPONSE | 0x01: {30: Layout.V20, 33: Layout.V30},
    RESPONSE | 0x04: {21: Layout.V20, 24: Layout.V30},
    RESPONSE | 0x05: {21: Layout.V20, 24: Layout.V30},
    RESPONSE | 0x07: {13: Layout.V20, 16: Layout.V30},
    RESPONSE | 0x09: {23: Layout.V20, 26: Layout.V30},
    RESPONSE | 0x10: {56: Layout.V20, 77: Layout.V21},
    RESPONSE | 0x11: {69: Layout.V20, 90: Layout.V21},
    0x12: {24: Layout.V20, 26: Layout.V21},
    RESPONSE | 0x12: {83: Layout.V20, 85: Layout.V21},
    0x13: {56: Layout.V20, 63: Layout.V21},
    RESPONSE | 0x13: {13: Layout.V20, 31: Layout.V21},
    0x14: {79: Layout.V20, 86: Layout.V21},
    RESPONSE | 0x14: {13: Layout.V20, 31: Layout.V21},
    0x15: {56: Layout.V20, 77: Layout.V21},
    0x16: {79: Layout.V20, 100: Layout.V21},
}
"""Command_Id to Total_Length to layout, of the commands whose fixed layout changed after 2.0.

V21 stands for the route messages of 2.1, which 3.0 kept.
"""


class Reading(NamedTuple):
    """How to read a PDU of variable length in one layout; offsets from its first octet."""

    layout: Layout
    least: int
    """Total_Length without receivers and content."""
    count_at: int | None
    """Offset of the octet that counts the receivers, or None."""
    width: int
    """Octets of one receiver."""
    length_at: int
    """Offset of the octet that tells the content's length, without receivers."""
    texts: tuple[tuple[int, int], ...]
    """Start and end of the fields that hold digits or nothing."""


READINGS: dict[int, tuple[Reading, Reading]] = {
    0x04: (
        Reading(Layout.V20, 138, 128, 21, 129, ((35, 56), (59, 65), (65, 67), (67, 73), (107, 128))),
        Reading(Layout.V30, 163, 140, 32, 142, ((35, 67), (71, 77), (77, 79), (79, 85), (119, 140))),
    ),
    0x05: (
        Reading(Layout.V20, 85, None, 0, 76, ((54, 75),)),
        Reading(Layout.V30, 109, None, 0, 88, ((54, 86),)),
    ),
    0x09: (
        Reading(Layout.V20, 152, 142, 21, 143, ((49, 70), (73, 79), (79, 81), (81, 87), (121, 142))),
        Reading(
            Layout.V30,
            264,
            209,
            21,
            243,
            ((49, 70), (106, 112), (112, 114), (114, 120), (154, 175)),
        ),
    ),
}
"""The two readings of SUBMIT, DELIVER and FWD, that of 2.0 first."""


def layout(octets: bytes) -> Layout:
    """Return the layout of one PDU, given its octets; fewer than 8 octets are UNKNOWN.

    The octets may end early (a capture that cut the frame); what follows Total_Length is not looked
    at.
    """
    if len(octets) < _HEADER.size:
        return Layout.UNKNOWN
    total_length, command_id = _HEADER.unpack_from(octets)
    if command_id in COMMANDS_LATER:
        return Layout.V21
    if command_id not in COMMANDS_20:
        return Layout.UNKNOWN
    if readings := READINGS.get(command_id):
        return _variable_layout(octets[:total_length], total_length, readings)
    return FIXED_LENGTHS.get(command_id, {}).get(total_length, Layout.V20)


def _variable_layout(octets: bytes, total_length: int, readings: tuple[Reading, ...]) -> Layout:
    """Choose among readings: text that makes sense first, a proven fit second, 2.0 third."""
    fits = {reading.layout: _fits(octets, total_length, reading) for reading in readings}
    candidates = [reading for reading in readings if fits[reading.layout] is not False]
    if not candidates:
        return Layout.V20
    best = max(candidates, key=lambda reading: (_plausible(octets, reading), fits[reading.layout] is True))
    return best.layout


def _fits(octets: bytes, total_length: int, reading: Reading) -> bool | None:
    """Tell whether count and length add up to Total_Length; None where the octets end too early."""
    missing = len(octets) < total_length
    receivers = 0
    if reading.count_at is not None:
        if reading.count_at >= len(octets):
            return None if missing and reading.least <= total_length else False
        receivers = octets[reading.count_at] * reading.width
    length = reading.length_at + receivers
    least = reading.least + receivers
    if length >= len(octets):
        return None if missing and least <= total_length <= least + 255 else False
    return least + octets[length] == total_length


def _plausible(octets: bytes, reading: Reading) -> int:
    """Count the text fields that, as far as the octets reach, hold digits or nothing."""
    return sum(_DIGITS_OR_BLANK.fullmatch(octets[start:end]) is not None for start, end in reading.texts)
