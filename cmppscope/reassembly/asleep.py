"""Directions of which nothing but numbers is left to know: columns in place of objects.

A direction that holds no octets, has no Gap and delivered nothing for a while is told in full by where it began and how
far it came. It is put here, about 20 octets, and taken out when a segment comes, so that a capture of very many short
connections costs little more than their rows. Nothing is forgotten: what comes out depends on no moment of this.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cmppscope.arrays import ByNumber, none
from cmppscope.reassembly.direction import Direction
from cmppscope.tables import I64, U8

DIRECTIONS_AWAKE = 4096
"""Directions kept as objects before it is looked which of them can sleep."""

BUSY_TIMES = 2
"""How many times those that could not sleep there must be as well, so that looking costs little for each."""

_ASLEEP, _START_KNOWN = 1, 2


@dataclass(slots=True)
class Asleep(ByNumber):
    """Sleeping directions, an entry for every stream * 2 + direction up to the highest that ever slept."""

    base: I64 = field(default_factory=none)
    position: I64 = field(default_factory=none)
    state: U8 = field(default_factory=lambda: np.zeros(0, np.uint8))
    """0 for those that do not sleep."""

    def put(self, group: int, direction: Direction) -> None:
        """Keep the numbers of a direction that `is_quiet`."""
        self.grow(group + 1)
        self.base[group], self.position[group] = direction.base, direction.position
        self.state[group] = _ASLEEP | _START_KNOWN * direction.start_known

    def take(self, group: int) -> Direction | None:
        """Wake a direction; None where it does not sleep."""
        state = self._state(group)
        if not state:
            return None
        self.state[group] = 0
        return Direction(int(self.base[group]), bool(state & _START_KNOWN), int(self.position[group]))

    def start_known(self, group: int) -> bool:
        """Tell whether offset 0 of a sleeping direction is the first octet of its connection."""
        return bool(self._state(group) & _START_KNOWN)

    def ends(self) -> tuple[I64, I64]:
        """Give the sleeping directions, and the number of the octet that each would go on with, not yet wrapped."""
        groups = np.flatnonzero(self.state)
        return groups, self.base[groups] + self.position[groups]

    def _state(self, group: int) -> int:
        """Give what is known of a direction here."""
        return int(self.state[group]) if group < len(self.state) else 0
