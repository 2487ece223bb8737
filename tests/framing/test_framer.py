"""Segments in, PDUs out: the same for every segmentation, order, resend and batch; none lost, none invented."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.tables import ACK, FITS_20, LAYOUT_20, PSH, SYN
from tests.framing.conversations import (
    Framed,
    active_test,
    active_test_resp,
    alike,
    connect,
    connect_resp,
    conversation,
    deliver,
    framed,
    header,
    submit,
    submit_resp,
)
from tests.reassembly.segments import MILLISECOND, SECOND, Segment, Talk, renumbered

LENGTHS = [0, 4, 11, 12, 13, 21, 30, 85, 200, 8578, 8579, 2**31 - 1, 2**32 - 1]
RANDOMS = st.integers(0, 2**32).map(random.Random)
BORDERS = st.lists(st.integers(0, 300), max_size=8)


def places(pdus: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Give the offsets at which PDUs stand that follow each other."""
    return list(zip(accumulate((len(p) for p in pdus[:-1]), initial=0), pdus, strict=True))


def in_pieces(rng: random.Random, sent: bytes, sizes: Sequence[int]) -> list[tuple[int, bytes]]:
    """Cut octets into (offset, piece)."""
    pieces, at = [], 0
    while at < len(sent):
        size = rng.choice(sizes)
        pieces.append((at, sent[at : at + size]))
        at += size
    return pieces


def segments_of(
    rng: random.Random, sides: Sequence[Sequence[bytes]], sizes: Sequence[int], talk: Talk, window: float = 0
) -> list[Segment]:
    """Give the segments of a conversation, both directions mixed and out of order by about `window` places."""
    keyed: list[tuple[float, Segment]] = []
    for direction, side in enumerate(sides):
        pieces = in_pieces(rng, b"".join(side), sizes)
        for n, (at, piece) in enumerate(pieces):
            begin = len(talk.segments)
            talk.segment(direction, piece, at, flags=PSH if window else PSH | ACK, ack=0)
            keyed.append((n / len(pieces) + rng.random() * window / len(pieces), talk.segments[begin]))
            if window and rng.random() < 0.25:
                again = talk.segments[begin] if rng.random() < 0.5 else _overlapping(rng, talk, direction, at, side)
                keyed.append((n / len(pieces) + rng.random() * 2 * window / len(pieces), again))
    keyed.sort(key=lambda pair: pair[0])
    return [segment for _, segment in keyed]


def _overlapping(rng: random.Random, talk: Talk, direction: int, at: int, side: Sequence[bytes]) -> Segment:
    """Give a segment that begins before a place and ends behind it, wherever that cuts those around it."""
    sent = b"".join(side)
    begin = max(0, at - rng.choice([0, 1, 5, 40]))
    talk.segment(direction, sent[begin : at + rng.choice([1, 12, 60])], begin, flags=PSH, ack=0)
    return talk.segments[-1]


def reached_at(segments: Sequence[Segment], sport: int, isn: int) -> list[int]:
    """Give, for each octet of a direction, the frame at which the octets up to it had all come."""
    came: set[int] = set()
    reached: list[int] = []
    for segment in segments:
        if segment.sport == sport:
            begin = (segment.seq - isn - 1 + bool(segment.flags & SYN)) % 2**32
            came.update(range(begin, begin + len(segment.payload)))
            while len(reached) in came:
                reached.append(segment.frame)
    return reached


@settings(max_examples=40)
@given(RANDOMS, st.sampled_from([*range(1, 21), 50, 200, 5000]), BORDERS, st.booleans())
def test_every_segmentation_gives_the_pdus_sent(
    rng: random.Random,
    size: int,
    borders: list[int],
    known_port: bool,  # noqa: FBT001
) -> None:
    """However PDUs are cut into segments, they come out whole, each put down to the frame of its last octet."""
    sides = conversation(rng, 4 if size < 3 else 8)
    talk = Talk(ports=(40_000, 7890 if known_port else 8855)).open()
    segments = renumbered(talk.segments[:3] + segments_of(rng, sides, [size], talk))
    result = alike(segments, borders)
    assert result.odd == []
    for direction in (0, 1):
        assert result.places(direction) == places(sides[direction])
        reached = reached_at(segments, talk.ports[direction], talk.isn[direction])
        for pdu in result.pdus:
            if pdu.direction == direction:
                assert pdu.frame == reached[pdu.offset + len(pdu.octets) - 1]
                assert pdu.time_ns == segments[pdu.frame - 1].time_ns
                assert (pdu.layout, pdu.fits & FITS_20) == (LAYOUT_20, FITS_20)
    if known_port:
        assert all(p.known_frame == p.frame for p in result.pdus if p.pdu > 2)


