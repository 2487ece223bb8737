"""One direction: what waits beyond a hole, when a hole is given up, and what is dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.reassembly import direction as rules
from cmppscope.reassembly.direction import Chunk, Direction, Trouble

MINUTE = 60_000_000_000


def take(state: Direction, *ranges: tuple[int, bytes | int]) -> list[Chunk]:
    """Feed (offset, octets or the number of octets that the capture cut off); frame n is the n-th."""
    out: list[Chunk] = []
    for frame, (start, what) in enumerate(ranges, 1):
        if isinstance(what, int):
            state.segment(start, start + what, None, frame, frame, out)
        else:
            state.segment(start, start + len(what), memoryview(what), frame, frame, out)
    return out


def told(chunks: list[Chunk]) -> list[tuple[int, bytes | int, int, int]]:
    """Give (offset, octets or size of the Gap, frame, known_frame) of chunks."""
    return [(c.offset, c.gap or bytes(c.piece), c.frame, c.known_frame) for c in chunks]


def holed(held: bytes = b"cd", at: int = 2) -> tuple[Direction, list[Chunk]]:
    """Give a direction with octets at 0, a hole at 1 and octets behind it."""
    state = Direction(0, start_known=True)
    return state, take(state, (0, b"a"), (at, held))


def test_in_order() -> None:
    """What is in order comes out at once, with its own frame."""
    state = Direction(0, start_known=True)
    assert told(take(state, (0, b"ab"), (2, b"c"))) == [(0, b"ab", 1, 1), (2, b"c", 2, 2)]


def test_a_filled_hole_releases_what_waits_by_the_frame_that_filled_it() -> None:
    """Octets that waited are put down to the frame that made the stream reach them."""
    state = Direction(0, start_known=True)
    assert told(take(state, (4, b"e"), (1, b"b"), (2, b"cd"), (0, b"a"))) == [
        (0, b"a", 4, 4),
        (1, b"b", 4, 4),
        (2, b"cd", 4, 4),
        (4, b"e", 4, 4),
    ]
    assert (state.position, state.held, state.held_octets, state.retransmitted) == (5, [], 0, 0)


def test_octets_behind_a_gap_keep_their_own_frame() -> None:
    """What a given-up hole releases was carried by the frames that carried it."""
    state, out = holed()
    out += take(state, (5, b"f"))
    state.give_up(9, out)
    assert told(out) == [(0, b"a", 1, 1), (1, 1, 2, 9), (2, b"cd", 2, 9)]
    state.give_up(10, out)
    assert told(out)[3:] == [(4, 1, 1, 10), (5, b"f", 1, 10)]
    assert state.gaps == [(1, 2), (4, 5)]


def test_the_first_copy_wins() -> None:
    """Where copies differ, what came first stays."""
    state = Direction(0, start_known=True)
    chunks = take(state, (2, b"cd"), (4, b"EF"), (1, b"XXXXXXX"), (0, b"aYY"), (0, b"ZZZZZZZZi"))
    assert b"".join(bytes(c.piece) for c in chunks) == b"aXcdEFXXi"
    assert state.retransmitted == 4 + 2 + 8


def test_octets_that_come_again_are_counted_and_dropped() -> None:
    """A resend in full or in part gives its new octets alone."""
    state = Direction(0, start_known=True)
    assert told(take(state, (0, b"abcd"), (0, b"abcd"), (2, b"cdef"), (5, b"f"))) == [
        (0, b"abcd", 1, 1),
        (4, b"ef", 3, 3),
    ]
    assert (state.retransmitted, state.late) == (4 + 2 + 1, 0)


def test_octets_before_the_first_and_inside_a_gap_are_late() -> None:
    """What comes after its place was given up cannot be put in order any more."""
    state, out = holed(at=4)
    state.give_up(3, out)
    before = state.position
    assert take(state, (-3, b"xyz"), (0, b"abcd")) == []
    assert (state.late, state.retransmitted, state.position) == (3 + 3, 1, before)


def test_octets_cut_off_by_the_capture_wait_for_a_whole_copy() -> None:
    """A snapshot length leaves a hole that a copy sent again may fill; what stands behind it waits."""
    state = Direction(0, start_known=True)
    out = take(state, (0, b"ab"), (2, 5), (7, b"h"))
    assert told(out) == [(0, b"ab", 1, 1)]
    out = take(state, (4, b"ef"), (1, b"bcd"), (6, b"g"))
    assert told(out) == [(2, b"cd", 2, 2), (4, b"ef", 2, 2), (6, b"g", 3, 3), (7, b"h", 3, 3)]
    assert (state.position, state.held, state.held_octets, state.retransmitted) == (8, [], 0, 1)


def test_octets_cut_off_are_given_up_like_a_hole() -> None:
    """Where no copy comes they are a Gap, put down to the frame that was cut."""
    state = Direction(0, start_known=True)
    out = take(state, (0, b"ab"), (2, 5), (7, b"h"))
    state.acknowledged(7, 5)
    for n in range(rules.ACKED_SEGMENTS):
        state.tick(10 + n, 5, out)
    assert told(out)[1:] == [(2, 5, 2, 25), (7, b"h", 3, 25)]
    assert state.gaps == [(2, 7)]


def test_octets_cut_off_behind_a_hole_wait_as_well() -> None:
    """A missing range beyond a hole keeps its place, and is a hole of its own when the stream reaches it."""
    state = Direction(0, start_known=True)
    out = take(state, (3, b"d"), (4, 2), (6, b"g"), (0, b"abc"))
    assert told(out) == [(0, b"abc", 4, 4), (3, b"d", 4, 4)]
    state.give_up(9, out)
    assert told(out)[2:] == [(4, 2, 2, 9), (6, b"g", 3, 9)]


def test_sixteen_segments_after_the_acknowledgement_a_hole_is_given_up() -> None:
    """The other side has the octets, so the capture lost them; a mirror port is granted some disorder."""
    state, out = holed()
    for n in range(30):
        state.tick(10 + n, 5, out)
    assert state.gaps == []
    state.acknowledged(1, 5)
    for n in range(30):
        state.tick(40 + n, 5, out)
    assert state.gaps == []
    state.acknowledged(2, 5)
    for n in range(rules.ACKED_SEGMENTS - 1):
        state.tick(70 + n, 5, out)
    assert state.gaps == []
    state.tick(99, 5, out)
    assert told(out)[1:] == [(1, 1, 2, 99), (2, b"cd", 2, 99)]


def test_a_second_after_the_acknowledgement_a_hole_is_given_up() -> None:
    """Time counts as well, from the first acknowledgement."""
    state, out = holed()
    state.acknowledged(4, 100)
    state.acknowledged(4, 900)
    state.tick(3, 100 + rules.ACKED_NS - 1, out)
    assert state.gaps == []
    state.tick(4, 100 + rules.ACKED_NS, out)
    assert state.gaps == [(1, 2)]


def test_an_acknowledgement_of_one_hole_does_not_give_up_the_next() -> None:
    """A second hole that the other side still waits for stays open."""
    state, out = holed(b"c")
    out += take(state, (5, b"f"))
    state.acknowledged(3, 5)
    for n in range(40):
        state.tick(10 + n, 5, out)
    assert state.gaps == [(1, 2)]
    state.acknowledged(6, 5)
    for n in range(40):
        state.tick(50 + n, 5, out)
    assert state.gaps == [(1, 2), (3, 5)]


def test_one_acknowledgement_of_two_holes_gives_up_both() -> None:
    """An acknowledgement of everything counts for every hole below it."""
    state, out = holed(b"c")
    out += take(state, (5, b"f"))
    state.acknowledged(6, 5)
    for n in range(rules.ACKED_SEGMENTS):
        state.tick(10 + n, 5, out)
    assert state.gaps == [(1, 2), (3, 5)]


def test_a_hole_filled_in_part_is_waited_for_anew() -> None:
    """Octets that still come show that more may come."""
    state, out = holed(b"e", at=4)
    state.acknowledged(5, 5)
    for n in range(rules.ACKED_SEGMENTS - 1):
        state.tick(10 + n, 5, out)
    out += take(state, (1, b"b"))
    state.tick(60, 5, out)
    assert state.gaps == []


def test_two_minutes_end_every_wait() -> None:
    """A hole without any acknowledgement is given up in the end, each by its own age."""
    state, out = holed(b"c")
    state.segment(5, 6, memoryview(b"f"), 3, MINUTE, out)
    state.tick(4, rules.HOLE_NS + 1, out)
    assert state.gaps == []
    state.tick(5, rules.HOLE_NS + 2, out)
    assert state.gaps == [(1, 2)]
    state.tick(6, rules.HOLE_NS + MINUTE, out)
    assert state.gaps == [(1, 2), (3, 5)]


def test_too_many_octets_or_segments_behind_a_hole_end_the_wait() -> None:
    """What is held of a direction is bounded."""
    by_segments = Direction(0, start_known=True)
    out = take(by_segments, *((2 + n, b"x") for n in range(rules.HOLE_SEGMENTS)))
    by_segments.tick(1, 0, out)
    assert out == []
    take(by_segments, (1 + 2 * rules.HOLE_SEGMENTS, b"x"))
    by_segments.tick(1, 0, out)
    assert (out[0].gap, by_segments.held_octets) == (2, 1)
    by_octets = Direction(0, start_known=True)
    size = 60_000
    count = rules.HOLE_OCTETS // size + 1
    out = take(by_octets, *((1 + n * size, bytes(size)) for n in range(count)))
    by_octets.tick(1, 0, out)
    assert (out[0].gap, by_octets.position, by_octets.held_octets) == (1, 1 + count * size, 0)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**40),
    st.integers(-rules.FAR_OCTETS, 2**32 - rules.FAR_OCTETS - 1),
)
def test_sequence_numbers_unwrap_to_one_offset(base: int, position: int, away: int) -> None:
    """What is FAR_OCTETS behind the position at most, or ahead of it, comes back from its sequence number."""
    state = Direction(base, start_known=True, position=position)
    assert state.unwrap((base + position + away) % 2**32) == position + away


def test_an_octet_far_ahead_allocates_nothing() -> None:
    """A hole of 2 GiB is a number."""
    state = Direction(0, start_known=True)
    out = take(state, (0, b"a"), (2**31 - 1, b"z"))
    assert (len(state.held), state.held_octets) == (1, 1)
    state.give_up(3, out)
    assert told(out)[1] == (1, 2**31 - 2, 2, 3)


FAR = rules.FAR_OCTETS + 100


def ahead(*more: int) -> tuple[Direction, list[Chunk]]:
    """Give a direction with single octets FAR ahead of its hole."""
    state = Direction(0, start_known=True)
    return state, take(state, (0, b"a"), (FAR, b"y"), *((FAR + n, b"z") for n in more))


@pytest.mark.parametrize(("more", "denied"), [((), False), ((2,), False), ((2, 4, 6, 8), True)])
def test_octets_far_ahead_are_left_out(more: tuple[int, ...], denied: bool) -> None:  # noqa: FBT001
    """No window reaches so far: a few octets, or any number that the other side says it lacks, displace nothing."""
    state, out = ahead(*more)
    if denied:
        state.acknowledged(1, 5)
    state.tick(9, 3 * rules.HOLE_NS, out)
    count = 1 + len(more)
    assert (state.held, state.held_octets, state.position, state.gaps) == ([], 0, 1, [])
    assert state.trouble == [Trouble("far", FAR, 2, count, FAR - 1)]
    assert told(take(state, (1, b"b"))) == [(1, b"b", 1, 1)]


def test_octets_far_ahead_are_believed_when_acknowledged_or_confirmed() -> None:
    """Where the other side has them, or several follow and no acknowledgement is captured, the stream went on there."""
    state, out = ahead()
    state.acknowledged(FAR + 1, 5)
    state.tick(9, 5 + rules.ACKED_NS, out)
    assert state.gaps == [(1, FAR)]
    state, out = ahead(*range(2, 2 * rules.FAR_SEGMENTS, 2))
    state.tick(9, 5 + rules.HOLE_NS, out)
    assert state.gaps[0] == (1, FAR)
    assert state.trouble == []


def test_a_hole_that_the_other_side_has_as_well_is_waited_for() -> None:
    """As long as acknowledgements below the hole come, its octets are still to be sent."""
    state, out = holed()
    for minute in range(1, 10):
        state.acknowledged(1, minute * MINUTE)
        state.tick(minute, minute * MINUTE, out)
    assert state.gaps == []
    state.tick(20, 9 * MINUTE + rules.HOLE_NS, out)
    assert state.gaps == [(1, 2)]


def test_a_copy_with_other_octets_is_told() -> None:
    """A copy is compared with what waits and with what was delivered; the first one stays."""
    state = Direction(0, start_known=True)
    out = take(state, (0, b"abcd"), (1, b"bXYe"), (8, b"ij"), (7, b"hIj"), (5, b"fg"))
    assert b"".join(bytes(c.piece) for c in out) == b"abcdefghij"
    assert state.trouble == [Trouble("conflict", 2, 2, 2, 0), Trouble("conflict", 8, 4, 1, 0)]


@pytest.mark.parametrize("probe", [(3, b"\0"), (3, b"")])
def test_a_keep_alive_probe_is_no_copy(probe: tuple[int, bytes]) -> None:
    """The last octet once more, with any value, or nothing at all, only asks whether somebody is there."""
    state = Direction(0, start_known=True)
    take(state, (0, b"abcd"), probe)
    assert state.trouble == []


def test_copies_of_what_was_delivered_long_ago_are_not_compared() -> None:
    """The memory reaches back RECENT_OCTETS, not beyond a Gap, and RECENT_FRAMES of the capture."""
    size = rules.RECENT_OCTETS
    state = Direction(0, start_known=True)
    take(state, (0, b"a" + bytes(size)), (0, b"X"), (1, b"Y" + bytes(8)))
    assert state.trouble == [Trouble("conflict", 1, 3, 1, 0)]
    assert len(state.recent) == size
    state.segment(1, 3, memoryview(b"ZZ"), 1 + rules.RECENT_FRAMES + 1, 0, [])
    assert len(state.trouble) == 1
    state = Direction(0, start_known=True)
    for frame, (start, octets) in {1: (0, b"abcd"), 2 + rules.RECENT_FRAMES: (4, b"ef")}.items():
        state.segment(start, start + len(octets), memoryview(octets), frame, 0, [])
    state.segment(0, 5, memoryview(b"XXXXX"), 3 + rules.RECENT_FRAMES, 0, [])
    assert state.trouble == [Trouble("conflict", 4, 3 + rules.RECENT_FRAMES, 1, 0)]
    state, out = holed()
    state.give_up(3, out)
    take(state, (0, b"X"), (2, b"c!"))
    assert state.trouble == [Trouble("conflict", 3, 2, 1, 0)]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=30))
def test_held_ranges_never_overlap_and_are_counted(pieces: list[tuple[int, int]]) -> None:
    """Whatever comes, ranges are sorted and apart, and every octet is delivered, held, repeated or late."""
    sent = bytes(range(1, 61))
    state, came = Direction(0, start_known=True), 0
    out: list[Chunk] = []
    for frame, (start, size) in enumerate(pieces, 1):
        state.segment(start, start + size, memoryview(sent)[start : start + size], frame, frame, out)
        came += size
        assert all(a.end <= b.start for a, b in zip(state.held, state.held[1:], strict=False))
        assert all(h.start > state.position for h in state.held)
        assert state.held_octets == sum(h.end - h.start for h in state.held)
    delivered = b"".join(bytes(c.piece) for c in out)
    assert delivered == sent[: state.position]
    assert came == state.position + state.held_octets + state.retransmitted + state.late
