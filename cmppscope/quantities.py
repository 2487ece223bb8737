"""Counts and times in words for people: in what rules say, in reports and on the screens."""

from __future__ import annotations

_LONG_MS = 600_000
"""Ten minutes, from which on seconds are no help."""
_SHORT_MS = 10
"""Below this a time has no figures left as seconds."""


def milliseconds(value: float) -> str:
    """Write milliseconds with three figures or so; long times in minutes, hours or days."""
    if abs(value) >= _LONG_MS:
        return long_time(value / 1000)
    if abs(value) >= 10_000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.2f} ms"


def duration(nanoseconds: int) -> str:
    """Write a length of time as a sentence says it: 0.5 s, 12.3 s, 60 s, 3.5 h."""
    value = nanoseconds / 1_000_000
    if abs(value) >= _LONG_MS:
        return long_time(value / 1000)
    if 0 < abs(value) < _SHORT_MS:
        return f"{_trimmed(float(f'{value:.3g}'))} ms"
    return f"{value / 1000:.3g} s"


def duration_beside(nanoseconds: int, limit_ns: int) -> str:
    """Write a length of time so that it does not look like a limit that it is not: 60.02 s where that is 60 s."""
    words = duration(nanoseconds)
    if words != duration(limit_ns) or nanoseconds == limit_ns:
        return words
    own, limit = nanoseconds / 1_000_000_000, limit_ns / 1_000_000_000
    told = (at for at in range(9) if f"{own:.{at}f}" != f"{limit:.{at}f}" and round(limit, at) == limit)
    return f"{own:.{next(told, 9)}f} s"


def long_time(seconds: float) -> str:
    """Write seconds as minutes, from two hours on as hours, from two days on as days."""
    minutes = seconds / 60
    if abs(minutes) < 120:
        return f"{_figures(minutes)} min"
    hours = minutes / 60
    return f"{_figures(hours)} h" if abs(hours) < 48 else f"{_figures(hours / 24)} d"


def _figures(value: float) -> str:
    """Write a number with one decimal, unless that is 0 or the number is large."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}".removesuffix(".0")


def _trimmed(value: float) -> str:
    """Write a number with six decimals, without zeros at their end."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def plural(count: int, noun: str) -> str:
    """Write a count and its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class Number(int):
    """A number that a format string may count: `{a:octet is|octets are}` gives `1 octet is` or `2 octets are`."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        """Write the number, with the words that fit it where there are some."""
        one, bar, several = spec.partition("|")
        return f"{self:d} {one if self == 1 else several}" if bar else format(int(self), spec)
