"""Every message in one list: the requests that carry it, and what the joins found about them.

For the `messages` command and the screens, which keep rows; a report keeps none. Of each SUBMIT, DELIVER, FWD and
CANCEL the octets are kept, of its transaction and its reports the columns. A message is one entry: the first part of
a long one stands for all, a FWD joins the message of its Msg_Id, and a report belongs to its SUBMIT.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.columns import PduColumns
from cmppscope.messages.facts import MessageFacts
from cmppscope.messages.ledger import AGAIN, JOINED
from cmppscope.messages.table import Table, joined
from cmppscope.tables import I64, PduBatch
from cmppscope.transactions import Transactions
from dissectors.cmpp.enums import CANCEL, DELIVER, FWD, SUBMIT

MT, MO, FORWARDED = "MT", "MO", "FWD"

_KEPT = (SUBMIT, DELIVER, FWD, CANCEL)
_SENT = (
    "pdu",
    "frame",
    "time_ns",
    "stream",
    "direction",
    "session",
    "command",
    "sendings",
    "response_pdu",
    "response_frame",
    "response_time_ns",
    "result",
    "asked",
    "msg_id",
    "state",
)
_PDU = ("command", "sequence", "layout", "stream", "direction", "frame", "time_ns")
_REPORT = {
    "submit": np.int64,
    "number": np.uint64,
    "report": np.int64,
    "time": np.int64,
    "stat": np.int64,
    "first": np.bool_,
}
_FIRST_OFFSET, _FWD_OFFSET = 12, 26
"""Where Msg_Id stands in CANCEL and DELIVER, and in FWD (CMPP 2.0 §7.4.5.1, §7.4.6.1, §7.5.4.1)."""


_TYPE_OFFSET, _COUNT_OFFSET, _REPORT_TYPES = 25, 142, (2, 3)
"""Where Msg_Fwd_Type and DestUsr_tl stand in FWD, and the types that are reports (CMPP 2.0 §7.5.4.1)."""


class _Facts(Protocol):
    """What the list takes of the facts of a batch (`cmppscope.rules.Facts`)."""

    batch: PduBatch
    columns: PduColumns
    messages: MessageFacts

    @property
    def settled(self) -> Sequence[Transactions]:
        """Transactions that are over."""
        ...


class Message(NamedTuple):
    """One message: rows of `Listing.sent`."""

    kind: str
    """MT, MO or FORWARDED."""
    parts: Sequence[int]
    """Its requests, in the order of part numbers' first appearance."""
    hops: Sequence[int]
    """The FWDs that carry it or its report."""
    cancels: Sequence[int]


