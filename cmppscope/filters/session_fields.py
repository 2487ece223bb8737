"""The fields of sessions: login, how the link was used, how it ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from cmppscope.filters.field import Field, Read
from cmppscope.filters.tables import SESSION
from cmppscope.filters.values import Kind


def _session(give: Callable[[Any], Any]) -> Read:
    """Read a value of a session's row."""
    return lambda table: table.column(give)


def _moment(text: str) -> int:
    """Read a time as reports write it."""
    seconds, _, rest = text.rstrip("Z").partition(".")
    since = dt.datetime.fromisoformat(seconds) - dt.datetime(1970, 1, 1)  # noqa: DTZ001 - both are UTC
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int(rest.ljust(9, "0") or 0)


def _whole_ns(milliseconds: float) -> int:
    """Give milliseconds as nanoseconds."""
    return round(milliseconds * 1_000_000)


def _sides(join: Callable[[Iterable[int]], int], give: Callable[[Any], int]) -> Read:
    """Read a number of each side of the sessions that are audited, and join the two."""
    return _session(lambda s: s.audit and join(map(give, s.audit.directions)))


SESSIONS = (
    Field("session.number", SESSION, Kind.NUMBER, "Number of the session.", _session(lambda s: s.session)),
    Field(
        "session.stream",
        SESSION,
        Kind.NUMBER,
        "Number of the TCP connection.",
        _session(lambda s: s.stream),
        ("tcp.stream",),
    ),
    Field("session.sp_id", SESSION, Kind.TEXT, "Source_Addr of the last CONNECT.", _session(lambda s: s.sp_id)),
    Field("session.version", SESSION, Kind.TEXT, "Version: 2.0, 2.1 or 3.0.", _session(lambda s: s.version)),
    Field("session.interface", SESSION, Kind.TEXT, "SP-ISMG, ISMG-ISMG or ISMG-GNS.", _session(lambda s: s.interface)),
    Field(
        "session.login",
        SESSION,
        Kind.TEXT,
        "How the login went: ok, refused, unanswered, not seen.",
        _session(lambda s: s.login),
    ),
    Field("session.status", SESSION, Kind.NUMBER, "Status of the last CONNECT_RESP.", _session(lambda s: s.status)),
    Field(
        "session.first_status",
        SESSION,
        Kind.NUMBER,
        "Status of the first CONNECT_RESP.",
        _session(lambda s: s.first_status),
    ),
    Field(
        "session.login_time",
        SESSION,
        Kind.DURATION,
        "From the last CONNECT to its response.",
        _session(lambda s: None if s.login_ms is None else round(s.login_ms * 1_000_000)),
    ),
    Field("session.connects", SESSION, Kind.NUMBER, "CONNECTs of the session.", _session(lambda s: s.connects)),
    Field("session.pdus", SESSION, Kind.NUMBER, "PDUs of both directions.", _session(lambda s: s.pdus)),
    Field("session.octets", SESSION, Kind.NUMBER, "Octets of its PDUs.", _session(lambda s: s.octets)),
    Field("session.first_frame", SESSION, Kind.NUMBER, "First frame.", _session(lambda s: s.first_frame)),
    Field("session.last_frame", SESSION, Kind.NUMBER, "Last frame.", _session(lambda s: s.last_frame)),
    Field(
        "session.first_time", SESSION, Kind.TIME, "Time of the first PDU.", _session(lambda s: _moment(s.first_time))
    ),
    Field("session.last_time", SESSION, Kind.TIME, "Time of the last PDU.", _session(lambda s: _moment(s.last_time))),
    Field(
        "session.duration",
        SESSION,
        Kind.DURATION,
        "From the first PDU to the last.",
        _session(lambda s: _moment(s.last_time) - _moment(s.first_time)),
    ),
    Field(
        "session.closed_by",
        SESSION,
        Kind.TEXT,
        "Who ended it and how: sp_fin, ismg_terminate, silence, capture_end …",
        _session(lambda s: s.closed_by),
    ),
    Field(
        "session.closing_frame",
        SESSION,
        Kind.NUMBER,
        "Frame of the first FIN or RST.",
        _session(lambda s: s.audit and s.audit.closing_frame),
    ),
    Field(
        "session.login_check",
        SESSION,
        Kind.TEXT,
        "AuthenticatorSource by the secret given: right, unpadded, mistaken, other secret, wrong …",
        _session(lambda s: s.login_check and s.login_check.authenticator_source),
    ),
    Field(
        "session.ismg_check",
        SESSION,
        Kind.TEXT,
        "AuthenticatorISMG by the secret given: right, variant, blank, wrong, absent.",
        _session(lambda s: s.login_check and s.login_check.authenticator_ismg),
    ),
    Field(
        "session.lasted",
        SESSION,
        Kind.DURATION,
        "From the first PDU until the link was closed, or the capture ended.",
        _session(lambda s: s.audit and _whole_ns(s.audit.lasted_ms)),
    ),
    Field(
        "session.idle",
        SESSION,
        Kind.DURATION,
        "Longest time without a PDU, up to its close.",
        _session(lambda s: s.audit and _whole_ns(max(s.audit.idle.longest_ms, s.audit.idle.at_end_ms))),
    ),
    Field(
        "session.requests_per_second",
        SESSION,
        Kind.NUMBER,
        "Most requests of one side in a second.",
        _sides(max, lambda side: side.busiest_second),
    ),
    Field(
        "session.window_peak",
        SESSION,
        Kind.NUMBER,
        "Most requests of one side that waited at once.",
        _sides(max, lambda side: side.window.peak),
    ),
    Field(
        "session.window_full",
        SESSION,
        Kind.DURATION,
        "Time in which W or more requests of one side waited.",
        _sides(max, lambda side: _whole_ns(side.window.at_limit_ms)),
    ),
    Field(
        "session.window_exceeded",
        SESSION,
        Kind.NUMBER,
        "How often more than W requests came to wait.",
        _sides(sum, lambda side: side.window.exceeded),
    ),
    Field(
        "session.flow_control",
        SESSION,
        Kind.NUMBER,
        "Responses with Result 8.",
        _sides(sum, lambda side: side.window.flow_control),
    ),
    Field(
        "session.waiting",
        SESSION,
        Kind.NUMBER,
        "Requests without a response at its end.",
        _sides(sum, lambda side: side.window.unanswered_at_end),
    ),
    Field("session.tests", SESSION, Kind.NUMBER, "Link tests.", _sides(sum, lambda side: side.keep_alive.tests)),
    Field(
        "session.tests_unanswered",
        SESSION,
        Kind.NUMBER,
        "Link tests without a response.",
        _sides(sum, lambda side: side.keep_alive.unanswered),
    ),
    Field(
        "session.repeated",
        SESSION,
        Kind.NUMBER,
        "Messages that were sent again under another Sequence_Id.",
        _sides(sum, lambda side: side.repeated.count),
    ),
)
