"""Octets of a capture file, decompressed, in bounded pieces.

A `Source` is one opened file. A `Window` is the stretch of it that is in memory: a buffer that is read to the end,
never written again, and replaced by a fresh one. What a batch points into therefore stays valid for as long as the
batch lives, and nothing is copied but the unfinished record at the end of a buffer.

Compressed files are read through `compression`, step by bounded step; streams that follow each other in one file are
one. The file is read, not memory-mapped: mapped pages count as resident memory. A file that is followed (`follow`) has
no end before somebody says so. Cost: one buffer of `BLOCK` octets a window, 0.3 s a gigabyte for plain files.
"""

from __future__ import annotations

import os
import select
import stat
import sys
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cmppscope.capture.compression import COMPRESSIONS, DamagedDataError, Stream
from cmppscope.capture.recall import Origin, origin_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cmppscope.capture.follow import Follow
    from cmppscope.tables import I64, U8

BLOCK = 16 << 20
"""Octets of one window; a batch never holds more, unless one record does."""

SLACK = 128
"""Zero octets behind the end of every window, so that a fixed-size header can be gathered at any offset in it."""

RAW_BLOCK = 1 << 16
"""Compressed octets read at once."""

PIPE_PATIENCE = 0.05
"""Seconds that a pipe may pause before what has come is handed on."""

STDIN = "-"
"""The path that means standard input."""


class CaptureError(Exception):
    """Input that cannot be read as a capture; its text is one line for the person who named the input."""


class Source:
    """One opened input: `readinto` gives its decompressed octets, `trouble` says why it ended early."""

    def __init__(
        self, path: Path | str, follow: Follow | None = None, finished: Callable[[], bool] | None = None
    ) -> None:
        """Open a file, or standard input for `-`; raise OSError.

        With `follow` its end is waited for until that or `finished` says that no more is to come.
        """
        self.name = path if isinstance(path, str) else path.name
        self.path = str(path)
        self.trouble: str | None = None
        self.octets_raw = 0
        """Octets read from the file itself, for a progress bar."""
        self._follow = follow
        self._finished = finished
        self._complete = False
        """The writer has gone on to another file."""
        self._file = _open(path)
        self._pipe = _pipe_number(self._file)
        self._head = b""
        self._head = self._read_head(6)
        self.compression = next((name for magic, name in COMPRESSIONS.items() if self._head.startswith(magic)), None)
        self._stream = Stream(self.compression) if self.compression else None

    def close(self) -> None:
        """Close the file, but never standard input."""
        if self.path != STDIN:
            self._file.close()

    def readinto(self, room: memoryview) -> int:
        """Read decompressed octets into `room`; 0 at the end, with `trouble` set when that came too early."""
        try:
            return self._read_raw(room) if self._stream is None else self._read_stream(room)
        except OSError as error:
            return self._end(f"read error at octet {self.octets_raw}: {error.strerror}")

    def origin(self) -> Origin | None:
        """Say what the octets can be read again from; None where they come only once."""
        if self.path == STDIN or self.compression is not None or self._pipe is not None:
            return None
        return origin_of(self.path, self._file.fileno())

    @property
    def growing(self) -> bool:
        """Tell whether the input may be unfinished because it is still being written."""
        return self._follow is not None and not self._complete

    def paused(self) -> bool:
        """Tell whether nothing more has come for a moment: on a pipe, or at the end of a file that is followed."""
        if self._follow and self._pipe is None:
            return self.octets_raw >= os.fstat(self._file.fileno()).st_size
        if self._pipe is None:
            return False
        try:
            return not select.select([self._pipe], [], [], PIPE_PATIENCE)[0]
        except (OSError, ValueError):  # a system on which only sockets can be waited for
            self._pipe = None
            return False

    def _end(self, trouble: str) -> int:
        """Note why there is nothing more to read."""
        self.trouble = trouble
        return 0

    def _read_head(self, size: int) -> bytes:
        """Read the first octets, of which a pipe may give one at a time."""
        room = memoryview(bytearray(size))
        got = 0
        while got < size and (step := self._read_raw(room[got:])):
            got += step
        return bytes(room[:got])

    def _read_raw(self, room: memoryview) -> int:
        """Read octets of the file, first those that were looked at already."""
        if self._head:
            size = min(len(self._head), len(room))
            room[:size] = self._head[:size]
            self._head = self._head[size:]
            return size
        size = self._file.readinto(room) or 0
        while not size and self._follow and self._still_there() and self._may_come(self._follow):
            size = self._file.readinto(room) or 0
        self.octets_raw += size
        return size

    def _may_come(self, follow: Follow) -> bool:
        """Wait for more; where the writer has gone on to another file, what it wrote last is there without waiting."""
        if self._complete:
            return False
        self._complete = self._finished is not None and self._finished()
        return self._complete or follow.wait()

    def _still_there(self) -> bool:
        """Tell whether a file that is followed still has the octets that were read of it."""
        if self._pipe is None and os.fstat(self._file.fileno()).st_size < self.octets_raw:
            self.trouble = f"emptied by its writer at octet {self.octets_raw}"
            return False
        return self._pipe is None

    def _read_stream(self, room: memoryview) -> int:
        """Read decompressed octets; compressed streams that follow each other are one."""
        while self._stream is not None:
            data = b""
            if self._stream.eof:
                self._stream = self._next_stream(self._stream.unused_data)
                continue
            if self._stream.needs_input and not (data := self._raw_block()):
                return 0 if self.growing else self._end(f"{self.compression} data cut short at octet {self.octets_raw}")
            try:
                out = self._stream.decompress(data, len(room))
            except DamagedDataError as error:
                near = self.octets_raw - self._stream.held
                return self._end(f"{self.compression} data damaged near octet {near}: {error}")
            if out:
                room[: len(out)] = out
                return len(out)
        return 0

    def _next_stream(self, rest: bytes) -> Stream | None:
        """Begin with the compressed stream behind a complete one, unless only padding follows."""
        rest = rest or self._raw_block()
        while rest and not rest.strip(b"\0"):
            rest = self._raw_block()
        if not rest:
            return None
        self._head = rest.lstrip(b"\0")
        return Stream(self.compression or "")

    def _raw_block(self) -> bytes:
        """Read the next compressed octets."""
        room = bytearray(max(RAW_BLOCK, len(self._head)))
        return bytes(room[: self._read_raw(memoryview(room))])


