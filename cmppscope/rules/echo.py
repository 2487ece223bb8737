"""Rules about what a response repeats of its request, and about FWDs that come round again."""

from __future__ import annotations

import numpy as np

from cmppscope.messages.facts import Echo
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.named import Entry, hits_at, msg_id
from dissectors.cmpp.enums import DELIVER, FWD, QUERY, RESPONSE


def _inner(echo: Echo) -> bool:
    """Tell whether a DELIVER_RESP repeats the Msg_Id inside the report."""
    return bool(echo.asked[2]) and echo.said[0] == echo.asked[1]


def _deliver_resps(facts: Facts, *, inner: bool) -> Hits:
    """Give the DELIVER_RESPs with another Msg_Id than their DELIVER's."""
    return hits_at(
        DELIVER | RESPONSE,
        [
            (e.place, 0, e.request, {"msg_id": msg_id(e.said[0]), "asked": msg_id(e.asked[0])})
            for e in facts.messages.echoes
            if e.command == DELIVER and _inner(e) == inner
        ],
    )


@rule("deliver-resp-msgid", Severity.ERROR, "§7.4.5.2", "Msg_Id is {msg_id}; that of the DELIVER, PDU {b}, is {asked}")
def deliver_msgid(facts: Facts) -> Hits:
    """DELIVER_RESP repeats the Msg_Id of the DELIVER.

    A gateway that goes by the Msg_Id takes the DELIVER for unanswered and sends it again.
    """
    return _deliver_resps(facts, inner=False)


@rule(
    "deliver-resp-inner",
    Severity.ERROR,
    "§7.4.5.2",
    "Msg_Id {msg_id} is the one inside the report; that of the DELIVER, PDU {b}, is {asked}",
)
def deliver_inner(facts: Facts) -> Hits:
    """DELIVER_RESP to a status report repeats the Msg_Id of the DELIVER, not the one inside the report."""
    return _deliver_resps(facts, inner=True)


@rule("query-resp-echo", Severity.WARN, "§7.4.4.2", "Time, Query_Type or Query_Code is not that of the QUERY, PDU {b}")
def query(facts: Facts) -> Hits:
    """QUERY_RESP repeats Time, Query_Type and Query_Code of the QUERY."""
    found: list[Entry] = [(e.place, 0, e.request, {}) for e in facts.messages.echoes if e.command == QUERY]
    return hits_at(QUERY | RESPONSE, found)


@rule(
    "fwd-loop",
    Severity.WARN,
    "practice",
    "Msg_Id {msg_id} passed these two gateways before with a lower NodesCount, in PDU {b}; now it is {a}",
)
def loop(facts: Facts) -> Hits:
    """A message passes from one gateway to another once.

    A Msg_Id that comes back with a higher NodesCount goes round between gateways whose routes point at each other.
    """
    row, before = np.array(facts.messages.loops, np.int64).reshape(-1, 2).T
    at = np.searchsorted(facts.columns.rows(FWD), row)
    body = facts.columns.body(FWD)
    ids = body.integer("msg_id")[at]
    hits = facts.pdus(row, body.integer("nodescount")[at].astype(np.int64), before)
    hits.values = lambda place: {"msg_id": msg_id(int(ids[place]))}
    return hits


@rule(
    "fwd-resp-echo",
    Severity.ERROR,
    "§7.5.4.2",
    "Msg_Id {msg_id}, part {part}; the FWD, PDU {b}, has {asked}, part {asked_part}",
)
def fwd(facts: Facts) -> Hits:
    """FWD_RESP repeats Msg_Id, Pk_total and Pk_number of the FWD."""
    entries = [
        (
            e.place,
            0,
            e.request,
            {
                "msg_id": msg_id(e.said[0]),
                "part": _part(e.said[1]),
                "asked": msg_id(e.asked[0]),
                "asked_part": _part(e.asked[1]),
            },
        )
        for e in facts.messages.echoes
        if e.command == FWD
    ]
    return hits_at(FWD | RESPONSE, entries)


def _part(pk: int) -> str:
    """Write Pk_number and Pk_total."""
    return f"{pk & 0xFF} of {pk >> 8}"


RULES = (deliver_msgid, deliver_inner, query, loop, fwd)
