"""The screen of sessions: how each link was used, tested and closed, and how its login checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import Capture
from cmppscope.report import links, model
from cmppscope.report.build import session_row
from cmppscope.report.links_told import link_told
from cmppscope.secret import Secret
from cmppscope.sessions import Session
from cmppscope.tui.loading import take_snapshot
from cmppscope.tui.screens.sessions import sentences
from cmppscope.tui.store import Store
from cmppscope.tui.widgets.words import Words
from tests.rules.conversation import batches, frames_of

from .conftest import SAMPLES, keys, sample_app, screen_text

REAL = SAMPLES.parent / "tests" / "data" / "real"
Drive = Callable[..., None]


def test_the_link_of_the_session_under_the_cursor_is_told(drive: Drive) -> None:
    """Each line of the report's own words stands there; the cursor moves to the next link."""
    app = sample_app("pipelined-sps.pcap")
    analysis = Analysis()
    for frames in Capture([SAMPLES / "pipelined-sps.pcap"]):
        analysis.feed(frames)
    analysis.close()
    rows = [
        session_row(session, analysis.last_time_ns, parts=links.parts(session, analysis))
        for session in analysis.sessions
    ]

    async def steps(pilot: Pilot[None]) -> None:
        for row in rows:
            told = app.pane.query_one(Words).text
            for line in link_told(row, 16, 180.0):
                assert f"{line.label} {line.words}".strip() in told
            await keys("down")(pilot)
        assert "exceeded 1 time" in app.pane.query_one(Words).text

    drive(app, steps)


def test_list_and_words_are_drawn_anew_as_more_is_known(drive: Drive) -> None:
    """A snapshot with more sessions, and with more known of one, changes the list and the words below."""
    app = sample_app("login-refused.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        first, second = app.store.snapshot.sessions
        later = msgspec.structs.replace(first, closed_by="silence")
        app.store.snapshot = replace(app.store.snapshot, sessions=[later, second, first, second])
        app.pane.take()
        await keys()(pilot)
        assert screen_text(app).count("refused: 3 authentication failed") == 4
        assert "it fell silent" in app.pane.query_one(Words).text

    drive(app, steps, (80, 40))


def test_figures_stand_below_each_other(drive: Drive) -> None:
    """Counts of latencies and PDUs stand at the right of one column on the narrowest screen."""
    app = sample_app("pipelined-sps.pcap")

    async def steps(_: Pilot[None]) -> None:
        shown = screen_text(app).splitlines()
        rows = [line for line in shown if "p50 " in line and "p99" in line]
        assert len(rows) == 3
        assert {line.index("p99") for line in rows} == {rows[0].index("p99")}
        counts = [line for line in shown if line.split()[-1:] in (["SUBMIT"], ["CONNECT"], ["SUBMIT_RESP"])]
        assert len({line.index(line.split()[-1]) for line in counts}) == 1

    drive(app, steps, (80, 90))


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (None, ""),
        ("cmpp-secret", "Login check AuthenticatorSource is right for the secret given\nAuthenticatorISMG is right\n"),
        ("no-secret", "Login check AuthenticatorSource is wrong: "),
    ],
)
def test_a_login_is_checked_against_the_secret(drive: Drive, secret: str | None, told: str) -> None:
    """The words are those of the report; without a secret nothing is said."""
    secrets = {} if secret is None else {"901234": Secret(secret)}
    app = sample_app("pipelined-sps.pcap", options=Options(secrets=secrets))

    async def steps(_: Pilot[None]) -> None:
        shown = app.pane.query_one(Words).text
        assert told in shown
        assert ("Login check" in shown) == (secret is not None)

    drive(app, steps)


def test_a_refused_login_has_its_reason_in_place_of_advice(drive: Drive) -> None:
    """Who gave the secret is told what is wrong, not where to look."""
    app = sample_app("login-refused.pcap", options=Options(secrets={"901234": Secret("cmpp-secret")}))

    async def steps(_: Pilot[None]) -> None:
        shown = app.pane.query_one(Words).text
        assert "Refused Status 3, authentication failed\nLogin check AuthenticatorSource is wrong" in shown

    drive(app, steps)


