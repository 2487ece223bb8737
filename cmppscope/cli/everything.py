"""What a list or a report is made of: everything, or with `--filter` what passes (`cli.choice`).

Both have one shape, so that a command does not ask which it has. Only a filter loads what filters need.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Self

import typer

from cmppscope.cli.options import Settings
from cmppscope.cli.run import ReportFormat, Run

if TYPE_CHECKING:
    from cmppscope.capture.follow import Follow
    from cmppscope.messages.listing import Listing
    from cmppscope.rules import Facts, Finding
    from cmppscope.sessions import Session
    from cmppscope.tables import I64, Row
    from cmppscope.transactions import Transactions

FilterText = Annotated[
    str | None, typer.Option("--filter", metavar="EXPR", help="Only what passes a display filter; see `fields`.")
]


class Everything:
    """A pass over a capture in which every row is wanted."""

    def __init__(
        self,
        target: str,
        captures: list[str],
        chosen: Settings,
        *,
        keep_findings: bool = False,
        follow: Follow | None = None,
    ) -> None:
        """Take which list is wanted, what is to be read, and what the user set."""
        self.target = target
        self.captures = captures
        self.chosen = chosen
        self.keep_findings = keep_findings
        self.follow = follow
        self.reported: list[Finding] | None = None
        """The findings that were reported, None where those of the whole capture were."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def run(self) -> Run:
        """Make the pass."""
        return self._pass({self.target})

    def _pass(self, lists: Collection[str]) -> Run:
        """Make a pass that goes as far as some lists ask."""
        return Run(self.captures, self.chosen, keep_findings=self.keep_findings, lists=lists, follow=self.follow)

    def facts(self, run: Run) -> Iterator[tuple[Facts, I64 | None]]:
        """Yield the facts of each batch, and the rows of the PDUs that are wanted; None wants all."""
        for facts in run.facts():
            yield facts, None

    def read(self, run: Run) -> None:
        """Analyse everything, keeping no rows."""
        for _ in self.facts(run):
            pass

    def transactions(self, table: Transactions, run: Run) -> Transactions:  # noqa: ARG002 - filters need the run
        """Give the transactions that are wanted."""
        return table

    def messages(self, listing: Listing, run: Run, zone: dt.tzinfo) -> Iterator[Row]:
        """Yield the messages that are wanted as rows."""
        from cmppscope.redact import Redaction  # noqa: PLC0415 - start-up stays lean
        from cmppscope.report.messages import message_rows  # noqa: PLC0415

        analysis = run.analysis
        return message_rows(listing, analysis.sessions, analysis.results, Redaction(self.chosen.redact), zone)

    def sessions(self, run: Run) -> list[Session]:
        """Give the sessions that are wanted."""
        return run.analysis.sessions

    def findings(self, run: Run) -> list[Finding]:
        """Give the findings with the places that are wanted."""
        return run.analysis.findings

    def new_findings(self, run: Run) -> list[Finding]:
        """Give the findings with the wanted ones of the places found since the last call, and let go of these."""
        found = [replace(finding, places=list(finding.places)) for finding in self.findings(run) if finding.places]
        for finding in run.analysis.findings:
            finding.places.clear()
        return found

    def report(self, run: Run, format_: ReportFormat) -> bytes:
        """Read, and write the report."""
        run.read()
        return run.report(format_)


def wanted(
    expression: str | None,
    target: str,
    captures: list[str],
    chosen: Settings,
    *,
    keep_findings: bool = False,
    follow: Follow | None = None,
) -> Everything:
    """Give what a command reads; a filter that means nothing ends the program before anything is read."""
    if expression is None:
        return Everything(target, captures, chosen, keep_findings=keep_findings, follow=follow)
    from cmppscope.cli.choice import Choice  # noqa: PLC0415 - Polars and lark are loaded for filters only

    return Choice(expression, target, captures, chosen, keep_findings=keep_findings, follow=follow)