@settings(max_examples=40)
@given(RANDOMS, st.integers(2, 20), BORDERS)
def test_order_and_resends_change_nothing(rng: random.Random, window: int, borders: list[int]) -> None:
    """Segments out of order and sent again give the same PDUs, at the frame that made the stream reach their end."""
    sides = conversation(rng)
    talk = Talk(isn=(2**32 - rng.randrange(300), 5000)).open()
    segments = renumbered(talk.segments[:3] + segments_of(rng, sides, [1, 7, 12, 30, 90], talk, window))
    result = alike(segments, borders)
    assert result.odd == []
    for direction in (0, 1):
        assert result.places(direction) == places(sides[direction])
        reached = reached_at(segments, talk.ports[direction], talk.isn[direction])
        ends = {p.offset: p.frame for p in result.pdus if p.direction == direction}
        assert ends == {o: reached[o + len(p) - 1] for o, p in places(sides[direction])}


@settings(max_examples=40)
@given(RANDOMS, BORDERS, st.sampled_from([[20], [60, 100], [1, 12, 200], [300]]), st.booleans(), st.booleans())
def test_loss_loses_what_it_holds_and_invents_nothing(
    rng: random.Random,
    borders: list[int],
    sizes: list[int],
    whole: bool,  # noqa: FBT001
    known_port: bool,  # noqa: FBT001
) -> None:
    """Every PDU wholly outside the holes is found, and none but those sent."""
    sides = conversation(rng, 10)
    talk = Talk(ports=(40_000, 7890 if known_port else 8855)).open()
    body = segments_of(rng, sides, sizes, talk)
    kept = [s for s in body if rng.random() < 0.9]
    segments = renumbered((talk.segments[:3] if whole else []) + kept, rng.choice([MILLISECOND, SECOND]))
    result = alike(segments, borders) if segments else framed(segments)
    for direction in (0, 1):
        came = [s for s in kept if s.sport == talk.ports[direction]]
        held = {(s.seq - talk.isn[direction] - 1) % 2**32 + n for s in came for n in range(len(s.payload))}
        base = 0
        if result.reassembler.directions.get(direction):
            base = result.reassembler.directions[direction].base - talk.isn[direction] - 1
        found = [(offset + base, octets) for offset, octets in result.places(direction)]
        sent = places(sides[direction])
        assert set(found) <= set(sent)
        if whole and known_port:
            outside = [(o, p) for o, p in sent if held.issuperset(range(o, o + len(p)))]
            assert found == outside


@pytest.mark.parametrize("known_port", [True, False])
@pytest.mark.parametrize("size", [1, 12, 40])
def test_a_hole_at_every_octet_of_three_pdus(size: int, known_port: bool) -> None:  # noqa: FBT001
    """The PDUs before and behind the hole are found, the first one behind it too."""
    pdus = [submit(1), active_test(2), deliver(3, bytes(range(60))), submit(4), active_test_resp(5)]
    sent, sides = b"".join(pdus), places(pdus)
    for at in range(0, len(sent) - size + 1, 1 if size == 1 else 5):
        talk = Talk(ports=(40_000, 7890 if known_port else 8855)).open()
        if at:
            talk.segment(0, sent[:at], 0)
        talk.segment(0, sent[at + size :], at + size)
        result = framed(talk.segments) if at % 10 else alike(talk.segments, [4])
        assert result.places() == [(o, p) for o, p in sides if o + len(p) <= at or o >= at + size]


@settings(max_examples=40)
@given(RANDOMS, BORDERS, st.booleans())
def test_any_octets_on_a_known_port_are_accounted_for(rng: random.Random, borders: list[int], whole: bool) -> None:  # noqa: FBT001
    """Nothing raises, and every octet is PDU, skipped, missing or cut (`framed` checks the sum)."""
    talk = Talk(ports=(40_000, 7890)).open()
    for direction in (0, 1):
        talk.segment(direction, connect() if direction == 0 else connect_resp())
    for _ in range(rng.randrange(1, 25)):
        direction = rng.randrange(2)
        piece = rng.choice(
            [
                rng.randbytes(rng.randrange(40)),
                header(rng.choice(LENGTHS), rng.choice([1, 4, 5, 8, 0x80000004, 0xABCD])),
                submit(rng.randrange(9)),
                active_test(rng.randrange(9)),
                active_test_resp(rng.randrange(9))[: rng.randrange(1, 14)],
                deliver(7, header(12, 8) * 3),
                bytes(rng.randrange(5)),
            ]
        )
        if rng.random() < 0.9:
            talk.segment(direction, piece)
        else:
            talk.next[direction] += len(piece)
        if rng.random() < 0.03:
            talk.wait(SECOND).ack(0).ack(1)
    if rng.random() < 0.5:
        talk.fin(rng.randrange(2))
    segments = talk.segments
    if not whole:
        segments = [s for s in segments if not s.flags & SYN]
    alike(renumbered(segments), borders)


