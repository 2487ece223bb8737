"""Segments in, octets in stream order and Gaps out: the same for every batch, order, resend and overlap."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.reassembly import direction as rules
from cmppscope.reassembly.direction import ACKED_SEGMENTS, HOLE_SEGMENTS
from cmppscope.tables import ACK, FIN, PSH, SYN
from tests.reassembly.segments import (
    MILLISECOND,
    SECOND,
    Segment,
    Talk,
    cut,
    one_by_one,
    reassemble,
    renumbered,
)

SENT = bytes(range(256))
RANDOMS = st.integers(0, 2**32).map(random.Random)


def alike(segments: Sequence[Segment], *more: Sequence[int]) -> None:
    """Demand the same octets, Gaps, frames and counters from every cut into batches."""
    whole = reassemble(segments)
    for borders in (one_by_one(segments), *more):
        other = reassemble(segments, borders)
        assert other.octets() == whole.octets()
        assert other.counters() == whole.counters()


def test_in_order_segments_are_passed_on_as_they_are() -> None:
    """One chunk a segment, each with its own frame and time, offsets from the first octet of each direction."""
    talk = Talk().open().send(0, b"abc", b"d").send(1, b"xyz").send(0, b"ef")
    runs = reassemble(talk.segments).runs
    assert [r[:7] for r in runs] == [
        (0, 0, 0, b"abc", 0, 4, 4),
        (0, 0, 3, b"d", 0, 5, 5),
        (0, 0, 4, b"ef", 0, 7, 7),
        (0, 1, 0, b"xyz", 0, 6, 6),
    ]
    assert [r.time_ns for r in runs] == [talk.segments[n].time_ns for n in (3, 4, 6, 5)]
    alike(talk.segments)


def test_an_empty_batch_gives_nothing() -> None:
    """Batches without segments are no event."""
    talk = Talk().open().send(0, b"abc")
    alike(talk.segments, [0, 0, 2, 2, 4, 4])


def test_the_first_octets_are_known_to_be_the_first_behind_a_syn_alone() -> None:
    """Offset 0 is the octet behind the SYN, or the first captured."""
    state = reassemble(Talk().open().send(0, b"a").segments).reassembler.directions[0]
    assert (state.base, state.start_known) == (1001, True)
    state = reassemble(Talk().segment(0, b"a", 7).segments).reassembler.directions[0]
    assert (state.base, state.start_known) == (1008, False)
    behind = renumbered([Talk().send(0, b"a").segments[0], *Talk().open().segments])
    assert not reassemble(behind).reassembler.directions[0].start_known
    alike(behind)


def test_a_syn_ack_tells_both_starts() -> None:
    """Where the SYN was lost its answer tells where the originator's octets begin."""
    talk = Talk().open().segment(0, b"cd", 2).segment(0, b"ab", 0)
    assert reassemble(talk.segments[1:]).plain() == [b"abcd"]
    alike(talk.segments[1:])


def test_octets_on_a_syn_are_the_first() -> None:
    """A SYN may carry octets (TCP Fast Open); they stand behind its own sequence number."""
    talk = Talk().segment(0, b"ab", -1, flags=SYN).segment(1, at=-1, flags=SYN | ACK, ack=0)
    talk.segment(0, b"cd", 2)
    assert reassemble(talk.segments).plain() == [b"abcd"]
    alike(talk.segments)


def test_lost_first_octets_are_a_gap() -> None:
    """Behind a SYN the hole in front of the first segment captured is known."""
    result = reassemble(Talk().open().segment(0, b"cd", 2).segments)
    assert [r[:7] for r in result.runs] == [(0, 0, 0, b"", 2, 4, 5), (0, 0, 2, b"cd", 0, 4, 5)]


def test_octets_behind_a_fin_are_taken() -> None:
    """A FIN may be captured before the octets that it ends."""
    talk = Talk().open().send(0, b"ab").segment(0, b"", 4, flags=FIN | ACK).segment(0, b"cd", 2)
    assert reassemble(talk.segments).plain() == [b"abcd"]


def test_a_fin_that_claims_octets_twice_hides_nothing() -> None:
    """A FIN with octets is a segment like others: the first copy wins, what is new behind it comes."""
    talk = Talk().open().send(0, b"ab").segment(0, b"bc", 1, flags=FIN | ACK).segment(0, b"cde", 2)
    assert reassemble(talk.segments).plain() == [b"abcde"]
    alike(talk.segments)


