"""Typed fields of PDUs as columns, as `formats` has them from `fields_desc` of the Scapy layers.

Theory of operation. A body's fields are a list of reads. Up to the first list or content, a field
stands at a constant offset; behind it the offset is an array that grows by the list's and the content's size. A read
gathers the field's octets of all rows at once. A field whose octets do not all lie inside the PDU is invalid, and so
are all behind it (design: cut and overlong bodies); the layers say None there, and a test holds both equal.

A column is decoded when it is asked for. `formats` is made beforehand, so that nothing here loads Scapy.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from cmppscope import formats
from cmppscope.arrays import octets_at
from cmppscope.tables import I64, LAYOUT_20, U8, U64, Bool, PduBatch
from dissectors.cmpp.enums import DELIVER, FWD

if TYPE_CHECKING:
    from cmppscope.formats import Format

Made = TypeVar("Made")
Slot = TypeVar("Slot", int, I64)

HEADER = 12

_MORE = 7
"""Octets that may be read behind a field, so that it ends with a word."""


class Field(NamedTuple):
    """One compiled field."""

    name: str
    """Public name (`tables.snake`)."""
    kind: str
    """`int`, `signed`, `string`, `list` or `content`."""
    width: int
    """Octets of the field, or of one element of a list."""
    counter: str
    """The field that counts the elements or octets of a list or content."""
    spelt: str
    """Its name in the specification."""
    layer_class: str
    """Class of the layer's field (`dissectors.cmpp.fields`)."""
    meanings: str
    """The table of what its values mean (`dissectors.cmpp.enums`), or empty."""


class Body(NamedTuple):
    """A compiled body."""

    command: str
    section: str
    """The document's version and section."""
    fields: tuple[Field, ...]
    by_name: dict[str, int]
    behind: tuple[tuple[int | None, int], ...]
    """Of each field: the last list or content in front of it, if any, and the octets of the fields between."""


@dataclass(slots=True)
class Strings:
    """A column of Octet Strings: an array [rows, width] of octets."""

    octets: U8

    def text(self, row: int) -> str | None:
        """Give printable ASCII followed only by NULs as text, None for anything else."""
        return plain_text(self.octets[row].tobytes())


def plain_text(octets: bytes) -> str | None:
    """Give printable ASCII followed only by NULs as text, None for anything else (CMPP 2.0 §7.1)."""
    head = octets.rstrip(b"\0")
    text = head.decode("latin-1")
    return text if text.isascii() and text.isprintable() else None


def _body(format_: Format) -> Body:
    """Read one format."""
    command, section, given = format_
    fields = tuple(map(Field._make, given))
    return Body(command, section, fields, {f.name: at for at, f in enumerate(fields)}, tuple(_behind(fields)))


def _behind(fields: tuple[Field, ...]) -> Iterator[tuple[int | None, int]]:
    """Tell behind what each field stands, and how far."""
    varying, between = None, 0
    for at, field in enumerate(fields):
        yield varying, between
        varying, between = (at, 0) if field.counter else (varying, between + field.width)


COMPILED = {command: _body(each) for command, each in formats.BODIES.items()}
"""Command_Id to the compiled body of its 2.0 layout."""

REPORTS = {length: _body(each) for length, each in formats.REPORTS.items()}
"""Msg_Length to the compiled status report (CMPP 2.0 §7.4.5.1; 71 octets in 3.0 §8.4.5.1)."""

MO_REPORT = _body(formats.MO_REPORT)
"""The report about an MO, 60 octets (CMPP 2.0 §7.5.4.1)."""


