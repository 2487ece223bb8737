"""Octets of the first PDUs of a store, in memory, so that searches need not read the capture again.

They lie one behind the other in parts that grow; views of them stay as they were, so that a thread may search some
while more are added.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from cmppscope.arrays import copy_stretches
from cmppscope.tables import I64, U8, PduBatch
from cmppscope.tui.growing import Growing

MOST = 512 << 20
"""Octets that are held of one capture: those of some five million PDUs."""
_PART = 64 << 20
"""Octets of a part that grows no more: a run of PDUs that crosses parts is copied, so parts are few."""


def octets_of(batch: PduBatch) -> U8:
    """Copy the octets of all PDUs of a batch, one behind the other."""
    octets = np.empty(int(batch.length.sum()), np.uint8)
    copy_stretches(batch.octets, batch.position, batch.length, octets)
    return octets


class Held:
    """Octets of PDUs from the first one on."""

    def __init__(self) -> None:
        """Hold none."""
        self._parts: list[Growing[np.uint8]] = []
        self._firsts: list[int] = []
        """The first row of each part."""
        self.rows = 0
        """How many PDUs are held."""

    def add(self, octets: U8, count: int) -> None:
        """Take the next PDUs, so many, one behind the other; the array is kept."""
        if not self._parts or len(self._parts[-1].values) >= _PART:
            self._firsts.append(self.rows)
            self._parts.append(Growing(octets))
        else:
            self._parts[-1].add(octets)
        self.rows += count

    def octets(self, start: int, stop: int, length: I64) -> U8:
        """Give the PDUs from one row to before another, one behind the other; `length` has the lengths of all rows."""
        found = []
        for at in range(bisect_right(self._firsts, start) - 1, bisect_right(self._firsts, stop - 1)):
            first = self._firsts[at]
            begin, end = int(length[first:start].sum()), int(length[first:stop].sum())
            found.append(self._parts[at].values[begin:end])
        return found[0] if len(found) == 1 else np.concatenate(found)
