"""Framing: octets in stream order in, PDUs out.

Theory of operation. Streams are recognised first (`recognise`). The octets of all directions in step are then joined
into one buffer a batch, and Total_Length is followed from PDU to PDU in the one loop that cannot be vectorised (about
0.15 µs a PDU). Whether every PDU fits a layout is then one vectorised look at the whole batch. A direction in which
anything is odd is framed again with care by `wire`, which alone knows what to do out of step.

What comes out, its order and its numbers depend on the frames alone (design: what a PDU is).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from cmppscope.framing.headers import HEADER, LONGEST, fits_batch, known, layouts
from cmppscope.framing.recognise import CMPP, Recogniser
from cmppscope.framing.wire import Found, Mode, Span, Wire
from cmppscope.reassembly import Reassembler
from cmppscope.tables import I64, Bool, ChunkBatch, Oddity, PduBatch

__all__ = ["CMPP", "Framer"]

_length_at = struct.Struct(">I").unpack_from


@dataclass(slots=True)
class _Part:
    """The PDUs of one way of framing, as columns over its own octets."""

    octets: bytes
    position: I64
    group: I64
    offset: I64
    bits: np.ndarray
    frame: I64
    known_frame: I64
    time_ns: I64


@dataclass(slots=True)
class _Plain:
    """A direction in step: its wire and its rows of the chunk batch."""

    wire: Wire
    rows: slice


@dataclass(slots=True)
class _Slow:
    """What the careful way of framing gave."""

    found: list[tuple[int, Found]] = field(default_factory=list)
    odd: list[Oddity] = field(default_factory=list)

    def settle(self, group: int, wire: Wire) -> None:
        """Frame what a wire holds."""
        found: list[Found] = []
        wire.settle(found, self.odd)
        self.add(group, found)

    def add(self, group: int, found: list[Found]) -> None:
        """Keep PDUs of a direction."""
        self.found += [(group, f) for f in found]


class Framer:
    """Frames every stream that is CMPP; says of the others what they are."""

    def __init__(self, reassembler: Reassembler, decode_as: dict[int, str] | None = None) -> None:
        """`decode_as` maps a TCP port to `cmpp20`, `cmpp30` or `none`, and overrules recognition."""
        self._reassembler = reassembler
        self._decode_as = decode_as or {}
        self._recognisers: dict[int, Recogniser] = {}
        self._wires: dict[int, Wire] = {}
        self.protocol: dict[int, str] = {}
        """What each stream with octets is, by number: CMPP, or the reason why not."""
        self._pdus = 0

    def feed(self, chunks: ChunkBatch) -> tuple[PduBatch, list[Oddity]]:
        """Take chunks; give the PDUs and oddities that became known."""
        group = chunks.stream * 2 + chunks.direction
        heads = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, np.int64)
        bounds = [*heads.tolist(), len(group)]
        with_gap = np.add.reduceat(chunks.gap, heads) > 0 if len(heads) else np.zeros(0, np.bool_)
        plain: list[_Plain] = []
        slow = _Slow()
        undecided: dict[int, list[slice]] = {}
        for at, gap in enumerate(with_gap.tolist()):
            rows = slice(bounds[at], bounds[at + 1])
            both = int(group[rows.start])
            protocol = self.protocol.get(both >> 1)
            if protocol is None:
                undecided.setdefault(both >> 1, []).append(rows)
            elif protocol == CMPP:
                self._frame(self._wire(both, chunks, rows.start), chunks, rows, gap, plain, slow)
        for stream, parts in undecided.items():
            self._recognise(stream, chunks, parts, plain, slow)
        fast = self._fast(chunks, plain, slow)
        return self._batch(fast, slow)

    def close(self, end_frame: int) -> tuple[PduBatch, list[Oddity]]:
        """Settle the end of every direction, known at `end_frame`."""
        slow = _Slow()
        for stream, recogniser in self._recognisers.items():
            self.protocol[stream] = recogniser.last_verdict()
            if self.protocol[stream] == CMPP:
                recogniser.recognised(end_frame)
                self._wires.update({stream * 2 + d: wire for d, wire in recogniser.wires.items()})
        self._recognisers.clear()
        lost = self._reassembler.lost_tails()
        for both, wire in sorted(self._wires.items()):
            closing = None if both in lost else self._reassembler.streams[both >> 1].closing
            found: list[Found] = []
            wire.finish(found, slow.odd, end_frame, closing.frame if closing else None)
            slow.add(both, found)
        return self._batch(None, slow)

    def _wire(self, both: int, chunks: ChunkBatch, row: int) -> Wire:
        """Give the state of a direction of a CMPP stream, made when its first octets come."""
        wire = self._wires.get(both)
        if wire is None:
            offset = int(chunks.offset[row])
            start_known = self._reassembler.directions[both].start_known and offset == 0
            mode = Mode.IN_STEP if start_known else Mode.BLIND
            wire = self._wires[both] = Wire(both >> 1, both & 1, mode, offset=offset)
        return wire

    def _frame(
        self,
        wire: Wire,
        chunks: ChunkBatch,
        rows: slice,
        gap: bool,  # noqa: FBT001 - a fact of the rows, not a switch
        plain: list[_Plain],
        slow: _Slow,
    ) -> None:
        """Leave a direction in step for the fast way; frame any other one now."""
        if wire.mode is Mode.IN_STEP and not gap and not wire.careful:
            plain.append(_Plain(wire, rows))
        else:
            self._careful(wire, chunks, rows, slow)

    def _careful(self, wire: Wire, chunks: ChunkBatch, rows: slice, slow: _Slow) -> None:
        """Frame the chunks of one direction with care."""
        found: list[Found] = []
        for row in range(rows.start, rows.stop):
            if chunks.gap[row]:
                wire.lose(int(chunks.gap[row]), int(chunks.frame[row]), int(chunks.known_frame[row]), found, slow.odd)
            else:
                wire.take(chunks.pieces[row], _span(chunks, row))
        wire.settle(found, slow.odd)
        slow.add(wire.stream * 2 + wire.direction, found)

    def _recognise(self, stream: int, chunks: ChunkBatch, parts: list[slice], plain: list[_Plain], slow: _Slow) -> None:
        """Feed an undecided stream chunk by chunk, both directions in the order in which they became known."""
        record = self._reassembler.streams[stream]
        recogniser = self._recognisers.setdefault(stream, Recogniser(stream, record.known_port))
        rows = np.concatenate([np.arange(part.start, part.stop) for part in parts])
        rows = rows[np.argsort(chunks.known_frame[rows], kind="stable")]
        override = self._decode_as.get(record.responder.port, self._decode_as.get(record.originator.port))
        for place, row in enumerate(rows.tolist()):
            direction = int(chunks.direction[row])
            verdict: str | None = None
            if chunks.gap[row]:
                recogniser.forget(direction, int(chunks.offset[row] + chunks.gap[row]))
                slow.odd.append(_unframed_gap(chunks, row))
            else:
                start_known = self._reassembler.directions[stream * 2 + direction].start_known
                offset = int(chunks.offset[row])
                verdict = recogniser.add(
                    direction, chunks.pieces[row], offset, _span(chunks, row), start_known=start_known
                )
            if override is not None:
                verdict = "decode-as none" if override == "none" else CMPP
            if verdict is None:
                continue
            self.protocol[stream] = verdict
            del self._recognisers[stream]
            if verdict == CMPP:
                recogniser.recognised(int(chunks.known_frame[row]))
                self._adopt(stream, recogniser, chunks, rows[place + 1 :], plain, slow)
            return

    def _adopt(
        self, stream: int, recogniser: Recogniser, chunks: ChunkBatch, rows: I64, plain: list[_Plain], slow: _Slow
    ) -> None:
        """Frame what was held of a stream that is now known as CMPP, and the rest of its chunks."""
        for direction, wire in recogniser.wires.items():
            self._wires[stream * 2 + direction] = wire
            slow.settle(stream * 2 + direction, wire)
        for direction in (0, 1):
            mine = rows[chunks.direction[rows] == direction]
            if len(mine):
                wire = self._wire(stream * 2 + direction, chunks, int(mine[0]))
                gap = bool(chunks.gap[mine].any())
                self._frame(wire, chunks, slice(int(mine[0]), int(mine[-1]) + 1), gap, plain, slow)

    def _fast(self, chunks: ChunkBatch, plain: list[_Plain], slow: _Slow) -> _Part | None:
        """Frame all directions in step at once; those with anything odd go to the careful way."""
        if not plain:
            return None
        parts: list[bytes | memoryview] = []
        for part in plain:
            parts.append(part.wire.held)
            parts += chunks.pieces[part.rows]
        octets = b"".join(parts)
        rows = np.concatenate([np.arange(p.rows.start, p.rows.stop) for p in plain])
        sizes = np.array([p.rows.stop - p.rows.start for p in plain], np.int64)
        first = np.cumsum(sizes) - sizes
        grown = chunks.length[rows].copy()
        grown[first] += np.array([len(p.wire.held) for p in plain], np.int64)
        ends = np.cumsum(grown)
        group_ends = ends[first + sizes - 1]
        group_starts = np.r_[0, group_ends[:-1]]
        starts, counts, tails = _follow(octets, group_starts.tolist(), group_ends.tolist())
        view = np.frombuffer(octets, np.uint8)
        owner = np.repeat(np.arange(len(plain)), counts)
        word = _words(view, starts)
        command = _words(view, starts + 4)
        bits = fits_batch(view, starts, word, command)
        need, odd = _look_at_doubtful(view, starts, word, bits, group_ends[owner])
        odd_groups = {int(g) for g in np.unique(owner[odd])} | {g for g, (_, bad) in enumerate(tails) if bad}
        base = np.array([p.wire.offset for p in plain], np.int64) - group_starts
        for at, part in enumerate(plain):
            if at in odd_groups:
                self._careful(part.wire, chunks, part.rows, slow)
            else:
                _carry(part, chunks, octets, tails[at][0], int(group_ends[at]), ends, int(first[at]))
        keep = ~np.isin(owner, np.fromiter(odd_groups, np.int64, len(odd_groups))) if odd_groups else slice(None)
        starts, owner, bits, word, need = starts[keep], owner[keep], bits[keep], word[keep], need[keep]
        last = rows[np.searchsorted(ends, starts + word)]
        told = rows[np.searchsorted(ends, need)]
        groups = np.array([p.wire.stream * 2 + p.wire.direction for p in plain], np.int64)
        return _Part(
            octets,
            starts,
            groups[owner],
            starts + base[owner],
            bits,
            chunks.frame[last],
            np.maximum(chunks.known_frame[last], chunks.known_frame[told]),
            chunks.time_ns[last],
        )

    def _batch(self, fast: _Part | None, slow: _Slow) -> tuple[PduBatch, list[Oddity]]:
        """Put both ways' PDUs into one batch, in order of becoming known, and number them."""
        parts = [] if fast is None else [fast]
        if slow.found or fast is None:
            parts.append(_columns(slow.found))
        part = parts[0] if len(parts) == 1 else _concatenate(parts)
        order = np.lexsort((part.offset, part.group)) if slow.found else np.arange(len(part.group))
        order = order[np.argsort(part.known_frame[order], kind="stable")]
        view = np.frombuffer(part.octets, np.uint8)
        position = part.position[order]
        length, command = _words(view, position), _words(view, position + 4)
        bits = part.bits[order]
        batch = PduBatch(
            octets=view,
            first=self._pdus + 1,
            position=position,
            length=length,
            command=command,
            sequence=_words(view, position + 8),
            layout=layouts(view, position, length, command, bits),
            fits=bits,
            stream=part.group[order] >> 1,
            direction=part.group[order] & 1,
            offset=part.offset[order],
            frame=part.frame[order],
            known_frame=part.known_frame[order],
            time_ns=part.time_ns[order],
        )
        self._pdus += len(batch)
        return batch, sorted(slow.odd, key=lambda o: (o.known_frame, o.stream, o.direction, o.offset))


