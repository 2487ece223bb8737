"""What a request and its response say that is wanted when they are joined, kept until then.

A transaction is closed with the PDU of its response, often in a later batch than its request. Of each PDU that a
message needs, three numbers are noted; those whose transaction is not closed yet are carried to the next batch.

    SUBMIT     print of the first receiver · receivers, prefix, Service_Id, Src_Id (`packed`) · Pk_total, Pk_number, SP
    DELIVER    Msg_Id · Msg_Id inside the report · print of the number inside, 0 in a message
    FWD        Msg_Id · Pk_total, Pk_number
    QUERY      print of Time, Query_Type and Query_Code
    CANCEL     Msg_Id

and of the responses to DELIVER, FWD and QUERY, what they repeat, in the same places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import octets_at
from cmppscope.columns import Columns, PduColumns
from cmppscope.messages.parties import NOBODY
from cmppscope.messages.prints import WIDTH, number_prints, string_prints
from cmppscope.messages.table import Table, joined
from cmppscope.messages.tally import Keys
from cmppscope.tables import I64, U64, Bool, PduBatch
from cmppscope.transactions import Paired
from dissectors.cmpp.enums import CANCEL, DELIVER, FWD, QUERY, RESPONSE, SUBMIT

NOTED = (SUBMIT, DELIVER, FWD, QUERY, CANCEL, DELIVER | RESPONSE, FWD | RESPONSE, QUERY | RESPONSE)
_KINDS = {"pdu": np.int64, "a": np.int64, "b": np.int64, "c": np.int64}
_ECHO = ("time", 19)
"""The first field that QUERY_RESP repeats, and the octets of all of them (CMPP 2.0 §7.4.4.2)."""


PREFIX_SHIFT, SERVICE_SHIFT, SOURCE_SHIFT = 8, 20, 36
PARTY_SHIFT, PART_MASK = 16, 0xFFFF
_CODE = 0xFFFF
NO_PREFIX = 1000


_NONE: I64 = np.zeros(0, np.int64)


class Said(NamedTuple):
    """What was noted of some PDUs; 0 where nothing was."""

    there: Bool
    a: I64
    b: I64
    c: I64


def prefix_of(packed: I64) -> I64:
    """Give the first three digits of the first receiver, 1000 where they are none."""
    return (packed >> PREFIX_SHIFT) & 0xFFF


def party_of(said: Said) -> I64:
    """Give the SP of SUBMITs, NOBODY where it is not known; needs their `c`."""
    return (said.c >> PARTY_SHIFT) + NOBODY


def service_of(packed: I64) -> I64:
    """Give the number of the Service_Id."""
    return (packed >> SERVICE_SHIFT) & _CODE


def source_of(packed: I64) -> I64:
    """Give the number of the Src_Id."""
    return (packed >> SOURCE_SHIFT) & _CODE


class Notes:
    """Notes PDUs, and hands out what was noted."""

    def __init__(self, services: Keys, sources: Keys) -> None:
        """`services` and `sources` number the Service_Ids and Src_Ids."""
        self._services, self._sources = services, sources
        self._carried = Table.empty(_KINDS)
        self._first = 0
        self._said = _nothing(0)

    @property
    def nbytes(self) -> int:
        """Octets that are carried."""
        return self._carried.nbytes

    def feed(self, batch: PduBatch, columns: PduColumns, party: I64) -> None:
        """Note the PDUs of a batch; `party` is the SP of each."""
        count = len(batch)
        self._first = batch.first
        self._said = _nothing(count)
        for command in NOTED:
            rows = columns.rows(command)
            if len(rows):
                self._note(columns, command, rows, party)

    def of(self, pdus: I64, names: str = "abc") -> Said:
        """Give what was noted of some PDUs; of the three numbers those with `names`, the others are left empty."""
        rows = pdus - self._first
        older = np.flatnonzero(rows < 0)
        if len(older):
            rows[older] = 0
        said = self._said
        if not len(said.there):
            found = _nothing(len(pdus))
        else:
            numbers = (getattr(said, name)[rows] if name in names else _NONE for name in "abc")
            found = Said(said.there[rows], *numbers)
        if len(older):
            there, numbers_of = self._older(pdus[older])
            found.there[older] = there
            for name in names:
                getattr(found, name)[older] = numbers_of(name)
        return found

    def settle(self, paired: Paired) -> None:
        """Forget the PDUs of transactions that are closed, responses that answer nothing, and further sendings.

        What is carried are open requests and the responses that wait for theirs, of which pairing keeps so many.
        """
        closed, resends = paired.closed, paired.resends
        strays = np.array([stray.pdu for stray in paired.strays], np.int64)
        used = np.concatenate([closed.pdu, closed.response_pdu, strays])
        open_ = self._said.there.copy()
        open_[resends] = False
        rows = used - self._first
        open_[rows[rows >= 0]] = False
        still = np.flatnonzero(open_)
        fresh = Table.of(_KINDS, pdu=self._first + still, **{n: getattr(self._said, n)[still] for n in "abc"})
        if len(self._carried):
            older = np.sort(used[rows < 0])
            place = np.minimum(np.searchsorted(older, self._carried["pdu"]), max(len(older) - 1, 0))
            kept = older[place] != self._carried["pdu"] if len(older) else np.ones(len(self._carried), np.bool_)
            fresh = joined([self._carried.take(kept), fresh])
        self._carried = fresh

    def _older(self, pdus: I64) -> tuple[Bool, Callable[[str], I64]]:
        """Find what was carried of PDUs from before the batch: whether it was, and what gives each number."""
        known = self._carried["pdu"]
        if not len(known):
            return np.zeros(len(pdus), np.bool_), lambda _: np.zeros(len(pdus), np.int64)
        place = np.minimum(np.searchsorted(known, pdus), len(known) - 1)
        there = known[place] == pdus
        return there, lambda name: np.where(there, self._carried[name][place], 0)

    def _note(self, columns: PduColumns, command: int, rows: I64, party: I64) -> None:
        """Note the PDUs of one command whose fields are all there."""
        body = columns.body(command)
        there = body.valid(body.body.fields[-1].name)
        if not there.all():
            rows, body = rows[there], Columns(body.octets, body.position[there], body.length[there], body.body)
        if not len(rows):
            return
        said = self._said
        said.there[rows] = True
        if command == SUBMIT:
            said.a[rows], said.b[rows] = self._submit(body)
            said.c[rows] = _part(body) | ((party[rows] - NOBODY) << PARTY_SHIFT)
        elif command & ~RESPONSE == QUERY:
            start, width = _ECHO
            fields = octets_at(body.octets, body.position + body.place(start)[0], width)
            said.a[rows] = string_prints(fields).view(np.int64)
        else:
            said.a[rows] = body.integer("msg_id").view(np.int64)
        if command & ~RESPONSE == FWD:
            said.b[rows] = _part(body)
        if command == DELIVER:
            for inside, report in columns.reports(DELIVER).values():
                of = columns.rows(DELIVER)[inside]
                said.b[of] = report.integer("msg_id").view(np.int64)
                said.c[of] = report_numbers(columns, report).view(np.int64) | 1

    def _submit(self, body: Columns) -> tuple[I64, I64]:
        """Give what is noted of SUBMITs."""
        count = body.integer("dest_usr_tl").astype(np.int64)
        first = np.where(count > 0, body.place("dest_terminal_id")[0], 0)  # the fixed part is as long as a number
        number, head = number_prints(octets_at(body.octets, body.position + first, WIDTH))
        service = self._services.feed(body.strings("service_id").octets)
        source = self._sources.feed(body.strings("src_id").octets)
        packed = count | (np.where(count > 0, _prefix(head), NO_PREFIX) << PREFIX_SHIFT)
        packed |= (service << SERVICE_SHIFT) | (source << SOURCE_SHIFT)
        return np.where(count > 0, number.view(np.int64), 0), packed


def report_numbers(columns: PduColumns, report: Columns) -> U64:
    """Give the prints of the numbers inside reports; made once a batch."""
    numbers = report.strings("dest_terminal_id").octets
    return columns.once(("report numbers", numbers.shape[1]), lambda: number_prints(numbers)[0])


def _nothing(count: int) -> Said:
    """Say that nothing was noted."""
    return Said(np.zeros(count, np.bool_), *(np.zeros(count, np.int64) for _ in range(3)))


def _part(body: Columns) -> I64:
    """Give Pk_total and Pk_number in one number."""
    return (body.integer("pk_total").astype(np.int64) << 8) | body.integer("pk_number").astype(np.int64)


def _prefix(head: I64) -> I64:
    """Read three characters as a number."""
    digits = [((head >> shift) & 0xFF) - ord("0") for shift in (0, 8, 16)]
    value = digits[0] * 100 + digits[1] * 10 + digits[2]
    good = np.logical_and.reduce([(digit >= 0) & (digit <= 9) for digit in digits])
    return np.where(good, value, NO_PREFIX)
