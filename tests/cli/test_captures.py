"""What a capture may be besides one good file: growing, in pieces, with wrong checksums, with a clock that jumps."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
ROOT = Path(__file__).parents[2]
LISTS = ("pdus", "transactions", "sessions", "findings")
MANY = ("report", "--format", "text")


def records_of(octets: bytes) -> Iterator[tuple[int, int]]:
    """Give where the records of a classic pcap file begin and end."""
    at = 24
    while at < len(octets):
        behind = at + 16 + int.from_bytes(octets[at + 8 : at + 12], "little")
        yield at, behind
        at = behind


def started(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start the program, with output that is held back unless it says otherwise."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        [sys.executable, "-m", "cmppscope", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=env,
        **options,
    )


@pytest.mark.parametrize("format_", ["table", "ndjson", "csv"])
def test_follow(demo: Path, tmp_path: Path, format_: str) -> None:
    """--follow shows rows while the file grows, waits for the rest of a record, and Ctrl-C ends it without fault."""
    octets = demo.read_bytes()
    edges = [behind for _, behind in records_of(octets)]
    path = tmp_path / "growing.pcap"
    path.write_bytes(octets[: edges[9] + 20])
    with started("pdus", "--follow", "--format", format_, path) as process, path.open("ab") as file:
        assert process.stdout is not None
        assert process.stderr is not None
        heads = 0 if format_ == "ndjson" else 1
        first = [process.stdout.readline() for _ in range(heads + 4)]
        file.write(octets[edges[9] + 20 : -5])
        file.flush()
        rest = [process.stdout.readline() for _ in range(7)]
        assert all(first + rest)
        process.send_signal(signal.SIGINT)
        assert (process.stdout.read().count(b"\n") <= 1, process.stderr.read(), process.wait()) == (True, b"", 0)


def test_follow_for_some_time(cli: Cli, demo: Path) -> None:
    """With --duration following ends by itself; --duration alone is a mistake."""
    ended = cli("pdus", "--follow", "--duration", "0.05", demo)
    assert (ended.status, ended.err, ended.out) == (0, "", cli("pdus", demo).out)
    for arguments in (("--duration", "1"), ("--follow", "--duration", "0")):
        ended = cli("pdus", *arguments, demo)
        assert (ended.status, ended.out, "--duration" in ended.err) == (2, b"", True)


@pytest.mark.parametrize("format_", ["table", "ndjson", "csv"])
@pytest.mark.parametrize("command", ["transactions", "findings"])
def test_follow_what_becomes_known(faulty: Path, tmp_path: Path, command: str, format_: str) -> None:
    """Transactions and findings are written when they are known, in a folder whose files come one after the other."""
    octets = faulty.read_bytes()
    edges = [behind for _, behind in records_of(octets)]
    cut = edges[len(edges) // 2]
    (tmp_path / "0.pcap").write_bytes(octets[:cut])
    heads = 0 if format_ == "ndjson" else 1
    with started(command, "--follow", "--format", format_, tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        early = [process.stdout.readline() for _ in range(heads + 1)]
        (tmp_path / "1.pcap").write_bytes(octets[:24] + octets[cut:])
        late = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert (process.stderr.read(), process.wait()) == (b"", 0)
    assert all([*early, late])
    whole = run_whole(command, "--format", "ndjson", faulty)
    assert len([*early, late]) + rest.count(b"\n") - heads == len(whole)


def run_whole(*arguments: object) -> list[bytes]:
    """Give the lines that the program writes of a capture that is not followed."""
    with started(*arguments) as process:
        out, _ = process.communicate()
    return out.splitlines()


@pytest.mark.parametrize("command", ["report", "messages", "sessions"])
def test_follow_what_only_the_end_tells(cli: Cli, demo: Path, command: str) -> None:
    """Reports, messages and sessions are written when following ends, as they are of a finished file."""
    followed = cli(command, "--follow", "--duration", "0.05", demo)
    assert (followed.status, followed.err, followed.out) == (0, "", cli(command, demo).out)


def test_pipe_that_grows(demo: Path) -> None:
    """Rows of a pipe are shown before it ends, without any option."""
    octets = demo.read_bytes()
    edges = [behind for _, behind in records_of(octets)]
    with started("pdus", "--format", "ndjson", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(octets[: edges[9]])
        process.stdin.flush()
        first = [json.loads(process.stdout.readline())["pdu"] for _ in range(4)]
        process.stdin.write(octets[edges[9] :])
        process.stdin.close()
        rest = [json.loads(line)["pdu"] for line in process.stdout]
        assert (first + rest, process.wait()) == (list(range(1, 13)), 0)


def spoilt(octets: bytes, *records: int) -> bytes:
    """Change the last octet of some frames."""
    made = bytearray(octets)
    edges = [behind for _, behind in records_of(octets)]
    for record in records:
        made[edges[record] - 1] ^= 0xFF
    return bytes(made)


def test_checksums(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """With --check-checksums segments with wrong checksums are not taken, counted in the report and on stderr."""
    path = tmp_path / "wrong.pcap"
    path.write_bytes(spoilt(demo.read_bytes(), 6, 7))
    assert cli("report", "--check-checksums", demo).report["capture"]["undecoded_frames"] == {}
    taken = cli("report", path)
    assert (taken.status, taken.err, taken.report["totals"]["pdus"]) == (0, "", 12)
    checked = cli("report", "--check-checksums", path)
    assert checked.report["capture"]["undecoded_frames"] == {"wrong TCP checksum": 2}
    assert checked.report["totals"]["pdus"] == 10
    assert (checked.status, checked.err) == (0, "cmppscope: 2 segments with a wrong TCP checksum not taken\n")
    told = cli(*MANY, "--check-checksums", path).text
    assert "2 frames not decoded: wrong TCP checksum" in told


def test_cut_segments_are_not_verified(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """Segments cut by the snapshot length cannot be verified; they are taken and counted."""
    made = demo.read_bytes()[:24]
    for at, behind in records_of(demo.read_bytes()):
        record = demo.read_bytes()[at:behind]
        kept = record[16 : 16 + 60]
        made += record[:8] + struct.pack("<I", len(kept)) + record[12:16] + kept
    path = tmp_path / "cut.pcap"
    path.write_bytes(made)
    capture = cli("report", "--check-checksums", path).report["capture"]
    assert capture["undecoded_frames"] == {}
    assert capture["unverified_segments"] == capture["snaplen_cut_frames"] > 5


def test_incomplete_packets(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """Fragments whose packet was never whole are told."""
    octets = bytearray(demo.read_bytes())
    whole = next(at for at, _ in records_of(bytes(octets)) if (octets[at + 33] - 20) % 8 == 0)
    octets[whole + 16 + 14 + 6] |= 0x20  # more fragments follow
    path = tmp_path / "fragment.pcap"
    path.write_bytes(octets)
    assert cli("report", path).report["capture"]["incomplete_packets"] == 1
    assert cli("report", demo).report["capture"]["incomplete_packets"] == 0


def test_notes_of_a_folder(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """What is to be told of a set of files stands in the report, and changes no status."""
    octets = demo.read_bytes()
    edges = [24, *(behind for _, behind in records_of(octets))]
    for number, (begin, end) in enumerate(((0, 5), (5, 9), (9, 23)), 1):
        name = f"r_0000{number if number < 3 else 5}_20260601101500.pcap"
        (tmp_path / name).write_bytes(octets[:24] + octets[edges[begin] : edges[end]])
    (tmp_path / "README").write_text("rotated")
    ended = cli("report", tmp_path)
    notes = [
        "no capture, passed over: README",
        "numbers 3 to 4 of the set missing between r_00002_20260601101500.pcap and r_00005_20260601101500.pcap",
    ]
    assert (ended.status, ended.err, ended.report["capture"]["notes"]) == (0, "", notes)
    assert ended.report["totals"]["pdus"] == 12
    times = [(file["first_time"], file["last_time"]) for file in ended.report["capture"]["files"]]
    assert times == sorted(times)
    assert "no capture, passed over: README" in cli(*MANY, tmp_path).text


CLOCKS: dict[str, Callable[[int], int]] = {
    "all at 0": lambda _: 0,
    "all at the last second": lambda _: 0xFFFFFFFF,
    "from 1970 to 2106 and back": lambda n: 0xFFFFFFFF * (n % 2),
    "backwards": lambda n: 1_700_000_000 - n * 3600,
    "one frame in 1970": lambda n: 5 if n == 8 else 1_700_000_000 + n,
    "one frame in 2106": lambda n: 0xFFFFFFFF if n == 8 else 1_700_000_000 + n,
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_clocks(cli: Cli, demo: Path, tmp_path: Path, clock: str) -> None:
    """Whatever a capture's clock does, every command tells the same PDUs without a fault of its own."""
    octets = bytearray(demo.read_bytes())
    for n, (at, _) in enumerate(records_of(bytes(octets))):
        struct.pack_into("<I", octets, at, CLOCKS[clock](n))
    path = tmp_path / "clock.pcap"
    path.write_bytes(octets)
    made = cli("report", path)
    assert (made.status, made.err, made.report["totals"]["pdus"]) == (0, "", 12)
    assert cli(*MANY, path).status == 0
    for command in LISTS:
        for format_ in ("table", "ndjson"):
            assert cli(command, "--format", format_, path).status == 0


