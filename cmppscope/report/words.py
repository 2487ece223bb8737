"""Counts and times in words for people."""

from __future__ import annotations


def milliseconds(value: float) -> str:
    """Write milliseconds with three figures or so."""
    if abs(value) >= 100_000_000:  # a clock that jumped
        return f"{value / 1000:.0e} s"
    if abs(value) >= 10_000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.2f} ms"


def plural(count: int, noun: str) -> str:
    """Write a count and its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
