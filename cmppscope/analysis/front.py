"""The front of the Analysis: what was said. Frames in; PDUs, sessions and transactions out.

    frames → segments → octets in order → PDUs → sessions → transactions

It needs nothing of what stands behind it, so both may run at once, in two processes: `run` gives what was said batch by
batch, with what changed of streams and sessions, and at last the front itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, Union

import numpy as np

from cmppscope.analysis.options import Depth, Options
from cmppscope.arrays import none
from cmppscope.columns import PduColumns
from cmppscope.decode import Counts, Decoder
from cmppscope.framing import Framer
from cmppscope.reassembly import Handshake, Reassembler, Streams, StreamsNews
from cmppscope.references import Places, References
from cmppscope.rules import SequenceTracker
from cmppscope.rules.model import Sequences
from cmppscope.sessions import Session, Sessions, SessionsNews
from cmppscope.tables import I64, Bool, ChunkBatch, FrameBatch, Oddity, PduBatch
from cmppscope.transactions import Paired, Pairing, Reuse, Stray, Transactions
from cmppscope.transactions.table import in_order

_Item = TypeVar("_Item")

Elsewhere = Callable[[Iterator[_Item]], Iterator[_Item]]
"""Gives what an iterator gives, and lets it run on meanwhile: copies of it, where that is in another process."""

_NO_SEQUENCES = Sequences(none(), none(), none(), none(), np.zeros(0, np.bool_))
_FORCED = {"cmpp20": "2.0", "cmpp30": "3.0"}


@dataclass(slots=True)
class Exchanged:
    """What both sides said with some frames."""

    batch: PduBatch
    """The PDUs that became known with them."""
    session: I64
    """The session of each."""
    paired: Paired
    sequences: Sequences
    odd: list[Oddity]
    """What is odd about the octets of PDUs."""
    trouble: list[Oddity]
    """What happened in front of framing and to it, and to pairing."""
    new: I64
    """Rows with the first PDU of a session, direction and command."""
    foreign: I64
    threes: I64
    wanted: Mapping[int, int]
    places: Places | None
    """Of these four see `Facts`."""


@dataclass(slots=True)
class Ending:
    """What only the end of a capture tells; directions are stream * 2 + direction."""

    lost_tails: frozenset[int]
    """Directions whose last octets the capture does not hold."""
    lossy: frozenset[int]
    """Directions of which PDUs may be lost, wherever that was."""
    ended: Transactions
    strays: list[Stray]
    reuses: list[Reuse]
    echoes: dict[int, int]


Ahead = Union[tuple[Exchanged, tuple[StreamsNews, SessionsNews]], "Front"]
"""What `Front.run` gives."""


class Front:
    """Takes frames through every stage up to transactions."""

    def __init__(self, options: Options) -> None:
        """Begin with no frame."""
        self._from_ns, self._to_ns = options.from_ns, options.to_ns
        self._decoder = Decoder(check_checksums=options.check_checksums)
        self._reassembler = Reassembler()
        self._framer = Framer(self._reassembler, dict(options.decode_as))
        self._references = References(self._framer) if options.references else None
        forced = {port: _FORCED[kind] for port, kind in options.decode_as.items() if kind in _FORCED}
        self._sessions = Sessions(self.streams, forced)
        self._pairing = Pairing(self.streams, options.timers)
        self._sequences = SequenceTracker(self.streams, options.timers)
        self._depth = options.depth
        self._cut: set[int] = set()
        """Directions that end inside a PDU."""
        self._pdus = 0
        self.first_time_ns: int | None = None
        self.last_time_ns = 0
        self.last_frame = 0
        self.frames = 0
        """Frames looked at."""

    def feed(self, frames: FrameBatch) -> Exchanged:
        """Take the next frames."""
        segments = self._decoder.feed(frames)
        inside = self._inside(frames.time_ns)
        if not inside.all():
            segments = segments.take(self._inside(segments.time_ns))
        if len(frames):
            self._note_frames(frames, frames.time_ns[inside])
        return self._frame(self._reassembler.feed(segments))

    def close(self) -> list[Exchanged]:
        """Settle the end of the capture: open holes, then cut PDUs; the last one has no PDUs and stands behind all."""
        self._decoder.close()
        holes = self._frame(self._reassembler.close())
        batch, odd = self._framer.close(self.last_frame + 2)
        self._cut = {o.stream * 2 + o.direction for o in odd if o.kind == "cut"}
        cut = self._pair(batch, odd, self._places(None, batch))
        return [holes, cut, self._pair(PduBatch.empty(self._pdus + 1), [], None)]

    def ending(self) -> Ending:
        """Settle the requests still open and the responses that answer nothing, as if the capture ended here."""
        lost_tails = self._reassembler.lost_tails() | self._cut
        settled = self._pairing.close(self.last_time_ns, lost_tails)
        return Ending(lost_tails, self._pairing.lossy_directions(lost_tails), *settled, self._pairing.echoes)

    def run(self, batches: Iterable[FrameBatch]) -> Iterator[Ahead]:
        """Take all batches; give of each what was said and what changed, and at last the front as it is."""
        for frames in batches:
            behind = self.last_frame
            exchanged = self.feed(frames)
            yield exchanged, (self.streams.news(behind), self._sessions.news())
        yield self

    def hear(self, news: tuple[StreamsNews, SessionsNews]) -> None:
        """Know of streams and sessions what a copy that runs elsewhere knows."""
        streams, sessions = news
        self.streams.hear(streams)
        self._sessions.hear(sessions)

    def share(self, sessions: list[Session]) -> None:
        """Go on with equal sessions that somebody else holds."""
        self._sessions.share(sessions)

    @property
    def streams(self) -> Streams:
        """All TCP connections, by number."""
        return self._reassembler.streams

    @property
    def sessions(self) -> list[Session]:
        """All sessions, by number."""
        return self._sessions.sessions

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

    def _frame(self, chunks: ChunkBatch) -> Exchanged:
        """Frame what is in order now."""
        batch, odd = self._framer.feed(chunks)
        return self._pair(batch, odd, self._places(chunks, batch))

    def _pair(self, batch: PduBatch, odd: list[Oddity], places: Places | None) -> Exchanged:
        """Find sessions and transactions of PDUs."""
        self._pdus += len(batch)
        trouble = self._decoder.odd() + self._reassembler.odd() + self._framer.trouble()
        sessions = self._sessions
        session = sessions.feed(batch)
        if self._depth >= Depth.TRANSACTIONS:
            paired = self._pairing.feed(batch, PduColumns(batch), session, odd)
        else:
            paired = Paired(in_order([]), none())
        sequences = _NO_SEQUENCES
        if self._depth == Depth.ALL:
            sequences = self._sequences.feed(batch, paired.resends, odd)
        return Exchanged(
            batch=batch,
            session=session,
            paired=paired,
            sequences=sequences,
            odd=odd,
            trouble=trouble + self._pairing.odd,
            new=sessions.new,
            foreign=sessions.foreign,
            threes=sessions.threes,
            wanted=sessions.wanted,
            places=places,
        )

    def _places(self, chunks: ChunkBatch | None, batch: PduBatch) -> Places | None:
        """Tell where the PDUs lie that became known with some chunks."""
        return None if self._references is None else self._references.feed(chunks, batch)

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
