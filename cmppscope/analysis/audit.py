"""The audit of every link: its window and bursts, its silence and tests, what was sent twice, how fast it answers.

This module puts the measurers together. Each has its own bounded state, vectorised over a batch.
"""

from __future__ import annotations

import numpy as np

from cmppscope.analysis.idle import Idle, KeepAlive
from cmppscope.analysis.latency import Latencies
from cmppscope.analysis.repeats import Repeats
from cmppscope.analysis.waiting import AUDITED_SESSIONS
from cmppscope.analysis.window import Window
from cmppscope.reassembly import Streams
from cmppscope.rules import Limits
from cmppscope.rules.model import Hits
from cmppscope.sessions import Session
from cmppscope.tables import I64, Oddity, PduBatch
from cmppscope.transactions import Paired, Timers, Transactions

__all__ = ["AUDITED_SESSIONS", "Audit"]


class Audit:
    """Measures every session."""

    def __init__(self, streams: Streams, limits: Limits, timers: Timers) -> None:
        """`streams` are those of reassembly."""
        self.limits = limits
        self.window = Window(streams, limits.window, timers.patience_ns)
        self.idle = Idle(limits.c_ns)
        self.keep_alive = KeepAlive()
        self.repeats = Repeats()
        self.latencies = Latencies()

    def feed(self, batch: PduBatch, session: I64, paired: Paired, odd: list[Oddity]) -> tuple[Hits, Hits]:
        """Take a batch; give where W was exceeded, and Result 8 where it was not."""
        if len(batch):
            self._have(int(session.max()))
            self.idle.feed(batch, session)
            self.keep_alive.feed(batch, session)
            self.repeats.feed(batch, session, paired)
        self._take_closed(paired.closed)
        return self.window.feed(batch, session, paired, odd)

    def close(
        self, sessions: list[Session], ended: Transactions, last_time_ns: int, lost_tails: frozenset[int]
    ) -> Hits:
        """Settle the end of the capture; give where W is exceeded to the end."""
        self._take_closed(ended)
        return self.window.close(sessions, last_time_ns, lost_tails)

    def _have(self, session: int) -> None:
        """Have entries for all sessions up to this one: some never ask for anything, most are never tested."""
        size = min(session + 1, AUDITED_SESSIONS)
        self.idle.state.grow(size)
        self.window.state.grow(2 * size)
        self.keep_alive.state.grow(2 * size)

    def _take_closed(self, table: Transactions) -> None:
        """Take transactions that are over."""
        if np.any(table.pdu):
            self.latencies.add(table)
            self.keep_alive.take_closed(table)
