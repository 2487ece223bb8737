"""Text in cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cmppscope.report.safe import printable
from cmppscope.tui.cells import fit, wrap


@pytest.mark.parametrize(
    ("text", "cells", "fitted"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 5, "abcd…"),
        ("中文", 5, "中文 "),
        ("中文短信", 5, "中文…"),
        ("中文短信", 6, "中文 …"),
        ("a中文", 4, "a中…"),
        ("", 3, "   "),
        ("abc", 0, ""),
    ],
)
def test_text_is_filled_and_cut_by_cells(text: str, cells: int, fitted: str) -> None:
    """A text takes just so many cells; half a character becomes a space."""
    assert fit(text, cells) == fitted


def test_numbers_stand_at_the_right() -> None:
    """Right aligned text is filled at the left."""
    assert fit("42", 5, right=True) == "   42"


@given(st.text(), st.integers(1, 40))
def test_any_printable_text_takes_its_cells(text: str, cells: int) -> None:
    """Whatever the text, the cells are right."""
    assert cell_len(fit(printable(text), cells)) == cells


@given(st.text(), st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing(text: str, cells: int) -> None:
    """Every line fits, and the characters are all there."""
    shown = printable(text)
    lines = wrap(shown, cells)
    assert all(cell_len(line) <= cells for line in lines)
    assert "".join(lines).replace(" ", "") == shown.replace(" ", "")


def test_what_is_aligned_stays_aligned() -> None:
    """Spaces at the beginning of a text stay, those where a line is broken go."""
    assert wrap("       12  SUBMIT", 20) == ["       12  SUBMIT"]
    assert wrap("  one two  three", 9) == ["  one two", "three"]
