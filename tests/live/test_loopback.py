"""`cmppscope live` on this machine's own loopback, and what it says where it cannot listen."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dissectors.cmpp import CMPP, CMPPConnect

if TYPE_CHECKING:
    from tests.live.conftest import Stage

NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
"""A user without rights, but for reading where this Python is installed."""


def test_loopback_shows_a_session_once(stage: Stage, port: int) -> None:
    """On any port, every frame once, and as text where no file is named."""
    live = stage.live("lo", "--bpf", f"tcp port {port}")
    stage.talk("127.0.0.1", port, 50)
    assert live.end(signal.SIGINT) == 0, live.said
    text = live.out.read_text()
    assert "1 session" in text.splitlines()[0]
    assert "50 SUBMITs: 45 accepted, 5 refused" in text
    assert "retransmi" not in text


def test_what_is_open_at_the_end_is_reported(stage: Stage, port: int) -> None:
    """The end of the capture settles what only the end can tell."""
    live = stage.live("lo", "--bpf", f"tcp port {port}", "--decode-as", f"tcp.port=={port},cmpp20", "--report", "-")
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)) as client:
        served, _ = server.accept()
        connect = bytes(CMPP(Sequence_Id=1) / CMPPConnect(Source_Addr="901234"))
        with served:
            client.sendall(connect)
            assert served.recv(100) == connect
            assert live.end(signal.SIGINT) == 0, live.said
    report = json.loads(live.out.read_bytes())
    (row,) = report["transactions"]["commands"]
    assert (row["command"], row["requests"], row["open"]) == ("CMPP_CONNECT", 1, 1)


def test_the_format_can_be_chosen(stage: Stage, tmp_path: Path) -> None:
    """A file is JSON unless it is to be text."""
    written = tmp_path / "report.txt"
    live = stage.live("lo", "--bpf", "tcp port 1", "--duration", 0.2, "--report", written, "--format", "text")
    assert live.end() == 0, live.said
    assert written.read_text().startswith("lo: 0 frames")
    assert "cmppscope: no CMPP found: no frames\n" in live.said


def test_stamps_are_the_kernels(stage: Stage, port: int, tmp_path: Path) -> None:
    """What is not stamped for every listener has the same nanoseconds as in tcpdump's file, and the same octets."""
    dumped, expression = tmp_path / "dump.pcap", f"udp port {port}"
    live = stage.rows("lo", expression)
    tcpdump = stage.tcpdump("lo", dumped, *expression.split())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        for number in range(60):
            sending.sendto(os.urandom(number * number * 10 % 60_000), ("127.0.0.1", port))
            time.sleep(0.002)
    time.sleep(1.5)
    tcpdump.end(signal.SIGINT)
    assert live.end(signal.SIGTERM) == 0, live.said
    offline = stage.rows(dumped)
    assert offline.end() == 0
    assert len(live.out.read_text().splitlines()) == 60
    assert live.out.read_text() == offline.out.read_text()


def test_without_rights_it_says_how_to_get_them(stage: Stage) -> None:
    """One line, exit status 3."""
    refused = stage.cmppscope("live", "-i", "lo", prefix=NOBODY)
    assert refused.end() == 3
    python = os.path.realpath(sys.executable)
    assert refused.said == (
        "cmppscope: capturing on lo needs the right to open a packet socket: run as root, or give it once: "
        f"setcap cap_net_raw,cap_net_admin=eip {python}\n"
    )


def test_interfaces_needs_no_rights(stage: Stage) -> None:
    """Anyone may know what there is."""
    listing = stage.cmppscope("interfaces", prefix=NOBODY)
    assert listing.end() == 0
    assert listing.said.splitlines()[1].split()[:3] == ["lo", "Ethernet", "up"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("-i", "nix0"), 3, "cmppscope: nix0: no such interface (there are: lo"),
        (("-i", "lo", "--bpf", "tcp prot 1"), 2, "Invalid value for --bpf: 'tcp prot 1': can't parse filter"),
        (("-i", "lo", "--duration", "0"), 2, "Invalid value for --duration: 0 is no duration"),
        (("-i", "lo", "--report", "/no/such/folder/x"), 2, "Invalid value for --report: /no/such/folder/x cannot be"),
        ((), 2, "Missing option '--interface' / '-i'"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(stage: Stage, words: tuple[str, ...], status: int, said: str) -> None:
    """Nothing is captured, nothing is written."""
    refused = stage.cmppscope("live", *words)
    assert refused.end() == status
    assert said in " ".join(refused.said.split())
    assert "Traceback" not in refused.said


def test_a_second_signal_does_not_wait(stage: Stage, tmp_path: Path) -> None:
    """The first one is given back to whoever had it before, so the second ends the program."""
    code = (
        "import os, signal, sys, time\n"
        "from cmppscope.capture.live import LiveCapture\n"
        "from cmppscope.cli.live import ending_on_signals\n"
        "capture = LiveCapture('lo')\n"
        "with ending_on_signals(capture):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('first', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('second', flush=True)\n"
    )
    process = stage.start(sys.executable, "-c", code)
    assert process.end() == -signal.SIGTERM
    assert process.said == "first\n"
    assert not list(tmp_path.glob("*.json"))


def test_a_terminal_sees_how_it_goes(stage: Stage, tmp_path: Path) -> None:
    """Frames, PDUs, sessions and drops stand in one line that is written over, and is gone at the end."""
    code = (
        "import os, pty, sys\n"
        "status = pty.spawn([sys.executable, '-m', 'cmppscope', *sys.argv[1:]])\n"
        "sys.exit(os.waitstatus_to_exitcode(status))\n"
    )
    written = tmp_path / "report.json"
    words = ("live", "-i", "lo", "--bpf", "tcp port 1", "--duration", "3", "--report", written)
    process = stage.start(sys.executable, "-c", code, *words)
    assert process.end() == 0, process.said
    screen = process.out.read_bytes()
    lines = screen.split(b"\r")
    shown = [line for line in lines if line.endswith(b"0 frames, 0 PDUs, 0 sessions, 0 dropped\x1b[K")]
    assert 2 <= len(shown) <= 12, lines
    assert b"\r\x1b[Kcmppscope: 0 frames" in screen
    assert json.loads(written.read_bytes())["totals"]["frames"] == 0
