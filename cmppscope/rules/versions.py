"""Rules about versions: PDUs that are not laid out as their session's version has them (CMPP 3.0 §8.4 to §8.6)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.sessions import VERSION_NUMBERS
from cmppscope.tables import FITS_20, FITS_21, FITS_30, I64, LAYOUT_30, Bool
from dissectors.cmpp.enums import CANCEL, DELIVER, RESPONSE

_CANCEL_RESP = RESPONSE | CANCEL
_GET_MO_ROUTE = 0x17
_BITS = np.zeros(max(VERSION_NUMBERS.values()) + 1, np.uint8)
for _version, _bit in (("2.0", FITS_20), ("2.1", FITS_21), ("3.0", FITS_30)):
    _BITS[VERSION_NUMBERS[_version]] = _bit
_NAMES = ((FITS_20, "2.0"), (FITS_21, "2.1"), (FITS_30, "3.0"))
_REPORT, _REPORT_OCTETS = 1, 60
_FLAG_30, _LENGTH_30 = 87, 88
"""Offsets of Registered_Delivery and Msg_Length in a DELIVER of 3.0."""


def _strange(facts: Facts) -> Bool:
    """Tell which PDUs fit the layout of some version, but not of their session's."""
    batch = facts.batch
    strange: Bool = np.zeros(len(batch), np.bool_)
    if len(batch):
        own = _BITS[facts.versions]
        strange = (own != 0) & (batch.fits != 0) & ((batch.fits & own) == 0)
        if strange.any():
            strange &= (batch.command & ~RESPONSE) != _GET_MO_ROUTE  # `command-newer` has it
    return strange


def _kept_strange(facts: Facts) -> Bool:
    """Do so once a batch."""
    return facts.columns.once("strange layouts", lambda: _strange(facts))


def _of(facts: Facts, which: Bool) -> Hits:
    """Give PDUs as places, with their length, the version they fit and their session's."""
    rows = np.flatnonzero(which)
    hits = facts.pdus(rows, facts.batch.length[rows])

    def values(place: int) -> Mapping[str, object]:
        row = rows[place]
        fits = int(facts.batch.fits[row])
        return {
            "fits": " and ".join(name for bit, name in _NAMES if fits & bit),
            "version": next(name for name, number in VERSION_NUMBERS.items() if number == facts.versions[row]),
        }

    hits.values = values
    return hits


@rule(
    "version-layout",
    Severity.ERROR,
    "3.0 §8.4 to §8.7",
    "{command} of {a} octets has the layout of CMPP {fits}; the session is {version}",
)
def layout(facts: Facts) -> Hits:
    """A request has the layout of its session's version.

    Version is what CONNECT asks for and the width of its response grants; without a login it is what the first PDU
    fits that fits one version only. A peer that holds the session for another version reads numbers and text from the
    wrong places. Look for a setting of the version on either side.
    """
    return _of(facts, _kept_strange(facts) & (facts.batch.command < RESPONSE))


@rule(
    "version-resp-width",
    Severity.WARN,
    "3.0 §8.4 to §8.7",
    "{command} of {a} octets has the width of CMPP {fits}; the session is {version}",
)
def resp_width(facts: Facts) -> Hits:
    """A response has the width of its session's version.

    From 3.0 on Status and Result have four octets instead of one: a peer that expects one reads 0, success, whatever
    the code is.
    """
    command = facts.batch.command
    wrong = _kept_strange(facts) & (command >= RESPONSE)
    return _of(facts, wrong & ~((command == _CANCEL_RESP) & (facts.versions != VERSION_NUMBERS["3.0"])))


@rule("version-cancel-resp", Severity.NOTE, "practice", "{command} has {a} octets instead of 13")
def cancel_resp(facts: Facts) -> Hits:
    """CANCEL_RESP has one octet for Success_Id, not the four of 3.0.

    A library in wide use writes four in sessions of every version.
    """
    wrong = _kept_strange(facts) & (facts.batch.command == _CANCEL_RESP)
    wrong &= facts.versions != VERSION_NUMBERS["3.0"]
    return facts.pdus(wrong, facts.batch.length[wrong])


@rule("version-report-60", Severity.NOTE, "3.0 §8.4.5.1", "the status report has 60 octets, not 71")
def report_60(facts: Facts) -> Hits:
    """A status report in a session of 3.0 has 71 octets.

    The edition of June 2003 had 60, with a Dest_terminal_Id of 21; which of the two it is, Msg_Length tells.
    """
    batch = facts.batch
    rows = np.flatnonzero((batch.command == DELIVER) & (batch.layout == LAYOUT_30) & ((batch.fits & FITS_30) > 0))
    if len(rows):
        rows = rows[facts.versions[rows] == VERSION_NUMBERS["3.0"]]
    start: I64 = batch.position[rows]
    short = (batch.octets[start + _FLAG_30] == _REPORT) & (batch.octets[start + _LENGTH_30] == _REPORT_OCTETS)
    return facts.pdus(rows[short])


@rule("version-three-session", Severity.NOTE, "3.0 §8.4", "the session is CMPP 3.0")
def three_session(facts: Facts) -> Hits:
    """A session is CMPP 2.0; one of 3.0 is told of once, for rules about the widths of 2.0 do not look at it."""
    return facts.pdus(facts.threes)


RULES = (layout, resp_width, cancel_resp, report_60, three_session)
