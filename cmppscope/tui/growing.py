"""Columns that grow at their end while others look at them."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from cmppscope.arrays import grown

_Kind = TypeVar("_Kind", bound=np.generic)


class Growing(Generic[_Kind]):
    """A column that grows at its end; views of it stay as they were."""

    def __init__(self, values: NDArray[_Kind]) -> None:
        """Begin with some values, of which nobody else has need."""
        self._values = values
        self._count = len(values)

    def add(self, values: NDArray[_Kind]) -> None:
        """Put values behind those that are there."""
        end = self._count + len(values)
        if end > len(self._values):
            self._values = grown(self._values, end)
        self._values[self._count : end] = values
        self._count = end

    @property
    def values(self) -> NDArray[_Kind]:
        """View all values."""
        return self._values[: self._count]
