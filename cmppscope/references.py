"""References: where the octets of each PDU lie, and the frames that carried them.

Theory of operation. A chunk knows the address of its first octet (`tables.ADDRESS_BITS`) and the frame that carried it.
Chunks are held until no PDU can begin in them any more, which framing knows. When PDUs become known, all of them are
looked up at once among the chunks of their directions, by binary search: most lie in one chunk and get one address;
those that cross chunks get a list of pieces. So what has to be kept is 8 octets a PDU, and 32 for each piece of the few
that are not in one piece; and finding the octets of a PDU again is an index into a column, O(1), or among the pieces
O(log pieces).

Held are the chunks of streams that are not recognised yet, and of each direction those behind its last whole PDU: what
framing holds, at 40 octets a chunk. What comes out depends on the frames alone, not on how segments were cut up on the
way. Cost: about 0.1 µs a PDU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cmppscope.arrays import distinct, ranges, stable_order
from cmppscope.tables import I64, NOWHERE, Bool, ChunkBatch, PduBatch

if TYPE_CHECKING:
    from cmppscope.framing import Framer

_NEVER = np.iinfo(np.int64).max


@dataclass(slots=True)
class Places:
    """Where the octets of a batch of PDUs lie."""

    address: I64
    """Of each PDU: the address of its first octet where it lies in a file in one piece, else NOWHERE."""
    row: I64
    """Of each piece: the row of its PDU, ascending. PDUs in one piece, carried by the frame of their row, have none."""
    frame: I64
    """Of each piece: the frame that carried it."""
    piece: I64
    """Of each piece: the address of its first octet, or NOWHERE."""
    length: I64
    """Of each piece: its octets; those of a PDU follow each other and are its whole length."""


def nowhere(count: int) -> Places:
    """Give the places of PDUs that lie in no file."""
    none = np.zeros(0, np.int64)
    return Places(np.full(count, NOWHERE), none, none, none, none)


@dataclass(slots=True)
class _Held:
    """Chunks with octets, ordered by direction and offset."""

    group: I64
    """stream * 2 + direction."""
    offset: I64
    length: I64
    carrier: I64
    address: I64

    def take(self, rows: I64 | Bool) -> _Held:
        """Give some of the chunks."""
        return _Held(*(getattr(self, name)[rows] for name in _Held.__slots__))


class References:
    """Follows chunks and PDUs as framing takes the ones and gives the others."""

    def __init__(self, framer: Framer) -> None:
        """`framer` tells which octets may become PDUs."""
        self._framer = framer
        self._held = _Held(*(np.zeros(0, np.int64),) * 5)

    def feed(self, chunks: ChunkBatch | None, pdus: PduBatch) -> Places:
        """Take the chunks that framing took, if any, and the PDUs that it gave; tell where those lie."""
        held = self._held if chunks is None else _joined(self._held, chunks)
        places = _locate(held, pdus)
        groups, _, counts = distinct(held.group)
        wanted = [self._framer.first_wanted(group) for group in groups.tolist()]
        first = np.array([_NEVER if offset is None else offset for offset in wanted], np.int64)
        self._held = held.take(held.offset + held.length > np.repeat(first, counts))
        return places

    def __len__(self) -> int:
        """Count the chunks held."""
        return len(self._held.group)


def _joined(held: _Held, chunks: ChunkBatch) -> _Held:
    """Put the chunks with octets behind those that are held, each in its direction."""
    there = np.flatnonzero(chunks.length)
    new = _Held(
        chunks.stream[there] * 2 + chunks.direction[there],
        *(getattr(chunks, name)[there] for name in _Held.__slots__[1:]),
    )
    if not len(held.group):
        return new
    both = _Held(*(np.concatenate([getattr(held, name), getattr(new, name)]) for name in _Held.__slots__))
    return both.take(stable_order(both.group))


def _locate(held: _Held, pdus: PduBatch) -> Places:
    """Look up PDUs among chunks."""
    if not len(pdus):
        return nowhere(0)
    first, last = _chunks_of(held, pdus)
    address = _moved(held.address[first], pdus.offset - held.offset[first])
    crossing = first != last
    address[crossing] = NOWHERE
    rows = np.flatnonzero(crossing | (held.carrier[first] != pdus.frame))
    if not len(rows):
        return Places(address, *(np.zeros(0, np.int64),) * 4)
    places = _pieces(held, pdus, rows, first[rows], last[rows])
    places.address = address
    counts = np.bincount(places.row, minlength=len(pdus))
    whole = counts[places.row] == 1
    address[places.row[whole]] = places.piece[whole]
    told = ~whole | (places.frame != pdus.frame[places.row])
    return Places(address, *(getattr(places, name)[told] for name in Places.__slots__[1:]))


def _chunks_of(held: _Held, pdus: PduBatch) -> tuple[I64, I64]:
    """Give the chunks in which each PDU begins and ends."""
    groups, heads, counts = distinct(held.group)
    behind = held.offset[heads + counts - 1] + held.length[heads + counts - 1]
    least = held.offset[heads]
    base = np.cumsum(behind - least) - (behind - least) - least  # all directions end to end on one line
    start = held.offset + np.repeat(base, counts)
    begin = pdus.offset + base[np.searchsorted(groups, pdus.stream * 2 + pdus.direction)]
    first = np.searchsorted(start, begin, "right") - 1
    last = np.searchsorted(start, begin + pdus.length - 1, "right") - 1
    return first, last


def _pieces(held: _Held, pdus: PduBatch, rows: I64, first: I64, last: I64) -> Places:
    """List the pieces of some PDUs; what a frame carried in one piece is one."""
    counts = last - first + 1
    row = np.repeat(rows, counts)
    chunk = ranges(first, last + 1)
    begin = np.maximum(held.offset[chunk], pdus.offset[row])
    length = np.minimum((held.offset + held.length)[chunk], (pdus.offset + pdus.length)[row]) - begin
    piece = _moved(held.address[chunk], begin - held.offset[chunk])
    frame = held.carrier[chunk]
    goes_on = (row[1:] == row[:-1]) & (frame[1:] == frame[:-1])
    goes_on &= np.where(piece[:-1] == NOWHERE, piece[1:] == NOWHERE, piece[1:] == (piece + length)[:-1])
    heads = np.flatnonzero(np.r_[True, ~goes_on])
    return Places(piece, row[heads], frame[heads], piece[heads], np.add.reduceat(length, heads))


def _moved(address: I64, octets: I64) -> I64:
    """Give addresses so many octets on."""
    return np.where(address == NOWHERE, NOWHERE, address + octets)
