"""Rows as Parquet: the columns of the other formats with types, for programs that compute.

Counts and numbers are integers, times are UTC with nanoseconds, spans of time are nanoseconds (`latency_ns`), a Msg_Id
is 64 bits without a sign. What has no type of its own is JSON in a text (`fields` of a PDU, as ndjson has them). Texts
are made printable as in tables. Rows are written in parts that are put together at the end, so that memory does not
grow with the capture.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from cmppscope.columns import PduColumns
from cmppscope.redact import Redaction
from cmppscope.report.pdus import pdu_rows
from cmppscope.report.safe import json_escaped, printable
from cmppscope.report.short import info
from cmppscope.rules import Results
from cmppscope.tables import I64, PduBatch, Row
from cmppscope.transactions.table import RESULT_FIELDS
from dissectors.cmpp.enums import RESPONSE

_PART = 65_536
"""Rows of a part."""
_COPIED = 1 << 20

TIME = pl.Datetime("ns", "UTC")
_COUNT, _TEXT = pl.Int64(), pl.String()

Schema = Mapping[str, pl.DataType]

PDUS: Schema = {
    **dict.fromkeys(("pdu", "frame", "stream", "direction"), _COUNT),
    "time": TIME,
    **dict.fromkeys(("src", "dst", "command"), _TEXT),
    **dict.fromkeys(("command_id", "sequence_id", "total_length"), pl.UInt32()),
    "msg_id": pl.UInt64(),
    "result": _COUNT,
    **dict.fromkeys(("info", "fields"), _TEXT),
}
"""`result` is the Result, Status or Success_Id of a response."""

TRANSACTIONS: Schema = {
    **dict.fromkeys(("pdu", "frame"), _COUNT),
    "time": TIME,
    **dict.fromkeys(("stream", "direction", "session"), _COUNT),
    "command": _TEXT,
    "sequence_id": pl.UInt32(),
    "sendings": _COUNT,
    "state": _TEXT,
    **dict.fromkeys(("latency_ns", "last_sending_latency_ns", "response_pdu", "response_frame", "result"), _COUNT),
    "meaning": _TEXT,
}

MESSAGES: Schema = {
    "message": _COUNT,
    "kind": _TEXT,
    **dict.fromkeys(("pdu", "frame"), _COUNT),
    "time": TIME,
    **dict.fromkeys(("stream", "session"), _COUNT),
    **dict.fromkeys(("sp_id", "service_id", "src"), _TEXT),
    "receivers": _COUNT,
    "dest": pl.List(pl.String),
    **dict.fromkeys(("state", "mixed"), _TEXT),
    "result": _COUNT,
    "meaning": _TEXT,
    "msg_id": pl.UInt64(),
    "msg_id_text": _TEXT,
    **dict.fromkeys(("response_ns", "end_to_end_ns"), _COUNT),
    **dict.fromkeys(("parts", "reports", "hops", "cancels", "text", "content"), _TEXT),
}

SESSIONS: Schema = {
    **dict.fromkeys(("session", "stream"), _COUNT),
    **dict.fromkeys(("interface", "originator", "responder"), _TEXT),
    "roles": pl.List(pl.String),
    "sp_id": _TEXT,
    "connect_direction": _COUNT,
    "version": _TEXT,
    "version_octet": _COUNT,
    "login": _TEXT,
    "status": _COUNT,
    "status_meaning": _TEXT,
    "first_status": _COUNT,
    "first_status_meaning": _TEXT,
    **dict.fromkeys(("login_ns", "connects", "first_frame", "last_frame"), _COUNT),
    **dict.fromkeys(("first_time", "last_time"), TIME),
    **dict.fromkeys(("pdus", "octets"), _COUNT),
    **dict.fromkeys(("commands", "closed_by"), _TEXT),
    "closed_direction": _COUNT,
    **dict.fromkeys(("login_check", "network", "latency", "audit"), _TEXT),
}

FINDINGS: Schema = {
    **dict.fromkeys(("frame", "stream", "direction", "pdu", "octet"), _COUNT),
    **dict.fromkeys(("severity", "rule", "section", "fault", "detail"), _TEXT),
}

SCHEMAS: dict[str, Schema] = {
    "pdus": PDUS,
    "transactions": TRANSACTIONS,
    "messages": MESSAGES,
    "sessions": SESSIONS,
    "findings": FINDINGS,
}
"""By the name of the list; a list that is not here cannot be written as Parquet."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def pdu_records(
    batch: PduBatch,
    columns: PduColumns,
    redaction: Redaction,
    rows: I64 | None,
    ends: Mapping[int, tuple[str, str]],
    results: Results,
) -> Iterator[Row]:
    """Yield a row for every PDU, or for those in `rows` (ascending); `ends` as in `report.short`."""
    layouts = (batch.layout if rows is None else batch.layout[rows]).tolist()
    for row, layout in zip(pdu_rows(batch, columns, redaction, rows), layouts, strict=True):
        fields, command = row["fields"] or {}, row["command_id"]
        src, dst = ends[row["stream"]] if row["direction"] == 0 else ends[row["stream"]][::-1]
        code = RESULT_FIELDS.get(command ^ RESPONSE)
        yield {
            **row,
            "time": int(row["time_ns"]),
            "src": src,
            "dst": dst,
            "msg_id": fields.get("msg_id"),
            "result": None if code is None else fields.get(code),
            "info": info(row, layout, results),
        }


def parquet(rows: Iterable[Row], schema: Schema) -> Iterator[bytes]:
    """Write rows as one Parquet file, given in pieces."""
    source = iter(rows)
    with tempfile.TemporaryDirectory(prefix="cmppscope-") as folder:
        parts: list[Path] = []
        while len(part := frame(islice(source, _PART), schema)) or not parts:
            parts.append(Path(folder) / f"{len(parts)}.parquet")
            part.write_parquet(parts[-1])
        whole = parts[0]
        if len(parts) > 1:
            whole = Path(folder) / "whole.parquet"
            pl.scan_parquet(parts).sink_parquet(whole)
        with whole.open("rb") as file:
            while piece := file.read(_COPIED):
                yield piece


def frame(rows: Iterable[Row], schema: Schema) -> pl.DataFrame:
    """Make a table of some rows."""
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    for row in rows:
        for name, values in columns.items():
            values.append(_value(row, name, schema[name]))
    series = [
        pl.Series(name, values, pl.Int64 if schema[name] == TIME else schema[name]).cast(schema[name])
        for name, values in columns.items()
    ]
    return pl.DataFrame(series)


def _value(row: Row, name: str, kind: pl.DataType) -> Any:
    """Give a row's value as its column holds it."""
    value = row.get(name)
    if value is None and name.endswith("_ns"):
        milliseconds = row.get(f"{name[:-3]}_ms")
        return None if milliseconds is None else round(milliseconds * 1_000_000)
    if value is None:
        return None
    if kind == TIME:
        return nanoseconds(value) if isinstance(value, str) else value
    if kind == _TEXT:
        return _text(value)
    if isinstance(value, list):
        return [_text(each) for each in value]
    return int(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    """Write a text so that it can be printed, anything else as JSON."""
    return printable(value) if isinstance(value, str) else json_escaped(msgspec.json.encode(value)).decode()


def nanoseconds(text: str) -> int:
    """Read a time as rows write it, nine digits behind the second and `Z` or an offset."""
    head, rest = text[:19], text[20:]
    since = dt.datetime.fromisoformat(head + (rest[9:] or "Z")) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int(rest[:9])
