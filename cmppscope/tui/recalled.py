"""Where the octets of every PDU in the store lie, and the octets themselves when somebody looks at them.

In memory are numbers only: an address a PDU, and the pieces of the few that cross segments. Octets that cannot be read
again are given to `Recall` when they come, in the thread that reads; any thread may ask for octets. What is read is
held against what is known of each PDU, its header: octets of something else are never shown.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import copy_stretches, joined, three_words_at
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


class Recalled:
    """The octets of the PDUs of a store, by row."""

    def __init__(self, recall: Recall) -> None:
        """`recall` finds octets by their addresses."""
        self.recall = recall
        self._address = Growing()
        self._row, self._frame, self._piece, self._length = (Growing() for _ in range(4))

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

    def octets(self, rows: I64, length: I64, command: I64, sequence: I64) -> Octets:
        """Read PDUs again, whose headers say what is told here of each row."""
        address = self._address.values[rows]
        split = np.flatnonzero(address == NOWHERE)
        direct = np.flatnonzero(address != NOWHERE)
        owner, pieces = self._pieces(rows[split])
        gone = np.isin(owner, owner[self._piece.values[pieces] == NOWHERE])
        owner, pieces = owner[~gone], pieces[~gone]
        sizes = self._length.values[pieces]
        found = self.recall.gather(
            np.concatenate([address[direct], self._piece.values[pieces]]),
            np.concatenate([length[direct], sizes]),
            room=int(sizes.sum()),
        )
        buffer, position, there = found.octets, np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
        address[split[owner]] = self._piece.values[pieces]
        position[direct], there[direct] = found.position[: len(direct)], found.there[: len(direct)]
        if len(pieces):
            end = len(buffer) - int(sizes.sum())
            copy_stretches(buffer, found.position[len(direct) :], sizes, end)
            heads = np.flatnonzero(np.diff(owner, prepend=-1))
            mine = split[owner[heads]]
            position[mine] = end + (np.cumsum(sizes) - sizes)[heads]
            there[mine] = np.logical_and.reduceat(found.there[len(direct) :], heads)
        self._check(buffer, position, there, (length, command, sequence), address)
        position[~there] = len(buffer)
        return Octets(buffer, position, there)

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

    def _pieces(self, rows: I64) -> tuple[I64, I64]:
        """Give the pieces of some PDUs that have any: which of `rows` each belongs to, and its place in the columns."""
        owners = self._row.values
        first, stop = np.searchsorted(owners, rows), np.searchsorted(owners, rows + 1)
        counts = stop - first
        owner = np.repeat(np.arange(len(rows)), counts)
        return owner, np.arange(len(owner)) + np.repeat(first - (np.cumsum(counts) - counts), counts)

    def _check(self, buffer: U8, position: I64, there: Bool, header: tuple[I64, ...], address: I64) -> None:
        """Take for not there what has another header than the PDU had."""
        rows = np.flatnonzero(there)
        same = np.ones(len(rows), np.bool_)
        for read, known in zip(three_words_at(buffer, position[rows]), header, strict=True):
            same &= read == known[rows]
        wrong = rows[~same]
        there[wrong] = False
        if len(wrong):
            self.recall.changed(int(address[wrong[0]]))


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

    __slots__ = ("_octets", "_read")

    def __init__(self, read: Callable[[], Octets], columns: PduBatch) -> None:
        """Take the columns of a batch; `read` gives its octets."""
        self._read = read
        self._octets: Octets | None = None
        for name in PduBatch.__slots__:
            if name not in {"octets", "position"}:
                setattr(self, name, getattr(columns, name))

    def _there(self) -> Octets:
        """Read the octets, unless they are here."""
        if self._octets is None:
            self._octets = self._read()
        return self._octets

    def __len__(self) -> int:
        """Count the PDUs."""
        return len(self.length)

    @property
    def octets(self) -> U8:  # type: ignore[override]
        """The buffer that holds every PDU."""
        return self._there().buffer

    @property
    def position(self) -> I64:  # type: ignore[override]
        """Where each PDU begins in it."""
        return self._there().position

    def forget(self) -> None:
        """Let go of the octets until they are looked at again."""
        self._octets = None
