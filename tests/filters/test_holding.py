"""Texts found by their octets are those that are found by reading every text."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.filters import columns, holding
from cmppscope.filters.fields import INDEX
from cmppscope.filters.needles import Needles
from cmppscope.filters.plain import words_filter
from cmppscope.filters.selection import Filter, Sieve
from cmppscope.filters.tables import PDU, PduTable
from cmppscope.rules import STANDARD
from cmppscope.tables import I64, LAYOUT_20, LAYOUT_30, U8, PduBatch
from dissectors.cmpp import CMPPDeliver, CMPPFwd, CMPPSubmit
from dissectors.cmpp.enums import DELIVER, FWD, SUBMIT

from .conftest import CHINA, REAL, SAMPLES, chosen, seen

Body = tuple[int, bytes, int]
"""Command_Id, octets and layout."""
LAYERS = {SUBMIT: CMPPSubmit, DELIVER: CMPPDeliver, FWD: CMPPFwd}


def table_of(bodies: Sequence[Body], before: bytes = b"\x78", behind: bytes = b"") -> PduTable:
    """Put bodies into a batch, with octets between them."""
    octets, position = b"", []
    for number, (command, body, _) in enumerate(bodies):
        octets += before
        position.append(len(octets))
        octets += struct.pack(">III", 12 + len(body), command, number) + body
    count = len(bodies)
    names = dict.fromkeys(
        ("stream", "direction", "offset", "frame", "known_frame", "time_ns"), np.zeros(count, np.int64)
    )
    batch = PduBatch(
        octets=np.frombuffer(octets + behind or b"\0", np.uint8),
        first=1,
        position=np.array(position, np.int64),
        length=np.array([12 + len(each) for _, each, _ in bodies], np.int64),
        command=np.array([command for command, _, _ in bodies], np.int64),
        sequence=np.arange(count),
        layout=np.array([layout for _, _, layout in bodies], np.uint8),
        fits=np.zeros(count, np.uint8),
        **names,
    )
    return PduTable(batch, np.zeros(count, np.int64), lambda _: None)


def body(command: int, content: bytes, msg_fmt: int, udhi: int, kind: int) -> bytes:
    """Give the body of a message, or of a report if `kind` says so."""
    layer = LAYERS[command](Msg_Content=content, Msg_Fmt=msg_fmt, TP_udhi=udhi)
    if command == DELIVER:
        layer.Registered_Delivery = kind & 1
    elif command == FWD:
        layer.Msg_Fwd_Type = kind
    return bytes(layer)


def passing(wanted: Filter, table: PduTable, *, plain: bool) -> list[int]:
    """Give the rows that pass, with all values read first or not."""
    for name in wanted.fields if plain else ():
        table.once(name, functools.partial(INDEX[PDU][name.removeprefix("cmpp.")].read, table))
    rows: list[int] = np.flatnonzero(Sieve(wanted).choose(table)).tolist()
    return rows


def same(wanted: Filter, bodies: Sequence[Body], behind: bytes = b"") -> list[int]:
    """Demand that both ways give the same rows, and give them."""
    quick, plain = (passing(wanted, table_of(bodies, behind=behind), plain=plain) for plain in (False, True))
    assert quick == plain
    return quick


def quoted(text: str) -> str:
    """Write a text as filters take it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


CHARACTERS = "验证码1ax\u4e00\U0001f600é\ufffd\u0041\u4100\x1e"
TEXTS = st.text(alphabet=CHARACTERS, max_size=6)
CODINGS = {0: "ascii", 8: "utf-16-be", 15: "gb18030", 25: "utf-16-be", 0xF1: "ascii", 4: "utf-8", 3: "ascii"}


@st.composite
def messages(draw: st.DrawFn) -> Body:
    """Draw a message in some coding, or what looks like one: other Msg_Fmts, headers, reports, octets cut off."""
    command, msg_fmt = draw(st.sampled_from(list(LAYERS))), draw(st.sampled_from(list(CODINGS)))
    text = draw(TEXTS).encode(CODINGS[draw(st.sampled_from([msg_fmt, msg_fmt, 8, 15]))], "replace")
    content = draw(st.sampled_from([b"", b"", b"x", b"\x05\0\3\1\2\1", b"\x30" * 40])) + text
    content = (content + draw(st.sampled_from([b"", b"", b"\x9a"]))).ljust(draw(st.sampled_from([0, 0, 60])), b"\0")
    made = body(command, content, msg_fmt, draw(st.sampled_from([0, 0, 1, 0x40])), draw(st.integers(0, 3)))
    cut = draw(st.sampled_from([0, 0, 0, 1, 12]))
    return command, made[: len(made) - cut], draw(st.sampled_from([LAYOUT_20, LAYOUT_20, LAYOUT_20, LAYOUT_30]))


