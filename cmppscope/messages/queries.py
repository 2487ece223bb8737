"""QUERYs: what the gateway counted of an SP's day, and what the capture holds of the same (CMPP 2.0 §7.4.4).

A QUERY asks for a day, and with Query_Type 1 for one Service_Id of it. The capture holds the SUBMITs of that SP, on any
of its connections, and the DELIVERs to it, from its first session or the beginning of the day on to the QUERY or the
end of the day: both sides count what they had when it was asked. A message that was sent again counts once; one on a
connection whose login the capture does not hold may be this SP's or not, and is counted apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import kinds
from cmppscope.columns import Columns, PduColumns, plain_text
from cmppscope.messages.notes import Notes, service_of
from cmppscope.messages.parties import NOBODY, Parties
from cmppscope.messages.tally import KEYS_KEPT, OTHERS, Keys
from cmppscope.tables import I64
from cmppscope.transactions import Paired
from dissectors.cmpp.enums import DELIVER, QUERY, RESPONSE, SUBMIT

QUERIES_KEPT = 1000
"""QUERYs of a capture that are told."""
ANSWERS_KEPT = 10_000
"""QUERY_RESPs of a capture that may be the answer to one of them."""
COUNTS_KEPT = 65_536
"""Days, SPs and Service_Ids with counts, of SUBMITs and of DELIVERs each."""

COUNTS = ("mt_tlmsg", "mt_tlusr", "mt_scs", "mt_wt", "mt_fl", "mo_scs", "mo_wt", "mo_fl")
"""What a QUERY_RESP counts (CMPP 2.0 §7.4.4.2)."""

_ALL, _BY_SERVICE = 0, 1
_DAY_NS = 86_400_000_000_000


class Held(NamedTuple):
    """What the capture holds of a day in front of a QUERY."""

    submits: int
    receivers: int
    """Receivers of these SUBMITs."""
    mo: int
    """DELIVERs that are no status reports."""
    unknown: int
    """Such SUBMITs and DELIVERs of SPs that are not known."""
    since_ns: int
    """From when on: the beginning of the day, or of the SP's first session where that is later."""
    until_ns: int
    """Up to when: the QUERY, or the end of the day where that is earlier."""


class Answer(NamedTuple):
    """What a QUERY_RESP says."""

    day: bytes
    query_type: int
    query_code: bytes
    counts: tuple[int, ...]
    """Those named in COUNTS."""


@dataclass(slots=True)
class Query:
    """A QUERY, its answer, and what the capture holds of what it asks for."""

    pdu: int
    frame: int
    time_ns: int
    session: int
    party: int
    """Number of the SP, NOBODY where its login was not seen."""
    day: bytes
    query_type: int
    query_code: bytes
    held: Held | None
    """None where the question is none that can be answered (no day, one to come, another Query_Type), the SP is not
    known or came after that day, or more is to be counted than is kept.
    """
    answer: Answer | None = None
    """None where there is no whole one."""


