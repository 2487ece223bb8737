"""The law: what an Analysis tells depends on the frames alone, not on where the batches were cut."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cmppscope.analysis import Analysis, Options
from cmppscope.analysis.front import Ahead, Front
from cmppscope.cli.elsewhere import Pickler
from cmppscope.sessions import Session
from tests.rules.conversation import Frame, Told, analyse, batches, every_cut, frames_of

_PDUS = (
    "CONNECT {n} version={version}",
    "CONNECT_RESP {n} status={few}",
    "CONNECT_RESP {n} width=4",
    "SUBMIT {n} text={text} report=1",
    "SUBMIT {n} text={text}",
    "SUBMIT {n} text={text}",
    "SUBMIT {n} layout=30",
    "SUBMIT {n} pad=1",
    "SUBMIT_RESP {n} id={few}",
    "SUBMIT_RESP {n} id={few}",
    "SUBMIT_RESP {n} id={few} result=8",
    "DELIVER {n} about={few}",
    "DELIVER {n} text={text}",
    "DELIVER_RESP {n}",
    "ACTIVE_TEST {n}",
    "ACTIVE_TEST_RESP {n}",
    "ACTIVE_TEST_RESP {n} total=12 cut=12",
    "TERMINATE {n}",
    "TERMINATE_RESP {n}",
    "FWD {n}",
    "FWD_RESP {n}",
    "QUERY {n} time=20260529 query_type={few} query_code=TPCQ",
    "QUERY_RESP {n} mt_tlmsg={few}",
    "0x00000003 {n}",
    "0x00010004 {n}",
    "ACTIVE_TEST {n} total=8",
    "X raw=0102030405",
)


_TROUBLE = ("| twice", "| jump=-12", "| jump=20000000", "| jump=-20000000", "| frag=24", "| frag=24 overlap=8 half")
"""What TCP, IP and the capture do to segments now and then."""


@st.composite
def _words(draw: st.DrawFn) -> str:
    """Draw what one segment holds."""
    parts = []
    for _ in range(draw(st.sampled_from((1, 1, 1, 1, 2, 3)))):
        pattern = draw(st.sampled_from(_PDUS))
        parts.append(
            pattern.format(
                n=draw(st.sampled_from((0, 1, 2, 3, 0x7FFFFFFF, 0xFFFFFFFF))),
                few=draw(st.integers(0, 2)),
                text=draw(st.sampled_from("ab")),
                version=draw(st.sampled_from(("0x20", "0x21", "0x30", "0x00"))),
            )
        )
    if draw(st.integers(0, 12)) == 12:
        parts[-1] += f" cut={draw(st.integers(1, 40))}"
    return " + ".join(parts)


@st.composite
def wild(draw: st.DrawFn, most: int = 40) -> list[Frame]:
    """Draw frames of a conversation that keeps no rule: faults of the peers and of the capture."""
    seconds, lines = 0.0, []
    for _ in range(draw(st.integers(1, most))):
        seconds += draw(st.sampled_from((0.001, 0.001, 0.1, 1, 30, 61, 200)))
        who = draw(st.sampled_from(("SP", "ISMG", "SP@1", "ISMG@1")))
        what = draw(st.one_of(_words(), _words(), _words(), st.sampled_from(("ACK", "ACK", "SYN", "FIN", "RST"))))
        how = draw(st.sampled_from(("", "", "", "", "", "| lost", "| jump=7", "| again", *_TROUBLE)))
        lines.append(f"{seconds:.3f} {who} {what} {how}")
    lines.insert(0, "0 SP ACK")
    frames = frames_of(lines, handshake=draw(st.booleans()), port=draw(st.sampled_from((7890, 5016))))
    for at in draw(st.lists(st.integers(0, len(frames) - 1), max_size=5)) if frames else []:
        other = min(at + 1, len(frames) - 1)
        frames[at], frames[other] = (
            frames[at]._replace(octets=frames[other].octets),
            frames[other]._replace(octets=frames[at].octets),
        )
    return frames


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Give what differs."""
    return {name: (one[name], other[name]) for name in one if one[name] != other[name]}


_ANSWERED_AFTER_TERMINATE = (
    "0 SP CONNECT 1",
    "1 ISMG CONNECT_RESP 1",
    "2 ISMG TERMINATE 2",
    "3 ISMG CONNECT_RESP 1",
    "4 ISMG DELIVER 3",
)


_LINK_TESTS = frames_of(f"{at} {what} {at}" for at in range(3) for what in ("SP ACTIVE_TEST", "ISMG ACTIVE_TEST_RESP"))
_FROM_TIME_0 = [frame._replace(time_ns=frame.time_ns - _LINK_TESTS[0].time_ns) for frame in _LINK_TESTS]
"""The first interval between tests begins at time 0, and the median of two needs both."""


