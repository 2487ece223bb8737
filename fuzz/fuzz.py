"""Feed cmppscope captures and filters made wrong on purpose, and demand what must always hold.

    python fuzz/fuzz.py [--seed 1] [--seconds 60]
    python fuzz/fuzz.py --replay build/fuzz/1-4711.capture

Input number n of a seed is always the same. One that fails is kept in build/fuzz/ beside a text that says how, and the
run goes on; its exit status is 1 at the end.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from types import FrameType

from checks import check
from mutate import Corpus, capture

ROOT = Path(__file__).resolve().parents[1]
CPU_SECONDS = 60.0
"""What one input may take; the slowest good ones take about one."""
MOST_MEMORY = 1 << 31
"""Octets that the process may ever hold."""
KIBIBYTE = 1 if sys.platform == "darwin" else 1024
"""Unit of ru_maxrss in octets."""


class Hung(Exception):  # noqa: N818 - what happened
    """An input took too long."""


def _hung(_number: int, _frame: FrameType | None) -> None:
    raise Hung(f"more than {CPU_SECONDS:g} s of CPU time")


def tried(path: Path, name: str) -> str | None:
    """Check one file; give what went wrong, as text."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        check(path, random.Random(f"check {name}"))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
        if memory > MOST_MEMORY:
            return f"{memory / 1e6:.0f} MB of memory\n"
    except Exception:  # noqa: BLE001 - whatever it is, it is to be told
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def fuzz(seed: int, seconds: float, folder: Path) -> int:
    """Try inputs until the time is over; count those that failed, each kind of failure kept up to three times."""
    corpus = Corpus()
    kinds: Counter[str] = Counter()
    number, failed, end = 0, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        number += 1
        name = f"{seed}-{number}"
        path = folder / f"{name}.capture"
        path.write_bytes(capture(random.Random(f"make {name}"), corpus))
        problem = tried(path, name)
        if problem is None:
            path.unlink()
            continue
        failed += 1
        kind = _kind(problem)
        kinds[kind] += 1
        if kinds[kind] > 3:
            path.unlink()
            continue
        path.with_suffix(".txt").write_text(problem, "utf-8", "backslashreplace")
        print(f"{kind}\n  again: python fuzz/fuzz.py --replay {path}", flush=True)
    print(f"seed {seed}: {number} inputs, {failed} failed, {time.process_time():.0f} s of CPU time")
    for kind, count in kinds.most_common():
        print(f"{count:>6}  {kind}")
    return failed


def _kind(problem: str) -> str:
    """Name a failure by where it was raised and what it is."""
    places = [line.strip() for line in problem.splitlines() if line.startswith('  File "')]
    what = re.sub(
        r"\d+", "#", next((line for line in problem.splitlines() if re.match(r"\w[\w.]*: ", line)), problem)[:60]
    )
    return f"{what} {places[-1].removeprefix('File ') if places else ''}"


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=60, help="default: %(default)s")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="check one input that was kept")
    options = parser.parse_args()
    signal.signal(signal.SIGPROF, _hung)
    if options.replay:
        problem = tried(options.replay, options.replay.stem)
        print(problem or "nothing is wrong")
        return int(problem is not None)
    folder = ROOT / "build" / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    return int(fuzz(options.seed, options.seconds, folder) > 0)


if __name__ == "__main__":
    sys.exit(main())
