"""Rules about the receivers of a SUBMIT (CMPP 2.0 §7.4.3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmppscope.arrays import octets_at, ranges
from cmppscope.rules.bodies import Bodies, bodies, seen
from cmppscope.rules.forms import alike
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.strings import Texts
from cmppscope.rules.words import WORD, no_digits
from cmppscope.sessions import VERSION_NUMBERS
from cmppscope.tables import I64, U8
from dissectors.cmpp.enums import SUBMIT

_WIDTH = 21
_TOO_MANY = 100
_MOBILE_DIGITS = 11
_THREE_OCTETS = np.uint64(0xFFFFFF << 40)
_FIRST, _BEYOND = np.uint64(56), np.uint64(24)
_PREFIXES = (b"86", b"+86")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The elements of a list of numbers, of all rows one behind the other."""

    body: Bodies
    name: str
    octets: U8
    """[numbers, 21] octets."""
    owner: I64
    """Row of each number in `body`."""
    unusual: I64
    """The numbers that are not 11 digits from 1 on and then NULs."""
    texts: Texts
    """The unusual ones, to be tested."""

    def hits(self, wrong: I64) -> Hits:
        """Give the PDUs of numbers that are wrong as places, once each; `b` counts the wrong ones beside the first."""
        owners, first, counts = np.unique(self.owner[wrong], return_index=True, return_counts=True)
        hits = self.body.facts.pdus(self.body.rows[owners], 0, counts - 1)
        columns = self.body.columns.body
        field = columns.fields[columns.by_name[self.name]].spelt

        def values(place: int) -> dict[str, object]:
            octets = self.octets[wrong[first[place]]].tobytes()
            return {"field": field, "value": seen(columns.command, self.name, octets)}

        hits.values = values
        return hits


def numbers(facts: Facts, command: int, name: str) -> Numbers:
    """Give the numbers in the list of a command; kept for the batch."""
    return facts.columns.once(("numbers", command, name), lambda: _numbers(bodies(facts, command), name))


def _numbers(body: Bodies, name: str) -> Numbers:
    """Gather the numbers, and look for those that are not as most are."""
    offset, size = body.columns.place(name)
    rows = np.flatnonzero(body.sure & (size > 0))
    count = size[rows] // _WIDTH
    begin = body.columns.position[rows] + offset[rows]
    owner = rows
    if (count != 1).any():
        owner = np.repeat(rows, count)
        nth = ranges(np.zeros(len(count), np.int64), count)
        begin = np.repeat(begin, count) + nth * _WIDTH
    octets = octets_at(body.columns.octets, begin, 3 * WORD)  # Reserve is behind the last number
    first, second, third = octets.view(">u8").reshape(-1, 3).T.astype(np.uint64)
    usual = ((no_digits(first) | (no_digits(second) & _THREE_OCTETS)) == 0) & (first >> _FIRST == ord("1"))
    usual &= ((second & ~_THREE_OCTETS) | (third >> _BEYOND)) == 0
    unusual = np.flatnonzero(~usual)
    return Numbers(body, name, octets[:, :_WIDTH], owner, unusual, Texts(octets[unusual, :_WIDTH]))


def _receivers(facts: Facts) -> Numbers:
    """Give the receivers of SUBMITs."""
    return numbers(facts, SUBMIT, "dest_terminal_id")


@rule("dest-count-zero", Severity.ERROR, "§7.4.3.1", "DestUsr_tl is 0: at least 1 receiver is needed")
def count_zero(facts: Facts) -> Hits:
    """A SUBMIT has a receiver."""
    submit = bodies(facts, SUBMIT)
    return submit.hits(submit.integer("dest_usr_tl") == 0)


@rule("dest-count-100", Severity.ERROR, "§7.4.3.1", "DestUsr_tl is {a}: at most 99 receivers are allowed")
def count_100(facts: Facts) -> Hits:
    """A SUBMIT has fewer than 100 receivers."""
    submit = bodies(facts, SUBMIT)
    count = submit.integer("dest_usr_tl")
    return submit.hits(count >= _TOO_MANY, count)


@rule("dest-many-report", Severity.ERROR, "§7.4.3.1", "DestUsr_tl is {a}, Registered_Delivery 1")
def many_report(facts: Facts) -> Hits:
    """A SUBMIT that asks for a status report has one receiver.

    CMPP 2.1 lifted this; programs that log in with Version 2.0 and live by 2.1 break it. Where the gateway allows it,
    turn the rule off.
    """
    submit = bodies(facts, SUBMIT)
    count = submit.integer("dest_usr_tl")
    many = (count > 1) & (submit.integer("registered_delivery") == 1)
    rows = np.flatnonzero(many)
    if len(rows):
        at = submit.rows[rows]
        opened = np.array([facts.sessions[n].opened for n in facts.session[at].tolist()], np.bool_)
        many[rows] = opened & (facts.versions[at] == VERSION_NUMBERS["2.0"])
    return submit.hits(many, count)


@rule(
    "dest-not-number",
    Severity.ERROR,
    "§7.4.3.1",
    "Dest_terminal_Id is no number: {value}",
    "; and {b} more of its list",
)
def not_number(facts: Facts) -> Hits:
    """Dest_terminal_Id is a number: digits, with or without + in front."""
    found = _receivers(facts)
    return found.hits(found.unusual[~found.texts.number])


@rule("dest-length", Severity.NOTE, "practice", "Dest_terminal_Id is {value}", "; and {b} more of its list")
def length(facts: Facts) -> Hits:
    """Dest_terminal_Id, without 86 or +86, is 11 digits from 1 on, as mainland mobile numbers are."""
    found = _receivers(facts)
    return found.hits(found.unusual[found.texts.number & ~found.texts.mobile])


@rule(
    "dest-duplicate",
    Severity.WARN,
    "practice",
    "{value} stands twice among the receivers",
    "; and {b} more of its list",
)
def duplicate(facts: Facts) -> Hits:
    """The receivers of a SUBMIT are different numbers, whether written with 86 or +86 or without.

    Some gateways send the text twice, and charge for both.
    """
    found = _receivers(facts)
    several = np.flatnonzero(found.body.columns.place(found.name)[1][found.owner] > _WIDTH)
    if not len(several):
        return found.hits(several)
    _, same = alike(_without_prefix(found.octets[several]))
    order = np.lexsort((several, same, found.owner[several]))
    owner, same = found.owner[several][order], same[order]
    again = np.r_[False, (owner[1:] == owner[:-1]) & (same[1:] == same[:-1])]
    return found.hits(np.sort(several[order[again]]))


def _without_prefix(octets: U8) -> U8:
    """Give numbers without 86 or +86 in front, and without octets behind the first NUL."""
    plain = octets.copy()
    plain[np.logical_or.accumulate(plain == 0, axis=1)] = 0
    for prefix in _PREFIXES:
        width = len(prefix)
        rows = np.flatnonzero(np.all(plain[:, :width] == np.frombuffer(prefix, np.uint8), axis=1))
        rows = rows[_count(plain[rows]) == _MOBILE_DIGITS + width]
        plain[rows, : _WIDTH - width] = plain[rows, width:]
        plain[rows, _WIDTH - width :] = 0
    return plain


def _count(octets: U8) -> I64:
    """Count the octets that are not NUL."""
    count: I64 = np.count_nonzero(octets, axis=1)
    return count


RULES = (count_zero, count_100, many_report, not_number, length, duplicate)
