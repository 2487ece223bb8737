"""What a comparison needs of a text, and what that tells of the octets that the text was made of."""

from __future__ import annotations

from itertools import product

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cmppscope.filters.needles import NOTHING, Needles, encoded, longest_steady, needles, required, steady

CODECS = ["ascii", "utf-16-be", "gb18030"]
TEXTS = st.text(alphabet="验码ab1é\u4e00\U0001f600\ufffd", max_size=6)


@st.composite
def contents(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a codec and octets: texts in it, and others among them."""
    codec = draw(st.sampled_from(CODECS))
    pieces = draw(st.lists(TEXTS.map(lambda text: text.encode(codec, "replace")) | st.binary(max_size=5), max_size=6))
    return codec, b"".join(pieces)


@given(contents(), st.integers(0, 20), st.integers(1, 6))
def test_a_text_is_made_of_octets_of_its_own(content: tuple[str, bytes], begin: int, length: int) -> None:
    """Whatever stands in a decoded text, but for U+FFFD, stands in the octets as it is written in that coding."""
    codec, octets = content
    part = octets.decode(codec, "replace")[begin : begin + length]
    for told in needles([part]).texts:
        assert encoded([told], codec)[0] in octets


def test_what_tells_nothing_is_no_needle() -> None:
    """An empty text, U+FFFD and halves of characters; one of several is enough."""
    assert needles(["a", "b", "a"], enough=True) == Needles(("a", "b"), enough=True)
    for text in ("", "a\ufffd", "\ud800"):
        assert needles([text], caseless=True) == needles(["a", text]) == NOTHING
    assert needles("abcde").texts == tuple("abcde")
    assert needles("abcdef") == NOTHING  # so many are searched for more slowly than all is read
    assert encoded(["a", "é", "b"], "ascii") == [b"a", b"b"]


def test_steady_characters() -> None:
    """Regular expressions take none of them for another character, but letters of ASCII for those of the other case."""
    everything = [chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000]
    wanted = [each for each in everything if steady(each)]
    assert len(wanted) > 20_000
    named = "".join(f"\\x{{{ord(each):x}}}" for each in wanted)
    assert pl.Series(everything).filter(pl.Series(everything).str.contains(f"(?i)^[{named}]")).to_list() == wanted
    letters = [each for each in wanted if each.isascii() and each.isalpha()]
    assert len(letters) == 2 * (26 - len("ks"))
    for each in letters:
        assert pl.Series(wanted).filter(pl.Series(wanted).str.contains(f"(?i)^{each}")).to_list() == sorted(
            (each.upper(), each.lower())
        )


def test_words_are_searched_for_by_what_is_steady() -> None:
    """The longest part of them that is steady."""
    assert [longest_steady(text) for text in ("13800138000", "code 1234", "é验证码 abc", "task", "é")] == [
        "13800138000",
        "code 1234",
        "验证码 abc",
        "ta",
        "",
    ]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("验证码.{0,4}[0-9]", "验证码"),
        ("^【.+】您的验证码是", "】您的验证码是"),
        ("验证码?", "验证"),
        ("码*", ""),
        ("码{0,3}12", "12"),
        ("1+23", "23"),
        ("码+*1", "1"),
        ("(验证码)?1", "1"),
        ("(验证码|码)1", ""),
        ("(?x)验 证", ""),
        ("(?-i)code1", ""),
        ("[^]验]码", "码"),
        ("[^^]验]码", "验"),
        ("[[验]]码]1", "码"),
        (r"[\]验]1", "1"),
        (r"\d验\b证码", "证码"),
        (r"\.验证", "验证"),
        (r"\x{4e00}1", ""),
        (r"\x411", ""),
        (r"\p{Han}1", ""),
        (r"\b{start}12", "12"),
        ("Code12", "Code12"),
        ("Task123", "123"),
        ("[验证", ""),
        ("", ""),
    ],
)
def test_what_a_regular_expression_needs(pattern: str, text: str) -> None:
    """The longest text that stands in all that it finds, as far as a short look can tell."""
    assert required(pattern) == text


PIECES = [
    "验",
    "码",
    "1",
    "-",
    "a",
    ".",
    "^",
    "[验1]",
    "[^1]",
    "[]1]",
    "[^]a]",
    "[[1]验]",
    "[-]",
    "[1-]",
    "(码1)",
    "(1|a)",
]
PIECES += ["?", "*", "+", "{0}", "{1,2}", "{2}", "??", r"\d", r"\.", r"\]", r"[\]1]", r"\b", "]", "}", "[^^]", "[", "|"]


EVERY = pl.Series(["".join(each) for size in range(6) for each in product("验码1-a]", repeat=size)])
"""Every text of a few characters."""


@settings(deadline=None)
@example("[^^]验]码")
@example("码+*1")
@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
def test_all_that_is_found_has_what_is_needed(pattern: str) -> None:
    """Whatever the regular expression: a text that it finds holds what was said to be needed."""
    needed = required(pattern)
    try:
        found = EVERY.filter(EVERY.str.contains(f"(?i){pattern}"))
    except pl.exceptions.PolarsError:
        return
    assert found.str.contains(needed, literal=True).all()
