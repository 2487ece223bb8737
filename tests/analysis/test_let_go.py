"""What was analysed is let go: a batch's octets do not stay in memory by way of what was made of them."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from cmppscope.analysis import Analysis
from cmppscope.capture import Capture

SAMPLES = sorted(Path("samples").glob("*.pcap*"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_batch_is_let_go_without_a_search_for_cycles(sample: Path) -> None:
    """Rules, their words and what they share never point back at a batch (buffers of 16 MiB would pile up)."""
    analysis = Analysis()
    gc.collect()
    gc.disable()
    try:
        kept = []
        for frames in Capture([str(sample)]):
            facts = analysis.feed(frames)
            kept.append(weakref.finalize(facts.columns, lambda: None))
            del facts
        assert kept
        assert [each for each in kept if each.alive] == []
    finally:
        gc.enable()
