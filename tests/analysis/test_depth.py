"""An Analysis that goes less deep tells the same of what it tells, and nothing of the rest."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from cmppscope.analysis import Analysis, Depth, Options
from cmppscope.capture import Capture
from cmppscope.messages.listing import Listing
from cmppscope.redact import Redaction
from cmppscope.report.messages import message_rows
from cmppscope.sessions import Session
from cmppscope.transactions import Transactions
from tests.rules.conversation import Told

ROOT = Path(__file__).parents[2]
CAPTURES = sorted([*(ROOT / "samples").glob("*.pcap*"), *(ROOT / "tests/data/real").glob("*.pcap*")])


def told(path: Path, depth: Depth) -> Told:
    """Analyse a file, in batches so small that much lies between two of them."""
    analysis = Analysis(Options(depth=depth))
    return Told(analysis, [analysis.feed(batch) for batch in Capture([path], 50)] + analysis.close())


def seen(session: Session) -> tuple[Any, ...]:
    """Give what is told of a session."""
    return session.number, session.source_addr, session.version, session.login, session.pdus, session.counts


def holds(found: Told, depth: Depth) -> dict[str, Any]:
    """Give all that an Analysis of some depth holds."""
    statistics = found.analysis.statistics
    held: dict[str, Any] = {
        "pdus": found.pdus,
        "streams": found.analysis.protocols,
        "sessions": list(map(seen, found.analysis.sessions)),
        "commands": statistics.commands,
        "frames": (found.analysis.frames, found.analysis.gaps, found.analysis.counts),
    }
    if depth >= Depth.TRANSACTIONS:
        table = found.transactions
        columns = (getattr(table, name).tolist() for name in Transactions.__slots__)
        held |= {"transactions": list(zip(*columns, strict=True)), "strays": found.strays}
    if depth >= Depth.MESSAGES:
        listing = Listing()
        for facts in found.facts:
            listing.feed(facts)
        analysis = found.analysis
        rows = message_rows(listing, analysis.sessions, analysis.results, Redaction(active=False), dt.UTC)
        held |= {"messages": list(rows), "counts": analysis.messages.counts.by_stat}
    return held


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_what_lies_deeper_changes_nothing(path: Path) -> None:
    """PDUs do not depend on pairing, transactions not on messages, and messages not on rules."""
    whole = told(path, Depth.ALL)
    for depth in (Depth.PDUS, Depth.TRANSACTIONS, Depth.MESSAGES):
        assert holds(told(path, depth), depth) == holds(whole, depth)


@pytest.mark.parametrize("depth", list(Depth))
def test_what_lies_deeper_is_left_out(depth: Depth) -> None:
    """Nothing is found where nothing was looked for."""
    found = told(ROOT / "samples" / "pipelined-sps.pcap", depth)
    there = (
        len(found.transactions) > 0,
        found.analysis.messages.counts.submitted > 0,
        len(found.analysis.findings) > 0,
    )
    assert there == tuple(depth >= each for each in (Depth.TRANSACTIONS, Depth.MESSAGES, Depth.ALL))
