"""Plain words in place of a filter: rows of PDUs or transactions that hold a text, whatever the case of letters.

Words become the same conditions as filters: names of commands, ends, numbers, Msg_Ids, Octet Strings, texts, and what
results mean. They see the real values, as filters do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import polars as pl

from cmppscope.filters.conditions import COLUMN
from cmppscope.filters.errors import FilterError
from cmppscope.filters.fields import COMMANDS, INDEX, PRESENCE, find
from cmppscope.filters.needles import longest_steady, needles
from cmppscope.filters.selection import All, Any, Atom, Condition, Filter
from cmppscope.filters.syntax import Value
from cmppscope.filters.tables import PDU, TABLES, TRANSACTION
from cmppscope.filters.values import msg_id
from cmppscope.transactions import STATES
from cmppscope.transactions.table import RESULT_FIELDS

Meaning = Callable[[int, int], str]
"""From the Command_Id of a request and the code of its response to what the code means."""

_SIGNS = re.compile(r"[=<>!&|~(){}\[\]\"']")
_KEYWORDS = frozenset(
    (
        *("and", "or", "not", "in", "contains", "matches", "eq", "ne", "gt", "lt", "ge", "le"),
        *("any_eq", "all_eq", "any_ne", "all_ne"),
    )
)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")

_TEXTS = (
    *("source_addr", "src_id", "dest_id", "dest_terminal_id", "src_terminal_id", "fee_terminal_id", "terminal_id"),
    *("service_id", "msg_src", "stat", "text"),
)
_NUMBERS = {
    PDU: ("pdu", "frame.number", "sequence_id", "total_length", "tcp.stream"),
    TRANSACTION: ("pdu", "frame", "response_frame", "sequence_id", "sendings", "tcp.stream"),
}
_CODES = 256
"""Codes of results that are looked up."""


def plain_words(text: str, target: str) -> str | None:
    """Give the words that a text asks for, None where it is a filter: quoted, or without any sign of a filter."""
    text = text.strip()
    if quoted := _QUOTED.fullmatch(text):
        return quoted[1] or quoted[2] or ""
    words = text.lower().split()
    if _SIGNS.search(text) or (len(words) > 1 and _KEYWORDS.intersection(words)):
        return None
    if len(words) == 1 and _names(words[0], target):
        return None
    return text


def _names(word: str, target: str) -> bool:
    """Tell whether a word is the name of a field, a command or a table, or begins as one with a point in it."""
    name = word.removeprefix("cmpp.")
    if word in {"cmpp", *TABLES} or name in PRESENCE or find(word, target) is not None:
        return True
    head, point, rest = name.partition(".")
    return bool(point and rest) and not rest[0].isdigit() and head in _heads()


def _heads() -> Iterable[str]:
    """Give what stands before the points of names."""
    return {name.partition(".")[0] for index in INDEX.values() for name in index if "." in name} | set(TABLES)


def words_filter(text: str, target: str, meaning: Meaning, streams: Iterable[int]) -> Filter:
    """Make the filter for PDUs or transactions that hold a text; `streams` are those whose ends hold it."""
    low = text.lower()
    parts: list[Condition] = [
        _among(target, "command", [number for name, number in COMMANDS.items() if low in name.removeprefix("cmpp_")]),
        _among(target, "tcp.stream", list(streams)),
    ]
    if target == TRANSACTION:
        parts.append(_among(target, "state", [number for number, word in enumerate(STATES) if low in word]))
    if text.isdecimal() and text.isascii():
        found = COLUMN.cast(pl.String).str.contains(text, literal=True)
        parts += [Atom(target, INDEX[target][name], found) for name in _NUMBERS[target]]
    if target == PDU:
        pattern = COLUMN.str.contains(f"(?i){re.escape(text)}")
        part = longest_steady(text)
        hint = needles([part], caseless=True, enough=part == text)
        parts += [Atom(target, INDEX[target][name], pattern, hint) for name in _TEXTS]
        parts += _msg_ids(text)
    parts += _meanings(low, target, meaning)
    return Filter.made(text, target, Any(tuple(parts)))


def _among(target: str, name: str, numbers: list[int]) -> Condition:
    """Ask whether a number is one of some."""
    return Atom(target, INDEX[target][name], COLUMN.is_in(pl.lit(pl.Series(numbers, dtype=pl.Int64)).implode()))


def _msg_ids(text: str) -> list[Condition]:
    """Ask for a Msg_Id, where the text is one."""
    try:
        number = msg_id(Value(text, 0, len(text), whole=text))
    except FilterError:
        return []
    return [Atom(PDU, INDEX[PDU]["msg_id"], COLUMN.eq(pl.lit(number, pl.UInt64)))]


def _meanings(low: str, target: str, meaning: Meaning) -> list[Condition]:
    """Ask for results whose meaning holds the text."""
    parts: list[Condition] = []
    for name, command in COMMANDS.items():
        if command not in RESULT_FIELDS:
            continue
        codes = [code for code in range(_CODES) if low in meaning(command, code).lower()]
        if codes and target == PDU:
            parts.append(_among(target, f"{name.removeprefix('cmpp_')}_resp.{RESULT_FIELDS[command]}", codes))
        elif codes:
            parts.append(All((_among(target, "command", [command]), _among(target, "result", codes))))
    return parts
