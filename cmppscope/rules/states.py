"""The states of a connection as data: which there are, what each forbids, what changes them (CMPP 2.0 §6, §7.4)."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmppscope.rules.spots import I8
from cmppscope.tables import I32, I64, Bool, PduBatch

(
    NEW,
    UNKNOWN,
    TCP,
    WAIT,
    OPEN,
    OPENED,
    REFUSED,
    CLOSING_0,
    CLOSING_1,
    CLOSING_BOTH,
    RELEASED_0,
    RELEASED_1,
) = range(12)
"""States. OPENED is open by a CONNECT_RESP whose CONNECT was not seen; a number is the direction of the sender."""

QUIET = np.isin(np.arange(12), (UNKNOWN, OPEN, OPENED))
IS_OPEN = np.isin(np.arange(12), (OPEN, OPENED))

MISSING, EARLY, REFUSED_TRAFFIC, AFTER_TERMINATE = range(1, 5)
SLUGS = {
    MISSING: "connect-missing",
    EARLY: "connect-early",
    REFUSED_TRAFFIC: "connect-refused-traffic",
    AFTER_TERMINATE: "terminate-traffic",
}

U16 = NDArray[np.uint16]


def _forbidden() -> NDArray[np.uint8]:
    """Say for each state, kind (request, response) and direction what a PDU in it is: 0 where it is allowed."""
    table = np.zeros((12, 2, 2), np.uint8)
    table[TCP, 0] = MISSING
    table[WAIT, 0] = EARLY
    table[REFUSED, 0] = REFUSED_TRAFFIC
    table[CLOSING_BOTH, 0] = AFTER_TERMINATE
    for direction in (0, 1):
        table[CLOSING_0 + direction, 0, direction] = AFTER_TERMINATE
        table[RELEASED_0 + direction, 0] = AFTER_TERMINATE
        # what the other side answers may have been under way
        table[RELEASED_0 + direction, 1, direction] = AFTER_TERMINATE
    return table


FORBIDDEN = _forbidden()


class Mark(NamedTuple):
    """From a row on a stream is in a state."""

    key: int
    """Stream and row in one number."""
    state: int
    pdu: int
    """The PDU that made the state, and its Command_Id; 0 where none did."""
    command: int
    session: int
    source: int
    client: int
    time_ns: int
    status: int
    lost: bool
    """A Gap made it."""
    whole: bool
    """No Gap came before it."""


by_key = operator.attrgetter("key")


@dataclass(slots=True)
class Made:
    """What made the state of a stream."""

    pdu: int = 0
    command: int = 0
    """Its Command_Id."""
    time_ns: int = 0
    status: int = 0
    """Status of the last CONNECT_RESP."""
    session: int = 0
    """Counts the sessions of the stream."""


NOTHING = Made()


class Sources:
    """Who logged in: Source_Addr of the last CONNECT before each PDU of a batch."""

    def __init__(
        self,
        codes: list[bytes],
        source: I32,
        client: I8,
        marks: list[Mark],
        batch: PduBatch,
    ) -> None:
        """`codes` are the addresses; `source` and `client` tell of each stream which and of whom, but for `marks`."""
        self._codes = codes
        self._source, self._client = source, client
        self._marks = marks
        self._batch = batch

    def of(self, rows: I64) -> tuple[U16, Bool]:
        """Give the address before each row, as an array [rows, 3] of 16 bits, and where the row's sender gave it."""
        batch = self._batch
        stream = batch.stream[rows]
        source, client = self._source[stream], self._client[stream]
        if self._marks:
            keys = np.array([mark.key for mark in self._marks], np.int64)
            at = np.searchsorted(keys, stream * (len(batch) + 1) + rows, "right") - 1
            size = len(batch) + 1
            mine = (at >= 0) & (keys[at] // size == stream)
            source[mine] = np.array([mark.source for mark in self._marks], np.int64)[at[mine]]
            client[mine] = np.array([mark.client for mark in self._marks], np.int64)[at[mine]]
        codes = np.frombuffer(b"".join(self._codes), np.uint16).reshape(-1, 3)
        return codes[source], (source > 0) & (client == batch.direction[rows])


def terminated(state: int, direction: int) -> int:
    """Give the state behind a TERMINATE; who is not logged in has nothing to end."""
    if state in (CLOSING_1 - direction, CLOSING_BOTH):
        return CLOSING_BOTH
    return CLOSING_0 + direction if state in (UNKNOWN, OPEN, OPENED) else state
