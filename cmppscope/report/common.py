"""What messages have in common, as it stands in reports: by SP, Service_Id, Src_Id, prefix and minute."""

from __future__ import annotations

from typing import Any

from cmppscope.messages.counting import Counts
from cmppscope.messages.tally import COUNTED, OTHER, Tally
from cmppscope.report import model
from cmppscope.report.units import moment

ROWS_SHOWN = 20
"""Keys of a table that are told by name; the others are one row, OTHER."""


def in_common(counts: Counts) -> dict[str, Any]:
    """Give the tables of `model.Messages` that count messages by what they have in common."""
    return {
        "by_sp": _table(counts, counts.by_sp),
        "by_service": _table(counts, counts.by_service),
        "by_source": _table(counts, counts.by_source),
        "by_prefix": _table(counts, counts.by_prefix),
        "bucket_minutes": 1 << counts.minutes.doublings,
        "minutes": [
            model.MessageMinutes(time=moment(start), **dict(zip(COUNTED, numbers, strict=True)))
            for start, numbers in counts.minutes.rows()
        ],
    }


def _table(counts: Counts, tally: Tally) -> list[model.MessageCounts]:
    """Give a table, its greatest rows first, with one row for all that are not told by name."""
    names = counts.names_of(tally)
    rows = [(names[code], numbers) for code, numbers in tally.rows()]
    named = sorted((row for row in rows if row[0] != OTHER), key=lambda row: (-sum(row[1]), row[0]))
    rest = [numbers for name, numbers in rows if name == OTHER] + [numbers for _, numbers in named[ROWS_SHOWN:]]
    told = named[:ROWS_SHOWN]
    if rest:
        told.append((OTHER, [sum(column) for column in zip(*rest, strict=True)]))
    return [model.MessageCounts(key=name, **dict(zip(COUNTED, numbers, strict=True))) for name, numbers in told]
