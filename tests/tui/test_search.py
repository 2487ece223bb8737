"""Filters of the screens find what filters over PDUs in memory find, and read no more than they are asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import Capture
from cmppscope.capture.recall import Recall
from cmppscope.columns import COMPILED, PduColumns
from cmppscope.filters.selection import Filter, Sieve
from cmppscope.filters.tables import PduTable
from cmppscope.references import Places
from cmppscope.report.names import CHINA
from cmppscope.tables import NOWHERE
from cmppscope.tui import held
from cmppscope.tui.recalled import Header, Recalled, RecallError, Span
from cmppscope.tui.search import _Hunt, read
from cmppscope.tui.store import Store
from dissectors.cmpp.enums import RESPONSE, SUBMIT
from tests.analysis.test_law import wild
from tests.rules.conversation import Frame, batches
from tests.rules.conversation import frames_of as conversation
from tests.test_references import segment

from .conftest import SAMPLES
from .test_recalled import load, pcap

FILTERS = ["text contains hello", "text contains absent", "text == hello", "text matches 1", "not text contains ell"]
FILTERS += ["msg_id > 0 and result == 0", "dest_terminal_id contains 1", "report.stat", "cmpp.surplus > 0"]


def passing(store: Store, text: str) -> list[int]:
    """Give the rows that pass on the screens."""
    found = _Hunt(read(text, "pdu", store), store).test(np.arange(len(store.pdus)))  # type: ignore[arg-type]
    rows: list[int] = np.flatnonzero(found).tolist()
    return rows


def in_memory(frames: Sequence[Frame], text: str) -> list[int]:
    """Give the rows that pass where all octets are at hand, every text read."""
    analysis, rows = Analysis(Options()), []
    for facts in [*(analysis.feed(each) for each in batches(frames, ())), *analysis.close()]:
        table = PduTable(facts.batch, facts.session, lambda _: None)
        Sieve(Filter("text", "pdu", CHINA)).choose(table)
        chosen = Sieve(Filter(text, "pdu", CHINA)).choose(table)
        rows += (facts.batch.first - 1 + np.flatnonzero(chosen)).tolist()
    return rows


@settings(max_examples=8, deadline=None)
@given(
    wild(), st.lists(st.integers(0, 60), max_size=4), st.sampled_from([1, 3, 4096]), st.sampled_from([0, 400, 10**6])
)
def test_screens_find_what_is_there(frames: list[Frame], cuts: list[int], span: int, most: int) -> None:
    """Whatever the peers and TCP do, however many PDUs are searched at a time or held in memory, twice in a row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cmppscope.tui.store.SPAN", span)
        patch.setattr(held, "MOST", most)
        patch.setattr(held, "_PART", 200)
        store = load(batches(frames, cuts)).store
        for text in FILTERS:
            wanted = in_memory(frames, text)
            assert (text, passing(store, text)) == (text, wanted)
            assert (text, passing(store, text)) == (text, wanted)


@pytest.fixture
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold no octets in memory."""
    monkeypatch.setattr(held, "MOST", 0)


@pytest.mark.usefixtures("nothing_held")
def test_a_text_in_pieces_is_found(tmp_path: Path) -> None:
    """Segments end in the middle of what is looked for, in files as in what was kept."""
    whole = conversation([f"{n} SP SUBMIT {n} text={'needle' if n > 10 else 'nothing'}" for n in range(1, 21)])
    frames = whole[:-10]
    for cut, frame in enumerate(whole[-10:], 149):
        header, payload = frame.octets[:40], frame.octets[40:]
        frames += [segment(frame, header, payload[begin:end], begin) for begin, end in ((0, cut), (cut, len(payload)))]
    path = tmp_path / "some.pcap"
    path.write_bytes(pcap(frames))
    store = load(Capture([path])).store
    assert (store.pdus._recalled._address.values == NOWHERE).sum() == 10
    assert passing(store, "text contains needle") == list(range(10, 20)) == in_memory(frames, "text contains needle")


@pytest.mark.usefixtures("nothing_held")
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("name", ["every-pdu.pcapng", "gateway-forwarding.pcap", "login-and-report.pcap"])
def test_columns_of_a_span_are_those_of_its_octets(name: str, order: int) -> None:
    """Every command's body, whichever is asked for first; none is read where there is none."""
    store = load(Capture([SAMPLES / name])).store
    span = store.pdus.span(0, len(store.pdus))
    assert isinstance(span, Span)
    whole, columns = PduColumns(store.pdus.batch(np.arange(len(store.pdus)))), PduColumns(span)
    for command in sorted(COMPILED)[::order]:
        body, other = columns.body(command), whole.body(command)
        assert columns.rows(command).tolist() == whole.rows(command).tolist()
        got, wanted = (
            [each.octets[a : a + n].tobytes() for a, n in zip(each.position, each.length, strict=True)]
            for each in (body, other)
        )
        assert got == wanted
        assert columns.body(command) is body


