"""Sessions: the list, and what there is to say about the one under the cursor: its login, its link, its traffic."""

from __future__ import annotations

import datetime as dt

from textual import on

from cmppscope.quantities import milliseconds
from cmppscope.report import model
from cmppscope.report.headlines import advice, begun_before, session_line, version
from cmppscope.report.links_told import link_told, login_told
from cmppscope.tui.messages import GoToPdu
from cmppscope.tui.rows.sessions import SessionRows
from cmppscope.tui.screens.told import ToldPane
from cmppscope.tui.store import Snapshot
from cmppscope.tui.widgets.table import VirtualTable
from cmppscope.tui.widgets.words import Sentence


class SessionsPane(ToldPane):
    """Every session."""

    title = "Sessions"

    def __init__(self, rows: SessionRows, zone: dt.tzinfo) -> None:
        """Draw from rows; `zone` is that of times."""
        super().__init__(rows, "session", self.sentences)
        self.rows = rows
        self.zone = zone

    def sentences(self, row: int) -> list[Sentence]:
        """Tell of a session."""
        return sentences(self.rows.session(row), self.store.snapshot, self.zone)

    @on(VirtualTable.Opened)
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


def sentences(session: model.Session, snapshot: Snapshot, zone: dt.tzinfo) -> list[Sentence]:
    """Say what there is to say about a session."""
    link = link_told(session, snapshot.window, snapshot.c_seconds, snapshot.peers.get(session.session))
    told = [Sentence("In short", session_line(session)), *_login(session)]
    told += [Sentence(*line) for line in link]
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


def _login(session: model.Session) -> list[Sentence]:
    """Say how the login went, and how it checks against the shared secret."""
    check = [] if session.login_check is None else [Sentence(*line) for line in login_told(session.login_check)]
    if session.login == "refused" and session.status is not None:
        hint = "" if check else advice(session.status)
        return [Sentence("Refused", f"Status {session.status}, {session.status_meaning}{hint}", "error"), *check]
    if session.login == "unanswered":
        return [Sentence("Login", "CONNECT got no response", "warn"), *check]
    if session.login == "ok":
        took = "" if session.login_ms is None else f" in {milliseconds(session.login_ms)}"
        return [Sentence("Login", f"ok{took}", "good"), *check]
    before = begun_before(session)
    return [Sentence("Login", "not in the capture: the session began before it" if before else "none: no CONNECT")]


def _time(moment: str, zone: dt.tzinfo) -> str:
    """Write a moment of the report (UTC) in a zone."""
    when = dt.datetime.fromisoformat(f"{moment[:26]}+00:00").astimezone(zone)
    return when.isoformat(sep=" ", timespec="microseconds")
