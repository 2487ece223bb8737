"""Rules about who asks a GNS for what, and about tables fetched from it (CMPP 2.0 §7.6)."""

from __future__ import annotations

from cmppscope.rules.model import Facts, Hits, Severity, rule


@rule("route-direction", Severity.ERROR, "§7.6", "{command} comes from the wrong side", ", {b} times")
def direction(facts: Facts) -> Hits:
    """Queries and updates go to the GNS, PUSH_MT_ROUTE_UPDATE and PUSH_MO_ROUTE_UPDATE come from it.

    Told once a session and command. Which side is the GNS is told by the first route message of the connection.
    """
    return facts.told("route-direction")


@rule("route-last-id", Severity.NOTE, "§7.6.5.1", "Last_route_Id is {a}, but {expected} was to be expected")
def last_id(facts: Facts) -> Hits:
    """The first GET_ROUTE of a fetch carries -1, each later one the Route_Id of the answer before."""
    return facts.told("route-last-id")


@rule("route-no-end", Severity.WARN, "§7.6.5.2", "the fetch stops behind Route_Id {a}: this Result was 0, not 1 or 2")
def no_end(facts: Facts) -> Hits:
    """A route table is fetched up to the answer with Result 2, the last route, or 1, no matching route.

    Told where no GET_ROUTE follows within T, or the next fetch begins.
    """
    return facts.told("route-no-end")


RULES = (direction, last_id, no_end)
