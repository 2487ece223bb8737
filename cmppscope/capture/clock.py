"""Clocks of pcapng interfaces: ticks of any resolution to nanoseconds, in whole numbers.

Ticks are 64 bits wide, so neither ticks times a factor nor a large shift fits: seconds and the rest are split first and
scaled apart. Only resolutions finer than 2**-34 take the slow way through Python's integers. Times that nanoseconds in
64 bits cannot hold (beyond the year 2262) stand at the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cmppscope.tables import I64, U64

NANO = 1_000_000_000
SECONDS_MAX = 9_223_372_035
"""Seconds that fit, with any rest, into 64 bits of nanoseconds."""

DIGITS = 9
"""Decimal places of a nanosecond."""

DIGITS_EXACT, BITS_EXACT = 19, 34
"""Resolutions up to 10**-19 and 2**-34 fit into 64 bits on the way."""

BINARY = 0x80
"""Bit of if_tsresol that says that the resolution is a power of two."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The resolution and the offset of one interface."""

    resolution: int = 6
    """if_tsresol as it is written: 10**-n, or 2**-n with the highest bit set."""
    offset: int = 0
    """if_tsoffset: seconds to add."""

    def nanoseconds(self, ticks: U64) -> I64:
        """Turn ticks into nanoseconds since 1970."""
        seconds, rest = self._binary(ticks) if self.resolution & BINARY else self._decimal(ticks)
        offset = max(-SECONDS_MAX, min(self.offset, SECONDS_MAX))
        whole = np.minimum(seconds, SECONDS_MAX).astype(np.int64) + offset
        return np.clip(whole, -SECONDS_MAX, SECONDS_MAX) * NANO + rest.astype(np.int64)

    def _decimal(self, ticks: U64) -> tuple[U64, U64]:
        """Split ticks of 10**-n into seconds and nanoseconds."""
        places = self.resolution
        if places > DIGITS_EXACT:
            unit = 10 ** (places - DIGITS)
            rest = ticks // np.uint64(unit) if unit < 1 << 64 else np.zeros_like(ticks)
            return np.zeros_like(ticks), rest
        seconds, rest = np.divmod(ticks, np.uint64(10**places))
        if places <= DIGITS:
            return seconds, rest * np.uint64(10 ** (DIGITS - places))
        return seconds, rest // np.uint64(10 ** (places - DIGITS))

    def _binary(self, ticks: U64) -> tuple[U64, U64]:
        """Split ticks of 2**-n into seconds and nanoseconds."""
        bits = self.resolution & ~BINARY
        if bits > BITS_EXACT:
            exact = [divmod(tick * NANO >> bits, NANO) for tick in ticks.tolist()]
            both = np.array(exact, np.uint64).reshape(-1, 2)
            return both[:, 0], both[:, 1]
        shift = np.uint64(bits)
        rest = ticks & np.uint64((1 << bits) - 1)
        return ticks >> shift, rest * np.uint64(NANO) >> shift
