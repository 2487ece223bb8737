"""Prints: equal numbers have equal prints, however they are written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.messages.prints import WIDTH, number_prints, string_prints


def prints(*numbers: bytes) -> list[int]:
    """Give the prints of numbers, each in a field of its own."""
    octets = np.frombuffer(b"".join(number.ljust(WIDTH, b"\0") for number in numbers), np.uint8)
    found: list[int] = number_prints(octets.reshape(-1, WIDTH))[0].tolist()
    return found


@pytest.mark.parametrize("other", [b"+13800138000", b"8613800138000", b"+8613800138000", b"13800138000\x00rest"])
def test_forms_of_one_number(other: bytes) -> None:
    """A leading +, a leading 86 and what stands behind the first NUL do not count."""
    one, another = prints(b"13800138000", other)
    assert one == another


@pytest.mark.parametrize("other", [b"13800138001", b"1380013800", b"138001380000", b"", b"8613800138", b"+", b"86"])
def test_other_numbers(other: bytes) -> None:
    """Another digit, one more or less, or only the beginning of 86 make another number."""
    one, another = prints(b"13800138000", other)
    assert one != another


@given(st.lists(st.binary(max_size=WIDTH), min_size=1, max_size=6))
def test_any_octets_have_a_print(numbers: list[bytes]) -> None:
    """A print depends on its own field alone."""
    assert prints(*numbers) == [prints(number)[0] for number in numbers]


@given(st.binary(min_size=10, max_size=21), st.binary(min_size=10, max_size=21))
def test_strings_that_differ(one: bytes, other: bytes) -> None:
    """Fields have the same print just when their octets are the same."""
    width = min(len(one), len(other))
    octets = np.frombuffer(one[:width] + other[:width], np.uint8)
    first, second = string_prints(octets.reshape(2, width)).tolist()
    assert (first == second) == (one[:width] == other[:width])


def test_a_short_number_may_begin_with_86() -> None:
    """86 is a country code only in front of eleven digits: a service code may begin so."""
    one, another = prints(b"8610086", b"10086")
    assert one != another
