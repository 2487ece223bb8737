"""The Analysis: all facts of a capture, and the one object that wires the stages. The whole program on one page.

    frames → segments → octets in order → PDUs → typed columns → sessions → transactions → messages → rules

`feed` takes a batch of frames and gives what became known with it; `close` settles what only the end can tell. What
comes out depends on the frames alone: not on the batches, not on whether anyone kept rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cmppscope.analysis.audit import Audit
from cmppscope.analysis.login import LoginChecks
from cmppscope.analysis.statistics import Statistics
from cmppscope.columns import PduColumns
from cmppscope.decode import Decoder
from cmppscope.framing import CMPP, Framer
from cmppscope.messages import Messages
from cmppscope.reassembly import Handshake, Reassembler, Streams
from cmppscope.references import Places, References
from cmppscope.rules import RULES, STANDARD, Facts, Finding, Findings, Limits, Results, SequenceTracker, Severity
from cmppscope.rules.login import Login
from cmppscope.rules.model import End
from cmppscope.rules.trackers import Trackers
from cmppscope.secret import Secret
from cmppscope.sessions import Session, Sessions
from cmppscope.tables import I64, Bool, ChunkBatch, FrameBatch, Oddity, PduBatch
from cmppscope.transactions import Pairing, Stray, Timers, Transactions

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Analysis", "Options"]

_Framed = tuple[PduBatch, list[Oddity], list[Oddity], Places | None]
_FORCED = {"cmpp20": "2.0", "cmpp30": "3.0"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may set."""

    decode_as: Mapping[int, str] = field(default_factory=dict)
    """TCP port to `cmpp20`, `cmpp30` or `none`."""
    timers: Timers = field(default_factory=Timers)
    limits: Limits = field(default_factory=Limits)
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    """Severity by rule id, over the rules' own; None turns a rule off."""
    results: Results = STANDARD
    """What the codes in responses mean."""
    hide: Callable[[str], str] = str
    """How a subscriber's number or text may be seen in the words of findings."""
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    """Shared secrets by SP_Id (Source_Addr of CONNECT)."""
    keep_findings: bool = False
    """Keep every place of every finding."""
    from_ns: int | None = None
    to_ns: int | None = None
    """Frames before or after are passed over; nanoseconds since 1970 UTC, both ends included."""
    check_checksums: bool = False
    """Take no segments with wrong checksums."""
    references: bool = False
    """Tell of every PDU where its octets lie."""


