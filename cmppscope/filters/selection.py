"""A filter made ready for the rows of one table, and its work over a capture.

Theory of operation. Each comparison looks at the fields of one table. Where that is not the table whose rows are
chosen, the numbers of PDUs (or of sessions) of the rows that pass are collected as these rows come by, and a row is
chosen when one of its own numbers is among them. So every comparison asks: is there any such value among all that
belong to this row? `!=` is its opposite where there is a value at all: all of them differ, as in Wireshark 4.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from cmppscope.arrays import none
from cmppscope.filters import conditions, syntax
from cmppscope.filters.columns import Occurrences
from cmppscope.filters.errors import FilterError
from cmppscope.filters.field import Field
from cmppscope.filters.fields import INDEX, PRESENCE, find, unknown
from cmppscope.filters.needles import NOTHING, Needles
from cmppscope.filters.tables import PDU, SESSION, TABLES, PduTable, Table
from cmppscope.filters.values import Kind
from cmppscope.tables import I64, Bool


@dataclass(frozen=True, eq=False)
class Atom:
    """One question to the rows of one table."""

    table: str
    field: Field | None
    """None asks for nothing: every row will do."""
    test: pl.Expr | None = None
    """What a value must be; None asks for any value."""
    needles: Needles = NOTHING
    """Texts of which a value that passes holds one."""

    @property
    def column(self) -> Hashable:
        """The name by which a table keeps those values of the field that may pass."""
        return (self.field.name if self.field else "", self.needles)


class Not(NamedTuple):
    """What must not hold."""

    part: Condition


class All(NamedTuple):
    """What must all hold."""

    parts: tuple[Condition, ...]


class Any(NamedTuple):
    """What must hold in part."""

    parts: tuple[Condition, ...]


Condition = Atom | Not | All | Any


class Filter:
    """A filter for the rows of one table."""

    def __init__(self, text: str, target: str, zone: dt.tzinfo) -> None:
        """Read a filter; FilterError says what is wrong and where. `zone` is that of times without an offset."""
        self.text = text
        self.target = target
        self._zone = zone
        tree = syntax.parse(text)
        try:
            self.condition = self._condition(tree)
        except FilterError as error:
            error.text = text
            raise

    @classmethod
    def made(cls, text: str, target: str, condition: Condition) -> Filter:
        """Give a filter whose condition was not read from its text."""
        made = cls.__new__(cls)
        made.text, made.target, made.condition = text, target, condition
        return made

    @cached_property
    def elsewhere(self) -> list[Atom]:
        """Questions to rows of other tables."""
        return [atom for atom in _atoms(self.condition) if atom.table != self.target]

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that it asks."""
        return frozenset(atom.field.name for atom in _atoms(self.condition) if atom.field is not None)

    @property
    def columns(self) -> frozenset[Hashable]:
        """The names of the columns that tables keep for it."""
        return self.fields | {atom.column for atom in _atoms(self.condition)}

    @property
    def needs(self) -> frozenset[str]:
        """The other tables that it asks."""
        return frozenset(atom.table for atom in self.elsewhere)

    def _condition(self, node: syntax.Node) -> Condition:
        """Make a condition of a piece of the tree."""
        if isinstance(node, syntax.Negation):
            return Not(self._condition(node.part))
        if isinstance(node, syntax.Either):
            return Any(tuple(map(self._condition, node.parts)))
        if isinstance(node, syntax.Both):
            return All(tuple(map(self._condition, node.parts)))
        if isinstance(node, syntax.Present):
            return self._present(node.operand)
        found = self._field(node.operand)
        if isinstance(node, syntax.Membership):
            test = conditions.membership(found, node, self._zone)
            return Atom(found.of, found, test, conditions.needles_of(found, node))
        return self._comparison(found, node)

    def _comparison(self, found: Field, node: syntax.Comparison) -> Condition:
        """Make the condition of a comparison; those about all values are made of those about any."""
        conditions.check_operator(found, node)

        def ask(operator: str) -> Atom:
            test = conditions.comparison(found, node, operator, self._zone)
            return Atom(found.of, found, test, conditions.needles_of(found, node, operator))

        if node.operator == "!=":
            return All((Atom(found.of, found), Not(ask("=="))))
        if node.operator == "===":
            return All((Atom(found.of, found), Not(ask("differs"))))
        return ask("differs" if node.operator == "!==" else node.operator)

    def _field(self, operand: syntax.Operand) -> Field:
        """Find the field that a name means."""
        if operand.quoted:
            message = f'a text alone is no condition: text contains "{operand.name}"'
            raise FilterError(message, operand.start, operand.end)
        found = find(operand.name, self.target)
        if found is None:
            raise unknown(operand.name, operand.start, operand.end)
        return found

    def _present(self, operand: syntax.Operand) -> Condition:
        """Make the condition of a name alone: a command, a table, a field with a value, or one that is true."""
        name = operand.name.lower()
        if not operand.quoted and operand.cut is None:
            if name == "cmpp":
                return Atom(PDU, None)
            if name.removeprefix("cmpp.") in PRESENCE:
                command = PRESENCE[name.removeprefix("cmpp.")]
                return Atom(PDU, INDEX[PDU]["command"], conditions.COLUMN.eq(pl.lit(command, pl.Int64)))
            if name in TABLES:
                return Atom(name, None)
            if name.removeprefix("cmpp.") in _REPORTS:
                return Any(tuple(Atom(PDU, INDEX[PDU][stat]) for stat in _REPORTS[name.removeprefix("cmpp.")]))
        found = self._field(operand)
        return Atom(found.of, found, conditions.COLUMN if found.kind is Kind.TRUTH else None)


