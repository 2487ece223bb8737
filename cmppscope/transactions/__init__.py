"""Requests and their responses: who answered what, how fast, and what was never answered.

Theory of operation. A response answers the oldest unanswered request of the same stream, opposite direction, Command_Id
and Sequence_Id (CMPP 2.0 §6.4, §7.3). The batch is sorted by that key, with the requests still open from before in
front. Keys with one request and at most one response behind it, nearly all of them, are paired by comparing neighbours;
every other key is walked in Python. A request whose octets repeat those of an open one is a resend and joins it (spec
7.3); with another Sequence_Id it does so only after T, since senders also send equal messages on purpose.

A response that answers nothing is kept until the end: its request may become known later, out of a hole. What is left
is put down to the capture where a Gap or the capture's start may hold the request, else to the peer.

State: the requests open, those of the last HISTORY PDUs, the responses that answer nothing, and the Sequence_Ids used
too early; each has its cap. Whether one is reached is decided behind every CAPS_EVERY PDUs only, so that it does not
depend on batches: where one may be reached inside a batch, the batch is taken in pieces that end there.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from cmppscope.arrays import distinct, grown, none, stable_order
from cmppscope.columns import PduColumns
from cmppscope.framing.headers import known
from cmppscope.reassembly import Stream, Streams
from cmppscope.tables import I64, Oddity, PduBatch
from cmppscope.transactions.strays import Answers, History, LookUp
from cmppscope.transactions.table import (
    BEGINNING,
    CAPS_EVERY,
    DUPLICATE,
    ECHOES,
    EMPTY_BODIES,
    HISTORY,
    LANE,
    OPEN,
    OPEN_REQUESTS,
    RESPONSE_UNKNOWN,
    REUSES,
    STATES,
    STRAY_RESPONSES,
    STRAYS,
    SWAPPED_NS,
    UNANSWERED,
    UNKNOWN,
    Paired,
    Pairs,
    Resend,
    Reuse,
    Stray,
    Timers,
    Transactions,
    Work,
    check_of,
    contents,
    in_order,
    join,
    joined,
    key_of,
    lane_of,
    no_transactions,
    transactions,
)
from cmppscope.transactions.walker import Walker
from dissectors.cmpp.enums import ACTIVE_TEST, RESPONSE

__all__ = [
    "STATES",
    "STRAYS",
    "Paired",
    "Pairing",
    "Resend",
    "Reuse",
    "Stray",
    "Timers",
    "Transactions",
    "begins_blind",
]


def begins_blind(stream: Stream, direction: int, frame: int) -> bool:
    """Tell whether at a frame it was not known where a direction begins, so that octets before it may be lost."""
    return stream.isn[direction] is None or stream.isn_frame[direction] > frame


class Pairing:
    """Pairs requests and responses of all streams."""

    def __init__(self, streams: Streams, timers: Timers = Timers()) -> None:  # noqa: B008 - it is frozen
        """`streams` is the list that reassembly keeps."""
        self._streams = streams
        self._timers = timers
        self._open: Work | None = None
        self._history: list[History] = []
        self._answers = Answers()
        self._strays: OrderedDict[int, list[Stray]] = OrderedDict()
        self._stray_count = 0
        self._gaps: dict[int, list[tuple[int, int]]] = {}
        """Frame at which it was known and stream offset of Gaps, by stream * 2 + direction.

        Of those before the batch the last two tell all: a PDU that is known later stands behind every one of them.
        The offset is BEGINNING where a direction was captured from its middle on.
        """
        self._begun = none()
        """Frame at which the first PDU of each direction was known, 0 for those of which none was."""
        self._reuses: list[Reuse] = []
        self._tests: OrderedDict[tuple[int, int, int], int] = OrderedDict()
        self.echoes: OrderedDict[int, int] = OrderedDict()
        """An ACTIVE_TEST of the other side with the same Sequence_Id, by the PDU of the ACTIVE_TEST before it."""
        self.odd: list[Oddity] = []
        """Caps reached with the last batch."""

    def feed(self, batch: PduBatch, columns: PduColumns, session: I64, odd: list[Oddity]) -> Paired:
        """Pair a batch; `odd` tells the Gaps that became known with it."""
        for oddity in odd:
            if oddity.fault == "capture" and oddity.kind in ("gap", "skipped"):
                place = (oddity.known_frame, oddity.offset)
                self._gaps.setdefault(oddity.stream * 2 + oddity.direction, []).append(place)
        self.odd = []
        self._note_beginnings(batch)
        parts = [self._pair(*piece) for piece in self._pieces(batch, columns, session)]
        for oddity in odd:
            del self._gaps.get(oddity.stream * 2 + oddity.direction, [])[:-2]
        return parts[0] if len(parts) == 1 else joined(parts)

    def _pieces(
        self, batch: PduBatch, columns: PduColumns, session: I64
    ) -> Iterator[tuple[PduBatch, PduColumns, I64, int]]:
        """Give a batch whole, or, where a cap may be reached in it, in pieces; with each the row where it begins."""
        opened = 0 if self._open is None else len(self._open.pdu)
        room = (OPEN_REQUESTS - opened, STRAY_RESPONSES - self._stray_count, REUSES - len(self._reuses))
        if len(batch) <= min(room):
            yield batch, columns, session, 0
            return
        end = batch.first + len(batch)
        ends = [at + 1 for at in range(-(-batch.first // CAPS_EVERY) * CAPS_EVERY, end, CAPS_EVERY)]
        borders = [0, *(at - batch.first for at in ends if at < end), len(batch)]
        for begin, stop in pairwise(borders):
            piece = batch.part(begin, stop)
            yield piece, PduColumns(piece), session[begin:stop], begin

    def _pair(self, batch: PduBatch, columns: PduColumns, session: I64, begin: int) -> Paired:
        """Pair a piece of a batch that begins at a row."""
        work, rows = self._working_set(batch, columns, session)
        if not len(work.pdu):
            return Paired(no_transactions(), rows[:0])
        self._note_echoes(work, len(work.pdu) - len(rows))
        order = stable_order(work.key)
        pairs = Pairs(np.full(len(work.pdu), -1, np.int64))
        keys = work.key[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        sizes = np.diff(np.r_[starts, len(keys)])
        first = order[starts]
        second = order[np.minimum(starts + 1, len(keys) - 1)]
        request_first = work.is_request[first]
        on_time = work.known_frame[first] == work.frame[first]
        pair = (sizes == 2) & request_first & ~work.is_request[second] & on_time
        pair &= (work.frame[first] <= work.frame[second]) | (work.time_ns[first] - work.time_ns[second] <= SWAPPED_NS)
        if self._strays:
            on_time &= ~np.isin(keys[starts], np.fromiter(self._strays, np.int64))
            pair &= on_time
        single = (sizes == 1) & request_first & on_time
        pairs.response[first[pair]] = second[pair]
        opened = len(work.pdu) - len(rows)
        walker = Walker(
            work, batch, opened, pairs, self._timers, self.claim, self._is_lossy, self._was_asked, self._answers
        )
        across = walker.lanes(pairs.response >= 0)
        if len(across):
            lane = work.key >> LANE
            tied = np.isin(keys[starts] >> LANE, across)
            pair, single = pair & ~tied, single | tied
            pairs.response[np.isin(lane, across)] = -1
            for number in across.tolist():
                walker.walk(np.flatnonzero(lane == number).tolist(), across=True)
        for at in np.flatnonzero(~pair & ~single).tolist():
            walker.walk(order[starts[at] : starts[at] + sizes[at]].tolist())
        closed = self._close_settled(work, pairs)
        self._remember(work, pairs, closed, opened)
        self._sort_out_strays(work, pairs, sorted(walker.strays))
        self._reuses += walker.reuses
        self._carry(work, pairs, batch, opened)
        settled: list[Stray] = []
        if (batch.first + len(batch) - 1) % CAPS_EVERY == 0:
            closed, settled = self._close_beyond_room(closed), self._settle_beyond_room()
            self._forget_reuses()
        again = sorted({*pairs.joined, *pairs.doubtful})
        resends = rows[np.array(again, np.int64) - opened] if again else rows[:0]
        sent_again = sorted(
            r._replace(row=begin + int(rows[r.row - opened]), lossy=self._lost_since(work, r))
            for r in walker.sent_again
        )
        return Paired(closed, begin + resends, self._excuse(work, pairs), sent_again, settled)

    def close(
        self, last_time_ns: int, lost_tails: frozenset[int] = frozenset()
    ) -> tuple[Transactions, list[Stray], list[Reuse]]:
        """Settle the requests still open, the responses that answer nothing and the Sequence_Ids used too early.

        `last_time_ns` is the time of the last frame; `lost_tails` are the directions (stream * 2 + direction) of which
        the capture lost the last octets.
        """
        closed = no_transactions()
        strays = self._settle([s for group in self._strays.values() for s in group], lost_tails)
        if self._open is not None and len(self._open.pdu):
            work = self._open.take(np.flatnonzero(self._open.first == 0))
            nothing = Pairs(np.full(len(work.pdu), -1, np.int64))
            work = work.take(stable_order(work.pdu))
            closed = transactions(work, np.arange(len(work.pdu)), nothing, self._timers)
            last = self._last_unasked(strays)
            fates = [self._fate(work, row, last_time_ns, lost_tails, last) for row in range(len(work.pdu))]
            closed.state = np.array(fates, np.int64)
        return closed, strays, self._reuses_blamed(lost_tails)

    def _last_unasked(self, strays: list[Stray]) -> dict[int, int]:
        """Give when the last response came whose request the capture may have lost, by lane of the request."""
        unknown = [stray for stray in strays if stray.kind == RESPONSE_UNKNOWN]
        times = [(lane_of(s.stream, 1 - s.direction, s.command & ~RESPONSE), s.time_ns) for s in unknown]
        return dict(sorted(times))

    def lossy_directions(self, lost_tails: frozenset[int]) -> frozenset[int]:
        """Give the directions (stream * 2 + direction) of which the capture may have lost PDUs, wherever that was.

        Streams without any PDU are left out.
        """
        streams = np.flatnonzero(self._begun.reshape(-1, 2).any(axis=1))
        groups = np.concatenate([streams * 2, streams * 2 + 1]).tolist()
        return frozenset(g for g in groups if self._may_be_lost(g >> 1, g & 1, -1, lost_tails))

    def _note_beginnings(self, batch: PduBatch) -> None:
        """Note where the first PDU of a direction is not known to be the first that was sent."""
        if not len(batch):
            return
        groups, first, _ = distinct(batch.stream * 2 + batch.direction)
        self._begun = grown(self._begun, int(groups[-1] | 1) + 1)
        new = self._begun[groups] == 0
        self._begun[groups[new]] = batch.known_frame[first[new]]
        for group, row in zip(groups[new].tolist(), first[new].tolist(), strict=True):
            frame = int(batch.frame[row])
            if begins_blind(self._streams[group >> 1], group & 1, frame):
                insort(self._gaps.setdefault(group, []), (frame, BEGINNING))

    def _begun_at(self, group: int) -> int:
        """Give the frame at which the first PDU of a direction was known, 0 where none was."""
        return int(self._begun[group]) if group < len(self._begun) else 0

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
            key=key_of(batch.stream[rows], asked, plain, batch.sequence[rows]),
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
            first=np.zeros(count, np.int64),
        )
        return (work if self._open is None else join([self._open, work])), rows

    def _close_settled(self, work: Work, pairs: Pairs) -> Transactions:
        """Give the transactions of which no more is to come, in order of the request."""
        rows = np.flatnonzero(pairs.settled())
        rows = rows[stable_order(work.pdu[rows])]
        return transactions(work, rows, pairs, self._timers)

    def _close_beyond_room(self, closed: Transactions) -> Transactions:
        """Close the oldest of too many open requests, as unknown, beside those that are closed already."""
        work = self._open
        if work is None or len(work.pdu) <= OPEN_REQUESTS:
            return closed
        kept = np.arange(len(work.pdu)) >= len(work.pdu) - OPEN_REQUESTS
        gone = work.take(np.flatnonzero(~kept & (work.first == 0)))
        kept &= (work.first == 0) | ~np.isin(work.first, gone.pdu)
        self._open = work.take(np.flatnonzero(kept))
        count = len(gone.pdu)
        if not count:
            return closed
        stream, direction, frame = gone.row(0, "stream", "direction", "frame")
        self._tell("requests", stream, direction, frame, count)
        table = transactions(gone, np.arange(count), Pairs(np.full(count, -1, np.int64)), self._timers)
        table.state[:] = UNKNOWN
        return in_order([closed, table])

    def _settle_beyond_room(self) -> list[Stray]:
        """Settle the oldest of too many responses that answer nothing, as unknown: their requests may come yet."""
        if self._stray_count <= STRAY_RESPONSES:
            return []
        gone: list[Stray] = []
        for key in sorted(self._strays, key=lambda key: self._strays[key][0].pdu):
            gone += self._strays.pop(key)
            if self._stray_count - len(gone) <= STRAY_RESPONSES:
                break
        self._stray_count -= len(gone)
        gone.sort(key=lambda stray: stray.pdu)
        self._tell("strays", gone[0].stream, gone[0].direction, gone[0].frame, len(gone))
        return [stray._replace(kind=RESPONSE_UNKNOWN) for stray in gone]

    def _forget_reuses(self) -> None:
        """Keep no more than the first reuses of Sequence_Ids."""
        if len(self._reuses) <= REUSES:
            return
        self._reuses.sort(key=lambda reuse: reuse.pdu)
        first, count = self._reuses[REUSES], len(self._reuses) - REUSES
        self._tell("reuses", first.stream, first.direction, first.frame, count)
        del self._reuses[REUSES:]

    def _tell(self, kind: str, stream: int, direction: int, frame: int, count: int) -> None:
        """Note that a cap was reached, and of the oldest where it stands."""
        self.odd.append(Oddity(kind, stream, direction, -1, frame, frame, count, 0, "capture"))

    def _was_asked(self, key: int, pdu: int) -> bool:
        """Tell whether a request of a key came in an earlier batch and not long before a PDU."""
        return any(bool(((k == key) & (p < pdu) & (p > pdu - HISTORY // 2)).any()) for k, p, _ in self._history)

    def _carry(self, work: Work, pairs: Pairs, batch: PduBatch, opened: int) -> None:
        """Keep the requests that are still open, each with a check of its octets."""
        settled = pairs.settled()
        still = work.is_request & ~settled
        still[list(set(pairs.joined) - pairs.open_again)] = False
        for row in pairs.open_again:
            work.first[row] = pairs.joined[row]
        again = np.flatnonzero(still & (work.first > 0))
        still[again] = np.isin(work.first[again], work.pdu[still & (work.first == 0)])
        rows = np.flatnonzero(still)
        for row in rows[(rows >= opened) & (work.check[rows] < 0)].tolist():
            work.check[row] = check_of(batch, int(work.pdu[row]))
        self._open = work.take(rows)
        self._open.known_frame = self._open.frame

    def _remember(self, work: Work, pairs: Pairs, closed: Transactions, opened: int) -> None:
        """Keep the keys of the batch's requests, and of those before for as long as HISTORY PDUs."""
        rows = opened + np.flatnonzero(work.is_request[opened:])
        first = work.pdu[rows].copy()
        if pairs.joined:
            again = np.fromiter(pairs.joined, np.int64)
            first[np.searchsorted(rows, again)] = list(pairs.joined.values())
        oldest = int(work.pdu[opened]) - HISTORY if opened < len(work.pdu) else 0
        self._history = [old for old in self._history if len(old[1]) and int(old[1][-1]) > oldest]
        self._history.append((work.key[rows], work.pdu[rows], first))

        self._answers.feed(work, pairs, closed, oldest)

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
            for table in (self._tests, self.echoes):
                if len(table) > ECHOES:
                    table.popitem(last=False)

    def _sort_out_strays(self, work: Work, pairs: Pairs, strays: list[int]) -> None:
        """Name what each response that answers nothing is, and keep it."""
        if not strays:
            return
        look = LookUp(self._history, work, pairs)
        for row in strays:
            kind, other, asked = look.classify(work, row, self._streams)
            pdu, frame, time_ns, stream, direction, session_of = work.row(
                row, "pdu", "frame", "time_ns", "stream", "direction", "session"
            )
            first = again = 0
            if kind == DUPLICATE:
                first, again = look.sendings(pdu, other)
                again += self._answers.given_up(int(work.key[row]), pdu)
            stray = Stray(
                kind,
                pdu,
                frame,
                time_ns,
                stream,
                direction,
                session_of,
                command=int(work.command[row]) | RESPONSE,
                sequence=int(work.sequence[row]),
                offset=int(work.offset[row]),
                other=other,
                other_command=asked,
                result=int(work.result[row]),
                msg_id=int(work.msg_id[row]),
                first=first,
                again=again,
                excused=0,
                gap=self._gap_before(work, row),
            )
            self._strays.setdefault(int(work.key[row]), []).append(stray)
            self._stray_count += 1

    def claim(self, key: int, fits: Callable[[int, int, int], bool]) -> Stray | None:
        """Hand out the first kept response of a key whose PDU, frame and time `fits` says belong to a request."""
        group = self._strays.get(key, [])
        for at, stray in enumerate(group):
            if fits(stray.pdu, stray.frame, stray.time_ns):
                self._stray_count -= 1
                del group[at]
                if not group:
                    del self._strays[key]
                return stray
        return None

    def _reuses_blamed(self, lost_tails: frozenset[int]) -> list[Reuse]:
        """Give the reuses of Sequence_Ids whose request had no response that the capture may have lost."""
        blamed = [
            r for r in self._reuses if not self._may_be_lost(r.stream, 1 - r.direction, r.other_frame, lost_tails)
        ]
        return sorted(blamed, key=lambda r: r.pdu)

    def _settle(self, strays: list[Stray], lost_tails: frozenset[int]) -> list[Stray]:
        """Put stray responses down to the capture or to resends, where these explain them; give them in order."""
        settled = []
        answers: Counter[int] = Counter()
        for stray in sorted(strays, key=lambda s: s.pdu):
            found = self._blame(stray, lost_tails)
            if found.kind == DUPLICATE:
                answers[found.first] += 1
                found = found._replace(excused=int(answers[found.first] <= found.again))
            settled.append(found)
        return settled

    def _blame(self, stray: Stray, lost_tails: frozenset[int]) -> Stray:
        """Put a stray response down to the capture where that may have lost the request."""
        stream = self._streams[stray.stream]
        blind = begins_blind(stream, 1 - stray.direction, stray.frame)
        early = blind and stray.time_ns - stream.first_time_ns <= self._timers.patience_ns
        if early or self._may_be_lost(stray.stream, 1 - stray.direction, 0, lost_tails):
            return stray._replace(kind=RESPONSE_UNKNOWN)
        return stray

    def _may_be_lost(self, stream: int, direction: int, since: int, lost_tails: frozenset[int]) -> bool:
        """Tell whether the capture may have lost a PDU of a direction, in a Gap known at a frame or after it."""
        group = stream * 2 + direction
        last = self._gaps.get(group, [])[-2:]
        lost = any(known >= since and (since or offset != BEGINNING) for known, offset in last)
        # neither the beginning nor a PDU: a few segments without octets tell nothing of what went before
        empty = not self._begun_at(group) and self._streams[stream].isn[direction] is None
        return lost or empty or group in lost_tails or not self._streams[stream].seen[direction]

    def _is_lossy(self, work: Work, request: int, response: int) -> bool:
        """Tell whether a Gap lies between a request and a response."""
        return self._gap_before(work, response) >= int(work.frame[request])

    def _gap_before(self, work: Work, row: int) -> int:
        """Give the frame at which the last Gap before a PDU in its direction was known, -1 where there is none."""
        stream, direction, known, offset = work.row(row, "stream", "direction", "known_frame", "offset")
        gaps = self._gaps.get(stream * 2 + direction, [])
        at = bisect_left(gaps, (known, offset))
        return gaps[at - 1][0] if at else -1

    def _lost_since(self, work: Work, resend: Resend) -> bool:
        """Tell whether the capture may have lost another sending of a request since the first, or the response."""
        stream, known_frame = work.row(resend.row, "stream", "known_frame")
        since = int(work.frame[np.flatnonzero(work.pdu == resend.first)[0]])
        direction = int(work.direction[resend.row])
        gaps = [gap for each in (0, 1) for gap in self._gaps.get(2 * stream + each, [])]
        unseen = not 0 < self._begun_at(2 * stream + 1 - direction) <= known_frame
        return unseen or any(since <= known <= known_frame and offset != BEGINNING for known, offset in gaps)

    def _excuse(self, work: Work, pairs: Pairs) -> set[int]:
        """Find the late transactions whose response in time may lie in a Gap."""
        if not self._gaps:
            return set()
        there = np.flatnonzero(pairs.response >= 0)
        late = work.time_ns[pairs.response[there]] - work.time_ns[there] > self._timers.t_ns
        excused = [row for row in there[late].tolist() if self._is_lossy(work, row, int(pairs.response[row]))]
        for row, stray in pairs.claimed.items():  # it became known long before its request
            if stray.time_ns - work.time_ns[row] > self._timers.t_ns and stray.gap >= work.frame[row]:
                excused.append(row)
        return {int(work.pdu[row]) for row in excused}

    def _fate(
        self, work: Work, row: int, last_time_ns: int, lost_tails: frozenset[int], unasked: dict[int, int]
    ) -> int:
        """Say what an open request is when the capture ends; `unasked` are from `_last_unasked`."""
        number, direction, frame, time_ns, command = work.row(row, "stream", "direction", "frame", "time_ns", "command")
        if self._may_be_lost(number, 1 - direction, frame, lost_tails):
            return UNKNOWN
        resent_from_ns = time_ns + self._timers.t_ns  # under another Sequence_Id, and that was answered
        if command not in EMPTY_BODIES and unasked.get(lane_of(number, direction, command), -1) >= resent_from_ns:
            return UNKNOWN
        stream = self._streams[number]
        if stream.closing is not None:
            return UNANSWERED
        if last_time_ns - time_ns < self._timers.patience_ns:
            return OPEN
        # a lost answer shows itself by any later segment of the connection: without one the capture lost sight of it
        return UNANSWERED if stream.last_time_ns - time_ns >= self._timers.patience_ns else UNKNOWN
