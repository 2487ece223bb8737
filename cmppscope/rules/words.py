"""Octet Strings as words of eight octets, so that one operation looks at eight places of a row.

Theory of operation. A word holds eight octets, the first one highest; the last word of a field is filled with NUL.
Tests work within the word: a sum that cannot carry from one octet into the next marks octets by their highest bit.
Rows of the usual form, digits and then NULs, are told at once; whoever needs more looks at the other rows with
`strings.Texts`.
"""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import octets_at
from cmppscope.columns import Columns
from cmppscope.tables import U8, U64, Bool

WORD = 8


def _every(octet: int) -> np.uint64:
    """Give a word of eight equal octets."""
    return np.uint64(octet * 0x0101010101010101)


_HIGH, _LOW_BITS, _ZEROS = _every(0x80), _every(0x7F), _every(ord("0"))
_ABOVE_NINE = _every(0x80 - 10)
_ODD = np.uint64(0x00FF00FF00FF00FF)
_ONE, _SEVEN, _EIGHT, _TEN, _FIRST = (np.uint64(n) for n in (1, 7, 8, 10, 56))


def words(columns: Columns, name: str, width: int) -> list[U64]:
    """Give the first `width` octets from a field on as columns of words, without meaning where it is not valid."""
    count = -(-width // WORD)
    beyond = count * WORD - width
    octets = columns.front(name, count * WORD)
    if octets is None:
        octets = _gathered(columns, name, width, count * WORD)
    wide = octets.view(">u8")
    found = [wide[:, place].astype(np.uint64) for place in range(count)]
    if beyond:
        shift = np.uint64(beyond * 8)
        found[-1] = (found[-1] >> shift) << shift
    return found


def _gathered(columns: Columns, name: str, width: int, room: int) -> U8:
    """Copy the first `width` octets from a field on, and what follows up to `room` unless the buffer ends there."""
    at = columns.position + columns.place(name)[0]
    if len(at) and int(at.max()) + room <= len(columns.octets):
        return octets_at(columns.octets, at, room)
    octets = np.zeros((len(at), room), np.uint8)
    inside = np.flatnonzero(at + width <= len(columns.octets))
    octets[inside, :width] = octets_at(columns.octets, at[inside], width)
    return octets


def no_digits(word: U64) -> U64:
    """Mark the octets that are no digits by their highest bit."""
    value = word ^ _ZEROS
    marks: U64 = (((value & _LOW_BITS) + _ABOVE_NINE) | value) & _HIGH
    return marks


def plain_numbers(field: list[U64]) -> Bool:
    """Tell which rows are digits, one at least, and then nothing but NULs."""
    right = np.ones(len(field[0]), np.bool_)
    ended: U64 | None = None
    for word in field:
        rest = (no_digits(word) >> _SEVEN) * np.uint64(0xFF)
        right &= (word & rest) == 0
        if ended is None:
            right &= rest >> _FIRST == 0
        else:
            right &= (ended == 0) | (word == 0)
        right &= (rest & (rest + _ONE)) == 0
        ended = rest
    return right


def two_digits(word: U64) -> U64:
    """Give a word of eight digits as four numbers below 100, in 16 bits each."""
    value = word ^ _ZEROS
    pairs: U64 = ((value >> _EIGHT) & _ODD) * _TEN + (value & _ODD)
    return pairs
