"""The line in which the user types: what rows must show, or where to go."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Input, Label

from cmppscope.tui.messages import FilterChanged, FilterDone, GoTo, InputLeft

_PAUSE_SECONDS = 0.15
"""Time without a key after which what was typed is searched for."""

FILTER, GO_TO = "/", ":"


class FilterLine(Horizontal):
    """A prompt, a text, and what came of it."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        """Begin out of sight."""
        super().__init__(id=id)
        self.kind = FILTER
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Label(FILTER, id="prompt", markup=False)
        yield Input(id="typed", compact=True, select_on_focus=False)
        yield Label("", id="hits", markup=False)

    @property
    def typed(self) -> Input:
        """Where the user types."""
        return self.query_one("#typed", Input)

    def open(self, kind: str, text: str = "") -> None:
        """Let the user type."""
        self.kind = kind
        self.display = True
        self.query_one("#prompt", Label).update(kind)
        self.typed.placeholder = "text that rows show" if kind == FILTER else "frame N, or p N for PDU N"
        self.set_quietly(text)
        self.typed.cursor_position = len(text)
        self.typed.focus()

    def set_quietly(self, text: str) -> None:
        """Put a text there without a search for it."""
        with self.prevent(Input.Changed):
            self.typed.value = text

    def say(self, words: str) -> None:
        """Say what came of it."""
        self.query_one("#hits", Label).update(words)

    def close(self) -> None:
        """Go out of sight."""
        self.display = False
        self.say("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        """Search a moment after the last key."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        if self.kind == FILTER:
            self._timer = self.set_timer(_PAUSE_SECONDS, self._search)

    def _search(self) -> None:
        """Search for what was typed."""
        self.post_message(FilterChanged(self.typed.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Go on in the list, or where the user wants to go."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        if self.kind == FILTER:
            self._search()
            self.post_message(FilterDone())
        else:
            self.post_message(GoTo(self.typed.value))

    def on_key(self, event: events.Key) -> None:
        """Leave with Esc."""
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            if self._timer is not None:
                self._timer.stop()
            self.post_message(InputLeft())
