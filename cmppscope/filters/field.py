"""What a field of filters is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cmppscope.filters.columns import Occurrences
from cmppscope.filters.values import Kind

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
    narrow: Callable[[Any, tuple[str, ...]], Any] | None = None
    """From the table and some texts to a table with no other values than those that may hold one of them, which is
    quicker to read; or to None where most may."""