class Analysis:
    """Takes frames; holds what they tell."""

    def __init__(self, options: Options | None = None) -> None:
        """Begin with no frame."""
        options = options or Options()
        self._from_ns, self._to_ns = options.from_ns, options.to_ns
        forced = {port: _FORCED[kind] for port, kind in options.decode_as.items() if kind in _FORCED}
        self._decoder = Decoder(check_checksums=options.check_checksums)
        self._reassembler = Reassembler()
        self._framer = Framer(self._reassembler, dict(options.decode_as))
        self._references = References(self._framer) if options.references else None
        self._sessions = Sessions(self._reassembler.streams, forced)
        self._pairing = Pairing(self._reassembler.streams, options.timers)
        self._sequences = SequenceTracker(self._reassembler.streams, options.timers)
        self._trackers = Trackers(self._reassembler.streams, options.timers, options.limits)
        self._limits, self._timers = options.limits, options.timers
        self.results = options.results
        self._findings = Findings(RULES, keep=options.keep_findings, severities=options.severities, hide=options.hide)
        self._logins = LoginChecks(options.secrets, options.limits.zone_ns)
        self.audit = Audit(self._reassembler.streams, options.limits, options.timers)
        self.messages = Messages(self._reassembler.streams, options.limits.report_ns, options.limits.zone_ns)
        self.statistics = Statistics()
        self.counts = self._decoder.counts
        self.first_time_ns: int | None = None
        self.last_time_ns = 0
        self.gaps = 0
        self.missing_octets = 0
        self.frames = 0
        """Frames looked at."""
        self._last_frame = 0

    def feed(self, frames: FrameBatch) -> Facts:
        """Take the next frames; give the PDUs and facts that became known with them."""
        return self._digest(*self._frame(frames))

    def feed_all(self, batches: Iterable[FrameBatch], executor: Executor | None = None) -> Iterator[Facts]:
        """Take batches of frames to their end; give the facts of each.

        With an executor of one worker, the next batch is read and framed there while this one is digested here. That
        changes nothing: what comes out does not depend on how far ahead the frames are known (design: the law).
        """
        if executor is None:
            yield from map(self.feed, batches)
            return
        source = iter(batches)

        def ahead() -> _Framed | None:
            frames = next(source, None)
            return None if frames is None else self._frame(frames)

        coming = executor.submit(ahead)
        while (framed := coming.result()) is not None:
            coming = executor.submit(ahead)
            yield self._digest(*framed)

    def _frame(self, frames: FrameBatch) -> _Framed:
        """Take frames through every stage up to framing: PDUs, what is odd about their octets, and what before it."""
        segments = self._decoder.feed(frames)
        inside = self._inside(frames.time_ns)
        if not inside.all():
            segments = segments.take(self._inside(segments.time_ns))
        if len(frames):
            self._note_frames(frames, frames.time_ns[inside])
        chunks = self._reassembler.feed(segments)
        batch, odd = self._framer.feed(chunks)
        return batch, odd, self._trouble(), self._places(chunks, batch)

    def _places(self, chunks: ChunkBatch | None, batch: PduBatch) -> Places | None:
        """Tell where the PDUs lie that became known with some chunks."""
        return None if self._references is None else self._references.feed(chunks, batch)

    def _trouble(self) -> list[Oddity]:
        """Give what happened in front of framing, or to it, since the last call."""
        return self._decoder.odd() + self._reassembler.odd() + self._framer.trouble()

    def close(self) -> list[Facts]:
        """Settle the end of the capture: open holes, cut PDUs, unanswered requests."""
        self._decoder.close()
        end = self._last_frame + 1
        chunks = self._reassembler.close()
        batch, odd = self._framer.feed(chunks)
        facts = [self._digest(batch, odd, self._trouble(), self._places(chunks, batch))]
        batch, odd = self._framer.close(end + 1)
        lost_tails = self._reassembler.lost_tails() | {o.stream * 2 + o.direction for o in odd if o.kind == "cut"}
        facts += [
            self._digest(batch, odd, self._trouble(), self._places(None, batch)),
            self._digest(PduBatch.empty(self.statistics.pdus + 1), []),
        ]
        last = facts[-1]
        last.odd, last.echoes = self._late_octets(end), self._pairing.echoes
        last.ended, last.strays, last.reuses = self._pairing.close(self.last_time_ns, lost_tails)
        last.end = End(self.last_time_ns, self._pairing.lossy_directions(lost_tails))
        last.spots = self._trackers.close(self.sessions, last.end)
        last.logins = self._logins.close()
        last.exceeded = self.audit.close(self.sessions, last.ended, self.last_time_ns, lost_tails)
        last.messages = self.messages.close(last.ended, last.strays, self.last_time_ns, self._last_frame, lost_tails)
        self._findings.feed(last)
        self.statistics.add_transactions(last.ended)
        self.statistics.add_strays(last.strays)
        return facts

    @property
    def streams(self) -> Streams:
        """All TCP connections, by number."""
        return self._reassembler.streams

    @property
    def protocols(self) -> dict[int, str]:
        """What each stream with octets is: `CMPP`, or the reason why not."""
        return self._framer.protocol

    @property
    def cmpp_streams(self) -> int:
        """Streams that are CMPP."""
        return sum(name == CMPP for name in self._framer.protocol.values())

    @property
    def sessions(self) -> list[Session]:
        """All sessions, by number."""
        return self._sessions.sessions

    @property
    def logins(self) -> Mapping[int, Login]:
        """The last login of each session whose secret is known, checked."""
        return self._logins.checked

    def handshake(self, stream: int) -> Handshake | None:
        """Give the round trips that the handshake of a stream measures."""
        return self._reassembler.handshake(stream)

    @property
    def findings(self) -> list[Finding]:
        """What the rules found, gravest first."""
        return self._findings.findings()

    def pending(self) -> tuple[Transactions, list[Stray]]:
        """Give the requests that are open and the responses that answer nothing, as `close` would settle them now."""
        ended, strays, _ = self._pairing.close(self.last_time_ns, self._reassembler.lost_tails())
        return ended, strays

    @property
    def duplicate_frames(self) -> int:
        """Frames that were captured twice; the copies are left out."""
        return sum(count for count, _ in self._reassembler.duplicates.values())

    @property
    def retransmitted_octets(self) -> int:
        """Octets that came more than once."""
        return self._reassembler.retransmitted_octets

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
        self._last_frame = frames.first + len(frames) - 1
        self.frames += len(times_ns)
        if not len(times_ns):
            return
        least, greatest = int(times_ns.min()), int(times_ns.max())
        self.first_time_ns = least if self.first_time_ns is None else min(self.first_time_ns, least)
        self.last_time_ns = max(self.last_time_ns, greatest)

    def _digest(
        self, batch: PduBatch, odd: list[Oddity], trouble: Sequence[Oddity] = (), places: Places | None = None
    ) -> Facts:
        """Take PDUs through every stage behind framing; `trouble` is what happened in front of it."""
        session = self._sessions.feed(batch)
        columns = PduColumns(batch)
        paired = self._pairing.feed(batch, columns, session, odd)
        facts = Facts(
            batch=batch,
            columns=columns,
            session=session,
            sessions=self.sessions,
            odd=[*odd, *trouble, *self._pairing.odd],
            paired=paired,
            limits=self._limits,
            timers=self._timers,
            sequences=self._sequences.feed(batch, paired.resends, odd),
            foreign=self._sessions.foreign,
            threes=self._sessions.threes,
            results=self.results,
            wanted=self._sessions.wanted,
            strays=paired.strays,
            places=places,
        )
        self.statistics.add_strays(paired.strays)
        facts.spots, facts.sources = self._trackers.feed(batch, columns, session, self._sessions, paired, odd)
        facts.logins = self._logins.feed(batch, session)
        facts.exceeded, facts.throttled = self.audit.feed(batch, session, paired, odd)
        gaps = [o.octets for o in odd if o.kind == "gap"]
        self.gaps += len(gaps)
        self.missing_octets += sum(gaps)
        self.statistics.add_pdus(batch)
        self.statistics.add_transactions(paired.closed)
        facts.messages, latencies = self.messages.feed(batch, columns, session, paired, odd)
        self.statistics.end_to_end.add(latencies)
        if len(batch) or facts.odd:
            self._findings.feed(facts)
        columns.forget()
        return facts

    def _late_octets(self, frame: int) -> list[Oddity]:
        """Say where octets came too late to be put in their place, and where frames were captured twice."""
        late = [
            Oddity("late", group >> 1, group & 1, -1, frame, frame, state.late, 0, "capture")
            for group, state in sorted(self._reassembler.directions.items())
            if state.late
        ]
        return late + [
            Oddity("duplicate", stream, 0, -1, first, frame, count, 0, "capture")
            for stream, (count, first) in sorted(self._reassembler.duplicates.items())
        ]
