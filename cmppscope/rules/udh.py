"""Rules about the user data header in front of a text, and about its absence (GSM 03.40 §9.2.3.24)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.messages.heads import NONE, SIZES, Heads, begins_concatenation
from cmppscope.rules.contents import contents
from cmppscope.rules.forms import fixed
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.tables import I64, Bool
from dissectors.cmpp.enums import FWD, SUBMIT
from dissectors.cmpp.text import UDHI_BITS

_MT = 0


def _headed(facts: Facts, wrong: Callable[[Heads, I64], Bool], a: str, b: str = "") -> list[Hits]:
    """Give the messages whose header is wrong, given headers and Msg_Lengths; `a` and `b` name columns of headers."""
    found = []
    for each in contents(facts):
        length = each.length[each.headed]
        rows = np.flatnonzero(wrong(each.heads, length))
        second = getattr(each.heads, b)[rows] if b else length[rows]
        found.append(each.hits(each.headed[rows], getattr(each.heads, a)[rows], second))
    return found


def _inside(heads: Heads, length: I64) -> Bool:
    """Tell which headers lie in their contents."""
    inside: Bool = heads.claimed <= length
    return inside


@rule("udh-overrun", Severity.ERROR, "GSM 03.40 §9.2.3.24", "the header claims {a:octet|octets}, Msg_Length is {b}")
def overrun(facts: Facts) -> list[Hits]:
    """A user data header, its length octet counted, is not longer than the content."""
    return _headed(facts, lambda heads, length: heads.claimed > length, "claimed")


@rule(
    "udh-ie-overrun",
    Severity.ERROR,
    "GSM 03.40 §9.2.3.24",
    "element 0x{a:02x} passes the end of the header of {b:octet|octets}",
)
def element_overrun(facts: Facts) -> list[Hits]:
    """The elements of a user data header end where the header ends."""
    return _headed(facts, lambda heads, length: _inside(heads, length) & (heads.over != NONE), "over", "claimed")


@rule("udh-iei-length", Severity.WARN, "GSM 03.40 §9.2.3.24", "element 0x{a:02x} has {b:octet|octets}, not {wanted}")
def element_length(facts: Facts) -> list[Hits]:
    """Elements have the length that their kind has: 0x00 three octets, 0x08 four, 0x05 four, 0x04 two.

    A reference of 16 bits under 0x00, the element for 8 bits, is the usual case: handsets do not join such parts.
    """
    found = _headed(facts, lambda heads, length: _inside(heads, length) & (heads.odd != NONE), "odd", "odd_size")
    for hits in found:
        hits.values = lambda place, iei=hits.a: {"wanted": SIZES[int(iei[place])]}
    return found


@rule(
    "udh-hidden", Severity.WARN, "practice", "TP_udhi is 0, but Msg_Content begins like the header of a part of a text"
)
def hidden(facts: Facts) -> list[Hits]:
    """A content with a user data header has TP_udhi 1.

    Without it the handset shows the header as text, and does not join the parts.
    """
    found = []
    for each in contents(facts):
        begins = begins_concatenation(each.octets, each.start, each.length)
        begins[each.headed] = False
        found.append(each.hits(np.flatnonzero(begins)))
    return found


@rule("udh-absent", Severity.WARN, "§7.4.3.1", "TP_udhi is set, but Msg_Content begins with no header")
def absent(facts: Facts) -> list[Hits]:
    """TP_udhi 1 says that the content begins with a user data header.

    Where the octets are no header the handset loses the beginning of the text, or all of it.
    """

    def wrong(heads: Heads, length: I64) -> Bool:
        inside = _inside(heads, length)
        text = np.where(inside, (heads.over != NONE) & ~heads.known_first, ~heads.sound_first)
        absent: Bool = (length == 0) | text
        return absent

    return _headed(facts, wrong, "claimed")


@rule("pk-without-udh", Severity.NOTE, "practice", "Pk_total is {pk_total}, but there is no user data header")
def pk_without_udh(facts: Facts) -> list[Hits]:
    """The parts of a text, Pk_total above 1, have user data headers by which the handset joins them.

    Without them they arrive as messages of their own.
    """
    found = []
    for command in (SUBMIT, FWD):
        form = fixed(facts, command)
        many = form.spread((form.integer("pk_total") > 1) & ((form.integer("tp_udhi") & UDHI_BITS) == 0))
        if command == FWD and len(many):
            many = many & (form.body.integer("msg_fwd_type") == _MT)
        found.append(form.body.hits(many, names=["pk_total"]))
    return found


RULES = (overrun, element_overrun, element_length, hidden, absent, pk_without_udh)