class Columns:
    """The fields of rows that share one layout. Positions are those of the first octet of the fields."""

    def __init__(self, octets: U8, position: I64, length: I64, body: Body) -> None:
        """Take where each row's fields begin in `octets` and how many octets they may take."""
        self.octets = octets
        self.position = position
        self.length = length
        self.body = body
        self._places: dict[int, tuple[I64, I64]] = {}
        self._decoded: dict[str, Any] = {}
        """Columns that were asked for; nobody writes into them."""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.position)

    def place(self, name: str) -> tuple[I64, I64]:
        """Give (offset from the first field, octets) of a field in each row, inside the PDU or not."""
        return self._place(self.body.by_name[name])

    def valid(self, name: str) -> Bool:
        """Tell in which rows the field is there as a whole."""
        at = self.body.by_name[name]
        if self._everywhere(at, self.body.fields[at].width) is not None:
            return np.ones(len(self), np.bool_)
        offset, size = self.place(name)
        there: Bool = offset + size <= self.length
        return there

    def integer(self, name: str) -> I64 | U64:
        """Give a number's column; 64-bit numbers are unsigned. Rows that are not valid hold 0."""
        if name not in self._decoded:
            self._decoded[name] = self._integer(name)
        column: I64 | U64 = self._decoded[name]
        return column

    def _integer(self, name: str) -> I64 | U64:
        """Decode a number's column."""
        field = self.body.fields[self.body.by_name[name]]
        octets = self._gather(name, field.width)
        if field.width == 1:
            return octets[:, 0].astype(np.int64)
        kind = f">{'i' if field.kind == 'signed' else 'u'}{field.width}"
        values = octets.view(kind).reshape(-1)
        return values.astype(np.uint64) if field.width == 8 else values.astype(np.int64)

    def strings(self, name: str) -> Strings:
        """Give an Octet String's column. Rows that are not valid hold NULs."""
        if name not in self._decoded:
            self._decoded[name] = Strings(self._gather(name, self.body.fields[self.body.by_name[name]].width))
        column: Strings = self._decoded[name]
        return column

    def octets_of(self, name: str, row: int) -> bytes:
        """Give the octets of a field, list or content in one valid row."""
        offset, size = self.place(name)
        start = int(self.position[row] + offset[row])
        return self.octets[start : start + int(size[row])].tobytes()

    @cached_property
    def end(self) -> I64:
        """Where the last field ends, counted from the first."""
        if not self.body.fields:
            return np.zeros(len(self), np.int64)
        offset, size = self._place(len(self.body.fields) - 1)
        return offset + size

    def _place(self, at: int) -> tuple[I64, I64]:
        """Compute offset and size of the field at an index."""
        if at not in self._places:
            field = self.body.fields[at]
            varying, between = self.body.behind[at]
            if varying is None:
                offset = np.full(len(self), between, np.int64)
            else:
                before, taken = self._place(varying)
                offset = before + taken + between
            size = np.full(len(self), field.width, np.int64)
            if field.counter:
                size *= self.integer(field.counter).astype(np.int64)
            self._places[at] = offset, size
        return self._places[at]

    def _everywhere(self, at: int, width: int) -> int | None:
        """Give the offset of a field that stands at the same one in every row and is there as a whole, else None."""
        varying, offset = self.body.behind[at]
        fixed = varying is None and not self.body.fields[at].counter
        return offset if fixed and offset + width <= self._shortest else None

    @cached_property
    def _shortest(self) -> int:
        """The least length of a row."""
        return int(self.length.min()) if len(self) else 0

    @cached_property
    def _front(self) -> U8:
        """What stands in front of the first list or content in all rows, and _MORE octets: an array [rows, width].

        No wider than the shortest row.
        """
        fields, behind = self.body.fields, self.body.behind
        width = next((offset for field, (_, offset) in zip(fields, behind, strict=True) if field.counter), None)
        if width is None:
            width = sum(field.width for field in fields)
        return octets_at(self.octets, self.position, min(width + _MORE, self._shortest))

    def front(self, name: str, width: int) -> U8 | None:
        """Give `width` octets from a field on, an array [rows, width] that nobody writes into.

        None where they do not lie at one place in every row, or go on behind the first list or content.
        """
        offset = self._everywhere(self.body.by_name[name], width)
        if offset is None or offset + width > self._front.shape[1]:
            return None
        return self._front[:, offset : offset + width]

    def _gather(self, name: str, width: int) -> U8:
        """Copy a field's octets of all rows: an array [rows, width]."""
        front = self.front(name, width)
        if front is not None:
            return front.copy()
        offset, _ = self.place(name)
        valid = offset + width <= self.length
        if valid.all():
            return octets_at(self.octets, self.position + offset, width)
        result = np.zeros((len(self), width), np.uint8)
        rows = np.flatnonzero(valid)
        if len(rows):
            result[rows] = octets_at(self.octets, self.position[rows] + offset[rows], width)
        return result


