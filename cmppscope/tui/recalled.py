"""Where the octets of every PDU in the store lie, and the octets themselves when somebody looks at them.

In memory are numbers only: an address a PDU, and the pieces of the few that cross segments. Octets that cannot be read
again are given to `Recall` when they come, in the thread that reads; any thread may ask for octets. What is read is
held against what is known of each PDU, its header: octets of something else are never shown.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import copy_stretches, joined, none, ranges, three_words_at
from cmppscope.capture.recall import Recall
from cmppscope.references import Places
from cmppscope.tables import I64, NOWHERE, U8, Bool, PduBatch
from cmppscope.tui.growing import Growing

_HEADER = struct.Struct(">III")


class RecallError(Exception):
    """Octets that cannot be read again; its text is one line for the user."""


class Arrival(NamedTuple):
    """PDUs for the store."""

    batch: PduBatch
    """Without their octets."""
    session: I64
    """The number of the session of each."""
    places: Places
    octets: U8 | None = None
    """Those of all PDUs, one behind the other; None where the store is not to hold them."""


class Extent(NamedTuple):
    """Octets of a PDU that one frame carried."""

    frame: int
    address: int
    """NOWHERE where these octets alone cannot be read."""
    length: int


class Octets(NamedTuple):
    """Octets of some PDUs."""

    buffer: U8
    position: I64
    """Where each PDU begins; at the end of the buffer where it is not there."""
    there: Bool


NO_OCTETS = Octets(np.zeros(0, np.uint8), none(), np.zeros(0, np.bool_))

Header = tuple[I64, I64, I64]
"""Total_Length, Command_Id and Sequence_Id of PDUs."""


class Recalled:
    """The octets of the PDUs of a store, by row."""

    def __init__(self, recall: Recall) -> None:
        """`recall` finds octets by their addresses."""
        self.recall = recall
        self._address = Growing(none())
        self._row, self._frame, self._piece, self._length = (Growing(none()) for _ in range(4))

    def add(self, places: Places) -> None:
        """Take the places of the next PDUs."""
        self._row.add(places.row + len(self._address.values))
        for column, values in ((self._frame, places.frame), (self._piece, places.piece), (self._length, places.length)):
            column.add(values)
        self._address.add(places.address)  # last: who sees the PDU sees its pieces as well

    def extents(self, row: int, frame: int, length: int) -> list[Extent]:
        """Tell which frames carried which octets of a PDU that has `length` of them and is put down to `frame`."""
        first, stop = np.searchsorted(self._row.values, [row, row + 1]).tolist()
        address = int(self._address.values[row])
        if first == stop:
            return [Extent(frame, address, length)]
        columns = (column.values[first:stop].tolist() for column in (self._frame, self._piece, self._length))
        return [Extent(*each) for each in zip(*columns, strict=True)]

    def octets(self, rows: I64, header: Header) -> Octets:
        """Read PDUs again, whose headers say what is told here of each row."""
        return self.region(rows, header).find(np.arange(len(rows)))

    def region(self, rows: I64, header: Header) -> Region:
        """Read again where PDUs lie, whose headers say what is told here of each row."""
        address = self._address.values[rows]
        split = np.flatnonzero(address == NOWHERE)
        first, stop = np.searchsorted(self._row.values, rows[split]), np.searchsorted(self._row.values, rows[split] + 1)
        places = ranges(first, stop)
        pieces = Pieces(split, stop - first, self._piece.values[places], self._length.values[places])
        return Region(self.recall, address, pieces, header)

    def one(self, row: int, length: int, command: int, sequence: int) -> bytes | None:
        """Read one PDU again, whose header says what is told here; None where that cannot be."""
        address = int(self._address.values[row])
        extents = self.extents(row, 0, length) if address == NOWHERE else [Extent(0, address, length)]
        parts = []
        for extent in extents:
            part = None if extent.address == NOWHERE else self.recall.read(extent.address, extent.length)
            if part is None:
                return None
            parts.append(part)
        octets = b"".join(parts)
        if _HEADER.unpack_from(octets) != (length, command, sequence):
            self.recall.changed(extents[0].address)
            return None
        return octets


class Pieces(NamedTuple):
    """PDUs that do not lie in one piece."""

    row: I64
    """The row of each, ascending."""
    counts: I64
    """Of each: its pieces, none where it lies nowhere."""
    address: I64
    """Of each piece, those of a PDU behind each other: where it lies, or NOWHERE."""
    length: I64
    """Of each piece: its octets."""


class Region:
    """Where some PDUs lie, read in one go; they are looked at, and put together from pieces, as they are asked for."""

    def __init__(self, recall: Recall, address: I64, pieces: Pieces, header: Header) -> None:
        """Take the address of each PDU, the pieces of those that have none, and what the header of each says."""
        self.recall = recall
        self._address = address
        self._pieces = pieces
        self._header = header
        direct = address != NOWHERE
        owner = np.repeat(np.arange(len(pieces.row)), pieces.counts)
        lost = (pieces.counts == 0) | (np.bincount(owner[pieces.address == NOWHERE], minlength=len(pieces.row)) > 0)
        known = ~lost[owner]
        self._room = int(pieces.length[known].sum())
        self._runs = recall.runs(
            np.concatenate([address[direct], pieces.address[known]]),
            np.concatenate([header[0][direct], pieces.length[known]]),
            self._room,
        )
        self._whole = np.flatnonzero(~lost)
        """Which of the PDUs in pieces have all of them."""
        self._known = known

    def find(self, rows: I64) -> Octets:
        """Give some of the PDUs, rows ascending."""
        address = self._address[rows]
        position, there = self._runs.find(address)
        split = np.flatnonzero(address == NOWHERE)
        if len(split):
            which = np.searchsorted(self._pieces.row, rows[split])
            position[split], there[split] = (column[which] for column in self._together)
        self._check(rows, position, there)
        position[~there] = len(self._runs.octets)
        return Octets(self._runs.octets, position, there)

    @cached_property
    def _together(self) -> tuple[I64, Bool]:
        """Put PDUs together from their pieces: where each is, and whether it is there."""
        pieces, octets = self._pieces, self._runs.octets
        position, there = np.zeros(len(pieces.row), np.int64), np.zeros(len(pieces.row), np.bool_)
        if len(self._whole):
            sizes = pieces.length[self._known]
            at, read = self._runs.find(pieces.address[self._known])
            counts = pieces.counts[self._whole]
            heads = np.cumsum(counts) - counts
            position[self._whole] = len(octets) - self._room + (np.cumsum(sizes) - sizes)[heads]
            there[self._whole] = np.logical_and.reduceat(read, heads)
            copy_stretches(octets, at, sizes, octets[len(octets) - self._room :])
        return position, there

    def _check(self, rows: I64, position: I64, there: Bool) -> None:
        """Take for not there what has another header than the PDU had."""
        looked = np.flatnonzero(there)
        same = np.ones(len(looked), np.bool_)
        for read, known in zip(three_words_at(self._runs.octets, position[looked]), self._header, strict=True):
            same &= read == known[rows[looked]]
        wrong = looked[~same]
        there[wrong] = False
        if len(wrong):
            self.recall.changed(self._address_of(int(rows[wrong[0]])))

    def _address_of(self, row: int) -> int:
        """Give an address in the file in which a PDU lies."""
        if self._address[row] != NOWHERE:
            return int(self._address[row])
        before = int(np.searchsorted(self._pieces.row, row))
        return int(self._pieces.address[self._pieces.counts[:before].sum()])


def kept(recall: Recall, batch: PduBatch, places: Places) -> Places:
    """Keep the octets of the PDUs that cannot be read again from where they lie; tell where they are now."""
    lost = ~recall.again(places.address)
    pieces_lost = np.bincount(places.row[~recall.again(places.piece)], minlength=len(batch)) > 0
    in_pieces = np.bincount(places.row, minlength=len(batch)) > 0
    rows = np.flatnonzero(lost & ~((places.address == NOWHERE) & in_pieces & ~pieces_lost))
    if not len(rows):
        return places
    length = batch.length[rows]
    begin = recall.keep(joined(batch.octets, batch.position[rows], length))
    address = places.address.copy()
    address[rows] = NOWHERE if begin == NOWHERE else begin + np.cumsum(length) - length
    piece = np.where(np.isin(places.row, rows), NOWHERE, places.piece)
    return replace(places, address=address, piece=piece)


class Span(PduBatch):
    """A run of PDUs of the store; their octets are read when they are looked at, RecallError where they are gone."""

    __slots__ = ("_read", "_region")

    def __init__(self, read: Callable[[], Region], columns: PduBatch) -> None:
        """Take the columns of a batch; `read` gives its octets."""
        self._read = read
        self._region: Region | None = None
        for name in PduBatch.__slots__:
            if name not in {"octets", "position"}:
                setattr(self, name, getattr(columns, name))

    def found(self, rows: I64) -> Octets:
        """Give some of the PDUs, rows ascending; RecallError where one of them cannot be read again."""
        if self._region is None:
            self._region = self._read()
        octets = self._region.find(rows)
        if not octets.there.all():
            raise RecallError(self._region.recall.trouble or "the octets are gone")
        return octets

    def where(self, rows: I64) -> tuple[U8, I64]:
        """Give a buffer that holds some PDUs, rows ascending, and where each of them begins in it."""
        octets = self.found(rows) if len(rows) else NO_OCTETS
        return octets.buffer, octets.position

    def __len__(self) -> int:
        """Count the PDUs."""
        return len(self.length)

    @property
    def octets(self) -> U8:  # type: ignore[override]
        """The buffer that holds every PDU."""
        return self.found(np.arange(len(self))).buffer

    @property
    def position(self) -> I64:  # type: ignore[override]
        """Where each PDU begins in it."""
        return self.found(np.arange(len(self))).position

    def forget(self) -> None:
        """Let go of the octets until they are looked at again."""
        self._region = None
