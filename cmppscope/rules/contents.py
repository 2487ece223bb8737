"""The contents of messages, of SUBMIT, DELIVER and FWD alike: where each begins, its header, and its text.

Status reports and charging records are no messages; what stands in their Msg_Content is the business of other rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmppscope.columns import Columns
from cmppscope.messages.heads import Heads, walk
from cmppscope.rules.bodies import Bodies, bodies
from cmppscope.rules.forms import fixed
from cmppscope.rules.model import Facts, Hits
from cmppscope.tables import I64, U8
from dissectors.cmpp.enums import DELIVER, FWD, SUBMIT
from dissectors.cmpp.text import UDHI_BITS

COMMANDS = (SUBMIT, DELIVER, FWD)
_MESSAGES = {DELIVER: ("registered_delivery", 0), FWD: ("msg_fwd_type", 1)}
"""Command_Id to the field that tells a message from a report, and its greatest value for a message."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of one command's messages; one entry a message in every array."""

    command: int
    body: Bodies
    at: I64
    """Row of the message in `body`."""
    octets: U8
    """The buffer that holds the contents."""
    start: I64
    """Where the content begins in `octets`. Eight octets at least follow it in its PDU (Reserve)."""
    length: I64
    msg_fmt: I64
    tp_udhi: I64
    headed: I64
    """Those of the messages that announce a user data header (TP_udhi)."""
    heads: Heads
    """Their headers; one entry each."""

    def __len__(self) -> int:
        """Count the messages."""
        return len(self.at)

    @property
    def text_start(self) -> I64:
        """Where the text begins, behind the header."""
        return self._behind(self.start, 1)

    @property
    def text_length(self) -> I64:
        """Octets of the text."""
        return self._behind(self.length, -1)

    def _behind(self, column: I64, sign: int) -> I64:
        """Move by the sizes of the headers."""
        if not len(self.headed):
            return column
        moved = column.copy()
        moved[self.headed] += sign * self.heads.size
        return moved

    def hits(self, rows: I64, a: I64 | int = 0, b: I64 | int = 0) -> Hits:
        """Give messages as places."""
        return self.body.facts.pdus(self.body.rows[self.at[rows]], a, b)


def contents(facts: Facts) -> list[Contents]:
    """Give the contents of each command that a batch holds messages of."""
    return facts.columns.once("contents", lambda: [found for c in COMMANDS if len(found := _contents(facts, c))])


def _contents(facts: Facts, command: int) -> Contents:
    """Find the contents of one command."""
    body = bodies(facts, command)
    wanted = body.sure
    if command in _MESSAGES:
        field, greatest = _MESSAGES[command]
        wanted = wanted & (body.integer(field) <= greatest)
    at = np.flatnonzero(wanted)
    whole = body.columns
    columns = Columns(whole.octets, whole.position[at], whole.length[at], whole.body)
    offset, length = columns.place("msg_content")
    start = columns.position + offset
    if command == SUBMIT:
        form = fixed(facts)
        msg_fmt, tp_udhi = (form.integer(name)[form.of[at]] for name in ("msg_fmt", "tp_udhi"))
    else:
        msg_fmt, tp_udhi = (columns.integer(name).astype(np.int64) for name in ("msg_fmt", "tp_udhi"))
    headed = np.flatnonzero(tp_udhi & UDHI_BITS)
    heads = walk(whole.octets, start[headed], length[headed])
    return Contents(command, body, at, whole.octets, start, length, msg_fmt, tp_udhi, headed, heads)
