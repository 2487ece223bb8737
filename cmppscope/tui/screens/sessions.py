"""Sessions: the list, and what there is to say about the one under the cursor."""

from __future__ import annotations

import datetime as dt

from textual import on
from textual.app import ComposeResult

from cmppscope.report import model
from cmppscope.report.headlines import advice, milliseconds, session_line, version
from cmppscope.tui.messages import GoToPdu
from cmppscope.tui.rows.sessions import SessionRows
from cmppscope.tui.screens import Pane
from cmppscope.tui.widgets.table import VirtualTable
from cmppscope.tui.widgets.words import Sentence, Words


class SessionsPane(Pane):
    """Every session."""

    title = "Sessions"

    def __init__(self, rows: SessionRows, zone: dt.tzinfo) -> None:
        """Draw from rows; `zone` is that of times."""
        super().__init__(id="sessions")
        self.rows = rows
        self.store = rows.store
        self.zone = zone
        self.table = VirtualTable(rows, fixed=2, id="session-list")
        self.words = Words(id="session-words")

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield self.table
        yield self.words

    def take(self) -> None:
        """Draw what came into the store."""
        super().take()
        self._show(self.table.row)

    @on(VirtualTable.Moved, "#session-list")
    def _moved(self, message: VirtualTable.Moved) -> None:
        """Tell of the session under the cursor."""
        message.stop()
        self._show(message.row)

    def _show(self, row: int | None) -> None:
        """Tell of a session."""
        self.words.show([] if row is None else sentences(self.rows.session(row), self.zone))

    @on(VirtualTable.Opened, "#session-list")
    def _opened(self, message: VirtualTable.Opened) -> None:
        """Show the PDUs of the session's stream, the session's first under the cursor."""
        message.stop()
        if message.row is not None:
            session = self.rows.session(message.row)
            first = self._first_pdu(session)
            if first is not None:
                self.post_message(GoToPdu(first, session.stream))

    def _first_pdu(self, session: model.Session) -> int | None:
        """Find the session's first PDU."""
        pdus = self.store.pdus
        there = (pdus.column("stream") == session.stream) & (pdus.column("frame") >= session.first_frame)
        return int(there.argmax()) + 1 if there.any() else None


def sentences(session: model.Session, zone: dt.tzinfo) -> list[Sentence]:
    """Say what there is to say about a session."""
    told = [Sentence("In short", session_line(session))]
    if session.login == "refused" and session.status is not None:
        why = f"Status {session.status}, {session.status_meaning}{advice(session.status)}"
        told.append(Sentence("Refused", why, "error"))
    elif session.login == "unanswered":
        told.append(Sentence("Login", "CONNECT got no response", "warn"))
    elif session.login == "ok":
        took = "" if session.login_ms is None else f" in {milliseconds(session.login_ms)}"
        told.append(Sentence("Login", f"ok{took}", "good"))
    else:
        told.append(Sentence("Login", "not in the capture: the session began before it"))
    octet = session.version_octet
    asked = "" if octet is None else f" (the SP asked for {octet >> 4}.{octet & 0xF})"
    told += [
        Sentence("Version", f"{version(session)}{asked}"),
        Sentence("Interface", f"{session.interface}, stream {session.stream}"),
        Sentence("Originator", f"{session.originator} ({session.roles[0]})"),
        Sentence("Responder", f"{session.responder} ({session.roles[1]})"),
        Sentence("From", f"{_time(session.first_time, zone)}, frame {session.first_frame}"),
        Sentence("To", f"{_time(session.last_time, zone)}, frame {session.last_frame}"),
    ]
    told.append(Sentence("Connects", str(session.connects)))
    label = "PDUs"
    for name, count in session.commands.items():
        told.append(Sentence(label, f"{count:>9,}  {name.removeprefix('CMPP_')}"))
        label = ""
    return told


def _time(moment: str, zone: dt.tzinfo) -> str:
    """Write a moment of the report (UTC) in a zone."""
    when = dt.datetime.fromisoformat(f"{moment[:26]}+00:00").astimezone(zone)
    return when.isoformat(sep=" ", timespec="microseconds")
