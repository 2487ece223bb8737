"""`cmppscope rules`: the list of all rules, and one of them explained."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmppscope.report.rules import CHAPTERS, chapters, explanation, fault, told
from cmppscope.rules import RULES

Cli = Callable[..., Any]


def test_list(cli: Cli) -> None:
    """Without an id every rule is listed with severity, section and sentence, in order."""
    first, *lines = cli("rules").text.splitlines()
    assert first.split() == ["rule", "severity", "section", "sentence"]
    assert [line.split()[0] for line in lines] == [rule.id for rule in RULES]
    assert all(line.endswith(rule.sentence) for line, rule in zip(lines, RULES, strict=True))


def test_list_for_programs(cli: Cli) -> None:
    """The list is to be had as CSV and as JSON, a rule a line."""
    rows = list(csv.DictReader(io.StringIO(cli("rules", "--format", "csv").text)))
    expected = [(r.id, r.severity.word, r.section, r.sentence) for r in RULES]
    assert [tuple(row.values()) for row in rows] == expected
    made = cli("rules", "--format", "ndjson").rows
    assert [(row["rule"], row["severity"], row["section"], row["sentence"]) for row in made] == expected
    assert [row["explanation"] for row in made] == [" ".join(explanation(rule)) for rule in RULES]


def test_list_into_a_file(cli: Cli, tmp_path: Path) -> None:
    """-o writes a file."""
    cli("rules", "-o", tmp_path / "rules.txt")
    assert (tmp_path / "rules.txt").read_bytes() == cli("rules").out


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_is_explained(cli: Cli, rule: Any) -> None:
    """An id explains its rule: all that the documents say of it, within 80 columns."""
    text = cli("rules", rule.id).text
    words = " ".join(text.split())
    for said in (rule.id, rule.sentence, *explanation(rule), fault(rule), *told(rule)):
        assert " ".join(said.split()) in words
    assert max(map(len, text.splitlines())) <= 80


def test_an_explanation(cli: Cli) -> None:
    """Sentence, meaning, severity, section, fault and words of a rule."""
    assert cli("rules", "report-length").text == (
        "report-length\n"
        "\n"
        "A status report to the SP, Registered_Delivery 1, has 60 octets.\n"
        "\n"
        "Its fields stand at fixed places, so that of any other length nothing can be\n"
        "read: the SP loses the report.\n"
        "\n"
        "Severity:   error\n"
        "Section:    CMPP 2.0 §7.4.5.1\n"
        "At fault:   the peer\n"
        "Told as:    “Msg_Length is N: a status report has 60 octets”\n"
    )


def test_explained_as_configured(cli: Cli, tmp_path: Path) -> None:
    """Severities and thresholds are those in force."""
    config = tmp_path / "cmppscope.toml"
    config.write_text('t = 30\n[severities]\nunanswered = "note"\n', encoding="utf-8")
    lines = cli("rules", "unanswered", "--config", config).text.splitlines()
    assert [line for line in lines if line.startswith(("Severity", "Threshold"))] == [
        "Severity:   note (set; error by itself)",
        "Threshold:  t = 30 seconds",
        "Threshold:  n = 3 sendings",
    ]
    listed = cli("rules", "--config", config).text.splitlines()
    assert next(line for line in listed if line.startswith("unanswered")).split()[1] == "note"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "report-lenght",
            "there is no rule report-lenght; nearest: report-length, report-length-71, fwd-report-length",
        ),
        ("zzzzzz", "there is no rule zzzzzz; `cmppscope rules` lists them"),
        ("resync", "there is no rule resync; nearest: frame-resync"),
        ("\x1b[31m", "there is no rule \\x1b[31m; `cmppscope rules` lists them"),
    ],
)
def test_unknown_rules(cli: Cli, name: str, message: str) -> None:
    """An unknown id is said with the nearest ones, and the status is 2."""
    ended = cli("rules", name)
    assert (ended.status, ended.out, ended.err) == (2, b"", f"cmppscope: {message}\n")


def test_chapters_hold_every_rule_once() -> None:
    """The chapters of the documents hold all rules, and each has one of the names there are."""
    assert sorted(r.id for rules in chapters().values() for r in rules) == sorted(r.id for r in RULES)
    assert set(chapters()) <= set(CHAPTERS)
