"""Octet Strings tested by the column: blank, digits, numbers, and how they are filled (CMPP 2.0 §7.1).

Theory of operation. A column [rows, width] of octets becomes a column of numbers with one bit an octet, the first
octet highest: where it is NUL, where a digit, and so on. Whether all octets of a text are digits is then one
comparison a row, whatever the width (53 octets at most, what a double holds exactly).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from cmppscope.tables import I64, U8, Bool

_ZERO, _SPACE, _PLUS = 0x30, 0x20, 0x2B
_MOBILE_DIGITS = 11
_EXACT = 24
"""Bits that a float holds exactly."""


def bits(marks: Bool) -> I64:
    """Give each row of [rows, width] as a number of `width` bits, the first place highest."""
    width = marks.shape[1]
    kind: Any = np.float32 if width <= _EXACT else np.float64
    weights = (2.0 ** np.arange(width - 1, -1, -1)).astype(kind)
    numbers: I64 = (marks.astype(kind) @ weights).astype(np.int64)
    return numbers


class Texts:
    """A column of Octet Strings. The text of a row ends before the first NUL and before spaces in front of that."""

    def __init__(self, octets: U8) -> None:
        """Take [rows, width] octets; nothing is tested yet."""
        self.octets = octets
        self._full = (1 << octets.shape[1]) - 1

    @cached_property
    def _nuls(self) -> I64:
        """Mark the NULs."""
        return bits(self.octets == 0)

    @cached_property
    def _behind(self) -> I64:
        """Mark the first NUL and all octets behind it."""
        behind, step = self._nuls.copy(), 1
        while step < self.octets.shape[1]:
            behind |= behind >> step
            step *= 2
        return behind

    @cached_property
    def _filling(self) -> I64:
        """Mark what follows the text: NULs, octets behind them, and spaces in front."""
        filled = self._behind | bits(self.octets == _SPACE)
        return (~filled & (filled + 1)) - 1

    @cached_property
    def blank(self) -> Bool:
        """All octets are NUL (the document's "filled with empty")."""
        blank: Bool = self._nuls == self._full
        return blank

    @cached_property
    def empty(self) -> Bool:
        """There is no text: only NULs or spaces, whatever stands behind a NUL."""
        empty: Bool = self._filling == self._full
        return empty

    @cached_property
    def length(self) -> I64:
        """Octets of the text."""
        length: I64 = self.octets.shape[1] - np.bitwise_count(self._filling).astype(np.int64)
        return length

    @cached_property
    def after_nul(self) -> Bool:
        """Octets other than NUL stand behind the first NUL."""
        after_nul: Bool = self._behind != self._nuls
        return after_nul

    @cached_property
    def spaces(self) -> Bool:
        """Spaces stand behind the text, in place of NULs."""
        spaces: Bool = self._filling != self._behind
        return spaces

    @cached_property
    def _digit_bits(self) -> I64:
        """Mark the digits."""
        return bits(self.octets - np.uint8(_ZERO) < 10)

    @cached_property
    def digits(self) -> Bool:
        """There is a text and it is all digits."""
        digits: Bool = ~self.empty & ((self._digit_bits | self._filling) == self._full)
        return digits

    @cached_property
    def number(self) -> Bool:
        """There is a text, and it is a number: digits, with or without a + in front."""
        first = 1 << (self.octets.shape[1] - 1)
        behind_plus = (self._digit_bits | self._filling | first) == self._full
        number: Bool = self.digits | ((self.octets[:, 0] == _PLUS) & behind_plus & (self.length > 1))
        return number

    @cached_property
    def mobile(self) -> Bool:
        """A mainland mobile number: 11 digits from 1 on, with or without 86 or +86 in front (CMPP 2.0 §7.4.3.1)."""
        octets = self.octets
        found: Bool = self.digits & (self.length == _MOBILE_DIGITS) & (octets[:, 0] == ord("1"))
        for prefix in (each for each in (b"86", b"+86") if len(each) < octets.shape[1]):
            long = self.number & (self.length == _MOBILE_DIGITS + len(prefix)) & (octets[:, len(prefix)] == ord("1"))
            for place, octet in enumerate(prefix):
                long &= octets[:, place] == octet
            found |= long
        return found


def decimal(octets: U8) -> I64:
    """Give each row of [rows, width ≤ 18] digits as a number; without meaning where an octet is no digit."""
    value = np.zeros(len(octets), np.int64)
    for column in octets.T:
        value = value * 10 + (column - np.uint8(_ZERO)).astype(np.int64)
    return value


def shown(octets: bytes) -> str:
    """Give an Octet String for the words of a finding: its text in quotes, else its octets in hexadecimal."""
    text = octets.rstrip(b"\0").decode("latin-1")
    return f"“{text}”" if text.isascii() and text.isprintable() else octets.hex(" ")