class Queries:
    """Counts the messages of days, and keeps the QUERYs about them."""

    def __init__(self, parties: Parties, services: Keys, zone_ns: int) -> None:
        """`services` numbers the Service_Ids of SUBMITs; the day begins `zone_ns` before that of UTC."""
        self.queries: list[Query] = []
        self._parties, self._zone_ns = parties, zone_ns
        self._mt, self._mo = _Days(services), _Days(Keys())
        self._waiting: dict[int, Query] = {}
        self._answers: dict[int, Answer] = {}
        self._answers_left = ANSWERS_KEPT

    def feed(self, columns: PduColumns, party: I64, session: I64, paired: Paired, notes: Notes) -> None:
        """Take a batch that `notes` took; `party` is the SP of each PDU."""
        if len(self.queries) < QUERIES_KEPT:
            self._count(columns, party, session, paired.resends, notes)
        self._join(columns, paired)

    def _count(self, columns: PduColumns, party: I64, session: I64, resends: I64, notes: Notes) -> None:
        """Count the messages up to each QUERY, note what there is, and go on."""
        batch = columns.batch
        rows = columns.rows(QUERY)
        asked = np.flatnonzero(columns.body(QUERY).valid("reserve") & ~np.isin(rows, resends))
        mt, mo = self._submits(columns, party, resends, notes), self._delivers(columns, party, resends)
        done = 0
        for at in asked[: QUERIES_KEPT - len(self.queries)].tolist():
            row = int(rows[at])
            self._add(mt, mo, done, row)
            done = row
            query = self._query(columns, at, row, int(party[row]), int(session[row]))
            self.queries.append(query)
            self._waiting[query.pdu] = query
        self._add(mt, mo, done, len(batch))

    def _add(self, mt: _Rows, mo: _Rows, start: int, end: int) -> None:
        """Count the messages in some rows of a batch."""
        self._mt.add(mt.between(start, end))
        self._mo.add(mo.between(start, end))

    def _submits(self, columns: PduColumns, party: I64, resends: I64, notes: Notes) -> _Rows:
        """Give the SUBMITs of a batch, each once."""
        rows = columns.rows(SUBMIT)
        rows = rows[~np.isin(rows, resends)]
        said = notes.of(columns.batch.first + rows, "b")
        rows, packed = rows[said.there], said.b[said.there]
        return self._rows(columns, rows, party[rows], service_of(packed), packed & 0xFF)

    def _delivers(self, columns: PduColumns, party: I64, resends: I64) -> _Rows:
        """Give the DELIVERs of a batch that are no reports, each once."""
        rows, body = columns.rows(DELIVER), columns.body(DELIVER)
        there = body.valid("registered_delivery") & (body.integer("registered_delivery") == 0) & ~np.isin(rows, resends)
        rows, service = rows[there], self._mo.services.feed(body.strings("service_id").octets[there])
        return self._rows(columns, rows, party[rows], service, np.zeros(len(rows), np.int64))

    def _rows(self, columns: PduColumns, rows: I64, party: I64, service: I64, receivers: I64) -> _Rows:
        """Give rows with their days."""
        day = (columns.batch.time_ns[rows] + self._zone_ns) // _DAY_NS
        return _Rows(rows, day, party, service, receivers)

    def _query(self, columns: PduColumns, at: int, row: int, party: int, session: int) -> Query:
        """Note a QUERY, and what there is of its day."""
        batch, body = columns.batch, columns.body(QUERY)
        day, kind, code = _question(body, at)
        time_ns = int(batch.time_ns[row])
        number = _day_number(day) if kind in (_ALL, _BY_SERVICE) else None
        return Query(
            pdu=batch.first + row,
            frame=int(batch.frame[row]),
            time_ns=time_ns,
            session=session,
            party=party,
            day=day,
            query_type=kind,
            query_code=code,
            held=None if number is None else self._held(party, number, code if kind == _BY_SERVICE else None, time_ns),
        )

    def _held(self, party: int, day: int, code: bytes | None, time_ns: int) -> Held | None:
        """Give what was counted of a day up to a time, of one Service_Id where there is a `code`."""
        if party == NOBODY or self._mt.full or self._mo.full:
            return None
        begin = day * _DAY_NS - self._zone_ns
        since, until = max(begin, self._parties.beginnings[party][1]), min(begin + _DAY_NS, time_ns)
        found = [days.of(day, each, code) for days in (self._mt, self._mo) for each in (party, NOBODY)]
        if since > until or None in found:
            return None
        mt, mt_unknown, mo, mo_unknown = (counts or (0, 0) for counts in found)
        return Held(*mt, mo[0], mt_unknown[0] + mo_unknown[0], since, until)

    def _join(self, columns: PduColumns, paired: Paired) -> None:
        """Give the QUERYs whose transactions are closed their answers."""
        rows, body = columns.rows(RESPONSE | QUERY), columns.body(RESPONSE | QUERY)
        whole = np.flatnonzero(body.valid(COUNTS[-1]))[: self._answers_left].tolist()
        self._answers_left -= len(whole)
        for at in whole:
            pdu = columns.batch.first + int(rows[at])
            self._answers[pdu] = Answer(*_question(body, at), tuple(int(body.integer(name)[at]) for name in COUNTS))
        closed = paired.closed
        for at in np.flatnonzero(closed.command == QUERY).tolist():
            query = self._waiting.pop(int(closed.pdu[at]), None)
            answer = self._answers.pop(int(closed.response_pdu[at]), None)
            if query is not None:
                query.answer = answer


