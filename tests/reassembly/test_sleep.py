"""Directions that are quiet become numbers, and nothing that comes out tells whether they did."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope import framing, reassembly
from cmppscope.reassembly import Reassembler
from cmppscope.reassembly.direction import Direction
from cmppscope.tables import ACK
from tests.analysis.test_law import differences, wild
from tests.reassembly.segments import Talk, batch_of, cut, one_by_one, reassemble, renumbered
from tests.rules.conversation import Frame, analyse, every_cut

RECENT = ("cmppscope.reassembly.recent.RECENT_FRAMES", "cmppscope.reassembly.direction.RECENT_FRAMES")


def drowsy(patch: pytest.MonkeyPatch, frames: int = 3) -> None:
    """Let directions sleep as soon as they can."""
    patch.setattr(reassembly, "DIRECTIONS_AWAKE", 0)
    patch.setattr(framing, "WIRES_KEPT", 0)
    patch.setattr(reassembly, "BUSY_TIMES", 0)
    patch.setattr(framing, "BUSY_TIMES", 0)
    for name in RECENT:
        patch.setattr(name, frames)


def test_quiet_directions_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many short connections only those that delivered octets last, or have a Gap, are objects."""
    drowsy(monkeypatch)
    talks = [Talk(ports=(40_000 + n, 7890)).open().send(0, b"abc").send(1, b"de").fin(0).fin(1) for n in range(50)]
    talks[5].segments[3] = talks[5].segments[3]._replace(missing=7, payload=b"")
    segments = renumbered([s for t in talks for s in t.segments])
    state = Reassembler()
    for batch in cut(segments, one_by_one(segments)):
        state.feed(batch)
    assert len(state.directions) <= 6
    assert 5 * 2 in state.directions
    assert state.start_known(0)
    assert state.start_known(99)
    assert not state.start_known(100)


def test_a_sleeping_direction_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came again, what is missing at the end and where it goes on is known while it sleeps and after."""
    talk, other = Talk().open().send(0, b"abc"), Talk(ports=(2, 3)).open()
    talk.segment(0, b"abc", 0).segment(1, flags=ACK, ack=10)
    whole = Talk(ports=(4, 5)).open().send(0, b"abc").ack(1)
    early = len(talk.segments)
    other.send(0, *[b"x"] * 20)
    talk.segment(0, b"bcd", 1).segment(0, b"ef", 4)
    segments = renumbered(whole.segments + talk.segments[:early] + other.segments + talk.segments[early:])
    awake = reassemble(segments, one_by_one(segments))
    drowsy(monkeypatch)
    asleep = reassemble(segments, one_by_one(segments))
    assert asleep.octets() == awake.octets()
    state = Reassembler()
    for batch in cut(segments[:-2], one_by_one(segments[:-2])):
        state.feed(batch)
    assert (sorted(state.directions), state.retransmitted_octets, set(state.lost_tails())) == ([4], 3, {2})
    for result in (awake, asleep):
        assert (result.reassembler.retransmitted_octets, set(result.reassembler.lost_tails())) == (5, {2})


def test_what_makes_a_direction_stay_awake() -> None:
    """Whatever tells more than where it began and how far it came."""
    quiet = Direction(7, start_known=True, position=9)
    assert quiet.is_quiet
    for name, value in (("held", [1]), ("gaps", [(0, 1)]), ("trouble", [1]), ("recent", b"x"), ("late", 1)):
        state = Direction(7, start_known=True, position=9)
        setattr(state, name, value)
        assert not state.is_quiet


@settings(max_examples=40, deadline=None)
@given(wild(), st.lists(st.integers(0, 120), max_size=8), st.integers(1, 20))
def test_sleep_changes_nothing(frames: list[Frame], cuts: list[int], recent: int) -> None:
    """Rows, findings and report are the same with every direction awake, and wherever batches are cut."""
    with pytest.MonkeyPatch.context() as patch:
        for name in RECENT:
            patch.setattr(name, recent)
        awake = analyse(frames).everything
        drowsy(patch, recent)
        for each in (every_cut(frames)["one by one"], cuts, []):
            assert differences(awake, analyse(frames, each).everything) == {}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32).map(random.Random), st.lists(st.integers(0, 80), max_size=6))
def test_ipv6_streams_do_not_depend_on_batches(rng: random.Random, borders: list[int]) -> None:
    """Addresses have other places among those of another batch, and name the same streams and directions."""
    ends = [f"2001:db8::{n:x}" for n in rng.sample(range(1, 200), 6)] + ["10.0.0.1", "::ffff:10.0.0.1"]
    talks = []
    for n in range(8):
        one, other = rng.sample(ends[:6] if n < 6 else ends[:1] + ends[6:7] if n == 6 else ends[5:6] + ends[7:], 2)
        if (":" in one) != (":" in other):
            one, other = ends[6], ends[6]
        talks.append(Talk(ends=(one, other), ports=(rng.choice([1, 2]), rng.choice([7890, 9]))))
    rows = []
    for _ in range(60):
        talk = rng.choice(talks)
        talk.send(rng.randrange(2), b"x")
        rows.append(talk.segments[-1])
    segments = renumbered(rows)
    whole = reassemble(segments)
    for cuts in (borders, one_by_one(segments)):
        other_way = reassemble(segments, cuts)
        assert other_way.octets() == whole.octets()
        assert [(s.originator, s.responder) for s in other_way.reassembler.streams] == [
            (s.originator, s.responder) for s in whole.reassembler.streams
        ]


def test_addresses_have_no_numbers_of_their_own() -> None:
    """A batch that knows other addresses names the same streams as the one before."""
    one, other = ("2001:db8::1", "2001:db8::2"), ("2001:db8::1:1", "2001:db8::2")
    first, second = (Talk(ends=ends).open().segments for ends in (one, other))
    state = Reassembler()
    for talk in (second, first, second, first):
        state.feed(batch_of(renumbered(talk)))
    assert [stream.frames for stream in state.streams] == [4, 4]
