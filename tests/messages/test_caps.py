"""What messages keep has caps, and what reaching one does depends on the frames alone."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cmppscope.messages as room
from tests.analysis.test_law import differences, wild
from tests.rules.conversation import Frame, analyse, every_cut, frames_of

CAPS = (
    "ANSWERS_KEPT",
    "COUNTS_KEPT",
    "KEYS_KEPT",
    "MOST_CANCELS",
    "MOST_LISTS",
    "MOST_OPEN",
    "MOST_REFUSED",
    "MOST_WAITING",
    "QUERIES_KEPT",
    "SETTLED",
    "STATS_KEPT",
    "WAITING",
    "WAITING_REPORTS",
)


def lowered(patch: pytest.MonkeyPatch, name: str, cap: int) -> None:
    """Set a cap wherever it is looked up."""
    holders = [m for path, m in sys.modules.items() if path.startswith(room.__name__) and hasattr(m, name)]
    assert holders
    for module in holders:
        patch.setattr(module, name, cap)


@pytest.mark.parametrize("name", CAPS)
@settings(max_examples=20)
@given(frames=wild(), cuts=st.lists(st.integers(0, 120), max_size=8), cap=st.integers(2, 4))
def test_caps_do_not_depend_on_batches(name: str, frames: list[Frame], cuts: list[int], cap: int) -> None:
    """With one cap so small that it is reached all the time, the law holds."""
    with pytest.MonkeyPatch.context() as patch:
        lowered(patch, name, cap)
        whole: dict[str, Any] = analyse(frames).everything
        for other in (every_cut(frames)["one by one"], cuts):
            assert differences(whole, analyse(frames, other).everything) == {}


@pytest.mark.parametrize("name", ["OPEN_REQUESTS", "STRAY_RESPONSES"])
def test_what_is_carried_is_what_pairing_keeps(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Requests that wait for their response are noted alike, wherever batches are cut, and given up as pairing does."""
    monkeypatch.setattr(f"cmppscope.transactions.{name}", 2)
    monkeypatch.setattr("cmppscope.transactions.CAPS_EVERY", 3)
    sent = [f"{n} SP SUBMIT {n} report=1 text=a{n}" for n in range(1, 7)]
    answered = [f"{10 + n} ISMG SUBMIT_RESP {n} id={n}" for n in range(1, 9)]
    reported = [f"{20 + n} ISMG DELIVER {n} about={n}" for n in range(1, 7)]
    frames = frames_of([*sent, *answered, *reported])
    whole = analyse(frames).everything
    assert differences(whole, analyse(frames, every_cut(frames)["one by one"]).everything) == {}
