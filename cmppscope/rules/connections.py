"""The state of every connection: logged in or not, closing, released (the state machine of CMPP 2.0 §6 and §7.4).

Theory of operation. Only CONNECT, TERMINATE and their responses change a state, and so does a Gap: behind one nothing
is known until the next of them. Python looks at each of these; the state of all other PDUs is filled in between them,
and a table says which of them a state forbids. A batch without such PDUs, on connections that are open, costs two
look-ups a PDU. States are a few numbers a stream, in arrays.

PDUs that a Gap held back stand out of order, and are passed over.

A request before CONNECT_RESP is told when CONNECT_RESP comes: until then the capture may have lost an earlier one.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from cmppscope.arrays import distinct, grown
from cmppscope.framing.headers import known
from cmppscope.reassembly import Streams
from cmppscope.rules.model import Spot, Spots
from cmppscope.rules.spots import I8, spot_of
from cmppscope.rules.states import (
    CLOSING_1,
    CLOSING_BOTH,
    EARLY,
    FORBIDDEN,
    MISSING,
    NEW,
    NOTHING,
    OPEN,
    OPENED,
    QUIET,
    REFUSED,
    RELEASED_0,
    RELEASED_1,
    SLUGS,
    TCP,
    UNKNOWN,
    WAIT,
    Made,
    Mark,
    Sources,
    by_key,
    terminated,
)
from cmppscope.sessions import CONNECT_LENGTHS, ROUTES, short_port
from cmppscope.tables import I32, I64, Bool, Oddity, PduBatch
from cmppscope.transactions import begins_blind
from dissectors.cmpp.enums import CONNECT, RESPONSE, TERMINATE

_OUT_OF_STEP_NS = 1_000_000
"""A capture may put a request this long before the CONNECT_RESP that it followed."""
_REPLAY_NS = 60_000_000_000
"""Equal logins closer together are one attempt."""
_LOGINS = 100_000
"""Logins remembered, to see them again."""

AT_THE_END = ("late", "truncated", "cut")
"""Oddities that hide nothing; behind all others something may be lost."""


class Connections:
    """Follows the state of every connection."""

    def __init__(self, streams: Streams) -> None:
        """`streams` is the list that reassembly keeps."""
        self._streams = streams
        self.state: I8 = np.zeros(0, np.int8)
        """State of each stream, up to the last one with PDUs."""
        self._source: I32 = np.zeros(0, np.int32)
        self._client: I8 = np.zeros(0, np.int8)
        self._made: dict[int, Made] = {}
        """What made the state of each stream."""
        self.whole: Bool = np.zeros(0, np.bool_)
        """Streams captured from their first octet on, without a Gap up to now."""
        self._codes: list[bytes] = [bytes(6)]
        self._code_of: dict[bytes, int] = {}
        self._routes: dict[int, int] = {}
        """The first PDU of each stream that shows it to go to a GNS."""
        self._gapped: set[int] = set()
        """Streams with a Gap before their first PDU."""
        self._early: dict[int, tuple[Spot, int, int]] = {}
        """A request before CONNECT_RESP, its time and that of the CONNECT, by stream."""
        self._told: set[tuple[int, int, str]] = set()
        self._logins: dict[bytes, tuple[int, int, int]] = {}
        """Time, stream and PDU of the first CONNECT with each authenticator."""
        self._marks: list[Mark] = []
        self._size = 1

    def feed(self, batch: PduBatch, gaps: list[Oddity], spots: Spots) -> Sources:
        """Take a batch on; tell what its PDUs may not do in the state of their connection."""
        self._marks, self._size = [], len(batch) + 1
        self._grow(1 + max([*(o.stream for o in gaps), *batch.stream.max(initial=-1, keepdims=True).tolist()]))
        self._note_routes(batch)
        plain = batch.command & 0x7FFFFFFF
        control = (plain == CONNECT) | (plain == TERMINATE)
        busy = control | ~QUIET[self.state[batch.stream]]
        if gaps or busy.any():
            self._follow(batch, gaps, np.flatnonzero(control), np.flatnonzero(busy), spots)
        return Sources(self._codes, self._source, self._client, self._marks, batch)

    def close(self, lost: frozenset[int], spots: Spots) -> None:
        """Tell the requests before a CONNECT_RESP that never came."""
        for stream, (early, _, _) in sorted(self._early.items()):
            told = (stream, self._made[stream].session, SLUGS[EARLY]) in self._told
            if not told and not lost & {2 * stream, 2 * stream + 1}:
                spots.setdefault(SLUGS[EARLY], []).append(early)
        self._early.clear()

    def before(self, stream: int, row: int) -> int:
        """Give the state of a stream before a row of the last batch."""
        at = bisect_right(self._marks, stream * self._size + row, key=by_key) - 1
        if at >= 0 and self._marks[at].key // self._size == stream:
            return self._marks[at].state
        return int(self.state[stream])

    def is_long(self, stream: int, pdu: int) -> bool:
        """Tell whether a stream is a long connection, as far as is known with a PDU."""
        return not short_port(self._streams[stream]) and self._routes.get(stream, pdu + 1) > pdu

    def _note_routes(self, batch: PduBatch) -> None:
        """Note the streams that go to a GNS: these are short connections, whatever their port."""
        low = batch.command & 0x7FFFFFFF
        rows = np.flatnonzero((low >= ROUTES.start) & (low < ROUTES.stop))
        if len(rows):
            numbers, first, _ = distinct(batch.stream[rows])
            for stream, at in zip(numbers.tolist(), first.tolist(), strict=True):
                self._routes.setdefault(stream, batch.first + int(rows[at]))

    def _grow(self, streams: int) -> None:
        """Make room for so many streams."""
        self.state, self.whole = grown(self.state, streams), grown(self.whole, streams)
        self._source, self._client = grown(self._source, streams), grown(self._client, streams)

    def _follow(self, batch: PduBatch, gaps: list[Oddity], control: I64, busy: I64, spots: Spots) -> None:
        """Go through what changes states, in order, then look at all PDUs of the streams concerned."""
        fresh = busy[self.state[batch.stream[busy]] == NEW]
        _, first, _ = distinct(batch.stream[fresh])
        concerned, _, _ = distinct(batch.stream[busy])
        for stream in sorted({*concerned.tolist(), *(gap.stream for gap in gaps)}):
            self._mark(stream, 0)
        places = np.searchsorted(batch.known_frame, [gap.known_frame for gap in gaps]).tolist()
        events = [(row, 1, gap.stream) for row, gap in zip(places, gaps, strict=True)]
        events += [(row, 0, int(batch.stream[row])) for row in fresh[first].tolist()]
        events += [(row, 2, int(batch.stream[row])) for row in control.tolist()]
        for row, kind, stream in sorted(events):
            if kind == 0:
                self._begin(batch, row, stream)
            elif kind == 1:
                self._lose(row, stream)
            else:
                self._step(batch, row, stream, spots)
        self._marks.sort(key=by_key)
        self._look(batch, spots)

    def _mark(self, stream: int, row: int, *, lost: bool = False) -> None:
        """Note the state that a stream has from a row on; row 0 is before all others."""
        made = self._made.get(stream, NOTHING)
        self._marks.append(
            Mark(
                stream * self._size + row,
                int(self.state[stream]),
                made.pdu,
                made.command,
                made.session,
                int(self._source[stream]),
                int(self._client[stream]),
                made.time_ns,
                made.status,
                lost,
                bool(self.whole[stream]),
            )
        )

    def _begin(self, batch: PduBatch, row: int, stream: int) -> None:
        """Begin with a stream's first PDU."""
        frame = int(batch.frame[row])
        blind = any(begins_blind(self._streams[stream], direction, frame) for direction in (0, 1))
        self.whole[stream] = not blind and stream not in self._gapped
        self.state[stream] = TCP if self.whole[stream] else UNKNOWN
        self._gapped.discard(stream)
        self._made[stream] = Made()
        self._mark(stream, row)

    def _lose(self, row: int, stream: int) -> None:
        """Forget the state behind a Gap."""
        if self.state[stream] == NEW:
            self._gapped.add(stream)
            return
        self.whole[stream] = False
        self.state[stream], self._source[stream] = UNKNOWN, 0
        self._made[stream].pdu = 0
        self._mark(stream, row, lost=True)

    def _step(self, batch: PduBatch, row: int, stream: int, spots: Spots) -> None:
        """Take a CONNECT, a TERMINATE or a response to one."""
        command, direction = int(batch.command[row]), int(batch.direction[row])
        state = int(self.state[stream])
        if batch.known_frame[row] != batch.frame[row] and not self.whole[stream]:
            return
        if command == CONNECT:
            after = self._connect(batch, row, stream, spots)
        elif command == RESPONSE | CONNECT:
            after = self._connect_resp(batch, row, stream)
        elif command == TERMINATE:
            after = terminated(state, direction)
        else:
            closing = (CLOSING_1 - direction, CLOSING_BOTH)
            after = RELEASED_0 + direction if state in closing else state
        if after != state:
            self.state[stream] = after
            made = self._made[stream]
            made.pdu, made.time_ns, made.command = batch.first + row, int(batch.time_ns[row]), command
        self._mark(stream, row + 1)

    def _connect(self, batch: PduBatch, row: int, stream: int, spots: Spots) -> int:
        """Take a CONNECT: who it is, and whether he is logged in already; give the state behind it."""
        state, direction, made = int(self.state[stream]), int(batch.direction[row]), self._made[stream]
        if state in (RELEASED_0, RELEASED_1):
            made.session += 1
        if state == OPEN and self._client[stream] == direction:
            self._tell(batch, row, "connect-repeat", made.session, spots, b=made.pdu)
        octets = batch.octets_of(row)
        source = octets[12:18]
        if state != OPEN or self._client[stream] == direction:
            self._client[stream] = direction
            self._source[stream] = self._code(source) if len(source) == 6 and source.strip(b"\0") else 0
        self._note_login(batch, row, octets, spots)
        if state == OPENED:
            return OPEN
        return state if state == OPEN else WAIT

    def _connect_resp(self, batch: PduBatch, row: int, stream: int) -> int:
        """Take a CONNECT_RESP; give the state behind it."""
        state = int(self.state[stream])
        if state == WAIT and self._client[stream] == batch.direction[row]:
            return state
        if state not in (WAIT, TCP, UNKNOWN, REFUSED, RELEASED_0, RELEASED_1):
            return state
        octets = batch.octets_of(row)
        version = CONNECT_LENGTHS.get(len(octets))
        if version is None:
            return UNKNOWN
        status = octets[12] if version == "2.0" else int.from_bytes(octets[12:16], "big")
        self._made[stream].status = status
        if status:
            return REFUSED
        return OPEN if state == WAIT else OPENED

    def _note_login(self, batch: PduBatch, row: int, octets: bytes, spots: Spots) -> None:
        """See whether a login is that of an earlier connection, octet for octet."""
        proof = octets[12:34] + octets[35:39]
        if len(proof) < 26 or not proof[6:22].strip(b"\0"):
            return
        stream, time_ns, pdu = int(batch.stream[row]), int(batch.time_ns[row]), batch.first + row
        first_ns, other, first_pdu = self._logins.setdefault(proof, (time_ns, stream, pdu))
        if other != stream and time_ns - first_ns > _REPLAY_NS:
            spot = spot_of(batch, row, time_ns - first_ns, first_pdu)
            spots.setdefault("connect-auth-replay", []).append(spot)
        if len(self._logins) > _LOGINS:
            del self._logins[next(iter(self._logins))]

    def _code(self, source: bytes) -> int:
        """Number an address."""
        number = self._code_of.get(source)
        if number is None:
            number = self._code_of[source] = len(self._codes)
            self._codes.append(source)
        return number

    def _look(self, batch: PduBatch, spots: Spots) -> None:
        """Find the first PDU between two changes of state that the state forbids."""
        marks = self._marks
        if not marks:
            return
        keys = np.array([mark.key for mark in marks], np.int64)
        concerned = np.unique(keys // self._size)
        rows = np.flatnonzero(np.isin(batch.stream, concerned))
        plain = batch.command[rows] & 0x7FFFFFFF
        rows = rows[(plain != CONNECT) & (plain != TERMINATE) & known(batch.command[rows])]
        span = np.searchsorted(keys, batch.stream[rows] * self._size + rows, "right") - 1
        late = (batch.known_frame[rows] != batch.frame[rows]) & ~np.array([mark.whole for mark in marks])[span]
        rows, span = rows[~late], span[~late]
        states = np.array([mark.state for mark in marks], np.int64)[span]
        response = (batch.command[rows] >= RESPONSE).astype(np.int64)
        wrong = FORBIDDEN[states, response, batch.direction[rows]]
        bad = np.flatnonzero(wrong)
        bad = bad[~self._allowed(batch, rows[bad], wrong[bad])]
        _, first, _ = distinct(span[bad])
        found: dict[int, tuple[int, int]] = {}
        for at in sorted(bad[first].tolist()):
            row, mark = int(rows[at]), marks[int(span[at])]
            if wrong[at] == EARLY:
                found[int(span[at])] = (row, int(batch.stream[row]))
            else:
                values = {"a": mark.status, "b": mark.pdu, "other": mark.command}
                self._tell(batch, row, SLUGS[int(wrong[at])], mark.session, spots, **values)
        self._settle_early(batch, found, spots)

    def _allowed(self, batch: PduBatch, rows: I64, wrong: NDArray[np.uint8]) -> Bool:
        """Tell which requests need no login: those on short connections (CMPP 2.0 §6.2) and those to and from a GNS."""
        short = np.array([short_port(self._streams[s]) for s in batch.stream[rows].tolist()], np.bool_)
        allowed: Bool = (wrong == MISSING) & (short | np.isin(batch.command[rows], ROUTES))
        return allowed

    def _settle_early(self, batch: PduBatch, found: dict[int, tuple[int, int]], spots: Spots) -> None:
        """Tell requests before CONNECT_RESP when that comes; forget them where a Gap comes first."""
        if not found and not self._early:
            return
        for at, mark in enumerate(self._marks):
            stream = mark.key // self._size
            if stream in self._early:
                if mark.lost:
                    del self._early[stream]
                elif mark.key % self._size and mark.command == RESPONSE | CONNECT and mark.state != WAIT:
                    self._tell_early(stream, mark, spots)
            if at in found and stream not in self._early:
                row, _ = found[at]
                spot = spot_of(batch, row, 0, mark.pdu)
                self._early[stream] = spot, int(batch.time_ns[row]), mark.time_ns

    def _tell_early(self, stream: int, answer: Mark, spots: Spots) -> None:
        """Tell a request before its CONNECT_RESP, unless the capture may have swapped the two."""
        spot, time_ns, connect_ns = self._early.pop(stream)
        ahead = answer.time_ns - time_ns
        key = (stream, answer.session, SLUGS[EARLY])
        if (ahead <= _OUT_OF_STEP_NS and ahead < time_ns - connect_ns) or key in self._told:
            return
        self._told.add(key)
        spots.setdefault(SLUGS[EARLY], []).append(spot)

    def _tell(self, batch: PduBatch, row: int, slug: str, number: int, spots: Spots, **values: int) -> None:
        """Tell of a row once a session."""
        key = (int(batch.stream[row]), number, slug)
        if key not in self._told:
            self._told.add(key)
            spots.setdefault(slug, []).append(spot_of(batch, row, **values))
