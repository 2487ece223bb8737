"""The version of a session, PDU by PDU, and what rules say of PDUs of another version."""

from __future__ import annotations

import pytest

from tests.rules.conversation import every_cut, frames_of, told

_ASKED = "0 SP CONNECT 1 version=0x30\n"
_REFUSED = "0.1 ISMG CONNECT_RESP 1\n"
_GRANTED = "0.1 ISMG CONNECT_RESP 1 width=4\n"
_SUBMIT = "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 id=0x5DD11A8003E90001\n"
_LATER = "1 SP SUBMIT 2 layout=30\n1.1 ISMG 0x80000004 2 body=5DD11A8003E9000100000000\n"

CASES = {
    "granted": (_ASKED + _GRANTED + _LATER, [0, 30, 30, 30, 30]),
    "refused": (_ASKED + _REFUSED + _SUBMIT, [0, 30, 20, 20, 20]),
    "used before it is refused": (
        _ASKED + _LATER.replace("1 SP", "0.05 SP") + "2 ISMG CONNECT_RESP 1",
        [0, 30, 30, 30, 20],
    ),
    "two connections": (
        "0 SP CONNECT 1\n0 SP@1 CONNECT 1 version=0x30\n0.1 ISMG CONNECT_RESP 1\n0.1 ISMG@1 CONNECT_RESP 1 width=4\n",
        [0, 20, 30, 20, 30],
    ),
    "not known": ("0 SP ACTIVE_TEST 1\n0.1 ISMG ACTIVE_TEST_RESP 1\n", [0, 0, 0]),
    "told by the first PDU that can": ("0 SP ACTIVE_TEST 1 + SUBMIT 2 + ACTIVE_TEST 3\n", [0, 0, 20, 20]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("cut", ["whole", "one by one"])
def test_versions_of_rows(case: str, cut: str) -> None:
    """A row has the version that its session was taken for when it came, however the batches were cut."""
    lines, expected = CASES[case]
    facts = told(lines, cuts=every_cut(frames_of(lines))[cut]).facts
    assert [0, *(int(version) for f in facts for version in f.versions)] == expected


@pytest.mark.parametrize("case", CASES)
def test_findings_do_not_depend_on_cuts(case: str) -> None:
    """Findings about versions are the same, however the batches were cut."""
    lines, _ = CASES[case]
    cuts = every_cut(frames_of(lines))
    assert told(lines, cuts=cuts["whole"]).everything == told(lines, cuts=cuts["one by one"]).everything


@pytest.mark.parametrize("cut", ["whole", "one by one"])
def test_three_is_told_once_a_session(cut: str) -> None:
    """A session of 3.0 is told of once, at the first PDU behind its CONNECT."""
    lines = _ASKED + _GRANTED + _LATER + "2 SP TERMINATE 3\n2.1 ISMG TERMINATE_RESP 3\n"
    again = lines + "3 SP CONNECT 4 version=0x30\n3.1 ISMG CONNECT_RESP 4 width=4\n"
    findings = told(again, cuts=every_cut(frames_of(again))[cut]).analysis.findings
    places = [p.pdu for f in findings if f.rule.id == "version-three-session" for p in f.places]
    assert places == [2, 8]


def test_short_cancel_resp_of_three_is_named() -> None:
    """In a session of 3.0 a CANCEL_RESP of 13 octets has the wrong width."""
    lines = _ASKED + _GRANTED + "1 SP CANCEL 2 msg_id=1\n1.1 ISMG CANCEL_RESP 2\n"
    found = {f.rule.id: [p.detail for p in f.places] for f in told(lines).analysis.findings}
    assert found["version-resp-width"] == [
        "CMPP_CANCEL_RESP of 13 octets has the width of CMPP 2.0 and 2.1; the session is 3.0"
    ]


def test_rules_of_two_leave_three_alone() -> None:
    """In a session of 3.0 the rules about fields of 2.0 are silent, even on a PDU laid out as in 2.0."""
    lines = _ASKED + _GRANTED + "1 ISMG DELIVER 1 registered_delivery=2 dest_id= src_terminal_id=\n"
    rules = {f.rule.id for f in told(lines).analysis.findings}
    assert rules >= {"version-three-session", "version-layout"}
    assert [rule for rule in rules if rule.startswith("deliver-")] == []
