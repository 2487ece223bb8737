"""All messages in the store as one list, as `messages.listing` makes it: filters look at what is there now.

Octets are read again where the store knows them to be.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.messages.listing import Listing, Message
from cmppscope.messages.table import Table
from cmppscope.tables import I64, PduBatch
from cmppscope.transactions import Transactions
from cmppscope.tui.lives import Kept
from cmppscope.tui.store import Pdus
from dissectors.cmpp.enums import CANCEL, DELIVER, FWD, SUBMIT

_AT_A_TIME = 4096
"""Requests whose octets are read in one go."""


class StoredListing(Listing):
    """A list of messages whose PDUs are the store's."""

    def __init__(self, pdus: Pdus, transactions: Callable[[], Transactions], kept: Kept) -> None:
        """Take what the store has; `transactions` and `kept` stay as they are while the store grows."""
        super().__init__()
        self._store = pdus
        self._transactions = transactions
        self._kept = kept
        self._leaders = [kept.leaders]
        self._found: list[Message] | None = None
        self._others: I64 = np.zeros(0, np.int64)
        self._read: dict[int, bytes] = {}

    def messages(self) -> list[Message]:
        """Give all messages, in the order of their first requests."""
        if self._found is None:
            self.sent, self.reports = self._requests(), self._reported()
            self._others = np.flatnonzero(self.sent["command"] != SUBMIT)
            self._found = self._put_together()
            self._read = {}
        return self._found

    def pdus(self, rows: I64) -> PduBatch:
        """Give the request PDUs of some rows of `sent` as a batch of their own, in that order."""
        return self._store.batch(self.sent["pdu"][rows] - 1)

    def _requests(self) -> Table:
        """Give the transactions that messages are told from, in order of their requests."""
        table = self._transactions()
        wanted = np.isin(table.command, (SUBMIT, FWD, CANCEL))
        wanted |= (table.command == DELIVER) & ~np.isin(table.pdu, self._kept.reports)
        rows = np.flatnonzero(wanted)
        rows = rows[np.argsort(table.pdu[rows], kind="stable")]
        return Table({name: getattr(table, name)[rows] for name in Transactions.__slots__})

    def _reported(self) -> Table:
        """Give the reports, in order of the SUBMIT they belong to."""
        joined, again = self._kept.joined, self._kept.again
        submit, report, time, stat, number = (np.concatenate(pair) for pair in zip(joined, again, strict=True))
        table = Table(
            {
                "submit": submit,
                "number": number.view(np.uint64),
                "report": report,
                "time": time,
                "stat": stat,
                "first": np.arange(len(submit)) < len(joined[0]),
            }
        )
        return table.take(np.lexsort((report, submit)))

    def _request(self, row: int) -> bytes:
        """Give the octets of a request that is no SUBMIT; none where they cannot be read again.

        They are asked for in order: many are read at a time.
        """
        if row not in self._read:
            at = int(np.searchsorted(self._others, row))
            rows = self._others[at : at + _AT_A_TIME]
            batch = self.pdus(rows)
            self._read = {each: batch.octets_of(place) for place, each in enumerate(rows.tolist())}
        return self._read[row]
