"""The application, found out about by keys alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from cmppscope.capture import Capture
from cmppscope.tables import FrameBatch
from cmppscope.tui.actions import ACTIONS
from cmppscope.tui.app import CmppscopeApp

from .conftest import SAMPLES, keys, sample_app, screen_text, settled

Drive = Callable[..., None]

HOSTILE = ("\x1b", "\x07", "\x9b", "\u202e", "\u200f", "\u2066", "\udc80", "\x00", "\x7f")


def test_keys_tell_why_a_login_was_refused(drive: Drive) -> None:
    """The first screen says it, and Enter shows the CONNECT itself; Esc goes back."""
    app = sample_app("login-refused.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        shown = screen_text(app)
        assert "refused: 3 authentication failed" in shown
        assert "compare shared secret" in shown
        await keys("enter")(pilot)
        assert app.pane.id == "pdus"
        shown = screen_text(app)
        assert "CONNECT_RESP" in shown
        assert "Status 3 authentication failed" in shown
        assert app.pdus.table.count == 2
        await keys("escape")(pilot)
        assert app.pane.id == "sessions"
        assert app.pdus.table.count == 4

    drive(app, steps)


def test_keys_tell_which_request_was_slowest(drive: Drive) -> None:
    """Transactions begin with the slowest; u puts the one without a response on top; Enter shows the request."""
    app = sample_app("unanswered-and-late.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("3")(pilot)
        first = screen_text(app).splitlines()[2]
        assert first.split()[:4] == ["late", "75.0", "s", "SUBMIT"]
        await keys("u")(pilot)
        assert screen_text(app).splitlines()[2].split()[:2] == ["unanswered", "SUBMIT"]
        await keys("u", "home", "enter")(pilot)
        assert app.pane.id == "pdus"
        assert app.pdus.table.row == 2
        await keys("escape", "R")(pilot)
        assert app.pdus.table.row == 3

    drive(app, steps)


def test_findings_lead_to_the_pdu(drive: Drive) -> None:
    """A rule leads to its places, a place to its PDU, where the finding stands above the fields."""
    app = sample_app("broken-framing.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("4")(pilot)
        shown = screen_text(app)
        assert "frame-length-below-header" in shown
        await keys("slash", *"unassigned", "enter", "enter", "enter")(pilot)
        assert app.pane.id == "pdus"
        assert "0x0000000a" in screen_text(app)
        assert "Finding" in screen_text(app)
        await keys("escape")(pilot)
        assert app.pane.id == "findings"

    drive(app, steps, (120, 40))


def test_a_filter_counts_and_escape_clears_it(drive: Drive) -> None:
    """Hits are counted; n goes to the next one after the filter is gone; nothing found is said calmly."""
    app = sample_app("gbk.pcap", redact=False)

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2", "slash", *"13900000001", "enter")(pilot)
        assert app.pdus.table.count == 2
        assert "2 of 10" in screen_text(app)
        await keys("escape", "home", "n")(pilot)
        assert app.pdus.table.count == 10
        assert app.pdus.table.row == 4
        await keys("slash", *"nothing")(pilot)
        assert "none of 10" in screen_text(app)
        await keys("escape")(pilot)
        assert app.pdus.table.count == 10
        assert app.is_running

    drive(app, steps)


def test_a_filter_sees_the_real_numbers_and_the_screen_stays_masked(drive: Drive) -> None:
    """A number that is masked on the screen is found, and stays masked."""
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2", "slash", *"13900000001", "enter")(pilot)
        assert app.pdus.table.count == 2
        assert "139******01" in screen_text(app)
        assert screen_text(app).count("13900000001") == 1  # what was typed

    drive(app, steps)


@pytest.mark.parametrize(("typed", "row"), [("13", 6), ("p 5", 4), ("12", 6), ("p5", 4)])
def test_go_to_a_frame_or_a_pdu(typed: str, row: int, drive: Drive) -> None:
    """A number is a frame, or the next that completes a PDU; p and a number is a PDU."""
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        names = {" ": "space"}
        await keys("colon", *(names.get(character, character) for character in typed), "enter")(pilot)
        assert app.pane.id == "pdus"
        assert app.pdus.table.row == row

    drive(app, steps)


def test_the_field_under_the_cursor_is_lit(drive: Drive) -> None:
    """Moving in the field tree lights the octets of the field."""
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2", "enter", "down", "down", "down")(pilot)
        assert app.pdus.octets._lit == range(4, 8)

    drive(app, steps)


@pytest.mark.parametrize("redact", [True, False])
@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_nothing_from_the_wire_reaches_the_terminal_as_such(size: tuple[int, int], redact: bool, drive: Drive) -> None:  # noqa: FBT001
    """Control characters, direction marks and lone surrogates are escapes, and markup is text."""
    app = sample_app("hostile-text.pcap", redact=redact)

    async def steps(pilot: Pilot[None]) -> None:
        seen = ""
        for screen in "1234":
            await keys(screen)(pilot)
            seen += screen_text(app)
        await keys("2")(pilot)
        for _ in range(28):
            await pilot.press("down", "right")
            await pilot.pause(0.05)
            seen += screen_text(app)
        assert not [character for character in HOSTILE if character in seen]
        if not redact:
            assert "[bold]markup[/]" in seen
            assert r"\x1b[" in seen

    drive(app, steps, size)


def test_no_cmpp_is_said_with_the_reason(drive: Drive) -> None:
    """A capture without CMPP says what it holds instead."""
    app = sample_app("not-cmpp.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert "No CMPP found in 3 TCP connections" in screen_text(app)

    drive(app, steps, (120, 40))


def test_a_file_that_is_no_capture_is_said_in_one_line(drive: Drive, tmp_path: Path) -> None:
    """An error of reading becomes a line, and the application stays."""
    path = tmp_path / "no.pcap"
    path.write_bytes(b"this is no capture")
    app = CmppscopeApp(Capture([path]), name=path.name)

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2", "down", "enter", "slash", "escape")(pilot)
        assert "not a capture file" in app.notes[0][1]
        assert app.is_running

    drive(app, steps)


class Failing:
    """A source that falls over behind its first batch."""

    octets_read = 0
    octets_total = None

    def __iter__(self) -> Iterator[FrameBatch]:
        """Yield a batch, then fail."""
        yield from Capture([SAMPLES / "gbk.pcap"])
        raise RuntimeError("[bold]no[/] \x1b[31m")


def test_a_fault_of_the_worker_leaves_what_was_read(drive: Drive) -> None:
    """Whatever goes wrong in the worker is a line, and the rows are there."""
    app = CmppscopeApp(Failing(), name="failing")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2")(pilot)
        assert app.pdus.table.count == 10
        assert "RuntimeError" in screen_text(app)
        assert "\x1b" not in screen_text(app)
        assert r"\x1b[31m" in app.notes[0][1]

    drive(app, steps)


class Live:
    """A live source: a frame at a time, and drops."""

    octets_read = 0
    octets_total = None
    drops = 7

    def __iter__(self) -> Iterator[FrameBatch]:
        """Yield frames one by one."""
        yield from Capture([SAMPLES / "gbk.pcap"], batch_frames=1)


def test_a_live_capture_is_followed_and_can_be_paused(drive: Drive) -> None:
    """The cursor stays on the last row; space pauses."""
    app = CmppscopeApp(Live(), name="eth0", live=True)

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2")(pilot)
        assert app.pdus.table.row == 9
        await keys("space")(pilot)
        assert app.paused

    drive(app, steps)


@pytest.mark.parametrize("screen", ["1", "2", "3", "4"])
def test_help_tells_the_keys_of_the_screen(screen: str, drive: Drive) -> None:
    """Help is made from the table of actions, and Esc closes it."""
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys(screen, "question_mark")(pilot)
        assert app.pane.title in screen_text(app)
        await keys("escape")(pilot)
        assert len(app.screen_stack) == 1

    drive(app, steps, (120, 60))


def test_escape_never_leaves_and_q_does(drive: Drive) -> None:
    """Esc goes back as far as there is something to go back to."""
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys(*["escape"] * 5)(pilot)
        assert app.is_running
        await pilot.press("q")

    drive(app, steps)


def test_every_action_is_there() -> None:
    """Each action of the table has a method on its owner."""
    app = CmppscopeApp(Live())
    owners = {"app": app, "list": app.pdus.table, "pdus": app.pdus, "transactions": app.panes["transactions"]}
    for action in ACTIONS:
        name = action.action.partition("(")[0]
        assert hasattr(owners[action.where], f"action_{name}") or hasattr(Screen, f"action_{name}"), action


def test_actions_can_be_run_from_the_palette(drive: Drive) -> None:
    """Every action of the screen has an entry."""
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2")(pilot)
        entries = {command.title: command for command in app.get_system_commands(app.screen)}
        entries["Time"].callback()
        await settled(pilot)
        assert app.pdus.rows.clock
        assert "10:15:30.001757" in screen_text(app)

    drive(app, steps)


def test_timers_that_go_off_when_the_screens_are_gone(drive: Drive) -> None:
    """Nothing is drawn any more, and nothing fails."""
    app = CmppscopeApp(Live(), name="eth0", live=True)
    drive(app, settled)
    assert not app.is_running
    app._draw_status()
    app._take()


class Silent(Live):
    """A live source on which nothing happens."""

    def __init__(self) -> None:
        """Nothing happens until the test is over."""
        self.over = threading.Event()

    def __iter__(self) -> Iterator[FrameBatch]:
        """Wait."""
        self.over.wait(60)
        yield from ()


def test_q_leaves_while_a_live_capture_waits_for_a_frame() -> None:
    """Leaving does not wait for the network."""
    source = Silent()
    app = CmppscopeApp(source, name="eth0", live=True)

    async def go() -> None:
        async with app.run_test() as pilot:
            assert [thread.daemon for thread in threading.enumerate() if thread.name == "loader"] == [True]
            await pilot.press("q")
            await pilot.pause()

    asyncio.run(asyncio.wait_for(go(), 30))
    assert not source.over.is_set()
    source.over.set()


def test_closing_stops_the_reading() -> None:
    """The worker ends when the application does."""
    app = sample_app("gbk.pcap")

    async def go() -> None:
        async with app.run_test():
            pass

    asyncio.run(go())
    assert app.loader.stopped
