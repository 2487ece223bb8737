"""Transactions: requests with their responses, slowest first, those without any on top when asked for."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from cmppscope.tui.actions import bindings
from cmppscope.tui.messages import GoToPdu
from cmppscope.tui.rows.transactions import LATENCY, TransactionRows
from cmppscope.tui.screens import Pane
from cmppscope.tui.view import View, Wish, changed
from cmppscope.tui.widgets.table import VirtualTable


class TransactionsPane(Pane):
    """Every transaction."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("transactions")
    title = "Transactions"

    def __init__(self, rows: TransactionRows) -> None:
        """Draw from rows."""
        super().__init__(id="transactions")
        self.rows = rows
        self.store = rows.store
        self.table = VirtualTable(rows, fixed=2, id="transaction-list")
        self.table.wish = Wish(column=LATENCY, descending=True)

    def compose(self) -> ComposeResult:
        """Lay the list out."""
        yield self.table

    def hits(self) -> str:
        """Say how many are shown, where not all are."""
        return super().hits() if self.table.wish.needle else ""

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        """Show the request."""
        message.stop()
        if message.row is not None:
            self.post_message(GoToPdu(int(self.store.transactions.table.pdu[message.row])))

    def action_response(self) -> None:
        """Show the response."""
        if self.table.row is None:
            return
        pdu = int(self.store.transactions.table.response_pdu[self.table.row])
        if pdu:
            self.post_message(GoToPdu(pdu))
        else:
            self.notify("This request has no response.")

    def action_unanswered(self) -> None:
        """Put requests without a response on top, or in their place in the order again."""
        wish = self.table.wish
        self.table.want(changed(View(wish), first=None if wish.first else ("silent", 1)))
        self.table.move_to(0)
