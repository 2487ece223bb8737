"""What the worker and the panes tell the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from cmppscope.filters.errors import FilterError
    from cmppscope.tui.widgets.table import VirtualTable


class Arrived(Message):
    """Something lies in the inbox; many of these are as good as one."""

    def can_replace(self, message: Message) -> bool:
        """Take the place of one that waits."""
        return isinstance(message, Arrived)


@dataclass
class GoToPdu(Message):
    """Show a PDU in the list of PDUs."""

    pdu: int
    stream: int | None = None
    """Show only the PDUs of this stream."""


@dataclass
class GoToFrame(Message):
    """Show the first PDU of a frame."""

    frame: int


@dataclass
class FilterChanged(Message):
    """The user changed the filter."""

    text: str
    done: bool = False
    """The user wants to go on in the list."""


@dataclass
class FilterRead(Message):
    """The filter for a list was read."""

    change: FilterChanged
    table: VirtualTable
    mistake: FilterError | None


@dataclass
class GoTo(Message):
    """The user typed where to go: `N` is a frame, `p N` a PDU."""

    text: str


class InputLeft(Message):
    """The user left the input line without anything."""
