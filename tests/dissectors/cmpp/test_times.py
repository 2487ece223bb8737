"""The grammars of times."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.cmpp.times import (
    ClockTime,
    RelativeTime,
    parse_day,
    parse_report_time,
    parse_smpp_time,
    parse_timestamp,
)

UTC8 = dt.timezone(dt.timedelta(hours=8))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"020922120000032+", dt.datetime(2002, 9, 22, 12, tzinfo=UTC8)),
        (
            b"020922120000732-",
            dt.datetime(2002, 9, 22, 12, 0, 0, 700_000, dt.timezone(-dt.timedelta(hours=8))),
        ),
        (
            b"991231235959048+",
            dt.datetime(2099, 12, 31, 23, 59, 59, 0, dt.timezone(dt.timedelta(hours=12))),
        ),
        (b"000002000000000R", RelativeTime(0, 0, 2, 0, 0, 0)),
        (b"010203040506000R", RelativeTime(1, 2, 3, 4, 5, 6)),
        (b"", None),
    ],
)
def test_smpp_times(text: bytes, value: object) -> None:
    """Absolute times have a zone, relative ones are a span, blank is neither time nor problem."""
    assert parse_smpp_time(text.ljust(17, b"\0")) == (value, "")


@pytest.mark.parametrize(
    "text",
    [
        b"020922120000",
        b"20020922120000",
        b"020922120000032",
        b"020922120000032*",
        b"020922120000049+",
        b"021322120000032+",
        b"020230120000032+",
        b"020922240000032+",
        b"02092212000003R+",
        b"020922120000032+0",
        b"\0" * 5 + b"1",
    ],
)
def test_broken_smpp_times_have_a_reason(text: bytes) -> None:
    """Texts without zone, too short or long, or out of range give None and the reason."""
    value, problem = parse_smpp_time(text.ljust(17, b"\0"))
    assert value is None
    assert problem


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (RelativeTime(0, 0, 2, 0, 0, 0), "2 days"),
        (RelativeTime(1, 0, 0, 12, 1, 0), "1 year, 12 hours, 1 minute"),
        (RelativeTime(0, 0, 0, 0, 0, 0), "at once"),
    ],
)
def test_spans_read_well(span: RelativeTime, text: str) -> None:
    """A span names its parts that are not zero."""
    assert str(span) == text


def test_report_times() -> None:
    """YYMMDDHHMM, to the minute and without a zone; anything else has a reason."""
    assert parse_report_time(b"0209221015") == (dt.datetime(2002, 9, 22, 10, 15), "")  # noqa: DTZ001
    assert parse_report_time(bytes(10)) == (None, "")
    for text in (b"020922101", b"0213221015", b"0209221060", b"02092210 5", b"\xff" * 10):
        value, problem = parse_report_time(text)
        assert value is None
        assert problem


def test_days() -> None:
    """YYYYMMDD, and only days that exist."""
    assert parse_day(b"20020922") == (dt.date(2002, 9, 22), "")
    assert parse_day(bytes(8)) == (None, "")
    assert parse_day(b"20020931").problem
    assert parse_day(b"00000101").problem


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (922101530, ClockTime(9, 22, 10, 15, 30)),
        (1231235959, ClockTime(12, 31, 23, 59, 59)),
        (101000000, ClockTime(1, 1, 0, 0, 0)),
        (229000000, ClockTime(2, 29, 0, 0, 0)),
        (0, None),
        (1301000000, None),
        (922240000, None),
        (0xFFFFFFFF, None),
    ],
)
def test_timestamps(number: int, value: ClockTime | None) -> None:
    """MMDDHHMMSS as a number, whose leading zero is lost; out of range has a reason."""
    parsed = parse_timestamp(number)
    assert parsed.value == value
    assert bool(parsed.problem) is (value is None)


@given(st.binary(max_size=20), st.integers(0, 0xFFFFFFFF))
def test_any_octets_are_read(octets: bytes, number: int) -> None:
    """No octets and no number raise."""
    parse_smpp_time(octets)
    parse_report_time(octets)
    parse_day(octets)
    parse_timestamp(number)
