"""`--follow`: lists whose rows are written as they become known, from captures that are still being written.

PDUs, transactions and places of findings are known while frames come. What becomes of a message or a session may be
told at any later time: these lists, and reports, are written when following ends, as `live` does it.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cmppscope.cli.live import ending_on_signals
from cmppscope.cli.run import Results, output

if TYPE_CHECKING:
    from cmppscope.capture.follow import Follow
    from cmppscope.tables import Row

Following = Annotated[
    bool,
    typer.Option("--follow", "-f", help="Wait for more of the last file, or of a folder's next ones, until Ctrl-C."),
]
Duration = Annotated[
    float | None, typer.Option("--duration", metavar="S", help="With --follow: end after so many seconds.")
]

_Batch = TypeVar("_Batch")


def following(*, follow: bool, duration: float | None) -> Follow | None:
    """Say how long to wait for a capture that grows, if at all."""
    from cmppscope.capture.follow import Follow  # noqa: PLC0415 - start-up stays lean

    if duration is not None and not (follow and duration > 0):
        problem = f"{duration:g} is no duration" if follow else "only with --follow"
        raise typer.BadParameter(problem, param_hint="--duration")
    return Follow(duration) if follow else None


def until_signal(follow: Follow | None) -> AbstractContextManager[None]:
    """Let the first SIGINT or SIGTERM end the following, where there is any."""
    return contextlib.nullcontext() if follow is None else ending_on_signals(follow)


def begun(batches: Iterator[_Batch], file: Results | None) -> Iterator[_Batch]:
    """Read the first batch now: where nothing can be read nothing is written. A `file` is flushed batch by batch."""
    every = itertools.chain(list(itertools.islice(batches, 1)), batches)
    return _flushing(every, file) if file else every


def write_growing(
    batches: Iterator[Iterable[Row]], format_: str, out: Path | None, paths: list[str], columns: tuple[str, ...]
) -> None:
    """Write rows batch by batch; those of the first batch that has any decide how wide the columns of a table are."""
    from cmppscope.report.tables import lines_of  # noqa: PLC0415

    with output(out, paths) as file:
        every = begun(map(list, batches), file)
        first = next(filter(None, every), [])
        rows = itertools.chain(first, itertools.chain.from_iterable(every))
        file.writelines(lines_of(rows, format_, columns, ahead=len(first)))


def _flushing(batches: Iterator[_Batch], file: Results) -> Iterator[_Batch]:
    """Let who reads see the rows of every batch before the next one is waited for."""
    for batch in batches:
        yield batch
        file.flush()
