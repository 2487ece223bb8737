"""Octets of the store: as they came, wherever they have to be read again, and never those of something else."""

from __future__ import annotations

import gc
import gzip
import io
import os
import struct
import sys
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import Capture
from cmppscope.capture.source import Window
from cmppscope.redact import Redaction
from cmppscope.tui import held
from cmppscope.tui.app import CmppscopeApp
from cmppscope.tui.loading import Inbox, Loader
from cmppscope.tui.recalled import Extent, RecallError, Span
from cmppscope.tui.rows.fields import frames_of
from cmppscope.tui.rows.pdus import PduRows
from cmppscope.tui.store import Pdus, Store
from cmppscope.tui.view import Wish, arrange
from tests.analysis.test_law import wild
from tests.rules.conversation import Frame, batches
from tests.rules.conversation import frames_of as conversation
from tests.test_references import segment

from .conftest import SAMPLES, keys, screen_text, settled

Drive = Callable[..., None]


def talk() -> list[Frame]:
    """Give a conversation with a PDU that crosses segments and one in a fragmented packet."""
    frames = conversation(
        [
            "0 SP CONNECT 1",
            "0.1 ISMG CONNECT_RESP 1",
            "1 SP SUBMIT 2 text=hello + SUBMIT 3",
            "2 SP SUBMIT 4 | frag=24",
            "3 ISMG SUBMIT_RESP 2",
            "4 SP ACTIVE_TEST 5",
        ]
    )
    whole = frames[4]
    header, payload = whole.octets[:40], whole.octets[40:]
    parts = [(0, 200), (200, 230), (230, len(payload))]
    return frames[:4] + [segment(whole, header, payload[a:b], a) for a, b in parts] + frames[5:]


TALK = talk()


class Loaded(NamedTuple):
    """A store, and the PDUs as they came."""

    store: Store
    came: list[bytes]


class Counted:
    """A source that keeps the octets of the PDUs in it, as an Analysis of its own gives them."""

    def __init__(self, source: Any) -> None:
        """Take a source of frames."""
        self._source = source
        self._analysis = Analysis(Options())
        self.came: list[bytes] = []
        self.octets_read, self.octets_total = 0, None

    @property
    def origins(self) -> Any:
        """What the source's octets can be read again from."""
        return getattr(self._source, "origins", ())

    def __iter__(self) -> Any:
        """Yield the frames."""
        for frames in self._source:
            self._note(self._analysis.feed(frames))
            yield frames
        for facts in self._analysis.close():
            self._note(facts)

    def _note(self, facts: Any) -> None:
        self.came += [facts.batch.octets_of(row) for row in range(len(facts.batch))]


def load(source: Any) -> Loaded:
    """Read a source into a store, as the application does."""
    counted, inbox = Counted(source), Inbox(lambda: None)
    loader = Loader(counted, Options(keep_findings=True), inbox)
    loader.run()
    delivery, store = inbox.take(), Store(pdus=Pdus(loader.recall))
    assert delivery.done
    assert [words for severity, words in delivery.notes if severity == "error"] == []
    for arrival in delivery.batches:
        store.pdus.add(*arrival)
    assert delivery.snapshot is not None
    store.snapshot = delivery.snapshot
    return Loaded(store, counted.came)


def check(loaded: Loaded) -> None:
    """Demand that every way to the octets gives those that came."""
    pdus, came = loaded.store.pdus, loaded.came
    assert [pdus.octets(row) for row in range(len(pdus))] == came
    rows = np.arange(len(pdus))[::-1]
    backwards = pdus.batch(rows)
    assert [backwards.octets_of(at) for at in range(len(rows))] == came[::-1]
    assert backwards.layout.tolist() == pdus.column("layout")[::-1].tolist()
    for start, stop in pdus.spans(len(pdus)):
        span = pdus.span(start, stop)
        assert [span.octets_of(at) for at in range(stop - start)] == came[start:stop]
    for row in range(len(pdus)):
        assert sum(extent.length for extent in pdus.extents(row)) == len(came[row])
    assert pdus.trouble is None


def pcap(frames: Sequence[Frame]) -> bytes:
    """Give a pcap file (raw IP, nanoseconds)."""
    head = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101)
    records = (
        struct.pack("<IIII", *divmod(f.time_ns, 1_000_000_000), len(f.octets), len(f.octets)) + f.octets for f in frames
    )
    return head + b"".join(records)


