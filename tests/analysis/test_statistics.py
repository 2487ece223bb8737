"""Statistics: percentiles, throughput and the slowest, exact or within their bounds, in any order."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.analysis.statistics import BUCKETS, SLOWEST, Latency, Throughput
from cmppscope.tables import PduBatch
from tests.rules.conversation import told

_LATENCIES = st.lists(st.one_of(st.integers(0, 300), st.integers(0, 1 << 40), st.integers(0, (1 << 62))), min_size=1)


def added(*parts: list[int]) -> Latency:
    """Count latencies, part by part."""
    latency = Latency()
    for part in parts:
        latency.add(np.array(part, np.int64))
    return latency


@given(_LATENCIES, st.sampled_from((1, 50, 90, 95, 99, 100)))
def test_percentiles_are_within_one_percent_of_the_nearest_rank(values: list[int], percent: int) -> None:
    """A percentile is at most 1 % off the exact one by nearest rank."""
    exact = sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]
    assert abs(added(values).percentile_ns(percent) - exact) <= exact * 0.01 + (exact == 0)


@given(_LATENCIES, st.randoms(use_true_random=False), st.integers(0, 50))
def test_order_and_parts_change_nothing(values: list[int], random: object, cut: int) -> None:
    """Count, sum, least, greatest and percentiles are those of the set."""
    whole = added(values)
    mixed = list(values)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    parts = added(mixed[:cut], mixed[cut:])
    names = ("count", "total_ns", "least_ns", "greatest_ns", "mean_ns")
    assert [getattr(whole, name) for name in names] == [getattr(parts, name) for name in names]
    assert (whole.count, whole.total_ns, whole.least_ns) == (len(values), sum(values), min(values))
    assert [whole.percentile_ns(p) for p in (1, 50, 99)] == [parts.percentile_ns(p) for p in (1, 50, 99)]


@pytest.mark.parametrize("value", [0, 1, (1 << 63) - 1])
def test_extremes(value: int) -> None:
    """The least and the greatest 64-bit latencies are counted, alone or twice."""
    latency = added([value, value])
    assert (latency.percentile_ns(50), latency.total_ns) == (value, 2 * value)


def test_none_is_none() -> None:
    """Without latencies all is 0."""
    assert (Latency().percentile_ns(50), Latency().mean_ns) == (0, 0)


def batch_at(seconds: list[int]) -> PduBatch:
    """Make PDUs of 12 octets at some seconds."""
    none, small = np.zeros(len(seconds), np.int64), np.zeros(len(seconds), np.uint8)
    length, time_ns = none + 12, np.array(seconds, np.int64) * 1_000_000_000
    return PduBatch(small, 1, none, length, none, none, small, small, none, none, none, none, none, time_ns)


@given(st.lists(st.integers(0, 2_000_000_000), min_size=1), st.integers(0, 40))
def test_throughput_keeps_every_pdu(seconds: list[int], cut: int) -> None:
    """There are at most BUCKETS buckets, each PDU stands in its own, and parts change nothing."""
    whole, parts = Throughput(), Throughput()
    whole.add(batch_at(seconds))
    for part in (seconds[cut:], seconds[:cut]):
        if part:
            parts.add(batch_at(part))
    start, pdus, octets = whole.series()
    width = 1 << whole.doublings
    assert len(pdus) <= BUCKETS
    assert octets == [12 * count for count in pdus]
    expected = Counter((second - start) // width for second in seconds)
    assert {at: count for at, count in enumerate(pdus) if count} == expected
    assert parts.series() == whole.series()


@given(st.lists(st.integers(1, 30), max_size=30), st.lists(st.integers(0, 70), max_size=4))
def test_the_slowest_are_exact(delays: list[int], cuts: list[int]) -> None:
    """The slowest ten are those by latency, the earlier first where it is equal."""
    lines = ["0 SP ACTIVE_TEST 9999", "0 ISMG ACTIVE_TEST_RESP 9999"]
    for number, delay in enumerate(delays):
        lines += [f"{100 * number} SP ACTIVE_TEST {number}", f"{100 * number + delay} ISMG ACTIVE_TEST_RESP {number}"]
    found = told(lines, cuts=cuts).analysis.statistics.slowest
    expected = sorted([(0, 1), *((delay, 3 + 2 * n) for n, delay in enumerate(delays))], key=lambda e: (-e[0], e[1]))
    assert [(slow.latency_ns // 1_000_000_000, -slow.minus_pdu) for slow in found] == expected[:SLOWEST]


def test_counts_by_command() -> None:
    """Requests, responses, resends and results are counted by command."""
    counts = told(
        "0 SP SUBMIT 1\n5 SP SUBMIT 1\n6 ISMG SUBMIT_RESP 1 result=8\n"
        "7 SP SUBMIT 2 text=b\n8 ISMG SUBMIT_RESP 9\n9 SP RST"
    ).analysis.statistics.transactions[4]
    assert (counts.requests, counts.responses, counts.resends, counts.unanswered) == (2, 1, 1, 1)
    assert (counts.results, counts.strays["orphan"]) == ({8: 1}, 1)
