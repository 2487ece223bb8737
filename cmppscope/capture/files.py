"""Which files a capture is made of, in which order, and what is to be told of the set: facts, not faults.

Files follow each other in the order of their first frames; those without frames and standard input come last. A file
that is named twice, also through a folder or a link, is read once. In a folder, what is no capture is passed over; a
file that was named is not. Only what is certain is told: a number that is not there in a set that dumpcap or tcpdump
numbered, files whose times overlap, files that hold the same frames.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from cmppscope.capture.source import STDIN

if TYPE_CHECKING:
    from cmppscope.tables import FileInfo

NAMES_TOLD = 3
"""Files named in one note, and notes of one kind; the others are counted."""

NUMBERED = (
    re.compile(r"(?P<head>.*_)(?P<number>\d{5})_\d{14}(?P<tail>\D.*|)", re.ASCII),
    re.compile(r"(?P<head>.*\.(?:pcap|cap|pcapng|dmp))(?P<number>\d{1,9})(?P<tail>(?:\.\w+)?)", re.ASCII),
)
"""Names of rotated files: dumpcap's `name_00007_20260601101530.pcap`, tcpdump's `name.pcap7`."""

FirstTime = Callable[[str], float | None]
"""Give the time of a file's first frame, infinity without one, None where the file is no capture."""


@dataclass(slots=True)
class Arranged:
    """Files in reading order, and what is to be told of them."""

    files: list[str]
    notes: list[str] = field(default_factory=list)


class Coming:
    """The files that a capturing program begins, one after the other, in folders that are followed.

    A file comes next when its first frame is later than that of every file read so far; so one that was read and is
    renamed or compressed afterwards does not come again, and a name that is used again does.
    """

    def __init__(self, paths: Sequence[str], first_time: FirstTime) -> None:
        """Look into those of the paths that are folders."""
        self._folders = [path for path in paths if path != STDIN and Path(path).is_dir()]
        self._first_time = first_time
        self._looked: dict[str, tuple[tuple[int, int], float | None]] = {}
        """Size and time of change of each file when it was looked at, and the time of its first frame."""

    def __bool__(self) -> bool:
        """Tell whether there is anything to look into."""
        return bool(self._folders)

    def after(self, time_ns: float, reading: str) -> str | None:
        """Name the file to go on with from the one that is being read; `time_ns` is the latest beginning so far."""
        found = []
        for folder in self._folders:
            for path in expand(folder):
                time = self._begins(path) if path != reading else None
                if time is not None and time_ns < time < float("inf"):
                    found.append((time, path))
        return min(found)[1] if found else None

    def _begins(self, path: str) -> float | None:
        """Give the time of a file's first frame; a file that did not change is not opened again."""
        try:
            status = Path(path).stat()
        except OSError:
            return None
        state = (status.st_size, status.st_mtime_ns)
        if path not in self._looked or self._looked[path][0] != state:
            self._looked[path] = (state, self._first_time(path))
        return self._looked[path][1]


def arrange(paths: Sequence[str], first_time: FirstTime) -> Arranged:
    """Put the files of some paths in order; a folder without captures stays as itself, to fail when it is opened."""
    if len(paths) == 1 and expand(paths[0]) == [paths[0]]:
        return Arranged([paths[0]])
    found: list[tuple[float, str]] = []
    passed_over: list[str] = []
    twice: list[str] = []
    seen: set[object] = set()
    for path in paths:
        files = expand(path)
        named = files == [path]
        known: list[tuple[float, str]] = []
        for file in files:
            if (same := _identity(file)) in seen:
                twice.append(file)
                continue
            time = first_time(file)
            if time is None and not named:
                passed_over.append(file)
                continue
            seen.add(same)
            known.append((float("inf") if time is None else time, file))
        if not known and not any(file in twice for file in files):
            known = [(float("inf"), path)]
        found += known
    ordered = [file for _, file in sorted(found, key=lambda item: item[0])]
    notes = [_told("given more than once, read once", twice), _told("no capture, passed over", passed_over)]
    return Arranged(ordered, [*filter(None, notes), *_first(missing_numbers(ordered))])


def expand(path: str) -> list[str]:
    """Name the files of a folder, but not those of its folders and no hidden ones; anything else is itself."""
    if path == STDIN or not Path(path).is_dir():
        return [path]
    try:
        files = sorted(Path(path).iterdir())
    except OSError:
        return []
    return [str(file) for file in files if file.is_file() and not file.name.startswith(".")]


def missing_numbers(files: Sequence[str]) -> Iterator[str]:
    """Tell of numbers that are not there between two that are, in sets that a capturing program numbered."""
    sets: dict[tuple[str, str], dict[int, str]] = {}
    for file in files:
        match = next(filter(None, (pattern.fullmatch(file) for pattern in NUMBERED)), None)
        if match:
            sets.setdefault((match["head"], match["tail"]), {})[int(match["number"])] = Path(file).name
    for numbers in sets.values():
        for one, other in pairwise(sorted(numbers)):
            if other - one > 1:
                lost = f"number {one + 1}" if other - one == 2 else f"numbers {one + 1} to {other - 1}"
                yield f"{lost} of the set missing between {numbers[one]} and {numbers[other]}"


def overlaps(files: Sequence[FileInfo]) -> list[str]:
    """Tell of files that hold the same frames, and of files that begin before the ones in front of them end."""
    read = [info for info in files if info.frames]
    same = [
        f"{other.name} holds the same frames as {one.name}"
        for one, other in combinations(read, 2)
        if (one.frames, one.octets, one.digest) == (other.frames, other.octets, other.digest)
    ]
    early = []
    for one, other in pairwise(read):
        if other.first_ns < one.last_ns:
            seconds = (one.last_ns - other.first_ns) / 1e9
            early.append(f"{other.name} begins {seconds:.3f} s before {one.name} ends; read one after the other")
    return [*_first(same), *_first(early)]


def _identity(path: str) -> object:
    """Give what is the same for two names of one file."""
    try:
        status = Path(path).stat()
    except OSError:
        return path
    return (status.st_dev, status.st_ino) if path != STDIN else path


def _told(what: str, files: Sequence[str]) -> str | None:
    """Say something of some files in one line."""
    if not files:
        return None
    names = ", ".join(Path(file).name for file in files[:NAMES_TOLD])
    more = len(files) - NAMES_TOLD
    return f"{what}: {names}" + (f" and {more} more" if more > 0 else "")


def _first(notes: Iterator[str] | list[str]) -> list[str]:
    """Keep the first notes of a kind, and count the others."""
    every = list(notes)
    more = len(every) - NAMES_TOLD
    return every[:NAMES_TOLD] + ([f"and {more} more of this kind"] if more > 0 else [])
