"""Contents as text, and user data headers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.cmpp import CMPP, CMPPDeliver, decode_text, encode_text
from dissectors.cmpp.udh import Concatenation, Element, Ports, parse_udh

NI_HAO = "\u4f60\u597d"


@pytest.mark.parametrize(
    ("octets", "msg_fmt", "text"),
    [
        (b"hello", 0, "hello"),
        (b"", 8, ""),
        (NI_HAO.encode("utf-16-be"), 8, NI_HAO),
        ("\U0001f600".encode("utf-16-be"), 8, "\U0001f600"),
        (NI_HAO.encode("gbk") + b"1", 15, NI_HAO + "1"),
        ("\U00020000".encode("gb18030"), 15, "\U00020000"),
        (b"flash", 0x10, "flash"),
        (b"hello", 0xF1, "hello"),
        (NI_HAO.encode("utf-16-be"), 0x18, NI_HAO),
        *[(b"\x01\x02", msg_fmt, None) for msg_fmt in (1, 3, 4, 0x14, 0x17, 0xF4, 0xF5, 0xF6, 0xF7, 255)],
    ],
)
def test_msg_fmt_chooses_the_coding(octets: bytes, msg_fmt: int, text: str | None) -> None:
    """Each Msg_Fmt has its coding; cards, binary and unknown ones have no text."""
    decoded = decode_text(octets, msg_fmt, 0)
    assert (decoded.text, decoded.udh, decoded.problems, decoded.offset) == (text, None, (), 0)


@pytest.mark.parametrize(
    ("octets", "msg_fmt", "text"),
    [
        (b"caf\xe9", 0, "caf\ufffd"),
        (b"\x4f\x60\x59", 8, "\u4f60\ufffd"),
        (b"\xd8\x3d\x00A", 8, "\ufffdA"),
        (b"\xde\x00\x00A", 8, "\ufffdA"),
        (b"A\xff", 15, "A\ufffd"),
    ],
)
def test_what_cannot_be_decoded_is_replaced(octets: bytes, msg_fmt: int, text: str) -> None:
    """Octets over 127, half a character and lone surrogates become U+FFFD and one problem."""
    decoded = decode_text(octets, msg_fmt, 0)
    assert decoded.text == text
    assert len(decoded.problems) == 1


@pytest.mark.parametrize(("udhi", "expected"), [(0, None), (1, "A"), (0x40, "A"), (0x41, "A"), (0x3E, None)])
def test_bits_0x41_announce_a_header(udhi: int, expected: str | None) -> None:
    """TP_udhi 1, and 0x40 as some gateways send it, put a header before the text."""
    decoded = decode_text(bytes.fromhex("0500035a0201") + b"A", 0, udhi)
    assert (decoded.udh is not None) is (expected is not None)
    if expected:
        assert (decoded.text, decoded.offset) == (expected, 6)


@pytest.mark.parametrize("msg_fmt", [0, 8, 15, 0x18])
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_encode_then_decode(msg_fmt: int, text: str) -> None:
    """What `encode_text` encodes, `decode_text` decodes; what it cannot encode is a ValueError."""
    try:
        octets = encode_text(text, msg_fmt)
    except ValueError:
        assert msg_fmt == 0
        assert not text.isascii()
    else:
        assert decode_text(octets, msg_fmt, 0).text == text


def test_binary_cannot_be_encoded() -> None:
    """A Msg_Fmt without characters has no encoding."""
    with pytest.raises(ValueError, match="Msg_Fmt 4"):
        encode_text("x", 4)


@given(st.binary(max_size=300), st.integers(0, 255), st.integers(0, 255))
def test_any_content_decodes(octets: bytes, msg_fmt: int, udhi: int) -> None:
    """Any octets under any Msg_Fmt and TP_udhi decode, and the offset stays inside them."""
    decoded = decode_text(octets, msg_fmt, udhi)
    assert 0 <= decoded.offset <= len(octets)
    if decoded.text is not None:
        decoded.text.encode("utf-8")


@pytest.mark.parametrize(
    ("octets", "concatenation", "ports"),
    [
        ("0500035a0201", Concatenation(0x5A, 2, 1, 8), None),
        ("06080412340302", Concatenation(0x1234, 3, 2, 16), None),
        ("06050423f00b84", None, Ports(0x23F0, 0x0B84, 16)),
        ("040402aabb", None, Ports(0xAA, 0xBB, 8)),
        ("0c05040b8423f0080412340101", Concatenation(0x1234, 1, 1, 16), Ports(2948, 9200, 16)),
        ("00", None, None),
    ],
)
def test_headers(octets: str, concatenation: Concatenation | None, ports: Ports | None) -> None:
    """Concatenation and ports are found, alone and together, in any order."""
    udh = parse_udh(bytes.fromhex(octets) + b"text")
    assert (udh.concatenation, udh.ports, udh.problems) == (concatenation, ports, ())
    assert udh.octets.hex() == octets


@pytest.mark.parametrize(
    ("octets", "problems"),
    [
        ("", 1),
        ("05", 1),
        ("0500035a", 2),
        ("0500045a0201", 1),
        ("0100", 1),
        ("0600045a0201ff", 1),
        ("ff" * 3, 2),
    ],
)
def test_overruns_are_problems(octets: str, problems: int) -> None:
    """A header or an element that runs over, and a wrong element length, are named."""
    assert len(parse_udh(bytes.fromhex(octets)).problems) == problems


def test_unknown_elements_are_kept() -> None:
    """Elements without a meaning here keep identifier and data."""
    udh = parse_udh(bytes.fromhex("04700212ab"))
    assert udh.elements == (Element(0x70, b"\x12\xab"),)
    assert str(udh) == "element 0x70 12ab"


def test_the_body_has_its_text(golden: dict[str, Any]) -> None:
    """`text` is the decoded content; a report has none, nor has a PDU without content."""
    assert CMPP(golden["G10"].octets).text.text == "CX 600000"  # type: ignore[union-attr]
    assert CMPP(golden["G11"].octets).text is None
    assert CMPP(golden["G13"].octets).text is None
    assert CMPPDeliver().text.text == ""  # type: ignore[union-attr]
