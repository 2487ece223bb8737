"""An iterator that runs in another process gives what it would give here."""

from __future__ import annotations

import datetime as dt
import mmap
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import Capture, CaptureError
from cmppscope.cli import run
from cmppscope.cli.elsewhere import AHEAD, POSSIBLE, Elsewhere
from cmppscope.cli.options import Settings
from cmppscope.report.build import build
from cmppscope.report.model import encode

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="this system cannot share memory with a fork")

SETTINGS = Settings(redact=True, decode_as={}, zone=dt.UTC, from_ns=None, to_ns=None, t_seconds=60, n=3)
REAL = sorted((Path(__file__).parent.parent / "data" / "real").glob("*.pcap*"))
SAMPLES = sorted((Path(__file__).parent.parent.parent / "samples").glob("*.pcap*"))


def nothing() -> Elsewhere[None]:
    """Give one without a state."""
    return Elsewhere(lambda: None, lambda _: None)


def test_items_come_as_they_are() -> None:
    """Numbers of any size and any text, in their order."""
    items = [{"number": n, "wide": 1 << 70, "text": "短信"} for n in range(9)]
    assert list(nothing()(iter(items))) == items


def test_arrays() -> None:
    """They are equal, may be written, and stay while others come."""
    made = [np.arange(n * 1000, dtype=kind) for n in range(4) for kind in (np.int64, np.uint8, ">u4")]
    got = list(nothing()(iter([(each, each[::2], each[:0]) for each in made])))
    for (whole, half, none), each in zip(got, made, strict=True):
        assert np.array_equal(whole, each)
        assert np.array_equal(half, each[::2])
        assert len(none) == 0
        assert whole.dtype == each.dtype
        assert half.dtype is whole.dtype is each.dtype or not each.dtype.isnative
        whole[:] = 0


def test_one_array_in_two_places_stays_one() -> None:
    """Columns that share the octets of a batch go on sharing them."""
    array = np.arange(10)
    ((one, other),) = nothing()(iter([(array, array)]))
    one[0] = 99
    assert other[0] == 99


def test_views_of_octets_become_octets() -> None:
    """What cannot be pickled as it is."""
    assert list(nothing()(iter([memoryview(b"abcdef")[1:3]]))) == [b"bc"]


def test_items_are_made_in_another_process_but_not_far_ahead() -> None:
    """Memory is bounded by AHEAD items, and the one in the making."""
    made = mmap.mmap(-1, 1)

    def items() -> Iterator[int]:
        for _ in range(50):
            made[0] += 1
            yield os.getpid()

    given = nothing()(items())
    assert next(given) != os.getpid()
    for asked in range(2, 5):
        next(given)
        time.sleep(0.05)
        assert made[0] <= asked + AHEAD
    assert len(list(given)) == 50 - 4


def test_an_error_is_raised_here_behind_the_items_before_it() -> None:
    """What is wrong with a capture is told where it is wanted."""

    def items() -> Iterator[int]:
        yield 1
        raise CaptureError("a.pcap: damaged")

    given = nothing()(items())
    assert next(given) == 1
    with pytest.raises(CaptureError, match=r"^a\.pcap: damaged$"):
        next(given)


def test_an_error_that_looks_like_a_broken_line_is_none() -> None:
    """What the iterator raises is raised, whatever it is."""

    def items() -> Iterator[int]:
        yield 1
        raise EOFError("of the items")

    given = nothing()(items())
    assert next(given) == 1
    with pytest.raises(EOFError, match="of the items"):
        next(given)


def test_what_cannot_be_sent_is_told() -> None:
    """As where there is no room for it."""
    given = nothing()(iter([1, lambda: 2]))
    assert next(given) == 1
    with pytest.raises(Exception, match="pickle"):
        next(given)


def test_a_process_that_is_killed_is_told() -> None:
    """As when a system runs out of memory."""

    def items() -> Iterator[int]:
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    given = nothing()(items())
    assert next(given) == 1
    with pytest.raises(ChildProcessError, match="signal 9"):
        next(given)


def test_who_wants_no_more_ends_the_process() -> None:
    """Nobody stays behind where a pipe breaks or somebody interrupts, and nobody is waited for."""
    late = mmap.mmap(-1, 1)

    def items() -> Iterator[int]:
        yield os.getpid()
        time.sleep(30)
        late[0] = 1

    given = nothing()(items())
    pid = next(given)
    given.close()  # type: ignore[attr-defined]  # a generator
    assert not late[0]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_without_room_for_a_process_the_items_are_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other core is a help and no need."""

    def full() -> int:
        raise OSError("no more processes")

    monkeypatch.setattr(os, "fork", full)
    assert list(nothing()(iter([os.getpid()]))) == [os.getpid()]


def test_the_state_there_is_known_here_with_every_item_and_at_the_end() -> None:
    """So the bar moves, and the files are known."""
    behind = [0]
    heard: list[int] = []

    def items() -> Iterator[int]:
        for n in range(3):
            behind[0] = n + 1
            yield n
        behind[0] = 9

    there = Elsewhere(lambda: behind[0], heard.append)
    assert [(n, heard[-1]) for n in there(items())] == [(0, 1), (1, 2), (2, 3)]
    assert heard[-1] == 9


@pytest.mark.parametrize("path", [*REAL, *SAMPLES, SAMPLES[0].parent], ids=lambda path: path.name)
def test_reports_are_the_same(path: Path) -> None:
    """A report, its findings and the places of PDUs do not tell where frames were read."""

    def report(*, apart: bool) -> bytes:
        capture = Capture([path], 40)
        analysis = Analysis(Options(keep_findings=True, references=True))
        elsewhere = Elsewhere(capture.news, capture.learn) if apart else None
        facts = [*analysis.feed_all(capture, elsewhere), *analysis.close()]
        report = encode(build(analysis, capture.files, capture.notes))
        found = [(each.rule.id, each.places) for each in analysis.findings]
        places = [each.places.address.tobytes() for each in facts if each.places]
        return repr((report, found, places, capture.octets_read, capture.origins)).encode()

    assert report(apart=True) == report(apart=False)


def test_reports_of_large_captures_are_made_this_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line reads them in another process."""
    monkeypatch.setattr(run, "_LARGE", 0)
    monkeypatch.setattr(run, "_cores", lambda: 2)
    frames = Capture.__iter__

    def told(capture: Capture) -> Iterator[object]:
        yield from frames(capture)
        capture.files[0].name = str(os.getpid())

    monkeypatch.setattr(Capture, "__iter__", told)
    reading = run.Run([str(SAMPLES[0])], SETTINGS)
    reading.read()
    assert int(reading.capture.files[0].name) != os.getpid()


def test_a_reader_that_is_killed_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the exit status of what cannot be read."""
    monkeypatch.setattr(run, "_LARGE", 0)
    monkeypatch.setattr(run, "_cores", lambda: 2)
    monkeypatch.setattr(Capture, "__iter__", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(typer.Exit) as end:
        run.Run([str(SAMPLES[0])], SETTINGS).read()
    assert end.value.exit_code == run.UNREADABLE
    assert "memory" in capsys.readouterr().err
