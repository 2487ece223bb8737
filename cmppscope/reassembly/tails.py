"""Which directions lost their last octets: a hole shows itself by what follows it, and nothing follows these."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cmppscope.reassembly.asleep import Asleep
from cmppscope.reassembly.direction import FAR_OCTETS, Direction
from cmppscope.reassembly.table import Streams
from cmppscope.tables import I64, Bool

_WRAP = 1 << 32
_HALF = 1 << 31


def lost_tails(streams: Streams, directions: Mapping[int, Direction], asleep: Asleep) -> frozenset[int]:
    """Give the directions (stream * 2 + direction) whose last octets the capture does not hold.

    A FIN stands behind all that was sent, and without one the other side's acknowledgements tell how far it came, as
    do the direction's own segments, unless they are so far ahead that they were left out.
    """
    count = len(streams) * 2
    isn, begun, fin, sent, acked = (streams.both(name)[:count] for name in ("isn", "begun", "fin", "sent", "acked"))
    expected = np.where(isn >= 0, (isn + 1) % _WRAP, begun)
    groups = np.fromiter(directions, np.int64)
    expected[groups] = [(state.base + state.position) % _WRAP for state in directions.values()]
    sleeping, end = asleep.ends()
    expected[sleeping] = end % _WRAP
    told = _behind(fin, expected, _HALF)
    open_end = _behind(sent, expected, FAR_OCTETS + 1) | _behind(acked, expected, _HALF)
    lost = (expected >= 0) & np.where(fin >= 0, told, open_end)
    return frozenset(np.flatnonzero(lost).tolist())


def _behind(number: I64, expected: I64, most: int) -> Bool:
    """Tell which sequence numbers are known and lie behind the one expected, by less than `most` octets."""
    ahead = (number - expected) % _WRAP
    behind: Bool = (number >= 0) & (ahead > 0) & (ahead < most)
    return behind
