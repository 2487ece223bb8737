"""Rules about lengths and framing (CMPP 2.0 §7.3 and the tables of §7.4 to §7.6)."""

from __future__ import annotations

from functools import partial

import numpy as np

from cmppscope.columns import COMPILED
from cmppscope.framing.headers import known
from cmppscope.rules.model import CAPTURE, PEER, Facts, Hits, Severity, rule
from cmppscope.tables import I64, LAYOUT_20, Bool
from dissectors.cmpp.enums import ACTIVE_TEST, RESPONSE, SUBMIT, TERMINATE
from dissectors.cmpp.layout import READINGS

_BODYLESS = (TERMINATE, RESPONSE | TERMINATE, ACTIVE_TEST)
_ACTIVE_TEST_RESP = RESPONSE | ACTIVE_TEST
_LATER = (0x17, 0x80000017)


def _fixed_lengths() -> dict[int, int]:
    """Give Total_Length of every command of fixed size in 2.0."""
    return {
        command: 12 + sum(f.width for f in body.fields) for command, body in COMPILED.items() if command not in READINGS
    }


FIXED = _fixed_lengths()


def _misfits(facts: Facts) -> Bool:
    """Tell which PDUs of known commands fit the layout of no version."""
    batch = facts.batch
    misfits: Bool = (batch.fits == 0) & known(batch.command)
    return misfits


def _formula(facts: Facts, command: int) -> Hits:
    """Give the PDUs of a command of variable size that fit nothing, with the length that their counts make."""
    rows = np.flatnonzero(_misfits(facts) & (facts.batch.command == command))
    made = np.array([_made(facts.batch.octets_of(int(row)), command) for row in rows], np.int64)
    return facts.pdus(rows, facts.batch.length[rows], made)


def _made(octets: bytes, command: int) -> int:
    """Compute Total_Length from the counts inside a PDU by the 2.0 layout; 0 where they are cut off."""
    reading = READINGS[command][0]
    receivers = 0
    if reading.count_at is not None:
        if reading.count_at >= len(octets):
            return 0
        receivers = octets[reading.count_at] * reading.width
    at = reading.length_at + receivers
    return reading.least + receivers + octets[at] if at < len(octets) else 0


@rule("frame-length-below-header", Severity.ERROR, "§7.3", "Total_Length {b}: a header alone has 12 octets")
def below_header(facts: Facts) -> Hits:
    """Total_Length counts the 12 octets of the header, so it is at least 12."""
    return facts.oddities("below-header", PEER)


@rule("frame-length-impossible", Severity.ERROR, "§7.3", "Total_Length {b}: no PDU can be longer than {longest} octets")
def impossible(facts: Facts) -> Hits:
    """Total_Length is not above what the fields of any version can code."""
    return facts.oddities("impossible", PEER)


@rule("frame-truncated", Severity.ERROR, "§7.3", "the connection was closed {a:octet|octets} into a PDU", " of {b}")
def truncated(facts: Facts) -> Hits:
    """A connection ends between two PDUs, not inside one."""
    return facts.oddities("truncated", PEER)


@rule(
    "frame-resync",
    Severity.WARN,
    "§7.3",
    "{a:octet|octets} of no PDU, {which} of the direction, skipped to find the next header",
)
def resync(facts: Facts) -> list[Hits]:
    """Every octet of a direction belongs to a PDU.

    Octets of a direction are counted from 0.
    """
    found = [facts.oddities("skipped", PEER), facts.oddities("skipped", CAPTURE)]
    for hits in found:
        hits.values = partial(_skipped, hits)
    return found


def _skipped(hits: Hits, place: int) -> dict[str, object]:
    """Name the octets that were skipped."""
    first, count = int(hits.offset[place]), int(hits.a[place])
    return {"which": first if count == 1 else f"{first} to {first + count - 1}"}


@rule(
    "frame-gap",
    Severity.NOTE,
    "practice",
    "{a:octet is|octets are} missing from the capture",
    "; {b:octet|octets} in front cannot be used: the PDU is cut by this hole",
)
def gap(facts: Facts) -> Hits:
    """The capture holds every octet of a direction."""
    return facts.oddities("gap", CAPTURE)


@rule("length-fixed", Severity.ERROR, "§7.4 to §7.6", "{command} has {a} octets instead of {b}")
def fixed(facts: Facts) -> Hits:
    """A PDU of fixed size has the Total_Length of its table."""
    batch = facts.batch
    wrong = _misfits(facts) & ~np.isin(batch.command, (*READINGS, *_BODYLESS, *_LATER))
    wrong &= ~((batch.command == _ACTIVE_TEST_RESP) & (batch.length == 12))
    rows = np.flatnonzero(wrong)
    expected: I64 = np.array([FIXED[c] for c in batch.command[rows].tolist()], np.int64)
    return facts.pdus(rows, batch.length[rows], expected)


@rule(
    "length-submit", Severity.ERROR, "§7.4.3.1", "Total_Length is {a}, but 138 + 21·DestUsr_tl + Msg_Length makes {b}"
)
def submit(facts: Facts) -> Hits:
    """The Total_Length of SUBMIT is 138 + 21·DestUsr_tl + Msg_Length."""
    return _formula(facts, SUBMIT)


@rule("length-deliver", Severity.ERROR, "§7.4.5.1", "Total_Length is {a}, but 85 + Msg_Length makes {b}")
def deliver(facts: Facts) -> Hits:
    """The Total_Length of DELIVER is 85 + Msg_Length."""
    return _formula(facts, 0x05)


@rule("length-fwd", Severity.ERROR, "§7.5.4.1", "Total_Length is {a}, but 152 + 21·DestUsr_tl + Msg_Length makes {b}")
def fwd(facts: Facts) -> Hits:
    """The Total_Length of FWD is 152 + 21·DestUsr_tl + Msg_Length."""
    return _formula(facts, 0x09)


@rule("length-body-on-bodyless", Severity.ERROR, "§7.4.2, §7.4.7.1", "{command} has {a} octets: it has no body, so 12")
def bodyless(facts: Facts) -> Hits:
    """ACTIVE_TEST, TERMINATE and TERMINATE_RESP have no body."""
    rows = np.flatnonzero(_misfits(facts) & np.isin(facts.batch.command, _BODYLESS))
    return facts.pdus(rows, facts.batch.length[rows])


@rule("length-active-test-resp", Severity.WARN, "§7.4.7.2", "{command} has {a} octets: one Reserved octet makes 13")
def active_test_resp(facts: Facts) -> Hits:
    """ACTIVE_TEST_RESP carries one Reserved octet."""
    batch = facts.batch
    return facts.pdus((batch.command == _ACTIVE_TEST_RESP) & (batch.length == 12) & (batch.layout == LAYOUT_20), 12)


RULES = (
    below_header,
    impossible,
    truncated,
    resync,
    gap,
    fixed,
    submit,
    deliver,
    fwd,
    bodyless,
    active_test_resp,
)