def _follow(octets: bytes, starts: list[int], ends: list[int]) -> tuple[I64, list[int], list[tuple[int, bool]]]:
    """Follow Total_Length through each group: positions, PDUs a group, and where each stopped and whether it broke."""
    found: list[int] = []
    counts: list[int] = []
    tails: list[tuple[int, bool]] = []
    add = found.append
    for start, end in zip(starts, ends, strict=True):
        before, at, broken = len(found), start, False
        last = end - HEADER
        while at <= last:
            (length,) = _length_at(octets, at)
            if not HEADER <= length <= LONGEST:
                broken = True
                break
            if at + length > end:
                break
            add(at)
            at += length
        if end - at >= 8 and not broken and at > last:
            broken = not HEADER <= _length_at(octets, at)[0] <= LONGEST
        counts.append(len(found) - before)
        tails.append((at, broken))
    return np.array(found, np.int64), counts, tails


def _look_at_doubtful(
    octets: np.ndarray, starts: I64, length: I64, bits: np.ndarray, group_end: I64
) -> tuple[I64, Bool]:
    """For PDUs that fit nothing: the octet that vouches for them is a header behind; where none is, they are odd."""
    need = starts + length
    odd = np.zeros(len(starts), np.bool_)
    rows = np.flatnonzero(bits == 0)
    if len(rows):
        end = need[rows]
        there = end + 8 <= group_end[rows]
        at = np.where(there, end, 0)
        following = _words(octets, at)
        vouched = there & known(_words(octets, at + 4)) & (following >= HEADER) & (following <= LONGEST)
        odd[rows] = ~vouched
        need[rows] = np.where(vouched, end + 8, end)
    return need, odd


