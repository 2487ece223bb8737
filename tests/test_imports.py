"""What the program loads when it runs: a command line that starts fast, a core that does no I/O."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEMO = "samples/login-and-report.pcap"
HEAVY = ("textual", "scapy.all", "polars", "rich.console", "rich.progress", "scapy.sendrecv", "pandas", "pyarrow")

OUTSIDE = ("socket", "threading", "asyncio", "time", "subprocess", "multiprocessing", "textual", "rich", "random")
"""What the core never imports: it does no I/O, reads no clock, draws nothing."""
ROOMS_WITH_IO = ("__main__.py", "cli", "tui", "report", "filters", "redact.py", "capture")
CORE = [
    path
    for path in sorted((ROOT / "cmppscope").rglob("*.py"))
    if path.relative_to(ROOT / "cmppscope").parts[0] not in ROOMS_WITH_IO
]

RUN = """
import contextlib, io, json, sys
sys.argv = ["cmppscope", *{arguments!r}]
out = io.TextIOWrapper(io.BytesIO())
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(out):
    from cmppscope.__main__ import main
    main()
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(*arguments: str) -> set[str]:
    """Give the modules loaded when the command line has run."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(arguments=arguments)], capture_output=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), ("report", "--help"), ("schema",)])
def test_help_loads_next_to_nothing(arguments: tuple[str, ...]) -> None:
    """Help and the schema load no analysis: neither NumPy nor Scapy."""
    assert loaded_by(*arguments) & {*HEAVY, "numpy", "scapy", "dpkt"} == set()


@pytest.mark.parametrize(
    "arguments",
    [("report", DEMO), (DEMO,), ("pdus", DEMO), ("transactions", DEMO), ("sessions", DEMO), ("findings", DEMO)],
    ids=" ".join,
)
def test_commands_load_what_they_use(arguments: tuple[str, ...]) -> None:
    """No command loads the TUI, all of Scapy, Polars, or what draws."""
    assert loaded_by(*arguments) & set(HEAVY) == set()


@pytest.mark.parametrize("arguments", [("report", DEMO), (DEMO,), ("findings", DEMO)], ids=" ".join)
def test_a_report_starts_fast(arguments: tuple[str, ...]) -> None:
    """What is read as columns needs no layer of Scapy, no filter language, no interpreter of schemas."""
    assert loaded_by(*arguments) & {"scapy", "lark", "pydantic", "polars", "textual"} == set()


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_nothing_of_the_world(path: Path) -> None:
    """No module of the core imports I/O, threads or a clock, at the top or inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [name for name in names if name.partition(".")[0] in OUTSIDE] == []


def test_the_core_is_looked_at() -> None:
    """The list of the core's modules is not empty by mistake."""
    assert {"analysis", "rules", "framing", "reassembly"} <= {
        path.relative_to(ROOT / "cmppscope").parts[0] for path in CORE
    }
