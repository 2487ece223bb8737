"""The line in which the user types: what rows must show, or where to go."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Label

from cmppscope.filters.errors import FilterError
from cmppscope.report.carets import pointed
from cmppscope.report.safe import printable, width
from cmppscope.tui.messages import FilterChanged, GoTo, InputLeft

_PAUSE_SECONDS = 0.15
"""Time without a key after which what was typed is searched for."""

FILTER, GO_TO = "/", ":"


class FilterLine(Vertical):
    """A prompt, a text, and what came of it; under it what is wrong with a filter."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        """Begin out of sight."""
        super().__init__(id=id)
        self.kind = FILTER
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        with Horizontal(id="line"):
            yield Label(FILTER, id="prompt", markup=False)
            yield Input(id="typed", compact=True, select_on_focus=False)
            yield Label("", id="hits", markup=False)
        mistake = Label("", id="mistake", markup=False)
        mistake.display = False
        yield mistake

    @property
    def typed(self) -> Input:
        """Where the user types."""
        return self.query_one("#typed", Input)

    def open(self, kind: str, text: str = "") -> None:
        """Let the user type."""
        self.kind = kind
        self.display = True
        self.query_one("#prompt", Label).update(kind)
        self.typed.placeholder = (
            "words, or a filter: submit and result != 0" if kind == FILTER else "frame N, or p N for PDU N"
        )
        self.set_quietly(text)
        self.typed.cursor_position = len(text)
        self.screen.set_focus(self.typed)  # now: what is typed next is for it

    def set_quietly(self, text: str) -> None:
        """Put a text there without a search for it."""
        with self.prevent(Input.Changed):
            self.typed.value = text

    def say(self, words: str) -> None:
        """Say what came of it."""
        self.query_one("#hits", Label).update(words)

    def show_mistake(self, mistake: FilterError | None) -> None:
        """Show what is wrong with the filter, with carets under the place."""
        label = self.query_one("#mistake", Label)
        label.display = mistake is not None
        if mistake is not None:
            _, carets, reason = pointed(mistake)
            before = width(printable(mistake.text[: mistake.start])) - self.typed.scroll_offset.x
            line = " " * max(0, before) + carets.strip()
            label.update(f"{line[: max(1, self.typed.size.width)]}\n{reason}")

    def close(self) -> None:
        """Go out of sight."""
        self.display = False
        self.say("")
        self.show_mistake(None)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        """Search a moment after the last key."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        if self.kind == FILTER:
            self._timer = self.set_timer(_PAUSE_SECONDS, self._search)

    def _search(self, *, done: bool = False) -> None:
        """Search for what was typed; when it is `done` the user goes on in the list."""
        self.post_message(FilterChanged(self.typed.value, done))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Go on in the list, or where the user wants to go."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        if self.kind == FILTER:
            self._search(done=True)
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