OPERATORS = [
    *("text contains {}", "text[1:3] contains {}", "text[0] contains {}", "not text contains {}", "text matches {}"),
    *("text == {}", "text[1:3] == {}", "text != {}", "text !== {}", "text === {}", "text > {}"),
    *("text in {{{}, {}}}", "text in {{{}..{}}}", "text", "not text"),
]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(messages(), max_size=12),
    st.sampled_from(OPERATORS),
    st.lists(TEXTS, min_size=2, max_size=2),
    st.sampled_from([1, 64, 1 << 18]),
)
def test_both_ways_find_the_same(bodies: list[Body], operator: str, texts: list[str], at_a_time: int) -> None:
    """Whatever the messages, the texts that are looked for, and how many are searched in one go."""
    with mock.patch.object(holding, "_AT_A_TIME", at_a_time):
        wanted = Filter(operator.format(*map(quoted, texts)), PDU, CHINA)
        same(wanted, bodies)
        same(words_filter(texts[0], PDU, STANDARD.of, ()), bodies)


STRINGS = [
    *("src_id", "submit.service_id", "dest_terminal_id", "submit.dest_terminal_id", "src_terminal_id", "fwd.src_id"),
    *("report.stat", "mo_report.stat", "report.dest_terminal_id"),
]
VALUES = st.text(alphabet="1aAkKsé验\ufffd\0", max_size=4)
OCTETS = VALUES.map(str.encode) | VALUES.map(lambda text: text.encode("latin-1", "replace")) | st.binary(max_size=4)


@st.composite
def strings(draw: st.DrawFn) -> Body:
    """Draw a PDU whose Octet Strings are short, long, of several codings, or cut off; lists have none to three."""
    command = draw(st.sampled_from(list(LAYERS)))
    layer = LAYERS[command](Msg_Content=b"".join(draw(st.lists(OCTETS, max_size=4))).ljust(60, b"1"))
    named = {field.name for field in layer.fields_desc}
    for name in named & {"Src_Id", "Service_Id", "Src_terminal_Id", "Dest_Id"}:
        setattr(layer, name, (draw(OCTETS) * draw(st.sampled_from([1, 1, 9])))[:10])
    if "Dest_terminal_Id" in named:
        layer.Dest_terminal_Id = draw(st.lists(OCTETS, max_size=3))
    if command == DELIVER:
        layer.Registered_Delivery = draw(st.integers(0, 1))
    elif command == FWD:
        layer.Msg_Fwd_Type = draw(st.integers(0, 3))
    made = bytes(layer)
    return command, made[: len(made) - draw(st.sampled_from([0, 0, 1, 70]))], LAYOUT_20


@settings(max_examples=120, deadline=None)
@given(
    st.lists(strings(), max_size=8),
    st.sampled_from(STRINGS),
    st.sampled_from(OPERATORS),
    st.lists(VALUES, min_size=2, max_size=2),
)
def test_strings_are_found_both_ways(bodies: list[Body], field: str, operator: str, values: list[str]) -> None:
    """Of bodies and reports, one of a kind or in lists, whatever their octets."""
    same(Filter(operator.replace("text", field).format(*map(quoted, values)), PDU, CHINA), bodies)
    same(words_filter(values[0], PDU, STANDARD.of, ()), bodies)


def test_strings_that_hold_a_needle_are_not_made_texts() -> None:
    """Where all octets of a needle are characters of their own."""
    bodies = [(SUBMIT, bytes(CMPPSubmit(Src_Id=b"106" + each)), LAYOUT_20) for each in (b"912", b"913", b"\xe9")]
    with mock.patch.object(columns, "strings", side_effect=AssertionError):
        assert passing(Filter("src_id contains 691", PDU, CHINA), table_of(bodies), plain=False) == [0, 1]
        assert passing(words_filter("0691", PDU, STANDARD.of, ()), table_of(bodies), plain=False) == [0, 1]
    assert same(Filter('src_id contains "é"', PDU, CHINA), bodies) == [2]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([b"1" * 20 + b"9", b"1"], "91"),  # of two strings that lie side by side
        (["验".encode()], "é"),  # one octet of a character
        ([b"1"], "1\0"),  # NULs at the end are none of the value
    ],
)
def test_strings_that_only_seem_to_hold_a_text(values: list[bytes], text: str) -> None:
    """Octets alone do not make the text."""
    bodies = [(SUBMIT, bytes(CMPPSubmit(Src_Id=each, Dest_terminal_Id=values)), LAYOUT_20) for each in values]
    for name in ("src_id", "dest_terminal_id"):
        assert same(Filter(f"{name} contains {quoted(text)}", PDU, CHINA), bodies) == []


