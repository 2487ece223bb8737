"""Filters and words under `/`, on every list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Label

from cmppscope.filters.errors import FilterError
from cmppscope.redact import Redaction
from cmppscope.tui import search
from cmppscope.tui.app import CmppscopeApp
from cmppscope.tui.rows.findings import FindingRows, PlaceRows
from cmppscope.tui.rows.messages import MessageRows
from cmppscope.tui.rows.pdus import PduRows
from cmppscope.tui.rows.sessions import SessionRows
from cmppscope.tui.rows.transactions import TransactionRows
from cmppscope.tui.store import Store
from cmppscope.tui.view import View, Wish, arrange

from .conftest import SAMPLES, keys, sample_app, screen_text, settled
from .test_store import loaded

Cli = Callable[..., Any]
Drive = Callable[..., None]


def typed(text: str) -> list[str]:
    """Give the keys that type a text."""
    names = {" ": "space", ">": "greater_than_sign", "<": "less_than_sign", "=": "equals_sign", "!": "exclamation_mark"}
    names |= {'"': "quotation_mark", "_": "underscore", ".": "full_stop"}
    return [names.get(character, character) for character in text]


def found(rows: Any, text: str) -> list[int]:
    """Give the rows that a list shows for a text."""
    *_, view = arrange(rows, Wish(needle=text))
    assert view.found is not None
    numbers: list[int] = view.found.tolist()
    return numbers


def rows_of(store: Store) -> dict[str, Any]:
    """Give the rows of every list."""
    places = PlaceRows(store)
    places.rule = ("late-response", "peer")
    return {
        "pdus": PduRows(store, Redaction(active=True), store.zone),
        "transactions": TransactionRows(store, store.zone),
        "sessions": SessionRows(store),
        "findings": FindingRows(store),
        "places": places,
        "messages": MessageRows(store, store.lives, Redaction(active=True), store.zone),
    }


@pytest.mark.parametrize(("batch_frames", "alone"), [(100_000, 4096), (5, 4096), (5, 1), (1, 3)])
@pytest.mark.parametrize(
    ("listed", "text", "rows"),
    [
        ("pdus", "submit and cmpp.sequence_id == 2", [2]),
        ("pdus", "latency > 1 min", [2, 3]),
        ("pdus", "finding.rule == late-response", [2]),
        ("pdus", "tcp.srcport == 7890 and cmpp.sequence_id == 2", [3]),
        ("pdus", "13800138001", [2]),
        ("pdus", "0601101531-001001-00001", [3]),
        ("pdus", "connect", [0]),
        ("pdus", '"connect"', [0, 1]),
        ("transactions", "state == late", [1]),
        ("transactions", "late", [1]),
        ("transactions", "cmpp.pdu == 4", [1]),
        ("sessions", "session.sp_id == 901234", [0]),
        ("sessions", "submit", [0]),
        ("sessions", "query", []),
        ("sessions", "901234", [0]),
        ("places", "state == late", [0]),
        ("places", "cmpp.pdu != 3", []),
        ("messages", "message.state == unanswered", [5]),
        ("messages", "latency > 1 min", [0]),
        ("messages", "finding.rule == late-response", [0]),
        ("messages", "session.sp_id == 901234", [0, 1, 2, 3, 4, 5]),
        ("messages", "unanswered", [5]),
        ("pdus", "message.response_time > 1 min", [2, 3]),
        ("transactions", "message.response_time > 1 min", [1]),
        ("sessions", "message.state == unanswered", [0]),
        ("places", "message.response_time > 1 min", [0]),
    ],
)
def test_every_list_takes_filters_and_words(
    listed: str, text: str, rows: list[int], batch_frames: int, alone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows pass, however the capture was cut into batches, looked at alone or together."""
    monkeypatch.setattr("cmppscope.tui.store.SPAN", alone)
    store, _ = loaded("unanswered-and-late.pcap", batch_frames)
    assert found(rows_of(store)[listed], text) == rows


def test_a_rule_passes_with_one_of_its_places() -> None:
    """The list of rules shows those of which a place passes, or that show a text."""
    store, _ = loaded("unanswered-and-late.pcap")
    rules = [finding.rule for finding in store.snapshot.findings]
    rows = rows_of(store)["findings"]
    assert [rules[row] for row in found(rows, "state == late")] == ["late-response"]
    assert [rules[row] for row in found(rows, "late-resp")] == ["late-response"]
    assert found(rows, "finding") == list(range(len(rules)))


def test_words_are_searched_for_as_they_are() -> None:
    """Texts, meanings of results and service codes are found, whatever the case; numbers are the real ones."""
    store, _ = loaded("gbk.pcap")
    rows = rows_of(store)["pdus"]
    assert found(rows, "13900000001") == [4, 6]
    assert found(rows, "139******01") == []
    submits = found(rows, "cmpp.text")
    assert submits
    assert found(rows, "OK") == found(rows, "ok") == found(rows, "result == 0 or status == 0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flow control", "flow control"),
        ("您好", "您好"),
        ("13800", "13800"),
        ('"submit"', "submit"),
        ("'a and b'", "a and b"),
        ("139******01", "139******01"),
        ("192.0.2.10", "192.0.2.10"),
        ("submit", None),
        ("cmpp.submit_resp", None),
        ("result", None),
        ("submit.resutl", None),
        ("transaction.latancy", None),
        ("result == 1", None),
        ("submit and report", None),
        ("!submit", None),
    ],
)
def test_what_is_a_filter_and_what_are_words(text: str, words: str | None) -> None:
    """A text without any sign of a filter is words, and so is one in quotes."""
    from cmppscope.filters.plain import plain_words  # noqa: PLC0415

    assert plain_words(text, "pdu") == words


