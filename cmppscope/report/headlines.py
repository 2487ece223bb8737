"""The few sentences that an engineer wants first: what went wrong, in the order of how much it matters.

Made from the report alone, so that the text says nothing that the JSON does not hold.
"""

from __future__ import annotations

from cmppscope.quantities import milliseconds, plural
from cmppscope.report import model
from cmppscope.report.pace import drops, pace
from cmppscope.report.rules import BOTH_SIDES, FORM, chapter

_CLOSERS = {
    "terminate": "with TERMINATE",
    "fin": "by closing the connection (FIN)",
    "rst": "by resetting the connection (RST)",
}
_ARRIVED = ("DELIVRD", "ACCEPTD")
"""States of a status report that are no failure."""
_WORTH_TELLING = 1000
"""One octet in so many sent again is told."""
_FLOW_CONTROL = 8
_CUT_SHORT = "close-outstanding"
"""The warning told first: of these messages nobody knows what became."""
_LATE = "late-response"
_PORT_PAIRS = "tcp.port==N,cmpp20"


def headlines(report: model.Report) -> list[str]:
    """Give the sentences, gravest first."""
    lines = [f"Read in part: {damage}" for damage in report.capture.damage]
    lines += _nothing(report)
    lines += _logins(report)
    lost = [f for f in report.findings if f.rule == "frame-gap"]
    form = [f for f in report.findings if chapter(f.rule) in FORM and f.severity != "note"]
    flow = [f for f in report.findings if chapter(f.rule) not in FORM]
    graver = [f for f in flow if f.severity == "error" and not _told_of_login(report, f)]
    lines += [_finding(report, f) for f in (*graver, *lost)]
    lines += drops(report)
    lines += _results(report)
    warnings = [f for f in flow if f.severity == "warn"]
    lines += [_finding(report, f) for f in warnings if f.rule == _CUT_SHORT]
    if not lines and not warnings and report.totals.pdus:
        right = "framing, headers or the pairing of requests and responses"
        lines.append(f"Nothing wrong with {right}{'; but inside PDUs, see below' if form else ''}.")
    lines += _messages(report)
    lines += _network(report)
    lines += [_finding(report, f) for f in warnings if f.rule != _CUT_SHORT]
    lines += pace(report)
    lines += _views(report)
    lines += [_finding(report, f) for f in form]
    lines += [
        _finding(report, f)
        for f in report.findings
        if f.severity == "note" and f.fault == "capture" and f.rule != "frame-gap"
    ]
    return lines


def session_line(session: model.Session) -> str:
    """Tell one session in a sentence."""
    first = session.connect_direction
    if first is None:
        first = 1 if session.roles[1] == "SP" or session.roles[0] == "GNS" else 0
    ends = (session.originator, session.responder)
    client = f"{session.roles[first]} {session.sp_id or '(no CONNECT seen)'}"
    told = f"{client} at {ends[first]}, {session.roles[1 - first]} at {ends[1 - first]}, {version(session)}: "
    return told + "; ".join([_login(session), _traffic(session), closing(session)])


def version(session: model.Session) -> str:
    """Name the version."""
    return f"CMPP {session.version}" if session.version else "CMPP of unknown version"


def closing(session: model.Session) -> str:
    """Say how a session ended."""
    side, _, how = session.closed_by.partition("_")
    if how in _CLOSERS:
        who = "SP" if side == "sp" else session.roles[session.closed_direction or 0]
        return f"{who} ended it {_CLOSERS[how]}"
    return "it fell silent" if session.closed_by == "silence" else "open when the capture ends"


def _login(session: model.Session) -> str:
    """Say how the login went."""
    if session.login == "ok":
        after = "" if session.login_ms is None else f" in {milliseconds(session.login_ms)}"
        return f"login ok{after}{_attempts(session)}"
    if session.login == "refused":
        return f"login refused (Status {session.status})"
    if session.login == "unanswered":
        return "login not answered"
    return "login not in the capture" if begun_before(session) else "no login"


