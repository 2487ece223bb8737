"""CMPP associations inside streams: CONNECT to TERMINATE or close, who is SP and who ISMG, which version.

Theory of operation. Only CONNECT, TERMINATE and their responses change the state of a session, and Python looks at
each of them; all other PDUs are counted a batch at a time. A stream's first PDU begins a session, and so does a
CONNECT after TERMINATE_RESP. Version: the length of CONNECT_RESP decides over the octet in CONNECT, and without both
the first PDU that fits one version only (spec 9.2); the first decision stays. Roles come from what was sent, never
from who opened the connection: CONNECT or SUBMIT make an SP, DELIVER makes an ISMG, and only without any of them does
the port.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from cmppscope.arrays import distinct, kinds
from cmppscope.columns import plain_text
from cmppscope.reassembly import Stream, Streams
from cmppscope.tables import (
    FITS_20,
    FITS_21,
    FITS_30,
    I64,
    LAYOUT_20,
    LAYOUT_30,
    PduBatch,
)
from dissectors.cmpp.enums import CANCEL, CONNECT, DELIVER, FWD, QUERY, RESPONSE, SUBMIT, TERMINATE

ROUTES = range(0x10, 0x18)
_PUSHES = (0x15, 0x16)
_CANCEL_RESP = RESPONSE | CANCEL

SP_ISMG, ISMG_ISMG, ISMG_GNS = "SP-ISMG", "ISMG-ISMG", "ISMG-GNS"
INTERFACES: dict[int, str] = (
    dict.fromkeys((SUBMIT, DELIVER, QUERY, CANCEL), SP_ISMG) | {FWD: ISMG_ISMG} | dict.fromkeys(ROUTES, ISMG_GNS)
)
"""The interface that a request belongs to, where it belongs to one only (CMPP 2.0 §7.4 to §7.6)."""

_PORT_INTERFACES = {7930: ISMG_ISMG, 9168: ISMG_GNS}

SP_PORTS = (7890, 7900)
"""Where an ISMG listens for SPs: long and short connections (CMPP 2.0 §6.3)."""

SHORT_PORTS = (7900, 9168)
"""Ports of short connections (CMPP 2.0 §6.3)."""

SILENCE_NS = 360_000_000_000
"""Silence after which an idle connection counts as given up: C + N·T (CMPP 2.0 §6.1)."""

CONNECT_LENGTHS = {30: "2.0", 33: "3.0"}

VERSION_NUMBERS = {"2.0": 20, "2.1": 21, "3.0": 30}
"""Versions as numbers of a column; 0 is a version that is not known."""


def short_port(stream: Stream) -> bool:
    """Tell whether either end of a stream uses a port of short connections."""
    return stream.responder.port in SHORT_PORTS or stream.originator.port in SHORT_PORTS


@dataclass(slots=True)
class Session:
    """One CMPP association. Directions are those of the stream; times are nanoseconds since 1970 UTC."""

    number: int
    stream: Stream
    first_pdu: int
    first_frame: int
    first_time_ns: int
    opened: bool
    """The first PDU is a CONNECT, so that nothing of the session lies before it."""
    last_pdu: int = 0
    last_frame: int = 0
    last_time_ns: int = 0
    connects: int = 0
    connect_direction: int | None = None
    connect_time_ns: int = 0
    connect_sequence: int = -1
    """Sequence_Id of the last CONNECT."""
    source_addr: str | None = None
    version_octet: int | None = None
    """Version of the last CONNECT."""
    status: int | None = None
    """Status of the last CONNECT_RESP."""
    first_status: int | None = None
    """Status of the first one."""
    login_ns: int | None = None
    """Time from the last CONNECT to its CONNECT_RESP."""
    version: str | None = None
    """The last of `versions`."""
    versions: list[tuple[int, str]] = field(default_factory=list)
    """Every version that the session was taken for, with the PDU that said so; the last one stands."""
    forced: bool = False
    """The user said which version it is."""
    terminate_direction: int | None = None
    released: bool = False
    ended: bool = False
    """Another session follows in the same stream."""
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    """PDUs by (direction, Command_Id)."""
    octets: int = 0
    business: tuple[int, int] | None = None
    """Command_Id and direction of the first request that belongs to one interface only."""

    @property
    def pdus(self) -> int:
        """PDUs of both directions."""
        return sum(self.counts.values())

    @property
    def interface(self) -> str:
        """Which of the three interfaces of CMPP 2.0 §3 this is."""
        if self.business:
            return INTERFACES[self.business[0]]
        for port in (self.stream.responder.port, self.stream.originator.port):
            if port in _PORT_INTERFACES:
                return _PORT_INTERFACES[port]
        return SP_ISMG

    @property
    def roles(self) -> tuple[str, str]:
        """What the originator and the responder are: SP, ISMG or GNS."""
        interface = self.interface
        if interface == ISMG_ISMG:
            return "ISMG", "ISMG"
        client = self.client
        first, second = ("SP", "ISMG") if interface == SP_ISMG else ("ISMG", "GNS")
        return (first, second) if client == 0 else (second, first)

    @property
    def client(self) -> int:
        """Direction in which the SP (or, towards a GNS, the ISMG) sends."""
        if self.interface == SP_ISMG and self.connect_direction is not None:
            return self.connect_direction ^ self.connected_by_ismg
        if self.business:
            return self._business_client(*self.business)
        return self.connect_direction or 0

    @property
    def connected_by_ismg(self) -> bool:
        """Whether CONNECT came from the side of the gateway.

        So it is where its business says so, and with it its code (0XYZnn, CMPP 2.0 §2) or its own port (§6.3).
        """
        if self.connect_direction is None or self.interface != SP_ISMG or self.business is None:
            return False
        acts = self._business_client(*self.business) != self.connect_direction
        return acts and (self.connect_from_port or (self.source_addr or "").startswith("0"))

    @property
    def connect_from_port(self) -> bool:
        """Whether CONNECT came from a port on which an ISMG listens for SPs."""
        if self.connect_direction is None:
            return False
        ends = self.stream.originator.port, self.stream.responder.port
        return ends[self.connect_direction] in SP_PORTS and ends[1 - self.connect_direction] not in SP_PORTS

    def _business_client(self, command: int, direction: int) -> int:
        """Give the direction in which the SP (or, towards a GNS, the ISMG) sends, by a request and its direction."""
        return 1 - direction if command in (DELIVER, *_PUSHES) else direction

    @property
    def short(self) -> bool:
        """Whether the connection is a short one: by its port, or since it goes to a GNS (CMPP 2.0 §6.2, §6.3, §7.6)."""
        return self.interface == ISMG_GNS or short_port(self.stream)

    @property
    def login(self) -> str:
        """`ok`, `refused`, `unanswered`, or `not seen`."""
        if not self.connects and self.status is None:
            return "not seen"
        if self.status is None:
            return "unanswered"
        return "refused" if self.status else "ok"

    def closed_by(self, last_time_ns: int) -> tuple[str, int | None]:
        """Say who ended the session and how, and in which direction that went; `last_time_ns` is the capture's."""
        if self.terminate_direction is not None:
            return f"{self._side(self.terminate_direction)}_terminate", self.terminate_direction
        closing = self.stream.closing
        if closing is not None and not self.ended:
            return f"{self._side(closing.direction)}_{closing.kind}", closing.direction
        if last_time_ns - self.stream.last_time_ns > SILENCE_NS:
            return "silence", None
        return "capture_end", None

    def _side(self, direction: int) -> str:
        """Name a side; the GNS counts as the gateway side."""
        return "sp" if self.roles[direction] == "SP" else "ismg"


