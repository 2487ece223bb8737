"""How the trackers name a PDU as a place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmppscope.rules.model import Spot
from cmppscope.tables import PduBatch

I8 = NDArray[np.int8]


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