def _attempts(session: model.Session) -> str:
    """Count the CONNECTs of a login that took several, and say how the first answer refused it."""
    if session.connects <= 1:
        return ""
    refused = f", the first refused with Status {session.first_status}, {session.first_status_meaning}"
    return f" after {session.connects} CONNECTs{refused if session.first_status else ''}"


def begun_before(session: model.Session) -> bool:
    """Tell whether a session without CONNECT may have had one before the capture: its handshake is not there either."""
    return session.login == "not seen" and session.network is None


def _traffic(session: model.Session) -> str:
    """Count the requests that matter."""
    names = ("SUBMIT", "DELIVER", "FWD", "QUERY", "CANCEL", "ACTIVE_TEST")
    parts = [f"{n} {name}" for name in names if (n := session.commands.get(f"CMPP_{name}"))]
    routes = sum(n for name, n in session.commands.items() if "ROUTE" in name and not name.endswith("_RESP"))
    if routes:
        parts.append(f"{routes} route requests" if routes > 1 else "1 route request")
    return ", ".join(parts) or "no messages"


def _nothing(report: model.Report) -> list[str]:
    """Say why there is nothing to tell."""
    if report.totals.pdus:
        return []
    if not report.totals.streams:
        what = "no frames" if not report.capture.frames else "no TCP connection"
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in report.capture.undecoded_frames.items())
        return [f"No CMPP: the capture holds {what}{f' ({reasons})' if reasons else ''}."]
    others = ", ".join(f"{count} {name}" for name, count in report.totals.protocols.items()) or "none with octets"
    return [
        f"No CMPP in {plural(report.totals.streams, 'TCP connection')} ({others}); --decode-as {_PORT_PAIRS} forces it."
    ]


def _logins(report: model.Report) -> list[str]:
    """Tell the logins that were refused or not answered, once for each reason."""
    refused: dict[tuple[str, int], list[model.Session]] = {}
    lines = []
    for session in report.sessions:
        if session.login == "refused":
            refused.setdefault((session.sp_id or "?", session.status or 0), []).append(session)
        elif session.login == "unanswered":
            lines.append(f"Login of {session.sp_id or '?'} was not answered (frame {session.first_frame}).")
    for (sp_id, status), sessions in refused.items():
        connects = sum(max(1, s.connects) for s in sessions)
        times = f", {connects} times" if connects > 1 else ""
        line = f"Login of {sp_id} refused{times}: Status {status}, {sessions[0].status_meaning}"
        check = sessions[0].login_check
        lines.append(f"{line}{f'; {check.says}' if check else advice(status)} (frame {sessions[0].first_frame}).")
        ignored = [s for s in sessions if s.commands.get("CMPP_SUBMIT")]
        if ignored:
            lines.append(
                f"The SP takes the refused login for success and goes on to SUBMIT (stream {ignored[0].stream})."
            )
    return lines


def _told_of_login(report: model.Report, finding: model.Finding) -> bool:
    """Tell whether a finding about authenticators says no more than the line about a refused login."""
    refused = {s.stream for s in report.sessions if s.login == "refused" and s.login_check}
    return finding.rule == "connect-auth-wrong" and all(place.stream in refused for place in finding.places)


def advice(status: int) -> str:
    """Say what to look at first when a login is refused."""
    return {
        1: "; compare the CONNECT octets with §7.4.1.1",
        2: "; is the SP_Id known there, and this address allowed?",
        3: "; compare shared secret and Timestamp of both sides",
        4: "; the server speaks an older version",
    }.get(status, "; the code is the operator's own")