@pytest.mark.parametrize("sample", ["long-sms-ucs2.pcap", "gateway-forwarding.pcap", "every-pdu.pcapng"])
@pytest.mark.parametrize(
    "expression",
    [
        "message",
        "message.state == DELIVRD",
        "message.kind != MT",
        "message.reports > 0",
        'message.text contains "中" or message.parts > 1',
        "message.end_to_end > 5 s",
        'message.dest matches "^138"',
        "!(message.state == delivered)",
    ],
)
def test_message_fields_mean_what_they_mean_on_the_command_line(cli: Cli, sample: str, expression: str) -> None:
    """PDUs, transactions, sessions and messages pass as they do with --filter."""
    store, _ = loaded(sample, 6)
    rows = rows_of(store)
    table = store.transactions.table

    def listed(command: str, name: str) -> list[Any]:
        return [row[name] for row in cli(command, SAMPLES / sample, "--format", "ndjson", "--filter", expression).rows]

    assert [row + 1 for row in found(rows["pdus"], expression)] == listed("pdus", "pdu")
    passing = found(rows["transactions"], expression)
    assert sorted(table.pdu[passing].tolist()) == sorted(listed("transactions", "pdu"))
    assert found(rows["sessions"], expression) == listed("sessions", "session")
    requests = table.pdu[rows["messages"].rows[found(rows["messages"], expression)]].tolist()
    messages = cli("messages", SAMPLES / sample, "--format", "ndjson", "--filter", expression).rows
    assert {row["pdu"] for row in messages} | {p["pdu"] for row in messages for p in row["parts"]} <= set(requests)
    hops = {p["pdu"] for row in messages for p in row["hops"]}
    assert set(requests) == {p["pdu"] for row in messages for p in row["parts"]} | hops


def test_rows_that_came_later_are_found_as_well() -> None:
    """What was found among rows that stay is kept; what depends on other tables is looked for again."""
    whole, _ = loaded("unanswered-and-late.pcap", 3)
    for text in ("submit", "latency > 1 min"):
        store, view = Store(), View()
        rows = PduRows(store, Redaction(active=True), store.zone)
        for start, stop in [(0, 3), (3, 9), (9, len(whole.pdus))]:
            if stop > start >= len(store.pdus):
                store.pdus.add(whole.pdus.batch(np.arange(start, stop)), whole.pdus.session[start:stop])
                *_, view = arrange(rows, Wish(needle=text), view)
        store.transactions, store.snapshot = whole.transactions, whole.snapshot
        *_, view = arrange(rows, Wish(needle=text), view)
        assert view.found is not None
        assert view.found.tolist() == found(PduRows(whole, Redaction(active=True), whole.zone), text)


def test_a_mistake_is_shown_under_the_line(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carets stand under the place, the nearest names behind the reason; the list stays; Esc takes it away."""
    monkeypatch.setattr("cmppscope.tui.widgets.filter._PAUSE_SECONDS", 60)  # on a slow machine each key is a pause
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2", "slash", *typed("submit and resutl == 1"), "enter")(pilot)
        lines = screen_text(app).splitlines()
        at = next(number for number, line in enumerate(lines) if "resutl == 1" in line)
        assert lines[at].index("resutl") == lines[at + 1].index("^")
        assert lines[at + 1].strip() == "^" * 6
        assert "did you mean" in lines[at + 2]
        assert app.pdus.table.count == 10
        assert app.filter.typed.has_focus
        await keys(*["backspace"] * 11, *typed("cmpp.sequence_id != 1"), "enter")(pilot)
        assert not app.filter.query_one("#mistake", Label).display
        assert app.pdus.table.has_focus
        assert app.pdus.table.count == len(found(app.pdus.rows, "submit and cmpp.sequence_id != 1")) > 0
        await keys("slash", *typed(" and"), "escape")(pilot)
        assert not app.filter.query_one("#mistake", Label).display
        assert app.pdus.table.count == 10

    drive(app, steps, (100, 30))


@pytest.mark.parametrize(("opens", "text"), [("/", "qz/d"), (":", "q:1")])
def test_what_is_typed_behind_a_slash_at_once_is_for_the_line(drive: Drive, opens: str, text: str) -> None:
    """Keys that come in one go, as they do when a filter is pasted, do nothing but write: neither quit nor zoom."""
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        for character in opens + text:
            app.post_message(Key({"/": "slash", ":": "colon"}.get(character, character), character))
        await settled(pilot)
        assert app.is_running
        assert app.filter.typed.value == text
        await keys("escape")(pilot)
        assert app.pane.table.has_focus

    drive(app, steps)


def test_nothing_is_read_on_the_thread_that_draws(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters are read and searched for in other threads."""
    import threading  # noqa: PLC0415

    drawing = threading.get_ident()
    seen: list[tuple[str, bool]] = []
    mistake_in, test = search.mistake_in, search._Hunt.test

    def noted_mistake(*arguments: Any) -> FilterError | None:
        seen.append(("read", threading.get_ident() == drawing))
        return mistake_in(*arguments)

    def noted_test(self: Any, which: Any) -> Any:
        seen.append(("searched", threading.get_ident() == drawing))
        return test(self, which)

    monkeypatch.setattr(search, "mistake_in", noted_mistake)
    monkeypatch.setattr(search._Hunt, "test", noted_test)
    app = sample_app("gbk.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        for screen in "1234":
            await keys(screen, "slash", *typed("cmpp.sequence_id > 1"), "enter")(pilot)
            await settled(pilot)

    drive(app, steps)
    assert {name for name, _ in seen} == {"read", "searched"}
    assert [name for name, drawn in seen if drawn] == []
    assert isinstance(app, CmppscopeApp)
