"""The benchmark capture is what it says: the same octets for a seed, and every PDU it counted."""

from __future__ import annotations

import io
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cmpp_octets as cmpp
from make_capture import LEAST_FRAMES, Faults, write_capture

RESPONSE = 0x8000_0000
PARTY = cmpp.Party(b"901234", b"TPCQ", b"1234", b"cmpp-secret")
MORNING = int(np.datetime64("2002-09-22T10:15:30").astype(np.int64)) - cmpp.CHINA


class Segment(NamedTuple):
    """A frame of the capture as far as these tests look."""

    time: float
    flow: tuple[bytes, bytes]
    flags: int
    seq: int
    payload: bytes


def capture(
    frames: int, seed: int = 1, streams: int = 4, faults: Faults | None = None
) -> tuple[bytes, dict[str, object]]:
    """Make a capture in memory."""
    out = io.BytesIO()
    facts = write_capture(out, frames=frames, seed=seed, streams=streams, faults=faults or Faults())
    return out.getvalue(), facts


def segments(octets: bytes) -> Iterator[Segment]:
    """Read the frames of a capture, and hold its lengths and checksums to be right."""
    at = 24
    while at < len(octets):
        seconds, micros, captured, length = struct.unpack_from("<4I", octets, at)
        frame = octets[at + 16 : at + 16 + captured]
        at += 16 + captured
        ip, tcp = frame[14:34], frame[34:]
        assert captured == length == 14 + int.from_bytes(ip[2:4])
        assert checksum(ip) == 0
        assert checksum(ip[12:20] + struct.pack(">HH", 6, len(tcp)) + tcp) == 0
        yield Segment(
            seconds + micros / 1e6,
            (ip[12:16] + tcp[:2], ip[16:20] + tcp[2:4]),
            tcp[13],
            int.from_bytes(tcp[4:8]),
            tcp[tcp[12] >> 4 << 2 :],
        )


