"""Messages: accepted, refused, reported, and how long it took."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.conversation import Told, analyse, frames_of, told

_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
_SENT = _LOGIN + "1 SP SUBMIT 2 report=1\n1.1 ISMG SUBMIT_RESP 2 id=77\n"


def counts(found: Told) -> tuple[int, int, int, int, int]:
    """Give submitted, accepted, refused, unreported and MO."""
    m = found.analysis.messages
    return m.counts.submitted, m.counts.accepted, m.counts.refused, m.unreported, m.counts.mo


def end_to_end(found: Told) -> tuple[int, int, int]:
    """Give how many end-to-end latencies there are, their sum and the greatest, in ns."""
    latency = found.analysis.statistics.end_to_end
    return latency.count, latency.total_ns, latency.greatest_ns


def test_a_message_and_its_report() -> None:
    """The end-to-end latency runs from the SUBMIT to the report."""
    found = told(_SENT + "9 ISMG DELIVER 1 about=77\n9.1 SP DELIVER_RESP 1")
    assert (counts(found), end_to_end(found)) == ((1, 1, 0, 0, 0), (1, 8_000_000_000, 8_000_000_000))
    assert found.analysis.messages.counts.by_stat == {b"DELIVRD": 1}


def test_refused_and_unanswered_messages() -> None:
    """A Result other than 0 is a refusal; a SUBMIT without response is neither."""
    found = told(_LOGIN + "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 result=8\n2 SP SUBMIT 3 text=b\n3 SP FIN")
    assert counts(found) == (2, 0, 1, 0, 0)


def test_a_report_that_nobody_asked_for_is_not_missed() -> None:
    """Only messages with Registered_Delivery 1 are unreported."""
    assert counts(told(_LOGIN + "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 id=5"))[3] == 0
    assert counts(told(_SENT))[3] == 1


@pytest.mark.parametrize(
    "report", ["1.05 ISMG DELIVER 1 about=77", "5 ISMG@1 DELIVER 1 about=77\n5 SP@1 DELIVER_RESP 1"]
)
def test_reports_that_come_first_or_elsewhere(report: str) -> None:
    """A report joins its message where it comes before the response or over another connection."""
    lines = sorted((_SENT + report).splitlines(), key=lambda line: float(line.split()[0]))
    for cuts in ((), range(20)):
        found = told(lines, cuts=cuts)
        assert (counts(found)[3], end_to_end(found)[0]) == (0, 1)


def test_stat_is_counted_by_name() -> None:
    """Every report counts by its Stat, also the second one of a message."""
    found = told(_SENT + "9 ISMG DELIVER 1 about=77 stat=DELIVRD\n9 ISMG DELIVER 2 about=77 stat=EXPIRED")
    assert found.analysis.messages.counts.by_stat == {b"DELIVRD": 1, b"EXPIRED": 1}
    assert end_to_end(found)[0] == 1


def test_a_blank_msg_id_joins_nothing() -> None:
    """Msg_Id 0 is that of no message."""
    found = told(_LOGIN + "1 SP SUBMIT 2 report=1\n1.1 ISMG SUBMIT_RESP 2 id=0\n2 ISMG DELIVER 1 about=0")
    assert (counts(found), end_to_end(found)[0]) == ((1, 1, 0, 0, 0), 0)


def test_a_msg_id_used_twice_is_joined_first_with_first() -> None:
    """The first report of a Msg_Id belongs to its first message."""
    lines = _SENT + "2 SP SUBMIT 3 text=b report=1\n2.1 ISMG SUBMIT_RESP 3 id=77\n"
    lines += "5 ISMG DELIVER 1 about=77\n9 ISMG DELIVER 2 about=77"
    assert end_to_end(told(lines)) == (2, 4_000_000_000 + 7_000_000_000, 7_000_000_000)


def test_a_message_from_a_handset() -> None:
    """A DELIVER without Registered_Delivery is a message from a handset."""
    assert counts(told(_LOGIN + "1 ISMG DELIVER 2 text=hi\n1.1 SP DELIVER_RESP 2")) == (0, 0, 0, 0, 1)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 4)), max_size=20),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_batches_change_nothing(events: list[tuple[bool, int, int]], cuts: list[int]) -> None:
    """However batches are cut, the same messages are joined with the same reports."""
    lines, seconds = [*_LOGIN.splitlines()], 1
    for sequence, (submits, number, after) in enumerate(events, 2):
        seconds += after
        if submits:
            lines.append(f"{seconds} SP SUBMIT {sequence} text={sequence} report=1")
            lines.append(f"{seconds} ISMG SUBMIT_RESP {sequence} id={number}")
        else:
            lines.append(f"{seconds} ISMG DELIVER {sequence} about={number}")
    frames = frames_of(lines)
    whole, cut = analyse(frames), analyse(frames, cuts)
    assert (counts(whole), end_to_end(whole)) == (counts(cut), end_to_end(cut))


def test_waiting_reports_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond WAITING_REPORTS the oldest report is let go."""
    monkeypatch.setattr("cmppscope.messages.ledger.WAITING_REPORTS", 1)
    monkeypatch.setattr("cmppscope.messages.ledger.EPOCH", 1)
    lines = _LOGIN + "1 ISMG DELIVER 1 about=77\n1 ISMG DELIVER 2 about=78\n2 SP SUBMIT 2\n2 ISMG SUBMIT_RESP 2 id=77"
    assert end_to_end(told(lines, cuts=range(20)))[0] == 0


_PART = "tp_udhi=1 pk_total=2 pk_number={0} msg_content=0x0500035a020{0}6869"


def parts(*sent: tuple[float, int]) -> Told:
    """Send parts of one reference: (seconds, number)."""
    lines = [f"{at} SP SUBMIT {n} {_PART.format(number)}" for n, (at, number) in enumerate(sent, 2)]
    lines += [f"{at + 0.1:.1f} ISMG SUBMIT_RESP {n} id={n}" for n, (at, _) in enumerate(sent, 2)]
    return told(_LOGIN + "\n".join(sorted(lines, key=lambda line: float(line.split()[0]))))


@pytest.mark.parametrize(
    ("sent", "whole", "findings"),
    [
        ([(1, 1), (2, 2)], 1, set()),
        ([(1, 2), (2, 1)], 1, set()),
        ([(1, 1), (2, 2), (3, 1), (4, 2)], 2, set()),
        ([(1, 1), (2, 1), (3, 2)], 1, {"concat-duplicate-part"}),
        ([(1, 1), (701, 1), (702, 2)], 1, {"concat-missing-part"}),
    ],
    ids=["in order", "backwards", "a reference used again", "a second copy", "a reference used again, much later"],
)
def test_parts_make_messages(sent: list[tuple[float, int]], whole: int, findings: set[str]) -> None:
    """Parts of one reference are one message until each came once, or until the reference is an old one."""
    found = parts(*sent)
    assert found.analysis.messages.longs.assembly.whole == whole
    assert {rule for rule, _, _ in found.found if rule.startswith("concat")} == findings


def test_nothing_is_carried_of_what_was_answered() -> None:
    """Notes of a request, of its further sendings and of its response are let go when it is answered."""
    found = told(_LOGIN + "1 SP SUBMIT 2\n62 SP SUBMIT 2\n62.1 ISMG SUBMIT_RESP 2 id=5", cuts=range(20))
    assert found.analysis.messages._notes.nbytes == 0
