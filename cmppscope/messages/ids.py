"""What is told by Msg_Ids alone, and what responses repeat: ids given twice, delivered twice, or come back wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmppscope.arrays import octets_at, stable_order
from cmppscope.columns import PduColumns
from cmppscope.messages.facts import Before, Echo, MessageFacts, Named, Place
from cmppscope.messages.notes import PART_MASK, Notes
from cmppscope.messages.prints import mixed, string_prints
from cmppscope.messages.seen import WINDOW, Seen
from cmppscope.messages.table import Table, joined
from cmppscope.tables import I64, Bool
from cmppscope.transactions import Paired, Transactions
from dissectors.cmpp.enums import DELIVER, FWD, QUERY, RESPONSE, SUBMIT

_ACKED = {"pdu": np.int64, "response": np.int64}
_GATEWAY_SHIFT, _GATEWAY_MASK = np.uint64(16), np.uint64(0x3FFFFF)
_ECHOING = (DELIVER, FWD, QUERY)


class Acks:
    """DELIVERs answered with Result 0, for WINDOW PDUs."""

    def __init__(self) -> None:
        """Begin with none."""
        self._table = Table.empty(_ACKED)
        self._sorted = True

    @property
    def nbytes(self) -> int:
        """Octets that are kept."""
        return self._table.nbytes

    def add(self, closed: Transactions, last_pdu: int) -> None:
        """Take closed transactions; `last_pdu` is the batch's."""
        which = np.flatnonzero((closed.command == DELIVER) & (closed.result == 0) & (closed.response_pdu > 0))
        fresh = Table.of(_ACKED, pdu=closed.pdu[which], response=closed.response_pdu[which])
        table = joined([self._table, fresh])
        self._table, self._sorted = table.take(table["response"] > last_pdu - WINDOW), False

    def before(self, delivers: I64, now: I64) -> Bool:
        """Tell which DELIVERs had been answered with Result 0 before the PDUs `now`."""
        if not len(self._table):
            return np.zeros(len(delivers), np.bool_)
        if not self._sorted:
            self._table, self._sorted = self._table.take(stable_order(self._table["pdu"])), True
        place = np.minimum(np.searchsorted(self._table["pdu"], delivers), len(self._table) - 1)
        there = self._table["pdu"][place] == delivers
        response = self._table["response"][place]
        found: Bool = there & (response < now) & (now - response < WINDOW)
        return found


