"""TCP handshakes timed: how far each end of a connection is from where the capture was made.

SYN to SYN/ACK is the way to the responder and back, SYN/ACK to the ACK behind it the way to the originator and back. A
SYN or SYN/ACK that was sent twice measures nothing (Karn's rule). What is known of a handshake is a row of numbers,
about 20 octets a stream. Streams with one SYN and nothing else in a batch, a flood of them too, are noted at once;
Python looks at other segments with SYN, and once at the ACK of each connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import ByNumber, distinct, none, stable_order
from cmppscope.tables import ACK, I64, SYN, U8, SegmentBatch

_ASKED, _ANSWERED, _MEASURED = 1, 2, 3
"""What was seen: SYN, then SYN/ACK, then the ACK."""
_SYN_SEEN, _SYN_AGAIN, _ANSWER_AGAIN = 1, 2, 4
_UNKNOWN = -1


class Handshake(NamedTuple):
    """Round trips in nanoseconds between the capture and an end of a connection, None where they are not known."""

    originator_ns: int | None
    responder_ns: int | None


@dataclass(slots=True)
class Handshakes(ByNumber):
    """The handshakes of all streams, by number."""

    _state: U8 = field(default_factory=lambda: np.zeros(0, np.uint8))
    """0 for a stream of which no segment with SYN was seen."""
    _marks: U8 = field(default_factory=lambda: np.zeros(0, np.uint8))
    _there_ns: I64 = field(default_factory=none)
    """Time of the last SYN; once measured, the round trip to the responder."""
    _back_ns: I64 = field(default_factory=none)
    """Time of the first SYN/ACK; once measured, the round trip to the originator."""

    def measured(self, stream: int) -> Handshake | None:
        """Give what the handshake of a stream measures, None where it is not over or was not captured."""
        if stream >= len(self._state) or self._state[stream] != _MEASURED:
            return None
        back, there = int(self._back_ns[stream]), int(self._there_ns[stream])
        return Handshake(None if back == _UNKNOWN else back, None if there == _UNKNOWN else there)

    def feed(self, batch: SegmentBatch, stream: I64, direction: I64) -> None:
        """Take a batch of segments, each with its stream and direction."""
        if not len(stream):
            return
        self.grow(int(stream.max()) + 1)
        flagged = np.flatnonzero(batch.flags & SYN)
        flagged = flagged[self._state[stream[flagged]] != _MEASURED]
        flagged = self._without_first_syns(batch, stream, flagged)
        wanted = self._state == _ANSWERED
        wanted[stream[flagged]] = True
        plain = (batch.flags & (SYN | ACK)) == ACK
        rows = np.flatnonzero(wanted[stream] & plain & (direction == 0))
        rows = rows[stable_order(stream[rows])]
        flagged = flagged[stable_order(stream[flagged])]
        owners = stream[flagged], stream[rows]
        numbers = np.union1d(*owners)
        begins = [np.searchsorted(those, numbers).tolist() for those in owners]
        ends = [np.searchsorted(those, numbers + 1).tolist() for those in owners]
        for at, number in enumerate(numbers.tolist()):
            syns, acks = (slice(begin[at], end[at]) for begin, end in zip(begins, ends, strict=True))
            self._follow(batch, number, flagged[syns].tolist(), rows[acks])

    def _without_first_syns(self, batch: SegmentBatch, stream: I64, flagged: I64) -> I64:
        """Note the streams of which these rows hold nothing but their first SYN; give the other rows."""
        _, first, count = distinct(stream[flagged])
        alone = flagged[first[count == 1]]
        alone = alone[(batch.flags[alone] & ACK == 0) & (self._state[stream[alone]] == 0)]
        owners = stream[alone]
        self._state[owners], self._marks[owners], self._there_ns[owners] = _ASKED, _SYN_SEEN, batch.time_ns[alone]
        return flagged[~np.isin(flagged, alone)]

    def _follow(self, batch: SegmentBatch, number: int, syns: list[int], acks: I64) -> None:
        """Take the segments of one stream, in order: those with SYN, and the originator's ACKs."""
        answer_row = -1
        for row in [*syns, None]:
            if self._state[number] == _ANSWERED:
                at = int(np.searchsorted(acks, answer_row))
                if at < len(acks) and (row is None or acks[at] < row):
                    self._finish(number, int(batch.time_ns[acks[at]]))
                    return
            if row is None:
                break
            if batch.flags[row] & ACK:
                self._answer(number, int(batch.time_ns[row]))
                answer_row = row
            elif self._state[number] < _ANSWERED:
                self._marks[number] |= _SYN_SEEN | (_SYN_AGAIN if self._state[number] else 0)
                self._state[number], self._there_ns[number] = _ASKED, batch.time_ns[row]

    def _answer(self, number: int, time_ns: int) -> None:
        """Take a SYN/ACK."""
        if self._state[number] == _ANSWERED:
            self._marks[number] |= _ANSWER_AGAIN
        else:
            self._state[number], self._back_ns[number] = _ANSWERED, time_ns

    def _finish(self, number: int, time_ns: int) -> None:
        """Keep what a handshake measures."""
        marks, answer_ns = int(self._marks[number]), int(self._back_ns[number])
        there = answer_ns - int(self._there_ns[number]) if marks & (_SYN_SEEN | _SYN_AGAIN) == _SYN_SEEN else _UNKNOWN
        back = _UNKNOWN if marks & _ANSWER_AGAIN else time_ns - answer_ns
        self._state[number] = _MEASURED
        self._there_ns[number], self._back_ns[number] = max(there, _UNKNOWN), max(back, _UNKNOWN)
