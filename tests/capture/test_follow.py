"""Files that are still being written: what is there is read, what is missing waited for, until somebody says so."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmppscope.capture import Capture, CaptureError
from cmppscope.capture.follow import Follow


class Writer(Follow):
    """A writer that puts down the next piece whenever the reader would wait, and stops after the last."""

    def __init__(self, path: Path, pieces: list[bytes]) -> None:
        """Take the pieces still to be written."""
        super().__init__()
        self.path, self.pieces = path, pieces

    def wait(self) -> bool:
        """Write a piece instead of waiting."""
        if not self.pieces:
            return False
        with self.path.open("ab") as file:
            file.write(self.pieces.pop(0))
        return True


def read(path: Path, follow: Follow) -> tuple[list[int], list[str | None]]:
    """Read a file that is followed: frames of each batch, and damage."""
    capture = Capture([path], follow=follow)
    return [len(batch) for batch in capture], [info.damage for info in capture.files]


def pieces_of(octets: bytes, size: int) -> list[bytes]:
    """Cut octets into pieces."""
    return [octets[at : at + size] for at in range(0, len(octets), size)]


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("size", [1, 7, 30, 1000])
def test_growing(tools: Any, tmp_path: Path, kind: str, size: int) -> None:
    """Every frame comes as soon as it is whole, however the writer cuts its octets."""
    octets = getattr(tools.build, kind)(*[b"abc"] * 20)
    path = tmp_path / "f"
    path.touch()
    batches, damage = read(path, Writer(path, pieces_of(octets, size)))
    assert (sum(batches), damage) == (20, [None])
    assert len(batches) == 20 if size < 10 else len(batches) >= 1


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_unfinished_at_the_end(tools: Any, tmp_path: Path, kind: str) -> None:
    """A record of which the writer has put down only a part when reading ends is no damage."""
    octets = getattr(tools.build, kind)(b"abc", b"defghijkl")
    path = tmp_path / "f"
    for cut in (1, 9, 20):
        path.write_bytes(octets[:-cut])
        assert read(path, Writer(path, [])) == ([1], [None])


def test_unfinished_header(tools: Any, tmp_path: Path) -> None:
    """A file of which not even the header is written is empty for now."""
    path = tmp_path / "f"
    path.write_bytes(tools.build.pcap()[:20])
    assert read(path, Writer(path, [])) == ([], [None])
    path.write_bytes(b"")
    with pytest.raises(CaptureError, match="empty file"):
        read(path, Writer(path, []))


def test_growing_and_compressed(tools: Any, tmp_path: Path) -> None:
    """A compressed file may grow too; what its stream still holds back when reading ends is no damage."""
    octets = gzip.compress(tools.build.pcap(*[b"abc"] * 500))
    path = tmp_path / "f"
    path.touch()
    batches, damage = read(path, Writer(path, pieces_of(octets[:-10], 50)))
    assert (sum(batches) > 300, damage) == (True, [None])


def test_damage_while_growing(tools: Any, tmp_path: Path) -> None:
    """Damage inside a file that grows is told and passed as in any other."""
    octets = tools.build.pcap(*[b"abc" * 10] * 5) + b"\xff" * 40 + tools.build.pcap(*[b"abc" * 10] * 5)
    path = tmp_path / "f"
    path.touch()
    batches, damage = read(path, Writer(path, pieces_of(octets, 100)))
    assert (sum(batches), damage) == (10, ["record 6 at octet 254 claims 4294967295 octets, 40 octets skipped"])


class Emptier(Follow):
    """A writer that begins the file anew."""

    def __init__(self, path: Path) -> None:
        """Take the file."""
        super().__init__()
        self.path = path

    def wait(self) -> bool:
        """Empty the file."""
        self.path.write_bytes(b"")
        return True


def test_emptied(tools: Any, tmp_path: Path) -> None:
    """A file that its writer empties is read up to there, and that is told."""
    path = tmp_path / "f"
    octets = tools.build.pcap(b"abc")
    path.write_bytes(octets)
    assert read(path, Emptier(path)) == ([1], [f"emptied by its writer at octet {len(octets)}"])


def test_last_of_several(tools: Any, tmp_path: Path) -> None:
    """Of several files the last in order is waited for."""
    first, last = tmp_path / "b", tmp_path / "a"
    first.write_bytes(tools.build.pcap(b"1", first=10))
    octets = tools.build.pcap(b"2", b"3", first=20)
    last.write_bytes(octets[:50])
    capture = Capture([last, first], follow=Writer(last, [octets[50:]]))
    assert [len(batch) for batch in capture] == [1, 1, 1]
    assert capture.octets_total is None


def test_stop_and_duration(tools: Any, tmp_path: Path) -> None:
    """Waiting ends when somebody says so from another thread, or when the time is over."""
    path = tmp_path / "f"
    path.write_bytes(tools.build.pcap(b"1"))
    assert read(path, Follow(0.01)) == ([1], [None])
    follow = Follow()
    batches: Iterator[Any] = iter(Capture([path], follow=follow))
    assert len(next(batches)) == 1
    timer = threading.Timer(0.05, follow.stop)
    timer.start()
    assert list(batches) == []
    timer.join()
