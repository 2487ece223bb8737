"""Arrays of whole numbers and octets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.arrays import copy_stretches, grown, kinds, ranges, stable_order, words_of

_SAME_KEY = (4, 4 | 1 << 12, 4 | 1 << 40)
"""Numbers that only a look at all bits tells apart."""


def test_growing() -> None:
    """Arrays grow at least to the size asked for, keep what they hold, and are not copied for nothing."""
    small = np.array([7, 8], np.int64)
    big = grown(small, 40)
    assert (big[:2].tolist(), int(big[2:].sum()), len(big) >= 40) == ([7, 8], 0, True)
    assert grown(big, 40) is big


@given(st.lists(st.one_of(st.sampled_from((0, 5, 0x80000005, *_SAME_KEY)), st.integers(-(1 << 63), (1 << 63) - 1))))
def test_kinds_are_all_different_numbers_in_order(values: list[int]) -> None:
    """Each row is one of them, whatever the numbers."""
    numbers, of = kinds(np.array(values, np.int64))
    assert numbers.tolist() == sorted(set(values))
    assert numbers[of].tolist() == values


_WIDE = st.integers(-(1 << 63), (1 << 63) - 1)


@given(st.one_of(st.lists(st.integers(-3, 3)), st.lists(st.one_of(st.integers(0, 9), _WIDE)), st.lists(_WIDE)))
def test_stable_order_is_that_of_a_stable_sort(values: list[int]) -> None:
    """Ascending, equal numbers as they stood, however far apart the numbers are."""
    assert stable_order(np.array(values, np.int64)).tolist() == sorted(range(len(values)), key=values.__getitem__)


@given(st.integers(8, 30).flatmap(lambda width: st.lists(st.binary(min_size=width, max_size=width), min_size=1)))
def test_words_of_rows(rows: list[bytes]) -> None:
    """Words follow each other from the front, and the last one ends with the row."""
    width = len(rows[0])
    found = words_of(np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), width))
    places = [*range(0, width - 8, 8), width - 8]
    for word, place in zip(found, places, strict=True):
        assert word.tolist() == [int.from_bytes(row[place : place + 8], "little") for row in rows]


@given(st.binary(min_size=1, max_size=300), st.data())
def test_stretches_are_copied_side_by_side(octets: bytes, data: st.DataObject) -> None:
    """Of any size, in any order, more than once, and from the buffer to which they are copied."""
    ends = data.draw(st.lists(st.tuples(st.integers(1, len(octets)), st.integers(1, len(octets))), max_size=20))
    length = np.array([min(each) for each in ends], np.int64)
    at = np.array([end for end, _ in ends], np.int64) - length
    wanted = b"".join(octets[a : a + n] for a, n in zip(at, length, strict=True))
    buffer = np.frombuffer(octets + bytes(len(wanted)), np.uint8).copy()
    copy_stretches(buffer, at, length, buffer[len(octets) :])
    assert buffer.tobytes() == octets + wanted


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5))))
def test_ranges_follow_each_other(given_ranges: list[tuple[int, int]]) -> None:
    """Empty ones as well."""
    low, size = np.array(given_ranges, np.int64).reshape(-1, 2).T
    assert ranges(low, low + size).tolist() == [n for a, count in given_ranges for n in range(a, a + count)]
