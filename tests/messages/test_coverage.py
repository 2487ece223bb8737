"""Nobody is blamed for what the capture may not hold."""

from __future__ import annotations

import pytest

from tests.rules.conversation import told

_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
_SENT = "1 SP SUBMIT 2 report=1\n1.1 ISMG SUBMIT_RESP 2 id=1\n"
_UNKNOWN = "5 ISMG DELIVER 2 about=0x13039 msg_id=0x10101\n5.1 SP DELIVER_RESP 2 id=0x10101\n"
_CANCEL = "6 SP CANCEL 3 msg_id=0x13039\n6.1 ISMG CANCEL_RESP 3 success_id=1\n"
_LATER = "259200 SP@9 CONNECT 1\n259200.1 ISMG@9 CONNECT_RESP 1\n"
_PART = "7 SP SUBMIT 4 tp_udhi=1 pk_total=2 pk_number=1 msg_content=0x0500035a02016869\n7.1 ISMG SUBMIT_RESP 4 id=2\n"
ALL = _LOGIN + _SENT + _UNKNOWN + _CANCEL + _PART + _LATER
ABSENCES = {"report-unknown", "cancel-unknown", "report-missing", "concat-missing-part"}


def absences(lines: str) -> set[str]:
    """Give the findings about what never came."""
    return {rule for rule, _, _ in told(lines).found} & ABSENCES


def test_everything_is_told_of_a_whole_capture() -> None:
    """Where the capture holds the SP's whole session, what never came is told."""
    assert absences(ALL) == ABSENCES


@pytest.mark.parametrize(
    "lines",
    [
        "0 SP@1 ACK\n0.2 SP@1 ACTIVE_TEST 7\n0.3 ISMG@1 ACTIVE_TEST_RESP 7\n" + ALL,
        ALL.replace("0 SP CONNECT 1", "0 SP CONNECT 1 addr=\0\0\0\0\0\0"),
        ALL.replace("0.1 ISMG CONNECT_RESP 1\n", "0.1 ISMG CONNECT_RESP 1\n0.2 SP ACTIVE_TEST 8 | lost\n", 1),
    ],
    ids=["a session under way", "no Source_Addr", "a gap"],
)
def test_doubt_is_no_blame(lines: str) -> None:
    """A connection that may be the SP's and was under way, or a hole, may hold what was not seen."""
    assert absences(lines) == set()


def test_an_answer_on_its_way_is_no_blame() -> None:
    """While a SUBMIT waits for its response, a report may be about it."""
    assert "report-unknown" not in absences(_LOGIN + _SENT + "4 SP SUBMIT 3 text=b report=1\n" + _UNKNOWN)


def test_two_on_their_way_are_no_repeat() -> None:
    """A DELIVER that was sent again before the response came is not delivered again after it."""
    lines = "1 ISMG DELIVER 2 msg_id=0x10101\n2 ISMG DELIVER 3 msg_id=0x10101\n"
    lines += "3 SP DELIVER_RESP 2 id=0x10101\n3.1 SP DELIVER_RESP 3 id=0x10101"
    assert "deliver-repeat" not in {rule for rule, _, _ in told(_LOGIN + lines).found}
