"""Octets read once more: from files as they were, from a copy of what no file gives twice, or not at all."""

from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from cmppscope.capture import Capture
from cmppscope.capture.follow import Follow
from cmppscope.capture.recall import HOLE, OPEN_FILES, SPARE, Gathered, Origin, Recall, origin_of
from cmppscope.tables import ADDRESS_BITS, FILES_ADDRESSED, NOWHERE
from tests.capture.conftest import Build

OCTETS = bytes(np.random.default_rng(7).integers(0, 256, 100_000, np.uint8))


def origin(path: Path) -> Origin:
    """Look at a file as a capture does when it opens it."""
    with path.open("rb") as file:
        found = origin_of(str(path), file.fileno())
    assert found is not None
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file."""
    made = tmp_path / "capture.pcap"
    made.write_bytes(OCTETS)
    return made


def gathered(recall: Recall, wanted: Sequence[tuple[int, int]], room: int = 0) -> Gathered:
    """Ask for stretches (address, length)."""
    address, length = np.array(wanted, np.int64).reshape(-1, 2).T
    return recall.gather(address, length, room)


def pieces(found: Gathered, wanted: Sequence[tuple[int, int]]) -> list[bytes | None]:
    """Give each stretch, None for one that is not there."""
    rows = zip(found.position.tolist(), wanted, found.there.tolist(), strict=True)
    return [found.octets[at : at + length].tobytes() if there else None for at, (_, length), there in rows]


def change(path: Path, octets: bytes, by_ns: int = 1_000_000_000) -> None:
    """Write other octets into a file, at another time."""
    before = path.stat().st_mtime_ns
    with path.open("r+b") as file:
        file.truncate()
        file.write(octets)
    os.utime(path, ns=(before + by_ns, before + by_ns))


def test_stretches_come_in_the_order_asked_for(path: Path) -> None:
    """Far apart, next to each other, one inside the other and twice the same; with room behind all."""
    recall = Recall([origin(path)])
    wanted = [(90_000, 10), (5, 3), (8, 100), (50, 2), (5, 3), (0, 1), (99_999, 1)]
    found = gathered(recall, wanted, room=11)
    assert pieces(found, wanted) == [OCTETS[at : at + length] for at, length in wanted]
    ends = [at + length for at, (_, length) in zip(found.position.tolist(), wanted, strict=True)]
    assert len(found.octets) == max(ends) + 11
    assert recall.trouble is None
    assert [recall.read(at, length) for at, length in wanted] == pieces(found, wanted)


def test_nothing_asked_for_is_nothing_read() -> None:
    """No stretch makes an empty buffer, or one of room alone."""
    recall = Recall()
    assert [len(part) for part in gathered(recall, [])] == [0, 0, 0]
    assert len(gathered(recall, [], room=5).octets) == 5


def test_files_are_told_apart_by_their_index(tmp_path: Path) -> None:
    """An address names its file; few files stay open, however many are asked for."""
    files = [tmp_path / f"{n}.pcap" for n in range(3 * OPEN_FILES)]
    for number, each in enumerate(files):
        each.write_bytes(bytes([number]) * 40)
    recall = Recall([origin(each) for each in files])
    wanted = [((number << ADDRESS_BITS) + 7, 3) for number in (*range(len(files)), 0)]
    assert pieces(gathered(recall, wanted), wanted) == [bytes([n]) * 3 for n in (*range(len(files)), 0)]
    assert len(recall._open) <= OPEN_FILES
    recall.close()
    assert not recall._open


def test_what_lies_between_is_read_only_where_that_is_little(path: Path) -> None:
    """Small holes are read with, large ones are passed over, and so are small ones that come to much."""
    recall = Recall([origin(path)])
    near, far = [(0, 10), (HOLE, 10)], [(0, 10), (HOLE + 11, 10)]
    assert len(gathered(recall, near).octets) == HOLE + 10
    assert len(gathered(recall, far).octets) == 20
    many = [(n * (HOLE + 10), 10) for n in range(SPARE // HOLE + 500)]
    sparse = path.with_name("sparse.pcap")
    with sparse.open("wb") as file:
        file.truncate(many[-1][0] + 10)
    assert len(gathered(Recall([origin(sparse)]), many).octets) <= SPARE + 10 * len(many)


def test_little_between_much_is_read_in_one_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order and with a large hole, where what is not wanted is less than what is; in each file by itself."""
    other = path.with_name("other.pcap")
    other.write_bytes(OCTETS[::-1])
    recall, inner = Recall([origin(path), origin(other)]), Recall._read_one
    reads: list[int] = []

    def noted(self: Recall, begin: int, room: memoryview) -> bool:
        reads.append(begin)
        return inner(self, begin, room)

    monkeypatch.setattr(Recall, "_read_one", noted)
    wanted = [(60_000, 30_000), (10, 2 * HOLE), (20, 5)]
    found = gathered(recall, wanted, room=3)
    assert pieces(found, wanted) == [OCTETS[at : at + length] for at, length in wanted]
    assert (reads, len(found.octets)) == ([10], 90_000 - 10 + 3)
    both = [*wanted, ((1 << ADDRESS_BITS) + 7, 9)]
    assert pieces(gathered(recall, both), both)[-1] == OCTETS[::-1][7:16]
    assert reads[1:] == [10, 60_000, (1 << ADDRESS_BITS) + 7]


