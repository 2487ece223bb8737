"""Running an Analysis over capture files: reading, progress, exit status."""

from __future__ import annotations

import contextlib
import enum
import gc
import itertools
import os
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import typer

from cmppscope.cli.options import Settings

if TYPE_CHECKING:
    from cmppscope.analysis import Analysis, Options
    from cmppscope.capture import Capture, Known
    from cmppscope.capture.follow import Follow
    from cmppscope.capture.live import LiveCapture
    from cmppscope.cli.elsewhere import Elsewhere
    from cmppscope.report import model
    from cmppscope.rules import Facts, Finding

FINDING, USAGE, UNREADABLE, DAMAGED = 1, 2, 3, 4
"""Exit statuses besides 0; the first of 2, 3, 4, 1 that holds is given."""

WRONG_CHECKSUMS = ("wrong IPv4 header checksum", "wrong TCP checksum")
"""Reasons of frames not decoded that are told at the end."""

_LARGE = 32 << 20
"""Octets of captures from which on a second core pays: two batches."""
_OBJECTS = 200_000
"""New objects after which Python looks for cycles, when much is read."""

_PATIENCE_SECONDS = 1.0
"""Work that takes longer shows its progress."""


class ReportFormat(enum.StrEnum):
    """How a report is written."""

    JSON = "json"
    TEXT = "text"


def analysis_options(
    settings: Settings, *, keep_findings: bool = False, references: bool = False, lists: Collection[str] = ()
) -> Options:
    """Give what the user set in the Analysis's own words; `lists` are the only ones wanted of it, if any."""
    from cmppscope.analysis import Depth, Options  # noqa: PLC0415 - start-up stays lean
    from cmppscope.redact import Redaction  # noqa: PLC0415
    from cmppscope.transactions import Timers  # noqa: PLC0415

    depths = {"pdu": Depth.PDUS, "transaction": Depth.TRANSACTIONS, "message": Depth.MESSAGES}
    return Options(
        decode_as=settings.decode_as,
        hide=Redaction(settings.redact).value,
        timers=Timers(int(settings.t_seconds * 1e9), settings.n),
        keep_findings=keep_findings,
        from_ns=settings.from_ns,
        to_ns=settings.to_ns,
        check_checksums=settings.check_checksums,
        secrets=settings.secrets,
        limits=settings.tables.as_limits(),
        severities=settings.tables.as_severities(),
        results=settings.tables.as_results(),
        references=references,
        depth=max((depths.get(each, Depth.ALL) for each in lists), default=Depth.ALL),
    )


class Run:
    """One pass over a capture."""

    def __init__(
        self,
        paths: list[str],
        settings: Settings,
        *,
        keep_findings: bool = False,
        references: bool = False,
        lists: Collection[str] = (),
        live: LiveCapture | None = None,
        follow: Follow | None = None,
    ) -> None:
        """Make the Analysis of some files, the last of which may grow, or of what comes `live`; nothing is read yet.

        Where only some `lists` are wanted, it goes no further than they ask.
        """
        from cmppscope.analysis import Analysis  # noqa: PLC0415 - start-up stays lean
        from cmppscope.capture import Capture  # noqa: PLC0415

        options = analysis_options(settings, keep_findings=keep_findings, references=references, lists=lists)
        self.analysis: Analysis = Analysis(options)
        self.capture: Capture | LiveCapture = Capture(paths, follow=follow) if live is None else live
        self.paths = paths

    def facts(self) -> Iterator[Facts]:
        """Read and analyse everything, a batch at a time; end the program, at once, when nothing can be read."""
        batches = self._batches()
        return itertools.chain([next(batches)], batches)

    def _batches(self) -> Iterator[Facts]:
        """Yield the facts of each batch, and those that only the end can tell."""
        from cmppscope.capture import CaptureError  # noqa: PLC0415

        with _progress(self.capture) as step:
            try:
                for facts in self.analysis.feed_all(self.capture, _elsewhere(self.capture)):
                    yield facts
                    step()
            except CaptureError as error:
                say(str(error))
                raise typer.Exit(UNREADABLE) from None
            except ChildProcessError as error:
                say(f"{error}: is there memory enough? Nothing is wrong with the capture")
                raise typer.Exit(UNREADABLE) from None
            except (OSError, MemoryError) as error:
                say(f"no room to go on: {error}")
                raise typer.Exit(UNREADABLE) from None
            yield from self.analysis.close()

    def read(self) -> None:
        """Analyse everything, keeping no rows."""
        for _ in self.facts():
            pass

    def report(self, format_: ReportFormat, made: model.Report | None = None) -> bytes:
        """Write the report of what was analysed, or one that was `made` of it."""
        from cmppscope.report.build import build  # noqa: PLC0415
        from cmppscope.report.model import encode  # noqa: PLC0415
        from cmppscope.report.safe import json_escaped  # noqa: PLC0415
        from cmppscope.report.text import text  # noqa: PLC0415

        if made is None:
            made = build(self.analysis, self.capture.files, getattr(self.capture, "notes", ()))
        return text(made).encode() if format_ is ReportFormat.TEXT else json_escaped(encode(made))

    def finish(self, fail_on: str | None = None, findings: Sequence[Finding] | None = None) -> None:
        """Say what the user should know, and end with the exit status that holds; `findings` are those that count."""
        damaged = [info for info in self.capture.files if info.damage]
        for info in damaged:
            say(f"{info.name}: {info.damage}")
        for reason in WRONG_CHECKSUMS:
            if count := self.analysis.counts.undecoded.get(reason):
                say(f"{count} segments with a {reason} not taken")
        if not self.analysis.statistics.pdus:
            say("no CMPP found" + self._instead())
        if damaged:
            raise typer.Exit(DAMAGED)
        if fail_on is not None:
            findings = self.analysis.findings if findings is None else findings
            worst = max((each.rule.severity for each in findings or ()), default=0)
            if worst >= {"warn": 2, "error": 3}[fail_on]:
                raise typer.Exit(FINDING)

    def _instead(self) -> str:
        """Say what was found where no CMPP was."""
        if not self.analysis.frames:
            return ": no frames"
        if not self.analysis.streams:
            reasons = "; ".join(f"{n} {reason}" for reason, n in sorted(self.analysis.counts.undecoded.items()))
            return f": {self.analysis.frames} frames, no TCP segment{f' ({reasons})' if reasons else ''}"
        kinds = sorted(set(self.analysis.protocols.values())) or ["no octets"]
        return f": {len(self.analysis.streams)} TCP connections ({', '.join(kinds)})"


