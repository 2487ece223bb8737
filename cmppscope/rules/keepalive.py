"""Rules about link tests and silence (CMPP 2.0 §6.1, §7.4.7).

A link that carried nothing for C is tested by both sides with ACTIVE_TEST. Without a response for T the next test
follows at once; after N of them the connection is closed.
"""

from __future__ import annotations

import numpy as np

from cmppscope.quantities import duration
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.open_ends import Waiting, requests


@rule(
    "keepalive-missing",
    Severity.WARN,
    "§6.1",
    "nothing for {lapse} on an open connection: neither side sent ACTIVE_TEST",
    both=True,
)
def missing(facts: Facts) -> Hits:
    """A long connection that carries nothing for C is tested with ACTIVE_TEST.

    Told once for each silence, where it ends: at the next PDU, or at the close. An ACTIVE_TEST may come up to T after
    C. Firewalls forget connections that are silent for minutes.
    """
    return facts.told("keepalive-missing")


@rule("keepalive-one-sided", Severity.NOTE, "§6.1", "{a} link tests from this side, none from the other")
def one_sided(facts: Facts) -> Hits:
    """Both sides test a link that is idle.

    Told once a connection, where one side tested at least twice and not so often that the other had no occasion to.
    """
    return facts.told("keepalive-one-sided")


@rule("keepalive-often", Severity.NOTE, "§6.1", "a link test every {lapse}, where C is {c}")
def often(facts: Facts) -> Hits:
    """A link is tested when it was idle for C, not far more often.

    Told once a connection, with the median of the first intervals of one side, where it is less than a third of C.
    Many programs test every 10 to 30 s on purpose; that is legal where both parties agreed on it.
    """
    hits = facts.told("keepalive-often")
    hits.values = lambda _: {"c": duration(facts.limits.c_ns)}
    return hits


@rule(
    "keepalive-unanswered",
    Severity.ERROR,
    "§6.1",
    "{command} with Sequence_Id {a} got no response",
    "; PDU {b} is a {command} with the same Sequence_Id from the other side, where a response should be",
)
def unanswered(facts: Facts) -> list[Hits]:
    """ACTIVE_TEST is answered within T.

    One that is answered later has a late response; one of a connection closed sooner is an open request of the close.
    """
    waiting = Waiting.of(facts)
    if waiting is None or facts.ended is None or not waiting.link_tests.any():
        return []
    echoes = np.array([facts.echoes.get(pdu, 0) for pdu in facts.ended.pdu.tolist()], np.int64)
    return [requests(facts.ended, waiting.link_tests, echoes)]


@rule(
    "keepalive-retry",
    Severity.WARN,
    "§6.1",
    "{command} comes {lapse} after one without a response, where T is {t}",
)
def retry(facts: Facts) -> Hits:
    """Where a link test has no response for T, the next one follows at once."""
    hits = facts.told("keepalive-retry")
    hits.values = lambda _: {"t": duration(facts.timers.t_ns)}
    return hits


@rule(
    "keepalive-not-closed",
    Severity.WARN,
    "§6.1",
    "the connection is kept although {a:link test has|link tests have} no response",
)
def not_closed(facts: Facts) -> Hits:
    """After N link tests without a response the connection is closed.

    Told once, at the next PDU of the tester, or at the close where that comes more than 2·T after the N-th test.
    """
    return facts.told("keepalive-not-closed")


@rule("keepalive-short", Severity.WARN, "§7.4.7", "{command} on a short connection")
def short(facts: Facts) -> Hits:
    """Only long connections are tested.

    Told once a connection. Ports 7900 and 9168 are those of short connections; a long one there is a matter of
    configuration.
    """
    return facts.told("keepalive-short")


RULES = (missing, one_sided, often, unanswered, retry, not_closed, short)
