"""Frames of pcapng files (draft-ietf-opsawg-pcapng).

A file is a chain of blocks that tell their length at both ends. The walk along the chain notes where blocks with frames
begin and looks at all others at once: sections and interfaces change how the next frames are read, so a change ends the
run of blocks whose fields are gathered together. Cost: 0.7 µs a block, and 0.1 ms for every change.

Read: sections of either byte order, any number of interfaces with link types, resolutions and offsets of their own,
Enhanced, Simple and old Packet Blocks. Other blocks are skipped; so is what a section says of its own length, which
writers leave open or get wrong. A Simple Packet Block has no time: 0 stands for it. A block that contradicts itself
inside is left out. Behind one that tells two lengths, or an impossible one, the next blocks that make sense are looked
for (`resync`); behind a section header that cannot be read, the next section header, as nothing else can be trusted. An
interface description that is lost in between costs the frames that name it, never their neighbours.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.capture.blocks import (
    BLOCK_LIKELY,
    BLOCK_MAX,
    EDGE,
    ENHANCED,
    HEADERS,
    INTERFACE,
    INTERFACE_MIN,
    INTERFACES_MAX,
    MAGIC,
    ORDER_MAGIC,
    SECTION,
    SECTION_MIN,
    SIMPLE,
    landmark,
    lengths,
    likely_in,
    nothing_likely,
)
from cmppscope.capture.damage import Damage
from cmppscope.capture.resync import search
from cmppscope.capture.sections import Section, read_interface
from cmppscope.capture.source import gather
from cmppscope.tables import FrameBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmppscope.capture.source import Window
    from cmppscope.tables import I64, FileInfo

__all__ = ["MAGIC", "read_pcapng"]


@dataclass(slots=True)
class Stop:
    """Why a walk ended: the next block needs octets that are not in memory, or nothing behind here can be trusted."""

    need: int = EDGE
    damage: str | None = None
    section: bool = False
    """Only another section header can be trusted."""


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
        self.damage = Damage()
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
            if stop.damage is None and not window.eof:
                window.refill(stop.need)
            elif not self._go_on(stop):
                break
        self.info.damage = self.damage.line

    def _go_on(self, stop: Stop) -> bool:
        """Pass over what is damaged, or tell what is unfinished at the end; False where nothing more can be read."""
        window, place = self.window, self._place()
        if stop.damage is None and (not window.left or window.source.growing):
            return False
        if stop.damage is None and stop.need <= BLOCK_LIKELY:
            self.damage.note(f"{place} cut short: has {window.left} of {stop.need} octets")
            return False
        place = f"{place} {stop.damage or f'claims {stop.need} octets'}"
        if self.damage.full:
            self.damage.note(f"{place}, given up here")
            return False
        likely = nothing_likely if stop.section else likely_in(self.section.order)
        skipped = search(window, EDGE, likely, landmark)
        if skipped is None:
            self.damage.note(f"{place}, and nothing behind it can be read")
            return False
        self.damage.note(place, skipped)
        self.blocks += 1
        return True

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
        unpack, tail = lengths(self.section.order)
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
                return Stop(damage="has no byte-order magic", section=True)
            order = known
        unpack, tail = lengths(order)
        length = unpack(view, window.at)[1]
        if not EDGE <= length <= BLOCK_MAX or length & 3:
            return Stop(damage=f"claims {length} octets")
        if length > window.left:
            return Stop(need=length)
        if (second := tail(view, window.at + length - 4)[0]) != length:
            return Stop(damage=f"tells two lengths, {length} and {second}")
        return self._take(kind, order, view[window.at : window.at + length])

    def _take(self, kind: int, order: str, block: memoryview) -> Stop | None:
        """Begin a run of another kind, or pass a block that holds no frame."""
        if kind in HEADERS:
            self._gather()
            self.kind = kind
            return None
        if kind in {SECTION, INTERFACE}:
            self._gather()
        if kind == SECTION and (damage := self._section(order, block)):
            return Stop(damage=damage, section=True)
        if kind == INTERFACE:
            self._interface(block)
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

    def _interface(self, block: memoryview) -> None:
        """Take an interface description; one that cannot be read keeps its number."""
        if len(block) < INTERFACE_MIN:
            self.damage.note(f"{self._place()} is too short for an interface description")
            self.section.interfaces.append(None)
        elif len(self.section.interfaces) >= INTERFACES_MAX:
            self.damage.note(f"{self._place()} describes one interface more than {INTERFACES_MAX}")
        else:
            self.section.interfaces.append(read_interface(self.section.order, block))

    def _place(self) -> str:
        """Name the block that comes next."""
        return f"block {self.blocks + 1} at octet {self.window.position}"

    def _gather(self) -> None:
        """Gather the fields of the blocks of one run, without those that contradict themselves."""
        if not self.run:
            return
        at = np.array(self.run, np.int64)
        self.run.clear()
        kind = self.kind
        # The window ends with enough zeros to read a header that its block is too short for.
        header = gather(self.window.octets, at, self.section.layout(kind))
        room = header["length"].astype(np.int64) - HEADERS[kind] - 4
        number = np.zeros(len(at), np.int64) if kind == SIMPLE else header["interface"].astype(np.int64)
        wrong = [room < 0, ~self.section.described(number)]
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
            why = next(text for text, test in zip((*texts, claim), wrong, strict=False) if test[first])
            self.damage.leave_out(int(bad.sum()), lambda: f"{self._name(int(at[first]))} {why}")
            at, header, room, number = at[~bad], header[~bad], room[~bad], number[~bad]
        if len(at):
            self.pieces.append(self._frames(at, header, room, number))

    def _frames(self, at: I64, header: NDArray[np.void], room: I64, number: I64) -> FrameBatch:
        """Make the columns of one run; a Simple Packet Block is cut where its interface says."""
        wirelen = header["wirelen"].astype(np.int64)
        linktype = np.zeros(len(at), np.int32)
        time_ns = np.zeros(len(at), np.int64)
        if self.kind == SIMPLE:
            interface = self.section.interface(0)
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

    def _name(self, at: int) -> str:
        """Name a block of the present run."""
        place, number = self.run_from
        unpack, _ = lengths(self.section.order)
        while place < at:
            place += unpack(self.window.view, place)[1]
            number += 1
        return f"block {number + 1} at octet {self.window.base + at}"


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
