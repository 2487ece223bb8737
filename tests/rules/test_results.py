"""What codes mean: the parties' words stand over those of the specification, and reach everything that tells them."""

from __future__ import annotations

import pytest

from cmppscope.rules import STANDARD, Results
from tests.rules.conversation import told

_RESPONSE = 0x80000000
AGREED = Results({4: {100: "no credit", 8: "slow down"}}, {100: "refused", 9: "blocked", 3: "never"})


@pytest.mark.parametrize(
    ("command", "code", "meaning"),
    [
        (4, 100, "no credit"),
        (_RESPONSE | 4, 100, "no credit"),
        (5, 100, "refused"),
        (4, 8, "slow down"),
        (5, 8, "flow control"),
        (4, 9, "blocked"),
        (9, 9, "wrongly forwarded"),
        (9, 3, "sequence repeated"),
        (5, 101, "other error"),
        (0x10, 2, "last route"),
        (6, 0, ""),
    ],
)
def test_meanings(command: int, code: int, meaning: str) -> None:
    """A meaning for the response stands over the specification; a general one fills what is left open from 9 on."""
    assert AGREED.of(command, code) == meaning


def test_low_codes_are_the_specifications() -> None:
    """A general meaning does not stand in for a code below 9, named or not."""
    assert Results({}, {5: "busy"}).of(1, 5) == "other error"


def test_the_specification_alone() -> None:
    """Without an agreement the specification's meanings hold."""
    assert [STANDARD.of(4, code) for code in (0, 8, 9, 200)] == [
        "ok",
        "flow control",
        "other error [2.1: gateway does not serve the paying number]",
        "other error",
    ]


def test_findings_tell_agreed_meanings() -> None:
    """A finding about a Result tells what the parties agreed on."""
    lines = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n1 ISMG DELIVER 1\n1.1 SP DELIVER_RESP 1 result=100\n"
    found = told(lines, results=AGREED).analysis.findings
    assert [p.detail for f in found if f.rule.id == "deliver-refused" for p in f.places] == ["Result 100: refused"]
