"""Rules about requests that are sent again (CMPP 2.0 §6.1): after T, at once, N times in all.

Link tests have rules of their own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.quantities import duration
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.open_ends import Waiting, requests
from cmppscope.transactions import Resend
from dissectors.cmpp.enums import ACTIVE_TEST


def _resends(facts: Facts, which: Callable[[Resend], bool]) -> Hits:
    """Give some resends as places; `a` is the time since the sending before, `b` the first sending."""
    found = [r for r in facts.paired.sent_again if facts.batch.command[r.row] != ACTIVE_TEST and which(r)]
    rows, waited, first = np.array([(r.row, r.waited_ns, r.first) for r in found], np.int64).reshape(-1, 3).T
    hits = facts.pdus(rows, waited, first)
    words = {"t": duration(facts.timers.t_ns), "n": facts.timers.n}
    hits.values = lambda place: words | {"sendings": found[place].sendings}
    return hits


@rule(
    "resend-early",
    Severity.WARN,
    "§6.1",
    "{command} of PDU {b} is sent again after {lapse}, before T = {t} has passed",
)
def early(facts: Facts) -> Hits:
    """A request is sent again when T has passed without a response, not sooner.

    The first sending may still be on its way through the gateway: a subscriber may get the message twice, and is
    charged twice. A twentieth of T is let pass for clocks.
    """
    return _resends(facts, lambda r: 20 * r.waited_ns < 19 * facts.timers.t_ns)


@rule(
    "resend-late",
    Severity.NOTE,
    "§6.1",
    "{command} of PDU {b} is sent again after {lapse}, where T is {t}",
)
def late(facts: Facts) -> Hits:
    """A request without a response is sent again when T has passed, at once.

    Told where it took more than 2·T, and the capture cannot have lost a sending between.
    """
    return _resends(facts, lambda r: r.waited_ns > 2 * facts.timers.t_ns and not r.lossy)


@rule("resend-many", Severity.WARN, "§6.1", "{command} of PDU {b} is sent {sendings} times, where N is {n}")
def many(facts: Facts) -> Hits:
    """A request is sent N times at most.

    Told once a request.
    """
    return _resends(facts, lambda r: r.sendings == facts.timers.n + 1 and not r.lossy)


@rule("resend-absent", Severity.NOTE, "§6.1", "{command} with Sequence_Id {a} got no response and was not sent again")
def absent(facts: Facts) -> list[Hits]:
    """A request without a response is sent again.

    Told where N·T passed, and neither the capture may have lost the resend nor a wrong response have ended the wait.
    """
    waiting, table = Waiting.of(facts), facts.ended
    if waiting is None or table is None or facts.end is None:
        return []
    answered = np.array([stray.other for stray in facts.strays], np.int64)
    own = table.stream * 2 + table.direction
    lost = np.isin(own, np.fromiter(facts.end.lost, np.int64)) | np.isin(table.pdu, answered)
    return [requests(table, waiting.unanswered & (table.sendings == 1) & ~lost)]


RULES = (early, late, many, absent)