def test_the_text_of_a_reset_is_no_part_of_the_stream() -> None:
    """A RST may carry a reason for people to read (RFC 9293 §3.5.3)."""
    talk = Talk().open().send(0, b"ab").rst(0, b"go away").segment(0, b"cd", 2)
    assert reassemble(talk.segments).plain() == [b"abcd"]
    alike(talk.segments)


def test_a_keep_alive_probe_adds_nothing() -> None:
    """A probe repeats the last octet, perhaps with another value."""
    talk = Talk().open().send(0, b"ab").segment(0, b"\0", 1).segment(0, b"", 1).send(0, b"cd")
    result = reassemble(talk.segments)
    assert (result.plain(), result.counters()) == ([b"abcd"], [(0, 1, 0)])
    alike(talk.segments)


def test_urgent_octets_stay_in_the_stream() -> None:
    """The URG flag changes nothing about the order of octets."""
    talk = Talk().open().send(0, b"ab").segment(0, b"c", flags=ACK | 0x20).send(0, b"d")
    assert reassemble(talk.segments).plain() == [b"abcd"]


@pytest.mark.parametrize("snapped", [True, False])
def test_octets_that_the_capture_cut_off_are_a_gap(snapped: bool) -> None:  # noqa: FBT001
    """A snapshot length leaves a Gap inside the segment, and the stream goes on behind it."""
    talk = Talk().open().segment(0, b"ab" if snapped else b"", missing=3).send(0, b"fg")
    expected: list[bytes | int] = [b"ab", 3, b"fg"] if snapped else [3, b"fg"]
    result = reassemble(talk.segments)
    assert result.plain() == expected
    assert (result.direction()[-2].frame, result.direction()[-2].known_frame) == (4, 6)
    alike(talk.segments)


def lossy() -> Talk:
    """A direction that lost two octets, and is acknowledged behind them."""
    return Talk().open().send(0, b"ab").segment(0, b"ef", 4)


def test_a_hole_is_given_up_after_its_acknowledgement_and_sixteen_segments() -> None:
    """Segments of both directions count; the Gap becomes known with the last of them."""
    talk = lossy().ack(1, ack=6).ack(0, times=8).ack(1, ack=6, times=8)
    (_, gap, behind) = reassemble(talk.segments).direction()
    assert (gap.gap, gap.frame, gap.known_frame) == (2, 5, 6 + ACKED_SEGMENTS - 1)
    assert (behind.octets, behind.frame, behind.known_frame) == (b"ef", 5, gap.known_frame)
    alike(talk.segments)


def test_a_hole_is_given_up_after_its_acknowledgement_and_a_second() -> None:
    """The first segment a second later gives it up."""
    talk = lossy().ack(1, ack=6).wait(SECOND).ack(1, ack=6).segment(0, b"cd", 2)
    result = reassemble(talk.segments)
    assert [r[3:7] for r in result.direction()[1:]] == [(b"", 2, 5, 7), (b"ef", 0, 5, 7)]
    assert result.counters() == [(0, 0, 2)]
    alike(talk.segments)


def test_a_hole_not_acknowledged_stays_open_and_is_filled_late() -> None:
    """The receiver has not got the octets either: they will be sent again."""
    talk = lossy().ack(1, ack=2, times=100).segment(0, b"cd", 2)
    assert reassemble(talk.segments).plain() == [b"abcdef"]
    alike(talk.segments)


def test_a_hole_is_given_up_after_two_minutes() -> None:
    """Without acknowledgements, as in a capture of one direction, time decides."""
    talk = lossy().wait(120 * SECOND).send(0, b"gh")
    (_, gap, *behind) = reassemble(talk.segments).direction()
    assert (gap.gap, gap.known_frame) == (2, 6)
    assert [r[3:7] for r in behind] == [(b"ef", 0, 5, 6), (b"gh", 0, 6, 6)]
    alike(talk.segments)


def test_a_hole_at_the_end_is_known_one_frame_after_the_last() -> None:
    """Closing gives up every hole, of every stream."""
    talk = lossy().segment(1, b"z", 5)
    result = reassemble(talk.segments)
    assert result.plain(0) == [b"ab", 2, b"ef"]
    assert result.plain(1) == [5, b"z"]
    assert {r.known_frame for r in result.runs if r.gap} == {7}


