"""The screens behind the number keys, one a file. Each has a list, and panes that tell of the row under its cursor."""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Container

from cmppscope.tui.store import Store
from cmppscope.tui.view import View, changed
from cmppscope.tui.widgets.table import VirtualTable


class Pane(Container):
    """A screen with a list."""

    title: ClassVar[str] = ""
    table: VirtualTable
    store: Store

    @property
    def total(self) -> int:
        """What the line above counts."""
        return len(self.table.rows)

    @property
    def filtered(self) -> VirtualTable:
        """The list that the filter is for."""
        return self.table

    def take(self) -> None:
        """Draw what came into the store."""
        self.table.refresh_rows()

    def set_filter(self, text: str) -> None:
        """Show the rows that pass a filter or hold a text."""
        table = self.filtered
        table.want(changed(View(table.wish), needle=text.strip()))

    def hits(self) -> str:
        """Say how many rows are shown, and how far the search has come."""
        table = self.filtered
        if table.wish.plain:
            return ""
        shown, of = table.count, len(table.rows)
        view = table.view
        if view.wish != table.wish or view.running is not None:
            done = view.running if view.wish == table.wish and view.running is not None else 0.0
            count = f"{shown:,} so far, " if view.wish == table.wish else ""
            return f"{count}searching {done:.0%} "
        return f"{shown:,} of {of:,} " if shown else f"none of {of:,} "

    def back(self) -> bool:
        """Leave the innermost thing that can be left; False when there is none."""
        if self.table.wish.needle:
            self.set_filter("")
            return True
        if not self.table.has_focus and self.screen.focused is not None:
            self.table.focus()
            return True
        return False
