"""Frames of pcapng files (draft-ietf-opsawg-pcapng).

A file is a chain of blocks that tell their length at both ends. The walk along the chain notes where blocks with frames
begin and looks at all others at once: sections and interfaces change how the next frames are read, so a change ends the
run of blocks whose fields are gathered together. Cost: 0.7 µs a block, and 0.1 ms for every change.

Read: sections of either byte order, any number of interfaces with link types, resolutions and offsets of their own,
Enhanced, Simple and old Packet Blocks. Other blocks are skipped. A block that tells two lengths, or an impossible one,
ends the file; one that only contradicts itself inside is left out. A Simple Packet Block has no time: 0 stands for it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.capture.clock import Clock
from cmppscope.capture.source import gather
from cmppscope.tables import FrameBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmppscope.capture.source import Window
    from cmppscope.tables import I64, FileInfo

MAGIC = b"\x0a\x0d\x0d\x0a"
"""First four octets of a file; they read the same in both byte orders."""

SECTION, INTERFACE, PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
"""Block types."""

ORDER_MAGIC = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
"""The octets that tell a section's byte order."""

BLOCK_MAX = 16 << 20
"""Octets that a block may claim."""

EDGE = 12
"""Octets of the smallest block: type, length, length."""

HEADERS = {ENHANCED: 28, PACKET: 28, SIMPLE: 12}
"""Octets before the frame in the blocks that hold one."""

SECTION_MIN, INTERFACE_MIN = 28, 20
"""Octets of the smallest section header and interface description."""

OPTION_TSRESOL, OPTION_TSOFFSET = 9, 14
"""Options of an interface description: resolution of its clock, seconds to add."""

FIELDS = {
    ENHANCED: {
        "interface": (8, "u4"),
        "high": (12, "u4"),
        "low": (16, "u4"),
        "caplen": (20, "u4"),
        "wirelen": (24, "u4"),
    },
    PACKET: {
        "interface": (8, "u2"),
        "high": (12, "u4"),
        "low": (16, "u4"),
        "caplen": (20, "u4"),
        "wirelen": (24, "u4"),
    },
    SIMPLE: {"wirelen": (8, "u4")},
}
"""Offset and format of what these blocks say of their frames."""


@dataclass(frozen=True, slots=True)
class Interface:
    """What an interface description says."""

    linktype: int
    snaplen: int
    clock: Clock