def pcapng(frames: Sequence[Frame]) -> bytes:
    """Give a pcapng file (raw IP)."""

    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    made = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), block(1, struct.pack("<HHI", 101, 0, 0))]
    for frame in frames:
        ticks, size = frame.time_ns // 1000, len(frame.octets)
        head = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, size, size)
        made.append(block(6, head + frame.octets + bytes(-size % 4)))
    return b"".join(made)


@pytest.mark.parametrize("most", [0, 500, held.MOST])
@pytest.mark.parametrize("batch_frames", [1, 2, 100_000])
@pytest.mark.parametrize("kind", ["pcap", "pcapng", "gzip", "stdin", "files", "live"])
def test_octets_come_back_from_everywhere(
    kind: str, batch_frames: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of each format, compressed ones, standard input, several files, an interface; fragments are among them."""
    monkeypatch.setattr(held, "MOST", most)
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(TALK))
    source: Any = Capture([path], batch_frames)
    if kind == "pcapng":
        path.write_bytes(pcapng(TALK))
    elif kind == "gzip":
        path.write_bytes(gzip.compress(pcap(TALK)))
    elif kind == "stdin":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pcap(TALK))))
        source = Capture(["-"], batch_frames)
    elif kind == "files":
        path.write_bytes(pcap(TALK[:5]))
        (tmp_path / "b.pcap.gz").write_bytes(gzip.compress(pcap(TALK[5:6])))
        (tmp_path / "c.pcap").write_bytes(pcapng(TALK[6:]))
        source = Capture([tmp_path], batch_frames)
    elif kind == "live":
        source = batches(TALK, range(0, len(TALK), batch_frames))
    loaded = load(source)
    pdus, kept = loaded.store.pdus, loaded.store.pdus._recalled.recall._kept
    assert pdus.column("sequence").tolist() == [1, 1, 2, 3, 4, 2, 5]
    check(loaded)
    assert sum(len(part.values) for part in pdus._held._parts) <= most
    assert [extent.frame for extent in pdus.extents(3)] == [5, 6, 7]
    if kind in {"pcap", "pcapng"}:
        assert kept == len(loaded.came[4])  # the one in fragments
    else:
        assert (kept < sum(map(len, loaded.came))) == (kind == "files")


@settings(max_examples=20, deadline=None)
@given(wild(), st.lists(st.integers(0, 60), max_size=4))
def test_octets_of_any_conversation_come_back(frames: list[Frame], cuts: list[int]) -> None:
    """Whatever the peers, TCP and the capture do, from a file and from what was kept."""
    import tempfile  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(pcap(frames))
        file.flush()
        check(load(Capture([file.name], 7)))
    check(load(batches(frames, cuts)))


def test_no_buffer_of_the_capture_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the worker nor the store holds on to a window of the file, or to what was put together of it."""
    windows: list[weakref.ref[Any]] = []
    refill = Window.refill

    def noted(self: Window, need: int = 0) -> None:
        refill(self, need)
        windows.append(weakref.ref(self.octets))

    monkeypatch.setattr(Window, "refill", noted)
    store = load_sample("login-and-report.pcap")
    gc.collect()
    assert windows
    assert [each for each in windows if each() is not None] == []
    assert len(store.pdus)


def load_sample(name: str) -> Store:
    """Read a sample into a store."""
    inbox = Inbox(lambda: None)
    loader = Loader(Capture([SAMPLES / name]), Options(keep_findings=True), inbox)
    loader.run()
    delivery, store = inbox.take(), Store(pdus=Pdus(loader.recall))
    for arrival in delivery.batches:
        assert not len(arrival.batch.octets)
        store.pdus.add(*arrival)
    store.snapshot = delivery.snapshot or store.snapshot
    return store


@pytest.mark.parametrize("text", ["text contains o", "latency > 0", "sequence_id > 1 and submit.pk_total == 1", "139"])
def test_a_search_lets_go_of_the_octets(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for the next filter is columns, not octets; and the next filter finds the same."""
    monkeypatch.setattr(held, "MOST", 0)
    store = load_sample("gbk.pcap")
    rows = PduRows(store, Redaction(active=True), store.zone)
    text = text.replace("sequence_id", "cmpp.sequence_id")
    *_, first = arrange(rows, Wish(needle=text), None)
    assert store.pdus.searched
    for table in store.pdus.searched.values():
        assert isinstance(table.batch, Span)
        assert table.batch._region is None
        assert not table.columns._columns
    *_, again = arrange(rows, Wish(needle=text), None)
    assert first.found is not None
    assert again.found is not None
    assert first.found.tolist() == again.found.tolist()


@pytest.fixture
def changed(tmp_path: Path) -> tuple[CmppscopeApp, Callable[[], None]]:
    """Give an application on a file, and what changes the file behind its back."""
    path = tmp_path / "some.pcap"
    octets = (SAMPLES / "gbk.pcap").read_bytes()
    path.write_bytes(octets)

    def change() -> None:
        path.write_bytes(octets.replace(b"901234", b"666666"))
        os.utime(path, ns=(1, 1))

    return CmppscopeApp(Capture([path]), name="some.pcap"), change


def test_a_file_that_changed_is_told_and_nothing_of_it_shown(
    drive: Drive, changed: tuple[CmppscopeApp, Callable[[], None]]
) -> None:
    """List, fields and filters say so; what is known besides stays; the application goes on."""
    app, change = changed

    async def steps(pilot: Pilot[None]) -> None:
        change()
        await keys("2", "down")(pilot)
        shown = screen_text(app)
        assert "some.pcap: changed since it was read" in shown
        assert "SUBMIT" in shown
        assert "666666" not in shown
        assert "Total_Length" not in shown
        assert app.pdus.octets._lines == []
        await keys("slash", *"666666", "enter")(pilot)
        await settled(pilot)
        assert "none of 10" in screen_text(app)
        assert len(app._notifications) >= 1
        await keys("escape", "5")(pilot)
        assert app.is_running

    drive(app, steps, (120, 40))


def test_octets_with_another_header_are_not_shown(tmp_path: Path) -> None:
    """Where size and time of a file are what they were, the header of a PDU still tells that it is another."""
    path = tmp_path / "some.pcap"
    octets = (SAMPLES / "gbk.pcap").read_bytes()
    path.write_bytes(octets)
    before = path.stat()
    store = load(Capture([path])).store
    first = store.pdus.octets(0)
    at = octets.index(first)
    with path.open("r+b") as file:
        file.seek(at + 11)
        file.write(b"\x77")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(RecallError, match=r"some\.pcap: changed since it was read"):
        store.pdus.octets(0)
    batch = store.pdus.batch(np.arange(3))
    assert batch.layout.tolist() == [0, *store.pdus.column("layout")[1:3].tolist()]
    assert batch.octets_of(0) == b""
    assert batch.octets_of(1) == store.pdus.octets(1)


def test_pdus_without_places_are_copied() -> None:
    """Who has PDUs alone gives those."""
    whole = load_sample("gbk.pcap").pdus
    pdus = Pdus()
    pdus.add(whole.batch(np.arange(len(whole))), whole.session)
    assert [pdus.octets(row) for row in range(len(pdus))] == [whole.octets(row) for row in range(len(whole))]


@pytest.mark.parametrize(
    ("extents", "frame", "told"),
    [
        ([(12, 100)], 12, ("Frame", "12")),
        ([(12, 100)], 15, ("Frame", "12, complete with 15")),
        ([(12, 100), (13, 21)], 13, ("Frames", "12 (octets 0-99), 13 (octets 100-120)")),
        ([(12, 10), (13, 2)], 15, ("Frames", "12 (octets 0-9), 13 (octets 10-11), complete with 15")),
        ([(12, 10), (12, 2)], 12, ("Frame", "12 (octets 0-9), 12 (octets 10-11)")),
    ],
)
def test_frames_are_named(extents: list[tuple[int, int]], frame: int, told: tuple[str, str]) -> None:
    """All of them, each with its octets where there are several."""
    assert frames_of([Extent(number, 0, length) for number, length in extents], frame) == told


def test_of_very_many_frames_the_first_are_named() -> None:
    """A PDU in segments of one octet fills no screen."""
    told = frames_of([Extent(number, 0, 1) for number in range(1, 41)], 40)[1]
    assert told.endswith("16 (octets 15-15), and 24 more")


def test_the_screen_names_the_frames_of_a_pdu(drive: Drive, tmp_path: Path) -> None:
    """The line stands above the fields, which are lit as before."""
    path = tmp_path / "some.pcap"
    frames = conversation(["0 SP CONNECT 1", "1 SP SUBMIT 2 cut=60"])
    path.write_bytes(pcap(frames))
    app = CmppscopeApp(Capture([path]), name="some.pcap")

    async def steps(pilot: Pilot[None]) -> None:
        await keys("2", "enter")(pilot)
        assert "Frame" in screen_text(app)
        assert app.pdus.fields.page(np.arange(1))[0].cells == ("", "Frame", "3")
        assert app.pdus.octets._lit == range(0)

    drive(app, steps)
