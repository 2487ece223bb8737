"""Long messages: parts are noted with their PDU, and put together when their transaction is closed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmppscope.columns import PduColumns
from cmppscope.messages.assembly import TAKEN, Assembly
from cmppscope.messages.facts import Part, Place
from cmppscope.messages.parts import parts_of
from cmppscope.messages.prints import mixed
from cmppscope.messages.table import Table, joined
from cmppscope.tables import I64
from cmppscope.transactions import Transactions
from dissectors.cmpp.enums import DELIVER, SUBMIT

MOST_OPEN = 1_000_000
"""Parts of open transactions that are remembered; the oldest are let go."""
MOST_REFUSED = 65_536
"""Messages of which it is remembered that a part was refused."""

_OPEN = {
    "pdu": np.int64,
    "key": np.uint64,
    "looks": np.uint64,
    "total": np.int64,
    "number": np.int64,
    "party": np.int64,
    "deliver": np.int64,
}


class Longs:
    """Parts of long messages."""

    def __init__(self) -> None:
        """Begin with none."""
        self.assembly = Assembly()
        self._open = Table.empty(_OPEN)
        self._unanswered = Table.empty(TAKEN)
        """Parts given up without a response: when that is known says nothing of their place in the order."""
        self.refused: dict[int, set[int]] = {}
        """Numbers of the parts that were refused, by the key of their message."""
        self.parts = 0
        """Parts that were sent, refused ones too."""
        self.repeated: Sequence[Part] = ()
        self.mixed: Sequence[Part] = ()
        self.leaders: tuple[I64, I64] = self.assembly.leaders

    @property
    def forgotten(self) -> int:
        """Parts let go for want of room."""
        return self.assembly.forgotten

    @property
    def nbytes(self) -> int:
        """Octets that are kept."""
        return self.assembly.nbytes + self._open.nbytes + self._unanswered.nbytes

    def note(self, columns: PduColumns, party: I64, resends: I64) -> None:
        """Note the parts among a batch's SUBMITs and DELIVERs, but not those sent again."""
        found = [self._open]
        for command in (SUBMIT, DELIVER):
            parts = parts_in(columns, command)
            good = (parts["number"] > 0) & (parts["number"] <= parts["total"]) & ~np.isin(parts["row"], resends)
            parts = parts.take(good)
            if len(parts):
                found.append(_noted(columns.batch.first, parts, party, command))
        if len(found) == 3:
            fresh = joined(found[1:])
            found[1:] = [fresh.take(np.argsort(fresh["pdu"]))]
        table = joined(found)
        self._open = table.take(slice(max(0, len(table) - MOST_OPEN), None))

    def close_some(self, closed: Transactions, order: I64, known: I64, *, at_end: bool = False) -> None:
        """Put the parts among closed transactions together, in `order`; one that was refused is not there."""
        which = (
            order[(closed.command[order] == SUBMIT) | (closed.command[order] == DELIVER)]
            if len(self._open)
            else order[:0]
        )
        noted = self._open["pdu"]
        place = np.minimum(np.searchsorted(noted, closed.pdu[which]), max(len(noted) - 1, 0))
        there = noted[place] == closed.pdu[which] if len(noted) else np.zeros(len(which), np.bool_)
        which, place = which[there], place[there]
        parts = self._open.take(place)
        self.parts += len(parts)
        refused = closed.result[which] > 0
        self._note_refused(parts.take(refused))
        which, parts = which[~refused], parts.take(~refused)
        taken = Table.of(
            TAKEN,
            **{name: parts[name] for name in ("key", "looks", "total", "number", "party", "deliver")},
            pdu=closed.pdu[which],
            known=known[which],
            time=closed.time_ns[which],
            frame=closed.frame[which],
            stream=closed.stream[which],
            direction=closed.direction[which],
        )
        left = np.ones(len(self._open), np.bool_)
        left[place] = False
        self._open = self._open.take(left)
        if at_end:
            taken = joined([self._unanswered, taken])
        else:
            answered = closed.response_pdu[which] > 0
            if not answered.all():
                self._unanswered = joined([self._unanswered, taken.take(~answered)])
                taken = taken.take(answered)
        self.assembly.feed(taken)
        self.leaders = self.assembly.leaders
        self.repeated, self.mixed = _told(self.assembly.repeated), _told(self.assembly.mixed)

    def _note_refused(self, parts: Table) -> None:
        """Note parts that were refused."""
        for key, number in zip(parts["key"].tolist(), parts["number"].tolist(), strict=True):
            self.refused.setdefault(key, set()).add(number)
        while len(self.refused) > MOST_REFUSED:
            del self.refused[next(iter(self.refused))]


def parts_in(columns: PduColumns, command: int) -> Table:
    """Give the parts among the PDUs of a batch (`parts.parts_of`); read once a batch."""
    return columns.once(("parts", command), lambda: parts_of(columns, command))


def place_of(part: dict[str, int]) -> Place:
    """Give the place of a part."""
    return Place(part["pdu"], part["frame"], part["stream"], part["direction"])


def _noted(first: int, parts: Table, party: I64, command: int) -> Table:
    """Make notes of parts: `first` is the batch's first PDU."""
    rows = parts["row"]
    about = (parts["reference"] << 16 | parts["total"] << 8 | command).astype(np.uint64)
    return Table.of(
        _OPEN,
        pdu=first + rows,
        key=mixed(parts["who"], about, party[rows].view(np.uint64)),
        looks=parts["looks"],
        total=parts["total"],
        number=parts["number"],
        party=party[rows],
        deliver=int(command == DELIVER),
    )


def _told(parts: Table) -> list[Part]:
    """Tell of parts that do not fit."""
    rows = (parts.row(at) for at in range(len(parts)))
    return [Part(place_of(row), row["number"], row["total"], bool(row["deliver"])) for row in rows]
