"""Counts and times in words for people."""

from __future__ import annotations

_LONG_MS = 600_000
"""Ten minutes, from which on seconds are no help."""


def milliseconds(value: float) -> str:
    """Write milliseconds with three figures or so; long times in minutes, hours or days."""
    if abs(value) >= _LONG_MS:
        return long_time(value / 1000)
    if abs(value) >= 10_000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.2f} ms"


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


def plural(count: int, noun: str) -> str:
    """Write a count and its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
