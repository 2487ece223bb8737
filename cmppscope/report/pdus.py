"""PDUs as rows: the lines of `pdus`, in full for ndjson and short for table and csv.

A full row is a dict as JSON has it: `pdu`, `frame`, `stream`, `direction`, `time_ns`, `command`, `command_id`,
`sequence_id`, `total_length` and `fields`, which is null where the body has no layout. 64-bit numbers are decimal
strings. Inside `fields`, in the order of the PDU:

* a number is a number, `msg_id` a decimal string with `msg_id_text` behind it;
* an Octet String is its text, or `{"hex": …}` of the whole field where it is not printable ASCII then only NULs; an
  authenticator is hexadecimal; a list is a list of Octet Strings;
* `msg_content` is `{"hex": …}` with the decoded `text` behind it, null where Msg_Fmt names no text or the content is a
  report; masked it is `{"octets": n}` alone;
* a field whose octets do not all lie inside the PDU is null;
* `report` (an object) and `surplus` (hexadecimal, masked `{"octets": n}`) stand last, and only where there are some.

A short row (`TableRow`) is what table and csv show: `pdu`, `frame`, `time` (ISO 8601 with the zone's offset), `stream`,
`src`, `dst`, `command`, `sequence_id`, `length` and `info`, one line in words made from the full row, so that masking
holds there too.

Theory of operation. A command's columns are made of all its rows at once and turned into Python values `CHUNK` rows at
a time, a field at a time; strings that come again are made once.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, pairwise
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from cmppscope.columns import COMPILED, DELIVER, FWD, Columns, Field, PduColumns
from cmppscope.redact import Personal, Redaction, personal
from cmppscope.report.safe import csv_cell, json_escaped, printable, width
from cmppscope.tables import I64, LAYOUT_20, LAYOUT_21, LAYOUT_30, PduBatch, Row
from dissectors.cmpp.enums import COMMANDS_20, COMMANDS_LATER
from dissectors.cmpp.fields import Authenticator
from dissectors.cmpp.msgid import format_msg_id
from dissectors.cmpp.text import decode_text

CHUNK = 4096
"""Rows that are Python values at one time."""

COMMANDS = COMMANDS_20 | COMMANDS_LATER

CHINA = dt.timezone(dt.timedelta(hours=8))
"""The zone that times are shown in unless told."""

LATER_LAYOUTS = {LAYOUT_21: "2.1", LAYOUT_30: "3.0"}

_K = TypeVar("_K", bound=Hashable)


def command_name(command: int) -> str:
    """Name a Command_Id; an unknown one is its number, `0x0000000a`."""
    return COMMANDS.get(command) or f"0x{command:08x}"


# ------------------------------------------------------------------------------------- full rows


def pdu_rows(batch: PduBatch, columns: PduColumns, redaction: Redaction, rows: I64 | None = None) -> Iterator[Row]:
    """Yield a full row for every PDU of a batch, or for those in `rows` (ascending)."""
    bodies: dict[int, _Bodies] = {}
    chosen = np.arange(len(batch)) if rows is None else rows
    for start in range(0, len(chosen), CHUNK):
        part = chosen[start : start + CHUNK]
        heads = zip(
            (batch.first + part).tolist(),
            batch.frame[part].tolist(),
            batch.stream[part].tolist(),
            batch.direction[part].tolist(),
            batch.time_ns[part].tolist(),
            batch.command[part].tolist(),
            batch.sequence[part].tolist(),
            batch.length[part].tolist(),
            _all_fields(batch, columns, redaction, part, bodies),
            strict=True,
        )
        for pdu, frame, stream, direction, time_ns, command, sequence, length, fields in heads:
            yield {
                "pdu": pdu,
                "frame": frame,
                "stream": stream,
                "direction": direction,
                "time_ns": str(time_ns),
                "command": command_name(command),
                "command_id": command,
                "sequence_id": sequence,
                "total_length": length,
                "fields": fields,
            }


def _all_fields(
    batch: PduBatch, columns: PduColumns, redaction: Redaction, part: I64, bodies: dict[int, _Bodies]
) -> list[Row | None]:
    """Give the fields of some rows of a batch, None where a body has no layout."""
    result: list[Row | None] = [None] * len(part)
    commands = np.where(batch.layout[part] == LAYOUT_20, batch.command[part], -1)
    for command in np.unique(commands).tolist():
        if command not in COMPILED:
            continue
        if command not in bodies:
            bodies[command] = _Bodies(columns, command, redaction)
        places = np.flatnonzero(commands == command)
        within = np.searchsorted(columns.rows(command), part[places])
        for place, fields in zip(places.tolist(), bodies[command].fields(within), strict=True):
            result[place] = fields
    return result


class _Memo(dict[_K, Any]):
    """Values already made; only texts are kept, for a row may own the rest."""

    def __init__(self, make: Callable[[_K], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _K) -> Any:
        value = self._make(key)
        if isinstance(value, str):
            self[key] = value
        return value


class _Layer:
    """The values of one layer's fields, a run of rows at a time."""

    def __init__(self, columns: Columns, redaction: Redaction) -> None:
        self.columns = columns
        self.redaction = redaction
        self.layer = columns.body.command

    def fields(self, at: I64, is_report: list[bool]) -> list[Row]:
        """Give the fields of rows; `is_report` tells where the content is a report and so has no text."""
        columns = _take(self.columns, at)
        named: dict[str, list[Any]] = {}
        for field in columns.body.fields:
            valid = columns.valid(field.name)
            for name, values in self._values(columns, field, is_report):
                named[name] = (
                    values if valid.all() else [v if ok else None for v, ok in zip(values, valid.tolist(), strict=True)]
                )
        if not named:
            return [{} for _ in at]
        names = tuple(named)
        return [dict(zip(names, values, strict=True)) for values in zip(*named.values(), strict=True)]

    def _values(self, columns: Columns, field: Field, is_report: list[bool]) -> Iterator[tuple[str, list[Any]]]:
        """Yield the public names and values that one field gives; those of rows that are not valid mean nothing."""
        kind = personal(self.layer, field.name)
        if field.kind == "string":
            yield field.name, self._strings(field, kind, columns.strings(field.name).octets)
        elif field.kind == "list":
            yield field.name, self._lists(columns, field, kind)
        elif field.kind == "content":
            contents = _slices(columns, field.name)
            yield field.name, [self.redaction.content(octets) for octets in contents]
            if not self.redaction.active:
                yield "text", _texts(columns, contents, is_report)
        else:
            numbers = columns.integer(field.name).tolist()
            if field.width < 8:
                yield field.name, numbers
            else:
                yield field.name, list(map(str, numbers))
                yield f"{field.name}_text", _msg_id_texts(numbers)

    def _strings(self, field: Field, kind: Personal, octets: np.ndarray) -> list[Any]:
        """Give the values of Octet Strings, an array [strings, width]."""
        if isinstance(field.layer_field, Authenticator):
            return [row.tobytes().hex() for row in octets]
        filled = field.width
        make = partial(_string, self.redaction, kind, filled)
        # NumPy's S type ends a string before its last NULs; `_string` puts them back.
        return list(map(_Memo(make).__getitem__, octets.view(f"S{filled}").reshape(-1).tolist()))

    def _lists(self, columns: Columns, field: Field, kind: Personal) -> list[list[Any]]:
        """Give lists of Octet Strings: all elements of all rows are made as one column, then divided."""
        offset, size = columns.place(field.name)
        count = np.where(columns.valid(field.name), size // field.width, 0)
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
        if not ends[-1]:
            return [[] for _ in range(len(columns))]
        index = np.arange(ends[-1]) - np.repeat(ends[:-1], count)
        places = np.repeat(columns.position + offset, count) + index * field.width
        windows = np.lib.stride_tricks.sliding_window_view(columns.octets, field.width)
        values = self._strings(field, kind, np.ascontiguousarray(windows[places]))
        return [values[start:end] for start, end in pairwise(ends.tolist())]


class _Bodies(_Layer):
    """The fields of a command's bodies, with the reports inside them and the surplus behind them."""

    def __init__(self, columns: PduColumns, command: int, redaction: Redaction) -> None:
        super().__init__(columns.body(command), redaction)
        found = list(columns.reports(command).values()) if command in {DELIVER, FWD} else []
        if command == FWD:
            found.append(columns.mo_reports())
        self.reports = [(rows, _Layer(inside, redaction)) for rows, inside in found if len(rows)]

    def fields(self, at: I64, is_report: list[bool] | None = None) -> list[Row]:  # noqa: ARG002 - it finds out itself
        """Give the fields of rows, with `report` and `surplus` where there are some."""
        reports = self._reports(at)
        result = super().fields(at, [place in reports for place in range(len(at))])
        for place, report in reports.items():
            result[place]["report"] = report
        columns = _take(self.columns, at)
        for place in np.flatnonzero(columns.end < columns.length).tolist():
            start, stop = int(columns.position[place] + columns.end[place]), int(columns.length[place])
            octets = columns.octets[start : int(columns.position[place]) + stop].tobytes()
            result[place]["surplus"] = self.redaction.surplus(octets)
        return result

    def _reports(self, at: I64) -> dict[int, Row]:
        """Give the reports in rows: {index in `at`: the report's fields}."""
        result: dict[int, Row] = {}
        for rows, layer in self.reports:
            within = np.minimum(np.searchsorted(rows, at), len(rows) - 1)
            places = np.flatnonzero(rows[within] == at)
            within = within[places]
            no_content = [False] * len(within)
            result |= zip(places.tolist(), layer.fields(within, no_content), strict=True)
        return result


def _take(columns: Columns, at: I64) -> Columns:
    """Give the columns of some rows alone."""
    return Columns(columns.octets, columns.position[at], columns.length[at], columns.body)


def _slices(columns: Columns, name: str) -> list[bytes]:
    """Copy a field of varying size from every row; empty where it is not valid."""
    offset, size = columns.place(name)
    start = columns.position + offset
    stop = np.where(columns.valid(name), start + size, start)
    octets = columns.octets.data
    return [bytes(octets[a:b]) for a, b in zip(start.tolist(), stop.tolist(), strict=True)]


def _texts(columns: Columns, contents: list[bytes], is_report: list[bool]) -> list[str | None]:
    """Decode contents; None for a report and where Msg_Fmt names no text."""
    coding = zip(columns.integer("msg_fmt").tolist(), columns.integer("tp_udhi").tolist(), strict=True)
    return [
        None if report else decode_text(octets, msg_fmt, udhi).text
        for octets, (msg_fmt, udhi), report in zip(contents, coding, is_report, strict=True)
    ]


def _msg_id_texts(numbers: list[int]) -> list[str]:
    """Write Msg_Ids as `format_msg_id` does; all that a gateway made in one second share their beginning."""
    forms = _Memo(_msg_id_form)
    return [forms[number >> 16] % (number & 0xFFFF) for number in numbers]


def _msg_id_form(beginning: int) -> str:
    """Give the form of Msg_Ids with these 48 bits, to be filled with the serial number."""
    text = format_msg_id(beginning << 16)
    return f"{text[:-4]}%04x" if text.startswith("0x") else f"{text[:-5]}%05d"


def _string(redaction: Redaction, kind: Personal, filled: int, octets: bytes) -> str | dict[str, Any]:
    """Give the value of an Octet String that lost its last NULs."""
    return redaction.string(kind, octets.ljust(filled, b"\0"))


def ndjson_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """Encode rows as JSON, one line each, safe to look at; line ends included."""
    encode = msgspec.json.Encoder().encode
    for row in rows:
        yield json_escaped(encode(row)) + b"\n"


# ------------------------------------------------------------------------------------ short rows


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
            info(row, layout),
        )


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def iso_time(time_ns: int, zone: dt.tzinfo = CHINA) -> str:
    """Write a time with its nanoseconds and the zone's offset: `2002-09-22T10:15:30.000000001+08:00`."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    text = (_EPOCH + dt.timedelta(seconds=seconds)).astimezone(zone).isoformat()
    return f"{text[:19]}.{nanoseconds:09d}{text[19:]}"


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


# ------------------------------------------------------------------------------------------ info

TEXT_SHOWN = 60
"""Characters of a message's text that `info` shows."""


