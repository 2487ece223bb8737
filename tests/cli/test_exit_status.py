"""Exit statuses, and the one line on standard error that goes with each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


def said(ended: Any) -> str:
    """Give the last line of standard error, which is the message."""
    assert "Traceback" not in ended.err
    return str(ended.err.strip().splitlines()[-1]) if ended.err else ""


def test_done(cli: Cli, demo: Path) -> None:
    """A capture without fault ends with 0 and nothing on standard error."""
    ended = cli("report", demo)
    assert (ended.status, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("capture", "fail_on", "status"),
    [
        ("unanswered-and-late.pcap", (), 0),
        ("unanswered-and-late.pcap", ("--fail-on", "error"), 1),
        ("unanswered-and-late.pcap", ("--fail-on", "warn"), 1),
        ("login-and-report.pcap", ("--fail-on", "warn"), 0),
        ("loss-and-resync.pcap", ("--fail-on", "error"), 0),
        ("loss-and-resync.pcap", ("--fail-on", "warn"), 1),
    ],
)
def test_fail_on(cli: Cli, demo: Path, capture: str, fail_on: tuple[str, ...], status: int) -> None:
    """A finding at or above --fail-on makes the status 1; the report is written all the same."""
    ended = cli("report", demo.parent / capture, *fail_on)
    assert (ended.status, ended.err) == (status, "")
    assert ended.report["schema_version"] == 1


USAGE = {
    "no such command": (("frobnicate",), "Error: No such command 'frobnicate'."),
    "no such option": (("report", "--bogus", "DEMO"), "Error: No such option: --bogus"),
    "no such option, no command": (("--bogus", "DEMO"), "Error: No such option: --bogus"),
    "no capture": (("report",), "Error: Missing argument 'CAPTURE...'."),
    "a zone that is none": (
        ("report", "--tz", "Mars", "DEMO"),
        "Error: Invalid value for --tz: 'Mars' is no time zone (UTC+8, +08:00, Asia/Shanghai)",
    ),
    "a time that is none": (
        ("report", "--from", "noon", "DEMO"),
        "Error: Invalid value for --from: 'noon' is no time (2026-06-01T10:15:30)",
    ),
    "a port without kind": (
        ("report", "--decode-as", "tcp.port==7890", "DEMO"),
        "Error: Invalid value for --decode-as: 'tcp.port==7890' is not tcp.port==N,KIND with KIND one of KINDS",
    ),
    "a port beyond all": (
        ("report", "--decode-as", "tcp.port==70000,cmpp20", "DEMO"),
        "Error: Invalid value for --decode-as: 'tcp.port==70000,cmpp20' is not tcp.port==N,KIND with KIND one of KINDS",
    ),
    "a configuration that is not there": (
        ("report", "--config", "nowhere.toml", "DEMO"),
        "Error: Invalid value for --config: nowhere.toml: No such file or directory",
    ),
    "show what": (("show", "DEMO"), "Error: Invalid value for --pdu: give either --pdu N or --frame N"),
    "show both": (
        ("show", "--pdu", "1", "--frame", "1", "DEMO"),
        "Error: Invalid value for --pdu: give either --pdu N or --frame N",
    ),
    "no such PDU": (
        ("show", "--pdu", "99", "DEMO"),
        "cmppscope: there is no PDU 99; the capture has 23 frames and 12 PDUs",
    ),
    "no PDU ends there": (
        ("show", "--frame", "1", "DEMO"),
        "cmppscope: no PDU has octets in frame 1; the capture has 23 frames and 12 PDUs",
    ),
    "a folder that is not there": (
        ("report", "-o", "/nowhere/report.json", "DEMO"),
        "Error: Invalid value for --output: /nowhere/report.json: No such file or directory",
    ),
    "results over the capture": (
        ("report", "DEMO", "-o", "DEMO"),
        "Error: Invalid value for --output: DEMO is the capture itself",
    ),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_command_lines(cli: Cli, demo: Path, tmp_path: Path, case: str) -> None:
    """What cannot be asked for ends with 2, a message, and nothing on standard output."""
    demo = Path(shutil.copy(demo, tmp_path))
    arguments, message = USAGE[case]
    message = message.replace("KINDS", "cmpp20, cmpp30, none")
    before = demo.read_bytes()
    ended = cli(*(demo if argument == "DEMO" else argument for argument in arguments))
    assert (ended.status, said(ended).replace(str(demo), "DEMO"), ended.out) == (2, message, b"")
    assert demo.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text", "not a capture file (starts with 7468 6973 2069 7320 …)"),
        ("empty", "empty file"),
        ("missing", "No such file or directory"),
        ("folder", "no capture files in this folder"),
    ],
)
@pytest.mark.parametrize("command", ["report", "pdus", "transactions", "sessions", "findings"])
def test_nothing_can_be_read(cli: Cli, bad: dict[str, Path], command: str, name: str, message: str) -> None:
    """Where no capture can be read the status is 3, and no file is made or emptied."""
    kept = bad[name].parent / "kept"
    kept.write_text("kept")
    for out in ((), ("-o", kept)):
        ended = cli(command, bad[name], *out)
        assert (ended.status, ended.out, ended.err) == (3, b"", f"cmppscope: {bad[name]}: {message}\n")
    assert kept.read_text() == "kept"


@pytest.mark.parametrize(
    ("name", "pdus", "message"),
    [
        ("cut", 12, "cut.pcap: record 23 at octet 2131 cut short: has 40 of 70 octets"),
        ("damaged", 11, "damaged.pcap: record 11 at octet 1196 claims 2147483647 octets, 91 octets skipped"),
    ],
)
def test_read_in_part(cli: Cli, bad: dict[str, Path], name: str, pdus: int, message: str) -> None:
    """Everything before the damage is reported, the damage too, and the status is 4."""
    ended = cli("report", bad[name])
    assert (ended.status, ended.err) == (4, f"cmppscope: {message}\n")
    assert (ended.report["totals"]["pdus"], ended.report["capture"]["damage"]) == (pdus, [message])
    assert [row["pdu"] for row in cli("pdus", "--format", "ndjson", bad[name]).rows] == list(range(1, pdus + 1))
    text = cli("report", "--format", "text", bad[name]).text.splitlines()
    assert text[1].startswith("  Read in part: ")


def test_a_block_that_cannot_be(cli: Cli, bad: dict[str, Path]) -> None:
    """A pcapng block of an impossible length is named by number and place."""
    ended = cli("report", bad["block"])
    assert ended.status == 4
    assert ended.err.splitlines()[0] == (
        "cmppscope: block.pcap: block 2 at octet 28 claims 13 octets, and nothing behind it can be read"
    )


@pytest.mark.parametrize("name", ["text", "empty", "missing"])
def test_one_of_several_cannot_be_read(cli: Cli, bad: dict[str, Path], faulty: Path, name: str) -> None:
    """The others are reported, the status is 4, and damage goes before findings."""
    ended = cli("report", bad[name], faulty, "--fail-on", "error")
    assert (ended.status, ended.report["totals"]["pdus"]) == (4, 20)
    assert ended.err.startswith(f"cmppscope: {name}.pcap: ")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [("header", "no CMPP found: no frames"), ("linktype", "no CMPP found: 23 frames, no TCP segment")],
)
def test_nothing_inside(cli: Cli, bad: dict[str, Path], name: str, message: str) -> None:
    """A capture that holds no CMPP is no fault: the status is 0, and standard error says what there was."""
    ended = cli("report", bad[name])
    assert (ended.status, len(ended.err.splitlines())) == (0, 1)
    assert ended.err.startswith(f"cmppscope: {message}")
    assert (ended.report["totals"]["pdus"], ended.report["findings"]) == (0, [])


def test_other_protocols(cli: Cli, demo: Path) -> None:
    """SMPP, HTTP and TLS are named as what they are, as far as that is known, and none of them is called CMPP."""
    ended = cli("report", "--format", "text", demo.parent / "not-cmpp.pcap")
    assert (ended.status, ended.err) == (
        0,
        "cmppscope: no CMPP found: 3 TCP connections (SMPP, TLS, unknown)\n",
    )
    assert "No CMPP in 3 TCP connections (1 SMPP, 1 TLS, 1 unknown)" in ended.text


def test_the_program_says_the_same(program: Cli, bad: dict[str, Path], demo: Path, faulty: Path) -> None:
    """In a process of its own every status is the same, and no traceback is shown."""
    runs = [
        program("report", demo),
        program("report", faulty, "--fail-on", "error"),
        program("report", "--bogus"),
        program("report", bad["text"]),
        program("report", bad["cut"]),
    ]
    assert [run.status for run in runs] == [0, 1, 2, 3, 4]
    assert [run for run in runs if "Traceback" in run.err] == []