@pytest.mark.usefixtures("nothing_held")
def test_a_filter_without_octets_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, numbers of frames and bodies that no PDU has need no file."""
    store = load(Capture([SAMPLES / "login-and-report.pcap"])).store
    monkeypatch.setattr(Recall, "runs", lambda *_: pytest.fail("something was read"))
    assert passing(store, "submit and frame.number > 1")
    assert passing(store, "query.time") == []
    assert store.pdus.trouble is None


def test_what_is_held_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters of any field find the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held, "MOST", 0)
        read_again = load(Capture([SAMPLES / "every-pdu.pcapng"])).store
    store = load(Capture([SAMPLES / "every-pdu.pcapng"])).store
    wanted = [passing(read_again, text) for text in FILTERS]
    monkeypatch.setattr(Recall, "runs", lambda *_: pytest.fail("something was read"))
    assert [passing(store, text) for text in FILTERS] == wanted
    assert sum(map(len, wanted))


def test_what_is_kept_of_a_search_knows_ends_that_came_later() -> None:
    """Where the addresses of streams were not known yet, the next search asks again."""
    store = load(Capture([SAMPLES / "login-and-report.pcap"])).store
    snapshot, text = store.snapshot, "ip.addr == 192.0.2.10"
    store.snapshot = replace(snapshot, ends={})
    assert passing(store, text) == []
    store.snapshot = snapshot
    assert passing(store, text) == list(range(len(store.pdus)))


def test_runs_of_held_pdus_are_not_copied() -> None:
    """What a search keeps of them takes no octets."""
    store = load(Capture([SAMPLES / "every-pdu.pcapng"], 2)).store
    assert not store.pdus.span(2, len(store.pdus)).octets.flags.owndata


@pytest.mark.usefixtures("nothing_held")
def test_what_changed_hides_its_own_command(tmp_path: Path) -> None:
    """Where the header of one PDU is another now, no PDU of its command is trusted; others are."""
    path = tmp_path / "some.pcap"
    octets = (SAMPLES / "gbk.pcap").read_bytes()
    path.write_bytes(octets)
    before = path.stat()
    store = load(Capture([path])).store
    commands = store.pdus.column("command")
    row = int(np.flatnonzero(commands == SUBMIT)[0])
    at = octets.index(store.pdus.octets(row))
    with path.open("r+b") as file:
        file.seek(at + 11)
        file.write(b"\x77")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert passing(store, "submit_resp.result >= 0") == np.flatnonzero(commands == SUBMIT | RESPONSE).tolist()
    told = [store.pdus.trouble]
    assert passing(store, "submit.pk_total >= 0") == []
    assert [*told, store.pdus.trouble] == [None, "some.pcap: changed since it was read"]
    hunt = _Hunt(read("submit.pk_total >= 0", "transaction", store), store)  # type: ignore[arg-type]
    assert not hunt.test(np.arange(len(store.transactions))).any()
    with pytest.raises(RecallError):
        _ = store.pdus.span(0, len(store.pdus)).position


def recalled_of(pdus: list[bytes], cuts: dict[int, list[int]], lost: set[int]) -> tuple[Recalled, Header]:
    """Keep PDUs, some of them in pieces, those of them lost of which the last piece lies nowhere."""
    recall = Recall()
    address, pieces = [], []
    for row, octets in enumerate(pdus):
        if row not in cuts:
            address.append(NOWHERE if row in lost else recall.keep(octets))
            continue
        address.append(NOWHERE)
        ends = [0, *cuts[row], len(octets)]
        for begin, end in pairwise(ends):
            recall.keep(b"between")
            gone = row in lost and end == len(octets)
            pieces.append((row, 1, NOWHERE if gone else recall.keep(octets[begin:end]), end - begin))
    made = Recalled(recall)
    made.add(Places(np.array(address), *np.array(pieces, np.int64).reshape(-1, 4).T))
    heads = np.array([np.frombuffer(each[:12], ">u4") for each in pdus]).astype(np.int64)
    return made, (heads[:, 0], heads[:, 1], heads[:, 2])


@pytest.mark.parametrize("lost", [set(), {1}, {2}, {0, 2}, {0, 1, 2, 3}, {1, 3}])
@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [1], [2], [3, 1], [], [0, 2]])
def test_pdus_are_put_together_as_they_are_asked_for(lost: set[int], rows: list[int]) -> None:
    """Those of which a piece is lost are not there; all others are, in any order, once and again."""
    pdus = [bytes([0, 0, 0, size, 0, 0, 0, 4, 0, 0, 0, size]) + bytes(range(12, size)) for size in (20, 30, 40, 60)]
    made, header = recalled_of(pdus, {1: [5, 6], 2: [39], 3: [1]}, lost)
    region = made.region(np.arange(4), header)
    for wanted in (rows, rows, [0, 1, 2, 3]):
        found = region.find(np.array(wanted, np.int64))
        assert found.there.tolist() == [row not in lost for row in wanted]
        for row, at, there in zip(wanted, found.position.tolist(), found.there, strict=True):
            assert found.buffer[at : at + len(pdus[row])].tobytes() == (pdus[row] if there else b"")