def _carry(part: _Plain, chunks: ChunkBatch, octets: bytes, tail: int, end: int, ends: I64, first: int) -> None:
    """Keep the octets behind the last whole PDU of a direction, and the frames that they came with."""
    wire = part.wire
    new = int(chunks.offset[part.rows.stop - 1] + chunks.length[part.rows.stop - 1])
    wire.held = octets[tail:end]
    wire.offset = new - len(wire.held)
    wire.spans = [span for span in wire.spans if span.end > wire.offset] if len(wire.held) else []
    if not len(wire.held):
        return
    begin = first + int(np.searchsorted(ends[first : first + part.rows.stop - part.rows.start], tail, "right"))
    wire.spans += [
        _span(chunks, part.rows.start + at - first) for at in range(begin, first + part.rows.stop - part.rows.start)
    ]


def _span(chunks: ChunkBatch, row: int) -> Span:
    """Give the frames of a chunk."""
    return Span(
        int(chunks.offset[row] + chunks.length[row]),
        int(chunks.frame[row]),
        int(chunks.known_frame[row]),
        int(chunks.time_ns[row]),
    )


def _unframed_gap(chunks: ChunkBatch, row: int) -> Oddity:
    """Make the oddity of a Gap in a stream that is not recognised yet."""
    known_frame = int(chunks.known_frame[row])
    stream, direction = int(chunks.stream[row]), int(chunks.direction[row])
    octets = int(chunks.gap[row])
    return Oddity(
        "gap", stream, direction, int(chunks.offset[row]), int(chunks.frame[row]), known_frame, octets, 0, "capture"
    )


