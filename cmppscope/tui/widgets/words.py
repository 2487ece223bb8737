"""A pane of sentences, broken at its width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual.strip import Strip

from cmppscope.report.safe import printable
from cmppscope.tui.cells import fit, wrap
from cmppscope.tui.widgets.lines import Lines

_LABEL = 12


class Sentence(NamedTuple):
    """A label and what is to be said about it."""

    label: str
    words: str
    tone: str = ""


class Words(Lines, can_focus=True):
    """Labels at the left, words at the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "words--label",
        "words--error",
        "words--warn",
        "words--note",
        "words--good",
    }

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        """Begin without words."""
        super().__init__(id=id)
        self._sentences: Sequence[Sentence] = ()
        self._lines: list[Sentence] = []

    def show(self, sentences: Sequence[Sentence]) -> None:
        """Say something else."""
        if list(sentences) != list(self._sentences):
            self._sentences = sentences
            self.on_resize()

    @property
    def text(self) -> str:
        """What is said, for tests and the clipboard."""
        return "\n".join(f"{sentence.label} {sentence.words}".strip() for sentence in self._sentences)

    def on_resize(self) -> None:
        """Break the sentences anew."""
        room = max(10, self.room - _LABEL - 2)
        self._lines = [
            Sentence(sentence.label if not number else "", line, sentence.tone)
            for sentence in self._sentences
            for number, line in enumerate(wrap(printable(sentence.words), room))
        ]
        self.set_lines(len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        number, width = self.scroll_offset.y + y, self.room
        if number >= len(self._lines):
            return Strip.blank(width, self._base)
        line = self._lines[number]
        style = self._base
        if line.tone:
            style += self.style_of(f"words--{line.tone}", partial=True)
        label = Segment(fit(printable(line.label), _LABEL) + "  ", self.style_of("words--label"))
        return Strip([label, Segment(line.words, style)]).adjust_cell_length(width, self._base)