_REPORTS = {
    "report": ("report.stat", "mo_report.stat"),
    "deliver.report": ("report.stat",),
    "mo_report": ("mo_report.stat",),
}
"""Names that, alone, mean PDUs with a report, and the fields that tell of one."""


def _atoms(condition: Condition) -> Iterator[Atom]:
    """Give every question of a condition."""
    if isinstance(condition, Atom):
        yield condition
    elif isinstance(condition, Not):
        yield from _atoms(condition.part)
    else:
        for part in condition.parts:
            yield from _atoms(part)


@dataclass
class Sieve:
    """A filter at work over one capture: it sees the other tables, then chooses rows of its own."""

    filter: Filter
    _seen: dict[Atom, list[I64]] = field(default_factory=dict)
    _numbers: dict[Atom, Bool] = field(default_factory=dict)
    """For each question to another table, which numbers passed; a number is its place."""

    def see(self, table: Table) -> None:
        """Take rows of another table, all of them or the next ones."""
        for atom in self.filter.elsewhere:
            if atom.table == table.kind and len(table):
                keys = table.keys(self._space(atom))
                chosen = _rows(atom, table)
                wanted = chosen if keys.rows is None else chosen[keys.rows]
                self._seen.setdefault(atom, []).append(np.unique(keys.values[wanted]))
                self._numbers.pop(atom, None)

    def choose(self, table: Table) -> Bool:
        """Tell which rows of the filter's own table pass."""
        return self._holds(self.filter.condition, table)

    def _space(self, atom: Atom) -> str:
        """Tell by which numbers a table is joined to the filter's own."""
        return SESSION if SESSION in (atom.table, self.filter.target) else PDU

    def _holds(self, condition: Condition, table: Table) -> Bool:
        """Ask a condition of every row."""
        if isinstance(condition, Atom):
            return _rows(condition, table) if condition.table == table.kind else self._joined(condition, table)
        if isinstance(condition, Not):
            return ~self._holds(condition.part, table)
        gather = np.logical_and if isinstance(condition, All) else np.logical_or
        result: Bool = gather.reduce([self._holds(part, table) for part in condition.parts])
        return result

    def _joined(self, atom: Atom, table: Table) -> Bool:
        """Tell which rows belong to rows of another table that passed."""
        if atom not in self._numbers:
            seen = self._seen.get(atom, [])
            numbers = np.zeros(max([0, *(int(each[-1]) + 1 for each in seen if len(each))]), np.bool_)
            for each in seen:
                numbers[each] = True
            self._numbers[atom] = numbers
        numbers, keys = self._numbers[atom], table.keys(self._space(atom))
        passed = np.zeros(len(keys), np.bool_)
        known = keys.values < len(numbers)
        passed[known] = numbers[keys.values[known]]
        return _spread(Occurrences(keys.rows, passed), len(table))


def _rows(atom: Atom, table: Table) -> Bool:
    """Ask a question of every row of its table."""
    if atom.field is None:
        return np.ones(len(table), np.bool_)
    read, holding, there = atom.field.read, atom.field.holding, atom.field.there
    if atom.test is None and there is not None and not table.has(atom.field.name):
        passed = np.zeros(len(table), np.bool_)
        passed[there(table)] = True
        return passed
    if holding is None or not atom.needles.texts or not isinstance(table, PduTable) or table.has(atom.field.name):
        return _passed(atom, table.once(atom.field.name, lambda: read(table)), len(table))

    def search() -> tuple[I64, Occurrences]:
        found = holding(table, atom.needles)
        sure, maybe = found if atom.needles.enough else (none(), np.concatenate(found))
        return sure, read(table.part(np.unique(maybe))) if len(maybe) else Occurrences(none(), none())

    sure, others = table.once(atom.column, search)
    passed = _passed(atom, others, len(table))
    passed[sure] = True
    return passed


def _passed(atom: Atom, found: Occurrences, count: int) -> Bool:
    """Tell in which of `count` rows a value passes."""
    passed = np.ones(len(found), np.bool_)
    if atom.test is not None and len(found):
        frame = pl.Series("value", found.values).to_frame()
        passed = frame.select(atom.test.fill_null(value=False)).to_series().to_numpy(writable=True)
    return _spread(Occurrences(found.rows, passed), count)


def _spread(passed: Occurrences, count: int) -> Bool:
    """Give each row what any of its values gave."""
    if passed.rows is None:
        return np.asarray(passed.values, np.bool_)
    result = np.zeros(count, np.bool_)
    result[passed.rows[passed.values]] = True
    return result
