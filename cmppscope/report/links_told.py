"""What there is to say about the link of one session: how its login checks, how it was used, tested and closed.

Lines of a label and words, made from the rows of the report alone: whoever tells of one session has no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cmppscope.quantities import milliseconds, plural
from cmppscope.report import model
from cmppscope.report.headlines import closing
from cmppscope.report.pace import closed_after_silence

_SOURCES = {"right": "good", "unpadded": "warn"}
_ISMG = {
    "right": ("AuthenticatorISMG is right", "good"),
    "variant": ("AuthenticatorISMG is right, but", "warn"),
    "blank": ("AuthenticatorISMG is blank", "warn"),
    "wrong": ("AuthenticatorISMG is wrong", "error"),
    "absent": ("no CONNECT_RESP to check", "warn"),
}


class Told(NamedTuple):
    """A line."""

    label: str
    """Empty where the line goes on with what the one above is about."""
    words: str
    tone: str = ""
    """`error`, `warn`, `good` or nothing."""


def login_told(check: model.LoginCheck) -> list[Told]:
    """Tell how a login checks against the shared secret."""
    words, tone = _ISMG[check.authenticator_ismg]
    if check.authenticator_ismg == "variant":
        words = f"{words} {check.status_written}"
    return [
        Told("Login check", check.says, _SOURCES.get(check.authenticator_source, "error")),
        Told("", words, tone),
    ]


def link_told(session: model.Session, window: int, c_seconds: float, peer: model.Peer | None = None) -> list[Told]:
    """Tell how a link was: `window` is W, `c_seconds` is C, `peer` all sessions of this SP and gateway if several."""
    told = [*_closed(session)]
    if session.audit is not None:
        told += _idle(session.audit, c_seconds)
        names = session.roles if session.roles[0] != session.roles[1] else ("Originator", "Responder")
        for name, direction in zip(names, session.audit.directions, strict=True):
            told += _direction(name, direction, window)
    if peer is not None:
        told.append(_peer(peer))
    if session.network is not None:
        told += _network(session, session.network)
    return [*told, *_latencies(session)]


def _closed(session: model.Session) -> Iterator[Told]:
    """Tell who ended the session, and what came before."""
    words = closing(session)
    if session.audit is None:
        yield Told("End", words)
        return
    silent = closed_after_silence(session)
    frame, flag = session.audit.closing_frame, session.audit.closing_flag
    if frame is not None:
        told = session.closed_by.endswith(f"_{flag}")
        words += f" in frame {frame}" if told else f"; {(flag or '').upper()} in frame {frame}"
    if silent:
        words += f", after {milliseconds(session.audit.idle.at_end_ms)} of silence"
    yield Told("End", words, "warn" if silent else "")
    yield Told("Lasted", milliseconds(session.audit.lasted_ms))


def _idle(audit: model.Audit, c_seconds: float) -> Iterator[Told]:
    """Tell how long the link carried nothing."""
    idle = audit.idle
    until = "" if idle.longest_until_frame is None else f", until frame {idle.longest_until_frame}"
    yield Told("Idle", f"{milliseconds(idle.longest_ms)} at most{until}; {milliseconds(idle.at_end_ms)} at the end")
    if idle.periods_above_c:
        total = f"{milliseconds(idle.total_above_c_ms)} in all"
        yield Told("", f"{plural(idle.periods_above_c, 'time')} longer than C ({c_seconds:g} s), {total}", "warn")


def _direction(label: str, side: model.DirectionAudit, window: int) -> Iterator[Told]:
    """Tell what one side asked, and how it tested the link; nothing where it did neither."""
    if side.requests:
        pace = f", at most {side.busiest_second:,} a second" if side.requests > 1 else ""
        mean = f", {side.mean_per_active_second:,.1f} on average" if side.active_seconds > 1 else ""
        yield Told(label, f"{plural(side.requests, 'request')}{pace}{mean}")
        yield _window(side.window, window)
        label = ""
    if side.window.flow_control:
        yield Told(label, f"Result 8 (flow control) {plural(side.window.flow_control, 'time')}", "warn")
        label = ""
    if side.keep_alive.tests:
        yield _tests(label, side.keep_alive)
    again = side.repeated
    if again.count:
        first = f"first PDU {again.first_pdu}, which repeats PDU {again.repeats_pdu}"
        yield Told("", f"{plural(again.count, 'message')} sent again: {first}", "warn")


def _window(window: model.Window, limit: int) -> Told:
    """Tell how many requests waited for a response."""
    where = "" if window.peak_frame is None else f" (frame {window.peak_frame})"
    words = f"window: {window.peak} waiting at most{where}, W = {limit}, full for {milliseconds(window.at_limit_ms)}"
    if window.exceeded:
        words += f", exceeded {plural(window.exceeded, 'time')}"
    if window.unanswered_at_end:
        words += f"; {window.unanswered_at_end} waiting at the end"
    return Told("", words, "warn" if window.exceeded else "")


def _tests(label: str, tests: model.KeepAlive) -> Told:
    """Tell how one side tested the link."""
    words = plural(tests.tests, "link test")
    if tests.interval_ms is not None:
        every = tests.interval_ms
        words += (
            f", every {milliseconds(every.median)} (median; {milliseconds(every.min)} to {milliseconds(every.max)})"
        )
    if tests.unanswered:
        words += f"; {tests.unanswered} not answered"
    return Told(label, words, "warn" if tests.unanswered else "")


def _peer(peer: model.Peer) -> Told:
    """Tell of all sessions that one SP has with one gateway."""
    words = f"{plural(peer.sessions, 'session')} of this SP with this gateway, at most {peer.most_at_once} at once"
    if peer.reconnect_ms is not None:
        words += f"; a new one every {milliseconds(peer.reconnect_ms.median)} (median)"
    if peer.not_terminated:
        words += f"; {peer.not_terminated} ended without TERMINATE"
    return Told("Reconnects", words)


def _network(session: model.Session, network: model.Network) -> Iterator[Told]:
    """Tell the round trips that the handshake measured."""
    trips = zip(session.roles, (network.originator_ms, network.responder_ms), strict=True)
    told = [f"{milliseconds(trip)} to the {role} and back" for role, trip in trips if trip is not None]
    if told:
        yield Told("Network", ", ".join(told))


def _latencies(session: model.Session) -> Iterator[Told]:
    """Tell how long answers took, a command a line, and what of it was network."""
    label = "Latency"
    for row in session.latency:
        name, times = row.command.removeprefix("CMPP_"), row.latency_ms
        figures = [f"{title} {milliseconds(value):>8}" for title, value in (("p50", times.p50), ("p99", times.p99))]
        yield Told(label, f"{row.count:>9,}  {name:<11} {'  '.join(figures)}  max {milliseconds(times.max)}")
        label = ""
        if row.network_ms is not None and row.application_p50_ms is not None:
            split = f"p50: {milliseconds(row.network_ms)} network, {milliseconds(row.application_p50_ms)} peer"
            yield Told("", f"{'':>9}  {'':<11} {split}")
