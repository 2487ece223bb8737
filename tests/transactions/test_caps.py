"""What pairing keeps has caps; reaching one is told, and what it does depends on the frames alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope import transactions
from tests.analysis.test_law import differences, wild
from tests.rules.conversation import Frame, analyse, every_cut, frames_of

CAPS = ("OPEN_REQUESTS", "STRAY_RESPONSES", "REUSES", "ECHOES")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep two of each, and look at that behind every third PDU."""
    _small(monkeypatch)


def _small(patch: pytest.MonkeyPatch, cap: int = 2) -> None:
    for name in CAPS:
        patch.setattr(transactions, name, cap)
    patch.setattr(transactions, "CAPS_EVERY", 3)


def told(frames: list[Frame]) -> list[tuple[str, int]]:
    """Give the words about caps and the frames where they were reached, alike however batches are cut."""
    found = []
    for cuts in every_cut(frames).values():
        analysis = analyse(frames, cuts).analysis
        places = [f.places for f in analysis.findings if f.rule.id == "capture-buffer-full"]
        found.append([(place.detail, place.frame) for each in places for place in each])
    assert all(each == found[0] for each in found)
    return found[0]


@pytest.mark.usefixtures("small")
def test_requests_open_are_bounded() -> None:
    """The oldest of too many open requests counts as unknown, and its response answers nothing any more."""
    lines = [f"{n} SP SUBMIT {n}" for n in range(1, 7)]
    frames = frames_of([*lines, "7 ISMG SUBMIT_RESP 1", "8 ISMG SUBMIT_RESP 6"])
    assert [words.rpartition(":")[2] for words, _ in told(frames)] == [
        " 1 older ones, of which this is the first, are given up",
        " 3 older ones, of which this is the first, are given up",
    ]
    counts = analyse(frames).analysis.statistics.transactions[4]
    assert (counts.requests, counts.responses, counts.unknown) == (6, 1, 4)


@pytest.mark.usefixtures("small")
def test_responses_kept_are_bounded() -> None:
    """The oldest of too many responses that answer nothing count as unknown: nobody is blamed for them."""
    frames = frames_of(["0 SP SUBMIT 99", *(f"{n} ISMG SUBMIT_RESP {n}" for n in range(1, 8))])
    assert [(words.rpartition(":")[2], frame) for words, frame in told(frames)] == [
        (" 3 older ones, of which this is the first, count as unknown", 4),
    ]
    strays = analyse(frames).analysis.statistics.transactions[4].strays
    assert (strays["unknown"], strays["orphan"]) == (3, 4)


@pytest.mark.usefixtures("small")
def test_sequence_ids_used_too_early_are_bounded() -> None:
    """Those beyond the cap are counted in one place."""
    frames = frames_of([f"{n} SP SUBMIT 5 text={chr(96 + n)}" for n in range(1, 7)])
    assert [words.partition(":")[2] for words, _ in told(frames) if "Sequence_Id" in words] == [
        " 3 more, of which this is the first, are left out"
    ]


@settings(max_examples=25, deadline=None)
@given(wild(), st.lists(st.integers(0, 120), max_size=8), st.integers(1, 3))
def test_caps_do_not_depend_on_batches(frames: list[Frame], cuts: list[int], cap: int) -> None:
    """With caps so small that they are reached all the time, the law holds."""
    with pytest.MonkeyPatch.context() as patch:
        _small(patch, cap)
        whole: dict[str, Any] = analyse(frames).everything
        for other in (every_cut(frames)["one by one"], cuts):
            assert differences(whole, analyse(frames, other).everything) == {}
