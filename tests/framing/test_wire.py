"""What the peer or the capture does to framing, told octet for octet."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.framing import conversations as cmpp
from tests.framing.conversations import active_test, active_test_resp, alike, connect, deliver, header, submit
from tests.reassembly.segments import SECOND, Talk

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
MAKERS = {
    name: getattr(cmpp, name)
    for name in (
        "connect",
        "connect_resp",
        "active_test",
        "active_test_resp",
        "submit",
        "submit_resp",
        "deliver",
        "deliver_resp",
        "terminate",
    )
}


def sent(*octets: bytes) -> Talk:
    """Give a talk on a known port whose originator sends a CONNECT and then these octets, one segment each."""
    return Talk().open().send(0, connect(), *octets)


@pytest.mark.parametrize("surplus", [b"\0\0\0", b"\0", b"\x20", b"\xff", b"\0\0", b"\r\n", b"\0\0\0\0", b"abcdefgh"])
def test_surplus_octets_behind_a_pdu_are_skipped_and_named(surplus: bytes) -> None:
    """The next header is found at once, and every one behind it."""
    result = alike(sent(active_test(2) + surplus + submit(3), surplus, active_test(4), submit(5)).segments)
    assert result.octets() == [connect(), active_test(2), submit(3), active_test(4), submit(5)]
    skipped = [(o.offset, o.octets, o.fault) for o in result.odd if o.kind == "skipped"]
    behind = 51 + len(surplus) + len(submit(3))
    assert skipped == [(51, len(surplus), "peer"), (behind, len(surplus), "peer")]
    assert {p.known_frame - p.frame for p in result.pdus} == {0}


@pytest.mark.parametrize(
    ("length", "kind"),
    [
        (0, "below-header"),
        (4, "below-header"),
        (11, "below-header"),
        (8579, "impossible"),
        (0x7FFFFFFF, "impossible"),
        (0xFFFFFFFF, "impossible"),
    ],
)
def test_a_length_that_cannot_be_is_named_and_its_octets_skipped(length: int, kind: str) -> None:
    """Total_Length below 12 or beyond any PDU is no PDU; framing goes on at the next header."""
    result = alike(sent(header(length, 4, 2) + b"abc", active_test(3)).segments)
    assert result.octets() == [connect(), active_test(3)]
    assert result.oddities() == [(kind, 39, 0, length, "peer"), ("skipped", 39, 15, 0, "peer")]
    assert [o.known_frame for o in result.odd] == [5, 6]


def test_a_length_that_cannot_be_is_known_with_its_command() -> None:
    """Only in front of a known Command_Id is it a length; other octets are surplus."""
    bad = header(3, 4)
    result = alike(sent(bad[:2], bad[2:7], bad[7:], active_test(2)).segments)
    assert [(o.kind, o.frame, o.known_frame) for o in result.odd] == [("below-header", 5, 7), ("skipped", 5, 8)]
    result = alike(sent(header(3, 0xABCD), active_test(2)).segments)
    assert [(o.kind, o.frame, o.known_frame) for o in result.odd] == [("skipped", 5, 6)]


def test_an_unknown_command_is_a_pdu_when_a_header_follows() -> None:
    """Vendors have commands of their own; they are PDUs of no layout, known with the header behind them."""
    vendor = header(20, 0xABCD, 2) + b"whatever"
    result = alike(sent(vendor, active_test(3)[:7], active_test(3)[7:]).segments)
    assert result.octets() == [connect(), vendor, active_test(3)]
    assert [(p.layout, p.fits, p.frame, p.known_frame) for p in result.pdus[1:2]] == [(0, 0, 5, 7)]
    assert result.odd == []


def test_an_unknown_command_at_the_end_is_a_pdu() -> None:
    """Where nothing follows, nothing contradicts."""
    vendor = header(20, 0xABCD, 2) + b"whatever"
    result = alike(sent(vendor).segments)
    assert (result.octets(), result.odd) == ([connect(), vendor], [])
    assert result.pdus[1].known_frame == 6


def test_a_wrong_length_with_a_header_behind_it_is_a_pdu() -> None:
    """A PDU that fits no layout but ends where the next begins is what the peer sent."""
    long = header(40, 1, 2) + bytes(28)
    result = alike(sent(long, active_test(3)).segments)
    assert (result.octets(), result.odd) == ([connect(), long, active_test(3)], [])


def test_a_bare_header_that_claims_what_follows_it_is_skipped() -> None:
    """A header that claims 90 octets but is followed by another PDU at once hides nothing."""
    bare = header(90, 5, 2)
    result = alike(sent(bare, active_test(3), submit(4), active_test(5)).segments)
    assert result.octets() == [connect(), active_test(3), submit(4), active_test(5)]
    assert result.oddities() == [("skipped", 39, 12, 0, "peer")]
    assert [p.known_frame for p in result.pdus] == [4, 7, 7, 8]


def test_a_bare_header_at_the_end_hides_nothing() -> None:
    """A header whose length fits no layout does not swallow the PDUs behind it when the stream ends."""
    bare = header(500, 1, 2)
    result = alike(sent(bare, active_test(3), submit(4)).segments)
    assert result.octets() == [connect(), active_test(3), submit(4)]
    assert result.oddities() == [("skipped", 39, 12, 0, "peer")]


def test_a_pdu_hidden_by_a_bare_header_is_known_when_the_header_is_disbelieved() -> None:
    """The octets behind what a header claims tell, so nothing inside becomes known before them."""
    result = alike(sent(header(23, 1, 2) + active_test(3), submit(4)).segments)
    assert [(p.octets, p.frame, p.known_frame) for p in result.pdus[1:]] == [(active_test(3), 5, 6), (submit(4), 6, 6)]


def test_a_candidate_that_never_comes_is_known_at_the_end() -> None:
    """Out of step a header that may fit is waited for; what stands behind it is known when no more octets come."""
    result = alike(sent(header(2**31, 1, 2), header(200, 4, 3) + active_test(4)).ack(1, times=3).segments)
    assert [(p.octets, p.frame, p.known_frame) for p in result.pdus[1:]] == [(active_test(4), 6, 10)]


@pytest.mark.parametrize("size", [1, 3, 4, 7, 8, 11, 12, 50, 163])
def test_an_end_inside_a_pdu(size: int) -> None:
    """A FIN inside a PDU is the peer's doing; the end of the capture is the capture's."""
    part = submit(2)[:size]
    claimed = len(submit(2)) if size >= 4 else 0
    result = alike(sent(part).segments)
    assert result.octets() == [connect()]
    assert [(o.kind, o.offset, o.octets, o.value, o.fault, o.frame) for o in result.odd] == [
        ("cut", 39, size, claimed, "capture", 5)
    ]
    result = alike(sent(part).fin(0).segments)
    assert [(o.kind, o.offset, o.octets, o.value, o.fault, o.frame) for o in result.odd] == [
        ("truncated", 39, size, claimed, "peer", 6)
    ]


def test_an_end_while_octets_are_skipped() -> None:
    """What stands behind the last header found is skipped to the end."""
    result = alike(sent(header(2**31, 1) + b"abc").segments)
    assert result.oddities() == [("impossible", 39, 0, 2**31, "peer"), ("skipped", 39, 15, 0, "peer")]


def test_a_gap_inside_a_pdu() -> None:
    """The PDU that the Gap hit is gone, with its octets before counted at the Gap and those behind skipped."""
    talk = sent(submit(2)[:50])
    talk.next[0] += 30
    talk.send(0, submit(2)[80:], active_test(3), submit(4))
    result = alike(talk.segments)
    assert result.octets() == [connect(), active_test(3), submit(4)]
    rest = len(submit(2)) - 80
    assert result.oddities() == [("gap", 89, 30, 50, "capture"), ("skipped", 119, rest, 0, "capture")]


def test_several_gaps() -> None:
    """Between two Gaps a PDU is found, even alone."""
    talk = sent(submit(2)[:50])
    for n in range(5):
        talk.next[0] += 30
        talk.send(0, active_test(n) if n % 2 else b"\0" + active_test(n) + b"\0\0\0")
    result = alike(talk.segments)
    assert result.octets() == [connect(), *(active_test(n) for n in range(5))]
    assert [o.octets for o in result.odd if o.kind == "gap"] == [30] * 5


def test_a_gap_as_long_as_a_pdu_or_many() -> None:
    """Where the Gap ends between two PDUs nothing is skipped."""
    talk = sent()
    talk.next[0] += 1000
    talk.send(0, active_test(3)).ack(1).wait(SECOND).ack(1)
    result = alike(talk.segments)
    assert result.oddities() == [("gap", 39, 1000, 0, "capture")]
    assert result.places() == [(0, connect()), (1039, active_test(3))]


def test_text_that_looks_like_a_header_behind_a_gap_is_no_pdu() -> None:
    """Behind a Gap a place inside octets is believed when a header follows the PDU there, not otherwise."""
    content = b"x" * 30 + active_test(9) + b"y" * 30
    part = deliver(2, content)
    talk = sent(part[:20])
    talk.next[0] += 20
    talk.send(0, part[40:] + active_test(3), submit(4))
    result = alike(talk.segments)
    assert result.octets() == [connect(), active_test(3), submit(4)]


def test_text_that_looks_like_headers_in_step_is_content() -> None:
    """In step nothing inside a PDU is looked at."""
    pdus = [connect(), deliver(2, active_test(9) * 10), active_test_resp(3)]
    assert alike(Talk().open().send(0, b"".join(pdus)).segments).octets() == pdus


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    """Segments in, PDUs and oddities out, as the file says."""
    scenario = tomllib.loads(path.read_text("utf-8"))
    talk = Talk(ports=(40_000, scenario.get("port", 7890)))
    if scenario.get("handshake", True):
        talk.open()
    for row in scenario["segments"]:
        play(talk, row)
    result = alike(talk.segments)
    expected = scenario["expected"]
    assert result.protocol[0] == expected.get("protocol", "CMPP")
    pdus = [f"{p.direction} {p.offset} {name_of(p.octets)} {p.frame} {p.known_frame}" for p in result.pdus]
    assert pdus == expected["pdus"]
    odd = [f"{o.direction} {o.offset} {o.kind} {o.octets} {o.value} {o.fault} {o.known_frame}" for o in result.odd]
    assert odd == expected["oddities"]


def play(talk: Talk, row: dict[str, Any]) -> None:
    """Add what one row of a scenario tells."""
    octets = b"".join(piece_of(piece) for piece in row.get("octets", ()))
    begin, end = row.get("slice", (0, len(octets)))
    talk.wait(int(row.get("wait_s", 0) * SECOND))
    if "lost" in row:
        talk.next[row["from"]] += row["lost"]
    elif row.get("fin"):
        talk.fin(row["from"])
    elif octets:
        talk.segment(row["from"], octets[begin:end], row.get("at"))
    else:
        talk.ack(row["from"], times=row.get("times", 1))


def piece_of(piece: str) -> bytes:
    """Give the octets of `name sequence`, or of `hex digits`."""
    name, value = piece.split()
    return bytes.fromhex(value) if name == "hex" else MAKERS[name](int(value))


def name_of(octets: bytes) -> str:
    """Name a PDU as scenarios do."""
    sequence = int.from_bytes(octets[8:12], "big")
    return next((f"{name}({sequence})" for name, make in MAKERS.items() if make(sequence) == octets), octets.hex())
