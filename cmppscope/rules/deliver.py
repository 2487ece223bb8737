"""Rules about the fields of DELIVER and DELIVER_RESP (CMPP 2.0 §7.4.5)."""

from __future__ import annotations

import numpy as np

from cmppscope.rules.bodies import bodies
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.words import WORD, plain_numbers
from cmppscope.tables import Bool
from dissectors.cmpp.enums import DELIVER, RESPONSE

NUMBER_WIDTH = 21
"""Octets of a number, as of Src_terminal_Id (CMPP 2.0 §7.4.5.1)."""


@rule("deliver-registered-range", Severity.ERROR, "§7.4.5.1", "Registered_Delivery is {a}, not 0 or 1")
def registered_range(facts: Facts) -> Hits:
    """Registered_Delivery of DELIVER is 0, a message, or 1, a status report.

    With any other value the SP cannot know whether Msg_Content is a text or a report. A value of 2 belongs to SUBMIT
    and FWD, where it asks for a charging record: ask the gateway's vendor which field of the message was copied.
    """
    deliver = bodies(facts, DELIVER)
    kind = deliver.integer("registered_delivery")
    return deliver.hits(kind > 1, kind)


@rule("deliver-dest-blank", Severity.WARN, "§7.4.5.1", "Dest_Id is blank")
def dest_blank(facts: Facts) -> Hits:
    """Dest_Id of DELIVER names the service code that the message or the report is for.

    An SP with several service codes, or with long numbers behind one, cannot tell which service was meant. In a status
    report it stands for Src_Id of the SUBMIT; there the Msg_Id inside tells the rest.
    """
    deliver = bodies(facts, DELIVER)
    (head,) = deliver.words("dest_id", WORD)
    first = head >> np.uint64(56)
    may: Bool = (first == 0) | (first == ord(" "))
    return deliver.hits(may & deliver.texts("dest_id").empty if may.any() else may)


@rule("deliver-src-format", Severity.WARN, "§7.4.5.1", "Src_terminal_Id is no number: {src_terminal_id}")
def src_format(facts: Facts) -> Hits:
    """Src_terminal_Id of DELIVER is a number: digits, with or without + in front.

    It is the handset that sent the message, or in a status report the one that it is about; an answer to anything else
    cannot be delivered.
    """
    deliver = bodies(facts, DELIVER)
    wrong = ~plain_numbers(deliver.words("src_terminal_id", NUMBER_WIDTH))
    if wrong.any():
        wrong &= ~deliver.texts("src_terminal_id").number
    return deliver.hits(wrong, names=["src_terminal_id"])


@rule("deliver-refused", Severity.NOTE, "§7.4.5.2", "Result {a}: {meaning}")
def refused(facts: Facts) -> Hits:
    """The SP takes every DELIVER with Result 0.

    The gateway may send what was refused again, or drop it. The meanings of codes from 9 on are the parties' own; the
    table `results` of the configuration names them.
    """
    answer = bodies(facts, RESPONSE | DELIVER)
    result = answer.integer("result")
    hits = answer.hits(result > 0, result)
    hits.values = lambda place: {"meaning": facts.results.of(DELIVER, int(hits.a[place]))}
    return hits


RULES = (registered_range, dest_blank, src_format, refused)
