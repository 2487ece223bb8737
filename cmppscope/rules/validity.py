"""Rules about ValId_Time and At_Time of SUBMIT and FWD (CMPP 2.0 §7.4.3.1; the text is that of SMPP 3.4 §7.1.1)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmppscope.quantities import duration
from cmppscope.rules.forms import Forms, fixed
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.times import SmppTimes
from cmppscope.tables import I64, Bool
from dissectors.cmpp.enums import FWD, SUBMIT

_NAMES = ("valid_time", "at_time")
_CHINA = 32


def _fields(facts: Facts) -> list[tuple[Forms, str, SmppTimes]]:
    """Give both fields of SUBMIT and FWD where one is not blank, the forms they come in, and how these read."""

    def make() -> list[tuple[Forms, str, SmppTimes]]:
        found = []
        for form in (fixed(facts, SUBMIT), fixed(facts, FWD)):
            times = [SmppTimes(form.columns.strings(name).octets) for name in _NAMES]
            if any(time.given.any() for time in times):
                found += [(form, name, time) for name, time in zip(_NAMES, times, strict=True)]
        return found

    return facts.columns.once("validity", make)


def _wrong(facts: Facts, test: Callable[[SmppTimes], Bool]) -> list[Hits]:
    """Give the fields that fail a test as places."""
    return [form.body.named_hits(form.spread(test(time)), name) for form, name, time in _fields(facts)]


@rule("time-grammar", Severity.ERROR, "§7.4.3.1", "{field} is {value}")
def grammar(facts: Facts) -> list[Hits]:
    """ValId_Time and At_Time are blank, or 15 digits and +, - or R.

    The digits are year, month, day, hour, minute, second (two each), tenths of a second, and quarters of an hour that
    the clock is ahead of UTC (+) or behind it (-); with R they are a span. For China: 260601120000032+.
    """
    return _wrong(facts, lambda time: time.given & ~time.fits)


@rule("time-range", Severity.ERROR, "§7.4.3.1", "{field} is {value}")
def in_range(facts: Facts) -> list[Hits]:
    """An absolute time is one of the calendar, its clock 48 quarters of an hour from UTC at most."""
    return _wrong(facts, lambda time: time.fits & ~time.right)


@rule("time-terminator", Severity.WARN, "§7.4.3.1", "{field} is {value}")
def terminator(facts: Facts) -> list[Hits]:
    """Behind the 16 characters of a time stands a NUL."""
    return _wrong(facts, lambda time: time.fits & (time.octets[:, 16] != 0))


@rule("time-relative-extras", Severity.NOTE, "SMPP 3.4 §7.1.1.2", "{field} is {value}")
def relative_extras(facts: Facts) -> list[Hits]:
    """A span has 000 for tenths of a second and zone: they mean nothing there."""
    return _wrong(facts, lambda time: time.relative & ((time.tenth != 0) | (time.quarters != 0)))


@rule("time-zone", Severity.NOTE, "practice", "{field} is {value}")
def zone(facts: Facts) -> list[Hits]:
    """An absolute time is that of China: 32 quarters of an hour ahead of UTC.

    Many programs write local time with 00+, which says UTC: a gateway that takes it at its word is eight hours late.
    """
    return _wrong(facts, lambda time: time.absolute & time.right & (time.quarters != _CHINA))


@rule("time-past", Severity.NOTE, "practice", "{field} is {value}, {ago} before the capture")
def past(facts: Facts) -> list[Hits]:
    """At_Time and an absolute ValId_Time do not lie before the time of capture.

    What two clocks may differ by is let pass.
    """
    found = []
    for form, name, time in _fields(facts):
        may = form.spread(time.absolute & time.right)
        ago = np.zeros(len(may), np.int64)
        if may.any():
            now = _now(form)
            ago = now - time.bounds_ns(np.zeros(len(time.octets), np.int64))[0][form.of]
        found.append(_with_span(form.body.named_hits(may & (ago > facts.limits.skew_ns), name, ago)))
    return found


def _with_span(hits: Hits) -> Hits:
    """Let the words name the span in `a` as well."""
    named = hits.values
    hits.values = lambda place: {**(named(place) if named else {}), "ago": duration(int(hits.a[place]))}
    return hits


@rule("time-order", Severity.WARN, "practice", "ValId_Time is {valid_time}, At_Time {at_time}")
def order(facts: Facts) -> list[Hits]:
    """ValId_Time does not end before At_Time.

    Where one of the two is a span, which counts from the time of capture, what two clocks may differ by is let pass.
    """
    found = []
    fields = _fields(facts)
    for (form, _, until), (_, _, at) in zip(fields[::2], fields[1::2], strict=True):
        zero = np.zeros(len(until.octets), np.int64)
        latest, earliest = until.bounds_ns(zero)[1], at.bounds_ns(zero)[0]
        both = until.right & at.right
        wrong = form.spread(both & (until.relative == at.relative) & (latest < earliest))
        mixed = form.spread(both & (until.relative != at.relative))
        if mixed.any():
            end, begin = (
                limit[form.of] + np.where(time.relative[form.of], _now(form), 0)
                for time, limit in ((until, latest), (at, earliest))
            )
            wrong |= mixed & (end + facts.limits.skew_ns < begin)
        found.append(form.body.hits(wrong, names=_NAMES))
    return found


def _now(form: Forms) -> I64:
    """Give the time of capture of each row."""
    return form.body.facts.batch.time_ns[form.body.rows]


RULES = (grammar, in_range, terminator, relative_extras, zone, past, order)