@pytest.mark.parametrize("offset", [-(1 << 63), -5_000_000_000, (1 << 63) - 1])
def test_clocks_of_interfaces(cli: Cli, demo: Path, tmp_path: Path, offset: int) -> None:
    """A pcapng interface may move its frames beyond every calendar; nothing breaks."""
    octets = demo.read_bytes()
    option = struct.pack("<HHqI", 14, 8, offset, 0)
    made = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    made += struct.pack("<IIHHI", 1, 36, 1, 0, 0) + option + struct.pack("<I", 36)
    for at, behind in records_of(octets):
        seconds, fraction, size, wirelen = struct.unpack_from("<IIII", octets, at)
        ticks, frame = seconds * 1_000_000 + fraction, octets[at + 16 : behind] + bytes(-size % 4)
        head = struct.pack("<IIIIIII", 6, 32 + len(frame), 0, ticks >> 32, ticks & 0xFFFFFFFF, size, wirelen)
        made += head + frame + struct.pack("<I", 32 + len(frame))
    path = tmp_path / "clock.pcapng"
    path.write_bytes(made)
    ended = cli("report", path)
    assert (ended.status, ended.err, ended.report["totals"]["pdus"]) == (0, "", 12)
    for command in LISTS:
        assert cli(command, path).status == 0