def _finding(report: model.Report, finding: model.Finding) -> str:
    """Tell a finding by its count and its first place."""
    place = finding.places[0]
    if finding.rule == "unanswered" and finding.count > 1:
        names = [(c.command.removeprefix("CMPP_"), c.unanswered) for c in report.transactions.commands]
        told = [(name, count) for name, count in names if count and name not in ("TERMINATE", "ACTIVE_TEST")]
        which = ", ".join(f"{count} {name}" for name, count in told)
        if sum(count for _, count in told) != finding.count:  # others were cut short by a close
            which = f"{finding.count} requests"
        more = place.detail.partition("; ")[2]
        silent = _role(report, finding, answering=True)
        who = f"the {silent} gave no response" if silent else "no response"
        return f"error unanswered: {who} to {which}{'; ' + more if more else ''} (first in frame {place.frame})."
    at_fault: str = finding.fault
    if finding.rule in BOTH_SIDES:
        at_fault = ""
    elif finding.fault == "peer":
        at_fault = _role(report, finding, answering="unanswered" in finding.rule or finding.rule == _LATE)
    blame = f" ({at_fault})" if at_fault else ""
    where = f"frame {place.frame}" if finding.count == 1 else f"{finding.count} times, first in frame {place.frame}"
    return f"{finding.severity} {finding.rule}{blame}: {place.detail} ({where})."


def _role(report: model.Report, finding: model.Finding, *, answering: bool) -> str:
    """Name the side at fault, where all places shown are one side's: who sent the PDU, or who did not answer it."""
    roles = {
        session.roles[place.direction ^ answering]
        for place in finding.places
        for session in report.sessions
        if session.stream == place.stream
    }
    return roles.pop() if len(roles) == 1 else ""


def _results(report: model.Report) -> list[str]:
    """Tell the results that are not 0, logins aside."""
    return [
        f"{result.command} Result {result.code}, {result.meaning}: {plural(result.count, 'time')}"
        f"{_held_back(report, result.command) if result.code == _FLOW_CONTROL else ''}."
        for result in report.results
        if result.code
        and result.command in ("CMPP_SUBMIT_RESP", "CMPP_DELIVER_RESP", "CMPP_CANCEL_RESP", "CMPP_FWD_RESP")
    ]


def _held_back(report: model.Report, response: str) -> str:
    """Say how fast those went that got Result 8: a gateway may count requests that wait, or requests a second."""
    asks = {"CMPP_SUBMIT_RESP": ("SP",), "CMPP_DELIVER_RESP": ("ISMG",)}.get(response, ("SP", "ISMG"))
    sides = [
        side
        for session in report.sessions
        if session.audit
        for side in session.audit.directions
        if side.window.flow_control and side.sender in asks
    ]
    if not sides:
        return ""
    peak, most = max(side.window.peak for side in sides), max(side.busiest_second for side in sides)
    links = "a link" if len(sides) == 1 else f"{len(sides)} links"
    waiting = f"{plural(peak, 'request')} waiting (W = {report.audit.window})"
    return f", on {links} with up to {waiting} and up to {most:,} a second"


def _messages(report: model.Report) -> list[str]:
    """Tell the messages that did not arrive, or of which nothing more was heard."""
    if report.messages is None:
        return []
    reported, lines = report.messages.reported, []
    failed = {stat: count for stat, count in reported.items() if stat not in _ARRIVED}
    if failed:
        states = ", ".join(f"{count:,} {stat or '(blank)'}" for stat, count in failed.items())
        lines.append(f"Not delivered, say status reports: {states} of {sum(reported.values()):,}.")
    seen_to_the_end = not report.totals.gaps and all(s.closed_by != "capture_end" for s in report.sessions)
    if report.messages.unreported and seen_to_the_end:
        wanted = plural(report.messages.unreported, "accepted SUBMIT")
        lines.append(f"No status report names the Msg_Id of {wanted} that wanted one.")
    return lines


def _network(report: model.Report) -> list[str]:
    """Tell what the network did."""
    again = report.totals.retransmitted_octets
    if again * _WORTH_TELLING <= report.totals.octets:
        return []
    return [f"TCP carried {again:,} octets more than once: the network lost, delayed or doubled segments."]


def _views(report: model.Report) -> list[str]:
    """Tell what limits the view."""
    lines = []
    later = [s for s in report.sessions if s.version == "3.0"]
    if later:
        lines.append(
            f"{plural(len(later), 'session')} of CMPP 3.0: framed and paired, their changed bodies are not decoded."
        )
    blind = [s for s in report.sessions if begun_before(s)]
    if blind:
        lines.append(
            f"{plural(len(blind), 'session')} without CONNECT in the capture: begun before it, or short connections."
        )
    return lines