def checksum(octets: bytes) -> int:
    """Return the Internet checksum: zero over octets that hold their own."""
    total: int = sum(struct.unpack(f">{(len(octets) + 1) // 2}H", octets + b"\0" * (len(octets) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def pdus(octets: bytes) -> list[tuple[float, tuple[bytes, bytes], bytes]]:
    """Frame every direction by Total_Length; time is that of the segment with the last octet."""
    found = []
    waiting: dict[tuple[bytes, bytes], bytes] = defaultdict(bytes)
    expected: dict[tuple[bytes, bytes], int] = {}
    for segment in segments(octets):
        if segment.flags & 2:
            expected[segment.flow] = (segment.seq + 1) % 2**32
            continue
        assert segment.seq == expected[segment.flow]
        taken = len(segment.payload) + (segment.flags & 1)
        expected[segment.flow] = (segment.seq + taken) % 2**32
        stream = waiting[segment.flow] + segment.payload
        while len(stream) >= 12 and len(stream) >= (size := int.from_bytes(stream[:4])):
            found.append((segment.time, segment.flow, stream[:size]))
            stream = stream[size:]
        waiting[segment.flow] = stream
    assert not any(waiting.values())
    return found


def head(pdu: bytes) -> tuple[int, int]:
    """Command_Id and Sequence_Id."""
    return int.from_bytes(pdu[4:8]), int.from_bytes(pdu[8:12])


def test_a_seed_gives_the_same_octets_again() -> None:
    """Two captures of one seed are equal, those of two seeds are not."""
    assert capture(2_000) == capture(2_000)
    assert capture(2_000, seed=2)[0] != capture(2_000)[0]


def test_every_counted_pdu_is_there_in_order() -> None:
    """Joined by sequence numbers, each direction holds whole PDUs, as many as were printed."""
    octets, facts = capture(2_000)
    counted = Counter(cmpp.NAMES[head(pdu)[0]] for _, _, pdu in pdus(octets))
    assert counted == facts["commands"]
    assert facts["frames"] == 2_000 == sum(1 for _ in segments(octets))
    assert facts["octets"] == len(octets)


def test_responses_come_after_their_requests() -> None:
    """Every request is answered once and later, and never are more than 16 open."""
    octets, _ = capture(4_000)
    asked: dict[tuple[object, int, int], float] = {}
    opened: Counter[object] = Counter()
    for time, source, pdu in pdus(octets):
        target = source[::-1]
        command, sequence = head(pdu)
        if command < RESPONSE:
            assert asked.setdefault((source, command, sequence), time) == time
            opened[source] += command != cmpp.ACTIVE_TEST
            assert opened[source] <= 16
        else:
            assert asked.pop((target, command ^ RESPONSE, sequence)) < time
            opened[target] -= command ^ RESPONSE != cmpp.ACTIVE_TEST
    assert not asked


def test_segments_hold_many_pdus_and_parts_of_pdus() -> None:
    """The capture is worth reassembling: PDUs cross segments, and segments hold several."""
    octets, _ = capture(4_000)
    payloads = [segment.payload for segment in segments(octets) if segment.payload]
    inside = sum(1 for p in payloads if int.from_bytes(p[4:8]) & 0x7FFF_FFFF not in cmpp.NAMES)
    assert inside > 100
    assert len(payloads) < 0.9 * 4_000
    assert max(map(len, payloads)) <= 1_448


@settings(max_examples=25)
@given(st.integers(1, 5), st.integers(LEAST_FRAMES, 90), st.integers(0, 99))
def test_any_small_size_can_be_made(streams: int, each: int, seed: int) -> None:
    """From the least number of frames a stream on, exactly the wanted frames come out."""
    octets, facts = capture(streams * each, seed, streams)
    assert facts["frames"] == streams * each
    assert len(pdus(octets)) == facts["pdus"]


def test_loss_and_reordering_are_in_the_frames_only() -> None:
    """Faults leave the printed counts alone: they say what was sent, not what was captured."""
    octets, facts = capture(2_000, faults=Faults(loss=0.02, reorder=0.05))
    found = list(segments(octets))
    assert facts["lost_frames"] == 2_000 - len(found) > 0
    assert [s.time for s in found] == sorted(s.time for s in found)
    assert facts["commands"] == capture(2_000)[1]["commands"]


def ints(*values: int) -> cmpp.Ints:
    """A column of integers."""
    return np.array(values, np.int64)


def test_login_is_the_golden_one() -> None:
    """CONNECT and CONNECT_RESP equal the specification's vectors, authenticators included."""
    connect = cmpp.connect(ints(1), PARTY, ints(MORNING))
    assert connect[0].tobytes() == bytes.fromhex(
        "000000270000000100000001393031323334bd879810632cfa1cfc840bacafbb70a02036f6271a"
    )
    assert cmpp.connect_resp(ints(1), PARTY, connect)[0].tobytes() == bytes.fromhex(
        "0000001e800000010000000100b3d13e4dda0582fee63bc03c687875de20"
    )


def test_submit_is_the_golden_one() -> None:
    """SUBMIT and its response equal the specification's vectors."""
    content = np.frombuffer("你好，CMPP".encode("utf-16-be"), np.uint8)[None]
    rows, lengths = cmpp.submit(ints(2), PARTY, ints(13_800_138_000), ints(8), content, ints(content.shape[1]))
    assert lengths.tolist() == [173]
    assert rows[0].tobytes() == bytes.fromhex(
        "000000ad00000004000000020000000000000000010101015450435100000000"
        "0000020000000000000000000000000000000000000000000000083930313233"
        "3430313030303030300000000000000000000000000000000000000000000000"
        "0000000000000000000000313233340000000000000000000000000000000000"
        "013133383030313338303030000000000000000000000e4f60597dff0c004300"
        "4d005000500000000000000000"
    )
    msg_ids = cmpp.msg_id(ints(MORNING + 1), 1001, ints(1))
    assert cmpp.answer(cmpp.SUBMIT, ints(2), msg_ids, ints(0))[0].tobytes() == bytes.fromhex(
        "0000001580000004000000029b28f7c003e9000100"
    )


def test_report_is_the_golden_one() -> None:
    """DELIVER with a status report equals the specification's vector."""
    stat = np.frombuffer(b"DELIVRD", np.uint8)[None]
    about = cmpp.msg_id(ints(MORNING + 1), 1001, ints(1))
    report = about, stat, ints(MORNING), ints(MORNING + 60), ints(12_345_678)
    own = np.array([0x9B28_FA00_03E9_0003], np.uint64)
    rows = cmpp.deliver_report(ints(2), PARTY, ints(13_800_138_000), own, report)
    assert rows[0].tobytes() == bytes.fromhex(
        "0000009100000005000000029b28fa0003e90003313233340000000000000000"
        "0000000000000000005450435100000000000000000031333830303133383030"
        "3000000000000000000000013c9b28f7c003e9000144454c4956524430323039"
        "3232313031353032303932323130313631333830303133383030300000000000"
        "000000000000bc614e0000000000000000"
    )


@pytest.mark.parametrize(
    ("command", "sequence", "octets"),
    [
        (cmpp.ACTIVE_TEST, 7, "0000000c0000000800000007"),
        (cmpp.ACTIVE_TEST | RESPONSE, 7, "0000000d800000080000000700"),
        (cmpp.TERMINATE, 10, "0000000c000000020000000a"),
        (cmpp.TERMINATE | RESPONSE, 10, "0000000c800000020000000a"),
    ],
)
def test_short_pdus_are_the_golden_ones(command: int, sequence: int, octets: str) -> None:
    """PDUs without a body worth a builder equal the specification's vectors."""
    assert cmpp.fixed(command, ints(sequence))[0].tobytes() == bytes.fromhex(octets)
