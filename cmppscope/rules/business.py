"""What connections carry: one pair of messages on a short one, and each request from the side that may send it.

Theory of operation. Business is what SUBMIT, DELIVER, QUERY, CANCEL, FWD and the route messages ask for. On short
connections it is counted up to the second, vectorised; a table fetched route by route counts once. Of each session
only the first request of each kind and direction is kept; whether its sender was the right one is judged at the end,
when it is known who was who.
"""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import distinct, grown, stable_order
from cmppscope.reassembly import Streams
from cmppscope.rules.model import End, Spot, Spots
from cmppscope.rules.spots import I8, spot_of
from cmppscope.sessions import ISMG_GNS, ROUTES, SHORT_PORTS, SP_ISMG, Session, short_port
from cmppscope.tables import I64, Bool, PduBatch
from cmppscope.transactions import Timers
from dissectors.cmpp.enums import ACTIVE_TEST, CANCEL, CONNECT, DELIVER, FWD, QUERY, RESPONSE, SUBMIT

_GET_ROUTE = 0x12
_PUSHES = (0x15, 0x16)
_BUSINESS = (SUBMIT, DELIVER, QUERY, CANCEL, FWD, *ROUTES)
_SLUGS = {DELIVER: "deliver-direction"} | dict.fromkeys((SUBMIT, QUERY, CANCEL), "submit-direction")
_SP_SHORT = SHORT_PORTS[0]


