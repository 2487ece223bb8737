"""Rules about the parts of long messages (GSM 03.40 §9.2.3.24.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmppscope.messages.facts import Part
from cmppscope.messages.longs import parts_in
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.named import hits_at
from dissectors.cmpp.enums import DELIVER, SUBMIT

_UDH = "GSM 03.40 §9.2.3.24.1"


@rule("concat-numbers", Severity.ERROR, _UDH, "the header says part {a} of {b}")
def numbers(facts: Facts) -> list[Hits]:
    """In a concatenation header the total is at least 1, and the number from 1 to the total.

    A handset ignores such a header and shows the part as a message of its own.
    """
    found = []
    for command in (SUBMIT, DELIVER):
        parts = parts_in(facts.columns, command)
        number, total = parts["number"], parts["total"]
        wrong = np.flatnonzero((number == 0) | (number > total))
        found.append(facts.pdus(parts["row"][wrong], number[wrong], total[wrong]))
    return found


@rule(
    "concat-pk-mismatch", Severity.WARN, "practice", "Pk_number and Pk_total say part {pk}, the header says part {udh}"
)
def pk_mismatch(facts: Facts) -> Hits:
    """Pk_total and Pk_number of a SUBMIT say what its concatenation header says.

    Handsets join by the header alone; a gateway that counts or checks Pk_total may refuse the parts or charge wrongly.
    """
    parts = parts_in(facts.columns, SUBMIT)
    pk, number, total = parts["pk"], parts["number"], parts["total"]
    wrong = np.flatnonzero(pk != (total << 8 | number))
    hits = facts.pdus(parts["row"][wrong])

    def values(place: int) -> dict[str, object]:
        at = int(wrong[place])
        return {
            "pk": f"{int(pk[at]) & 0xFF} of {int(pk[at]) >> 8}",
            "udh": f"{int(number[at])} of {int(total[at])}",
        }

    hits.values = values
    return hits


@rule("concat-missing-part", Severity.WARN, _UDH, "of {a} parts of this message {missing} never came")
def missing_part(facts: Facts) -> list[Hits]:
    """All parts of a long message are sent.

    Told only where the capture holds everything of the SP and goes on for N·T behind the last part. The handset waits
    for the others and shows the message in pieces, or not at all.
    """
    entries = [
        (u.place, u.total, 0, {"missing": ", ".join(map(str, u.missing[:_SHOWN])) + "…" * (len(u.missing) > _SHOWN)})
        for u in facts.messages.unfinished
    ]
    kinds = [u.deliver for u in facts.messages.unfinished]
    return [
        hits_at(command, [e for e, deliver in zip(entries, kinds, strict=True) if deliver == (command == DELIVER)])
        for command in (SUBMIT, DELIVER)
    ]


@rule("concat-duplicate-part", Severity.NOTE, _UDH, "part {a} of {b} was there already under the same reference")
def duplicate_part(facts: Facts) -> list[Hits]:
    """Each part of a long message is sent once.

    A part that was refused may be sent again, and so may one without an answer. A sender that uses one reference for
    all messages mixes their parts: the handset may put pieces of different messages together.
    """
    return _parts(facts.messages.repeated)


@rule("concat-mixed", Severity.WARN, "practice", "part {a} of {b} has not the first one's Msg_Fmt, Src_Id or receivers")
def mixed(facts: Facts) -> list[Hits]:
    """All parts of a long message have the same Msg_Fmt, Src_Id and receivers."""
    return _parts(facts.messages.mixed)


def _parts(parts: Sequence[Part]) -> list[Hits]:
    """Give parts as places."""
    return [
        hits_at(command, [(p.place, p.number, p.total, {}) for p in parts if p.deliver == (command == DELIVER)])
        for command in (SUBMIT, DELIVER)
    ]


_SHOWN = 10

RULES = (numbers, pk_mismatch, missing_part, duplicate_part, mixed)
