"""The window: how many requests of each session and direction wait for a response, at every moment.

Theory of operation. Sums of the changes that `waiting` gives, by session and direction and in order of the PDUs, are
the level. What is above W is told when a response brings the level back: until then a Gap may become known that holds
the responses. State: some numbers a session and direction, and the requests that wait.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cmppscope.analysis.cells import Cells
from cmppscope.analysis.waiting import ANSWER, AUDITED_SESSIONS, GAP, NEVER, Events, Requests, Waiting
from cmppscope.arrays import ByNumber, none
from cmppscope.reassembly import Streams
from cmppscope.rules.model import Hits, no_hits, places
from cmppscope.sessions import Session
from cmppscope.tables import I64, Bool, Oddity, PduBatch
from cmppscope.transactions import Paired, Transactions
from dissectors.cmpp.enums import DELIVER, FWD, SUBMIT

SERIES_CELLS = 1_000_000
"""Seconds in which a level is kept, over all sessions and directions."""
SECOND = 1_000_000_000
PLACE_BITS = 36
"""Bits of a second since 1970, shifted by EPOCH so that times before it fit as well."""
EPOCH = 1 << 34
RESULT_FLOW_CONTROL = 8
_THROTTLED = (SUBMIT, DELIVER, FWD)
"""Requests whose responses have a Result 8: SUBMIT, DELIVER, FWD."""


def over_ns(session: Session, last_time_ns: int) -> int:
    """Say when a session was over: closed, followed by another one, or cut off by the end of the capture."""
    if session.ended:
        return session.last_time_ns
    closing = session.stream.closing
    return last_time_ns if closing is None else closing.time_ns


@dataclass(slots=True)
class WindowState(ByNumber):
    """What is known of each session and direction (session * 2 + direction of the requests)."""

    level: I64 = field(default_factory=none)
    peak: I64 = field(default_factory=none)
    peak_frame: I64 = field(default_factory=none)
    full_ns: I64 = field(default_factory=none)
    """Time with W or more requests waiting."""
    last_ns: I64 = field(default_factory=none)
    """Time of the last event."""
    requests: I64 = field(default_factory=none)
    second: I64 = field(default_factory=none)
    """The second of the last request, and how many there were in it so far."""
    in_second: I64 = field(default_factory=none)
    busiest: I64 = field(default_factory=none)
    """Most requests in one second, and which second that is."""
    busiest_second: I64 = field(default_factory=none)
    active: I64 = field(default_factory=none)
    """Seconds with a request."""
    throttled: I64 = field(default_factory=none)
    """Responses with Result 8."""
    exceeded: I64 = field(default_factory=none)
    """Times that the level rose above W, and 1 while it may be there."""
    above: I64 = field(default_factory=none)
    top: I64 = field(default_factory=none)
    """Highest level since then, and the request that brought it there."""
    pdu: I64 = field(default_factory=none)
    frame: I64 = field(default_factory=none)
    stream: I64 = field(default_factory=none)
    offset: I64 = field(default_factory=none)
    command: I64 = field(default_factory=none)


class Window:
    """Follows the requests that wait."""

    def __init__(self, streams: Streams, limit: int, patience_ns: int) -> None:
        """`limit` is W, `patience_ns` is N·T; `streams` is the list that reassembly keeps."""
        self._streams = streams
        self._limit = limit
        self._patience_ns = patience_ns
        self._requests = Requests(patience_ns)
        self._clock = -NEVER
        self._unsure: dict[int, int] = {}
        """Clock up to which a stream's level may be too low, since a Gap hides requests."""
        self.state = WindowState()
        self.series = Cells(PLACE_BITS, SERIES_CELLS, "max")
        """Highest level by session and direction, and second."""

    def feed(self, batch: PduBatch, session: I64, paired: Paired, odd: list[Oddity]) -> tuple[Hits, Hits]:
        """Take a batch; give where W was exceeded, and where Result 8 was answered although it was not."""
        throttling = self._throttling(paired.closed)
        gaps = [o for o in odd if o.fault == "capture" and o.kind in ("gap", "skipped")]
        if not len(batch) and not gaps:
            return no_hits(), no_hits()
        clock = np.maximum(np.maximum.accumulate(batch.time_ns), self._clock)
        before = self._requests.waiting
        events = self._requests.feed(batch, session, clock, paired, gaps)
        exceeded = throttled = no_hits()
        if len(events.place):
            self._add_up(events)
            asked = self._note_levels(batch, events)
            self._note_peaks(batch, events)
            self._note_seconds(events)
            exceeded = self._episodes(batch, events)
            throttled = self._flow_control(batch, clock, throttling, gaps, before, asked)
        for gap in gaps:
            at = int(np.searchsorted(batch.known_frame, gap.known_frame))
            self._unsure[gap.stream] = (int(clock[at - 1]) if at else self._clock) + self._patience_ns
        if len(clock):
            self._clock = int(clock[-1])
        return exceeded, throttled

    def _add_up(self, events: Events) -> None:
        """Compute the levels, and set the times of Gaps to those of the event before."""
        state, heads = self.state, events.heads
        groups = events.group[heads]
        total = np.cumsum(events.delta)
        base = state.level[groups] - total[heads] + events.delta[heads]
        events.level = total + np.repeat(base, np.diff(np.r_[heads, len(total)]))
        gap = events.kind == GAP
        if gap.any():
            known = np.arange(len(gap))
            known[gap] = 0
            known[heads] = heads
            known = np.maximum.accumulate(known)
            events.time_ns = events.time_ns[known]
            first = np.flatnonzero(gap[known])
            events.time_ns[first] = state.last_ns[events.group[first]]

    def _note_levels(self, batch: PduBatch, events: Events) -> I64:
        """Give how many requests waited when each of the batch was sent; keep it with those that wait on."""
        asked = np.zeros(len(batch), np.int64)
        sent = events.delta > 0
        asked[events.place[sent] >> 1] = events.level[sent]
        new = self._requests.waiting.pdu >= batch.first
        self._requests.waiting.level[new] = asked[self._requests.waiting.pdu[new] - batch.first]
        return asked

    def _note_peaks(self, batch: PduBatch, events: Events) -> None:
        """Keep peaks, levels and the time at the limit."""
        state, heads, level = self.state, events.heads, events.level
        groups = events.group[heads]
        tails = np.r_[heads[1:], len(level)]
        peak = np.maximum.reduceat(level, heads)
        for at in np.flatnonzero(peak > state.peak[groups]).tolist():
            begin, end = int(heads[at]), int(tails[at])
            row = int(events.place[begin + int(np.argmax(level[begin:end]))]) >> 1
            state.peak_frame[groups[at]] = batch.frame[row]
        state.peak[groups] = np.maximum(state.peak[groups], peak)
        before = np.r_[np.int64(0), level[:-1]]
        before[heads] = state.level[groups]
        full = before >= self._limit
        if full.any():
            since = np.r_[np.int64(0), events.time_ns[:-1]]
            since[heads] = state.last_ns[groups]
            spent = np.where(full, np.maximum(events.time_ns - since, 0), 0)
            state.full_ns[groups] += np.add.reduceat(spent, heads)
        state.level[groups] = level[tails - 1]
        state.last_ns[groups] = events.time_ns[tails - 1]

    def _note_seconds(self, events: Events) -> None:
        """Count requests by second, and keep the highest level of each."""
        state = self.state
        starts, owner, second = _runs(events.group, events.time_ns // SECOND)
        self.series.add(owner, second + EPOCH, np.maximum.reduceat(events.level, starts))
        asks = events.delta > 0
        group = events.group[asks]
        if not len(group):
            return
        starts, owner, second = _runs(group, events.time_ns[asks] // SECOND)
        count = np.diff(np.r_[starts, len(group)])
        first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        last = np.r_[first[1:], len(owner)] - 1
        groups = owner[first]
        state.requests[groups] += np.add.reduceat(count, first)
        goes_on = (state.second[groups] == second[first]) & (state.in_second[groups] > 0)
        count[first[goes_on]] += state.in_second[groups[goes_on]]
        state.active[groups] += last - first + 1 - goes_on
        most = np.maximum.reduceat(count, first)
        for at in np.flatnonzero(most > state.busiest[groups]).tolist():
            run = int(first[at]) + int(np.argmax(count[first[at] : last[at] + 1]))
            state.busiest_second[groups[at]] = second[run]
        state.busiest[groups] = np.maximum(state.busiest[groups], most)
        state.second[groups], state.in_second[groups] = second[last], count[last]

    def _episodes(self, batch: PduBatch, events: Events) -> Hits:
        """Give the requests with which W was exceeded, of those times that are over and sure."""
        state, level, heads, group = self.state, events.level, events.heads, events.group
        groups = group[heads]
        if not state.above[groups].any() and not (level > self._limit).any():
            return no_hits()
        up = (level > self._limit) & (events.delta > 0)
        down = (events.delta < 0) & ((events.kind == GAP) | ((level <= self._limit) & (events.kind == ANSWER)))
        marks = np.flatnonzero(up | down)
        before = np.r_[False, up[marks]][:-1]
        fresh = np.r_[True, group[marks][1:] != group[marks][:-1]][: len(marks)]
        before[fresh] = state.above[group[marks][fresh]] == 1
        marks = marks[up[marks] != before]
        bounds = np.union1d(heads, marks)
        tops = np.maximum.reduceat(level, bounds)
        on = np.flatnonzero(state.above[groups] == 1)
        state.top[groups[on]] = np.maximum(state.top[groups[on]], tops[np.searchsorted(bounds, heads[on])])
        rises, owner = up[marks], group[marks]
        over = np.flatnonzero(~rises)
        sure = over[events.kind[marks[over]] == ANSWER]
        here = (sure > 0) & (owner[sure - 1] == owner[sure])
        found = _join([self._told(owner[sure[~here]]), self._seen(batch, events, marks[sure[here] - 1], tops, bounds)])
        np.add.at(state.exceeded, owner[sure], 1)
        last = np.flatnonzero(np.r_[owner[1:] != owner[:-1], True]) if len(owner) else over
        state.above[owner[last]] = rises[last]
        above = last[rises[last]]
        self._keep(owner[above], self._seen(batch, events, marks[above], tops, bounds))
        return found

    def _seen(self, batch: PduBatch, events: Events, marks: I64, tops: I64, bounds: I64) -> Hits:
        """Give the requests of a batch that exceeded W, each with the highest level since."""
        return places(batch, events.place[marks] >> 1, tops[np.searchsorted(bounds, marks)], self._limit)

    def _keep(self, groups: I64, begun: Hits) -> None:
        """Keep, of some groups, the requests that exceeded W."""
        state = self.state
        for name in ("pdu", "frame", "stream", "offset", "command"):
            getattr(state, name)[groups] = getattr(begun, name)
        state.top[groups] = begun.a

    def _told(self, groups: I64) -> Hits:
        """Give the requests kept of some groups."""
        state = self.state
        return Hits(
            state.pdu[groups],
            state.frame[groups],
            state.stream[groups],
            groups & 1,
            state.offset[groups],
            state.command[groups],
            state.top[groups],
            np.full(len(groups), self._limit),
        )

    def close(self, sessions: list[Session], last_time_ns: int, lost_tails: frozenset[int]) -> Hits:
        """Settle the end of the capture: time at the limit, and where W is exceeded to the end."""
        state, sure = self.state, []
        for group in np.flatnonzero((state.level >= self._limit) | (state.above == 1)).tolist():
            session = sessions[group >> 1]
            back = 1 - (group & 1)
            if not _heard(session, back) or session.stream.number * 2 + back in lost_tails:
                continue
            until = np.sort(self._requests.waiting.until[self._requests.waiting.group == group])
            beyond = int(state.level[group]) - self._limit
            end = min([over_ns(session, last_time_ns), *until[beyond : beyond + 1].tolist()])
            if beyond >= 0:
                state.full_ns[group] += max(0, end - int(state.last_ns[group]))
            if state.above[group]:
                sure.append(group)
        groups = np.array(sure, np.int64)
        state.exceeded[groups] += 1
        return self._told(groups)

    def levels(self, group: int, most: int) -> tuple[int, int, list[int]]:
        """Give the highest levels of a session and direction over time: (second since 1970, seconds a bucket, levels).

        At most `most` buckets; one in which no request came and none was answered holds 0.
        """
        place, level = self.series.of(group)
        if not len(place):
            return 0, 1, []
        doublings = self.series.halvings
        while int(place[-1] - place[0]) >= most:
            place, doublings = place >> 1, doublings + 1
        starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
        levels = np.zeros(int(place[-1] - place[0]) + 1, np.int64)
        levels[place[starts] - place[0]] = np.maximum.reduceat(level, starts)
        return (int(place[0]) << doublings) - EPOCH, 1 << doublings, levels.tolist()

    def _throttling(self, closed: Transactions) -> tuple[I64, I64]:
        """Count the responses with Result 8; give requests and responses where the one came behind the other."""
        which = np.flatnonzero(closed.result == RESULT_FLOW_CONTROL)
        which = which[np.isin(closed.command[which], _THROTTLED) & (closed.session[which] < AUDITED_SESSIONS)]
        if len(which):
            owner = closed.session[which] * 2 + closed.direction[which]
            np.add.at(self.state.throttled, owner, 1)
        behind = which[closed.response_pdu[which] > closed.pdu[which]]
        return closed.pdu[behind], closed.response_pdu[behind]

    def _flow_control(
        self,
        batch: PduBatch,
        clock: I64,
        throttling: tuple[I64, I64],
        gaps: list[Oddity],
        before: Waiting,
        asked: I64,
    ) -> Hits:
        """Give the responses with Result 8 to requests with which no more than W waited.

        `before` are the requests that waited before the batch, `asked` the levels of those of the batch.
        """
        requests, responses = throttling
        if not len(requests):
            return no_hits()
        here = requests >= batch.first
        level = np.zeros(len(requests), np.int64)
        level[here] = asked[requests[here] - batch.first]
        if len(before.pdu):
            at = np.minimum(np.searchsorted(before.pdu, requests), len(before.pdu) - 1)
            known = ~here & (before.pdu[at] == requests)
            level[known] = before.level[at[known]]
        rows = responses - batch.first
        respected = (level > 0) & (level <= self._limit) & np.isin(requests, self._requests.answered)
        respected &= self._sure(batch, clock, rows, gaps)
        return places(batch, rows[respected], level[respected], self._limit)

    def _sure(self, batch: PduBatch, clock: I64, rows: I64, gaps: list[Oddity]) -> Bool:
        """Tell at which rows all requests that wait are known: none was sent before the capture or lies in a Gap."""
        sure = np.ones(len(rows), np.bool_)
        for number in np.unique(batch.stream[rows]).tolist():
            stream, mine = self._streams[number], batch.stream[rows] == number
            told = None if None in stream.isn else max(stream.isn_frame)
            blind = np.ones(len(rows), np.bool_) if told is None else batch.frame[rows] < told
            until = stream.first_time_ns + self._patience_ns
            sure &= ~(mine & ((blind & (clock[rows] < until)) | (clock[rows] < self._unsure.get(number, -NEVER))))
        for gap in gaps:
            at = int(np.searchsorted(batch.known_frame, gap.known_frame))
            until = (int(clock[at - 1]) if at else self._clock) + self._patience_ns
            sure &= ~((batch.stream[rows] == gap.stream) & (rows >= at) & (clock[rows] < until))
        return sure


def _runs(group: I64, second: I64) -> tuple[I64, I64, I64]:
    """Give (where, group, second) of each run of events of one group within one second."""
    starts = np.flatnonzero(np.r_[True, (group[1:] != group[:-1]) | (second[1:] != second[:-1])])
    return starts, group[starts], second[starts]


def _heard(session: Session, direction: int) -> bool:
    """Tell whether the capture sees a direction of a session."""
    known = session.stream.isn[direction] is not None or any(way == direction for way, _ in session.counts)
    return known and session.stream.seen[direction]


def _join(parts: list[Hits]) -> Hits:
    """Put places one behind the other."""
    names = ("pdu", "frame", "stream", "direction", "offset", "command", "a", "b")
    joined = no_hits()
    for name in names:
        setattr(joined, name, np.concatenate([getattr(part, name) for part in parts]))
    return joined
