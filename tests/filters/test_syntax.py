"""The language: what binds to what, how values are written, and where a mistake is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.filters.errors import FilterError
from cmppscope.filters.selection import Filter
from cmppscope.filters.syntax import Both, Comparison, Either, Membership, Negation, Node, Present, parse
from cmppscope.report.carets import pointed

from .conftest import CHINA


def shape(node: Node) -> object:
    """Give a tree without its places."""
    if isinstance(node, Negation):
        return ("not", shape(node.part))
    if isinstance(node, Either | Both):
        return ("or" if isinstance(node, Either) else "and", *map(shape, node.parts))
    if isinstance(node, Present):
        return node.operand.name
    if isinstance(node, Membership):
        return (node.operand.name, [(low.whole, high and high.whole) for low, high in node.items])
    assert isinstance(node, Comparison)
    return (node.operand.name, node.operator, node.value.whole)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a or b and c", ("or", "a", ("and", "b", "c"))),
        ("a || b && !c", ("or", "a", ("and", "b", ("not", "c")))),
        ("(a OR b) AND c", ("and", ("or", "a", "b"), "c")),
        ("not not a", ("not", ("not", "a"))),
        ("not a == 1", ("not", ("a", "==", "1"))),
        ("a eq 1", ("a", "==", "1")),
        ("a ~ x", ("a", "matches", "x")),
        ("a any_ne 1", ("a", "!==", "1")),
        ("a all_eq 1", ("a", "===", "1")),
        ("a>=-5", ("a", ">=", "-5")),
        ("a > 500 ms and b", ("and", ("a", ">", "500 ms"), "b")),
        ("a > 1.5s", ("a", ">", "1.5s")),
        ("a in {1, 2, 5..9}", ("a", [("1", None), ("2", None), ("5", "9")])),
        ("a in {1 2}", ("a", [("1", None), ("2", None)])),
        ("a not in {1}", ("not", ("a", [("1", None)]))),
        ("a in {1 ms .. 2 s}", ("a", [("1 ms", "2 s")])),
        (r'a matches "\d+\.\"x\""', ("a", "matches", r'\d+\."x"')),
        (r'a == r"\n"', ("a", "==", r"\n")),
        (r'a == "\x41\u9a8c"', ("a", "==", "A验")),
        ("a contains 验证码", ("a", "contains", "验证码")),
        ("a == 10.0.0.0/8", ("a", "==", "10.0.0.0/8")),
        ("orange and notes and inner", ("and", "orange", "notes", "inner")),
    ],
)
def test_trees(text: str, tree: object) -> None:
    """`and` binds closer than `or`, `not` closest; words stand for signs; values are as they were typed."""
    assert shape(parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "cut"),
    [("a[2] == 1", (2, 1)), ("a[0:3] == 1", (0, 3)), ("a[2-4] == 1", (2, 3)), ("a[4:] == 1", (4, None))],
)
def test_slices(text: str, cut: tuple[int, int | None]) -> None:
    """A slice is an octet, a beginning and a length, or the first and the last."""
    node = parse(text)
    assert isinstance(node, Comparison)
    assert node.operand.cut == cut


@pytest.mark.parametrize(
    ("text", "marked", "said"),
    [
        ("", "", "empty"),
        ("result = 1", "=", "equal is =="),
        ("result ==", "", "a value is missing at the end"),
        ("result == 1 2", "2", "`and` or `or` expected"),
        ("(result == 1", "", "a closing ) is missing"),
        ("result == 1)", ")", "closes nothing"),
        ('text == "x', '"x', "no closing quote"),
        ("result in {", "", "a value is missing"),
        ("resutl == 1", "resutl", "no field is called resutl"),
        ("submit.dest_terminal == 1", "submit.dest_terminal", "no field is called"),
        ("result == one", "one", "not a number"),
        ("result == 0x1_0", "0x1_0", "not a number"),
        ("latency > 500", "500", "Give a unit"),
        ("state == lat", "lat", "none of its values"),
        ("cmpp.command == CMPP_SUBMITT", "CMPP_SUBMITT", "none of its values"),
        ("ip.addr == 300.1.1.1", "300.1.1.1", "not an address"),
        ("ip.addr > 1.1.1.1", ">", "takes no >"),
        ("result contains 1", "contains", "takes no contains"),
        ('text matches "(a"', '"(a"', "no regular expression: unclosed group"),
        ("time > 10", "10", "not a time"),
        ("time > 9999-12-31T23:59:59-23:00", "9999-12-31T23:59:59-23:00", "not a time"),
        ("msg_id == 99999999999999999999", "99999999999999999999", "not a Msg_Id"),
        ("result == 99999999999999999999", "99999999999999999999", "at most 63 bits"),
        ("latency > 99999999999999999 h", "99999999999999999 h", "at most 292 years"),
        ("result[0] == 1", "result", "has no slices"),
        ("text[a] == 1", "[a]", "a slice is"),
        ("cmpp.LinkID == 1", "cmpp.LinkID", "CMPP 3.0"),
        ("result == 1 and 'x'", "'x'", "text contains"),
        ("\ud800", "\ud800", "not text in UTF-8"),
        ("not " * 200 + "submit", "not", "more than 100"),
        ("(" * 200, "(", "more than 100"),
        ("a " * 6000, "a", "at most 10,000"),
    ],
)
def test_a_mistake_is_shown_where_it_is(text: str, marked: str, said: str) -> None:
    """The place and the reason of a mistake; the text stands in the error."""
    with pytest.raises(FilterError) as caught:
        Filter(text, "pdu", CHINA)
    error = caught.value
    assert error.text == text
    assert said in error.message
    assert text[error.start : error.end].strip()[: len(marked)] == marked


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("resutl == 1", "result"),
        ("cmpp.submit.pk_totl", "submit.pk_total"),
        ("transaction.latancy > 1 s", "transaction.latency"),
        ("submti", "submit"),
        ("state == lat", "late"),
        ("finding.severity == eror", "error"),
    ],
)
def test_what_may_have_been_meant(text: str, near: str) -> None:
    """Names that are like the one typed are offered."""
    with pytest.raises(FilterError) as caught:
        Filter(text, "transaction", CHINA)
    assert near in caught.value.near


def test_carets_stand_under_the_place() -> None:
    """Carets count the cells of a terminal, and nothing of the filter obeys."""
    with pytest.raises(FilterError) as caught:
        parse('text == "验证" and =\x1b[31m')
    shown, carets, reason = pointed(caught.value)
    assert shown.startswith('text == "验证" and =')
    assert carets == " " * 19 + "^"
    assert "\x1b" not in shown + carets + reason


@given(st.text(max_size=60) | st.text(alphabet="ab.=!<>&|~(){}[]\"',0123 inotd", max_size=40))
def test_any_text_is_a_filter_or_a_mistake(text: str) -> None:
    """Whatever is typed, there is a filter or a mistake inside it, never anything else."""
    mistakes: list[FilterError] = []
    try:
        Filter(text, "pdu", CHINA)
    except FilterError as error:
        mistakes.append(error)
    assert [error for error in mistakes if not 0 <= error.start <= len(text) or len(pointed(error)) != 3] == []
