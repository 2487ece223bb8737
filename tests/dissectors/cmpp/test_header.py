"""The header: pairs of requests and responses, padding, and PDUs one behind the other."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.packet import Padding, Raw

from dissectors.cmpp import (
    CMPP,
    CMPPActiveTest,
    CMPPActiveTestResp,
    CMPPConnect,
    CMPPSubmit,
    CMPPSubmitResp,
    pdus,
)


def test_a_response_answers_its_request() -> None:
    """The same Sequence_Id and bit 31 set: that is an answer, and only in one direction."""
    request, response = CMPP(Sequence_Id=7) / CMPPSubmit(), CMPP(Sequence_Id=7) / CMPPSubmitResp()
    assert response.answers(request)
    assert not request.answers(response)
    assert not response.answers(response)
    assert response.hashret() == request.hashret()


@pytest.mark.parametrize(
    "other",
    [
        CMPP(Sequence_Id=8) / CMPPSubmit(),
        CMPP(Sequence_Id=7) / CMPPConnect(),
        Raw(b"x"),
        CMPP(b""),
        CMPP(b"\0" * 9),
    ],
)
def test_anything_else_is_not_answered(other: Any) -> None:
    """Another number, another command, another protocol and half a header are not answered."""
    response = CMPP(Sequence_Id=7) / CMPPSubmitResp()
    assert not response.answers(other)
    assert response.hashret() != other.hashret()


@pytest.mark.parametrize("command", [0x04, 0x104, 0x80000005, 0x80000104, 0xC0000004])
def test_only_bit_31_makes_a_response(command: int) -> None:
    """Every other bit of Command_Id is that of the request."""
    request = CMPP(Sequence_Id=7) / CMPPSubmit()
    assert not CMPP(Command_Id=command, Sequence_Id=7).answers(request)


def test_every_golden_response_answers_its_request(golden: dict[str, Any]) -> None:
    """The vectors that are pairs answer each other, the report's DELIVER included."""
    for request, response in [
        ("G01", "G02"),
        ("G04", "G05"),
        ("G11", "G12"),
        ("G13", "G14"),
        ("G19", "G20"),
    ]:
        assert CMPP(golden[response].octets).answers(CMPP(golden[request].octets))
    assert not CMPP(golden["G05"].octets).answers(CMPP(golden["G06"].octets))


def test_one_pdu_and_padding(golden: dict[str, Any]) -> None:
    """`CMPP` dissects one PDU; what follows it is Padding, and is built again."""
    octets = golden["G05"].octets + golden["G13"].octets
    pdu = CMPP(octets)
    assert pdu[CMPPSubmitResp].Result == 0
    assert pdu[Padding].load == golden["G13"].octets
    assert bytes(pdu) == octets


def test_unknown_commands_are_raw() -> None:
    """The body of a Command_Id that nobody assigned stays raw octets."""
    pdu: Any = CMPP(bytes.fromhex("0000000e 00000003 00000001 abcd"))
    assert pdu[Raw].load == b"\xab\xcd"
    assert "unknown command" in pdu.show(dump=True)


def test_a_segment_of_several_pdus(golden: dict[str, Any]) -> None:
    """`pdus` yields each PDU of a buffer without the others in it."""
    octets = golden["G13"].octets + golden["G04"].octets + golden["G05"].octets
    assert [bytes(pdu) for pdu in pdus(octets)] == [golden[name].octets for name in ("G13", "G04", "G05")]
    assert list(pdus(b"")) == []


@pytest.mark.parametrize("kept", [1, 5, 11, 12, 100])
def test_the_last_pdu_may_be_partial(golden: dict[str, Any], kept: int) -> None:
    """A PDU that the buffer cuts short is the last one, as far as it goes."""
    first, last = pdus(golden["G13"].octets + golden["G04"].octets[:kept])
    assert CMPPActiveTest in first
    assert bytes(last) == golden["G04"].octets[:kept]


@pytest.mark.parametrize("total_length", [0, 11])
def test_an_impossible_length_ends_the_buffer(golden: dict[str, Any], total_length: int) -> None:
    """Behind a Total_Length below 12 nothing can be framed: the rest is the Padding of that PDU."""
    broken = total_length.to_bytes(4, "big") + golden["G13"].octets[4:]
    first, last = pdus(golden["G14"].octets + broken + golden["G05"].octets)
    assert CMPPActiveTestResp in first
    assert last[Padding].load == golden["G05"].octets


def test_a_thousand_pdus(golden: dict[str, Any]) -> None:
    """A buffer may hold thousands of PDUs, and none of them carries the octets of another."""
    found = list(pdus(golden["G05"].octets * 5_000))
    assert len(found) == 5_000
    assert {pdu.original for pdu in found} == {golden["G05"].octets}
    assert not any(Padding in pdu for pdu in found)


def test_the_summary_names_the_command() -> None:
    """Scapy's one-line summary says which command it is."""
    assert CMPP(bytes(CMPP(Sequence_Id=9) / CMPPSubmit())).summary() == "CMPP_SUBMIT (0x00000004) seq 9 / CMPPSubmit"