def test_what_is_longer_than_a_field_is_not_looked_for() -> None:
    """It may be a whole page that someone pasted."""
    bodies = [(SUBMIT, bytes(CMPPSubmit(Src_Id=b"0" * 21)), LAYOUT_20)] * 3
    with mock.patch.object(holding, "_places", side_effect=AssertionError):
        assert passing(Filter(f"src_id contains {'0' * 22}", PDU, CHINA), table_of(bodies), plain=False) == []


def test_octets_of_letters_are_not_letters() -> None:
    """Characters that differ in a bit, as letters and their capitals do, are others."""
    bodies = [(SUBMIT, body(SUBMIT, each.encode("utf-16-be"), 8, 0, 0), LAYOUT_20) for each in "\u4100\u6100"]
    assert same(words_filter("\u4100", PDU, STANDARD.of, ()), bodies) == [0]


PLAIN = [(SUBMIT, body(SUBMIT, b"nothing", 0, 0, 0), LAYOUT_20)] * 8
"""Messages of which none holds what is looked for, so that reading all is not worth while."""


@pytest.mark.parametrize("command", LAYERS)
@pytest.mark.parametrize(
    ("content", "msg_fmt", "udhi", "text", "found"),
    [
        ("验证码".encode("utf-16-be"), 8, 0, "证码", True),
        ("验证码".encode("utf-16-be"), 0x19, 0, "证码", True),
        (b"\x05\0\3\1\2\1" + "验证码".encode("utf-16-be"), 8, 1, "验", True),
        (b"\x06\0\3\1\2\1\0" + "验证码".encode("utf-16-be"), 8, 0x40, "验", True),
        (b"\x9a" + "验证码".encode("utf-16-be"), 8, 0, "验", False),  # at an odd octet it is another text
        (b"\x9a\x8c\x8b", 8, 0, "验\ufffd", True),
        ("验".encode("utf-16-be"), 15, 0, "验", False),
        ("验证码".encode("gb18030"), 15, 0, "证码", True),
        ("验证码".encode("gb18030")[1:], 15, 0, "证", False),  # octets of two characters
        (b"\xff" + "证é\U0001f600".encode("gb18030"), 15, 0, "证é\U0001f600", True),
        ("验证码".encode("gb18030"), 8, 0, "验", False),
        ("验".encode("utf-16-be"), 4, 0, "验", False),
        (b"code 1234", 0, 0, "code 1", True),
        (b"code 1234", 15, 0, "1234", True),
        (b"code \xff1", 0, 0, "\ufffd1", True),
        (b"x" * 139 + b"!", 0, 0, "x!", True),
        (b"x" * 31 + b"!", 0, 0, "!", True),
        (b"x" * 32 + b"!", 0, 0, "!", True),
        (b"code 1234", 0, 0, "code 2", False),
        (b"code", 0, 0, "code\0", False),
        (b" code", 0, 0, "code\0", False),  # what is behind it
        (b"code", 0, 0, "\4code"[:4], False),  # Msg_Length is before it
        (b"", 0, 0, "1", False),
    ],
)
def test_texts_in_every_coding(
    command: int,
    content: bytes,
    msg_fmt: int,
    udhi: int,
    text: str,
    found: bool,  # noqa: FBT001
) -> None:
    """A text is found where it was decoded from, and only as a text."""
    bodies = [*PLAIN, (command, body(command, content, msg_fmt, udhi, 0), LAYOUT_20)]
    for behind in (b"", b"\0" * 300):
        assert same(Filter(f"text contains {quoted(text)}", PDU, CHINA), bodies, behind) == ([8] if found else [])


def test_a_report_has_no_text() -> None:
    """Octets of a report are no text, whatever they look like."""
    report = body(DELIVER, b"1234".ljust(60, b"1"), 0, 0, 1)
    bodies = [*PLAIN, (DELIVER, report, LAYOUT_20), (DELIVER, body(DELIVER, b"1234", 0, 0, 0), LAYOUT_20)]
    assert same(Filter("text contains 1234", PDU, CHINA), bodies) == [9]


