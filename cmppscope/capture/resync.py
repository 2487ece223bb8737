"""Finding the next record behind damage, in pcap and pcapng.

Theory of operation. Every octet behind the damage may begin a record. One vectorised test of the length that would
stand there leaves few of them; the others fall when `LINKS` records in a row, each beginning where the one before says,
have to make sense, or fewer that end just where the file does. Three pcap headers that agree by chance are one in
2**100; a header that is a copy of the one before does not count, as it may be a pattern. The search goes on in
stretches that double, so its cost grows with what is skipped; behind every stretch enough octets are read to follow its
chains. What is found therefore depends on the octets alone, not on windows or batches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cmppscope.capture.source import gather

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmppscope.capture.source import Window
    from cmppscope.tables import I64

LINKS = 3
"""Records in a row that must make sense."""

CAPLEN_MAX = 262_144
"""Captured octets of a record that is looked for: the largest snapshot length that programs choose."""

WIRELEN_MAX = 1 << 20
"""Octets on the wire of a record that is looked for; segments that a network card joins or splits stay below."""

LOOK_AHEAD = (LINKS + 1) * (CAPLEN_MAX + 1024)
"""Octets behind a place that may be needed to judge it."""

STRETCH, STRETCH_MAX = 4096, 1 << 20
"""Places looked at at once: at first, and at most."""

Likely = Callable[["Window", "I64"], tuple["I64", "I64", "NDArray[np.void]"]]
"""Judge the headers at some places: indices of those that make sense, where each such record ends, and its header."""

Landmark = Callable[["Window", int, int], int | None]
"""Find the first place of a stretch where something begins that needs no chain (a file header); None without one."""


def search(window: Window, header: int, likely: Likely, landmark: Landmark) -> int | None:
    """Move the window to the next plausible record behind the next octet; give how many octets that skips.

    `header` is the size of a record's header. Without any such record the window is read to its end: None.
    """
    began, stretch = window.position, STRETCH
    window.at += 1
    while True:
        if window.left < stretch + LOOK_AHEAD and not window.eof:
            window.refill(stretch + LOOK_AHEAD)
        end = min(window.at + stretch, window.end)
        found = _first(window, np.arange(window.at, min(end, window.end - header + 1)), header, likely)
        sure = landmark(window, window.at, end)
        places = [place for place in (found, sure) if place is not None]
        if places:
            window.at = min(places)
            return window.position - began
        window.at = end
        if window.eof and not window.left:
            return None
        stretch = min(stretch * 2, STRETCH_MAX)


def _first(window: Window, places: I64, header: int, likely: Likely) -> int | None:
    """Give the first of some places at which a chain begins."""
    rows, behind, heads = likely(window, places)
    places = places[rows]
    for _ in range(1, LINKS):
        follows = np.flatnonzero(behind + header <= window.end)
        good = behind == window.end
        rows, ends, others = likely(window, behind[follows])
        rows = follows[rows]
        good[rows] = others != heads[rows]
        behind[rows], heads[rows] = ends, others
        places, behind, heads = places[good], behind[good], heads[good]
    return int(places[0]) if len(places) else None


def number_at(window: Window, places: I64, order: str, ahead: int) -> I64:
    """Read the 32-bit number that stands `ahead` octets behind each place."""
    return gather(window.octets, places + ahead, np.dtype([("value", order + "u4")]))["value"].astype(np.int64)
