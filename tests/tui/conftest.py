"""Applications on samples, driven by keys, and lists that count what they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from cmppscope.capture import Capture
from cmppscope.tables import I64
from cmppscope.tui.app import CmppscopeApp
from cmppscope.tui.rows import Column, Finder, Line, shown_finder
from cmppscope.tui.widgets.table import VirtualTable

SAMPLES = Path(__file__).parents[2] / "samples"

Steps = Callable[[Pilot[None]], Awaitable[None]]


def sample_app(name: str, **options: Any) -> CmppscopeApp:
    """Make the application for a sample."""
    return CmppscopeApp(Capture([SAMPLES / name]), name=name, **options)


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until everything is read, arranged and drawn."""
    app = pilot.app
    if isinstance(app, CmppscopeApp):
        while not app.done:
            await pilot.pause(0.02)
        await pilot.pause(0.2)  # what was typed is searched for, and what was chosen is shown, a moment later
    await app.workers.wait_for_complete()
    await pilot.pause()


class CountedRows:
    """Numbered rows that remember which of them were asked for."""

    target = ""
    columns = (Column("No.", 8, right=True), Column("Text", 20), Column("Half", 8, right=True))

    def __init__(self, count: int, text: Callable[[int], str] = lambda row: f"row {row}") -> None:
        """Have `count` rows with these texts."""
        self.count = count
        self.text = text
        self.asked: list[int] = []

    def __len__(self) -> int:
        """Count the rows."""
        return self.count

    @property
    def settled(self) -> int:
        """All rows stay as they are."""
        return self.count

    def page(self, rows: I64) -> list[Line]:
        """Give some rows."""
        self.asked += rows.tolist()
        return [Line((str(row), self.text(row), str(row // 2))) for row in rows.tolist()]

    def key(self, column: int, count: int) -> NDArray[Any]:
        """Put rows in order of their numbers, or of half of them."""
        return np.arange(count) if column != 2 else np.arange(count) // 2

    def attribute(self, name: str, rows: I64) -> I64:
        """Every tenth row is marked."""
        assert name == "marked"
        marked: I64 = (rows % 10 == 0).astype(np.int64)
        return marked

    def finder(self, needle: str) -> Finder:
        """Look at what is shown."""
        return shown_finder(self, needle)


class TableApp(App[None]):
    """One list."""

    def __init__(self, rows: CountedRows) -> None:
        """Show rows."""
        super().__init__()
        self.table = VirtualTable(rows, fixed=1)

    def compose(self) -> ComposeResult:
        """Lay the list out."""
        yield self.table

    def lines(self) -> list[str]:
        """Give what is on the screen."""
        height = self.table.size.height
        return [strip.text.rstrip() for strip in self.table.render_lines(self.table.size.region)][:height]


@pytest.fixture
def drive() -> Callable[..., None]:
    """Run an application without a terminal and do something with it."""

    def run(app: App[None], steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
        async def go() -> None:
            async with app.run_test(size=size) as pilot:
                await settled(pilot)
                await steps(pilot)

        asyncio.run(go())

    return run


def keys(*names: str) -> Steps:
    """Press keys, and wait until what they do is drawn."""

    async def press(pilot: Pilot[None]) -> None:
        await settled(pilot)
        for name in names:
            await pilot.press(name)
        await settled(pilot)

    return press


def screen_text(app: App[None]) -> str:
    """Give everything that is on the screen, as text."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips[:height])[: (width + 1) * height]


def cells_of(rows: Any, which: Sequence[int]) -> list[tuple[str, ...]]:
    """Give the cells of some rows."""
    return [line.cells for line in rows.page(np.array(which, np.int64))]
