"""Requests and their responses: who answered what, how fast, and what was never answered.

Theory of operation. A response answers the oldest unanswered request of the same stream, opposite direction, Command_Id
and Sequence_Id (CMPP 2.0 §6.4, §7.3). The batch is sorted by that key, with the requests still open from before in
front. Keys with one request and at most one response behind it, nearly all of them, are paired by comparing neighbours;
every other key is walked in Python. A request whose octets repeat those of an open one is a resend and joins it (spec
7.3); with another Sequence_Id it does so only after T, since senders also send equal messages on purpose.

A response that answers nothing is kept until the end: its request may become known later, out of a hole. What is left
is put down to the capture where a Gap or the capture's start may hold the request, else to the peer.

State: the requests open, those of the last HISTORY PDUs, and the responses that answer nothing; each has its cap.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from cmppscope.columns import PduColumns
from cmppscope.framing.headers import known
from cmppscope.reassembly import Stream
from cmppscope.tables import I64, Oddity, PduBatch
from cmppscope.transactions.strays import LookUp
from cmppscope.transactions.table import (
    ACTIVE_TEST,
    ECHOES,
    HISTORY,
    OPEN,
    OPEN_REQUESTS,
    RESPONSE,
    RESPONSE_UNKNOWN,
    STATES,
    STRAY_RESPONSES,
    STRAYS,
    TYPE_MISMATCH,
    UNANSWERED,
    UNKNOWN,
    WRONG_DIRECTION,
    Paired,
    Pairs,
    Stray,
    Timers,
    Transactions,
    Work,
    check_of,
    contents,
    join,
    no_transactions,
    transactions,
)
from cmppscope.transactions.walker import Walker

__all__ = ["STATES", "STRAYS", "Paired", "Pairing", "Stray", "Timers", "Transactions"]


class Pairing:
    """Pairs requests and responses of all streams."""

    def __init__(self, streams: list[Stream], timers: Timers = Timers()) -> None:  # noqa: B008 - it is frozen
        """`streams` is the list that reassembly keeps."""
        self._streams = streams
        self._timers = timers
        self._open: Work | None = None
        self._history: list[tuple[I64, I64]] = []
        self._strays: dict[int, list[Stray]] = {}
        self._stray_count = 0
        self._gaps: dict[int, list[int]] = {}
        self._tests: dict[tuple[int, int, int], int] = {}
        self.echoes: dict[int, int] = {}
        """An ACTIVE_TEST of the other side with the same Sequence_Id, by the PDU of the ACTIVE_TEST before it."""
        self.settled: list[Stray] = []
        """Strays settled for want of room."""

    def feed(self, batch: PduBatch, columns: PduColumns, session: I64, odd: list[Oddity]) -> Paired:
        """Pair a batch; `odd` tells the Gaps that became known with it."""
        for oddity in odd:
            if oddity.fault == "capture" and oddity.kind in ("gap", "skipped"):
                self._gaps.setdefault(oddity.stream * 2 + oddity.direction, []).append(oddity.known_frame)
        work, rows = self._working_set(batch, columns, session)
        if not len(work.pdu):
            return Paired(no_transactions(), rows[:0])
        self._note_echoes(work, len(work.pdu) - len(rows))
        order = np.argsort(work.key, kind="stable")
        pairs = Pairs(np.full(len(work.pdu), -1, np.int64))
        keys = work.key[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        sizes = np.diff(np.r_[starts, len(keys)])
        first = order[starts]
        second = order[np.minimum(starts + 1, len(keys) - 1)]
        request_first = work.is_request[first]
        on_time = work.known_frame[first] == work.frame[first]
        pair = (sizes == 2) & request_first & ~work.is_request[second] & on_time
        single = (sizes == 1) & request_first & on_time
        pairs.response[first[pair]] = second[pair]
        opened = len(work.pdu) - len(rows)
        walker = Walker(work, batch, opened, pairs, self._timers, self.claim)
        for at in np.flatnonzero(~pair & ~single).tolist():
            walker.walk(order[starts[at] : starts[at] + sizes[at]].tolist())
        walker.join_renumbered()
        self._sort_out_strays(work, pairs, walker.strays)
        closed = self._close_answered(work, pairs)
        self._carry(work, pairs, batch, opened)
        self._remember(work, opened)
        resends = rows[np.array(sorted(pairs.joined), np.int64) - opened] if pairs.joined else rows[:0]
        return Paired(closed, resends, walker.reuses)

    def close(self, last_time_ns: int) -> tuple[Transactions, list[Stray]]:
        """Settle the requests still open and the responses that answer nothing, at the time of the last frame."""
        closed = no_transactions()
        if self._open is not None and len(self._open.pdu):
            work = self._open
            nothing = Pairs(np.full(len(work.pdu), -1, np.int64))
            closed = transactions(work, np.argsort(work.pdu, kind="stable"), nothing, self._timers)
            work = work.take(np.argsort(work.pdu, kind="stable"))
            closed.state = np.array([self._fate(work, row, last_time_ns) for row in range(len(work.pdu))], np.int64)
        strays = self.settled + [self._blame(s) for group in self._strays.values() for s in group]
        return closed, sorted(strays, key=lambda s: s.pdu)

    def _working_set(self, batch: PduBatch, columns: PduColumns, session: I64) -> tuple[Work, I64]:
        """Put the open requests in front of the batch's PDUs of known commands."""
        rows = np.flatnonzero(known(batch.command))
        command = batch.command[rows]
        is_request = command < RESPONSE
        plain = command & 0x7FFFFFFF
        direction = batch.direction[rows]
        asked = np.where(is_request, direction, 1 - direction)
        count = len(rows)
        result, wanted, msg_id = contents(columns)
        work = Work(
            key=(batch.stream[rows] << 38) | (asked << 37) | (plain << 32) | batch.sequence[rows],
            pdu=batch.first + rows,
            frame=batch.frame[rows],
            known_frame=batch.known_frame[rows],
            time_ns=batch.time_ns[rows],
            stream=batch.stream[rows],
            direction=direction,
            session=session[rows],
            command=plain,
            sequence=batch.sequence[rows],
            offset=batch.offset[rows],
            length=batch.length[rows],
            is_request=is_request,
            sendings=np.ones(count, np.int64),
            last_time_ns=batch.time_ns[rows],
            check=np.full(count, -1, np.int64),
            result=result[rows],
            asked=wanted[rows],
            msg_id=msg_id[rows],
        )
        return (work if self._open is None else join([self._open, work])), rows

    def _close_answered(self, work: Work, pairs: Pairs) -> Transactions:
        """Give the transactions that have their response now, in order of the request."""
        rows = np.flatnonzero(pairs.answered())
        rows = rows[np.argsort(work.pdu[rows], kind="stable")]
        return transactions(work, rows, pairs, self._timers)

    def _carry(self, work: Work, pairs: Pairs, batch: PduBatch, opened: int) -> None:
        """Keep the requests that are still open, each with a check of its octets."""
        still = work.is_request & ~pairs.answered()
        if pairs.joined:
            still[list(pairs.joined)] = False
        rows = np.flatnonzero(still)[-OPEN_REQUESTS:]
        for row in rows[(rows >= opened) & (work.check[rows] < 0)].tolist():
            work.check[row] = check_of(batch, int(work.pdu[row]))
        self._open = work.take(rows)
        self._open.known_frame = self._open.frame

    def _remember(self, work: Work, opened: int) -> None:
        """Keep the keys of the batch's requests for as long as HISTORY PDUs."""
        rows = opened + np.flatnonzero(work.is_request[opened:])
        self._history.append((work.key[rows], work.pdu[rows]))
        newest = int(work.pdu[-1])
        self._history = [(k, p) for k, p in self._history if len(p) and int(p[-1]) > newest - HISTORY]

    def _note_echoes(self, work: Work, opened: int) -> None:
        """Note where an ACTIVE_TEST comes back as an ACTIVE_TEST: some gateways answer so."""
        rows = opened + np.flatnonzero((work.command[opened:] == ACTIVE_TEST) & work.is_request[opened:])
        for row in rows.tolist():
            stream, direction, sequence, pdu = work.row(row, "stream", "direction", "sequence", "pdu")
            asked = self._tests.pop((stream, 1 - direction, sequence), 0)
            if asked:
                self.echoes[asked] = pdu
            else:
                self._tests[stream, direction, sequence] = pdu
        while len(self._tests) > ECHOES:
            del self._tests[next(iter(self._tests))]
        while len(self.echoes) > ECHOES:
            del self.echoes[next(iter(self.echoes))]

    def _sort_out_strays(self, work: Work, pairs: Pairs, strays: list[int]) -> None:
        """Name what each response that answers nothing is, and keep it."""
        if not strays:
            return
        look = LookUp(self._history, work, pairs)
        for row in strays:
            kind, other, asked = look.classify(work, row, self._streams)
            stray = Stray(
                kind,
                *work.row(row, "pdu", "frame", "time_ns", "stream", "direction", "session"),
                int(work.command[row]) | RESPONSE,
                int(work.sequence[row]),
                int(work.offset[row]),
                other,
                asked,
                int(work.result[row]),
                int(work.msg_id[row]),
            )
            self._strays.setdefault(int(work.key[row]), []).append(stray)
            self._stray_count += 1
        while self._stray_count > STRAY_RESPONSES:
            oldest = next(iter(self._strays))
            gone = self._strays.pop(oldest)
            self._stray_count -= len(gone)
            self.settled += [self._blame(s) for s in gone]

    def claim(self, key: int, frame: int) -> Stray | None:
        """Hand out a kept response for a request that became known late, where it came before that response."""
        group = self._strays.get(key, [])
        for at, stray in enumerate(group):
            if stray.frame >= frame:
                self._stray_count -= 1
                del group[at]
                return stray
        return None

    def _blame(self, stray: Stray) -> Stray:
        """Put a stray response down to the capture where that may have lost the request."""
        if stray.kind in (WRONG_DIRECTION, TYPE_MISMATCH):
            return stray
        stream = self._streams[stray.stream]
        unseen = not stream.seen[1 - stray.direction]
        early = not stream.handshake and stray.time_ns - stream.first_time_ns <= self._timers.patience_ns
        if unseen or early or (stray.stream * 2 + 1 - stray.direction) in self._gaps:
            return stray._replace(kind=RESPONSE_UNKNOWN)
        return stray

    def _fate(self, work: Work, row: int, last_time_ns: int) -> int:
        """Say what an open request is when the capture ends."""
        stream = self._streams[int(work.stream[row])]
        gaps = self._gaps.get(int(work.stream[row]) * 2 + 1 - int(work.direction[row]), [])
        if bisect_left(gaps, int(work.frame[row])) < len(gaps):
            return UNKNOWN
        if not stream.seen[1 - int(work.direction[row])]:
            return UNKNOWN
        if stream.closing is not None or last_time_ns - int(work.time_ns[row]) >= self._timers.patience_ns:
            return UNANSWERED
        return OPEN
