"""Messages as rows of a list: a SUBMIT, an MO or a FWD each, with what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.columns import PduColumns
from cmppscope.quantities import milliseconds
from cmppscope.redact import Redaction
from cmppscope.report.messages import stat_text, state_of
from cmppscope.report.names import command_name, iso_time
from cmppscope.report.pdus import pdu_rows
from cmppscope.report.safe import printable
from cmppscope.tables import I64, Row
from cmppscope.transactions import Transactions
from cmppscope.tui.lives import Lives
from cmppscope.tui.rows import Column, Finder, Line
from cmppscope.tui.store import Store
from dissectors.cmpp.enums import DELIVER, SUBMIT

_COLUMNS = (
    Column("State", 10, toned=True),
    Column("Reported", 9, right=True, toned=True),
    Column("Kind", 4),
    Column("From", 15),
    Column("To", 15),
    Column("Part", 5, right=True, from_width=100),
    Column("Frame", 8, right=True, from_width=100),
    Column("Time", 15, right=True, from_width=130),
    Column("Text", 20, sortable=False),
)
_SHOWN = 200
"""Characters of a text that a row shows at most."""
_KINDS = {SUBMIT: "MT", DELIVER: "MO"}
_TONES = {"DELIVRD": "good", "delivered": "good", "accepted": "", "submitted": "note", "refused": "refused"}
_TONES |= {"unreported": "note", "unknown": "quiet", "unanswered": "error"}


class MessageRows:
    """Every request that carries a message."""

    target = "message"

    def __init__(self, store: Store, lives: Lives, redaction: Redaction, zone: dt.tzinfo) -> None:
        """Draw from a store and the lives of messages."""
        self.store = store
        self.lives = lives
        self.redaction = redaction
        self.zone = zone
        self._of: tuple[Transactions, I64] | None = None

    @property
    def columns(self) -> Sequence[Column]:
        """The columns."""
        return _COLUMNS

    def __len__(self) -> int:
        """Count the messages."""
        return len(self.rows)

    @property
    def settled(self) -> int:
        """Count the messages that change no more: a report may always come."""
        return 0

    @property
    def rows(self) -> I64:
        """The rows of the transactions that are messages."""
        table = self.store.transactions.table
        if self._of is None or self._of[0] is not table:
            self._of = table, self.lives.rows(table)
        return self._of[1]

    def fields(self, pdus: Sequence[int], redaction: Redaction) -> list[Row | None]:
        """Give the fields of some requests."""
        batch = self.store.pdus.batch(np.array(pdus, np.int64) - 1)
        return [row["fields"] for row in pdu_rows(batch, PduColumns(batch), redaction)]

    def state(self, row: int) -> str:
        """Say what became of the request in a row of the transactions."""
        table = self.store.transactions.table
        state, result, asked = (int(column[row]) for column in (table.state, table.result, table.asked))
        stats = [stat_text(stat) for _, _, stat in self.lives.reports_of(int(table.pdu[row]))]
        return state_of(int(table.command[row]) == SUBMIT, state, result, asked, stats)

    def page(self, rows: I64) -> list[Line]:
        """Give some messages."""
        table, at = self.store.transactions.table, self.rows[rows]
        _, reported = self.lives.stats(table.pdu[at])
        fields = self.fields(table.pdu[at].tolist(), self.redaction)
        return [
            self._line(table, row, time_ns, each or {})
            for row, time_ns, each in zip(at.tolist(), reported.tolist(), fields, strict=True)
        ]

    def _line(self, table: Transactions, row: int, reported: int, fields: Row) -> Line:
        """Give one message."""
        state = self.state(row)
        command = int(table.command[row])
        to = fields.get("dest_terminal_id", fields.get("dest_id"))
        total = fields.get("pk_total") or 1
        cells = (
            state,
            milliseconds((reported - int(table.time_ns[row])) / 1e6) if reported else "",
            _KINDS.get(command, command_name(command).removeprefix("CMPP_")),
            _said(fields.get("src_terminal_id", fields.get("src_id"))),
            _all_said(to),
            f"{fields['pk_number']}/{total}" if total > 1 else "",
            str(table.frame[row]),
            iso_time(int(table.time_ns[row]), self.zone)[11:26],
            _content(fields),
        )
        return Line(tuple(map(printable, cells)), _TONES.get(state, "warn"))

    def key(self, column: int, count: int) -> NDArray[Any]:
        """Give what a column is put in order by; for numbers and text, the order in which they came."""
        table, at = self.store.transactions.table, self.rows[:count]
        title = _COLUMNS[column].title
        stat, reported = self.lives.stats(table.pdu[at])
        if title == "Reported":
            return np.where(reported > 0, reported - table.time_ns[at], np.iinfo(np.int64).min)
        if title == "State":
            return np.where(stat != 0, stat & 0xFFFFFFFF, table.state[at] * 256 + table.result[at])
        names = {"Kind": "command", "Frame": "frame", "Time": "time_ns"}
        values: I64 = getattr(table, names.get(title, "pdu"))
        return values[at]

    def attribute(self, name: str, rows: I64) -> I64:
        """Give a column of the transactions for some messages; `marked` is 1 where there is a finding."""
        table, at = self.store.transactions.table, self.rows[rows]
        if name == "marked":
            return np.isin(table.pdu[at], self.store.snapshot.marked).astype(np.int64)
        values: I64 = getattr(table, name)[at]
        return values

    def finder(self, needle: str) -> Finder:
        """Find messages by a filter or by what they show."""
        from cmppscope.tui.search import message_finder  # noqa: PLC0415 - filters are loaded when the first one is typed

        return message_finder(self, needle, self.store.transactions.table.pdu[self.rows], self.store)


def _content(fields: Row) -> str:
    """Write the start of a text, else how many octets there are."""
    if (report := fields.get("report")) is not None:
        return f"report {_said(report['stat'])}"
    text, octets = fields.get("text"), fields.get("msg_length")
    if text is not None:
        return str(text[:_SHOWN])
    return "" if octets is None else f"({octets} octets)"


def _said(value: Any) -> str:
    """Write a number."""
    return value if isinstance(value, str) else ("" if value is None else "(no text)")


def _all_said(value: Any) -> str:
    """Write a number, or the first of several and how many more there are."""
    if isinstance(value, list):
        more = f" +{len(value) - 1}" if len(value) > 1 else ""
        return (_said(value[0]) + more) if value else ""
    return _said(value)
