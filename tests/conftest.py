"""Running cmppscope as a user does: in a process of its own, or, for many small runs, inside this one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings

from cmppscope.__main__ import main

ROOT = Path(__file__).parents[1]

settings.register_profile("untimed", deadline=None)  # what a test says must not hang on how busy a machine is
settings.load_profile("untimed")


@dataclass(frozen=True)
class Ended:
    """What a run left behind."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """What it wrote to standard output."""
        return self.out.decode("utf-8")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The same, one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        """The same, one JSON object."""
        made: dict[str, Any] = json.loads(self.out)
        return made


def inside(*arguments: object, stdin: bytes = b"") -> Ended:
    """Run the entry point in this process."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    argv = ["cmppscope", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
    ):
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        out.flush()
    return Ended(status, out.buffer.getvalue(), err.getvalue())


def outside(*arguments: object, stdin: bytes = b"", cwd: Path = ROOT) -> Ended:
    """Run the program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "cmppscope", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TERM": "dumb"},
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr.decode("utf-8"))


@pytest.fixture(scope="session")
def cli() -> Callable[..., Ended]:
    """Run cmppscope inside this process: quick, and the same entry point."""
    return inside


@pytest.fixture(scope="session")
def program() -> Callable[..., Ended]:
    """Run cmppscope in a process of its own."""
    return outside


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written anew."""
    parser.addoption("--renew-golden", action="store_true", help="write tests/golden/*.json anew instead of comparing")
