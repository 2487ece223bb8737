"""The window: how many requests of each session and direction wait for a response, at every moment.

Theory of operation. A request is +1 at its PDU; it is -1 at its response, or where it is given up: N·T later, since a
sender may go on then (CMPP 2.0 §6.1), or at a Gap in the direction of its response, which may lie in it. Sums of these
events by session and direction, in order of the PDUs, are the level. CONNECT, TERMINATE and ACTIVE_TEST count nowhere,
a resend counts as its request does, and so does a request that became known after its response.

Time for giving up is a clock of the whole capture that never goes back; 2 · row + 1 is the place of a PDU, 2 · row one
just before it. What is above W is told when a response brings the level back: until then a Gap may become known that
holds the responses. State: some numbers a session and direction, and the requests that wait.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from cmppscope.analysis.cells import Cells
from cmppscope.arrays import ByNumber, none, stable_order
from cmppscope.reassembly import Streams
from cmppscope.rules.model import Hits, no_hits, places
from cmppscope.sessions import Session
from cmppscope.tables import I64, Bool, Oddity, PduBatch
from cmppscope.transactions import Paired, Transactions
from dissectors.cmpp.enums import ACTIVE_TEST, DELIVER, FWD, SUBMIT

AUDITED_SESSIONS = 20_000
"""Sessions with a higher number are not audited one by one."""
OPEN_REQUESTS = 1_000_000
"""Requests that are known to wait; beyond it the oldest are forgotten."""
SERIES_CELLS = 1_000_000
"""Seconds in which a level is kept, over all sessions and directions."""
SECOND = 1_000_000_000
PLACE_BITS = 36
"""Bits of a second since 1970, shifted by EPOCH so that times before it fit as well."""
EPOCH = 1 << 34
RESULT_FLOW_CONTROL = 8
_THROTTLED = (SUBMIT, DELIVER, FWD)
"""Requests whose responses have a Result 8: SUBMIT, DELIVER, FWD."""
_NEVER = 1 << 62
_ANSWER, _GIVEN_UP, _GAP = 0, 1, 2


def is_business(command: I64) -> Bool:
    """Tell which Command_Ids are requests that count in the window."""
    high = (command >= 0x10) & (command <= 0x17)
    counts: Bool = ((command >= 4) & (command <= 9) & (command != ACTIVE_TEST)) | high
    return counts


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


@dataclass(slots=True)
class _Waiting:
    """Requests that wait, in order of their PDUs."""

    pdu: I64 = field(default_factory=none)
    group: I64 = field(default_factory=none)
    lane: I64 = field(default_factory=none)
    """Stream * 2 + direction."""
    until: I64 = field(default_factory=none)
    """Clock at which the request is given up."""
    level: I64 = field(default_factory=none)
    """Requests that waited when it was sent, with itself."""


@dataclass(slots=True)
class _Events:
    """Changes of levels, by group and then in order."""

    place: I64
    group: I64
    delta: I64
    kind: I64
    time_ns: I64
    heads: I64
    """Where each group begins."""
    level: I64
    """Level behind each event."""


class Window:
    """Follows the requests that wait."""

    def __init__(self, streams: Streams, limit: int, patience_ns: int) -> None:
        """`limit` is W, `patience_ns` is N·T; `streams` is the list that reassembly keeps."""
        self._streams = streams
        self._limit = limit
        self._patience_ns = patience_ns
        self._waiting = _Waiting()
        self._answered: I64 = none()
        """Requests that waited until a response of the last batch, not given up and not behind a Gap."""
        self._clock = -_NEVER
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
        before = self._waiting
        events = self._events(batch, session, clock, paired, gaps)
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

    def _events(self, batch: PduBatch, session: I64, clock: I64, paired: Paired, gaps: list[Oddity]) -> _Events:
        """Give the changes of levels that a batch brings, and keep the requests that wait on."""
        asks = is_business(batch.command) & (session < AUDITED_SESSIONS)
        asks[paired.resends] = False
        ends = np.full(len(batch), _NEVER, np.int64)
        carried = self._waiting
        carried_ends = np.full(len(carried.pdu), _NEVER, np.int64)
        closed = paired.closed
        mine = closed.pdu >= batch.first
        early = mine & (closed.response_pdu > 0) & (closed.response_pdu <= closed.pdu)
        asks[closed.pdu[early] - batch.first] = False
        answered = closed.response_pdu > closed.pdu
        here = answered & mine
        ends[closed.pdu[here] - batch.first] = 2 * (closed.response_pdu[here] - batch.first) + 1
        before = np.flatnonzero(answered & ~mine)
        if len(before) and len(carried.pdu):
            at = np.minimum(np.searchsorted(carried.pdu, closed.pdu[before]), len(carried.pdu) - 1)
            known = carried.pdu[at] == closed.pdu[before]
            carried_ends[at[known]] = 2 * (closed.response_pdu[before[known]] - batch.first) + 1
        rows = np.flatnonzero(asks)
        group = session[rows] * 2 + batch.direction[rows]
        lane = batch.stream[rows] * 2 + batch.direction[rows]
        every = _Waiting(
            np.concatenate([carried.pdu, batch.first + rows]),
            np.concatenate([carried.group, group]),
            np.concatenate([carried.lane, lane]),
            np.concatenate([carried.until, clock[rows] + self._patience_ns]),
            np.concatenate([carried.level, np.zeros_like(rows)]),
        )
        end = np.concatenate([carried_ends, ends[rows]])
        self._give_up(every, end, clock)
        if gaps:
            self._forget_across(every, end, batch, gaps)
        self._answered = every.pdu[(end != _NEVER) & ((end & 1) == 1)]
        still = np.flatnonzero(end == _NEVER)[-OPEN_REQUESTS:]
        self._waiting = _Waiting(*(getattr(every, each.name)[still] for each in fields(every)))
        return self._in_order(batch, rows, group, every, end)

    def _give_up(self, every: _Waiting, end: I64, clock: I64) -> None:
        """End the waiting of requests whose N·T passed before their response."""
        if not len(clock) or not len(end):
            return
        last = np.minimum(end >> 1, len(clock) - 1)
        late = np.flatnonzero(clock[last] >= every.until)
        end[late] = 2 * np.searchsorted(clock, every.until[late])

    def _forget_across(self, every: _Waiting, end: I64, batch: PduBatch, gaps: list[Oddity]) -> None:
        """End, at a Gap, the waiting of requests whose response may lie in it."""
        rows = len(batch) + 1
        keys = np.array(
            sorted(
                (g.stream * 2 + 1 - g.direction) * rows + int(np.searchsorted(batch.known_frame, g.known_frame))
                for g in gaps
            ),
            np.int64,
        )
        wanted = every.lane * rows + np.maximum(every.pdu - batch.first + 1, 0)
        at = np.searchsorted(keys, wanted)
        found = np.flatnonzero((at < len(keys)) & (keys[np.minimum(at, len(keys) - 1)] // rows == every.lane))
        place = 2 * (keys[at[found]] % rows)
        first = place <= end[found]
        end[found[first]] = place[first] | _GAP << 60

    def _in_order(self, batch: PduBatch, rows: I64, group: I64, every: _Waiting, end: I64) -> _Events:
        """Sort the changes by group and place."""
        over = np.flatnonzero(end != _NEVER)
        place = end[over] & ~(_GAP << 60)
        answer = (place & 1) == 1
        if answer.all():
            delta, owner = np.zeros(len(batch), np.int64), np.zeros(len(batch), np.int64)
            ended = place >> 1
            delta[rows], owner[rows] = 1, group
            delta[ended], owner[ended] = -1, every.group[over]
            row = np.flatnonzero(delta)
            order = row[stable_order(owner[row])]
            found = (2 * order + 1, owner[order], delta[order], np.zeros(len(order), np.int64), batch.time_ns[order])
        else:
            kind = np.where(answer, _ANSWER, np.where(end[over] >= _GAP << 60, _GAP, _GIVEN_UP))
            places = np.concatenate([2 * rows + 1, place])
            owner = np.concatenate([group, every.group[over]])
            times = np.concatenate([batch.time_ns[rows], np.where(answer, 0, every.until[over])])
            times[len(rows) :][answer] = batch.time_ns[place[answer] >> 1]
            order = np.lexsort((places, owner))
            deltas = np.concatenate([np.ones(len(rows), np.int64), np.full(len(over), -1, np.int64)])
            kinds = np.concatenate([np.zeros(len(rows), np.int64), kind])
            found = (places[order], owner[order], deltas[order], kinds[order], times[order])
        owner = found[1]
        heads = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]]) if len(owner) else owner
        return _Events(*found, heads, owner)

    def _add_up(self, events: _Events) -> None:
        """Compute the levels, and set the times of Gaps to those of the event before."""
        state, heads = self.state, events.heads
        groups = events.group[heads]
        state.grow(int(groups[-1]) + 1)
        total = np.cumsum(events.delta)
        base = state.level[groups] - total[heads] + events.delta[heads]
        events.level = total + np.repeat(base, np.diff(np.r_[heads, len(total)]))
        gap = events.kind == _GAP
        if gap.any():
            known = np.arange(len(gap))
            known[gap] = 0
            known[heads] = heads
            known = np.maximum.accumulate(known)
            events.time_ns = events.time_ns[known]
            first = np.flatnonzero(gap[known])
            events.time_ns[first] = state.last_ns[events.group[first]]

    def _note_levels(self, batch: PduBatch, events: _Events) -> I64:
        """Give how many requests waited when each of the batch was sent; keep it with those that wait on."""
        asked = np.zeros(len(batch), np.int64)
        sent = events.delta > 0
        asked[events.place[sent] >> 1] = events.level[sent]
        new = self._waiting.pdu >= batch.first
        self._waiting.level[new] = asked[self._waiting.pdu[new] - batch.first]
        return asked

    def _note_peaks(self, batch: PduBatch, events: _Events) -> None:
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

    def _note_seconds(self, events: _Events) -> None:
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

    def _episodes(self, batch: PduBatch, events: _Events) -> Hits:
        """Give the requests with which W was exceeded, of those times that are over and sure."""
        state, level, heads, group = self.state, events.level, events.heads, events.group
        groups = group[heads]
        if not state.above[groups].any() and not (level > self._limit).any():
            return no_hits()
        up = (level > self._limit) & (events.delta > 0)
        down = (events.delta < 0) & ((events.kind == _GAP) | ((level <= self._limit) & (events.kind == _ANSWER)))
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
        sure = over[events.kind[marks[over]] == _ANSWER]
        here = (sure > 0) & (owner[sure - 1] == owner[sure])
        found = _join([self._told(owner[sure[~here]]), self._seen(batch, events, marks[sure[here] - 1], tops, bounds)])
        np.add.at(state.exceeded, owner[sure], 1)
        last = np.flatnonzero(np.r_[owner[1:] != owner[:-1], True]) if len(owner) else over
        state.above[owner[last]] = rises[last]
        above = last[rises[last]]
        self._keep(owner[above], self._seen(batch, events, marks[above], tops, bounds))
        return found

    def _seen(self, batch: PduBatch, events: _Events, marks: I64, tops: I64, bounds: I64) -> Hits:
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
            until = np.sort(self._waiting.until[self._waiting.group == group])
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
            self.state.grow(int(owner.max()) + 1)
            np.add.at(self.state.throttled, owner, 1)
        behind = which[closed.response_pdu[which] > closed.pdu[which]]
        return closed.pdu[behind], closed.response_pdu[behind]

    def _flow_control(
        self,
        batch: PduBatch,
        clock: I64,
        throttling: tuple[I64, I64],
        gaps: list[Oddity],
        before: _Waiting,
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
        respected = (level > 0) & (level <= self._limit) & np.isin(requests, self._answered)
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
            sure &= ~(mine & ((blind & (clock[rows] < until)) | (clock[rows] < self._unsure.get(number, -_NEVER))))
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
