"""The one list of the application: draws the rows on the screen and asks for no others.

Theory of operation. The list has a view (which rows, in which order) and a cursor (a place in the view). A line of the
screen is made from the cells of one row: the first columns stay while the others move under the keys left and right;
the last column takes what is left and is cut at the edge. Short lists are arranged at once, long ones in a thread, and
what was there stays until the new view comes. Rows that were added to an arranged list are looked at when no thread
runs.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.worker import get_current_worker

from cmppscope.report.safe import width as width_of
from cmppscope.tui.actions import bindings
from cmppscope.tui.cells import CUT, fit
from cmppscope.tui.rows import Column, Finder, Line, Rows
from cmppscope.tui.view import View, Wish, arrange, changed
from cmppscope.tui.widgets.lines import Lines

AT_ONCE = 2_000
"""Rows that are arranged without a thread."""
_SIDEWAYS = 8
"""Cells that left and right move."""
_KEPT_PAGES = 8


class VirtualTable(Lines, can_focus=True, inherit_bindings=False):
    """A list of rows."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--cursor-away",
        "table--error",
        "table--warn",
        "table--note",
        "table--good",
        "table--refused",
        "table--quiet",
    }

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, table: VirtualTable, row: int | None) -> None:
            """`row` is None in an empty list."""
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> VirtualTable:
            """The list."""
            return self.table

    class Opened(Moved):
        """The user wants to go into a row."""

    class Rearranged(Message):
        """Other rows are shown, or in another order."""

        def __init__(self, table: VirtualTable) -> None:
            """`table` is the list."""
            super().__init__()
            self.table = table

    class _Came(Message):
        """A thread has a view, perhaps not the last one."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view

    def __init__(self, rows: Rows, *, fixed: int = 2, header: bool = True, id: str | None = None) -> None:  # noqa: A002
        """`fixed` columns stay when the others move."""
        super().__init__(id=id)
        self.rows = rows
        self.view = View()
        self.wish = Wish()
        self.cursor = 0
        self.following = False
        """The cursor stays on the last row when rows are added."""
        self.last_found: np.ndarray | None = None
        """Rows that the last filter found, ascending."""
        self._fixed = fixed
        self._header = int(header)
        self._sideways = 0
        self._widest = 0
        self._cache: dict[int, Line] = {}
        self._columns: list[tuple[int, Column, int]] = []
        self._told: int | None = None
        self._touched = False
        """The user moved the cursor: until then it stays on top."""
        self._working = False
        self._stale = False

    # ------------------------------------------------------------------------------ what is shown

    @property
    def count(self) -> int:
        """Count the rows that are shown."""
        return self.view.count(self.rows)

    @property
    def row(self) -> int | None:
        """The row under the cursor."""
        return self.view.row(self.cursor) if self.cursor < self.count else None

    @property
    def page_size(self) -> int:
        """Rows that fit on the screen."""
        return max(1, self.size.height - self._header)

    def refresh_rows(self) -> None:
        """Take notice that rows were added or changed."""
        self._cache.clear()
        if not self.wish.plain:
            self._arrange()
        self._settle(keep=None if self.view.order is None else self.row)

    def want(self, wish: Wish) -> None:
        """Show other rows, or in another order."""
        if wish == self.wish:
            return
        self.wish = wish
        self._working = False
        self._arrange()

    def _arrange(self) -> None:
        """Make the view that is wanted: at once, or in a thread."""
        before = self.view
        left = len(self.rows) - (before.seen if before.wish == self.wish else 0)
        finder = self.rows.finder(self.wish.needle) if self.wish.needle and not self._working else None
        quick = left <= AT_ONCE and (finder is None or finder.quick)
        if self.wish.plain or (quick and not self._working):
            self.workers.cancel_group(self, "arrange")
            self._working = False
            *_, view = arrange(self.rows, self.wish, before, finder)
            self._adopt(view)
        elif self._working:
            self._stale = True
        else:
            self._working, self._stale = True, False
            wish = self.wish
            self.run_worker(lambda: self._work(wish, before, finder), thread=True, exclusive=True, group="arrange")

    def _work(self, wish: Wish, before: View, finder: Finder | None) -> None:
        """Arrange in a thread."""
        worker = get_current_worker()
        for view in arrange(self.rows, wish, before, finder):
            if worker.is_cancelled:
                return
            self.post_message(self._Came(view))

    @on(_Came)
    def _take(self, message: _Came) -> None:
        """Show what a thread found, if it is still wanted."""
        message.stop()
        if message.view.wish != self.wish:
            return
        self._adopt(message.view)
        if message.view.running is None:
            self._working = False
            if self._stale:
                self._arrange()

    def _adopt(self, view: View) -> None:
        """Show a view; the cursor stays on its row where it can."""
        keep = self.row
        self.view = view
        if view.found is not None and view.wish.needle:
            self.last_found = view.found
        self._settle(keep)
        self.post_message(self.Rearranged(self))

    def _settle(self, keep: int | None) -> None:
        """Put size and cursor right after the view changed."""
        count = self.count
        self.set_lines(count + self._header)
        place = self.cursor
        if self.following and self.view.order is None:
            place = count - 1
        elif keep is not None and self._touched:
            place = self._nearest(keep)
        self.cursor = max(0, min(place, count - 1))
        self._show_cursor()
        self._tell()
        self.refresh()

    def _nearest(self, row: int) -> int:
        """Give the place of a row, or of the next one that is shown in an unordered list."""
        place = self.view.place(row)
        if place is None and self.view.order is not None and self.view.wish.column is None:
            place = int(np.searchsorted(self.view.order, row))
        return self.cursor if place is None else place

    # -------------------------------------------------------------------------------- the cursor

    def move_to(self, place: int) -> None:
        """Put the cursor in a place."""
        count = self.count
        self._touched = True
        place = max(0, min(place, count - 1))
        self.following = bool(count) and place == count - 1 and place > self.cursor
        before, self.cursor = self.cursor, place
        top = self.scroll_offset.y
        self._show_cursor()
        if self.scroll_offset.y == top:
            self._refresh_place(before)
            self._refresh_place(place)
        self._tell()

    def move_to_row(self, row: int) -> bool:
        """Put the cursor on a row, if it is shown."""
        place = self.view.place(row)
        if place is None or place >= self.count:
            return False
        self.move_to(place)
        return True

    def _show_cursor(self) -> None:
        """Scroll so that the cursor is on the screen."""
        top, page = self.scroll_offset.y, self.page_size
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + page:
            self.scroll_to(y=self.cursor - page + 1, animate=False)

    def _refresh_place(self, place: int) -> None:
        """Draw one line anew."""
        y = place - self.scroll_offset.y + self._header
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _tell(self) -> None:
        """Say that the cursor stands on another row."""
        if self.row != self._told:
            self._told = self.row
            self.post_message(self.Moved(self, self.row))

    def on_resize(self) -> None:
        """Keep the cursor on the screen."""
        self._widest = 0
        self._show_cursor()

    def on_focus(self) -> None:
        """Show that the cursor is here."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that the cursor is elsewhere."""
        self.refresh()

    # ----------------------------------------------------------------------------------- actions

    def action_up(self) -> None:
        """Move up a row."""
        self.move_to(self.cursor - 1)

    def action_down(self) -> None:
        """Move down a row."""
        self.move_to(self.cursor + 1)

    def action_page_up(self) -> None:
        """Move up a page."""
        self._page(-1)

    def action_page_down(self) -> None:
        """Move down a page."""
        self._page(1)

    def _page(self, sign: int) -> None:
        """Move the screen and the cursor a page."""
        step = sign * self.page_size
        self.scroll_to(y=self.scroll_offset.y + step, animate=False)
        self.move_to(self.cursor + step)

    def action_first(self) -> None:
        """Move to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Move to the last row, and stay on the last row."""
        self.move_to(self.count - 1)
        self.following = True

    def action_left(self) -> None:
        """See more of the left."""
        self._move_sideways(-_SIDEWAYS)

    def action_right(self) -> None:
        """See more of the right."""
        self._move_sideways(_SIDEWAYS)

    def _move_sideways(self, cells: int) -> None:
        """Move the columns that are not fixed."""
        most = max(0, self._widest - self.room)
        self._sideways = max(0, min(self._sideways + cells, most))
        self.refresh()

    def action_enter(self) -> None:
        """Go into the row under the cursor."""
        if self.row is not None:
            self.post_message(self.Opened(self, self.row))

    def action_sort(self, step: int) -> None:
        """Put the rows in order of the next column, or of the one before; behind the last one as they came."""
        shown = [at for at, column, _ in self._layout() if column.sortable]
        if not shown:
            return
        stops: list[int | None] = [None, *shown]
        now = stops.index(self.wish.column) if self.wish.column in stops else 0
        self.want(changed(View(self.wish), column=stops[(now + step) % len(stops)], descending=False))

    def sort_by(self, column: int) -> None:
        """Put the rows in order of a column; the other way around when they are."""
        again = self.wish.column == column
        self.want(changed(View(self.wish), column=column, descending=again and not self.wish.descending))

    def action_reverse(self) -> None:
        """Turn the order around."""
        column = self.wish.column
        if column is None:
            column = next((at for at, each, _ in self._layout() if each.sortable), None)
        if column is not None:
            self.want(changed(View(self.wish), column=column, descending=not self.wish.descending))

    def action_match(self, step: int) -> None:
        """Move to the next row that the last filter found."""
        if self.last_found is None:
            self.notify("No search yet: / begins one.")
        elif self.wish.needle:
            self.move_to(self.cursor + step)
        else:
            self._move_among(self.last_found, step, "match")

    def action_mark(self, step: int) -> None:
        """Move to the next row with a finding."""
        rows = self.view.rows(0, self.count)
        places = np.flatnonzero(self.rows.attribute("marked", rows)) if len(rows) else rows
        self._move_among_places(places, step, "finding")

    def _move_among(self, rows: np.ndarray, step: int, noun: str) -> None:
        """Move to the next of some rows."""
        places = rows if self.view.order is None else np.flatnonzero(np.isin(self.view.order, rows))
        self._move_among_places(places, step, noun)

    def _move_among_places(self, places: np.ndarray, step: int, noun: str) -> None:
        """Move to the next of some places."""
        at = int(np.searchsorted(places, self.cursor, "right" if step > 0 else "left"))
        at = at if step > 0 else at - 1
        if 0 <= at < len(places):
            self.move_to(int(places[at]))
        else:
            self.notify(f"No {noun} further {'down' if step > 0 else 'up'}.")

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row, go into it with a second click, or sort by the column whose title was hit."""
        y = event.y
        if self._header and y == 0:
            column = self._column_at(event.x)
            if column is not None:
                self.sort_by(column)
            return
        place = self.scroll_offset.y + y - self._header
        if place < self.count:
            self.move_to(place)
            if event.chain == 2:
                self.action_enter()

    def _column_at(self, x: int) -> int | None:
        """Give the column whose title stands in a cell of the first line."""
        left = 0
        for number, (at, column, width) in enumerate(self._layout()):
            shift = self._sideways if number >= self._fixed else 0
            if left - shift <= x < left - shift + width + 1 and column.sortable:
                return at
            left += width + 1
        return None

    # ----------------------------------------------------------------------------------- drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """Fetch the rows on the screen in one go before their lines are drawn."""
        top = self.scroll_offset.y
        rows = self.view.rows(top, min(top + self.page_size, self.count))
        missing = np.array([row for row in rows.tolist() if row not in self._cache], np.int64)
        if len(missing):
            if len(self._cache) > _KEPT_PAGES * self.page_size:
                self._cache.clear()
                missing = rows
            self._cache.update(zip(missing.tolist(), self.rows.page(missing), strict=True))
        self._columns = self._layout()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        width = self.room
        if self._header and y == 0:
            return self._header_strip(width)
        place = self.scroll_offset.y + y - self._header
        line = self._cache.get(self.view.row(place)) if place < self.count else None
        if line is None:
            return Strip.blank(width, self._base)
        return self._row_strip(line, width, chosen=place == self.cursor)

    def _layout(self) -> list[tuple[int, Column, int]]:
        """Give the columns that are shown, with their numbers and cells; the last takes what is left."""
        width = self.room
        shown = [(at, c, c.width) for at, c in enumerate(self.rows.columns) if c.from_width <= width]
        if shown:
            used = sum(size for *_, size in shown[:-1]) + len(shown) - 1
            at, column, size = shown[-1]
            shown[-1] = at, column, max(size, width - used)
        return shown

    def _header_strip(self, width: int) -> Strip:
        """Draw the titles, and how the rows are ordered."""
        style = self.style_of("table--header")
        texts = []
        for at, column, size in self._columns:
            arrow = ("▼" if self.wish.descending else "▲") if at == self.wish.column else ""
            title = fit(column.title, size - 1) + arrow if arrow and not column.right else arrow + column.title
            texts.append((fit(title.rstrip() if arrow else title, size, right=column.right), style))
        return self._join(texts, style, width)

    def _row_strip(self, line: Line, width: int, *, chosen: bool) -> Strip:
        """Draw a row."""
        base = self._base
        over = Style.null()
        if chosen:
            over = self.style_of("table--cursor" if self.has_focus else "table--cursor-away")
        tone = self.style_of(f"table--{line.tone}", partial=True) if line.tone else Style.null()
        plain = base + over
        toned = base + tone + over if not chosen else base + over + Style(bold=bool(line.tone) or None)
        layout = self._columns
        last = len(layout) - 1
        texts = []
        for number, (at, column, size) in enumerate(layout):
            cell = line.cells[at]
            whole = number == last and not column.right and width_of(cell) > size
            shown = cell if whole else fit(cell, size, right=column.right)
            texts.append((shown, toned if column.toned else plain))
        return self._join(texts, plain, width)

    def _join(self, texts: list[tuple[str, Style]], style: Style, width: int) -> Strip:
        """Put cells side by side, the fixed ones where they are and the others moved sideways."""
        head = _strip(texts[: self._fixed], style, " " if len(texts) > self._fixed else "")
        tail = _strip(texts[self._fixed :], style)
        self._widest = max(self._widest, head.cell_length + tail.cell_length)
        room = max(0, width - head.cell_length)
        if self._sideways or tail.cell_length > room:
            cut = tail.cell_length > self._sideways + room
            tail = tail.crop(self._sideways, self._sideways + room - cut)
            if cut:
                tail = Strip([*tail.adjust_cell_length(max(0, room - 1), style), Segment(CUT, style)])
        return Strip([*head, *tail]).adjust_cell_length(width, style)


def _strip(texts: list[tuple[str, Style]], style: Style, end: str = "") -> Strip:
    """Put cells side by side with a space between them, in as few segments as there are changes of style."""
    segments: list[Segment] = []
    run, run_style = "", style
    for number, (text, cell_style) in enumerate(texts):
        if cell_style is not run_style:
            if run:
                segments.append(Segment(run, run_style))
            run, run_style = "", cell_style
        run += text
        if number < len(texts) - 1:
            run += " "
    return Strip([*segments, Segment(run + end, run_style)]) if run or end else Strip(segments)
