"""PDUs in one line each: the rows of `pdus` as table and CSV, and the words that lists on screens show.

A short row (`TableRow`) is what table and csv show: `pdu`, `frame`, `time` (ISO 8601 with the zone's offset), `stream`,
`src`, `dst`, `command`, `sequence_id`, `length` and `info`, one line in words made from the full row, so that masking
holds there too.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from cmppscope.columns import COMPILED, PduColumns
from cmppscope.redact import Redaction
from cmppscope.report.names import CHINA, LATER_LAYOUTS, iso_time
from cmppscope.report.pdus import pdu_rows
from cmppscope.report.safe import csv_cell, printable, width
from cmppscope.rules import STANDARD, Results
from cmppscope.tables import I64, LAYOUT_20, PduBatch, Row
from dissectors.cmpp import enums


class TableRow(NamedTuple):
    """A PDU in one line."""

    pdu: int
    frame: int
    time: str
    stream: int
    src: str
    dst: str
    command: str
    sequence_id: int
    length: int
    info: str


def pdu_table_rows(
    batch: PduBatch,
    columns: PduColumns,
    redaction: Redaction,
    *,
    rows: I64 | None = None,
    zone: dt.tzinfo = CHINA,
    ends: Mapping[int, tuple[str, str]] | None = None,
    results: Results = STANDARD,
) -> Iterator[TableRow]:
    """Yield a short row for every PDU, or for those in `rows` (ascending).

    `ends` names both ends of a stream, the originator first: addresses or roles; `zone` is that of `time`.
    """
    layouts = (batch.layout if rows is None else batch.layout[rows]).tolist()
    for row, layout in zip(pdu_rows(batch, columns, redaction, rows), layouts, strict=True):
        names = (ends or {}).get(row["stream"], ("", ""))
        src, dst = names if row["direction"] == 0 else names[::-1]
        yield TableRow(
            row["pdu"],
            row["frame"],
            iso_time(int(row["time_ns"]), zone),
            row["stream"],
            src,
            dst,
            row["command"],
            row["sequence_id"],
            row["total_length"],
            info(row, layout, results),
        )


def csv_lines(rows: Iterable[TableRow]) -> Iterator[str]:
    """Write short rows as CSV (RFC 4180, with its line ends), the column names first; no cell is a formula."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(TableRow._fields)
    yield line.getvalue()
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow([csv_cell(cell) if isinstance(cell, str) else cell for cell in row])
        yield line.getvalue()


_WIDTHS = (8, 8, 35, 6, 21, 21, 25, 10, 6, 0)


def table_lines(rows: Iterable[TableRow]) -> Iterator[str]:
    """Write short rows in columns for a terminal, the column names first; a cell that is too wide pushes the rest."""
    for cells in chain([TableRow._fields], rows):
        yield "  ".join(map(_padded, cells, _WIDTHS)).rstrip()


def _padded(cell: object, cells: int) -> str:
    """Fill a cell on the right, a number on the left."""
    text = printable(str(cell))
    filling = " " * (cells - width(text))
    return filling + text if isinstance(cell, int) else text + filling


TEXT_SHOWN = 60
"""Characters of a message's text that `info` shows."""


def info(row: Row, layout: int = LAYOUT_20, results: Results = STANDARD) -> str:
    """Say in one line what a full row is about."""
    name = row["command"].removeprefix("CMPP_")
    fields = row["fields"]
    if fields is None:
        edition = LATER_LAYOUTS.get(layout)
        body = row["total_length"] - 12
        return f"{name} in the layout of CMPP {edition}" if edition else f"{name}, body of {body} octets"
    told = _TELLERS.get(row["command_id"], _tell_result)(row["command_id"], fields, results)
    parts = [f"{name} {told}".rstrip()]
    if None in (fields.get(field.name) for field in COMPILED[row["command_id"]].fields):
        parts.append("[cut short]")
    if "surplus" in fields:
        surplus = fields["surplus"]
        parts.append(f"[{surplus['octets'] if isinstance(surplus, dict) else len(surplus) // 2} octets of surplus]")
    return printable(" ".join(parts))


def _said(value: Any) -> str:
    """Write a value of a row in words."""
    if isinstance(value, dict):
        return f"0x{value['hex']}" if "hex" in value else f"({value['octets']} octets)"
    return "?" if value is None else str(value) or "(blank)"


def _meaning(command: int, fields: Row, name: str) -> str:
    """Write a number with its meaning."""
    value = fields.get(name)
    if value is None:
        return "?"
    body = COMPILED[command]
    meanings: enums.Meanings = getattr(enums, body.fields[body.by_name[name]].meanings)
    return f"{value} {meanings.of(value)}"


