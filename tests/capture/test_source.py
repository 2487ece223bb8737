"""Where octets come from: compression, pipes, folders, several files, and what cannot be read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
import zstandard

from cmppscope.capture import Capture, CaptureError

FRAMES = [bytes([n % 251]) * (n % 300) for n in range(400)]

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
}


def octets_of(read: Any) -> list[bytes]:
    """Give the captured octets of all frames."""
    return [row.octets for row in read.rows]


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed(tools: Any, name: str) -> None:
    """Compression is told by the content, and several compressed streams in a row are one."""
    octets = tools.build.pcap(*FRAMES)
    compress = COMPRESSIONS[name]
    for packed in (compress(octets), compress(octets[:5000]) + compress(octets[5000:])):
        read = tools.load(packed)
        assert (octets_of(read), read.damage) == (FRAMES, [None])
        assert read.capture.files[0].format == f"pcap+{name}"
        assert read.capture.octets_read == len(packed)


def test_zero_padding_behind_gzip(tools: Any) -> None:
    """Zeros behind compressed octets are padding."""
    read = tools.load(gzip.compress(tools.build.pcap(*FRAMES)) + bytes(3000))
    assert (octets_of(read), read.damage) == (FRAMES, [None])


def test_zero_padding_between_gzip(tools: Any) -> None:
    """Compressed streams with padding between them are one."""
    octets = tools.build.pcap(*FRAMES)
    read = tools.load(gzip.compress(octets[:777]) + bytes(1 << 20) + gzip.compress(octets[777:]))
    assert (octets_of(read), read.damage) == (FRAMES, [None])


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_in_small_windows(tools: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What a decompressor holds back when a window is full comes with the next one."""
    frames = [bytes(300)] * 50
    monkeypatch.setattr("cmppscope.capture.source.Window.__init__.__defaults__", (40,))
    read = tools.load(COMPRESSIONS[name](tools.build.pcap(*frames)))
    assert (octets_of(read), read.damage) == (frames, [None])


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_and_cut(tools: Any, name: str) -> None:
    """A compressed file that is cut short keeps the frames that came out, and says so."""
    frames = [os.urandom(1000) for _ in range(2000)]
    packed = COMPRESSIONS[name](tools.build.pcap(*frames))
    read = tools.load(packed[: len(packed) * 3 // 4])
    found = octets_of(read)
    assert found == frames[: len(found)]
    assert len(found) > 200
    assert read.damage[0].startswith(f"{name} data cut short at octet {len(packed) * 3 // 4}")


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_and_cut_anywhere(tools: Any, name: str) -> None:
    """Cut at any octet, what came out before the cut is kept, and only the whole file is without fault."""
    frames = [os.urandom(30) for _ in range(10)]
    packed = COMPRESSIONS[name](tools.build.pcap(*frames))
    for cut in range(6, len(packed)):
        try:
            read = tools.load(packed[:cut])
        except CaptureError as error:
            assert f"{name} data cut short at octet {cut}" in str(error)  # noqa: PT017 - either is right
            continue
        found = octets_of(read)
        assert found == frames[: len(found)]
        assert f"{name} data cut short at octet {cut}" in read.damage[0]


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_and_damaged_keeps_what_came_before(tools: Any, name: str) -> None:
    """Nearly all that stands before the damage comes out, however large the pieces in which it is read."""
    frames = [os.urandom(1000) for _ in range(5000)]
    octets = tools.build.pcap(*frames)
    half, rest = (COMPRESSIONS[name](part) for part in (octets[: len(octets) // 2], octets[len(octets) // 2 :]))
    read = tools.load(half + rest[:500] + bytes(octet ^ 0x55 for octet in rest[500:]))
    assert octets_of(read)[:2499] == frames[:2499]
    assert read.damage[0].startswith(f"{name} data damaged near octet ")


def test_damaged_stream_gives_what_it_holds_before(tools: Any) -> None:
    """Inside one stream, too, frames come out up to the damage."""
    frames = [os.urandom(500).hex().encode() for _ in range(50)]
    deflate = zlib.compressobj(wbits=31)
    packed = deflate.compress(tools.build.pcap(*frames)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    read = tools.load(packed + b"\xff" * 5000)  # a block of no type
    found = octets_of(read)
    assert found == frames[: len(found)]
    assert len(found) > 45
    assert read.damage[0].startswith("gzip data damaged near octet ")


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_garbage_behind_compressed(tools: Any, name: str) -> None:
    """Octets behind a complete compressed stream that are none themselves are told, and cost nothing."""
    read = tools.load(COMPRESSIONS[name](tools.build.pcap(*FRAMES)) + b"garbage")
    assert octets_of(read) == FRAMES
    assert read.damage[0].startswith(f"{name} data ")


def test_zstd_behind_a_skippable_frame(tools: Any) -> None:
    """What parallel compressors put in front of their frames is passed over."""
    packed = b"\x50\x2a\x4d\x18\4\0\0\0size" + zstandard.compress(tools.build.pcap(*FRAMES))
    read = tools.load(packed)
    assert (octets_of(read), read.capture.files[0].format) == (FRAMES, "pcap+zstd")


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_and_damaged(tools: Any, name: str) -> None:
    """Compressed octets that are wrong end the file with a line."""
    frames = [os.urandom(1000) for _ in range(2000)]
    packed = bytearray(COMPRESSIONS[name](tools.build.pcap(*frames)))
    packed[len(packed) * 3 // 4 :] = bytes(b ^ 0x55 for b in packed[len(packed) * 3 // 4 :])
    read = tools.load(bytes(packed))
    assert read.damage[0].startswith(f"{name} data damaged near octet ")
    place = int(read.damage[0].split()[5].rstrip(":"))
    assert abs(place - len(packed) * 3 // 4) < 900_000  # a block of bzip2


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_inflating_a_thousandfold(tools: Any, name: str) -> None:
    """A file that inflates a hundredfold or more is read in bounded pieces."""
    header = tools.build.pcap_header()
    packed = COMPRESSIONS[name](header + tools.build.record(bytes(200_000)) * 200)
    path = tools.folder / "bomb"
    path.write_bytes(packed)
    assert len(packed) < 500_000
    batches = [(len(batch), len(batch.octets)) for batch in Capture([path])]
    assert sum(frames for frames, _ in batches) == 200
    assert max(octets for _, octets in batches) < 20 << 20


UNREADABLE = {
    "empty": (b"", "empty file"),
    "text": (b"this is no capture", "not a capture file (starts with 7468 6973 2069 7320 …)"),
    "three octets": (b"abc", "not a capture file (starts with 6162 63 …)"),
    "cut gzip": (gzip.compress(b"x")[:5], "gzip data cut short at octet 5"),
    "zstd of nothing known": (
        b"\x28\xb5\x2f\xfd....",
        "zstd data damaged near octet 8: Unsupported frame parameter",
    ),
    "text in lz4": (lz4.frame.compress(b"text"), "not a capture file (starts with 7465 7874 …)"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_not_a_capture(tmp_path: Path, name: str) -> None:
    """What is no capture is one clear line."""
    octets, text = UNREADABLE[name]
    path = tmp_path / "f"
    path.write_bytes(octets)
    with pytest.raises(CaptureError) as caught:
        list(Capture([path]))
    assert str(caught.value) == f"{path}: {text}"


def test_no_such_file(tmp_path: Path) -> None:
    """A missing file is one clear line."""
    with pytest.raises(CaptureError) as caught:
        list(Capture([tmp_path / "none"]))
    assert str(caught.value) == f"{tmp_path / 'none'}: No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tools: Any, tmp_path: Path) -> None:
    """A file that may not be read is one clear line."""
    path = tmp_path / "f"
    path.write_bytes(tools.build.pcap(b"x"))
    path.chmod(0)
    with pytest.raises(CaptureError, match="Permission denied"):
        list(Capture([path]))


def test_folder_without_captures(tmp_path: Path) -> None:
    """A folder without captures is one clear line."""
    (tmp_path / "README").write_text("nothing here")
    for paths in ([tmp_path], [tmp_path, tmp_path]):
        with pytest.raises(CaptureError, match="no capture files in this folder"):
            list(Capture(paths))


def test_files_in_order_of_time(tools: Any, tmp_path: Path) -> None:
    """Several files are read in the order of their first frames, and numbers run on."""
    (tmp_path / "a").write_bytes(tools.build.pcap(b"3", b"4", first=30))
    (tmp_path / "b").write_bytes(gzip.compress(tools.build.pcap(b"1", b"2", first=10)))
    (tmp_path / "c").write_bytes(tools.build.pcap())
    read = tools.read(tmp_path / "c", tmp_path / "a", tmp_path / "b")
    assert [(row.frame, row.octets, row.file, row.file_frame) for row in read.rows] == [
        (1, b"1", 0, 1),
        (2, b"2", 0, 2),
        (3, b"3", 1, 1),
        (4, b"4", 1, 2),
    ]
    assert [file.name for file in read.capture.files] == ["b", "a", "c"]
    sizes = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert (read.capture.octets_read, read.capture.octets_total) == (sizes, sizes)


def test_folder(tools: Any, tmp_path: Path) -> None:
    """A folder is the captures in it; other files, hidden ones and folders are left out."""
    (tmp_path / "z.pcap").write_bytes(tools.build.pcap(b"1", first=10))
    (tmp_path / "a.cap").write_bytes(tools.build.pcapng(b"2"))
    (tmp_path / "README").write_text("not a capture")
    (tmp_path / ".hidden").write_bytes(tools.build.pcap(b"no"))
    (tmp_path / "deeper").mkdir()
    read = tools.read(tmp_path)
    assert octets_of(read) == [b"1", b"2"]
    assert [file.name for file in read.capture.files] == ["z.pcap", "a.cap"]


def test_one_of_several_unreadable(tools: Any, tmp_path: Path) -> None:
    """When one of several files cannot be read the others are, and its entry says why."""
    (tmp_path / "good").write_bytes(tools.build.pcap(b"x"))
    (tmp_path / "bad").write_text("this is text")
    read = tools.read(tmp_path / "bad", tmp_path / "none", tmp_path / "good")
    assert octets_of(read) == [b"x"]
    assert [(file.name, file.frames, file.damage) for file in read.capture.files] == [
        ("good", 1, None),
        ("bad", 0, "not a capture file (starts with 7468 6973 2069 7320 …)"),
        ("none", 0, "No such file or directory"),
    ]


def test_none_of_several_readable(tmp_path: Path) -> None:
    """When no file can be read, the first reason is told, and how many there are more."""
    with pytest.raises(CaptureError) as caught:
        list(Capture([tmp_path / "a", tmp_path / "b"]))
    text = f"{tmp_path / 'a'}: No such file or directory (and 1 more that cannot be read)"
    assert str(caught.value) == text


def test_reading_again(tools: Any) -> None:
    """A capture can be read twice with the same result."""
    capture = tools.load(tools.build.pcap(*FRAMES)).capture
    assert sum(len(batch) for batch in capture) == len(FRAMES)
    assert (len(capture.files), capture.octets_read) == (1, capture.octets_total)


class OneByOne(io.RawIOBase):
    """A pipe that gives one octet at a time."""

    def __init__(self, octets: bytes) -> None:
        """Hold what will be given."""
        self.rest = io.BytesIO(octets)

    def readable(self) -> bool:
        """Allow reading."""
        return True

    def readinto(self, room: Any) -> int:
        """Give one octet."""
        piece = self.rest.read(1)
        room[: len(piece)] = piece
        return len(piece)


class Stdin:
    """Standard input over something else."""

    def __init__(self, buffer: Any) -> None:
        """Take what is read."""
        self.buffer = buffer


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_standard_input_octet_by_octet(
    tools: Any, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    """A pipe that gives one octet at a time is read like a file."""
    packed = compress(tools.build.pcap(*FRAMES[:50]))
    monkeypatch.setattr(sys, "stdin", Stdin(OneByOne(packed)))
    read = tools.read("-")
    assert (octets_of(read), read.damage) == (FRAMES[:50], [None])
    assert (read.capture.files[0].name, read.capture.octets_total) == ("-", None)


def test_pipe_that_pauses(tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of a pipe that pauses are handed on before it ends."""
    behind, front = os.pipe()
    octets = tools.build.pcap(b"first", b"second")
    os.write(front, octets[:-3])
    with os.fdopen(behind, "rb") as file:
        monkeypatch.setattr(sys, "stdin", Stdin(file))
        batches = iter(Capture(["-"]))
        assert len(next(batches)) == 1

        def finish() -> None:
            time.sleep(0.1)
            os.write(front, octets[-3:])
            os.close(front)

        writer = threading.Thread(target=finish)
        writer.start()
        assert [len(batch) for batch in batches] == [1]
        writer.join()


def test_standard_input_of_a_process(tools: Any) -> None:
    """`-` reads the standard input of the process, behind any file that is named too."""
    path = tools.folder / "named"
    path.write_bytes(tools.build.pcap(b"named"))
    code = (
        "from cmppscope.capture import Capture;"
        f"c = Capture(['-', {str(path)!r}]);"
        "print([len(b) for b in c], [f.name for f in c.files])"
    )
    octets = tools.build.pcapng(*FRAMES)
    done = subprocess.run([sys.executable, "-c", code], input=octets, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[1, 400] ['named', '-']"
