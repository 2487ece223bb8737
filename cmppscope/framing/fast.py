"""Framing of all directions in step at once, where their octets lie.

Theory of operation. Total_Length leads from PDU to PDU, and most segments begin with a PDU. So the PDUs are followed
from the beginning of every segment at once (`chains`), one PDU of each at a time; where one crosses into the next
segment, a chain begins behind it there. Which chains are real shows at the end: those that lead on from each other from
the first octet. Python sees only what crosses segments; where most segments do, the direction is joined and followed
PDU by PDU (about 0.2 µs each). Whether every PDU fits a layout is one vectorised look at the whole batch. A direction
with an impossible length, or with a PDU that fits nothing and has no header behind it, is handed back untouched.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from cmppscope.arrays import stable_order, three_words_at
from cmppscope.framing.chains import LENGTH, Followed, Rows, follow
from cmppscope.framing.headers import HEADER, LONGEST, fits_batch, plausible
from cmppscope.framing.wire import Span, Wire
from cmppscope.tables import I64, U8, ChunkBatch

_VOUCHES = 8
"""Octets of a header that tell whether it is one."""

_length_at = struct.Struct(">I").unpack_from


@dataclass(slots=True)
class Part:
    """The PDUs of one way of framing, as columns over its own octets."""

    octets: U8
    position: I64
    length: I64
    command: I64
    sequence: I64
    group: I64
    offset: I64
    bits: U8
    frame: I64
    known_frame: I64
    time_ns: I64


@dataclass(slots=True)
class Plain:
    """A direction in step: its wire and its rows of the chunk batch."""

    wire: Wire
    rows: slice


@dataclass(slots=True)
class _Found:
    """Where PDUs lie: columns of parts, to be joined, and what stands in a side buffer behind the chunks' octets."""

    base: int
    """Octets of the chunks' buffer."""
    rows: list[I64] = field(default_factory=list)
    """The chunk in which each PDU ends."""
    position: list[I64] = field(default_factory=list)
    offset: list[I64] = field(default_factory=list)
    side: list[bytes | memoryview] = field(default_factory=list)
    side_size: int = 0

    def add(self, rows: I64, position: I64, offset: I64) -> None:
        """Keep PDUs; `offset` counts octets of the direction."""
        self.rows.append(rows)
        self.position.append(position)
        self.offset.append(offset)

    def put(self, pieces: list[bytes | memoryview], size: int) -> int:
        """Put octets behind the chunks' own; give where they begin."""
        begin = self.base + self.side_size
        self.side += pieces
        self.side_size += size
        return begin


def frame_in_step(chunks: ChunkBatch, plain: list[Plain]) -> tuple[Part | None, list[Plain]]:
    """Frame the directions in step; give their PDUs, and the directions that want care."""
    if not plain:
        return None, []
    plain = sorted(plain, key=lambda part: part.rows.start)
    rows = _rows_of(chunks, plain)
    result = follow(chunks.octets, rows, [part.wire.held for part in plain])
    found = _Found(len(chunks.octets))
    _take_chains(chunks, plain, rows, result, found)
    tails: list[int | None] = result.tail.tolist()
    for at in np.flatnonzero(result.uneven).tolist():
        tails[at] = _follow_joined(chunks, plain[at], found)
    for at in np.flatnonzero(result.broken).tolist():
        tails[at] = None
    part, ends = _columns(chunks, found)
    starts = np.array([p.rows.start for p in plain], np.int64)
    owner = np.searchsorted(starts, ends, "right") - 1
    told, lost = _look_at_doubtful(chunks, part, ends, owner, plain)
    lost |= {at for at, tail in enumerate(tails) if tail is None}
    for at, (each, tail) in enumerate(zip(plain, tails, strict=True)):
        if at not in lost and tail is not None:
            _carry(each, chunks, tail)
    part.known_frame = np.maximum(part.known_frame, chunks.known_frame[told])
    if lost:
        part = _without(part, np.isin(owner, list(lost)))
    return part, [plain[at] for at in sorted(lost)]


def _rows_of(chunks: ChunkBatch, plain: list[Plain]) -> Rows:
    """Put the chunks of all directions in step end to end."""
    number = np.concatenate([np.arange(part.rows.start, part.rows.stop) for part in plain])
    sizes = np.array([part.rows.stop - part.rows.start for part in plain], np.int64)
    length = chunks.length[number]
    behind = np.cumsum(length)
    return Rows(
        number=number,
        begin=chunks.begin[number],
        start=behind - length,
        behind=behind,
        group=np.repeat(np.arange(len(plain)), sizes),
        first=np.cumsum(sizes) - sizes,
        stop=behind[np.cumsum(sizes) - 1],
    )


def _take_chains(chunks: ChunkBatch, plain: list[Plain], rows: Rows, result: Followed, found: _Found) -> None:
    """Put together the PDUs that cross chunks, and take those that lie inside."""
    if len(result.cross_at):
        last = np.searchsorted(rows.behind, result.cross_end, "left")
        pieces = _crossing(chunks.octets.data, rows, result, last, [part.wire.held for part in plain])
        sizes = result.cross_end - result.cross_at
        place = found.put(pieces, int(sizes.sum()))
        number = rows.number[last]
        found.add(number, place + np.cumsum(sizes) - sizes, result.cross_at + chunks.offset[number] - rows.start[last])
    number = rows.number[result.row]
    inside = chunks.offset[number] - rows.start[result.row]
    found.add(number, rows.begin[result.row] + result.at - rows.start[result.row], result.at + inside)


