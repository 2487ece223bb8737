"""Compare the report on a big capture with tshark printing four fields, in one run.

    python benchmarks/report_vs_tshark.py [--runs 3] [--frames 1000000] [--small] [CAPTURE]

Programs take turns, so that a busy machine is unfair to none. With --small one run of each does not
count: Python keeps what it compiled then, as an installed program has it. Wall time is the median; memory is
the highest peak resident set of the program, all its processes together. tcpdump copying the capture
to nowhere is the floor: reading and no more.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FIELDS = ("frame.number", "tcp.stream", "cmpp.Command_Id", "cmpp.Sequence_Id")
KIBIBYTE = 1 if sys.platform == "darwin" else 1024
"""Unit of ru_maxrss in octets."""
WATCH_SECONDS = 0.02


class Run(NamedTuple):
    """One run of a program: seconds, and octets of peak memory."""

    seconds: float
    memory: int


def measure(command: list[str]) -> Run:
    """Run a program to its end, its output thrown away."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done, peak = threading.Event(), [0]
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        watch = threading.Thread(target=_watch, args=(process.pid, done, peak))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        done.set()
        watch.join()
    if process.returncode:
        print(f"exit status {process.returncode}: {' '.join(command)}", file=sys.stderr)
        sys.exit(1)
    return Run(seconds, max(peak[0], usage.ru_maxrss * KIBIBYTE))


def _watch(pid: int, done: threading.Event, peak: list[int]) -> None:
    """Add up the resident memory of a process and its children now and then; pages they share count for each."""
    while not done.wait(WATCH_SECONDS):
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            resident = [int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in (pid, *children)]
            peak[0] = max(peak[0], sum(resident) * os.sysconf("SC_PAGE_SIZE"))


def programs(capture: Path) -> dict[str, list[str]]:
    """Return the commands to compare; those not installed are left out."""
    tshark = ["tshark", "-n", "-r", str(capture), "-T", "fields"]
    for name in FIELDS:
        tshark += ["-e", name]
    report = ["report", str(capture), "--format", "json", "-o", os.devnull]
    commands = {
        "cmppscope report": [sys.executable, "-m", "cmppscope", *report],
        "tshark, 4 fields": tshark,
        "tcpdump -w": ["tcpdump", "-r", str(capture), "-w", os.devnull],
    }
    return {name: command for name, command in commands.items() if shutil.which(command[0])}


def make(capture: Path, arguments: list[str]) -> None:
    """Write the capture beside its place, then move it there: it is whole or missing."""
    part = capture.with_suffix(".part")
    script = Path(__file__).with_name("make_capture.py")
    print(f"writing {capture} ...", file=sys.stderr)
    subprocess.run([sys.executable, str(script), *arguments, str(part)], check=True, stdout=subprocess.DEVNULL)
    part.replace(capture)


def table(capture: Path, results: dict[str, list[Run]]) -> None:
    """Print one line a program, each beside cmppscope."""
    octets = capture.stat().st_size
    median = {name: statistics.median(r.seconds for r in runs) for name, runs in results.items()}
    own = median["cmppscope report"]
    print(f"{capture.name}: {octets / 1e6:.3f} MB, median of {len(results['cmppscope report'])}")
    print(f"{'program':<18}{'seconds':>10}{'times cmppscope':>17}{'peak MB':>10}{'of file':>9}")
    for name, runs in results.items():
        peak = max(r.memory for r in runs)
        print(f"{name:<18}{median[name]:>10.3f}{median[name] / own:>17.2f}{peak / 1e6:>10.0f}{peak / octets:>9.1f}")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("capture", type=Path, nargs="?", help="default: generated, and kept")
    parser.add_argument("--runs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--frames", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--small", action="store_true", help="50 frames: what starting costs")
    parser.add_argument(
        "--dir",
        type=Path,
        default=Path(os.environ.get("CMPPSCOPE_BENCH_DIR", ROOT / "build" / "benchmarks")),
        help="where captures are kept (or CMPPSCOPE_BENCH_DIR); default: build/benchmarks",
    )
    options = parser.parse_args()
    frames, streams = (50, 1) if options.small else (options.frames, 16)
    capture = options.capture or options.dir / f"frames-{frames}-seed-{options.seed}.pcap"
    if not options.capture and not capture.exists():
        capture.parent.mkdir(parents=True, exist_ok=True)
        make(capture, [f"--frames={frames}", f"--streams={streams}", f"--seed={options.seed}"])
    commands = programs(capture.resolve())
    for name in ("tshark", "tcpdump"):
        if not shutil.which(name):
            print(f"{name} is not installed: left out", file=sys.stderr)
    results: dict[str, list[Run]] = {name: [] for name in commands}
    if options.small:
        for command in commands.values():
            measure(command)
    for _ in range(options.runs):
        for name, command in commands.items():
            results[name].append(measure(command))
    table(capture, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
