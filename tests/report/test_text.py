"""The text report: what it says first, and how it is laid out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cmppscope.analysis import Analysis
from cmppscope.capture import Capture
from cmppscope.quantities import milliseconds, plural
from cmppscope.report import model
from cmppscope.report.build import build
from cmppscope.report.headlines import closing, headlines, session_line
from cmppscope.report.safe import width
from cmppscope.report.text import COLUMNS, _figure, text
from tests.rules.conversation import told

SAMPLES = Path(__file__).parents[2] / "samples"
CLEAN = "Nothing wrong with framing, headers or the pairing of requests and responses."


def report_of(name: str) -> model.Report:
    """Report on a sample."""
    capture, analysis = Capture([SAMPLES / name]), Analysis()
    for frames in capture:
        analysis.feed(frames)
    analysis.close()
    return build(analysis, capture.files)


@pytest.fixture(scope="module")
def clean() -> model.Report:
    """A session without fault."""
    return report_of("login-and-report.pcap")


def changed(report: model.Report, part: str, **values: object) -> model.Report:
    """Give a report with some values of one part changed."""
    return msgspec.structs.replace(report, **{part: msgspec.structs.replace(getattr(report, part), **values)})


def test_a_clean_capture(clean: model.Report) -> None:
    """Where nothing is wrong the text says so, and how the session went."""
    assert text(clean).splitlines()[:6] == [
        "login-and-report.pcap: 23 frames in 6.5 min, 12 PDUs, 1 session",
        f"  {CLEAN}",
        "  SP 901234 at 192.0.2.10:40001, ISMG at 198.51.100.1:7890, CMPP 2.0: login ok",
        "    in 3.11 ms; 1 SUBMIT, 1 DELIVER, 2 ACTIVE_TEST; SP ended it with TERMINATE",
        "",
        "PDUs",
    ]


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.pcap*")))
def test_eighty_columns(name: str) -> None:
    """No line is wider than 80 columns, none ends in a space, and headlines and sessions end by the twelfth line."""
    lines = text(report_of(name)).splitlines()
    assert [line for line in lines if width(line) > COLUMNS or line != line.rstrip()] == []
    assert "" not in lines[:1]
    assert (lines.index("") if "" in lines else len(lines)) <= 12


def test_damage_comes_first(clean: model.Report) -> None:
    """A capture read in part says so before anything else."""
    told = headlines(changed(clean, "capture", damage=["a.pcap: record 3 at octet 99 cut short"]))
    assert told == ["Read in part: a.pcap: record 3 at octet 99 cut short"]


def test_messages_that_failed(clean: model.Report) -> None:
    """Reports of failure are told by state; DELIVRD and ACCEPTD are none."""
    reported = {"ACCEPTD": 2, "DELIVRD": 5, "EXPIRED": 1, "UNDELIV": 3}
    assert headlines(changed(clean, "messages", reported=reported)) == [
        CLEAN,
        "Not delivered, say status reports: 1 EXPIRED, 3 UNDELIV of 11.",
    ]


def test_messages_without_report(clean: model.Report) -> None:
    """A wanted report that never came is told, but not where the capture may not hold it."""
    waiting = changed(clean, "messages", unreported=2)
    line = "No status report names the Msg_Id of 2 accepted SUBMITs that wanted one."
    session = clean.sessions[0]
    ended = msgspec.structs.replace(waiting, sessions=[msgspec.structs.replace(session, closed_by="capture_end")])
    assert line in headlines(waiting)
    assert line not in headlines(ended)
    assert line not in headlines(changed(waiting, "totals", gaps=1))


@pytest.mark.parametrize(("again", "told"), [(0, False), (1, True), (5_000, True)])
def test_octets_sent_again(clean: model.Report, again: int, *, told: bool) -> None:
    """Octets that TCP carried twice are told from one in a thousand on."""
    line = f"TCP carried {again:,} octets more than once: the network lost, delayed or doubled segments."
    assert (line in headlines(changed(clean, "totals", retransmitted_octets=again))) is told


def test_a_few_octets_sent_again_are_no_headline(clean: model.Report) -> None:
    """A keep-alive's octet in a long capture is not told."""
    assert headlines(changed(clean, "totals", retransmitted_octets=1, octets=1_000_000)) == [CLEAN]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("login-refused.pcap", "Login of 901234 refused, 2 times: Status 3, authentication failed; compare shared"),
        ("pipelined-sps.pcap", "CMPP_SUBMIT_RESP Result 8, flow control: 1 time, on a link with up to 17 requests"),
        ("loss-and-resync.pcap", "note frame-gap (capture): 233 octets are missing from the capture"),
        ("not-cmpp.pcap", "No CMPP in 3 TCP connections (1 SMPP, 1 TLS, 1 unknown); --decode-as"),
        ("broken-framing.pcap", "error frame-length-below-header (SP): Total_Length 0"),
    ],
)
def test_first_headlines(name: str, first: str) -> None:
    """The gravest comes first."""
    assert headlines(report_of(name))[0].startswith(first)


