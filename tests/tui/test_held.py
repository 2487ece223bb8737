"""Octets that are held in memory: any run of PDUs comes back as it was added."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.tables import PduBatch
from cmppscope.tui import held
from cmppscope.tui.held import Held, octets_of
from cmppscope.tui.recalled import Span
from cmppscope.tui.store import Pdus


@given(st.lists(st.lists(st.binary(min_size=1, max_size=30), max_size=5), min_size=1), st.data())
def test_any_run_comes_back(arrivals: list[list[bytes]], data: st.DataObject) -> None:
    """However PDUs arrive, and while more of them are added."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held, "_PART", 50)
        kept, pdus = Held(), [b"first"]
        kept.add(np.frombuffer(bytearray(pdus[0]), np.uint8), 1)
        for arrival in arrivals:
            seen, before = kept.octets(0, len(pdus), lengths(pdus)), b"".join(pdus)
            kept.add(np.frombuffer(bytearray(b"".join(arrival)), np.uint8), len(arrival))
            pdus += arrival
            assert seen.tobytes() == before
        assert kept.rows == len(pdus)
        start = data.draw(st.integers(0, len(pdus) - 1))
        stop = data.draw(st.integers(start + 1, len(pdus)))
        assert kept.octets(start, stop, lengths(pdus)).tobytes() == b"".join(pdus[start:stop])


def lengths(pdus: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Give the length of each PDU."""
    return np.array([len(each) for each in pdus])


def test_octets_of_a_batch() -> None:
    """PDUs in any order, others' octets between them, in a buffer of their own."""
    batch = PduBatch.empty(1)
    batch.octets = np.frombuffer(b"..second..first", np.uint8)
    batch.position, batch.length = np.array([10, 2]), np.array([5, 6])
    assert octets_of(batch).tobytes() == b"firstsecond"
    assert octets_of(PduBatch.empty(1)).tobytes() == b""


def test_a_store_holds_none_behind_one_that_is_not_held() -> None:
    """Rows of what is held are those of the store, from the first one on."""
    pdus, came = Pdus(), [b"\0\0\0\x0c" + bytes(7) + bytes([n]) for n in range(4)]
    for n, octets in enumerate(came):
        batch = PduBatch.empty(n + 1)
        for name in PduBatch.__slots__:
            if name not in {"octets", "first"}:
                setattr(batch, name, np.array([n if name == "sequence" else 0]))
        batch.octets, batch.length = np.frombuffer(octets, np.uint8), np.array([12])
        pdus.add(batch, np.zeros(1, np.int64), octets=None if n == 2 else octets_of(batch))
    assert pdus._held.rows == 2
    assert [type(pdus.span(n, n + 1)) for n in range(4)] == [PduBatch, PduBatch, Span, Span]
    assert [pdus.span(n, n + 1).octets_of(0) for n in range(4)] == came
