"""Rules about the fields of SUBMIT that are neither fees, times nor content (CMPP 2.0 §7.4.3.1).

What FWD has in common with SUBMIT is looked at in both.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.rules.bodies import Bodies, bodies
from cmppscope.rules.deliver import NUMBER_WIDTH
from cmppscope.rules.forms import fixed
from cmppscope.rules.model import Facts, Hits, Personal, Severity, rule
from cmppscope.rules.strings import Texts
from cmppscope.rules.words import plain_numbers
from cmppscope.tables import I64, Bool
from dissectors.cmpp.enums import FWD, SUBMIT

_MO = 1
_LEAST_CODE = 4
"""Digits of the shortest service code; one more where it begins with 0."""
_CHARGING = 2
_FIRST, _FOURTH, _OCTET = np.uint64(56), np.uint64(32), np.uint64(0xFF)
_MASK = (1 << 64) - 1


@rule("submit-msgid-not-blank", Severity.WARN, "§7.4.3.1", "Msg_Id is {msg_id}")
def msg_id(facts: Facts) -> Hits:
    """Msg_Id of SUBMIT is blank: the gateway gives it with its response."""
    submit = bodies(facts, SUBMIT)
    number = submit.integer("msg_id")
    hits = submit.hits(number != 0, number.view(np.int64))
    hits.values = lambda place: {"msg_id": f"0x{int(hits.a[place]) & _MASK:016x}"}
    return hits


def _numbered(facts: Facts, wrong: Callable[[I64, I64], Bool]) -> list[Hits]:
    """Give the messages whose Pk_total and Pk_number are wrong together; reports between gateways are none."""
    found = []
    for command in (SUBMIT, FWD):
        form = fixed(facts, command)
        marks = form.spread(wrong(form.integer("pk_total"), form.integer("pk_number")))
        if command == FWD and len(marks):
            marks = marks & (form.body.integer("msg_fwd_type") <= _MO)
        found.append(form.body.hits(marks, names=("pk_total", "pk_number")))
    return found


@rule("submit-pk-zero", Severity.ERROR, "§7.4.3.1", "Pk_total is {pk_total}, Pk_number {pk_number}; both begin at 1")
def pk_zero(facts: Facts) -> list[Hits]:
    """Pk_total and Pk_number count from 1."""
    return _numbered(facts, lambda total, number: (total == 0) | (number == 0))


@rule("submit-pk-order", Severity.ERROR, "§7.4.3.1", "Pk_number is {pk_number}, Pk_total {pk_total}")
def pk_order(facts: Facts) -> list[Hits]:
    """Pk_number is not greater than Pk_total."""
    return _numbered(facts, lambda total, number: (total > 0) & (number > total))


@rule("submit-registered-range", Severity.ERROR, "§7.4.3.1", "Registered_Delivery is {registered_delivery}")
def registered(facts: Facts) -> Hits:
    """Registered_Delivery of SUBMIT is 0, 1 or 2: no report, a report, or a charging record."""
    submit = fixed(facts)
    return submit.hits(submit.integer("registered_delivery") > _CHARGING, "registered_delivery")


@rule("srcid-blank", Severity.WARN, "§7.4.3.1", "Src_Id is {src_id}")
def src_id(facts: Facts) -> Hits:
    """Src_Id is digits: the service code of the SP, or a long number that begins with it.

    The handset shows it as the sender. Without one the gateway fills in a number of its own, or refuses the message.
    """
    submit = bodies(facts, SUBMIT)
    rows, text = _unusual_sources(submit)
    return _source_hits(submit, rows[~text.digits])


@rule("srcid-prefix", Severity.NOTE, "§2", "Src_Id is {src_id}")
def src_id_prefix(facts: Facts) -> Hits:
    """Src_Id begins with a service code: 1000 to 9999, 01000 to 09999, or 106 and more digits."""
    submit = bodies(facts, SUBMIT)
    rows, text = _unusual_sources(submit)
    zero = text.octets[:, 0] == ord("0")
    code = (text.length >= _LEAST_CODE + zero) & ~(zero & (text.octets[:, 1] == ord("0")))
    return _source_hits(submit, rows[text.digits & ~code])


def _unusual_sources(submit: Bodies) -> tuple[I64, Texts]:
    """Give the rows whose Src_Id is not plainly four digits or more from 1 on, and these Src_Ids; kept a batch."""

    def make() -> tuple[I64, Texts]:
        words = submit.words("src_id", NUMBER_WIDTH)
        usual = plain_numbers(words) & (words[0] >> _FIRST != ord("0")) & (words[0] >> _FOURTH & _OCTET != 0)
        rows = np.flatnonzero(~usual)
        if not len(rows):
            return rows, Texts(np.zeros((0, NUMBER_WIDTH), np.uint8))
        return rows, Texts(submit.columns.strings("src_id").octets[rows])

    return submit.facts.columns.once("unusual Src_Ids", make)


def _source_hits(submit: Bodies, rows: I64) -> Hits:
    """Give SUBMITs with a wrong Src_Id as places."""
    wrong = np.zeros(len(submit), np.bool_)
    wrong[rows] = True
    return submit.hits(wrong, names=["src_id"])


@rule("service-blank", Severity.NOTE, "practice", "Service_Id is blank")
def service(facts: Facts) -> Hits:
    """Service_Id of SUBMIT names a service.

    Gateways charge and admit messages by it; many refuse a blank one with Result 7.
    """
    submit = fixed(facts)
    return submit.hits(submit.texts("service_id").empty)


@rule("reserve-not-blank", Severity.NOTE, "§7.4.3.1", "Reserve is {reserve}")
def reserve(facts: Facts) -> Hits:
    """Reserve of SUBMIT is blank."""
    submit = bodies(facts, SUBMIT)
    octets = submit.columns.strings("reserve").octets
    rows = np.flatnonzero((octets.view(np.uint64)[:, 0] != 0) & submit.sure)
    hits = facts.pdus(submit.rows[rows])
    hits.values = lambda place: {"reserve": Personal(octets[rows[place]].tobytes().hex(" "))}
    return hits


RULES = (msg_id, pk_zero, pk_order, registered, src_id, src_id_prefix, service, reserve)
