"""From the text of a filter to a tree: what Wireshark's display filters look like.

    cmpp.command == CMPP_SUBMIT and submit.dest_terminal_id contains "138"
    transaction.latency > 500 ms or not (result in {0, 5..9})

A bare word is a name before an operator and a value behind it. `and` binds closer than `or`, `not` closest of all.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from cmppscope.filters.errors import FilterError

LONGEST = 10_000
"""Characters of a filter."""
DEEPEST = 100
"""Parentheses and negations inside each other."""

_GRAMMAR = r"""
start: _either
_either: either
either: both (_OR both)*
both: negated (_AND negated)*
?negated: NOT negated -> negation
        | "(" either ")" -> inside
        | test
?test: operand -> present
     | operand OPERATOR value -> comparison
     | operand NOT? IN "{" item (","? item)* "}" -> membership
operand: (WORD | STRING) [SLICE]
item: value [_RANGE value]
value: WORD [UNIT]
     | STRING

_OR.3: /\|\||or(?![\w.])/i
_AND.3: /&&|and(?![\w.])/i
NOT.3: /!(?![=])|not(?![\w.])/i
IN.3: /in(?![\w.])/i
OPERATOR.3: /===|!==|==|!=|<=|>=|<|>|~=|~|=|(?:(?:any|all)_(?:eq|ne)|eq|ne|gt|lt|ge|le|contains|matches)(?![\w.])/i
UNIT.2: /(?:ns|us|µs|μs|ms|s|min|h)(?![\w.:+-])/
_RANGE.2: ".."
SLICE: /\[[^\]"']*\]/
STRING: /[rR]?"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
WORD: /(?:(?!\.\.)[^\s"'()\[\]{},=<>!&|~])+/
%ignore /\s+/
"""

_OPERATORS = {
    "eq": "==",
    "any_eq": "==",
    "=": "=",
    "ne": "!=",
    "all_ne": "!=",
    "all_eq": "===",
    "any_ne": "!==",
    "~=": "!==",
    "gt": ">",
    "lt": "<",
    "ge": ">=",
    "le": "<=",
    "~": "matches",
}
"""Other spellings of operators; `!=` is Wireshark 4's: all values differ."""

_GLUED_UNIT = re.compile(r"([+-]?\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|min|h)")
_ESCAPE = re.compile(r"\\(?:([\"'\\])|([nrt0])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_KEYWORDS = {"and", "or", "in", "contains", "matches"}


class Operand(NamedTuple):
    """The name before an operator, and the part of its value that is meant."""

    name: str
    start: int
    end: int
    cut: tuple[int, int | None] | None = None
    """First position and length of a slice; a length of None goes to the end, a negative one counts from there."""
    quoted: bool = False


class Value(NamedTuple):
    """What stands behind an operator."""

    text: str
    start: int
    end: int
    quoted: bool = False
    unit: str = ""
    """A unit of time behind a number, which is then `text` without it."""
    whole: str = ""
    """What was typed, the unit included."""


class Present(NamedTuple):
    """A name alone: there is such a value, or it is so."""

    operand: Operand


class Comparison(NamedTuple):
    """A name, an operator, a value."""

    operand: Operand
    operator: str
    value: Value
    start: int
    """Where the operator stands."""
    end: int


class Membership(NamedTuple):
    """A name, and the values and ranges it may have."""

    operand: Operand
    items: tuple[tuple[Value, Value | None], ...]


class Negation(NamedTuple):
    """What must not hold."""

    part: Node


class Either(NamedTuple):
    """Parts of which one must hold."""

    parts: tuple[Node, ...]


class Both(NamedTuple):
    """Parts that must all hold."""

    parts: tuple[Node, ...]


Node = Present | Comparison | Membership | Negation | Either | Both


def parse(text: str) -> Node:
    """Read a filter; FilterError says what is wrong and where."""
    try:
        _check_characters(text)
        _check_depth(text)
        try:
            node: Node = _parser().parse(text)  # type: ignore[assignment]
        except UnexpectedInput as error:
            raise _explained(text, error) from None
    except FilterError as error:
        error.text = text
        raise
    return node


@functools.cache
def _parser() -> Lark:
    """Make the parser; it builds the tree as it goes, without recursion."""
    return Lark(_GRAMMAR, parser="lalr", transformer=_Tree(), maybe_placeholders=True)


def _check_characters(text: str) -> None:
    """Turn away nothing, too much, and lone surrogates from a command line that was not UTF-8."""
    if len(text) > LONGEST:
        raise FilterError(f"a filter has at most {LONGEST:,} characters", LONGEST, len(text))
    if not text.strip():
        raise FilterError("the filter is empty", 0, len(text))
    for at, character in enumerate(text):
        if "\ud800" <= character <= "\udfff":
            raise FilterError("this is not text in UTF-8", at)


def _check_depth(text: str) -> None:
    """Turn away nesting that nobody writes by hand."""
    deep = 0
    for match in re.finditer(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[()]|!(?!=)|(?i:\bnot\b)", text, re.DOTALL):
        deep += {"(": 1, ")": -1}.get(match[0], 1 if match[0][0] in "!nN" else 0)
        if deep > DEEPEST:
            raise FilterError(f"more than {DEEPEST} negations and parentheses", match.start(), match.end())


@v_args(inline=True)
class _Tree(Transformer[Token, Node]):
    """Makes the tree of the parser's pieces."""

    def start(self, node: Node) -> Node:
        return node

    def either(self, *parts: Node) -> Node:
        return parts[0] if len(parts) == 1 else Either(parts)

    def both(self, *parts: Node) -> Node:
        return parts[0] if len(parts) == 1 else Both(parts)

    def negation(self, _word: Token, part: Node) -> Node:
        return Negation(part)

    def inside(self, part: Node) -> Node:
        return part

    def present(self, operand: Operand) -> Node:
        return Present(operand)

    def operand(self, word: Token, cut: Token | None) -> Operand:
        start, end = _span(word)
        quoted = word.type == "STRING"
        return Operand(
            _unquoted(word) if quoted else str(word), start, end, None if cut is None else _slice(cut), quoted
        )

    def comparison(self, operand: Operand, operator: Token, value: Value) -> Node:
        word = operator.lower()
        if word == "=":
            raise FilterError("= is no comparison: equal is ==", *_span(operator))
        return Comparison(operand, _OPERATORS.get(word, word), value, *_span(operator))

    def membership(self, operand: Operand, *rest: object) -> Node:
        items = tuple(item for item in rest if isinstance(item, tuple))
        node = Membership(operand, items)
        negated = any(isinstance(each, Token) and each.type == "NOT" for each in rest)
        return Negation(node) if negated else node

    def item(self, value: Value, to: Value | None) -> tuple[Value, Value | None]:
        return value, to

    def value(self, word: Token, unit: Token | None = None) -> Value:
        start, end = _span(word)
        if word.type == "STRING":
            text = _unquoted(word)
            return Value(text, start, end, quoted=True, whole=text)
        glued = _GLUED_UNIT.fullmatch(word)
        if glued and unit is None:
            return Value(glued[1], start, end, unit=glued[2], whole=str(word))
        end = _span(unit)[1] if unit else end
        return Value(str(word), start, end, unit=str(unit or ""), whole=f"{word} {unit or ''}".rstrip())


def _span(token: Token) -> tuple[int, int]:
    """Tell where a token stands."""
    return token.start_pos or 0, token.end_pos or 0


def _unquoted(token: Token) -> str:
    r"""Give the text inside quotes: `\"`, `\\`, `\n`, `\x41`, `\u9a8c` are read, any other backslash stays."""
    if token[0] in "rR":
        return token[2:-1]
    return _ESCAPE.sub(
        lambda match: _CONTROLS.get(match[2]) or match[1] or chr(int(match[3] or match[4], 16)), token[1:-1]
    )


def _slice(token: Token) -> tuple[int, int | None]:
    """Read `[2]`, `[2:3]` (from, how many), `[2-4]` (from, to), `[2:]` or `[:3]`."""
    text = token[1:-1].replace(" ", "")
    if re.fullmatch(r"-?\d+", text):
        return int(text), 1
    if match := re.fullmatch(r"(-?\d+)?:(\d+)?", text):
        return int(match[1] or 0), int(match[2]) if match[2] else None
    if (match := re.fullmatch(r"(\d+)-(\d+)", text)) and int(match[1]) <= int(match[2]):
        return int(match[1]), int(match[2]) - int(match[1]) + 1
    raise FilterError("a slice is [from:how many], [from-to] or [at]", *_span(token))


def _explained(text: str, error: UnexpectedInput) -> FilterError:
    """Say in words what the parser did not expect."""
    if isinstance(error, UnexpectedCharacters):
        at = int(getattr(error, "pos_in_stream", 0))
        if text[at] in "\"'":
            return FilterError("this text has no closing quote", at, len(text))
        return FilterError(f"{_missing(error.allowed or set())} expected here", at)
    token = error.token if isinstance(error, UnexpectedToken) else None
    expected = set(getattr(error, "accepts", None) or getattr(error, "expected", ()) or ())
    if token is None or token.type == "$END":
        return FilterError(f"{_missing(expected)} is missing at the end", len(text.rstrip()), len(text.rstrip()) + 1)
    start, end = _span(token)
    if token.type == "RPAR" and "RPAR" not in expected and "WORD" not in expected:
        return FilterError("this ) closes nothing", start, end)
    return FilterError(f"{_missing(expected)} expected here", start, end)


def _missing(expected: set[str]) -> str:
    """Name what could stand in a place."""
    for terminal, words in _EXPECTED.items():
        if terminal in expected:
            return words
    return "nothing"


_EXPECTED = {
    "RPAR": "a closing )",
    "OPERATOR": "a comparison such as == or contains",
    "NOT": "the name of a field",
    "WORD": "a value",
    "LBRACE": "a set such as {1, 2, 5..9}",
    "RBRACE": "a closing }",
    "_AND": "`and` or `or`",
}
