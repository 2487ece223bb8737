"""The list: cursor, paging, order, filter, what it asks for, and how it cuts text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from cmppscope.tui.view import Wish

from .conftest import CountedRows, TableApp, settled

Drive = Callable[..., None]


def table_app(count: int, text: Callable[[int], str] = lambda row: f"row {row}") -> tuple[CountedRows, TableApp]:
    """Make a list of so many rows, and its application."""
    rows = CountedRows(count, text)
    return rows, TableApp(rows)


def press(app: TableApp, drive: Drive, *names: str, size: tuple[int, int] = (40, 11)) -> None:
    """Press keys in a list of ten rows a page."""

    async def steps(pilot: Pilot[None]) -> None:
        app.table.focus()
        app.table.refresh_rows()
        await pilot.press(*names)
        await settled(pilot)
        app.seen = app.lines()  # type: ignore[attr-defined]

    drive(app, steps, size)


@pytest.mark.parametrize(
    ("names", "row"),
    [
        (["down"], 1),
        (["down", "down", "up"], 1),
        (["up"], 0),
        (["j", "j", "k"], 1),
        (["pagedown"], 10),
        (["pagedown", "pagedown", "pageup"], 10),
        (["end"], 99),
        (["G"], 99),
        (["end", "down"], 99),
        (["end", "home"], 0),
        (["end", "g"], 0),
        (["e"], 10),
        (["e", "e", "E"], 10),
    ],
)
def test_keys_move_the_cursor(names: list[str], row: int, drive: Drive) -> None:
    """Keys move the cursor, and it stays inside the list."""
    _, app = table_app(100)
    press(app, drive, *names)
    assert app.table.row == row


def test_of_two_million_rows_only_the_visible_are_asked_for(drive: Drive) -> None:
    """Showing, paging and jumping to the end ask for the rows on the screen and no others."""
    rows, app = table_app(2_000_000)
    press(app, drive, "pagedown", "end")
    page = 10
    assert set(rows.asked) <= set(range(2 * page + 1)) | set(range(2_000_000 - page, 2_000_000))
    assert len(rows.asked) <= 5 * page
    assert app.table.row == 1_999_999


def test_the_header_stays_while_rows_move(drive: Drive) -> None:
    """The first line names the columns wherever the list stands."""
    _, app = table_app(100)
    press(app, drive, "end")
    seen = app.seen  # type: ignore[attr-defined]
    assert seen[0].split() == ["No.", "Text", "Half"]
    assert seen[-1].split() == ["99", "row", "99", "49"]


def test_the_first_column_stays_while_the_others_move(drive: Drive) -> None:
    """Right moves all columns but the fixed one, and not beyond the end of the text."""
    _, app = table_app(3, lambda row: f"{'x' * 19}{row}")
    press(app, drive, "right", "right", "right", size=(30, 5))
    seen = app.seen  # type: ignore[attr-defined]
    assert seen[1] == "       0 xxxxxxxxxx0        0"


def test_cut_text_says_so(drive: Drive) -> None:
    """What does not fit ends with an ellipsis."""
    _, app = table_app(1, lambda _: "a text that is far too long for its column")
    press(app, drive)
    assert "a text that is far …" in app.seen[1]  # type: ignore[attr-defined]


def test_order_is_stable_and_turns_around(drive: Drive) -> None:
    """Rows that are equal stay as they came, in both directions, and the header tells the order."""
    _, app = table_app(6)
    app.table.wish = Wish(column=2, descending=True)
    press(app, drive)
    seen = app.seen  # type: ignore[attr-defined]
    assert [int(line.split()[0]) for line in seen[1:7]] == [4, 5, 2, 3, 0, 1]
    assert "▼" in seen[0]


def test_a_click_on_a_title_sorts_and_a_second_one_turns_it_around(drive: Drive) -> None:
    """The mouse sorts by a column and selects a row."""
    _, app = table_app(50)

    async def steps(pilot: Pilot[None]) -> None:
        app.table.refresh_rows()
        await pilot.click(app.table, offset=(3, 0))
        assert (app.table.wish.column, app.table.wish.descending) == (0, False)
        await pilot.click(app.table, offset=(3, 0))
        assert app.table.wish.descending
        await pilot.click(app.table, offset=(12, 3))
        assert app.table.row == 47

    drive(app, steps, (40, 11))


def test_the_wheel_moves_the_screen_and_not_the_cursor(drive: Drive) -> None:
    """The wheel scrolls."""
    _, app = table_app(100)

    async def steps(pilot: Pilot[None]) -> None:
        app.table.refresh_rows()
        app.table._scroll_down_for_pointer(animate=False)
        await pilot.pause()
        assert app.table.scroll_offset.y > 0
        assert app.table.row == 0

    drive(app, steps, (40, 11))


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_a_filter_shows_the_rows_that_hold_the_text(count: int, drive: Drive) -> None:
    """A filter finds the same rows at once and in a thread, and counts them."""
    _, app = table_app(count)

    async def steps(pilot: Pilot[None]) -> None:
        app.table.want(Wish(needle="row 99"))
        await settled(pilot)
        expected = [row for row in range(count) if f"row {row}".startswith("row 99")]
        assert app.table.view.order is not None
        assert app.table.view.order.tolist() == expected

    drive(app, steps)


def test_rows_that_come_are_looked_at_and_the_others_are_not_again(drive: Drive) -> None:
    """A filter goes on where it stopped when rows are added."""
    rows, app = table_app(1_000, lambda row: "found" if row % 97 == 0 else "other")

    async def steps(pilot: Pilot[None]) -> None:
        app.table.want(Wish(needle="found"))
        await settled(pilot)
        shown = set(rows.asked)
        rows.asked.clear()
        rows.count = 1_995
        app.table.refresh_rows()
        assert app.table.view.order is not None
        assert app.table.view.order.tolist() == list(range(0, 1_995, 97))
        assert set(range(1_000, 1_995)) <= set(rows.asked)
        assert {row for row in rows.asked if row < 1_000} <= {row for row in shown if row % 97 == 0}

    drive(app, steps)


def test_the_cursor_stays_on_its_row_when_the_order_changes(drive: Drive) -> None:
    """A row that the user chose is still chosen after sorting and filtering."""
    _, app = table_app(100)

    async def steps(pilot: Pilot[None]) -> None:
        app.table.refresh_rows()
        app.table.move_to(42)
        app.table.want(Wish(column=0, descending=True))
        assert app.table.row == 42
        app.table.want(Wish(needle="row 4"))
        assert app.table.row == 42
        await pilot.pause()

    drive(app, steps)


def test_at_the_end_the_list_follows_what_comes(drive: Drive) -> None:
    """After End the cursor stays on the last row as rows are added; after Up it does not."""
    rows, app = table_app(50)

    async def steps(pilot: Pilot[None]) -> None:
        app.table.focus()
        app.table.refresh_rows()
        await pilot.press("end")
        rows.count = 80
        app.table.refresh_rows()
        assert app.table.row == 79
        await pilot.press("up")
        rows.count = 90
        app.table.refresh_rows()
        assert app.table.row == 78

    drive(app, steps)


def test_an_empty_list_takes_every_key(drive: Drive) -> None:
    """Without rows nothing happens, and nothing breaks."""
    _, app = table_app(0)
    press(app, drive, "down", "pagedown", "end", "home", "enter", "e", "n", "r", "greater_than_sign", "right")
    assert app.table.row is None


@pytest.mark.parametrize("width", range(24, 60, 5))
def test_wide_characters_are_never_cut_in_half(width: int, drive: Drive) -> None:
    """Every line takes exactly the cells of the screen, whatever is cut."""
    _, app = table_app(3, lambda row: "a" * row + "中文短信内容，验证码。" * 3)

    async def steps(pilot: Pilot[None]) -> None:
        app.table.focus()
        app.table.refresh_rows()
        for _ in range(3):
            strips = app.table.render_lines(app.table.size.region)
            assert {cell_len(strip.text) for strip in strips} == {width}
            await pilot.press("right")

    drive(app, steps, (width, 6))


def test_a_text_that_fits_is_not_said_to_be_cut(drive: Drive) -> None:
    """Wide characters count as what they take: no ellipsis where everything is shown."""
    _, app = table_app(1, lambda _: "中文短信")
    press(app, drive, size=(60, 5))
    assert app.seen[1].split() == ["0", "中文短信", "0"]  # type: ignore[attr-defined]
