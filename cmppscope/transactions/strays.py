"""Responses that answer nothing: what each of them is."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from cmppscope.reassembly import Streams
from cmppscope.tables import I64
from cmppscope.transactions.table import (
    DUPLICATE,
    HISTORY,
    LANE,
    LATE,
    ORPHAN,
    OTHER_CONNECTION,
    TYPE_MISMATCH,
    WRONG_DIRECTION,
    Number,
    Pairs,
    Stray,
    Transactions,
    Work,
    key_of,
)
from dissectors.cmpp.enums import RESPONSE

_NUMBER = (1 << 37) - 1
"""The part of a key that holds Command_Id and Sequence_Id."""
_NEVER = 1 << 62

History = tuple[I64, I64, I64]
"""Requests: key, PDU, PDU of the first sending."""


class Answers:
    """Knows which responses of the last HISTORY PDUs went to requests, and which requests were given up."""

    def __init__(self) -> None:
        """Begin with none."""
        self._batches: list[tuple[I64, I64, I64]] = []
        """Key, PDU and frame of responses, a batch each."""
        self._late: list[tuple[I64, I64, I64, I64]] = []
        """Kind and time of requests, PDU and frame of their late responses, a batch each."""
        self._given_up: dict[int, list[int]] = {}
        """PDUs by which requests were given up, by key."""
        self.checks: dict[int, int] = {}
        """Check of the request that became known after its response, by PDU of the response."""

    def feed(self, work: Work, pairs: Pairs, closed: Transactions, oldest: int) -> None:
        """Take the pairs of a batch, and the transactions that they close; let go of PDUs up to the oldest."""
        rows = np.flatnonzero(pairs.response >= 0)
        answer = pairs.response[rows]
        claimed = np.array([(_key(s), s.pdu, s.frame) for s in pairs.claimed.values()], np.int64)
        found = np.stack([work.key[answer], work.pdu[answer], work.frame[answer]], 1)
        key, pdu, frame = np.concatenate([found, claimed.reshape(-1, 3)]).T
        self._batches = [batch for batch in self._batches if int(batch[1].max()) > oldest]
        if len(key):
            self._batches.append((key, pdu, frame))
        self._forget(oldest)
        late = np.flatnonzero(closed.state == LATE)
        if len(late):
            at = np.searchsorted(work.pdu, closed.pdu[late])
            kind = kind_of(work.key[at], work.length[at])
            self._late.append((kind, closed.time_ns[late], closed.response_pdu[late], closed.response_frame[late]))
        for row, known in pairs.lost.items():
            self._given_up.setdefault(int(work.key[row]), []).append(known)

    def behind(self, key: int, frame: int, pdu: int) -> list[int]:
        """Give the responses of a key, in a frame or behind it, that went to requests not long before a PDU."""
        found: list[int] = []
        for k, p, f in self._batches:
            found += p[(k == key) & (f >= frame) & (p > pdu - HISTORY)].tolist()
        return found

    def late_behind(self, kind: int, sent_ns: int, frame: int, pdu: int) -> list[int]:
        """Give the late ones among the responses, in a frame or behind it, to requests of a kind sent up to a time."""
        found: list[int] = []
        for k, sent, p, f in self._late:
            found += p[(k == kind) & (sent <= sent_ns) & (f >= frame) & (p > pdu - HISTORY)].tolist()
        return found

    def given_up(self, key: int, pdu: int) -> int:
        """Count the requests of a key that were given up with a PDU or not long before it."""
        return sum(pdu - HISTORY < known <= pdu for known in self._given_up.get(key, []))

    def _forget(self, oldest: int) -> None:
        """Let go of PDUs up to the oldest."""
        if self.checks:
            self.checks = {pdu: check for pdu, check in self.checks.items() if pdu > oldest}
        self._late = [batch for batch in self._late if int(batch[2].max()) > oldest]
        if self._given_up:
            left = {key: [pdu for pdu in pdus if pdu > oldest] for key, pdus in self._given_up.items()}
            self._given_up = {key: pdus for key, pdus in left.items() if pdus}


def kind_of(key: Number, length: Number) -> Number:
    """Give what requests share with their resends under another Sequence_Id: stream, direction, command and length."""
    return (key >> LANE << 14) | length


def _key(stray: Stray) -> int:
    """Give the key of a response."""
    return key_of(stray.stream, 1 - stray.direction, stray.command & ~RESPONSE, stray.sequence)


class LookUp:
    """Finds requests by key among those of the batch, those open and those of the history."""

    def __init__(self, history: list[History], work: Work, pairs: Pairs) -> None:
        """`history` holds the requests of the batch as well; sort all keys once."""
        self._pairs = pairs
        key, pdu, first = (np.concatenate(column) for column in zip(*history, strict=True))
        order = np.lexsort((pdu, key))
        self._key, self._pdu, self._first = key[order], pdu[order], first[order]
        self._work = work

    def before(self, key: int, pdu: int) -> int:
        """Give the last PDU of a key before another PDU and within HISTORY of it, 0 where there is none."""
        low, high = np.searchsorted(self._key, [key, key + 1])
        at = int(np.searchsorted(self._pdu[low:high], pdu)) - 1
        found = int(self._pdu[low + at]) if at >= 0 else 0
        return found if found > pdu - HISTORY else 0

    def classify(self, work: Work, row: int, streams: Streams) -> tuple[int, int, int]:
        """Say which kind of stray a response is, and which request made it so: (kind, PDU, Command_Id)."""
        key, pdu = int(work.key[row]), int(work.pdu[row])
        mine = int(work.command[row])
        back, answered = key ^ 1 << 37, self.before(key, pdu)
        # both directions count on their own: an answered request of this side says nothing where the other side asked
        if other := self._open_before(back, pdu) or (0 if answered else self.before(back, pdu)):
            return WRONG_DIRECTION, other, mine
        base = key & ~(0x1F << 32)
        for command in (1, 2, 4, 5, 6, 7, 8, 9, *range(0x10, 0x18)):
            if command != mine and (other := self._open_before(base | command << 32, pdu)):
                return TYPE_MISMATCH, other, command
        if other := self._elsewhere(work, row, streams):
            return OTHER_CONNECTION, other, mine
        if answered:
            return DUPLICATE, answered, mine
        return ORPHAN, 0, 0

    def sendings(self, pdu: int, other: int) -> tuple[int, int]:
        """Give the first sending of the request in PDU `other`, and how often it was sent again before a PDU."""
        first = int(self._first[self._pdu == other][0])
        same = self._pdu[(self._first == first) & (self._pdu < pdu) & (self._pdu > pdu - HISTORY)]
        return first, int((same > first).sum())

    def _open_before(self, key: int, pdu: int) -> int:
        """Give an unanswered request of a key before a PDU, 0 where there is none."""
        return next((p for p, answer in self._requests.get(key, []) if p < pdu and answer > pdu), 0)

    def _elsewhere(self, work: Work, row: int, streams: Streams) -> int:
        """Give an unanswered request with the same numbers on another connection of the same two hosts."""
        key, pdu = int(work.key[row]), int(work.pdu[row])
        stream = streams[int(work.stream[row])]
        hosts = {stream.originator.address, stream.responder.address}
        found = []
        for other in self._same_number.get(key & _NUMBER, []):
            there = streams[other >> 38]
            if there != stream and {there.originator.address, there.responder.address} == hosts:
                found.append(self._open_before(other, pdu))
        return min(filter(None, found), default=0)

    @cached_property
    def _requests(self) -> dict[int, list[tuple[int, int]]]:
        """The working set's requests by key: (PDU, PDU that settled it or a number beyond all); no resends."""
        found: dict[int, list[tuple[int, int]]] = {}
        work, pairs = self._work, self._pairs
        for row in np.flatnonzero(work.is_request & (work.first == 0)).tolist():
            if row in pairs.joined:
                continue
            answer = int(pairs.response[row])
            settled = int(work.pdu[answer]) if answer >= 0 else pairs.lost.get(row, _NEVER)
            entry = (int(work.pdu[row]), pairs.claimed[row].pdu if row in pairs.claimed else settled)
            found.setdefault(int(work.key[row]), []).append(entry)
        return found

    @cached_property
    def _same_number(self) -> dict[int, list[int]]:
        """The keys of those requests by Command_Id and Sequence_Id."""
        found: dict[int, list[int]] = {}
        for key in self._requests:
            found.setdefault(key & _NUMBER, []).append(key)
        return found
