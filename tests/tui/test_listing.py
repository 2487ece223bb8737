"""The list of messages that filters of the screens look at is that of the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from cmppscope.analysis import Analysis
from cmppscope.capture import Capture
from cmppscope.messages.listing import Listing
from cmppscope.redact import Redaction
from cmppscope.report.messages import message_rows
from cmppscope.rules import STANDARD, Facts
from cmppscope.tables import Row
from cmppscope.transactions.table import in_order, no_transactions
from cmppscope.tui.listing import StoredListing
from cmppscope.tui.lives import life_of
from cmppscope.tui.store import Store
from tests.rules.conversation import told

from .conftest import SAMPLES

ID1, ID2 = "0x5E91AA4003E90001", "0x5E91AA4003E90002"
LINES = f"""
0 SP CONNECT 1
0.1 ISMG CONNECT_RESP 1
1 SP SUBMIT 2 report=1 to=2
1.1 ISMG SUBMIT_RESP 2 id={ID1}
2 SP SUBMIT 3
2.1 ISMG SUBMIT_RESP 3 id={ID2}
3 SP CANCEL 4 msg_id={ID2}
3.1 ISMG CANCEL_RESP 4
5 ISMG DELIVER 2 about={ID1} dest_terminal_id=13800000001 stat=UNDELIV
5.1 SP DELIVER_RESP 2
6 ISMG DELIVER 3 about={ID1}
6.1 SP DELIVER_RESP 3
7 ISMG DELIVER 4 about={ID1}
7.1 SP DELIVER_RESP 4
8 ISMG DELIVER 5
8.1 SP DELIVER_RESP 5
9 SP SUBMIT 5
"""


def both(analysis: Analysis, facts: Sequence[Facts]) -> tuple[list[Row], list[Row]]:
    """Give the rows of all messages, from the facts as they came and from a store."""
    listing, store = Listing(), Store()
    for each in facts:
        listing.feed(each)
        store.pdus.add(each.batch, each.session)
        store.lives.add([life_of(each)], [each.paired.closed])
        store.transactions.add(each.paired.closed, each.ended)
    stored = StoredListing(store.pdus, store.transactions.later(), store.lives.kept)
    plain = Redaction(active=False)
    first, second = (list(message_rows(each, analysis.sessions, STANDARD, plain, dt.UTC)) for each in (listing, stored))
    return first, second


def test_a_conversation() -> None:
    """Receivers, second reports, MO, CANCEL and what is open are all there."""
    found = told(LINES)
    expected, stored = both(found.analysis, found.facts)
    assert stored == expected
    assert [(row["kind"], row["state"]) for row in stored] == [
        ("MT", "mixed"),
        ("MT", "accepted"),
        ("MO", "delivered"),
        ("MT", "submitted"),
    ]
    assert [report["again"] for report in stored[0]["reports"]] == [False, False, True]
    assert [cancel["success_id"] for cancel in stored[1]["cancels"]] == [0]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.pcap*")), ids=lambda path: path.stem)
@pytest.mark.parametrize("alone", [1, 4096])
def test_samples(path: Path, alone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message of every sample has the same row, however many requests are read at a time."""
    monkeypatch.setattr("cmppscope.tui.listing._AT_A_TIME", alone)
    analysis = Analysis()
    facts = [analysis.feed(frames) for frames in Capture([path], 11)] + analysis.close()
    expected, stored = both(analysis, facts)
    assert stored == expected


def test_an_empty_store_has_no_messages() -> None:
    """Before anything is read there is nothing to list."""
    store = Store()
    stored = StoredListing(store.pdus, lambda: in_order([no_transactions()]), store.lives.kept)
    assert stored.messages() == []
