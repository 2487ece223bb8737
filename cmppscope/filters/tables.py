"""The tables that filters look at, each as rows with keys: numbers of PDUs and of sessions, by which tables are joined.

A PDU belongs to the transaction that it asks or answers, to its session, and to the findings about it; a transaction
has both its PDUs; a session has all of its. Columns of a table are made when they are first asked for, and kept.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import polars as pl

from cmppscope.columns import Once, PduColumns
from cmppscope.filters.columns import Occurrences, some
from cmppscope.filters.values import address
from cmppscope.tables import I64, LAYOUT_20, PduBatch, Row
from cmppscope.transactions import Transactions

PDU, TRANSACTION, MESSAGE, SESSION, FINDING = TABLES = ("pdu", "transaction", "message", "session", "finding")
"""A further table needs its name here, a class with `keys`, fields in `filters.fields`, and someone who shows it."""

Made = TypeVar("Made")


class Table(Protocol):
    """Rows that a filter can look at."""

    kind: str
    """One of TABLES."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def keys(self, space: str) -> Occurrences:
        """Give the numbers of the PDUs, or of the session, that each row is about."""
        ...

    def once(self, name: Hashable, make: Callable[[], Any]) -> Any:
        """Give what `make` gives, made when it is first asked for by this name."""
        ...

    def has(self, name: Hashable) -> bool:
        """Tell whether what has this name was made."""
        ...


class Kept(Once):
    """Columns that were asked for."""

    def has(self, name: Hashable) -> bool:
        """Tell whether what has this name was made."""
        return name in self._made

    def keep_only(self, names: Collection[Hashable]) -> None:
        """Forget all other columns."""
        self._made = {name: made for name, made in self._made.copy().items() if name in names}


class End(NamedTuple):
    """One end of a stream, as filters compare it."""

    address: bytes
    port: int


Ends = Callable[[int], tuple[End, End] | None]
"""From the number of a stream to its originator and responder, None where they are not known yet."""


def end(address_text: str, port: int) -> End:
    """Give an end from the text of its address."""
    return End(address(address_text), port)


def end_of(ip_version: int, number: int, port: int) -> End:
    """Give an end from the number that is its address."""
    found = ipaddress.IPv4Address(number & 0xFFFFFFFF) if ip_version == 4 else ipaddress.IPv6Address(number)
    return End(bytes([ip_version]) + found.packed, port)


class SomeColumns(PduColumns):
    """The typed fields of some PDUs of a batch."""

    def __init__(self, batch: PduBatch, chosen: I64) -> None:
        """`chosen` has their rows, ascending."""
        super().__init__(batch)
        self._chosen = chosen

    def rows(self, command: int) -> I64:
        """Give the rows of a command that are laid out as in 2.0."""
        batch, rows = self.batch, self._chosen
        found: I64 = rows[(batch.command[rows] == command) & (batch.layout[rows] == LAYOUT_20)]
        return found


class PduTable(Kept):
    """A batch of PDUs."""

    kind = PDU

    def __init__(self, batch: PduBatch, session: I64, ends: Ends, columns: PduColumns | None = None) -> None:
        """`session` has the session's number of each row."""
        super().__init__()
        self.batch = batch
        self.columns = columns or PduColumns(batch)
        self.session = session
        self._ends = ends

    def __len__(self) -> int:
        """Count the PDUs."""
        return len(self.batch)

    def keep_only(self, names: Collection[Hashable]) -> None:
        """Forget all other columns, and what they were made of."""
        super().keep_only(names)
        self.columns = PduColumns(self.batch)

    def part(self, rows: I64) -> PduTable:
        """Give the same PDUs with the bodies of some only."""
        return PduTable(self.batch, self.session, self._ends, SomeColumns(self.batch, rows))

    def keys(self, space: str) -> Occurrences:
        """Give the number of each PDU, or of its session."""
        return Occurrences(None, self.session if space == SESSION else self.batch.first + np.arange(len(self)))

    def ends(self, *, source: bool, target: bool, port: bool) -> Occurrences:
        """Give addresses or ports of the sender, the receiver, or both."""
        streams, inverse = np.unique(self.batch.stream, return_inverse=True)
        known = [self._ends(stream) for stream in streams.tolist()]
        there = np.array([ends is not None for ends in known], np.bool_)[inverse]
        rows = np.flatnonzero(there)
        sides = [[(ends or (End(b"", 0),) * 2)[side] for ends in known] for side in (0, 1)]
        both = [each.port if port else each.address for side in sides for each in side]
        column: Any = np.array(both, np.int64) if port else pl.Series(both, dtype=pl.Binary)
        direction = self.batch.direction[rows]
        found = []
        for wanted, way in ((source, direction), (target, 1 - direction)):
            if wanted:
                found.append(inverse[rows] + len(streams) * way)
        at = np.concatenate(found)
        return Occurrences(np.concatenate([rows] * len(found)), column[at])


