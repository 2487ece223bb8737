"""Comparisons as Polars expressions over one column, `value`."""

from __future__ import annotations

import datetime as dt
from functools import reduce
from typing import Any

import polars as pl

from cmppscope.filters import values
from cmppscope.filters.errors import FilterError
from cmppscope.filters.field import Field
from cmppscope.filters.needles import NOTHING, Needles, needles, required
from cmppscope.filters.syntax import Comparison, Membership, Operand, Value
from cmppscope.filters.values import Kind

COLUMN = pl.col("value")

_ORDERED = {"<", "<=", ">", ">="}
_EQUAL = {"==", "!=", "===", "!=="}
OPERATORS: dict[Kind, set[str]] = {
    Kind.NUMBER: _EQUAL | _ORDERED,
    Kind.MSG_ID: _EQUAL | _ORDERED,
    Kind.DURATION: _EQUAL | _ORDERED,
    Kind.TIME: _EQUAL | _ORDERED,
    Kind.TEXT: _EQUAL | _ORDERED | {"contains", "matches"},
    Kind.OCTETS: _EQUAL | {"contains"},
    Kind.ADDRESS: _EQUAL,
    Kind.TRUTH: {"==", "!="},
}
"""Operators that a kind of field takes, besides `in`."""


def comparison(field: Field, node: Comparison, operator: str, zone: dt.tzinfo) -> pl.Expr:
    """Give what one value must be for `operator`, which is one of ==, <, <=, >, >=, contains, matches, differs."""
    column = _cut(field, node.operand)
    if operator == "matches":
        return _matches(column, node.value)
    if operator == "contains":
        return _contains(field, column, node.value)
    if operator in _ORDERED:
        return _ordered(field, column, operator, node.value, zone)
    equal = _within(field, column, node.value, None, zone)
    return ~equal if operator == "differs" else equal


def membership(field: Field, node: Membership, zone: dt.tzinfo) -> pl.Expr:
    """Give what one value must be to be in a set."""
    column = _cut(field, node.operand)
    tests = [_within(field, column, low, high, zone) for low, high in node.items]
    return reduce(pl.Expr.or_, tests)


def needles_of(field: Field, node: Comparison | Membership, operator: str = "==") -> Needles:
    """Give texts of which any value that passes holds one."""
    if field.kind is not Kind.TEXT:
        return NOTHING
    if isinstance(node, Membership):
        return needles(low.whole if high is None else "" for low, high in node.items)
    if operator == "matches":
        return needles([required(node.value.whole)], caseless=True)
    if operator == "contains":
        return needles([node.value.whole], enough=node.operand.cut is None)
    return needles([node.value.whole]) if operator == "==" else NOTHING


def check_operator(field: Field, node: Comparison) -> None:
    """Turn away an operator that the kind of a field does not take."""
    if node.operator not in OPERATORS[field.kind]:
        takes = " ".join(sorted(OPERATORS[field.kind]))
        message = f"{field.name} is {_A[field.kind]} and takes no {node.operator} (it takes {takes} in)"
        raise FilterError(message, node.start, node.end)


_A = {
    Kind.NUMBER: "a number",
    Kind.MSG_ID: "a Msg_Id",
    Kind.DURATION: "a duration",
    Kind.TIME: "a time",
    Kind.TEXT: "a text",
    Kind.OCTETS: "octets",
    Kind.ADDRESS: "an address",
    Kind.TRUTH: "yes or no",
}


def _cut(field: Field, operand: Operand) -> pl.Expr:
    """Give the part of a value that is meant."""
    if operand.cut is None:
        return COLUMN
    first, length = operand.cut
    if field.kind is Kind.TEXT:
        return COLUMN.str.slice(first, length)
    if field.kind is Kind.OCTETS:
        return COLUMN.bin.slice(first, length)
    raise FilterError(f"{field.name} is {_A[field.kind]} and has no slices", operand.start, operand.end)


def _one(field: Field, value: Value, zone: dt.tzinfo) -> pl.Expr:
    """Give a single value as an expression."""
    if field.kind is Kind.TEXT:
        return pl.lit(value.whole, pl.String)
    if field.kind is Kind.OCTETS:
        return pl.lit(values.octets(value), pl.Binary)
    if field.kind is Kind.TRUTH:
        return pl.lit(values.truth(value))
    if field.kind is Kind.MSG_ID:
        return pl.lit(values.msg_id(value), pl.UInt64)
    readers: dict[Kind, Any] = {
        Kind.DURATION: values.duration,
        Kind.TIME: lambda each: values.time(each, zone),
    }
    number = readers.get(field.kind, lambda each: values.number(each, field.names))
    return pl.lit(number(value), pl.Int64)


def _within(field: Field, column: pl.Expr, low: Value, high: Value | None, zone: dt.tzinfo) -> pl.Expr:
    """Ask whether a value is one, or in a range with both its ends."""
    if field.kind is Kind.ADDRESS:
        first, last = values.addresses(low)
        last = values.addresses(high)[1] if high else last
        if first[0] != last[0] or first > last:
            raise FilterError("this range of addresses is empty", low.start, (high or low).end)
        return (column >= pl.lit(first, pl.Binary)) & (column <= pl.lit(last, pl.Binary))
    if high is None:
        return column == _one(field, low, zone)
    if ">=" not in OPERATORS[field.kind]:
        raise FilterError(f"{field.name} is {_A[field.kind]} and has no ranges", low.start, high.end)
    return (column >= _one(field, low, zone)) & (column <= _one(field, high, zone))


def _ordered(field: Field, column: pl.Expr, operator: str, value: Value, zone: dt.tzinfo) -> pl.Expr:
    """Compare by order."""
    other = _one(field, value, zone)
    tests = {"<": column < other, "<=": column <= other, ">": column > other, ">=": column >= other}
    return tests[operator]


def _contains(field: Field, column: pl.Expr, value: Value) -> pl.Expr:
    """Look for a text or for octets inside a value."""
    if field.kind is Kind.OCTETS:
        return column.bin.contains(values.octets(value))
    return column.str.contains(value.whole, literal=True)


def _matches(column: pl.Expr, value: Value) -> pl.Expr:
    """Look for a regular expression inside a text, whatever the case of letters."""
    pattern = f"(?i){value.whole}"
    try:
        pl.Series([""]).str.contains(pattern, strict=True)
    except pl.exceptions.PolarsError as error:
        said = (line.removeprefix("error: ") for line in str(error).splitlines() if line.startswith("error: "))
        reason = next(said, "it cannot be used")
        raise FilterError(f"this is no regular expression: {reason}", value.start, value.end) from None
    return column.str.contains(pattern)
