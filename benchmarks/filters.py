"""Compare filters with tshark's, in turn, on one capture.

    python benchmarks/filters.py [--runs 3] [CAPTURE]

tshark reads the whole file for every filter, and so does `cmppscope pdus --filter`; the lines of both are thrown away.
Beside them stands what the filter alone costs on PDUs that are held, as the screens hold them: the first time with its
columns, then again. Wall times are medians, filters alone are CPU seconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from cmppscope.analysis import Analysis
from cmppscope.capture import Capture
from cmppscope.filters.selection import Filter, Sieve
from cmppscope.filters.tables import TRANSACTION, PduTable, TransactionTable, end_of
from cmppscope.report.names import CHINA
from cmppscope.transactions.table import in_order
from report_vs_tshark import ROOT, make, measure

FILTERS = {
    "command": ("cmpp.command == CMPP_ACTIVE_TEST", "cmpp.Command_Id == 0x00000008"),
    "result": ("submit_resp.result != 0", "cmpp.submit_resp.Result != 0"),
    "stream, frame": ("tcp.stream == 3 and frame.number < 9999", "tcp.stream == 3 and cmpp and frame.number < 9999"),
    "address": ("ip.src == 10.0.0.0/8 and connect", "ip.src == 10.0.0.0/8 and cmpp.Command_Id == 0x00000001"),
    "number": ('submit.dest_terminal_id contains "138"', 'cmpp.Dest_terminal_Id contains "138"'),
    "latency": ("transaction.latency > 100 ms", ""),
    "text": ('text contains "验证码"', ""),
    "regex": ('text matches "验证码.{0,4}[0-9]"', ""),
}
"""Ours, and tshark's where it has one."""


class Held:
    """A capture's PDUs and transactions in memory."""

    def __init__(self, capture: Path) -> None:
        """Read them."""
        analysis = Analysis()
        facts = [analysis.feed(frames) for frames in Capture([capture])] + analysis.close()
        closed = [table for each in facts for table in each.settled]
        self.batches = [(each.batch, each.session) for each in facts if len(each.batch)]
        self.transactions = in_order(closed)
        self.streams = analysis.streams

    def tables(self) -> list[PduTable]:
        """Give the PDUs without any column."""
        streams = self.streams
        return [
            PduTable(batch, session, lambda n: (end_of(*streams[n].originator), end_of(*streams[n].responder)))
            for batch, session in self.batches
        ]

    def filtered(self, text: str) -> tuple[float, float, int]:
        """Filter twice: (CPU seconds with the columns, CPU seconds without, PDUs that pass)."""
        tables, seconds, hits = self.tables(), [], 0
        for _ in range(2):
            began = time.process_time()
            sieve = Sieve(Filter(text, "pdu", CHINA))
            if TRANSACTION in sieve.filter.needs:
                sieve.see(TransactionTable(self.transactions))
            hits = sum(int(sieve.choose(table).sum()) for table in tables)
            seconds.append(time.process_time() - began)
        return seconds[0], seconds[1], hits


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("capture", type=Path, nargs="?", help="default: the one of report_vs_tshark.py")
    parser.add_argument("--runs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--frames", type=int, default=1_000_000, help="default: %(default)s")
    options = parser.parse_args()
    folder = Path(os.environ.get("CMPPSCOPE_BENCH_DIR", ROOT / "build" / "benchmarks"))
    capture = options.capture or folder / f"frames-{options.frames}-seed-1.pcap"
    if not options.capture and not capture.exists():
        capture.parent.mkdir(parents=True, exist_ok=True)
        make(capture, [f"--frames={options.frames}", "--streams=16", "--seed=1"])
    tshark = shutil.which("tshark") is not None
    held = Held(capture)
    Filter("cmpp", "pdu", CHINA)
    print(f"{capture.name}: {sum(len(batch) for batch, _ in held.batches):,} PDUs, median of {options.runs}")
    print(
        f"{'filter':<15}{'PDUs':>9}{'with columns':>14}{'again':>8}{'pdus --filter':>15}{'tshark -Y':>11}{'ratio':>8}"
    )
    for name, (ours, theirs) in FILTERS.items():
        first, again, hits = held.filtered(ours)
        commands = [[sys.executable, "-m", "cmppscope", "pdus", str(capture), "--format", "csv", "--filter", ours]]
        if tshark and theirs:
            commands.append(["tshark", "-n", "-r", str(capture), "-Y", theirs])
        runs: list[list[float]] = [[] for _ in commands]
        for _ in range(options.runs):
            for times, command in zip(runs, commands, strict=True):
                times.append(measure(command).seconds)
        own, *peer = map(statistics.median, runs)
        told = f"{peer[0]:>11.2f}{peer[0] / own:>8.1f}" if peer else f"{'-':>11}{'-':>8}"
        print(f"{name:<15}{hits:>9}{first:>12.3f} s{again:>6.3f} s{own:>15.2f}{told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
