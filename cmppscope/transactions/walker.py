"""Keys that hold anything but one request and its response, walked one PDU at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.tables import I64, PduBatch
from cmppscope.transactions.table import (
    EMPTY_BODIES,
    Pairs,
    Reuse,
    Stray,
    Timers,
    Work,
    check_of,
)


class Walker:
    """Pairs the keys that hold anything but one request and its response."""

    def __init__(
        self, work: Work, batch: PduBatch, opened: int, pairs: Pairs, timers: Timers, claim: Callable[[int, int], Stray | None]
    ) -> None:
        """`opened` rows were open before the batch; `claim` hands out a response kept for a key, not older than a frame."""
        self._claim_kept = claim
        self._t_ns = timers.t_ns
        self._work = work
        self._batch = batch
        self._opened = opened
        self._pairs = pairs
        self.strays: list[int] = []
        self.reuses: list[Reuse] = []

    def walk(self, rows: list[int]) -> None:
        """Pair the rows of one key, in order."""
        work, pairs = self._work, self._pairs
        waiting: list[int] = []
        unclaimed: list[int] = []
        for row in rows:
            if not work.is_request[row]:
                if waiting:
                    pairs.response[waiting.pop(0)] = row
                else:
                    unclaimed.append(row)
                continue
            if row >= self._opened and work.known_frame[row] != work.frame[row] and self._claim(row, unclaimed):
                continue
            if row < self._opened or not self._resent(row, waiting):
                waiting.append(row)
        self.strays += unclaimed

    def _claim(self, row: int, unclaimed: list[int]) -> bool:
        """Give a request that became known late the response that came before it was known."""
        work = self._work
        frame = int(work.frame[row])
        for at, response in enumerate(unclaimed):
            if work.frame[response] >= frame:
                self._pairs.response[row] = unclaimed.pop(at)
                return True
        stray = self._claim_kept(int(work.key[row]), frame)
        if stray is None:
            return False
        self._pairs.claimed[row] = stray
        return True

    def _resent(self, row: int, waiting: list[int]) -> bool:
        """Join a request to the open one of the same key that has the same octets; else note the reuse."""
        work = self._work
        for other in waiting:
            if work.length[other] == work.length[row] and self._check(other) == self._check(row):
                self._join(other, row)
                return True
        if waiting:
            other = waiting[-1]
            place = work.row(row, "pdu", "frame", "stream", "direction", "sequence", "offset")
            self.reuses.append(Reuse(*place, other=int(work.pdu[other])))
        return False

    def _join(self, other: int, row: int) -> None:
        """Make a row a further sending of another."""
        work = self._work
        work.sendings[other] += 1
        work.last_time_ns[other] = work.time_ns[row]
        self._pairs.joined.add(row)

    def _check(self, row: int) -> int:
        """Give the check of a request's octets, made when first asked for."""
        if self._work.check[row] < 0:
            self._work.check[row] = check_of(self._batch, int(self._work.pdu[row]))
        return int(self._work.check[row])

    def join_renumbered(self) -> None:
        """Join requests to an equal one with another Sequence_Id that went unanswered for T or longer."""
        work, response = self._work, self._pairs.response
        t_ns = self._t_ns
        answer_time = np.where(response >= 0, work.time_ns[response], int(work.time_ns.max()))
        # resends of one Sequence_Id have joined already; here come equal octets under another one
        slow = work.is_request & (answer_time - work.time_ns >= t_ns) & ~np.isin(work.command, EMPTY_BODIES)
        if not slow.any():
            return
        kinds = {(int(s), int(d), int(c), int(n)) for s, d, c, n in self._kinds(np.flatnonzero(slow))}
        candidates = [
            row
            for row, kind in zip(
                np.flatnonzero(work.is_request).tolist(), self._kinds(np.flatnonzero(work.is_request)), strict=True
            )
            if tuple(int(v) for v in kind) in kinds and row not in self._pairs.joined
        ]
        first: dict[tuple[int, ...], int] = {}
        for row in sorted(candidates, key=lambda r: int(work.pdu[r])):
            kind = (*(int(v) for v in self._kinds(np.array([row]))[0]), self._check(row))
            other = first.get(kind)
            if other is not None and self._waits(other, row, t_ns):
                self._join(other, row)
                late = int(response[row])
                response[row] = -1
                if late >= 0 and response[other] < 0:
                    response[other] = late
                elif late >= 0:
                    self.strays.append(late)
            else:
                first[kind] = row

    def _kinds(self, rows: I64) -> list[tuple[int, int, int, int]]:
        """Give what equal requests share besides their octets."""
        work = self._work
        columns = (work.stream[rows], work.direction[rows], work.command[rows], work.length[rows])
        return list(zip(*(c.tolist() for c in columns), strict=True))

    def _waits(self, other: int, row: int, t_ns: int) -> bool:
        """Tell whether one request still had no answer, T after it was sent, when another came."""
        work, answer = self._work, int(self._pairs.response[other])
        if work.sequence[other] == work.sequence[row] or work.time_ns[row] - work.last_time_ns[other] < t_ns:
            return False
        return answer < 0 or bool(work.pdu[answer] > work.pdu[row])