def test_an_acknowledgement_seen_before_its_octets_is_no_loss() -> None:
    """A mirror port may show the answer first."""
    talk = Talk().open().ack(1, ack=2).send(0, b"ab").ack(1, ack=6).segment(0, b"ef", 4).ack(1, ack=6, times=5)
    talk.segment(0, b"cd", 2)
    assert reassemble(talk.segments).plain() == [b"abcdef"]
    alike(talk.segments)


@pytest.mark.parametrize("back", [*range(12), 250, 255, 256, 257])
def test_sequence_numbers_wrap(back: int) -> None:
    """The wrap may stand in front of, inside and behind any segment."""
    talk = Talk(isn=((2**32 - 1 - back) % 2**32, 5000)).open()
    talk.segment(0, SENT[4:7], 4).segment(0, SENT[:4], 0).segment(0, SENT[2:9], 2).segment(0, SENT[9:], 9)
    talk.segment(0, SENT[:9], 0)
    assert reassemble(talk.segments).plain() == [SENT]
    alike(talk.segments)


def test_a_stream_longer_than_its_sequence_numbers() -> None:
    """Offsets run on past 4 GiB; here most octets are cut off by the capture."""
    step = 1 << 30
    talk = Talk(isn=(2**32 - 5, 5000)).open()
    for n in range(9):
        talk.segment(0, b"ab", n * step, missing=step - 2)
    result = reassemble(talk.segments)
    assert [r.offset for r in result.runs if r.octets] == [n * step for n in range(9)]
    assert result.reassembler.directions[0].position == 9 * step


def test_resends_by_the_thousand_hold_nothing() -> None:
    """One segment ten thousand times costs one step each."""
    talk = Talk().open().send(0, SENT)
    for _ in range(10_000):
        talk.segment(0, SENT, 0)
    result = reassemble(talk.segments, range(0, 10_000, 1000))
    assert (result.plain(), result.counters()) == ([SENT], [(0, 10_000 * 256, 0)])


def test_resends_behind_a_hole_hold_nothing_more() -> None:
    """While a hole is open, what comes again is not held twice."""
    talk = Talk().open().segment(0, SENT, 1)
    for _ in range(10_000):
        talk.segment(0, SENT, 1)
    result = reassemble(talk.segments)
    assert result.plain() == [1, SENT]


def test_single_octets_behind_a_hole_are_bounded() -> None:
    """An endless row of single octets behind a hole gives it up."""
    talk = Talk(step_ns=1).open()
    for n in range(20_000):
        talk.segment(0, b"x", 1 + 2 * n)
    result = reassemble(talk.segments, [5000, 10_000])
    assert result.reassembler.directions[0].held_octets == 0
    assert sum(len(r.octets) for r in result.runs) == 20_000
    assert all(r.known_frame - r.frame <= HOLE_SEGMENTS + 1 for r in result.runs if r.octets)


@pytest.mark.parametrize(
    "ahead", [10**4, 2**20, rules.FAR_OCTETS + 100, 2**31 - 1, 2**31, 2**32 - rules.FAR_OCTETS - 1]
)
@pytest.mark.parametrize("acks", [True, False])
def test_an_octet_ahead_and_silence_do_not_displace_the_stream(ahead: int, acks: bool) -> None:  # noqa: FBT001
    """What breaks others: one octet ahead of its time, forged or damaged, and the stream behind it counts as old."""
    talk = Talk().open().send(0, b"ab").segment(0, b"z", ahead)
    talk.next[0] = 2
    if acks:
        talk.ack(1)
    talk.wait(150 * SECOND)
    if acks:
        talk.ack(1)
    talk.segment(0, b"cd", 2).segment(0, b"ef", 4)
    result = reassemble(talk.segments)
    far = ahead > rules.FAR_OCTETS
    assert result.plain() == ([b"abcdef"] if far else [b"abcdef", ahead - 6, b"z"])
    assert [(o.kind, o.octets) for o in result.reassembler.odd()] == ([("far", 1)] if far else [])
    assert result.reassembler.directions[0].late == 0
    assert 0 not in result.reassembler.lost_tails()
    alike(talk.segments)


def pieces_of(rng: random.Random, sent: bytes) -> list[tuple[int, int]]:
    """Cut octets into (start, end), sometimes the same ones again and sometimes overlapping."""
    pieces, at = [], 0
    while at < len(sent):
        end = min(len(sent), at + rng.choice([1, 2, 3, 5, 20, 60]))
        pieces.append((max(0, at - rng.choice([0, 0, 0, 1, 7])), end))
        if rng.random() < 0.2:
            pieces.append(rng.choice(pieces))
        at = end
    return pieces


