"""The parts of a report that tell how a link was: login check, audit, network and latency of sessions and of peers."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cmppscope.analysis import Analysis
from cmppscope.analysis.audit import AUDITED_SESSIONS
from cmppscope.analysis.latency import Summary, percentile_place
from cmppscope.analysis.statistics import middle_of
from cmppscope.analysis.window import over_ns
from cmppscope.reassembly import Handshake
from cmppscope.report import model
from cmppscope.report.names import command_name
from cmppscope.report.safe import printable
from cmppscope.report.units import address, histogram, latency, milliseconds, moment
from cmppscope.rules.login import RIGHT, UNPADDED, Login, why_wrong
from cmppscope.sessions import Session

SERIES_BUCKETS = 60
"""The most buckets of a session's outstanding requests over time."""
A_DOUBLING = 4
"""Bins of a histogram in a report for each doubling."""


class Parts(NamedTuple):
    """What a session's row holds besides what the session itself knows."""

    login_check: model.LoginCheck | None = None
    audit: model.Audit | None = None
    network: model.Network | None = None
    latency: Sequence[model.CommandLatency] = ()


NO_PARTS = Parts()


def parts(session: Session, analysis: Analysis, *, brief: bool = False) -> Parts:
    """Give the parts of a session; `brief` leaves out what is drawn: histograms, and levels over time.

    Before the capture has ended they tell what is known so far.
    """
    login = analysis.logins.get(session.number)
    shaken = analysis.handshake(session.stream.number)
    audited = session.number < AUDITED_SESSIONS
    return Parts(
        None if login is None else login_check(login),
        _audit(session, analysis, brief=brief) if audited else None,
        None if shaken is None else _network(shaken),
        _latencies(analysis.audit.latencies.of(session.number), session, shaken, brief=brief) if audited else (),
    )


def login_check(login: Login) -> model.LoginCheck:
    """Give a login that was checked against a secret."""
    return model.LoginCheck(
        connect_pdu=login.connect.pdu,
        authenticator_source=login.source,  # type: ignore[arg-type]
        response_pdu=None if login.response is None else login.response.pdu,
        authenticator_ismg=login.ismg,  # type: ignore[arg-type]
        status_written=login.ismg_words or None,
        timestamp_skew_seconds=login.skew_s,
        says=_says(login),
    )


def _says(login: Login) -> str:
    """Say in a sentence what the check of a login tells."""
    if login.source not in (RIGHT, UNPADDED):
        return f"AuthenticatorSource is wrong: {why_wrong(login)}"
    told = "AuthenticatorSource is right for the secret given"
    if login.source == UNPADDED:
        told += ", but made without the leading zero of the Timestamp, which a strict gateway refuses"
    elif login.status == 3:
        told += ": the gateway has another secret, or refuses the Timestamp"
    if login.skew_s is None:
        return f"{told}; Timestamp is no time"
    if abs(login.skew_s) > 60:
        told += f"; Timestamp is {abs(login.skew_s):,} s {'ahead of' if login.skew_s > 0 else 'behind'} the capture"
    return told


def _audit(session: Session, analysis: Analysis, *, brief: bool) -> model.Audit:
    """Give the audit of a session."""
    audit, number = analysis.audit, session.number
    idle = audit.idle.state
    end = over_ns(session, analysis.last_time_ns)
    closing = None if session.ended else session.stream.closing
    return model.Audit(
        directions=[_direction(session, analysis, direction, brief=brief) for direction in (0, 1)],
        idle=model.Idle(
            longest_ms=milliseconds(int(idle.longest_ns[number])),
            longest_until_frame=int(idle.longest_frame[number]) or None,
            periods_above_c=int(idle.periods[number]),
            total_above_c_ms=milliseconds(int(idle.total_ns[number])),
            at_end_ms=milliseconds(max(0, end - session.last_time_ns)),
        ),
        lasted_ms=milliseconds(max(0, end - session.first_time_ns)),
        closing_frame=None if closing is None else closing.frame,
        closing_flag=None if closing is None else closing.kind,
    )