def test_what_is_kept_is_found_again(path: Path) -> None:
    """Copies stand beside the files of the capture; nothing has a name in the folder of temporary files."""
    with mock.patch.dict(os.environ, {"TMPDIR": str(path.parent)}), mock.patch("tempfile.tempdir", str(path.parent)):
        recall = Recall([origin(path)])
        one, other = recall.keep(b"first octets"), recall.keep(b"more")
        assert [each.name for each in path.parent.iterdir()] == [path.name]
        (kept,) = recall._open.values()
        assert os.fstat(kept.fileno()).st_mode & 0o077 == 0
    assert one >> ADDRESS_BITS == FILES_ADDRESSED
    wanted = [(other, 4), (10, 5), (one, 12), (one + 6, 6)]
    assert pieces(gathered(recall, wanted), wanted) == [b"more", OCTETS[10:15], b"first octets", b"octets"]


def test_a_full_disk_is_told_and_costs_only_what_was_to_be_kept(path: Path) -> None:
    """What could not be kept has no address; the files of the capture are read as before."""

    class Full(io.RawIOBase):
        def seek(self, _offset: int, _whence: int = 0) -> int:
            return 0

        def write(self, _octets: object) -> int:
            raise OSError(28, "No space left on device")

    recall = Recall([origin(path)])
    with mock.patch("tempfile.TemporaryFile", return_value=Full()):
        assert recall.keep(b"octets") == NOWHERE
    assert recall.trouble is not None
    assert "No space left on device" in recall.trouble
    assert recall.read(3, 4) == OCTETS[3:7]


@pytest.mark.parametrize("how", ["other octets", "cut short", "emptied", "replaced", "gone", "a folder"])
@pytest.mark.parametrize("opened", [False, True])
def test_a_file_that_is_not_as_it_was_gives_nothing(how: str, path: Path, *, opened: bool) -> None:
    """One line says why, and no octets are taken for those of the capture."""
    recall = Recall([origin(path)])
    if opened:
        assert recall.read(5, 4) == OCTETS[5:9]
    still = opened and how in {"replaced", "gone", "a folder"}  # the file that is open is the one that was read
    if how == "other octets":
        change(path, OCTETS[::-1])
    elif how == "cut short":
        change(path, OCTETS[:50_000])
    elif how == "emptied":
        change(path, b"")
    else:
        path.unlink()
        if how == "replaced":
            path.write_bytes(OCTETS)
        elif how == "a folder":
            path.mkdir()
    wanted = [(5, 4), (70_000, 4)]
    assert pieces(gathered(recall, wanted), wanted) == ([OCTETS[5:9], OCTETS[70_000:70_004]] if still else [None] * 2)
    assert (recall.read(5, 4) is not None) == still
    if not still:
        assert recall.trouble is not None
        assert recall.trouble.startswith("capture.pcap: ")
        assert "\n" not in recall.trouble


def test_a_change_of_one_file_leaves_the_others(path: Path) -> None:
    """Stretches of other files and those kept are there."""
    other = path.with_name("other.pcap")
    other.write_bytes(OCTETS)
    recall = Recall([origin(path), origin(other)])
    kept = recall.keep(b"kept")
    change(path, OCTETS[::-1])
    wanted = [(5, 4), ((1 << ADDRESS_BITS) + 5, 4), (kept, 4)]
    assert pieces(gathered(recall, wanted), wanted) == [None, OCTETS[5:9], b"kept"]
    assert recall.trouble == "capture.pcap: changed since it was read"


