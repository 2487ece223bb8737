"""How times, ends and latencies are written in reports."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from typing import Protocol

from cmppscope.reassembly import Endpoint
from cmppscope.report import model


class Measured(Protocol):
    """Latencies that can be summed up."""

    count: int
    least_ns: int
    greatest_ns: int

    @property
    def mean_ns(self) -> int:
        """The mean."""
        ...

    def percentile_ns(self, percent: int) -> int:
        """Give a percentile."""
        ...


def moment(time_ns: int) -> str:
    """Write a time in UTC with nanoseconds."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    when = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)  # noqa: DTZ001 - UTC, written as Z
    return f"{when.isoformat()}.{rest:09d}Z"


def milliseconds(nanoseconds: int) -> float:
    """Give milliseconds."""
    return nanoseconds / 1_000_000


def address(end: Endpoint) -> str:
    """Write an address without its port."""
    if end.ip_version == 4:
        return str(ipaddress.IPv4Address(end.address & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(end.address))


def endpoint(end: Endpoint) -> str:
    """Write address and port."""
    return f"{address(end)}:{end.port}" if end.ip_version == 4 else f"[{address(end)}]:{end.port}"


def latency(values: Measured) -> model.LatencyMs | None:
    """Give latencies in milliseconds, None where there are none."""
    if not values.count:
        return None
    percent = {f"p{p}": milliseconds(values.percentile_ns(p)) for p in (50, 90, 95, 99)}
    return model.LatencyMs(
        min=milliseconds(values.least_ns),
        mean=milliseconds(values.mean_ns),
        max=milliseconds(values.greatest_ns),
        **percent,
    )


def histogram(bins: Sequence[tuple[int, int, int]]) -> model.Histogram:
    """Give bins, each (from, to, count) in nanoseconds."""
    return model.Histogram(
        from_ms=[milliseconds(low) for low, _, _ in bins],
        to_ms=[milliseconds(high) for _, high, _ in bins],
        count=[count for *_, count in bins],
    )