def _words(octets: np.ndarray, at: I64) -> I64:
    """Read big-endian 32-bit numbers at positions."""
    if not len(at):
        return np.zeros(0, np.int64)
    window = np.lib.stride_tricks.sliding_window_view(octets, 4)
    return np.ascontiguousarray(window[at]).view(">u4").reshape(-1).astype(np.int64)


def _columns(found: list[tuple[int, Found]]) -> _Part:
    """Turn PDUs found one by one into columns."""
    octets = b"".join([f.octets for _, f in found])
    sizes = np.array([len(f.octets) for _, f in found], np.int64)
    table = np.array([(g, f.offset, f.bits, f.frame, f.known_frame, f.time_ns) for g, f in found], np.int64).reshape(
        -1, 6
    )
    group, offset, bits, frame, known_frame, time_ns = table.T
    return _Part(octets, np.cumsum(sizes) - sizes, group, offset, bits.astype(np.uint8), frame, known_frame, time_ns)


def _concatenate(parts: list[_Part]) -> _Part:
    """Join two sets of PDUs over one buffer."""
    shift = np.cumsum([0] + [len(p.octets) for p in parts])[:-1].tolist()
    return _Part(
        b"".join([p.octets for p in parts]),
        np.concatenate([p.position + s for p, s in zip(parts, shift, strict=True)]),
        *(
            np.concatenate([getattr(p, n) for p in parts])
            for n in ("group", "offset", "bits", "frame", "known_frame", "time_ns")
        ),
    )
