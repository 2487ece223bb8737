"""Rules about what follows the text of an Octet String (CMPP 2.0 §7.1).

Reserved fields, authenticators and times have rules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from cmppscope.arrays import octets_at
from cmppscope.columns import COMPILED
from cmppscope.rules.bodies import Bodies, bodies, reports
from cmppscope.rules.destinations import numbers
from cmppscope.rules.forms import fixed
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.strings import Texts
from cmppscope.tables import I64, Bool
from dissectors.cmpp.enums import CONNECT, FWD, SUBMIT

_OTHERS = frozenset({"reserve", "reserved", "valid_time", "at_time", "submit_time", "done_time"})
_STRINGS = {
    command: tuple(
        f.name for f in body.fields if f.kind == "string" and f.layer_class != "Authenticator" and f.name not in _OTHERS
    )
    for command, body in COMPILED.items()
}
"""Command_Id to the names of its Octet Strings."""
_LISTS = ((SUBMIT, "dest_terminal_id"), (FWD, "dest_id"))
_SAME = {
    SUBMIT: ("service_id", "fee_terminal_id", "msg_src", "feetype", "feecode"),
    FWD: ("service_id", "fee_terminal_id", "msg_src", "feetype", "feecode"),
}
"""Those that are the same in most PDUs: they are looked at once for each form."""

_IN_REPORTS = ("stat", "dest_terminal_id")

_WORD = 8

Test = Callable[[Texts], Bool]


class Suspects(NamedTuple):
    """Rows of bodies in which a string may be filled wrongly."""

    after_nul: I64
    spaces: I64


def _suspects(body: Bodies, names: Sequence[str]) -> Suspects:
    """Look at all strings of some fields in one go: all octets of all rows as one run, which is quick.

    What is read besides, to have whole words, lies behind the last string; or in front of the first one, in the PDU's
    header at most, where there is no room behind.
    """
    rows = np.flatnonzero(body.sure)
    if not len(rows):
        return Suspects(rows, rows)
    places = [(int(offset[0]), int(size[0])) for offset, size in map(body.columns.place, names)]
    begin, first = min((offset, name) for (offset, _), name in zip(places, names, strict=True))
    end = max(offset + size for offset, size in places)
    width = -(-(end - begin) // _WORD) * _WORD
    octets = body.columns.front(first, width) if len(rows) == len(body) else None
    if octets is None:
        begin = end - width
        octets = octets_at(body.columns.octets, body.columns.position[rows] + begin, width)
    octets = np.ascontiguousarray(octets)
    inside, going = np.zeros((2, width), np.bool_)
    for offset, size in places:
        inside[offset - begin : offset - begin + size] = True
        going[offset - begin + 1 : offset - begin + size] = True
    there = octets.reshape(-1) != 0
    begins = np.zeros(len(there), np.bool_)
    np.greater(there[1:], there[:-1], out=begins[1:])
    return Suspects(rows[_marked(begins, going)], rows[_marked(octets.reshape(-1) == ord(" "), inside)])


def _marked(marks: Bool, places: Bool) -> I64:
    """Give the rows with a mark at one of some places, of marks that stand one row behind the other."""
    if not marks.any():
        return np.zeros(0, np.int64)
    words = marks.view(np.uint64).reshape(-1, len(places) // _WORD) & places.view(np.uint64)
    return np.flatnonzero(words.any(axis=1)) if words.any() else np.zeros(0, np.int64)


def _places(facts: Facts, wrong: Test, kind: str) -> Iterator[Hits]:
    """Give each field whose filling is wrong as a place."""
    for command, names in _STRINGS.items():
        body = bodies(facts, command, later=command == CONNECT)
        if not len(body) or not names:
            continue
        same = _SAME.get(command, ())
        if same:
            form = fixed(facts, command)
            for name in same:
                yield body.named_hits(form.spread(wrong(form.texts(name))), name)
        yield from _in_columns(body, [name for name in names if name not in same], wrong, kind)
    for report in reports(facts):
        yield from _in_columns(report, _IN_REPORTS, wrong, kind)
    for command, name in _LISTS:
        found = numbers(facts, command, name)
        yield found.hits(found.unusual[wrong(found.texts)])


def _in_columns(body: Bodies, names: Sequence[str], wrong: Test, kind: str) -> Iterator[Hits]:
    """Look at every row of some fields, closely where that is worth while."""
    key = ("fillings", body.columns)
    rows: I64 = getattr(body.facts.columns.once(key, lambda: _suspects(body, names)), kind)
    for name in names if len(rows) else ():
        marks = np.zeros(len(body), np.bool_)
        marks[rows] = wrong(Texts(body.columns.strings(name).octets[rows]))
        yield body.named_hits(marks, name)


@rule("string-after-nul", Severity.WARN, "§7.1", "{field} goes on behind a NUL: {value}", "; and {b} more of its list")
def after_nul(facts: Facts) -> list[Hits]:
    """Behind the first NUL of an Octet String there are NULs only.

    A program that fills a field over an older, longer text leaves its end there; readers that do not stop at the NUL
    see both.
    """
    return list(_places(facts, lambda text: text.after_nul, "after_nul"))


@rule("string-space", Severity.NOTE, "§7.1", "{field} is filled with spaces: {value}", "; and {b} more of its list")
def space(facts: Facts) -> list[Hits]:
    """Octet Strings are filled with NULs, not with spaces."""
    return list(_places(facts, lambda text: text.spaces, "spaces"))


RULES = (after_nul, space)
