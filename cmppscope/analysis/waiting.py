"""Requests that wait for a response, and the changes of their number that a batch brings.

A request is +1 at its PDU; it is -1 at its response, or where it is given up: N·T later, since a sender may go on then
(CMPP 2.0 §6.1), or at a Gap in the direction of its response, which may lie in it. CONNECT, TERMINATE and ACTIVE_TEST
count nowhere, a resend counts as its request does, and so does a request that became known after its response.

Time for giving up is a clock of the whole capture that never goes back; 2 · row + 1 is the place of a PDU, 2 · row one
just before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from cmppscope.arrays import none, stable_order
from cmppscope.tables import I64, Bool, Oddity, PduBatch
from cmppscope.transactions import Paired
from dissectors.cmpp.enums import ACTIVE_TEST

AUDITED_SESSIONS = 20_000
"""Sessions with a higher number are not audited one by one."""
OPEN_REQUESTS = 1_000_000
"""Requests that are known to wait; beyond it the oldest are forgotten."""
ANSWER, GIVEN_UP, GAP = 0, 1, 2
"""What ends the waiting."""
NEVER = 1 << 62


def is_business(command: I64) -> Bool:
    """Tell which Command_Ids are requests that count in the window."""
    high = (command >= 0x10) & (command <= 0x17)
    counts: Bool = ((command >= 4) & (command <= 9) & (command != ACTIVE_TEST)) | high
    return counts


@dataclass(slots=True)
class Waiting:
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
class Events:
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


class Requests:
    """Follows the requests that wait."""

    def __init__(self, patience_ns: int) -> None:
        """`patience_ns` is N·T."""
        self._patience_ns = patience_ns
        self.waiting = Waiting()
        self.answered: I64 = none()
        """Requests that waited until a response of the last batch, not given up and not behind a Gap."""

    def feed(self, batch: PduBatch, session: I64, clock: I64, paired: Paired, gaps: list[Oddity]) -> Events:
        """Give the changes of levels that a batch brings, and keep the requests that wait on."""
        asks = is_business(batch.command) & (session < AUDITED_SESSIONS)
        asks[paired.resends] = False
        ends = np.full(len(batch), NEVER, np.int64)
        carried = self.waiting
        carried_ends = np.full(len(carried.pdu), NEVER, np.int64)
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
        every = Waiting(
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
        self.answered = every.pdu[(end != NEVER) & ((end & 1) == 1)]
        still = np.flatnonzero(end == NEVER)[-OPEN_REQUESTS:]
        self.waiting = Waiting(*(getattr(every, each.name)[still] for each in fields(every)))
        return self._in_order(batch, rows, group, every, end)

    def _give_up(self, every: Waiting, end: I64, clock: I64) -> None:
        """End the waiting of requests whose N·T passed before their response."""
        if not len(clock) or not len(end):
            return
        last = np.minimum(end >> 1, len(clock) - 1)
        late = np.flatnonzero(clock[last] >= every.until)
        end[late] = 2 * np.searchsorted(clock, every.until[late])

    def _forget_across(self, every: Waiting, end: I64, batch: PduBatch, gaps: list[Oddity]) -> None:
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
        end[found[first]] = place[first] | GAP << 60

    def _in_order(self, batch: PduBatch, rows: I64, group: I64, every: Waiting, end: I64) -> Events:
        """Sort the changes by group and place."""
        over = np.flatnonzero(end != NEVER)
        place = end[over] & ~(GAP << 60)
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
            kind = np.where(answer, ANSWER, np.where(end[over] >= GAP << 60, GAP, GIVEN_UP))
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
        return Events(*found, heads, owner)
