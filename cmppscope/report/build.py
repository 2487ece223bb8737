"""The report of an Analysis: the one place where facts get the names and units of `model`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cmppscope import __version__
from cmppscope.analysis import Analysis
from cmppscope.analysis.statistics import CommandCounts, Slow
from cmppscope.messages.counting import field_text
from cmppscope.messages.parties import NOBODY
from cmppscope.messages.queries import COUNTS, Answer, Held, Query
from cmppscope.report import links, model
from cmppscope.report.common import in_common
from cmppscope.report.names import command_name
from cmppscope.report.safe import printable
from cmppscope.report.units import endpoint, histogram, latency, milliseconds, moment
from cmppscope.rules import STANDARD, Finding, Results
from cmppscope.sessions import Session
from cmppscope.tables import FileInfo
from cmppscope.transactions.table import NO_RESULT
from dissectors.cmpp.enums import CONNECT, RESPONSE

__all__ = ["build", "endpoint", "finding_row", "latency", "milliseconds", "moment", "session_row"]


def build(analysis: Analysis, files: Sequence[FileInfo], notes: Sequence[str] = ()) -> model.Report:
    """Make the report of a closed Analysis; `files` is what was read, `notes` what is to be told of the set of them."""
    statistics = analysis.statistics
    return model.Report(
        schema_version=1,
        generator=model.Generator(name="cmppscope", version=__version__),
        capture=_capture(analysis, files, notes),
        totals=model.Totals(
            frames=analysis.frames,
            streams=len(analysis.streams),
            cmpp_streams=analysis.cmpp_streams,
            protocols=dict(sorted(Counter(analysis.protocols.values()).items())),
            sessions=len(analysis.sessions),
            pdus=statistics.pdus,
            octets=statistics.octets,
            gaps=analysis.gaps,
            missing_octets=analysis.missing_octets,
            retransmitted_octets=analysis.retransmitted_octets,
            duplicate_frames=analysis.duplicate_frames,
        ),
        commands=[
            model.Command(command=command_name(command), command_id=command, count=count, octets=octets)
            for command, (count, octets) in sorted(statistics.commands.items())
        ],
        sessions=[
            session_row(session, analysis.last_time_ns, analysis.results, links.parts(session, analysis))
            for session in analysis.sessions
        ],
        transactions=model.Transactions(
            commands=[_transactions(command, counts) for command, counts in sorted(statistics.transactions.items())],
            slowest=[_slow(slow) for slow in statistics.slowest],
        ),
        results=[
            model.Result(
                command=command_name(command | RESPONSE),
                code=code,
                meaning=analysis.results.of(command, code),
                count=count,
            )
            for command, counts in sorted(statistics.transactions.items())
            for code, count in sorted(counts.results.items())
        ],
        messages=_messages(analysis),
        throughput=_throughput(analysis),
        latency_over_time=links.over_time(analysis),
        peers=links.peers(analysis),
        audit=links.beyond(analysis),
        findings=[finding_row(finding) for finding in analysis.findings],
    )


def session_row(
    session: Session, last_time_ns: int, results: Results = STANDARD, parts: links.Parts = links.NO_PARTS
) -> model.Session:
    """Give a session as it stands in reports and tables; without `parts` what was measured of it is left out."""
    closed_by, direction = session.closed_by(last_time_ns)
    commands: dict[str, int] = {}
    for (_, command), count in sorted(session.counts.items(), key=lambda item: item[0][1]):
        commands[command_name(command)] = commands.get(command_name(command), 0) + count
    return model.Session(
        session=session.number,
        stream=session.stream.number,
        interface=session.interface,  # type: ignore[arg-type]
        originator=endpoint(session.stream.originator),
        responder=endpoint(session.stream.responder),
        roles=list(session.roles),
        sp_id=None if session.source_addr is None else printable(session.source_addr),
        connect_direction=session.connect_direction,
        version=session.version,
        version_octet=session.version_octet,
        login=session.login,  # type: ignore[arg-type]
        status=session.status,
        status_meaning=_meaning(results, session.status),
        first_status=session.first_status,
        first_status_meaning=_meaning(results, session.first_status),
        login_ms=None if session.login_ns is None else milliseconds(session.login_ns),
        connects=session.connects,
        first_frame=session.first_frame,
        last_frame=session.last_frame,
        first_time=moment(session.first_time_ns),
        last_time=moment(session.last_time_ns),
        pdus=session.pdus,
        octets=session.octets,
        commands=commands,
        closed_by=closed_by,  # type: ignore[arg-type]
        closed_direction=direction,
        login_check=parts.login_check,
        network=parts.network,
        latency=list(parts.latency),
        audit=parts.audit,
    )


def _meaning(results: Results, status: int | None) -> str | None:
    """Say what the Status of a CONNECT_RESP means."""
    return None if status is None else results.of(CONNECT, status)


def finding_row(finding: Finding) -> model.Finding:
    """Give a finding as it stands in reports."""
    return model.Finding(
        rule=finding.rule.id,
        severity=finding.rule.severity.word,  # type: ignore[arg-type]
        section=finding.rule.section,
        sentence=finding.rule.sentence,
        fault=finding.fault,  # type: ignore[arg-type]
        count=finding.count,
        places=[
            model.FindingPlace(
                frame=place.frame,
                stream=None if place.stream < 0 else place.stream,
                direction=place.direction,
                pdu=place.pdu or None,
                octet=None if place.offset < 0 else place.offset,
                detail=place.detail,
            )
            for place in finding.places[:10]
        ],
    )


def _capture(analysis: Analysis, files: Sequence[FileInfo], notes: Sequence[str]) -> model.Capture:
    """Say what was read."""
    counts = analysis.counts
    return model.Capture(
        files=[
            model.File(
                name=printable(info.name),
                format=info.format,
                link_types=list(info.linktypes),
                frames=info.frames,
                octets=info.octets,
                first_time=moment(info.first_ns) if info.frames else None,
                last_time=moment(info.last_ns) if info.frames else None,
                damage=info.damage,
            )
            for info in files
        ],
        format=sorted({info.format for info in files if info.format}),
        link_types=sorted({kind for info in files for kind in info.linktypes}),
        frames=counts.frames,
        first_time=None if analysis.first_time_ns is None else moment(analysis.first_time_ns),
        last_time=None if analysis.first_time_ns is None else moment(analysis.last_time_ns),
        snaplen_cut_frames=counts.cut,
        undecoded_frames=dict(sorted(counts.undecoded.items())),
        incomplete_packets=counts.packets_incomplete,
        unverified_segments=counts.unverified,
        damage=[f"{info.name}: {info.damage}" for info in files if info.damage],
        notes=[printable(note) for note in notes],
    )


def _transactions(command: int, counts: CommandCounts) -> model.CommandTransactions:
    """Give the counts of one command's transactions."""
    strays = dict(counts.strays)
    return model.CommandTransactions(
        command=command_name(command),
        requests=counts.requests,
        responses=counts.responses,
        late=counts.late,
        unanswered=counts.unanswered,
        open=counts.open,
        unknown=counts.unknown,
        resends=counts.resends,
        request_unknown=strays.pop("unknown"),
        latency_ms=latency(counts.latency),
        histogram=histogram(counts.latency.coarse(links.A_DOUBLING)),
        **strays,
    )


