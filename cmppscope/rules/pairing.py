"""Rules about requests and responses (CMPP 2.0 §6.1, §6.2, §6.4, §7.3)."""

from __future__ import annotations

import numpy as np

from cmppscope.quantities import duration, duration_beside
from cmppscope.rules.model import CAPTURE, Facts, Hits, Severity, rule
from cmppscope.rules.open_ends import Waiting, requests
from cmppscope.tables import I64, Bool
from cmppscope.transactions import Transactions
from cmppscope.transactions.table import (
    DUPLICATE,
    LATE,
    ORPHAN,
    OTHER_CONNECTION,
    RESPONSE_UNKNOWN,
    TYPE_MISMATCH,
    UNKNOWN,
    WRONG_DIRECTION,
)


def _requests(table: Transactions, which: Bool, a: I64, b: I64, fault: str = "peer") -> Hits:
    """Give requests as places."""
    rows = np.flatnonzero(which)
    columns = (table.pdu, table.frame, table.stream, table.direction, np.full_like(table.pdu, -1), table.command)
    pdu, frame, stream, direction, offset, command = (c[rows] for c in columns)
    return Hits(pdu, frame, stream, direction, offset, command, a[rows], b[rows], fault)


def _ended(facts: Facts, state: int, fault: str = "peer") -> list[Hits]:
    """Give the requests that were in a state when they were given up."""
    found = []
    for table in facts.settled:
        which = table.state == state
        if not which.any():
            continue
        found.append(_requests(table, which, table.sequence, np.zeros_like(table.pdu), fault))
    return found


@rule("unanswered", Severity.ERROR, "§6.1", "{command} with Sequence_Id {a} got no response")
def unanswered(facts: Facts) -> list[Hits]:
    """Every request is answered within N·T.

    ACTIVE_TEST and TERMINATE have rules of their own, and so have requests of a connection that was closed sooner.
    """
    waiting, table = Waiting.of(facts), facts.ended
    if waiting is None or table is None:
        return []
    return [requests(table, waiting.unanswered)]


@rule("terminate-unanswered", Severity.WARN, "§7.4.2", "{command} with Sequence_Id {a} got no response")
def terminate_unanswered(facts: Facts) -> list[Hits]:
    """TERMINATE is answered before the connection is closed."""
    waiting, table = Waiting.of(facts), facts.ended
    if waiting is None or table is None:
        return []
    return [requests(table, waiting.terminate)]


@rule("late-response", Severity.WARN, "§6.1", "the response to {command} came after {lapse}, where T is {t}")
def late(facts: Facts) -> Hits:
    """A response comes within T."""
    table = facts.paired.closed
    which = table.state == LATE
    if facts.paired.lossy:
        which &= ~np.isin(table.pdu, list(facts.paired.lossy))
    hits = _requests(table, which, table.latency_ns, np.zeros_like(table.pdu))
    t_ns = facts.timers.t_ns
    hits.values = lambda place: {"lapse": duration_beside(int(hits.a[place]), t_ns), "t": duration(t_ns)}
    return hits


@rule("response-orphan", Severity.ERROR, "§7.3", "{command} with Sequence_Id {a} answers no request")
def orphan(facts: Facts) -> Hits:
    """A response has the Sequence_Id of a request."""
    return facts.stray(ORPHAN)


@rule("response-duplicate", Severity.WARN, "§7.3", "{command} with Sequence_Id {a}: PDU {b} is answered already")
def duplicate(facts: Facts) -> Hits:
    """A request is answered once for each time it was sent."""
    return facts.stray(DUPLICATE)


@rule(
    "response-type-mismatch",
    Severity.ERROR,
    "§7.3, §7.7.1",
    "{command} with Sequence_Id {a} comes as the answer to the {other} of PDU {b}",
)
def type_mismatch(facts: Facts) -> Hits:
    """A response has the Command_Id of its request, with bit 31 set."""
    return facts.stray(TYPE_MISMATCH)


@rule(
    "response-direction",
    Severity.ERROR,
    "§7.3",
    "{command} with Sequence_Id {a} goes the same way as the request, PDU {b}",
)
def direction(facts: Facts) -> Hits:
    """A response goes the opposite way of its request."""
    return facts.stray(WRONG_DIRECTION)


@rule(
    "response-other-connection",
    Severity.ERROR,
    "§6.2",
    "{command} with Sequence_Id {a}: the request, PDU {b}, went over another connection",
)
def other_connection(facts: Facts) -> Hits:
    """A response comes on the connection of its request."""
    return facts.stray(OTHER_CONNECTION)


@rule(
    "capture-request-missing",
    Severity.NOTE,
    "practice",
    "{command} with Sequence_Id {a}: the capture may have lost the request",
)
def request_missing(facts: Facts) -> Hits:
    """The capture holds the request of every response."""
    hits = facts.stray(RESPONSE_UNKNOWN)
    hits.fault = CAPTURE
    return hits


@rule(
    "capture-response-missing",
    Severity.NOTE,
    "practice",
    "{command} with Sequence_Id {a}: the capture may have lost the response",
)
def response_missing(facts: Facts) -> list[Hits]:
    """The capture holds the response of every request that was answered."""
    return _ended(facts, UNKNOWN, fault=CAPTURE)


@rule("capture-cut-pdu", Severity.NOTE, "practice", "the capture ends {a:octet|octets} into a PDU")
def cut(facts: Facts) -> Hits:
    """The capture ends between two PDUs."""
    return facts.oddities("cut", CAPTURE)


@rule("capture-late-octets", Severity.NOTE, "practice", "{a:octet|octets} came too late to be put in their place")
def late_octets(facts: Facts) -> Hits:
    """Octets come before their place is given up as a Gap."""
    return facts.oddities("late", CAPTURE)


RULES = (
    unanswered,
    late,
    orphan,
    duplicate,
    type_mismatch,
    direction,
    other_connection,
    terminate_unanswered,
    request_missing,
    response_missing,
    cut,
    late_octets,
)
