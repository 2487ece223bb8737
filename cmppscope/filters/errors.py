"""What is wrong with a filter, and where."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_NEAR = 3
"""Names that are offered instead of one that is not known."""


class FilterError(Exception):
    """A filter that means nothing: one line that says why, and the place in the text."""

    def __init__(self, message: str, start: int = 0, end: int = 0, near: Iterable[str] = ()) -> None:
        """`start` and `end` count characters of the filter's text; `near` names what may have been meant."""
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = max(end, start + 1)
        self.near = tuple(near)
        self.text = ""
        """The whole filter; whoever parses it puts it there."""


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Give the names that are most like one that is not known: by letters, then by what they contain."""
    names = list(dict.fromkeys(known))
    near = get_close_matches(name, names, MOST_NEAR, 0.6)
    last = name.rpartition(".")[2]
    near += [each for each in names if last and each.rpartition(".")[2] == last and each not in near]
    return near[:MOST_NEAR]
