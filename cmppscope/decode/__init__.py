"""Segments out of frames: everything between the captured octets and the TCP payload.

`Decoder.feed` gives the rows of a batch in frame order. Common shapes are decoded all at once (`bulk`), what may hold
TCP in another way frame by frame (`walk`); both write into the same columns, so nothing needs sorting. Every frame is
counted exactly once: as a segment, as not TCP, as a fragment of a packet that was not whole yet, or as undecoded for a
reason. Checksums are verified on request only: a host that leaves them to its network card captures wrong ones. No
octets raise. The only state carried from batch to batch is the bounded table of `fragments`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cmppscope.decode import layers, verdicts
from cmppscope.decode.bulk import Rows, decode_bulk
from cmppscope.decode.checksums import refuse_wrong
from cmppscope.decode.fragments import Fragments
from cmppscope.decode.walk import Walk
from cmppscope.tables import Oddity, SegmentBatch

if TYPE_CHECKING:
    from cmppscope.tables import FrameBatch

__all__ = ["Counts", "Decoder"]

LOW = (1 << 64) - 1


@dataclass(slots=True)
class Counts:
    """What became of the frames: `frames` is the sum of the next three and of `undecoded`."""

    frames: int = 0
    segments: int = 0
    not_tcp: int = 0
    fragments: int = 0
    """Frames that held a piece of an IP packet without completing it."""
    undecoded: dict[str, int] = field(default_factory=dict)
    """Frames whose headers could not be read, by reason."""
    cut: int = 0
    """Frames of which the snapshot length cut octets off, whatever became of them."""
    packets_incomplete: int = 0
    """Fragmented IP packets that were never whole."""
    unverified: int = 0
    """Segments taken although their checksum was to be verified, and could not be: the capture cut them."""


class Decoder:
    """Takes batches of frames in order and gives their segments."""

    def __init__(self, *, one_by_one: bool = False, check_checksums: bool = False) -> None:
        """Begin with nothing; `one_by_one` keeps every frame from the bulk path, to compare the two."""
        self._check = check_checksums
        self.counts = Counts()
        self._fragments = Fragments()
        self._one_by_one = one_by_one

    def feed(self, frames: FrameBatch) -> SegmentBatch:
        """Decode the next frames."""
        rows = decode_bulk(frames)
        if self._one_by_one:
            rows.verdict[:] = verdicts.ODD
        elif self._check:
            self.counts.unverified += refuse_wrong(rows)
        side = bytearray()
        odd = np.flatnonzero(rows.verdict == verdicts.ODD)
        if len(odd):
            view = frames.octets.data
            for row in odd.tolist():
                self._walk(frames, rows, row, view, side)
        self._count(frames, rows)
        return _segments(frames, rows, side)

    def odd(self) -> list[Oddity]:
        """Give what people must hear of the fragments of IP packets, known since the last call."""
        odd, self._fragments.odd = self._fragments.odd, []
        return odd

    def close(self) -> None:
        """Count what is left over: a packet that is not whole holds no segment."""
        for key in list(self._fragments.held):
            self._fragments.give_up(key)
        self.counts.packets_incomplete = self._fragments.incomplete

    def _walk(self, frames: FrameBatch, rows: Rows, row: int, view: memoryview, side: bytearray) -> None:
        """Decode one frame; a payload out of fragments goes to the side buffer, which lies behind the frames'."""
        walk = Walk(
            octets=view,
            at=int(rows.start[row]),
            captured_end=int(rows.captured_end[row]),
            end=int(rows.wire_end[row]),
            cut=bool(rows.cut[row]),
            frame=frames.first + row,
            time_ns=int(frames.time_ns[row]),
            fragments=self._fragments,
            check=self._check,
        )
        rows.verdict[row] = walk.run(layers.first(int(frames.linktype[row])))
        if rows.verdict[row] != verdicts.SEGMENT:
            return
        self.counts.unverified += self._check and not walk.verified
        if walk.whole is not None:
            payload = walk.whole[walk.offset : walk.offset + walk.length]
            walk.offset = len(view) + len(side)
            side += payload
        for name in ("sport", "dport", "seq", "ack", "flags", "offset", "length", "missing", "ip_id"):
            rows.columns[name][row] = getattr(walk, name)
        rows.set(row, ip_version=walk.version, src_hi=walk.src >> 64, dst_hi=walk.dst >> 64)
        rows.set(row, src_lo=walk.src & LOW, dst_lo=walk.dst & LOW)

    def _count(self, frames: FrameBatch, rows: Rows) -> None:
        """Add a batch to the counts."""
        counts = self.counts
        number = np.bincount(rows.verdict, minlength=max(verdicts.REASONS) + 1).tolist()
        counts.frames += len(frames)
        counts.segments += number[verdicts.SEGMENT]
        counts.not_tcp += number[verdicts.NOT_TCP]
        counts.fragments += number[verdicts.FRAGMENT]
        counts.cut += int(rows.cut.sum())
        counts.packets_incomplete = self._fragments.incomplete
        reasons = {reason: number[verdict] for verdict, reason in verdicts.REASONS.items() if verdict != verdicts.LINK}
        if number[verdicts.LINK]:
            kinds, many = np.unique(frames.linktype[rows.verdict == verdicts.LINK], return_counts=True)
            names = [_link_name(kind) for kind in kinds.tolist()]
            reasons |= dict(zip(names, many.tolist(), strict=True))
        for reason, count in reasons.items():
            if count:
                counts.undecoded[reason] = counts.undecoded.get(reason, 0) + count


def _link_name(kind: int) -> str:
    """Say that frames of a link type are not decoded."""
    name = verdicts.LINK_NAMES.get(kind)
    return f"{verdicts.REASONS[verdicts.LINK]}: {kind}" + (f" ({name})" if name else "")


def _segments(frames: FrameBatch, rows: Rows, side: bytearray) -> SegmentBatch:
    """Keep the rows that hold a segment."""
    octets = np.concatenate((frames.octets, np.frombuffer(side, np.uint8))) if side else frames.octets
    held = rows.verdict == verdicts.SEGMENT
    columns = rows.columns if held.all() else {name: column[held] for name, column in rows.columns.items()}
    return SegmentBatch(
        octets=octets,
        frame=np.flatnonzero(held) + frames.first,
        time_ns=frames.time_ns[held],
        own=len(frames.octets),
        address=frames.address,
        **columns,
    )