def _code(command: int, fields: Row, name: str, results: Results) -> str:
    """Write the code of a response with its meaning."""
    value = fields.get(name)
    return "?" if value is None else f"{value} {results.of(command, value)}"


def _receivers(receivers: list[Any] | None) -> str:
    """Name the first receiver, and count the others."""
    if not receivers:
        return "?" if receivers is None else "nobody"
    return _said(receivers[0]) + (f" and {len(receivers) - 1} more" if len(receivers) > 1 else "")


def _content(fields: Row) -> str:
    """Quote the start of a text; else count the octets of the content."""
    if (report := fields.get("report")) is not None:
        number = report.get("dest_terminal_id", report.get("dest_id"))
        return f"report {_said(report['stat'])} on Msg_Id {report['msg_id_text']} to {_said(number)}"
    text = fields.get("text")
    if text is not None:
        return f'"{text[:TEXT_SHOWN]}{"…" if len(text) > TEXT_SHOWN else ""}"'
    return "" if fields["msg_length"] is None else f"({fields['msg_length']} octets)"


def _part(fields: Row) -> str:
    """Tell which part of a message it is, where there are several."""
    return f" part {fields['pk_number']} of {fields['pk_total']}" if (fields["pk_total"] or 1) > 1 else ""


def _version(fields: Row) -> str:
    """Write a version octet."""
    value = fields["version"]
    return "?" if value is None else f"{value >> 4}.{value & 0xF}"


def _tell_result(command: int, fields: Row, results: Results) -> str:
    """Tell the Msg_Id and how it went, as far as there are fields for them."""
    told = [f"Msg_Id {_said(fields['msg_id_text'])}"] if "msg_id" in fields else []
    told += [
        f"{label} {_code(command, fields, name, results)}"
        for name, label in (("result", "Result"), ("success_id", "Success_Id"))
        if name in fields
    ]
    return ", ".join(told)


def _tell_connect(_command: int, fields: Row, _results: Results) -> str:
    return f"SP {_said(fields['source_addr'])} version {_version(fields)}"


def _tell_connect_resp(command: int, fields: Row, results: Results) -> str:
    return f"Status {_code(command, fields, 'status', results)}, version {_version(fields)}"


def _tell_submit(_command: int, fields: Row, _results: Results) -> str:
    return f"to {_receivers(fields['dest_terminal_id'])} {_content(fields)}{_part(fields)}"


def _tell_deliver(_command: int, fields: Row, _results: Results) -> str:
    if "report" in fields:
        return _content(fields)
    return f"from {_said(fields['src_terminal_id'])} to {_said(fields['dest_id'])} {_content(fields)}"


def _tell_fwd(command: int, fields: Row, _results: Results) -> str:
    kind = _meaning(command, fields, "msg_fwd_type").partition(" ")[2]
    if "report" in fields:
        return f"{kind}: {_content(fields)}"
    return f"{kind} from {_said(fields['src_id'])} to {_receivers(fields['dest_id'])} {_content(fields)}{_part(fields)}"


def _tell_query(command: int, fields: Row, _results: Results) -> str:
    told = f"{_said(fields['time'])} {_meaning(command, fields, 'query_type')}"
    if "mt_tlmsg" in fields:
        told += f", MT {_said(fields['mt_tlmsg'])} for {_said(fields['mt_tlusr'])} receivers"
        told += f", MO {_said(fields['mo_scs'])} delivered"
    return told


def _tell_route(command: int, fields: Row, results: Results) -> str:
    """Tell what is asked, or which route is answered or changed."""
    told = [_meaning(command, fields, "update_type").partition(" ")[2]] if "update_type" in fields else []
    told += [
        f"{label} {_said(fields[name])}"
        for name, label in (
            ("terminal_id", "for"),
            ("sp_code", "SP_Code"),
            ("service_code", "Service_Code"),
            ("route_type", "type"),
            ("last_route_id", "after route"),
            ("route_id", "route"),
            ("destination_id", "to gateway"),
        )
        if name in fields
    ]
    return ", ".join(filter(None, [" ".join(told), _tell_result(command, fields, results)]))


_TELLERS: dict[int, Callable[[int, Row, Results], str]] = {
    0x01: _tell_connect,
    enums.RESPONSE | 0x01: _tell_connect_resp,
    0x04: _tell_submit,
    0x05: _tell_deliver,
    0x06: _tell_query,
    enums.RESPONSE | 0x06: _tell_query,
    0x09: _tell_fwd,
    **{sort | number: _tell_route for number in range(0x10, 0x17) for sort in (0, enums.RESPONSE)},
}
