"""The fields of bodies and reports, made from the layers; names of Wireshark beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from cmppscope.columns import COMPILED, MO_REPORT, REPORTS, Body, Columns
from cmppscope.columns import Field as Column
from cmppscope.filters.columns import Occurrences, joined, layer_values
from cmppscope.filters.field import Field, Read
from cmppscope.filters.holding import Holding, strings_holding, together
from cmppscope.filters.needles import Needles
from cmppscope.filters.tables import PDU, PduTable
from cmppscope.filters.values import Kind
from cmppscope.tables import I64
from dissectors.cmpp.enums import DELIVER, FWD

ALIASES = {
    "service_id": ("servicd_id",),
    "submit.valid_time": ("submit.valld_time",),
    "submit.fee_user_type": ("submit.fee_usertype",),
    "submit.dest_usr_tl": ("submit.destusr_tl",),
    "report.stat": ("deliver.report.status",),
    "report.submit_time": ("deliver.report.submit_time",),
    "report.done_time": ("deliver.report.done_time",),
    "msg_id.gateway": ("msg_id.ismg_code",),
    "msg_id.serial": ("msg_id.sequence_id",),
}
"""Names that Wireshark has for fields of bodies, where they are others than ours."""

_KINDS = {"string": Kind.TEXT, "list": Kind.TEXT, "content": Kind.OCTETS}
_NOT_BARE = ("time", "sp_id")
"""Fields of rare bodies that need their command's name: most people mean another field."""


def _kind(column: Column) -> Kind:
    """Tell what a column of a body holds."""
    if column.layer_class == "Authenticator":
        return Kind.OCTETS
    return _KINDS.get(column.kind) or (Kind.MSG_ID if column.width == 8 else Kind.NUMBER)


Layers = Iterator[tuple[I64, Columns]]
"""Fields of some rows of a table, and which rows these are."""


def _bodies(table: PduTable, command: int) -> Layers:
    """Give the bodies of a command."""
    yield table.columns.rows(command), table.columns.body(command)


def _reports(table: PduTable) -> Layers:
    """Give the status reports in DELIVER and FWD."""
    for command in (DELIVER, FWD):
        for rows, columns in table.columns.reports(command).values():
            yield table.columns.rows(command)[rows], columns


def _mo_reports(table: PduTable) -> Layers:
    """Give the reports about MOs."""
    rows, columns = table.columns.mo_reports()
    yield table.columns.rows(FWD)[rows], columns


def _layer(prefix: str, body: Body, said: str, layers: Callable[[PduTable], Layers]) -> Iterator[Field]:
    """Make the fields of one layer."""
    for column in body.fields:
        name = f"{prefix}.{column.name}"

        def read(table: PduTable, name: str = column.name) -> Occurrences:
            return joined([layer_values(*each, name) for each in layers(table)], len(table))

        def holding(table: PduTable, needles: Needles, name: str = column.name) -> Holding:
            return together(strings_holding(*each, name, needles) for each in layers(table))

        kind = _kind(column)
        yield Field(
            name,
            PDU,
            kind,
            f"{column.spelt} of {said}.",
            read,
            ALIASES.get(name, ()),
            _VERSIONS if column.layer_class == "Version" else {},
            holding if kind is Kind.TEXT else None,
        )


_VERSIONS = {"2.0": 0x20, "2.1": 0x21, "3.0": 0x30}


def layers() -> Iterator[Field]:
    """Make the fields of all bodies and reports."""
    for command, body in COMPILED.items():
        said = f"{body.command} ({body.section.removeprefix('2.0 ')})" if body.section else body.command
        prefix = body.command.removeprefix("CMPP_").lower()
        yield from _layer(prefix, body, said, partial(_bodies, command=command))
    yield from _layer("report", REPORTS[60], "a status report (§7.4.5.1)", _reports)
    yield from _layer("mo_report", MO_REPORT, "a report about an MO (§7.5.4.1)", _mo_reports)


def bare(fields: list[Field]) -> Iterator[Field]:
    """Make the fields without a command's name, that stand for those of all commands."""
    groups: dict[str, list[Field]] = {}
    for each in fields:
        groups.setdefault(each.name.partition(".")[2], []).append(each)
    for name, parts in groups.items():
        if name in _NOT_BARE or len({part.kind for part in parts}) > 1:
            continue
        where = ", ".join(part.name.partition(".")[0].upper() for part in parts)

        def read(table: PduTable, parts: list[Field] = parts) -> Occurrences:
            return joined([each.read(table) for each in parts], len(table))

        def holding(table: PduTable, needles: Needles, parts: list[Field] = parts) -> Holding:
            return together(each.holding(table, needles) for each in parts if each.holding is not None)

        spelt = parts[0].meaning.partition(" of ")[0]
        meaning = f"{spelt} of {where}."
        searched = None if parts[0].holding is None else holding
        yield parts[0]._replace(name=name, meaning=meaning, read=read, aliases=ALIASES.get(name, ()), holding=searched)


def part(name: str, shift: int, bits: int, meaning: str, whole: Read) -> Field:
    """Make a field of some bits of every Msg_Id."""

    def read(table: PduTable) -> Occurrences:
        found = whole(table)
        numbers = (found.unsigned().values >> np.uint64(shift) & np.uint64((1 << bits) - 1)).astype(np.int64)
        return Occurrences(found.rows, numbers)

    return Field(name, PDU, Kind.NUMBER, meaning, read, ALIASES.get(name, ()))