def test_a_file_that_is_still_being_written_is_read(path: Path) -> None:
    """Octets put behind those that were there change nothing about them."""
    recall = Recall([origin(path)])
    change(path, OCTETS + b"more")
    assert recall.read(5, 4) == OCTETS[5:9]
    assert recall.trouble is None


def test_octets_behind_the_end_are_not_there(path: Path) -> None:
    """An address beyond the file, or of a file that was never named, gives nothing."""
    recall = Recall([origin(path), None])
    for address in (len(OCTETS) - 2, 1 << ADDRESS_BITS, 2 << ADDRESS_BITS, FILES_ADDRESSED << ADDRESS_BITS):
        assert recall.read(address, 4) is None


def test_after_the_end_nothing_is_opened(path: Path) -> None:
    """Who asks too late gets nothing, and no file is left open."""
    recall = Recall([origin(path)])
    recall.keep(b"kept")
    recall.close()
    assert recall.read(5, 4) is None
    assert recall.keep(b"more") == NOWHERE
    assert not recall._open


def test_files_are_closed_with_their_recall(path: Path) -> None:
    """Nobody has to close what nobody uses any more."""
    recall = Recall([origin(path)])
    recall.read(5, 4)
    (file,) = recall._open.values()
    del recall
    assert file.closed  # type: ignore[attr-defined]


def test_threads_may_ask_while_others_keep(path: Path) -> None:
    """Every thread gets the octets that it asked for."""
    recall = Recall([origin(path)])
    kept = [(recall.keep(bytes([n]) * 50), n) for n in range(50)]
    wrong: list[int] = []

    def ask(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(200):
            at, (address, value) = int(rng.integers(0, 99_000)), kept[int(rng.integers(0, 50))]
            wanted = [(at, 500), (address, 50)]
            if pieces(gathered(recall, wanted), wanted) != [OCTETS[at : at + 500], bytes([value]) * 50]:
                wrong.append(seed)
            recall.keep(bytes(rng.integers(0, 256, 20, np.uint8)))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_capture_says_what_can_be_read_again(tmp_path: Path) -> None:
    """Plain files can; compressed ones, pipes and standard input come once; a file that is followed can."""
    octets = Build.pcap(b"one", b"two")
    plain, packed, pipe = tmp_path / "a.pcap", tmp_path / "b.pcap.gz", tmp_path / "c.pipe"
    plain.write_bytes(octets)
    packed.write_bytes(gzip.compress(octets))
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(octets,))
    writer.start()
    capture = Capture([plain, packed, pipe])
    assert sum(len(batch) for batch in capture) == 6
    writer.join()
    assert [None if each is None else Path(each.path).name for each in capture.origins] == ["a.pcap", None, None]
    recall = Recall(capture.origins)
    addresses = np.array([5, (1 << ADDRESS_BITS) + 5, (2 << ADDRESS_BITS) + 5, 3 << ADDRESS_BITS, NOWHERE])
    assert recall.again(addresses).tolist() == [True, False, False, False, False]
    followed = Capture([plain], follow=Follow(0))
    assert sum(len(batch) for batch in followed) == 2
    assert followed.origins[0] is not None


@pytest.mark.parametrize("make", [Build.pcap, Build.pcapng])
@pytest.mark.parametrize("batch_frames", [1, 3, 100])
def test_addresses_of_frames_lead_to_their_octets(tmp_path: Path, make: object, batch_frames: int) -> None:
    """Every octet of every frame is at the address of its batch and its place there, over several files."""
    assert callable(make)
    files = [tmp_path / f"{name}.pcap" for name in "ab"]
    for number, each in enumerate(files):
        each.write_bytes(make(*(bytes([number * 100 + n]) * (n * 7 + 1) for n in range(9))))
    capture = Capture(files, batch_frames)
    recall = Recall(capture.origins)
    seen = 0
    for batch in capture:
        wanted = [(batch.address + at, n) for at, n in zip(batch.offset.tolist(), batch.caplen.tolist(), strict=True)]
        frames = [batch.octets[at - batch.address : at - batch.address + n].tobytes() for at, n in wanted]
        assert pieces(gathered(recall, wanted), wanted) == frames
        seen += len(frames)
    assert seen == 18
