"""What holds of every capture, whatever its octets: the demands that the fuzzer makes.

A demand that is not met is an AssertionError; any other exception is a fault of its own.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import itertools
import json
import random
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import Capture, CaptureError
from cmppscope.filters.errors import FilterError
from cmppscope.filters.selection import Filter
from cmppscope.messages.listing import Listing
from cmppscope.redact import Redaction
from cmppscope.report import model
from cmppscope.report.build import build
from cmppscope.report.links import parts as parts_of
from cmppscope.report.messages import message_rows
from cmppscope.report.pdus import ndjson_lines, pdu_rows
from cmppscope.report.safe import is_safe, json_escaped, width
from cmppscope.report.tables import finding_rows, lines_of, session_rows, transaction_rows
from cmppscope.rules import STANDARD
from cmppscope.tables import FrameBatch
from cmppscope.transactions.table import in_order
from mutate import filter_text
from running import Ended, inside

LISTS = ("pdus", "transactions", "messages", "sessions", "findings")
FORMATS = ("ndjson", "csv", "table", "parquet")
TARGETS = ("pdu", "transaction", "message", "session", "finding")
WIDEST = 80
_CHINA = dt.timezone(dt.timedelta(hours=8))


def check(path: Path, rng: random.Random) -> None:
    """Make every demand of one capture file."""
    whole = told(path, None)
    cut = told(path, rng)
    assert list(whole) == list(cut), (list(whole), list(cut))
    for name, value in whole.items():
        assert value == cut[name], differing(name, value, cut[name])
    check_report(path, whole)
    for _ in range(2):
        check_list(path, rng.choice(LISTS), rng.choice(FORMATS), whole)
    check_show(path, rng, len(whole.get("pdus", ())))
    check_filter_text(rng)
    check_filter(path, rng, whole)


def differing(name: str, one: Any, other: Any) -> str:
    """Say where two lists part, or two texts."""
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(one), len(other)) if at is None else at
    low, high = (max(0, at - 200), at + 300) if isinstance(one, bytes) else (at, at + 1)
    return f"{name} differ at {at} of {len(one)} and {len(other)}:\n{one[low:high]!r}\n{other[low:high]!r}"


def told(path: Path, rng: random.Random | None) -> dict[str, Any]:
    """Tell everything there is to tell of a capture, read whole or, with `rng`, cut into batches at random."""
    batch_frames = 100_000 if rng is None else 1 + path.stat().st_size // rng.choice((600, 1_500, 100_000))
    capture = Capture([path], batch_frames)
    redaction = Redaction(True)  # noqa: FBT003 - its only field
    analysis = Analysis(Options(keep_findings=True, hide=redaction.value))
    listing, tables = Listing(), []
    pdus: list[bytes] = []

    def take(all_facts: Iterable[Any]) -> None:
        for facts in all_facts:
            listing.feed(facts)
            tables.extend(facts.settled)
            pdus.extend(ndjson_lines(pdu_rows(facts.batch, facts.columns, redaction)))

    try:
        take(analysis.feed(part) for batch in capture for part in (parts(batch, rng) if rng else [batch]))
    except CaptureError as error:
        return {"error": str(error)}
    take(analysis.close())
    made = build(analysis, capture.files, capture.notes)
    rows = {
        "transactions": transaction_rows([in_order(tables)], dt.UTC, STANDARD),
        "messages": message_rows(listing, analysis.sessions, STANDARD, redaction, dt.UTC),
        "sessions": session_rows(
            analysis.sessions, analysis.last_time_ns, STANDARD, lambda session: parts_of(session, analysis)
        ),
        "findings": finding_rows(analysis.findings),
    }
    lines = {name: list(lines_of(list(found), "ndjson", ())) for name, found in rows.items()}
    return {"pdus": pdus, **lines, "report": json_escaped(model.encode(made)), "streams": analysis.protocols}


def parts(batch: FrameBatch, rng: random.Random) -> Iterator[FrameBatch]:
    """Cut a batch at random."""
    bounds = sorted({0, len(batch), *(rng.randrange(len(batch)) for _ in range(rng.choice((0, 1, 5))))})
    arrays = ("offset", "caplen", "wirelen", "time_ns", "linktype", "file_offset")
    for low, high in itertools.pairwise(bounds):
        cut = {name: getattr(batch, name)[low:high] for name in arrays}
        yield dataclasses.replace(batch, first=batch.first + low, file_first=batch.file_first + low, **cut)


@cache
def validator() -> jsonschema.Draft202012Validator:
    """Give the schema of the report, with no key that it does not name."""
    schema = model.schema()
    for part in schema["$defs"].values():
        part["additionalProperties"] = part.get("additionalProperties", False)
    return jsonschema.Draft202012Validator(schema)


def check_report(path: Path, whole: dict[str, Any]) -> None:
    """The report keeps to its schema, keeping findings changes nothing, and its text fits a terminal."""
    ended = inside("report", path)
    text = inside("report", path, "--format", "text")
    for each in (ended, text):
        check_end(each)
    if "error" in whole:
        assert (ended.status, ended.out, text.status, text.out) == (3, b"", 3, b"")
        return
    assert ended.status in {0, 4}
    validator().validate(json.loads(ended.out))
    assert ended.out == whole["report"], differing("report and kept findings", ended.out, whole["report"])
    check_text(text.out)
    for line in text.out.decode().splitlines():
        assert width(line) <= WIDEST, f"{width(line)} columns: {line!r}"


def check_end(ended: Ended, statuses: Iterable[int] = (0, 3, 4)) -> None:
    """A run ends with a documented status, and talks in lines of its own."""
    assert ended.status in statuses, ended
    for line in ended.err.splitlines():
        assert line.startswith(("cmppscope: ", "  ")), ended.err
        assert all(map(is_safe, line)), ended.err


def check_text(out: bytes) -> None:
    """No character that a terminal might obey is written."""
    for line in out.decode().split("\n"):
        assert all(map(is_safe, line)), f"not safe: {line!r}"


def check_list(path: Path, command: str, format_: str, whole: dict[str, Any]) -> None:
    """A list is written in any format, as many rows as there are, and safe to look at."""
    ended = inside(command, path, "--format", format_)
    check_end(ended)
    if "error" in whole:
        assert ended.out == b""
        return
    rows = whole[command]
    if format_ == "parquet":
        assert ended.out[:4] == ended.out[-4:] == b"PAR1"
        return
    check_text(ended.out.replace(b"\r\n", b"\n") if format_ == "csv" else ended.out)
    if format_ == "ndjson":
        found = ended.out.splitlines(keepends=True)
        assert found == rows, differing(f"{command} of the program", found, rows)
    elif format_ == "csv":
        table = list(csv.reader(io.StringIO(ended.out.decode(), newline="")))
        assert len({len(row) for row in table}) <= 1
        assert len(table) == len(rows) + bool(rows) or (not rows and len(table) <= 1), (command, len(table), len(rows))


def check_show(path: Path, rng: random.Random, count: int) -> None:
    """Any one PDU can be looked at."""
    number = rng.randint(1, count + 1)
    ended = inside("show", path, *rng.choice((("--pdu", number), ("--frame", number))))
    check_end(ended, (0, 2, 3, 4))
    check_text(ended.out)


def check_filter_text(rng: random.Random) -> None:
    """A filter is read, or refused with a place inside its text."""
    for _ in range(4):
        text = filter_text(rng)
        try:
            Filter(text, rng.choice(TARGETS), _CHINA)
        except FilterError as refused:
            error = refused
        else:
            continue
        assert error.message.strip(), repr(text)
        assert 0 <= error.start < error.end, (text, error.start, error.end)


def check_filter(path: Path, rng: random.Random, whole: dict[str, Any]) -> None:
    """What a filter leaves of a list are rows of the whole list, in order; a report with one keeps to the schema."""
    text, command = filter_text(rng), rng.choice((*LISTS, "report"))
    arguments = () if command == "report" else ("--format", "ndjson")
    if "\0" in text or "\udc80" in text:
        return  # no command line can hold them
    ended = inside(command, path, *arguments, f"--filter={text}")
    check_end(ended, (0, 2, 3, 4))
    if ended.status not in {0, 4}:
        assert ended.out == b"", ended
    elif command == "report":
        validator().validate(json.loads(ended.out))
    else:
        rows = iter(whole[command])
        for line in ended.out.splitlines(keepends=True):
            assert line in rows, f"{command} --filter {text!r}: {line!r} is no row of the whole list, or out of order"
