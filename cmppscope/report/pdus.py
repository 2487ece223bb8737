"""PDUs as full rows: the lines of `pdus --format ndjson`.

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

Theory of operation. A command's columns are made of all its rows at once and turned into Python values `CHUNK` rows at
a time, a field at a time; strings that come again are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import msgspec
import numpy as np

from cmppscope.columns import COMPILED, Columns, Field, PduColumns
from cmppscope.redact import Personal, Redaction, personal
from cmppscope.report.names import command_name
from cmppscope.report.safe import json_escaped
from cmppscope.tables import I64, LAYOUT_20, PduBatch, Row
from dissectors.cmpp.enums import DELIVER, FWD
from dissectors.cmpp.msgid import format_msg_id
from dissectors.cmpp.text import decode_text

CHUNK = 4096
"""Rows that are Python values at one time."""

_K = TypeVar("_K", bound=Hashable)


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
        if field.layer_class == "Authenticator":
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
