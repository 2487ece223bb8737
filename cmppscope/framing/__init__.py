"""Framing: octets in stream order in, PDUs out.

Theory of operation. Streams are recognised first (`recognise`). All directions in step are then framed at once where
their octets lie (`fast`). A direction in which anything is odd is framed again with care by `wire`, which alone knows
what to do out of step.

What comes out, its order and its numbers depend on the frames alone (design: what a PDU is).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cmppscope.arrays import stable_order, three_words_at
from cmppscope.framing.fast import Part, Plain, frame_in_step, span_of
from cmppscope.framing.headers import layouts
from cmppscope.framing.recognise import CMPP, Recogniser
from cmppscope.framing.wire import Found, Mode, Wire
from cmppscope.reassembly import Reassembler
from cmppscope.reassembly.asleep import BUSY_TIMES
from cmppscope.tables import I64, ChunkBatch, Oddity, PduBatch

__all__ = ["CMPP", "Framer"]

UNDECIDED_OCTETS = 64 << 20
UNDECIDED_STREAMS = 65_536
"""Octets and streams that are held until it is known what they are; beyond it the oldest stream is given up."""

WIRES_KEPT = 4096
"""Directions kept as objects before it is looked which of them hold nothing."""


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
        self._in_step = bytearray()
        """1 for a direction (stream * 2 + direction) that is in step, holds nothing, and is no object therefore."""
        self._busy = 0
        """Directions that held something when that was looked at last."""
        self.protocol: dict[int, str] = {}
        """What each stream with octets is, by number: CMPP, or the reason why not."""
        self._pdus = 0
        self._undecided_octets = 0
        self._trouble: list[Oddity] = []

    def trouble(self) -> list[Oddity]:
        """Give what people must hear of recognition, known since the last call."""
        trouble, self._trouble = self._trouble, []
        return trouble

    def feed(self, chunks: ChunkBatch) -> tuple[PduBatch, list[Oddity]]:
        """Take chunks; give the PDUs and oddities that became known."""
        group = chunks.stream * 2 + chunks.direction
        heads = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, np.int64)
        bounds = [*heads.tolist(), len(group)]
        with_gap = np.add.reduceat(chunks.gap, heads) > 0 if len(heads) else np.zeros(0, np.bool_)
        plain: list[Plain] = []
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
        if undecided:
            self._recognise(chunks, undecided, plain, slow)
        fast, odd = frame_in_step(chunks, plain)
        for part in odd:
            self._careful(part.wire, chunks, part.rows, slow)
        self._let_go()
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

    def first_wanted(self, group: int) -> int | None:
        """Give the offset from which on the octets of a direction (stream * 2 + direction) may become PDUs.

        None says that they never will: the stream is something else, or nothing of the direction is held.
        """
        if group >> 1 not in self.protocol:
            return 0
        wire = self._wires.get(group)
        return None if wire is None else wire.offset

    def _let_go(self) -> None:
        """Drop directions that hold nothing and are in step, once there are many: where they go on tells the rest."""
        if len(self._wires) <= WIRES_KEPT + BUSY_TIMES * self._busy:
            return
        empty = [group for group, wire in self._wires.items() if wire.is_empty]
        if empty:
            self._in_step.extend(bytes(max(0, max(empty) + 1 - len(self._in_step))))
        for group in empty:
            self._in_step[group] = 1
            del self._wires[group]
        self._busy = len(self._wires)

    def _wire(self, both: int, chunks: ChunkBatch, row: int) -> Wire:
        """Give the state of a direction of a CMPP stream, made when its first octets come."""
        wire = self._wires.get(both)
        if wire is None:
            offset = int(chunks.offset[row])
            begins = offset == 0 and self._reassembler.start_known(both)
            goes_on = both < len(self._in_step) and self._in_step[both]
            mode = Mode.IN_STEP if begins or goes_on else Mode.BLIND
            wire = self._wires[both] = Wire(both >> 1, both & 1, mode, offset=offset)
        return wire

    def _frame(
        self,
        wire: Wire,
        chunks: ChunkBatch,
        rows: slice,
        gap: bool,  # noqa: FBT001 - a fact of the rows, not a switch
        plain: list[Plain],
        slow: _Slow,
    ) -> None:
        """Leave a direction in step for the fast way; frame any other one now."""
        if wire.mode is Mode.IN_STEP and not gap and not wire.careful:
            plain.append(Plain(wire, rows))
        else:
            self._careful(wire, chunks, rows, slow)

    def _careful(self, wire: Wire, chunks: ChunkBatch, rows: slice, slow: _Slow) -> None:
        """Frame the chunks of one direction with care."""
        found: list[Found] = []
        for row in range(rows.start, rows.stop):
            if chunks.gap[row]:
                wire.lose(int(chunks.gap[row]), int(chunks.frame[row]), int(chunks.known_frame[row]), found, slow.odd)
            else:
                wire.take(chunks.piece(row), span_of(chunks, row))
        wire.settle(found, slow.odd)
        slow.add(wire.stream * 2 + wire.direction, found)

    def _recognise(
        self, chunks: ChunkBatch, undecided: dict[int, list[slice]], plain: list[Plain], slow: _Slow
    ) -> None:
        """Feed undecided streams chunk by chunk, in the order in which the chunks became known."""
        rows = np.concatenate([np.arange(part.start, part.stop) for parts in undecided.values() for part in parts])
        for row in rows[stable_order(chunks.known_frame[rows])].tolist():
            stream, frame = int(chunks.stream[row]), int(chunks.known_frame[row])
            if stream in self.protocol:
                continue
            verdict = self._weigh(stream, chunks, row, slow)
            if verdict is not None:
                recogniser = self._decide(stream, verdict)
                if verdict == CMPP:
                    recogniser.recognised(frame)
                    self._adopt(stream, recogniser, chunks, _behind(chunks, undecided[stream], row), plain, slow)
            while self._undecided_octets > UNDECIDED_OCTETS or len(self._recognisers) > UNDECIDED_STREAMS:
                oldest = next(iter(self._recognisers))
                gone = self._decide(oldest, self._recognisers[oldest].reason())
                self._trouble.append(Oddity("undecided", oldest, 0, -1, frame, frame, gone.octets, 0, "capture"))

    def _weigh(self, stream: int, chunks: ChunkBatch, row: int, slow: _Slow) -> str | None:
        """Give a chunk to an undecided stream; say what it is, once that is known."""
        recogniser = self._recognisers.get(stream)
        if recogniser is None:
            known_port = self._reassembler.streams[stream].known_port
            recogniser = self._recognisers[stream] = Recogniser(stream, known_port)
        direction = int(chunks.direction[row])
        verdict: str | None = None
        if chunks.gap[row]:
            recogniser.forget(direction, int(chunks.offset[row] + chunks.gap[row]))
            slow.odd.append(_unframed_gap(chunks, row))
        else:
            start_known = self._reassembler.start_known(stream * 2 + direction)
            offset = int(chunks.offset[row])
            self._undecided_octets += int(chunks.length[row])
            span = span_of(chunks, row)
            verdict = recogniser.add(direction, chunks.piece(row), offset, span, start_known=start_known)
        return self._overruled(stream, verdict) if self._decode_as else verdict

    def _overruled(self, stream: int, verdict: str | None) -> str | None:
        """Let what the user said of a port stand over a verdict."""
        record = self._reassembler.streams[stream]
        override = self._decode_as.get(record.responder.port, self._decode_as.get(record.originator.port))
        if override is None:
            return verdict
        return "decode-as none" if override == "none" else CMPP

    def _decide(self, stream: int, verdict: str) -> Recogniser:
        """Note what a stream is; give what was held of it."""
        self.protocol[stream] = verdict
        recogniser = self._recognisers.pop(stream)
        self._undecided_octets -= recogniser.octets
        return recogniser

    def _adopt(
        self, stream: int, recogniser: Recogniser, chunks: ChunkBatch, rows: I64, plain: list[Plain], slow: _Slow
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

    def _batch(self, fast: Part | None, slow: _Slow) -> tuple[PduBatch, list[Oddity]]:
        """Put both ways' PDUs into one batch, in order of becoming known, and number them."""
        parts = [] if fast is None else [fast]
        if slow.found or fast is None:
            parts.append(_columns(slow.found))
        part = parts[0] if len(parts) == 1 else _concatenate(parts)
        order = np.lexsort((part.offset, part.group)) if slow.found else np.arange(len(part.group))
        order = order[stable_order(part.known_frame[order])]
        view, position, bits = part.octets, part.position[order], part.bits[order]
        length, command = part.length[order], part.command[order]
        batch = PduBatch(
            octets=view,
            first=self._pdus + 1,
            position=position,
            length=length,
            command=command,
            sequence=part.sequence[order],
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


def _unframed_gap(chunks: ChunkBatch, row: int) -> Oddity:
    """Make the oddity of a Gap in a stream that is not recognised yet."""
    known_frame = int(chunks.known_frame[row])
    stream, direction = int(chunks.stream[row]), int(chunks.direction[row])
    octets = int(chunks.gap[row])
    return Oddity(
        "gap", stream, direction, int(chunks.offset[row]), int(chunks.frame[row]), known_frame, octets, 0, "capture"
    )


def _columns(found: list[tuple[int, Found]]) -> Part:
    """Turn PDUs found one by one into columns."""
    octets = b"".join([f.octets for _, f in found])
    sizes = np.array([len(f.octets) for _, f in found], np.int64)
    table = np.array([(g, f.offset, f.bits, f.frame, f.known_frame, f.time_ns) for g, f in found], np.int64).reshape(
        -1, 6
    )
    group, offset, bits, frame, known_frame, time_ns = table.T
    view = np.frombuffer(octets, np.uint8)
    position = np.cumsum(sizes) - sizes
    header = three_words_at(view, position)
    return Part(view, position, *header, group, offset, bits.astype(np.uint8), frame, known_frame, time_ns)


def _concatenate(parts: list[Part]) -> Part:
    """Join two sets of PDUs over one buffer."""
    shift = np.cumsum([0] + [len(p.octets) for p in parts])[:-1].tolist()
    return Part(
        np.concatenate([p.octets for p in parts]),
        np.concatenate([p.position + s for p, s in zip(parts, shift, strict=True)]),
        *(np.concatenate([getattr(p, n) for p in parts]) for n in Part.__slots__[2:]),
    )


def _behind(chunks: ChunkBatch, parts: list[slice], row: int) -> I64:
    """Give the rows of a stream that became known after one of them, in that order."""
    rows = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    rows = rows[stable_order(chunks.known_frame[rows])]
    behind: I64 = rows[int(np.flatnonzero(rows == row)[0]) + 1 :]
    return behind
