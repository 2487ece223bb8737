"""Whatever octets are fed to it, the program ends in good order."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Cli = Callable[..., Any]
DEMO = (Path(__file__).parents[2] / "samples" / "broken-framing.pcap").read_bytes()
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def holds(cli: Cli, octets: bytes) -> None:
    """Demand of every command a documented status, no traceback, and output that can be read."""
    for command in (("report",), ("pdus", "--format", "ndjson"), ("report", "--format", "text")):
        ended = cli(*command, "-", stdin=octets)
        assert ended.status in {0, 3, 4}
        assert "Traceback" not in ended.err
        assert all(line.startswith("cmppscope: ") for line in ended.err.splitlines())
        if command == ("report",) and ended.status != 3:
            assert json.loads(ended.out)["schema_version"] == 1
        if command[0] == "pdus":
            assert [row["pdu"] for row in ended.rows] == list(range(1, len(ended.rows) + 1))


@given(st.binary(max_size=400))
@FEW
def test_random_octets(cli: Cli, octets: bytes) -> None:
    """Random octets, bare and behind a file header of pcap, raise nothing."""
    holds(cli, octets)
    holds(cli, PCAP + octets)


@given(
    st.lists(st.tuples(st.integers(0, len(DEMO) - 1), st.integers(0, 255)), min_size=1, max_size=30),
    st.integers(0, len(DEMO)),
)
@FEW
def test_a_capture_with_wrong_octets(cli: Cli, changes: list[tuple[int, int]], end: int) -> None:
    """A good capture with some octets changed, and cut anywhere, raises nothing."""
    octets = bytearray(DEMO)
    for at, value in changes:
        octets[at] = value
    holds(cli, bytes(octets))
    holds(cli, bytes(octets[:end]))