@pytest.mark.parametrize(
    ("first", "connects", "told"),
    [
        (3, 2, "login ok in 3.11 ms after 2 CONNECTs, the first refused with Status 3, authentication failed;"),
        (0, 2, "login ok in 3.11 ms after 2 CONNECTs;"),
        (0, 1, "login ok in 3.11 ms;"),
    ],
)
def test_a_login_that_took_several_connects(clean: model.Report, first: int, connects: int, told: str) -> None:
    """Who was refused at first is told why, also where the login went well in the end."""
    meaning = "authentication failed" if first else "ok"
    (session,) = clean.sessions
    again = msgspec.structs.replace(session, connects=connects, first_status=first, first_status_meaning=meaning)
    assert f": {told} " in session_line(again)


def test_silence_up_to_the_close_counts_as_idle() -> None:
    """The table of links tells an hour of silence also where the close ended it, and no PDU."""
    lines = text(report_of("hourly-drop.pcap")).splitlines()
    rows = lines[lines.index("Links") + 2 :][:3]
    assert [row.split()[7:9] for row in rows] == [["60", "min"]] * 3


def test_nobody_is_named_where_neither_side_tested() -> None:
    """Either side may test a link: where nobody tested, neither is named alone."""
    report = report_of("hourly-drop.pcap")
    (line,) = (line for line in headlines(report) if "keepalive-missing" in line)
    assert line.startswith("warn keepalive-missing: nothing for 60 min on an open connection: neither side sent")
    blame = {line.split()[1]: line.partition("(")[2] for line in text(report).splitlines() if "fault)" in line}
    assert blame == {"keepalive-missing": "both sides' fault)", "close-without-terminate": "peer's fault)"}


def test_nothing_at_all(clean: model.Report) -> None:
    """A capture without CMPP says what it holds instead."""
    empty = changed(changed(clean, "totals", pdus=0, streams=0), "capture", frames=0)
    assert headlines(empty) == ["No CMPP: the capture holds no frames."]
    other = changed(changed(clean, "totals", pdus=0, streams=0), "capture", undecoded_frames={"link type 195": 23})
    assert headlines(other) == ["No CMPP: the capture holds no TCP connection (23 link type 195)."]


@pytest.mark.parametrize(
    ("closed_by", "direction", "told"),
    [
        ("sp_terminate", 0, "SP ended it with TERMINATE"),
        ("ismg_terminate", 1, "ISMG ended it with TERMINATE"),
        ("sp_fin", 0, "SP ended it by closing the connection (FIN)"),
        ("ismg_rst", 1, "ISMG ended it by resetting the connection (RST)"),
        ("silence", None, "it fell silent"),
        ("capture_end", None, "open when the capture ends"),
    ],
)
def test_closings(clean: model.Report, closed_by: str, direction: int | None, told: str) -> None:
    """Every way in which a session ends has its words."""
    session = msgspec.structs.replace(clean.sessions[0], closed_by=closed_by, closed_direction=direction)
    assert (closing(session), session_line(session).endswith(told)) == (told, True)


def test_many_sessions(clean: model.Report) -> None:
    """Two sessions stand on top; all, up to twenty, in a list of their own."""
    session = clean.sessions[0]
    lines = text(msgspec.structs.replace(clean, sessions=[session] * 25)).splitlines()
    assert "  and 23 more sessions: see Sessions below." in lines[:10]
    assert "  and 5 more sessions: cmppscope sessions lists them all" in lines
    assert sum(line.startswith("  0: SP 901234") for line in lines) == 20


