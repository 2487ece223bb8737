"""Short messages: what became of each SUBMIT, its status reports, its parts, and what else names it.

    PDUs and closed transactions → notes · parties → ledger (reports) · longs (parts) · ids · counts · queries
                                                                                                  → MessageFacts

Theory of operation. A SUBMIT_RESP with Result 0 gives a message its Msg_Id; a report names it again, on any connection
of the SP, perhaps in a later file (CMPP 2.0 §7.4.5.1). Everything is joined as columns, in bounded memory: receivers
that wait for a report, reports that wait for a SUBMIT_RESP, and parts that wait for others each have a cap. A blank
Msg_Id joins nothing. Blame for what was not seen is given when the capture ends, and only where `coverage` allows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.columns import PduColumns
from cmppscope.messages.counting import Counts
from cmppscope.messages.coverage import Coverage
from cmppscope.messages.ending import Ending
from cmppscope.messages.facts import MessageFacts, Named, Place
from cmppscope.messages.ids import Ids
from cmppscope.messages.ledger import JOINED, Judged, Ledger
from cmppscope.messages.longs import Longs
from cmppscope.messages.notes import Notes, party_of
from cmppscope.messages.parties import NOBODY, Parties
from cmppscope.messages.queries import Queries
from cmppscope.messages.receivers import Receivers, reports_of
from cmppscope.messages.remarks import remarks
from cmppscope.reassembly import Streams
from cmppscope.tables import I64, Oddity, PduBatch
from cmppscope.transactions import Paired, Stray, Transactions
from dissectors.cmpp.enums import DELIVER, SUBMIT

__all__ = ["MessageFacts", "Messages"]


class Messages:
    """Counts messages and joins them with all that names them."""

    def __init__(self, streams: Streams, report_ns: int, zone_ns: int) -> None:
        """`streams` is the list that reassembly keeps; a report comes within `report_ns`; `zone_ns` is ahead of UTC."""
        self.parties = Parties()
        self.counts = Counts(self.parties)
        self.ledger = Ledger()
        self.longs = Longs()
        self.queries = Queries(self.parties, self.counts.services, zone_ns)
        self._report_ns = report_ns
        self._notes = Notes(self.counts.services, self.counts.sources)
        self._receivers = Receivers()
        self._ids = Ids()
        self._coverage = Coverage(streams, self.parties)
        self._ending = Ending(self._coverage, self.parties, zone_ns)

    def feed(
        self, batch: PduBatch, columns: PduColumns, session: I64, paired: Paired, odd: Iterable[Oddity]
    ) -> tuple[MessageFacts, I64]:
        """Take a batch and the transactions it closed; give what is told, and the end-to-end latencies in ns."""
        self._coverage.note(odd)
        closed = paired.closed
        if not len(batch) and not len(closed):
            return MessageFacts(), np.zeros(0, np.int64)
        party = self.parties.feed(batch, session)
        self._notes.feed(batch, columns, party)
        self._receivers.note(columns, paired.resends)
        self.longs.note(columns, party, paired.resends)
        known = np.maximum(closed.pdu, closed.response_pdu)
        order = stable_order(known)
        said = self._notes.of(closed.pdu, "bc")
        of = np.where(closed.command == SUBMIT, party_of(said), NOBODY)
        self.counts.closed(closed, said, of)
        self.counts.mo += int((columns.body(DELIVER).integer("registered_delivery") == 0).sum())
        messages = self._receivers.rows(closed, order, self._notes, (known, of))
        reports, stats = reports_of(columns, party, paired.resends)
        blank = reports["id"] == 0
        if blank.any():
            self._ending.note_blank(reports.take(blank))
            reports = reports.take(~blank)
        for each in stats:
            self.counts.stats(each)
        self.longs.close_some(closed, order, known)
        facts = self._ids.feed(columns, party, paired, self._notes, of)
        facts.leaders, facts.repeated, facts.mixed = self.longs.leaders, self.longs.repeated, self.longs.mixed
        judged = self.ledger.feed(messages, reports)
        facts.reports = [told for each in judged for told in remarks(each, self._ids.acks, self._report_ns)]
        facts.judged = judged
        self._ending.note(columns, party, paired.resends, self._ids)
        self._ending.note_submits(closed, of)
        self.queries.feed(columns, party, session, paired, self._notes)
        self._notes.settle(paired)
        return facts, self._latencies(judged)

    def close(
        self,
        ended: Transactions,
        strays: Sequence[Stray],
        last_time_ns: int,
        last_frame: int,
        lost_tails: Iterable[int],
    ) -> MessageFacts:
        """Count the transactions that were open when the capture ended, and say what never came."""
        self._coverage.close(lost_tails)
        said = self._notes.of(ended.pdu, "bc")
        self.counts.closed(ended, said, np.where(ended.command == SUBMIT, party_of(said), NOBODY))
        self.longs.close_some(ended, stable_order(ended.pdu), ended.pdu, at_end=True)
        dropped = self.ledger.forgotten + self.ledger.reports_forgotten + self.longs.forgotten
        facts = MessageFacts(
            leaders=self.longs.leaders,
            repeated=self.longs.repeated,
            mixed=self.longs.mixed,
            dropped=[Named(Place(0, last_frame, 0, 0), dropped)] if dropped else [],
        )
        self._ending.close(facts, self.ledger, self.longs, ended, strays, (last_time_ns, last_frame, self._report_ns))
        return facts

    @property
    def unreported(self) -> int:
        """Messages accepted, with a report wanted, of which a receiver has no report that was seen."""
        left = self.ledger.unreported
        return len(np.unique(left["pdu"][left["asked"] == 1]))

    @property
    def nbytes(self) -> int:
        """Octets of the waiting sets."""
        return self.ledger.nbytes + self.longs.nbytes + self._notes.nbytes + self._ids.nbytes

    def _latencies(self, found: list[Judged]) -> I64:
        """Count the reports that were joined, and give the times from SUBMIT to them."""
        latencies = [np.zeros(0, np.int64)]
        for judged in found:
            final = judged.kind == JOINED
            self.counts.reported(judged.rows, judged.reports, final)
            latencies.append((judged.reports["time"] - judged.rows["time"])[final])
        return np.concatenate(latencies)
