"""TCP handshakes timed: how far each end of a connection is from where the capture was made.

SYN to SYN/ACK is the way to the responder and back, SYN/ACK to the ACK behind it the way to the originator and back. A
SYN or SYN/ACK that was sent twice measures nothing (Karn's rule). Python looks at segments with SYN only, and once at
the ACK of each connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import distinct
from cmppscope.tables import ACK, I64, SYN, SegmentBatch

OPENING = 65_536
"""Connections whose handshake is not over that are followed; beyond it the oldest are given up."""
MEASURED = 200_000
"""Handshakes kept."""


class Handshake(NamedTuple):
    """Round trips in nanoseconds between the capture and an end of a connection, None where they are not known."""

    originator_ns: int | None
    responder_ns: int | None


@dataclass(slots=True)
class _Opening:
    """A handshake under way."""

    syn_ns: int | None = None
    answer_ns: int | None = None
    answer_row: int = -1
    """Row of the SYN/ACK, -1 for one of an earlier batch."""
    again: bool = False
    """SYN was sent again before it was answered."""
    answered_again: bool = False


class Handshakes:
    """Follows the handshakes of all streams."""

    def __init__(self) -> None:
        """Begin with none."""
        self._opening: dict[int, _Opening] = {}
        self.measured: dict[int, Handshake] = {}
        """By stream."""

    def feed(self, batch: SegmentBatch, stream: I64, direction: I64) -> None:
        """Take a batch of segments, each with its stream and direction."""
        flagged = np.flatnonzero(batch.flags & SYN)
        if not len(stream) or not (len(flagged) or self._opening):
            return
        wanted = np.zeros(int(stream.max()) + 1, np.bool_)
        wanted[[number for number in distinct(stream)[0].tolist() if number in self._opening]] = True
        wanted[stream[flagged]] = True
        plain = (batch.flags & (SYN | ACK)) == ACK
        rows = np.flatnonzero(wanted[stream] & plain & (direction == 0))
        rows = rows[np.argsort(stream[rows], kind="stable")]
        owner = stream[rows]
        syns: dict[int, list[int]] = {}
        for row in flagged.tolist():
            syns.setdefault(int(stream[row]), []).append(row)
        numbers = np.flatnonzero(wanted)
        bounds = zip(
            np.searchsorted(owner, numbers).tolist(), np.searchsorted(owner, numbers + 1).tolist(), strict=True
        )
        for number, (low, high) in zip(numbers.tolist(), bounds, strict=True):
            if number in self.measured or len(self.measured) >= MEASURED:
                continue
            self._follow(batch, number, syns.get(number, []), rows[low:high])
        for number in list(islice(self._opening, max(0, len(self._opening) - OPENING))):
            del self._opening[number]

    def _follow(self, batch: SegmentBatch, number: int, syns: list[int], acks: I64) -> None:
        """Take the segments of one stream, in order: those with SYN, and the originator's ACKs."""
        state = self._opening.setdefault(number, _Opening())
        for row in [*syns, None]:
            at = len(acks) if state.answer_ns is None else int(np.searchsorted(acks, state.answer_row))
            if at < len(acks) and (row is None or acks[at] < row):
                self._finish(number, state, int(batch.time_ns[acks[at]]))
                return
            if row is None:
                break
            time_ns = int(batch.time_ns[row])
            if batch.flags[row] & ACK:
                state.answered_again = state.answer_ns is not None
                state.answer_ns, state.answer_row = (state.answer_ns or time_ns), row
            elif state.answer_ns is None:
                state.again, state.syn_ns = state.syn_ns is not None, time_ns
        state.answer_row = -1

    def _finish(self, number: int, state: _Opening, time_ns: int) -> None:
        """Keep what a handshake measures."""
        del self._opening[number]
        answer_ns = state.answer_ns or 0
        there = None if state.syn_ns is None or state.again else answer_ns - state.syn_ns
        back = None if state.answered_again else time_ns - answer_ns
        self.measured[number] = Handshake(*(None if ns is None or ns < 0 else ns for ns in (back, there)))
