"""IP fragments: what overlaps or is never whole is told, copies count once, an identification may be used again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.decode import fragments
from cmppscope.decode.fragments import Fragments, Key, Piece, Whole

KEY: Key = (4, 1, 2, 77, 6)
PAYLOAD = bytes(range(64))
MILLISECOND = 1_000_000


def piece(start: int, end: int, payload: bytes = PAYLOAD, captured: int | None = None) -> Piece:
    """Give a fragment of a payload, perhaps cut by the capture."""
    return Piece(start, end, payload[start:end][:captured], last=end == len(payload))


def put(*pieces: Piece, step_ns: int = MILLISECOND) -> tuple[Fragments, list[Whole]]:
    """Add fragments; frame n is the n-th."""
    table = Fragments()
    wholes = [table.add(KEY, p, n, n * step_ns) for n, p in enumerate(pieces, 1)]
    return table, [w for w in wholes if w is not None]


def told(table: Fragments) -> list[tuple[str, int, int, int]]:
    """Give (kind, frame, octets, value) of what was told, with the end of the capture."""
    for key in list(table.held):
        table.give_up(key)
    return [(o.kind, o.frame, o.octets, o.value) for o in table.odd]


def test_a_teardrop_is_told_and_harmless() -> None:
    """What breaks others: a fragment inside another one makes a length below zero."""
    table, wholes = put(piece(0, 40), piece(16, 24), piece(40, 64))
    assert wholes == [Whole(PAYLOAD, 64)]
    assert told(table) == [("fragments-overlap", 3, 8, 0)]


def test_overlaps_are_told_once_a_packet_with_all_octets() -> None:
    """The fragment that begins first wins; how many octets came twice is counted."""
    table, wholes = put(piece(0, 24), Piece(16, 48, b"!" * 32, last=False), piece(40, 64))
    assert wholes == [Whole(PAYLOAD[:24] + b"!" * 24 + PAYLOAD[48:], 64)]
    assert told(table) == [("fragments-overlap", 3, 16, 0)]


def test_packets_never_whole_are_told() -> None:
    """The capture lost a fragment: what came of the packet is no segment."""
    table, wholes = put(piece(0, 24), piece(24, 40))
    assert (wholes, told(table), table.incomplete, table.octets) == ([], [("fragments-lost", 1, 40, 2)], 1, 0)


def test_an_identification_used_again_begins_a_new_packet() -> None:
    """What breaks others: two packets of one identification, the first without its end, made into one."""
    other = bytes(reversed(PAYLOAD))
    table, wholes = put(piece(0, 40), piece(0, 40, other), piece(40, 64, other))
    assert wholes == [Whole(other, 64)]
    assert told(table) == [("fragments-lost", 1, 40, 1)]


def test_two_trains_of_one_identification_are_two_packets() -> None:
    """A packet that is whole leaves its identification free."""
    other = bytes(reversed(PAYLOAD))
    _, wholes = put(piece(0, 40), piece(40, 64), piece(0, 40, other), piece(40, 64, other))
    assert [w.octets for w in wholes] == [PAYLOAD, other]


@pytest.mark.parametrize("order", [(0, 0, 1, 1), (0, 1, 0, 1), (1, 1, 0, 0), (1, 0, 1, 0)])
def test_fragments_captured_twice_count_once(order: tuple[int, ...]) -> None:
    """A mirror port's copies neither overlap nor begin a packet that is never whole."""
    parts = [piece(0, 40), piece(40, 64)]
    table, wholes = put(*(parts[n] for n in order))
    assert (wholes, told(table)) == ([Whole(PAYLOAD, 64)], [])


def test_a_packet_sent_again_later_is_a_packet() -> None:
    """Long after, equal fragments are no copies."""
    parts = [piece(0, 40), piece(40, 64)]
    table, wholes = put(*parts, *parts, step_ns=fragments.COPY_NS)
    assert (len(wholes), told(table)) == (2, [])


def test_a_copy_that_was_cut_less_fills_in() -> None:
    """Of two copies the longer one's octets are kept, and the sum is right."""
    table, wholes = put(piece(0, 40, captured=8), piece(0, 40), piece(0, 40, captured=3), piece(40, 64))
    assert (wholes, told(table), table.octets) == ([Whole(PAYLOAD, 64)], [], 0)


def test_reaching_a_cap_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packet that waited longest goes, under the name of the cap."""
    monkeypatch.setattr(fragments, "PACKETS_MAX", 2)
    table = Fragments()
    for n in range(4):
        table.add((4, 1, 2, n, 6), piece(0, 40), n + 1, n)
    assert [(o.kind, o.frame, o.octets) for o in table.odd] == [("fragments-full", 1, 40), ("fragments-full", 2, 40)]
    monkeypatch.setattr(fragments, "WHOLE_KEPT", 2)
    for n in range(4):
        table.add((6, 1, 2, n, 6), piece(0, 64), n + 1, n)
    assert len(table._whole) == 2


@given(st.integers(0, 2**32).map(random.Random), st.integers(1, 30))
def test_any_fragments_are_taken(rng: random.Random, count: int) -> None:
    """Whatever comes, nothing raises, the sum of what is held is right, and a whole packet has its size."""
    table = Fragments()
    for n in range(count):
        start, size = rng.randrange(0, 64, 8), rng.choice([8, 16, 24, 5])
        part = Piece(start, start + size, rng.choice([PAYLOAD, bytes(99)])[start : start + size], last=size == 5)
        whole = table.add((4, 1, 2, rng.randrange(3), 6), part, n + 1, n * MILLISECOND * rng.choice([1, 30_000]))
        assert whole is None or len(whole.octets) == whole.size
        assert table.octets == sum(len(p.octets) for packet in table.held.values() for p in packet.pieces)