def test_a_long_file_name_is_cut(clean: model.Report) -> None:
    """The first line keeps its numbers, whatever the file is called."""
    name = "捕获" * 60 + ".pcap"
    file = msgspec.structs.replace(clean.capture.files[0], name=name)
    first = text(changed(clean, "capture", files=[file])).splitlines()[0]
    assert first.endswith("…: 23 frames in 6.5 min, 12 PDUs, 1 session")
    assert width(first) <= COLUMNS


def test_words_for_numbers() -> None:
    """Counts and times are written for people."""
    assert [plural(0, "frame"), plural(1, "frame"), plural(1234, "frame")] == ["0 frames", "1 frame", "1,234 frames"]
    assert [milliseconds(v) for v in (0.1234, 12.5, 164.2, 6813.0, 10_000.0)] == [
        *("0.12 ms", "12.50 ms", "164 ms", "6813 ms", "10.0 s"),
    ]


@given(st.floats(-1e13, 1e13), st.sampled_from((1, 1e-3, 1e-6, 1e-9, 1e-11)))
@example(-993.5, 1)
@example(-99.996, 1)
@example(-99_999.7, 1)
@example(-9_999_900.0, 1)
def test_no_latency_is_wider_than_its_column(value: float, unit: float) -> None:
    """Six columns hold it, whatever a clock did."""
    assert len(_figure(value * unit)) <= 6


def test_a_clock_that_jumped_keeps_the_table_narrow() -> None:
    """Latencies of months, or below zero, are written in few characters."""
    assert [_figure(v) for v in (7.443e12, -3.4e9, -99_999_999.7, 75_000, -131_999.7, 1.5)] == [
        "7e+12",
        "-3e+09",
        "-1e+08",
        "75000",
        "-132k",
        "1.50",
    ]


_QUERIES = """Queries
  frame 9: 901234, 20260529, all services
    gateway: 6 SUBMITs to 8 receivers: 5 forwarded, 1 waiting, 0 failed; MO: 0
      delivered, 0 waiting, 0 failed
    capture, 2026-05-28T20:26:40Z to 2026-05-28T20:26:42Z: 1 SUBMIT to 2
      receivers, 0 MO, and 1 where no login was seen
  frame 10: 901234, 20260529, service TPCQ
    gateway, for 20260528, all services: 1 SUBMIT to 0 receivers: 0 forwarded, 0
      waiting, 0 failed; MO: 0 delivered, 0 waiting, 0 failed
    capture, 2026-05-28T20:26:40Z to 2026-05-28T20:26:43Z: 1 SUBMIT to 2
      receivers, 0 MO, and 1 where no login was seen
  frame 11: 901234, 20260529, service (blank)
    gateway: no answer
    capture, 2026-05-28T20:26:40Z to 2026-05-28T20:26:44Z: 0 SUBMITs to 0
      receivers, 0 MO
  frame 12: 901234, 20260101, Query_Type 7
    gateway: no answer
    capture: cannot tell
  frame 13: 901234, 0x1b5b33316d000000, all services
    gateway: no answer
    capture: cannot tell
  and 1 more QUERY
"""


def test_queries_stand_beside_what_the_capture_holds() -> None:
    """The gateway's counts, what they are about where that was not asked for, and those of the capture."""
    said = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n1 SP SUBMIT 2 service_id=TPCQ to=2\n1 SP@1 SUBMIT 2\n"
    asked = (
        "time=20260529",
        "time=20260529 query_type=1 query_code=TPCQ",
        "time=20260529 query_type=1",
        "time=20260101 query_type=7",
        "time=0x1b5b33316d000000",
        "time=20260529",
    )
    said += "".join(f"{number + 2} SP QUERY {number + 3} {words}\n" for number, words in enumerate(asked))
    said += "9 ISMG QUERY_RESP 3 time=20260529 query_code=X mt_tlmsg=6 mt_tlusr=8 mt_scs=5 mt_wt=1\n"
    said += "9 ISMG QUERY_RESP 4 time=20260528 mt_tlmsg=1"
    assert f"\n{_QUERIES}\n" in text(build(told(said).analysis, []))