class _Said(NamedTuple):
    """What a PDU says about its session's version; where `over` is not None, over all but that version."""

    session: int
    row: int
    version: str
    over: str | None = None


SessionsNews = list[tuple[Any, ...]]
"""What some PDUs changed: of each session the values of its fields, its stream by number."""


class Sessions:
    """Finds the session of every PDU."""

    def __init__(self, streams: Streams, forced: dict[int, str] | None = None) -> None:
        """`forced` maps a port to the version that the user says it speaks."""
        self._streams = streams
        self._forced = forced or {}
        self.sessions: list[Session] = []
        """All sessions, by number."""
        self._current: dict[int, Session] = {}
        self.foreign: I64 = np.zeros(0, np.int64)
        """Rows of the last batch with a command of another interface than the session's, once a session and command."""
        self._foreign: set[tuple[int, int]] = set()
        self.new: I64 = np.zeros(0, np.int64)
        """Rows of the last batch with the first PDU of a session, direction and command."""
        self.threes: I64 = np.zeros(0, np.int64)
        """Rows of the last batch with which a session is seen to go on in 3.0, once a session."""
        self._threes: set[int] = set()
        self.wanted: dict[int, int] = {}
        """Row of a CONNECT_RESP of the last batch to the Version of the CONNECT it answers."""
        self._before: dict[int, str | None] = {}
        """Versions as they were before the batch."""
        self._changed: set[int] = set()
        """Sessions that the batch changed."""
        self._said: list[_Said] = []
        """What CONNECT and CONNECT_RESP of the batch say about versions."""

    def feed(self, batch: PduBatch) -> I64:
        """Give the session of each PDU; decide layouts that wait for a version (spec 9.2)."""
        self.foreign = self.threes = self.new = np.zeros(0, np.int64)
        self._changed = set()
        self.wanted = {}
        if not len(batch):
            return np.zeros(0, np.int64)
        self._said = []
        begins = self._control(batch)
        session = self._spread(batch, begins)
        self._decide_layouts(batch, session, self._versions(batch, session))
        self._count(batch, session)
        self._look_for_threes(batch, session)
        return session

    def news(self) -> SessionsNews:
        """Give the sessions that the last batch changed."""
        return [_values(self.sessions[number]) for number in sorted(self._changed)]

    def hear(self, news: SessionsNews) -> None:
        """Take over what changed of the same sessions elsewhere."""
        for number, stream, *values in news:
            if number == len(self.sessions):
                self.sessions.append(Session(number, self._streams[stream], *values))
                continue
            for name, value in zip(Session.__slots__[2:], values, strict=True):
                setattr(self.sessions[number], name, value)

    def share(self, sessions: list[Session]) -> None:
        """Go on with equal sessions that somebody else holds."""
        self.sessions = sessions
        self._current = {stream: sessions[session.number] for stream, session in self._current.items()}

    def _control(self, batch: PduBatch) -> list[tuple[int, int, int]]:
        """Look at each PDU that changes a session, and at each stream's first: (stream, row, session) of beginnings."""
        plain = batch.command & 0x7FFFFFFF
        _, first_rows, _ = distinct(batch.stream)
        control = np.flatnonzero((plain == CONNECT) | (plain == TERMINATE))
        begins = []
        firsts = set(first_rows.tolist())
        for row in np.union1d(control, first_rows).tolist():
            stream, command = int(batch.stream[row]), int(batch.command[row])
            session = self._current.get(stream)
            if session is None or (command == CONNECT and session.released):
                session = self._begin(batch, row, session)
                begins.append((stream, row, session.number))
            elif row in firsts:
                begins.append((stream, row, session.number))
            if command == RESPONSE | CONNECT:
                self._note_wanted(batch, row)
            if command & 0x7FFFFFFF in (CONNECT, TERMINATE):
                said = _note(session, batch, row)
                if said is not None:
                    self._said.append(_Said(session.number, row, *said))
        return begins

    def _note_wanted(self, batch: PduBatch, row: int) -> None:
        """Keep the Version of the CONNECT that a CONNECT_RESP answers."""
        session = self._current[int(batch.stream[row])]
        asked = session.connect_direction, session.connect_sequence
        if session.version_octet is not None and asked == (1 - int(batch.direction[row]), int(batch.sequence[row])):
            self.wanted[row] = session.version_octet

    def _begin(self, batch: PduBatch, row: int, before: Session | None) -> Session:
        """Begin a session at a row."""
        if before is not None:
            before.ended = True
            self._changed.add(before.number)
        stream = self._streams[int(batch.stream[row])]
        session = Session(
            len(self.sessions),
            stream,
            batch.first + row,
            int(batch.frame[row]),
            int(batch.time_ns[row]),
            int(batch.command[row]) == CONNECT,
        )
        forced = self._forced.get(stream.responder.port, self._forced.get(stream.originator.port))
        if forced:
            session.version, session.forced = forced, True
            session.versions.append((session.first_pdu, forced))
        self.sessions.append(session)
        self._current[stream.number] = session
        return session

    def _spread(self, batch: PduBatch, begins: list[tuple[int, int, int]]) -> I64:
        """Give every row the session that began last in its stream."""
        rows = len(batch)
        begins.sort()
        marks = np.array([stream * rows + row for stream, row, _ in begins], np.int64)
        numbers = np.array([number for *_, number in begins], np.int64)
        return numbers[np.searchsorted(marks, batch.stream * rows + np.arange(rows), "right") - 1]

    def _versions(self, batch: PduBatch, session: I64) -> dict[int, list[tuple[int, str]]]:
        """Decide versions, in order of the rows; give the decisions by session: (row, version).

        The first PDU that fits one version only decides like CONNECT: where nothing was decided before.
        """
        said = list(self._said)
        has = batch.fits
        telling = ((has & FITS_20) > 0) != ((has & FITS_30) > 0)
        telling &= batch.command != _CANCEL_RESP
        open_ones = [n for n in distinct(session)[0].tolist() if self.sessions[n].version is None]
        rows = np.flatnonzero(telling & np.isin(session, np.array(open_ones, np.int64)))
        numbers, first, _ = distinct(session[rows])
        for number, at in zip(numbers.tolist(), first.tolist(), strict=True):
            row = int(rows[at])
            bits = int(has[row])
            said.append(_Said(number, row, "2.0" if bits & FITS_20 else ("2.1" if bits & FITS_21 else "3.0")))
        self._before = {n: self.sessions[n].version for n in distinct(session)[0].tolist()}
        decided: dict[int, list[tuple[int, str]]] = {}
        for number, row, version, over in sorted(said, key=lambda s: (s.row, s.over is None)):
            record = self.sessions[number]
            overruled = over is not None and not record.forced and record.version != over
            if record.version is None or overruled:
                record.version = version
                record.versions.append((batch.first + row, version))
                decided.setdefault(number, []).append((row, version))
        return decided

    def _decide_layouts(self, batch: PduBatch, session: I64, decided: dict[int, list[tuple[int, str]]]) -> None:
        """Let the session's version decide where lengths do not: no layout fits, or two do."""
        both = FITS_20 | FITS_30
        variable = (batch.command == SUBMIT) | (batch.command == DELIVER) | (batch.command == FWD)
        open_rows = (batch.layout != 0) & ((batch.fits == 0) | (variable & (batch.fits & both == both)))
        for row in np.flatnonzero(open_rows).tolist():
            record = self.sessions[int(session[row])]
            version = self._before.get(record.number)
            for begin, decision in decided.get(record.number, []):
                if begin <= row:
                    version = decision
            if version is not None:
                batch.layout[row] = LAYOUT_30 if version == "3.0" else LAYOUT_20

    def _count(self, batch: PduBatch, session: I64) -> None:
        """Count PDUs by session, direction and command, and keep each session's last one and first business."""
        commands, number_of = kinds(batch.command)
        _, first, counts = distinct((session * 2 + batch.direction) * len(commands) + number_of)
        business: dict[int, tuple[int, tuple[int, int]]] = {}
        new: list[int] = []
        for row, count in zip(first.tolist(), counts.tolist(), strict=True):
            record = self.sessions[int(session[row])]
            direction, command = int(batch.direction[row]), int(batch.command[row])
            place = (direction, command)
            if place not in record.counts:
                new.append(row)
            record.counts[place] = record.counts.get(place, 0) + count
            request = command & 0x7FFFFFFF
            if request in INTERFACES and record.business is None:
                sender = direction if command == request else 1 - direction
                found = (row, (request, sender))
                business[record.number] = min(business.get(record.number, found), found)
        for number, (_, found_business) in business.items():
            self.sessions[number].business = found_business
        self.new = np.array(sorted(new), np.int64)
        self._look_for_foreign(batch, session, np.sort(first))
        octets = np.bincount(session, weights=batch.length, minlength=len(self.sessions))
        numbers, last, _ = distinct(session[::-1])
        for number, at in zip(numbers.tolist(), last.tolist(), strict=True):
            row, record = len(session) - 1 - at, self.sessions[number]
            self._changed.add(number)
            record.octets += int(octets[number])
            record.last_pdu = batch.first + row
            record.last_frame = int(batch.frame[row])
            record.last_time_ns = int(batch.time_ns[row])

    def _look_for_foreign(self, batch: PduBatch, session: I64, rows: I64) -> None:
        """Find the commands that do not belong on their session's interface (CMPP 2.0 §7.4 to §7.6)."""
        found = []
        for row in rows.tolist():
            request, record = int(batch.command[row]) & 0x7FFFFFFF, self.sessions[int(session[row])]
            place = (record.number, request)
            if request in INTERFACES and INTERFACES[request] != record.interface and place not in self._foreign:
                self._foreign.add(place)
                found.append(row)
        self.foreign = np.array(found, np.int64)

    def _look_for_threes(self, batch: PduBatch, session: I64) -> None:
        """Find the first PDU behind the CONNECT of each session of 3.0: what CONNECT asks for may be refused."""
        numbers = np.flatnonzero(np.bincount(session)).tolist()
        asked = [n for n in numbers if n not in self._threes and any(v == "3.0" for _, v in self.sessions[n].versions)]
        if not asked:
            return
        rows = np.flatnonzero(np.isin(session, asked) & (batch.command != CONNECT))
        rows = rows[versions_known(batch, session, self.sessions)[rows] == VERSION_NUMBERS["3.0"]]
        found, first = np.unique(session[rows], return_index=True)
        self._threes.update(found.tolist())
        self.threes = np.sort(rows[first])


