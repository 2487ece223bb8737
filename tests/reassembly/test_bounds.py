"""Every buffer of reassembly has a cap, reaching it is told, and what it does depends on the frames alone."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope import reassembly
from cmppscope.reassembly import Reassembler, streams
from cmppscope.reassembly import direction as rules
from cmppscope.reassembly.direction import RECENT_OCTETS
from cmppscope.tables import ACK, FIN, SYN, Oddity
from tests.reassembly.segments import Segment, Talk, batch_of, cut, one_by_one, reassemble, renumbered


def told(segments: list[Segment], borders: list[int]) -> tuple[list[Oddity], int, list[object]]:
    """Give what is told of, the most octets held at once, and octets with Gaps."""
    state = Reassembler()
    odd: list[Oddity] = []
    most = 0
    for batch in cut(segments, borders):
        state.feed(batch)
        odd += state.odd()
        most = max(most, sum(d.held_octets for d in state.directions.values()))
    state.close()
    return odd + state.odd(), most, [(g, d.position, d.gaps, d.late) for g, d in sorted(state.directions.items())]


def holed(count: int, size: int = 1000) -> list[Segment]:
    """Give connections with a hole each, and segments behind it, in turn."""
    talks = [Talk(ports=(40_000 + n, 7890)).open() for n in range(count)]
    for n in range(1, 9):
        for talk in talks:
            talk.segment(0, bytes(size), n * size + 1)
    rows = [s for step in zip(*(t.segments for t in talks), strict=True) for s in step]
    return renumbered(rows)


def test_octets_behind_all_holes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap over all streams, the hole that was opened first is given up, wherever batches were cut."""
    monkeypatch.setattr(reassembly, "HELD_OCTETS", 10_000)
    segments = holed(5)
    whole, one = told(segments, []), told(segments, one_by_one(segments))
    assert one[1] <= 10_000
    assert whole[0] == one[0] == told(segments, [7, 20, 33])[0]
    assert whole[2] == one[2]
    full = [o for o in whole[0] if o.kind == "full-all"]
    assert [o.stream for o in full] == [0, 1, 2, 3]
    assert [o.frame for o in full] == sorted(o.frame for o in full)
    assert all(o.octets == 11_000 and o.fault == "capture" for o in full)


def test_octets_and_ranges_behind_one_hole_are_bounded() -> None:
    """A direction holds HOLE_OCTETS in HOLE_SEGMENTS at most, and the frame that was too much is named."""
    talk = Talk(step_ns=1).open()
    for n in range(rules.HOLE_SEGMENTS + 2):
        talk.segment(0, b"x", 1 + 2 * n)
    odd, _, _ = told(talk.segments, [])
    assert [(o.kind, o.frame, o.octets, o.value) for o in odd] == [
        ("full", 4 + n, n + 1, n + 1) for n in (rules.HOLE_SEGMENTS,)
    ] + [("full", 5 + rules.HOLE_SEGMENTS, rules.HOLE_SEGMENTS + 1, rules.HOLE_SEGMENTS + 1)]