@settings(max_examples=20)
@given(wild(), st.lists(st.integers(0, 120), max_size=8))
@example(frames_of(_ANSWERED_AFTER_TERMINATE), [])
@example(_FROM_TIME_0, [])
def test_cuts_of_batches_change_nothing(frames: list[Frame], cuts: list[int]) -> None:
    """Whole, one frame a batch and cut anywhere give the same rows, findings and report."""
    whole = analyse(frames).everything
    for other in (every_cut(frames)["one by one"], cuts):
        assert differences(whole, analyse(frames, other).everything) == {}


@settings(max_examples=20)
@given(wild(), st.lists(st.integers(0, 120), max_size=8))
def test_a_front_elsewhere_changes_nothing(frames: list[Frame], cuts: list[int]) -> None:
    """What was said, found out by a copy that hands over what changed, gives the same rows, findings and report."""
    options = Options(keep_findings=True)
    analysis, there = Analysis(options), Front(options)

    def elsewhere(_: Iterator[Ahead]) -> Iterator[Ahead]:
        return map(copied, there.run(batches(frames, cuts)))

    facts = list(analysis.feed_all([], elsewhere))
    told = Told(analysis, facts + analysis.close())
    assert differences(analyse(frames, cuts).everything, told.everything) == {}


def copied(item: Ahead) -> Ahead:
    """Copy what one process hands to another."""
    octets = io.BytesIO()
    Pickler(octets, 5).dump(item)
    copy: Ahead = pickle.loads(octets.getvalue())  # noqa: S301 - our own
    return copy


@settings(max_examples=10)
@given(wild())
@example(frames_of(["0 SP CONNECT 1", "1 ISMG TERMINATE_RESP 9", "2 SP CONNECT 2"]))
def test_what_changed_is_all_that_changed(frames: list[Frame]) -> None:
    """Behind every batch streams and sessions are known here as they are elsewhere."""
    there, here = Front(Options()), Front(Options())
    for ahead in there.run(batches(frames, every_cut(frames)["one by one"])):
        if isinstance(ahead, Front):
            break
        here.hear(ahead[1])
        assert len(here.streams) == len(there.streams)
        for name, column in there.streams.columns.items():
            known = here.streams.columns[name]
            assert np.array_equal(column[: len(there.streams)], known[: len(there.streams)]), name
        assert [values(session) for session in here.sessions] == [values(session) for session in there.sessions]


def values(session: Session) -> list[object]:
    """Give all that is known of a session."""
    return [session.stream.number, *(getattr(session, name) for name in Session.__slots__ if name != "stream")]


@settings(max_examples=10)
@given(wild(), st.lists(st.integers(0, 120), max_size=8), st.integers(0, 100), st.integers(0, 500))
def test_cuts_change_nothing_in_a_window_of_time(frames: list[Frame], cuts: list[int], begin: int, span: int) -> None:
    """The same holds where only the frames of some time were asked for."""
    low = frames[0].time_ns + begin * 1_000_000_000
    window: dict[str, Any] = {"from_ns": low, "to_ns": low + span * 1_000_000_000}
    whole = analyse(frames, **window).everything
    assert differences(whole, analyse(frames, cuts, **window).everything) == {}


@settings(max_examples=10)
@given(wild())
def test_keeping_findings_changes_no_count(frames: list[Frame]) -> None:
    """With every place kept, counts and first ten places are those of the short form."""
    short, full = analyse(frames, keep_findings=False).analysis, analyse(frames).analysis
    assert [(f.rule.id, f.fault, f.count, f.places) for f in short.findings] == [
        (f.rule.id, f.fault, f.count, f.places[:10]) for f in full.findings
    ]
    assert all(len(f.places) == f.count for f in full.findings)


@settings(max_examples=10)
@given(wild(), st.integers(0, 30), st.integers(0, 30))
def test_a_window_of_time_is_a_capture_of_its_frames(frames: list[Frame], begin: int, length: int) -> None:
    """`from_ns` and `to_ns` give the findings, pairs and PDUs of a capture that holds those frames only."""
    inside = frames[begin : begin + length]
    if not inside:
        return
    low, high = inside[0].time_ns, inside[-1].time_ns
    inside = [frame for frame in frames if low <= frame.time_ns <= high]
    if not inside:
        return
    window = analyse(frames, from_ns=low, to_ns=high)
    alone = analyse(inside)
    assert window.pairs == alone.pairs
    assert window.strays == alone.strays
    assert [row[1] for row in window.pdus] == [row[1] for row in alone.pdus]
    assert (window.analysis.frames, window.analysis.first_time_ns) == (len(inside), inside[0].time_ns)
    assert window.analysis.counts.frames == len(frames)


@pytest.mark.parametrize("cut", ["whole", "one by one"])
def test_no_frames_give_an_empty_analysis(cut: str) -> None:
    """A capture without frames has no facts at all."""
    told = analyse([], every_cut([])[cut])
    assert (told.pdus, told.pairs, told.strays, told.found) == ([], [], [], [])
