"""Small tools of the trackers: places of PDUs, and columns that grow."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cmppscope.rules.model import Spot
from cmppscope.tables import PduBatch

I8 = NDArray[np.int8]
_Kind = TypeVar("_Kind", bound=np.generic)


def grown(column: NDArray[_Kind], size: int) -> NDArray[_Kind]:
    """Give a column with room for `size` rows, new ones 0."""
    more = size - len(column)
    if more <= 0:
        return column
    return np.concatenate([column, np.zeros(max(more, len(column) // 2, 64), column.dtype)])


def spot_of(batch: PduBatch, row: int, a: int = 0, b: int = 0, other: int = 0, **values: object) -> Spot:
    """Give a PDU as a place."""
    return Spot(
        batch.first + row,
        int(batch.frame[row]),
        int(batch.stream[row]),
        int(batch.direction[row]),
        int(batch.offset[row]),
        int(batch.command[row]),
        a,
        b,
        other,
        values,
    )
