"""Rules about the end of a connection (CMPP 2.0 §6.1, §7.4.2)."""

from __future__ import annotations

from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.open_ends import outstanding


@rule(
    "close-without-terminate",
    Severity.NOTE,
    "§7.4.2",
    "the {who} closed the open connection ({how}), and nobody sent TERMINATE",
)
def without_terminate(facts: Facts) -> Hits:
    """A long connection is ended with TERMINATE before it is closed."""
    return facts.told("close-without-terminate")


@rule(
    "close-outstanding",
    Severity.WARN,
    "§6.1",
    "the {who} closed the connection ({how}) while {owed}",
)
def close_outstanding(facts: Facts) -> Hits:
    """A connection is closed when every request has its response.

    Told once a connection, for the requests that had not waited N·T by then, so that nobody can say whether they would
    have been answered. What became of these messages the sender cannot know; it sends them again on another
    connection, and some may arrive twice.
    """
    facts.spots["close-outstanding"] = outstanding(facts)
    return facts.told("close-outstanding")


RULES = (without_terminate, close_outstanding)