class Business:
    """Counts the business of short connections and remembers who asked first for what."""

    def __init__(self, streams: Streams, timers: Timers) -> None:
        """`streams` is the list that reassembly keeps."""
        self._streams = streams
        self._t_ns = timers.t_ns
        self._any_short = False
        self._short: Bool = np.zeros(0, np.bool_)
        self._pairs: I8 = np.zeros(0, np.int8)
        """Pieces of business of each stream, up to the second."""
        self._fetching: Bool = np.zeros(0, np.bool_)
        """Streams whose last request was GET_ROUTE."""
        self._once: set[tuple[int, str]] = set()
        self._firsts: list[I64] = []
        """First requests: a row each of session, then the first six numbers of a Spot."""

    def feed(self, batch: PduBatch, session: I64, new: I64, resends: I64, spots: Spots) -> None:
        """Take a batch; `new` are the rows with the first PDU of a session, direction and command."""
        self._grow(batch, new)
        self._note_firsts(batch, session, new)
        request = batch.command < RESPONSE
        short = self._short[batch.stream] if self._any_short else np.zeros(len(batch), np.bool_)
        routes = (batch.command >= ROUTES.start) & (batch.command < ROUTES.stop)
        rows = np.flatnonzero(routes | (short & request))
        if not len(rows):
            return
        self._first_of(batch, rows[short[rows] & (batch.command[rows] == ACTIVE_TEST)], "keepalive-short", spots)
        forwards = rows[short[rows] & (batch.command[rows] == FWD)]
        on_sp_port = [row for row in forwards.tolist() if self._has_port(int(batch.stream[row]), _SP_SHORT)]
        self._first_of(batch, np.array(on_sp_port, np.int64), "ismg-short", spots)
        rows = rows[np.isin(batch.command[rows], _BUSINESS) & ~np.isin(rows, resends)]
        if len(rows):
            self._count(batch, rows, spots)

    def close(self, sessions: list[Session], end: End, spots: Spots) -> None:
        """Judge what only the end can tell: who sent what, and which short connections stayed open."""
        self._directions(sessions, spots)
        last = {session.stream.number: session for session in sessions}
        for session in last.values():
            if session.short:
                self._not_closed(session, end, spots)
        for session in sessions:
            self._connected(session, spots)

    def _grow(self, batch: PduBatch, new: I64) -> None:
        """Make room for new streams and look at their ports."""
        size = 1 + int(batch.stream.max(initial=-1))
        self._short, self._fetching = grown(self._short, size), grown(self._fetching, size)
        self._pairs = grown(self._pairs, size)
        for stream in distinct(batch.stream[new])[0].tolist():
            self._short[stream] = short_port(self._streams[stream])
        self._any_short = self._any_short or bool(self._short.any())

    def _has_port(self, stream: int, port: int) -> bool:
        """Tell whether either end of a stream uses a port."""
        record = self._streams[stream]
        return port in (record.originator.port, record.responder.port)

    def _first_of(self, batch: PduBatch, rows: I64, slug: str, spots: Spots) -> None:
        """Tell of the first of some rows, once a stream."""
        _, first, _ = distinct(batch.stream[rows])
        for row in np.sort(rows[first]).tolist():
            key = (int(batch.stream[row]), slug)
            if key not in self._once:
                self._once.add(key)
                spots.setdefault(slug, []).append(spot_of(batch, row))

    def _count(self, batch: PduBatch, rows: I64, spots: Spots) -> None:
        """Count business, and tell of the second piece on a stream."""
        rows = rows[stable_order(batch.stream[rows])]
        stream = batch.stream[rows]
        head = np.r_[True, stream[1:] != stream[:-1]]
        fetch = batch.command[rows] == _GET_ROUTE
        before = np.r_[False, fetch[:-1]]
        before[head] = self._fetching[stream[head]]
        tail = np.r_[head[1:], True]
        self._fetching[stream[tail]] = fetch[tail]
        rows = rows[~(fetch & before)]
        numbers, first, counts = distinct(batch.stream[rows])
        had = self._pairs[numbers]
        self._pairs[numbers] = np.minimum(had + counts, 2)
        second = first + 1 - had
        for at in np.flatnonzero((had < 2) & (had + counts >= 2)).tolist():
            row = int(rows[second[at]])
            slug = "route-long" if batch.command[row] in ROUTES else "short-many"
            self._once.add((int(numbers[at]), "short-many"))
            spots.setdefault(slug, []).append(spot_of(batch, row))

    def _note_firsts(self, batch: PduBatch, session: I64, new: I64) -> None:
        """Keep the first request of each kind and direction of a session."""
        rows = new[np.isin(batch.command[new], _BUSINESS) | (batch.command[new] == CONNECT)]
        if len(rows):
            columns = (batch.frame, batch.stream, batch.direction, batch.offset, batch.command)
            self._firsts.append(np.stack([session[rows], batch.first + rows, *(c[rows] for c in columns)], 1))

    def _directions(self, sessions: list[Session], spots: Spots) -> None:
        """Tell of requests that went the wrong way, once a session and command (CMPP 2.0 §7.4, §7.6)."""
        firsts = np.concatenate(self._firsts).tolist() if self._firsts else []
        for number, pdu, frame, stream, direction, offset, command in firsts:
            session = sessions[number]
            if command == CONNECT:
                continue
            sends = session.client ^ (command in (DELIVER, *_PUSHES))
            route = command in ROUTES
            if session.interface == (ISMG_GNS if route else SP_ISMG) and command != FWD and direction != sends:
                count = session.counts[direction, command]
                slug = "route-direction" if route else _SLUGS[command]
                spots.setdefault(slug, []).append(
                    Spot(pdu, frame, stream, direction, offset, command, count, count if count > 1 else 0)
                )

    def _connected(self, session: Session, spots: Spots) -> None:
        """Tell of a CONNECT from the gateway's side to an SP that had not connected (CMPP 2.0 §7.4)."""
        direction = session.connect_direction
        if direction is None or session.interface != SP_ISMG or session.short:
            return
        alone = (1 - direction, CONNECT) not in session.counts
        if alone and (session.connected_by_ismg or (session.business is None and session.connect_from_port)):
            for place in self._first_connects(session, direction):
                spots.setdefault("connect-by-ismg", []).append(place)

    def _first_connects(self, session: Session, direction: int) -> list[Spot]:
        """Give the first CONNECT of a session and direction."""
        found = []
        for part in self._firsts:
            mine = (part[:, 0] == session.number) & (part[:, 4] == direction) & (part[:, 6] == CONNECT)
            found += [Spot(*row[1:]) for row in part[mine].tolist()]
        return found

    def _not_closed(self, session: Session, end: End, spots: Spots) -> None:
        """Tell of a short connection that stayed open behind its one pair."""
        stream = session.stream
        answered = any(c & RESPONSE and c & 0x7FFFFFFF in _BUSINESS for _, c in session.counts)
        many = (stream.number, "short-many") in self._once
        if not answered or many or end.lost & {2 * stream.number, 2 * stream.number + 1}:
            return
        closing = stream.closing
        until_ns = end.time_ns if closing is None else closing.time_ns
        if until_ns - session.last_time_ns > self._t_ns:
            frame, direction = (session.last_frame, 0) if closing is None else (closing.frame, closing.direction)
            open_ns = until_ns - session.last_time_ns
            spots.setdefault("short-not-closed", []).append(Spot(0, frame, stream.number, direction, -1, 0, open_ns))
