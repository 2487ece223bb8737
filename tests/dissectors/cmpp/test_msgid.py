"""Msg_Id and its parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.cmpp import MsgId, compose_msg_id, format_msg_id, parse_msg_id, split_msg_id

EXAMPLE = 0x9B28F7C003E90001


def test_the_example_of_the_reference() -> None:
    """22 September 10:15:31, gateway 1001, serial number 1."""
    assert split_msg_id(EXAMPLE) == MsgId(9, 22, 10, 15, 31, 1001, 1)
    assert compose_msg_id(MsgId(9, 22, 10, 15, 31, 1001, 1)) == EXAMPLE
    assert format_msg_id(EXAMPLE) == "0922101531-001001-00001"
    assert EXAMPLE == 11180458479018639361


@pytest.mark.parametrize("text", ["0922101531-001001-00001", "0922101531000100100001", "0x9b28f7c003e90001"])
def test_every_way_to_write_it_is_read(text: str) -> None:
    """The dashed form, the 22 digits that gateways print, and hexadecimal mean the same number."""
    assert parse_msg_id(text) == EXAMPLE


@pytest.mark.parametrize(
    ("parts", "dated"),
    [
        (MsgId(1, 1, 0, 0, 0, 0, 0), True),
        (MsgId(12, 31, 23, 59, 59, 0, 0), True),
        (MsgId(0, 1, 0, 0, 0, 0, 0), False),
        (MsgId(13, 1, 0, 0, 0, 0, 0), False),
        (MsgId(1, 0, 0, 0, 0, 0, 0), False),
        (MsgId(1, 1, 24, 0, 0, 0, 0), False),
        (MsgId(1, 1, 0, 60, 0, 0, 0), False),
        (MsgId(1, 1, 0, 0, 60, 0, 0), False),
    ],
)
def test_dates_have_ranges(parts: MsgId, *, dated: bool) -> None:
    """A number whose month, day or time is out of range is written in hexadecimal."""
    number = compose_msg_id(parts)
    assert split_msg_id(number).dated is dated
    assert format_msg_id(number).startswith("0x") is not dated


@given(st.integers(0, (1 << 64) - 1))
def test_every_number_splits_and_joins(number: int) -> None:
    """Every 64-bit number splits, joins, and reads back from its text."""
    assert compose_msg_id(split_msg_id(number)) == number
    assert parse_msg_id(format_msg_id(number)) == number


def test_a_part_too_wide_is_an_error() -> None:
    """A gateway code over 22 bits has no place."""
    with pytest.raises(ValueError, match="gateway"):
        compose_msg_id(MsgId(9, 22, 10, 15, 31, 1 << 22, 1))


@pytest.mark.parametrize("text", ["", "0922", "0922101531-1001-1", "hello"])
def test_other_texts_are_errors(text: str) -> None:
    """What is no Msg_Id is a ValueError."""
    with pytest.raises(ValueError, match="Msg_Id"):
        parse_msg_id(text)
