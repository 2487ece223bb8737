"""Counts of messages by what they have in common, in bounded memory.

Keys are named in the order in which they first came, up to KEYS_KEPT of a kind; what comes behind counts as OTHER.
Minutes are counted in buckets that double when there are too many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmppscope.arrays import distinct
from cmppscope.messages.prints import string_prints
from cmppscope.tables import I64, U8, U64

KEYS_KEPT = 1000
"""Different values of a field that are counted by name."""
OTHER = "(other)"
OTHERS = 0
"""The number of those beyond."""
BUCKETS = 1440
MINUTE_NS = 60_000_000_000

COUNTED = ("unanswered", "accepted", "refused", "delivered", "failed")
"""SUBMITs without a response, with Result 0, with another; receivers reported DELIVRD, and with another final Stat."""


class Keys:
    """Numbers the values of a field from 1 in order of appearance; OTHERS stands for those beyond KEYS_KEPT."""

    def __init__(self) -> None:
        """Begin with none."""
        self.values: list[bytes] = [OTHER.encode()]
        self._prints: U64 = np.zeros(0, np.uint64)
        self._codes: I64 = np.zeros(0, np.int64)

    def feed(self, fields: U8) -> I64:
        """Give the number of the value in each row of [rows, width] octets."""
        prints = string_prints(fields)
        codes = self._look_up(prints)
        fresh = np.flatnonzero(codes < 0)
        if not len(fresh):
            return codes
        if len(self.values) <= KEYS_KEPT:
            self._name(prints, fresh, fields)
            codes = self._look_up(prints)
        return np.where(codes < 0, OTHERS, codes)

    def _look_up(self, prints: U64) -> I64:
        """Give the numbers of prints, -1 for those that are not known."""
        if not len(self._prints):
            return np.full(len(prints), -1, np.int64)
        place = np.minimum(np.searchsorted(self._prints, prints), len(self._prints) - 1)
        return np.where(self._prints[place] == prints, self._codes[place], -1)

    def _name(self, prints: U64, fresh: I64, fields: U8) -> None:
        """Number the values in rows that are not known, as long as there is room."""
        _, first = np.unique(prints[fresh], return_index=True)
        rows = fresh[np.sort(first)][: KEYS_KEPT + 1 - len(self.values)]
        codes = len(self.values) + np.arange(len(rows))
        self.values += [value.tobytes() for value in fields[rows]]
        known = np.concatenate([self._prints, prints[rows]])
        numbers = np.concatenate([self._codes, codes])
        order = np.argsort(known)
        self._prints, self._codes = known[order], numbers[order]


class Tally:
    """Counts, one row a key and one column a name of COUNTED."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.counts: I64 = np.zeros((0, len(COUNTED)), np.int64)

    def add(self, what: int, codes: I64) -> None:
        """Count some messages under their keys' numbers."""
        if not len(codes):
            return
        counted = np.bincount(codes)
        if len(counted) > len(self.counts):
            more = np.zeros((len(counted) - len(self.counts), len(COUNTED)), np.int64)
            self.counts = np.concatenate([self.counts, more])
        self.counts[: len(counted), what] += counted

    def rows(self) -> list[tuple[int, list[int]]]:
        """Give (number of the key, counts) of every key that was counted."""
        used = np.flatnonzero(self.counts.any(axis=1))
        return [(int(code), self.counts[code].tolist()) for code in used]


class Minutes:
    """Counts over time, in at most BUCKETS buckets of 1, 2, 4 … minutes."""

    def __init__(self) -> None:
        """Begin with buckets of a minute."""
        self.doublings = 0
        self._counts: dict[int, list[int]] = {}

    def add(self, what: int, time_ns: I64) -> None:
        """Count messages at their times."""
        buckets, _, counts = distinct(time_ns // MINUTE_NS >> self.doublings)
        for bucket, count in zip(buckets.tolist(), counts.tolist(), strict=True):
            self._counts.setdefault(bucket, [0] * len(COUNTED))[what] += count
        while self._counts and max(self._counts) - min(self._counts) >= BUCKETS:
            self._halve()

    def rows(self) -> list[tuple[int, Sequence[int]]]:
        """Give (start in nanoseconds since 1970, counts) of every bucket that is not empty, in order."""
        return [((at << self.doublings) * MINUTE_NS, counts) for at, counts in sorted(self._counts.items())]

    def _halve(self) -> None:
        """Make buckets twice as wide."""
        before, self._counts = self._counts, {}
        self.doublings += 1
        for bucket, counts in before.items():
            there = self._counts.setdefault(bucket >> 1, [0] * len(COUNTED))
            for what, count in enumerate(counts):
                there[what] += count
