"""What a compiler of columns may rely on."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.fields import ByteField, IntField, LongField, ShortField, SignedIntField

from dissectors.cmpp import BODIES, CMPP, CMPPMOReport, CMPPReport, CMPPReport71
from dissectors.cmpp.counted import (
    ContentLength,
    ListCount,
    OctetContent,
    OctetList,
    counted_content,
    counted_list,
)
from dissectors.cmpp.enums import COMMANDS_20
from dissectors.cmpp.fields import OctetString, octet_text

INTEGERS = {
    ByteField: "!B",
    ShortField: "!H",
    IntField: "!I",
    LongField: "!Q",
    SignedIntField: "!i",
}
LAYERS = [CMPP, *BODIES.values(), CMPPReport, CMPPReport71, CMPPMOReport]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
def test_every_field_is_of_a_known_kind(layer: Any) -> None:
    """A field is an integer, an Octet String, or a list or content that names its counter."""
    before: list[str] = []
    for field in layer.fields_desc:
        match field:
            case OctetList():
                assert field.width == 21
                assert field.count_field == before[-1]
                assert isinstance(layer.fields_desc[len(before) - 1], ListCount)
            case OctetContent():
                assert field.length_field == before[-1]
                assert isinstance(layer.fields_desc[len(before) - 1], ContentLength)
            case OctetString():
                assert field.width == field.sz > 0
            case _:
                assert [field.fmt for kind in INTEGERS if isinstance(field, kind)] == [field.fmt]
                assert field.fmt in INTEGERS.values()
        before.append(field.name)


def test_every_command_has_a_body() -> None:
    """The thirty commands of the document have a layer each, named like the command."""
    assert len(BODIES) == 30
    assert {command: body().name for command, body in BODIES.items()} == COMMANDS_20
    assert len(set(BODIES.values())) == 30


def test_counters_and_what_they_count_come_together() -> None:
    """One call declares a count and its list, or a length and its content."""
    count, elements = counted_list("n", "numbers", width=3)
    assert (count.name, count.of, elements.name, elements.count_field, elements.width) == (
        "n",
        "numbers",
        "numbers",
        "n",
        3,
    )
    length, content = counted_content("l", "octets")
    assert (length.name, length.of, content.name, content.length_field) == (
        "l",
        "octets",
        "octets",
        "l",
    )


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"1234\0\0", "1234"),
        (b"901234", "901234"),
        (b"12  \0\0", "12"),
        (b"ab\0cd", "ab"),
        (bytes(4), ""),
        (b"    ", ""),
        (b"\xe9", None),
        (b"\x1b[2J", None),
    ],
)
def test_octet_text(octets: bytes, text: str | None) -> None:
    """The text of an Octet String ends at the first NUL and has no spaces behind it."""
    assert octet_text(octets) == text
