"""How connections ended: in which state, and with which requests still waiting."""

from __future__ import annotations

from collections import Counter

import numpy as np

from cmppscope.rules.connections import Connections
from cmppscope.rules.model import End, Facts, Hits, Spot, Spots, command_name
from cmppscope.rules.states import IS_OPEN
from cmppscope.sessions import Session
from cmppscope.tables import I64, Bool
from cmppscope.transactions.table import OPEN, UNANSWERED, Transactions
from dissectors.cmpp.enums import ACTIVE_TEST, TERMINATE

_HOW = {"fin": "FIN", "rst": "RST"}


def how_closed(session: Session) -> dict[str, str]:
    """Give words for who closed a session's connection and how."""
    closing = session.stream.closing
    if closing is None:
        return {}
    return {"who": session.roles[closing.direction], "how": _HOW[closing.kind]}


def close_without_terminate(
    connections: Connections, sessions: list[Session], dead: set[int], end: End, spots: Spots
) -> None:
    """Find the long connections that were closed while they were open (CMPP 2.0 §7.4.2).

    `dead` are the streams whose link tests had no answer: closing them is what §6.1 asks for.
    """
    last = {session.stream.number: session for session in sessions}
    for number, session in sorted(last.items()):
        closing = session.stream.closing
        is_open = closing is not None and IS_OPEN[connections.state[number]] and not session.short
        if closing is None or not is_open or number in dead or end.lost & {2 * number, 2 * number + 1}:
            continue
        spot = Spot(0, closing.frame, number, closing.direction, -1, 0, values=how_closed(session))
        spots.setdefault("close-without-terminate", []).append(spot)


class Waiting:
    """The requests without a response, each told by one rule only.

    A request is unanswered when it waited N·T; a link test, when it waited T or came back as a test. Requests of a
    connection that was closed sooner (less a twentieth of T, for clocks) are outstanding. TERMINATE has a rule of its
    own; a test that came where a response should be needs none itself.
    """

    def __init__(self, facts: Facts, table: Transactions) -> None:
        """Take the requests that were open when the capture ended."""
        end_ns = facts.end.time_ns if facts.end else 0
        sessions = [facts.sessions[number] for number in table.session.tolist()]
        closings = [session.stream.closing for session in sessions]
        closed = np.array([closing is not None for closing in closings], np.bool_)
        until = np.array([end_ns if c is None else c.time_ns for c in closings], np.int64)
        waited = until - table.time_ns
        echoed = np.isin(table.pdu, np.fromiter(facts.echoes, np.int64))
        test, terminate = table.command == ACTIVE_TEST, table.command == TERMINATE
        without = table.state == UNANSWERED
        sent_back = [facts.echoes[pdu] for pdu in table.pdu[without & echoed].tolist()]
        without &= ~np.isin(table.pdu, np.array(sent_back, np.int64))
        seen = np.array([s.stream.last_frame for s in sessions], np.int64) > table.frame
        still = (table.state == OPEN) & seen & test
        before = np.array([0 if c is None else c.frame for c in closings], np.int64) > table.frame
        known = without & (echoed | ~closed | (20 * waited >= 19 * facts.timers.t_ns))
        self.link_tests: Bool = test & (known | (still & (waited > facts.timers.t_ns)))
        self.unanswered: Bool = without & ~test & ~terminate & (~closed | (waited >= facts.timers.patience_ns))
        self.outstanding: Bool = without & ~terminate & ~self.unanswered & ~self.link_tests & closed & before
        self.terminate: Bool = without & terminate

    @staticmethod
    def of(facts: Facts) -> Waiting | None:
        """Give the requests still open at the end, None before it."""
        if facts.ended is None or not len(facts.ended):
            return None
        ended = facts.ended
        return facts.columns.once("waiting", lambda: Waiting(facts, ended))


def requests(table: Transactions, which: Bool, more: I64 | None = None) -> Hits:
    """Give requests as places; `a` is the Sequence_Id, `b` what `more` has for each row of the table."""
    at = np.flatnonzero(which)
    return Hits(
        table.pdu[at],
        table.frame[at],
        table.stream[at],
        table.direction[at],
        np.full(len(at), -1),
        table.command[at],
        table.sequence[at],
        np.zeros(len(at), np.int64) if more is None else more[at],
    )


def outstanding(facts: Facts) -> list[Spot]:
    """Find the connections that were closed while requests waited, one place a connection."""
    waiting, table = Waiting.of(facts), facts.ended
    if waiting is None or table is None or not waiting.outstanding.any():
        return []
    rows = np.flatnonzero(waiting.outstanding)
    found: dict[int, dict[int, Counter[int]]] = {}
    session_of: dict[int, Session] = {}
    columns = (table.stream, table.session, table.direction, table.command)
    for stream, number, direction, command in zip(*(column[rows].tolist() for column in columns), strict=True):
        found.setdefault(stream, {}).setdefault(direction, Counter())[command] += 1
        session_of[stream] = facts.sessions[number]
    spots = []
    for stream, waits in sorted(found.items()):
        session = session_of[stream]
        closing = session.stream.closing
        if closing is not None:
            owed = [f"{_listed(waits[d])} had no response from the {session.roles[1 - d]}" for d in sorted(waits)]
            values = {"owed": " and ".join(owed), **how_closed(session)}
            count = sum(commands.total() for commands in waits.values())
            spots.append(Spot(0, closing.frame, stream, closing.direction, -1, 0, count, values=values))
    return spots


def _listed(commands: Counter[int]) -> str:
    """Count requests by name."""
    return ", ".join(f"{count} {command_name(command)}" for command, count in sorted(commands.items()))
