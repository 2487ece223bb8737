"""The screen of messages: what became of each, its text joined, and masking."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from cmppscope.capture import Capture
from cmppscope.tui.app import CmppscopeApp
from cmppscope.tui.widgets.words import Words

from .conftest import SAMPLES, keys, sample_app, screen_text
from .test_filters import typed

REAL = SAMPLES.parent / "tests" / "data" / "real"
Drive = Callable[..., None]


def test_a_long_message_is_told_as_one(drive: Drive) -> None:
    """5 shows the messages; of the one under the cursor the text of all parts, and its report."""
    app = sample_app("long-sms-ucs2.pcap", redact=False)

    async def steps(pilot: Pilot[None]) -> None:
        await keys("5")(pilot)
        assert app.pane.id == "messages"
        assert [line.cells[0] for line in app.pane.table.rows.page(app.pane.table.view.rows(0, 3))] == [
            "DELIVRD",
            "UNDELIV",
            "DELIVRD",
        ]
        told = app.pane.query_one(Words).text
        assert "尊敬的客户" in told
        assert "回复TD退订" in told
        assert "Parts 3: PDUs 3, 4, 5\nUNDELIV: PDU 4; DELIVRD: PDU 3, PDU 5" in told
        assert "DELIVRD, delivered" in told
        await keys("enter")(pilot)
        assert (app.pane.id, app.pdus.table.row) == ("pdus", 2)

    drive(app, steps, (120, 40))


def test_texts_and_numbers_are_masked(drive: Drive) -> None:
    """As long as nobody asks for it, no text and no number is shown."""
    app = sample_app("long-sms-ucs2.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("5")(pilot)
        shown = screen_text(app) + app.pane.query_one(Words).text
        assert "客户" not in shown
        assert "13800138001" not in shown
        assert "138******01" in shown
        assert "masked" in shown

    drive(app, steps, (120, 40))


@pytest.mark.parametrize(
    "sample", ["hostile-text.pcap", "every-pdu.pcapng", "version-3.pcap", "gateway-forwarding.pcap"]
)
def test_any_capture_can_be_shown(drive: Drive, sample: str) -> None:
    """Whatever a message holds, nothing but text reaches the screen."""
    app = sample_app(sample, redact=False)

    async def steps(pilot: Pilot[None]) -> None:
        await keys("5", *["down"] * 12)(pilot)
        assert all(c.isprintable() or c == "\n" for c in screen_text(app))

    drive(app, steps, (120, 40))


def test_receivers_of_a_message_are_told_apart(drive: Drive) -> None:
    """Who has which Stat stands above the reports, and each report says whose it is; masked as everywhere."""
    app = CmppscopeApp(Capture([REAL / "basic_smsgate_smsgate.pcap"]))

    async def steps(pilot: Pilot[None]) -> None:
        await keys("5", "slash", *typed("message.state == mixed"), "enter")(pilot)
        assert app.pane.table.count == 1
        told = app.pane.query_one(Words).text
        assert "UNDELIV: 138******09; DELIVRD: 138******02, 138******03" in told
        assert "PDU 49, 138******09: UNDELIV, cannot be delivered" in told

    drive(app, steps, (120, 40))


def test_a_filter_chooses_messages(drive: Drive) -> None:
    """A field of messages is understood under /, and a wrong one is told of."""
    app = sample_app("long-sms-ucs2.pcap", redact=False)

    async def steps(pilot: Pilot[None]) -> None:
        await keys("5", "slash", *typed("message.parts == 3"), "enter")(pilot)
        assert app.pane.hits().strip() == "3 of 3"
        await keys("slash", *["backspace"] * 30, *typed("message.stata == 3"))(pilot)
        assert "no field is called message.stata" in screen_text(app)

    drive(app, steps, (120, 40))
