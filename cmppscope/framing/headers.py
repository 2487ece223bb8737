"""What a header may be: known Command_Ids, possible lengths, and which versions' layouts a length fits.

One set of tables (`dissectors.cmpp.layout`) read in two ways: one PDU at a time, and a batch of them at once.
Sources: CMPP 2.0 §7.3 and §7.7.1, the tables of §7.4 to §7.6, and those of 2.1 and 3.0 (3.0 §8.4 to §8.7).
"""

from __future__ import annotations

import re
import struct

import numpy as np

from cmppscope.formats import BODIES
from cmppscope.tables import (
    FITS_20,
    FITS_21,
    FITS_30,
    I64,
    LAYOUT_20,
    LAYOUT_21,
    LAYOUT_30,
    LAYOUT_NONE,
    U8,
)
from dissectors.cmpp.enums import COMMANDS_20, COMMANDS_LATER, RESPONSE
from dissectors.cmpp.layout import FIXED_LENGTHS, READINGS, Layout, layout

HEADER = 12
LONGEST = 8578
"""The longest PDU that any version can code: a 3.0 SUBMIT with 255 receivers and 255 octets."""

COMMANDS = frozenset(COMMANDS_20 | COMMANDS_LATER)
"""Command_Ids of CMPP 2.0 §7.7.1 and the pair 0x17 of 2.1."""

CANDIDATE = re.compile(rb"(?=\x00\x00[\x00-\x21].[\x00\x80]\x00\x00[\x01\x02\x04-\x09\x10-\x17])", re.DOTALL)
"""Every place where a possible length and a known Command_Id stand."""

_EVERY = FITS_20 | FITS_21 | FITS_30
_LATER = FITS_21 | FITS_30
_LATER_LENGTHS = {0x17: 26, RESPONSE | 0x17: 108}
"""Total_Length of the messages that 2.1 added (3.0 §8.7.1)."""
_MOST = 255
"""Greatest count of receivers, and greatest length of a content, that one octet tells."""
_HEADER = struct.Struct(">II")
_VARIABLE = {
    command: tuple((r, FITS_30 if r.layout is Layout.V30 else FITS_20 | FITS_21) for r in readings)
    for command, readings in READINGS.items()
}


def _fixed_bits() -> U8:
    """Make the table [command slot, Total_Length] of FITS_ bits of the PDUs of fixed size."""
    table = np.zeros((64, 128), np.uint8)
    for command, (_, _, fields) in BODIES.items():
        if command in FIXED_LENGTHS:
            editions = FIXED_LENGTHS[command]
            own = FITS_20 if Layout.V21 in editions.values() else FITS_20 | FITS_21
            for length, edition in editions.items():
                table[_slot(command), length] = {Layout.V20: own, Layout.V21: _LATER}.get(edition, FITS_30)
        elif command not in READINGS:
            table[_slot(command), HEADER + sum(width for _, _, width, *_ in fields)] = _EVERY
    for command, length in _LATER_LENGTHS.items():
        table[_slot(command), length] = _LATER
    return table


def _slot(command: int) -> int:
    """Give a known Command_Id its row in the table."""
    return command & 0x1F | command >> 31 << 5


_FIXED = _fixed_bits()
_KNOWN = np.zeros(64, np.bool_)
_KNOWN[[_slot(command) for command in COMMANDS]] = True


def read(octets: bytes, at: int) -> tuple[int, int]:
    """Read Total_Length and Command_Id at a position that has 8 octets."""
    length, command = _HEADER.unpack_from(octets, at)
    return length, command


def plausible(octets: bytes, at: int) -> bool:
    """Tell whether a known Command_Id with a possible length stands at a position that has 8 octets."""
    length, command = _HEADER.unpack_from(octets, at)
    return HEADER <= length <= LONGEST and command in COMMANDS


def fits(octets: bytes, at: int, length: int, command: int) -> int:
    """Tell which versions' layouts a PDU that is there as a whole fits, as FITS_ bits."""
    if command not in COMMANDS:
        return 0
    if command not in _VARIABLE:
        return int(_FIXED[_slot(command), length]) if length < _FIXED.shape[1] else 0
    bits = 0
    for reading, bit in _VARIABLE[command]:
        receivers = 0
        if reading.count_at is not None:
            if reading.count_at >= length:
                continue
            receivers = octets[at + reading.count_at] * reading.width
        tell = reading.length_at + receivers
        if tell < length and reading.least + receivers + octets[at + tell] == length:
            bits |= bit
    return bits


def may_fit(length: int, command: int) -> bool:
    """Tell whether a PDU of this length and Command_Id can fit any layout, whatever its octets."""
    if command not in _VARIABLE:
        return command in COMMANDS and length < _FIXED.shape[1] and bool(_FIXED[_slot(command), length])
    return any(
        reading.least <= length <= reading.least + _MOST * (1 + reading.width) for reading, _ in _VARIABLE[command]
    )


def known(command: I64) -> np.ndarray:
    """Tell which Command_Ids are known."""
    inside: np.ndarray = _KNOWN[_slots(command)] & ((command & 0x7FFFFFE0) == 0)
    return inside


def fits_batch(octets: U8, position: I64, length: I64, command: I64) -> U8:
    """Do what `fits` does for many PDUs at once."""
    small = length < _FIXED.shape[1]
    bits = np.where(small & known(command), _FIXED[_slots(command), np.where(small, length, 0)], 0).astype(np.uint8)
    for code, readings in _VARIABLE.items():
        rows = np.flatnonzero(command == code)
        if len(rows):
            bits[rows] = _fits_variable(octets, position[rows], length[rows], readings)
    return bits


def _fits_variable(octets: U8, position: I64, length: I64, readings: tuple) -> U8:  # type: ignore[type-arg]
    """Give FITS_ bits of PDUs of one Command_Id of variable length."""
    bits = np.zeros(len(position), np.uint8)
    for reading, bit in readings:
        inside = np.ones(len(position), np.bool_)
        receivers = np.zeros(len(position), np.int64)
        if reading.count_at is not None:
            inside = reading.count_at < length
            receivers = octets[np.where(inside, position + reading.count_at, 0)].astype(np.int64) * reading.width
        tell = reading.length_at + receivers
        inside &= tell < length
        content = octets[np.where(inside, position + tell, 0)].astype(np.int64)
        bits[inside & (reading.least + receivers + content == length)] |= bit
    return bits


def layouts(octets: U8, position: I64, length: I64, command: I64, bits: U8) -> U8:
    """Decide each PDU's layout; where no version fits it is that of 2.0 until the session is known (spec 9.2)."""
    result = np.full(len(bits), LAYOUT_20, np.uint8)
    result[(bits & FITS_20) == 0] = LAYOUT_21
    result[bits & (FITS_20 | FITS_21) == 0] = LAYOUT_30
    result[bits == 0] = LAYOUT_20
    variable = (command == 4) | (command == 5) | (command == 9)
    for row in np.flatnonzero(variable & (bits == _EVERY)).tolist():
        start = int(position[row])
        if layout(octets[start : start + int(length[row])].tobytes()) is Layout.V30:
            result[row] = LAYOUT_30
    result[~known(command)] = LAYOUT_NONE
    return result


def _slots(command: I64) -> I64:
    """Give rows of the table for any values."""
    return (command & 0x1F) | (command >> 31 << 5)