class _Rows(NamedTuple):
    """Messages of a batch, in order."""

    rows: I64
    day: I64
    """Days since 1970."""
    party: I64
    service: I64
    receivers: I64

    def between(self, start: int, end: int) -> _Rows:
        """Give those in some rows of the batch."""
        low, high = np.searchsorted(self.rows, (start, end)).tolist()
        return self if high - low == len(self.rows) else _Rows(*(column[low:high] for column in self))


class _Days:
    """Counts of messages and their receivers by day, SP and Service_Id."""

    def __init__(self, services: Keys) -> None:
        """Begin with none; `services` numbers the Service_Ids."""
        self.services = services
        self.full = False
        """There was no room for some message, and nothing is counted any more."""
        self._counts: dict[tuple[int, int], dict[int, tuple[int, int]]] = {}
        self._room = COUNTS_KEPT

    def add(self, rows: _Rows) -> None:
        """Count messages."""
        if self.full or not len(rows.rows):
            return
        parties = int(rows.party.max()) - NOBODY + 1
        key = ((rows.day - rows.day.min()) * parties + rows.party - NOBODY) * (KEYS_KEPT + 1) + rows.service
        keys, of = kinds(key)
        messages, receivers = np.bincount(of), np.bincount(of, rows.receivers)
        one = np.empty(len(keys), np.int64)
        one[of] = np.arange(len(of))
        for row, count, to in zip(one.tolist(), messages.tolist(), receivers.tolist(), strict=True):
            there = self._counts.setdefault((int(rows.day[row]), int(rows.party[row])), {})
            service = int(rows.service[row])
            self._room -= service not in there
            if self._room < 0:
                self.full = True
                return
            before = there.get(service, (0, 0))
            there[service] = before[0] + count, before[1] + int(to)

    def of(self, day: int, party: int, code: bytes | None) -> tuple[int, int] | None:
        """Give (messages, receivers) of a day of an SP, of one Service_Id or of all; None where it is not known.

        Of a Service_Id what stands behind its first NUL does not count.
        """
        found = self._counts.get((day, party), {})
        chosen: Iterable[tuple[int, int]] = found.values()
        if code is not None:
            if OTHERS in found:
                return None
            names, name = self.services.values, code.partition(b"\0")[0]
            chosen = [counts for at, counts in found.items() if names[at].partition(b"\0")[0] == name]
        return sum(messages for messages, _ in chosen), sum(receivers for _, receivers in chosen)


def _question(body: Columns, at: int) -> tuple[bytes, int, bytes]:
    """Give Time, Query_Type and Query_Code of a QUERY or QUERY_RESP."""
    return body.octets_of("time", at), int(body.integer("query_type")[at]), body.octets_of("query_code", at)


def _day_number(day: bytes) -> int | None:
    """Give the days from 1970 to a day written YYYYMMDD, None where it is none."""
    text = plain_text(day) or ""
    try:
        there = dt.date(int(text[:4]), int(text[4:6]), int(text[6:])) if text.isdigit() and len(text) == 8 else None
    except ValueError:
        return None
    return None if there is None else there.toordinal() - dt.date(1970, 1, 1).toordinal()
