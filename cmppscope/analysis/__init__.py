"""The Analysis: all facts of a capture, and the one object that wires the stages. The whole program on one page.

    frames → segments → octets in order → PDUs → typed columns → sessions → transactions → messages → rules

What was said, up to the transactions, is the work of the front (`front`), which may run ahead in a process of its own;
what it means, of what stands here. `feed` takes a batch of frames and gives what became known with it; `close` settles
what only the end can tell. What comes out depends on the frames alone: not on the batches, not on whether anyone kept
rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cmppscope.analysis.audit import Audit
from cmppscope.analysis.front import Ahead, Elsewhere, Exchanged, Front
from cmppscope.analysis.login import LoginChecks
from cmppscope.analysis.options import Depth, Options
from cmppscope.analysis.statistics import Statistics
from cmppscope.columns import PduColumns
from cmppscope.decode import Counts
from cmppscope.framing import CMPP
from cmppscope.messages import Messages
from cmppscope.reassembly import Handshake, Streams
from cmppscope.rules import RULES, Facts, Finding, Findings
from cmppscope.rules.login import Login
from cmppscope.rules.model import End
from cmppscope.rules.trackers import Trackers
from cmppscope.sessions import Session
from cmppscope.tables import FrameBatch
from cmppscope.transactions import Stray, Transactions

__all__ = ["Analysis", "Depth", "Options"]


class Analysis:
    """Takes frames; holds what they tell."""

    def __init__(self, options: Options | None = None) -> None:
        """Begin with no frame."""
        options = options or Options()
        self._front = Front(options)
        self.streams: Streams = self._front.streams
        """All TCP connections, by number."""
        self.sessions: list[Session] = self._front.sessions
        """All sessions, by number."""
        self._trackers = Trackers(self.streams, options.timers, options.limits)
        self._limits, self._timers, self._depth = options.limits, options.timers, options.depth
        self.results = options.results
        self._findings = Findings(RULES, keep=options.keep_findings, severities=options.severities, hide=options.hide)
        self._logins = LoginChecks(options.secrets, options.limits.zone_ns)
        self.audit = Audit(self.streams, options.limits, options.timers)
        self.messages = Messages(self.streams, options.limits.report_ns, options.limits.zone_ns)
        self.statistics = Statistics()
        self.gaps = 0
        self.missing_octets = 0

    def feed(self, frames: FrameBatch) -> Facts:
        """Take the next frames; give the PDUs and facts that became known with them."""
        return self._digest(self._front.feed(frames))

    def feed_all(self, batches: Iterable[FrameBatch], elsewhere: Elsewhere[Ahead] | None = None) -> Iterator[Facts]:
        """Take batches of frames to their end; give the facts of each.

        With `elsewhere` the frames are read and framed there while PDUs are digested here. That changes nothing: what
        comes out does not depend on how far ahead the frames are known (design: the law).
        """
        if elsewhere is None:
            yield from map(self.feed, batches)
            return
        for ahead in elsewhere(self._front.run(batches)):
            if isinstance(ahead, Front):
                self._front = ahead
                ahead.share(self.sessions)
                return
            exchanged, news = ahead
            self._front.hear(news)
            yield self._digest(exchanged)

    def close(self) -> list[Facts]:
        """Settle the end of the capture: open holes, cut PDUs, unanswered requests."""
        facts = [self._digest(exchanged) for exchanged in self._front.close()]
        ending = self._front.ending()
        lost_tails = ending.lost_tails
        last = facts[-1]
        last.odd, last.echoes = self._front.late_octets(), ending.echoes
        last.ended, last.strays, last.reuses = ending.ended, ending.strays, ending.reuses
        last.end = End(self.last_time_ns, ending.lossy)
        if self._depth >= Depth.MESSAGES:
            end = self.last_time_ns, self._front.last_frame
            last.messages = self.messages.close(last.ended, last.strays, *end, lost_tails)
        if self._depth == Depth.ALL:
            last.spots = self._trackers.close(self.sessions, last.end)
            last.logins = self._logins.close()
            last.exceeded = self.audit.close(self.sessions, last.ended, self.last_time_ns, lost_tails)
            self._findings.feed(last)
        self.statistics.add_transactions(last.ended)
        self.statistics.add_strays(last.strays)
        return facts

    @property
    def counts(self) -> Counts:
        """What became of the frames."""
        return self._front.counts

    @property
    def frames(self) -> int:
        """Frames looked at."""
        return self._front.frames

    @property
    def first_time_ns(self) -> int | None:
        """The least time of those, None where there are none."""
        return self._front.first_time_ns

    @property
    def last_time_ns(self) -> int:
        """The greatest, 0 where there are none."""
        return self._front.last_time_ns

    @property
    def protocols(self) -> dict[int, str]:
        """What each stream with octets is: `CMPP`, or the reason why not."""
        return self._front.protocols

    @property
    def cmpp_streams(self) -> int:
        """Streams that are CMPP."""
        return sum(name == CMPP for name in self.protocols.values())

    @property
    def logins(self) -> Mapping[int, Login]:
        """The last login of each session whose secret is known, checked."""
        return self._logins.checked

    def handshake(self, stream: int) -> Handshake | None:
        """Give the round trips that the handshake of a stream measures."""
        return self._front.handshake(stream)

    @property
    def findings(self) -> list[Finding]:
        """What the rules found, gravest first."""
        return self._findings.findings()

    def pending(self) -> tuple[Transactions, list[Stray]]:
        """Give the requests that are open and the responses that answer nothing, as `close` would settle them now."""
        ending = self._front.ending()
        return ending.ended, ending.strays

    @property
    def duplicate_frames(self) -> int:
        """Frames that were captured twice; the copies are left out."""
        return sum(count for count, _ in self._front.duplicates.values())

    @property
    def retransmitted_octets(self) -> int:
        """Octets that came more than once."""
        return self._front.retransmitted_octets

    def _digest(self, exchanged: Exchanged) -> Facts:
        """Take PDUs, sessions and transactions through every stage behind them."""
        batch, columns, session = exchanged.batch, PduColumns(exchanged.batch), exchanged.session
        odd, paired = exchanged.odd, exchanged.paired
        facts = Facts(
            batch=batch,
            columns=columns,
            session=session,
            sessions=self.sessions,
            odd=[*odd, *exchanged.trouble],
            paired=paired,
            limits=self._limits,
            timers=self._timers,
            sequences=exchanged.sequences,
            foreign=exchanged.foreign,
            threes=exchanged.threes,
            results=self.results,
            wanted=exchanged.wanted,
            strays=paired.strays,
            places=exchanged.places,
        )
        gaps = [o.octets for o in odd if o.kind == "gap"]
        self.gaps += len(gaps)
        self.missing_octets += sum(gaps)
        self.statistics.add_pdus(batch)
        self.statistics.add_strays(paired.strays)
        self.statistics.add_transactions(paired.closed)
        if self._depth >= Depth.MESSAGES:
            facts.messages, latencies = self.messages.feed(batch, columns, session, paired, odd)
            self.statistics.end_to_end.add(latencies)
        if self._depth == Depth.ALL:
            self._judge(facts, exchanged)
        columns.forget()
        return facts

    def _judge(self, facts: Facts, exchanged: Exchanged) -> None:
        """Look at how links were used, and hold everything against the rules."""
        batch, session, paired, odd = facts.batch, facts.session, facts.paired, exchanged.odd
        facts.spots, facts.sources = self._trackers.feed(batch, facts.columns, session, exchanged.new, paired, odd)
        facts.logins = self._logins.feed(batch, session)
        facts.exceeded, facts.throttled = self.audit.feed(batch, session, paired, odd)
        if len(batch) or facts.odd:
            self._findings.feed(facts)
