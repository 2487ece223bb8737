"""What is told of one session's link: the same figures as the report, in lines for people."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import Capture
from cmppscope.report import links, model
from cmppscope.report.build import session_row
from cmppscope.report.links_told import Told, link_told, login_told
from cmppscope.secret import Secret
from tests.rules.conversation import told

ROOT = Path(__file__).parents[2]
SAMPLES, REAL = ROOT / "samples", ROOT / "tests" / "data" / "real"


def analysed(path: Path, **options: object) -> Analysis:
    """Analyse a capture to its end."""
    analysis = Analysis(Options(**options))  # type: ignore[arg-type]
    for frames in Capture([path]):
        analysis.feed(frames)
    analysis.close()
    return analysis


def row_of(analysis: Analysis, number: int = 0) -> model.Session:
    """Give the row of a session, with all that was measured of it."""
    session = analysis.sessions[number]
    parts = links.parts(session, analysis, brief=True)
    return session_row(session, analysis.last_time_ns, analysis.results, parts)


def lines_of(analysis: Analysis, number: int = 0) -> list[Told]:
    """Give what is told of a session's link."""
    return link_told(row_of(analysis, number), 16, 180.0, links.peer_of(analysis).get(number))


def test_a_link_that_was_closed_after_silence() -> None:
    """Who closed it and after how long stands first; how often this SP came again is told as well."""
    assert lines_of(analysed(SAMPLES / "hourly-drop.pcap"), 1) == [
        Told("End", "ISMG ended it by closing the connection (FIN) in frame 22, after 60 min of silence", "warn"),
        Told("Lasted", "60 min"),
        Told("Idle", "850 ms at most, until frame 19; 60 min at the end"),
        Told("SP", "1 request"),
        Told("", "window: 1 waiting at most (frame 19), W = 16, full for 0.00 ms"),
        Told(
            "Reconnects",
            "3 sessions of this SP with this gateway, at most 1 at once; a new one every 60.1 min (median);"
            " 3 ended without TERMINATE",
        ),
        Told("Network", "0.06 ms to the SP and back, 1.28 ms to the ISMG and back"),
        Told("Latency", "        1  CONNECT     p50  3.11 ms  p99  3.11 ms  max 3.11 ms"),
        Told("", "                       p50: 1.28 ms network, 1.82 ms peer"),
        Told("", "        1  SUBMIT      p50 12.64 ms  p99 12.64 ms  max 12.64 ms"),
        Told("", "                       p50: 1.28 ms network, 11.36 ms peer"),
    ]


def test_a_window_that_was_exceeded() -> None:
    """Peak, W, time with a full window, Result 8 and what was sent again stand with the side that sent."""
    lines = lines_of(analysed(SAMPLES / "pipelined-sps.pcap"), 1)
    assert lines[0] == Told("End", "SP ended it with TERMINATE; FIN in frame 47")
    assert next(line.words for line in lines if "SUBMIT" in line.words).split()[:2] == ["34", "SUBMIT"]
    assert lines[3:7] == [
        Told("SP", "34 requests, at most 33 a second, 17.0 on average"),
        Told("", "window: 17 waiting at most (frame 16), W = 16, full for 11.03 ms, exceeded 1 time", "warn"),
        Told("", "Result 8 (flow control) 1 time", "warn"),
        Told("", "1 message sent again: first PDU 135, which repeats PDU 37", "warn"),
    ]


def test_link_tests_of_both_sides() -> None:
    """Tests are told with their spacing, and those without a response as a fault."""
    lines = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
    lines += (
        "".join(f"{at} SP ACTIVE_TEST {at}\n" for at in (200, 260, 320))
        + "500 ISMG ACTIVE_TEST 7\n500.1 SP ACTIVE_TEST_RESP 7\n"
    )
    row = row_of(told(lines).analysis)
    told_of = link_told(row, 16, 180.0)
    assert [line for line in told_of if "link test" in line.words] == [
        Told("SP", "3 link tests, every 60.0 s (median; 60.0 s to 60.0 s); 3 not answered", "warn"),
        Told("ISMG", "1 link test"),
    ]
    assert Told("", "1 time longer than C (180 s), 199.9 s in all", "warn") in told_of


def test_two_gateways_are_told_apart() -> None:
    """Where both sides have one role the lines name originator and responder."""
    row = row_of(analysed(SAMPLES / "pipelined-sps.pcap"))
    labels = [line.label for line in link_told(msgspec.structs.replace(row, roles=["ISMG", "ISMG"]), 16, 180.0)]
    assert "Originator" in labels
    assert "ISMG" not in labels


def test_a_session_that_was_not_audited() -> None:
    """How it ended is known all the same."""
    row = msgspec.structs.replace(row_of(analysed(SAMPLES / "hourly-drop.pcap")), audit=None, network=None, latency=[])
    assert link_told(row, 16, 180.0) == [Told("End", "ISMG ended it by closing the connection (FIN)")]


@pytest.mark.parametrize(
    ("name", "secret", "lines"),
    [
        (
            "pipelined-sps.pcap",
            "cmpp-secret",
            [
                Told("Login check", "AuthenticatorSource is right for the secret given", "good"),
                Told("", "AuthenticatorISMG is right", "good"),
            ],
        ),
        (
            "login-refused.pcap",
            "cmpp-secret",
            [
                Told(
                    "Login check",
                    "AuthenticatorSource is wrong: another secret, or octets joined in a way that is not known",
                    "error",
                ),
                Told("", "AuthenticatorISMG is blank", "warn"),
            ],
        ),
    ],
)
def test_the_check_of_a_login(name: str, secret: str, lines: list[Told]) -> None:
    """The words are those of the report."""
    check = row_of(analysed(SAMPLES / name, secrets={"901234": Secret(secret)})).login_check
    assert check is not None
    assert check.says == lines[0].words
    assert login_told(check) == lines


def test_a_status_that_is_written_otherwise_is_told() -> None:
    """How Status entered AuthenticatorISMG is said where it is known."""
    check = row_of(analysed(SAMPLES / "pipelined-sps.pcap", secrets={"901234": Secret("cmpp-secret")})).login_check
    assert check is not None
    other = msgspec.structs.replace(check, authenticator_ismg="variant", status_written="Status enters it as a digit")
    assert login_told(other)[1] == Told("", "AuthenticatorISMG is right, but Status enters it as a digit", "warn")


@pytest.mark.parametrize(
    "path", sorted([*SAMPLES.glob("*.pcap*"), *REAL.glob("drop*.pcap*")]), ids=lambda path: path.stem
)
def test_at_any_time_something_can_be_told(path: Path) -> None:
    """A capture that is still being read has lines too; at its end they are those of the full rows."""
    analysis = Analysis()
    for frames in Capture([path], 20):
        analysis.feed(frames)
        for number in range(len(analysis.sessions)):
            lines_of(analysis, number)
    analysis.close()
    for number, session in enumerate(analysis.sessions):
        full = session_row(session, analysis.last_time_ns, analysis.results, links.parts(session, analysis))
        peer = next((p for p in links.peers(analysis) if p.sessions > 1), None)
        brief = links.peer_of(analysis).get(number)
        assert link_told(full, 16, 180.0, brief) == lines_of(analysis, number)
        assert brief is None or peer is not None
