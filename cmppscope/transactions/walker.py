"""Keys that hold anything but one request and its response, walked one PDU at a time.

A resend under another Sequence_Id ties keys together: then all keys of its lane (stream, direction and command) are
walked as one, in order. `lanes` finds where that may be so, without walking.

A request that a Gap held back becomes known after responses that were captured behind it, and they may have gone to an
older request by then. The octets of that one are gone, so nothing tells a resend of it from another request: the one
held back is given up, and its response, if there is one, answers nothing that is known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.tables import I64, Bool, PduBatch
from cmppscope.transactions.strays import Answers, kind_of
from cmppscope.transactions.table import (
    EMPTY_BODIES,
    HISTORY,
    LANE,
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
        answers: Answers,
    ) -> None:
        """`opened` rows were open before the batch.

        `claim` hands out a response kept for a key, where its PDU, frame and time fit. `lossy` tells of the rows of a
        request and a response whether a Gap lies between them, `asked` whether there was a request of a key before a
        PDU in an earlier batch; `answers` knows of the responses that went to requests in earlier ones.
        """
        self._answers_before = answers
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
        self._late: list[tuple[int, int, int, int]] = []
        """Kind and time of the requests walked that had a late response, and PDU and frame of that."""
        self._sent: dict[tuple[int, int], list[int]] = {}
        """Where a lane is walked: rows that wait and are no further sending, by length and check."""
        self.strays: list[int] = []
        self.reuses: list[Reuse] = []
        self.sent_again: list[Resend] = []

    def lanes(self, paired: Bool) -> I64:
        """Find the lanes that may hold resends under another Sequence_Id; `paired` marks requests paired already."""
        work = self._work
        lane = work.key >> LANE
        found = set(lane[work.first > 0].tolist())
        now = np.maximum.accumulate(work.time_ns)
        waited = np.where(paired, now[self._pairs.response], now[-1]) - work.time_ns
        slow = np.flatnonzero(
            work.is_request & (work.first == 0) & (waited >= self._t_ns) & ~np.isin(work.command, EMPTY_BODIES)
        )
        if len(slow):
            kind = kind_of(work.key, work.length)
            held_back = self._opened + np.flatnonzero(
                (work.is_request & (work.known_frame != work.frame))[self._opened :]
            )
            found |= set(lane[held_back[np.isin(kind[held_back], kind[slow])]].tolist())
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
        self._sent.clear()
        for row in rows:
            key = int(work.key[row])
            mine = waiting.setdefault(key, [])
            if across:
                mine[:] = [other for other in mine if not self._is_settled(self._first(other))]
            if not work.is_request[row]:
                answered = -1 if self._give_up_lost(mine, row) else self._answered(mine, row)
                if answered >= 0:
                    request = self._first(mine.pop(answered))
                    pairs.response[request] = row
                    self._note_answer(key, request, *work.row(row, "pdu", "frame", "time_ns"))
                else:
                    unclaimed.setdefault(key, []).append(row)
                continue
            self._asked.setdefault(key, int(work.pdu[row]))
            if row < self._opened or not self._is_known(row, mine, unclaimed.get(key, [])):
                self._row_of[int(work.pdu[row])] = row
                mine.append(row)
                if across and work.command[row] not in EMPTY_BODIES and self._first(row) == row:
                    self._sent.setdefault((int(work.length[row]), self._check(row)), []).append(row)
        self.strays += [row for group in unclaimed.values() for row in group]

    def _answered(self, waiting: list[int], response: int) -> int:
        """Give which of the waiting requests a response answers, -1 for none: it was captured behind it, or nearly."""
        frame, time_ns = self._work.row(response, "frame", "time_ns")
        its = (self._work.row(row, "frame", "time_ns") for row in waiting)
        fitting = (at for at, (sent, ns) in enumerate(its) if sent <= frame or ns - time_ns <= SWAPPED_NS)
        return next(fitting, -1)

    def _is_known(self, row: int, mine: list[int], unclaimed: list[int]) -> bool:
        """Tell what a request of the batch is, but for a new one that waits."""
        rivals, doubtful = self._rivals(row)
        if doubtful:
            self._pairs.lost[row] = int(self._work.pdu[row])
            self._pairs.doubtful.add(row)
            return True
        if self._is_held_back(row) and self._joins_other(row, mine):
            return True
        if self._claim(row, unclaimed):
            return True
        if rivals:
            self._pairs.lost[row] = int(self._work.pdu[row])
            return True
        return self._joins(row, mine)

    def _first(self, row: int) -> int:
        """Give the row of the first sending of a waiting request."""
        pdu = self._pairs.joined.get(row) or int(self._work.first[row])
        return self._row_of[pdu] if pdu else row

    def _is_settled(self, row: int) -> bool:
        """Tell whether a request waits no more."""
        return self._pairs.response[row] >= 0 or row in self._pairs.lost

    def _give_up_lost(self, waiting: list[int], response: int) -> bool:
        """Give up the requests that wait for one response, where that of the oldest may lie in a Gap before it.

        Nothing tells whose the response is, where it is not that of the only one; give whether that is so.
        """
        asked = [row for row in waiting if self._work.frame[row] <= self._work.frame[response]]
        if len(asked) < 2 or not self._lossy(self._work, asked[0], response):
            return False
        given_up = {row for row in asked if self._first(row) == row}  # a further sending waits with its first one
        waiting[:] = [row for row in waiting if row not in given_up]
        self._pairs.lost.update(dict.fromkeys(given_up, int(self._work.pdu[response])))
        return True

    def _is_held_back(self, row: int) -> bool:
        """Tell whether a request became known after it was captured."""
        return bool(self._work.known_frame[row] != self._work.frame[row])

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
            answer = (stray.pdu, stray.frame, stray.time_ns)
        else:
            fitting = (at for at, it in enumerate(unclaimed) if fits(*work.row(it, "pdu", "frame", "time_ns")))
            at = next(fitting, -1)
            if at < 0:
                return False
            response = self._pairs.response[row] = unclaimed.pop(at)
            pdu_of, frame_of, time_of = work.row(response, "pdu", "frame", "time_ns")
            answer = (pdu_of, frame_of, time_of)
        self._note_answer(key, row, *answer)
        if known != frame:
            self._answers_before.checks[answer[0]] = self._check(row)
        return True

    def _note_answer(self, key: int, request: int, pdu: int, frame: int, time_ns: int) -> None:
        """Note that a response of a key went to a request."""
        self._answers.setdefault(key, []).append((pdu, frame))
        sent_ns, *kind = self._work.row(request, "time_ns", "key", "length")
        if time_ns - sent_ns > self._t_ns:
            self._late.append((kind_of(*kind), sent_ns, pdu, frame))

    def _rivals(self, row: int) -> tuple[list[int], bool]:
        """Give the responses that went to others while a request that a Gap held back was there to be answered.

        With them, whether it may be a resend of one of these: their octets are known of those alone that were held back
        as well. Those with another Sequence_Id count for that only.
        """
        if not self._is_held_back(row):
            return [], False
        names = ("key", "length", "frame", "pdu", "time_ns", "command")
        key, length, frame, pdu, time_ns, command = self._work.row(row, *names)
        kind, sent_ns, oldest = kind_of(key, length), time_ns - self._t_ns, pdu - HISTORY
        rivals = [p for p, its in self._answers.get(key, []) if its >= frame and p > oldest]
        rivals += self._answers_before.behind(key, frame, pdu)
        late: list[int] = []
        if command not in EMPTY_BODIES:
            late = [p for k, sent, p, f in self._late if k == kind and sent <= sent_ns and f >= frame and p > oldest]
            late += self._answers_before.late_behind(kind, sent_ns, frame, pdu)
        checks = self._answers_before.checks
        return rivals, any(checks.get(each, self._check(row)) == self._check(row) for each in (*rivals, *late))

    def _joins(self, row: int, mine: list[int]) -> bool:
        """Join a request to the open one that it repeats; else note where it takes an open one's Sequence_Id."""
        work = self._work
        for other in mine:
            if work.length[other] == work.length[row] and self._check(other) == self._check(row):
                self._join(self._first(other), row)
                return True
        if self._joins_other(row, mine):
            return True
        if mine:
            place = work.row(row, "pdu", "frame", "stream", "direction", "sequence", "offset")
            self.reuses.append(Reuse(*place, *work.row(mine[-1], "pdu", "frame")))
        return False

    def _joins_other(self, row: int, mine: list[int]) -> bool:
        """Join a request to the open one of its lane that it repeats under another Sequence_Id."""
        if not self._sent:
            return False
        kind = int(self._work.length[row]), self._check(row)
        others = self._sent[kind] = [other for other in self._sent.get(kind, []) if not self._is_settled(other)]
        for other in others:
            if self._may_repeat(other, row):
                self._join(other, row)
                self._pairs.open_again.add(row)
                mine.append(row)
                return True
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
