"""Compare filters with tshark's, in turn, on one capture.

    python benchmarks/filters.py [--runs 3] [CAPTURE]

tshark reads the whole file for every filter, and so does `cmppscope pdus --filter`; the lines of both are thrown away.
Beside them stands what the filter alone takes on the screens, that find rows among PDUs that were read before: the
first time, then again. Wall times, medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from cmppscope.analysis import Options
from cmppscope.capture import Capture
from cmppscope.redact import Redaction
from cmppscope.tui.loading import Inbox, Loader
from cmppscope.tui.rows.pdus import PduRows
from cmppscope.tui.store import Pdus, Store
from cmppscope.tui.view import Wish, arrange
from report_vs_tshark import ROOT, make, measure

FILTERS = {
    "command": ("cmpp.command == CMPP_ACTIVE_TEST", "cmpp.Command_Id == 0x00000008"),
    "result": ("submit_resp.result != 0", "cmpp.submit_resp.Result != 0"),
    "stream, frame": ("tcp.stream == 3 and frame.number < 9999", "tcp.stream == 3 and cmpp and frame.number < 9999"),
    "address": ("ip.src == 10.0.0.0/8 and connect", "ip.src == 10.0.0.0/8 and cmpp.Command_Id == 0x00000001"),
    "number": ('submit.dest_terminal_id contains "138"', 'cmpp.Dest_terminal_Id contains "138"'),
    "latency": ("transaction.latency > 100 ms", ""),
    "text": ('text contains "验证码"', ""),
    "common text": ('text contains "您"', ""),
    "regex": ('text matches "验证码.{0,4}[0-9]"', ""),
    "plain words": ("验证码", ""),
}
"""Ours, and tshark's where it has one."""


class Screen:
    """The list of PDUs, as the screens have it."""

    def __init__(self, capture: Path) -> None:
        """Read a capture."""
        inbox = Inbox(lambda: None)
        loader = Loader(Capture([capture]), Options(keep_findings=True), inbox)
        self.store = Store(pdus=Pdus(loader.recall))
        loader.run()
        found = inbox.take()
        for arrival in found.batches:
            self.store.pdus.add(*arrival)
        for table in found.closed:
            self.store.transactions.add(table, None)
        self.store.snapshot = found.snapshot or self.store.snapshot
        self._rows = PduRows(self.store, Redaction(active=True), self.store.zone)

    def filtered(self, text: str) -> tuple[float, float, int]:
        """Filter twice: (seconds the first time, seconds again, PDUs that pass)."""
        self.store.pdus.searched.clear()
        seconds, hits = [], 0
        for _ in range(2):
            began = time.perf_counter()
            *_, view = arrange(self._rows, Wish(needle=text))
            seconds.append(time.perf_counter() - began)
            hits = view.count(self._rows)
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
    screen = Screen(capture)
    screen.filtered("cmpp.pdu == 1")  # loads what every filter needs
    print(f"{capture.name}: {len(screen.store.pdus):,} PDUs, median of {options.runs}")
    print(
        f"{'filter':<15}{'PDUs':>9}{'on the screens':>16}{'again':>8}{'pdus --filter':>15}{'tshark -Y':>11}{'ratio':>8}"
    )
    for name, (ours, theirs) in FILTERS.items():
        tries = [screen.filtered(ours) for _ in range(options.runs)]
        first, again, hits = map(statistics.median, zip(*tries, strict=True))
        if not theirs or not tshark:
            print(f"{name:<15}{hits:>9.0f}{first:>14.3f} s{again:>6.3f} s")
            continue
        commands = [
            [sys.executable, "-m", "cmppscope", "pdus", str(capture), "--format", "csv", "--filter", ours],
            ["tshark", "-n", "-r", str(capture), "-Y", theirs],
        ]
        runs = [[measure(command).seconds for command in commands] for _ in range(options.runs)]
        own, peer = map(statistics.median, zip(*runs, strict=True))
        print(f"{name:<15}{hits:>9.0f}{first:>14.3f} s{again:>6.3f} s{own:>15.2f}{peer:>11.2f}{peer / own:>8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