@dataclass(slots=True)
class Section:
    """What frames are read by: the byte order and the interfaces known so far."""

    order: str = "<"
    interfaces: list[Interface] = field(default_factory=list)

    def layout(self, kind: int) -> np.dtype[np.void]:
        """Describe the header of a block that holds a frame."""
        fields = {"length": (4, "u4"), **FIELDS[kind]}
        offsets = [offset for offset, _ in fields.values()]
        formats = [self.order + number for _, number in fields.values()]
        return np.dtype(
            {
                "names": list(fields),
                "formats": formats,
                "offsets": offsets,
                "itemsize": HEADERS[kind],
            }
        )

    def groups(self, number: I64) -> Iterator[tuple[slice | I64, Interface]]:
        """Give each interface that is named, and which rows name it; the time does not grow with how many there are."""
        if (number == number[0]).all():
            yield slice(None), self.interfaces[int(number[0])]
            return
        order = np.argsort(number, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
            yield rows, self.interfaces[int(number[rows[0]])]


@dataclass(slots=True)
class Stop:
    """Why a walk ended: the next block needs octets that are not in memory, or nothing behind here can be trusted."""

    need: int = EDGE
    damage: str | None = None


def read_pcapng(window: Window, info: FileInfo, batch_frames: int) -> Iterator[FrameBatch]:
    """Yield the frames of a file that begins with a section header; say in `info.damage` what is wrong with it."""
    return Reader(window, info).read(batch_frames)


class Reader:
    """The walk along one file."""

    def __init__(self, window: Window, info: FileInfo) -> None:
        """Begin before the first section."""
        self.window = window
        self.info = info
        self.section = Section()
        self.blocks = 0
        """Blocks passed."""
        self.kind = ENHANCED
        self.run: list[int] = []
        """Where the blocks of the present run begin; all have the type `kind`."""
        self.run_from = (0, 0)
        """Where the run was begun, and how many blocks were passed before."""
        self.pieces: list[FrameBatch] = []
        """Runs of this window that were gathered and not handed on."""

    def read(self, batch_frames: int) -> Iterator[FrameBatch]:
        """Yield the frames."""
        window = self.window
        while True:
            self.run_from = (window.at, self.blocks)
            stop = self._walk(batch_frames)
            self._gather()
            if self.pieces:
                yield _join(self.pieces)
                self.pieces = []
            if stop is None:
                continue
            if stop.damage is None and window.eof and window.left:
                stop.damage = f"{self._place()} cut short: has {window.left} of {stop.need} octets"
            if stop.damage or window.eof:
                self.info.damage = "; ".join(filter(None, (self.info.damage, stop.damage))) or None
                return
            window.refill(stop.need)

    def _walk(self, limit: int) -> Stop | None:
        """Pass whole blocks until enough frames are noted (None) or the walk has to stop."""
        frames = 0
        while frames < limit:
            passed = self._pass_run(limit - frames)
            frames += passed
            if frames < limit and (stop := self._pass_other()):
                return stop
        return None

    def _pass_run(self, limit: int) -> int:
        """Pass blocks of the present kind as long as nothing is wrong with them, and count them."""
        run, view, end, kind = self.run, self.window.view, self.window.end, self.kind
        unpack, tail = _lengths(self.section.order)
        before, at, last = len(run), self.window.at, end - EDGE
        for _ in repeat(None, limit):
            if at > last:
                break
            number, length = unpack(view, at)
            if number != kind or not EDGE <= length <= BLOCK_MAX or length & 3:
                break
            behind = at + length
            if behind > end or tail(view, behind - 4)[0] != length:
                break
            run.append(at)
            at = behind
        passed = len(run) - before
        self.blocks += passed
        self.window.at = at
        return passed

    def _pass_other(self) -> Stop | None:
        """Look at a block that is not of the present kind, or is not whole, or wrong."""
        window, view = self.window, self.window.view
        if window.left < EDGE:
            return Stop()
        (kind,) = struct.unpack_from(self.section.order + "I", view, window.at)
        order = self.section.order
        if kind == SECTION:
            known = ORDER_MAGIC.get(bytes(view[window.at + 8 : window.at + EDGE]))
            if known is None:
                return Stop(damage=f"{self._place()} has no byte-order magic")
            order = known
        unpack, tail = _lengths(order)
        length = unpack(view, window.at)[1]
        if not EDGE <= length <= BLOCK_MAX or length & 3:
            return Stop(damage=f"{self._place()} claims {length} octets")
        if length > window.left:
            return Stop(need=length)
        if (second := tail(view, window.at + length - 4)[0]) != length:
            return Stop(damage=f"{self._place()} tells two lengths, {length} and {second}")
        return self._take(kind, order, view[window.at : window.at + length])

    def _take(self, kind: int, order: str, block: memoryview) -> Stop | None:
        """Begin a run of another kind, or pass a block that holds no frame."""
        if kind in HEADERS:
            self._gather()
            self.kind = kind
            return None
        if kind in {SECTION, INTERFACE}:
            self._gather()
            damage = self._section(order, block) if kind == SECTION else self._interface(block)
            if damage:
                return Stop(damage=f"{self._place()} {damage}")
        self.window.at += len(block)
        self.blocks += 1
        if not self.run:
            self.run_from = (self.window.at, self.blocks)
        return None

    def _section(self, order: str, block: memoryview) -> str | None:
        """Begin a section; say what is wrong with its header."""
        if len(block) < SECTION_MIN:
            return "is too short for a section header"
        (major,) = struct.unpack_from(order + "H", block, EDGE)
        if major != 1:
            return f"is of version {major} of pcapng"
        self.section = Section(order)
        return None

    def _interface(self, block: memoryview) -> str | None:
        """Take an interface description; say what is wrong with it."""
        if len(block) < INTERFACE_MIN:
            return "is too short for an interface description"
        self.section.interfaces.append(_interface(self.section.order, block))
        return None

    def _place(self) -> str:
        """Name the block that comes next."""
        return f"block {self.blocks + 1} at octet {self.window.position}"

    def _gather(self) -> None:
        """Gather the fields of the blocks of one run, without those that contradict themselves."""
        if not self.run:
            return
        at = np.array(self.run, np.int64)
        self.run.clear()
        kind, interfaces = self.kind, self.section.interfaces
        # The window ends with enough zeros to read a header that its block is too short for.
        header = gather(self.window.octets, at, self.section.layout(kind))
        room = header["length"].astype(np.int64) - HEADERS[kind] - 4
        number = np.zeros(len(at), np.int64) if kind == SIMPLE else header["interface"].astype(np.int64)
        wrong = [room < 0, number >= len(interfaces)]
        if kind != SIMPLE:
            wrong.append(header["caplen"] > room)
        bad = np.logical_or.reduce(wrong)
        if bad.any():
            first = int(bad.argmax())
            texts = (
                "is too short for a frame",
                f"is of interface {number[first]}, which is not described",
            )
            claim = "" if kind == SIMPLE else f"claims {header['caplen'][first]} captured octets and has {room[first]}"
            self._skip(
                int(at[first]),
                next(text for text, test in zip((*texts, claim), wrong, strict=False) if test[first]),
            )
            at, header, room, number = at[~bad], header[~bad], room[~bad], number[~bad]
        if len(at):
            self.pieces.append(self._frames(at, header, room, number))

    def _frames(self, at: I64, header: NDArray[np.void], room: I64, number: I64) -> FrameBatch:
        """Make the columns of one run; a Simple Packet Block is cut where its interface says."""
        wirelen = header["wirelen"].astype(np.int64)
        linktype = np.zeros(len(at), np.int32)
        time_ns = np.zeros(len(at), np.int64)
        if self.kind == SIMPLE:
            interface = self.section.interfaces[0]
            caplen = np.minimum(np.minimum(wirelen, room), interface.snaplen or BLOCK_MAX)
            linktype[:] = interface.linktype
        else:
            caplen = header["caplen"].astype(np.int64)
            ticks = header["high"].astype(np.uint64) << np.uint64(32) | header["low"].astype(np.uint64)
            for rows, interface in self.section.groups(number):
                linktype[rows] = interface.linktype
                time_ns[rows] = interface.clock.nanoseconds(ticks[rows])
        offset = at + HEADERS[self.kind]
        return FrameBatch(
            octets=self.window.octets,
            first=0,
            offset=offset,
            caplen=caplen,
            wirelen=wirelen,
            time_ns=time_ns,
            linktype=linktype,
            file_offset=offset + self.window.base,
        )

    def _skip(self, at: int, text: str) -> None:
        """Name the first block of the file that was left out."""
        if self.info.damage is None:
            place, number = self.run_from
            unpack, _ = _lengths(self.section.order)
            while place < at:
                place += unpack(self.window.view, place)[1]
                number += 1
            self.info.damage = f"block {number + 1} at octet {self.window.base + at} {text}"


Unpack = Callable[[memoryview, int], tuple[int, ...]]


def _lengths(order: str) -> tuple[Unpack, Unpack]:
    """Make what reads a block's type and length, and the length at its end."""
    return struct.Struct(order + "II").unpack_from, struct.Struct(order + "I").unpack_from


def _join(pieces: list[FrameBatch]) -> FrameBatch:
    """Make one batch of runs that lie in the same window."""
    if len(pieces) == 1:
        return pieces[0]

    def column(name: str) -> Any:
        return np.concatenate([getattr(piece, name) for piece in pieces])

    return FrameBatch(
        octets=pieces[0].octets,
        first=0,
        offset=column("offset"),
        caplen=column("caplen"),
        wirelen=column("wirelen"),
        time_ns=column("time_ns"),
        linktype=column("linktype"),
        file_offset=column("file_offset"),
    )


def _interface(order: str, block: memoryview) -> Interface:
    """Read an interface description; of options that are cut or repeated, the last whole one counts."""
    linktype, snaplen = struct.unpack_from(order + "H2xI", block, 8)
    resolution, offset = 6, 0
    at, end = INTERFACE_MIN - 4, len(block) - 4
    while at + 4 <= end:
        code, size = struct.unpack_from(order + "HH", block, at)
        value = block[at + 4 : min(at + 4 + size, end)]
        if code == 0:
            break
        if code == OPTION_TSRESOL and len(value) == 1:
            resolution = value[0]
        elif code == OPTION_TSOFFSET and len(value) == 8:
            (offset,) = struct.unpack(order + "q", value)
        at += 4 + (size + 3) // 4 * 4
    return Interface(linktype, snaplen, Clock(resolution, offset))
