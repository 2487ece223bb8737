"""A list, and below it what there is to say about the row under its cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from textual import on
from textual.app import ComposeResult

from cmppscope.tui.rows import Rows
from cmppscope.tui.screens import Pane
from cmppscope.tui.store import Store
from cmppscope.tui.widgets.table import VirtualTable
from cmppscope.tui.widgets.words import Sentence, Words


class StoredRows(Rows, Protocol):
    """Rows that are drawn from a store."""

    store: Store


class ToldPane(Pane):
    """A list above, words below."""

    def __init__(self, rows: StoredRows, noun: str, sentences: Callable[[int], Sequence[Sentence]]) -> None:
        """Draw from rows; `noun` is one of them, `sentences` says what there is to say about a row that is there."""
        super().__init__(id=f"{noun}s")
        self._sentences = sentences
        self.store = rows.store
        self.table = VirtualTable(rows, fixed=2, id=f"{noun}-list")
        self.words = Words(id=f"{noun}-words")

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield self.table
        yield self.words

    def take(self) -> None:
        """Draw what came into the store."""
        super().take()
        self._tell(self.table.row)

    @on(VirtualTable.Moved)
    def _moved(self, message: VirtualTable.Moved) -> None:
        """Tell of the row under the cursor."""
        message.stop()
        self._tell(message.row)

    def _tell(self, row: int | None) -> None:
        """Tell of a row."""
        self.words.show([] if row is None or row >= len(self.table.rows) else self._sentences(row))
