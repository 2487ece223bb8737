"""The headers of PDUs are those that tshark reads, frame by frame; where they are not, a table says why.

Tshark lays bodies out as CMPP 3.0, but headers it reads right. Compared are frame number, tcp.stream, Command_Id,
Sequence_Id and Total_Length of every PDU. A difference that the tables do not explain fails. Nothing is known that
tshark alone sees. What tshark 4.0 misses a later one may find: the tables say what it may miss, not what it must.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from make_capture import main as make_capture

pytestmark = [
    pytest.mark.tshark,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]

ROOT = Path(__file__).parents[2]
FILES = {
    path.name: path
    for folder in (ROOT / "samples", ROOT / "tests" / "data" / "real")
    for path in sorted(folder.glob("*.pcap*"))
}
GENERATED = {
    "whole": ["--seed=1"],
    "reorder": ["--seed=2", "--reorder=0.05"],
    "loss": ["--seed=3", "--loss=0.01"],
    "loss-and-reorder": ["--seed=4", "--loss=0.01", "--reorder=0.05"],
}
"""What benchmarks/make_capture.py is told, besides 1,500 frames of four streams."""
PORTS = (7890, 7891, 7900, 7930, 8855, 9168)
"""Every port on which these captures carry CMPP: tshark knows four by itself."""
MOST_OCTETS = 1_000
"""Tshark takes no PDU above this length (packet-cmpp.c)."""


class Header(NamedTuple):
    """A PDU as far as these tests look."""

    frame: int
    stream: int
    command: int
    sequence: int
    length: int


GAPS_SKIPPED = {
    "midstream_start_gocmpp.pcap.gz": "a segment is missing, and waiting for it tshark would read nothing behind it",
    "loss": "segments are missing, and waiting for them tshark would read nothing behind them",
}
"""Captures in which nothing comes out of order: tshark is told not to wait for what is missing, and reads on."""

SURPLUS = "octets that belong to no PDU stand before it: tshark takes them for the beginning of a header"
STUCK = "a header with Total_Length 0 came before it: tshark reads no more of that direction"
UNLISTED = "tshark takes no PDU whose Command_Id it does not list"
BEGINS_INSIDE = "the capture begins inside a PDU: tshark takes its rest for a header"
RESUMES_INSIDE = "the segment behind a lost one begins inside a PDU: tshark takes its rest for a header"
LARGE = "tshark takes no PDU above 1,000 octets"
HOLE = "tshark waits for octets that the capture does not hold, and reads nothing behind them"

ONLY_OURS: Mapping[str, Mapping[Header, str]] = {
    "broken-framing.pcap": {
        Header(10, 0, 0x04, 2, 187): SURPLUS,
        Header(26, 0, 0x0A, 8, 39): UNLISTED,
    },
    "desync_active_test_resp_pycmpp_gocmpp.pcap": {Header(16, 0, 0x80000008, 1, 13): SURPLUS},
    "tnt_csharp_query_totallength0_smsgate.pcap": {
        Header(20, 0, 0x07, 5, 20): STUCK,
        Header(22, 0, 0x04, 6, 176): STUCK,
        Header(24, 0, 0x08, 7, 12): STUCK,
        Header(26, 0, 0x02, 8, 12): STUCK,
    },
    "loss-and-resync.pcap": {
        Header(1, 0, 0x04, 613, 193): BEGINS_INSIDE,
        Header(5, 0, 0x04, 617, 193): HOLE,
        Header(9, 0, 0x04, 618, 187): HOLE,
        Header(14, 0, 0x04, 619, 187): HOLE,
        Header(14, 0, 0x04, 620, 187): HOLE,
    },
    "multidest100_long_node_gocmpp.pcap": {Header(8, 0, 0x04, 2, 2256): LARGE},
    "fmt_any_sll1.pcap": {Header(14, 0, 0x04, 3, 2248): LARGE},
    "fmt_ipv6_loopback.pcap": {Header(10, 0, 0x04, 3, 2248): LARGE},
    "fmt_ipv6_veth.pcap": {Header(13, 0, 0x04, 3, 2248): LARGE},
    "fmt_veth_pcap_ns.pcap": {Header(13, 0, 0x04, 3, 2248): LARGE},
    "fmt_veth_pcap_us.pcap": {Header(13, 0, 0x04, 3, 2248): LARGE},
    "fmt_veth_pcapng.pcapng": {Header(12, 0, 0x04, 3, 2248): LARGE},
}
"""PDUs that cmppscope finds and tshark does not, and why."""


def tshark(path: Path, *fields: str, wait: bool = True) -> list[list[str]]:
    """Let tshark print fields of every frame."""
    command = [
        "tshark",
        "-n",
        "-r",
        str(path),
        "--disable-protocol",
        "smpp",
        "-o",
        "tcp.relative_sequence_numbers:FALSE",
    ]
    command += ["-o", f"tcp.reassemble_out_of_order:{str(wait).upper()}"]
    command += [part for port in PORTS for part in ("-d", f"tcp.port=={port},cmpp")]
    command += ["-T", "fields", *(part for name in fields for part in ("-e", name))]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return [line.split("\t") for line in printed.splitlines()]


def theirs(path: Path, *, wait: bool) -> Counter[Header]:
    """List the PDUs as tshark sees them."""
    names = ("frame.number", "tcp.stream", "cmpp.Command_Id", "cmpp.Sequence_Id", "cmpp.Total_Length")
    found: Counter[Header] = Counter()
    for frame, stream, *values in tshark(path, *names, wait=wait):
        pdus = zip(*(value.split(",") for value in values if value), strict=True)
        found.update(Header(int(frame), int(stream), *(int(text, 0) for text in pdu)) for pdu in pdus)
    return found


def ours(rows: Iterable[dict[str, Any]]) -> Counter[Header]:
    """List the PDUs as cmppscope sees them."""
    names = ("frame", "stream", "command_id", "sequence_id", "total_length")
    return Counter(Header(*(row[name] for name in names)) for row in rows)


def behind_holes(path: Path) -> set[int]:
    """List the frames that come when octets are missing before their end, in their direction, for good.

    A direction is counted from the lowest sequence number that occurs in it; numbers of these captures do not wrap.
    """
    directions: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for frame, stream, port, seq, length, flags in tshark(
        path, "frame.number", "tcp.stream", "tcp.srcport", "tcp.seq", "tcp.len", "tcp.flags"
    ):
        start = int(seq) + bool(int(flags, 0) & 2)
        directions.setdefault((stream, port), []).append((start, start + int(length), int(frame)))
    found = set()
    for segments in directions.values():
        reached = min(start for start, _, _ in segments)
        for start, end, _ in sorted(segments):
            if start > reached:
                break
            reached = max(reached, end)
        found |= {frame for _, end, frame in segments if end > reached}
    return found


def behind_lost(path: Path) -> set[int]:
    """List the frames in front of which tshark itself misses a segment."""
    return {int(frame) for frame, lost in tshark(path, "frame.number", "tcp.analysis.lost_segment") if lost}


GENERATED_MISSES: Mapping[str, tuple[str, Callable[[Path], set[int]]]] = {
    "loss": (RESUMES_INSIDE, behind_lost),
    "loss-and-reorder": (HOLE, behind_holes),
}
"""For generated captures, why tshark misses PDUs, and the frames in which it may."""


@pytest.fixture
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give a file of the project, or a generated one."""
    name: str = request.param
    if name in FILES:
        return FILES[name]
    path = tmp_path / f"{name}.pcap"
    make_capture(["--frames=1500", "--streams=4", *GENERATED[name], str(path)])
    return path