def disordered(rng: random.Random, talk: Talk, window: int) -> list[Segment]:
    """Give both directions of a conversation, mixed and put out of order by less than `window` places."""
    rows = []
    for direction in (0, 1):
        for start, end in pieces_of(rng, SENT):
            talk.segment(direction, SENT[start:end], start, ack=rng.choice([0, end]))
        rows.append(talk.segments[3:] if direction == 0 else [])
    body = talk.segments[3:]
    mixed = sorted(range(len(body)), key=lambda n: (n % (len(body) // 2 + 1)) + rng.random() * window)
    return renumbered(talk.segments[:3] + [body[n] for n in mixed])


@settings(max_examples=60)
@given(RANDOMS, st.integers(1, 12), st.lists(st.integers(0, 200), max_size=6), st.integers(0, 600))
def test_any_segmentation_order_and_repetition_gives_the_octets_sent(
    rng: random.Random, window: int, borders: list[int], back: int
) -> None:
    """Segments may be of any size, overlap, come again and come out of order: the octets are those sent."""
    segments = disordered(rng, Talk(isn=(2**32 - back - 1, 5000)).open(), window)
    alike(segments, borders)
    result = reassemble(segments, borders)
    if all(not r.gap for r in result.runs):
        assert (result.plain(0), result.plain(1)) == ([SENT], [SENT])


@settings(max_examples=60)
@given(RANDOMS, st.integers(1, 12))
def test_disorder_without_acknowledgements_loses_nothing(rng: random.Random, window: int) -> None:
    """Where nothing says that octets were lost, everything is put in order."""
    segments = [s._replace(flags=s.flags & ~ACK | PSH) for s in disordered(rng, Talk().open(), window)[3:]]
    syn = Talk().open().segments
    result = reassemble(renumbered([*syn, *segments]))
    assert (result.plain(0), result.plain(1)) == ([SENT], [SENT])


@settings(max_examples=60)
@given(RANDOMS, st.lists(st.integers(0, 200), max_size=6), st.booleans(), st.booleans())
def test_loss_invents_nothing(rng: random.Random, borders: list[int], handshake: bool, snapped: bool) -> None:  # noqa: FBT001
    """Every octet delivered is the one sent at its offset; octets and Gaps fill the direction up to its last octet."""
    talk = Talk().open()
    segments = [s for s in disordered(rng, talk, 6) if rng.random() < 0.8 or s.flags & SYN]
    if snapped:
        segments = [
            s._replace(payload=s.payload[:30], missing=len(s.payload[30:])) if rng.random() < 0.5 else s
            for s in segments
        ]
    if not handshake:
        segments = [s for s in segments if not s.flags & SYN]
    segments = renumbered(segments, rng.choice([MILLISECOND, SECOND // 4, 10 * SECOND]))
    alike(segments, borders)
    result = reassemble(segments, borders)
    for direction in (0, 1):
        state = result.reassembler.directions.get(direction)
        if state is None:
            continue
        base = state.base - talk.isn[direction] - 1
        for run in result.direction(direction):
            assert run.octets == SENT[base + run.offset : base + run.offset + len(run.octets)]
        runs = result.direction(direction)
        assert sum(len(r.octets) + r.gap for r in runs) == state.position
        if not snapped:
            came = sum(len(s.payload) for s in segments if s.sport == talk.ports[direction])
            assert came == sum(len(r.octets) for r in runs) + state.retransmitted + state.late


@given(st.binary(max_size=400), st.lists(st.integers(0, 40), max_size=5))
def test_no_numbers_make_it_stumble(numbers: bytes, borders: list[int]) -> None:
    """Any sequence numbers, flags and sizes are taken, and batches do not matter."""
    talk = Talk(step_ns=SECOND // 10)
    for at in range(0, len(numbers) - 11, 12):
        row = numbers[at : at + 12]
        near = row[0] & 3
        seq = 1000 + row[1] if near else int.from_bytes(row[1:5], "big")
        ack = 5000 + row[5] if near > 1 else int.from_bytes(row[5:9], "big")
        talk.raw(row[9] & 1, seq, ack, row[10] & 0x17 if row[10] & 0x80 else ACK, SENT[: row[11] & 31], row[11] >> 7)
    if talk.segments:
        alike(talk.segments, borders)
        for batch in cut(talk.segments, borders):
            assert len(batch) <= len(talk.segments)
