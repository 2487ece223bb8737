"""Rules about the fields of status reports, in DELIVER and between gateways in FWD (CMPP 2.0 §7.4.5.1).

What a report has to do with its SUBMIT is the business of other rules; these look at one PDU at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cmppscope.arrays import octets_at
from cmppscope.rules.bodies import Bodies, Reports, bodies, reports, reports_in
from cmppscope.rules.deliver import NUMBER_WIDTH
from cmppscope.rules.model import Facts, Hits, Personal, Severity, rule
from cmppscope.rules.strings import Texts, shown
from cmppscope.rules.times import Moment, pairs
from cmppscope.rules.words import no_digits, two_digits
from cmppscope.sessions import VERSION_NUMBERS
from cmppscope.tables import U8, U64, Bool
from dissectors.cmpp.enums import DELIVER, STAT

_REPORT = 1
_LENGTHS = (60, 71)
_STAT_WIDTH, _TIME_WIDTH = 7, 10
_TIMES = ("submit_time", "done_time")
_STAT_AT = 8
_TIMES_AT = _STAT_AT + _STAT_WIDTH
_TIMES_END = _TIMES_AT + 2 * _TIME_WIDTH
_SHORTEST_MONTH = 28
_CENTURY = 2000
_COUNTRY = b"86"
_EIGHT, _SIXTEEN, _THIRTY_TWO, _FORTY_EIGHT = (np.uint64(n) for n in (8, 16, 32, 48))


def _code(stat: str) -> np.uint64:
    """Give a Stat as one number."""
    return np.uint64(int.from_bytes(stat.encode(), "big"))


_KNOWN = [_code(stat) for stat in STAT]
_ACCEPTD = _code("ACCEPTD")


def _stats(report: Bodies) -> U64:
    """Give the Stat of each report as one number."""
    (word,) = report.words("stat", _STAT_WIDTH)
    return word >> _EIGHT


def _listed(stat: U64) -> Bool:
    """Tell which Stats are in table 1."""
    listed = np.zeros(len(stat), np.bool_)
    for known in _KNOWN:
        listed |= stat == known
    return listed


def _newer(stat: U8) -> Bool:
    """Tell which Stats have the form of later editions: two capitals, a colon, four letters or digits."""
    capital = (stat >= ord("A")) & (stat <= ord("Z"))
    other = capital | ((stat >= ord("a")) & (stat <= ord("z"))) | ((stat >= ord("0")) & (stat <= ord("9")))
    newer: Bool = capital[:, :2].all(axis=1) & (stat[:, 2] == ord(":")) & other[:, 3:].all(axis=1)
    return newer


def _unlisted(report: Bodies, *, newer: bool) -> Bool:
    """Tell which reports have a Stat that is not in table 1, of the newer form or of none."""
    wrong = ~_listed(_stats(report))
    rows = np.flatnonzero(wrong)
    if len(rows):
        wrong[rows] = _newer(report.columns.strings("stat").octets[rows]) == newer
    return wrong


def _times(report: Bodies) -> Bool:
    """Tell in which reports Submit_time and Done_time, which follow each other, are times of the calendar."""
    first, second, third = report.words("submit_time", 2 * _TIME_WIDTH)
    digits = (no_digits(first) | no_digits(second) | (no_digits(third) & _FIRST_FOUR)) == 0
    inside = np.zeros(len(first), np.uint64)
    late = np.zeros(len(first), np.bool_)
    for word, ranges in zip((first, second, third | _FILL), _RANGES, strict=True):
        pairs = two_digits(word)
        inside |= ~(pairs + ranges.least) | (pairs + ranges.most)
        late |= (pairs & ranges.day) > ranges.late
    right: Bool = digits & ((inside & _LANES) == 0)
    rows = np.flatnonzero(right & late)
    if len(rows):
        octets = (report.columns.strings(name).octets[rows] for name in ("submit_time", "done_time"))
        right[rows] = np.logical_and(*map(_calendar, octets))
    return right


def _calendar(digits: U8) -> Bool:
    """Tell which YYMMDDHHMM are times of the calendar."""
    year, month, day, hour, minute = pairs(digits)
    return Moment(year + _CENTURY, month, day, hour, minute, np.zeros_like(year)).right


class _Ranges(NamedTuple):
    """What the four numbers of a word may be; each in 16 bits, of which the highest tells."""

    least: np.uint64
    """Sets the bit of a number that is great enough."""
    most: np.uint64
    """Sets the bit of a number that is too great."""
    day: np.uint64
    """The bits of the day, if there is one."""
    late: np.uint64
    """The last day that every month has, in its place."""


def _ranges(parts: str) -> _Ranges:
    """Make the ranges of four parts of a time, named by their letters: year, Month, day, hour, minute, or none."""
    bounds = {"y": (0, 99), "M": (1, 12), "d": (1, 31), "h": (0, 23), "m": (0, 59), "-": (0, 99)}
    lanes = [bounds[part] for part in parts]
    day = [0xFFFF if part == "d" else 0 for part in parts]

    def word(numbers: list[int]) -> np.uint64:
        return np.uint64(sum(number << 16 * (3 - place) for place, number in enumerate(numbers)))

    return _Ranges(
        word([0x8000 - least for least, _ in lanes]),
        word([0x7FFF - most for _, most in lanes]),
        word(day),
        word([each and _SHORTEST_MONTH for each in day]),
    )


_RANGES = (_ranges("yMdh"), _ranges("myMd"), _ranges("hm--"))
_LANES = np.uint64(0x8000800080008000)
_FIRST_FOUR, _FILL = np.uint64(0x8080808000000000), np.uint64(0x30303030)


def _kept_times(facts: Facts) -> list[tuple[Reports, Bool]]:
    """Give all reports, and which have times of the calendar; read once a batch."""
    return facts.columns.once("report times", lambda: [(report, _times(report)) for report in reports(facts)])


@rule("report-length", Severity.ERROR, "§7.4.5.1", "Msg_Length is {a}: a status report has 60 octets")
def length(facts: Facts) -> Hits:
    """A status report to the SP, Registered_Delivery 1, has 60 octets.

    Its fields stand at fixed places, so that of any other length nothing can be read: the SP loses the report.
    """
    deliver = bodies(facts, DELIVER)
    octets = deliver.integer("msg_length")
    wrong = (deliver.integer("registered_delivery") == _REPORT) & ~np.isin(octets, _LENGTHS)
    return deliver.hits(wrong, octets)


@rule("report-length-71", Severity.WARN, "3.0 §8.4.5.1", "Msg_Length is 71: the report has the layout of 3.0.0")
def length_71(facts: Facts) -> Hits:
    """A status report of 71 octets, with a Dest_terminal_Id of 32, comes in sessions of 3.0 only.

    An SP that reads 60 octets takes SMSC_sequence from the middle of the number, and the rest for Reserved.
    """
    deliver = bodies(facts, DELIVER)
    wrong = (deliver.integer("registered_delivery") == _REPORT) & (deliver.integer("msg_length") == 71)
    return deliver.hits(wrong)


@rule("report-stat", Severity.WARN, "§7.4.5.1", "Stat is {stat}, which is no state of the document")
def stat(facts: Facts) -> list[Hits]:
    """Stat of a status report is one of the seven words of table 1, or of the form that later editions added.

    The SP cannot tell whether the message arrived. The seven are DELIVRD, EXPIRED, DELETED, UNDELIV, ACCEPTD, UNKNOWN
    and REJECTD, in capitals; the others have two capitals, a colon and four characters, for instance MA:0051.
    """
    return [r.hits(_unlisted(r, newer=False), names=["stat"]) for r in reports(facts)]


@rule("report-stat-newer", Severity.NOTE, "3.0 §8.4.5.1", "Stat is {stat}: a form that came after 2.0")
def stat_newer(facts: Facts) -> list[Hits]:
    """Stat of a status report in a session of 2.0 is one of the seven words of table 1.

    CMPP 2.1 and 3.0 added two letters, a colon and four characters: which part of the network gave the reason, and its
    code. They are common in sessions of 2.0 too; an SP has to be ready for them.
    """
    found = []
    for report in reports(facts):
        unlisted = _unlisted(report, newer=True)
        if unlisted.any():
            unlisted &= facts.versions[report.rows] != VERSION_NUMBERS["2.1"]
        found.append(report.hits(unlisted, names=["stat"]))
    return found


@rule("report-acceptd", Severity.WARN, "§7.4.5.1 note 1", "Stat ACCEPTD is no final state")
def acceptd(facts: Facts) -> list[Hits]:
    """A gateway that gets ACCEPTD from the message centre drops it, so that no SP ever sees it.

    The state is intermediate: an SP that counts it as final never learns what became of the message.
    """
    found = reports_in(facts, DELIVER)
    return [r.hits(_stats(r) == _ACCEPTD) for r in found]


@rule("report-time", Severity.ERROR, "§7.4.5.1", "Submit_time is {submit_time}, Done_time is {done_time}")
def time(facts: Facts) -> list[Hits]:
    """Submit_time and Done_time of a status report are times written YYMMDDHHMM."""
    return [r.hits(~right, names=_TIMES) for r, right in _kept_times(facts)]


@rule("report-time-order", Severity.WARN, "practice", "Done_time {done_time} is before Submit_time {submit_time}")
def time_order(facts: Facts) -> list[Hits]:
    """Done_time of a status report is not before Submit_time.

    The two come from different clocks, or from different zones.
    """
    return [r.hits(right & _backwards(r), names=_TIMES) for r, right in _kept_times(facts)]


def _backwards(report: Bodies) -> Bool:
    """Tell in which reports Done_time is before Submit_time, both digits."""
    first, second, third = report.words("submit_time", 2 * _TIME_WIDTH)
    submit, done = second >> _FORTY_EIGHT, (third >> _THIRTY_TWO) & np.uint64(0xFFFF)
    began = (second << _SIXTEEN) | (third >> _FORTY_EIGHT)
    before: Bool = (began < first) | ((began == first) & (done < submit))
    return before


@rule(
    "report-numbers",
    Severity.WARN,
    "§7.4.5.1",
    "Src_terminal_Id is {outer}, Dest_terminal_Id in the report {inner}",
)
def numbers(facts: Facts) -> list[Hits]:
    """Src_terminal_Id of a status report and Dest_terminal_Id inside it are one number, 86 or +86 in front or not.

    Both are the receiver of the SUBMIT. The Msg_Id tells which SUBMIT it was; which of its receivers, only the numbers.
    """
    return [_numbers(report) for report in reports_in(facts, DELIVER)]


def _numbers(report: Reports) -> Hits:
    """Give the reports whose numbers differ."""
    width = report.columns.body.fields[report.columns.body.by_name["dest_terminal_id"]].width
    ours = report.words("dest_terminal_id", width)
    theirs = report.outside.words("src_terminal_id", NUMBER_WIDTH)
    differ = np.zeros(len(report), np.bool_)
    for place, word in enumerate(ours):
        differ |= word != (theirs[place][report.inside] if place < len(theirs) else 0)
    rows = np.flatnonzero(differ & report.sure)
    inner = report.columns.strings("dest_terminal_id").octets[rows] if len(rows) else np.zeros((0, width), np.uint8)
    outer = np.zeros_like(inner)
    if len(rows):
        outer[:, :NUMBER_WIDTH] = report.outside.columns.strings("src_terminal_id").octets[report.inside[rows]]
    wrong = (_bare(outer) != _bare(inner)).any(axis=1)
    hits, at = report.facts.pdus(report.rows[rows[wrong]]), np.flatnonzero(wrong)
    hits.values = lambda place: {"outer": _number(outer[at[place]]), "inner": _number(inner[at[place]])}
    return hits


def _bare(octets: U8) -> U8:
    """Give numbers without + and 86 in front, filled with NUL."""
    width = octets.shape[1]
    text = np.where(np.arange(width) < Texts(octets).length[:, None], octets, 0)
    skip = (text[:, 0] == ord("+")).astype(np.int64)
    padded = np.pad(text, ((0, 0), (0, len(_COUNTRY) + 1)))
    rows = np.arange(len(octets))
    skip += len(_COUNTRY) * ((padded[rows, skip] == _COUNTRY[0]) & (padded[rows, skip + 1] == _COUNTRY[1]))
    bare: U8 = padded[rows[:, None], skip[:, None] + np.arange(width)]
    return bare


def _number(octets: U8) -> str:
    """Give a number for the words of a finding."""
    text = shown(octets.tobytes()).strip("“”")
    return Personal(text) if text else "blank"


@rule(
    "report-flag-missing",
    Severity.WARN,
    "practice",
    "the {a} octets of the content look like a status report, but Registered_Delivery is 0",
)
def flag_missing(facts: Facts) -> Hits:
    """Registered_Delivery is 1 where the content is a status report.

    With 0 the SP takes the report for a message from the handset, shows its octets as text, and waits for a report.
    """
    deliver = bodies(facts, DELIVER)
    octets = deliver.integer("msg_length")
    may = (deliver.integer("registered_delivery") == 0) & np.isin(octets, _LENGTHS)
    rows = np.flatnonzero(may & deliver.columns.valid("msg_content"))
    offset, _ = deliver.columns.place("msg_content")
    head = octets_at(deliver.columns.octets, deliver.columns.position[rows] + offset[rows], _TIMES_END)
    word = head[:, _STAT_AT:_TIMES_AT]
    named = np.isin(word.copy().view(f"S{_STAT_WIDTH}").reshape(-1), [name.encode() for name in STAT])
    alike = np.zeros(len(deliver), np.bool_)
    times = (head[:, _TIMES_AT:] - np.uint8(ord("0")) < 10).all(axis=1)
    alike[rows] = (named | _newer(word)) & times
    return deliver.hits(alike, octets)


@rule("report-udhi", Severity.NOTE, "practice", "TP_udhi is {a} in a status report")
def udhi(facts: Facts) -> list[Hits]:
    """TP_udhi of a status report is 0.

    A report has no user data header; who looks for one takes the first octets of the Msg_Id for it.
    """
    found = []
    for report in reports(facts):
        marks = report.outside.integer("tp_udhi")[report.inside]
        found.append(report.hits(marks > 0, marks))
    return found


RULES = (
    length,
    length_71,
    stat,
    stat_newer,
    acceptd,
    time,
    time_order,
    numbers,
    flag_missing,
    udhi,
)
