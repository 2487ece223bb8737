"""The command line (design: its names are a contract). Results go to standard output, talk and progress to stderr.

Every command imports what it uses when it runs, so that `--help` and small captures start fast.
"""

from __future__ import annotations

import datetime as dt
import enum
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmppscope import __version__
from cmppscope.cli.everything import FilterText, wanted
from cmppscope.cli.following import Duration, Following, begun, following, until_signal, write_growing
from cmppscope.cli.live import interfaces, live
from cmppscope.cli.options import Settings, takes_settings
from cmppscope.cli.rules import rules
from cmppscope.cli.run import USAGE, ReportFormat, Run, output, say
from cmppscope.cli.screens import tui

if TYPE_CHECKING:
    from cmppscope.redact import Redaction
    from cmppscope.report.short import TableRow
    from cmppscope.rules import Facts
    from cmppscope.tables import I64, Row
    from cmppscope.transactions import Transactions

    Chosen = tuple[Facts, I64 | None]

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
    PARQUET = "parquet"


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
    follow: Following = False,  # noqa: FBT002 - typer's way of a flag
    duration: Duration = None,
    filter_: FilterText = None,
) -> None:
    """Report on a capture: sessions, latency, results, findings."""
    waits = following(follow=follow, duration=duration)
    with until_signal(waits), wanted(filter_, "report", captures, chosen, follow=waits) as choice:
        run = choice.run()
        written = choice.report(run, format_)
        with output(out, captures) as file:
            file.write(written)
    run.finish(fail_on, choice.reported)


@app.command()
@takes_settings
def pdus(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
    follow: Following = False,  # noqa: FBT002 - typer's way of a flag
    duration: Duration = None,
    filter_: FilterText = None,
) -> None:
    """List every PDU with its fields, in order of completion."""
    waits = following(follow=follow, duration=duration)
    from cmppscope.redact import Redaction  # noqa: PLC0415
    from cmppscope.report.pdus import ndjson_lines, pdu_rows  # noqa: PLC0415
    from cmppscope.report.short import csv_lines, table_lines  # noqa: PLC0415

    _check_format(format_, out)
    redaction = Redaction(chosen.redact)
    choice = wanted(filter_, "pdu", captures, chosen, follow=waits)
    with until_signal(waits), choice, output(out, captures) as file:
        run = choice.run()
        batches = begun(choice.facts(run), file if follow or "-" in captures else None)
        if format_ is RowFormat.NDJSON:
            for facts, rows in batches:
                file.writelines(ndjson_lines(pdu_rows(facts.batch, facts.columns, redaction, rows)))
        elif format_ is RowFormat.PARQUET:
            file.writelines(_parquet_of_pdus(run, batches, redaction))
        else:
            short = (row for facts, rows in batches for row in _short_rows(run, facts, chosen, rows))
            lines = csv_lines(short) if format_ is RowFormat.CSV else (line + "\n" for line in table_lines(short))
            file.writelines(line.encode() for line in lines)
    run.finish()


def _short_rows(run: Run, facts: Facts, chosen: Settings, rows: I64 | None) -> Iterator[TableRow]:
    """Give PDUs of a batch as short rows, with the addresses of both ends."""
    from cmppscope.redact import Redaction  # noqa: PLC0415
    from cmppscope.report.short import pdu_table_rows  # noqa: PLC0415

    redaction, results = Redaction(chosen.redact), run.analysis.results
    ends = _ends(run, facts)
    return pdu_table_rows(
        facts.batch, facts.columns, redaction, rows=rows, zone=chosen.zone, ends=ends, results=results
    )


def _ends(run: Run, facts: Facts) -> dict[int, tuple[str, str]]:
    """Name both ends of each stream of a batch."""
    from cmppscope.report.build import endpoint  # noqa: PLC0415

    streams = run.analysis.streams
    numbers = set(facts.batch.stream.tolist())
    return {n: (endpoint(streams[n].originator), endpoint(streams[n].responder)) for n in numbers}


