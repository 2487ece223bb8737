"""What lists write: the same rows in every format, typed in Parquet, harmless wherever they are opened."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest

from cmppscope.report import parquet as room
from cmppscope.report.parquet import SCHEMAS, TIME, nanoseconds
from cmppscope.report.safe import FORMULA_STARTS, is_safe

Cli = Callable[..., Any]
ROOT = Path(__file__).parents[2]
LISTS = ("pdus", "transactions", "messages", "sessions", "findings")
OTHERWISE = {"msg_id", "roles", "text", "content", "commands", "fields", "parts", "reports", "hops", "cancels"}
OTHERWISE |= {"login_check", "network", "latency", "audit"}
"""Columns that hold JSON in Parquet, or a number where ndjson has its digits."""
HOSTILE = ROOT / "samples" / "hostile-text.pcap"


def parquet_of(cli: Cli, *arguments: object) -> pl.DataFrame:
    """Run a command and read the Parquet that it writes to standard output."""
    ended = cli(*arguments, "--format", "parquet")
    assert ended.status == 0
    return pl.read_parquet(io.BytesIO(ended.out))


@pytest.mark.parametrize("command", LISTS)
def test_parquet_has_the_rows_of_ndjson(cli: Cli, faulty: Path, command: str) -> None:
    """The same rows with types: integers, UTC times with nanoseconds, durations in nanoseconds."""
    rows = cli(command, faulty, "--format", "ndjson").rows
    table = parquet_of(cli, command, faulty)
    assert table.schema == pl.Schema(SCHEMAS[command])
    assert len(table) == len(rows) > 0
    written = {name.removesuffix("_ms") + "_ns" if name.endswith("_ms") else name for name in rows[0]}
    assert written - {"time_ns"} - set(table.columns) == set()
    for name in set(table.columns) & set(rows[0]) - OTHERWISE:
        if table.schema[name] == TIME:
            assert table[name].cast(pl.Int64).to_list() == [nanoseconds(row[name]) for row in rows]
        else:
            assert table[name].to_list() == [row[name] for row in rows], name
    for name in (name for name in table.columns if name.endswith("_ns")):
        milliseconds = [row[f"{name[:-3]}_ms"] for row in rows]
        assert table[name].to_list() == [None if ms is None else round(ms * 1e6) for ms in milliseconds]


def test_msg_ids_are_64_bits_without_a_sign(cli: Cli, demo: Path) -> None:
    """A Msg_Id in Parquet is the number; times are the frame's."""
    rows = cli("pdus", demo, "--format", "ndjson").rows
    table = parquet_of(cli, "pdus", demo)
    assert table.schema["msg_id"] == pl.UInt64
    assert table["msg_id"].to_list() == [int(i) if (i := row["fields"].get("msg_id")) else None for row in rows]
    assert table["time"].cast(pl.Int64).to_list() == [int(row["time_ns"]) for row in rows]
    assert isinstance(table["time"][0], dt.datetime)


def test_parquet_in_parts_is_one_file(cli: Cli, faulty: Path) -> None:
    """Many parts give the same table as one."""
    whole = parquet_of(cli, "pdus", faulty)
    with mock.patch.object(room, "_PART", 3):
        assert parquet_of(cli, "pdus", faulty).equals(whole)


def test_parquet_without_rows(cli: Cli, faulty: Path) -> None:
    """Nothing passes, and the columns are there."""
    table = parquet_of(cli, "transactions", faulty, "--filter", "cmpp.sequence_id == 4711")
    assert (len(table), table.schema) == (0, pl.Schema(SCHEMAS["transactions"]))


@pytest.mark.parametrize("command", LISTS)
def test_parquet_is_not_for_a_terminal(cli: Cli, command: str, tmp_path: Path) -> None:
    """On a terminal -o is asked for before anything is read; with it, a file is written."""
    with mock.patch("cmppscope.cli.sys") as system:
        system.stdout.isatty.return_value = True
        ended = cli(command, "no-such-file.pcap", "--format", "parquet")
        assert ended.status == 2
        assert "give -o FILE" in " ".join(ended.err.split())
        out = tmp_path / "out.parquet"
        assert cli(command, HOSTILE, "--format", "parquet", "-o", out).status == 0
    assert len(pl.read_parquet(out)) >= 0


@pytest.mark.parametrize("redact", [[], ["--no-redact"]], ids=["masked", "plain"])
@pytest.mark.parametrize("format_", ["table", "ndjson", "csv", "parquet"])
@pytest.mark.parametrize("command", LISTS)
def test_no_format_obeys_the_wire(cli: Cli, command: str, format_: str, redact: list[str]) -> None:
    """Terminal escapes, direction marks, controls and lone surrogates reach no output as such; no cell is a formula."""
    ended = cli(command, HOSTILE, "--format", format_, *redact)
    assert ended.status == 0
    if format_ == "parquet":
        table = pl.read_parquet(io.BytesIO(ended.out))
        texts = [text for name in table.columns if table.schema[name] == pl.String for text in table[name].drop_nulls()]
    else:
        texts = ended.out.decode("utf-8").splitlines()
    assert texts
    unsafe = {c for text in texts for c in text if not is_safe(c)}
    assert {unicodedata.name(c, hex(ord(c))) for c in unsafe} == set()
    if format_ == "csv":
        cells = [cell for row in csv.reader(io.StringIO(ended.text)) for cell in row]
        risky = [cell for cell in cells if cell[:1] and cell[0] in FORMULA_STARTS]
        assert [cell for cell in risky if not cell.lstrip("-").replace(".", "").isdigit()] == []


@pytest.mark.parametrize("command", LISTS)
def test_csv_and_parquet_are_masked(cli: Cli, demo: Path, command: str) -> None:
    """What is personal stays hidden in every format."""
    row = cli("pdus", demo, "--no-redact", "--format", "ndjson", "--filter", "submit").rows[0]
    number = row["fields"]["dest_terminal_id"][0]
    hidden = (number, row["fields"]["msg_content"]["hex"], row["fields"]["text"])
    for format_ in ("csv", "table", "ndjson"):
        assert [each for each in hidden if each in cli(command, demo, "--format", format_).text] == []
    table = str(parquet_of(cli, command, demo).to_dicts())
    assert [each for each in hidden if each in table] == []


def test_pdus_are_not_kept(cli: Cli, demo: Path) -> None:
    """`pdus` writes the rows of a batch before the next one is read, with a filter about PDUs and without one."""
    from cmppscope.capture import Capture  # noqa: PLC0415 - the class is changed for this test

    order: list[str] = []
    batches = Capture.__iter__

    def counted(self: Capture) -> Any:
        self.batch_frames = 4
        for batch in batches(self):
            order.append("read")
            yield batch

    class Written(io.BytesIO):
        def write(self, octets: Any) -> int:
            order.append("write")
            return super().write(octets)

    for expression in ([], ["--filter", "cmpp"]):
        order.clear()
        with mock.patch.object(Capture, "__iter__", counted), mock.patch("cmppscope.cli.run.sys") as system:
            system.stdout.buffer = Written()
            system.stderr = sys.stderr
            cli("pdus", demo, "--format", "ndjson", *expression)
        assert order.index("write") < len(order) - 1 - order[::-1].index("read")
