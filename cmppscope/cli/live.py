"""Watching an interface: `live`, and `interfaces` to know which there are.

`live` is the pipeline of the other commands on a capture that grows. It ends after `--duration`, or on SIGINT or
SIGTERM, and then reports on all it saw; a second signal ends it at once. What the kernel dropped is damage of the
capture, as in a file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from cmppscope.cli.options import Settings, takes_settings
from cmppscope.cli.run import UNREADABLE, ReportFormat, Run, output, say
from cmppscope.cli.screens import on_terminal, watch

if TYPE_CHECKING:
    from cmppscope.capture.live import LiveCapture

STATUS_SECONDS = 0.25
"""The status line is written at most so often."""


@takes_settings
def live(
    chosen: Settings,
    interface: Annotated[
        str, typer.Option("--interface", "-i", metavar="IFACE", help="Where to listen; `interfaces` lists them.")
    ],
    bpf: Annotated[
        str | None, typer.Option("--bpf", metavar="EXPR", help="Take only these frames: `tcp port 7890`.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="S", help="End after so many seconds.  [default: Ctrl-C]")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write the report there; - is stdout.")
    ] = None,
    format_: Annotated[
        ReportFormat | None,
        typer.Option("--format", help="How to write the report.  [default: json; text without FILE]"),
    ] = None,
) -> None:
    """Analyse the traffic of an interface as it comes."""
    from cmppscope.capture.live import LiveCapture  # noqa: PLC0415 - start-up stays lean

    if duration is not None and not duration > 0:
        raise typer.BadParameter(f"{duration:g} is no duration", param_hint="--duration")
    if report is not None:
        _check_writable(report)
    capture = LiveCapture(interface, bpf, duration)
    with ending_on_signals(capture):
        _open(capture)
        if report is None and format_ is None and on_terminal():
            watch(capture, chosen, capture.interface, live=True)
            capture.stop()
            return
        run = Run([], chosen, live=capture)
        _analyse(run, capture)
    _write(run, report, format_ or (ReportFormat.TEXT if report is None else ReportFormat.JSON))
    run.finish()


def interfaces() -> None:
    """List the interfaces of this machine."""
    from cmppscope.capture import CaptureError  # noqa: PLC0415
    from cmppscope.capture.interfaces import interfaces as find  # noqa: PLC0415
    from cmppscope.report.tables import table  # noqa: PLC0415

    try:
        found = find()
    except CaptureError as error:
        say(str(error))
        raise typer.Exit(UNREADABLE) from None
    rows = [{"name": i.name, "link": i.link, "state": i.state, "addresses": " ".join(i.addresses)} for i in found]
    with output(None) as file:
        file.writelines(line.encode() for line in table(rows, ("name", "link", "state", "addresses")))


def _open(capture: LiveCapture) -> None:
    """Begin to listen, or end the program with the reason why not."""
    from cmppscope.capture import CaptureError  # noqa: PLC0415
    from cmppscope.capture.listen import FilterError  # noqa: PLC0415

    try:
        capture.open()
    except FilterError as error:
        raise typer.BadParameter(str(error), param_hint="--bpf") from None
    except CaptureError as error:
        say(str(error))
        raise typer.Exit(UNREADABLE) from None


def _analyse(run: Run, capture: LiveCapture) -> None:
    """Take all frames until the end."""
    till = "Ctrl-C" if capture.duration_s is None else f"{capture.duration_s:g} s have passed or Ctrl-C"
    say(f"listening on {capture.interface} until {till}")
    with _status(run, capture) as show:
        for frames in capture:
            if len(frames):
                run.analysis.feed(frames)
            show()
    run.analysis.close()
    say(_so_far(run, capture))


def _write(run: Run, path: Path | None, format_: ReportFormat) -> None:
    """Write the report."""
    written = run.report(format_)
    try:
        with output(path) as file:
            file.write(written)
    except typer.BadParameter as error:
        raise typer.BadParameter(error.message, param_hint="--report") from None


def _check_writable(path: Path) -> None:
    """Refuse, before anything is captured, a file that could not be written afterwards."""
    if str(path) == "-":
        return
    target = path if path.exists() else path.parent
    if path.is_dir() or not target.exists() or not os.access(target, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written", param_hint="--report")


class Stoppable(Protocol):
    """A capture without an end of its own."""

    def stop(self) -> None:
        """End it."""


@contextlib.contextmanager
def ending_on_signals(capture: Stoppable) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM end the capture, and the next one the program."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def end(_number: int, _frame: FrameType | None) -> None:
        capture.stop()
        restore()

    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        restore()


def _so_far(run: Run, capture: LiveCapture) -> str:
    """Say in one line what was seen."""
    from cmppscope.quantities import plural  # noqa: PLC0415

    counts = (
        plural(capture.frames, "frame"),
        plural(run.analysis.statistics.pdus, "PDU"),
        plural(len(run.analysis.sessions), "session"),
        f"{capture.drops:,} dropped",
    )
    return ", ".join(counts)


@contextlib.contextmanager
def _status(run: Run, capture: LiveCapture) -> Iterator[_Status]:
    """Keep a status line on a terminal, and take it away."""
    status = _Status(run, capture)
    try:
        yield status
    finally:
        status.clear()


class _Status:
    """One line on stderr that is written over again; nothing where stderr is no terminal."""

    def __init__(self, run: Run, capture: LiveCapture) -> None:
        """Note when it began."""
        self._run = run
        self._capture = capture
        self._shown = sys.stderr.isatty()
        self._began = time.monotonic()
        self._next = self._began

    def __call__(self) -> None:
        """Write what was seen so far, unless that was done just now."""
        now = time.monotonic()
        if not self._shown or now < self._next:
            return
        self._next = now + STATUS_SECONDS
        minutes, seconds = divmod(int(now - self._began), 60)
        line = f"{minutes}:{seconds:02}  {_so_far(self._run, self._capture)}"
        sys.stderr.write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