def say(message: str) -> None:
    """Talk to the user, apart from results."""
    from cmppscope.report.safe import printable  # noqa: PLC0415

    sys.stderr.write(f"cmppscope: {printable(message)}\n")


@contextlib.contextmanager
def output(path: Path | None, captures: Sequence[str] = ()) -> Iterator[Results]:
    """Give what results are written to: a file that is none of the captures, or standard output."""
    named = path is not None and str(path) != "-"
    if path is not None and named and any(_same(path, Path(capture)) for capture in captures):
        raise typer.BadParameter(f"{path} is the capture itself", param_hint="--output")
    out = Results(path if named else None)
    try:
        yield out
        out.close()
    except BrokenPipeError:  # who reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None
    except OSError as error:
        raise typer.BadParameter(f"{path or 'standard output'}: {error.strerror}", param_hint="--output") from None
    finally:
        out.abandon()


def _same(one: Path, other: Path) -> bool:
    """Tell whether two paths are one file."""
    try:
        return one.samefile(other)
    except OSError:
        return False


class Results:
    """Where results go; a file is opened with its first octets, so that a capture that cannot be read costs no file."""

    def __init__(self, path: Path | None) -> None:
        """`path` is None for standard output."""
        self._path = path
        self._file: IO[bytes] | None = None

    def write(self, octets: bytes) -> None:
        """Write results."""
        self._open().write(octets)

    def writelines(self, lines: Iterable[bytes]) -> None:
        """Write results as they come."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Let who reads see what was written so far."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Leave everything written, a file even where there were no results."""
        file = self._open()
        file.flush()
        if self._path:
            file.close()

    def abandon(self) -> None:
        """Close the file, whatever happened; closing it twice does no harm."""
        if self._path and self._file:
            with contextlib.suppress(OSError):
                self._file.close()

    def _open(self) -> IO[bytes]:
        """Open the file when it is first needed."""
        if self._file is None:
            self._file = self._path.open("wb") if self._path else sys.stdout.buffer
        return self._file


def _elsewhere(capture: Capture | LiveCapture) -> Elsewhere[Known] | None:
    """Give a process for the front of the Analysis, where the capture is large enough to pay and a core is free."""
    from cmppscope.capture import Capture  # noqa: PLC0415 - start-up stays lean

    if not isinstance(capture, Capture) or (capture.octets_total or 0) < _LARGE or _cores() == 1:
        return None
    from cmppscope.cli.elsewhere import POSSIBLE, Elsewhere  # noqa: PLC0415

    gc.freeze()
    gc.set_threshold(_OBJECTS)  # batches hold many small objects for a short time, hardly any of them in cycles
    return Elsewhere(capture.news, capture.learn) if POSSIBLE else None


def _cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def _progress(capture: Capture | LiveCapture) -> Iterator[_Step]:
    """Show a bar on a terminal once the work has taken a while."""
    step = _Step(capture)
    try:
        yield step
    finally:
        step.stop()


class _Step:
    """Moves the progress bar; a bar exists only on a terminal, and only after a while."""

    def __init__(self, capture: Capture | LiveCapture) -> None:
        """Note when the work began."""
        self._capture = capture
        self._began = time.monotonic()
        self._bar: object = None

    def __call__(self) -> None:
        """Show how far the reading came."""
        if not sys.stderr.isatty() or time.monotonic() - self._began < _PATIENCE_SECONDS:
            return
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

        if self._bar is None:
            columns = ("reading", BarColumn(), DownloadColumn(), TimeRemainingColumn())
            bar = Progress(*columns, console=Console(stderr=True), transient=True)
            bar.start()
            self._task = bar.add_task("reading", total=self._capture.octets_total)
            self._bar = bar
        if isinstance(self._bar, Progress):
            self._bar.update(self._task, completed=self._capture.octets_read)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()  # type: ignore[attr-defined]
