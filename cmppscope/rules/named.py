"""Places that messages tell of (`cmppscope.messages.facts`), made hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cmppscope.messages.facts import Place
from cmppscope.rules.model import Hits, no_hits
from dissectors.cmpp.msgid import format_msg_id

Entry = tuple[Place, int, int, Mapping[str, object]]
"""A place, the numbers a and b, and the further values that the words name."""


def hits_at(command: int, entries: Sequence[Entry]) -> Hits:
    """Give places of PDUs of one command."""
    if not entries:
        return no_hits()
    columns = np.array([(*place, command, a, b) for place, a, b, _ in entries], np.int64).T
    hits = Hits(*columns)
    hits.values = lambda place: entries[place][3]
    return hits


def msg_id(number: int) -> str:
    """Write a Msg_Id."""
    return format_msg_id(number & (2**64 - 1))
