"""Captures: files, compressed files, folders and pipes in, batches of frames out. The only room that reads input.

Frames are numbered from 1 over all files. Files follow each other in the order of their first frames (`files`); a batch
holds frames of one file. What is wrong with a file stands in its `FileInfo.damage`, and everything else of it is kept;
`CaptureError` is for input of which nothing could be read. Memory is one window (`source.BLOCK`) and the batches that
the caller keeps.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cmppscope.capture import pcap, pcapng
from cmppscope.capture.files import Coming, arrange, expand, overlaps
from cmppscope.capture.recall import Origin
from cmppscope.capture.source import SLACK, STDIN, CaptureError, Source, Window
from cmppscope.tables import BATCH_FRAMES, FileInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cmppscope.capture.follow import Follow
    from cmppscope.tables import FrameBatch

__all__ = ["Capture", "CaptureError", "Known"]

PEEK = 1 << 16
"""Octets of a file read to learn when it begins."""


class Known(NamedTuple):
    """What reading tells of a capture besides its frames; see `Capture`."""

    first: int
    """Index of the first file of the next two; nothing is new of those in front of it."""
    files: list[FileInfo]
    origins: list[Origin | None]
    facts: list[str]
    octets_read: int


class Capture:
    """One capture: a file, several, folders of them, or `-` for standard input."""

    def __init__(
        self, paths: Sequence[str | Path], batch_frames: int = BATCH_FRAMES, follow: Follow | None = None
    ) -> None:
        """Take the paths; nothing is opened before the first batch is asked for.

        With `follow` the last file in order is still being written: more of it is waited for until `follow` says so.
        Where a folder was given and a later file appears in it, that one is read next.
        """
        self.paths = list(paths)
        self.batch_frames = max(1, batch_frames)
        self.files: list[FileInfo] = []
        """One entry a file, in reading order, filled while reading; `FrameBatch.file` is an index into it."""
        self.origins: list[Origin | None] = []
        """One entry a file as well: what its octets can be read again from, None where they come only once."""
        self.octets_total = None if follow else _size(self.paths)
        """Octets of all files as they lie on the disk, None where standard input is one of them or one still grows."""
        self._follow = follow
        self._facts: list[str] = []
        self._octets_done = 0
        self._told = 0
        """Files of which nothing new is to be told."""
        self._source: Source | None = None

    def news(self) -> Known:
        """Tell what reading has told since the last call."""
        first, self._told = self._told, max(0, len(self.files) - 1)
        return Known(first, self.files[first:], self.origins[first:], self._facts, self.octets_read)

    def learn(self, known: Known) -> None:
        """Know what reading the same capture elsewhere has told."""
        self.files[known.first :], self.origins[known.first :] = known.files, known.origins
        self._facts, self._octets_done = known.facts, known.octets_read

    @property
    def octets_read(self) -> int:
        """Octets read so far of `octets_total`."""
        return self._octets_done + (self._source.octets_raw if self._source else 0)

    @property
    def notes(self) -> list[str]:
        """What is to be told of the set of files besides their damage; complete when the last frame was read."""
        return self._facts + overlaps(self.files)

    def __iter__(self) -> Iterator[FrameBatch]:
        """Yield the frames, file after file; raise CaptureError where no file could be read."""
        self.files, self._octets_done, self._told = [], 0, 0
        self.origins.clear()
        errors: list[str] = []
        first = 1
        given = [str(path) for path in self.paths]
        coming = Coming(given, _first_time) if self._follow else None
        arranged = arrange(given, _first_time)
        while self._follow and coming and arranged.files == given and self._follow.wait():
            arranged = arrange(given, _first_time)
        paths, self._facts = arranged.files, arranged.notes
        for index, path in enumerate(paths):
            info = FileInfo(name=Path(path).name or path)
            self.files.append(info)
            self.origins.append(None)
            try:
                for batch in self._read(path, info, paths, coming if index == len(paths) - 1 else None):
                    _cut_out(batch)
                    batch.first, batch.file, batch.file_first = first, index, info.frames + 1
                    first += len(batch)
                    _count(info, batch)
                    yield batch
            except CaptureError as error:
                errors.append(str(error))
                info.damage = str(error).removeprefix(f"{path}: ")
        if len(errors) == len(paths):
            more = f" (and {len(errors) - 1} more that cannot be read)" if len(errors) > 1 else ""
            raise CaptureError(errors[0] + more)

    def _read(self, path: str, info: FileInfo, paths: list[str], coming: Coming | None) -> Iterator[FrameBatch]:
        """Yield the frames of one file; the one that is `coming` behind it, if it is the last, is put to the paths."""

        def finished() -> bool:
            begun = max([file.first_ns for file in self.files if file.frames], default=float("-inf"))
            following = coming.after(begun, path) if coming else None
            paths.extend([following] if following else [])
            return following is not None

        source = self._source = _open(path, None if coming is None else self._follow, finished)
        self.origins[-1] = source.origin()
        try:
            yield from _batches(Window(source), info, self.batch_frames)
        finally:
            source.close()
            self._octets_done += source.octets_raw
            self._source = None


def _open(path: str, follow: Follow | None = None, finished: Callable[[], bool] | None = None) -> Source:
    """Open one input; raise CaptureError where that is impossible."""
    try:
        return Source(path, follow, finished)
    except IsADirectoryError:
        msg = f"{path}: no capture files in this folder"
        raise CaptureError(msg) from None
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise CaptureError(msg) from None


def _batches(window: Window, info: FileInfo, batch_frames: int) -> Iterator[FrameBatch]:
    """Yield the frames of an opened file in the format that its first octets tell."""
    source = window.source
    head = bytes(window.view[:8])
    if head[:4] in pcap.MAGICS:
        name, read = "pcap", pcap.read_pcap
    elif head[:4] == pcapng.MAGIC:
        name, read = "pcapng", pcapng.read_pcapng
    else:
        start = " ".join(head[at : at + 2].hex() for at in range(0, len(head), 2))
        reason = f"not a capture file (starts with {start} …)" if head else "empty file"
        if source.trouble and len(head) < 8:
            reason = source.trouble
        msg = f"{source.path}: {reason}"
        raise CaptureError(msg)
    info.format = f"{name}+{source.compression}" if source.compression else name
    yield from read(window, info, batch_frames)
    info.damage = "; ".join(filter(None, (source.trouble, info.damage))) or None


def _cut_out(batch: FrameBatch) -> None:
    """Leave a batch no more of the window than its own stretch, and what may be read behind it."""
    begin = int(batch.offset[0])
    batch.octets = batch.octets[begin : int(batch.offset[-1] + batch.caplen[-1]) + SLACK]
    batch.offset = batch.offset - begin


def _count(info: FileInfo, batch: FrameBatch) -> None:
    """Add a batch to what is known of its file."""
    least, greatest = int(batch.time_ns.min()), int(batch.time_ns.max())
    info.first_ns = min(info.first_ns, least) if info.frames else least
    info.last_ns = max(info.last_ns, greatest) if info.frames else greatest
    times, lengths = info.digest
    info.digest = zlib.crc32(batch.time_ns.tobytes(), times), zlib.crc32(batch.caplen.tobytes(), lengths)
    info.frames += len(batch)
    info.octets += int(batch.caplen.sum())
    first_uses = dict.fromkeys(batch.linktype[np.sort(np.unique(batch.linktype, return_index=True)[1])].tolist())
    info.linktypes = tuple(dict.fromkeys((*info.linktypes, *first_uses)))


def _size(paths: Sequence[str | Path]) -> int | None:
    """Add up the octets of files and of the files in folders; None with standard input."""
    if any(str(path) == STDIN for path in paths):
        return None
    return sum(_file_size(file) for path in paths for file in expand(str(path)))


def _file_size(path: str) -> int:
    """Give the octets of a file, 0 where that cannot be known."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _first_time(path: str) -> float | None:
    """Give the time of a file's first frame, infinity without one, None where the file is no capture."""
    if path == STDIN or not Path(path).is_file():  # what a pipe gives once cannot be read again
        return None
    try:
        source = _open(path)
    except CaptureError:
        return None
    try:
        for batch in _batches(Window(source, PEEK), FileInfo(""), 1):
            return int(batch.time_ns[0])
    except CaptureError:
        return None
    finally:
        source.close()
    return float("inf")