class Ids:
    """Remembers Msg_Ids."""

    def __init__(self) -> None:
        """Begin with none."""
        self.given = Seen()
        """Msg_Ids of SUBMITs with Result 0."""
        self.acks = Acks()
        self._delivered = Seen()
        self._forwarded = Seen()
        self._gateways: dict[int, int] = {}

    @property
    def nbytes(self) -> int:
        """Octets that are kept."""
        return sum(kept.nbytes for kept in (self.given, self.acks, self._delivered, self._forwarded))

    def feed(self, columns: PduColumns, party: I64, paired: Paired, notes: Notes, of: I64) -> MessageFacts:
        """Take a batch; `party` is the SP of each PDU, `of` that of each closed transaction."""
        batch, closed = columns.batch, paired.closed
        if len(batch):
            self.acks.add(closed, batch.first + len(batch) - 1)
        return MessageFacts(
            same_ids=self._same_ids(closed, notes, of),
            repeats=self._repeats(columns, party, paired.resends, notes),
            gateways=self._changes(columns),
            loops=self._loops(columns, paired.resends),
            echoes=_echoes(closed, notes),
        )

    def _same_ids(self, closed: Transactions, notes: Notes, of: I64) -> list[Named]:
        """Find the Msg_Ids that different SUBMITs of an SP got, but for those that share one as Pk_total says."""
        rows = np.flatnonzero((closed.command == SUBMIT) & (closed.result == 0) & (closed.msg_id != 0))
        rows = rows[stable_order(closed.response_pdu[rows])]
        pk = notes.of(closed.pdu[rows], "c").c & PART_MASK
        table = Table(
            {
                "key": mixed(closed.msg_id[rows].view(np.uint64), of[rows].view(np.uint64)).view(np.int64),
                "pdu": closed.response_pdu[rows],
                "submit": closed.pdu[rows],
                "pk": pk,
            }
        )
        found = []
        for at, before in self.given.feed(table):
            row = int(rows[at])
            total, number = divmod(int(pk[at]), 256)
            shared = total > 1 and before["pk"] >> 8 == total and before["pk"] & 0xFF != number
            if not shared:
                place = _response_place(closed, row)
                found.append(Named(place, int(closed.msg_id[row]) & (2**64 - 1), before["submit"]))
        return found

    def _repeats(self, columns: PduColumns, party: I64, resends: I64, notes: Notes) -> list[Before]:
        """Find the DELIVERs whose Msg_Id was delivered before and answered; several handsets may share one."""
        body, rows = columns.body(DELIVER), columns.rows(DELIVER)
        ids, position = body.integer("msg_id").astype(np.uint64), body.position
        good = (ids != 0) & body.valid("src_terminal_id")
        if len(resends):
            good &= ~np.isin(rows, resends)
        if not good.all():
            ids, rows, position = ids[good], rows[good], position[good]
        about = notes.of(columns.batch.first + rows, "c").c.view(np.uint64)  # the handset of a report
        plain = np.flatnonzero(about == 0)
        if len(plain):
            offset = int(body.place("src_terminal_id")[0][0])
            about[plain] = string_prints(octets_at(body.octets, position[plain] + offset, 21))
        key = mixed(ids, party[rows].view(np.uint64), about).view(np.int64)
        table = Table({"key": key, "pdu": columns.batch.first + rows})
        found = [Before(int(rows[at]), before["pdu"]) for at, before in self._delivered.feed(table)]
        if not found:
            return []
        row, before = np.array(found, np.int64).T
        answered = self.acks.before(before, columns.batch.first + row)
        return [entry for entry, good in zip(found, answered.tolist(), strict=True) if good]

    def _changes(self, columns: PduColumns) -> list[Before]:
        """Find the SUBMIT_RESPs whose Msg_Id is of another gateway than the one before on the connection."""
        body, rows = columns.body(SUBMIT | RESPONSE), columns.rows(SUBMIT | RESPONSE)
        if not len(rows):
            return []
        ids = body.integer("msg_id").astype(np.uint64)
        gateway = ((ids >> _GATEWAY_SHIFT) & _GATEWAY_MASK).astype(np.int64)
        good = (body.integer("result") == 0) & dated(ids)
        rows, gateway = rows[good], gateway[good]
        stream = columns.batch.stream[rows]
        if not len(rows) or self._unchanged(stream, gateway):
            return []
        found = []
        for row, number, value in zip(rows.tolist(), stream.tolist(), gateway.tolist(), strict=True):
            before = self._gateways.setdefault(number, value)
            if before != value:
                found.append(Before(row, before))
                self._gateways[number] = value
        return found

    def _unchanged(self, stream: I64, gateway: I64) -> bool:
        """Tell whether all have one gateway number, which those streams had before; note it."""
        if gateway.min() != gateway.max():
            return False
        value = int(gateway[0])
        streams = np.flatnonzero(np.bincount(stream)).tolist()
        return all(self._gateways.setdefault(number, value) == value for number in streams)

    def _loops(self, columns: PduColumns, resends: I64) -> list[Before]:
        """Find the FWDs that passed the same two gateways before, with a lower NodesCount."""
        body, rows = columns.body(FWD), columns.rows(FWD)
        good = body.valid("pk_number") & ~np.isin(rows, resends)
        if not good.any():
            return []
        at = body.position[good]
        ids = body.integer("msg_id")[good].astype(np.uint64)
        names = ("msg_fwd_type", "pk_total", "pk_number")
        part = [body.integer(name)[good].astype(np.uint64) for name in names]
        pair = string_prints(octets_at(body.octets, at + body.place("source_id")[0][good], 12))
        nodes = body.integer("nodescount")[good].astype(np.int64)
        rows = rows[good]
        key = mixed(ids, pair, *part).view(np.int64)
        table = Table({"key": key, "pdu": columns.batch.first + rows, "nodes": nodes})
        found = self._forwarded.feed(table)
        return [Before(int(rows[at_]), before["pdu"]) for at_, before in found if nodes[at_] > before["nodes"]]


def dated(ids: np.ndarray) -> Bool:
    """Tell which Msg_Ids hold a month, day and time of day (CMPP 2.0 §7.4.3.2)."""
    month, day, hour = (
        (ids >> np.uint64(shift)) & np.uint64(mask) for shift, mask in ((60, 0xF), (55, 0x1F), (50, 0x1F))
    )
    minute, second = ((ids >> np.uint64(shift)) & np.uint64(0x3F) for shift in (44, 38))
    good: Bool = (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23) & (minute <= 59) & (second <= 59)
    return good


def _echoes(closed: Transactions, notes: Notes) -> Sequence[Echo]:
    """Find the responses that do not repeat what their request says."""
    which = np.flatnonzero(np.logical_or.reduce([closed.command == c for c in _ECHOING]) & (closed.response_pdu > 0))
    if not len(which):
        return []
    asked, said = notes.of(closed.pdu[which], "a"), notes.of(closed.response_pdu[which], "a")
    differs = asked.there & said.there & ((asked.a != said.a) | (closed.command[which] == FWD))
    if not differs.any():
        return []
    which = which[differs]
    asked, said = notes.of(closed.pdu[which]), notes.of(closed.response_pdu[which])
    fwd = closed.command[which] == FWD
    differs = (asked.a != said.a) | (fwd & (asked.b != said.b))
    return [
        Echo(
            _response_place(closed, int(which[at])),
            int(closed.command[which[at]]),
            int(closed.pdu[which[at]]),
            (int(asked.a[at]), int(asked.b[at]), int(asked.c[at])),
            (int(said.a[at]), int(said.b[at]), int(said.c[at])),
        )
        for at in np.flatnonzero(differs).tolist()
    ]


def _response_place(closed: Transactions, row: int) -> Place:
    """Give the place of a response."""
    return Place(
        int(closed.response_pdu[row]),
        int(closed.response_frame[row]),
        int(closed.stream[row]),
        1 - int(closed.direction[row]),
    )
