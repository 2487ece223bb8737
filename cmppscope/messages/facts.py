"""What messages tell the rules about one batch, or about the end of a capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cmppscope.messages.ledger import Judged
from cmppscope.tables import I64


class Before(NamedTuple):
    """A row of the batch, and what was there before."""

    row: int
    before: int


class Place(NamedTuple):
    """Where a PDU stands; an `offset` of -1 is not known."""

    pdu: int
    frame: int
    stream: int
    direction: int
    offset: int = -1


class Told(NamedTuple):
    """A status report and what is remarkable about it."""

    place: Place
    id: int
    """Msg_Id inside the report."""
    kind: int
    """`messages.ledger.JOINED`, AGAIN, INTERMEDIATE or NO_RECEIVER."""
    submit: int
    """The SUBMIT that it belongs to."""
    asked: int
    """Registered_Delivery of that."""
    refused: bool
    right_number: bool
    before_response_ns: int
    """By how much it came before the SUBMIT_RESP, 0 where it did not."""
    behind_response_ns: int
    stat: str
    before: int
    """The DELIVER with the report before it, where that was answered with Result 0 before this one; else 0."""
    stat_before: str


class Echo(NamedTuple):
    """A response that does not repeat what its request says."""

    place: Place
    command: int
    """Command_Id of the request."""
    request: int
    """The request's PDU."""
    asked: tuple[int, int, int]
    """What was noted of the request (`messages.notes`)."""
    said: tuple[int, int, int]


class Named(NamedTuple):
    """A PDU that names a Msg_Id."""

    place: Place
    id: int
    other: int = 0
    """Another PDU that matters."""


class Unfinished(NamedTuple):
    """A long message of which parts are missing."""

    place: Place
    total: int
    missing: Sequence[int]
    deliver: bool


class Part(NamedTuple):
    """A part of a long message that does not fit."""

    place: Place
    number: int
    total: int
    deliver: bool


@dataclass(slots=True)
class MessageFacts:
    """What the rules see."""

    reports: Sequence[Told] = ()
    """Reports with something remarkable."""
    unknown: Sequence[Named] = ()
    """Reports about a Msg_Id that was never given, in a capture that would hold it."""
    missing: Sequence[Named] = ()
    """SUBMITs that got no report in time, in a capture that would hold it; `other` is the time in nanoseconds."""
    cancels: Sequence[Named] = ()
    """CANCELs of a Msg_Id that was never given, in a capture that would hold it."""
    same_ids: Sequence[Named] = ()
    """SUBMIT_RESPs with a Msg_Id that another SUBMIT, `other`, got before."""
    repeats: Sequence[Before] = ()
    """DELIVERs whose Msg_Id was delivered before and answered with Result 0, and the DELIVER before."""
    gateways: Sequence[Before] = ()
    """SUBMIT_RESPs whose Msg_Id has another gateway number than the one before on the connection, and that one."""
    loops: Sequence[Before] = ()
    """FWDs that passed the same two gateways before with a lower NodesCount, and that FWD."""
    echoes: Sequence[Echo] = ()
    repeated: Sequence[Part] = ()
    """Parts whose number was there already."""
    mixed: Sequence[Part] = ()
    """Parts that differ from the first one of their message in what all have in common."""
    unfinished: Sequence[Unfinished] = ()
    dropped: Sequence[Named] = ()
    """How many receivers, reports and parts were let go for want of room, where there were any."""
    judged: Sequence[Judged] = ()
    """Reports and the receivers they belong to, for who keeps rows."""
    leaders: tuple[I64, I64] = field(default_factory=lambda: (np.zeros(0, np.int64), np.zeros(0, np.int64)))
    """Parts of long messages that became whole, and the first part of each, as PDUs."""
