"""What pairing takes and gives, as columns and records."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from cmppscope.arrays import kinds, stable_order
from cmppscope.columns import PduColumns
from cmppscope.tables import I64, LAYOUT_20, Bool, PduBatch
from dissectors.cmpp.enums import ACTIVE_TEST, CANCEL, CONNECT, DELIVER, FWD, RESPONSE, SUBMIT, TERMINATE

ECHOES = 4096
"""ACTIVE_TESTs remembered, to see whether they come back."""
EMPTY_BODIES = (TERMINATE, ACTIVE_TEST)
"""TERMINATE and ACTIVE_TEST: with nothing in them, equal octets say nothing."""

SWAPPED_NS = 1_000_000_000
SWAPPED_PDUS = 1_000
"""How far a capture may put a response before its request: some capture the two directions out of step."""

HISTORY = 65_536
"""PDUs back in which an answered request is still known, to tell a second response from an orphan."""
OPEN_REQUESTS = 1_000_000
"""Requests kept open; beyond it the oldest are closed as unknown."""
STRAY_RESPONSES = 1_000_000
"""Responses kept in case their request becomes known later; beyond it the oldest are settled as unknown."""
REUSES = 100_000
"""Requests kept that took the Sequence_Id of an open one, until it is known whether the capture explains that."""
CAPS_EVERY = 65_536
"""So many PDUs stand between two looks at these caps."""

RESULT_FIELDS = {
    CONNECT: "status",
    **dict.fromkeys((SUBMIT, DELIVER, FWD), "result"),
    CANCEL: "success_id",
    **dict.fromkeys(range(0x10, 0x17), "result"),
}
"""The field of a request's response that says how it went."""

ANSWERED, LATE, UNANSWERED, OPEN, UNKNOWN = range(5)
STATES = ("answered", "late", "unanswered", "open", "unknown")
WRONG_DIRECTION, TYPE_MISMATCH, OTHER_CONNECTION, DUPLICATE, ORPHAN, RESPONSE_UNKNOWN = range(6)
STRAYS = ("wrong_direction", "type_mismatch", "other_connection", "duplicate", "orphan", "unknown")

NO_RESULT = -1

BEGINNING = -1
"""In place of the offset of a Gap: what came before the first octet captured."""


Number = TypeVar("Number", int, I64)

LANE = 32
"""Bits of a key below its lane: requests of one stream, direction and command."""


def lane_of(stream: Number, direction: Number, command: Number) -> Number:
    """Give the lane of requests sent in a direction."""
    return stream << 6 | direction << 5 | command


def key_of(stream: Number, direction: Number, command: Number, sequence: Number) -> Number:
    """Give what a request sent in a direction and its response have in common, as one number."""
    return lane_of(stream, direction, command) << LANE | sequence


@dataclass(frozen=True, slots=True)
class Timers:
    """The values of CMPP 2.0 §6.1, in nanoseconds, and N."""

    t_ns: int = 60_000_000_000
    n: int = 3

    @property
    def patience_ns(self) -> int:
        """How long a request may go without any answer: N·T."""
        return self.t_ns * self.n


@dataclass(slots=True)
class Transactions:
    """Requests with what became of them; one entry a transaction in every array, 0 or -1 where there is no response."""

    pdu: I64
    frame: I64
    time_ns: I64
    stream: I64
    direction: I64
    """Direction of the request."""
    session: I64
    command: I64
    sequence: I64
    sendings: I64
    last_time_ns: I64
    """Time of the last sending."""
    response_pdu: I64
    response_frame: I64
    response_time_ns: I64
    result: I64
    """Status, Result or Success_Id of the response; NO_RESULT without one."""
    asked: I64
    """Registered_Delivery of a SUBMIT, 0 for all other requests."""
    msg_id: I64
    """Msg_Id of the response (its 64 bits, as a signed number), 0 without one."""
    state: I64
    """ANSWERED … UNKNOWN."""

    def __len__(self) -> int:
        """Count the transactions."""
        return len(self.pdu)

    @property
    def latency_ns(self) -> I64:
        """From the first sending to the response; meaningful where there is one."""
        return self.response_time_ns - self.time_ns


