"""Messages: the list, and the life of the one under the cursor: its text joined, its parts, its reports."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from textual import on

from cmppscope.quantities import milliseconds
from cmppscope.redact import Redaction
from cmppscope.report.explain import explain, explain_stat
from cmppscope.report.messages import MIXED, joined_text, stat_text
from cmppscope.report.mixed import apart, named
from cmppscope.transactions.table import NO_RESULT
from cmppscope.tui.messages import GoToPdu
from cmppscope.tui.rows.messages import MessageRows
from cmppscope.tui.screens.told import ToldPane
from cmppscope.tui.widgets.table import VirtualTable
from cmppscope.tui.widgets.words import Sentence
from dissectors.cmpp.enums import SUBMIT

REPORTS_SHOWN = 100
"""Reports of one message that are told."""
_PLAIN = Redaction(active=False)


class MessagesPane(ToldPane):
    """Every message."""

    title = "Messages"

    def __init__(self, rows: MessageRows) -> None:
        """Draw from rows."""
        super().__init__(rows, "message", self.sentences)
        self.rows = rows

    def sentences(self, row: int) -> list[Sentence]:
        """Tell of a message."""
        return sentences(self.rows, int(self.rows.rows[row]))

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        """Show the request."""
        message.stop()
        if message.row is not None:
            self.post_message(GoToPdu(int(self.store.transactions.table.pdu[self.rows.rows[message.row]])))


def sentences(rows: MessageRows, row: int) -> list[Sentence]:
    """Tell the life of the message in a row of the transactions."""
    table, lives = rows.store.transactions.table, rows.lives
    pdu, command, code = (int(column[row]) for column in (table.pdu, table.command, table.result))
    parts = lives.parts_of(pdu)
    plain = rows.fields(parts, _PLAIN)
    text = joined_text(plain)
    if text is not None and rows.redaction.active:
        text = f"({len(text)} characters, masked)"
    told = [
        Sentence("State", rows.state(row)),
        Sentence("Text", text if text is not None else "none: Msg_Fmt names no text"),
    ]
    if len(parts) > 1:
        told.append(Sentence("Parts", f"{len(parts)}: PDUs {', '.join(map(str, parts))}"))
        states = _states(rows, parts)
        if len(set(states.values())) > 1:
            told.append(Sentence("", apart((f"PDU {part}", state) for part, state in states.items())))
    if code != NO_RESULT:
        why = explain(command, code, rows.store.results)
        took = milliseconds((int(table.response_time_ns[row]) - int(table.time_ns[row])) / 1e6)
        told.append(Sentence("Response", f"after {took}: {code} {why.meaning}", "error" if code else "good"))
        if why.advice:
            told.append(Sentence("", why.advice))
    if command == SUBMIT:
        told += _reports(rows, row, pdu)
    return told


def _states(rows: MessageRows, parts: list[int]) -> dict[int, str]:
    """Say what became of each part of a message, by its PDU."""
    pdu = rows.store.transactions.table.pdu
    places = np.flatnonzero(np.isin(pdu, parts))
    return {int(pdu[row]): rows.state(row) for row in sorted(places.tolist(), key=lambda row: int(pdu[row]))}


def _reports(rows: MessageRows, row: int, pdu: int) -> list[Sentence]:
    """Tell the reports of a SUBMIT; of one to several receivers, whose each is."""
    began = int(rows.store.transactions.table.time_ns[row])
    reports = rows.lives.reports_of(pdu)
    receivers = _receivers(rows, pdu, [deliver for deliver, _, _ in reports])
    told = []
    if rows.state(row) == MIXED:
        silent = max(0, receivers.all - len(reports))
        pairs = zip(receivers.named, (stat_text(stat) for _, _, stat in reports), strict=True)
        told.append(Sentence("", apart([*pairs, *[("", "unreported")] * silent])))
    for (deliver, time_ns, stat), who in list(zip(reports, receivers.named, strict=True))[:REPORTS_SHOWN]:
        word = stat_text(stat)
        why = explain_stat(word)
        tone = "good" if word == "DELIVRD" else "warn"
        after = milliseconds((time_ns - began) / 1e6)
        told.append(
            Sentence("Report", f"after {after}, PDU {deliver}{who and f', {who}'}: {word}, {why.meaning}", tone)
        )
        if why.advice:
            told.append(Sentence("", why.advice))
    if len(reports) > REPORTS_SHOWN:
        told.append(Sentence("", f"and {len(reports) - REPORTS_SHOWN:,} more reports"))
    return told


class _Receivers(NamedTuple):
    """Whom a SUBMIT is for."""

    all: int
    named: list[str]
    """Whom each report is about; empty where there is only one receiver."""


def _receivers(rows: MessageRows, submit: int, delivers: list[int]) -> _Receivers:
    """Tell whom a SUBMIT is for, and whom its reports are about."""
    (request,) = rows.fields([submit], rows.redaction)
    count = (request or {}).get("dest_usr_tl") or 1
    if count == 1 or not delivers:
        return _Receivers(count, [""] * len(delivers))
    reports = [(fields or {}).get("report") or {} for fields in rows.fields(delivers, rows.redaction)]
    return _Receivers(count, [named(report.get("dest_terminal_id")) for report in reports])
