"""What the parties agreed that codes mean is told on the screens too."""

from __future__ import annotations

import datetime as dt

import numpy as np

from cmppscope.analysis import Options
from cmppscope.capture import Capture
from cmppscope.redact import Redaction
from cmppscope.rules import Results
from cmppscope.tui.loading import Inbox, Loader
from cmppscope.tui.rows.pdus import PduRows
from cmppscope.tui.rows.transactions import TransactionRows
from cmppscope.tui.store import Pdus, Store

from .conftest import SAMPLES

AGREED = Results({1: {3: "ask our hotline"}})


def test_rows_tell_agreed_meanings() -> None:
    """PDUs, transactions and sessions tell a refused login in the parties' words."""
    inbox = Inbox(lambda: None)
    loader = Loader(Capture([SAMPLES / "login-refused.pcap"]), Options(results=AGREED, keep_findings=True), inbox)
    loader.run()
    delivery, store = inbox.take(), Store(pdus=Pdus(loader.recall))
    for arrival in delivery.batches:
        store.pdus.add(*arrival)
    for table in delivery.closed:
        store.transactions.add(table, None)
    assert delivery.snapshot is not None
    store.snapshot = delivery.snapshot
    pdus = PduRows(store, Redaction(), dt.UTC, AGREED)
    transactions = TransactionRows(store, dt.UTC, AGREED)
    shown = [line.cells for rows in (pdus, transactions) for line in rows.page(np.arange(len(rows)))]
    told = [cell for cells in shown for cell in cells if "hotline" in cell]
    assert any(cell.startswith("Status 3 ask our hotline") for cell in told)
    assert "3 ask our hotline" in told
    assert [row.status_meaning for row in store.snapshot.sessions if row.status == 3][:1] == ["ask our hotline"]
