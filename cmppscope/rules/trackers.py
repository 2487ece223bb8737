"""The trackers behind the rules that need the state of a session or of time, as one.

Each carries little from batch to batch and says where a rule does not hold as soon as the frames have shown it; what
only the end of a capture can show is said there.
"""

from __future__ import annotations

from cmppscope.columns import PduColumns
from cmppscope.reassembly import Streams
from cmppscope.rules.business import Business
from cmppscope.rules.connections import AT_THE_END, Connections
from cmppscope.rules.fetches import Fetches
from cmppscope.rules.link_tests import LinkTests
from cmppscope.rules.model import End, Limits, Spots
from cmppscope.rules.open_ends import close_without_terminate
from cmppscope.rules.silences import Silences, gaps_of
from cmppscope.rules.states import Sources
from cmppscope.sessions import Session
from cmppscope.tables import I64, Oddity, PduBatch
from cmppscope.transactions import Paired, Timers


class Trackers:
    """Follows states of connections, link tests, short connections and fetched tables."""

    def __init__(self, streams: Streams, timers: Timers, limits: Limits) -> None:
        """`streams` is the list that reassembly keeps."""
        self.connections = Connections(streams)
        self.silences = Silences(streams, self.connections, timers, limits)
        self.link_tests = LinkTests(streams, self.connections, timers, limits)
        self.business = Business(streams, timers)
        self.fetches = Fetches(streams, timers)

    def feed(
        self,
        batch: PduBatch,
        columns: PduColumns,
        session: I64,
        new: I64,
        paired: Paired,
        odd: list[Oddity],
    ) -> tuple[Spots, Sources]:
        """Take a batch; give where rules do not hold, and who logged in.

        `new` are the rows with the first PDU of a session, direction and command, `odd` the Gaps of the batch.
        """
        spots: Spots = {}
        lost = [oddity for oddity in odd if oddity.kind not in AT_THE_END]
        gaps = gaps_of(batch, lost)
        sources = self.connections.feed(batch, lost, spots)
        self.silences.feed(batch, gaps, spots)
        self.link_tests.feed(batch, gaps, spots)
        self.business.feed(batch, session, new, paired.resends, spots)
        self.fetches.feed(batch, columns, gaps, spots)
        return spots, sources

    def close(self, sessions: list[Session], end: End) -> Spots:
        """Give what only the end of the capture shows."""
        spots: Spots = {}
        self.connections.close(end.lost, spots)
        self.silences.close(end, spots)
        self.link_tests.close(end, spots)
        self.business.close(sessions, end, spots)
        self.fetches.close(end, spots)
        close_without_terminate(self.connections, sessions, self.link_tests.dead, end, spots)
        return spots
