"""Which SP a PDU belongs to: the Source_Addr of the CONNECT before it in its session.

Reports come on any connection of the same SP (CMPP 2.0 §7.4.5.1), so joins ask for the SP, not for the stream. Where
the login was not captured the SP is not known, and NOBODY may be anybody.
"""

from __future__ import annotations

import numpy as np

from cmppscope.tables import I64, PduBatch
from dissectors.cmpp.enums import CONNECT

NOBODY = -1
_GATEWAY = ord("0")
"""Codes of gateways begin so, those of SPs with a 9 (CMPP 2.0 §2)."""


class Parties:
    """Numbers SPs from 0 in order of their first CONNECT."""

    def __init__(self) -> None:
        """Begin with no SP."""
        self.names: list[bytes] = []
        """Source_Addr by number."""
        self._numbers: dict[bytes, int] = {}
        self._of: I64 = np.zeros(0, np.int64)
        self.beginnings: dict[int, tuple[int, int]] = {}
        """(frame, time) of the first PDU of each SP's first session."""
        self.streams: dict[int, set[int]] = {}
        """Streams in which each SP logged in."""
        self.strangers: tuple[int, int] | None = None
        """(frame, time) of the first PDU of a session whose first PDU is no CONNECT."""

    def feed(self, batch: PduBatch, session: I64) -> I64:
        """Give the SP of each PDU, NOBODY where it is not known."""
        if not len(batch):
            return np.zeros(0, np.int64)
        most = int(session.max()) + 1
        fresh = np.arange(len(self._of), most)
        if len(fresh):
            self._of = np.concatenate([self._of, np.full(len(fresh), NOBODY, np.int64)])
        before = self._of.copy()
        connects = np.flatnonzero(batch.command == CONNECT)
        changed = np.unique(session[connects])
        marks = [(number * len(batch), 0, int(before[number])) for number in changed.tolist()]
        for row in connects.tolist():
            number, party = int(session[row]), self._named(batch.octets_of(row)[12:18])
            marks.append((number * len(batch) + row, 1, party))
            self._of[number] = party
            if party != NOBODY:
                self.beginnings.setdefault(party, (int(batch.frame[row]), int(batch.time_ns[row])))
                self.streams.setdefault(party, set()).add(int(batch.stream[row]))
        self._note_strangers(batch, session, fresh)
        result = before[session]
        if marks:
            rows = np.flatnonzero(np.isin(session, changed))
            begins, _, values = np.array(sorted(marks), np.int64).T
            result[rows] = values[np.searchsorted(begins, session[rows] * len(batch) + rows, "right") - 1]
        return result

    def _named(self, source: bytes) -> int:
        """Number an SP by its Source_Addr."""
        if len(source) < 6 or source[0] == _GATEWAY or not source.strip(b"\0"):
            return NOBODY
        if source not in self._numbers:
            self._numbers[source] = len(self.names)
            self.names.append(source)
        return self._numbers[source]

    def _note_strangers(self, batch: PduBatch, session: I64, fresh: I64) -> None:
        """Note the first session that was under way when it was first seen."""
        if self.strangers is not None or not len(fresh):
            return
        numbers, first = np.unique(session, return_index=True)
        first = first[np.isin(numbers, fresh)]
        strange = np.sort(first[batch.command[first] != CONNECT])
        if len(strange):
            row = int(strange[0])
            self.strangers = int(batch.frame[row]), int(batch.time_ns[row])
