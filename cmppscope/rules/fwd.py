"""Rules about the fields of FWD (CMPP 2.0 §7.5.4)."""

from __future__ import annotations

import numpy as np

from cmppscope.rules.bodies import Bodies, bodies
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.tables import Bool
from dissectors.cmpp.enums import FWD

_MT_REPORT, _MO_REPORT = 2, 3
_REPORT_OCTETS = 60
_MOST_NODES = 5
_MO_STATS = (b"DELIVRD", b"REJECTD")


@rule("fwd-type", Severity.ERROR, "§7.5.4.1", "Msg_Fwd_Type is {a}, not 0 to 3")
def fwd_type(facts: Facts) -> Hits:
    """Msg_Fwd_Type is 0, MT, 1, MO, 2, report of an MT, or 3, report of an MO.

    With any other value the receiving gateway cannot tell what Src_Id, Dest_Id and Msg_Content hold.
    """
    fwd = bodies(facts, FWD)
    kind = fwd.integer("msg_fwd_type")
    return fwd.hits(kind > _MO_REPORT, kind)


@rule(
    "fwd-code", Severity.ERROR, "§7.5.4.1", "Source_Id is {source_id}, Destination_Id is {destination_id}: six digits"
)
def code(facts: Facts) -> Hits:
    """Source_Id and Destination_Id of FWD are six digits, with 0 filled in on the left.

    They are among the few strings that are right-aligned: 1001 is written 001001.
    """
    fwd = bodies(facts, FWD)
    wrong = ~six_digits(fwd, "source_id") | ~six_digits(fwd, "destination_id")
    return fwd.hits(wrong, names=["source_id", "destination_id"])


def six_digits(body: Bodies, name: str) -> Bool:
    """Tell in which rows a field of six octets is six digits."""
    text = body.texts(name)
    right: Bool = text.digits & (text.length == text.octets.shape[1])
    return right


@rule("fwd-nodes", Severity.NOTE, "§7.5.4.1", "NodesCount is {a}")
def nodes(facts: Facts) -> Hits:
    """NodesCount, the gateways that a message passed, is 1 to 5.

    A message passes the sending gateway at least; a higher count than 5 hints at a loop.
    """
    fwd = bodies(facts, FWD)
    count = fwd.integer("nodescount")
    return fwd.hits((count == 0) | (count > _MOST_NODES), count)


@rule("fwd-many", Severity.NOTE, "3.0 §8.5.4.1", "DestUsr_tl is {a}: later versions demand 1")
def many(facts: Facts) -> Hits:
    """FWD has one receiver.

    CMPP 2.0 sets no such limit; 3.0 does, for the receivers of one message may be served by different gateways.
    """
    fwd = bodies(facts, FWD)
    receivers = fwd.integer("dest_usr_tl")
    return fwd.hits(receivers != 1, receivers)


@rule(
    "fwd-report-length", Severity.ERROR, "§7.5.4.1 note 2", "Msg_Fwd_Type is {a}, and Msg_Length {b}: a report has 60"
)
def report_length(facts: Facts) -> Hits:
    """A report in FWD, Msg_Fwd_Type 2 or 3, has 60 octets."""
    fwd = bodies(facts, FWD)
    kind, octets = fwd.integer("msg_fwd_type"), fwd.integer("msg_length")
    wrong = ((kind == _MT_REPORT) | (kind == _MO_REPORT)) & (octets != _REPORT_OCTETS)
    return fwd.hits(wrong, kind, octets)


@rule("fwd-mo-stat", Severity.WARN, "§7.5.4.1 note 2", "Stat is {stat}, neither DELIVRD nor REJECTD")
def mo_stat(facts: Facts) -> Hits:
    """Stat in the report of an MO is DELIVRD where the SP took the message with Result 0, else REJECTD."""
    fwd = bodies(facts, FWD)
    inside, columns = facts.columns.mo_reports()
    report = Bodies(facts, fwd.rows[inside], columns, fwd.sure[inside])
    stat = columns.strings("stat").octets
    right = [(stat == np.frombuffer(word, np.uint8)).all(axis=1) for word in _MO_STATS]
    return report.hits(~(right[0] | right[1]), names=["stat"])


RULES = (fwd_type, code, nodes, many, report_length, mo_stat)
