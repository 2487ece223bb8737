"""What was read so far: rows that only grow, and snapshots that replace each other.

Rows that were once there never change, so that a thread may search the first n of them while more are added. Only the
application's own thread adds. Octets are kept as the framer gave them, a buffer a batch.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from cmppscope.report import model
from cmppscope.report.names import CHINA
from cmppscope.rules import STANDARD, Place, Results, Severity
from cmppscope.tables import I64, Bool, PduBatch
from cmppscope.transactions import Transactions
from cmppscope.transactions.table import no_transactions

_AT_FIRST = 1024

PDU_COLUMNS = ("position", "length", "command", "sequence", "layout", "stream", "direction", "frame", "time_ns")
_WHOLE = 4096
"""PDUs of a batch that is looked at where it is; smaller ones are copied together."""
_TOGETHER = 65_536


class Growing:
    """A column that grows at its end; views of it stay as they were."""

    def __init__(self) -> None:
        """Begin empty."""
        self._values: I64 = np.zeros(_AT_FIRST, np.int64)
        self._count = 0

    def add(self, values: I64) -> None:
        """Put values behind those that are there."""
        end = self._count + len(values)
        if end > len(self._values):
            larger = np.zeros(max(end, 2 * len(self._values)), np.int64)
            larger[: self._count] = self._values[: self._count]
            self._values = larger
        self._values[self._count : end] = values
        self._count = end

    @property
    def values(self) -> I64:
        """View all values."""
        return self._values[: self._count]


class Pdus:
    """Every PDU: its columns in one piece, its octets where the batches have them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._columns = {name: Growing() for name in PDU_COLUMNS}
        self._session = Growing()
        self._octets: list[np.ndarray] = []
        self._starts: list[int] = []
        self._count = 0
        self.searched: dict[int, Any] = {}
        """What a search keeps of spans of PDUs, by the first row of each."""

    def __len__(self) -> int:
        """Count the PDUs."""
        return self._count

    def add(self, batch: PduBatch, session: I64) -> None:
        """Take the next PDUs, and the number of the session of each."""
        if not len(batch):
            return
        for name, column in self._columns.items():
            column.add(getattr(batch, name))
        self._session.add(session)
        self._octets.append(batch.octets)
        self._starts.append(self._count)
        self._count += len(batch)

    def column(self, name: str) -> I64:
        """View a column of PDU_COLUMNS."""
        return self._columns[name].values

    @property
    def session(self) -> I64:
        """View the number of each PDU's session."""
        return self._session.values

    def spans(self, count: int) -> list[tuple[int, int]]:
        """Divide the first `count` rows: big batches each for itself, runs of small ones together."""
        found: list[tuple[int, int]] = []
        small = False
        starts = [start for start in self._starts if start < count]
        for start, stop in pairwise([*starts, count]):
            little = stop - start < _WHOLE
            if little and small and stop - found[-1][0] <= _TOGETHER:
                found[-1] = found[-1][0], stop
            else:
                found.append((start, stop))
            small = little
        return found

    def span(self, start: int, stop: int) -> PduBatch:
        """Give the PDUs of a span as a batch: where they are, or small ones copied together."""
        part = self._part(start)
        if self._part(stop - 1) != part:
            batch = self.batch(np.arange(start, stop))
            batch.first = start + 1
            return batch
        values: dict[str, Any] = {name: column.values[start:stop] for name, column in self._columns.items()}
        values |= {"layout": values["layout"].astype(np.uint8), "known_frame": values["frame"]}
        values |= {"fits": np.zeros(stop - start, np.uint8), "offset": np.zeros(stop - start, np.int64)}
        return PduBatch(octets=self._octets[part], first=start + 1, **values)

    def octets(self, row: int) -> bytes:
        """Give the octets of one PDU."""
        start = int(self.column("position")[row])
        part = self._octets[self._part(row)]
        return part[start : start + int(self.column("length")[row])].tobytes()

    def batch(self, rows: I64) -> PduBatch:
        """Copy some PDUs, in any order, into a batch of their own; its `first` means nothing."""
        pieces = [self.octets(row) for row in rows.tolist()]
        length = np.fromiter(map(len, pieces), np.int64, len(pieces))
        values = {name: column.values[rows] for name, column in self._columns.items()}
        small, none = np.zeros(len(rows), np.uint8), np.zeros(len(rows), np.int64)
        return PduBatch(
            octets=np.frombuffer(b"".join(pieces), np.uint8),
            first=1,
            position=np.cumsum(length) - length,
            length=length,
            command=values["command"],
            sequence=values["sequence"],
            layout=values["layout"].astype(np.uint8),
            fits=small,
            stream=values["stream"],
            direction=values["direction"],
            offset=none,
            frame=values["frame"],
            known_frame=values["frame"],
            time_ns=values["time_ns"],
        )

    def _part(self, row: int) -> int:
        """Tell which buffer holds a PDU."""
        return int(np.searchsorted(self._starts, row, "right")) - 1


class TransactionStore:
    """Transactions: those that have their response, and behind them those that are open as yet."""

    def __init__(self) -> None:
        """Begin with none."""
        self._closed = {name: Growing() for name in Transactions.__slots__}
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

    def row_of_frame(self, frame: int) -> int | None:
        """Find the first PDU of a frame, or of the next frame that completes one."""
        frames = self.pdus.column("frame")
        later = np.flatnonzero(frames >= frame)
        return int(later[np.argmin(frames[later])]) if len(later) else None
