"""Say what each stage of a report costs: CPU time, and of all of it, in the order in which frames pass.

    python benchmarks/stages.py [--runs 3] [--rules] [CAPTURE]

One process, one core: the stages take turns as they do in a small report, so that their times add up. The median
of the runs is told. `--rules` names the dearest rules as well. Times of a machine are no promise: read the shares.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import gc
import operator
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import Capture
from cmppscope.rules import RULES, Rule
from cmppscope.tables import FrameBatch

ROOT = Path(__file__).resolve().parent.parent
STAGES = {
    "decode": ("_front._decoder", "feed"),
    "reassembly": ("_front._reassembler", "feed"),
    "framing": ("_front._framer", "feed"),
    "sessions": ("_front._sessions", "feed"),
    "transactions": ("_front._pairing", "feed"),
    "sequence numbers": ("_front._sequences", "feed"),
    "session states": ("_trackers", "feed"),
    "logins": ("_logins", "feed"),
    "link audit": ("audit", "feed"),
    "messages": ("messages", "feed"),
    "counts of PDUs": ("statistics", "add_pdus"),
    "counts of transactions": ("statistics", "add_transactions"),
    "rules": ("_findings", "feed"),
}
DEAREST = 12

Costs = dict[str, float]


ANALYSED = ("messages", "rules")
"""The stages that say what the PDUs mean."""


def clocked(call: Callable[..., Any], name: str, costs: Costs) -> Callable[..., Any]:
    """Give a function that adds what it costs to `costs`."""

    @functools.wraps(call)
    def run(*args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        try:
            return call(*args, **kwargs)
        finally:
            costs[name] = costs.get(name, 0.0) + time.process_time() - began

    return run


def frames_of(capture: Path, costs: Costs) -> Iterator[FrameBatch]:
    """Read a capture, the reading clocked."""
    batches = iter(Capture([str(capture)]))
    step = clocked(lambda: next(batches, None), "reading", costs)
    while (batch := step()) is not None:
        yield batch


def measure(capture: Path) -> tuple[Costs, Costs]:
    """Analyse a capture once: what the stages cost, and the rules."""
    costs: Costs = {}
    dear: Costs = {}
    analysis = Analysis(Options())
    for name, (owner, method) in STAGES.items():
        holder = operator.attrgetter(owner)(analysis)
        setattr(holder, method, clocked(getattr(holder, method), name, costs))
    analysis._findings._rules = tuple(_clocked_rule(rule, dear) for rule in RULES)  # noqa: SLF001 - a benchmark looks inside
    gc.collect()
    gc.freeze()
    began = time.process_time()
    for batch in frames_of(capture, costs):
        analysis.feed(batch)
    analysis.close()
    whole = time.process_time() - began
    costs["the rest, and the end"] = whole - sum(costs.values())
    return costs, dear


def _clocked_rule(rule: Rule, dear: Costs) -> Rule:
    """Give a rule that counts what it costs."""
    return dataclasses.replace(rule, check=clocked(rule.check, rule.id, dear))


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    kept = Path(os.environ.get("CMPPSCOPE_BENCH_DIR", ROOT / "build" / "benchmarks"))
    parser.add_argument("capture", type=Path, nargs="?", default=kept / "frames-1000000-seed-1.pcap")
    parser.add_argument("--runs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--rules", action="store_true", help="name the dearest rules")
    options = parser.parse_args()
    if not options.capture.exists():
        parser.error(f"{options.capture} is not there: benchmarks/report_vs_tshark.py makes it")
    runs = [measure(options.capture) for _ in range(options.runs)]
    for title, which, most in (("stage", 0, None), ("rule", 1, DEAREST))[: 2 if options.rules else 1]:
        median = {name: statistics.median(run[which].get(name, 0.0) for run in runs) for name in runs[0][which]}
        whole = sum(median.values())
        print(f"{title:<28}{'CPU s':>8}{'share':>8}")
        order = sorted(median.items(), key=lambda item: -item[1])[:most] if most else median.items()
        for name, seconds in order:
            print(f"{name:<28}{seconds:>8.3f}{seconds / whole:>8.1%}")
        print(f"{'all':<28}{whole:>8.3f}\n")
    print(f"with rules and messages: {_times(runs, ANALYSED):.2f} times what it costs without them")
    print(f"with the link audit too: {_times(runs, (*ANALYSED, 'link audit')):.2f} times")
    return 0


def _times(runs: list[tuple[Costs, Costs]], stages: tuple[str, ...]) -> float:
    """Say how many times as much all stages cost as all but some; the median of the runs."""
    whole = [(sum(costs.values()), sum(costs[name] for name in stages)) for costs, _ in runs]
    return statistics.median(every / (every - some) for every, some in whole)


if __name__ == "__main__":
    sys.exit(main())
