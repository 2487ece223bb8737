"""What the panes that draw their own lines have in common: a number of lines, and room beside the scroll bar.

The scroll bar is always there, so that a change of the number of lines moves nothing: no other widget is laid out anew,
which would cost more than all the drawing.
"""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class Lines(ScrollView, can_focus=True):
    """A pane of lines."""

    _base = Style.null()
    _component: dict[str, Style]

    @property
    def room(self) -> int:
        """Cells of a line: the scroll bar takes one."""
        return max(0, self.size.width - 1)

    def set_lines(self, count: int) -> None:
        """Have so many lines, without laying out anything."""
        size = Size(1, count)
        if size != self.virtual_size:
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Look the styles up once for all lines."""
        self._base = self.rich_style
        self._component = {}
        return super().render_lines(crop)

    def style_of(self, name: str, *, partial: bool = False) -> Style:
        """Give the style of a component class; a partial one has no background."""
        key = f"{name} {partial}"
        if key not in self._component:
            self._component[key] = self.get_component_rich_style(name, partial=partial)
        return self._component[key]
