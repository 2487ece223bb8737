"""What `--filter` chooses: the rows of one list, or what a report counts.

A filter sees everything paired and judged first; then rows are chosen. PDUs are chosen as they come where the filter
asks nothing but PDUs; where it asks what becomes known later (a latency, a finding), the capture is read twice, and
what can be read only once is copied for that.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import typer

from cmppscope.cli.everything import Everything
from cmppscope.cli.options import Settings
from cmppscope.cli.run import USAGE, ReportFormat, Run
from cmppscope.filters.errors import FilterError
from cmppscope.filters.selection import Filter, Sieve
from cmppscope.filters.tables import (
    FINDING,
    MESSAGE,
    PDU,
    SESSION,
    TRANSACTION,
    FindingTable,
    PduTable,
    SessionTable,
    Spot,
    Table,
    TransactionTable,
    end_of,
)
from cmppscope.messages.listing import Listing
from cmppscope.report.build import session_row
from cmppscope.report.carets import pointed
from cmppscope.report.chosen import Chosen, chosen_report
from cmppscope.report.links import parts
from cmppscope.report.message_tables import message_tables
from cmppscope.transactions import Transactions
from cmppscope.transactions.table import in_order

if TYPE_CHECKING:
    from cmppscope.capture.follow import Follow
    from cmppscope.rules import Facts, Finding, Place
    from cmppscope.sessions import Session
    from cmppscope.tables import I64, Row

REPORT = "report"
"""In place of a table: every list of the capture, each by its own rows."""
_LISTS = (PDU, TRANSACTION, SESSION, FINDING)
_FOLLOWED = {PDU: "PDUs", TRANSACTION: "transactions", FINDING: "findings"}
"""Lists whose rows are written as they become known where a capture is followed."""


def read_filter(text: str, target: str, chosen: Settings) -> Filter:
    """Read a filter, or show what is wrong with it and end the program; nothing was read by then."""
    try:
        return Filter(text, target, chosen.zone)
    except FilterError as error:
        shown, carets, reason = pointed(error)
        sys.stderr.write(f"cmppscope: --filter: {reason}\n  {shown}\n  {carets}\n")
        raise typer.Exit(USAGE) from None


class Choice(Everything):
    """A pass over a capture in which what passes a filter is wanted."""

    def __init__(
        self,
        text: str,
        target: str,
        captures: list[str],
        chosen: Settings,
        *,
        keep_findings: bool = False,
        follow: Follow | None = None,
    ) -> None:
        """Read the filter for the rows of a table, or for those of all."""
        targets = _LISTS if target == REPORT else (target,)
        self.text = text
        self.sieves = {each: Sieve(read_filter(text, each, chosen)) for each in targets}
        self.needs = frozenset(need for sieve in self.sieves.values() for need in sieve.filter.needs)
        findings = keep_findings or target == REPORT or FINDING in self.needs
        super().__init__(target, captures, chosen, keep_findings=findings, follow=follow)
        self._twice = PDU in self.sieves and bool(self.sieves[PDU].filter.needs)
        later = sorted(self.needs - {PDU, target})
        if follow is not None and target in _FOLLOWED and (later or self._twice):
            problem = f"{_FOLLOWED[target]} cannot be followed by what becomes known later: {', '.join(later)}"
            raise typer.BadParameter(problem, param_hint="--filter")
        self._stack = ExitStack()
        self._transactions: list[Transactions] = []
        self._listing = Listing()

    def __exit__(self, *_: object) -> None:
        """Throw away what was copied."""
        self._stack.close()

    def run(self) -> Run:
        """Read ahead where that is needed; make the pass in which rows are chosen."""
        everything = {self.target, *self.needs}
        if not self._twice:
            return self._pass(everything)
        self.captures = [self._kept(capture) for capture in self.captures]
        self._read_ahead(self._pass(everything))
        return super().run()

    def facts(self, run: Run) -> Iterator[tuple[Facts, I64 | None]]:
        """Yield the facts of each batch, and the rows of the PDUs that pass."""
        for facts in run.facts():
            table = pdu_table(facts, run) if self._twice else self._see(facts, run)
            yield facts, np.flatnonzero(self.sieves[PDU].choose(table)) if PDU in self.sieves else None
        if not self._twice:
            self._see_whole(run)

    def transactions(self, table: Transactions, run: Run) -> Transactions:  # noqa: ARG002 - as Everything has it
        """Give the transactions that pass."""
        passing = self.sieves[TRANSACTION].choose(TransactionTable(table))
        return Transactions(**{name: getattr(table, name)[passing] for name in Transactions.__slots__})

    def messages(self, listing: Listing, run: Run, zone: dt.tzinfo) -> Iterator[Row]:
        """Yield the messages that pass as rows."""
        rows = super().messages(listing, run, zone)
        for table in message_tables(listing, run.analysis.sessions, run.analysis.results):
            passing = self.sieves[MESSAGE].choose(table).tolist()
            yield from (row for row, passes in zip(islice(rows, len(table)), passing, strict=True) if passes)

    def sessions(self, run: Run) -> list[Session]:
        """Give the sessions that pass."""
        passing = self.sieves[SESSION].choose(session_table(run))
        return [row for row, passes in zip(run.analysis.sessions, passing.tolist(), strict=True) if passes]

    def findings(self, run: Run) -> list[Finding]:
        """Give the findings with the places that pass, and their number."""
        findings = run.analysis.findings
        passing = iter(self.sieves[FINDING].choose(finding_table(findings, run)).tolist())
        chosen = []
        for finding in findings:
            places = [place for place in finding.places if next(passing)]
            if places:
                chosen.append(replace(finding, places=places, count=len(places)))
        return chosen

    def report(self, run: Run, format_: ReportFormat) -> bytes:
        """Read, and write the report of what passes."""
        chosen = Chosen(run.analysis)
        tables, strays = [], []
        for facts, rows in self.facts(run):
            if rows is not None:
                chosen.add_pdus(facts.batch, rows)
            tables += facts.settled
            strays += facts.strays
        chosen.add_transactions(self.transactions(in_order(tables), run))
        chosen.add_strays(strays)
        chosen.sessions, chosen.findings = self.sessions(run), self.findings(run)
        self.reported = chosen.findings
        made = chosen_report(chosen, self.text, run.capture.files, getattr(run.capture, "notes", ()))
        return run.report(format_, made)

    def _read_ahead(self, ahead: Run) -> None:
        """Show the filters the whole capture, and keep nothing of it but what passed."""
        for facts in ahead.facts():
            self._see(facts, ahead)
        self._see_whole(ahead)
        self._transactions, self._listing = [], Listing()

    def _see(self, facts: Facts, run: Run) -> PduTable:
        """Show the filters the facts of a batch; give its PDUs as filters see them."""
        table = pdu_table(facts, run)
        self._show(table)
        if TRANSACTION in self.needs:
            self._transactions += facts.settled
        if MESSAGE in self.needs:
            self._listing.feed(facts)
        return table

    def _see_whole(self, run: Run) -> None:
        """Show the filters what only the end of the capture makes whole."""
        if TRANSACTION in self.needs:
            self._show(TransactionTable(in_order(self._transactions)))
        if MESSAGE in self.needs:
            for table in message_tables(self._listing, run.analysis.sessions, run.analysis.results):
                self._show(table)
        if SESSION in self.needs:
            self._show(session_table(run))
        if FINDING in self.needs:
            self._show(finding_table(run.analysis.findings, run))

    def _show(self, table: Table) -> None:
        """Show a table to the filters that ask it."""
        for sieve in self.sieves.values():
            sieve.see(table)

    def _kept(self, capture: str) -> str:
        """Copy what can be read only once, under its own name."""
        path = Path(capture)
        if capture != "-" and (path.is_file() or path.is_dir() or not path.exists()):
            return capture
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="cmppscope-")))
        kept = folder / (path.name or "-")
        with kept.open("wb") as file:
            if capture == "-":
                shutil.copyfileobj(sys.stdin.buffer, file)
            else:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, file)
        return str(kept)


def pdu_table(facts: Facts, run: Run) -> PduTable:
    """Give the PDUs of a batch as filters see them."""
    streams = run.analysis.streams
    return PduTable(
        facts.batch,
        facts.session,
        lambda stream: (end_of(*streams[stream].originator), end_of(*streams[stream].responder)),
        facts.columns,
    )


def session_table(run: Run) -> SessionTable:
    """Give all sessions as filters see them."""
    analysis = run.analysis
    rows = [
        session_row(session, analysis.last_time_ns, analysis.results, parts(session, analysis, brief=True))
        for session in analysis.sessions
    ]
    return SessionTable(rows)


def finding_table(findings: Iterable[Finding], run: Run) -> FindingTable:
    """Give every place kept of every finding as filters see them, in this order."""
    spots = [_spot(place, finding) for finding in findings for place in finding.places]
    analysis = run.analysis
    return FindingTable(spots, [session_row(session, analysis.last_time_ns) for session in analysis.sessions])


def _spot(place: Place, finding: Finding) -> Spot:
    """Give one place."""
    rule = finding.rule
    return Spot(
        place.frame,
        place.stream,
        place.direction,
        place.offset,
        place.pdu,
        int(rule.severity),
        rule.id,
        rule.section,
        finding.fault,
        place.detail,
    )
