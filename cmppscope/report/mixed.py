"""Which part, or which receiver, of a message has which state, where not all have one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from cmppscope.messages.prints import WIDTH, number_prints
from cmppscope.tables import U64

_NAMED = 3
"""Parts or receivers that are named of each state."""
_WELL = frozenset(("DELIVRD", "ACCEPTD", "delivered", "accepted"))
"""States that are told last, as they are no failure."""


def apart(pairs: Iterable[tuple[str, str]]) -> str:
    """Say who has which state, given (who, state): `UNDELIV: part 2; DELIVRD: part 1, part 3`.

    Who has no name is counted.
    """
    by_state: dict[str, list[str]] = defaultdict(list)
    for who, state in pairs:
        by_state[state].append(who)
    failures_first = sorted(by_state.items(), key=lambda entry: entry[0] in _WELL)
    return "; ".join(f"{state}: {_some(names)}" for state, names in failures_first)


def _some(names: list[str]) -> str:
    """Name the first ones and count the others."""
    named = [name for name in names if name][:_NAMED]
    more = len(names) - len(named)
    return ", ".join(named) + (f" and {more} more" if named and more else f"{more}" if more else "")


def named(receiver: Any) -> str:
    """Name a receiver; one that is unknown, or no text, is `?`."""
    return receiver if isinstance(receiver, str) else "?"


def receivers_of(prints: U64, plain: Any, shown: Any) -> list[Any]:
    """Give the receiver that each report is about, out of those of its SUBMIT; None where it is none of them.

    `prints` are those of the reports' receivers (`messages.prints`), `plain` the receivers of the SUBMIT as they are,
    `shown` the same as they may be seen.
    """
    if not len(prints) or not isinstance(plain, list) or not plain:
        return [None] * len(prints)
    octets = b"".join(_octets(number) for number in plain)
    known, _ = number_prints(np.frombuffer(octets, np.uint8).reshape(-1, WIDTH))
    places = {number: at for at, number in reversed(list(enumerate(known.tolist())))}
    found = [places.get(number) for number in prints.tolist()]
    return [None if at is None else shown[at] for at in found]


def _octets(number: Any) -> bytes:
    """Give the octets of a receiver as a SUBMIT has them; none where they are no text."""
    text = number if isinstance(number, str) else ""
    return text.encode("latin-1", "replace")[:WIDTH].ljust(WIDTH, b"\0")