def _parquet_of_pdus(run: Run, batches: Iterator[Chosen], redaction: Redaction) -> Iterator[bytes]:
    """Write PDUs as Parquet."""
    from cmppscope.report.parquet import PDUS, parquet, pdu_records  # noqa: PLC0415

    results = run.analysis.results
    return parquet(
        (
            row
            for facts, rows in batches
            for row in pdu_records(facts.batch, facts.columns, redaction, rows, _ends(run, facts), results)
        ),
        PDUS,
    )


@app.command()
@takes_settings
def transactions(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
    follow: Following = False,  # noqa: FBT002
    duration: Duration = None,
    filter_: FilterText = None,
) -> None:
    """List every request with its response, latency and state."""
    waits = following(follow=follow, duration=duration)
    from cmppscope.report.tables import transaction_rows  # noqa: PLC0415
    from cmppscope.transactions.table import in_order  # noqa: PLC0415

    _check_format(format_, out)
    columns = ("pdu", "frame", "time", "stream", "command", "sequence_id", "state", "latency_ms", "result", "meaning")
    zone = dt.UTC if format_ is RowFormat.NDJSON else chosen.zone
    with until_signal(waits), wanted(filter_, "transaction", captures, chosen, follow=waits) as choice:
        run = choice.run()
        tables: Iterator[Transactions] = (in_order(facts.settled) for facts, _ in choice.facts(run))
        if waits is None:
            tables = iter([in_order(list(tables))])
        batches = (transaction_rows([choice.transactions(table, run)], zone, run.analysis.results) for table in tables)
        _write(run, batches, format_, out, columns, "transactions", growing=follow)
    run.finish()


@app.command()
@takes_settings
def messages(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
    follow: Following = False,  # noqa: FBT002
    duration: Duration = None,
    filter_: FilterText = None,
) -> None:
    """List every short message: its text, its receivers, and what became of it."""
    waits = following(follow=follow, duration=duration)
    from cmppscope.messages.listing import Listing  # noqa: PLC0415
    from cmppscope.report.messages import COLUMNS  # noqa: PLC0415

    _check_format(format_, out)
    zone = dt.UTC if format_ is RowFormat.NDJSON else chosen.zone
    listing = Listing()
    with until_signal(waits), wanted(filter_, "message", captures, chosen, follow=waits) as choice:
        run = choice.run()
        for facts, _ in choice.facts(run):
            listing.feed(facts)
        _write(run, [choice.messages(listing, run, zone)], format_, out, COLUMNS, "messages")
    run.finish()


@app.command()
@takes_settings
def sessions(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
    follow: Following = False,  # noqa: FBT002
    duration: Duration = None,
    filter_: FilterText = None,
) -> None:
    """List every session: who, which version, login, close."""
    waits = following(follow=follow, duration=duration)
    from cmppscope.report.links import parts  # noqa: PLC0415
    from cmppscope.report.tables import session_rows  # noqa: PLC0415

    _check_format(format_, out)
    columns = (
        *("session", "stream", "sp_id", "version", "interface", "originator", "responder"),
        *("login", "status", "pdus", "closed_by"),
    )
    with until_signal(waits), wanted(filter_, "session", captures, chosen, follow=waits) as choice:
        run = choice.run()
        choice.read(run)
        analysis = run.analysis
        chosen_ones, measured = choice.sessions(run), lambda session: parts(session, analysis)
        rows = session_rows(chosen_ones, analysis.last_time_ns, analysis.results, measured)
        _write(run, [rows], format_, out, columns, "sessions")
    run.finish()


@app.command()
@takes_settings
def findings(
    chosen: Settings,
    captures: Captures,
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
    follow: Following = False,  # noqa: FBT002
    duration: Duration = None,
    filter_: FilterText = None,
) -> None:
    """List every place where a rule does not hold."""
    waits = following(follow=follow, duration=duration)
    from cmppscope.report.tables import finding_rows  # noqa: PLC0415

    _check_format(format_, out)
    columns = ("frame", "stream", "pdu", "severity", "rule", "fault", "detail")
    with until_signal(waits), wanted(filter_, "finding", captures, chosen, keep_findings=True, follow=waits) as choice:
        run = choice.run()
        if waits is None:
            choice.read(run)
            batches: Iterator[Iterable[Row]] = iter([finding_rows(choice.findings(run))])
        else:
            batches = (list(finding_rows(choice.new_findings(run))) for _ in choice.facts(run))
        _write(run, batches, format_, out, columns, "findings", growing=follow)
    run.finish()


