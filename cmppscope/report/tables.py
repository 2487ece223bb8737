"""Rows of transactions, sessions and findings, and the writing of rows as table, ndjson and CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from cmppscope.report.build import milliseconds, session_row
from cmppscope.report.links import NO_PARTS, Parts
from cmppscope.report.names import command_name, iso_time
from cmppscope.report.safe import csv_cell, json_escaped, printable, width
from cmppscope.rules import STANDARD, Finding, Results
from cmppscope.sessions import Session
from cmppscope.tables import Row
from cmppscope.transactions import STATES, Transactions
from cmppscope.transactions.table import NO_RESULT

_WIDEST = 60
"""Columns that one cell of a table may widen."""
_AHEAD = 200
"""Rows looked at to find the widths of a table's columns."""


def transaction_rows(tables: Iterable[Transactions], zone: dt.tzinfo, results: Results = STANDARD) -> Iterator[Row]:
    """Yield transactions as rows, in the order of their requests within each table."""
    for table in tables:
        for row in range(len(table)):
            yield _transaction(table, row, zone, results)


def _transaction(table: Transactions, row: int, zone: dt.tzinfo, results: Results) -> Row:
    """Give one transaction."""
    command, code = int(table.command[row]), int(table.result[row])
    answered = bool(table.response_pdu[row])
    return {
        "pdu": int(table.pdu[row]),
        "frame": int(table.frame[row]),
        "time": iso_time(int(table.time_ns[row]), zone),
        "stream": int(table.stream[row]),
        "direction": int(table.direction[row]),
        "session": int(table.session[row]),
        "command": command_name(command),
        "sequence_id": int(table.sequence[row]),
        "sendings": int(table.sendings[row]),
        "state": STATES[int(table.state[row])],
        "latency_ms": milliseconds(int(table.response_time_ns[row] - table.time_ns[row])) if answered else None,
        "last_sending_latency_ms": (
            milliseconds(int(table.response_time_ns[row] - table.last_time_ns[row])) if answered else None
        ),
        "response_pdu": int(table.response_pdu[row]) or None,
        "response_frame": int(table.response_frame[row]) or None,
        "result": None if code == NO_RESULT else code,
        "meaning": None if code == NO_RESULT else results.of(command, code),
    }


def session_rows(
    sessions: Sequence[Session],
    last_time_ns: int,
    results: Results = STANDARD,
    parts: Callable[[Session], Parts] = lambda _: NO_PARTS,
) -> Iterator[Row]:
    """Yield sessions as rows, with `parts` what was measured of them; `last_time_ns` is that of the last frame."""
    for session in sessions:
        row: Row = msgspec.to_builtins(session_row(session, last_time_ns, results, parts(session)))
        yield row


def finding_rows(findings: Sequence[Finding]) -> Iterator[Row]:
    """Yield every place kept of every finding, in the order of the frames."""
    everything = [(place, finding) for finding in findings for place in finding.places]
    for place, finding in sorted(everything, key=lambda entry: (entry[0], entry[1].rule.id)):
        yield {
            "frame": place.frame,
            "stream": None if place.stream < 0 else place.stream,
            "direction": place.direction,
            "pdu": place.pdu or None,
            "octet": None if place.offset < 0 else place.offset,
            "severity": finding.rule.severity.word,
            "rule": finding.rule.id,
            "section": finding.rule.section,
            "fault": finding.fault,
            "detail": place.detail,
        }


def ndjson(rows: Iterable[Row]) -> Iterator[str]:
    """Write rows as JSON, one a line."""
    for row in rows:
        yield json_escaped(msgspec.json.encode(row)).decode() + "\n"


def csv_table(rows: Iterable[Row]) -> Iterator[str]:
    """Write flat rows as CSV (RFC 4180); no cell is a formula. A list or object becomes JSON in its cell."""
    line = io.StringIO()
    writer = csv.writer(line)
    for number, row in enumerate(rows):
        if not number:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in row.values()])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def lines_of(
    rows: Iterable[Row], format_: str, columns: Sequence[str], *, widest: int = _WIDEST, ahead: int = _AHEAD
) -> Iterator[bytes]:
    """Write rows as `ndjson`, `csv` or `table`; only the last one leaves columns out, and reads rows `ahead`."""
    writers = {"ndjson": ndjson, "csv": csv_table}
    lines = table(rows, columns, widest=widest, ahead=ahead) if format_ == "table" else writers[format_](rows)
    return (line.encode() for line in lines)


def table(rows: Iterable[Row], columns: Sequence[str], *, widest: int = _WIDEST, ahead: int = _AHEAD) -> Iterator[str]:
    """Write some columns of rows for a terminal; the rows read `ahead` tell how wide a column is, up to `widest`."""
    source = iter(rows)
    first = [row for _, row in zip(range(ahead), source, strict=False)]
    cells = [[_shown(row[name]) for name in columns] for row in first]
    sizes = [min(widest, max([width(name), *(width(row[at]) for row in cells)])) for at, name in enumerate(columns)]
    right = [bool(first) and all(isinstance(row[name], int | float | None) for row in first) for name in columns]

    def line(row: Sequence[str]) -> str:
        padded = []
        for cell, size, number in zip(row, sizes, right, strict=True):
            space = " " * (size - width(cell))
            padded.append(space + cell if number else cell + space)
        return "  ".join(padded).rstrip() + "\n"

    yield line(list(columns))
    yield from map(line, cells)
    for row in source:
        yield line([_shown(row[name]) for name in columns])


def _shown(value: object) -> str:
    """Write a value for a terminal."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return " ".join(f"{name}:{count}" for name, count in value.items())
    if isinstance(value, list):
        return ",".join(map(str, value))
    return printable(f"{value:.3f}" if isinstance(value, float) else str(value))


def _cell(value: object) -> object:
    """Write a value for a spreadsheet."""
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    return csv_cell(value) if isinstance(value, str) else value
