"""Numbers and strings as 64-bit prints: equal ones have equal prints, different ones as good as never.

A subscriber's number counts without a leading `+` and `86` and up to its first NUL, for one program writes them and
the next does not (CMPP 2.0, revision history). Eleven digits and NULs, nearly all of them, are told by their
three words; every other form is put in order first.
"""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import words_of
from cmppscope.tables import I64, U8, U64

WIDTH = 21
"""Octets of a number in the layouts of 2.0 (CMPP 2.0 §7.4.3.1)."""

_DIGITS = 11
_K = tuple(np.uint64(k) for k in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_ONES, _HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_PLUS, _COUNTRY = ord("+"), int.from_bytes(b"86", "little")


def mixed(*parts: U64) -> U64:
    """Mix columns of 64-bit numbers into one."""
    result = np.zeros(len(parts[0]), np.uint64)
    for at, part in enumerate(parts):
        result = (result ^ part) * _K[at % len(_K)]
        result ^= result >> np.uint64(29)
    return result


def string_prints(fields: U8) -> U64:
    """Give the prints of fields, an array [rows, width] of at least eight octets a row."""
    return mixed(*words_of(fields))


def number_prints(fields: U8) -> tuple[U64, I64]:
    """Give (prints, first three characters as one number, least first) of numbers, an array [rows, WIDTH or more]."""
    width = fields.shape[1]
    first, second, third = words_of(fields[:, :WIDTH])
    gap = (first - _ONES) & ~first & _HIGHS
    low = second & np.uint64(0xFFFFFF)
    tail_gap = (low - np.uint64(0x010101)) & ~low & np.uint64(0x808080)
    plain = (gap == 0) & (tail_gap == 0) & (second == low) & (third == 0) & (width == WIDTH)
    head = first & np.uint64(0xFFFF)
    plain &= ((head & np.uint64(0xFF)) != _PLUS) & (head != _COUNTRY)
    odd = np.flatnonzero(~plain)
    if len(odd):
        first, second, third = first.copy(), second.copy(), third.copy()
        first[odd], second[odd], third[odd] = _in_order(fields[odd])
    return mixed(first, second, third), (first & np.uint64(0xFFFFFF)).astype(np.int64)


def _in_order(octets: U8) -> tuple[U64, U64, U64]:
    """Give the three words of numbers [rows, width] without `+`, `86` and what stands behind the first NUL."""
    rows, width = octets.shape
    ends = np.where((octets == 0).any(axis=1), (octets == 0).argmax(axis=1), width)
    start = (octets[:, 0] == _PLUS).astype(np.int64)
    padded = np.concatenate([octets, np.zeros((rows, WIDTH + 4), np.uint8)], axis=1)
    line = np.arange(rows)
    country = (padded[line, start] == ord("8")) & (padded[line, start + 1] == ord("6"))
    start += np.where(country & (ends - start - 2 >= _DIGITS), 2, 0)
    places = start[:, None] + np.arange(WIDTH)
    kept = np.where(places < ends[:, None], padded[line[:, None], places], np.uint8(0))
    kept = np.ascontiguousarray(kept)
    low, middle, high = (np.ascontiguousarray(kept[:, a : a + 8]).view("<u8").reshape(-1) for a in (0, 8, WIDTH - 8))
    return low.astype(np.uint64), middle.astype(np.uint64), high.astype(np.uint64)
