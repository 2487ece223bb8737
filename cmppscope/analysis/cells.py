"""Numbers kept by key in bounded memory: sparse histograms and series.

A key is an owner (a session, a command, a direction) over a place (a bin of a histogram, a second). When there are more
cells than a cap allows, every two neighbouring places become one. How often that happens depends on which cells there
are in the end and not on when they came, so that the result is the same however the input was cut.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.tables import I64

_PENDING = 100_000
"""Numbers that are kept as they came before they are put to the others."""


def counted(keys: I64) -> tuple[I64, I64]:
    """Give the different numbers, in ascending order, and how often each is there."""
    keys = np.sort(keys)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else keys
    return keys[starts], np.diff(np.r_[starts, len(keys)])


class Cells:
    """Sums or maxima by owner and place."""

    def __init__(self, place_bits: int, most: int, join: Literal["sum", "max"]) -> None:
        """A place takes `place_bits` bits; above `most` cells places are joined."""
        self._bits = place_bits
        self._most = most
        self._join = np.add if join == "sum" else np.maximum
        self._keys = np.zeros(0, np.int64)
        self._values = np.zeros(0, np.int64)
        self._coming: list[tuple[I64, I64]] = []
        self._pending = 0
        self.halvings = 0
        """How often neighbouring places were joined: a place stands for 1 << halvings of them."""

    def add(self, owner: I64 | int, place: I64, value: I64 | None = None) -> None:
        """Take numbers; without `value` each counts as 1."""
        if not len(place):
            return
        key = (owner << self._bits) | (place >> self.halvings)
        if value is None:
            key, value = counted(key)
        self._coming.append((key, value))
        self._pending += len(key)
        if self._pending > max(_PENDING, len(self._keys)):
            self._settle()

    def all(self) -> tuple[I64, I64, I64]:
        """Give (owner, place, value) of all cells, by owner and place."""
        self._settle()
        return self._keys >> self._bits, self._keys & ((1 << self._bits) - 1), self._values

    def of(self, owner: int) -> tuple[I64, I64]:
        """Give (place, value) of the cells of one owner, by place."""
        self._settle()
        low, high = np.searchsorted(self._keys, [owner << self._bits, (owner + 1) << self._bits])
        return self._keys[low:high] & ((1 << self._bits) - 1), self._values[low:high]

    def _settle(self) -> None:
        """Put what came to the others, and join places while there are too many."""
        if self._coming:
            keys = np.concatenate([self._keys, *(key for key, _ in self._coming)])
            values = np.concatenate([self._values, *(value for _, value in self._coming)])
            self._coming, self._pending = [], 0
            self._merge(keys, values)
        while len(self._keys) > self._most and self.halvings < self._bits:
            self.halvings += 1
            place = self._keys & ((1 << self._bits) - 1)
            self._merge((self._keys - place) | (place >> 1), self._values)

    def _merge(self, keys: I64, values: I64) -> None:
        """Make one cell of all numbers of a key."""
        order = stable_order(keys)
        keys = keys[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        self._keys, self._values = keys[starts], self._join.reduceat(values[order], starts)
