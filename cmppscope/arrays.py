"""Sorting, grouping and gathering of arrays of whole numbers and octets: what NumPy has no fast way for.

NumPy sorts 64-bit numbers with the processor's widest registers, but gives a stable order by merging, four times as
slowly. Keys of this program (streams, frames, Sequence_Ids) span little of 64 bits within a batch, so that the row
fits behind the key into one number, and no two of these are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cmppscope.tables import I64, U8, U64

_Kind = TypeVar("_Kind", bound=np.generic)

_BITS = 63
_FEW = 1 << 20
"""A range of numbers this wide is counted in a table of its own."""
_KINDS, _FOLD = 1 << 12, 20
"""Keys by which few numbers are told apart, and how far the upper bits of a number are moved down for that."""


def none() -> I64:
    """Give an array without entries."""
    return np.zeros(0, np.int64)


def grown(values: NDArray[_Kind], size: int) -> NDArray[_Kind]:
    """Give an array at least `size` long, its new entries 0; sizes double, so that growing is cheap."""
    if len(values) >= size:
        return values
    longer = np.zeros(max(size, 2 * len(values), 16), values.dtype)
    longer[: len(values)] = values
    return longer


@dataclass(slots=True)
class ByNumber:
    """Columns that grow together, with an entry a session, a direction or whatever else has a number."""

    def grow(self, size: int) -> None:
        """Have entries for so many."""
        for each in fields(self):
            setattr(self, each.name, grown(getattr(self, each.name), size))


def stable_order(values: I64) -> I64:
    """Give the rows of whole numbers in ascending order, equal ones in the order in which they stand."""
    if not len(values):
        return none()
    if (values[1:] >= values[:-1]).all():
        return np.arange(len(values))
    least = int(values.min())
    low = len(values).bit_length()
    if (int(values.max()) - least).bit_length() + low <= _BITS:
        keys = ((values - least) << low) | np.arange(len(values))
        keys.sort()
        rows: I64 = keys & ((1 << low) - 1)
        return rows
    order = np.argsort(values)
    ordered = values[order]
    return np.argsort(values, kind="stable") if (ordered[1:] == ordered[:-1]).any() else order


def distinct(values: I64) -> tuple[I64, I64, I64]:
    """Give the different numbers in ascending order, the first row of each, and how often each stands there."""
    if not len(values):
        return none(), none(), none()
    least = int(values.min())
    span = int(values.max()) - least + 1
    if span > max(len(values), _FEW):
        numbers, first, counts = np.unique(values, return_index=True, return_counts=True)
        return numbers, first, counts
    above = values - least
    counts = np.bincount(above, minlength=span)
    numbers = np.flatnonzero(counts)
    first = np.empty(span, np.int64)
    first[above[::-1]] = np.arange(len(values) - 1, -1, -1)  # of equal rows the last one written stays: the first
    return numbers + least, first[numbers], counts[numbers]


def kinds(values: I64) -> tuple[I64, I64]:
    """Give the different numbers, of any size but few, in ascending order, and which of them each row is."""
    key = (values ^ (values >> _FOLD)) & (_KINDS - 1)
    held = np.zeros(_KINDS, np.int64)
    held[key] = values
    if not (held[key] == values).all():  # two share a key
        numbers, of = np.unique(values, return_inverse=True)
        return numbers, of.reshape(-1)
    used = np.flatnonzero(np.bincount(key, minlength=_KINDS))
    order = np.argsort(held[used])
    rank = np.empty(_KINDS, np.int64)
    rank[used[order]] = np.arange(len(used))
    return held[used[order]], rank[key]


def ranges(low: I64, high: I64) -> I64:
    """Give all numbers from each `low` to before its `high`, one range behind the other."""
    sizes = high - low
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    numbers: I64 = np.arange(total) - np.repeat(ends - sizes, sizes) + np.repeat(low, sizes)
    return numbers


def words_at(octets: U8, at: I64) -> I64:
    """Read big-endian 32-bit numbers at positions."""
    if not len(at):
        return none()
    words: I64 = np.ndarray((len(octets) - 3,), ">u4", octets, strides=(1,))[at].astype(np.int64)
    return words


def three_words_at(octets: U8, at: I64) -> tuple[I64, I64, I64]:
    """Read three big-endian 32-bit numbers that follow each other, at positions."""
    words = octets_at(octets, at, 12).view(">u4").astype(np.int64)
    return words[:, 0].copy(), words[:, 1].copy(), words[:, 2].copy()


def eight_octets_at(octets: U8, at: I64) -> U64:
    """Read eight octets, least first, at positions that all lie inside."""
    if not len(at):
        return np.zeros(0, np.uint64)
    found: U64 = np.ndarray((len(octets) - 7,), "<u8", octets, strides=(1,))[at]
    return found


def words_of(fields: U8) -> list[U64]:
    """Read [rows, width] octets, eight at least, as columns of words, least octet first.

    The last word ends with the row, and so may hold octets that the one in front holds.
    """
    width = fields.shape[1]
    places = [*range(0, width - 8, 8), width - 8]
    return [fields[:, place : place + 8].view("<u8")[:, 0].astype(np.uint64) for place in places]


def octets_at(octets: U8, at: I64, width: int) -> U8:
    """Copy `width` octets from each position: an array [positions, width]."""
    if not len(at) or not width:
        return np.zeros((len(at), width), np.uint8)
    gathered: U8 = _runs(octets, width)[at].view(np.uint8).reshape(-1, width)
    return gathered


def joined(octets: U8, at: I64, length: I64) -> bytes:
    """Join stretches of octets; those that follow each other in the buffer are copied as one."""
    if not len(at):
        return b""
    heads = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(at[1:] != (at + length)[:-1]) + 1])
    stops = (at + length)[np.r_[heads[1:], len(at)] - 1]
    view = np.ascontiguousarray(octets).data
    return b"".join([view[begin:stop] for begin, stop in zip(at[heads].tolist(), stops.tolist(), strict=True)])


def copy_stretches(octets: U8, at: I64, length: I64, into: U8) -> None:
    """Copy stretches of octets, none of them empty, one behind the other to a buffer that has just the room.

    Each is two copies of the largest power of two of octets that it holds: its beginning, and its end.
    """
    to = np.cumsum(length) - length
    power = np.frexp(length)[1] - 1
    for each in np.flatnonzero(np.bincount(power)).tolist():
        rows = np.flatnonzero(power == each)
        there, here = _runs(into, 1 << each), _runs(octets, 1 << each)
        for behind in (0, length[rows] - (1 << each)):
            there[to[rows] + behind] = here[at[rows] + behind]


def _runs(octets: U8, width: int) -> NDArray[np.void]:
    """View the `width` octets from every place on."""
    return np.ndarray((len(octets) - width + 1,), f"V{width}", octets, strides=(1,))
