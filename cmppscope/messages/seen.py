"""Whether a key came before: for each row, the row before it with the same key.

Keys are remembered for WINDOW PDUs, so that what is found depends on the PDUs alone and not on the batches. The sorted
keys answer the common question, that none came twice, without a look at the rows.
"""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.messages.table import Table, joined
from cmppscope.tables import I64

WINDOW = 1 << 18
"""PDUs for which a key is remembered."""


class Seen:
    """Remembers rows with a `key` and a `pdu`."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: Table | None = None
        self._sorted: I64 = np.zeros(0, np.int64)
        self._first = -1

    def remembers_all(self, pdus: I64) -> np.ndarray:
        """Tell which PDUs come within WINDOW of the first row ever, so that nothing was forgotten before them."""
        return np.asarray((self._first < 0) | (pdus - self._first < WINDOW))

    @property
    def nbytes(self) -> int:
        """Octets that are kept."""
        return self._sorted.nbytes + (0 if self._rows is None else self._rows.nbytes)

    def feed(self, rows: Table) -> list[tuple[int, dict[str, int]]]:
        """Take rows, ascending by `pdu`; give (row, the row before it with the same key) where there is one."""
        if not len(rows):
            return []
        if self._first < 0:
            self._first = int(rows["pdu"][0])
        fresh = np.sort(rows["key"])
        again = bool((fresh[1:] == fresh[:-1]).any()) or self._holds(fresh)
        everything = rows if self._rows is None else joined([self._rows, rows])
        found = self._look_up(everything, len(everything) - len(rows)) if again else []
        kept = everything["pdu"] > int(rows["pdu"][-1]) - WINDOW
        self._rows = everything if kept.all() else everything.take(kept)
        self._sorted = np.sort(self._rows["key"])
        return found

    def holds(self, keys: I64) -> np.ndarray:
        """Tell which keys are remembered."""
        if not len(self._sorted):
            return np.zeros(len(keys), np.bool_)
        place = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.asarray(self._sorted[place] == keys)

    def _holds(self, fresh: I64) -> bool:
        """Tell whether any key is remembered."""
        return bool(self.holds(fresh).any())

    def _look_up(self, rows: Table, known: int) -> list[tuple[int, dict[str, int]]]:
        """Find the rows from `known` on whose key stands in a row before."""
        order = stable_order(rows["key"])
        key, pdu = rows["key"][order], rows["pdu"][order]
        second = np.flatnonzero((key[1:] == key[:-1]) & (pdu[1:] - pdu[:-1] < WINDOW)) + 1
        second = second[order[second] >= known]
        found = [(int(order[at]) - known, rows.row(int(order[at - 1]))) for at in second.tolist()]
        return sorted(found, key=lambda entry: entry[0])
