"""The text report: 80 columns, and in the first ten lines what an engineer wants to know first.

Line 1 is the capture, lines 2 to 8 the headlines, then the sessions; tables follow.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterable, Sequence

from msgspec import UNSET

from cmppscope.quantities import long_time, milliseconds, plural
from cmppscope.report import model
from cmppscope.report.headlines import headlines, session_line
from cmppscope.report.rules import whose
from cmppscope.report.safe import printable, width

COLUMNS = 80
FIRST_LINES = 10
SESSIONS_SHOWN = 20
PLACES_SHOWN = 3
QUERIES_SHOWN = 5
NAME_COLUMNS = 14


def text(report: model.Report) -> str:
    """Write a report for people."""
    lines = [_title(report), *(_top(report) if report.filter is UNSET else ["", *_wrapped(_chosen(report), "")])]
    for section in (
        _commands,
        _transactions,
        _slowest,
        _results,
        _messages,
        _queries,
        _findings,
        _sessions,
        _links,
        _capture,
    ):
        body = section(report)
        if body:
            lines += ["", *body]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _chosen(report: model.Report) -> str:
    """Say that what follows is not the whole, from which alone something could be concluded."""
    return printable(f"Only what passes the filter {report.filter}. Sessions are told whole.")


def _title(report: model.Report) -> str:
    """Say what was read."""
    capture, totals = report.capture, report.totals
    files = capture.files
    name = files[0].name if len(files) == 1 else f"{len(files)} files"
    rest = [plural(capture.frames, "frame")]
    if duration := _seconds(capture):
        rest[0] += f" in {duration}"
    rest += [plural(totals.pdus, "PDU"), plural(totals.sessions, "session")]
    tail = ", ".join(rest)
    room = COLUMNS - width(tail) - 2
    return f"{_cut(name, room)}: {tail}"


def _top(report: model.Report) -> list[str]:
    """Give the headlines and, as far as the first ten lines reach, the sessions."""
    lines: list[str] = []
    told = headlines(report)
    sessions = [_wrapped(session_line(s), "  ") for s in report.sessions[:2]]
    room = FIRST_LINES - 1 - min(3, sum(len(s) for s in sessions))
    for at, sentence in enumerate(told):
        wrapped = _wrapped(sentence, "  ")
        left = len(told) - at
        if len(lines) + len(wrapped) > room - (left > 1) and at:
            lines.append(f"  and {plural(left, 'more headline')} of this kind: see Findings below.")
            break
        lines += wrapped
    for session in sessions:
        lines += session
    if len(report.sessions) > len(sessions):
        lines.append(f"  and {plural(len(report.sessions) - len(sessions), 'more session')}: see Sessions below.")
    return lines


def _commands(report: model.Report) -> list[str]:
    """Count the PDUs."""
    rows = [(c.command, f"{c.count:,}", f"{c.octets:,}") for c in report.commands]
    return _table("PDUs", ("command", "count", "octets"), rows)


def _transactions(report: model.Report) -> list[str]:
    """Give what became of the requests."""
    rows = []
    for row in report.transactions.commands:
        strays = row.orphan + row.duplicate + row.wrong_direction + row.type_mismatch + row.other_connection
        times = row.latency_ms
        latency = [_figure(v) for v in (times.p50, times.p99, times.max)] if times else ["", "", ""]
        numbers = (row.requests, row.responses, row.late, row.unanswered, row.open + row.unknown, strays)
        name = _cut(row.command.removeprefix("CMPP_"), NAME_COLUMNS)
        rows.append((name, *(f"{n:,}" for n in numbers), *latency))
    head = ("request", "sent", "answ.", "late", "none", "open", "stray", "p50 ms", "p99 ms", "max ms")
    return _table("Transactions", head, rows)


def _slowest(report: model.Report) -> list[str]:
    """Give the slowest transactions."""
    rows = [
        (
            s.command.removeprefix("CMPP_"),
            milliseconds(s.latency_ms),
            str(s.stream),
            str(s.sequence_id),
            f"{s.frame} → {s.response_frame}",
        )
        for s in report.transactions.slowest[:5]
    ]
    return _table("Slowest", ("request", "latency", "stream", "sequence", "frames"), rows)


def _results(report: model.Report) -> list[str]:
    """Count the results."""
    rows = [(r.command, str(r.code), f"{r.count:,}", r.meaning) for r in report.results]
    return _table("Results", ("response", "code", "count", "meaning"), rows, texts=(0, 3))


def _messages(report: model.Report) -> list[str]:
    """Count the short messages."""
    m = report.messages
    if m is None:
        return []
    if not m.submitted and not m.mo and not m.reported:
        return []
    lines = [
        "Messages",
        f"  {plural(m.submitted, 'SUBMIT')}: {m.accepted:,} accepted, {m.refused:,} refused; {m.mo:,} MO",
    ]
    if m.reported:
        states = ", ".join(f"{stat or '(blank)'} {count:,}" for stat, count in m.reported.items())
        lines += _wrapped(f"reports: {states}", "  ")
    if m.end_to_end_ms:
        e = m.end_to_end_ms
        times = f"p50 {milliseconds(e.p50)}, p99 {milliseconds(e.p99)}, max {milliseconds(e.max)}"
        lines.append(f"  from SUBMIT to report: {times}")
    if m.unreported:
        lines.append(f"  accepted, report wanted, none seen: {m.unreported:,}")
    return lines


def _queries(report: model.Report) -> list[str]:
    """Hold what the gateway counted of a day against what the capture holds of it."""
    queries = [] if report.messages is None else report.messages.queries
    if not queries:
        return []
    lines = ["Queries"]
    for query in queries[:QUERIES_SHOWN]:
        asked = _asked(query)
        lines += _wrapped(f"frame {query.frame}: {query.sp_id or 'SP not known'}, {asked}", "  ")
        lines += _wrapped(f"gateway{_counted(query.answer, asked)}", "    ")
        lines += _wrapped(f"capture{_held(query.held)}", "    ")
    beyond = len(queries) - QUERIES_SHOWN
    if beyond > 0:
        lines.append(f"  and {plural(beyond, 'more QUERY')}")
    return lines


def _asked(query: model.Query | model.QueryAnswer) -> str:
    """Say what a QUERY asks for, or what its answer is about."""
    kinds = {0: "all services", 1: f"service {query.query_code or '(blank)'}"}
    return f"{query.day or '(blank)'}, {kinds.get(query.query_type, f'Query_Type {query.query_type}')}"


def _counted(answer: model.QueryAnswer | None, asked: str) -> str:
    """Say what the gateway counted."""
    if answer is None:
        return ": no answer"
    said = _asked(answer)
    of = "" if said == asked else f", for {said}"
    mt = f"{plural(answer.mt_tlmsg, 'SUBMIT')} to {plural(answer.mt_tlusr, 'receiver')}"
    sent = f"{answer.mt_scs:,} forwarded, {answer.mt_wt:,} waiting, {answer.mt_fl:,} failed"
    return f"{of}: {mt}: {sent}; MO: {answer.mo_scs:,} delivered, {answer.mo_wt:,} waiting, {answer.mo_fl:,} failed"


def _held(held: model.QueryHeld | None) -> str:
    """Say what the capture holds."""
    if held is None:
        return ": cannot tell"
    mt = f"{plural(held.submits, 'SUBMIT')} to {plural(held.receivers, 'receiver')}"
    unknown = f", and {held.unknown:,} where no login was seen" if held.unknown else ""
    return f", {held.since[:19]}Z to {held.until[:19]}Z: {mt}, {held.mo:,} MO{unknown}"


def _findings(report: model.Report) -> list[str]:
    """List the findings with their first places."""
    if not report.findings:
        return []
    lines = ["Findings"]
    for finding in report.findings:
        blame = f"{whose(finding.rule, finding.fault)} fault"
        lines += _wrapped(
            f"{finding.severity:<5} {finding.rule}  ×{finding.count:,}  {finding.section}  ({blame})", "  "
        )
        lines += _wrapped(finding.sentence, "        ")
        for place in finding.places[:PLACES_SHOWN]:
            pdu = f", PDU {place.pdu}" if place.pdu else ""
            stream = "" if place.stream is None else f", stream {place.stream}"
            lines += _wrapped(f"- frame {place.frame}{stream}{pdu}: {place.detail}", "        ")
    return lines


def _sessions(report: model.Report) -> list[str]:
    """List the sessions that the first lines did not tell."""
    if len(report.sessions) <= 2:
        return []
    lines = ["Sessions"]
    for session in report.sessions[:SESSIONS_SHOWN]:
        lines += _wrapped(f"{session.session}: {session_line(session)}", "  ")
    beyond = len(report.sessions) - SESSIONS_SHOWN
    if beyond > 0:
        lines.append(f"  and {plural(beyond, 'more session')}: cmppscope sessions lists them all")
    return lines


def _links(report: model.Report) -> list[str]:
    """Tell how the links were used: each side's requests, window and tests, and the longest silence."""
    rows = []
    for session in report.sessions[:SESSIONS_SHOWN]:
        for side in session.audit.directions if session.audit else ():
            if not (side.requests or side.keep_alive.tests) or session.audit is None:
                continue
            numbers = (side.requests, side.busiest_second, side.window.peak)
            idle = max(session.audit.idle.longest_ms, session.audit.idle.at_end_ms)
            times = (side.window.at_limit_ms, idle)
            rest = (side.window.flow_control, side.keep_alive.tests, side.repeated.count)
            rows.append(
                (
                    f"{session.session} {side.sender}",
                    *(f"{n:,}" for n in numbers),
                    *(milliseconds(t) for t in times),
                    *(f"{n:,}" for n in rest),
                )
            )
    head = ("session", "requests", "most/s", "window", "full for", "idle for", "Result 8", "tests", "again")
    lines = _table("Links", head, rows)
    if rows:
        lines += _wrapped(
            f"window: most requests waiting at once; full for: time with W = {report.audit.window} or more", "  "
        )
    return lines


