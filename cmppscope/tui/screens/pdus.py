"""PDUs: the list, the fields of the one under the cursor, and its octets."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.timer import Timer

from cmppscope.report.show import pdu_tree
from cmppscope.rules import Severity
from cmppscope.tui.actions import bindings
from cmppscope.tui.recalled import RecallError
from cmppscope.tui.rows.fields import FieldRows, frames_of
from cmppscope.tui.rows.pdus import PduRows, finding_words
from cmppscope.tui.screens import Pane
from cmppscope.tui.view import View, changed
from cmppscope.tui.widgets.octets import Octets
from cmppscope.tui.widgets.table import VirtualTable

_REST_SECONDS = 0.03
"""The list is drawn first; fields and octets follow when the cursor has rested so long."""


class PdusPane(Pane):
    """Every PDU."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("pdus")
    title = "PDUs"

    def __init__(self, rows: PduRows) -> None:
        """Draw from rows."""
        super().__init__(id="pdus")
        self.rows = rows
        self.store = rows.store
        self.fields = FieldRows()
        self.table = VirtualTable(rows, fixed=2, id="pdu-list")
        self.tree_ = VirtualTable(self.fields, fixed=1, header=False, id="field-tree")
        self.octets = Octets(id="octets")
        self._shown: tuple[int | None, int] = (None, 0)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield self.table
        with Container(id="pdu-below"):
            yield self.tree_
            yield self.octets

    @property
    def stream(self) -> int | None:
        """The stream whose PDUs alone are shown."""
        return self.table.wish.scope[1] if self.table.wish.scope else None

    def show_stream(self, stream: int | None) -> None:
        """Show the PDUs of one stream, or of all."""
        scope = None if stream is None else ("stream", stream)
        self.table.want(changed(View(self.table.wish), scope=scope))

    def go_to(self, row: int) -> None:
        """Put the cursor on a PDU, whatever hides it."""
        if not self.table.move_to_row(row):
            self.table.want(changed(View(self.table.wish), needle="", scope=None))
            self.table.move_to_row(row)

    def take(self) -> None:
        """Draw what came into the store."""
        super().take()
        self._show(self.table.row)

    @on(VirtualTable.Moved, "#pdu-list")
    def _moved(self, message: VirtualTable.Moved) -> None:
        """Show the PDU under the cursor."""
        message.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_REST_SECONDS, self._show_chosen)

    def _show_chosen(self) -> None:
        """Show the PDU under the cursor, once that rests."""
        self._show(self.table.row)

    def _show(self, row: int | None) -> None:
        """Show a PDU, unless it is shown already with all its findings."""
        findings = [] if row is None else finding_words(self.store, row + 1)
        if (row, len(findings)) == self._shown:
            return
        self._shown = row, len(findings)
        if row is None:
            self.fields.show(None, b"", ())
            self.octets.show(b"", frozenset())
        else:
            self._show_pdu(row, findings)
        self.tree_.cursor = 0
        self.tree_.scroll_to(y=0, animate=False)
        self.tree_.refresh_rows()
        self._light(self.tree_.row)

    def _show_pdu(self, row: int, findings: list[tuple[Severity, str]]) -> None:
        """Read a PDU again and show it; where that cannot be, say why."""
        pdus = self.store.pdus
        notes = [frames_of(pdus.extents(row), int(pdus.column("frame")[row]))]
        try:
            octets = pdus.octets(row)
        except RecallError as error:
            self.fields.show(None, b"", findings, [*notes, ("Octets", str(error))])
            self.octets.show(b"", frozenset())
            return
        tree = pdu_tree(octets, self.rows.redaction, int(pdus.column("layout")[row]), self.rows.results)
        self.fields.show(tree, octets, findings, notes)
        self.octets.show(octets, self.fields.hidden)

    @on(VirtualTable.Moved, "#field-tree")
    def _moved_in_tree(self, message: VirtualTable.Moved) -> None:
        """Light the octets of the field under the cursor."""
        message.stop()
        self._light(message.row)

    def _light(self, row: int | None) -> None:
        """Light a field's octets; the whole PDU is not worth a light."""
        extent = range(0) if row is None else self.fields.extent(row)
        self.octets.light(range(0) if len(extent) == len(self.fields.octets) else extent)

    @on(VirtualTable.Opened, "#pdu-list")
    def _opened(self, message: VirtualTable.Opened) -> None:
        """Go into the fields."""
        message.stop()
        self.tree_.focus()

    @on(VirtualTable.Opened, "#field-tree")
    def _opened_field(self, message: VirtualTable.Opened) -> None:
        """Go on to the octets."""
        message.stop()
        self.octets.focus()

    def action_clock(self) -> None:
        """Change between seconds since the first frame and the clock."""
        self.rows.clock = not self.rows.clock
        self.table.refresh_rows()