def flood(count: int, step: int = 1) -> list[Segment]:
    """Give SYNs of different connections, and one conversation among them."""
    talk = Talk(ports=(999, 7890)).open()
    for _ in range(5):
        talk.send(0, b"abc").send(1, b"de")
    rows = [talk.segments[0]]
    for n in range(count):
        rows += Talk(ports=(2000 + n, 7890)).segment(0, at=-1, flags=SYN).segments
        if n % step == 0 and n // step + 1 < len(talk.segments):
            rows.append(talk.segments[n // step + 1])
    return renumbered(rows)


def test_connections_remembered_at_once_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those never answered are forgotten first, so that a flood of SYNs does not tear a conversation apart."""
    monkeypatch.setattr(streams, "STREAMS_OPEN", 4)
    segments = flood(40)
    result = reassemble(segments)
    state = result.reassembler
    assert (len(state.streams), result.plain(0), result.plain(1)) == (41, [b"abc" * 5], [b"de" * 5])
    odd = state.odd()
    assert [(o.kind, o.stream) for o in odd] == [("streams", n) for n in range(1, 38)]
    assert odd == reassemble(segments, one_by_one(segments)).reassembler.odd()


def test_closed_connections_are_forgotten_before_open_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what was closed nothing is to come."""
    monkeypatch.setattr(streams, "STREAMS_OPEN", 2)
    talks = [Talk(ports=(40_000 + n, 7890)).open() for n in range(3)]
    rows = talks[0].segments + talks[1].fin(0).segments + talks[2].segments
    rows += talks[0].send(0, b"abc").segments[-1:]
    result = reassemble(renumbered(rows))
    assert [o.stream for o in result.reassembler.odd()] == [1]
    assert (len(result.reassembler.streams), result.plain(0)) == (3, [b"abc"])


@settings(max_examples=40)
@given(st.integers(0, 2**32).map(random.Random), st.lists(st.integers(0, 60), max_size=8), st.integers(1, 4))
def test_forgetting_does_not_depend_on_batches(rng: random.Random, borders: list[int], cap: int) -> None:
    """A connection that is forgotten inside a batch begins anew there, as it would between two."""
    talks = [Talk(ports=(40_000 + n, 7890), isn=(n, 50 + n)) for n in range(6)]
    for _ in range(50):
        flags = rng.choice([SYN, SYN | ACK, ACK, ACK, ACK, FIN | ACK])
        rng.choice(talks).segment(
            rng.randrange(2), b"" if flags & SYN else b"x", at=-1 if flags & SYN else None, flags=flags
        )
    segments = [s for t in talks for s in t.segments]
    rng.shuffle(segments)
    segments = renumbered(segments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "STREAMS_OPEN", cap)
        whole = reassemble(segments)
        for cuts in (borders, one_by_one(segments)):
            other = reassemble(segments, cuts)
            assert other.octets() == whole.octets()
            assert len(other.reassembler.streams) == len(whole.reassembler.streams)


def test_a_stream_is_a_row_of_numbers() -> None:
    """Connections of which nothing came but a SYN make no objects: a row each, and nothing of a direction."""
    state = Reassembler()
    count = 5000
    first = batch_of(Talk().segment(0, at=-1, flags=SYN).segments)
    many = first.take(np.zeros(count, np.int64))
    many.frame, many.time_ns = np.arange(1, count + 1), many.time_ns + np.arange(count)
    many.sport = (1024 + np.arange(count)).astype(np.int32)
    state.feed(many)
    assert (len(state.streams), len(state.directions)) == (count, 0)
    room = {name: column.nbytes / len(column) for name, column in state.streams.columns.items()}
    assert sum(room.values()) <= 256
    stream = state.streams[77]
    assert (stream.originator.port, stream.first_frame, stream.isn, stream.frames) == (1101, 78, [1000, None], 1)


def test_the_memory_of_what_was_delivered_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Directions that were silent for RECENT_FRAMES hold no octets to compare with."""
    monkeypatch.setattr("cmppscope.reassembly.recent.RECENT_FRAMES", 50)
    monkeypatch.setattr(rules, "RECENT_FRAMES", 50)
    talks = [Talk(ports=(40_000 + n, 7890)).open().send(0, bytes(3 * RECENT_OCTETS)) for n in range(100)]
    segments = renumbered([s for t in talks for s in t.segments])
    for borders in ([], one_by_one(segments), [120, 250]):
        state = reassemble(segments, borders).reassembler
        kept = [len(d.recent) for d in state.directions.values()]
        assert kept == [0] * 87 + [RECENT_OCTETS] * 13


@settings(max_examples=30)
@given(st.integers(0, 2**32).map(random.Random), st.lists(st.integers(0, 120), max_size=6))
def test_copies_are_compared_alike_in_every_batch(rng: random.Random, borders: list[int]) -> None:
    """What is told of copies depends on the frames alone: also on the fast way, also after long silence."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("cmppscope.reassembly.recent", "cmppscope.reassembly.direction"):
            patch.setattr(f"{module}.RECENT_FRAMES", 20)
            patch.setattr(f"{module}.RECENT_OCTETS", 16)
        talks = [Talk(ports=(40_000 + n, 7890)).open() for n in range(3)]
        rows = []
        for _ in range(80):
            talk = rng.choice(talks[: rng.choice([1, 3, 3])])
            begin = len(talk.segments)
            size = rng.choice([1, 3, 7, 30])
            if rng.random() < 0.15:
                talk.segment(0, rng.choice([b"a", b"b"]) * size, max(0, talk.next[0] - rng.randrange(40)))
            else:
                talk.send(0, b"a" * size)
            rows += talk.segments[begin:]
        segments = renumbered([s for t in talks for s in t.segments[:3]] + rows)
        expected = told(segments, [])
        assert told(segments, one_by_one(segments))[0::2] == expected[0::2]
        assert told(segments, borders)[0::2] == expected[0::2]


@pytest.mark.parametrize(
    "wild", [[0, 2**30 + 5, 2**31 + 5, 3 * 2**30], [0, 2**31 - 1, 2**32 - 2], [5, 2**32 - 5, 2**31]]
)
def test_how_far_a_direction_came_does_not_depend_on_batches(wild: list[int]) -> None:
    """Numbers more than 1 GiB apart are compared one after the other."""
    talk = Talk()
    for number in wild:
        talk.raw(0, number, number, ACK, b"")
    segments = renumbered(talk.segments)
    streams_of = [reassemble(segments, cuts).reassembler.streams[0] for cuts in ([], one_by_one(segments), [2])]
    assert len({(tuple(s.sent), tuple(s.acked)) for s in streams_of}) == 1
