"""What the capture lost is never the peer's fault."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "data" / "real"
CLEAN = {
    "fmt_veth_pcap_us.pcap": (30, 32),
    "idle_heartbeat_smsgate.pcap": (27, 28),
    "reports_smsgate_ismg_gocmpp_sp.pcap": (37, 38),
}
"""Sessions that keep the rules of a session, and the frames that hold each side's last PDU."""
WRITTEN = {"submit-feecode", "dest-many-report", "dest-count-100"}
"""Rules that a single SUBMIT of these sessions breaks, whatever else the capture holds: judged in docs/judged.toml."""


def frames_of(octets: bytes) -> Iterator[bytes]:
    """Yield the records of a little-endian pcap file."""
    at = 24
    while at < len(octets):
        size = 16 + struct.unpack_from("<I", octets, at + 8)[0]
        yield octets[at : at + size]
        at += size


def blamed(report: dict[str, Any]) -> set[str]:
    """Give the rules that a peer is said to have broken, notes aside, but for what its PDUs themselves say."""
    found = {f["rule"] for f in report["findings"] if f["fault"] == "peer" and f["severity"] != "note"}
    return found - WRITTEN


@pytest.mark.parametrize("name", CLEAN)
def test_a_lost_frame_is_the_captures_fault(name: str, cli: Callable[..., Any]) -> None:
    """Whichever one frame of a clean session is missing from the capture, no peer is blamed for it."""
    octets = (FOLDER / name).read_bytes()
    frames = list(frames_of(octets))
    wrong = {}
    for lost in set(range(1, len(frames) + 1)) - set(CLEAN[name]):
        rest = octets[:24] + b"".join(frames[: lost - 1] + frames[lost:])
        found = blamed(cli("report", "-", stdin=rest).report)
        if found:
            wrong[lost] = found
    assert wrong == {}


@pytest.mark.parametrize("name", CLEAN)
def test_a_lost_last_frame_is_the_captures_fault(name: str, cli: Callable[..., Any]) -> None:
    """The same holds for the last PDU of either side, of which only the FIN behind it tells."""
    octets = (FOLDER / name).read_bytes()
    frames = list(frames_of(octets))
    rests = [octets[:24] + b"".join(frames[: lost - 1] + frames[lost:]) for lost in CLEAN[name]]
    assert [blamed(cli("report", "-", stdin=rest).report) for rest in rests] == [set(), set()]


@pytest.mark.parametrize("name", CLEAN)
def test_a_late_start_is_the_captures_fault(name: str, cli: Callable[..., Any]) -> None:
    """Wherever a capture of a clean session begins or ends, no peer is blamed for what lies outside."""
    octets = (FOLDER / name).read_bytes()
    frames = list(frames_of(octets))
    wrong = {}
    for cut in range(1, len(frames)):
        for part, held in (("from", frames[cut:]), ("to", frames[:cut])):
            found = blamed(cli("report", "-", stdin=octets[:24] + b"".join(held)).report)
            if found:
                wrong[part, cut] = found
    assert wrong == {}


def test_the_busy_session_cut_out_of_the_middle(cli: Callable[..., Any]) -> None:
    """Of half a second out of the middle of a session, with a Gap, no peer is blamed for anything."""
    report = cli("report", FOLDER / "midstream_start_gocmpp.pcap.gz").report
    assert blamed(report) == set()
    assert {f["rule"] for f in report["findings"] if f["fault"] == "capture"} >= {
        "frame-gap",
        "capture-request-missing",
    }
