"""Times by the column: the calendar, the nearest year, and the texts that hold times."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.rules.times import SECOND, Moment, SmppTimes
from dissectors.cmpp.times import RelativeTime, parse_smpp_time
from tests.rules.test_strings import column

_UTC = dt.UTC
_CHINA = 28_800 * SECOND
_DIGITS = "0123456789"


def _ns(moment: dt.datetime) -> int:
    """Give nanoseconds since 1970."""
    return round((moment - dt.datetime(1970, 1, 1, tzinfo=_UTC)) / dt.timedelta(microseconds=1)) * 1000


def _moments(*parts: int) -> Moment:
    """Give one time as columns."""
    return Moment(*(np.array([part]) for part in parts))


@given(
    st.datetimes(dt.datetime(1980, 1, 1), dt.datetime(2100, 1, 1)),  # noqa: DTZ001 - Hypothesis wants them so
    st.integers(-15_500_000, 15_500_000),
)
def test_a_time_without_a_year_is_that_of_the_year_nearest(near: dt.datetime, seconds: int) -> None:
    """A time less than half a year away from another is found from its month, day and time of day."""
    near = near.replace(microsecond=0, tzinfo=_UTC)
    wanted = near + dt.timedelta(seconds=seconds)
    local = wanted + dt.timedelta(hours=8)
    moment = _moments(0, local.month, local.day, local.hour, local.minute, local.second)
    assert moment.nearest_ns(np.array([_ns(near)]), _CHINA).tolist() == [_ns(wanted)]


@pytest.mark.parametrize(("near", "year"), [(2026, 2028), (2027, 2028), (2024, 2024), (2101, 2104)])
def test_29_february_is_that_of_a_leap_year(near: int, year: int) -> None:
    """29 February is in the leap year nearest to the year around."""
    times = _moments(0, 2, 29, 0, 0, 0).nearest_ns(np.array([_ns(dt.datetime(near, 9, 1, tzinfo=_UTC))]), 0)
    assert times.tolist() == [_ns(dt.datetime(year, 2, 29, tzinfo=_UTC))]


_FIELDS = st.one_of(
    st.text("0123456789+-R\0 ", max_size=17),
    st.builds(
        lambda *parts: "".join(parts),
        st.sampled_from(("26", "28", "00", "99")),
        st.sampled_from(("00", "01", "02", "06", "12", "13")),
        st.sampled_from(("00", "01", "28", "29", "30", "31", "32")),
        st.sampled_from(("00", "23", "24")),
        st.sampled_from(("00", "59", "60")),
        st.sampled_from(("00", "59", "60")),
        st.sampled_from(_DIGITS),
        st.sampled_from(("00", "32", "48", "49")),
        st.sampled_from("+-R"),
    ),
)


@given(st.lists(_FIELDS, min_size=1))
def test_validity_reads_as_the_layer_reads_it(fields: list[str]) -> None:
    """A field fits, and is right, where the layer makes a moment or a span of it; moments are the same."""
    octets = column([field.encode() for field in fields], 17)
    times = SmppTimes(octets)
    least, most = times.bounds_ns(np.zeros(len(fields), np.int64))
    for at, field in enumerate(octets):
        whole = field.tobytes()
        value, problem = parse_smpp_time(whole[:16])
        assert times.given[at] == bool(whole.strip(b"\0"))
        assert times.right[at] == (value is not None)
        assert times.fits[at] == (value is not None or (bool(whole[:16].strip(b"\0")) and "15 digits" not in problem))
        if isinstance(value, dt.datetime):
            assert least[at] == most[at] == _ns(value)
        if isinstance(value, RelativeTime):
            days = [
                years * value.years + months * value.months + value.days for years, months in ((365, 28), (366, 31))
            ]
            rest = value.hours * 3600 + value.minutes * 60 + value.seconds
            assert [least[at], most[at]] == [(day * 86_400 + rest) * SECOND for day in days]
