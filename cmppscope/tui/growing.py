"""Columns that grow at their end while others look at them."""

from __future__ import annotations

from cmppscope.arrays import grown, none
from cmppscope.tables import I64


class Growing:
    """A column that grows at its end; views of it stay as they were."""

    def __init__(self) -> None:
        """Begin empty."""
        self._values = none()
        self._count = 0

    def add(self, values: I64) -> None:
        """Put values behind those that are there."""
        end = self._count + len(values)
        if end > len(self._values):
            self._values = grown(self._values, end)
        self._values[self._count : end] = values
        self._count = end

    @property
    def values(self) -> I64:
        """View all values."""
        return self._values[: self._count]
