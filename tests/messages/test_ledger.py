"""The ledger joins what a plain walk through all events joins, however the events are divided."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.messages.ledger import REPORTS, ROWS, Ledger, stats_of
from cmppscope.messages.table import Table

Event = tuple[str, int, int, int, int]
"""`m` (a message) or `r` (a report), Msg_Id, number, SP, receivers or Stat."""

_STATS = stats_of(np.frombuffer(b"DELIVRDEXPIREDACCEPTD", np.uint8).reshape(3, 7)).tolist()

events = st.lists(
    st.tuples(st.sampled_from("mrr"), st.integers(1, 3), st.integers(1, 3), st.integers(-1, 1), st.integers(0, 2)),
    max_size=30,
)


def tables(part: list[tuple[int, Event]]) -> tuple[Table, Table]:
    """Make messages and reports of events with their PDU numbers."""
    rows, reports = [], []
    for pdu, (kind, number, to, party, extra) in part:
        if kind == "r":
            reports.append((number, to, pdu, party, _STATS[extra]))
        else:
            receivers = range(to, to + max(extra, 1))
            rows += [(number, receiver, pdu, party, extra > 1) for receiver in receivers]
    ids, to_, pdu_, party_, many = np.array(rows, np.int64).reshape(-1, 5).T
    messages = Table.of(
        ROWS, id=ids, number=to_.view(np.uint64), time=pdu_, answered=pdu_, known=pdu_, pdu=pdu_, frame=pdu_, stat=0,
        report=0, packed=0, stream=0, party=party_, asked=1, refused=0, many=many,
    )  # fmt: skip
    ids, to_, pdu_, party_, stat = np.array(reports, np.int64).reshape(-1, 5).T
    found = Table.of(
        REPORTS, id=ids, number=to_.view(np.uint64), time=pdu_, stat=stat, pdu=pdu_, frame=pdu_, stream=0,
        direction=0, offset=0, party=party_,
    )  # fmt: skip
    return messages, found


def run(given_events: list[Event], cuts: list[int]) -> tuple[list[tuple[int, ...]], list[int], int]:
    """Feed events in parts; give what was judged, the reports that wait, and how many receivers do."""
    ledger = Ledger()
    told: list[tuple[int, ...]] = []
    numbered = list(enumerate(given_events, 1))
    bounds = [0, *sorted({min(cut, len(numbered)) for cut in cuts}), len(numbered)]
    for low, high in pairwise(bounds):
        for judged in ledger.feed(*tables(numbered[low:high])):
            told += zip(
                judged.reports["pdu"].tolist(), judged.rows["pdu"].tolist(), judged.rows["number"].tolist(),
                judged.kind.tolist(), judged.before.tolist(), judged.stat.tolist(), strict=True,
            )  # fmt: skip
    return sorted(told), ledger.waiting["pdu"].tolist(), len(ledger.unreported)


@settings(max_examples=200)
@given(events, st.lists(st.integers(0, 30), max_size=4))
def test_parts_change_nothing(given_events: list[Event], cuts: list[int]) -> None:
    """Whole, event by event and cut anywhere, the same reports belong to the same receivers."""
    whole = run(given_events, [])
    assert run(given_events, list(range(31))) == whole
    assert run(given_events, cuts) == whole


@settings(max_examples=50)
@given(events)
def test_every_report_is_judged_or_waits(given_events: list[Event]) -> None:
    """No report is lost, and none is told twice."""
    told, waiting, _ = run(given_events, [])
    reports = [pdu for pdu, event in enumerate(given_events, 1) if event[0] == "r"]
    assert sorted([entry[0] for entry in told] + waiting) == reports


@pytest.mark.parametrize("cap", [1, 2])
def test_what_is_let_go_does_not_depend_on_the_parts(monkeypatch: pytest.MonkeyPatch, cap: int) -> None:
    """With little room the oldest go, and the same ones however the events are divided."""
    monkeypatch.setattr("cmppscope.messages.ledger.EPOCH", 4)
    for name in ("WAITING", "SETTLED", "WAITING_REPORTS"):
        monkeypatch.setattr(f"cmppscope.messages.ledger.{name}", cap)
    many: list[Event] = [("m", n % 9 + 1, 1, 0, 1) for n in range(20)] + [("r", n % 9 + 1, 1, 0, 0) for n in range(20)]
    whole = run(many, [])
    assert run(many, list(range(41))) == whole


def test_what_waits_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of messages and reports whose other half never comes, no more are kept than there is room for."""
    monkeypatch.setattr("cmppscope.messages.ledger.EPOCH", 4)
    for name in ("WAITING", "SETTLED", "WAITING_REPORTS"):
        monkeypatch.setattr(f"cmppscope.messages.ledger.{name}", 2)
    many: list[Event] = [event for n in range(40) for event in (("m", n, 1, 0, 1), ("r", n + 100, 1, 0, 0))]
    _, reports, receivers = run(many, list(range(81)))
    assert len(reports) <= 2 + 4
    assert receivers <= 3 + 4
