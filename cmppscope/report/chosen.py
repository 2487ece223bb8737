"""The report of what a filter chooses: every section counts the rows that the list of its name would show.

All is paired and judged first, over the whole capture; then rows are chosen. So a request whose response does not pass
is still answered. Sessions are told whole. What is counted over the whole capture alone (`messages`,
`latency_over_time`) is left out, and `filter` says what was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from cmppscope.analysis.statistics import Statistics
from cmppscope.report import model
from cmppscope.report.build import build
from cmppscope.tables import FileInfo, PduBatch

if TYPE_CHECKING:
    from cmppscope.analysis import Analysis
    from cmppscope.rules import Finding
    from cmppscope.sessions import Session
    from cmppscope.tables import I64
    from cmppscope.transactions import Stray, Transactions


class Chosen:
    """An Analysis of which some rows are told."""

    def __init__(self, analysis: Analysis) -> None:
        """Begin with nothing chosen."""
        self.statistics = Statistics()
        self.sessions: list[Session] = []
        self.findings: list[Finding] = []
        self._analysis = analysis
        self._pdus: list[I64] = []

    def __getattr__(self, name: str) -> Any:
        """Give what is true of the whole capture."""
        return getattr(self._analysis, name)

    def add_pdus(self, batch: PduBatch, rows: I64) -> None:
        """Count PDUs of a batch."""
        self._pdus.append(batch.first + rows)
        arrays = {
            name: getattr(batch, name)[rows]
            for name in PduBatch.__slots__
            if name != "octets" and isinstance(getattr(batch, name), np.ndarray)
        }
        self.statistics.add_pdus(replace(batch, **arrays))

    def add_strays(self, strays: Sequence[Stray]) -> None:
        """Count the responses that answer nothing among the PDUs that were chosen."""
        chosen = set(np.concatenate([np.zeros(0, np.int64), *self._pdus]).tolist()) if strays else set()
        self.statistics.add_strays([stray for stray in strays if stray.pdu in chosen])

    def add_transactions(self, table: Transactions) -> None:
        """Count transactions."""
        self.statistics.add_transactions(table)


def chosen_report(chosen: Chosen, text: str, files: Sequence[FileInfo], notes: Sequence[str]) -> model.Report:
    """Make the report; `text` is the filter."""
    made = build(cast("Analysis", chosen), files, notes)
    return msgspec.structs.replace(made, filter=text, messages=None, latency_over_time=[])
