"""Tests by the word agree with tests by the octet, whatever the octets are."""

from __future__ import annotations

import datetime as dt
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.columns import REPORTS, Columns
from cmppscope.rules.status_report import _bare, _times
from cmppscope.rules.words import no_digits, plain_numbers, words
from tests.rules.conversation import told

_DIGITS = st.text(string.digits, max_size=21).map(str.encode)
_FIELDS = st.one_of(
    _DIGITS.map(lambda text: text.ljust(21, b"\0")),
    st.builds(lambda text, rest: (text + rest).ljust(21, b"\0")[:21], _DIGITS, st.binary(max_size=4)),
    st.tuples(_DIGITS, st.integers(1, 20), _DIGITS).map(lambda t: (t[0] + bytes(t[1]) + t[2]).ljust(21, b"\0")[:21]),
    st.binary(min_size=21, max_size=21),
)


def report_of(octets: bytes, behind: bytes = b"") -> Columns:
    """Give the columns of one report."""
    buffer = np.frombuffer(octets + behind, np.uint8)
    return Columns(buffer, np.zeros(1, np.int64), np.array([60]), REPORTS[60])


@given(_FIELDS)
def test_plain_numbers(octets: bytes) -> None:
    """A plain number is digits, one at least, and then NULs only."""
    report = report_of(bytes(35) + octets + bytes(4))
    text = octets.rstrip(b"\0")
    expected = text.isdigit()
    assert plain_numbers(words(report, "dest_terminal_id", 21)).tolist() == [expected]


@given(st.binary(min_size=8, max_size=8))
def test_no_digits(octets: bytes) -> None:
    """An octet is marked where it is no digit."""
    marks = int(no_digits(np.frombuffer(octets, ">u8").astype(np.uint64))[0]).to_bytes(8, "big")
    assert marks == bytes(0 if chr(octet) in string.digits else 0x80 for octet in octets)


@pytest.mark.parametrize("behind", [0, 1, 7, 8, 100])
def test_words_at_the_end_of_the_buffer(behind: int) -> None:
    """A field near the end of the buffer is read the same, and nothing behind it counts."""
    report = report_of(bytes(35) + b"1380013800012345678901234", b"9" * behind)
    read = b"".join(int(word[0]).to_bytes(8, "big") for word in words(report, "dest_terminal_id", 21))
    assert read == b"138001380001234567890".ljust(24, b"\0")


def _is_time(text: bytes) -> bool:
    """Tell whether ten octets are YYMMDDHHMM."""
    if not text.isdigit():
        return False
    year, *parts = (int(text[at : at + 2]) for at in range(0, 10, 2))
    try:
        dt.datetime(2000 + year, *parts)  # type: ignore[arg-type]  # noqa: DTZ001 - for the calendar alone
    except ValueError:
        return False
    return True


def times_read(submit: bytes, done: bytes) -> list[bool]:
    """Tell whether both times of a report are read as right."""

    class Report:
        columns = report_of(bytes(15) + submit + done + bytes(25))

        def words(self, name: str, width: int) -> object:
            return words(self.columns, name, width)

    right: list[bool] = _times(Report()).tolist()  # type: ignore[arg-type]
    return right


@pytest.mark.parametrize(
    ("part", "values"), enumerate(("00 99", "00 01 12 13", "00 01 28 29 31 32", "00 23 24", "00 59 60"))
)
def test_parts_of_times(part: int, values: str) -> None:
    """Each part of each time has its least and its greatest value."""
    for value in values.split():
        parts = ["24", "03", "15", "12", "30"]
        parts[part] = value
        text = "".join(parts).encode()
        assert times_read(text, b"2603151230") == [_is_time(text)]
        assert times_read(b"2603151230", text) == [_is_time(text)]


_PAIRS = st.sampled_from([f"{n:02}" for n in (0, 1, 2, 4, 12, 13, 23, 24, 28, 29, 30, 31, 32, 59, 60, 99)])
_TIME = st.one_of(st.tuples(*[_PAIRS] * 5).map("".join).map(str.encode), st.binary(min_size=10, max_size=10))


@given(_TIME, _TIME)
def test_times_of_reports(submit: bytes, done: bytes) -> None:
    """Both times are right if both are times of the calendar."""
    assert times_read(submit, done) == [_is_time(submit) and _is_time(done)]


@given(st.text(string.digits, min_size=1, max_size=14), st.sampled_from(["", "86", "+86", "+"]), st.sampled_from(" \0"))
def test_numbers_without_country(number: str, prefix: str, filling: str) -> None:
    """Of a number, + and 86 in front do not count, nor does what it is filled with."""
    octets = np.frombuffer((prefix + number).ljust(21, filling).encode(), np.uint8).reshape(1, -1)
    expected = (prefix + number).removeprefix("+").removeprefix("86")
    assert _bare(octets)[0].tobytes().rstrip(b"\0").decode() == expected


def test_reports_in_fwd_are_looked_at() -> None:
    """A report between gateways is held to the same words and times."""
    lines = "0 SP CONNECT 1 addr=001001\n0.1 ISMG CONNECT_RESP 1\n"
    lines += "1 SP FWD 2 about=77 stat=GONE done_time=9\n1.1 ISMG FWD_RESP 2"
    found = [entry for entry in told(lines, port=7930).found if entry[0].startswith("report-")]
    assert found == [("report-time", "peer", 1), ("report-stat", "peer", 1)]


def test_numbers_in_words_are_masked_unless_asked() -> None:
    """Numbers of subscribers are hidden in the words of a finding."""
    lines = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n1 ISMG DELIVER 1 about=77 dest_terminal_id=13911112222\n"
    findings = told(lines, hide=lambda text: "*" * len(text)).analysis.findings
    assert [
        place.detail for finding in findings if finding.rule.id == "report-numbers" for place in finding.places
    ] == ["Src_terminal_Id is ***********, Dest_terminal_Id in the report ***********"]
