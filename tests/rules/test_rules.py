"""Every rule fires where its sentence does not hold, says where and why, and is silent at a near miss."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cmppscope.rules import RULES, Rule
from cmppscope.secret import Secret
from tests.rules.conversation import every_cut, frames_of, told

SCENARIOS = Path(__file__).parent / "scenarios"


def scenario(rule: Rule) -> dict[str, Any]:
    """Read the scenario of a rule."""
    with (SCENARIOS / f"{rule.id}.toml").open("rb") as file:
        return tomllib.load(file)


def secrets(told_of: dict[str, Any]) -> dict[str, Secret]:
    """Give the shared secrets of a scenario."""
    return {sp_id: Secret(secret) for sp_id, secret in told_of.get("secrets", {}).items()}


@pytest.fixture(params=RULES, ids=lambda rule: rule.id)
def rule(request: pytest.FixtureRequest) -> Rule:
    """Every rule, one by one."""
    found: Rule = request.param
    return found


def test_ids_are_unique() -> None:
    """No two rules share an id."""
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_scenarios_belong_to_rules() -> None:
    """No scenario is left of a rule that is gone."""
    assert sorted(path.stem for path in SCENARIOS.iterdir()) == sorted(rule.id for rule in RULES)


def test_rules_are_documented(rule: Rule) -> None:
    """Every rule has a sentence that ends with a full stop, and a section of the specification."""
    assert rule.sentence.endswith(".")
    assert rule.section
    assert rule.section == "practice" or "§" in rule.section


@pytest.mark.parametrize("cut", ["whole", "one by one"])
def test_rules_fire(rule: Rule, cut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario in which the sentence does not hold gives the finding, in full, and no finding that is not named."""
    told_of = scenario(rule)
    for name, value in told_of.get("caps", {}).items():
        monkeypatch.setattr(f"cmppscope.{name}", value)
    expected, port = told_of["fires"], told_of.get("port", 7890)
    cuts = every_cut(frames_of(expected["conversation"], port=port))[cut]
    findings = told(expected["conversation"], port=port, cuts=cuts, secrets=secrets(told_of)).analysis.findings
    mine = [f for f in findings if f.rule is rule]
    places = [{"frame": p.frame, "pdu": p.pdu, "octet": p.offset, "detail": p.detail} for f in mine for p in f.places]
    assert [(f.fault, f.count) for f in mine] == [(expected["fault"], expected["count"])]
    assert places == expected["places"]
    assert sorted(f.rule.id for f in findings if f.rule is not rule) == sorted(expected["also"])


def test_rules_are_silent(rule: Rule) -> None:
    """A near miss gives no finding of the rule."""
    told_of = scenario(rule)
    port = told_of.get("port", 7890)
    found = told(told_of["silent"]["conversation"], port=port, secrets=secrets(told_of)).found
    assert [entry for entry in found if entry[0] == rule.id] == []


