"""Transactions as rows of a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.quantities import milliseconds
from cmppscope.report.names import command_name, iso_time
from cmppscope.report.safe import printable
from cmppscope.rules import STANDARD, Results
from cmppscope.tables import I64
from cmppscope.transactions import STATES, Transactions
from cmppscope.transactions.table import ANSWERED, LATE, NO_RESULT, OPEN, UNANSWERED
from cmppscope.tui.rows import Column, Finder, Line
from cmppscope.tui.store import Store

LATENCY = 1
"""The column that the list is first put in order by."""

_COLUMNS = (
    Column("State", 10, toned=True),
    Column("Latency", 9, right=True, toned=True),
    Column("Command", 12),
    Column("Seq", 10, right=True, from_width=100),
    Column("Frames", 17, right=True),
    Column("Sent", 4, right=True, from_width=100),
    Column("Stream", 6, right=True, from_width=100),
    Column("Time", 15, right=True, from_width=130),
    Column("Result", 20),
)
_TONES = {ANSWERED: "", LATE: "warn", UNANSWERED: "error", OPEN: "note"}


class TransactionRows:
    """Every request with what became of it."""

    target = "transaction"

    def __init__(self, store: Store, zone: dt.tzinfo, results: Results = STANDARD) -> None:
        """Draw from a store."""
        self.store = store
        self.zone = zone
        self.results = results

    @property
    def columns(self) -> Sequence[Column]:
        """The columns."""
        return _COLUMNS

    def __len__(self) -> int:
        """Count the transactions."""
        return len(self.store.transactions)

    @property
    def settled(self) -> int:
        """Count those that have their response."""
        return self.store.transactions.settled

    def page(self, rows: I64) -> list[Line]:
        """Give some transactions."""
        table = self.store.transactions.table
        return [self._line(table, row) for row in rows.tolist()]

    def _line(self, table: Transactions, row: int) -> Line:
        """Give one transaction."""
        command, code, state = int(table.command[row]), int(table.result[row]), int(table.state[row])
        answered = bool(table.response_pdu[row])
        frames = f"{table.frame[row]}" + (f" → {table.response_frame[row]}" if answered else "")
        latency = int(table.response_time_ns[row] - table.time_ns[row])
        cells = (
            STATES[state],
            milliseconds(latency / 1e6) if answered else "",
            command_name(command).removeprefix("CMPP_"),
            str(table.sequence[row]),
            frames,
            str(table.sendings[row]),
            str(table.stream[row]),
            iso_time(int(table.time_ns[row]), self.zone)[11:26],
            "" if code == NO_RESULT else printable(f"{code} {self.results.of(command, code)}".rstrip()),
        )
        return Line(cells, _TONES.get(state, "quiet") or ("refused" if code > 0 and command != 7 else ""))

    def key(self, column: int, count: int) -> NDArray[Any]:
        """Give what a column is put in order by; without a response there is no latency, which is less than any."""
        table = self.store.transactions.table
        title = _COLUMNS[column].title
        if title == "Latency":
            latency: I64 = np.where(table.response_pdu > 0, table.latency_ns, np.iinfo(np.int64).min)
            return latency[:count]
        names = {"State": "state", "Command": "command", "Seq": "sequence", "Frames": "frame", "Sent": "sendings"}
        names |= {"Stream": "stream", "Time": "time_ns", "Result": "result"}
        values: I64 = getattr(table, names[title])
        return values[:count]

    def attribute(self, name: str, rows: I64) -> I64:
        """Give a column for some rows; `silent` is 1 where there is no response."""
        table = self.store.transactions.table
        if name == "silent":
            silent: I64 = (table.response_pdu[rows] == 0).astype(np.int64)
            return silent
        if name == "marked":
            return np.isin(table.pdu[rows], self.store.snapshot.marked).astype(np.int64)
        values: I64 = getattr(table, name)[rows]
        return values

    def finder(self, needle: str) -> Finder:
        """Find transactions by a filter or by words."""
        from cmppscope.tui.search import finder  # noqa: PLC0415 - filters are loaded when the first one is typed

        return finder(self, needle, "transaction", self.store)
