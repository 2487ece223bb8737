"""Rules about Msg_Fmt, Msg_Length and the text in Msg_Content, of SUBMIT, DELIVER and FWD (CMPP 2.0 §7.4.3.1)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.rules.codings import gb_states, high, swapped_ucs2
from cmppscope.rules.contents import Contents, contents
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.tables import I64, Bool
from dissectors.cmpp.enums import DELIVER, FWD, MSG_FMT

_ASCII, _UCS2, _GB = 0, 8, 15
_MOST_ASCII, _MOST = 160, 140
_CHARGING = 2
_OPEN_END = (1, 2, 3, 4)
"""States in which a text ends inside a character."""


def _of_format(found: Contents, msg_fmt: int) -> I64:
    """Give the messages of a Msg_Fmt."""
    return np.flatnonzero(found.msg_fmt == msg_fmt)


@rule("udhi-range", Severity.WARN, "§7.4.3.1", "TP_udhi is 0x{a:02x}, not 0 or 1")
def udhi_range(facts: Facts) -> list[Hits]:
    """TP_udhi is one bit, right-aligned: 0 or 1.

    A value of 0x40 is the esm_class of SMPP, copied as it stands: gateways that look at the lowest bit alone take the
    user data header for text, and the handset shows it.
    """
    found = []
    for each in contents(facts):
        rows = np.flatnonzero(each.tp_udhi > 1)
        found.append(each.hits(rows, each.tp_udhi[rows]))
    return found


@rule("msgfmt-unlisted", Severity.NOTE, "§7.4.3.1", "Msg_Fmt is {a}")
def format_unlisted(facts: Facts) -> list[Hits]:
    """Msg_Fmt is 0, 3, 4, 8 or 15.

    The list of the document is open. Gateways pass other data coding schemes of GSM 03.38 on, such as 0x18 for UCS2
    that the handset shows at once; whether yours does is for its vendor to say.
    """
    found = []
    for each in contents(facts):
        rows = np.flatnonzero(~np.isin(each.msg_fmt, list(MSG_FMT)))
        found.append(each.hits(rows, each.msg_fmt[rows]))
    return found


def _limited(facts: Facts) -> list[tuple[Contents, Bool]]:
    """Give the messages towards a handset: those for which the document limits Msg_Length."""
    found = []
    for each in contents(facts):
        if each.command == FWD:
            found.append((each, each.body.integer("msg_fwd_type")[each.at] == 0))
        elif each.command != DELIVER:
            found.append((each, np.ones(len(each), np.bool_)))
    return found


@rule("msglen-over", Severity.ERROR, "§7.4.3.1", "Msg_Length is {a} with Msg_Fmt {b}")
def length_over(facts: Facts) -> list[Hits]:
    """Msg_Content has 140 octets at most, with Msg_Fmt 0 fewer than 160.

    This is what fits into one short message, the user data header included. A longer text goes in parts, each a SUBMIT
    with a header of its own; in one piece it is refused, or cut. For what comes from handsets there is no such limit.
    """
    found = []
    for each, limited in _limited(facts):
        over = each.length > np.where(each.msg_fmt == _ASCII, _MOST_ASCII, _MOST)
        rows = np.flatnonzero(limited & over)
        found.append(each.hits(rows, each.length[rows], each.msg_fmt[rows]))
    return found


@rule("msglen-160", Severity.NOTE, "§7.4.3.1", "Msg_Length is 160")
def length_160(facts: Facts) -> list[Hits]:
    """Msg_Content with Msg_Fmt 0 has fewer than 160 octets.

    Gateways take 160 all the same, for 160 characters of 7 bits are what one short message holds.
    """
    return [
        each.hits(np.flatnonzero(limited & (each.length == _MOST_ASCII) & (each.msg_fmt == _ASCII)))
        for each, limited in _limited(facts)
    ]


@rule("msglen-zero", Severity.NOTE, "2.1 §7.4.3.1", "Msg_Length is 0")
def length_zero(facts: Facts) -> list[Hits]:
    """A message is not empty.

    CMPP 2.0 says nothing of empty messages; from 2.1 on they are allowed. A charging record, Registered_Delivery 2, is
    none.
    """
    found = []
    for each in contents(facts):
        rows = np.flatnonzero(each.length == 0)
        version = facts.versions[each.body.rows[each.at[rows]]]
        charging = each.body.integer("registered_delivery")[each.at[rows]] == _CHARGING
        found.append(each.hits(rows[((version == 0) | (version == 20)) & ~charging]))
    return found


@rule(
    "ucs2-odd", Severity.ERROR, "derived from §7.4.3.1", "the UCS2 text has {a:octet|octets}: half a character too many"
)
def odd(facts: Facts) -> list[Hits]:
    """A text in UCS2, Msg_Fmt 8, has two octets a character, the user data header not counted."""
    found = []
    for each in contents(facts):
        length = each.text_length
        rows = _of_format(each, _UCS2)
        rows = rows[length[rows] % 2 == 1]
        found.append(each.hits(rows, length[rows]))
    return found


@rule("ucs2-little-endian", Severity.WARN, "practice", "the text makes sense only with its octets swapped")
def little_endian(facts: Facts) -> list[Hits]:
    """The octets of UCS2, Msg_Fmt 8, stand with the high one first.

    The handset shows rare characters in place of the text. In Java and Python the right coding is UTF-16BE; in C# it is
    Encoding.BigEndianUnicode, not Encoding.Unicode.
    """
    found = []
    for each in contents(facts):
        rows = _of_format(each, _UCS2)
        swapped = swapped_ucs2(each.octets, each.text_start[rows], each.text_length[rows])
        found.append(each.hits(rows[swapped]))
    return found


@rule("ascii-8bit", Severity.WARN, "§7.4.3.1", "octet {offset} of Msg_Content is above 0x7F{reading}")
def ascii_8bit(facts: Facts) -> list[Hits]:
    """A text in ASCII, Msg_Fmt 0, has octets up to 0x7F only.

    The message centre packs it to 7 bits a character; what lies above is lost or changed. Chinese needs Msg_Fmt 8
    or 15.
    """
    found = []
    for each in contents(facts):
        rows = _of_format(each, _ASCII)
        wrong = rows[high(each.octets, each.text_start[rows], each.text_length[rows])]
        found.append(_coded(each, wrong, _first_high))
    return found


@rule("gb-invalid", Severity.WARN, "§7.4.3.1", "octet {offset} of Msg_Content begins no character{reading}")
def gb_invalid(facts: Facts) -> list[Hits]:
    """A text in Msg_Fmt 15 is GBK or GB 18030.

    A part of a long message may begin or end inside a character.
    """
    found = []
    for each in contents(facts):
        rows = _of_format(each, _GB)
        start, length = each.text_start, each.text_length
        state = gb_states(each.octets, start[rows], length[rows])
        wrong = rows[state > 0]
        if len(wrong):
            wrong = wrong[~_fits_as_part(each, wrong)]
        found.append(_coded(each, wrong, _first_no_gb))
    return found


def _fits_as_part(each: Contents, rows: I64) -> Bool:
    """Tell which texts are GB 18030 but for a character that goes on in another part of the message."""
    part = np.searchsorted(each.headed, rows)
    part = np.minimum(part, max(len(each.headed) - 1, 0))
    fits = np.zeros(len(rows), np.bool_)
    if not len(each.headed):
        return fits
    joined = (each.headed[part] == rows) & each.heads.concatenated[part]
    total, number = each.heads.total[part], each.heads.number[part]
    start, length = each.text_start[rows], each.text_length[rows]
    for skipped in range(4):
        may = joined & (length > skipped) & ((skipped == 0) | (number > 1))
        state = gb_states(each.octets, start[may] + skipped, length[may] - skipped)
        fits[may] |= (state == 0) | (np.isin(state, _OPEN_END) & (number < total)[may])
    return fits


def _coded(each: Contents, rows: I64, place: Callable[[bytes], int]) -> Hits:
    """Give messages as places, whose words tell where the text goes wrong and what it may be instead."""
    hits = each.hits(rows)
    start, length = each.text_start[rows], each.text_length[rows]
    header = start - each.start[rows]

    def values(at: int) -> dict[str, object]:
        text = each.octets[start[at] : start[at] + length[at]].tobytes()
        return {"offset": int(header[at]) + place(text), "reading": _reading(text)}

    hits.values = values
    return hits


def _first_high(text: bytes) -> int:
    """Find the first octet above 0x7F."""
    return next(at for at, octet in enumerate(text) if octet > 0x7F)


def _first_no_gb(text: bytes) -> int:
    """Find the first octet that begins no character of GB 18030."""
    try:
        text.decode("gb18030")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _reading(text: bytes) -> str:
    """Say as what a text can be read, in words that follow others."""
    for codec, name in (("utf-8", "UTF-8"), ("gb18030", "GB 18030")):
        try:
            text.decode(codec)
        except UnicodeDecodeError:
            continue
        return f"; the text is {name}"
    return ""


RULES = (
    udhi_range,
    format_unlisted,
    length_over,
    length_160,
    length_zero,
    odd,
    little_endian,
    ascii_8bit,
    gb_invalid,
)
