"""What a field of filters is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cmppscope.filters.columns import Occurrences
from cmppscope.filters.holding import Holding
from cmppscope.filters.needles import Needles
from cmppscope.filters.values import Kind
from cmppscope.tables import I64

Read = Callable[[Any], Occurrences]


class Field(NamedTuple):
    """Something that a filter may name."""

    name: str
    of: str
    """The table that it belongs to: one of TABLES."""
    kind: Kind
    meaning: str
    read: Read
    """From the table to the values."""
    aliases: tuple[str, ...] = ()
    names: Mapping[str, int] = {}
    """Words that stand for its numbers."""
    holding: Callable[[Any, Needles], Holding] | None = None
    """From the table and needles to the rows that hold one, which is quicker than to read all values."""
    there: Callable[[Any], I64] | None = None
    """From the table to the rows that have a value, where that is quicker than to read them."""
