"""Texts decoded many at a time are those that are decoded one by one."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.packet import Packet

from cmppscope.columns import COMPILED, Columns
from cmppscope.filters.columns import _decoded, strings, texts
from dissectors.cmpp import CMPPSubmit
from dissectors.cmpp.enums import SUBMIT
from dissectors.cmpp.text import decode_text

CONTENT = (
    st.binary(max_size=40)
    | st.text(max_size=20).map(lambda t: t.encode("utf-16-be", "surrogatepass"))
    | st.text(max_size=20).map(lambda t: t.encode("gb18030", "replace"))
    | st.text(alphabet="\x01\x02\x1e\x1f\x0b\x0eab", max_size=8).map(str.encode)
)
FORMATS = [0, 3, 4, 8, 15, 25, 0xF1]


def messages_of(msg_fmts: list[int]) -> st.SearchStrategy[list[tuple[bytes, int, int]]]:
    """Draw contents with their Msg_Fmt and TP_udhi."""
    return st.lists(st.tuples(CONTENT, st.sampled_from(msg_fmts), st.sampled_from([0, 0, 0, 1, 0x40])), max_size=60)


MESSAGES = messages_of(FORMATS) | st.sampled_from([0, 8, 15]).flatmap(lambda each: messages_of([each]))
"""Of all codings together, or so many of one that they are decoded in one go."""


ODD = [(octets, 8, 0) for octets in (b"a", b"\x4e\x00\x01\x00\x01\x4e", b"b", *[b"\x00d"] * 30)]
"""Contents of half a character that, joined, would move separators to other places."""


@example(ODD, 0)
@given(MESSAGES, st.integers(0, 5))
def test_bulk_and_single_decoding_agree(messages: list[tuple[bytes, int, int]], cut: int) -> None:
    """Whatever the contents: the same text as `decode_text` gives, none for reports, cut PDUs and other codings."""
    bodies = []
    for content, msg_fmt, udhi in messages:
        layer: Packet = CMPPSubmit(Msg_Content=content, Msg_Fmt=msg_fmt, TP_udhi=udhi, Dest_terminal_Id=[b"1"])
        bodies.append(bytes(layer))
    if bodies and cut:
        bodies[-1] = bodies[-1][: -8 - cut]
    length = np.array([len(body) for body in bodies], np.int64)
    octets = np.frombuffer(b"".join(bodies) or b"\0", np.uint8)
    columns = Columns(octets, np.cumsum(length) - length, length, COMPILED[SUBMIT])
    reports = np.arange(len(bodies)) % 7 == 3
    found = texts(np.arange(len(bodies)) + 100, columns, reports)
    rows = np.arange(len(bodies)) if found.rows is None else found.rows - 100
    got = dict(zip(rows.tolist(), list(found.values), strict=True))
    wanted = {}
    for row, (content, msg_fmt, udhi) in enumerate(messages):
        whole = not cut or row < len(messages) - 1 or not content
        if cut and row == len(messages) - 1:
            whole = bool(columns.valid("msg_content")[row])
        text = decode_text(content, msg_fmt, udhi).text
        if whole and not reports[row] and text is not None:
            wanted[row] = text
    assert got == wanted


@given(st.lists(st.binary(max_size=6), max_size=20))
def test_octet_strings_are_texts_without_their_last_nuls(values: list[bytes]) -> None:
    """UTF-8 where it is that, else octet by octet."""
    octets = np.zeros((len(values), 6), np.uint8)
    for row, value in enumerate(values):
        octets[row, : len(value)] = list(value)
    made = strings(octets)
    assert made.dtype == pl.String or not values

    def text(value: bytes) -> str:
        whole = value.ljust(6, b"\0")
        try:
            return whole.decode().rstrip("\0")
        except UnicodeDecodeError:
            return whole.decode("latin-1").rstrip("\0")

    assert made.to_list() == [text(value) for value in values]


def decoded(contents: list[bytes]) -> list[str]:
    """Decode contents, the shortest first, in one go."""
    sizes = np.array([len(content) for content in contents], np.int64)
    ends = np.cumsum(sizes)
    return _decoded(np.frombuffer(b"".join(contents), np.uint8), ends - sizes, ends, "ascii").to_list()


def test_separators_inside_contents_divide_nothing() -> None:
    """A content that holds the character by which contents are joined is still one."""
    assert decoded([b"", b"c", *([b"d"] * 30), b"a\x01b"]) == ["", "c", *(["d"] * 30), "a\x01b"]
    everything = [bytes([n]) for n in range(1, 32)]
    assert decoded(everything) == [chr(n) for n in range(1, 32)]
