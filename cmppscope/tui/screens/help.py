"""Help: the keys that work where the cursor is."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from cmppscope.tui.actions import keys_written, of
from cmppscope.tui.cells import wrap

_WORDS = 52
"""Cells of a line of words."""


class Help(ModalScreen[None]):
    """A window with keys."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,f1,enter", "dismiss", "Close")]

    def __init__(self, title: str, owners: tuple[str, ...]) -> None:
        """`owners` are the names in the table of actions whose keys work."""
        super().__init__()
        self._title = title
        self._owners = owners

    def compose(self) -> ComposeResult:
        """Lay the window out."""
        with VerticalScroll(id="help"):
            yield Static(self._text())

    def _text(self) -> Text:
        """Write the table."""
        text = Text(f"{self._title}\n", style="bold")
        for owner in self._owners:
            text.append("\n")
            for action in of(owner):
                text.append(f"{keys_written(action):>13}  ", style="bold")
                first, *more = wrap(action.help, _WORDS)
                text.append(f"{first}\n", style="not bold")
                for line in more:
                    text.append(f"{'':15}{line}\n", style="not bold")
        text.append("\n Esc closes this window.", style="dim not bold")
        return text
