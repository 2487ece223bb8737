"""Captures as filters see them, and the same PDUs as full rows."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import Capture
from cmppscope.filters.selection import Filter, Sieve
from cmppscope.filters.tables import (
    FINDING,
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
from cmppscope.redact import Redaction
from cmppscope.report.build import session_row
from cmppscope.report.links import parts
from cmppscope.report.pdus import pdu_rows
from cmppscope.secret import Secret
from cmppscope.tables import Row
from cmppscope.transactions.table import in_order

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
REAL = ROOT / "tests" / "data" / "real"
CHINA = dt.timezone(dt.timedelta(hours=8))


class Seen(NamedTuple):
    """A capture as tables."""

    pdus: list[PduTable]
    tables: dict[str, Table]
    rows: list[Row]
    """Full rows of all PDUs, not masked."""


@functools.cache
def seen(path: Path, batch_frames: int = 100_000) -> Seen:
    """Read a capture."""
    analysis = Analysis(Options(keep_findings=True, secrets={"901234": Secret("cmpp-secret")}))
    facts = [analysis.feed(frames) for frames in Capture([path], batch_frames)] + analysis.close()
    streams = analysis.streams

    def ends(stream: int) -> Any:
        return end_of(*streams[stream].originator), end_of(*streams[stream].responder)

    closed = [table for each in facts for table in each.settled]
    sessions = [
        session_row(session, analysis.last_time_ns, parts=parts(session, analysis)) for session in analysis.sessions
    ]
    spots = [
        Spot(
            p.frame,
            p.stream,
            p.direction,
            p.offset,
            p.pdu,
            int(f.rule.severity),
            f.rule.id,
            f.rule.section,
            f.fault,
            p.detail,
        )
        for f in analysis.findings
        for p in f.places
    ]
    return Seen(
        [PduTable(each.batch, each.session, ends) for each in facts if len(each.batch)],
        {
            TRANSACTION: TransactionTable(in_order(closed)),
            SESSION: SessionTable(sessions),
            FINDING: FindingTable(spots, sessions),
        },
        [row for each in facts for row in pdu_rows(each.batch, each.columns, Redaction(active=False))],
    )


def chosen(capture: Seen, text: str, target: str = PDU) -> list[int]:
    """Give the rows that pass a filter: numbers of PDUs, or places in another table."""
    sieve = Sieve(Filter(text, target, CHINA))
    for table in (*capture.pdus, *capture.tables.values()):
        sieve.see(table)
    if target != PDU:
        return np.flatnonzero(sieve.choose(capture.tables[target])).tolist()
    return [n for table in capture.pdus for n in (table.batch.first + np.flatnonzero(sieve.choose(table))).tolist()]


def where(capture: Seen, holds: Callable[[Row], object]) -> list[int]:
    """Give the numbers of the PDUs whose full row holds something."""
    return [row["pdu"] for row in capture.rows if holds(row)]
