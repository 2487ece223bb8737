"""Keys that hold anything but one request and its response, walked one PDU at a time.

A resend under another Sequence_Id ties keys together: then all keys of its lane (stream, direction and command) are
walked as one, in order. `lanes` finds where that may be so, without walking.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.tables import I64, Bool, PduBatch
from cmppscope.transactions.table import (
    EMPTY_BODIES,
    HISTORY,
    SWAPPED_NS,
    SWAPPED_PDUS,
    Pairs,
    Resend,
    Reuse,
    Stray,
    Timers,
    Work,
    check_of,
)

_LANE = 32
"""Bits of a key below its lane."""


class Walker:
    """Pairs the keys that hold anything but one request and its response."""

    def __init__(
        self,
        work: Work,
        batch: PduBatch,
        opened: int,
        pairs: Pairs,
        timers: Timers,
        claim: Callable[[int, Callable[[int, int, int], bool]], Stray | None],
        lossy: Callable[[Work, int, int], bool],
        asked: Callable[[int, int], bool],
        answered: Callable[[int, int, int], bool],
    ) -> None:
        """`opened` rows were open before the batch.

        `claim` hands out a response kept for a key, where its PDU, frame and time fit. `lossy` tells of the rows of a
        request and a response whether a Gap lies between them, `asked` whether there was a request of a key before a
        PDU in an earlier batch, `answered` whether a response of a key, in a frame or behind it, went in one to another
        request not long before a PDU.
        """
        self._answered_before = answered
        self._asked_before = asked
        self._claim_kept = claim
        self._lossy = lossy
        self._t_ns = timers.t_ns
        self._work = work
        self._batch = batch
        self._opened = opened
        self._pairs = pairs
        self._row_of: dict[int, int] = {}
        self._asked: dict[int, int] = {}
        """The first request of each key walked."""
        self._answers: dict[int, list[tuple[int, int]]] = {}
        """PDU and frame of the responses of each key walked that went to a request."""
        self.strays: list[int] = []
        self.reuses: list[Reuse] = []
        self.sent_again: list[Resend] = []

    def lanes(self, paired: Bool) -> I64:
        """Find the lanes that may hold resends under another Sequence_Id; `paired` marks requests paired already."""
        work = self._work
        lane = work.key >> _LANE
        found = set(lane[work.first > 0].tolist())
        now = np.maximum.accumulate(work.time_ns)
        waited = np.where(paired, now[self._pairs.response], now[-1]) - work.time_ns
        slow = np.flatnonzero(
            work.is_request & (work.first == 0) & (waited >= self._t_ns) & ~np.isin(work.command, EMPTY_BODIES)
        )
        if len(slow):
            kind = (lane << 14) | work.length
            later = self._opened + np.flatnonzero(
                work.is_request[self._opened :] & np.isin(kind[self._opened :], kind[slow])
            )
            first: dict[tuple[int, int], list[int]] = {}
            for row in slow.tolist():
                first.setdefault((int(kind[row]), self._check(row)), []).append(row)
            for row in later.tolist():
                others = first.get((int(kind[row]), self._check(row)), [])
                if any(self._may_repeat(other, row) for other in others):
                    found.add(int(lane[row]))
        return np.array(sorted(found), np.int64)

    def walk(self, rows: list[int], *, across: bool = False) -> None:
        """Pair the rows of one key, or, `across` its keys, of one lane, in order."""
        work, pairs = self._work, self._pairs
        waiting: dict[int, list[int]] = {}
        unclaimed: dict[int, list[int]] = {}
        for row in rows:
            key = int(work.key[row])
            mine = waiting.setdefault(key, [])
            if across:
                mine[:] = [other for other in mine if not self._is_settled(self._first(other))]
            if not work.is_request[row]:
                self._give_up_lost(mine, row)
                if mine:
                    pairs.response[self._first(mine.pop(0))] = row
                    self._note_answer(key, *work.row(row, "pdu", "frame"))
                else:
                    unclaimed.setdefault(key, []).append(row)
                continue
            if row >= self._opened and self._claim(row, unclaimed.get(key, [])):
                self._asked.setdefault(key, int(work.pdu[row]))
                continue
            self._asked.setdefault(key, int(work.pdu[row]))
            if row >= self._opened and self._was_robbed(key, row):
                pairs.lost[row] = int(work.pdu[row])
                continue
            if row < self._opened or not self._joins(row, mine, waiting if across else None):
                self._row_of[int(work.pdu[row])] = row
                mine.append(row)
        self.strays += [row for group in unclaimed.values() for row in group]

    def _first(self, row: int) -> int:
        """Give the row of the first sending of a waiting request."""
        pdu = self._pairs.joined.get(row) or int(self._work.first[row])
        return self._row_of[pdu] if pdu else row

    def _is_settled(self, row: int) -> bool:
        """Tell whether a request waits no more."""
        return self._pairs.response[row] >= 0 or row in self._pairs.lost

    def _give_up_lost(self, waiting: list[int], response: int) -> None:
        """Where several requests wait for one response, give up those whose response may lie in a Gap before it."""
        frame = self._work.frame
        while (
            len(waiting) > 1 and frame[waiting[1]] <= frame[response] and self._lossy(self._work, waiting[0], response)
        ):
            other = waiting.pop(0)
            if self._first(other) == other:
                self._pairs.lost[other] = int(self._work.pdu[response])

    def _claim(self, row: int, unclaimed: list[int]) -> bool:
        """Give a request that became known after its response that response."""
        work = self._work
        key, pdu, frame, known, time_ns = work.row(row, "key", "pdu", "frame", "known_frame", "time_ns")

        def fits(response: int, its_frame: int, its_time_ns: int) -> bool:
            """Tell whether a response is this request's: behind it on the wire, or swapped with it by the capture."""
            if known != frame and its_frame >= frame:
                return True
            near = pdu - response <= SWAPPED_PDUS and abs(time_ns - its_time_ns) <= SWAPPED_NS
            return near and self._asked.get(key, pdu) > response and not self._asked_before(key, response)

        stray = self._claim_kept(key, fits)
        if stray is not None:
            self._pairs.claimed[row] = stray
            self._note_answer(key, stray.pdu, stray.frame)
            return True
        for at, response in enumerate(unclaimed):
            if fits(*work.row(response, "pdu", "frame", "time_ns")):
                self._pairs.response[row] = unclaimed.pop(at)
                self._note_answer(key, *work.row(response, "pdu", "frame"))
                return True
        return False

    def _note_answer(self, key: int, pdu: int, frame: int) -> None:
        """Note that a response of a key went to a request."""
        self._answers.setdefault(key, []).append((pdu, frame))

    def _was_robbed(self, key: int, row: int) -> bool:
        """Tell whether the response of a request that a Gap held back may have gone to an older one of its key.

        Where the older one's own response lies in a Gap as well, nothing tells them apart.
        """
        frame, known, pdu = self._work.row(row, "frame", "known_frame", "pdu")
        if known == frame:
            return False
        here = any(its >= frame and other > pdu - HISTORY for other, its in self._answers.get(key, []))
        return here or self._answered_before(key, frame, pdu)

    def _joins(self, row: int, mine: list[int], lane: dict[int, list[int]] | None) -> bool:
        """Join a request to the open one that it repeats; else note where it takes an open one's Sequence_Id."""
        work = self._work
        for other in mine:
            if work.length[other] == work.length[row] and self._check(other) == self._check(row):
                self._join(self._first(other), row)
                return True
        if lane is not None and work.command[row] not in EMPTY_BODIES:
            others = [o for group in lane.values() for o in group if self._first(o) == o and not self._is_settled(o)]
            for other in sorted(others):
                if self._check(other) == self._check(row) and self._may_repeat(other, row):
                    self._join(other, row)
                    self._pairs.open_again.add(row)
                    mine.append(row)
                    return True
        if mine:
            place = work.row(row, "pdu", "frame", "stream", "direction", "sequence", "offset")
            self.reuses.append(Reuse(*place, *work.row(mine[-1], "pdu", "frame")))
        return False

    def _may_repeat(self, other: int, row: int) -> bool:
        """Tell whether a request may be another one, sent T ago or longer, under another Sequence_Id."""
        work = self._work
        return bool(
            other < row
            and work.length[other] == work.length[row]
            and work.sequence[other] != work.sequence[row]
            and work.time_ns[row] - work.last_time_ns[other] >= self._t_ns
        )

    def _join(self, other: int, row: int) -> None:
        """Make a row a further sending of another."""
        work = self._work
        work.sendings[other] += 1
        waited_ns, sendings = int(work.time_ns[row] - work.last_time_ns[other]), int(work.sendings[other])
        self.sent_again.append(Resend(row, int(work.pdu[other]), waited_ns, sendings, lossy=False))
        work.last_time_ns[other] = work.time_ns[row]
        self._pairs.joined[row] = int(work.pdu[other])

    def _check(self, row: int) -> int:
        """Give the check of a request's octets, made when first asked for."""
        if self._work.check[row] < 0:
            self._work.check[row] = check_of(self._batch, int(self._work.pdu[row]))
        return int(self._work.check[row])
