"""The last octets that each direction delivered in order, kept for a while to compare copies with them.

The fast path gives octets away without a look; here the tail of what it gave is kept, once a batch and direction.
Memory is bounded by RECENT_FRAMES directions of RECENT_OCTETS: what is older is never compared and let go.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from cmppscope.reassembly.direction import RECENT_FRAMES, RECENT_OCTETS, Direction
from cmppscope.tables import I64, SegmentBatch


class Recent:
    """Knows which directions hold octets to compare with."""

    def __init__(self, directions: Mapping[int, Direction]) -> None:
        """`directions` are those that reassembly keeps, by stream * 2 + direction."""
        self._directions = directions
        self._order: OrderedDict[int, None] = OrderedDict()

    def keep(self, batch: SegmentBatch, octets: memoryview, plain: Mapping[int, I64]) -> None:
        """Keep the last octets that rows of a batch delivered in order."""
        for group, rows in plain.items():
            if len(rows):
                _remember(self._directions[group], batch, octets, rows)
                self.touch(group)

    def touch(self, group: int) -> None:
        """Count a direction among those that delivered octets last."""
        self._order[group] = None
        self._order.move_to_end(group)

    def __contains__(self, group: int) -> bool:
        """Tell whether a direction is among them."""
        return group in self._order

    def forget(self, frame: int) -> None:
        """Let go of what is too old at a frame."""
        while self._order:
            group = next(iter(self._order))
            state = self._directions[group]
            if frame - state.recent_frame <= RECENT_FRAMES:
                break
            state.recent = b""
            del self._order[group]


def _remember(state: Direction, batch: SegmentBatch, octets: memoryview, rows: I64) -> None:
    """Keep the tail of what rows in order delivered, as `Direction.remember` does row by row."""
    parts: list[bytes | memoryview] = []
    total, later = 0, int(batch.frame[rows[-1]])
    for at in range(len(rows) - 1, -1, -1):
        row = int(rows[at])
        frame, begin, length = int(batch.frame[row]), int(batch.offset[row]), int(batch.length[row])
        if later - frame > RECENT_FRAMES or total >= RECENT_OCTETS:
            break
        parts.append(octets[begin : begin + length])
        total += length
        later = frame
    else:
        if later - state.recent_frame <= RECENT_FRAMES:
            parts.append(state.recent)
    state.recent = b"".join(reversed(parts))[-RECENT_OCTETS:]
    state.recent_frame = int(batch.frame[rows[-1]])