def info(row: Row, layout: int = LAYOUT_20) -> str:
    """Say in one line what a full row is about."""
    name = row["command"].removeprefix("CMPP_")
    fields = row["fields"]
    if fields is None:
        edition = LATER_LAYOUTS.get(layout)
        body = row["total_length"] - 12
        return f"{name} in the layout of CMPP {edition}" if edition else f"{name}, body of {body} octets"
    told = _TELLERS.get(row["command_id"], _tell_result)(row["command_id"], fields)
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
    field: Any = body.fields[body.by_name[name]].layer_field
    return f"{value} {field.meanings.of(value)}"


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


def _tell_result(command: int, fields: Row) -> str:
    """Tell the Msg_Id and how it went, as far as there are fields for them."""
    told = [f"Msg_Id {_said(fields['msg_id_text'])}"] if "msg_id" in fields else []
    told += [
        f"{label} {_meaning(command, fields, name)}"
        for name, label in (("result", "Result"), ("success_id", "Success_Id"))
        if name in fields
    ]
    return ", ".join(told)


def _tell_connect(_command: int, fields: Row) -> str:
    return f"SP {_said(fields['source_addr'])} version {_version(fields)}"


def _tell_connect_resp(command: int, fields: Row) -> str:
    return f"Status {_meaning(command, fields, 'status')}, version {_version(fields)}"


