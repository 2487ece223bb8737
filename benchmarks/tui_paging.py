"""How long the screen takes: from a key to the last octet of what is drawn, in a real terminal (a pseudo-terminal).

The program runs as a process of its own; keys go in and the drawn rows come out as octets, so that the time is that
from key event to display, everything included. Two lists of PDUs are paged through: 2,000,000 made up in memory, and,
where there is one, a capture of a million frames while it is still read. Prints medians and the slowest; asserts
nothing.

    python benchmarks/tui_paging.py [--pages N] [--capture FILE]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import statistics
import struct
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from cmppscope.tables import FrameBatch

ROOT = Path(__file__).parents[1]
CAPTURE = ROOT / "build" / "benchmarks" / "million.pcap"
PDUS = 2_000_000
SIZES = ((80, 24), (120, 40), (200, 60))
PAGE_DOWN, END, HOME = b"\x1b[6~", b"\x1b[F", b"\x1b[H"
_ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=$]*[A-Za-z]")
_PATIENCE_SECONDS = 120


# ---------------------------------------------------------------------------- the process that draws


def run_made_up() -> None:
    """Run the application over PDUs that are made up."""
    import numpy as np  # noqa: PLC0415 - the parent needs none of these

    from cmppscope.references import nowhere  # noqa: PLC0415
    from cmppscope.tables import PduBatch  # noqa: PLC0415
    from cmppscope.tui.app import CmppscopeApp  # noqa: PLC0415
    from dissectors.cmpp import CMPP, CMPPSubmit, CMPPSubmitResp  # noqa: PLC0415

    ready = time.monotonic()
    submit = bytes(CMPP() / CMPPSubmit(Msg_Content=b"made up", Dest_terminal_Id=[b"13800138001"]))
    response = bytes(CMPP() / CMPPSubmitResp())
    pair = np.frombuffer(submit + response, np.uint8)
    count = np.arange(PDUS)
    odd = count & 1
    batch = PduBatch(
        octets=pair,
        first=1,
        position=odd * len(submit),
        length=np.where(odd, len(response), len(submit)),
        command=np.where(odd, 0x80000004, 4),
        sequence=count // 2,
        layout=np.full(PDUS, 20, np.uint8),
        fits=np.ones(PDUS, np.uint8),
        stream=count % 16,
        direction=odd,
        offset=count,
        frame=count + 1,
        known_frame=count + 1,
        time_ns=count * 1_000_000,
    )
    app = CmppscopeApp(Nothing(), name="made up")
    places = nowhere(PDUS)
    places.address = app.loader.recall.keep(submit + response) + batch.position
    app.store.pdus.add(batch, np.zeros(len(batch), np.int64), places)
    Path(os.environ["READY_FILE"]).write_text(str(ready), encoding="ascii")
    app.run()


def run_capture(path: str) -> None:
    """Run the application over a capture."""
    from cmppscope.capture import Capture  # noqa: PLC0415
    from cmppscope.tui.app import CmppscopeApp  # noqa: PLC0415

    app = CmppscopeApp(Capture([path]), name=Path(path).name)
    Path(os.environ["READY_FILE"]).write_text(str(time.monotonic()), encoding="ascii")
    app.run()


class Nothing:
    """A source without frames."""

    octets_read = 0
    octets_total: int | None = None

    def __iter__(self) -> Iterator[FrameBatch]:
        """Yield nothing."""
        return iter(())


# -------------------------------------------------------------------------- the process that measures


@dataclass
class Terminal:
    """The other end of the pseudo-terminal."""

    columns: int
    lines: int
    command: list[str]
    fd: int = -1
    pid: int = -1
    began: float = 0.0
    seen: bytearray = field(default_factory=bytearray)
    drawn: bool = False
    """Something was drawn since the last key."""

    def __enter__(self) -> Self:
        """Begin the process."""
        ready = f"/tmp/cmppscope-paging-{os.getpid()}"  # noqa: S108 - one number, for a moment
        self.ready_file = Path(ready)
        self.began = time.monotonic()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            paths = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
            env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": paths}
            os.execve(sys.executable, [sys.executable, *self.command], {**env, "READY_FILE": ready})  # noqa: S606
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", self.lines, self.columns, 0, 0))
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        os.write(self.fd, b"q")
        os.close(self.fd)
        os.waitpid(self.pid, 0)
        self.ready_file.unlink(missing_ok=True)

    def press(self, key: bytes) -> float:
        """Press a key; give the time."""
        self.seen.clear()
        os.write(self.fd, key)
        return time.monotonic()

    def wait_for(self, pattern: bytes) -> float:
        """Wait until something is drawn; give the time of its octets."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if select.select([self.fd], [], [], 1.0)[0]:
                self.seen += os.read(self.fd, 1 << 16)
                now = time.monotonic()
                if wanted.search(_ESCAPES.sub(b"", bytes(self.seen))):
                    return now
        raise SystemExit(f"{pattern!r} was not drawn in {_PATIENCE_SECONDS} s")

    def worked_seconds(self) -> float:
        """Give the processor time that the process has taken (Linux; elsewhere 0)."""
        try:
            numbers = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")

    def rest(self, seconds: float = 0.15) -> None:
        """Read what is still drawn."""
        while select.select([self.fd], [], [], seconds)[0]:
            os.read(self.fd, 1 << 16)


