"""User data headers by the column: elements walked for all rows at once (GSM 03.40 §9.2.3.24).

Theory of operation. Every row has a cursor at its next element; a round moves all cursors that are still inside their
header by one element. A header has 127 elements at most, so rounds are few however hostile the octets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmppscope.tables import I64, U8, Bool
from dissectors.cmpp.udh import CONCATENATION_8, CONCATENATION_16, PORTS_8, PORTS_16

SIZES = {CONCATENATION_8: 3, CONCATENATION_16: 4, PORTS_8: 2, PORTS_16: 4}
"""Identifier of an element to the octets of data that it must have."""

_SPECIAL_MESSAGE = 0x01
_SIM_TOOLKIT = range(0x70, 0x80)
NONE = -1
WIDE = 1 << 16
"""Bit of a reference that has 16 bits."""

_SIZE_OF = np.full(256, NONE, np.int64)
_SIZE_OF[list(SIZES)] = list(SIZES.values())
_KNOWN = _SIZE_OF >= 0
_KNOWN[[_SPECIAL_MESSAGE, *_SIM_TOOLKIT]] = True


@dataclass(frozen=True, slots=True)
class Heads:
    """What the headers of some contents hold; one entry a row in every array, NONE where there is no such element."""

    claimed: I64
    """Octets that the header claims, its length octet included; 0 for an empty content."""
    size: I64
    """Octets of it that lie in the content."""
    over: I64
    """Identifier of the element that passes the end of the header."""
    odd: I64
    """Identifier of the first element of the wrong length."""
    odd_size: I64
    """Octets of that element."""
    known_first: Bool
    """The first element is one of those that short messages use."""
    sound_first: Bool
    """It lies in the header and has the right length besides."""
    total: I64
    """Parts of the message, of the first concatenation element of the right length."""
    number: I64
    """Which of them this is."""
    reference: I64
    """Which message it is a part of, with bit 16 set where the reference has 16 bits."""

    @property
    def concatenated(self) -> Bool:
        """There is a concatenation element of the right length."""
        concatenated: Bool = self.total != NONE
        return concatenated


def walk(octets: U8, start: I64, length: I64) -> Heads:
    """Read the headers at the front of contents that begin at `start` in `octets` and have `length` octets."""
    rows = len(start)
    claimed = np.zeros(rows, np.int64)
    there = length > 0
    claimed[there] = octets[start[there]].astype(np.int64) + 1
    end = np.minimum(claimed, length)
    over, odd, odd_size, total, number, reference = (np.full(rows, NONE, np.int64) for _ in range(6))
    known, sound = (np.zeros(rows, np.bool_) for _ in range(2))
    at = np.ones(rows, np.int64)
    active = np.flatnonzero(at < end)
    first = True
    while len(active):
        base, begin = start[active], at[active] + 2
        iei = octets[base + at[active]].astype(np.int64)
        whole = begin <= end[active]
        size = np.zeros(len(active), np.int64)
        size[whole] = octets[(base + begin - 1)[whole]]
        stop = begin + size
        passing = stop > end[active]
        over[active[passing]] = iei[passing]
        right = (_SIZE_OF[iei] == size) | (_SIZE_OF[iei] == NONE)
        if first:
            known[active], sound[active], first = _KNOWN[iei], _KNOWN[iei] & right & ~passing, False
        wrong = ~passing & ~right & (odd[active] == NONE)
        odd[active[wrong]], odd_size[active[wrong]] = iei[wrong], size[wrong]
        for code, width in ((CONCATENATION_8, 1), (CONCATENATION_16, 2)):
            here = ~passing & right & (iei == code) & (total[active] == NONE)
            place, joined = (base + begin)[here], active[here]
            total[joined], number[joined] = octets[place + width], octets[place + width + 1]
            low = octets[place + width - 1].astype(np.int64)
            reference[joined] = low if width == 1 else octets[place].astype(np.int64) << 8 | low | WIDE
        at[active] = stop
        active = active[~passing & (stop < end[active])]
    return Heads(claimed, end, over, odd, odd_size, known, sound, total, number, reference)


def begins_concatenation(octets: U8, start: I64, length: I64) -> Bool:
    """Tell which contents begin like a header that holds a concatenation element and nothing else."""
    found = np.zeros(len(start), np.bool_)
    for head, width in ((bytes((5, CONCATENATION_8, 3)), 6), (bytes((6, CONCATENATION_16, 4)), 7)):
        rows = np.flatnonzero(length >= width)
        rows = rows[octets[start[rows]] == head[0]]
        for place in (1, 2):
            rows = rows[octets[start[rows] + place] == head[place]]
        total, number = octets[start[rows] + width - 2], octets[start[rows] + width - 1]
        found[rows] = (number >= 1) & (number <= total)
    return found