class Stray(NamedTuple):
    """A response that answers nothing."""

    kind: int
    """WRONG_DIRECTION … RESPONSE_UNKNOWN."""
    pdu: int
    frame: int
    time_ns: int
    stream: int
    direction: int
    session: int
    command: int
    sequence: int
    offset: int
    other: int
    """The PDU that made it this kind, 0 where there is none."""
    other_command: int
    """Command_Id of that PDU."""
    result: int
    msg_id: int
    first: int
    """First sending of the request that a DUPLICATE answers once more, 0 for other kinds."""
    again: int
    """Its further sendings, and requests of its key given up, before the response: so many more are no fault."""
    excused: int
    """1 where one of these explains the response."""
    gap: int
    """Frame at which the last Gap of its direction before it was known, -1 where there is none."""


class Reuse(NamedTuple):
    """A new request with the Sequence_Id of an open one (CMPP 2.0 §7.3)."""

    pdu: int
    frame: int
    stream: int
    direction: int
    sequence: int
    offset: int
    other: int
    """The open request."""
    other_frame: int


@dataclass(slots=True)
class Work:
    """The open requests and the batch's PDUs as one set of columns."""

    key: I64
    """Stream, direction of the request, Command_Id and Sequence_Id in one number."""
    pdu: I64
    frame: I64
    known_frame: I64
    time_ns: I64
    stream: I64
    direction: I64
    session: I64
    command: I64
    """Command_Id without the bit of a response."""
    sequence: I64
    offset: I64
    length: I64
    is_request: Bool
    sendings: I64
    last_time_ns: I64
    check: I64
    """CRC-32 of the octets behind the header, -1 where it was not made yet."""
    result: I64
    asked: I64
    msg_id: I64
    first: I64
    """PDU of the first sending, for an open resend under another Sequence_Id; 0 for all other rows."""

    def take(self, rows: I64) -> Work:
        """Give some rows."""
        return Work(*(getattr(self, name)[rows] for name in Work.__slots__))

    def row(self, at: int, *names: str) -> list[int]:
        """Give values of one row."""
        return [int(getattr(self, name)[at]) for name in names]


class Resend(NamedTuple):
    """A further sending of a request."""

    row: int
    """Row in the batch; while pairing, in the working set."""
    first: int
    """PDU of the first sending."""
    waited_ns: int
    """Time since the sending before."""
    sendings: int
    """How often the request was sent up to here."""
    lossy: bool
    """The capture may have lost another one since the first, or the response."""


@dataclass(slots=True)
class Paired:
    """What a batch brought."""

    closed: Transactions
    """Those that have their response now, in order of the request."""
    resends: I64
    """Rows of the batch that are further sendings of a request, or may be."""
    lossy: set[int] = field(default_factory=set)
    """PDUs of late transactions whose response in time may lie in a Gap."""
    sent_again: list[Resend] = field(default_factory=list)
    """The further sendings, one by one."""
    strays: list[Stray] = field(default_factory=list)
    """Responses that answer nothing and could not be kept until the end."""


def joined(parts: list[Paired]) -> Paired:
    """Put together what the pieces of a batch brought."""
    return Paired(
        in_order([part.closed for part in parts]),
        np.concatenate([part.resends for part in parts]),
        set().union(*(part.lossy for part in parts)),
        [resend for part in parts for resend in part.sent_again],
        [stray for part in parts for stray in part.strays],
    )


def join(parts: list[Work]) -> Work:
    """Put sets of rows one behind the other."""
    return Work(*(np.concatenate([getattr(p, name) for p in parts]) for name in Work.__slots__))


