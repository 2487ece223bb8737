"""Octet Strings by the column: what text they hold and how they are filled, as a reader of one string would say."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.rules.forms import alike
from cmppscope.rules.strings import Texts, bits, decimal, shown
from cmppscope.tables import U8

_CHARACTERS = st.sampled_from([b"\0", b" ", b"0", b"1", b"8", b"6", b"+", b"a", b"\xff"])


def column(rows: list[bytes], width: int) -> U8:
    """Give strings as a matrix of octets, filled with NULs."""
    return np.frombuffer(b"".join(row.ljust(width, b"\0")[:width] for row in rows), np.uint8).reshape(-1, width)


@pytest.mark.parametrize("width", [2, 6, 17, 21, 32])
@given(data=st.data())
def test_every_test_agrees_with_a_reader_of_one_string(width: int, data: st.DataObject) -> None:
    """Blank, text, length, digits, numbers and filling are what slicing and regular expressions find."""
    rows = [b"".join(row) for row in data.draw(st.lists(st.lists(_CHARACTERS, max_size=width), min_size=1))]
    octets = column(rows, width)
    texts = Texts(octets)
    for at, field in enumerate(octets):
        whole = field.tobytes()
        head, nul, rest = whole.partition(b"\0")
        text = head.rstrip(b" ")
        assert texts.blank[at] == (not whole.strip(b"\0"))
        assert texts.empty[at] == (not text)
        assert texts.length[at] == len(text)
        assert texts.after_nul[at] == bool(nul and rest.strip(b"\0"))
        assert texts.spaces[at] == (head != text)
        assert texts.digits[at] == bool(re.fullmatch(rb"\d+", text))
        assert texts.number[at] == bool(re.fullmatch(rb"\+?\d+", text))
        assert texts.mobile[at] == bool(re.fullmatch(rb"(\+?86)?1\d{10}", text))


@given(st.lists(st.lists(st.booleans(), min_size=21, max_size=21), max_size=8))
def test_marks_become_numbers_of_as_many_bits(rows: list[list[bool]]) -> None:
    """The first place of a row is the highest bit of its number."""
    marks = np.array(rows, np.bool_).reshape(-1, 21)
    assert bits(marks).tolist() == [int("".join("01"[mark] for mark in row), 2) for row in rows]


def test_digits_become_numbers() -> None:
    """Leading zeros do not count."""
    assert decimal(column([b"000100", b"999999"], 6)).tolist() == [100, 999_999]


def test_octets_that_are_no_text_are_shown_in_hexadecimal() -> None:
    """Text stands in quotes; control characters and octets behind a NUL never reach the words of a finding."""
    assert [shown(octets) for octets in (b"TPCQ\0\0", b"\x1b[2J", b"1\x002")] == ["“TPCQ”", "1b 5b 32 4a", "31 00 32"]


@given(st.lists(st.binary(min_size=9, max_size=9).map(lambda row: bytes(octet & 1 for octet in row)), max_size=40))
def test_rows_of_one_form_are_alike_and_no_others(rows: list[bytes]) -> None:
    """Each row has the octets of the first row of its form; two forms differ."""
    octets = column(rows, 9)
    first, of = alike(octets)
    assert [octets[first[form]].tobytes() for form in of.tolist()] == rows
    assert len(first) == len(set(rows))


def test_forms_with_equal_sums_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sums say nothing, rows are compared as they are."""
    monkeypatch.setattr("cmppscope.rules.forms._MULTIPLIER", 0)
    rows = [b"\1" + bytes(8), bytes(8) + b"\1", b"\1" + bytes(8)]
    first, of = alike(column(rows, 9))
    assert [rows[first[form]] for form in of.tolist()] == rows
