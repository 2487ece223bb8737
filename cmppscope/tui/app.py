"""The application: owns the store, takes what the worker learnt, and moves between the screens."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Footer, Input

from cmppscope.analysis import Options
from cmppscope.redact import Redaction
from cmppscope.report.names import CHINA
from cmppscope.report.safe import printable
from cmppscope.tui import messages
from cmppscope.tui.actions import LINES, bindings, of
from cmppscope.tui.lives import Lives
from cmppscope.tui.loading import Inbox, Loader, Source
from cmppscope.tui.rows.findings import FindingRows
from cmppscope.tui.rows.messages import MessageRows
from cmppscope.tui.rows.pdus import PduRows
from cmppscope.tui.rows.sessions import SessionRows
from cmppscope.tui.rows.transactions import TransactionRows
from cmppscope.tui.screens import Pane
from cmppscope.tui.screens.findings import FindingsPane
from cmppscope.tui.screens.help import Help
from cmppscope.tui.screens.messages import MessagesPane
from cmppscope.tui.screens.pdus import PdusPane
from cmppscope.tui.screens.sessions import SessionsPane
from cmppscope.tui.screens.transactions import TransactionsPane
from cmppscope.tui.store import Pdus, Store
from cmppscope.tui.view import View, changed
from cmppscope.tui.widgets.filter import FILTER, GO_TO, FilterLine
from cmppscope.tui.widgets.status import Status, Tabs
from cmppscope.tui.widgets.table import VirtualTable

_DRAWN_SECONDS = 0.1
"""What arrives is drawn at most this often."""
_WIDE = 140


class CmppscopeApp(App[None]):
    """The screens of one capture."""

    TITLE = "cmppscope"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - Textual declares it so
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        source: Source,
        options: Options | None = None,
        *,
        redact: bool = True,
        zone: dt.tzinfo = CHINA,
        name: str = "",
        live: bool = False,
    ) -> None:
        """`source` yields FrameBatches; `name` says what is read; `live` follows what comes."""
        super().__init__()
        options = replace(options or Options(), keep_findings=True)
        self.lives = Lives()
        self.inbox = Inbox(self._tell)
        self.loader = Loader(source, options, self.inbox)
        pdus = Pdus(self.loader.recall)
        self.store = Store(pdus=pdus, zone=zone, results=options.results, lives=self.lives)
        self.source = source
        self.redact = redact
        self.capture_name = name
        self.live = live
        self.paused = False
        self.done = False
        self.notes: list[tuple[str, str]] = []
        redaction = Redaction(redact)
        self.pdus = PdusPane(PduRows(self.store, redaction, zone, options.results))
        self.panes: dict[str, Pane] = {
            "sessions": SessionsPane(SessionRows(self.store), zone),
            "pdus": self.pdus,
            "transactions": TransactionsPane(TransactionRows(self.store, zone, options.results)),
            "findings": FindingsPane(FindingRows(self.store)),
            "messages": MessagesPane(MessageRows(self.store, self.lives, redaction, zone)),
        }
        self._came_from: list[str] = []
        self._drawn = 0.0
        self._waiting = False
        self._began = time.monotonic()
        self._trouble: str | None = None

    def compose(self) -> ComposeResult:
        """Lay the application out."""
        yield Tabs(id="tabs")
        with ContentSwitcher(initial="sessions", id="switcher"):
            yield from self.panes.values()
        yield FilterLine(id="filter")
        yield Status(id="status")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to read."""
        self.theme = "textual-dark"
        self.filter.display = False
        self.pane.table.focus()
        self.pdus.table.following = self.live
        self._draw_tabs()
        self.query_one(Status).words = f"Reading {self.capture_name}".strip() + " …"
        # A daemon, not one of Textual's workers: a live source may wait for a frame when the user wants to leave.
        threading.Thread(target=self.loader.run, name="loader", daemon=True).start()
        if self.live:
            self.set_interval(1.0, self._draw_status)

    def on_unmount(self) -> None:
        """Stop reading, and let go of the files."""
        self.loader.stopped = True
        self.loader.recall.close()

    # --------------------------------------------------------------------------- what the worker says

    def _tell(self) -> None:
        """Say, from the worker's thread, that something arrived."""
        if self.is_running:
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                self.post_message(messages.Arrived())

    @on(messages.Arrived)
    def _arrived(self) -> None:
        """Take what arrived, but not more often than it can be drawn."""
        wait = self._drawn + _DRAWN_SECONDS - time.monotonic()
        if wait <= 0:
            self._take()
        elif not self._waiting:
            self._waiting = True
            self.set_timer(wait, self._take)

    def _take(self) -> None:
        """Take what arrived into the store, and draw it; a timer may still go off when the screens are gone."""
        self._waiting = False
        if not self.is_running:
            return
        delivery = self.inbox.take()
        for arrival in delivery.batches:
            self.store.pdus.add(*arrival)
        if delivery.snapshot is not None:
            self.store.snapshot = delivery.snapshot
        self.lives.add(delivery.lives, delivery.closed)
        closed = delivery.closed or [self.store.transactions.none]
        for number, table in enumerate(closed, 1):
            self.store.transactions.add(table, delivery.pending if number == len(closed) else None)
        self.done = self.done or delivery.done
        self.notes += delivery.notes
        for severity, words in delivery.notes:
            self.notify(words, severity="error" if severity == "error" else "warning", markup=False, timeout=8)
        if not self.paused:
            self.pane.take()
        self._draw_tabs()
        self._draw_status()
        self._drawn = time.monotonic()

    # ------------------------------------------------------------------------------------ drawing

    @property
    def pane(self) -> Pane:
        """The screen that is shown."""
        current = self.query_one("#switcher", ContentSwitcher).current or "sessions"
        return self.panes[current]

    @property
    def filter(self) -> FilterLine:
        """The line for typing."""
        return self.query_one("#filter", FilterLine)

    def _draw_tabs(self) -> None:
        """Name the screens and count what they hold."""
        tabs = self.query_one(Tabs)
        tabs.counts = tuple((name, pane.title, pane.total) for name, pane in self.panes.items())
        tabs.current = self.pane.id or ""
        tabs.about = self.capture_name

    def _draw_status(self) -> None:
        """Say how the reading goes, or what came of it, as long as there is a screen."""
        if not self.is_running:
            return
        status = self.query_one(Status)
        total, read = self.source.octets_total, self.source.octets_read
        frames, pdus = self.store.snapshot.frames, len(self.store.pdus)
        counted = f"{frames:,} frames, {pdus:,} PDUs"
        status.share = None if self.done or not total or self.live else min(read / total, 1.0)
        status.tone = ""
        if self.live and not self.done:
            drops = getattr(self.source, "drops", 0)
            elapsed = dt.timedelta(seconds=int(time.monotonic() - self._began))
            words = f"live {elapsed}: {counted}, {drops:,} dropped" + (", paused: space goes on" if self.paused else "")
            status.tone = "warning" if drops else ""
        elif not self.done:
            words = f"reading: {counted}"
        elif self.notes:
            words = " ".join(words for _, words in self.notes)
            status.tone = self.notes[0][0]
        else:
            words = counted
        status.words = words
        status.right = "masked" if self.redact else "not masked"
        self._draw_filter()

    @on(VirtualTable.Rearranged)
    def _draw_filter(self) -> None:
        """Say what the filter found, and why not more."""
        self._tell_trouble()
        pane, line = self.pane, self.filter
        hits = pane.hits()
        stream = self.pdus.stream if pane is self.pdus else None
        if stream is not None:
            hits = f"stream {stream} alone, Esc shows all  {hits}"
        if line.typed.has_focus:
            line.say(hits if line.kind == FILTER else "")
            return
        needle = pane.filtered.wish.needle
        if needle or stream is not None:
            line.display = True
            line.set_quietly(needle)
            line.say(hits)
        else:
            line.close()

    def _tell_trouble(self) -> None:
        """Say, once, why octets of the capture cannot be read again."""
        trouble = self.store.pdus.trouble
        if trouble is not None and trouble != self._trouble:
            self._trouble = trouble
            self.notify(printable(trouble), severity="error", markup=False, timeout=8)

    # ------------------------------------------------------------------------------------ actions

    def action_show(self, name: str) -> None:
        """Show a screen."""
        self._came_from.clear()
        self._show(name)

    def _show(self, name: str) -> None:
        """Show a screen, with what came while it was away."""
        self.screen.minimize()
        self.query_one("#switcher", ContentSwitcher).current = name
        self.pane.take()
        self.pane.table.focus()
        self._draw_tabs()
        self._draw_filter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Keys that open the line for filters are letters in it, and in other lines and screens above."""
        return action not in LINES or not (isinstance(self.focused, Input) or self.screen.is_modal)

    def action_filter(self) -> None:
        """Let the user type what rows must show."""
        self.filter.open(FILTER, self.pane.filtered.wish.needle)
        self.filter.say(self.pane.hits())

    def action_go_to(self) -> None:
        """Let the user type where to go."""
        self.filter.open(GO_TO)
        self.filter.say("")

    def action_zoom(self) -> None:
        """Give the pane with the cursor the whole screen, or take it back."""
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif self.focused is not None:
            self.screen.maximize(self.focused)

    def action_pause(self) -> None:
        """Stop drawing what comes, or go on."""
        if not self.live:
            self.notify("Only a live capture can be paused.")
            return
        self.paused = not self.paused
        if not self.paused:
            self.pane.take()
        self._draw_status()

    def action_toggle_dark(self) -> None:
        """Change between the dark and the light theme."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def action_help(self) -> None:
        """Tell the keys that work here."""
        name = self.pane.id or ""
        self.push_screen(Help(f"Keys: {self.pane.title}", (name, "list", "app")))

    def action_leave(self) -> None:
        """Clear the filter, or go back; never leave the application."""
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif self.pane.back():
            pass
        elif self._came_from:
            name = self._came_from.pop()
            if self.pane is self.pdus:
                self.pdus.show_stream(None)
            self._show(name)
        elif self.pane is self.pdus and self.pdus.stream is not None:
            self.pdus.show_stream(None)
        self._draw_filter()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's
        """Offer every action of the application and of the screen by name."""
        for action in of("app", self.pane.id or ""):
            if action.action != "command_palette":
                yield SystemCommand(action.name, action.help, self._runner(action.where, action.action))
        yield SystemCommand("Theme", "Choose the colours.", self.action_change_theme)

    def _runner(self, where: str, action: str) -> Callable[[], object]:
        """Give what runs an action for the command palette."""
        owner = self if where == "app" else self.pane

        async def run() -> None:
            await self.run_action(action, owner)

        return lambda: self.call_later(run)

    # -------------------------------------------------------------------------- what the panes say

    @on(messages.FilterChanged)
    def _filter_changed(self, message: messages.FilterChanged) -> None:
        """Read a filter, in a thread since the first one loads what filters need."""
        table = self.pane.filtered
        self.run_worker(lambda: self._read(message, table), thread=True, exclusive=True, group="filter")

    def _read(self, change: messages.FilterChanged, table: VirtualTable) -> None:
        """Read a filter, in a thread."""
        from cmppscope.tui.search import mistake_in  # noqa: PLC0415 - filters are loaded when the first one is typed

        mistake = mistake_in(change.text, table.rows.target, self.store)
        self.post_message(messages.FilterRead(change, table, mistake))

    @on(messages.FilterRead)
    def _filter_read(self, message: messages.FilterRead) -> None:
        """Show the rows that pass a filter, or what is wrong with it; what was typed since then comes later."""
        line, change, table = self.filter, message.change, message.table
        if line.typed.has_focus and change.text != line.typed.value:
            return
        line.show_mistake(message.mistake)
        if message.mistake is not None:
            return
        table.want(changed(View(table.wish), needle=change.text.strip()))
        if change.done:
            table.focus()
            self.call_after_refresh(self._draw_filter)
        self._draw_filter()

    @on(messages.InputLeft)
    def _input_left(self) -> None:
        """Leave the line; a filter is cleared with it."""
        if self.filter.kind == FILTER:
            self.pane.set_filter("")
        self.filter.close()
        self.pane.table.focus()
        self.call_after_refresh(self._draw_filter)

    @on(messages.GoTo)
    def _go_to(self, message: messages.GoTo) -> None:
        """Go to a frame or a PDU."""
        text = message.text.strip().lower()
        number = text.removeprefix("p").removeprefix("f").strip().replace(",", "")
        self.filter.close()
        self.pane.table.focus()
        if not number.isdecimal():
            self.notify(f"{message.text!r} is no frame: type 120, or p 34 for PDU 34.", markup=False)
        elif text.startswith("p"):
            self._go_to_pdu(messages.GoToPdu(int(number)))
        else:
            self._go_to_frame(messages.GoToFrame(int(number)))
        self.call_after_refresh(self._draw_filter)

    @on(messages.GoToFrame)
    def _go_to_frame(self, message: messages.GoToFrame) -> None:
        """Show the first PDU of a frame, or the next one."""
        row = self.store.row_of_frame(message.frame)
        if row is None:
            self.notify(f"No PDU ends in frame {message.frame} or behind it.")
            return
        frame = int(self.store.pdus.column("frame")[row])
        if frame != message.frame:
            self.notify(f"No PDU ends in frame {message.frame}; this is the next, in frame {frame}.")
        self._go_to_pdu(messages.GoToPdu(row + 1))

    @on(messages.GoToPdu)
    def _go_to_pdu(self, message: messages.GoToPdu) -> None:
        """Show a PDU; Esc goes back to the screen from which it was asked for."""
        if not 0 < message.pdu <= len(self.store.pdus):
            self.notify(f"There is no PDU {message.pdu}; there are {len(self.store.pdus):,}.")
            return
        if self.pane is not self.pdus:
            self._came_from.append(self.pane.id or "sessions")
        if message.stream is not None:
            self.pdus.show_stream(message.stream)
        self._show("pdus")
        self.pdus.go_to(message.pdu - 1)
