"""Whether octets are what Msg_Fmt says they are: tests of many texts at once.

Theory of operation. Texts are taken in groups of nearly the same length, each a matrix of octets. A matrix is wider
than its texts by up to seven octets, which belong to the field behind the content; where they matter they are blotted
out. GB 18030 is read by a table of states, one column of the matrix a step; whether UCS2 has its octets in the wrong
order is asked of the first characters, which settles nearly every text, and only then of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cmppscope.arrays import octets_at
from cmppscope.tables import I64, U8, Bool

_WORD = 8
_HIGH_BITS = np.uint64(0x8080808080808080)


def _groups(length: I64) -> Iterator[tuple[I64, int]]:
    """Give rows of about the same length, with that length rounded up to words; rows without octets are left out."""
    words = (length + _WORD - 1) // _WORD
    counts = np.bincount(words) if len(words) else np.zeros(0, np.int64)
    for size in np.flatnonzero(counts[1:]).tolist():
        yield np.flatnonzero(words == size + 1), (size + 1) * _WORD


def high(octets: U8, start: I64, length: I64) -> Bool:
    """Tell which texts have an octet above 0x7F."""
    found = np.zeros(len(start), np.bool_)
    for rows, width in _groups(length):
        text = octets_at(octets, start[rows], width)
        words = text.view(np.uint64)
        if np.bitwise_or.reduce(words, axis=None) & _HIGH_BITS:
            seen = (text > 0x7F) & (np.arange(width) < length[rows][:, None])
            found[rows] = seen.any(axis=1)
    return found


_FREE, _SECOND, _SECOND_ONLY, _THIRD, _FOURTH, _WRONG = range(6)
_STATES = 6


def _gb18030() -> U8:
    """Make the table [state, octet] of the next state."""
    table = np.full((_STATES, 256), _WRONG, np.uint8)
    digits, two = slice(0x30, 0x3A), (slice(0x40, 0x7F), slice(0x80, 0xFF))
    table[_FREE, :0x80] = _FREE
    table[_FREE, 0x81:0xFF] = _SECOND_ONLY
    table[_FREE, 0x81:0x85] = table[_FREE, 0x90:0xE4] = _SECOND
    for state in (_SECOND, _SECOND_ONLY):
        for trail in two:
            table[state, trail] = _FREE
    table[_SECOND, digits] = _THIRD
    table[_THIRD, 0x81:0xFF] = _FOURTH
    table[_FOURTH, digits] = _FREE
    return table


_GB = _gb18030().reshape(-1)


def gb_states(octets: U8, start: I64, length: I64) -> U8:
    """Read texts as GB 18030: 0 where all is well, 5 where an octet is wrong, else what the end leaves open.

    Characters are looked at by their form: 1, 2 or 4 octets of the right ranges.
    """
    result = np.zeros(len(start), np.uint8)
    for rows, width in _groups(length):
        text = octets_at(octets, start[rows], width)
        text[np.arange(width) >= length[rows][:, None]] = 0
        suspect = np.flatnonzero(_suspect(np.ascontiguousarray(text.T)))
        if len(suspect):
            result[rows[suspect]] = _read_gb(text[suspect], length[rows[suspect]])
    return result


def _suspect(text: U8) -> Bool:
    """Tell which texts, given as columns with NULs behind them, are not all characters of one and two octets."""
    waiting, wrong = np.zeros(text.shape[1], np.bool_), np.zeros(text.shape[1], np.bool_)
    lead, trail = text > 0x80, (text >= 0x40) & (text != 0x7F) & (text != 0xFF)
    never = (text == 0x80) | (text == 0xFF)
    for step in range(len(text)):
        wrong |= (waiting & ~trail[step]) | (~waiting & never[step])
        waiting = lead[step] & ~waiting
    return wrong | waiting


def _read_gb(text: U8, length: I64) -> U8:
    """Give the state behind each text."""
    state = np.zeros(len(text), np.int64)
    last = state.copy()
    for step in range(text.shape[1]):
        state = _GB[state * 256 + text[:, step]].astype(np.int64)
        last = np.where(length == step + 1, state, last)
    return last.astype(np.uint8)


_SAMPLE = 12
"""Characters asked first."""
_STRAY = 10
"""One character in so many may be a rare one, swapped."""
_USUAL = 3
"""Of a text that is not swapped, one character in so many at least is a usual one."""


@cache
def _characters() -> tuple[Bool, Bool]:
    """Make two tables over UTF-16 units: characters nearly all Chinese text is made of, and all that are usual."""
    common, usual = np.zeros(1 << 16, np.bool_), np.zeros(1 << 16, np.bool_)
    common[0x20:0x7F] = common[[0x0A, 0x0D, 0xFEFF]] = True
    common[0x3001:0x3012] = common[0x2014:0x2027] = common[0xFF01:0xFF5F] = True
    common[_decoded("gb2312", range(0xB0, 0xD8), range(0xA1, 0xFF))] = True
    usual |= common
    usual[0xA0:0x180] = usual[0x2000:0x2070] = usual[0x3000:0x3100] = True
    usual[_decoded("gb2312", range(0xD8, 0xF8), range(0xA1, 0xFF))] = True
    usual[_decoded("big5", range(0xA4, 0xC7), [*range(0x40, 0x7F), *range(0xA1, 0xFF)])] = True
    return common, usual


def _decoded(codec: str, leads: range, trails: range | list[int]) -> NDArray[np.uint16]:
    """Give the characters of a part of a table of two octets."""
    text = bytes(octet for lead in leads for trail in trails for octet in (lead, trail)).decode(codec, "ignore")
    return np.frombuffer(text.encode("utf-16-le"), "<u2")


def swapped_ucs2(octets: U8, start: I64, length: I64) -> Bool:
    """Tell which UCS2 texts are everyday Chinese or English when their octets are swapped, and odd as they stand.

    At least nine characters in ten, swapped, are among the 3,755 commonest of GB 2312 or ASCII; as they stand two in
    three or more are neither in GB 2312 nor among the common ones of Big5, nor Latin, kana or punctuation. A text of
    fewer than two characters says nothing. Rare text in its right order fails the first half: swapped, few of its
    characters are common.
    """
    units = length // 2
    found = np.zeros(len(start), np.bool_)
    rows = np.flatnonzero(units > 1)
    head = np.minimum(units[rows], _SAMPLE)
    strays = np.zeros(len(rows), np.int64)
    for group, width in _groups(head * 2):
        text = octets_at(octets, start[rows[group]], width)
        strays[group] = _count(~_characters()[0], text.view("<u2"), head[group])
    rows = rows[strays <= units[rows] // _STRAY]
    for group, width in _groups(units[rows] * 2):
        some = rows[group]
        text = octets_at(octets, start[some], width)
        common, usual = _characters()
        strays = _count(~common, text.view("<u2"), units[some])
        found[some] = (strays <= units[some] // _STRAY) & (
            _count(usual, text.view(">u2"), units[some]) * _USUAL <= units[some]
        )
    return found


def _count(table: Bool, text: NDArray[np.uint16], units: I64) -> I64:
    """Count the characters of each text that a table marks."""
    inside = np.arange(text.shape[1]) < units[:, None]
    counts: I64 = np.count_nonzero(np.take(table, text) & inside, axis=1)
    return counts
