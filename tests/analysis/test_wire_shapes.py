"""Frames as offloading hosts, mirror ports and odd stacks leave them in a capture: the PDUs are those sent."""

from __future__ import annotations

import struct

import pytest

from tests.rules.conversation import Frame, Told, analyse, every_cut, frames_of, segment_of, told

LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
TALK = (
    LOGIN + "1 SP SUBMIT 2 + ACTIVE_TEST 3\n1.1 ISMG SUBMIT_RESP 2 id=7 + ACTIVE_TEST_RESP 3\n2 SP ACK\n2.1 ISMG ACK\n"
)


def octets(result: Told) -> list[bytes]:
    """Give the PDUs."""
    return [row[1] for row in result.pdus]


def without_length(frame: Frame) -> Frame:
    """Give a frame as segmentation offload leaves it: the IP header says 0."""
    return frame._replace(octets=frame.octets[:2] + b"\0\0" + frame.octets[4:])


def padded(frame: Frame) -> Frame:
    """Give a frame that the link filled up to 46 octets and more, with what lay in its memory."""
    return frame._replace(octets=frame.octets + b"\0\0\0\x0c\0\0\0\x08" * 2)


def with_options(options: bytes) -> object:
    """Give what puts TCP options into a frame."""

    def change(frame: Frame) -> Frame:
        ip, tcp, rest = frame.octets[:20], frame.octets[20:40], frame.octets[40:]
        tcp = tcp[:12] + bytes([(5 + len(options) // 4) << 4]) + tcp[13:]
        ip = ip[:2] + struct.pack(">H", len(frame.octets) + len(options)) + ip[4:]
        return frame._replace(octets=ip + tcp + options + rest)

    return change


TIMESTAMPS = b"\x01\x01\x08\x0a" + bytes(8)
SACK = b"\x01\x01\x05\x12" + bytes(range(16))


@pytest.mark.parametrize(
    "change",
    [without_length, padded, with_options(TIMESTAMPS), with_options(SACK), with_options(TIMESTAMPS + SACK)],
    ids=["no length", "padding", "timestamps", "SACK", "both"],
)
def test_headers_and_padding_are_no_part_of_the_stream(change: object) -> None:
    """What breaks others: options or padding come into the stream, or a packet of length 0 holds nothing."""
    plain = frames_of(TALK)
    result = analyse([change(frame) for frame in plain])  # type: ignore[operator]
    assert octets(result) == octets(analyse(plain))
    assert len(result.pdus) == 6
    assert result.found == []


def test_a_segment_of_more_than_64_kib() -> None:
    """What breaks others: a segment not cut up yet, longer than IP can say."""
    sent = b"".join(segment_of(f"ACTIVE_TEST {n}") for n in range(2, 8_000))
    frames = frames_of(LOGIN + "1 SP ACK")
    last = frames[-1]
    long = without_length(last._replace(octets=last.octets + sent))
    assert len(octets(analyse([*frames[:-1], long]))) == 2 + 7_998


@pytest.mark.parametrize("cut", ["whole", "one by one"])
def test_a_frame_with_and_without_a_tag_is_one_frame(cut: str) -> None:
    """What breaks others: a mirror port shows each frame twice, and every second one counts as a resend."""
    plain = frames_of(TALK)
    twice = [f for n, frame in enumerate(plain) for f in _copies(frame, n + 1)]
    result = analyse(twice, every_cut(twice)[cut])
    assert octets(result) == octets(analyse(plain))
    report = result.analysis
    assert (report.duplicate_frames, report.retransmitted_octets, report.frames) == (len(plain), 0, len(twice))
    assert [(name, count) for name, _, count in result.found] == [("capture-duplicate-frames", 1)]


def _copies(frame: Frame, number: int) -> list[Frame]:
    """Give a frame twice, with an identification."""
    named = frame._replace(octets=frame.octets[:4] + struct.pack(">H", number) + frame.octets[6:])
    return [named, named._replace(time_ns=named.time_ns + 20_000)]


def test_a_transaction_whose_half_is_in_a_gap_is_unknown() -> None:
    """What breaks others: a lost frame of the capture counts as a request without an answer, or as an orphan."""
    lines = LOGIN + "1 SP ACTIVE_TEST 2\n1.1 ISMG ACTIVE_TEST_RESP 2 | lost\n"
    lines += "2 SP ACTIVE_TEST 3\n2.1 ISMG ACTIVE_TEST_RESP 3\n9 SP ACK\n500 SP FIN\n500.1 ISMG FIN"
    assert told(lines).pairs == [(1, 2, "answered", 1), (3, 0, "unknown", 1), (4, 5, "answered", 1)]
    lines = LOGIN + "1 SP ACTIVE_TEST 2 | lost\n1.1 ISMG ACTIVE_TEST_RESP 2\n2 SP ACTIVE_TEST 3\n"
    lines += "2.1 ISMG ACTIVE_TEST_RESP 3\n9 SP ACK\n500 SP FIN\n500.1 ISMG FIN"
    assert told(lines).strays == [(3, "unknown")]


def test_trouble_is_told_with_its_place() -> None:
    """A finding without a connection says so in the report, and counts like others."""
    result = told(LOGIN + "1 SP ACTIVE_TEST 2 | frag=24 half\n9 SP ACK")
    (row,) = [f for f in result.analysis.findings if f.rule.id == "capture-fragments-incomplete"]
    assert [(p.frame, p.stream, p.offset) for p in row.places] == [(5, -1, -1)]
    assert b'"stream":null' in result.everything["report"]
