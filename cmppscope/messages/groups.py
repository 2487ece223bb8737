"""The messages and reports of each Msg_Id, and those that can be joined as columns."""

from __future__ import annotations

import numpy as np

from cmppscope.messages.parties import NOBODY
from cmppscope.messages.prints import mixed
from cmppscope.messages.table import Rows, Table
from cmppscope.tables import I64, U64, Bool

ACCEPTD = int.from_bytes(b"ACCEPTD\x01", "little")
"""The one Stat that is not final (CMPP 2.0 §7.4.5.1, table 1)."""


class Groups:
    """Rows and reports by Msg_Id."""

    def __init__(self, count: int, rows: tuple[I64, Rows], reports: tuple[I64, Table]) -> None:
        """`count` Msg_Ids have reports; `rows` and `reports` are told with the Msg_Id of each, from 0."""
        self.of_row, self.rows = rows
        self.of_report, self.reports = reports
        self._n_rows = np.bincount(self.of_row, minlength=count)
        self._n_reports = np.bincount(self.of_report, minlength=count)
        self.left: Bool = self._n_rows > 0
        """The Msg_Ids that have both, and are not joined yet."""

    def alone(self) -> tuple[I64, I64]:
        """Join the Msg_Ids with one receiver and one report: (reports, rows)."""
        fits = (self._n_rows == 1) & (self._n_reports == 1)
        row_of = np.zeros(len(fits), np.int64)
        row_of[self.of_row] = np.arange(len(self.rows))
        report_of = np.zeros(len(fits), np.int64)
        report_of[self.of_report] = np.arange(len(self.reports))
        chosen = np.flatnonzero(fits)
        which, found = report_of[chosen], row_of[chosen]
        good = self._fit(which, found)
        self.left[chosen[good]] = False
        return which[good], found[good]

    def several(self) -> tuple[I64, I64]:
        """Join the Msg_Ids whose reports each have a receiver of their own: (reports, rows)."""
        many = self.left & (self._n_rows > 1)
        rows, reports = np.flatnonzero(many[self.of_row]), np.flatnonzero(many[self.of_report])
        if not len(reports):
            return reports, rows[:0]
        row_keys, report_keys = _keys(self.rows, rows), _keys(self.reports, reports)
        order = np.argsort(row_keys)
        ordered = row_keys[order]
        bad = np.zeros(len(many), np.bool_)
        bad[self.of_row[rows[order[1:][ordered[1:] == ordered[:-1]]]]] = True
        again = np.argsort(report_keys)
        bad[self.of_report[reports[again[1:][np.diff(report_keys[again]) == 0]]]] = True
        place = np.minimum(np.searchsorted(ordered, report_keys), len(ordered) - 1)
        found = rows[order[place]]
        good = (ordered[place] == report_keys) & self._fit(reports, found)
        good &= self.rows["known"][found] < self.reports["pdu"][reports]
        bad[self.of_report[reports[~good]]] = True
        self.left &= ~many | bad
        kept = ~bad[self.of_report[reports]]
        return reports[kept], found[kept]

    def _fit(self, reports: I64, rows: I64) -> Bool:
        """Tell which reports are final ones, of rows without any, of an SP that may be the same."""
        mine, theirs = self.rows["party"][rows], self.reports["party"][reports]
        same = (mine == theirs) | (mine == NOBODY) | (theirs == NOBODY)
        fits: Bool = same & (self.rows["stat"][rows] == 0) & (self.reports["stat"][reports] != ACCEPTD)
        return fits


def _keys(table: Rows | Table, rows: I64) -> U64:
    """Mix Msg_Id and number."""
    return mixed(table["id"][rows].view(np.uint64), table["number"][rows])
