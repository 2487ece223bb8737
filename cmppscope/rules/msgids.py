"""Rules about Msg_Ids that need more than one PDU (CMPP 2.0 §7.4.3.2, §7.4.5.2, §7.4.6.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmppscope.messages.facts import Before
from cmppscope.messages.ids import dated
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.named import hits_at, msg_id
from cmppscope.tables import I64
from dissectors.cmpp.enums import CANCEL, DELIVER, RESPONSE, SUBMIT

GREATEST_GATEWAY = 99_999
"""Codes of gateways are 0XYZ01 to 0XYZ99 (CMPP 2.0 §2)."""


@rule(
    "msgid-gateway",
    Severity.NOTE,
    "§2, §7.4.3.2",
    "the gateway number in Msg_Id is {a}",
    "; it was {before} in the response before",
)
def gateway(facts: Facts) -> list[Hits]:
    """The gateway number in a Msg_Id is a gateway's code, from 1 to 99999, and the same on the whole connection.

    Told only of Msg_Ids that hold a date: others are numbers of a vendor's own, of which nothing can be read. A number
    that changes shows several gateways behind one address; a report may then come from another one.
    """
    body, rows = facts.columns.body(SUBMIT | RESPONSE), facts.columns.rows(SUBMIT | RESPONSE)
    ids = body.integer("msg_id").astype(np.uint64)
    number = ((ids >> np.uint64(16)) & np.uint64(0x3FFFFF)).astype(np.int64)
    wrong = ((number == 0) | (number > GREATEST_GATEWAY)) & dated(ids) & (body.integer("result") == 0)
    wrong &= body.valid("result")
    changed, before = _columns(facts.messages.gateways)
    change = facts.pdus(changed, number[np.searchsorted(rows, changed)], 1)
    change.values = lambda place: {"before": int(before[place])}
    return [facts.pdus(rows[wrong], number[wrong]), change]


@rule(
    "msgid-duplicate",
    Severity.ERROR,
    "§7.4.3.2",
    "Msg_Id {msg_id} was given to the SUBMIT of PDU {b} before",
)
def duplicate(facts: Facts) -> Hits:
    """Every SUBMIT gets a Msg_Id of its own, but for those that share one as their Pk_total says.

    Status reports of two messages with one Msg_Id cannot be told apart. Look at the gateway's serial number: it may
    start again from 0 within a second, or several processes may share it.
    """
    entries = [(n.place, 0, n.other, {"msg_id": msg_id(n.id)}) for n in facts.messages.same_ids]
    return hits_at(SUBMIT | RESPONSE, entries)


@rule("deliver-repeat", Severity.WARN, "practice", "Msg_Id {msg_id} was delivered by PDU {b} before, and taken")
def deliver_repeat(facts: Facts) -> Hits:
    """A Msg_Id that was delivered and answered with Result 0 is not delivered again.

    The SP handles the message twice, unless it remembers Msg_Ids. The response may have come too late for the gateway,
    or been lost behind it; a gateway that uses one Msg_Id for many messages breaks the rule as well.
    """
    rows, before = _columns(facts.messages.repeats)
    hits = facts.pdus(rows, 0, before)
    ids = facts.columns.body(DELIVER).integer("msg_id")[np.searchsorted(facts.columns.rows(DELIVER), rows)]
    hits.values = lambda place: {"msg_id": msg_id(int(ids[place]))}
    return hits


@rule("cancel-unknown", Severity.WARN, "§7.4.6.1", "Msg_Id {msg_id} was never given to this SP")
def cancel_unknown(facts: Facts) -> Hits:
    """CANCEL names a Msg_Id that a SUBMIT_RESP gave to the SP.

    Told only where the capture holds everything of this SP from its first login on.
    """
    return hits_at(CANCEL, [(n.place, 0, 0, {"msg_id": msg_id(n.id)}) for n in facts.messages.cancels])


def _columns(entries: Sequence[Before]) -> tuple[I64, I64]:
    """Give rows, and what was before, as columns."""
    row, before = np.array(entries, np.int64).reshape(-1, 2).T
    return row, before


RULES = (gateway, duplicate, deliver_repeat, cancel_unknown)
