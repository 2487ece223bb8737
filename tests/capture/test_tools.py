"""Files written by editcap, mergecap and tcpdump: as many frames, at the same times, as tshark sees."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SAMPLES = [ROOT / "samples" / name for name in ("login-and-report.pcap", "every-pdu.pcapng", "loss-and-resync.pcap")]

pytestmark = [
    pytest.mark.tshark,
    pytest.mark.skipif(shutil.which("editcap") is None, reason="Wireshark's tools are not installed"),
]


def run(*command: object) -> str:
    """Run a program and give what it writes."""
    return subprocess.run([str(part) for part in command], capture_output=True, check=True, text=True).stdout


def by_tshark(path: Path) -> list[tuple[int, int]]:
    """List times and captured lengths of all frames as tshark sees them."""
    out = run("tshark", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.cap_len")
    rows = (line.split("\t") for line in out.splitlines())
    return [(int(time.replace(".", "")), int(size)) for time, size in rows]


def by_us(read: Any) -> list[tuple[int, int]]:
    """List the same."""
    return [(row.time_ns, len(row.octets)) for row in read.rows]


@pytest.mark.parametrize(
    ("sample", "kind"),
    [*((SAMPLES[0], kind) for kind in ("pcap", "pcapng", "nsecpcap", "modpcap")), (SAMPLES[1], "pcapng")],
    ids=lambda part: getattr(part, "name", part),
)
def test_every_format(tools: Any, tmp_path: Path, sample: Path, kind: str) -> None:
    """A file in any variant of the formats is read as tshark reads it, also compressed."""
    path = tmp_path / "converted"
    run("editcap", "-F", kind, sample, path)
    expected = by_tshark(path)
    read = tools.read(path)
    assert (by_us(read), read.damage) == (expected, [None])
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert by_us(tools.read(path)) == expected


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_cut_at_every_octet(tools: Any, tmp_path: Path, kind: str) -> None:
    """Cut at any octet, a file has the whole frames before the cut, and is damaged unless the cut is between two."""
    path = tmp_path / "converted"
    run("editcap", "-F", kind, SAMPLES[0], path)
    octets = path.read_bytes()
    expected = by_us(tools.read(path))
    clean = []
    for cut in range(24 if kind == "pcap" else 28, len(octets)):
        read = tools.load(octets[:cut])
        found = by_us(read)
        assert found == expected[: len(found)]
        if read.damage == [None]:
            clean.append((cut, len(found)))
    assert [frames for _, frames in clean][-len(expected) :] == list(range(len(expected)))


@pytest.mark.parametrize("snaplen", [60, 100])
def test_snapshot_length(tools: Any, tmp_path: Path, snaplen: int) -> None:
    """Frames that editcap cut are as long as tshark says."""
    path = tmp_path / "cut"
    run("editcap", "-s", snaplen, SAMPLES[0], path)
    assert by_us(tools.read(path)) == by_tshark(path)


@pytest.mark.parametrize("seed", range(3))
def test_random_errors(tools: Any, tmp_path: Path, seed: int) -> None:
    """Octets of frames that editcap changed at random leave the frames where they are."""
    path = tmp_path / "wrong"
    run("editcap", "-E", "0.05", "--seed", seed, SAMPLES[1], path)
    read = tools.read(path)
    assert (by_us(read), read.damage) == (by_tshark(path), [None])


def test_rotated(tools: Any, tmp_path: Path) -> None:
    """A set that editcap rotated is one capture again, in order, whatever order it is given in."""
    run("editcap", "-c", 5, SAMPLES[2], tmp_path / "part.pcapng")
    files = sorted(tmp_path.iterdir())
    assert len(files) > 3
    whole = by_tshark(SAMPLES[2])
    for given in ([tmp_path], files, files[::-1]):
        read = tools.read(*given)
        assert (by_us(read), read.capture.notes) == (whole, [])
    files[1].unlink()
    assert len(tools.read(tmp_path).capture.notes) == 1


def test_merged(tools: Any, tmp_path: Path) -> None:
    """A file that mergecap made of several link types and clocks is read as tshark reads it."""
    path = tmp_path / "merged.pcapng"
    run("mergecap", "-w", path, *SAMPLES)
    assert by_us(tools.read(path)) == by_tshark(path)
    together = tmp_path / "together"
    together.write_bytes(b"".join(sample.read_bytes() for sample in (SAMPLES[0], SAMPLES[2])))
    assert by_us(tools.read(together)) == by_tshark(SAMPLES[0]) + by_tshark(SAMPLES[2])
