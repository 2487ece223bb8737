"""Rules about the fields of QUERY and CANCEL and their responses (CMPP 2.0 §7.4.4, §7.4.6)."""

from __future__ import annotations

from cmppscope.rules.bodies import bodies
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.times import Moment, pairs
from cmppscope.tables import Bool
from dissectors.cmpp.enums import CANCEL, QUERY, RESPONSE

_BY_SERVICE = 1


@rule("query-time", Severity.ERROR, "§7.4.4.1", "Time is {time}")
def time(facts: Facts) -> Hits:
    """Time of QUERY is a day written YYYYMMDD."""
    query = bodies(facts, QUERY, later=True)
    text = query.texts("time")
    century, year, month, day = pairs(text.octets)
    zero = 0 * day
    right: Bool = text.digits & (text.length == 8) & Moment(century * 100 + year, month, day, zero, zero, zero).right
    return query.hits(~right, names=["time"])


@rule("query-type", Severity.ERROR, "§7.4.4.1", "Query_Type is {a}, not 0 or 1")
def query_type(facts: Facts) -> Hits:
    """Query_Type of QUERY is 0, totals, or 1, by service."""
    query = bodies(facts, QUERY, later=True)
    kind = query.integer("query_type")
    return query.hits(kind > _BY_SERVICE, kind)


@rule("query-code-missing", Severity.WARN, "§7.4.4.1", "Query_Type is 1, but Query_Code is blank")
def code_missing(facts: Facts) -> Hits:
    """A QUERY by service, Query_Type 1, names the service in Query_Code."""
    query = bodies(facts, QUERY, later=True)
    return query.hits((query.integer("query_type") == _BY_SERVICE) & query.texts("query_code").empty)


@rule("query-resp-sum", Severity.NOTE, "practice", "{said}")
def resp_sum(facts: Facts) -> Hits:
    """The counts of QUERY_RESP agree: as many messages as went, wait and failed, and a receiver at least for each.

    A gateway that counts receivers where messages are meant, or that exchanged the MT counters with those of MO, gives
    numbers on which no bill can be based.
    """
    answer = bodies(facts, RESPONSE | QUERY, later=True)
    names = ("mt_tlmsg", "mt_tlusr", "mt_scs", "mt_wt", "mt_fl")
    messages, users, sent, waiting, failed = (answer.integer(name).astype("int64") for name in names)
    parts = sent + waiting + failed
    short, few = messages < parts, users < messages
    hits = answer.hits(short | few, messages, parts)
    shown = answer.hits(short | few, users, 0)

    def said(place: int) -> dict[str, object]:
        told = []
        if hits.a[place] < hits.b[place]:
            told.append(f"MT_TLMsg {hits.a[place]} is less than MT_Scs + MT_WT + MT_FL, {hits.b[place]}")
        if shown.a[place] < hits.a[place]:
            told.append(f"MT_Tlusr {shown.a[place]} is less than MT_TLMsg {hits.a[place]}")
        return {"said": "; ".join(told)}

    hits.values = said
    return hits


@rule("cancel-resp-range", Severity.ERROR, "§7.4.6.2", "Success_Id is {a}, not 0 or 1")
def cancel_resp(facts: Facts) -> Hits:
    """Success_Id of CANCEL_RESP is 0, deleted, or 1, failed."""
    answer = bodies(facts, RESPONSE | CANCEL)
    success = answer.integer("success_id")
    return answer.hits(success > 1, success)


RULES = (time, query_type, code_missing, resp_sum, cancel_resp)