class Window:
    """The stretch of a source that is in memory: `octets[at:end]` is still to be read, `base` where it begins."""

    def __init__(self, source: Source, block: int = BLOCK) -> None:
        """Read the first block."""
        self.source = source
        self.block = block
        self.at = self.end = self.base = 0
        self.eof = False
        self.octets: U8 = np.zeros(0, np.uint8)
        self.view = memoryview(b"")
        self.refill()

    @property
    def position(self) -> int:
        """Offset in the decompressed file of the next octet."""
        return self.base + self.at

    @property
    def left(self) -> int:
        """Octets in memory that are not consumed."""
        return self.end - self.at

    def refill(self, need: int = 0) -> None:
        """Take a fresh buffer that begins with what is left, and read until it is full, the input ends or pauses.

        `need` octets are read even where a pipe pauses.
        """
        left = self.left
        octets = np.empty(max(self.block, need) + SLACK, np.uint8)
        octets[:left] = self.octets[self.at : self.end]
        room = memoryview(octets.data)
        end, full = left, len(octets) - SLACK
        while end < full:
            if end >= need and end > left and self.source.paused():
                break
            if not (step := self.source.readinto(room[end:full])):
                self.eof = True
                break
            end += step
        octets[end : end + SLACK] = 0
        self.base += self.at
        self.octets, self.at, self.end = octets, 0, end
        self.view = room[:end].toreadonly()


class Octets(Protocol):
    """What is read from: a file, or standard input."""

    def readinto(self, room: memoryview, /) -> int | None:
        """Read octets, at most as many as there is room for."""

    def fileno(self) -> int:
        """Give the descriptor."""

    def close(self) -> None:
        """Close it."""


def _open(path: Path | str) -> Octets:
    """Open for reading without a buffer of Python's own."""
    if path == STDIN:
        buffer: Any = sys.stdin.buffer
        raw: Octets = getattr(buffer, "raw", buffer)
        return raw
    return open(path, "rb", buffering=0)  # noqa: PTH123 - paths are text here


def _pipe_number(file: Octets) -> int | None:
    """Give the descriptor of an input that may pause, None for what `select` does not know."""
    try:
        number = file.fileno()
        return None if stat.S_ISREG(os.fstat(number).st_mode) else number
    except (OSError, ValueError, AttributeError):
        return None


def gather(octets: U8, at: I64, record: np.dtype[np.void]) -> NDArray[np.void]:
    """Copy a fixed-size header from each offset: one pass over memory for all of its fields."""
    size = record.itemsize
    everywhere: NDArray[np.void] = np.ndarray((len(octets) - size + 1,), f"V{size}", octets.data, 0, (1,))
    return everywhere[at].view(record)