def test_links_are_told_while_the_capture_is_read() -> None:
    """After every frame the snapshot holds what is known so far: the window grows as requests come."""
    analysis, peaks, store = Analysis(), [], Store()
    for frames in Capture([SAMPLES / "pipelined-sps.pcap"], 1):
        analysis.feed(frames)
        snapshot = take_snapshot(analysis)
        for session in snapshot.sessions:
            assert sentences(session, snapshot, store.zone)
        audits = [session.audit for session in snapshot.sessions[-1:] if session.audit is not None]
        peaks += [audit.directions[0].window.peak for audit in audits]
    assert peaks == sorted(peaks)
    assert (peaks[0], peaks[-1]) == (0, 17)


def test_sessions_of_one_peer_are_counted() -> None:
    """How often an SP connected anew stands with each of its sessions."""
    analysis = Analysis()
    for frames in Capture([SAMPLES / "hourly-drop.pcap"]):
        analysis.feed(frames)
    analysis.close()
    snapshot = take_snapshot(analysis)
    told = [[line.words for line in sentences(row, snapshot, Store().zone)] for row in snapshot.sessions]
    assert [sum(words.startswith("3 sessions of this SP") for words in lines) for lines in told] == [1, 1, 1]


@pytest.mark.parametrize(
    "path", sorted([*SAMPLES.glob("*.pcap*"), *REAL.glob("drop*.pcap*")]), ids=lambda path: path.stem
)
def test_rows_of_closed_links_are_kept(path: Path) -> None:
    """What is kept of closed connections is what would be found anew, after every few frames."""
    analysis, closed = Analysis(), dict[int, model.Session]()
    for frames in Capture([path], 20):
        analysis.feed(frames)
        assert take_snapshot(analysis, closed).sessions == take_snapshot(analysis).sessions
    assert closed.keys() == {s.number for s in analysis.sessions if s.stream.closing is not None}


def test_a_pdu_behind_the_close_is_counted() -> None:
    """One side may close and still be sent something: the row that was kept is made anew."""
    lines = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n1 SP SUBMIT 2\n2 SP FIN\n2.1 ISMG SUBMIT_RESP 2"
    frames = frames_of(lines)
    analysis, closed, counts = Analysis(), dict[int, model.Session](), []
    for batch in batches(frames, range(len(frames))):
        analysis.feed(batch)
        counts += [row.pdus for row in take_snapshot(analysis, closed).sessions]
    assert counts[-2:] == [3, 4]


def test_a_closed_link_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many sessions only those that are open cost something with every snapshot."""
    analysis, closed, measured = Analysis(), dict[int, model.Session](), list[int]()

    def counted(session: Session, *about: Any, **how: Any) -> links.Parts:
        measured.append(session.number)
        return links.parts(session, *about, **how)

    monkeypatch.setattr("cmppscope.tui.loading.parts", counted)
    for frames in Capture([SAMPLES / "hourly-drop.pcap"]):
        analysis.feed(frames)
    for _ in range(2):
        take_snapshot(analysis, closed)
    assert measured == [0, 1, 2]


@pytest.mark.parametrize(("handshake", "told"), [(True, "none: no CONNECT"), (False, "not in the capture")])
def test_a_session_without_connect_began_before_the_capture_only_without_handshake(
    handshake: bool,  # noqa: FBT001 - a case
    told: str,
) -> None:
    """Where the beginning of the connection was captured, a CONNECT would have been as well."""
    analysis = Analysis()
    for batch in batches(frames_of("0 SP SUBMIT 1\n0.1 ISMG SUBMIT_RESP 1 id=1", handshake=handshake)):
        analysis.feed(batch)
    analysis.close()
    snapshot = take_snapshot(analysis)
    (login,) = [s.words for s in sentences(snapshot.sessions[0], snapshot, Store().zone) if s.label == "Login"]
    assert login.startswith(told)
