"""Damaged files of any kind: never a traceback, always the frames before the damage."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.capture import CaptureError

FRAMES = [bytes([n]) * (n * 7 % 60) for n in range(1, 30)]
KINDS = ["pcap", "pcapng"]


def whole(tools: Any, kind: str, order: str = "<") -> bytes:
    """Build a good file."""
    octets: bytes = getattr(tools.build, kind)(*FRAMES, order=order)
    return octets


@pytest.mark.parametrize("kind", KINDS)
@given(order=st.sampled_from("<>"), data=st.data())
def test_cut_anywhere(tools: Any, kind: str, order: str, data: st.DataObject) -> None:
    """A file cut at any octet gives its first frames, and says so unless the cut is between two."""
    octets = whole(tools, kind, order)
    cut = data.draw(st.integers(24 if kind == "pcap" else 48, len(octets)))
    read = tools.load(octets[:cut])
    found = [row.octets for row in read.rows]
    assert found == FRAMES[: len(found)]
    clean = len(getattr(tools.build, kind)(*found, order=order)) == cut
    assert (read.damage == [None]) == clean


@pytest.mark.parametrize("kind", KINDS)
@given(tail=st.binary(max_size=300))
def test_anything_behind_good_frames(tools: Any, kind: str, tail: bytes) -> None:
    """Good frames are kept whatever follows them."""
    read = tools.load(whole(tools, kind) + tail)
    assert [row.octets for row in read.rows][: len(FRAMES)] == FRAMES


@pytest.mark.parametrize("kind", KINDS)
@given(changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=5), data=st.data())
def test_batch_size_never_matters(tools: Any, kind: str, changes: list[tuple[int, int]], data: st.DataObject) -> None:
    """Rows and damage of any file, good or not, are the same whatever the size of the batches."""
    octets = bytearray(whole(tools, kind))
    for at, value in changes:
        octets[at % len(octets)] = value
    outcomes = []
    for batch_frames in (1, 2, 7, data.draw(st.integers(1, 40)), 100_000):
        try:
            read = tools.load(bytes(octets), batch_frames=batch_frames)
            outcomes.append((read.rows, read.damage))
        except CaptureError as error:
            outcomes.append(([], [str(error)]))
    assert outcomes == outcomes[:1] * len(outcomes)


@given(octets=st.binary(max_size=300), kind=st.sampled_from(KINDS))
def test_any_octets(tools: Any, octets: bytes, kind: str) -> None:
    """Octets at random, alone or behind a first few good ones, raise nothing but CaptureError."""
    for start in (b"", whole(tools, kind)[:4], whole(tools, kind)[:12]):
        with suppress(CaptureError):
            tools.load(start + octets)
