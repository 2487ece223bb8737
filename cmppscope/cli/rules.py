"""`cmppscope rules`: all rules as a list, or one of them explained."""

from __future__ import annotations

import enum
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmppscope.cli.config import nearest
from cmppscope.cli.options import Config, Settings, settings
from cmppscope.cli.run import USAGE, output, say

if TYPE_CHECKING:
    from cmppscope.rules import Rule
    from cmppscope.tables import Row


class ListFormat(enum.StrEnum):
    """How the list is written."""

    TABLE = "table"
    NDJSON = "ndjson"
    CSV = "csv"


_COLUMNS = ("rule", "severity", "section", "sentence")
_WIDTH = 80
_LABELS = 12


def rules(
    rule: Annotated[str | None, typer.Argument(metavar="[ID]", help="Explain this rule.")] = None,
    format_: Annotated[ListFormat, typer.Option("--format", help="How to write the list.")] = ListFormat.TABLE,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there, not to stdout.")
    ] = None,
    config: Config = None,
) -> None:
    """List the rules that findings are about, or explain one."""
    from cmppscope.report.tables import csv_table, ndjson, table  # noqa: PLC0415 - start-up stays lean

    chosen = settings(config=config)
    if rule is not None:
        lines = _explained(_named(rule), chosen)
    elif format_ is ListFormat.TABLE:
        lines = table(_rows(chosen), _COLUMNS)
    elif format_ is ListFormat.CSV:
        lines = csv_table({name: row[name] for name in _COLUMNS} for row in _rows(chosen))
    else:
        lines = ndjson(_rows(chosen))
    with output(out) as file:
        file.writelines(line.encode() for line in lines)


def _named(slug: str) -> Rule:
    """Find a rule; end the program where there is none of that id."""
    from cmppscope.rules import RULES  # noqa: PLC0415

    by_id = {rule.id: rule for rule in RULES}
    if slug not in by_id:
        near = ", ".join(nearest(slug, by_id))
        say(f"there is no rule {slug}" + (f"; nearest: {near}" if near else "; `cmppscope rules` lists them"))
        raise typer.Exit(USAGE)
    return by_id[slug]


def _rows(chosen: Settings) -> Iterator[Row]:
    """Give all rules, with the severities in force."""
    from cmppscope.report.rules import row  # noqa: PLC0415
    from cmppscope.rules import RULES  # noqa: PLC0415

    for rule in RULES:
        made = row(rule)
        yield made | {"severity": chosen.tables.severities.get(rule.id, made["severity"])}


def _explained(rule: Rule, chosen: Settings) -> Iterator[str]:
    """Write what is to be said of a rule."""
    from cmppscope.report.rules import explained  # noqa: PLC0415
    from cmppscope.transactions import Timers  # noqa: PLC0415

    severity = chosen.tables.severities.get(rule.id, rule.severity.word)
    timers = Timers(int(chosen.t_seconds * 1e9), chosen.n)
    yield f"{rule.id}\n"
    labels = False
    for label, text in explained(rule, severity, chosen.tables.as_limits(), timers):
        yield "" if label and labels else "\n"
        labels = bool(label)
        head = f"{label + ':':<{_LABELS}}" if label else ""
        yield textwrap.fill(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head)) + "\n"