def measure(columns: int, lines: int, command: list[str], pages: int) -> None:
    """Page through a list, and say how long it took."""
    with Terminal(columns, lines, command) as terminal:
        terminal.wait_for(rb"Sessions")
        shown = time.monotonic() - terminal.began
        terminal.press(b"2")
        first = terminal.wait_for(rb"1 +0\.\d{6}|1 +1 +0\.\d{6}")
        ready = float(terminal.ready_file.read_text(encoding="ascii"))
        times = []
        terminal.rest()
        terminal.press(END)
        terminal.rest(0.3)
        terminal.press(HOME)
        terminal.rest(0.3)
        settled, worked = [], terminal.worked_seconds()
        for _ in range(pages):
            began = terminal.press(PAGE_DOWN)
            listed, last = bursts(terminal)
            times.append(listed - began)
            settled.append(last - began)
        worked = (terminal.worked_seconds() - worked) / pages
        times.sort()
        print(
            f"{columns}x{lines}: PageDown to paint {statistics.median(times) * 1e3:.1f} ms median, "
            f"{times[int(len(times) * 0.95)] * 1e3:.1f} ms p95, {times[-1] * 1e3:.1f} ms slowest of {len(times)}; "
            f""
            f"with fields and octets {statistics.median(settled) * 1e3:.1f} ms; "
            f"processor {worked * 1e3:.1f} ms a page; "
            f"screen {shown:.2f} s after the start, first rows {first - terminal.began:.2f} s "
            f"({first - ready:.2f} s on top of imports)"
        )


def bursts(terminal: Terminal, pause: float = 0.012, quiet: float = 0.15) -> tuple[float, float]:
    """Wait until nothing more is drawn; give the times of the last octets of the first drawing, and of all."""
    first = None
    last = time.monotonic()
    while select.select([terminal.fd], [], [], quiet)[0]:
        os.read(terminal.fd, 1 << 16)
        now = time.monotonic()
        if first is None and now - last > pause and terminal.drawn:
            first = last
        terminal.drawn = True
        last = now
    terminal.drawn = False
    return first or last, last


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--capture", type=Path, default=CAPTURE)
    parser.add_argument("--draw", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.draw == "made-up":
        run_made_up()
    elif arguments.draw:
        run_capture(arguments.draw)
    else:
        print(f"{PDUS:,} PDUs made up")
        for columns, lines in SIZES:
            measure(columns, lines, [__file__, "--draw", "made-up"], arguments.pages)
        if arguments.capture.exists():
            print(f"{arguments.capture.name}, while it is read")
            for columns, lines in SIZES:
                measure(columns, lines, [__file__, "--draw", str(arguments.capture)], arguments.pages)


if __name__ == "__main__":
    main()