class Listing:
    """Keeps rows; `messages` puts them in order when the capture has ended."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sent: list[Table] = []
        self._reports: list[Table] = [Table.empty(_REPORT)]
        self._leaders: list[tuple[I64, I64]] = []
        self._octets: list[bytes] = []
        self._pdus: list[Table] = []
        self._size = 0
        self.sent = Table.empty(dict.fromkeys(_SENT, np.int64))
        """Transactions, in order of their requests."""
        self.reports = self._reports[0]
        """Reports, in order of the SUBMIT they belong to."""

    def feed(self, facts: _Facts) -> None:
        """Take the facts of a batch, or of the end of the capture."""
        told = facts.messages
        if len(facts.batch):
            self._keep(facts.batch, facts.columns)
        for closed in facts.settled:
            rows = np.flatnonzero(np.isin(closed.command, _KEPT))
            self._sent.append(Table({name: getattr(closed, name)[rows] for name in _SENT}))
        self._leaders.append(told.leaders)
        for judged in told.judged:
            named = np.flatnonzero((judged.kind == JOINED) | (judged.kind == AGAIN))
            reports = judged.reports
            self._reports.append(
                Table(
                    {
                        "submit": judged.rows["pdu"][named],
                        "number": judged.rows["number"][named],
                        "report": reports["pdu"][named],
                        "time": reports["time"][named],
                        "stat": reports["stat"][named],
                        "first": judged.kind[named] == JOINED,
                    }
                )
            )

    def messages(self) -> list[Message]:
        """Give all messages, in the order of their first requests."""
        sent = joined([self.sent, *self._sent])
        kept = joined(self._pdus) if self._pdus else Table.empty({"pdu": np.int64})
        sent = sent.take(np.isin(sent["pdu"], kept["pdu"]))
        self.sent = sent.take(stable_order(sent["pdu"]))
        self._sent, self._pdus = [], [kept]
        reports = joined(self._reports)
        self.reports = reports.take(np.lexsort((reports["report"], reports["submit"])))
        self._reports = [self.reports]
        return self._put_together()

    def reports_of(self, submit: int) -> Table:
        """Give the reports of a SUBMIT."""
        low, high = (int(np.searchsorted(self.reports["submit"], submit, side)) for side in ("left", "right"))
        return self.reports.take(slice(low, high))

    def pdus(self, rows: I64) -> PduBatch:
        """Give the request PDUs of some rows of `sent` as a batch of their own, in that order."""
        kept = self._pdus[0]
        at = np.searchsorted(kept["pdu"], self.sent["pdu"][rows])
        length, start = kept["length"][at], kept["position"][at]
        pieces = [self._piece(int(begin), int(size)) for begin, size in zip(start, length, strict=True)]
        zeros, none = np.zeros(len(rows), np.uint8), np.full(len(rows), -1, np.int64)
        columns = {name: kept[name][at] for name in _PDU}
        columns["layout"] = columns["layout"].astype(np.uint8)
        return PduBatch(
            octets=np.frombuffer(b"".join(pieces), np.uint8),
            first=1,
            position=np.cumsum(length) - length,
            length=length,
            fits=zeros,
            offset=none,
            known_frame=columns["frame"],
            **columns,
        )

    def _piece(self, start: int, size: int) -> bytes:
        """Give octets that were kept."""
        number = int(np.searchsorted(self._ends, start, "right"))
        begin = start - (int(self._ends[number - 1]) if number else 0)
        return self._octets[number][begin : begin + size]

    @property
    def _ends(self) -> I64:
        """Where each buffer ends, counted through all."""
        if len(self._cached_ends) != len(self._octets):
            self._cached_ends = np.cumsum([len(octets) for octets in self._octets])
        return self._cached_ends

    _cached_ends: I64 = np.zeros(0, np.int64)

    def _keep(self, batch: PduBatch, columns: PduColumns) -> None:
        """Keep the octets of the PDUs that messages are told from."""
        wanted = np.isin(batch.command, _KEPT)
        deliver = columns.rows(DELIVER)
        wanted[deliver[columns.body(DELIVER).integer("registered_delivery") == 1]] = False
        rows = np.flatnonzero(wanted)
        if not len(rows):
            return
        length = batch.length[rows]
        pieces = [batch.octets_of(row) for row in rows.tolist()]
        octets = b"".join(pieces)
        self._octets.append(octets)
        table = {name: getattr(batch, name)[rows].astype(np.int64) for name in _PDU}
        table |= {"pdu": batch.first + rows, "length": length, "position": self._size + np.cumsum(length) - length}
        self._pdus.append(Table(table))
        self._size += len(octets)

    def _put_together(self) -> list[Message]:
        """Find the requests of each message."""
        sent = self.sent
        leader = {part: first for parts, firsts in self._leaders for part, first in zip(parts, firsts, strict=True)}
        heads: dict[int, Message] = {}
        by_id: dict[int, list[int]] = {}
        command, pdu = sent["command"].tolist(), sent["pdu"].tolist()
        rows: dict[int, list[int]] = {}
        for row, (kind, number) in enumerate(zip(command, pdu, strict=True)):
            if kind in (SUBMIT, DELIVER):
                first = leader.get(number, number)
                rows.setdefault(first, []).append(row)
                name = int(sent["msg_id"][row]) if kind == SUBMIT else self._named(row, _FIRST_OFFSET)
                if name:
                    by_id.setdefault(name, []).append(first)
        for first, parts in rows.items():
            heads[first] = Message(MT if command[parts[0]] == SUBMIT else MO, parts, [], [])
        for row in np.flatnonzero(np.isin(sent["command"], (FWD, CANCEL))).tolist():
            cancel = command[row] == CANCEL
            name = self._named(row, _FIRST_OFFSET if cancel else self._fwd_offset(row))
            owners = by_id.get(name, [])
            if owners and name:
                message = heads[owners[0]]
                (message.cancels if cancel else message.hops).append(row)  # type: ignore[attr-defined]
            elif not cancel:
                heads[pdu[row]] = Message(FORWARDED, [row], [], [])
                if name:
                    by_id[name] = [pdu[row]]
        return [heads[first] for first in sorted(heads)]

    def _fwd_offset(self, row: int) -> int:
        """Tell where in a FWD the Msg_Id of the message stands: in a report, inside the content."""
        octets = self._request(row)
        if len(octets) > _COUNT_OFFSET and octets[_TYPE_OFFSET] in _REPORT_TYPES:
            return _COUNT_OFFSET + 2 + 21 * octets[_COUNT_OFFSET]
        return _FWD_OFFSET

    def _named(self, row: int, offset: int) -> int:
        """Read the Msg_Id in a request, as a signed number; 0 where there is none."""
        octets = self._request(row)[offset : offset + 8]
        return int.from_bytes(octets, "big", signed=True) if len(octets) == 8 else 0

    def _request(self, row: int) -> bytes:
        """Give the octets of a request."""
        kept = self._pdus[0]
        at = int(np.searchsorted(kept["pdu"], self.sent["pdu"][row]))
        return self._piece(int(kept["position"][at]), int(kept["length"][at]))
