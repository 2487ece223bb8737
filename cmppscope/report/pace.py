"""What the audit of links says first: why a link was dropped, and what made it slow.

Made from the report alone, like all headlines. Links that suffer in the same way are told together.
"""

from __future__ import annotations

from collections import defaultdict

from cmppscope.quantities import milliseconds, plural
from cmppscope.report import model

_IDLE_MS = 10_000
"""Silence before a link is closed that is worth telling."""
_FULL_SHARE = 0.2
"""Share of a session's time with a full window from which on the window is what holds it up."""
_FULL_MS = 1_000
_CLOSED = {"fin": "closed", "rst": "reset"}


def drops(report: model.Report) -> list[str]:
    """Tell the links that were closed without TERMINATE after silence, and those tested in vain."""
    silent: dict[tuple[str, str], list[model.Session]] = defaultdict(list)
    lines = []
    for session in report.sessions:
        if session.audit is None:
            continue
        lines += _tested_in_vain(session, session.audit)
        side, _, how = session.closed_by.partition("_")
        if closed_after_silence(session):
            who = side.upper() if side == "sp" else session.roles[session.closed_direction or 0]
            silent[who, how].append(session)
    for (who, how), sessions in silent.items():
        idle = sorted(s.audit.idle.at_end_ms for s in sessions if s.audit)
        middle = milliseconds(idle[(len(idle) - 1) // 2])
        tests = sum(d.keep_alive.tests for s in sessions if s.audit for d in s.audit.directions)
        tested = (
            f"{plural(tests, 'link test')} in all" if tests else "nobody tested them" if idle[1:] else "no link test"
        )
        which = (
            f"stream {sessions[0].stream} after {middle}"
            if len(sessions) == 1
            else (f"{len(sessions)} links after {middle} (median)")
        )
        lines.append(f"The {who} {_CLOSED[how]} {which} of silence, without TERMINATE; {tested}.")
    return lines


def closed_after_silence(session: model.Session) -> bool:
    """Tell whether the connection was closed without TERMINATE when it had carried nothing for a while."""
    closed = session.closed_by.partition("_")[2] in _CLOSED and session.login != "refused"
    return closed and session.audit is not None and session.audit.idle.at_end_ms >= _IDLE_MS


def _tested_in_vain(session: model.Session, audit: model.Audit) -> list[str]:
    """Tell link tests that were never answered, on a link that is over."""
    return [
        f"The {session.roles[1 - at]} did not answer {direction.keep_alive.unanswered} of "
        f"{plural(direction.keep_alive.tests, 'link test')} by the {direction.sender} on stream {session.stream}."
        for at, direction in enumerate(audit.directions)
        if direction.keep_alive.unanswered > 1
    ]


def pace(report: model.Report) -> list[str]:
    """Tell where a full window held requests up, and what the answers took meanwhile; the longest time stands first."""
    full = sorted(
        (
            (direction.window.at_limit_ms, -session.session, at)
            for session in report.sessions
            if session.audit
            for at, direction in enumerate(session.audit.directions)
            if direction.window.at_limit_ms >= max(_FULL_MS, _FULL_SHARE * _lasted_ms(session))
        ),
        reverse=True,
    )
    if not full:
        return []
    spent, number, at = full[0]
    session = next(s for s in report.sessions if s.session == -number)
    more = f" So it was on {plural(len(full) - 1, 'more link')}." if full[1:] else ""
    share = min(100, round(100 * spent / max(_lasted_ms(session), 1)))
    answered = _answered(session, at)
    whose = f"The window of the {session.roles[at]} on stream {session.stream} was full (W = {report.audit.window})"
    return [f"{whose} for {milliseconds(spent)}, {share} % of the time{answered}.{more}"]


def _answered(session: model.Session, direction: int) -> str:
    """Say how long the answers to one side's requests took."""
    names = ("CMPP_SUBMIT", "CMPP_FWD") if session.roles[direction] == "SP" else ("CMPP_DELIVER", "CMPP_FWD")
    found = [row for row in session.latency if row.command in names]
    if not found:
        return ""
    row = max(found, key=lambda each: each.count)
    told = f": the {session.roles[1 - direction]} took {milliseconds(row.latency_ms.p50)} (p50) to answer"
    if row.network_ms is not None:
        told += f", {milliseconds(row.network_ms)} of it network"
    return told


def _lasted_ms(session: model.Session) -> float:
    """Say how long a session lasted, from its first PDU until it was over."""
    return session.audit.lasted_ms if session.audit else 0.0
