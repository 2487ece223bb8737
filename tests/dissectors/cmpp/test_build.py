"""Building layers: defaults, counts, widths, and what a builder may break on purpose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.packet import fuzz

from dissectors.cmpp import (
    BODIES,
    CMPP,
    CMPPConnect,
    CMPPDeliver,
    CMPPFwd,
    CMPPMOReport,
    CMPPReport,
    CMPPReport71,
    CMPPSubmit,
    CMPPSubmitResp,
)
from dissectors.cmpp.counted import ContentLength, ListCount, OctetContent, OctetList
from dissectors.cmpp.fields import OctetString

REPORTS: list[Any] = [CMPPReport, CMPPReport71, CMPPMOReport]
LAYERS = {layer.__name__: layer for layer in [*BODIES.values(), *REPORTS]}


def values_of(field: Any) -> st.SearchStrategy[Any]:
    """Return all values that a field can hold."""
    if isinstance(field, OctetList):
        return st.lists(st.binary(min_size=field.width, max_size=field.width), max_size=8)
    if isinstance(field, OctetContent):
        return st.binary(max_size=255)
    if isinstance(field, OctetString):
        return st.binary(min_size=field.width, max_size=field.width)
    bits = 8 * field.sz
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if field.fmt == "!i" else st.integers(0, (1 << bits) - 1)


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
@given(st.data())
def test_build_dissect_build(layer: Any, data: st.DataObject) -> None:
    """Any values built dissect as the same values, and these build the same octets."""
    fields = [field for field in layer.fields_desc if not isinstance(field, ListCount | ContentLength)]
    values = {field.name: data.draw(values_of(field), field.name) for field in fields}
    octets = bytes(layer(**values))
    again = layer(octets)
    assert {name: again.getfieldval(name) for name in values} == values
    assert not again.payload
    again.clear_cache()
    assert bytes(again) == octets


def test_defaults_build_a_valid_submit() -> None:
    """A receiver and a content are enough for a SUBMIT whose lengths and count are right."""
    octets = bytes(CMPP(Sequence_Id=1) / CMPPSubmit(Dest_terminal_Id=["13800138000"], Msg_Content=b"hi"))
    pdu = CMPP(octets)
    assert (pdu.Total_Length, pdu.Command_Id) == (161, 4)
    assert (pdu.DestUsr_tl, pdu.Msg_Length, pdu.Msg_Content) == (1, 2, b"hi")
    assert pdu.Dest_terminal_Id == [b"13800138000".ljust(21, b"\0")]
    assert (pdu.Pk_total, pdu.Pk_number, pdu.FeeType, pdu.FeeCode) == (1, 1, b"01", b"000000")


@pytest.mark.parametrize("command", BODIES, ids=hex)
def test_every_body_names_its_command(command: int) -> None:
    """The header's Command_Id and Total_Length follow from the body's class."""
    pdu = CMPP(bytes(CMPP() / BODIES[command]()))
    assert pdu.Command_Id == command
    assert pdu.Total_Length == len(pdu)
    assert type(pdu.payload) is BODIES[command]


@pytest.mark.parametrize("receivers", [0, 1, 99, 100, 101, 255])
def test_lists_of_every_length(receivers: int) -> None:
    """A SUBMIT holds up to 255 receivers, past the 100 elements that Scapy allows by default."""
    numbers = [f"138{index:08}" for index in range(receivers)]
    octets = bytes(CMPP() / CMPPSubmit(Dest_terminal_Id=numbers, Msg_Content=b"x" * 255))
    assert len(octets) == 138 + 21 * receivers + 255
    pdu = CMPP(octets)
    assert pdu.DestUsr_tl == receivers
    assert pdu.Dest_terminal_Id == [number.encode().ljust(21, b"\0") for number in numbers]
    assert pdu.Reserve == bytes(8)


@pytest.mark.parametrize(
    ("layer", "values", "culprit"),
    [
        (CMPPSubmit, {"Msg_src": "9012345"}, "Msg_src"),
        (CMPPSubmit, {"Dest_terminal_Id": ["1" * 22]}, "Dest_terminal_Id"),
        (CMPPSubmit, {"Dest_terminal_Id": ["1"] * 256}, "DestUsr_tl"),
        (CMPPSubmit, {"Msg_Content": bytes(256)}, "Msg_Length"),
        (CMPPSubmit, {"Pk_total": 256}, "Pk_total"),
        (CMPPSubmit, {"Pk_total": -1}, "Pk_total"),
        (CMPPConnect, {"AuthenticatorSource": bytes(17)}, "AuthenticatorSource"),
        (CMPPFwd, {"Source_Id": "0001001"}, "Source_Id"),
    ],
)
def test_a_value_too_wide_is_an_error(layer: Any, values: dict[str, Any], culprit: str) -> None:
    """A value that does not fit is a ValueError naming the field; nothing is cut off silently."""
    with pytest.raises(ValueError, match=culprit):
        bytes(CMPP() / layer(**values))


def test_text_that_is_not_ascii_is_an_error() -> None:
    """Octet Strings take ASCII text; for anything else the builder gives the octets."""
    with pytest.raises(ValueError, match="Service_Id"):
        CMPPSubmit(Service_Id="\u4f60")
    assert CMPPSubmit(Service_Id=b"\xc4\xe3").Service_Id == b"\xc4\xe3".ljust(10, b"\0")


def test_text_as_content_is_an_error() -> None:
    """Msg_Content takes octets: which octets a text has, Msg_Fmt says."""
    with pytest.raises(TypeError, match="encode_text"):
        CMPPSubmit(Msg_Content="hi")


def test_given_counts_and_lengths_are_kept() -> None:
    """A builder of broken samples has the last word on counts, lengths and the header."""
    pdu = CMPP(Total_Length=99, Command_Id=5) / CMPPSubmit(DestUsr_tl=7, Msg_Length=9, Msg_Content=b"hi")
    octets = bytes(pdu)
    assert octets[:8] == bytes.fromhex("0000006300000005")
    assert (octets[128], octets[129], len(octets)) == (7, 9, 140)


def test_none_leaves_a_field_out() -> None:
    """A field given as None takes no octet."""
    assert len(bytes(CMPPSubmitResp(Result=None))) == 8


def test_right_aligned_codes_are_filled_with_zeros() -> None:
    """Gateway codes of a FWD are filled on the left with the digit 0, unless they are blank."""
    fwd = CMPPFwd(bytes(CMPPFwd(Source_Id="1001")))
    assert (fwd.Source_Id, fwd.Destination_Id) == (b"001001", bytes(6))


def test_meanings_and_texts_as_values() -> None:
    """Enumerations take their meanings, Msg_Id and Version their texts; others are errors."""
    assert CMPPSubmitResp(Result="flow control").Result == 8
    assert CMPP(Command_Id="CMPP_ACTIVE_TEST").Command_Id == 8
    assert CMPPConnect(Version="2.1").Version == 0x21
    assert CMPPSubmitResp(Msg_Id="0922101531-001001-00001").Msg_Id == 0x9B28F7C003E90001
    with pytest.raises(ValueError, match="Result"):
        CMPPSubmitResp(Result="fine")


def test_a_report_is_a_content() -> None:
    """Msg_Content takes a report layer and holds its octets."""
    report = CMPPReport(Msg_Id=5, Stat="EXPIRED", Dest_terminal_Id="13800138000")
    deliver = CMPPDeliver(Registered_Delivery=1, Msg_Content=report)
    assert deliver.Msg_Content == bytes(report)
    assert CMPP(bytes(CMPP() / deliver)).report == CMPPReport(bytes(report))


def test_scapy_can_fuzz_and_copy() -> None:
    """Scapy's own tools work on the layers: fuzz, copy and command."""
    for layer in BODIES.values():
        assert bytes(fuzz(CMPP() / layer()))
        pdu = CMPP(bytes(CMPP() / layer()))
        assert bytes(pdu.copy()) == bytes(pdu)
        assert layer.__name__ in pdu.command()
