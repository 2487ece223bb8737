"""Octets of a capture, read once more: from its files, or from a copy that was kept of what no file gives twice.

`Recall.gather` finds octets by their addresses (`tables.ADDRESS_BITS`). Plain files are opened again when they are
first asked for; few stay open. What comes from standard input, a pipe, an interface or a compressed file is given to
`keep`, which writes it to a temporary file without a name, readable by nobody else, that is gone with the program.

A file must be as it was when it was opened to be read: the same file, its time unchanged, or grown since then as one
does that is still being written. Otherwise its octets are not given, and `trouble` says why in one line. A look at the
file follows each read, so that no octets are taken for those of the capture that were written while they were read.

Any thread may ask, one at a time. Cost: one read for all octets that lie close together, at most `SPARE` octets of what
lies between them.
"""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from cmppscope.tables import ADDRESS_BITS, FILES_ADDRESSED, NOWHERE

if TYPE_CHECKING:
    from cmppscope.tables import I64, U8, Bool

OPEN_FILES = 8
"""Files that stay open."""

HOLE = 16 << 10
SPARE = 16 << 20
"""Octets between wanted ones that are read rather than passed over: of one hole, and of all in one go."""

_OFFSET = (1 << ADDRESS_BITS) - 1
_KEPT = FILES_ADDRESSED
"""The index that stands for the temporary file."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A plain file as it was when it was opened to be read."""

    path: str
    device: int
    inode: int
    size: int
    modified_ns: int

    def differs(self, now: os.stat_result) -> bool:
        """Tell whether a file is not this one any more; a growing one still is."""
        if (now.st_dev, now.st_ino) != (self.device, self.inode) or now.st_size < self.size:
            return True
        return now.st_size == self.size and now.st_mtime_ns != self.modified_ns


def origin_of(path: str, descriptor: int) -> Origin | None:
    """Look at an opened input; None where it is no regular file."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        return None
    return Origin(str(Path(path).absolute()), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


class Gathered(NamedTuple):
    """Octets that were asked for."""

    octets: U8
    """One buffer."""
    position: I64
    """Of each stretch asked for: where it begins in the buffer."""
    there: Bool
    """Of each stretch: whether it could be read."""


class Runs(NamedTuple):
    """Octets that were read, in runs of which each lies in one file in one piece."""

    octets: U8
    """One buffer."""
    address: I64
    """Of each run: the address of its first octet, ascending."""
    position: I64
    """Of each run: where it begins in the buffer."""
    there: Bool
    """Of each run: whether it could be read."""

    def find(self, address: I64) -> tuple[I64, Bool]:
        """Tell where octets that were asked for are in the buffer, by their addresses, and whether they are there."""
        if not len(self.address):
            return np.zeros(len(address), np.int64), np.zeros(len(address), np.bool_)
        if len(self.address) == 1:
            return address - int(self.address[0] - self.position[0]), np.full(len(address), self.there[0])
        run = np.searchsorted(self.address, address, "right") - 1
        return address - (self.address - self.position)[run], self.there[run]


class File(Protocol):
    """A file without a buffer of Python's own."""

    def fileno(self) -> int:
        """Give the descriptor."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to an offset."""

    def readinto(self, room: memoryview, /) -> int | None:
        """Read octets, at most as many as there is room for."""

    def write(self, octets: memoryview, /) -> int | None:
        """Write octets, at least one."""

    def close(self) -> None:
        """Close it."""