class TransactionTable(Kept):
    """Requests with their responses."""

    kind = TRANSACTION

    def __init__(self, table: Transactions) -> None:
        """Take a table of transactions."""
        super().__init__()
        self.table = table

    def __len__(self) -> int:
        """Count the transactions."""
        return len(self.table)

    def keys(self, space: str) -> Occurrences:
        """Give the numbers of request and response, or of the session."""
        table = self.table
        if space == SESSION:
            return Occurrences(None, table.session)
        answered = np.flatnonzero(table.response_pdu)
        rows = np.concatenate([np.arange(len(table)), answered])
        return Occurrences(rows, np.concatenate([table.pdu, table.response_pdu[answered]]))

    def answered(self, values: I64) -> Occurrences:
        """Give values of the transactions that have a response."""
        return some(self.table.response_pdu > 0, values)


class SessionTable(Kept):
    """Sessions, as reports have them."""

    kind = SESSION

    def __init__(self, rows: Sequence[Any]) -> None:
        """Take rows of `report.model.Session`."""
        super().__init__()
        self.rows = rows

    def __len__(self) -> int:
        """Count the sessions."""
        return len(self.rows)

    def keys(self, space: str) -> Occurrences:  # noqa: ARG002 - sessions are joined by their numbers alone
        """Give the number of each session."""
        return Occurrences(None, np.array([row.session for row in self.rows], np.int64))

    def column(self, give: Callable[[Any], Any]) -> Occurrences:
        """Give a value of each session that has it."""
        values = [give(row) for row in self.rows]
        rows = np.array([at for at, value in enumerate(values) if value is not None], np.int64)
        kept = [value for value in values if value is not None]
        text = bool(kept) and isinstance(kept[0], str)
        return Occurrences(rows, pl.Series(kept, dtype=pl.String) if text else np.array(kept, np.int64))


class MessageTable(Kept):
    """Messages, as `report.messages` has them, not masked."""

    kind = MESSAGE

    def __init__(self, rows: Sequence[Row], pdus: Sequence[Sequence[int]]) -> None:
        """`pdus` has the numbers of all PDUs that carry, answer, report or cancel each message."""
        super().__init__()
        self.rows = rows
        self._pdus = pdus

    def __len__(self) -> int:
        """Count the messages."""
        return len(self.rows)

    def keys(self, space: str) -> Occurrences:
        """Give the PDUs of each message, or its session."""
        if space == SESSION:
            return Occurrences(None, np.array([row["session"] for row in self.rows], np.int64))
        owner = np.repeat(np.arange(len(self)), [len(pdus) for pdus in self._pdus])
        return Occurrences(owner, np.array([pdu for pdus in self._pdus for pdu in pdus], np.int64))

    def values(self, give: Callable[[Row], Any]) -> Occurrences:
        """Give the values that messages have: of lists each element, of octets that are no text none."""
        found = [(at, each) for at, row in enumerate(self.rows) for each in _listed(give(row))]
        kept = [(at, each) for at, each in found if isinstance(each, str | int)]
        rows = np.array([at for at, _ in kept], np.int64)
        if kept and isinstance(kept[0][1], str):
            return Occurrences(rows, pl.Series([each for _, each in kept], dtype=pl.String))
        return Occurrences(rows, np.array([each for _, each in kept]))


def _listed(value: Any) -> list[Any]:
    """Give one value or several as a list."""
    return value if isinstance(value, list) else [value]


class Spot(NamedTuple):
    """One place of one finding."""

    frame: int
    stream: int
    direction: int
    offset: int
    pdu: int
    severity: int
    rule: str
    section: str
    fault: str
    detail: str


@dataclass
class FindingTable(Kept):
    """Places where rules do not hold."""

    spots: Sequence[Spot]
    sessions: Iterable[Any] = ()
    """Rows of `report.model.Session`, to tell the session of a place."""
    kind: str = field(default=FINDING, init=False)

    def __post_init__(self) -> None:
        """Keep no column yet."""
        super().__init__()

    def __len__(self) -> int:
        """Count the places."""
        return len(self.spots)

    def keys(self, space: str) -> Occurrences:
        """Give the PDU of each place that has one, or its session."""
        if space == SESSION:
            return self.once("session", self._sessions)
        return self.numbers("pdu", least=1)

    def numbers(self, name: str, least: int = 0) -> Occurrences:
        """Give a number of each place, where it is at least so much."""
        made = np.array([getattr(spot, name) for spot in self.spots], np.int64)
        return some(made >= least, made)

    def words(self, name: str) -> Occurrences:
        """Give a text of each place."""
        return Occurrences(None, pl.Series([getattr(spot, name) for spot in self.spots], dtype=pl.String))

    def _sessions(self) -> Occurrences:
        """Find the session of each place: the last of its stream that had begun by its frame, else the first."""
        begun: dict[int, tuple[list[int], list[int]]] = {}
        for row in self.sessions:
            frames, numbers = begun.setdefault(row.stream, ([], []))
            frames.append(row.first_frame)
            numbers.append(row.session)
        rows, found = [], []
        for at, spot in enumerate(self.spots):
            if spot.stream in begun:
                frames, numbers = begun[spot.stream]
                rows.append(at)
                found.append(numbers[max(0, int(np.searchsorted(frames, spot.frame, "right")) - 1)])
        return Occurrences(np.array(rows, np.int64), np.array(found, np.int64))
