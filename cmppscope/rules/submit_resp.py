"""Rules about the fields of SUBMIT_RESP (CMPP 2.0 §7.4.3.2)."""

from __future__ import annotations

import numpy as np

from cmppscope.quantities import duration
from cmppscope.rules.bodies import Bodies, bodies
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.times import Moment
from cmppscope.tables import I64, U64, Bool
from dissectors.cmpp.enums import RESPONSE, SUBMIT

_NEWER = (9, 13)
_VENDOR = 100
_TIME_SHIFT = 38
"""Bits of a Msg_Id behind its time: gateway and serial number."""
_TIME_MASKS = ((22, 0xF), (17, 0x1F), (12, 0x1F), (6, 0x3F), (0, 0x3F))
"""Where month, day, hour, minute and second stand in front of them."""


def _answers(facts: Facts) -> Bodies:
    """Give the SUBMIT_RESPs."""
    return bodies(facts, RESPONSE | SUBMIT)


def _meaning(facts: Facts, hits: Hits) -> Hits:
    """Let the words say what the Result in `a` means."""
    hits.values = lambda place: {"meaning": facts.results.of(SUBMIT, int(hits.a[place]))}
    return hits


@rule("submit-refused", Severity.NOTE, "§7.4.3.2", "Result is {a}: {meaning}")
def refused(facts: Facts) -> Hits:
    """The gateway takes every SUBMIT with Result 0."""
    answer = _answers(facts)
    result = answer.integer("result")
    return _meaning(facts, answer.hits(result > 0, result))


@rule("result-newer", Severity.NOTE, "§7.4.3.2", "Result is {a}: {meaning}")
def newer(facts: Facts) -> Hits:
    """Result of SUBMIT_RESP is none of 9 to 13, which have names only since CMPP 2.1.

    In 2.0 they are "other error": whether the gateway means the later names is for its vendor to say.
    """
    answer = _answers(facts)
    result = answer.integer("result")
    wrong = (result >= _NEWER[0]) & (result <= _NEWER[1]) & (facts.versions[answer.rows] != 21)
    return _meaning(facts, answer.hits(wrong, result))


@rule("result-vendor", Severity.NOTE, "3.0 §8.7.2", "Result is {a}: {meaning}")
def vendor(facts: Facts) -> Hits:
    """Result of SUBMIT_RESP is below 100: from there on codes are the vendors' own."""
    answer = _answers(facts)
    result = answer.integer("result")
    return _meaning(facts, answer.hits(result >= _VENDOR, result))


@rule("msgid-zero-ok", Severity.WARN, "§7.4.3.2", "Result is 0, but Msg_Id is all zero")
def zero(facts: Facts) -> Hits:
    """A SUBMIT that the gateway takes gets a Msg_Id.

    Without one its status report cannot be told from others.
    """
    answer = _answers(facts)
    return answer.hits((answer.integer("result") == 0) & (answer.integer("msg_id") == 0))


def _named(answer: Bodies) -> Bool:
    """Tell which responses give a message a Msg_Id."""
    named: Bool = (answer.integer("result") == 0) & (answer.integer("msg_id") != 0)
    return named


def _moments(times: I64) -> Moment:
    """Read what stands in front of gateway and serial number."""
    month, day, hour, minute, second = ((times >> shift) & mask for shift, mask in _TIME_MASKS)
    return Moment(np.zeros_like(times), month, day, hour, minute, second)


def _times(answer: Bodies) -> tuple[Moment, I64]:
    """Give the different times in Msg_Ids, and which one each response has; kept for the batch."""

    def make() -> tuple[Moment, I64]:
        number: U64 = answer.integer("msg_id").view(np.uint64)
        times, of = np.unique((number >> np.uint64(_TIME_SHIFT)).astype(np.int64), return_inverse=True)
        return _moments(times), of

    return answer.facts.columns.once("times in Msg_Ids", make)


@rule("msgid-fields", Severity.WARN, "§7.4.3.2", "Msg_Id is {msg_id}: month {month}, day {day}, {time}")
def fields(facts: Facts) -> Hits:
    """A Msg_Id begins with month, day and time of day.

    Where they are impossible the gateway fills it in another way, or writes it with the low octet first. As a name it
    serves all the same, if no two messages get the same one.
    """
    answer = _answers(facts)
    moment, of = _times(answer)
    hits = answer.hits(_named(answer) & ~moment.right_in_some_year[of], answer.integer("msg_id").view(np.int64))

    def values(place: int) -> dict[str, object]:
        number = int(hits.a[place]) % (1 << 64)
        month, day, *time = ((number >> _TIME_SHIFT + shift) & mask for shift, mask in _TIME_MASKS)
        return {
            "msg_id": f"0x{number:016x}",
            "month": month,
            "day": day,
            "time": ":".join(f"{part:02}" for part in time),
        }

    hits.values = values
    return hits


@rule("msgid-skew", Severity.NOTE, "practice", "the time in Msg_Id is {time}, {span} {way} the capture")
def skew(facts: Facts) -> Hits:
    """The time in a Msg_Id is near the time of capture.

    A difference of whole hours is a gateway that counts time in another zone.
    """
    answer = _answers(facts)
    moment, of = _times(answer)
    near = facts.batch.time_ns[answer.rows]
    rows = np.flatnonzero(_named(answer) & moment.right_in_some_year[of] & answer.sure)
    ahead = np.zeros(len(answer), np.int64)
    if len(rows):
        zone, some = facts.limits.zone_ns, near[rows[0]]
        about = moment.nearest_ns(np.full(len(moment.month), some), zone)[of[rows]] - near[rows]
        far = rows[np.abs(about) > facts.limits.msgid_skew_ns]
        exact = Moment(*(column[of[far]] for column in moment)).nearest_ns(near[far], zone)
        ahead[far] = exact - near[far]
    hits = answer.hits(np.abs(ahead) > facts.limits.msgid_skew_ns, ahead, answer.integer("msg_id").view(np.int64))

    def values(place: int) -> dict[str, object]:
        ahead_ns, number = int(hits.a[place]), int(hits.b[place]) % (1 << 64)
        month, day, *time = ((number >> _TIME_SHIFT + shift) & mask for shift, mask in _TIME_MASKS)
        return {
            "time": f"{month:02}-{day:02} " + ":".join(f"{part:02}" for part in time),
            "span": duration(abs(ahead_ns)),
            "way": "ahead of" if ahead_ns > 0 else "behind",
        }

    hits.values = values
    return hits


RULES = (refused, newer, vendor, zero, fields, skew)
