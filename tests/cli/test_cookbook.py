"""docs/cookbook.md is true: each command of it, run word for word, prints what stands there.

After a change that is meant to change outputs: `python docs/cookbook.py`, then read the difference before keeping it.
"""

from __future__ import annotations

import difflib
import re
import subprocess

import cookbook
import pytest
from cookbook import Block, agrees, blocks, renewed

QUESTIONS = [
    "Why was the login refused?",
    "Where is my SMS?",
    "Which side was slow?",
    "Who broke the protocol, the peer or the capture?",
    "Why does the link drop every hour?",
    "Why do we get Result 8?",
    "Does the gateway count what we sent?",
]
LINES = ["one", "two", "three", "Four", "five", "six"]


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.command)
def test_cookbook_shows_what_is_printed(block: Block) -> None:
    """The output of a command is the one shown, but for the lines left out."""
    lines = cookbook.printed(block.command)
    difference = difflib.unified_diff(block.shown, renewed(block.shown, lines), "shown", "printed", lineterm="")
    assert agrees(block.shown, lines), "\n".join(difference)


def test_every_question_has_its_answer() -> None:
    """Each question is a chapter with a command in it, and nothing looks like an output that is none."""
    page = cookbook.PAGE.read_text(encoding="utf-8")
    chapters = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", page, re.MULTILINE))
    assert list(chapters) == QUESTIONS
    assert all("\n$ cmppscope " in chapter for chapter in chapters.values())
    assert page.count("```") == 2 * len(blocks())


@pytest.mark.parametrize(
    ("shown", "agreed"),
    [
        (LINES, True),
        (["one", "two", "…"], True),
        (["…", "three", "Four", "…"], True),
        (["one", "…", "six"], True),
        ([*LINES, "…"], True),
        (["one", "two"], False),
        (["two", "…"], False),
        (["one", "…", "three", "five", "…"], False),
        (["…", "five"], False),
        ([".*", "…"], False),
    ],
)
def test_lines_left_out(shown: list[str], *, agreed: bool) -> None:
    """`…` stands for any lines, even none; all others have to be there, letter by letter."""
    assert agrees(shown, LINES) is agreed


@pytest.mark.parametrize(
    ("shown", "anew"),
    [
        (["1", "2"], LINES),
        (["1", "2", "…"], ["one", "two", "…"]),
        (["…", "5", "6"], ["…", "five", "six"]),
        (["1", "…", "four", "5", "…"], ["one", "…", "Four", "five", "…"]),
    ],
)
def test_written_anew(shown: list[str], anew: list[str]) -> None:
    """Written anew, a block shows the same part of the new output."""
    assert renewed(shown, LINES) == anew


def test_a_command_that_fails_is_no_answer() -> None:
    """Neither the test nor the program takes the words of an error for an output."""
    with pytest.raises(subprocess.CalledProcessError):
        cookbook.printed("report no-such.pcap")
