"""How each sender's Sequence_Ids follow each other: the state behind the sequence rules.

Requests of one stream and direction are compared with the one before, vectorised over the batch; a resend is not
counted, and behind a Gap the comparison begins anew. A resend of what the Gap swallowed looks like a fall, so for N·T
behind a Gap, or behind a start in the middle, a fall is not told.
"""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.reassembly import Streams
from cmppscope.rules.model import Sequences
from cmppscope.tables import I64, Oddity, PduBatch
from cmppscope.transactions import Timers, begins_blind
from dissectors.cmpp.enums import RESPONSE

_WRAP = 1 << 32
_HIGH = 0x7FFFFF00
"""From here on a Sequence_Id may be about to wrap."""


class SequenceTracker:
    """Remembers each sender's last Sequence_Id."""

    def __init__(self, streams: Streams, timers: Timers) -> None:
        """`streams` is the list that reassembly keeps."""
        self._streams = streams
        self._patience_ns = timers.patience_ns
        self._last: dict[int, tuple[int, int]] = {}
        """Sequence_Id and length of the run of the last request, by stream * 2 + direction."""
        self._had_zero: set[int] = set()
        self._gaps: dict[int, list[int]] = {}
        """Stream offsets of Gaps behind which no request was seen yet, by stream * 2 + direction."""
        self._begun: dict[int, int] = {}
        """Time of the first request behind the last Gap, or behind a start in the middle."""

    def feed(self, batch: PduBatch, resends: I64, odd: list[Oddity]) -> Sequences:
        """Compare the requests of a batch with those before."""
        request = batch.command < RESPONSE
        request[resends] = False
        rows = np.flatnonzero(request)
        group = batch.stream[rows] * 2 + batch.direction[rows]
        order = stable_order(group)
        rows, group = rows[order], group[order]
        value = batch.sequence[rows]
        before = np.r_[np.int64(-1), value[:-1]][: len(value)]
        heads = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(rows) else rows
        for head in heads.tolist():
            before[head] = self._last.get(int(group[head]), (-1, 0))[0]
        behind_gaps = self._forget_across_gaps(batch, rows, group, before, odd)
        self._pardon_resends(batch, rows, group, before, value, behind_gaps)
        run = self._runs(group, value, before, heads)
        zero_first = self._zeros(group, value, before)
        for end in (np.r_[heads[1:], len(rows)] - 1).tolist() if len(rows) else []:
            self._last[int(group[end])] = int(value[end]), int(run[end])
        return Sequences(rows, before, value, run, zero_first)

    def _forget_across_gaps(self, batch: PduBatch, rows: I64, group: I64, before: I64, odd: list[Oddity]) -> set[int]:
        """Take away what stood before a Gap, or before skipped octets; give the requests behind one."""
        for oddity in odd:
            if oddity.fault == "capture" or oddity.kind == "skipped":
                self._gaps.setdefault(oddity.stream * 2 + oddity.direction, []).append(oddity.offset)
        behind_gaps: set[int] = set()
        for sender in np.intersect1d(group, np.fromiter(self._gaps, np.int64)).tolist():
            mine = np.flatnonzero(group == sender)
            offsets = batch.offset[rows[mine]]
            coming = []
            for gap in self._gaps.pop(sender):
                behind = mine[offsets >= gap]
                if len(behind):
                    behind_gaps.add(int(behind[0]))
                else:
                    coming.append(gap)
            if coming:
                self._gaps[sender] = coming
        before[list(behind_gaps)] = -1
        return behind_gaps

    def _pardon_resends(
        self, batch: PduBatch, rows: I64, group: I64, before: I64, value: I64, behind_gaps: set[int]
    ) -> None:
        """Forget what stood before a request that may repeat one which the capture lost."""
        new = np.flatnonzero(before < 0)
        fallen = np.flatnonzero((before >= 0) & ((value - before) % _WRAP >= _WRAP >> 1))
        for at in np.union1d(new, fallen).tolist():
            sender, time_ns = int(group[at]), int(batch.time_ns[rows[at]])
            if before[at] < 0:
                blind = begins_blind(self._streams[sender >> 1], sender & 1, int(batch.frame[rows[at]]))
                if blind or at in behind_gaps:
                    self._begun[sender] = time_ns
            elif time_ns - self._begun.get(sender, -self._patience_ns - 1) <= self._patience_ns:
                before[at] = -1

    def _runs(self, group: I64, value: I64, before: I64, heads: I64) -> I64:
        """Count for each request how many in a row carried its Sequence_Id."""
        same = (value == before).astype(np.int64)
        if not same.any():
            return np.ones(len(value), np.int64)
        count = np.cumsum(same)
        fresh = np.flatnonzero(same == 0)
        base = np.zeros(len(value), np.int64)
        base[fresh] = count[fresh]
        run = count - np.maximum.accumulate(base) + 1
        for head in heads.tolist():
            if same[head]:
                end = head
                carried = self._last[int(group[head])][1]
                start = int(run[head])
                while end < len(value) and group[end] == group[head] and same[end]:
                    run[end] = carried + 1 + (int(run[end]) - start)
                    end += 1
        return run

    def _zeros(self, group: I64, value: I64, before: I64) -> np.ndarray:
        """Mark each sender's first Sequence_Id 0 that is no wrap."""
        first = np.zeros(len(value), np.bool_)
        for at in np.flatnonzero((value == 0) & (before < _HIGH)).tolist():
            sender = int(group[at])
            if sender not in self._had_zero:
                self._had_zero.add(sender)
                first[at] = True
        return first
