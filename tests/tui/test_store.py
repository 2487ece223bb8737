"""The store: rows that only grow, snapshots that replace each other, and the inbox between the threads."""

from __future__ import annotations

import numpy as np

from cmppscope.analysis import Analysis, Options
from cmppscope.arrays import none
from cmppscope.capture import Capture
from cmppscope.tui.growing import Growing
from cmppscope.tui.lives import Lives
from cmppscope.tui.loading import Inbox, Loader, take_snapshot
from cmppscope.tui.store import Pdus, Store

from .conftest import SAMPLES


def loaded(name: str, batch_frames: int = 100_000) -> tuple[Store, list[tuple[str, str]]]:
    """Read a sample into a store, and give what the user is told."""
    told: list[int] = []
    inbox = Inbox(lambda: told.append(1))
    loader = Loader(Capture([SAMPLES / name], batch_frames), Options(keep_findings=True), inbox)
    loader.run()
    delivery = inbox.take()
    lives = Lives()
    lives.add(delivery.lives, delivery.closed)
    store = Store(lives=lives)
    store.pdus = Pdus(loader.recall)
    for arrival in delivery.batches:
        store.pdus.add(*arrival)
    for table in delivery.closed or [store.transactions.none]:
        store.transactions.add(table, None)
    store.transactions.add(store.transactions.none, delivery.pending)
    assert delivery.snapshot is not None
    store.snapshot = delivery.snapshot
    assert len(told) == 1
    return store, delivery.notes


def test_views_of_a_column_stay_as_they_were() -> None:
    """A view taken before rows were added does not change, however much is added."""
    column = Growing(none())
    column.add(np.arange(1000))
    before = column.values
    for start in range(1000, 10_000, 1000):
        column.add(np.arange(start, start + 1000))
    assert before.tolist() == list(range(1000))
    assert column.values.tolist() == list(range(10_000))


def test_pdus_of_many_batches_are_one_list() -> None:
    """Octets and columns are those of the PDU, whichever batch it came in."""
    whole, _ = loaded("gbk.pcap")
    split, _ = loaded("gbk.pcap", 1)
    rows = range(len(whole.pdus))
    assert [whole.pdus.octets(row) for row in rows] == [split.pdus.octets(row) for row in rows]
    assert whole.pdus.column("sequence").tolist() == split.pdus.column("sequence").tolist()


def test_a_batch_of_chosen_pdus_has_them_in_the_order_asked_for() -> None:
    """Rows may be asked for in any order, and twice."""
    store, _ = loaded("gbk.pcap", 3)
    rows = np.array([7, 2, 2, 9])
    batch = store.pdus.batch(rows)
    assert [batch.octets_of(at) for at in range(4)] == [store.pdus.octets(row) for row in rows.tolist()]
    assert batch.command.tolist() == store.pdus.column("command")[rows].tolist()


def test_no_rows_make_an_empty_batch() -> None:
    """Asking for nothing gives nothing."""
    assert len(Pdus().batch(np.zeros(0, np.int64))) == 0


def test_transactions_do_not_depend_on_the_batches() -> None:
    """Open requests are replaced as they close: none is there twice, none is missing."""
    whole, _ = loaded("unanswered-and-late.pcap")
    split, _ = loaded("unanswered-and-late.pcap", 1)
    assert sorted(whole.transactions.table.pdu.tolist()) == sorted(split.transactions.table.pdu.tolist())
    assert len(whole.transactions) == 8


def test_an_open_request_is_there_once_when_it_closes() -> None:
    """A closed transaction takes the place of the open one, even before the next snapshot."""
    store = Store()
    analysis = Analysis(Options(keep_findings=True))
    for frames in Capture([SAMPLES / "gbk.pcap"], 1):
        facts = analysis.feed(frames)
        pending = analysis.pending()[0]
        store.transactions.add(facts.paired.closed, None if len(facts.paired.closed) else pending)
        numbers = store.transactions.table.pdu.tolist()
        assert len(numbers) == len(set(numbers))


def test_findings_mark_pdus_with_the_gravest() -> None:
    """A PDU with findings of several severities shows the worst."""
    store, _ = loaded("broken-framing.pcap")
    snapshot = store.snapshot
    worst: dict[int, int] = {}
    for finding in snapshot.findings:
        for place in finding.places:
            if place.pdu:
                worst[place.pdu] = max(worst.get(place.pdu, 0), finding.severity)
    assert snapshot.severity == worst
    assert snapshot.marked.tolist() == sorted(worst)


def test_a_frame_without_a_pdu_leads_to_the_next() -> None:
    """Going to a frame finds its first PDU, or that of the next frame that completes one."""
    store, _ = loaded("gbk.pcap")
    frames = store.pdus.column("frame").tolist()
    assert store.row_of_frame(frames[3]) == 3
    assert store.row_of_frame(frames[3] + 1) == 4
    assert store.row_of_frame(10_000) is None


def test_no_cmpp_is_told_once() -> None:
    """The user is told what there is instead."""
    _, notes = loaded("not-cmpp.pcap")
    assert len(notes) == 1
    assert notes[0][1].startswith("No CMPP found in 3 TCP connections")


def test_an_empty_analysis_has_a_snapshot() -> None:
    """Nothing read yet is nothing to show."""
    snapshot = take_snapshot(Analysis())
    assert not snapshot.sessions
    assert not snapshot.severity