def _direction(session: Session, analysis: Analysis, direction: int, *, brief: bool) -> model.DirectionAudit:
    """Give the audit of the requests that go one way."""
    audit, group = analysis.audit, session.number * 2 + direction
    window = audit.window.state
    start, bucket_seconds, levels = (0, 1, []) if brief else audit.window.levels(group, SERIES_BUCKETS)
    requests, active = int(window.requests[group]), int(window.active[group])
    repeated = audit.repeats.found.get(group)
    return model.DirectionAudit(
        sender=session.roles[direction],
        requests=requests,
        window=model.Window(
            peak=int(window.peak[group]),
            peak_frame=int(window.peak_frame[group]) or None,
            at_limit_ms=milliseconds(int(window.full_ns[group])),
            exceeded=int(window.exceeded[group]),
            flow_control=int(window.throttled[group]),
            outstanding=model.Outstanding(
                start=moment(start * 1_000_000_000) if levels else None, bucket_seconds=bucket_seconds, peak=levels
            ),
            unanswered_at_end=int(window.level[group]),
        ),
        busiest_second=int(window.busiest[group]),
        busiest_second_start=moment(int(window.busiest_second[group]) * 1_000_000_000) if requests else None,
        active_seconds=active,
        mean_per_active_second=round(requests / active, 3) if active else 0.0,
        keep_alive=_keep_alive(analysis, group),
        repeated=model.Repeated(
            count=repeated.count if repeated else 0,
            first_frame=repeated.frame if repeated else None,
            first_pdu=repeated.pdu if repeated else None,
            repeats_pdu=repeated.earlier if repeated else None,
        ),
    )


def _keep_alive(analysis: Analysis, group: int) -> model.KeepAlive:
    """Give the link tests of one side."""
    tests, intervals = analysis.audit.keep_alive.state, analysis.audit.keep_alive.intervals
    place, count = intervals.of(group)
    spacing = None
    if len(place):
        least, greatest = int(tests.least_ns[group]), int(tests.greatest_ns[group])
        bins = zip(place.tolist(), count.tolist(), strict=True)
        middle = middle_of(percentile_place(bins, int(count.sum()), 50), intervals.halvings)
        spacing = _spacing(least, min(max(middle, least), greatest), greatest)
    return model.KeepAlive(tests=int(tests.count[group]), unanswered=int(tests.unanswered[group]), interval_ms=spacing)


def _spacing(least: int, middle: int, greatest: int) -> model.Spacing:
    """Give intervals in milliseconds."""
    return model.Spacing(min=milliseconds(least), median=milliseconds(middle), max=milliseconds(greatest))


def _network(shaken: Handshake) -> model.Network:
    """Give the round trips of a handshake."""
    back, there = shaken
    return model.Network(
        originator_ms=None if back is None else milliseconds(back),
        responder_ms=None if there is None else milliseconds(there),
    )


def _latencies(
    found: Mapping[int, Summary],
    session: Session | None = None,
    shaken: Handshake | None = None,
    *,
    brief: bool = False,
) -> list[model.CommandLatency]:
    """Give latencies by command; of a session whose handshake was measured, what of them is the network's as well."""
    rows = []
    for command, summary in sorted(found.items()):
        told = latency(summary)
        if told is None:
            continue
        trip = None if session is None or shaken is None else _trip(session, command, shaken)
        rows.append(
            model.CommandLatency(
                command=command_name(command),
                count=summary.count,
                latency_ms=told,
                histogram=histogram([] if brief else summary.coarse(A_DOUBLING)),
                network_ms=None if trip is None else milliseconds(trip),
                application_p50_ms=None if trip is None else milliseconds(max(0, summary.percentile_ns(50) - trip)),
            )
        )
    return rows


def _trip(session: Session, command: int, shaken: Handshake) -> int | None:
    """Give the round trip between the capture and the side that answers a command; None where both do."""
    asked = {direction for direction, each in session.counts if each == command}
    if len(asked) != 1:
        return None
    return shaken.originator_ns if asked == {1} else shaken.responder_ns


