"""Masking: what stays of a number, and which fields are personal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.columns import COMPILED, MO_REPORT, REPORTS
from cmppscope.redact import Personal, Redaction, is_subscriber, mask_number, personal

MASKED = Redaction()
OPEN = Redaction(active=False)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13800138000", "138******00"),
        ("8613800138000", "86138******00"),
        ("+8613800138000", "+86138******00"),
        ("008613800138000", "008**********00"),
        ("106901234567890123456", "106****************56"),
        ("1380013800", "**********"),
        ("8613800138", "86********"),
        ("10086", "*****"),
        ("86", "86"),
        ("", ""),
        ("alice@example", "ali********le"),
    ],
)
def test_numbers_keep_their_length_their_head_and_their_tail(number: str, masked: str) -> None:
    """Of eleven characters or more three and two stay, of fewer none; a country code stays before them."""
    assert mask_number(number) == masked
    assert len(masked) == len(number)


@given(st.from_regex(r"(\+?86)?[0-9]{0,19}", fullmatch=True))
def test_a_masked_number_hides_most_of_it(number: str) -> None:
    """Never more than five digits stay beside the country code, and never one of a short number."""
    masked = mask_number(number)
    stars = masked.count("*")
    rest = len(number.removeprefix("+").removeprefix("86")) if masked.startswith(("86", "+86")) else len(number)
    assert len(masked) == len(number)
    assert stars == (rest if rest < 11 else rest - 5)


def test_redaction_is_active_unless_told() -> None:
    """Masking is the default."""
    assert Redaction() == Redaction(active=True)
    assert MASKED.number("13800138000") == "138******00"
    assert OPEN.number("13800138000") == "13800138000"


@pytest.mark.parametrize(
    ("kind", "octets", "masked", "shown"),
    [
        (Personal.NUMBER, b"13800138000\0\0", "138******00", "13800138000"),
        (Personal.NUMBER, b"\0\0\0", "", ""),
        (Personal.NUMBER, b"138\xff", {"octets": 4}, {"hex": "313338ff"}),
        (Personal.NUMBER, b"1\x002\0", {"octets": 4}, {"hex": "31003200"}),
        (Personal.CODE, b"1234\0", "1234", "1234"),
        (Personal.CODE, b"13800138000\0", "138******00", "13800138000"),
        (Personal.CODE, b"+8613800138000", "+86138******00", "+8613800138000"),
        (Personal.CODE, b"1\xff", {"octets": 2}, {"hex": "31ff"}),
        (Personal.UNDEFINED, b"\0\0", "", ""),
        (Personal.UNDEFINED, b"ab", {"octets": 2}, "ab"),
        (Personal.UNDEFINED, b"\1\2", {"octets": 2}, {"hex": "0102"}),
        (Personal.NO, b"TPCQ\0", "TPCQ", "TPCQ"),
        (Personal.NO, b"\xff", {"hex": "ff"}, {"hex": "ff"}),
    ],
)
def test_octet_strings(kind: Personal, octets: bytes, masked: object, shown: object) -> None:
    """A personal Octet String is masked or counted; without masking it is its text or its octets."""
    assert MASKED.string(kind, octets) == masked
    assert OPEN.string(kind, octets) == shown
    assert MASKED.hides(kind, octets) == (masked != shown)
    assert not OPEN.hides(kind, octets)


def test_contents_and_surplus_are_counted() -> None:
    """A content and a surplus are counted; without masking they are hexadecimal, in full."""
    assert MASKED.content(b"hi") == MASKED.surplus(b"hi") == {"octets": 2}
    assert OPEN.content(b"hi") == {"hex": "6869"}
    assert OPEN.surplus(b"hi") == "6869"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234", False),
        ("1069012345", False),
        ("13800138000", True),
        ("8613800138000", True),
        ("+8613800138000", True),
        ("86138001380", False),
        ("138-0013-8000", True),
    ],
)
def test_a_code_of_eleven_digits_may_be_a_number(text: str, number: bool) -> None:  # noqa: FBT001 - expected
    """Eleven digits behind + and 86 make a number of what may be a service code."""
    assert is_subscriber(text) is number


def test_the_personal_fields() -> None:
    """These are the personal fields, of all fields there are."""
    bodies = [*COMPILED.values(), *REPORTS.values(), MO_REPORT]
    found = {
        (body.command, field.name): personal(body.command, field.name).name
        for body in bodies
        for field in body.fields
        if field.kind not in {"int", "signed"} and personal(body.command, field.name) is not Personal.NO
    }
    assert found == {
        ("CMPP_SUBMIT", "fee_terminal_id"): "NUMBER",
        ("CMPP_SUBMIT", "dest_terminal_id"): "NUMBER",
        ("CMPP_SUBMIT", "msg_content"): "CONTENT",
        ("CMPP_SUBMIT", "reserve"): "UNDEFINED",
        ("CMPP_QUERY", "reserve"): "UNDEFINED",
        ("CMPP_DELIVER", "src_terminal_id"): "NUMBER",
        ("CMPP_DELIVER", "msg_content"): "CONTENT",
        ("CMPP_DELIVER", "reserved"): "UNDEFINED",
        ("CMPP_FWD", "fee_terminal_id"): "NUMBER",
        ("CMPP_FWD", "src_id"): "CODE",
        ("CMPP_FWD", "dest_id"): "CODE",
        ("CMPP_FWD", "msg_content"): "CONTENT",
        ("CMPP_FWD", "reserve"): "UNDEFINED",
        ("CMPP_MT_ROUTE", "terminal_id"): "NUMBER",
        ("CMPP status report", "dest_terminal_id"): "NUMBER",
        ("CMPP status report (71 octets)", "dest_terminal_id"): "NUMBER",
        ("CMPP MO report", "dest_id"): "CODE",
        ("CMPP MO report", "reserved"): "UNDEFINED",
    }