@app.command()
@takes_settings
def show(
    chosen: Settings,
    captures: Captures,
    pdu: Annotated[int | None, typer.Option("--pdu", min=1, metavar="N", help="The PDU with this number.")] = None,
    frame: Annotated[
        int | None, typer.Option("--frame", min=1, metavar="N", help="Every PDU of which this frame has octets.")
    ] = None,
) -> None:
    """Show one PDU, or those of a frame: field tree, octets, findings."""
    if (pdu is None) == (frame is None):
        raise typer.BadParameter("give either --pdu N or --frame N", param_hint="--pdu")
    from cmppscope.cli.single import Wanted  # noqa: PLC0415

    run = Run(captures, chosen, keep_findings=True, references=True)
    wanted = Wanted(pdu, frame)
    for facts in run.facts():
        wanted.look(facts)
    with output(None) as file:
        file.write(wanted.text(run.analysis, chosen).encode())
    if not wanted.found:
        held = f"the capture has {run.analysis.counts.frames} frames and {run.analysis.statistics.pdus} PDUs"
        say(f"there is no PDU {pdu}; {held}" if pdu else f"no PDU has octets in frame {frame}; {held}")
        raise typer.Exit(USAGE)
    run.finish()


@app.command()
def schema() -> None:
    """Print the JSON Schema of the report."""
    import json  # noqa: PLC0415

    from cmppscope.report.model import schema as make  # noqa: PLC0415

    with output(None) as file:
        file.write((json.dumps(make(), indent=2, ensure_ascii=False) + "\n").encode())


@app.command()
def fields(
    prefix: Annotated[str, typer.Argument(metavar="[PREFIX]", help="Only names that begin so, as `submit`.")] = "",
    format_: Rows = RowFormat.TABLE,
    out: Output = None,
) -> None:
    """List the fields that a filter may name."""
    from cmppscope.filters.fields import fields_of  # noqa: PLC0415
    from cmppscope.report.tables import lines_of  # noqa: PLC0415

    _check_format(format_, out, "fields")
    rows = [
        {"field": field.name, "type": field.kind.value, "of": field.of, "meaning": field.meaning}
        for field in fields_of(prefix)
    ]
    if not rows:
        raise typer.BadParameter(f"no field begins with {prefix!r}", param_hint="PREFIX")
    with output(out) as file:
        file.writelines(lines_of(rows, format_, ("field", "type", "of", "meaning"), widest=120))


def _check_format(format_: RowFormat, out: Path | None, name: str = "") -> None:
    """Turn away what cannot be written there, before anything is read."""
    if format_ is not RowFormat.PARQUET:
        return
    if name == "fields":
        raise typer.BadParameter("fields are listed as table, ndjson or csv", param_hint="--format")
    if (out is None or str(out) == "-") and sys.stdout.isatty():
        raise typer.BadParameter("Parquet is not for a terminal: give -o FILE", param_hint="--format")


def _write(
    run: Run,
    batches: Iterable[Iterable[Row]],
    format_: RowFormat,
    out: Path | None,
    columns: tuple[str, ...],
    name: str = "",
    *,
    growing: bool = False,
) -> None:
    """Write the rows of a list, which Parquet knows by its name, in the format asked for; if it grows, as they come."""
    from cmppscope.report.tables import lines_of  # noqa: PLC0415

    if growing and format_ is not RowFormat.PARQUET:
        write_growing(iter(batches), format_, out, run.paths, columns)
        return
    rows = itertools.chain.from_iterable(batches)
    if format_ is RowFormat.PARQUET:
        from cmppscope.report.parquet import SCHEMAS, parquet  # noqa: PLC0415

        lines = parquet(rows, SCHEMAS[name])
    else:
        lines = lines_of(rows, format_, columns)
    with output(out, run.paths) as file:
        file.writelines(lines)


app.command()(tui)
app.command()(live)
app.command()(interfaces)
app.command()(rules)