def over_time(analysis: Analysis) -> list[model.LatencyOverTime]:
    """Give the latencies of each command over time."""
    series = analysis.audit.latencies.series
    rows = []
    for command, buckets in sorted(series.rows().items()):
        starts = range(min(buckets), max(buckets) + 1, 1 << series.doublings)
        there = [buckets.get(start) for start in starts]
        rows.append(
            model.LatencyOverTime(
                command=command_name(command),
                start=moment(min(buckets) * 1_000_000_000),
                bucket_seconds=1 << series.doublings,
                count=[0 if b is None else b.count for b in there],
                p50_ms=[None if b is None else milliseconds(b.p50_ns) for b in there],
                p95_ms=[None if b is None else milliseconds(b.p95_ns) for b in there],
                max_ms=[None if b is None else milliseconds(b.max_ns) for b in there],
            )
        )
    return rows


def peers(analysis: Analysis) -> list[model.Peer]:
    """Give sessions together that one SP (by SP_Id, without one by address) has with one gateway (by address)."""
    groups = _groups(analysis)
    return [_peer(analysis, key, groups[key]) for key in sorted(groups, key=lambda key: (groups[key][0].number, *key))]


def peer_of(analysis: Analysis) -> dict[int, model.Peer]:
    """Give the SP and gateway of each session, by its number, where they have several; without latency."""
    several = {key: sessions for key, sessions in _groups(analysis).items() if len(sessions) > 1}
    return {
        session.number: peer
        for key, sessions in several.items()
        for peer in (_peer(analysis, key, sessions, brief=True),)
        for session in sessions
    }


def _groups(analysis: Analysis) -> dict[tuple[str, str, str], list[Session]]:
    """Put sessions together by SP_Id, address of the SP where it has none, and address of the gateway."""
    groups: dict[tuple[str, str, str], list[Session]] = defaultdict(list)
    for session in analysis.sessions[:AUDITED_SESSIONS]:
        ends = (address(session.stream.originator), address(session.stream.responder))
        client = session.client
        sp_id = "" if session.source_addr is None else printable(session.source_addr)
        groups[sp_id, "" if sp_id else ends[client], ends[1 - client]].append(session)
    return groups


def _peer(analysis: Analysis, key: tuple[str, str, str], sessions: list[Session], *, brief: bool = False) -> model.Peer:
    """Give one SP and one gateway; `brief` leaves out how long answers took."""
    sp_id, client, gateway = key
    total: dict[int, Summary] = {}
    for session in () if brief else sessions:
        for command, summary in analysis.audit.latencies.of(session.number).items():
            total.setdefault(command, Summary()).add(summary)
    begins = sorted(session.first_time_ns for session in sessions)
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(begins))
    return model.Peer(
        sp_id=sp_id or None,
        sp_address=client or None,
        gateway=gateway,
        sessions=len(sessions),
        most_at_once=_most_at_once(sessions, analysis.last_time_ns),
        not_terminated=sum(
            session.terminate_direction is None and (session.ended or session.stream.closing is not None)
            for session in sessions
        ),
        reconnect_ms=_spacing(gaps[0], gaps[(len(gaps) - 1) // 2], gaps[-1]) if gaps else None,
        latency=_latencies(total),
    )


def _most_at_once(sessions: list[Session], last_time_ns: int) -> int:
    """Say how many of some sessions were there at one time."""
    changes = sorted(
        change
        for session in sessions
        for change in ((session.first_time_ns, 1), (max(session.first_time_ns, over_ns(session, last_time_ns)), -1))
    )
    most = there = 0
    for _, change in changes:
        there += change
        most = max(most, there)
    return max(most, 1)


def beyond(analysis: Analysis) -> model.AuditLimits:
    """Say by which values the audit goes, and what was left out for want of room."""
    limits = analysis.audit.limits
    return model.AuditLimits(
        window=limits.window,
        c_seconds=limits.c_ns / 1e9,
        sessions_not_audited=max(0, len(analysis.sessions) - AUDITED_SESSIONS),
        latency_of_those=_latencies(analysis.audit.latencies.of(AUDITED_SESSIONS)),
    )
