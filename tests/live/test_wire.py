"""`cmppscope live` between two hosts says what tcpdump and `cmppscope report` say of the same traffic."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.live.conftest import Stage, Wire

PORT = 7890
FILTER = f"tcp port {PORT}"
NEAR_MS = 5.0
TIMES = ("_ms", "_time", "slowest", "audit", "latency", "latency_over_time", "network", "peers", "minutes", "histogram")
"""Ends of the names of what is a time, or measured in it."""


def without_times(value: Any) -> Any:
    """Leave out what depends on when the kernel stamped a frame: TCP of one machine is stamped for every listener."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if not key.endswith(TIMES)}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def of_the_capture(report: dict[str, Any]) -> dict[str, Any]:
    """Leave out what names the file."""
    capture = {key: value for key, value in report["capture"].items() if key not in {"files", "format"}}
    return {**report, "capture": capture}


def latencies(report: dict[str, Any]) -> list[float]:
    """Give the figures of every command, in milliseconds, that do not depend on a single frame."""
    rows = [row["latency_ms"] for row in report["transactions"]["commands"]]
    return [row[name] for row in [*rows, report["messages"]["end_to_end_ms"]] for name in ("min", "mean", "p50")]


def test_the_live_report_is_the_report_of_what_tcpdump_wrote(stage: Stage, wire: Wire, tmp_path: Path) -> None:
    """Both listen on one interface with one filter; only the times of stamping differ, by microseconds."""
    here = wire.inside(wire.sp)
    written, dumped = tmp_path / "live.json", tmp_path / "dump.pcap"
    live = stage.live(wire.interface, "--bpf", FILTER, "--duration", 60, "--report", written, prefix=here)
    tcpdump = stage.tcpdump(wire.interface, dumped, FILTER, prefix=here)
    stage.talk(wire.gateway_address, PORT, 300, gateway=wire.inside(wire.gateway), sp=here)
    time.sleep(1.5)  # tcpdump reads in blocks
    assert tcpdump.end(signal.SIGINT) == 0
    assert "0 packets dropped by kernel" in tcpdump.said
    assert live.end(signal.SIGINT) == 0, live.said
    assert live.out.read_bytes() == b""

    alive, offline = json.loads(written.read_bytes()), stage.report_of(dumped)
    counted = {row["command"]: row["count"] for row in alive["commands"]}
    assert counted == {
        **dict.fromkeys(("CMPP_CONNECT", "CMPP_ACTIVE_TEST", "CMPP_TERMINATE"), 1),
        **dict.fromkeys(("CMPP_CONNECT_RESP", "CMPP_ACTIVE_TEST_RESP", "CMPP_TERMINATE_RESP"), 1),
        **dict.fromkeys(("CMPP_SUBMIT", "CMPP_SUBMIT_RESP"), 300),
        **dict.fromkeys(("CMPP_DELIVER", "CMPP_DELIVER_RESP"), 270),
    }
    assert {finding["rule"] for finding in alive["findings"]} <= {"submit-refused", "flow-control"}
    (file,) = alive["capture"]["files"]
    assert (file["name"], file["format"], file["link_types"], file["damage"]) == ("wire0", "live", [1], None)

    throughput, other = alive.pop("throughput"), offline.pop("throughput")
    for series in ("pdus", "octets"):
        assert sum(throughput[series]) == sum(other[series])
    assert without_times(of_the_capture(alive)) == without_times(of_the_capture(offline))
    assert latencies(alive) == pytest.approx(latencies(offline), abs=NEAR_MS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_report(stage: Stage, wire: Wire, number: int) -> None:
    """Ctrl-C is the usual end: the report is written, the status is 0."""
    there = wire.inside(wire.gateway)
    live = stage.live(wire.interface, "--bpf", FILTER, "--report", "-", prefix=there)
    stage.talk(wire.gateway_address, PORT, 20, gateway=there, sp=wire.inside(wire.sp))
    assert live.end(number) == 0, live.said
    report = json.loads(live.out.read_bytes())
    assert (report["totals"]["sessions"], report["messages"]["submitted"]) == (1, 20)
    assert report["sessions"][0]["closed_by"] == "sp_terminate"


def test_an_interface_that_is_removed_ends_it(stage: Stage, wire: Wire) -> None:
    """What was seen is reported on; the status says that there is damage."""
    live = stage.live(wire.interface, "--report", "-", prefix=wire.inside(wire.gateway))
    stage.talk(wire.gateway_address, PORT, 20, gateway=wire.inside(wire.gateway), sp=wire.inside(wire.sp))
    wire.ip("-n", wire.sp, "link", "del", wire.interface)
    assert live.end() == 4, live.said
    assert "cmppscope: wire0: the interface was removed during the capture\n" in live.said
    report = json.loads(live.out.read_bytes())
    assert report["messages"]["submitted"] == 20
    assert report["capture"]["damage"] == ["wire0: the interface was removed during the capture"]


def test_an_interface_that_goes_down_ends_it(stage: Stage, wire: Wire) -> None:
    """The same where it may come up again."""
    live = stage.live(wire.interface, prefix=wire.inside(wire.gateway))
    wire.ip("-n", wire.gateway, "link", "set", wire.interface, "down")
    assert live.end() == 4, live.said
    assert "cmppscope: wire0: the interface went down during the capture (network is down)\n" in live.said


SEND_TAGGED = """
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((sys.argv[1], 0))
addresses = bytes.fromhex("ffffffffffff 020000000001")
for number in range(40):
    tag = [b"", bytes.fromhex("81000007"), bytes.fromhex("8100e064"), bytes.fromhex("88a8000781000064")][number % 4]
    wire.send(addresses + tag + bytes.fromhex("88b5") + bytes([number]) * (50 + number))
"""


@pytest.mark.parametrize(("expression", "count"), [("ether proto 0x88b5 or vlan", 40), ("vlan 7", 20)])
def test_vlan_tags_are_those_that_tcpdump_sees(
    stage: Stage, wire: Wire, tmp_path: Path, expression: str, count: int
) -> None:
    """Frames, tags, lengths and nanoseconds are the same; and a filter finds tags that the kernel took off."""
    here, dumped = wire.inside(wire.gateway), tmp_path / "dump.pcap"
    live = stage.rows(wire.interface, expression, prefix=here)
    tcpdump = stage.tcpdump(wire.interface, dumped, *expression.split(), prefix=here)
    sending = stage.start(sys.executable, "-c", SEND_TAGGED, wire.interface, prefix=wire.inside(wire.sp))
    assert sending.end() == 0, sending.said
    time.sleep(1.5)
    tcpdump.end(signal.SIGINT)
    assert live.end(signal.SIGTERM) == 0, live.said
    offline = stage.rows(dumped)
    assert offline.end() == 0
    assert len(live.out.read_text().splitlines()) == count
    assert live.out.read_text() == offline.out.read_text()


TUN = """
import fcntl, os, struct, subprocess, threading
from cmppscope.capture.live import LiveCapture
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", b"tun7", 0x1001))
subprocess.run(["ip", "link", "set", "tun7", "up"], check=True)
ipv4 = bytes.fromhex("450000280001000040060000 0a5a0101 0a5a0102 c0001ed2 00000001 00000000 50020000 00000000")
live = LiveCapture("tun7", "tcp port 7890", 1)
live.open()
os.write(fd, ipv4)
os.write(fd, ipv4[:20] + bytes(20))
for batch in live:
    for at in range(len(batch)):
        print(batch.linktype[at], batch.octets[batch.offset[at] :][: batch.caplen[at]].tobytes() == ipv4)
"""


def test_a_tunnel_gives_packets_without_link_header(stage: Stage, wire: Wire) -> None:
    """Link type 101; the filter, too, knows that there is no Ethernet header."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("no /dev/net/tun here")
    process = stage.start(sys.executable, "-c", TUN, prefix=wire.inside(wire.sp))
    assert process.end() == 0, process.said
    assert process.out.read_text() == "101 True\n"


def test_interfaces_are_listed(stage: Stage, wire: Wire) -> None:
    """Name, kind, state, addresses, one line each."""
    wire.ip("-n", wire.sp, "link", "add", "dummy7", "type", "bridge")
    done = subprocess.run(
        [*wire.inside(wire.sp), sys.executable, "-m", "cmppscope", "interfaces"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        cwd=stage.folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["name", "link", "state", "addresses"]
    by_name = {row[0]: row[1:] for row in rows[1:]}
    assert by_name["lo"] == ["Ethernet", "up", "127.0.0.1", "::1"]
    assert by_name["wire0"][:3] == ["Ethernet", "up", "10.90.0.1"]
    assert by_name["dummy7"] == ["Ethernet", "down"]
