"""The four ways in which CMPP writes a time.

Each reader takes what stands in the field and gives a `Parsed`: the value, or None and the reason
in one line. A blank field is no problem: value None, problem empty. No time in CMPP names its zone
but the absolute form of ValId_Time and At_Time.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_SMPP = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([-+R])")
_QUARTER = dt.timedelta(minutes=15)
_MAX_QUARTERS = 48
_CENTURY = 2000


class Parsed(NamedTuple, Generic[T]):
    """A value read from a field, or why there is none."""

    value: T | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RelativeTime:
    """A span from the message centre's present time (ValId_Time, At_Time ending in R)."""

    years: int
    months: int
    days: int
    hours: int
    minutes: int
    seconds: int

    def __str__(self) -> str:
        """Name the parts that are not zero, the greatest first."""
        parts = ((name, getattr(self, name)) for name in self.__slots__)
        return ", ".join(f"{count} {name[:-1] if count == 1 else name}" for name, count in parts if count) or "at once"


@dataclass(frozen=True, slots=True)
class ClockTime:
    """Month, day and time of day of a CONNECT Timestamp, which has no year."""

    month: int
    day: int
    hour: int
    minute: int
    second: int

    def __str__(self) -> str:
        """Write `MM-DD hh:mm:ss`."""
        return f"{self.month:02}-{self.day:02} {self.hour:02}:{self.minute:02}:{self.second:02}"


def parse_smpp_time(field: bytes) -> Parsed[dt.datetime | RelativeTime]:
    """Read ValId_Time or At_Time (CMPP 2.0 §7.4.3.1; grammar of SMPP 3.4 §7.1.1)."""
    text, _nul, rest = field.partition(b"\0")
    if not text and not rest.strip(b"\0"):
        return Parsed(None)
    match = _SMPP.fullmatch(text)
    if match is None:
        return Parsed(None, "not 15 digits and +, - or R")
    year, month, day, hour, minute, second, tenth, quarters = map(int, match.groups()[:8])
    if match[9] == b"R":
        return Parsed(RelativeTime(year, month, day, hour, minute, second))
    if quarters > _MAX_QUARTERS:
        return Parsed(None, f"zone {quarters} quarters of an hour away")
    ahead = quarters * _QUARTER if match[9] == b"+" else -quarters * _QUARTER
    try:
        return Parsed(
            dt.datetime(
                _CENTURY + year,
                month,
                day,
                hour,
                minute,
                second,
                tenth * 100_000,
                dt.timezone(ahead),
            )
        )
    except ValueError as error:
        return Parsed(None, str(error))


def parse_report_time(field: bytes) -> Parsed[dt.datetime]:
    """Read Submit_time or Done_time of a report: YYMMDDHHMM, local time (CMPP 2.0 §7.4.5.1)."""
    return _parse_digits(field, 10, lambda n: dt.datetime(_CENTURY + n[0], n[1], n[2], n[3], n[4]))  # noqa: DTZ001 - zone unknown


def parse_day(field: bytes) -> Parsed[dt.date]:
    """Read the Time of a QUERY: YYYYMMDD (CMPP 2.0 §7.4.4.1)."""
    return _parse_digits(field, 8, lambda n: dt.date(n[0] * 100 + n[1], n[2], n[3]))


def parse_timestamp(number: int) -> Parsed[ClockTime]:
    """Read the Timestamp of a CONNECT: the number MMDDHHMMSS (CMPP 2.0 §7.4.1.1)."""
    digits = f"{number:010d}"
    parts = [int(digits[i : i + 2]) for i in range(0, 10, 2)]
    try:
        dt.datetime(_CENTURY, *parts)  # type: ignore[arg-type]  # noqa: DTZ001 - a leap year, for the ranges alone
    except ValueError as error:
        return Parsed(None, str(error))
    return Parsed(ClockTime(*parts))


def _parse_digits(field: bytes, count: int, build: Callable[[list[int]], T]) -> Parsed[T]:
    """Read `count` digits, in pairs, and give the pairs to `build`."""
    text = field.rstrip(b"\0")
    if not text:
        return Parsed(None)
    if len(text) != count or not text.isdigit():
        return Parsed(None, f"not {count} digits")
    try:
        return Parsed(build([int(text[i : i + 2]) for i in range(0, count, 2)]))
    except ValueError as error:
        return Parsed(None, str(error))
