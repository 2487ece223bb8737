"""The rows of the ledger: receivers of SUBMITs that were given a Msg_Id, and reports about them."""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.columns import PduColumns
from cmppscope.messages.ledger import REPORTS, ROWS, stats_of
from cmppscope.messages.notes import Notes, report_numbers
from cmppscope.messages.prints import WIDTH, number_prints
from cmppscope.messages.table import Table, joined
from cmppscope.tables import I64, U64
from cmppscope.transactions import Transactions
from dissectors.cmpp.enums import DELIVER, FWD, SUBMIT

MOST_LISTS = 100_000
"""Open SUBMITs to several receivers whose numbers are remembered; of those beyond it the first one stands for all."""


class Receivers:
    """Makes rows of SUBMITs; remembers the numbers of those to several receivers until they are answered."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lists: dict[int, U64] = {}

    def note(self, columns: PduColumns, resends: I64) -> None:
        """Note the numbers of SUBMITs to several receivers of which reports are wanted."""
        body = columns.body(SUBMIT)
        if not len(body):
            return
        count = body.integer("dest_usr_tl")
        wanted = (count > 1) & (body.integer("registered_delivery") > 0) & body.valid("dest_terminal_id")
        if not wanted.any():
            return
        wanted &= ~np.isin(columns.rows(SUBMIT), resends)
        offset, size = body.place("dest_terminal_id")
        for row in np.flatnonzero(wanted).tolist():
            start = int(body.position[row] + offset[row])
            numbers, _ = number_prints(body.octets[start : start + int(size[row])].reshape(-1, WIDTH))
            self._lists[columns.batch.first + int(columns.rows(SUBMIT)[row])] = numbers
        while len(self._lists) > MOST_LISTS:
            del self._lists[next(iter(self._lists))]

    def rows(self, closed: Transactions, order: I64, notes: Notes, about: tuple[I64, I64]) -> Table:
        """Give the receivers of closed SUBMITs, in `order`; `about` is (PDU with which it was known, SP) of each."""
        known, party = about
        which = order[closed.command[order] == SUBMIT]
        said = notes.of(closed.pdu[which], "ab")
        named = (
            said.there & (closed.response_pdu[which] > 0) & (closed.msg_id[which] != 0) & (closed.result[which] >= 0)
        )
        rows = which[named]
        table = Table.of(
            ROWS,
            id=closed.msg_id[rows],
            number=said.a[named].view(np.uint64),
            time=closed.time_ns[rows],
            answered=closed.response_time_ns[rows],
            known=known[rows],
            pdu=closed.pdu[rows],
            frame=closed.frame[rows],
            stat=0,
            report=0,
            packed=said.b[named],
            stream=closed.stream[rows] << 1 | closed.direction[rows],
            party=party[rows],
            asked=closed.asked[rows],
            refused=(closed.result[rows] > 0),
            many=((said.b[named] & 0xFF) > 1),
        )
        return self._spread(table, closed.pdu[which])

    def _spread(self, table: Table, answered: I64) -> Table:
        """Give each receiver of a SUBMIT to several a row of its own, and forget the numbers."""
        if not self._lists:
            return table
        several = np.flatnonzero(table["many"] > 0)
        own = (table["number"][at : at + 1] for at in several.tolist())
        pdus = table["pdu"][several].tolist()
        numbers = [self._lists.get(pdu, one) for pdu, one in zip(pdus, own, strict=True)]
        times = np.ones(len(table), np.int64)
        times[several] = [len(each) for each in numbers]
        first = np.cumsum(times) - times
        spread = table.take(np.repeat(np.arange(len(table)), times))
        for at, each in zip(first[several].tolist(), numbers, strict=True):
            spread["number"][at : at + len(each)] = each
        for pdu in self._lists.keys() & set(answered.tolist()):
            del self._lists[pdu]
        return spread


def reports_of(columns: PduColumns, party: I64, resends: I64) -> tuple[Table, list[I64]]:
    """Give the reports towards SPs in a batch, in order, without those sent again; and the Stats of all reports."""
    batch = columns.batch
    tables, stats = [Table.empty(REPORTS)], []
    for inside, report in columns.reports(DELIVER).values():
        rows = columns.rows(DELIVER)[inside]
        stat = stats_of(report.strings("stat").octets)
        stats.append(stat)
        table = Table.of(
            REPORTS,
            id=report.integer("msg_id").view(np.int64),
            number=report_numbers(columns, report),
            time=batch.time_ns[rows],
            stat=stat,
            pdu=batch.first + rows,
            frame=batch.frame[rows],
            stream=batch.stream[rows],
            direction=batch.direction[rows],
            offset=batch.offset[rows],
            party=party[rows],
        )
        tables.append(table.take(~np.isin(rows, resends)) if len(resends) else table)
    stats += [stats_of(report.strings("stat").octets) for _, report in columns.reports(FWD).values()]
    table = joined(tables)
    return (table if len(tables) < 3 else table.take(stable_order(table["pdu"]))), stats
