"""Times in fields, by the column: the calendar, the nearest year, and the texts that hold times.

Years of two digits are those from 2000 on. Times that name no zone are those of the peers' clocks, `zone_ns` ahead of
UTC. All results are nanoseconds since 1970 UTC; they mean nothing in rows that are not `right`.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from cmppscope.rules.strings import decimal
from cmppscope.tables import I64, U8, Bool

SECOND = 1_000_000_000
_DAY = 86_400
_CENTURY = 2000
_LONGEST_MONTHS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_ZERO = np.uint8(0x30)


class Moment(NamedTuple):
    """The parts of times as columns; `year` in full, for instance 2026."""

    year: I64
    month: I64
    day: I64
    hour: I64
    minute: I64
    second: I64

    @property
    def right(self) -> Bool:
        """The rows that are times of the calendar."""
        return (self.day <= month_days(self.year, self.month)) & self.right_in_some_year

    @property
    def right_in_some_year(self) -> Bool:
        """The rows that are times of the calendar in a leap year at least."""
        month = np.where((self.month >= 1) & (self.month <= 12), self.month, 0)
        day = (self.day >= 1) & (self.day <= _LONGEST_MONTHS[month])
        time = (self.hour >= 0) & (self.minute >= 0) & (self.second >= 0)
        return day & time & (self.hour < 24) & (self.minute < 60) & (self.second < 60)

    def ns(self, zone_ns: int | I64) -> I64:
        """Give nanoseconds since 1970 UTC of a clock that is `zone_ns` ahead of UTC."""
        days = days_since_1970(self.year, self.month, self.day)
        seconds = ((days * 24 + self.hour) * 60 + self.minute) * 60 + self.second
        return seconds * SECOND - zone_ns

    def nearest_ns(self, near_ns: I64, zone_ns: int) -> I64:
        """Do the same in the year that brings each row nearest to `near_ns`, whatever `year` says."""
        local_days = (near_ns + zone_ns) // (_DAY * SECOND)
        around = (local_days.astype("datetime64[D]").astype("datetime64[Y]")).astype(np.int64) + 1970
        best = self._in_leap_years(around).ns(zone_ns)
        for year in (around - 1, around + 1):
            ns = self._in_leap_years(year).ns(zone_ns)
            best = np.where(np.abs(ns - near_ns) < np.abs(best - near_ns), ns, best)
        return best

    def _in_leap_years(self, year: I64) -> Moment:
        """Give the same times in other years; 29 February in the leap year nearest to each."""
        leap_day = (self.month == 2) & (self.day == 29)
        if not leap_day.any():
            return self._replace(year=year)
        nearest = year
        for step in (0, -1, 1, -2, 2, -3, 3, -4, 4):
            lacking = leap_day & (month_days(nearest, self.month) < 29)
            nearest = np.where(lacking, year + step, nearest)
        return self._replace(year=nearest)


def month_days(year: I64, month: I64) -> I64:
    """Give the days of months; 31 for a month that is none."""
    known = np.where((month >= 1) & (month <= 12), month, 1)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days: I64 = _LONGEST_MONTHS[known] - ((known == 2) & ~leap)
    return days


def days_since_1970(year: I64, month: I64, day: I64) -> I64:
    """Give days since 1970-01-01 of days in the Gregorian calendar."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days: I64 = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return days


def _all_digits(octets: U8) -> Bool:
    """Tell which rows of [rows, width] octets are digits throughout."""
    digits: Bool = np.all(octets - _ZERO < 10, axis=1)
    return digits


def pairs(octets: U8) -> list[I64]:
    """Give each two digits of [rows, width] octets as a column of numbers."""
    return [decimal(octets[:, at : at + 2]) for at in range(0, octets.shape[1], 2)]


_QUARTER = 900 * SECOND
_MOST_QUARTERS = 48
_AHEAD, _BEHIND, _RELATIVE = b"+-R"


class SmppTimes:
    """ValId_Time or At_Time by the column: `YYMMDDhhmmsstnnp` and a NUL (CMPP 2.0 §7.4.3.1)."""

    def __init__(self, octets: U8) -> None:
        """Take [rows, 17] octets; nothing is read yet."""
        self.octets = octets

    @cached_property
    def given(self) -> Bool:
        """The field is not blank."""
        given: Bool = np.any(self.octets != 0, axis=1)
        return given

    @cached_property
    def fits(self) -> Bool:
        """The field begins with 15 digits and +, - or R."""
        sign = self.octets[:, 15]
        known = (sign == _AHEAD) | (sign == _BEHIND) | (sign == _RELATIVE)
        fits: Bool = known & _all_digits(self.octets[:, :15])
        return fits

    @cached_property
    def relative(self) -> Bool:
        """The field fits and tells a span."""
        relative: Bool = self.fits & (self.octets[:, 15] == _RELATIVE)
        return relative

    @cached_property
    def absolute(self) -> Bool:
        """The field fits and tells a moment."""
        absolute: Bool = self.fits & (self.octets[:, 15] != _RELATIVE)
        return absolute

    @cached_property
    def moment(self) -> Moment:
        """The parts of a moment; `year` in full."""
        year, *parts = pairs(self.octets[:, :12])
        return Moment(year + _CENTURY, *parts)

    @cached_property
    def tenth(self) -> I64:
        """Tenths of a second."""
        return decimal(self.octets[:, 12:13])

    @cached_property
    def quarters(self) -> I64:
        """Quarters of an hour by which the moment's clock differs from UTC: ahead of it, below 0 behind it."""
        return decimal(self.octets[:, 13:15]) * np.where(self.octets[:, 15] == _BEHIND, -1, 1)

    @cached_property
    def right(self) -> Bool:
        """The field tells a span, or a moment of the calendar with a zone that exists."""
        zone = np.abs(self.quarters) <= _MOST_QUARTERS
        return self.relative | (self.absolute & zone & self.moment.right)

    def bounds_ns(self, now_ns: I64) -> tuple[I64, I64]:
        """Give the earliest and latest moment that each row may mean; a span counts from `now_ns`.

        A year has 365 or 366 days, a month 28 to 31.
        """
        parts = self.moment
        moment = parts.ns(self.quarters * _QUARTER) + self.tenth * (SECOND // 10)
        short, long = (
            (
                ((years * (parts.year - _CENTURY) + months * parts.month + parts.day) * 24 + parts.hour) * 60
                + parts.minute
            )
            * 60
            + parts.second
            for years, months in ((365, 28), (366, 31))
        )
        least = np.where(self.relative, now_ns + short * SECOND, moment)
        most = np.where(self.relative, now_ns + long * SECOND, moment)
        return least, most
