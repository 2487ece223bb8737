"""The octets of a PDU, those of the field under the cursor lit."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from cmppscope.report.show import hex_dump
from cmppscope.tui.widgets.lines import Lines

_A_LINE = 16
_HEX, _TEXT = 6, 56
"""Cells at which the hexadecimal numbers and the characters of a line begin."""


class Octets(Lines, can_focus=True):
    """A hex dump."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"octets--lit", "octets--offset"}

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        """Begin without octets."""
        super().__init__(id=id)
        self._lines: list[str] = []
        self._lit = range(0)

    def show(self, octets: bytes, hidden: frozenset[int]) -> None:
        """Show other octets; hidden ones are stars."""
        self._lines = hex_dump(octets, hidden)
        self._lit = range(0)
        self.set_lines(len(self._lines))
        self.scroll_to(0, 0, animate=False)
        self.refresh()

    def light(self, extent: range) -> None:
        """Light some octets, and bring the first of them onto the screen."""
        self._lit = extent
        line, height = extent.start // _A_LINE, max(1, self.size.height)
        top = self.scroll_offset.y
        last = min((extent.stop - 1) // _A_LINE, line + height - 1)
        if extent and not top <= line <= last < top + height:
            self.scroll_to(y=max(0, min(line, last - height + 1)), animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        number = self.scroll_offset.y + y
        width = self.room
        if number >= len(self._lines):
            return Strip.blank(width, self._base)
        text = self._lines[number]
        base, lit = self._base, self.style_of("octets--lit")
        start = max(self._lit.start - number * _A_LINE, 0)
        stop = min(self._lit.stop - number * _A_LINE, _A_LINE)
        segments = [Segment(text[:_HEX], self.style_of("octets--offset"))]
        at = _HEX
        if start < stop:
            for begin, end in ((_cell(start), _cell(stop - 1) + 2), (_TEXT + start, _TEXT + stop)):
                segments += [Segment(text[at:begin], base), Segment(text[begin:end], lit)]
                at = end
        segments.append(Segment(text[at:], base))
        return Strip(segments).adjust_cell_length(width, base)


def _cell(octet: int) -> int:
    """Give the cell of a line at which an octet's number stands."""
    return _HEX + 3 * octet + (octet >= _A_LINE // 2)
