"""Frames that a mirror port captured twice count once; what a peer sends again is its own doing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.reassembly import duplicates as rules
from cmppscope.reassembly.duplicates import Duplicates
from cmppscope.tables import ACK, RST, SYN
from tests.reassembly.segments import Segment, Talk, cut, one_by_one, reassemble

MICROSECOND = 1000


def copied(segments: Sequence[Segment], borders: Sequence[int] = ()) -> list[int]:
    """Give the frames that are copies."""
    found, frames = Duplicates(), []
    for batch in cut(segments, borders):
        marks = found.find(batch)
        found.place(batch, marks, batch.frame[~marks] * 0)
        frames += batch.frame[marks].tolist()
    return frames


def numbered(segments: Sequence[Segment]) -> list[Segment]:
    """Give segments the frames of their order, and keep their times."""
    return [segment._replace(frame=n) for n, segment in enumerate(segments, 1)]


def mirrored(rng: random.Random, segments: Sequence[Segment]) -> list[Segment]:
    """Give a capture that holds each frame twice, the copies up to a few places and 100 µs later."""
    keyed = []
    for n, segment in enumerate(segments):
        named = segment._replace(ip_id=n + 1)
        keyed.append((named.time_ns, n, named))
        late = rng.randrange(100) * MICROSECOND
        keyed.append((named.time_ns + late, n, named._replace(time_ns=named.time_ns + late)))
    keyed.sort(key=lambda row: row[:2])
    return numbered([segment for *_, segment in keyed])


def conversation() -> Talk:
    """A whole connection with octets in both directions, of which some are sent again."""
    talk = Talk().open()
    for n in range(8):
        talk.send(0, bytes([n]) * 20).ack(1).send(1, bytes([n + 100]) * 5)
    return talk.segment(0, bytes([7]) * 20, 140).fin(0).fin(1)


@settings(max_examples=30)
@given(st.integers(0, 2**32).map(random.Random), st.lists(st.integers(0, 80), max_size=6))
def test_a_capture_of_every_frame_twice_is_that_of_every_frame(rng: random.Random, borders: list[int]) -> None:
    """Octets, counters and streams are those of one copy, however the batches were cut."""
    once = conversation().segments
    twice = mirrored(rng, once)
    result = reassemble(twice, borders)
    alone = reassemble(once)
    assert [result.plain(d) for d in (0, 1)] == [alone.plain(d) for d in (0, 1)]
    assert result.counters() == alone.counters() == [(0, 20, 0), (1, 0, 0)]
    assert {stream: count for stream, (count, _) in result.reassembler.duplicates.items()} == {0: len(once)}
    assert reassemble(twice, one_by_one(twice)).reassembler.duplicates == result.reassembler.duplicates
    assert copied(twice) == copied(twice, borders) == copied(twice, one_by_one(twice))


def pair(apart_ns: int, **other: Any) -> list[Segment]:
    """Give a segment and a second one of the same numbers, some time apart."""
    first = Talk().open().send(0, b"abcd").segments[-1]._replace(frame=1, ip_id=77)
    return [first, first._replace(**{"frame": 2, "time_ns": first.time_ns + apart_ns} | other)]


def test_an_identification_tells_a_copy_from_a_resend() -> None:
    """With the same one a copy may be some ms late; a resend has another, and is none."""
    assert copied(pair(rules.IDENTIFIED_NS - 1)) == [2]
    assert copied(pair(1 - rules.IDENTIFIED_NS)) == [2]
    assert copied(pair(rules.IDENTIFIED_NS)) == []
    assert copied(pair(MICROSECOND, ip_id=78)) == []


def test_without_an_identification_time_tells() -> None:
    """IPv6 has none, and some senders of IPv4 write 0: only what comes at once is a copy."""
    near, far = pair(rules.DUPLICATE_NS - 1), pair(rules.DUPLICATE_NS)
    assert copied([s._replace(ip_id=0) for s in near]) == [2]
    assert copied([s._replace(ip_id=0) for s in far]) == []


def test_empty_acknowledgements_without_identification_are_left_alone() -> None:
    """Three equal ones at once ask for a resend; they are no copies."""
    acks = [s._replace(flags=ACK, payload=b"", ip_id=0) for s in pair(MICROSECOND)]
    assert copied(acks) == []
    assert copied([s._replace(ip_id=5) for s in acks]) == [2]
    assert copied([s._replace(flags=SYN) for s in acks]) == [2]


@pytest.mark.parametrize("collides", [False, True])
def test_any_other_number_or_octet_makes_another_segment(
    monkeypatch: pytest.MonkeyPatch,
    collides: bool,  # noqa: FBT001
) -> None:
    """Copies agree in everything, also where the mixed number does not tell."""
    if collides:
        monkeypatch.setattr(rules, "_mixed", lambda batch: np.zeros(len(batch), np.uint64))
    for other in (
        {"seq": 5},
        {"ip_id": 78},
        {"ack": 5},
        {"flags": ACK | RST},
        {"sport": 41_000},
        {"dport": 7900},
        {"src": "10.0.0.9"},
        {"dst": "10.0.0.9"},
        {"payload": b"abcX"},
        {"payload": b"abc"},
    ):
        assert copied(pair(MICROSECOND, **other)) == []


def test_a_copy_that_holds_more_is_kept() -> None:
    """Two ports may cut at different lengths: the longer copy fills what the shorter one left out."""
    short, whole = pair(MICROSECOND)
    short = short._replace(payload=b"ab", missing=2)
    assert copied([short, whole]) == []
    assert copied(numbered([whole, short._replace(time_ns=whole.time_ns)])) == [2]
    talk = Talk().open()
    talk.segment(0, b"ab", 0, missing=2)
    talk.segments.append(talk.segments[-1]._replace(frame=5, payload=b"abcd", missing=0))
    assert reassemble(talk.segments).plain() == [b"abcd"]


def test_a_copy_is_looked_for_among_the_last_segments_only() -> None:
    """So many segments may stand between both copies."""
    first, again = pair(MICROSECOND)
    others = [first._replace(seq=5000 + n) for n in range(rules.DUPLICATE_SEGMENTS)]
    assert copied(numbered([first, *others[1:], again])) == [rules.DUPLICATE_SEGMENTS + 1]
    assert copied(numbered([first, *others, again])) == []


def test_a_syn_copied_behind_its_refusal_opens_nothing() -> None:
    """What breaks others: the copy of a SYN behind a RST looks like a new connection on the same ports."""
    talk = Talk(step_ns=MICROSECOND).segment(0, at=-1, flags=SYN).rst(1)
    syn = talk.segments[0]._replace(frame=3, time_ns=talk.time_ns + MICROSECOND)
    assert len(reassemble([*talk.segments, syn]).reassembler.streams) == 1
    assert len(reassemble([*talk.segments, syn._replace(time_ns=talk.time_ns * 2)]).reassembler.streams) == 2
