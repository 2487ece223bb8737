"""Clocks of pcapng interfaces against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.capture.clock import SECONDS_MAX, Clock

LIMIT = SECONDS_MAX * 10**9


def exact(resolution: int, ticks: int) -> int:
    """Scale with fractions of any size."""
    base = 2 if resolution & 0x80 else 10
    return int(Fraction(ticks * 10**9, base ** (resolution & 0x7F)))


@given(resolution=st.integers(0, 255), ticks=st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_any_ticks(resolution: int, ticks: list[int]) -> None:
    """Nanoseconds are exact, or stand at the limit of 64 bits."""
    found = Clock(resolution).nanoseconds(np.array(ticks, np.uint64)).tolist()
    for got, tick in zip(found, ticks, strict=True):
        want = exact(resolution, tick)
        assert got == want if want < LIMIT else LIMIT <= got < 2**63


@pytest.mark.parametrize("resolution", range(256))
def test_every_resolution(resolution: int) -> None:
    """Every resolution is exact at the edges of what ticks can be."""
    ticks = [0, 1, 999_999, 1_000_000, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
    found = Clock(resolution).nanoseconds(np.array(ticks, np.uint64)).tolist()
    wanted = [exact(resolution, tick) for tick in ticks]
    assert [min(got, LIMIT) for got in found] == [min(want, LIMIT) for want in wanted]


@pytest.mark.parametrize("offset", [-(2**63), -5, 0, 7, 2**63 - 1])
def test_offset(offset: int) -> None:
    """The offset is added in seconds, as far as nanoseconds reach."""
    (got,) = Clock(6, offset).nanoseconds(np.array([3_000_001], np.uint64)).tolist()
    second = min(max(-SECONDS_MAX, min(offset, SECONDS_MAX)) + 3, SECONDS_MAX)
    assert got == second * 10**9 + 1000
