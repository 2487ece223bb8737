"""The line that says how the reading goes, and the line above everything that names the screens."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from cmppscope.report.safe import printable
from cmppscope.tui.cells import fit

_BAR = 20
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, cells: int = _BAR) -> str:
    """Draw a bar of so many cells."""
    eighths = round(max(0.0, min(share, 1.0)) * cells * 8)
    full, rest = divmod(eighths, 8)
    return (_EIGHTHS[8] * full + (_EIGHTHS[rest] if rest else "")).ljust(cells)


class Status(Widget):
    """One line: a bar while the reading goes on, and words."""

    share: reactive[float | None] = reactive(None)
    """How much was read, None where nothing is read or nobody knows."""
    words: reactive[str] = reactive("")
    tone: reactive[str] = reactive("")
    right: reactive[str] = reactive("")
    """What stands at the right."""

    def render(self) -> Text:
        """Draw the line."""
        width = self.size.width
        text = Text(no_wrap=True)
        if self.share is not None:
            style = self.app.theme_variables.get("primary", "")
            text.append(bar(self.share), style=f"{style} on {self.app.theme_variables.get('surface-lighten-2', '')}")
            text.append(f" {self.share:4.0%}  ")
        words = printable(self.words)
        tone = {"error": "text-error", "warning": "text-warning"}.get(self.tone, "")
        right = f" {self.right}" if self.right else ""
        text.append(fit(words, max(0, width - text.cell_len - len(right))), style=_colour(self, tone))
        text.append(right)
        return text


def _colour(widget: Widget, name: str) -> str:
    """Give a colour of the theme that Rich knows."""
    value = widget.app.theme_variables.get(name, "") if name else ""
    return value if value.startswith("#") else ""


class Tabs(Widget):
    """The screens with their keys and counts, and what is read."""

    counts: reactive[tuple[tuple[str, str, int], ...]] = reactive(())
    """Name, title and count of each screen."""
    current: reactive[str] = reactive("")
    about: reactive[str] = reactive("")
    """What stands at the right: the capture, and whether numbers are masked."""

    def render(self) -> Text:
        """Draw the line."""
        text = Text(no_wrap=True)
        for number, (name, title, count) in enumerate(self.counts, 1):
            style = "bold reverse" if name == self.current else ""
            text.append(f" {number} {title} {count:,} ", style=style)
        about = printable(self.about)
        room = self.size.width - text.cell_len - 1
        if room > 8:
            text.append(fit(about, room, right=True), style="dim")
        return text

    def on_click(self, event: object) -> None:
        """Show the screen whose title was hit."""
        x = getattr(event, "x", 0)
        for number, (name, title, count) in enumerate(self.counts, 1):
            x -= len(f" {number} {title} {count:,} ")
            if x < 0:
                self.app.call_later(self.app.run_action, f"show('{name}')")
                return
