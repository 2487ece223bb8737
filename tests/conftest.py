"""Running cmppscope as a user does: in a process of its own, or, for many small runs, inside this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from running import Ended, inside

ROOT = Path(__file__).parents[1]

settings.register_profile("untimed", deadline=None)  # what a test says must not hang on how busy a machine is
settings.load_profile("untimed")


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
