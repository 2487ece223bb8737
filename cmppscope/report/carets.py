"""A mistake in a filter, shown with a caret under the place."""

from __future__ import annotations

from cmppscope.filters.errors import FilterError
from cmppscope.report.safe import printable, width

_LONGEST = 200
"""Characters of a filter that are shown around a mistake."""


def pointed(error: FilterError) -> list[str]:
    """Give the filter, carets under the place, and the reason; all of them may be printed."""
    first = max(0, error.start - _LONGEST // 2)
    shown = printable(error.text[first : first + _LONGEST])
    before = width(printable(error.text[first : error.start]))
    marked = width(printable(error.text[error.start : min(error.end, first + _LONGEST)]))
    return [shown, " " * before + "^" * max(1, marked), reason(error)]


def reason(error: FilterError) -> str:
    """Say what is wrong, and what may have been meant."""
    near = f" (did you mean {' or '.join(error.near)}?)" if error.near else ""
    return printable(f"{error.message}{near}")
