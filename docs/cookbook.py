"""The outputs in cookbook.md: `python docs/cookbook.py` writes them anew, a test compares them.

A block is fenced, and its first line is `$ cmppscope …`. What follows is what the command prints; a line `…` stands
for any lines. Written anew, the lines before the first `…` are as many of the first lines as stood there, those
behind the last `…` as many of the last, and those between begin at the line that is most like their first one.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).with_name("cookbook.md")
ROOT = PAGE.parent.parent
LEFT_OUT = "…"
_BLOCK = re.compile(r"^```\n\$ cmppscope (.+)\n((?:(?!```).*\n)*)```$", re.MULTILINE)


class Block(NamedTuple):
    """A command and the lines shown as its output."""

    command: str
    shown: list[str]


def blocks() -> list[Block]:
    """Read the blocks of the page."""
    return [Block(found[1], found[2].splitlines()) for found in _BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]


def printed(command: str) -> list[str]:
    """Run a command word for word, as in a terminal of 80 columns; give its lines.

    Raises subprocess.CalledProcessError where it fails.
    """
    words = [sys.executable, "-m", "cmppscope", *shlex.split(command)]
    told = {**os.environ, "COLUMNS": "80", "TERM": "dumb"}
    done = subprocess.run(words, cwd=ROOT, env=told, capture_output=True, check=True)  # noqa: S603 - our own page
    return done.stdout.decode("utf-8").splitlines()


def agrees(shown: list[str], lines: list[str]) -> bool:
    """Tell whether lines are those shown, where `…` stands for any."""
    pattern = "".join("(?:.*\n)*?" if line == LEFT_OUT else re.escape(line + "\n") for line in shown)
    return re.fullmatch(pattern, "".join(line + "\n" for line in lines)) is not None


def renewed(shown: list[str], lines: list[str]) -> list[str]:
    """Show of new lines what was shown of the old ones."""
    if LEFT_OUT not in shown:
        return lines
    first, *middle, last = _pieces(shown)
    at, result = len(first), lines[: len(first)]
    for piece in middle:
        (like,) = difflib.get_close_matches(piece[0], lines[at:], n=1, cutoff=0)
        at = lines.index(like, at)
        result += [LEFT_OUT, *lines[at : at + len(piece)]]
        at += len(piece)
    return [*result, LEFT_OUT, *lines[len(lines) - len(last) :]]


def _pieces(shown: list[str]) -> list[list[str]]:
    """Split the lines shown at each `…`."""
    pieces: list[list[str]] = [[]]
    for line in shown:
        if line == LEFT_OUT:
            pieces.append([])
        else:
            pieces[-1].append(line)
    return pieces


def _block(found: re.Match[str]) -> str:
    """Write a block anew."""
    lines = renewed(found[2].splitlines(), printed(found[1]))
    return "\n".join(["```", f"$ cmppscope {found[1]}", *lines, "```"])


def main() -> None:
    """Write the outputs of the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_BLOCK.sub(_block, page), encoding="utf-8")


if __name__ == "__main__":
    main()