def _capture(report: model.Report) -> list[str]:
    """Say what of the capture could not be used, and what is to be known of its files."""
    capture = report.capture
    told = [f"{plural(count, 'frame')} not decoded: {reason}" for reason, count in capture.undecoded_frames.items()]
    if capture.incomplete_packets:
        told.append(f"{plural(capture.incomplete_packets, 'fragmented IP packet')} never whole")
    if capture.unverified_segments:
        told.append(f"{plural(capture.unverified_segments, 'segment')} cut short, checksum not verified")
    lines = [line for sentence in (*told, *capture.notes) for line in _wrapped(sentence, "  ")]
    return ["Capture", *lines] if lines else []


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], texts: Sequence[int] = (0,)) -> list[str]:
    """Align rows under a head; the columns in `texts` to the left, all others to the right."""
    everything = [head, *rows]
    if len(everything) == 1:
        return []
    sizes = [max(width(row[at]) for row in everything) for at in range(len(head))]
    lines = [title]
    for row in everything:
        cells = []
        for at, cell in enumerate(row):
            pad = " " * (sizes[at] - width(cell))
            cells.append(cell + pad if at in texts else pad + cell)
        lines.append("  " + "  ".join(cells))
    return lines


def _wrapped(sentence: str, indent: str) -> list[str]:
    """Break a sentence into lines of COLUMNS."""
    return textwrap.wrap(
        sentence, COLUMNS, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def _figure(value: float) -> str:
    """Write milliseconds without their unit, in six columns at most."""
    if abs(value) >= 9_999_500:  # a clock that jumped
        return f"{value:.0e}"
    if abs(value) >= 99_999.5:
        return f"{value / 1000:.0f}k"
    return f"{value:.0f}" if not -99.995 < value < 999.995 else f"{value:.2f}"


def _cut(name: str, room: int) -> str:
    """Shorten a file name to so many columns."""
    if width(name) <= room:
        return name
    while len(name) > 1 and width(name) >= room:
        name = name[:-1]
    return name + "…"


def _seconds(capture: model.Capture) -> str:
    """Say how long a capture lasts."""
    if capture.first_time is None or capture.last_time is None:
        return ""
    first, last = (dt.datetime.fromisoformat(t[:26]) for t in (capture.first_time, capture.last_time))
    seconds = (last - first).total_seconds()
    return long_time(seconds) if seconds >= 180 else f"{seconds:.2f} s"