_SLOTS = 64


def _slot(command: Slot) -> Slot:
    """Give Command_Ids one of few slots each; different ones may share a slot."""
    return (command & 0x1F) | (command >> 26 & 0x20)


class Once:
    """Things that are made when they are first asked for, by name."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._made: dict[Hashable, Any] = {}

    def once(self, name: Hashable, make: Callable[[], Made]) -> Made:
        """Give what `make` gives, made when it is first asked for by this name."""
        kept = self._made  # another thread may put another in its place
        if name not in kept:
            kept[name] = make()
        made: Made = kept[name]
        return made


class PduColumns(Once):
    """The typed fields of a batch of PDUs, a command at a time."""

    def __init__(self, batch: PduBatch) -> None:
        """Take a batch; nothing is decoded yet."""
        super().__init__()
        self.batch = batch
        self._rows: dict[int, I64] = {}
        self._columns: dict[int, Columns] = {}

    def forget(self) -> None:
        """Forget what was made once: it points back here, and so the batch's octets would stay in memory."""
        self._made.clear()

    def rows(self, command: int) -> I64:
        """Give the rows of a command that are laid out as in 2.0."""
        if command not in self._rows:
            batch = self.batch
            there = self._seen[_slot(command)]
            rows = (batch.command == command) & (batch.layout == LAYOUT_20) if there else np.zeros(0, np.bool_)
            self._rows[command] = np.flatnonzero(rows)
        return self._rows[command]

    @cached_property
    def _seen(self) -> Bool:
        """Tell which slots hold a Command_Id of the batch: most commands are in few batches, and not looked for."""
        seen: Bool = np.bincount(_slot(self.batch.command), minlength=_SLOTS) > 0
        return seen

    def body(self, command: int) -> Columns:
        """Give the columns of those rows."""
        if command not in self._columns:
            rows = self.rows(command)
            octets, position = self.batch.where(rows)
            self._columns[command] = Columns(
                octets, position + HEADER, self.batch.length[rows] - HEADER, COMPILED[command]
            )
        return self._columns[command]

    def reports(self, command: int) -> dict[int, tuple[I64, Columns]]:
        """Give the status reports in DELIVER or FWD: {octets: (rows within `rows(command)`, columns)}."""
        body = self.body(command)
        if not len(body):
            return {}
        kind = body.integer("registered_delivery" if command == DELIVER else "msg_fwd_type")
        length = body.integer("msg_length")
        wanted = body.valid("msg_content") & (kind == (1 if command == DELIVER else 2))
        found = {}
        for octets, report in REPORTS.items():
            rows = np.flatnonzero(wanted & (length == octets))
            if len(rows):
                found[octets] = rows, self._inside(body, rows, octets, report)
        return found

    def mo_reports(self) -> tuple[I64, Columns]:
        """Give the reports about MOs in FWD: (rows within `rows(FWD)`, columns)."""
        body = self.body(FWD)
        wanted = body.valid("msg_content") & (body.integer("msg_fwd_type") == 3)
        rows = np.flatnonzero(wanted & (body.integer("msg_length") == 60))
        return rows, self._inside(body, rows, 60, MO_REPORT)

    def _inside(self, body: Columns, rows: I64, octets: int, report: Body) -> Columns:
        """Give the columns of a layer that stands in Msg_Content."""
        offset, _ = body.place("msg_content")
        return Columns(body.octets, body.position[rows] + offset[rows], np.full(len(rows), octets), report)
