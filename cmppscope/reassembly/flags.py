"""What SYN, FIN and RST tell about streams: where one begins, its initial sequence numbers, how it was closed.

These are the only segments that are looked at one by one. What is known of a stream is a list of numbers while a batch
is read, and goes back into its columns at the end: a million connections that are only asked for cost little more
than their rows.
"""

from __future__ import annotations

import numpy as np

from cmppscope.reassembly.table import KNOWN_PORTS, Streams
from cmppscope.tables import ACK, FIN, RST, SYN, SegmentBatch

_WRAP = 1 << 32
_FIELDS = (
    ("lower_first", None),
    ("first_seq", None),
    ("handshake", None),
    ("isn", 0),
    ("isn", 1),
    ("isn_frame", 0),
    ("isn_frame", 1),
    ("fin", 0),
    ("fin", 1),
    ("closing", None),
    ("closing_direction", None),
    ("closing_frame", None),
    ("closing_time_ns", None),
)
"""Columns, and which of two directions, of the numbers in a list."""
_LOWER, _FIRST_SEQ, _HANDSHAKE, _ISN, _ISN_FRAME, _FIN, _CLOSING = 0, 1, 2, 3, 5, 7, 9


class Flags:
    """Reads the flagged segments of one batch, in frame order."""

    def __init__(self, streams: Streams, batch: SegmentBatch) -> None:
        """`streams` is the table that is read from and, by `write`, written to."""
        self._streams = streams
        self._batch = batch
        self._known: dict[int, list[int]] = {}
        self._opened: list[tuple[int, int, bool]] = []

    def open(self, row: int, *, lower: bool) -> int:
        """Begin a stream at a row, and decide once and for all which end is the originator; give its number."""
        batch = self._batch
        towards = _source_originates(int(batch.flags[row]), int(batch.sport[row]), int(batch.dport[row]))
        number = self._streams.add()
        self._opened.append((number, row, towards))
        self._known[number] = [lower == towards, int(batch.seq[row]), 0, -1, -1, 0, 0, -1, -1, 0, 0, 0, 0]
        return number

    def reopens(self, number: int, row: int, flags: int, *, lower: bool) -> bool:
        """Tell whether a segment begins a new connection on the four-tuple of an old one.

        A SYN captured behind the octets that follow it belongs to their stream, as it does in Wireshark.
        """
        if not flags & SYN:
            return False
        stream, seq = self._of(number), int(self._batch.seq[row])
        known = stream[_ISN + (lower != stream[_LOWER])]
        if flags & ACK:
            return known >= 0 and known != seq
        if stream[_CLOSING]:
            return True
        if known >= 0:
            return known != seq
        return not (stream[_HANDSHAKE] or stream[_FIRST_SEQ] == (seq + 1) % _WRAP)

    def note(self, number: int, row: int, flags: int, *, lower: bool) -> None:
        """Keep what the flags of a segment tell about its stream."""
        stream, batch = self._of(number), self._batch
        direction, frame, seq = int(lower != stream[_LOWER]), int(batch.frame[row]), int(batch.seq[row])
        if flags & SYN:
            stream[_HANDSHAKE] = 1
            _learn(stream, direction, seq, frame)
            if flags & ACK:
                _learn(stream, 1 - direction, (int(batch.ack[row]) - 1) % _WRAP, frame)
        if flags & FIN and not flags & RST:
            behind = seq + int(batch.length[row]) + int(batch.missing[row]) + (flags & SYN != 0)
            stream[_FIN + direction] = behind % _WRAP
        if flags & (FIN | RST) and not stream[_CLOSING]:
            stream[_CLOSING:] = [2 if flags & RST else 1, direction, frame, int(batch.time_ns[row])]

    def write(self) -> None:
        """Put everything into the columns."""
        columns, batch = self._streams.columns, self._batch
        if self._opened:
            numbers, rows, towards = (np.array(column) for column in zip(*self._opened, strict=True))
            columns["ip_version"][numbers] = batch.ip_version[rows]
            columns["first_frame"][numbers] = batch.frame[rows]
            columns["first_time_ns"][numbers] = batch.time_ns[rows]
            ends = columns["ends"]
            for side, port, which in (("src", batch.sport, ~towards), ("dst", batch.dport, towards)):
                place = numbers, which.astype(np.int64)
                ends["hi"][place] = getattr(batch, f"{side}_hi")[rows]
                ends["lo"][place] = getattr(batch, f"{side}_lo")[rows]
                ends["port"][place] = port[rows]
        if self._known:
            numbers = np.fromiter(self._known, np.int64)
            # Last field first: who looks on meanwhile sees the place of a flag not later than the flag.
            values_of = np.array(list(self._known.values())).T
            for (name, direction), values in zip(_FIELDS[::-1], values_of[::-1], strict=True):
                column = columns[name] if direction is None else columns[name][:, direction]
                column[numbers] = values

    def _of(self, number: int) -> list[int]:
        """Give what is known of a stream."""
        stream = self._known.get(number)
        if stream is None:
            columns = self._streams.columns
            stream = self._known[number] = [
                int(columns[name][number] if direction is None else columns[name][number, direction])
                for name, direction in _FIELDS
            ]
        return stream


def _learn(stream: list[int], direction: int, isn: int, frame: int) -> None:
    """Keep a direction's initial sequence number when it is told for the first time."""
    if stream[_ISN + direction] < 0:
        stream[_ISN + direction] = isn
        stream[_ISN_FRAME + direction] = frame


def _source_originates(flags: int, source_port: int, target_port: int) -> bool:
    """Tell whether the sender of a stream's first captured segment counts as its originator."""
    if flags & SYN:
        return not flags & ACK
    if (source_port in KNOWN_PORTS) != (target_port in KNOWN_PORTS):
        return target_port in KNOWN_PORTS
    return source_port >= target_port
