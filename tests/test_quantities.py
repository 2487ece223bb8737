"""Counts and times in words."""

from __future__ import annotations

import pytest

from cmppscope.quantities import Number, duration, duration_beside, long_time, milliseconds

SECOND, MINUTE, HOUR, DAY = 1000.0, 60_000.0, 3_600_000.0, 86_400_000.0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.1234, "0.12 ms"),
        (164.2, "164 ms"),
        (10 * SECOND, "10.0 s"),
        (599.9 * SECOND, "599.9 s"),
        (10 * MINUTE, "10 min"),
        (12.34 * MINUTE, "12.3 min"),
        (HOUR, "60 min"),
        (2 * HOUR, "2 h"),
        (47.5 * HOUR, "47.5 h"),
        (2 * DAY, "2 d"),
        (86_145.4 * DAY, "86145 d"),
        (-HOUR, "-60 min"),
        (-3 * DAY, "-3 d"),
    ],
)
def test_times_have_the_unit_that_fits(value: float, words: str) -> None:
    """Seconds up to ten minutes, then minutes, hours and days; never more than nine columns."""
    assert milliseconds(value) == words
    assert len(words) <= 9


def test_long_times_in_seconds() -> None:
    """How long a capture lasts is written in the same units."""
    assert [long_time(s) for s in (200.0, 6.5 * 60, 3 * 3600.0)] == ["3.3 min", "6.5 min", "3 h"]


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (0, "0 s"),
        (300, "0.0003 ms"),
        (1_234_567, "1.23 ms"),
        (10_000_000, "0.01 s"),
        (412_345_678, "0.412 s"),
        (3_000_000_000, "3 s"),
        (12_345_000_000, "12.3 s"),
        (180_000_000_000, "180 s"),
        (600_000_000_000, "10 min"),
        (3_600_000_000_000, "60 min"),
        (28_799_990_000_000, "8 h"),
        (-3 * 86_400_000_000_000, "-3 d"),
    ],
)
def test_lengths_of_time_in_sentences(nanoseconds: int, words: str) -> None:
    """Three figures, no zeros behind them: seconds up to ten minutes, milliseconds where seconds would be too small."""
    assert duration(nanoseconds) == words


def test_numbers_are_counted_where_the_format_has_words_for_it() -> None:
    """One and several have words of their own; any other format is that of a number."""
    one, more = (f"{Number(n):octet is|octets are} {Number(n)} {Number(n):03d} 0x{Number(n):02x}" for n in (1, 20))
    assert (one, more) == ("1 octet is 1 001 0x01", "20 octets are 20 020 0x14")


@pytest.mark.parametrize(
    ("nanoseconds", "limit_ns", "words"),
    [
        (60_000_000_000, 60_000_000_000, "60 s"),
        (59_900_000_000, 60_000_000_000, "59.9 s"),
        (60_020_000_000, 60_000_000_000, "60.02 s"),
        (59_999_999_000, 60_000_000_000, "59.999999 s"),
        (60_000_000_001, 60_000_000_000, "60.000000001 s"),
        (61_000_000_000, 60_000_000_000, "61 s"),
        (7_200_000_000_000, 60_000_000_000, "2 h"),
        (1_400_100_000, 1_400_000_000, "1.4001 s"),
        (500_300_000, 500_000_000, "0.5003 s"),
        (12_340_000_000, 12_300_000_000, "12.34 s"),
        (1_000_000_001, 999_999_999, "1.000000001 s"),
    ],
)
def test_a_time_does_not_look_like_a_limit_that_it_is_not(nanoseconds: int, limit_ns: int, words: str) -> None:
    """As many figures as both take to differ, and no more."""
    assert duration_beside(nanoseconds, limit_ns) == words
