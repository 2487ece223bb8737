"""Joins messages with their status reports.

Theory of operation. A receiver of a SUBMIT that was given a Msg_Id is a row of the ledger; a report is joined with the
oldest row of its Msg_Id and number that has none (CMPP 2.0 §7.4.5.1). Where a Msg_Id has one receiver the Msg_Id
alone decides, and another number is a fault of the report. A report may come before the SUBMIT_RESP; then it waits.

What happens to a Msg_Id depends on its messages and reports in the order in which they became known. Nearly all have
one row and reports for it alone, or a report for each of several receivers: these are joined as columns. Every other
Msg_Id is walked in Python (`walk`).

Rows lie in parts, each sorted by Msg_Id and at least twice as long as the next, so that a row is sorted few times.
Whenever a PDU of a new epoch comes, and there are half as many more than there should be, the oldest are let go: rows
that wait for a report beyond WAITING, others beyond SETTLED; and reports beyond WAITING_REPORTS. Epochs are counted in
PDUs, so that what is let go does not depend on the batches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmppscope.arrays import ranges, stable_order
from cmppscope.messages.groups import Groups
from cmppscope.messages.table import Rows, Table, joined
from cmppscope.messages.walk import AGAIN, INTERMEDIATE, JOINED, NO_RECEIVER, WAITS, walk
from cmppscope.tables import I64, Bool

__all__ = ["AGAIN", "INTERMEDIATE", "JOINED", "NO_RECEIVER", "Ledger", "stats_of"]

WAITING = 1_000_000
"""Receivers that wait for a report."""
SETTLED = 65_536
"""Receivers kept that have a report, or want none."""
WAITING_REPORTS = 65_536
"""Reports kept in case their SUBMIT_RESP comes later."""
EPOCH = 1 << 18
"""PDUs after which the oldest are let go."""

ROWS = {
    "id": np.int64,
    "number": np.uint64,
    "time": np.int64,
    "answered": np.int64,
    "known": np.int64,
    "pdu": np.int64,
    "frame": np.int64,
    "stat": np.int64,
    "report": np.int64,
    "packed": np.int64,
    "stream": np.int64,
    "party": np.int32,
    "asked": np.uint8,
    "refused": np.uint8,
    "many": np.uint8,
}
"""Msg_Id; print of the number; times of SUBMIT and SUBMIT_RESP; the PDU with which it was known; the SUBMIT; Stat of
its report and the last DELIVER with one, 0 as long as there is none; what `notes` packed; stream * 2 + direction; SP;
Registered_Delivery; 1 where Result was not 0; 1 for one of several receivers."""

REPORTS = {
    "id": np.int64,
    "number": np.uint64,
    "time": np.int64,
    "stat": np.int64,
    "pdu": np.int64,
    "frame": np.int64,
    "stream": np.int64,
    "direction": np.int64,
    "offset": np.int64,
    "party": np.int32,
}

DELIVRD = int.from_bytes(b"DELIVRD\x01", "little")


def stats_of(octets: NDArray[np.uint8]) -> I64:
    """Give Stats, [rows, 7] octets, as numbers that are never 0."""
    wide = np.ones((len(octets), 8), np.uint8)
    wide[:, :7] = octets
    stats: I64 = wide.view("<i8").reshape(-1)
    return stats


def stat_octets(stat: int) -> bytes:
    """Give the seven octets of a Stat."""
    return stat.to_bytes(8, "little", signed=True)[:7]


class Judged:
    """Reports with what they were found to be: one entry a report that belongs to a receiver, in every array."""

    def __init__(self, reports: Table, rows: Rows, kind: I64, before: I64, stat: I64) -> None:
        """Take reports, the row that each belongs to, and what they are (JOINED …)."""
        self.reports, self.rows, self.kind = reports, rows, kind
        self.before = before
        """The DELIVER with the report before, 0 where there is none."""
        self.stat = stat
        """The Stat that it had."""

    def __len__(self) -> int:
        """Count the reports."""
        return len(self.kind)


class _Part:
    """Some rows in the order in which they became known, and their Msg_Ids in ascending order."""

    def __init__(self, rows: Table) -> None:
        """Sort the Msg_Ids; the rows stay where they are."""
        self.rows = rows
        self.order = stable_order(rows["id"])
        self.ids = rows["id"][self.order]
        self._alone = len(rows) > 0 and not (self.ids[1:] == self.ids[:-1]).any()

    def find(self, ids: I64) -> tuple[I64, I64]:
        """Give the rows with some Msg_Ids, given ascending, and how many rows there are of each."""
        low = np.searchsorted(self.ids, ids)
        if self._alone:
            high = low + (self.ids[np.minimum(low, len(self.ids) - 1)] == ids)
        else:
            high = np.searchsorted(self.ids, ids, "right")
        return self.order[ranges(low, high)], high - low


class Ledger:
    """Receivers of messages, and the reports that wait for theirs."""

    def __init__(self) -> None:
        """Begin empty."""
        self._parts: list[_Part] = []
        self.waiting = Table.empty(REPORTS)
        """Reports of a Msg_Id that nobody was given yet."""
        self._epoch = 0
        self.forgotten = 0
        """Receivers let go before their report came."""
        self.settled_forgotten = 0
        """Receivers let go that had their report."""
        self.reports_forgotten = 0
        """Reports let go before their Msg_Id was given."""

    @property
    def nbytes(self) -> int:
        """Octets that are kept."""
        return sum(part.rows.nbytes + 2 * part.ids.nbytes for part in self._parts) + self.waiting.nbytes

    @property
    def unreported(self) -> Table:
        """Receivers for which a report is wanted and none has come."""
        return joined([Table.empty(ROWS), *(part.rows.take(_awaits(part.rows)) for part in self._parts)])

    @property
    def rows_to_several(self) -> Table:
        """Receivers of SUBMITs to several."""
        return joined([Table.empty(ROWS), *(part.rows.take(part.rows["many"] > 0) for part in self._parts)])

    def feed(self, messages: Table, reports: Table) -> list[Judged]:
        """Take what a batch brought, both in the order in which it became known; give the reports that were judged."""
        if not len(messages) and not len(reports):
            return []
        epochs = messages["known"] // EPOCH, reports["pdu"] // EPOCH
        last = max(int(epoch[-1]) for epoch in epochs if len(epoch))
        first = min(int(epoch[0]) for epoch in epochs if len(epoch))
        found = []
        for epoch in range(first, last + 1):
            if epoch > self._epoch:
                self._epoch = epoch
                self._let_go()
            low, high = (tuple(int(np.searchsorted(e, epoch, side)) for e in epochs) for side in ("left", "right"))
            judged = self._join(messages.take(slice(low[0], high[0])), reports.take(slice(low[1], high[1])))
            if judged is not None:
                found.append(judged)
        return found

    def _join(self, messages: Table, fresh: Table) -> Judged | None:
        """Join within one epoch."""
        self._add(messages)
        reports = self._called(messages, fresh)
        if not len(reports):
            return None
        order = np.argsort(reports["id"])
        ordered = reports["id"][order]
        begins = np.r_[True, ordered[1:] != ordered[:-1]]
        ids = ordered[begins]
        of_report = np.empty(len(order), np.int64)
        of_report[order] = np.cumsum(begins) - 1
        cases, of_row = self._candidates(ids)
        target, kind, before, stat = match(Groups(len(ids), (of_row, cases), (of_report, reports)))
        waits = kind == WAITS
        if waits.any():
            left = joined([self.waiting, reports.take(waits)])
            self.waiting = left.take(stable_order(left["pdu"]))
        cases.write("stat", "report")
        if not waits.any():
            return Judged(reports, cases.take(target), kind, before, stat)
        told = ~waits
        return Judged(reports.take(told), cases.take(target[told]), kind[told], before[told], stat[told])

    def _add(self, messages: Table) -> None:
        """Put rows to the others; each part is at least twice as long as the next."""
        if not len(messages):
            return
        tables = [messages]
        while self._parts and len(tables[0]) * 2 > len(self._parts[-1].ids):
            tables.insert(0, self._parts.pop().rows)
        self._parts.append(_Part(joined(tables)))

    def _called(self, messages: Table, fresh: Table) -> Table:
        """Take the reports that may be joined now: new ones, and those that waited for a Msg_Id given now."""
        if not len(self.waiting):
            return fresh
        called = np.isin(self.waiting["id"], np.concatenate([messages["id"], fresh["id"]]))
        reports = joined([self.waiting.take(called), fresh])
        self.waiting = self.waiting.take(~called)
        return reports

    def _candidates(self, ids: I64) -> tuple[Rows, I64]:
        """Find the rows with some Msg_Ids, given ascending, and the Msg_Id of each."""
        places, groups = [], [np.zeros(0, np.int64)]
        for part in self._parts:
            rows, counts = part.find(ids)
            if len(rows):
                places.append((part.rows, rows))
                groups.append(np.repeat(np.arange(len(ids)), counts))
        return Rows(ROWS, places), np.concatenate(groups)

    def _let_go(self) -> None:
        """Let the oldest go."""
        beyond = len(self.waiting) - WAITING_REPORTS
        if beyond > 0:
            self.reports_forgotten += beyond
            self.waiting = self.waiting.take(slice(beyond, None))
        if sum(len(part.ids) for part in self._parts) <= min(SETTLED, WAITING):
            return
        everything = joined([part.rows for part in self._parts])
        awaits = _awaits(everything)
        kept = np.ones(len(everything), np.bool_)
        for which, most in ((awaits, WAITING), (~awaits, SETTLED)):
            rows = np.flatnonzero(which)
            if len(rows) > most + most // 2:
                kept[rows[stable_order(everything["known"][rows])[: len(rows) - most]]] = False
        self.forgotten += int((awaits & ~kept).sum())
        self.settled_forgotten += int((~awaits & ~kept).sum())
        if not kept.all():
            self._parts = [_Part(everything.take(kept))]


def _awaits(rows: Table) -> Bool:
    """Tell which receivers wait for a report."""
    wanted: Bool = (rows["asked"] > 0) & (rows["refused"] == 0) & (rows["stat"] == 0)
    return wanted


def match(groups: Groups) -> tuple[I64, I64, I64, I64]:
    """Give for each report (row, kind, the DELIVER before, its Stat), and write Stat and DELIVER into the rows."""
    rows, reports = groups.rows, groups.reports
    count = len(reports)
    target, kind = np.zeros(count, np.int64), np.full(count, WAITS, np.int64)
    before, stat = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for which, found in (groups.alone(), groups.several()):
        target[which], kind[which] = found, JOINED
        rows["stat"][found], rows["report"][found] = reports["stat"][which], reports["pdu"][which]
    if groups.left.any():
        walk(groups, (target, kind, before, stat))
    return target, kind, before, stat
