"""Short messages: SUBMITs accepted, and the status reports that say what became of them.

Theory of operation. A SUBMIT_RESP with Result 0 gives a message its Msg_Id; a report names it again (CMPP 2.0
§7.4.5.1). Accepted messages and reports wait for each other, sorted by Msg_Id: the first report of a Msg_Id belongs
to the first message of it, also where the report comes first or over another connection. A blank Msg_Id joins
nothing.
"""

from __future__ import annotations

import numpy as np

from cmppscope.columns import DELIVER, FWD, PduColumns
from cmppscope.tables import I64, PduBatch
from cmppscope.transactions import Transactions

SUBMIT = 4
WAITING_REPORTS = 65_536
"""Reports kept in case their SUBMIT_RESP comes later, or that are second ones."""
STATS_KEPT = 256
"""Different states that are counted by name."""
OTHER_STAT = "(other)"


class Messages:
    """Counts messages and joins them with their reports."""

    def __init__(self) -> None:
        """Begin with no message."""
        self.submitted = 0
        self.accepted = 0
        self.refused = 0
        self.mo = 0
        """DELIVERs that are no reports."""
        self.reported: dict[bytes, int] = {}
        """Reports by Stat."""
        self._accepted = _Waiting()
        self._reports = _Waiting()

    def feed(self, batch: PduBatch, columns: PduColumns, closed: Transactions) -> I64:
        """Take a batch and the transactions it closed; give the end-to-end latencies that became known, in ns."""
        self.take_closed(closed)
        ids, times = self._read_reports(batch, columns)
        self._reports.add(ids, times, np.zeros(len(ids), np.int64))
        return self._join()

    def take_closed(self, closed: Transactions) -> None:
        """Count the SUBMITs among closed transactions, answered or not."""
        submit = closed.command == SUBMIT
        self.submitted += int(submit.sum())
        accepted = np.flatnonzero(submit & (closed.result == 0) & (closed.response_pdu > 0))
        self.accepted += len(accepted)
        self.refused += int((submit & (closed.result > 0)).sum())
        named = accepted[closed.msg_id[accepted] != 0]
        known = np.maximum(
            closed.pdu[named], closed.response_pdu[named]
        )  # a request may become known after its response
        order = named[np.argsort(known, kind="stable")]
        self._accepted.add(closed.msg_id[order], closed.time_ns[order], closed.asked[order])

    @property
    def unreported(self) -> int:
        """Messages accepted, with a report wanted, of which no report was seen."""
        return int((self._accepted.note == 1).sum())

    def _read_reports(self, batch: PduBatch, columns: PduColumns) -> tuple[I64, I64]:
        """Count the reports of a batch by Stat; give (Msg_Id, time) of those towards the SP."""
        ids: list[I64] = []
        rows: list[I64] = []
        reports = 0
        for found in columns.reports(DELIVER).values():
            inside, report = found
            reports += len(inside)
            self._count(report.strings("stat").octets)
            ids.append(report.integer("msg_id").view(np.int64))
            rows.append(columns.rows(DELIVER)[inside])
        for _, report in columns.reports(FWD).values():
            self._count(report.strings("stat").octets)
        deliver = columns.body(DELIVER)
        self.mo += int((deliver.integer("registered_delivery") == 0).sum())
        if not ids:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        row, number = np.concatenate(rows), np.concatenate(ids)
        order = np.argsort(row, kind="stable")
        order = order[number[order] != 0]
        return number[order], batch.time_ns[row[order]]

    def _count(self, stat: np.ndarray) -> None:
        """Count states."""
        values, counts = np.unique(np.ascontiguousarray(stat).view("V7").reshape(-1), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            name = value if value in self.reported or len(self.reported) < STATS_KEPT else OTHER_STAT.encode()
            self.reported[name] = self.reported.get(name, 0) + count

    def _join(self) -> I64:
        """Join accepted messages and reports of one Msg_Id, first with first."""
        mine, theirs = self._accepted, self._reports
        if not len(mine.number) or not len(theirs.number):
            theirs.trim(WAITING_REPORTS)
            return np.zeros(0, np.int64)
        number = np.concatenate([mine.number, theirs.number])
        side = np.r_[np.zeros(len(mine.number), np.int64), np.ones(len(theirs.number), np.int64)]
        order = np.lexsort((side, number))
        rank = np.zeros(len(number), np.int64)
        fresh = np.r_[True, (np.diff(number[order]) != 0) | (np.diff(side[order]) != 0)]
        starts = np.flatnonzero(fresh)
        rank[order] = np.arange(len(number)) - np.repeat(starts, np.diff(np.r_[starts, len(number)]))
        again = np.lexsort((side, rank, number))
        first, second = again[:-1], again[1:]
        pair = (number[first] == number[second]) & (rank[first] == rank[second]) & (side[first] < side[second])
        message, report = first[pair], second[pair] - len(mine.number)
        latency: I64 = theirs.time_ns[report] - mine.time_ns[message]
        mine.remove(message)
        theirs.remove(report)
        theirs.trim(WAITING_REPORTS)
        return latency


class _Waiting:
    """Msg_Ids with a time and a note, in order of arrival."""

    def __init__(self) -> None:
        """Begin empty."""
        self.number = np.zeros(0, np.int64)
        self.time_ns = np.zeros(0, np.int64)
        self.note = np.zeros(0, np.int64)

    def add(self, number: I64, time_ns: I64, note: I64) -> None:
        """Append rows."""
        self.number = np.concatenate([self.number, number])
        self.time_ns = np.concatenate([self.time_ns, time_ns])
        self.note = np.concatenate([self.note, note])

    def remove(self, rows: I64) -> None:
        """Take rows away."""
        keep = np.ones(len(self.number), np.bool_)
        keep[rows] = False
        self._keep(keep)

    def trim(self, most: int) -> None:
        """Keep the newest rows only."""
        if len(self.number) > most:
            self._keep(np.arange(len(self.number)) >= len(self.number) - most)

    def _keep(self, keep: np.ndarray) -> None:
        """Keep the rows that are marked."""
        self.number, self.time_ns, self.note = self.number[keep], self.time_ns[keep], self.note[keep]
