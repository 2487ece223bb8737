"""The front of the Analysis: frames in, PDUs out, and what happened to their octets on the way.

    frames → segments → octets in order → PDUs

It needs nothing of what stands behind it, so both may run at once: `run` gives PDUs batch by batch, with what is new of
the streams, and at last the front itself, for who took them elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, Union

import numpy as np

from cmppscope.decode import Counts, Decoder
from cmppscope.framing import Framer
from cmppscope.reassembly import Handshake, News, Reassembler, Streams
from cmppscope.references import Places, References
from cmppscope.tables import I64, Bool, ChunkBatch, FrameBatch, Oddity, PduBatch

_Item = TypeVar("_Item")

Elsewhere = Callable[[Iterator[_Item]], Iterator[_Item]]
"""Gives what an iterator gives, and lets it run on meanwhile: copies of it, where that is in another process."""


@dataclass(slots=True)
class Framed:
    """The PDUs that became known with some frames."""

    batch: PduBatch
    odd: list[Oddity]
    """What is odd about their octets."""
    trouble: list[Oddity]
    """What happened in front of framing, or to it."""
    places: Places | None
    """Where their octets lie, where that was asked for."""


Ahead = Union[tuple[Framed, News], "Front"]
"""What `Front.run` gives."""


class Front:
    """Takes frames through every stage up to framing."""

    def __init__(
        self,
        decode_as: Mapping[int, str],
        from_ns: int | None,
        to_ns: int | None,
        *,
        check_checksums: bool,
        references: bool,
    ) -> None:
        """Begin with no frame; see `Options` for what the user may set."""
        self._from_ns, self._to_ns = from_ns, to_ns
        self._decoder = Decoder(check_checksums=check_checksums)
        self._reassembler = Reassembler()
        self._framer = Framer(self._reassembler, dict(decode_as))
        self._references = References(self._framer) if references else None
        self.first_time_ns: int | None = None
        self.last_time_ns = 0
        self.last_frame = 0
        self.frames = 0
        """Frames looked at."""

    def feed(self, frames: FrameBatch) -> Framed:
        """Take the next frames."""
        segments = self._decoder.feed(frames)
        inside = self._inside(frames.time_ns)
        if not inside.all():
            segments = segments.take(self._inside(segments.time_ns))
        if len(frames):
            self._note_frames(frames, frames.time_ns[inside])
        return self._framed(self._reassembler.feed(segments))

    def close(self) -> list[Framed]:
        """Settle the end of the capture: open holes, then cut PDUs."""
        self._decoder.close()
        holes = self._framed(self._reassembler.close())
        batch, odd = self._framer.close(self.last_frame + 2)
        return [holes, Framed(batch, odd, self._trouble(), self._places(None, batch))]

    def run(self, batches: Iterable[FrameBatch]) -> Iterator[Ahead]:
        """Take all batches; give of each the PDUs and what is new of the streams, and at last the front as it is."""
        for frames in batches:
            behind = self.last_frame
            framed = self.feed(frames)
            yield framed, self.streams.news(behind)
        yield self

    @property
    def streams(self) -> Streams:
        """All TCP connections, by number."""
        return self._reassembler.streams

    @property
    def protocols(self) -> dict[int, str]:
        """What each stream with octets is: `CMPP`, or the reason why not."""
        return self._framer.protocol

    @property
    def counts(self) -> Counts:
        """What became of the frames."""
        return self._decoder.counts

    @property
    def duplicates(self) -> dict[int, tuple[int, int]]:
        """How many frames were captured twice, and the first copy's frame, by stream."""
        return self._reassembler.duplicates

    @property
    def retransmitted_octets(self) -> int:
        """Octets that came more than once."""
        return self._reassembler.retransmitted_octets

    def handshake(self, stream: int) -> Handshake | None:
        """Give the round trips that the handshake of a stream measures."""
        return self._reassembler.handshake(stream)

    def lost_tails(self) -> frozenset[int]:
        """Give the directions (stream * 2 + direction) whose last octets the capture does not hold."""
        return self._reassembler.lost_tails()

    def late_octets(self) -> list[Oddity]:
        """Say where octets came too late to be put in their place, and where frames were captured twice."""
        end = self.last_frame + 1
        late = [
            Oddity("late", group >> 1, group & 1, -1, end, end, state.late, 0, "capture")
            for group, state in sorted(self._reassembler.directions.items())
            if state.late
        ]
        return late + [
            Oddity("duplicate", stream, 0, -1, first, end, count, 0, "capture")
            for stream, (count, first) in sorted(self.duplicates.items())
        ]

    def _framed(self, chunks: ChunkBatch) -> Framed:
        """Frame what is in order now."""
        batch, odd = self._framer.feed(chunks)
        return Framed(batch, odd, self._trouble(), self._places(chunks, batch))

    def _places(self, chunks: ChunkBatch | None, batch: PduBatch) -> Places | None:
        """Tell where the PDUs lie that became known with some chunks."""
        return None if self._references is None else self._references.feed(chunks, batch)

    def _trouble(self) -> list[Oddity]:
        """Give what happened in front of framing, or to it, since the last call."""
        return self._decoder.odd() + self._reassembler.odd() + self._framer.trouble()

    def _inside(self, time_ns: I64) -> Bool:
        """Tell which times the user asked for."""
        inside = np.ones(len(time_ns), np.bool_)
        if self._from_ns is not None:
            inside &= time_ns >= self._from_ns
        if self._to_ns is not None:
            inside &= time_ns <= self._to_ns
        return inside

    def _note_frames(self, frames: FrameBatch, times_ns: I64) -> None:
        """Keep the number of the last frame, and number and times of those asked for."""
        self.last_frame = frames.first + len(frames) - 1
        self.frames += len(times_ns)
        if not len(times_ns):
            return
        least, greatest = int(times_ns.min()), int(times_ns.max())
        self.first_time_ns = least if self.first_time_ns is None else min(self.first_time_ns, least)
        self.last_time_ns = max(self.last_time_ns, greatest)
