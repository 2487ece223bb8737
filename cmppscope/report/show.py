"""One PDU for a reader: its fields as a tree with offsets and meanings, its octets, its findings.

Values, meanings and sizes come from the Scapy layers. Offsets count from the PDU's first octet. What redaction hides is
masked in the tree and stands as `**` among the octets and `*` beside them; octets that no field explains may be
anything and are hidden with it. Every line is printable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from cmppscope.columns import HEADER
from cmppscope.redact import Redaction, personal
from cmppscope.report.names import LATER_LAYOUTS, command_name
from cmppscope.report.safe import printable
from cmppscope.rules import STANDARD, Results
from cmppscope.rules.results import CODE_FIELDS
from cmppscope.tables import LAYOUT_20, snake
from dissectors.cmpp import BODIES, CMPP, split_msg_id
from dissectors.cmpp.counted import OctetContent, OctetList
from dissectors.cmpp.fields import MsgIdNumber, OctetString
from dissectors.cmpp.udh import CONCATENATION_8, CONCATENATION_16, PORTS_8, PORTS_16

if TYPE_CHECKING:
    from scapy.fields import AnyField
    from scapy.packet import Packet

    from dissectors.cmpp.text import Text
    from dissectors.cmpp.udh import Element

_NAME_CELLS = 24
_OCTETS_A_LINE = 16
_FEW_OCTETS = 16

_LABELS = {"pdu": "PDU"}

_KNOWN_ELEMENTS = {
    (CONCATENATION_8, 3): "concatenation, 8-bit reference",
    (CONCATENATION_16, 4): "concatenation, 16-bit reference",
    (PORTS_8, 2): "ports, 8 bits",
    (PORTS_16, 4): "ports, 16 bits",
}
"""Elements by identifier and length of their data."""


class Line(NamedTuple):
    """One line of the tree."""

    offset: int
    """From the first octet of the PDU."""
    depth: int
    name: str
    value: str


@dataclass(slots=True)
class Tree:
    """The lines of a PDU, and where hidden octets lie."""

    redaction: Redaction
    command: int = 0
    """Command_Id, where there is one."""
    results: Results = STANDARD
    lines: list[Line] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    """Offsets of octets that redaction hides."""

    def add(self, offset: int, depth: int, name: str, value: str) -> None:
        """Append a line."""
        self.lines.append(Line(offset, depth, name, value))

    def hide(self, offset: int, octets: bytes) -> None:
        """Hide octets, if anything is hidden at all."""
        if self.redaction.active:
            self.hidden.update(range(offset, offset + len(octets)))


def show_pdu(
    octets: bytes,
    *,
    header: Mapping[str, object],
    findings: Sequence[str] = (),
    redaction: Redaction,
    layout: int = LAYOUT_20,
    results: Results = STANDARD,
) -> str:
    """Give the text that `show` prints for one PDU, its last line end included.

    `header` is what is known from outside the PDU, name to value, and is printed in its order: pdu, frame, stream,
    direction, time, endpoints. `layout` is the LAYOUT_ value of the PDU's row.
    """
    tree = pdu_tree(octets, redaction, layout, results)
    parts = [
        [f"{_LABELS.get(name) or name.capitalize().replace('_', ' ')}: {value}" for name, value in header.items()],
        _tree_lines(tree),
        hex_dump(octets, tree.hidden),
        [f"Finding: {finding}" for finding in findings],
    ]
    return "\n\n".join("\n".join(map(printable, part)) for part in parts if part) + "\n"


def pdu_tree(octets: bytes, redaction: Redaction, layout: int = LAYOUT_20, results: Results = STANDARD) -> Tree:
    """Take a PDU to pieces: the header, then the body as far as there are fields for it."""
    head: Any = CMPP(octets[:HEADER])
    command = head.Command_Id
    tree = Tree(redaction, command or 0, results)
    name = "PDU" if command is None else command_name(command)
    tree.add(0, 0, name, f"{len(octets)} octets")
    _add_layer(tree, head, octets[:HEADER], 0, 1)
    body = octets[HEADER:]
    if command in BODIES and layout == LAYOUT_20:
        _add_layer(tree, BODIES[command](body), body, HEADER, 1)
    elif command is not None:
        edition = LATER_LAYOUTS.get(layout)
        told = f"in the layout of CMPP {edition} (no field table yet)" if edition else "of an unknown command"
        tree.add(HEADER, 1, "body", f"{told}: {_octets(tree, body)}")
        tree.hide(HEADER, body)
    return tree


def _add_layer(tree: Tree, layer: Packet, octets: bytes, start: int, depth: int) -> None:
    """Add the fields of a dissected layer that begins at `start`, and what its fields leave over."""
    at = 0
    for each in layer.fields_desc:
        value = layer.getfieldval(each.name)
        if value is None:
            _add_cut(tree, layer, each, octets[at:], start + at, depth)
            return
        size = each.i2len(layer, value) if isinstance(each, OctetString | OctetList | OctetContent) else each.sz
        _add_field(tree, layer, each, octets[at : at + size], start + at, depth)
        at += size
    if surplus := octets[at:]:
        tree.add(start + at, depth, "surplus", _octets(tree, surplus))
        tree.hide(start + at, surplus)


def _add_cut(tree: Tree, layer: Packet, first: AnyField, left: bytes, offset: int, depth: int) -> None:
    """Name the fields that are not there as a whole, and the octets of the first of them."""
    names = [each.name for each in layer.fields_desc]
    missing = names[names.index(first.name) :]
    tree.add(offset, depth, "cut short", f"{', '.join(missing)} not there as a whole; {_octets(tree, left)} left")
    tree.hide(offset, left)


def _add_field(tree: Tree, layer: Packet, each: AnyField, octets: bytes, offset: int, depth: int) -> None:
    """Add one whole field."""
    value = layer.getfieldval(each.name)
    if isinstance(each, OctetList):
        for index in range(len(value)):
            at = index * each.width
            name = f"{each.name}[{index}]"
            _add_string(tree, layer, each.element, octets[at : at + each.width], (offset + at, depth, name))
    elif isinstance(each, OctetContent):
        _add_content(tree, layer, octets, offset, depth)
    elif isinstance(each, OctetString):
        _add_string(tree, layer, each, octets, (offset, depth, each.name))
    elif isinstance(each, MsgIdNumber):
        tree.add(offset, depth, each.name, _msg_id(value))
    elif snake(each.name) in CODE_FIELDS:
        tree.add(offset, depth, each.name, f"{value} ({tree.results.of(tree.command, value)})")
    else:
        tree.add(offset, depth, each.name, each.i2repr(layer, value))


def _add_string(tree: Tree, layer: Packet, each: OctetString, octets: bytes, where: tuple[int, int, str]) -> None:
    """Add an Octet String, masked where it must be; its filling is not hidden."""
    offset, depth, name = where
    kind = personal(layer.name or "", snake(each.name))
    if not tree.redaction.hides(kind, octets):
        tree.add(offset, depth, name, each.i2repr(layer, octets))
        return
    seen = tree.redaction.string(kind, octets)
    tree.add(offset, depth, name, repr(seen) if isinstance(seen, str) else f"({len(octets)} octets)")
    tree.hide(offset, octets.rstrip(b"\0"))


def _add_content(tree: Tree, layer: Any, octets: bytes, offset: int, depth: int) -> None:
    """Add a content: a report field by field, else the user data header and the text."""
    report = layer.report
    if report is not None:
        tree.add(offset, depth, "Msg_Content", f"{report.name}, {len(octets)} octets")
        _add_layer(tree, report, octets, offset, depth + 1)
        return
    tree.add(offset, depth, "Msg_Content", _octets(tree, octets))
    tree.hide(offset, octets)
    text: Text | None = layer.text
    if text is None:
        return
    if text.udh is not None:
        tree.add(offset, depth + 1, "user data header", f"{len(text.udh.octets)} octets")
        at = offset + 1
        for element in text.udh.elements:
            tree.add(at, depth + 2, f"element 0x{element.iei:02x}", _element(tree, element))
            at += 2 + len(element.data)
    if text.text is not None and not tree.redaction.active:
        tree.add(offset + text.offset, depth + 1, "text", f'"{text.text}"')
    for problem in text.problems:
        tree.add(offset, depth + 1, "problem", problem)


def _element(tree: Tree, element: Element) -> str:
    """Tell what an element of a user data header says; one that is not known may be anything."""
    data = element.data
    known = _KNOWN_ELEMENTS.get((element.iei, len(data)))
    if known is None:
        return _octets(tree, data)
    if element.iei in {CONCATENATION_8, CONCATENATION_16}:
        return f"{known}: reference {int.from_bytes(data[:-2], 'big')}, part {data[-1]} of {data[-2]}"
    half = len(data) // 2
    return f"{known}: from {int.from_bytes(data[half:], 'big')} to {int.from_bytes(data[:half], 'big')}"


def _msg_id(number: int) -> str:
    """Write a Msg_Id as a number and in its parts."""
    if not number:
        return "0 (blank)"
    parts = split_msg_id(number)
    if not parts.dated:
        return f"{number} (0x{number:016x})"
    return (
        f"{number} ({parts.month:02}-{parts.day:02} {parts.hour:02}:{parts.minute:02}:{parts.second:02}, "
        f"gateway {parts.gateway:06}, serial {parts.serial})"
    )


def _octets(tree: Tree, octets: bytes) -> str:
    """Count octets, and write a few where nothing is hidden; the dump below has them all."""
    counted = f"{len(octets)} octet{'' if len(octets) == 1 else 's'}"
    written = not tree.redaction.active and 0 < len(octets) <= _FEW_OCTETS
    return f"{counted}: {octets.hex()}" if written else counted


def _tree_lines(tree: Tree) -> list[str]:
    """Write the tree: offset, name, value."""
    lines = []
    for line in tree.lines:
        indent = "  " * line.depth
        name = (indent + line.name).ljust(_NAME_CELLS + 4)
        lines.append(f"{line.offset:5d}  {name}{line.value}".rstrip())
    return lines


def hex_dump(octets: bytes, hidden: set[int] | frozenset[int] = frozenset()) -> list[str]:
    """Write octets sixteen a line: offset, hexadecimal, ASCII; hidden ones as stars."""
    return [_dump_line(octets, start, hidden) for start in range(0, len(octets), _OCTETS_A_LINE)]


def _dump_line(octets: bytes, start: int, hidden: set[int] | frozenset[int]) -> str:
    """Write one line of octets."""
    shown: Iterator[tuple[str, str]] = (
        ("**", "*") if at in hidden else (f"{octets[at]:02x}", chr(octets[at]) if 0x20 <= octets[at] < 0x7F else ".")
        for at in range(start, min(start + _OCTETS_A_LINE, len(octets)))
    )
    numbers, characters = zip(*shown, strict=True)
    halves = f"{' '.join(numbers[:8])}  {' '.join(numbers[8:])}".ljust(3 * _OCTETS_A_LINE)
    return f"{start:04x}  {halves}  {''.join(characters)}"
