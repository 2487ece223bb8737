"""The screens: `tui`, which is also what a capture without a command opens on a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmppscope.cli.options import Settings, takes_settings
from cmppscope.cli.run import DAMAGED, UNREADABLE, analysis_options, say

if TYPE_CHECKING:
    from cmppscope.tui.loading import Source


def on_terminal() -> bool:
    """Tell whether there is a person at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()  # Textual draws on stderr


@takes_settings
def tui(
    chosen: Settings,
    captures: Annotated[list[str], typer.Argument(metavar="CAPTURE...", help="Capture files or folders, read as one.")],
) -> None:
    """Look at a capture on the screen: sessions, PDUs, transactions, findings, messages."""
    from cmppscope.capture import Capture, CaptureError  # noqa: PLC0415 - start-up stays lean

    if not on_terminal():
        raise typer.BadParameter("the screens need a terminal; `report --format text` does not", param_hint="tui")
    capture = Capture(captures)
    try:
        next(iter(capture), None)  # nothing to show is said before the screen changes
    except CaptureError as error:
        say(str(error))
        raise typer.Exit(UNREADABLE) from None
    name = Path(captures[0]).name if len(captures) == 1 else f"{len(captures)} captures"
    watch(capture, chosen, name)
    for info in capture.files:
        if info.damage:
            say(f"{info.name}: {info.damage}")
    if any(info.damage for info in capture.files):
        raise typer.Exit(DAMAGED)


def watch(source: Source, chosen: Settings, name: str, *, live: bool = False) -> None:
    """Show what a source of frames tells, until the user leaves."""
    from cmppscope.tui.app import CmppscopeApp  # noqa: PLC0415 - Textual is loaded for the screens only

    options = analysis_options(chosen, keep_findings=True)
    CmppscopeApp(source, options, redact=chosen.redact, zone=chosen.zone, name=name, live=live).run()