class Recall:
    """Gives octets of one capture again."""

    def __init__(self, origins: Sequence[Origin | None] = ()) -> None:
        """`origins` has an entry for each file of the capture, None for one that is read only once; it may grow."""
        self._origins = origins
        self._open: OrderedDict[int, File] = OrderedDict()
        self._lock = threading.Lock()
        self._kept = 0
        self._closed = False
        self.trouble: str | None = None
        """What was wrong last."""
        self._close = weakref.finalize(self, _close_all, self._open)

    def close(self) -> None:
        """Close the files; what was kept is gone."""
        with self._lock:
            self._closed = True
            self._close()

    def again(self, address: I64) -> Bool:
        """Tell which addresses can be read again without having been kept."""
        known = np.array([origin is not None for origin in self._origins] or [False])
        index = np.where(address == NOWHERE, len(known), address >> ADDRESS_BITS)
        found: Bool = (index < len(known)) & known[np.minimum(index, len(known) - 1)]
        return found

    def keep(self, octets: bytes) -> int:
        """Keep a copy of octets; give the address of the first, NOWHERE where there is no room for them."""
        with self._lock:
            if self._closed:
                return NOWHERE
            try:
                file = self._open.get(_KEPT) or self._temporary()
                file.seek(self._kept)
                left = memoryview(octets)
                while left:
                    left = left[file.write(left) or 0 :]
            except OSError as error:
                self.trouble = f"temporary file in {tempfile.gettempdir()}: {error.strerror}"
                return NOWHERE
            begin = self._kept
            self._kept += len(octets)
        return (_KEPT << ADDRESS_BITS) + begin

    def gather(self, address: I64, length: I64, room: int = 0) -> Gathered:
        """Read stretches of octets by the address of their first one, with `room` octets behind them in the buffer.

        No address may be NOWHERE; a stretch holds at least one octet.
        """
        runs = self.runs(address, length, room)
        return Gathered(runs.octets, *runs.find(address))

    def runs(self, address: I64, length: I64, room: int = 0) -> Runs:
        """Read the runs of octets in which such stretches lie."""
        begin, end, heads = _in_one(address, length) or _in_order(address, length)
        begins = begin[heads]
        sizes = end[np.append(heads[1:], len(end))[: len(heads)] - 1] - begins
        places = np.cumsum(sizes) - sizes
        octets = np.empty(int(sizes.sum()) + room, np.uint8)
        with self._lock:
            read = self._read(begins.tolist(), sizes.tolist(), places.tolist(), octets)
        return Runs(octets, begins, places, np.array(read, np.bool_))

    def read(self, address: int, length: int) -> bytes | None:
        """Read one stretch of octets; None where that cannot be."""
        octets = bytearray(length)
        with self._lock:
            there = self._read_one(address, memoryview(octets)) and self._same(address >> ADDRESS_BITS)
        return bytes(octets) if there else None

    def name(self, address: int) -> str:
        """Name the file that an address is in."""
        index = address >> ADDRESS_BITS
        origin = self._origins[index] if index < len(self._origins) else None
        return Path(origin.path).name if origin else "temporary file"

    def changed(self, address: int) -> None:
        """Note that the octets at an address are not those of the capture."""
        self.trouble = f"{self.name(address)}: changed since it was read"

    def _read(self, begins: list[int], sizes: list[int], places: list[int], octets: U8) -> list[bool]:
        """Read each stretch to its place; tell which are there."""
        view = octets.data
        read: list[bool] = []
        wanted = zip(begins, sizes, places, strict=True)
        for index, of_file in groupby(wanted, key=lambda each: each[0] >> ADDRESS_BITS):
            fine = [self._read_one(begin, view[place : place + size]) for begin, size, place in of_file]
            same = any(fine) and self._same(index)
            read += [each and same for each in fine]
        return read

    def _read_one(self, begin: int, room: memoryview) -> bool:
        """Read one stretch; what cannot be read is noted."""
        try:
            file = self._file(begin >> ADDRESS_BITS)
            if file is None:
                return False
            file.seek(begin & _OFFSET)
            while room:
                step = file.readinto(room)
                if not step:
                    self.changed(begin)
                    return False
                room = room[step:]
        except OSError as error:
            self.trouble = f"{self.name(begin)}: {error.strerror}"
            return False
        return True

    def _file(self, index: int) -> File | None:
        """Give a file, opened now if it is not; None where there is none that could be opened."""
        file = self._open.get(index)
        if file is None:
            origin = self._origins[index] if index < len(self._origins) else None
            if origin is None or self._closed:
                return None
            file = open(origin.path, "rb", buffering=0)  # noqa: PTH123, SIM115 - it stays open
            self._open[index] = file
            while len(self._open) > OPEN_FILES:
                oldest = next(index for index in self._open if index != _KEPT)
                self._open.pop(oldest).close()
        self._open.move_to_end(index)
        return file

    def _same(self, index: int) -> bool:
        """Tell whether a file that is open is as it was when the capture was read."""
        if index == _KEPT:
            return True
        origin = self._origins[index]
        if origin is None or origin.differs(os.fstat(self._open[index].fileno())):
            self._open.pop(index).close()
            self.changed(index << ADDRESS_BITS)
            return False
        return True

    def _temporary(self) -> File:
        """Make the temporary file: no name, no other reader."""
        file: Any = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it stays open
        self._open[_KEPT] = file
        made: File = file
        return made


def _close_all(files: OrderedDict[int, File]) -> None:
    """Close files."""
    while files:
        files.popitem()[1].close()


def _in_one(address: I64, length: I64) -> tuple[I64, I64, I64] | None:
    """Take all stretches for one where that hardly reads more; None where it would, or where several files have them.

    What is given is as of `_in_order`.
    """
    if not len(address):
        return None
    begin, end, wanted = int(address.min()), int((address + length).max()), int(length.sum())
    if end - begin - wanted > min(wanted, SPARE):  # as two files are apart, by their addresses
        return None
    return np.array([begin]), np.array([end]), np.zeros(1, np.int64)


def _in_order(address: I64, length: I64) -> tuple[I64, I64, I64]:
    """Give the beginnings of stretches in ascending order, the ends up to each, and where a read begins."""
    order = np.argsort(address, kind="stable")
    begin, end = address[order], np.maximum.accumulate((address + length)[order])
    return begin, end, _heads(begin, end)


def _heads(begin: I64, end: I64) -> I64:
    """Tell where, among stretches in order, a read begins: behind holes that are too large to be read with."""
    if not len(begin):
        return np.zeros(0, np.int64)
    hole = np.maximum(begin[1:] - end[:-1], 0)
    large = hole > HOLE  # as two files are, by their addresses
    hole[large] = 0
    if hole.sum() > SPARE:
        by_size = np.argsort(hole, kind="stable")
        large[by_size] |= np.cumsum(hole[by_size]) > SPARE
    return np.concatenate([np.zeros(1, np.int64), np.flatnonzero(large) + 1])
