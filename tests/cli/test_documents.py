"""The documents are true: made ones are up to date, and what they show is what the program prints."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmppscope.report.rules import chapters
from cmppscope.rules import RULES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "CHANGELOG.md", *(str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").glob("*.md")))]
SHOWN = re.findall(r"```\n\$ cmppscope (\S+)\n(.*?)\n(?:…\n)?```", README, re.DOTALL)


def test_made_documents_are_up_to_date() -> None:
    """`docs/generate.py --check`, a part of `make check`, finds nothing to write."""
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("capture", "text"), SHOWN)
def test_readme_shows_what_is_printed(cli: Callable[..., Any], capture: str, text: str) -> None:
    """Output in the README is what the program prints, from its first line on."""
    assert cli(ROOT / capture).text.startswith(text + "\n")


def test_readme_shows_something() -> None:
    """There are outputs to compare."""
    assert [capture for capture, _text in SHOWN] == ["samples/login-refused.pcap", "samples/login-and-report.pcap"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Every link to a file of the project names one that is there."""
    path = ROOT / name
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_rule_has_its_heading() -> None:
    """docs/rules.md has a heading for each rule, in the order of the chapters, and no other."""
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    found = chapters()
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == [rule.id for rules in found.values() for rule in rules]
    assert sorted(rule.id for rules in found.values() for rule in rules) == sorted(rule.id for rule in RULES)
    assert re.findall(r"^## (.+)$", page, re.MULTILINE)[:-1] == list(found)


def test_decisions_name_captures_that_are_here() -> None:
    """What a decision was forced by can be read."""
    page = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+){2,})`", page))
    here = {p.name.partition(".")[0] for p in (ROOT / "tests" / "data" / "real").glob("*.pcap*")}
    assert len(named) >= 8
    assert named - here == set()
