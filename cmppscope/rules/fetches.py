"""Route tables fetched from a GNS: GET_ROUTE after GET_ROUTE, each naming the route that came last (CMPP 2.0 §7.6.5).

Theory of operation. A fetch is known by the two hosts and Route_type, since each of its requests may take a short
connection of its own. It begins with Last_route_Id -1 and ends with Result 1 or 2. These PDUs are few, and Python
looks at each. A wrong Last_route_Id is told only when the response shows that no Gap came before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmppscope.columns import PduColumns
from cmppscope.reassembly import Streams
from cmppscope.rules.model import End, Spot, Spots
from cmppscope.rules.silences import Gaps
from cmppscope.rules.spots import spot_of
from cmppscope.tables import PduBatch
from cmppscope.transactions import Timers, begins_blind
from dissectors.cmpp.enums import RESPONSE

_GET_ROUTE = 0x12
_FIRST = -1
_GOES_ON, _NO_ROUTE, _LAST = 0, 1, 2
_FETCHES = 10_000
"""Fetches followed at a time; beyond it the oldest are forgotten."""

Key = tuple[int, int, bytes]


@dataclass(slots=True)
class _Fetch:
    """A table on its way."""

    last_id: int = _FIRST
    """Route_Id of the last answer."""
    time_ns: int = 0
    answer: Spot | None = None
    """The last answer, while more are to come."""
    wrong: Spot | None = None
    """A request with a wrong Last_route_Id, until its answer."""
    ended: bool = False
    unsure: bool = False
    """A Gap may have held an answer."""


class Fetches:
    """Follows every fetch."""

    def __init__(self, streams: Streams, timers: Timers) -> None:
        """`streams` is the list that reassembly keeps."""
        self._streams = streams
        self._t_ns = timers.t_ns
        self._fetches: dict[Key, _Fetch] = {}
        self._asked: dict[int, Key] = {}
        """The fetch that each stream's last GET_ROUTE belongs to."""
        self._first_ns: int | None = None

    def feed(self, batch: PduBatch, columns: PduColumns, gaps: Gaps, spots: Spots) -> None:
        """Take the requests and responses of a batch."""
        if self._first_ns is None and len(batch):
            self._first_ns = self._streams[0].first_time_ns
        rows = np.r_[columns.rows(_GET_ROUTE), columns.rows(RESPONSE | _GET_ROUTE)]
        if not len(rows) and not (self._fetches and gaps):
            return
        ask, answer = columns.body(_GET_ROUTE), columns.body(RESPONSE | _GET_ROUTE)
        events = [(row, 0, stream) for stream, rows_before in gaps.items() for row in rows_before]
        sound = ask.valid("last_route_id")
        events += [(row, 1, at) for at, row in enumerate(columns.rows(_GET_ROUTE).tolist()) if sound[at]]
        sound = answer.valid("result")
        events += [(row, 2, at) for at, row in enumerate(columns.rows(RESPONSE | _GET_ROUTE).tolist()) if sound[at]]
        for row, kind, at in sorted(events):
            if kind == 0:
                self._lose(at)
            elif kind == 1:
                kind_of_route = ask.strings("route_type").octets[at].tobytes()
                self._ask(batch, row, kind_of_route, int(ask.integer("last_route_id")[at]), spots)
            else:
                numbers = int(answer.integer("route_id")[at]), int(answer.integer("result")[at])
                self._answer(batch, row, *numbers, spots)

    def close(self, end: End, spots: Spots) -> None:
        """Tell of the fetches that nobody went on with."""
        for fetch in self._fetches.values():
            self._settle_wrong(fetch, end.lost, spots)
            if fetch.answer is not None and end.time_ns - fetch.time_ns > self._t_ns:
                self._unfinished(fetch, end.lost, spots)

    def _ask(self, batch: PduBatch, row: int, kind: bytes, last_id: int, spots: Spots) -> None:
        """Take a GET_ROUTE."""
        stream, direction = int(batch.stream[row]), int(batch.direction[row])
        record = self._streams[stream]
        ends = record.originator.address, record.responder.address
        key = (ends[direction], ends[1 - direction], kind)
        before = self._fetches.get(key)
        self._asked[stream] = key
        if last_id == _FIRST:
            if before is not None and before.answer is not None:
                self._unfinished(before, frozenset(), spots)
            self._fetches[key] = _Fetch()
            self._forget()
            return
        expected = _FIRST if before is None or before.ended else before.last_id
        if before is None or before.ended:
            known = before is not None or self._begins_here(batch, row, last_id)
            before = self._fetches[key] = _Fetch(unsure=not known)
            self._forget()
        known_late = batch.known_frame[row] != batch.frame[row]
        if last_id != expected and not before.unsure and not known_late:
            before.wrong = spot_of(batch, row, last_id, 0, expected=expected)
        before.unsure = False
        before.last_id = last_id

    def _begins_here(self, batch: PduBatch, row: int, last_id: int) -> bool:
        """Tell whether a fetch that is not known would have been seen, had it begun before."""
        stream, direction = int(batch.stream[row]), int(batch.direction[row])
        if begins_blind(self._streams[stream], direction, int(batch.frame[row])):
            return False
        # 0 is what a program sends that knows no -1
        return last_id == 0 or int(batch.time_ns[row]) - (self._first_ns or 0) > self._t_ns

    def _answer(self, batch: PduBatch, row: int, route_id: int, result: int, spots: Spots) -> None:
        """Take a GET_ROUTE_RESP."""
        fetch = self._fetches.get(self._asked.get(int(batch.stream[row]), (0, 0, b"")))
        if fetch is None:
            return
        self._settle_wrong(fetch, frozenset(), spots)
        fetch.time_ns = int(batch.time_ns[row])
        fetch.last_id = route_id
        fetch.ended = result != _GOES_ON
        fetch.answer = spot_of(batch, row, route_id) if result == _GOES_ON else None

    def _lose(self, stream: int) -> None:
        """Forget what a Gap may have changed."""
        key = self._asked.get(stream)
        fetch = self._fetches.get(key) if key is not None else None
        if fetch is not None:
            fetch.wrong, fetch.answer, fetch.ended, fetch.unsure = None, None, False, True

    def _settle_wrong(self, fetch: _Fetch, lost: frozenset[int], spots: Spots) -> None:
        """Tell of a wrong Last_route_Id."""
        if fetch.wrong is not None and not lost & {2 * fetch.wrong.stream, 2 * fetch.wrong.stream + 1}:
            spots.setdefault("route-last-id", []).append(fetch.wrong)
        fetch.wrong = None

    def _unfinished(self, fetch: _Fetch, lost: frozenset[int], spots: Spots) -> None:
        """Tell of a fetch whose last answer was not the last route."""
        if fetch.answer is not None and not lost & {2 * fetch.answer.stream, 2 * fetch.answer.stream + 1}:
            spots.setdefault("route-no-end", []).append(fetch.answer)
        fetch.answer = None

    def _forget(self) -> None:
        """Keep to the limit."""
        while len(self._fetches) > _FETCHES:
            del self._fetches[next(iter(self._fetches))]
        while len(self._asked) > _FETCHES:
            del self._asked[next(iter(self._asked))]