@dataclass(slots=True)
class Pairs:
    """Which rows of a working set belong together."""

    response: I64
    """Row of the response of each request, -1 where there is none."""
    claimed: dict[int, Stray] = field(default_factory=dict)
    """Responses from before, by row of the request that became known late."""
    joined: dict[int, int] = field(default_factory=dict)
    """Rows that are resends of a request, and the PDU of its first sending."""
    open_again: set[int] = field(default_factory=set)
    """Rows of those that have another Sequence_Id than the first sending, under which it may be answered as well."""
    lost: dict[int, int] = field(default_factory=dict)
    """Rows given up, since nothing tells their response, and the PDU by which that was known."""
    doubtful: set[int] = field(default_factory=set)
    """Rows given up that may be resends of a request answered meanwhile."""

    def answered(self) -> Bool:
        """Tell which rows are requests with a response."""
        answered = self.response >= 0
        answered[list(self.claimed)] = True
        return answered

    def settled(self) -> Bool:
        """Tell which rows are requests of which no more is to come."""
        settled = self.answered()
        settled[list(self.lost)] = True
        return settled


def transactions(work: Work, rows: I64, pairs: Pairs, timers: Timers) -> Transactions:
    """Give the transactions of some requests; those without a response are OPEN."""
    answer = pairs.response[rows]
    there = answer >= 0
    columns = {
        "response_pdu": np.where(there, work.pdu[answer], 0),
        "response_frame": np.where(there, work.frame[answer], 0),
        "response_time_ns": np.where(there, work.time_ns[answer], 0),
        "result": np.where(there, work.result[answer], NO_RESULT),
        "msg_id": np.where(there, work.msg_id[answer], 0),
    }
    for row, stray in pairs.claimed.items():
        at = np.flatnonzero(rows == row)
        there[at] = True
        values = (stray.pdu, stray.frame, stray.time_ns, stray.result, stray.msg_id)
        for name, value in zip(columns, values, strict=True):
            columns[name][at] = value
    late = there & (columns["response_time_ns"] - work.time_ns[rows] > timers.t_ns)
    request = ("pdu", "frame", "time_ns", "stream", "direction", "session", "command", "sequence", "sendings")
    columns |= {name: getattr(work, name)[rows] for name in (*request, "last_time_ns", "asked")}
    waiting = np.where(np.isin(rows, list(pairs.lost)), UNKNOWN, OPEN)
    columns["state"] = np.where(late, LATE, np.where(there, ANSWERED, waiting))
    return Transactions(**columns)


def no_transactions() -> Transactions:
    """Give a table without rows."""
    return Transactions(*(np.zeros(0, np.int64) for _ in Transactions.__slots__))


def contents(columns: PduColumns) -> tuple[I64, I64, I64]:
    """Read what a batch's PDUs tell of their transaction: (result, Registered_Delivery, Msg_Id), one entry a PDU.

    Result is Status, Result or Success_Id of a response, NO_RESULT where there is none to read.
    """
    batch = columns.batch
    values = np.full(len(batch), NO_RESULT, np.int64)
    asked = np.zeros(len(batch), np.int64)
    msg_id = np.zeros(len(batch), np.int64)
    asked[columns.rows(SUBMIT)] = columns.body(SUBMIT).integer("registered_delivery").astype(np.int64)
    responses = columns.body(SUBMIT | RESPONSE)
    msg_id[columns.rows(SUBMIT | RESPONSE)] = responses.integer("msg_id").view(np.int64)
    present, _ = kinds(batch.command[(batch.command >= RESPONSE) & (batch.layout == LAYOUT_20)])
    for command in present.tolist():
        name = RESULT_FIELDS.get(command & 0x7FFFFFFF)
        if name is not None:
            body = columns.body(command)
            values[columns.rows(command)] = np.where(body.valid(name), body.integer(name).astype(np.int64), NO_RESULT)
    return values, asked, msg_id


def check_of(batch: PduBatch, pdu: int) -> int:
    """Give the CRC-32 of a PDU's octets behind the header."""
    return zlib.crc32(batch.octets_of(pdu - batch.first)[12:])


def in_order(tables: list[Transactions]) -> Transactions:
    """Put transactions into one table, in order of their requests."""
    columns = {
        name: np.concatenate([np.zeros(0, np.int64), *(getattr(t, name) for t in tables)])
        for name in Transactions.__slots__
    }
    order = stable_order(columns["pdu"])
    return Transactions(**{name: column[order] for name, column in columns.items()})
