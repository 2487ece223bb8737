"""What is found on the real captures is what docs/judged.toml holds, each with a judgement."""

from __future__ import annotations

from pathlib import Path

import judge
import pytest

from cmppscope.rules import RULES


@pytest.mark.parametrize("name", judge.captures())
def test_findings_are_judged(name: str) -> None:
    """Every finding on a capture is judged with its count, and nothing is judged that is not found.

    `python docs/judge.py` prints the entries that are missing.
    """
    assert judge.found(judge.captures()[name]) == judge.expected(name)


def test_entries_name_what_is_there() -> None:
    """Entries name rules and captures of the project."""
    entries = judge.judged()
    assert {entry.rule for entry in entries} - {rule.id for rule in RULES} == set()
    assert {name for entry in entries for name in entry.captures} - set(judge.captures()) == set()


@pytest.mark.parametrize("left_out", ["judgement", "captures"])
def test_entries_are_complete(left_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry without captures or without a judgement is an error."""
    parts = {"captures": "captures = { a = 1 }", "judgement": 'judgement = "true"'}
    parts[left_out] = {"captures": "captures = {}", "judgement": 'judgement = " "'}[left_out]
    (tmp_path / "judged.toml").write_text("[[judged]]\nrule = 'unanswered'\n" + "\n".join(parts.values()))
    monkeypatch.setattr(judge, "FILE", tmp_path / "judged.toml")
    with pytest.raises(ValueError, match="unanswered is not judged"):
        judge.judged()
