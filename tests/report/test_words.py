"""Counts and times in words."""

from __future__ import annotations

import pytest

from cmppscope.report.words import long_time, milliseconds

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
