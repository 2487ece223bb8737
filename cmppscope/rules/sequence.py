"""How each sender's Sequence_Ids follow each other: the state behind the sequence rules.

Requests of one stream and direction are compared with the one before, vectorised over the batch; a resend is not
counted, and behind a Gap the comparison begins anew.
"""

from __future__ import annotations

import numpy as np

from cmppscope.framing.headers import known
from cmppscope.rules.model import Sequences
from cmppscope.tables import I64, Oddity, PduBatch

_RESPONSE = 0x80000000
_HIGH = 0x7FFFFF00
"""From here on a Sequence_Id may be about to wrap."""


class SequenceTracker:
    """Remembers each sender's last Sequence_Id."""

    def __init__(self) -> None:
        """Begin with no sender."""
        self._last: dict[int, tuple[int, int, int]] = {}
        """Sequence_Id, length of the run, stream offset of the last request, by stream * 2 + direction."""
        self._had_zero: set[int] = set()

    def feed(self, batch: PduBatch, resends: I64, odd: list[Oddity]) -> Sequences:
        """Compare the requests of a batch with those before."""
        request = known(batch.command) & (batch.command < _RESPONSE)
        request[resends] = False
        rows = np.flatnonzero(request)
        group = batch.stream[rows] * 2 + batch.direction[rows]
        order = np.argsort(group, kind="stable")
        rows, group = rows[order], group[order]
        value = batch.sequence[rows]
        before = np.r_[np.int64(-1), value[:-1]]
        heads = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(rows) else rows
        for head in heads.tolist():
            before[head] = self._last.get(int(group[head]), (-1, 0, 0))[0]
        self._forget_across_gaps(batch, rows, group, before, odd)
        run = self._runs(group, value, before, heads)
        zero_first = self._zeros(group, value, before)
        for end in (np.r_[heads[1:], len(rows)] - 1).tolist() if len(rows) else []:
            self._last[int(group[end])] = int(value[end]), int(run[end]), int(batch.offset[rows[end]])
        return Sequences(rows, before, value, run, zero_first)

    def _forget_across_gaps(self, batch: PduBatch, rows: I64, group: I64, before: I64, odd: list[Oddity]) -> None:
        """Take away what stood before a Gap."""
        for oddity in odd:
            if oddity.fault != "capture":
                continue
            sender = oddity.stream * 2 + oddity.direction
            mine = np.flatnonzero(group == sender)
            behind = mine[batch.offset[rows[mine]] >= oddity.offset]
            if len(behind):
                before[behind[0]] = -1
            else:
                self._last.pop(sender, None)

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
