"""What was read so far: rows that only grow, and snapshots that replace each other.

Rows that were once there never change, so that a thread may search the first n of them while more are added. Only the
application's own thread adds. Octets are read again where they are looked at (`recalled`); searches of the first ones
find them in memory (`held`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from cmppscope.arrays import none
from cmppscope.capture.recall import Recall
from cmppscope.references import Places, nowhere
from cmppscope.report import model
from cmppscope.report.names import CHINA
from cmppscope.rules import STANDARD, Place, Results, Severity
from cmppscope.tables import I64, LAYOUT_NONE, U8, Bool, PduBatch
from cmppscope.transactions import Transactions
from cmppscope.transactions.table import no_transactions
from cmppscope.tui.growing import Growing
from cmppscope.tui.held import Held
from cmppscope.tui.lives import Lives
from cmppscope.tui.recalled import Extent, Header, Octets, Recalled, RecallError, Region, Span, kept

PDU_COLUMNS = ("length", "command", "sequence", "layout", "stream", "direction", "frame", "time_ns")
SPAN = 1 << 16
"""PDUs that are searched at a time."""


class Pdus:
    """Every PDU: its columns, and where its octets are read again."""

    def __init__(self, recall: Recall | None = None) -> None:
        """Begin with none; `recall` reads octets of the capture, by default only those that are kept in it."""
        self._columns = {name: Growing(none()) for name in PDU_COLUMNS}
        self._session = Growing(none())
        self._recalled = Recalled(recall or Recall())
        self._held = Held()
        self._count = 0
        self.searched: dict[int, Any] = {}
        """What a search keeps of spans of PDUs, by the first row of each."""

    def __len__(self) -> int:
        """Count the PDUs."""
        return self._count

    def add(self, batch: PduBatch, session: I64, places: Places | None = None, octets: U8 | None = None) -> None:
        """Take the next PDUs, and the number of the session of each; without `places` their octets are copied.

        `octets` are held, as long as none were missing before.
        """
        if not len(batch):
            return
        if places is None:
            places = kept(self._recalled.recall, batch, nowhere(len(batch)))
        for name, column in self._columns.items():
            column.add(getattr(batch, name))
        self._session.add(session)
        self._recalled.add(places)
        if octets is not None and self._held.rows == self._count:
            self._held.add(octets, len(batch))
        self._count += len(batch)

    def column(self, name: str) -> I64:
        """View a column of PDU_COLUMNS."""
        return self._columns[name].values

    @property
    def session(self) -> I64:
        """View the number of each PDU's session."""
        return self._session.values

    @property
    def trouble(self) -> str | None:
        """Say why octets could not be read again, where that happened."""
        return self._recalled.recall.trouble

    @staticmethod
    def spans(count: int) -> list[tuple[int, int]]:
        """Divide the first `count` rows into those that are searched at a time."""
        return [(start, min(start + SPAN, count)) for start in range(0, count, SPAN)]

    def span(self, start: int, stop: int) -> PduBatch:
        """Give the PDUs of a span as a batch; one whose octets are not held reads them when they are asked for."""
        columns = self._batch(slice(start, stop), start + 1)
        if stop <= self._held.rows:
            columns.octets = self._held.octets(start, stop, self.column("length"))
            columns.position = np.cumsum(columns.length) - columns.length
            return columns

        def read() -> Region:
            return self._recalled.region(np.arange(start, stop), _header(columns))

        return Span(read, columns)

    def octets(self, row: int) -> bytes:
        """Give the octets of one PDU; RecallError where they cannot be read again."""
        length, command, sequence = (int(self.column(name)[row]) for name in ("length", "command", "sequence"))
        octets = self._recalled.one(row, length, command, sequence)
        if octets is None:
            raise RecallError(self.trouble or "the octets are gone")
        return octets

    def extents(self, row: int) -> list[Extent]:
        """Tell which frames carried which octets of one PDU."""
        return self._recalled.extents(row, int(self.column("frame")[row]), int(self.column("length")[row]))

    def batch(self, rows: I64) -> PduBatch:
        """Copy some PDUs, in any order, into a batch of their own; its `first` means nothing.

        Those whose octets cannot be read again have no layout and no octets; `trouble` says why.
        """
        batch = self._batch(rows, 1)
        octets = self._octets(rows, batch)
        batch.octets, batch.position = octets.buffer, octets.position
        batch.layout[~octets.there] = LAYOUT_NONE
        return batch

    def _octets(self, rows: I64, batch: PduBatch) -> Octets:
        """Read the octets of some PDUs."""
        return self._recalled.octets(rows, _header(batch))

    def _batch(self, rows: I64 | slice, first: int) -> PduBatch:
        """Give the columns of some PDUs, without octets."""
        values: dict[str, Any] = {name: column.values[rows] for name, column in self._columns.items()}
        count = len(values["length"])
        values |= {"layout": values["layout"].astype(np.uint8), "known_frame": values["frame"]}
        values |= {name: np.zeros(count, np.int64) for name in ("position", "offset")}
        return PduBatch(octets=np.zeros(0, np.uint8), first=first, fits=np.zeros(count, np.uint8), **values)


