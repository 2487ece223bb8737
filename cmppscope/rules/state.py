"""Rules about the state of a connection: login, logout and who may send what (CMPP 2.0 §7.4, §7.5.1).

A connection is one state machine: CONNECT, CONNECT_RESP with Status 0, business, TERMINATE, TERMINATE_RESP. Where a
capture begins in the middle, or misses octets, these rules are silent until the next CONNECT or TERMINATE.
"""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import distinct
from cmppscope.rules.bodies import bodies
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.strings import shown
from cmppscope.sessions import ISMG_ISMG, SP_ISMG
from dissectors.cmpp.enums import FWD, SUBMIT


@rule("connect-missing", Severity.ERROR, "§7.4, §7.4.1", "{command} on a connection without a CONNECT before it")
def connect_missing(facts: Facts) -> Hits:
    """A long connection begins with CONNECT: no request comes before a successful login.

    Told once a connection. Short connections may carry one pair of messages alone, and so may those to a GNS. A
    program that tests the link from the start, logged in or not, is the usual cause where the command is ACTIVE_TEST.
    """
    return facts.told("connect-missing")


@rule("connect-early", Severity.ERROR, "§7.4.1", "{command} before the CONNECT_RESP to the CONNECT of PDU {b}")
def connect_early(facts: Facts) -> Hits:
    """After CONNECT no request comes before CONNECT_RESP.

    Told once a session. The gateway may drop the request or close the connection; the sender should wait.
    """
    return facts.told("connect-early")


@rule(
    "connect-refused-traffic", Severity.ERROR, "§7.4.1", "{command} although PDU {b} refused the login with Status {a}"
)
def refused_traffic(facts: Facts) -> Hits:
    """After a refused login, CONNECT_RESP with Status other than 0, nothing but another CONNECT comes.

    Told once a session. The program takes any CONNECT_RESP for success: look at how it reads Status.
    """
    return facts.told("connect-refused-traffic")


@rule("connect-repeat", Severity.WARN, "§7.4.1", "a further CONNECT of a side that is logged in since PDU {b}")
def connect_repeat(facts: Facts) -> Hits:
    """A side that is logged in does not send CONNECT again.

    Told once a session.
    """
    return facts.told("connect-repeat")


@rule("connect-by-ismg", Severity.WARN, "§7.4", "CONNECT comes from the side of the ISMG, and the SP sent none")
def by_ismg(facts: Facts) -> Hits:
    """On a connection between SP and ISMG the SP logs in first.

    The ISMG's side is known by its business together with its code or its port, or, without business, by its port.
    """
    return facts.told("connect-by-ismg")


@rule(
    "connect-auth-replay",
    Severity.NOTE,
    "practice",
    "Source_Addr, AuthenticatorSource and Timestamp are those of PDU {b}, {lapse} before",
)
def replay(facts: Facts) -> Hits:
    """Each login has a Timestamp and an AuthenticatorSource of its own.

    Equal ones on another connection more than a minute later are a program that made them once, or somebody who
    recorded them: with a Timestamp that is never checked the shared secret protects nothing.
    """
    return facts.told("connect-auth-replay")


@rule(
    "submit-direction",
    Severity.ERROR,
    "§7.4.3, §7.4.4, §7.4.6",
    "{command} comes from the side of the ISMG",
    ", {b} times",
)
def submit_direction(facts: Facts) -> Hits:
    """SUBMIT, QUERY and CANCEL go from SP to ISMG.

    Told once a session and command. Who is the SP is told by CONNECT, without one by the first business.
    """
    return facts.told("submit-direction")


def _other_source(facts: Facts, command: int, name: str, interface: str) -> Hits:
    """Find the PDUs of an interface that name another code than the CONNECT of their sender did."""
    found = bodies(facts, command)
    if facts.sources is None or not len(found):
        return found.hits(np.zeros(len(found), np.bool_))
    expected, said = facts.sources.of(found.rows)
    seen = np.ascontiguousarray(found.columns.strings(name).octets).view(np.uint16)
    wrong = (expected[:, 0] != seen[:, 0]) | (expected[:, 1] != seen[:, 1]) | (expected[:, 2] != seen[:, 2])
    wrong &= said & found.columns.valid(name)
    if wrong.any():
        at = np.flatnonzero(wrong)
        session = facts.session[found.rows[at]]
        ours = [n for n in distinct(session)[0].tolist() if facts.sessions[n].interface == interface]
        one, other = (np.ascontiguousarray(c[at]).view(np.uint8) for c in (expected, seen))
        wrong[at] = (np.where(one == ord(" "), 0, one) != np.where(other == ord(" "), 0, other)).any(1)
        wrong[at] &= np.isin(session, ours)
    hits = found.hits(wrong, names=[name])
    connected = facts.sources.of(found.rows[wrong & found.sure])[0]
    seen_in = hits.values
    hits.values = lambda place: {
        **(seen_in(place) if seen_in else {}),
        "connected": shown(connected[place].tobytes()),
    }
    return hits


@rule(
    "msgsrc-mismatch",
    Severity.ERROR,
    "§7.4.3.1, §7.4.1.1",
    "Msg_src is {msg_src}, but {connected} logged in",
)
def msgsrc(facts: Facts) -> Hits:
    """Msg_src of SUBMIT is the SP_Id with which the SP logged in.

    The gateway charges and counts by Msg_src; most refuse another one (Result 11 of later editions).
    """
    return _other_source(facts, SUBMIT, "msg_src", SP_ISMG)


@rule("deliver-direction", Severity.ERROR, "§7.4.5", "{command} comes from the side of the SP", ", {b} times")
def deliver_direction(facts: Facts) -> Hits:
    """DELIVER goes from ISMG to SP.

    Told once a session.
    """
    return facts.told("deliver-direction")


@rule(
    "fwd-source",
    Severity.WARN,
    "§7.5.1, §7.5.4.1",
    "Source_Id is {source_id}, but {connected} logged in",
)
def fwd_source(facts: Facts) -> Hits:
    """Source_Id of FWD is the code with which the sending gateway logged in.

    Only the side that sent CONNECT can be compared.
    """
    return _other_source(facts, FWD, "source_id", ISMG_ISMG)


@rule("terminate-traffic", Severity.ERROR, "§7.4.2", "{command} comes behind the {other} of PDU {b}")
def terminate_traffic(facts: Facts) -> Hits:
    """Who sent TERMINATE sends no new request, and nothing follows TERMINATE_RESP.

    Told once a session. Responses to what was asked before may still come until TERMINATE_RESP, and those of the other
    side may be under way even then. A TERMINATE behind TERMINATE_RESP asks for what is agreed and does no harm: some
    gateways send it each time they close, and it is not told.
    """
    return facts.told("terminate-traffic")


RULES = (
    connect_missing,
    connect_early,
    refused_traffic,
    connect_repeat,
    by_ismg,
    replay,
    submit_direction,
    msgsrc,
    deliver_direction,
    fwd_source,
    terminate_traffic,
)
