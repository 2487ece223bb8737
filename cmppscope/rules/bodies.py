"""The PDUs of one command whose fields stand where 2.0 puts them, and how a rule tells what it found there.

A rule about a field looks at PDUs alone whose lengths fit the layout of 2.0, in sessions that are not 3.0: of any
other PDU the places of its fields are not known, and the rules of lengths and versions have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cmppscope.columns import Columns
from cmppscope.rules.model import Facts, Hits, Personal
from cmppscope.rules.strings import Texts, shown
from cmppscope.rules.words import words
from cmppscope.sessions import VERSION_NUMBERS
from cmppscope.tables import FITS_20, I64, U64, Bool
from dissectors.cmpp.enums import DELIVER, FWD

_THREE = VERSION_NUMBERS["3.0"]
_PERSONAL = frozenset({"dest_terminal_id", "src_terminal_id", "terminal_id", "fee_terminal_id", "reserve"})
_PERSONAL_IN = frozenset({("CMPP_FWD", "src_id"), ("CMPP_FWD", "dest_id")})


@dataclass(frozen=True, slots=True)
class Bodies:
    """The bodies of one command, or the reports inside them; one entry a row in every array."""

    facts: Facts
    rows: I64
    """Rows in the batch."""
    columns: Columns
    sure: Bool
    """The fields of the row stand where 2.0 puts them."""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    def integer(self, name: str) -> I64 | U64:
        """Give a number's column."""
        return self.columns.integer(name)

    def texts(self, name: str) -> Texts:
        """Give an Octet String's column, to be tested."""
        return self.facts.columns.once(("texts", self.columns, name), lambda: Texts(self.columns.strings(name).octets))

    def words(self, name: str, width: int) -> list[U64]:
        """Give the octets from an Octet String on as words."""
        return self.facts.columns.once(("words", self.columns, name, width), lambda: words(self.columns, name, width))

    def hits(self, wrong: Bool, a: I64 | U64 | int = 0, b: I64 | U64 | int = 0, names: Sequence[str] = ()) -> Hits:
        """Give the rows that are `wrong` as places; the words may name the values of the fields `names`."""
        at = np.flatnonzero(wrong & self.sure)
        chosen = [each[at].astype(np.int64) if isinstance(each, np.ndarray) else each for each in (a, b)]
        hits = self.facts.pdus(self.rows[at], *chosen)
        if names:
            hits.values = lambda place: {name: self.value(name, int(at[place])) for name in names}
        return hits

    def value(self, name: str, row: int) -> object:
        """Give what a field holds, for the words of a finding."""
        if self.columns.body.fields[self.columns.body.by_name[name]].kind != "string":
            return int(self.integer(name)[row])
        octets = self.columns.octets_of(name, row)
        if not octets.strip(b"\0 "):
            return "blank"
        return seen(self.columns.body.command, name, octets)

    def named_hits(self, wrong: Bool, name: str, a: I64 | int = 0) -> Hits:
        """Give the rows that are `wrong` in one field as places; the words name the `field` and its `value`."""
        at = np.flatnonzero(wrong & self.sure)
        hits = self.facts.pdus(self.rows[at], a[at] if isinstance(a, np.ndarray) else a)
        field = self.columns.body.fields[self.columns.body.by_name[name]].spelt
        hits.values = lambda place: {"field": field, "value": self.value(name, int(at[place]))}
        return hits


def seen(layer: str, name: str, octets: bytes) -> str:
    """Give an Octet String for the words of a finding, marked where it may say something about a subscriber."""
    text = shown(octets)
    personal = name in _PERSONAL or (layer, name) in _PERSONAL_IN
    return Personal(text.strip("“”")) if personal else text


def bodies(facts: Facts, command: int, *, later: bool = False) -> Bodies:
    """Give the bodies of a command; `later` where 3.0 changed nothing about it, so that its sessions count too."""
    return facts.columns.once(("bodies", command, later), lambda: _bodies(facts, command, later=later))


def _bodies(facts: Facts, command: int, *, later: bool) -> Bodies:
    rows = facts.columns.rows(command)
    sure: Bool = (facts.batch.fits[rows] & FITS_20) > 0
    if not later and len(rows):
        sure &= facts.versions[rows] != _THREE
    return Bodies(facts, rows, facts.columns.body(command), sure)


@dataclass(frozen=True, slots=True)
class Reports(Bodies):
    """The reports of one length in the bodies of one command."""

    outside: Bodies
    inside: I64
    """The entry in `outside` of each report."""


def reports(facts: Facts) -> list[Reports]:
    """Give the status reports about MTs, in DELIVER and in FWD, of 60 octets and of 71."""
    return [*reports_in(facts, DELIVER), *reports_in(facts, FWD)]


def reports_in(facts: Facts, command: int) -> list[Reports]:
    """Give the status reports about MTs in one command."""
    return facts.columns.once(("reports", command), lambda: _reports_in(facts, command))


def _reports_in(facts: Facts, command: int) -> list[Reports]:
    outside = bodies(facts, command)
    return [
        Reports(facts, outside.rows[inside], columns, outside.sure[inside], outside, inside)
        for inside, columns in facts.columns.reports(command).values()
    ]
