"""Which rows a list shows, and in which order: all of them, those that were found, those in order of a column.

Arranging may take long, so it is a generator that a thread can run: it yields what it has as it goes on. What was found
among rows that change no more is kept when rows are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from cmppscope.tables import I64
from cmppscope.tui.rows import CHUNK, Finder, Rows

_NONE: I64 = np.zeros(0, np.int64)
SLICES = 16
"""Chunks of rows after which partial results are given."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants to see."""

    needle: str = ""
    """A filter that rows must pass, or words that they must hold."""
    scope: tuple[str, int] | None = None
    """A column by name and the value that rows must have there; the rows know how."""
    column: int | None = None
    """The column that gives the order."""
    descending: bool = False
    first: tuple[str, int] | None = None
    """Rows of a kind to put on top, as `scope`."""

    @property
    def plain(self) -> bool:
        """Whether this is all rows as they came."""
        return not self.needle and self.scope is None and self.column is None and self.first is None


@dataclass(frozen=True, slots=True)
class View:
    """Rows in order."""

    wish: Wish = field(default_factory=Wish)
    order: I64 | None = None
    """Row numbers; None shows all rows as they came."""
    found: I64 | None = None
    """Row numbers that match, ascending; None where all do."""
    seen: int = 0
    """Rows that were looked at and change no more."""
    running: float | None = None
    """How far the search has come, 0 to 1; None when it is done."""

    def count(self, rows: Rows) -> int:
        """Count what is shown."""
        return len(rows) if self.order is None else len(self.order)

    def row(self, place: int) -> int:
        """Give the row that stands in a place."""
        return place if self.order is None else int(self.order[place])

    def rows(self, start: int, stop: int) -> I64:
        """Give the rows that stand in some places."""
        return np.arange(start, stop) if self.order is None else self.order[start:stop]

    def place(self, row: int) -> int | None:
        """Tell where a row stands, None where it is not shown."""
        if self.order is None:
            return row
        places = np.flatnonzero(self.order == row)
        return int(places[0]) if len(places) else None


def arrange(rows: Rows, wish: Wish, before: View | None = None, finder: Finder | None = None) -> Iterator[View]:
    """Find the rows that are wanted and put them in order; the last view is the whole.

    `before` is the view from which to go on when rows were added; `finder` is that of the wish's text.
    """
    count, settled = len(rows), rows.settled
    if wish.plain:
        yield View(wish)
        return
    found: I64 | None = None
    if wish.needle or wish.scope is not None:
        if wish.needle and finder is None:
            finder = rows.finder(wish.needle)
        if finder is not None and not finder.settles:
            settled = 0
        same = before is not None and (before.wish.needle, before.wish.scope) == (wish.needle, wish.scope)
        kept, start = (before.found, before.seen) if same and before is not None else (None, 0)
        parts = [kept[: np.searchsorted(kept, start)]] if kept is not None else []
        chunk = CHUNK if finder is None else finder.chunk
        last = start
        for at in range(start, count, chunk):
            end = min(at + chunk, count)
            parts.append(_found(rows, wish, finder, np.arange(at, end)))
            if end - last > SLICES * CHUNK and wish.column is None and wish.first is None:
                last = end
                so_far = np.concatenate(parts)
                yield View(wish, so_far, so_far, min(end, settled), (end - start) / (count - start))
        found = np.concatenate([_NONE, *parts])
    order = found
    if wish.column is not None or wish.first is not None:
        order = _ordered(rows, wish, np.arange(count) if found is None else found, count)
    yield View(wish, order, found, settled)


def _found(rows: Rows, wish: Wish, finder: Finder | None, which: I64) -> I64:
    """Give those of some rows that are wanted."""
    if wish.scope is not None:
        which = which[rows.attribute(wish.scope[0], which) == wish.scope[1]]
    return which if finder is None else which[finder.test(which)]


def _ordered(rows: Rows, wish: Wish, which: I64, count: int) -> I64:
    """Put rows in order; equal ones stay as they came."""
    if wish.column is not None:
        key = rows.key(wish.column, count)[which]
        order = np.argsort(key, kind="stable")
        if wish.descending:  # from the end, and equal ones still as they came
            order = (len(key) - 1 - np.argsort(key[::-1], kind="stable"))[::-1]
        which = which[order]
    if wish.first is not None:
        name, value = wish.first
        on_top = rows.attribute(name, which) == value
        which = np.concatenate([which[on_top], which[~on_top]])
    return which


def changed(view: View, **wanted: object) -> Wish:
    """Give a view's wish with something else in it."""
    return replace(view.wish, **wanted)  # type: ignore[arg-type]
