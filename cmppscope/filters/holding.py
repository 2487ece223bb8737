"""Which PDUs hold a needle, found in their octets: what stands there need not be read as texts.

Theory of operation. Octet Strings lie in arrays [rows, width]; contents of nearly the same size are copied side by side
into such arrays. One search then goes through thousands of them, and what it finds is held against where each begins
and ends. In ASCII and UCS-2, and in Octet Strings if the needle is ASCII, that tells for sure where a text holds it;
in GB 18030 octets may belong to two characters, so that what holds a needle's octets has to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import none, octets_at
from cmppscope.columns import Columns
from cmppscope.filters.columns import CODINGS, contents, elements
from cmppscope.filters.needles import Needles, encoded
from cmppscope.tables import I64, U8, Bool

_STEP = 32
"""Octets by which contents that are searched together may differ in size."""
_AT_A_TIME = 1 << 18
"""Octets that are searched in one go."""


class Holding(NamedTuple):
    """Rows of a table, in any order and perhaps more than once."""

    sure: I64
    """Rows with a text that holds a needle."""
    maybe: I64
    """Rows with the octets of one, that may be those of other characters."""


def together(parts: Iterable[Holding]) -> Holding:
    """Join what was found in several fields or with several needles."""
    sure, maybe = zip((none(), none()), *parts, strict=True)
    return Holding(np.concatenate(sure), np.concatenate(maybe))


def strings_holding(rows: I64, columns: Columns, name: str, needles: Needles) -> Holding:
    """Search an Octet String, or a list of them; `rows` says which row of the table each row of `columns` is."""
    field = columns.body.fields[columns.body.by_name[name]]
    if field.kind == "list":
        rows, octets = elements(rows, columns, name, field.width)
    else:
        octets = columns.strings(name).octets
    found = []
    for text in needles.texts:
        sure = text.isascii() and "\0" not in text
        for wanted in {text.encode(), *encoded([text], "latin-1")}:
            if len(wanted) > field.width:
                continue
            at, begin = _places(octets, wanted, caseless=needles.caseless)
            row = rows[at[begin + len(wanted) <= field.width]]
            found.append(Holding(row, none()) if sure else Holding(none(), row))
    return together(found)


def texts_holding(rows: I64, columns: Columns, reports: Bool, needles: Needles) -> Holding:
    """Search the texts of messages; `reports` marks the contents that are none."""
    found = []
    coding, starts, ends = contents(columns, reports)
    for number, codec in enumerate(CODINGS):
        wanted = encoded(needles.texts, codec)
        of_codec = np.flatnonzero((coding == number) & (ends - starts >= min(map(len, wanted), default=np.inf)))
        for of_block, block in _blocks(columns.octets, starts, ends, of_codec):
            for each in wanted:
                at, begin = _places(block, each, caseless=needles.caseless)
                begin -= starts[of_block[at]] - _first(columns.octets, starts[of_block[at]], block.shape[1])
                inside = (begin >= 0) & (begin + len(each) <= (ends - starts)[of_block[at]])
                if codec == "utf-16-be":
                    inside &= begin % 2 == 0
                row = rows[of_block[at[inside]]]
                sure = codec != "gb18030" and not (needles.caseless and codec == "utf-16-be" and any(each[::2]))
                found.append(Holding(row, none()) if sure else Holding(none(), row))
    return together(found)


def _blocks(octets: U8, starts: I64, ends: I64, rows: I64) -> Iterator[tuple[I64, U8]]:
    """Copy the contents of some rows side by side: which rows, and an array [rows, width] from `_first` octets on."""
    steps = (ends[rows] - starts[rows] + _STEP - 1) // _STEP
    for step in np.flatnonzero(np.bincount(steps)).tolist():
        width = min(step * _STEP, len(octets))
        of_step = rows[steps == step]
        at_a_time = max(1, _AT_A_TIME // width)
        for begin in range(0, len(of_step), at_a_time):
            of_block = of_step[begin : begin + at_a_time]
            yield of_block, octets_at(octets, _first(octets, starts[of_block], width), width)


def _first(octets: U8, starts: I64, width: int) -> I64:
    """Give the places from which so many octets are copied: where contents start, or less where the buffer ends."""
    return np.minimum(starts, len(octets) - width)


def _places(block: U8, wanted: bytes, *, caseless: bool) -> tuple[I64, I64]:
    """Find octets in an array [rows, width]: the row in which they begin, and where in it."""
    octets, key = block.reshape(-1), np.frombuffer(wanted, np.uint8)
    count = len(octets) - len(key) + 1
    if count <= 0:
        return none(), none()
    mask = np.array([_CASE if caseless and each & _CASE in _CAPITALS else _WHOLE for each in wanted], np.uint8)
    hits = _alike(octets[:count], key[0], mask[0])
    for at in range(1, min(_TELLING, len(key))):
        hits &= _alike(octets[at : at + count], key[at], mask[at])
    places = np.flatnonzero(hits)
    same = ((octets_at(octets, places, len(key)) ^ key) & mask == 0).all(axis=1)
    row, begin = np.divmod(places[same], block.shape[1])
    return row, begin


_TELLING = 4
"""Octets of a needle that are compared everywhere; the others are where these are found."""
_WHOLE, _CASE = 0xFF, 0xDF
"""All bits of an octet, and those that letters of ASCII have in common with their other case."""
_CAPITALS = range(ord("A"), ord("Z") + 1)


def _alike(octets: U8, key: np.uint8, mask: np.uint8) -> Bool:
    """Tell which octets are a key in the bits of a mask."""
    alike: Bool = octets == key if mask == _WHOLE else octets & mask == key & mask
    return alike
