"""Compile `fields_desc` of the Scapy layers into `cmppscope/formats.py`, from which columns are read without Scapy.

A field of a class that columns do not know is an error here, so that it never is a wrong value there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from scapy.fields import ByteField, IntField, LongField, ShortField, SignedIntField

from cmppscope.tables import snake
from dissectors.cmpp import BODIES, CMPPMOReport, CMPPReport, CMPPReport71, enums
from dissectors.cmpp.counted import OctetContent, OctetList
from dissectors.cmpp.fields import OctetString

if TYPE_CHECKING:
    from scapy.fields import AnyField
    from scapy.packet import Packet

    from cmppscope.formats import FieldFormat, Format

FORMATS_PY = Path(__file__).parents[1] / "cmppscope" / "formats.py"

_INTEGERS = (ByteField, ShortField, IntField, LongField)
_TABLES = {id(table): name for name, table in vars(enums).items() if isinstance(table, enums.Meanings)}
_HEAD = '''"""The fields of the bodies in their 2.0 layout, and of the reports: `fields_desc` of the layers, compiled.

Made by docs/generate.py: do not edit.
"""

from __future__ import annotations

FieldFormat = tuple[str, str, int, str, str, str, str]
"""What `columns.Field` is made of."""
Format = tuple[str, str, tuple[FieldFormat, ...]]
"""Name and section in the specification, and the fields."""
'''


def compile_layer(layer: type[Packet]) -> Format:
    """Compile `fields_desc` of a layer; TypeError for a field class that has no column."""
    section = re.search(r"\(CMPP ([^)]*)\)", layer.__doc__ or "")
    return layer().name or "", section[1] if section else "", tuple(map(_compile, layer.fields_desc))


def _compile(field: AnyField) -> FieldFormat:
    """Compile one field."""
    kind, width, counter = _shape(field)
    meanings = _TABLES[id(field.meanings)] if hasattr(field, "meanings") else ""
    return snake(field.name), kind, width, snake(counter), field.name, type(field).__name__, meanings


def _shape(field: AnyField) -> tuple[str, int, str]:
    """Tell kind, width and counter of a field."""
    if isinstance(field, OctetString):
        return "string", field.width, ""
    if isinstance(field, OctetList):
        return "list", field.width, field.count_field
    if isinstance(field, OctetContent):
        return "content", 1, field.length_field
    if isinstance(field, SignedIntField):
        return "signed", field.sz, ""
    if isinstance(field, _INTEGERS):
        return "int", field.sz, ""
    message = f"{snake(field.name)}: no column for a field of class {type(field).__name__}"
    raise TypeError(message)


def formats() -> str:
    """Make the text of `cmppscope/formats.py`."""
    reports = {60: CMPPReport, 71: CMPPReport71}
    lines = [
        *_table("BODIES", {f"0x{command:08X}": layer for command, layer in BODIES.items()}),
        '"""Command_Id to the format of its body (CMPP 2.0 §7.4 to §7.6)."""',
        "",
        *_table("REPORTS", {str(length): layer for length, layer in reports.items()}),
        '"""Msg_Length to the format of a status report (CMPP 2.0 §7.4.5.1; 71 octets in 3.0 §8.4.5.1)."""',
        "",
        "MO_REPORT: Format = (",
        *_format(compile_layer(CMPPMOReport), " " * 4),
        ")",
        '"""Format of the report about an MO, 60 octets (CMPP 2.0 §7.5.4.1)."""',
    ]
    return _HEAD + "\n" + "\n".join(lines) + "\n"


def _table(name: str, layers: dict[str, type[Packet]]) -> Iterator[str]:
    """Write formats as a dict."""
    yield f"{name}: dict[int, Format] = {{"
    for key, layer in layers.items():
        yield f"    {key}: ("
        yield from _format(compile_layer(layer), " " * 8)
        yield "    ),"
    yield "}"


def _format(made: Format, indent: str) -> Iterator[str]:
    """Write one format, a field a line, as the formatter would."""
    name, section, fields = made
    yield f"{indent}{json.dumps(name)},"
    yield f"{indent}{json.dumps(section, ensure_ascii=False)},"
    written = [f"({', '.join(map(json.dumps, field))})," for field in fields]
    if len(written) < 2:
        yield f"{indent}({''.join(written)}),"
        return
    yield f"{indent}("
    yield from (f"{indent}    {field}" for field in written)
    yield f"{indent}),"
