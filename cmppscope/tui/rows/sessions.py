"""Sessions as rows of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.report import model
from cmppscope.report.headlines import closing
from cmppscope.report.safe import printable
from cmppscope.tables import I64
from cmppscope.tui.rows import Column, Finder, Line, codes
from cmppscope.tui.store import Store

_TONES = {"ok": "good", "refused": "error", "unanswered": "warn"}


class SessionRows:
    """Every session in a line."""

    target = "session"

    def __init__(self, store: Store) -> None:
        """Draw from a store."""
        self.store = store

    @property
    def columns(self) -> Sequence[Column]:
        """The columns."""
        return (
            Column("No.", 3, right=True),
            Column("SP", 8),
            Column("Vers", 4),
            Column("Login", 33, toned=True),
            Column("PDUs", 7, right=True),
            Column("Interface", 9, from_width=100),
            Column("Stream", 6, right=True, from_width=150),
            Column("From", 21, from_width=120),
            Column("To", 21, from_width=120),
            Column("Closed by", 14),
        )

    def __len__(self) -> int:
        """Count the sessions."""
        return len(self.store.snapshot.sessions)

    @property
    def settled(self) -> int:
        """Count the sessions that change no more: nobody knows."""
        return 0

    def session(self, row: int) -> model.Session:
        """Give a session."""
        return self.store.snapshot.sessions[row]

    def page(self, rows: I64) -> list[Line]:
        """Give some sessions."""
        return [self._line(self.session(row)) for row in rows.tolist()]

    def _line(self, session: model.Session) -> Line:
        """Give one session."""
        cells = (
            str(session.session),
            session.sp_id or "?",
            session.version or "?",
            login_words(session),
            str(session.pdus),
            session.interface,
            str(session.stream),
            session.originator,
            session.responder,
            closing(session).replace("ended it ", ""),
        )
        return Line(tuple(map(printable, cells)), _TONES.get(session.login, ""))

    def key(self, column: int, count: int) -> NDArray[Any]:
        """Give what a column is put in order by."""
        cells = [self._line(session).cells[column] for session in self.store.snapshot.sessions[:count]]
        return np.array(cells, np.int64) if self.columns[column].right else codes(cells)

    def attribute(self, name: str, rows: I64) -> I64:
        """Give a number of some sessions; `marked` is 1 where the login failed."""
        if name == "marked":
            return np.array([self.session(row).login in {"refused", "unanswered"} for row in rows.tolist()], np.int64)
        return np.array([getattr(self.session(row), name) for row in rows.tolist()], np.int64)

    def finder(self, needle: str) -> Finder:
        """Find sessions by a filter or by what they show."""
        from cmppscope.tui.search import finder  # noqa: PLC0415 - filters are loaded when the first one is typed

        return finder(self, needle, "session", self.store)


def login_words(session: model.Session) -> str:
    """Say how the login went, with its meaning: `refused: 3 authentication failed`."""
    if session.login == "refused":
        return f"refused: {session.status} {session.status_meaning}"
    return session.login
