"""Columns that grow at their end while others look at them."""

from __future__ import annotations

import numpy as np

from cmppscope.tables import I64

_AT_FIRST = 1024


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