_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
TRACES: dict[str, tuple[str, list[tuple[str, str, int]]]] = {
    "S1, a whole session": (
        _LOGIN
        + """1 SP SUBMIT 2 report=1
        1.1 ISMG SUBMIT_RESP 2 id=77
        9 ISMG DELIVER 1 about=77
        9.1 SP DELIVER_RESP 1
        180 SP ACTIVE_TEST 3
        180.1 ISMG ACTIVE_TEST_RESP 3
        200 SP TERMINATE 4
        200.1 ISMG TERMINATE_RESP 4
        200.2 SP FIN""",
        [],
    ),
    "S2, resends without an answer": (
        _LOGIN + "10 SP SUBMIT 2\n70 SP SUBMIT 2\n130 SP SUBMIT 2\n300 SP ACK",
        [("unanswered", "peer", 1)],
    ),
    "S3, an answer after 65 s": (
        _LOGIN + "10 SP SUBMIT 2\n75 ISMG SUBMIT_RESP 2 id=1",
        [("late-response", "peer", 1)],
    ),
    "S4, no login": (
        "0 SP SUBMIT 1\n0.1 ISMG SUBMIT_RESP 1\n0.2 SP CONNECT 2\n0.3 ISMG CONNECT_RESP 2",
        [("connect-missing", "peer", 1)],
    ),
    "S5, seventeen at once": (
        _LOGIN
        + "\n".join(f"1 SP SUBMIT {n}" for n in range(2, 19))
        + "\n"
        + "\n".join(f"2 ISMG SUBMIT_RESP {n} id={n}" for n in range(2, 19)),
        [("window-exceeded", "peer", 1)],
    ),
    "S6, nobody answers the link tests": (
        _LOGIN
        + "1 SP ACTIVE_TEST 2\n61 SP ACTIVE_TEST 3\n121 SP ACTIVE_TEST 4\n250 SP SUBMIT 5\n250.1 ISMG SUBMIT_RESP 5",
        [("keepalive-unanswered", "peer", 3), ("keepalive-not-closed", "peer", 1)],
    ),
    "S7, a request behind TERMINATE": (
        _LOGIN + "1 SP TERMINATE 2\n1.1 SP SUBMIT 3\n1.2 ISMG TERMINATE_RESP 2\n1.3 ISMG SUBMIT_RESP 3 id=1",
        [("terminate-traffic", "peer", 1)],
    ),
    "S8, one Sequence_Id both ways": (
        _LOGIN + "1 SP SUBMIT 2\n1 ISMG DELIVER 2\n1.1 ISMG SUBMIT_RESP 2 id=1\n1.1 SP DELIVER_RESP 2",
        [],
    ),
    "S9, the wrong response": (
        _LOGIN + "1 SP SUBMIT 2\n1.1 ISMG DELIVER_RESP 2\n181 SP ACK",
        [("unanswered", "peer", 1), ("response-type-mismatch", "peer", 1)],
    ),
    "S10, a session of 3.0": (
        "0 SP CONNECT 1 version=0x30\n0.1 ISMG CONNECT_RESP 1 width=4\n1 SP SUBMIT 2 layout=30",
        [("version-three-session", "peer", 1)],
    ),
}


@pytest.mark.parametrize("trace", TRACES)
def test_traces_of_the_specification(trace: str) -> None:
    """The traces of the specification give just the findings it expects."""
    lines, expected = TRACES[trace]
    assert told(lines).found == expected


def test_a_request_sent_back_is_named() -> None:
    """An ACTIVE_TEST that comes back as an ACTIVE_TEST is named where its response is missed."""
    findings = told(_LOGIN + "1 SP ACTIVE_TEST 2\n1.1 ISMG ACTIVE_TEST 2\n2 SP FIN").analysis.findings
    assert [(finding.rule.id, finding.places[0].detail) for finding in findings] == [
        (
            "keepalive-unanswered",
            (
                "CMPP_ACTIVE_TEST with Sequence_Id 2 got no response; "
                "PDU 4 is a CMPP_ACTIVE_TEST with the same Sequence_Id from the other side, where a response should be"
            ),
        ),
        ("close-without-terminate", "the SP closed the open connection (FIN), and nobody sent TERMINATE"),
    ]


def test_a_resend_of_what_a_hole_swallowed_is_no_fall() -> None:
    """Behind a Gap a smaller Sequence_Id may be a resend; N·T later it is a fall again."""
    lines = _LOGIN + "1 SP SUBMIT 2 | lost\n2 SP SUBMIT 3\n2.1 ISMG SUBMIT_RESP 3\n"
    lines += "62 SP SUBMIT 2\n62.1 ISMG SUBMIT_RESP 2\n"
    assert [name for name, *_ in told(lines + "70 SP ACK").found if name.startswith("sequence")] == []
    later = lines + "400 SP SUBMIT 3\n400.1 ISMG SUBMIT_RESP 3\n401 SP SUBMIT 2\n401.1 ISMG SUBMIT_RESP 2"
    assert ("sequence-backwards", "peer", 1) in told(later).found