def _values(session: Session) -> tuple[Any, ...]:
    """Give the values of a session's fields, its stream by number."""
    number, stream, *values = (getattr(session, name) for name in Session.__slots__)
    return number, stream.number, *values


def versions_known(batch: PduBatch, session: I64, sessions: list[Session]) -> I64:
    """Give the version of each row's session as it was known with that row: 20, 21, 30, or 0 where it was not.

    `session` is the session of each row. What a later PDU says of its session does not change the rows before it.
    """
    result = np.zeros(len(session), np.int64)
    if not len(session):
        return result
    numbers = np.flatnonzero(np.bincount(session)).tolist()
    settled = np.zeros(numbers[-1] + 1, np.int64)
    changing = np.zeros(numbers[-1] + 1, np.bool_)
    marks: list[tuple[int, int]] = []
    for number in numbers:
        versions = sessions[number].versions
        if versions and versions[-1][0] > batch.first:
            changing[number] = True
            start = number * len(session)
            marks.append((start, 0))
            marks += [(start + max(pdu - batch.first, 0), VERSION_NUMBERS[version]) for pdu, version in versions]
        elif versions:
            settled[number] = VERSION_NUMBERS[versions[-1][1]]
    result[:] = settled[session]
    if marks:
        rows = np.flatnonzero(changing[session])
        begins, values = np.array(marks, np.int64).T
        result[rows] = values[np.searchsorted(begins, session[rows] * len(session) + rows, "right") - 1]
    return result