def _tell_submit(_command: int, fields: Row) -> str:
    return f"to {_receivers(fields['dest_terminal_id'])} {_content(fields)}{_part(fields)}"


def _tell_deliver(_command: int, fields: Row) -> str:
    if "report" in fields:
        return _content(fields)
    return f"from {_said(fields['src_terminal_id'])} to {_said(fields['dest_id'])} {_content(fields)}"


def _tell_fwd(command: int, fields: Row) -> str:
    kind = _meaning(command, fields, "msg_fwd_type").partition(" ")[2]
    if "report" in fields:
        return f"{kind}: {_content(fields)}"
    return f"{kind} from {_said(fields['src_id'])} to {_receivers(fields['dest_id'])} {_content(fields)}{_part(fields)}"


def _tell_query(command: int, fields: Row) -> str:
    told = f"{_said(fields['time'])} {_meaning(command, fields, 'query_type')}"
    if "mt_tlmsg" in fields:
        told += f", MT {_said(fields['mt_tlmsg'])} for {_said(fields['mt_tlusr'])} receivers"
        told += f", MO {_said(fields['mo_scs'])} delivered"
    return told


def _tell_route(command: int, fields: Row) -> str:
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
    return ", ".join(filter(None, [" ".join(told), _tell_result(command, fields)]))


_RESPONSE = 0x80000000
_TELLERS: dict[int, Callable[[int, Row], str]] = {
    0x01: _tell_connect,
    _RESPONSE | 0x01: _tell_connect_resp,
    0x04: _tell_submit,
    0x05: _tell_deliver,
    0x06: _tell_query,
    _RESPONSE | 0x06: _tell_query,
    0x09: _tell_fwd,
    **{sort | number: _tell_route for number in range(0x10, 0x17) for sort in (0, _RESPONSE)},
}