def _crossing(
    octets: memoryview, rows: Rows, result: Followed, last: I64, held: list[bytes]
) -> list[bytes | memoryview]:
    """Give the pieces of the PDUs that cross rows; `last` is the row in which each ends."""
    shift = rows.begin - rows.start
    first = np.maximum(result.cross_row, 0)
    begins = (result.cross_at + shift[first]).tolist()
    stops = (rows.behind + shift)[first].tolist()
    ends = (result.cross_end + shift[last]).tolist()
    following = first + 1
    held_over = result.cross_row < 0  # these begin in what was held, and go on in their direction's first row
    following[held_over] = rows.first[-1 - result.cross_row[held_over]]
    between = (last > following).tolist()
    pieces: list[bytes | memoryview] = []
    each = zip(result.cross_row.tolist(), begins, stops, between, rows.begin[last].tolist(), ends, strict=True)
    add = pieces.append
    for at, (row, begin, stop, more, tail, end) in enumerate(each):
        add(octets[begin:stop] if row >= 0 else held[-1 - row])
        if more:
            pieces += [octets[rows.begin[n] : rows.behind[n] + shift[n]] for n in range(following[at], last[at])]
        add(octets[tail:end])
    return pieces


def _follow_joined(chunks: ChunkBatch, part: Plain, found: _Found) -> int | None:
    """Join the octets of a direction and follow it PDU by PDU; give how many are left over, None where it breaks."""
    pieces: list[bytes | memoryview] = [
        part.wire.held,
        *(chunks.piece(r) for r in range(part.rows.start, part.rows.stop)),
    ]
    octets = b"".join(pieces)
    starts: list[int] = []
    at, last, add = 0, len(octets) - LENGTH, starts.append
    while at <= last:
        (length,) = _length_at(octets, at)
        if not HEADER <= length <= LONGEST:
            return None
        if at + length > len(octets):
            break
        add(at)
        at += length
    where = np.array(starts, np.int64)
    begin = int(chunks.offset[part.rows.start]) - len(part.wire.held)
    ends = chunks.offset[part.rows] + chunks.length[part.rows] - begin
    behind = np.append(where[1:], at)[: len(where)]
    rows = part.rows.start + np.searchsorted(ends, behind, "left")
    found.add(rows, where + found.put([octets], len(octets)), where + begin)
    return len(octets) - at


def _columns(chunks: ChunkBatch, found: _Found) -> tuple[Part, I64]:
    """Put PDUs in order of their chunks; give them, and the chunk in which each ends."""
    rows, position, offset = (np.concatenate(c) for c in (found.rows, found.position, found.offset))
    octets = chunks.octets
    if found.side_size:
        octets = np.concatenate([octets, np.frombuffer(b"".join(found.side), np.uint8)])
    order = stable_order(rows)
    rows, position, offset = rows[order], position[order], offset[order]
    header = three_words_at(octets, position)
    bits = fits_batch(octets, position, *header[:2])
    group = chunks.stream[rows] * 2 + chunks.direction[rows]
    known_frame = chunks.known_frame[rows]
    part = Part(octets, position, *header, group, offset, bits, chunks.frame[rows], known_frame, chunks.time_ns[rows])
    return part, rows


def _look_at_doubtful(
    chunks: ChunkBatch, found: Part, rows: I64, owner: I64, plain: list[Plain]
) -> tuple[I64, set[int]]:
    """For PDUs that fit nothing: the header behind vouches for them.

    Give the chunk that tells of each PDU, and the directions in which a PDU has no header behind it.
    """
    told, lost = rows.copy(), set()
    for at in np.flatnonzero(found.bits == 0).tolist():
        row, direction = int(rows[at]), int(owner[at])
        skip = int(found.offset[at] + found.length[at] - chunks.offset[row])
        head = b""
        while len(head) < _VOUCHES:
            head += bytes(chunks.piece(row)[skip : skip + _VOUCHES - len(head)])
            if len(head) == _VOUCHES or row + 1 == plain[direction].rows.stop:
                break
            row, skip = row + 1, 0
        if len(head) == _VOUCHES and plausible(head, 0):
            told[at] = row
        else:
            lost.add(direction)
    return told, lost


def _without(part: Part, gone: np.ndarray) -> Part:
    """Give a part without some of its PDUs."""
    names = [name for name in Part.__slots__ if name != "octets"]
    return Part(part.octets, **{name: getattr(part, name)[~gone] for name in names})


def _carry(part: Plain, chunks: ChunkBatch, left: int) -> None:
    """Keep the octets behind the last whole PDU of a direction, and the frames that they came with."""
    wire, row = part.wire, part.rows.stop - 1
    wire.offset = int(chunks.offset[row] + chunks.length[row]) - left
    pieces: list[bytes | memoryview] = []
    spans: list[Span] = []
    while left > 0 and row >= part.rows.start:
        piece = chunks.piece(row)
        pieces.append(piece[-left:])
        spans.append(span_of(chunks, row))
        left, row = left - len(piece), row - 1
    if left > 0:
        pieces.append(wire.held[-left:])
    before = [span for span in wire.spans if span.end > wire.offset]
    wire.held = b"".join(reversed(pieces))
    wire.spans = before + spans[::-1]


def span_of(chunks: ChunkBatch, row: int) -> Span:
    """Give the frames of a chunk."""
    return Span(
        int(chunks.offset[row] + chunks.length[row]),
        int(chunks.frame[row]),
        int(chunks.known_frame[row]),
        int(chunks.time_ns[row]),
    )