@pytest.mark.parametrize(
    ("name", "capture"), [(name, name) for name in (*FILES, *GENERATED)], ids=(*FILES, *GENERATED), indirect=["capture"]
)
def test_headers_are_those_of_tshark(cli: Callable[..., Any], name: str, capture: Path) -> None:
    """Every PDU that tshark reads is found, in the same frame and stream; each one more is explained."""
    we = ours(cli("pdus", capture, "--format", "ndjson").rows)
    they = theirs(capture, wait=name not in GAPS_SKIPPED)
    assert they - we == Counter()
    explained = Counter(ONLY_OURS.get(name, {}).keys())
    assert explained - we == Counter()
    more = we - they - explained
    if more and name in GENERATED_MISSES:
        frames = GENERATED_MISSES[name][1](capture)
        more = Counter({pdu: count for pdu, count in more.items() if pdu.frame not in frames})
    assert more == Counter()


def test_explanations_hold_what_they_say() -> None:
    """PDUs said to be large are, no others are; every capture named is one that is compared."""
    named = [*GAPS_SKIPPED, *ONLY_OURS, *GENERATED_MISSES]
    assert set(named) <= {*FILES, *GENERATED}
    for pdu, why in (each for table in ONLY_OURS.values() for each in table.items()):
        assert (pdu.length > MOST_OCTETS) == (why == LARGE)
