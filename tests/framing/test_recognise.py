"""CMPP is recognised on any port; what is not CMPP is named."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope import framing
from cmppscope.framing import Framer
from cmppscope.framing.recognise import RECOGNITION_OCTETS
from cmppscope.reassembly import Reassembler
from cmppscope.tables import SYN
from tests.framing.conversations import (
    active_test,
    active_test_resp,
    alike,
    connect,
    connect_resp,
    deliver,
    deliver_resp,
    framed,
    header,
    submit,
    submit_resp,
)
from tests.framing.test_lookalike import BIND, MESSAGE, smpp
from tests.reassembly.segments import Segment, Talk, cut, one_by_one, renumbered


def talk_of(*turns: tuple[int, bytes], port: int = 8855, size: int = 10_000, whole: bool = True) -> list[Segment]:
    """Give a conversation in which each turn is cut into segments."""
    talk = Talk(ports=(40_000, port)).open()
    for direction, octets in turns:
        for at in range(0, len(octets), size):
            talk.segment(direction, octets[at : at + size])
    segments = talk.segments if whole else [s for s in talk.segments if not s.flags & SYN]
    return renumbered(segments)


def login39() -> bytes:
    """Give an SMPP bind with the length of a CMPP CONNECT."""
    return smpp(1, b"abcdefg\0secret\0".ljust(23, b"\0"))


SMPP = [
    [
        (0, smpp(9, BIND)),
        (1, smpp(0x80000009, b"smsc\0")),
        (0, smpp(4, MESSAGE, 0, 2)),
        (1, smpp(0x80000004, b"0001\0", 0, 2)),
    ],
    [
        (0, login39()),
        (1, smpp(0x80000001, b"gateway-smsc1\0")),
        (0, smpp(0x15, b"", 0, 2)),
        (1, smpp(0x80000015, b"", 0, 2)),
    ],
    [(0, smpp(2, BIND)), (1, smpp(0x80000002, b"", 0x0D))],
    [(1, smpp(0x80000004, b"0001\0", 0, 2)), (1, smpp(0x80000004, b"0002\0", 0, 3)), (0, smpp(4, MESSAGE, 0, 4))],
    [(0, smpp(0x15, b"", 0, 2)), (1, smpp(0x80000015, b"", 0, 2))],
]
SMGP = [
    [
        (0, header(42, 1) + bytes(30)),
        (1, header(33, 0x80000001) + bytes(21)),
        (0, header(12, 4, 2)),
        (1, header(12, 0x80000004, 2)),
    ]
]
SGIP = [
    [
        (0, header(61, 1, 3_010_000_001) + (1_022_131_415).to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes(41)),
        (
            1,
            header(29, 0x80000001, 3_010_000_001)
            + (1_022_131_415).to_bytes(4, "big")
            + (1).to_bytes(4, "big")
            + bytes(9),
        ),
    ]
]
HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(190))
TLS = [[(0, HELLO), (1, HELLO)]]
HTTP = [[(0, b"GET /status HTTP/1.1\r\n\r\n"), (1, b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + bytes(12))]]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("port", [8855, 7890, 7930])
@pytest.mark.parametrize("size", [10_000, 20, 7, 1])
@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        *((t, "SMPP") for t in SMPP),
        *((t, "SMGP") for t in SMGP),
        *((t, "SGIP") for t in SGIP),
        *((t, "TLS") for t in TLS),
        *((t, "unknown") for t in HTTP),
    ],
)
def test_others_are_not_cmpp(
    turns: list[tuple[int, bytes]],
    expected: str,
    size: int,
    port: int,
    whole: bool,  # noqa: FBT001
) -> None:
    """No relative becomes CMPP, on any port, in any segments, from the first octet or from the middle."""
    result = alike(talk_of(*turns, port=port, size=size, whole=whole))
    assert (result.protocol, result.pdus) == ({0: expected}, [])


@pytest.mark.parametrize("size", [10_000, 40, 20, 13, 1])
@pytest.mark.parametrize("status", [0, 1, 3])
@pytest.mark.parametrize("port", [8855, 7890])
@pytest.mark.parametrize("sequence", [0, 1])
def test_a_login_alone_is_recognised(port: int, status: int, size: int, sequence: int) -> None:
    """One PDU each way is enough on any port, also where the login is refused."""
    result = alike(talk_of((0, connect(sequence)), (1, connect_resp(sequence, status)), port=port, size=size))
    assert result.protocol == {0: "CMPP"}
    assert (result.octets(0), result.octets(1)) == ([connect(sequence)], [connect_resp(sequence, status)])
    assert result.odd == []


def test_one_pdu_is_not_enough_on_an_unknown_port() -> None:
    """Half of the evidence is none."""
    assert alike(talk_of((0, connect()))).protocol == {0: "unknown"}


def test_one_plausible_header_is_enough_on_a_known_port() -> None:
    """On a port of CMPP 2.0 a header is believed, even one whose length fits nothing."""
    result = alike(talk_of((0, header(30, 4, 9) + bytes(18)), port=7890))
    assert (result.protocol, result.octets()) == ({0: "CMPP"}, [header(30, 4, 9) + bytes(18)])


@pytest.mark.parametrize("size", [12, 20, 30, 38])
def test_a_login_cut_by_the_end_of_the_capture_is_recognised_on_a_known_port(size: int) -> None:
    """The end of the capture is no reason to disbelieve a header."""
    result = alike(talk_of((0, connect()[:size]), port=7890))
    assert result.protocol == {0: "CMPP"}
    assert result.oddities() == [("cut", 0, size, 39, "capture")]


def test_a_row_of_pdus_is_recognised_from_one_direction() -> None:
    """A capture of one direction, from its first octet or from the middle, is enough."""
    for whole in (True, False):
        result = alike(talk_of((1, deliver(1) + deliver(2)), whole=whole))
        assert (result.protocol, result.octets(1)) == ({0: "CMPP"}, [deliver(1), deliver(2)])


@pytest.mark.parametrize("port", [8855, 7890])
def test_a_start_inside_a_pdu(port: int) -> None:
    """A capture that begins in the middle of a PDU finds the next one, wherever it begins."""
    pdus = [submit(1), active_test(2), submit(3, bytes(range(50))), active_test_resp(4), submit(5)]
    sent = b"".join(pdus)
    for at in range(len(pdus[0]) + len(pdus[1])):
        result = alike(talk_of((0, sent[at:]), port=port, whole=False))
        behind = 0 if at == 0 else 1 if at <= len(pdus[0]) else 2
        assert result.octets() == pdus[behind:]


def test_pdus_around_a_gap_are_two_pdus() -> None:
    """What stood in front of a Gap counts, and is framed when the stream is recognised."""
    talk = Talk(ports=(40_000, 8855)).open().send(0, connect() + submit(2)[:50])
    talk.next[0] += 100
    talk.send(0, submit(2)[150:], active_test(3))
    result = alike(talk.segments)
    assert result.octets() == [connect(), active_test(3)]
    rest = len(submit(2)) - 150
    assert result.oddities() == [
        ("cut", 39, 50, 0, "capture"),
        ("gap", 89, 100, 0, "capture"),
        ("skipped", 189, rest, 0, "capture"),
    ]


def test_responses_are_recognised() -> None:
    """Responses alone make a stream CMPP as well."""
    result = alike(talk_of((1, submit_resp(1)), (0, deliver_resp(1)), (1, submit_resp(2)), whole=False))
    assert (result.protocol, len(result.pdus)) == ({0: "CMPP"}, 3)


@pytest.mark.parametrize(
    ("kind", "expected", "count"), [("none", "decode-as none", 0), ("cmpp20", "CMPP", 2), ("cmpp30", "CMPP", 2)]
)
def test_decode_as_overrules(kind: str, expected: str, count: int) -> None:
    """What the user says about a port holds, against recognition and without it."""
    segments = talk_of((0, connect()), (1, connect_resp()), port=7890)
    result = alike(segments, decode_as={7890: kind})
    assert (result.protocol, len(result.pdus)) == ({0: expected}, count)
    result = alike(talk_of((0, b"GET / HTTP/1.1\r\n\r\n"), port=80), decode_as={80: kind})
    assert result.protocol == {0: expected}
    result = alike(segments, decode_as={1: "none", 40_000: kind})
    assert (result.protocol, len(result.pdus)) == ({0: expected}, count)


@pytest.mark.parametrize("port", [8855, 7890])
def test_recognition_ends(port: int) -> None:
    """After so many octets without a PDU a stream is not CMPP, whatever follows."""
    rng = random.Random(1)  # noqa: S311 - test data
    junk = rng.randbytes(RECOGNITION_OCTETS + 1).replace(b"\0\0", b"\1\1")
    result = framed(talk_of((1, junk), (0, connect() + active_test(2)), port=port, size=1400, whole=False))
    assert (result.protocol, result.pdus) == ({0: "unknown"}, [])
    turns = (1, junk[: RECOGNITION_OCTETS - 1000]), (0, connect() + active_test(2))
    result = framed(talk_of(*turns, port=port, size=1400, whole=False))
    assert result.protocol == {0: "CMPP"}


@settings(max_examples=60)
@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 100))
def test_octets_without_nul_are_never_cmpp(there: bytes, back: bytes, size: int) -> None:
    """Text and the like never become CMPP on a port that is not known."""
    turns = (0, there.replace(b"\0", b"a")), (1, back.replace(b"\0", b"a"))
    result = alike(talk_of(*turns, size=size))
    assert result.pdus == []
    assert "CMPP" not in result.protocol.values()


GivenUp = list[tuple[str, int, int, int]]
"""Kind, stream, frame and octets of what was given up."""


def recognised(segments: list[Segment], borders: Sequence[int]) -> tuple[GivenUp, dict[int, str]]:
    """Take segments in batches: give what was given up, and what each stream is."""
    state = Reassembler()
    framer = Framer(state)
    trouble = []
    for batch in cut(segments, borders):
        framer.feed(state.feed(batch))
        trouble += framer.trouble()
    framer.close(len(segments) + 1)
    return [(o.kind, o.stream, o.frame, o.octets) for o in trouble], framer.protocol


def test_octets_of_all_undecided_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap the oldest stream is given up, wherever batches were cut, and that is told."""
    monkeypatch.setattr(framing, "UNDECIDED_OCTETS", 2_000)
    talks = [Talk(ports=(40_000 + n, 5555)).open() for n in range(6)]
    for _ in range(5):
        for n, talk in enumerate(talks):
            talk.segment(0, connect() if n == 5 else b"x" * 100)
    talks[5].send(1, connect_resp())
    rows = [s for step in zip(*(t.segments[:8] for t in talks), strict=True) for s in step] + talks[5].segments[8:]
    segments = renumbered(rows)
    told = [recognised(segments, borders) for borders in ([], one_by_one(segments), [20, 31])]
    assert told[0] == told[1] == told[2]
    assert told[0][0] == [("undecided", 0, 43, 500)]
    assert told[0][1] == {5: "CMPP"} | dict.fromkeys(range(5), "unknown")


def test_undecided_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of a few octets each count as well: beyond the cap the oldest is given up."""
    monkeypatch.setattr(framing, "UNDECIDED_STREAMS", 3)
    talks = [Talk(ports=(40_000 + n, 5555)).open().send(0, b"x") for n in range(5)]
    segments = renumbered([s for t in talks for s in t.segments])
    for borders in ([], one_by_one(segments), [7, 15]):
        assert recognised(segments, borders)[0] == [("undecided", 0, 16, 1), ("undecided", 1, 20, 1)]