def _slow(slow: Slow) -> model.SlowTransaction:
    """Give one of the slowest transactions."""
    return model.SlowTransaction(
        command=command_name(slow.command),
        latency_ms=milliseconds(slow.latency_ns),
        stream=slow.stream,
        sequence_id=slow.sequence,
        pdu=-slow.minus_pdu,
        frame=slow.frame,
        response_pdu=slow.response_pdu,
        response_frame=slow.response_frame,
        result=None if slow.result == NO_RESULT else slow.result,
    )


def _messages(analysis: Analysis) -> model.Messages:
    """Give the counts of short messages."""
    messages = analysis.messages
    counts = messages.counts
    reported = {printable(stat.rstrip(b"\0").decode("latin-1")): count for stat, count in counts.by_stat.items()}
    return model.Messages(
        submitted=counts.submitted,
        accepted=counts.accepted,
        refused=counts.refused,
        mo=counts.mo,
        reported=dict(sorted(reported.items())),
        unreported=messages.unreported,
        end_to_end_ms=latency(analysis.statistics.end_to_end),
        long=model.LongMessages(parts=messages.longs.parts, whole=messages.longs.assembly.whole),
        **in_common(counts),
        queries=[_query(query, messages.parties.names) for query in messages.queries.queries],
    )


def _query(query: Query, names: Sequence[bytes]) -> model.Query:
    """Give a QUERY; `names` are the SPs'."""
    return model.Query(
        pdu=query.pdu,
        frame=query.frame,
        time=moment(query.time_ns),
        session=query.session,
        sp_id=None if query.party == NOBODY else field_text(names[query.party]),
        day=field_text(query.day),
        query_type=query.query_type,
        query_code=field_text(query.query_code),
        answer=None if query.answer is None else _answer(query.answer),
        held=None if query.held is None else _held(query.held),
    )


def _answer(answer: Answer) -> model.QueryAnswer:
    """Give what the gateway answered."""
    return model.QueryAnswer(
        day=field_text(answer.day),
        query_type=answer.query_type,
        query_code=field_text(answer.query_code),
        **dict(zip(COUNTS, answer.counts, strict=True)),
    )


def _held(held: Held) -> model.QueryHeld:
    """Give what the capture holds of a day."""
    return model.QueryHeld(
        submits=held.submits,
        receivers=held.receivers,
        mo=held.mo,
        unknown=held.unknown,
        since=moment(held.since_ns),
        until=moment(held.until_ns),
    )


def _throughput(analysis: Analysis) -> model.Throughput:
    """Give the series of PDUs and octets."""
    throughput = analysis.statistics.throughput
    start, pdus, octets = throughput.series()
    return model.Throughput(
        start=moment(start * 1_000_000_000) if pdus else None,
        bucket_seconds=1 << throughput.doublings,
        pdus=pdus,
        octets=octets,
    )
