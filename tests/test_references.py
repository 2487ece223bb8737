"""References: every PDU's octets are where they are said to lie, carried by the frames that are named."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.analysis import Analysis, Options
from cmppscope.references import Places
from cmppscope.rules import Facts
from cmppscope.tables import ADDRESS_BITS, FILES_ADDRESSED, NOWHERE, FrameBatch
from tests.analysis.test_law import wild
from tests.rules.conversation import Frame, batches, every_cut, frames_of

FILE = 3


class Piece(NamedTuple):
    """Octets of a PDU as references tell them."""

    frame: int
    address: int
    length: int


class Located(NamedTuple):
    """A PDU and what references tell of it."""

    octets: bytes
    frame: int
    address: int
    pieces: list[Piece]


class Kept(NamedTuple):
    """An Analysis with references, fed to its end."""

    pdus: list[Located]
    analysis: Analysis

    @property
    def held(self) -> int:
        """Chunks that references hold."""
        assert self.analysis._front._references is not None
        return len(self.analysis._front._references)


def in_a_file(frames: Sequence[Frame], cuts: Sequence[int] = (), file: int = FILE) -> list[FrameBatch]:
    """Give batches that say that all frames follow each other in one file, the first at its beginning."""
    made, at = [], 0
    for batch in batches(frames, cuts):
        batch.file, batch.file_offset = file, batch.offset + at
        at += len(batch.octets)
        made.append(batch)
    return made


def pieces_of(places: Places, row: int, frame: int, length: int) -> list[Piece]:
    """Give the pieces of one PDU; one that is told none of is in one piece."""
    mine = places.row == row
    if not mine.any():
        return [Piece(frame, int(places.address[row]), length)]
    columns = (places.frame[mine].tolist(), places.piece[mine].tolist(), places.length[mine].tolist())
    return [Piece(*each) for each in zip(*columns, strict=True)]


def located(made: Sequence[FrameBatch], *, close: bool = True) -> Kept:
    """Analyse batches, and note what is told of each PDU."""
    analysis = Analysis(Options(references=True))
    facts: list[Facts] = [analysis.feed(batch) for batch in made]
    facts += analysis.close() if close else []
    found: list[Located] = []
    for each in facts:
        places, batch = each.places, each.batch
        assert places is not None or not len(batch)
        for row in range(len(batch)):
            octets, frame = batch.octets_of(row), int(batch.frame[row])
            assert places is not None
            pieces = pieces_of(places, row, frame, len(octets))
            found.append(Located(octets, frame, int(places.address[row]), pieces))
    return Kept(found, analysis)


def check(frames: Sequence[Frame], pdus: Sequence[Located], *, whole_packets: bool) -> None:
    """Demand that octets and frames are those of the PDUs."""
    image = b"".join(frame.octets for frame in frames)
    ends = list(accumulate(len(frame.octets) for frame in frames))
    for pdu in pdus:
        assert sum(piece.length for piece in pdu.pieces) == len(pdu.octets)
        if pdu.address != NOWHERE:
            begin = pdu.address - (FILE << ADDRESS_BITS)
            assert image[begin : begin + len(pdu.octets)] == pdu.octets
            assert len(pdu.pieces) == 1
        at = 0
        for piece in pdu.pieces:
            assert piece.address != NOWHERE or not whole_packets
            if piece.address != NOWHERE:
                begin = piece.address - (FILE << ADDRESS_BITS)
                assert image[begin : begin + piece.length] == pdu.octets[at : at + piece.length]
                assert ends[piece.frame - 1] - len(frames[piece.frame - 1].octets) <= begin
                assert begin + piece.length <= ends[piece.frame - 1]
            at += piece.length
        carriers = [piece.frame for piece in pdu.pieces]
        assert pdu.frame == carriers[-1] or pdu.frame >= max(carriers)  # its last octet, or what filled a hole


@settings(max_examples=25, deadline=None)
@given(wild(), st.lists(st.integers(0, 120), max_size=8))
def test_octets_are_where_they_are_said_to_lie(frames: list[Frame], cuts: list[int]) -> None:
    """Whatever the peers, TCP and the capture do; and however batches are cut, the same is told."""
    fragmented = any(int.from_bytes(frame.octets[6:8], "big") & 0x3FFF for frame in frames)
    one_by_one = every_cut(frames)["one by one"]
    whole = located(in_a_file(frames))
    check(frames, whole.pdus, whole_packets=not fragmented)
    for other in (cuts, one_by_one):
        assert located(in_a_file(frames, other)).pdus == whole.pdus


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=30),
    st.randoms(use_true_random=False),
    st.booleans(),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_any_segmentation_order_and_resends_are_followed(
    sizes: list[int],
    rng: Any,
    known: bool,  # noqa: FBT001 - Hypothesis draws it
    cuts: list[int],
) -> None:
    """PDUs cut anywhere into segments that overlap, come twice and in another order are found octet by octet."""
    lines = [f"SUBMIT {n} text={'b' * (n % 7)}" for n in range(1, 9)]
    frames = frames_of(["0 SP CONNECT 1", "0 ISMG CONNECT_RESP 1", "1 SP " + " + ".join(lines)], handshake=known)
    head, last = frames[:-1], frames[-1]
    segments = []
    at, header, payload = 0, last.octets[:40], last.octets[40:]
    for size in [*sizes, len(payload)]:
        if at >= len(payload):
            break
        begin = max(0, at - rng.choice((0, 0, 0, 5)))
        segments.append(segment(last, header, payload[begin : at + size], begin))
        at += size
    for _ in range(rng.randint(0, 4)):
        one, other = rng.randrange(len(segments)), rng.randrange(len(segments))
        segments[one], segments[other] = segments[other], segments[one]
    segments.insert(rng.randrange(len(segments) + 1), segments[rng.randrange(len(segments))])
    frames = [*head, *(each._replace(time_ns=last.time_ns + n * 60_000_000) for n, each in enumerate(segments))]
    whole = located(in_a_file(frames))
    assert [pdu.octets for pdu in whole.pdus][2:] == [pdu.octets for pdu in located(in_a_file([*head, last])).pdus][2:]
    check(frames, whole.pdus, whole_packets=True)
    for other in (cuts, every_cut(frames)["one by one"]):
        assert located(in_a_file(frames, other)).pdus == whole.pdus


def segment(frame: Frame, header: bytes, payload: bytes, offset: int) -> Frame:
    """Give a frame (raw IPv4) with other octets of its stream."""
    total = (len(header) + len(payload)).to_bytes(2, "big")
    seq = (int.from_bytes(header[24:28], "big") + offset) & 0xFFFFFFFF
    head = header[:2] + total + header[4:24] + seq.to_bytes(4, "big") + header[28:]
    return frame._replace(octets=head + payload)


def test_a_pdu_across_segments_names_all_of_them() -> None:
    """Its pieces are in the order of the stream, each with its frame; it has no address of its own."""
    whole = frames_of(["0 SP CONNECT 1", "1 SP SUBMIT 2"])
    header, payload = whole[-1].octets[:40], whole[-1].octets[40:]
    parts = [(0, 50), (50, 51), (51, len(payload))]
    frames = whole[:-1] + [segment(whole[-1], header, payload[a:b], a) for a, b in parts]
    pdu = located(in_a_file(frames)).pdus[-1]
    assert pdu.address == NOWHERE
    assert [(piece.frame, piece.length) for piece in pdu.pieces] == [(4, 50), (5, 1), (6, len(payload) - 51)]
    assert pdu.frame == 6


def test_a_segment_that_overlaps_gives_its_new_octets() -> None:
    """What came before is passed over, in the file as well."""
    whole = frames_of(["0 SP CONNECT 1", "1 SP SUBMIT 2 + SUBMIT 3"])
    header, payload = whole[-1].octets[:40], whole[-1].octets[40:]
    frames = whole[:-1] + [segment(whole[-1], header, payload[a:b], a) for a, b in ((0, 100), (90, None))]
    pdus = located(in_a_file(frames)).pdus
    assert [piece.length for piece in pdus[1].pieces] == [100, len(pdus[1].octets) - 100]
    check(frames, pdus, whole_packets=True)


def test_octets_that_waited_name_the_frame_that_carried_them() -> None:
    """The PDU is put down to the frame that filled the hole; its octets lie in an earlier one."""
    frames = frames_of(["0 SP CONNECT 1", "1 SP SUBMIT 2", "1.1 SP SUBMIT 3"])
    frames[-2], frames[-1] = frames[-1]._replace(time_ns=frames[-2].time_ns), frames[-2]
    pdus = located(in_a_file(frames)).pdus
    assert [(pdu.frame, pdu.pieces[0].frame) for pdu in pdus] == [(3, 3), (5, 5), (5, 4)]
    check(frames, pdus, whole_packets=True)


@pytest.mark.parametrize("file", [FILES_ADDRESSED, FILES_ADDRESSED + 1])
def test_files_beyond_the_last_index_have_no_addresses(file: int) -> None:
    """An index that has no room in an address gives none, rather than that of another file."""
    pdus = located(in_a_file(frames_of(["0 SP CONNECT 1"]), file=file)).pdus
    assert [pdu.address for pdu in pdus] == [NOWHERE]


def test_frames_of_no_file_have_frames_and_no_addresses() -> None:
    """What comes live is told with its frames all the same."""
    pdus = located(batches(frames_of(["0 SP CONNECT 1", "1 ISMG CONNECT_RESP 1"]))).pdus
    assert [(pdu.address, pdu.pieces[0].frame, pdu.frame) for pdu in pdus] == [(NOWHERE, 3, 3), (NOWHERE, 4, 4)]


@pytest.mark.parametrize("cut", ["whole", "one by one"])
def test_nothing_is_held_that_no_pdu_can_begin_in(cut: str) -> None:
    """Whole PDUs, octets skipped without end, and streams that are something else leave nothing behind."""
    talk = frames_of([f"{n} SP SUBMIT {n}" for n in range(20)])
    garbage = frames_of(["0 SP CONNECT 1", *(f"{n} SP X raw={'ee' * 40}" for n in range(1, 60))])
    other = frames_of([f"{n} SP X raw={'16030100' + '11' * 60}" for n in range(20)], port=5016)
    assert [located(in_a_file(f, every_cut(f)[cut]), close=False).held for f in (talk, other)] == [0, 0]
    assert located(in_a_file(garbage, every_cut(garbage)[cut]), close=False).held <= 1


def test_what_is_held_points_at_no_buffer() -> None:
    """The octets of frames are let go with their batch, also where a PDU goes on in the next."""
    frames = frames_of(["0 SP CONNECT 1", "1 SP SUBMIT 2 cut=60", "2 SP SUBMIT 3"])
    analysis, gone = Analysis(Options(references=True)), []
    for batch in in_a_file(frames, every_cut(frames)["one by one"]):
        buffer = np.array(batch.octets)
        batch.octets = buffer
        gone.append(weakref.ref(buffer))
        del buffer
        places = analysis.feed(batch).places
        assert places is not None
    del batch
    assert [each() for each in gone] == [None] * len(gone)


def test_an_analysis_tells_no_places_unless_asked() -> None:
    """Reports and tables do not pay for them."""
    analysis = Analysis(Options())
    facts = [analysis.feed(batch) for batch in in_a_file(frames_of(["0 SP CONNECT 1"]))] + analysis.close()
    assert [each.places for each in facts] == [None] * len(facts)
