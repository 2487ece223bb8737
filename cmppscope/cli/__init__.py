"""The command line (design: its names are a contract). Results go to standard output, talk and progress to stderr.

Every command imports what it uses when it runs, so that `--help` and small captures start fast.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmppscope import __version__
from cmppscope.cli.live import interfaces, live
from cmppscope.cli.options import Settings, takes_settings
from cmppscope.cli.run import USAGE, ReportFormat, Run, output, say
from cmppscope.cli.screens import tui

if TYPE_CHECKING:
    from cmppscope.report.short import TableRow
    from cmppscope.rules import Facts
    from cmppscope.tables import Row

app = typer.Typer(
    name="cmppscope",
    help="A protocol analyzer for CMPP 2.0: who talked, how fast, and what was wrong. "
    "Without a command, CAPTURE opens on the screen; in a pipe it is reported on as text.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Captures = Annotated[
    list[str], typer.Argument(metavar="CAPTURE...", help="Capture files or folders, read as one; - is standard input.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there, not to stdout.")]


class RowFormat(enum.StrEnum):
    """How rows are written."""

    TABLE = "table"
    NDJSON = "ndjson"
    CSV = "csv"


class FailOn(enum.StrEnum):
    """From which severity on a finding makes the exit status 1."""

    ERROR = "error"
    WARN = "warn"


Rows = Annotated[RowFormat, typer.Option("--format", help="How to write the rows.")]


def _show_version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        typer.echo(f"cmppscope {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[  # noqa: FBT002 - typer's way of a flag
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
@takes_settings
def report(
    chosen: Settings,
    captures: Captures,
    format_: Annotated[ReportFormat, typer.Option("--format", help="How to write the report.")] = ReportFormat.JSON,
    out: Output = None,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Exit with 1 when a finding is at least this grave.")
    ] = None,
) -> None:
    """Report on a capture: sessions, latency, results, findings."""
    run = Run(captures, chosen)
    run.read()
    written = run.report(format_)
    with output(out, captures) as file:
        file.write(written)
    run.finish(fail_on)


@app.command()
@takes_settings
def pdus(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
) -> None:
    """List every PDU with its fields, in order of completion."""
    from cmppscope.redact import Redaction  # noqa: PLC0415
    from cmppscope.report.pdus import ndjson_lines, pdu_rows  # noqa: PLC0415
    from cmppscope.report.short import csv_lines, table_lines  # noqa: PLC0415

    run = Run(captures, chosen)
    redaction = Redaction(chosen.redact)
    batches = run.facts()
    with output(out, captures) as file:
        if format_ is RowFormat.NDJSON:
            for facts in batches:
                file.writelines(ndjson_lines(pdu_rows(facts.batch, facts.columns, redaction)))
        else:
            short = (row for facts in batches for row in _short_rows(run, facts, chosen))
            lines = csv_lines(short) if format_ is RowFormat.CSV else (line + "\n" for line in table_lines(short))
            file.writelines(line.encode() for line in lines)
    run.finish()


def _short_rows(run: Run, facts: Facts, chosen: Settings) -> Iterator[TableRow]:
    """Give the PDUs of a batch as short rows, with the addresses of both ends."""
    from cmppscope.redact import Redaction  # noqa: PLC0415
    from cmppscope.report.build import endpoint  # noqa: PLC0415
    from cmppscope.report.short import pdu_table_rows  # noqa: PLC0415

    streams = run.analysis.streams
    numbers = set(facts.batch.stream.tolist())
    ends = {n: (endpoint(streams[n].originator), endpoint(streams[n].responder)) for n in numbers}
    return pdu_table_rows(facts.batch, facts.columns, Redaction(chosen.redact), zone=chosen.zone, ends=ends)


@app.command()
@takes_settings
def transactions(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
) -> None:
    """List every request with its response, latency and state."""
    from cmppscope.report.tables import transaction_rows  # noqa: PLC0415
    from cmppscope.transactions.table import in_order  # noqa: PLC0415

    run = Run(captures, chosen)
    tables = []
    for facts in run.facts():
        tables.append(facts.paired.closed)
        if facts.ended is not None:
            tables.append(facts.ended)
    columns = ("pdu", "frame", "time", "stream", "command", "sequence_id", "state", "latency_ms", "result", "meaning")
    zone = dt.UTC if format_ is RowFormat.NDJSON else chosen.zone
    _write(run, transaction_rows([in_order(tables)], zone), format_, out, columns)
    run.finish()


@app.command()
@takes_settings
def sessions(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
) -> None:
    """List every session: who, which version, login, close."""
    from cmppscope.report.tables import session_rows  # noqa: PLC0415

    run = Run(captures, chosen)
    run.read()
    columns = (
        *("session", "stream", "sp_id", "version", "interface", "originator", "responder"),
        *("login", "status", "pdus", "closed_by"),
    )
    _write(run, session_rows(run.analysis.sessions, run.analysis.last_time_ns), format_, out, columns)
    run.finish()


@app.command()
@takes_settings
def findings(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
) -> None:
    """List every place where a rule does not hold."""
    from cmppscope.report.tables import finding_rows  # noqa: PLC0415

    run = Run(captures, chosen, keep_findings=True)
    run.read()
    columns = ("frame", "stream", "pdu", "severity", "rule", "fault", "detail")
    _write(run, finding_rows(run.analysis.findings), format_, out, columns)
    run.finish()


@app.command()
@takes_settings
def show(
    chosen: Settings,
    captures: Captures,
    pdu: Annotated[int | None, typer.Option("--pdu", min=1, metavar="N", help="The PDU with this number.")] = None,
    frame: Annotated[
        int | None, typer.Option("--frame", min=1, metavar="N", help="Every PDU that ends in this frame.")
    ] = None,
) -> None:
    """Show one PDU, or those of a frame: field tree, octets, findings."""
    if (pdu is None) == (frame is None):
        raise typer.BadParameter("give either --pdu N or --frame N", param_hint="--pdu")
    from cmppscope.cli.single import Wanted  # noqa: PLC0415

    run = Run(captures, chosen, keep_findings=True)
    wanted = Wanted(pdu, frame)
    for facts in run.facts():
        wanted.look(facts)
    with output(None) as file:
        file.write(wanted.text(run.analysis, chosen).encode())
    if not wanted.found:
        held = f"the capture has {run.analysis.counts.frames} frames and {run.analysis.statistics.pdus} PDUs"
        say(f"there is no PDU {pdu}; {held}" if pdu else f"no PDU ends in frame {frame}; {held}")
        raise typer.Exit(USAGE)
    run.finish()


@app.command()
def schema() -> None:
    """Print the JSON Schema of the report."""
    import json  # noqa: PLC0415

    from cmppscope.report.model import schema as make  # noqa: PLC0415

    with output(None) as file:
        file.write((json.dumps(make(), indent=2, ensure_ascii=False) + "\n").encode())


def _write(run: Run, rows: Iterable[Row], format_: RowFormat, out: Path | None, columns: tuple[str, ...]) -> None:
    """Write rows in the format asked for."""
    from cmppscope.report.tables import csv_table, ndjson, table  # noqa: PLC0415

    writers = {RowFormat.NDJSON: ndjson, RowFormat.CSV: csv_table}
    lines = table(rows, columns) if format_ is RowFormat.TABLE else writers[format_](rows)
    with output(out, run.paths) as file:
        file.writelines(line.encode() for line in lines)


app.command()(tui)
app.command()(live)
app.command()(interfaces)
