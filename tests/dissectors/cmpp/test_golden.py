"""The golden vectors, dissected, built and rebuilt."""

from __future__ import annotations

from typing import Any

import pytest

from dissectors.cmpp import (
    BODIES,
    CMPP,
    CMPPBody30,
    CMPPConnect,
    Layout,
    decode_text,
    layout,
    octet_text,
)


def plain(field: Any, value: Any) -> Any:
    """Return a field's value as golden.toml writes it."""
    if isinstance(value, list):
        return [octet_text(element) for element in value]
    if isinstance(value, bytes):
        return value.hex() if field.name == "Msg_Content" or field.name.startswith("Auth") else octet_text(value)
    return value


def plain_fields(*layers: Any) -> dict[str, Any]:
    """Return all fields of the layers, in order, as golden.toml writes them."""
    return {field.name: plain(field, layer.getfieldval(field.name)) for layer in layers for field in layer.fields_desc}


def given(vector: Any) -> dict[str, Any]:
    """Return the body's fields as keywords, without what building fills in."""
    keywords = {name: value for name, value in vector.body.items() if name not in {"DestUsr_tl", "Msg_Length"}}
    return {
        name: bytes.fromhex(value) if name == "Msg_Content" or name.startswith("Auth") else value
        for name, value in keywords.items()
    }


def test_every_field_dissects(vector: Any) -> None:
    """Every field of every 2.0 vector has its value, in order, and nothing is left over."""
    pdu = CMPP(vector.octets)
    assert plain_fields(pdu, pdu.payload) == vector.fields
    assert list(plain_fields(pdu, pdu.payload)) == list(vector.fields)
    assert type(pdu.payload) is BODIES[vector.fields["Command_Id"]]
    assert not pdu.payload.payload


def test_rebuilds_from_its_fields(vector: Any) -> None:
    """A dissected vector without its caches builds the same octets again."""
    pdu = CMPP(vector.octets)
    pdu.clear_cache()
    assert pdu.raw_packet_cache is None
    assert pdu.payload.raw_packet_cache is None
    assert bytes(pdu) == vector.octets


def test_builds_from_keywords(vector: Any) -> None:
    """A vector builds from its values alone: lengths, counts and Command_Id are filled in."""
    body = BODIES[vector.fields["Command_Id"]](**given(vector))
    assert bytes(CMPP(Sequence_Id=vector.fields["Sequence_Id"]) / body) == vector.octets


def test_reports_dissect(vector: Any) -> None:
    """A vector has a report layer exactly where golden.toml has a report, with the same fields."""
    report = CMPP(vector.octets).report
    assert (report and plain_fields(report)) == vector.report


def test_texts_decode(vector: Any) -> None:
    """The content decodes to the text that golden.toml tells, behind the header that it tells."""
    text = CMPP(vector.octets).text
    if vector.text is None and vector.text_starts is None:
        assert text is None or text.text is None
    else:
        assert text is not None
        assert text.text is not None
        assert text.text == vector.text or (vector.text_starts and text.text.startswith(vector.text_starts))
        assert not text.problems
    if vector.udh:
        assert text is not None
        assert text.udh is not None
        assert text.udh.octets.hex() == vector.udh


def test_a_long_message_has_all_its_characters(golden: dict[str, Any]) -> None:
    """Part one of the long message holds 67 characters behind its six-octet header."""
    text = CMPP(golden["G07"].octets).text
    assert text is not None
    assert (len(text.text or ""), text.offset) == (67, 6)


def test_later_layouts_are_not_read_as_20(later_vector: Any) -> None:
    """A body of 3.0 is recognised, named and left unread; CONNECT alone has the layout of 2.0."""
    pdu = CMPP(later_vector.octets)
    assert pdu.Total_Length == len(later_vector.octets)
    assert pdu.Sequence_Id == later_vector.fields["Sequence_Id"]
    if later_vector.id == "G30":
        assert layout(later_vector.octets) is Layout.V20
        assert plain_fields(pdu, pdu[CMPPConnect]) == later_vector.fields
    else:
        assert layout(later_vector.octets) is Layout.V30
        assert type(pdu.payload) is CMPPBody30
        assert pdu.payload.load == later_vector.octets[12:]
        assert pdu.payload.name == f"CMPP 3.0 {later_vector.title.split()[2].strip(',')} (no layout)"
    assert bytes(pdu) == later_vector.octets


def test_the_same_message_in_both_editions(golden: dict[str, Any]) -> None:
    """G04 and G32 say the same; only one of them has the layout of 2.0."""
    assert layout(golden["G04"].octets) is Layout.V20
    assert layout(golden["G32"].octets) is Layout.V30
    content = bytes.fromhex(golden["G32"].fields["Msg_Content"])
    assert decode_text(content, 8, 0) == CMPP(golden["G04"].octets).text


@pytest.mark.parametrize("reserved", [0, 1, 0xFF])
def test_active_test_resp_takes_any_octet(reserved: int) -> None:
    """Reserved of ACTIVE_TEST_RESP has no defined value."""
    pdu = CMPP(bytes.fromhex("0000000d8000000800000007") + bytes([reserved]))
    assert pdu.Reserved == reserved
