"""Arrays that grow."""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import grown


def test_growing() -> None:
    """Arrays grow at least to the size asked for, keep what they hold, and are not copied for nothing."""
    small = np.array([7, 8], np.int64)
    big = grown(small, 40)
    assert (big[:2].tolist(), int(big[2:].sum()), len(big) >= 40) == ([7, 8], 0, True)
    assert grown(big, 40) is big
