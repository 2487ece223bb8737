"""Text from the wire: what is escaped, and what stays."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.report.safe import csv_cell, is_safe, json_escaped, json_safe, printable, width


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain ASCII ~",
        "验证码：1234，请勿泄露。",
        "全角\u3000空格",
        "日本語 한국어",
        "é ñ",
        "👍🏽😀✔\ufe0f",
        "🩷",
        "𠮷",
        "\\x1b",
    ],
)
def test_what_is_printable_stays(text: str) -> None:
    """CJK with its punctuation and spaces, accents, emoji and backslashes stay as they are."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\0\x7f", r"\x00\x7f"),
        ("\x9b2J\x85", r"\x9b2J\x85"),
        ("\u202egnp.exe\u2066\u2069", r"\u{202e}gnp.exe\u{2066}\u{2069}"),
        ("a\u200bb\u200d\ufeff\u00ad", r"a\u{200b}b\u{200d}\u{feff}\xad"),
        ("\u2028\u2029\u00a0", r"\u{2028}\u{2029}\xa0"),
        ("\ud800x\udc80", r"\u{d800}x\u{dc80}"),
        ("\ue000\U000f0000", r"\u{e000}\u{f0000}"),
        ("\ufffe\u0378", r"\u{fffe}\u{378}"),
        ("\U000e0041", r"\u{e0041}"),
        ("你\x1b好", r"你\x1b好"),
    ],
)
def test_what_a_terminal_might_obey_or_hide_is_escaped(text: str, shown: str) -> None:
    """Controls, escape sequences, direction marks, separators, surrogates, private and unassigned are escaped."""
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_printable_text_is_safe(text: str) -> None:
    """Whatever the text, only safe characters come out, and what was safe is unchanged."""
    shown = printable(text)
    assert all(map(is_safe, shown))
    assert printable(shown) == shown
    assert (shown == text) == all(map(is_safe, text))
    shown.encode("utf-8")


def test_every_control_character_is_escaped() -> None:
    """No C0 or C1 control and no direction mark is safe."""
    unsafe = [*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
    assert [code for code in unsafe if is_safe(chr(code))] == []


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+8613800138000", "'+8613800138000"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", r"'\t=1"),
        ("\r=1", r"'\r=1"),
        ("＝1", "'＝1"),
        ("13800138000", "13800138000"),
        ("a=1", "a=1"),
        ("", ""),
        ("\x1b", r"\x1b"),
    ],
)
def test_cells_are_no_formulas(text: str, cell: str) -> None:
    """What a spreadsheet would compute has a quote before it, and every cell is printable."""
    assert csv_cell(text) == cell


@pytest.mark.parametrize(("text", "safe"), [("ok 你好", "ok 你好"), ("\udc80a", r"\udc80a"), ("\x00\x1b", "\x00\x1b")])
def test_json_has_no_lone_surrogates(text: str, safe: str) -> None:
    """A lone surrogate, which no UTF-8 holds, is written as text; the rest is the encoder's work."""
    assert json_safe(text) == safe
    assert msgspec.json.decode(msgspec.json.encode(json_safe(text))) == safe


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_escaped_json_means_the_same(values: list[str]) -> None:
    """Escaping a document changes no value, compact or indented, and leaves nothing unsafe but line ends."""
    document = msgspec.json.encode(values)
    for each in (document, msgspec.json.format(document, indent=2)):
        escaped = json_escaped(each)
        assert json.loads(escaped) == values
        assert all(map(is_safe, escaped.decode().replace("\n", "")))


def test_json_escapes() -> None:
    """Unsafe characters become JSON's own escapes, in surrogate pairs beyond the first plane."""
    assert json_escaped('["\x7f\x9b\u202e\U000e0041 你好"]'.encode()) == (
        r'["\u007f\u009b\u202e\udb40\udc41 你好"]'.encode()
    )
    assert json_escaped(b'["a\x7f"]') == rb'["a\u007f"]'
    assert json_escaped(b'["a"]\n') == b'["a"]\n'


@pytest.mark.parametrize(("text", "cells"), [("", 0), ("abc", 3), ("你好", 4), ("a，b", 4), ("é", 1), ("😀", 2)])
def test_width_counts_cells(text: str, cells: int) -> None:
    """CJK, full-width punctuation and emoji take two cells."""
    assert width(text) == cells


@pytest.mark.parametrize("module", ["safe", "pdus", "show"])
def test_reporters_are_light(module: str) -> None:
    """Reporting on PDUs loads neither Textual nor Rich nor Polars nor all of Scapy."""
    code = (
        f"import sys, cmppscope.report.{module}; "
        "sys.exit(' '.join({'textual', 'rich', 'polars', 'scapy.all', 'scapy.layers.inet'} & sys.modules.keys()) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (result.stderr.strip(), result.returncode) == ("", 0)