def _header(batch: PduBatch) -> Header:
    """Give what the headers of PDUs say."""
    return batch.length, batch.command, batch.sequence


class TransactionStore:
    """Transactions: those that have their response, and behind them those that are open as yet."""

    def __init__(self) -> None:
        """Begin with none."""
        self._closed = {name: Growing(none()) for name in Transactions.__slots__}
        self._pending = no_transactions()
        self._whole: Transactions | None = None

    def __len__(self) -> int:
        """Count the transactions."""
        return len(self._closed["pdu"].values) + len(self._pending)

    def add(self, closed: Transactions, pending: Transactions | None) -> None:
        """Take transactions that are closed, and the open ones in the place of those from before."""
        for name, column in self._closed.items():
            column.add(getattr(closed, name))
        if pending is not None:
            self._pending = pending
        elif len(self._pending) and len(closed):
            self._pending = _take(self._pending, ~np.isin(self._pending.pdu, closed.pdu))
        self._whole = None

    @property
    def none(self) -> Transactions:
        """A table without rows, to add when nothing was closed."""
        return no_transactions()

    @property
    def settled(self) -> int:
        """Count the transactions at the beginning that change no more."""
        return len(self._closed["pdu"].values)

    def later(self) -> Callable[[], Transactions]:
        """Give what makes the table of all transactions that there are now, in any thread."""
        closed = {name: column.values for name, column in self._closed.items()}
        pending = self._pending
        return lambda: Transactions(
            **{name: np.concatenate([column, getattr(pending, name)]) for name, column in closed.items()}
        )

    @property
    def table(self) -> Transactions:
        """All transactions."""
        if self._whole is None:
            self._whole = self.later()()
        return self._whole


def _take(table: Transactions, rows: Bool) -> Transactions:
    """Give the transactions that are marked."""
    return Transactions(**{name: getattr(table, name)[rows] for name in Transactions.__slots__})


class FindingRow(NamedTuple):
    """A rule that does not hold, with its places."""

    rule: str
    severity: Severity
    fault: str
    section: str
    sentence: str
    times: int
    """Places that there are."""
    places: Sequence[Place]
    """In the order of frames; of very many only the first."""


class StreamEnds(NamedTuple):
    """Both ends of a stream, the originator first."""

    addresses: tuple[str, str]
    roles: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What replaces itself as the reading goes on."""

    sessions: Sequence[model.Session] = ()
    findings: Sequence[FindingRow] = ()
    ends: Mapping[int, StreamEnds] = field(default_factory=dict)
    """By number of the stream."""
    first_time_ns: int = 0
    last_time_ns: int = 0
    frames: int = 0
    severity: Mapping[int, Severity] = field(default_factory=dict)
    """The gravest finding of a PDU, by its number."""
    marked: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    """Numbers of the PDUs with a finding, ascending."""
    peers: Mapping[int, model.Peer] = field(default_factory=dict)
    """SP and gateway of each session, by its number, where they have several."""
    window: int = 0
    """W, and C in seconds, by which links are judged."""
    c_seconds: float = 0.0


@dataclass(slots=True)
class Store:
    """Everything that the screens draw from."""

    pdus: Pdus = field(default_factory=Pdus)
    transactions: TransactionStore = field(default_factory=TransactionStore)
    snapshot: Snapshot = field(default_factory=Snapshot)
    zone: dt.tzinfo = CHINA
    """The zone of times that are shown or typed."""
    results: Results = STANDARD
    """What the codes in responses mean."""
    lives: Lives = field(default_factory=Lives)
    """What is known of messages."""

    def row_of_frame(self, frame: int) -> int | None:
        """Find the first PDU of a frame, or of the next frame that completes one."""
        frames = self.pdus.column("frame")
        later = np.flatnonzero(frames >= frame)
        return int(later[np.argmin(frames[later])]) if len(later) else None