def _note(session: Session, batch: PduBatch, row: int) -> tuple[str, str | None] | None:
    """Take a CONNECT, TERMINATE or response into its session; give the version it says, and the one it stands over."""
    command, direction = int(batch.command[row]), int(batch.direction[row])
    if command == CONNECT:
        return _note_connect(session, batch, row, direction)
    if command == RESPONSE | CONNECT:
        return _note_connect_resp(session, batch, row)
    if session.terminate_direction is None:
        session.terminate_direction = direction if command == TERMINATE else 1 - direction
    if command == RESPONSE | TERMINATE:
        session.released = True
    return None


def _note_connect(session: Session, batch: PduBatch, row: int, direction: int) -> tuple[str, str | None] | None:
    """Keep who wants to log in, with which version; it stands over what a CONNECT without an answer said."""
    octets = batch.octets_of(row)
    session.connects += 1
    session.connect_direction = direction
    session.connect_time_ns = int(batch.time_ns[row])
    session.connect_sequence = int(batch.sequence[row])
    if len(octets) >= 18:
        session.source_addr = plain_text(octets[12:18])
    if len(octets) < 35:
        return None
    session.version_octet = octets[34]
    if not batch.fits[row]:
        return None
    version = "3.0" if octets[34] >> 4 == 3 else ("2.1" if octets[34] == 0x21 else "2.0")
    return version, "" if session.connects > 1 and session.status is None else None


def _note_connect_resp(session: Session, batch: PduBatch, row: int) -> tuple[str, str | None] | None:
    """Keep whether the login was accepted; the length of the first answer decides over what CONNECT said."""
    octets = batch.octets_of(row)
    version = CONNECT_LENGTHS.get(len(octets))
    if version is None:
        return None
    first_answer = session.status is None
    session.status = octets[12] if version == "2.0" else int.from_bytes(octets[12:16], "big")
    if first_answer:
        session.first_status = session.status
    if session.connects:
        session.login_ns = int(batch.time_ns[row]) - session.connect_time_ns
    if not first_answer:
        return version, None
    return version, "2.1" if version == "2.0" else ""
