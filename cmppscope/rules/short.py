"""Rules about short connections (CMPP 2.0 §6.2, §6.3, §7.6): opened for one pair of messages, then closed.

A connection is a short one on ports 7900 and 9168, and towards a GNS on any port.
"""

from __future__ import annotations

from cmppscope.rules.model import Facts, Hits, Severity, rule


@rule("route-long", Severity.ERROR, "§7.6", "{command} is the second request on this connection to a GNS")
def route_long(facts: Facts) -> Hits:
    """ISMG and GNS use short connections: one request, its response, and the close.

    Told once a connection, at the second request. A table fetched with GET_ROUTE after GET_ROUTE counts once.
    """
    return facts.told("route-long")


@rule("short-many", Severity.WARN, "§6.2", "{command} is the second request on this short connection")
def many(facts: Facts) -> Hits:
    """A short connection carries one pair of messages besides login and logout.

    Told once a connection, at the second request; a resend is none.
    """
    return facts.told("short-many")


@rule("short-not-closed", Severity.NOTE, "§6.2", "the connection stays open for {lapse} behind its last PDU")
def not_closed(facts: Facts) -> Hits:
    """A short connection is closed behind its pair of messages.

    Told where it stays open for more than T, and carried one pair only.
    """
    return facts.told("short-not-closed")


@rule("ismg-short", Severity.NOTE, "§6.3", "{command} on port 7900: a short connection between gateways")
def between_gateways(facts: Facts) -> Hits:
    """Gateways use long connections among themselves; short ones are legal in 2.0 and abolished in 3.0.

    Told once a connection.
    """
    return facts.told("ismg-short")


RULES = (route_long, many, not_closed, between_gateways)
