"""Formats: what columns are read by is what the Scapy layers say."""

from __future__ import annotations

import layers
import pytest
from scapy.fields import LEShortField
from scapy.packet import Packet

from cmppscope import formats
from dissectors.cmpp import BODIES, CMPPMOReport, CMPPReport, CMPPReport71, enums


def test_formats_are_those_of_the_layers() -> None:
    """The formats kept are what `fields_desc` of every layer compiles to."""
    assert {command: layers.compile_layer(layer) for command, layer in BODIES.items()} == formats.BODIES
    assert {60: layers.compile_layer(CMPPReport), 71: layers.compile_layer(CMPPReport71)} == formats.REPORTS
    assert layers.compile_layer(CMPPMOReport) == formats.MO_REPORT


def test_the_file_is_as_it_is_made() -> None:
    """The module has no line that `docs/generate.py` would not write."""
    assert layers.FORMATS_PY.read_text(encoding="utf-8") == layers.formats()


def test_meanings_are_named() -> None:
    """A field whose values have meanings names the table of the layer's field."""
    for command, (_, _, fields) in formats.BODIES.items():
        made = {field.name: getattr(field, "meanings", None) for field in BODIES[command].fields_desc}
        assert {spelt: getattr(enums, table, None) for *_, spelt, _, table in fields} == made


def test_an_unknown_field_class_is_an_error() -> None:
    """A field class that columns do not know is a TypeError when the layer is compiled, not a wrong value later."""

    class Strange(Packet):
        name = "strange"
        fields_desc = [LEShortField("Odd_Field", 0)]  # noqa: RUF012 - Scapy's way

    with pytest.raises(TypeError, match=r"^odd_field: no column for a field of class LEShortField$"):
        layers.compile_layer(Strange)
