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
from cmppscope.capture.source import Source


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


class Rotating(Follow):
    """A program that writes one file after another: whenever the reader would wait it takes the next step."""

    def __init__(self, folder: Path, steps: list[tuple[str, bytes]]) -> None:
        """Steps are names and octets to be put behind what stands there; no octets take a file away."""
        super().__init__()
        self.folder, self.steps = folder, steps

    def wait(self) -> bool:
        """Take a step instead of waiting."""
        if not self.steps:
            return False
        name, octets = self.steps.pop(0)
        if not octets:
            (self.folder / name).unlink()
            return True
        with (self.folder / name).open("ab") as file:
            file.write(octets)
        return True


def followed(folder: Path, steps: list[tuple[str, bytes]]) -> tuple[list[tuple[str, int]], list[str | None]]:
    """Read a folder that is followed: name and frames of each file in reading order, and damage."""
    capture = Capture([folder], follow=Rotating(folder, steps))
    for _ in capture:
        pass
    return [(info.name, info.frames) for info in capture.files], [info.damage for info in capture.files]


@pytest.mark.parametrize("cut", [1, 24, 30, 40, 60])
def test_a_folder_goes_on(tools: Any, tmp_path: Path, cut: int) -> None:
    """When a later file begins, what is left of the one before is read, and then that one, however it is written."""
    first, second, third = (tools.build.pcap(b"abc", b"defg", first=at) for at in (10, 20, 30))
    (tmp_path / "x.pcap").write_bytes(first[:cut])
    steps = [("x.pcap", first[cut:])]
    for name, octets in (("x.pcap1", second), ("x.pcap2", third)):
        steps += [(name, octets[:cut]), (name, octets[cut:])]
    assert followed(tmp_path, steps) == ([("x.pcap", 2), ("x.pcap1", 2), ("x.pcap2", 2)], [None] * 3)


def test_an_empty_folder_is_waited_for(tools: Any, tmp_path: Path) -> None:
    """Following may begin before the first file does, and a file without frames yet is no file to go on with."""
    steps = [("b", tools.build.pcap(b"1", first=10)), ("a", tools.build.pcap()), ("c", tools.build.pcap(first=5))]
    assert followed(tmp_path, steps) == ([("b", 1)], [None])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CaptureError, match="no capture files in this folder"):
        followed(empty, [])


def test_what_was_read_does_not_come_again(tools: Any, tmp_path: Path) -> None:
    """A file that its writer compresses afterwards is the one that was read; a name used again is another file."""
    octets = {at: tools.build.pcap(b"abc", first=at) for at in (10, 20, 30)}
    (tmp_path / "0").write_bytes(octets[10])
    steps = [("1", octets[20]), ("0.gz", gzip.compress(octets[10])), ("0", b""), ("0", octets[30])]
    assert followed(tmp_path, steps)[0] == [("0", 1), ("1", 1), ("0", 1)]


def test_unfinished_where_the_writer_went_on(tools: Any, tmp_path: Path) -> None:
    """A record that is not whole when the next file begins never will be: that is damage."""
    first, second = (tools.build.pcap(b"abc", b"defg", first=at) for at in (10, 20))
    (tmp_path / "0").write_bytes(first[:-1])
    files, damage = followed(tmp_path, [("1", second)])
    assert files == [("0", 1), ("1", 2)]
    assert damage == ["record 2 at octet 43 cut short: has 19 of 20 octets", None]


def test_the_next_file_at_the_end_of_what_was_read(tools: Any, tmp_path: Path) -> None:
    """The end of a file is looked at once more after the next file was seen: its writer may have added to it before."""
    first = tools.build.pcap(b"abc", b"defg", first=10)
    path = tmp_path / "0"
    path.write_bytes(first[:-20])

    def begun() -> bool:
        path.write_bytes(first)
        return True

    source = Source(path, Follow(), begun)
    room = bytearray(1000)
    got = 0
    while step := source.readinto(memoryview(room)[got:]):
        got += step
    source.close()
    assert (got, source.growing) == (len(first), False)


def test_a_file_alone_does_not_go_on(tools: Any, tmp_path: Path) -> None:
    """Only a folder says that what appears in it belongs together."""
    path = tmp_path / "0"
    path.write_bytes(tools.build.pcap(b"abc", first=10))
    capture = Capture([path], follow=Rotating(tmp_path, [("1", tools.build.pcap(b"abc", first=20))]))
    assert [len(batch) for batch in capture] == [1]