def test_the_text_of_a_neighbour_is_not_taken() -> None:
    """What stands behind a content belongs to something else."""
    first, second = body(SUBMIT, b"12", 0, 0, 0), body(SUBMIT, b"34", 0, 0, 0)
    short = first[:-8]  # the content ends the PDU
    bodies = [*PLAIN, (SUBMIT, short, LAYOUT_20), (SUBMIT, second, LAYOUT_20)]
    assert same(Filter('text contains "12x"', PDU, CHINA), bodies) == []
    quick = table_of(bodies, before=b"x")
    assert passing(Filter('text contains "12x"', PDU, CHINA), quick, plain=False) == []


def counted(text: str, bodies: Sequence[Body]) -> tuple[PduTable, int]:
    """Filter messages; give the table and how many texts were read for it."""
    table, read = table_of(bodies), 0
    inner = columns._decoded

    def noted(octets: U8, starts: I64, ends: I64, codec: str) -> object:
        nonlocal read
        read += len(starts)
        return inner(octets, starts, ends, codec)

    with mock.patch.object(columns, "_decoded", noted):
        passing(Filter(text, PDU, CHINA), table, plain=False)
    return table, read


def test_only_texts_that_may_pass_are_read() -> None:
    """None where their octets tell; of regular expressions those that hold what they need."""
    gbk = (SUBMIT, body(SUBMIT, "12验".encode("gb18030"), 15, 0, 0), LAYOUT_20)
    bodies = [*PLAIN, (SUBMIT, body(SUBMIT, b"12", 0, 0, 0), LAYOUT_20), gbk]
    for text, read in (
        ("text contains 12", 1),
        ("text contains thing", 0),
        ("text contains absent", 0),
        ('text matches "12."', 2),
        ("text", 0),
        ("text > 12", 10),
    ):
        table, count = counted(text, bodies)
        assert (text, count, table.has("cmpp.text")) == (text, read, text == "text > 12")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("text !== 12", list(range(8))),
        ("text != nothing", [8]),
        ("text in {12..z}", list(range(9))),
        ("text in {absent, 12}", [8]),
        ("text < 2", [8]),
        ("not text contains 12", list(range(8))),
    ],
)
def test_what_differs_or_is_ordered_is_read(text: str, found: list[int]) -> None:
    """Values that do not hold what was typed pass as well."""
    assert same(Filter(text, PDU, CHINA), [*PLAIN, (SUBMIT, body(SUBMIT, b"12", 0, 0, 0), LAYOUT_20)]) == found


def test_texts_that_were_read_are_not_searched() -> None:
    """Their column is quicker."""
    table = table_of([*PLAIN, (SUBMIT, body(SUBMIT, b"12", 0, 0, 0), LAYOUT_20)])
    with mock.patch.object(holding, "_places", side_effect=AssertionError):
        assert passing(Filter("text contains 12", PDU, CHINA), table, plain=True) == [8]


def test_the_same_filter_reads_nothing_again() -> None:
    """What was found is kept by what was looked for, and let go with it."""
    wanted = Filter("text contains 12", PDU, CHINA)
    table = table_of([*PLAIN, (SUBMIT, body(SUBMIT, b"12", 0, 0, 0), LAYOUT_20)])
    passing(wanted, table, plain=False)
    table.keep_only(wanted.columns)
    with mock.patch.object(holding, "_places", side_effect=AssertionError):
        assert passing(wanted, table, plain=False) == [8]
    other = Filter("text contains 34", PDU, CHINA)
    assert passing(other, table, plain=False) == []
    table.keep_only(other.columns)
    assert list(table._made) == [("cmpp.text", Needles(("34",), enough=True))]


@pytest.mark.parametrize("text", ["验证码", "码", "1", "HELLO", "您好", "的", "测试"])
@pytest.mark.parametrize("operator", ["text contains {}", "text matches {}", "not text contains {}", "text == {}"])
def test_captures_hold_both_ways_equal(text: str, operator: str) -> None:
    """Over every sample and real capture."""
    wanted = operator.format(quoted(text))
    for path in [*sorted(SAMPLES.glob("*.pcap*")), *sorted(REAL.glob("*.pcap*"))]:
        capture = seen(path)
        for table in capture.pdus:
            table.keep_only(())
        quick = chosen(capture, wanted)
        chosen(capture, "text")
        assert (path.name, chosen(capture, wanted)) == (path.name, quick)