@settings(max_examples=40)
@given(st.binary(max_size=120), st.binary(max_size=120), st.integers(1, 30), BORDERS, st.sampled_from([7890, 8855]))
def test_no_octets_make_it_stumble(there: bytes, back: bytes, size: int, borders: list[int], port: int) -> None:
    """Octets of no protocol at all are taken on any port."""
    talk = Talk(ports=(40_000, port)).open()
    for at in range(0, max(len(there), len(back)), size):
        talk.segment(0, there[at : at + size]).segment(1, back[at : at + size])
    alike(talk.segments, borders)
    alike(talk.segments, borders, decode_as={port: "cmpp20"})


def test_many_small_pdus_in_a_segment() -> None:
    """A segment may hold 120 PDUs, and then ten thousand."""
    for count in (120, 3_000):
        sent = [active_test(n) for n in range(count)]
        talk = Talk().open().send(0, connect(), b"".join(sent))
        assert framed(talk.segments).octets() == [connect(), *sent]


def endless(length: int) -> Framed:
    """Feed a header that claims more than ever comes, then octets one by one, a few in a batch."""
    talk = Talk(step_ns=1).open().send(0, connect(), active_test(), header(2**31, 4)[:4])
    sent = (header(8000, 4) + bytes(range(256)) * 80)[:length]
    for at in range(length):
        talk.segment(0, sent[at : at + 1])
    return framed(talk.segments, range(4, length, 10))


def test_a_search_fed_octet_by_octet_ends() -> None:
    """Where framing is lost, a candidate that waits for 8,000 octets is not looked at anew for each of them in full."""
    result = endless(9_000)
    assert [len(p) for p in result.octets()] == [39, 12]


def test_recognition_fed_octet_by_octet_ends() -> None:
    """Octets of an unknown protocol are not searched from the first one again each time."""
    talk = Talk(ports=(40_000, 5555), step_ns=1)
    for n in range(40_000):
        talk.segment(n & 1, bytes([n % 251]))
    assert framed(talk.segments).protocol == {0: "unknown"}


def test_a_thousand_resends_of_a_pdu() -> None:
    """A PDU that comes again by TCP is one PDU."""
    talk = Talk().open().send(0, connect(), submit(2))
    for _ in range(1_000):
        talk.segment(0, submit(2), 39)
    assert framed(talk.segments).octets() == [connect(), submit(2)]


def test_streams_side_by_side() -> None:
    """Streams do not disturb each other, and PDUs are numbered over all of them."""
    talks = [Talk(ports=(40_000 + n, 7890)).open().send(0, connect()).send(1, connect_resp()) for n in range(20)]
    talks[7].segment(0, b"\0" * 5).send(0, active_test(3))
    talks[9].next[0] += 12
    for talk in talks:
        talk.send(0, submit(2)).send(1, submit_resp(2)).fin(0)
    rows = [s for step in zip(*(t.segments[:8] for t in talks), strict=True) for s in step]
    rows += talks[7].segments[8:]
    result = alike(renumbered(rows), [30, 100])
    assert [len(result.octets(0, n)) for n in range(20)] == [3 if n == 7 else 2 for n in range(20)]


def test_the_frame_of_a_pdu_behind_a_gap_is_the_one_that_carried_its_end() -> None:
    """Behind a Gap a PDU is put down to its own frame, and known when the Gap is."""
    talk = Talk().open().send(0, connect())
    talk.next[0] += 12
    talk.send(0, submit(3), active_test(4)).ack(1).wait(SECOND).ack(1)
    result = alike(talk.segments)
    assert [(p.frame, p.known_frame) for p in result.pdus] == [(4, 4), (5, 8), (6, 8)]


def test_what_was_held_until_recognition_is_known_with_it() -> None:
    """On an unknown port the first PDU becomes known with the second."""
    talk = Talk(ports=(40_000, 8855)).open().send(0, connect()).ack(1).send(1, connect_resp()).send(0, submit(2))
    result = alike(talk.segments)
    assert [(p.frame, p.known_frame) for p in result.pdus] == [(4, 6), (6, 6), (7, 7)]


def test_borders_of_segments_do_not_matter_for_pairs() -> None:
    """Two PDUs cut at any octet are two PDUs."""
    sent = submit(2) + active_test(3)
    for at in range(1, len(sent)):
        talk = Talk().open().send(0, connect(), sent[:at], sent[at:])
        assert alike(talk.segments).octets() == [connect(), submit(2), active_test(3)]


def test_offsets_are_sorted_inside_a_frame() -> None:
    """PDUs that become known together are in order of stream, direction and offset."""
    talk = Talk().open().send(0, connect()).send(1, connect_resp())
    talk.next[0] += 5
    talk.next[1] += 5
    talk.send(1, active_test(3) * 3).send(0, active_test(3) * 3)
    result = framed(talk.segments)
    rows = [(p.known_frame, p.direction, p.offset) for p in result.pdus]
    assert rows == sorted(rows)
    assert all(a < b for a, b in pairwise(rows))
