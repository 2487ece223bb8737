"""Where captures come from and where results go."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmppscope import __version__

Cli = Callable[..., Any]
ROOT = Path(__file__).parents[2]
LISTS = ("pdus", "transactions", "sessions", "findings")


def without_files(report: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a report says of the files themselves."""
    return {name: part for name, part in report.items() if name != "capture"}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gz", "bz2", "xz"])
def test_standard_input(cli: Cli, demo: Path, pack: Callable[[bytes], bytes]) -> None:
    """`-` reads standard input, compressed or not."""
    ended = cli("report", "-", stdin=pack(demo.read_bytes()))
    assert (ended.status, ended.err, ended.report["capture"]["files"][0]["name"]) == (0, "", "-")
    assert without_files(ended.report) == without_files(cli("report", demo).report)


def test_a_real_pipe(program: Cli, demo: Path) -> None:
    """A pipe between processes works as a file does."""
    ended = program("pdus", "-", "--format", "ndjson", stdin=gzip.compress(demo.read_bytes()))
    assert (ended.status, ended.err, len(ended.rows)) == (0, "", 12)


def test_several_files_are_one_capture(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """A capture cut in two files, given in any order or as a folder, is what it was in one."""
    octets = demo.read_bytes()
    at = 24
    for _frame in range(9):
        at += 16 + int.from_bytes(octets[at + 8 : at + 12], "little")
    (tmp_path / "a.pcap").write_bytes(octets[:24] + octets[at:])
    (tmp_path / "b.pcap").write_bytes(octets[:at])
    whole = without_files(cli("report", demo).report)
    for given in ((tmp_path / "a.pcap", tmp_path / "b.pcap"), (tmp_path / "b.pcap", tmp_path / "a.pcap"), (tmp_path,)):
        ended = cli("report", *given)
        assert (ended.status, without_files(ended.report)) == (0, whole)
        assert sum(file["frames"] for file in ended.report["capture"]["files"]) == 23


def test_a_capture_alone_is_reported_as_text(cli: Cli, demo: Path) -> None:
    """Without a command the capture is reported on as text; options may stand before it."""
    assert cli(demo).out == cli("report", "--format", "text", demo).out
    assert cli("--no-redact", demo).out == cli("report", "--format", "text", "--no-redact", demo).out


@pytest.mark.parametrize("command", ["report", *LISTS])
def test_output_file(cli: Cli, demo: Path, tmp_path: Path, command: str) -> None:
    """-o writes to a file what else goes to standard output."""
    out = tmp_path / "out"
    ended = cli(command, demo, "-o", out)
    assert (ended.status, ended.out, out.read_bytes()) == (0, b"", cli(command, demo).out)


@pytest.mark.parametrize("command", LISTS)
def test_formats_agree(cli: Cli, faulty: Path, command: str) -> None:
    """Table, ndjson and CSV have the same rows; the table's and the CSV's first line names the columns."""
    rows = cli(command, "--format", "ndjson", faulty).rows
    table = cli(command, faulty).text.splitlines()
    sheet = list(csv.DictReader(io.StringIO(cli(command, "--format", "csv", faulty).text, newline="")))
    assert len(rows) == len(table) - 1 == len(sheet) > 0
    same = next(iter(rows[0]))
    assert [str(row[same]) for row in rows] == [row[same] for row in sheet]
    assert [name for name in table[0].split() if name not in sheet[0]] == []


PDU_KEYS = (
    *("pdu", "frame", "stream", "direction", "time_ns", "command", "command_id", "sequence_id"),
    *("total_length", "fields"),
)


def test_pdu_rows_are_the_contract(cli: Cli, demo: Path) -> None:
    """A PDU row has these keys in this order; 64-bit numbers are text; masked content is a count of octets."""
    rows = cli("pdus", "--format", "ndjson", demo).rows
    assert {tuple(row) for row in rows} == {PDU_KEYS}
    assert rows[2] == {
        "pdu": 3,
        "frame": 7,
        "stream": 0,
        "direction": 0,
        "time_ns": "1780280130855164000",
        "command": "CMPP_SUBMIT",
        "command_id": 4,
        "sequence_id": 2,
        "total_length": 213,
        "fields": {
            "msg_id": "0",
            "msg_id_text": "0x0000000000000000",
            "pk_total": 1,
            "pk_number": 1,
            "registered_delivery": 1,
            "msg_level": 1,
            "service_id": "TPCQ",
            "fee_user_type": 2,
            "fee_terminal_id": "",
            "tp_pid": 0,
            "tp_udhi": 0,
            "msg_fmt": 8,
            "msg_src": "901234",
            "feetype": "01",
            "feecode": "000000",
            "valid_time": "",
            "at_time": "",
            "src_id": "1234",
            "dest_usr_tl": 1,
            "dest_terminal_id": ["138******01"],
            "msg_length": 54,
            "msg_content": {"octets": 54},
            "reserve": "",
        },
    }
    assert rows[3]["fields"] == {
        "msg_id": "6965088952921948161",
        "msg_id_text": "0601101530-001001-00001",
        "result": 0,
    }


def test_masking_is_on_until_switched_off(cli: Cli, demo: Path) -> None:
    """Numbers and content are masked in every command and format, and shown with --no-redact."""
    number, word = b"13800138001", "验证码".encode("utf-16-be").hex().encode()
    runs = [
        *(("pdus", "--format", kind) for kind in ("table", "ndjson", "csv")),
        *((command,) for command in ("report", "transactions", "sessions", "findings")),
        ("show", "--pdu", "3"),
    ]
    opened = cli("pdus", "--format", "ndjson", "--no-redact", demo)
    fields = opened.rows[2]["fields"]
    octets, text = fields["msg_content"]["hex"], fields["text"]
    assert fields["dest_terminal_id"] == [number.decode()]
    assert bytes.fromhex(octets).decode("utf-16-be") == text
    for arguments in runs:
        out = cli(*arguments, demo).out
        assert number not in out
        assert text.encode() not in out
        assert octets.encode() not in out
        assert word not in out


def test_show(cli: Cli, demo: Path) -> None:
    """One PDU is shown with its header, fields and octets; by its number or its frame, alike."""
    by_number, by_frame = cli("show", "--pdu", "4", demo), cli("show", "--frame", "8", demo)
    assert by_number == by_frame
    lines = by_number.text.splitlines()
    assert lines[:2] == ["PDU: 4", "Frame: 8"]
    assert "   12    Msg_Id                    6965088952921948161 (06-01 10:15:30, gateway 001001, serial 1)" in lines
    assert lines[-2:] == [
        "0000  00 00 00 15 80 00 00 04  00 00 00 02 60 a8 f7 80  ............`...",
        "0010  03 e9 00 01 00                                    .....",
    ]


def test_show_tells_findings(cli: Cli, faulty: Path) -> None:
    """A PDU is shown with the findings that are about it, each with rule and section."""
    place = cli("findings", "--format", "ndjson", faulty).rows[0]
    shown = cli("show", "--pdu", place["pdu"], faulty).text
    assert f"{place['severity']} {place['rule']} ({place['section']}): {place['detail']}" in shown


def test_schema(cli: Cli) -> None:
    """`schema` prints the JSON Schema of the report, 2020-12."""
    made = json.loads(cli("schema").out)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["$ref"] == "#/$defs/Report"


def test_version_and_help(cli: Cli) -> None:
    """--version and help end with 0; the help names every command."""
    assert cli("--version").text == f"cmppscope {__version__}\n"
    for option in ("--help", "-h"):
        ended = cli(option)
        assert ended.status == 0
        assert [c for c in (*LISTS, "report", "show", "schema") if f"\n  {c} " not in ended.text] == []


@pytest.mark.parametrize("command", ["report", "pdus"])
def test_a_reader_that_leaves_early(command: str) -> None:
    """Who reads one line of much output leaves no message behind, and no error."""
    capture = ROOT / "tests" / "data" / "real" / "midstream_start_gocmpp.pcap.gz"
    with subprocess.Popen(
        [sys.executable, "-m", "cmppscope", command, "--format", "json" if command == "report" else "ndjson", capture],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk(cli: Cli, demo: Path) -> None:
    """Results that cannot be written end with one line, not with a traceback."""
    ended = cli("report", demo, "-o", "/dev/full")
    assert ended.status == 2
    assert ended.err.endswith("Error: Invalid value for --output: /dev/full: No space left on device\n")


def test_same_capture_same_octets(program: Cli, faulty: Path, tmp_path: Path) -> None:
    """Two runs, from two folders, write the same octets."""
    shutil.copy(faulty, tmp_path / faulty.name)
    assert program("report", faulty).out == program("report", faulty.name, cwd=tmp_path).out
