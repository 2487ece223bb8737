"""Bodies that end too early or too late: which fields are None, and where the octets are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.cmpp import BODIES, CMPP, CMPPCut, CMPPSubmit, CMPPSurplus, Layout, layout, pdus


def ends_of_fields(layer: Any) -> dict[str, int]:
    """Return the offset behind each field of a whole layer, from the layer's start."""
    ends, offset = {}, 0
    for field in layer.fields_desc:
        offset = len(field.addfield(layer, bytes(offset), layer.getfieldval(field.name)))
        ends[field.name] = offset
    return ends


def test_cut_at_every_octet(vector: Any) -> None:
    """Exactly the fields whose last octet is there have a value, wherever the octets end."""
    whole = CMPP(vector.octets)
    header, body = ends_of_fields(whole), ends_of_fields(whole.payload)
    for length in range(len(vector.octets)):
        cut = CMPP(vector.octets[:length])
        for name, end in header.items():
            assert cut.getfieldval(name) == (whole.getfieldval(name) if end <= length else None)
        if length >= 12:
            assert type(cut.payload) is type(whole.payload)
            for name, end in body.items():
                wanted = whole.payload.getfieldval(name) if 12 + end <= length else None
                assert cut.payload.getfieldval(name) == wanted, (length, name)


def test_no_octet_is_lost(vector: Any) -> None:
    """A cut PDU builds the octets it was given, with its caches and without."""
    for length in range(len(vector.octets)):
        cut = CMPP(vector.octets[:length])
        assert bytes(cut) == vector.octets[:length]
        cut.clear_cache()
        assert bytes(cut) == vector.octets[:length]


def test_a_partial_field_stands_in_the_payload(golden: dict[str, Any]) -> None:
    """The octets of the field that is not whole are in a `CMPPCut`, and no others."""
    cut = CMPP(golden["G12"].octets[:15])
    assert cut.payload.Msg_Id is None
    assert cut[CMPPCut].load == golden["G12"].octets[12:15]
    assert CMPPCut not in CMPP(golden["G12"].octets[:20])


def test_total_length_bounds_the_body(golden: dict[str, Any]) -> None:
    """Octets behind Total_Length are no part of the body, though a field could use them."""
    octets = bytes.fromhex("00000014") + golden["G12"].octets[4:]
    pdu = CMPP(octets)
    assert pdu.payload.Msg_Id == golden["G12"].fields["Msg_Id"]
    assert pdu.payload.Result is None
    assert pdu["Padding"].load == golden["G12"].octets[20:]
    assert bytes(pdu) == octets


def test_a_list_is_whole_or_none() -> None:
    """A count beyond the octets leaves list and all behind it None; the octets are kept."""
    whole = bytes(CMPP() / CMPPSubmit(Dest_terminal_Id=["1", "2"], Msg_Content=b"hello"))
    broken = whole[:128] + b"\x03" + whole[129:]
    pdu = CMPP(broken)
    assert pdu.DestUsr_tl == 3
    assert [pdu.payload.getfieldval(name) for name in ("Dest_terminal_Id", "Msg_Length", "Msg_Content", "Reserve")] == [
        None
    ] * 4
    assert pdu[CMPPCut].load == whole[129:]
    assert bytes(pdu) == broken


def test_a_content_is_whole_or_none() -> None:
    """A Msg_Length beyond the octets leaves Msg_Content and Reserve None."""
    octets = bytes(CMPP() / CMPPSubmit(Msg_Content=b"hello", Msg_Length=200))
    pdu = CMPP(octets)
    assert (pdu.Msg_Length, pdu.Msg_Content, pdu.Reserve) == (200, None, None)
    assert pdu[CMPPCut].load == b"hello" + bytes(8)


@pytest.mark.parametrize("command", BODIES, ids=hex)
def test_surplus_octets_are_kept(command: int) -> None:
    """Octets between the last field and Total_Length are the surplus, for every command."""
    body = bytes(BODIES[command]())
    surplus = b"\xff" * 300
    octets = bytes(CMPP(Command_Id=command) / (body + surplus))
    pdu = CMPP(octets)
    assert type(pdu.payload) is BODIES[command]
    assert pdu[CMPPSurplus].load == surplus
    assert pdu.surplus == surplus
    assert bytes(pdu) == octets
    pdu.clear_cache()
    assert bytes(pdu) == octets


@pytest.mark.parametrize("command", BODIES, ids=hex)
def test_an_empty_body_has_its_layer(command: int) -> None:
    """A known command without a body has the layer of the command, every field None."""
    pdu = CMPP(bytes(CMPP(Command_Id=command)))
    assert type(pdu.payload) is BODIES[command]
    assert {pdu.payload.getfieldval(field.name) for field in BODIES[command].fields_desc} <= {None}
    assert bytes(pdu) == bytes(CMPP(Command_Id=command))


@pytest.mark.parametrize("total_length", [0, 1, 11, 12, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_any_total_length_dissects(total_length: int) -> None:
    """Total_Length below the header or beyond the octets raises nothing and loses nothing."""
    octets = total_length.to_bytes(4, "big") + bytes.fromhex("8000000400000001") + bytes(9)
    pdu = CMPP(octets)
    assert (pdu.Total_Length, pdu.Command_Id, pdu.Sequence_Id) == (total_length, 0x80000004, 1)
    assert bytes(pdu) == octets


@given(st.binary(max_size=400))
def test_any_octets_dissect(octets: bytes) -> None:
    """Any octets dissect, show, and build the same octets; so does every PDU found in them."""
    pdu = CMPP(octets)
    assert pdu.show(dump=True)
    assert repr(pdu)
    assert bytes(pdu) == octets
    assert b"".join(map(bytes, pdus(octets))) == octets
    assert isinstance(layout(octets), Layout)


@given(
    st.sampled_from(sorted(BODIES)),
    st.binary(max_size=400),
    st.integers(0, 500) | st.none(),
)
def test_any_body_dissects(command: int, body: bytes, total_length: int | None) -> None:
    """Any octets behind the header of a known command dissect, show, and build the same octets."""
    length = 12 + len(body) if total_length is None else total_length
    octets = length.to_bytes(4, "big") + command.to_bytes(4, "big") + bytes(4) + body
    pdu = CMPP(octets)
    assert pdu.show(dump=True)
    assert repr(pdu)
    assert bytes(pdu) == octets
    pdu.clear_cache()
    assert bytes(pdu) == octets


def test_tiny_buffers() -> None:
    """Buffers of no octet, of one and of two leave every header field None."""
    for octets in (b"", b"\0", b"\0\0"):
        pdu = CMPP(octets)
        assert (pdu.Total_Length, pdu.Command_Id, pdu.Sequence_Id) == (None, None, None)
        assert bytes(pdu) == octets
