"""Rules about status reports and the messages that they belong to (CMPP 2.0 §7.4.5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cmppscope.messages.facts import Told
from cmppscope.messages.ledger import AGAIN
from cmppscope.rules.model import CAPTURE, Facts, Hits, Severity, rule
from cmppscope.rules.named import hits_at, msg_id
from dissectors.cmpp.enums import DELIVER, SUBMIT


def _told(facts: Facts, which: Callable[[Told], bool], a: Callable[[Told], int] = lambda _: 0) -> Hits:
    """Give the reports that are so; b is the SUBMIT."""
    return hits_at(DELIVER, [(t.place, a(t), t.submit, _values(t)) for t in facts.messages.reports if which(t)])


def _values(told: Told) -> Mapping[str, object]:
    """Give the values seen."""
    return {"msg_id": msg_id(told.id), "stat": told.stat, "stat_before": told.stat_before, "before": told.before}


@rule("report-unknown", Severity.WARN, "§7.4.5.1", "the report is about Msg_Id {msg_id}, which no SUBMIT_RESP gave")
def unknown(facts: Facts) -> Hits:
    """A status report names a Msg_Id that a SUBMIT_RESP gave to the SP.

    Told only where the capture holds everything of this SP from its first login on, a SUBMIT of it was accepted, and
    the date in the Msg_Id is not from before. The SP cannot tell which message the report is about: compare the Msg_Id
    inside the report with those of SUBMIT_RESP, octet by octet; some gateways turn the order of octets or use an
    identifier of their own.
    """
    return hits_at(DELIVER, [(n.place, 0, 0, {"msg_id": msg_id(n.id)}) for n in facts.messages.unknown])


@rule(
    "report-not-wanted",
    Severity.WARN,
    "§7.4.3.1",
    "a report {stat} on Msg_Id {msg_id}: SUBMIT, PDU {b}, asked for none",
)
def not_wanted(facts: Facts) -> Hits:
    """A status report is sent only where Registered_Delivery of the SUBMIT asked for one."""
    return _told(facts, lambda t: t.asked == 0 and not t.refused)


@rule(
    "report-wrong-dest",
    Severity.ERROR,
    "§7.4.5.1",
    "the report on Msg_Id {msg_id} names a number that is no receiver of the SUBMIT of PDU {b}",
)
def wrong_dest(facts: Facts) -> Hits:
    """Dest_terminal_Id inside a status report is a receiver of the SUBMIT that it is about; 86 in front is ignored."""
    return _told(facts, lambda t: not t.right_number)


@rule("report-duplicate", Severity.WARN, "§7.4.5.1", "{stat} on Msg_Id {msg_id} was reported by PDU {before} already")
def duplicate(facts: Facts) -> Hits:
    """A message gets one final status report for each receiver.

    A report that the SP did not answer with Result 0 may be sent again; those are not told.
    """
    return _told(facts, lambda t: t.kind == AGAIN and t.before > 0 and t.stat == t.stat_before)


@rule(
    "report-contradiction",
    Severity.WARN,
    "§7.4.5.1",
    "{stat} on Msg_Id {msg_id} comes behind {stat_before} of PDU {before}",
)
def contradiction(facts: Facts) -> Hits:
    """All final status reports of a message and receiver have the same Stat."""
    return _told(facts, lambda t: t.kind == AGAIN and t.before > 0 and t.stat != t.stat_before)


@rule(
    "report-early",
    Severity.NOTE,
    "practice",
    "the report on Msg_Id {msg_id} comes {lapse} before the response to SUBMIT of PDU {b}",
)
def early(facts: Facts) -> Hits:
    """A status report comes behind the SUBMIT_RESP that gives the Msg_Id.

    An SP that looks the Msg_Id up when the report comes finds nothing: keep unknown reports for a while.
    """
    return _told(facts, lambda t: t.before_response_ns > 0, lambda t: t.before_response_ns)


@rule(
    "report-late",
    Severity.NOTE,
    "§7.4.5.1 note 3",
    "the report on Msg_Id {msg_id} comes {lapse} after the response to SUBMIT of PDU {b}",
)
def late(facts: Facts) -> Hits:
    """A status report comes within 48 hours of the SUBMIT_RESP, for so long an SP waits."""
    limit = facts.limits.report_ns
    found = [t for t in facts.messages.reports if t.behind_response_ns > limit]
    return hits_at(DELIVER, [(t.place, t.behind_response_ns, t.submit, {"msg_id": msg_id(t.id)}) for t in found])


@rule("report-missing", Severity.NOTE, "§7.4.5.1 note 3", "no report on Msg_Id {msg_id} came in {lapse}")
def missing(facts: Facts) -> Hits:
    """A message that asks for a status report gets one within 48 hours.

    Told only where the capture goes on for so long and holds everything of this SP.
    """
    return hits_at(SUBMIT, [(n.place, n.other, 0, {"msg_id": msg_id(n.id)}) for n in facts.messages.missing])


@rule(
    "report-for-refused", Severity.WARN, "practice", "a report {stat} on Msg_Id {msg_id}: SUBMIT, PDU {b}, was refused"
)
def for_refused(facts: Facts) -> Hits:
    """No status report comes for a SUBMIT whose Result was not 0."""
    return _told(facts, lambda t: t.refused)


@rule(
    "capture-messages-dropped",
    Severity.NOTE,
    "practice",
    "{a:receiver, report or part|receivers, reports and parts} waited for the other half so long that room ran out",
)
def dropped(facts: Facts) -> Hits:
    """Messages, reports and parts find their other half before the room for those that wait is full."""
    hits = hits_at(0, [(n.place, n.id, 0, {}) for n in facts.messages.dropped])
    hits.fault = CAPTURE
    return hits


RULES = (unknown, not_wanted, wrong_dest, duplicate, contradiction, early, late, missing, for_refused, dropped)
