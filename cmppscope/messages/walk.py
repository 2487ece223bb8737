"""One Msg_Id after the other: its messages and reports in the order in which they became known.

A report waits until there is a message of its Msg_Id that may be its SP's. Then it belongs to

1. the oldest receiver of its number without a report;
2. else the last one of its number, which has one already: it comes AGAIN;
3. else, the number being wrong, the oldest lone receiver without a report, or the last one with one;
4. else, where only messages to several receivers have the Msg_Id, none: NO_RECEIVER.

A report that is not final (ACCEPTD) is INTERMEDIATE and leaves the receiver waiting.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.messages.groups import ACCEPTD, Groups
from cmppscope.messages.parties import NOBODY
from cmppscope.tables import I64

WAITS, JOINED, AGAIN, INTERMEDIATE, NO_RECEIVER = range(5)

Outcome = tuple[I64, I64, I64, I64]
"""Row, kind, the DELIVER with the report before and its Stat, one entry a report in each."""


@dataclass(slots=True)
class _Queue:
    """Receivers that are alike."""

    open: deque[int] = field(default_factory=deque)
    """Rows without a report, oldest first; some may have got one as a member of another queue."""
    last: int = -1
    """The last row, in the order in which they became known, of those that have one."""


class _Line:
    """The receivers of one Msg_Id that are known so far."""

    def __init__(self, groups: Groups, outcome: Outcome) -> None:
        self._rows, self._reports = groups.rows, groups.reports
        self._outcome = outcome
        self._by_number: dict[tuple[int, int], _Queue] = defaultdict(_Queue)
        self._lone: dict[int, _Queue] = defaultdict(_Queue)
        self._any: dict[int, int] = {}
        self._rank: dict[int, int] = {}
        self._waiting: list[int] = []

    def message(self, row: int) -> None:
        """A receiver becomes known."""
        rows = self._rows
        party = int(rows["party"][row])
        queues = [self._by_number[party, int(rows["number"][row])]]
        if not rows["many"][row]:
            queues.append(self._lone[party])
        self._any.setdefault(party, row)
        self._rank[row] = len(self._rank)
        for queue in queues:
            if rows["stat"][row]:
                self._close(queue, row)
            else:
                queue.open.append(row)

    def release(self) -> None:
        """All receivers of a message are known: reports that waited may be theirs."""
        waiting, self._waiting = self._waiting, []
        for report in waiting:
            self.report(report)

    def report(self, report: int) -> None:
        """A report comes."""
        party, number = int(self._reports["party"][report]), int(self._reports["number"][report])
        parties = [p for p in self._any if NOBODY in (p, party) or p == party]
        if not parties:
            self._waiting.append(report)
            return
        same = [queue for p in parties if (queue := self._by_number.get((p, number))) is not None]
        for queues in (same, [self._lone[p] for p in parties]):
            for queue in queues:
                if (row := self._open(queue)) >= 0:
                    self._join(report, row, queue)
                    return
            for queue in queues:
                if queue.last >= 0:
                    self._tell(report, queue.last, AGAIN)
                    return
        self._tell(report, self._any[parties[0]], NO_RECEIVER)

    def _open(self, queue: _Queue) -> int:
        """Give the oldest row without a report, -1 where there is none."""
        while queue.open and self._rows["stat"][queue.open[0]]:
            self._close(queue, queue.open.popleft())
        return queue.open[0] if queue.open else -1

    def _join(self, report: int, row: int, queue: _Queue) -> None:
        """Give a report to a row."""
        if self._reports["stat"][report] == ACCEPTD:
            self._tell(report, row, INTERMEDIATE)
            return
        self._tell(report, row, JOINED)
        self._close(queue, queue.open.popleft())

    def _close(self, queue: _Queue, row: int) -> None:
        """Note that a row has a report."""
        if queue.last < 0 or self._rank[row] > self._rank[queue.last]:
            queue.last = row

    def _tell(self, report: int, row: int, kind: int) -> None:
        """Say what a report is."""
        target, kinds, before, stat = self._outcome
        rows, reports = self._rows, self._reports
        if kind == AGAIN and reports["stat"][report] == ACCEPTD:
            kind = INTERMEDIATE
        target[report], kinds[report] = row, kind
        before[report], stat[report] = rows["report"][row], rows["stat"][row]
        if kind in (JOINED, AGAIN):
            rows["report"][row] = reports["pdu"][report]
        if kind == JOINED:
            rows["stat"][row] = reports["stat"][report]


def walk(groups: Groups, outcome: Outcome) -> None:
    """Judge the reports of the Msg_Ids that are left."""
    rows, reports = (np.flatnonzero(groups.left[of]) for of in (groups.of_row, groups.of_report))
    group = np.concatenate([groups.of_row[rows], groups.of_report[reports]])
    when = np.concatenate([groups.rows["known"][rows], groups.reports["pdu"][reports]])
    which = np.concatenate([rows, reports])
    order = stable_order(when)
    order = order[stable_order(group[order])]
    events = list(
        zip(
            group[order].tolist(),
            when[order].tolist(),
            which[order].tolist(),
            (order < len(rows)).tolist(),
            strict=True,
        )
    )
    line, last = _Line(groups, outcome), -1
    for at, (number, known, place, is_row) in enumerate(events):
        if number != last:
            line, last = _Line(groups, outcome), number
        if not is_row:
            line.report(place)
            continue
        line.message(place)
        if events[at + 1 : at + 2] != [] and events[at + 1][:2] == (number, known):
            continue
        line.release()
