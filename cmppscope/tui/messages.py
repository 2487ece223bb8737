"""What the worker and the panes tell the application."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


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
    """The user changed the text that rows must hold."""

    text: str


class FilterDone(Message):
    """The user goes on in the list, with the filter as it stands."""


@dataclass
class GoTo(Message):
    """The user typed where to go: `N` is a frame, `p N` a PDU."""

    text: str


class InputLeft(Message):
    """The user left the input line without anything."""
