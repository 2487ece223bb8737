"""What is said of the rules: by `cmppscope rules` and in docs/rules.md, in the same words.

A rule's docstring is the source: its first line is the sentence that holds, the further ones say what it means, why it
matters and what to do. The rest comes from what the rule is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from types import CodeType, FunctionType
from typing import NamedTuple

from cmppscope.rules import RULES, Limits, Rule
from cmppscope.rules.keys import LIMITS
from cmppscope.tables import Row
from cmppscope.transactions import Timers

CHAPTERS: dict[str, tuple[str, ...]] = {
    "Framing": ("frame", "length"),
    "Header": ("command", "sequence"),
    "CONNECT": ("connect",),
    "SUBMIT": (
        *("submit", "udhi", "msgfmt", "msglen", "ucs2", "ascii", "gb", "udh", "concat", "pk", "msgsrc", "srcid"),
        *("dest", "string", "time", "service", "reserve"),
    ),
    "SUBMIT_RESP": ("submit-refused", "result", "msgid"),
    "DELIVER": ("deliver",),
    "Status report": ("report",),
    "QUERY, CANCEL": ("query", "cancel"),
    "FWD": ("fwd",),
    "GNS": ("route",),
    "Pairing, timers, session": (
        *("unanswered", "late-response", "response", "resend", "window", "flow", "keepalive", "terminate", "close"),
        *("short", "ismg"),
    ),
    "Versions": ("version",),
    "The capture": ("capture",),
}
"""Chapters in the order of reading, with the first words of the ids in them, or whole ids."""

_BY_WORD = {word: name for name, words in CHAPTERS.items() for word in words}

FORM = ("SUBMIT", "SUBMIT_RESP", "DELIVER", "Status report", "QUERY, CANCEL", "FWD", "GNS")
"""Chapters about what PDUs say, not about whether they come and are answered."""

_OTHER = "Other rules"

_FAULTS = {"PEER": "the peer", "CAPTURE": "the capture", "OPERATOR": "whoever runs the program"}
BOTH_SIDES = frozenset(rule.id for rule in RULES if rule.both)
"""Rules that either side could have kept: no side is named alone."""
_BOTH = "both sides"
_EITHER = "the capture where it lost octets before, else the peer"
_LETTERS = {"a": "N", "b": "M", "command": "COMMAND", "other": "COMMAND", "lapse": "TIME", "longest": "N"}
_PERSONAL = "VALUE"
_VALUE = re.compile(r"\{(\w+)(?::[^|}]*\|([^}]*)|:[^}]*)?\}")
_TIMERS = {"T": ("t", "seconds"), "N": ("n", "sendings")}
_LIMIT_WORDS = {"C": "c", "W": "window"}


class Threshold(NamedTuple):
    """A number that a rule measures by."""

    key: str
    """The key that sets it: `t`, or `limits.window`."""
    value: str
    """Its value, with the unit."""


def chapter(rule_id: str) -> str:
    """Name the chapter of a rule."""
    return _BY_WORD.get(rule_id) or _BY_WORD.get(rule_id.partition("-")[0]) or _OTHER


def chapters() -> dict[str, list[Rule]]:
    """Give the rules by chapter; within a chapter they are in the order of the listing."""
    found: dict[str, list[Rule]] = {name: [] for name in (*CHAPTERS, _OTHER)}
    for rule in RULES:
        found[chapter(rule.id)].append(rule)
    return {name: rules for name, rules in found.items() if rules}


def explanation(rule: Rule) -> list[str]:
    """Give the paragraphs behind the sentence, each in one line."""
    rest = (rule.check.__doc__ or "").strip().split("\n", 1)[1:]
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", "".join(rest)) if part.strip()]


def fault(rule: Rule) -> str:
    """Say whose fault a finding is: the names that the rule itself uses."""
    if rule.both:
        return _BOTH
    names = sorted(set(_FAULTS) & set(_code(rule).co_names), reverse=True)
    if names == ["PEER", "CAPTURE"]:
        return _EITHER
    return " or ".join(_FAULTS[name] for name in names) or _FAULTS["PEER"]


def whose(rule_id: str, fault: str) -> str:
    """Write whose fault a finding is: that of its `fault`, or of both sides."""
    return f"{_BOTH}'" if rule_id in BOTH_SIDES else f"{fault}'s"


def told(rule: Rule) -> list[str]:
    """Give the words for one place, with letters where it has numbers and names."""
    return [_VALUE.sub(_letter, part).strip(" ,;") for part in (rule.detail, rule.more) if part]


def _letter(match: re.Match[str]) -> str:
    """Give what stands for a value: a letter, with the words of several where it is counted."""
    counted = f" {match[2]}" if match[2] else ""
    return _LETTERS.get(match[1], _PERSONAL) + counted


def thresholds(rule: Rule, limits: Limits, timers: Timers) -> list[Threshold]:
    """Give the numbers that a rule measures by: those it reads, and those that its docstring names."""
    said = rule.check.__doc__ or ""
    letters = {letter for letter in "CNTW" if re.search(rf"\b{letter}\b", said)}
    read = _read(rule) | {_LIMIT_WORDS[letter] for letter in letters & set(_LIMIT_WORDS)}
    read |= {key for key in LIMITS if f"`limits.{key}`" in said}
    found = [Threshold(f"limits.{key}", LIMITS[key].written(limits)) for key in LIMITS if key in read]
    values = {"T": timers.t_ns / 1e9, "N": timers.n}
    return [
        Threshold(key, f"{values[letter]:g} {unit}") for letter, (key, unit) in _TIMERS.items() if letter in letters
    ] + found


def source(rule: Rule) -> str:
    """Name the document of a rule's section."""
    if rule.section == "practice":
        return "practice: the specification does not say, captures show"
    return f"CMPP {rule.section}" if rule.section.startswith("3.0") else rule.section.replace("§", "CMPP 2.0 §", 1)


def row(rule: Rule) -> Row:
    """Give a rule as a row of a list."""
    return {
        "rule": rule.id,
        "severity": rule.severity.word,
        "section": rule.section,
        "sentence": rule.sentence,
        "chapter": chapter(rule.id),
        "explanation": " ".join(explanation(rule)),
        "fault": fault(rule),
        "told": told(rule),
    }


def explained(rule: Rule, severity: str, limits: Limits, timers: Timers) -> Iterator[tuple[str, str]]:
    """Explain a rule: (label, text), paragraphs without a label; `severity` is the one in force."""
    yield "", rule.sentence
    for paragraph in explanation(rule):
        yield "", paragraph
    own = rule.severity.word
    yield "Severity", own if severity == own else f"{severity} (set; {own} by itself)"
    yield "Section", source(rule)
    yield "At fault", fault(rule)
    yield "Told as", ", ".join(f"“{words}”" for words in told(rule))
    for threshold in thresholds(rule, limits, timers):
        yield "Threshold", f"{threshold.key} = {threshold.value}"


def _code(rule: Rule) -> CodeType:
    """Give the code of a rule's function."""
    check = rule.check
    if not isinstance(check, FunctionType):
        raise TypeError(rule.id)
    return check.__code__


def _read(rule: Rule) -> set[str]:
    """Give the keys of the limits that a rule's function reads, itself or in functions of its module."""
    names, left = {field.name for field in fields(Limits)}, [_code(rule)]
    globals_ = getattr(rule.check, "__globals__", {})
    used: set[str] = set()
    seen: set[CodeType] = set()
    while left:
        code = left.pop()
        if code in seen:
            continue
        seen.add(code)
        used |= set(code.co_names) & names if "limits" in code.co_names else set()
        left += [const for const in code.co_consts if isinstance(const, CodeType)]
        helpers = (globals_.get(name) for name in code.co_names)
        left += [helper.__code__ for helper in helpers if isinstance(helper, FunctionType)]
    return {key for key, limit in LIMITS.items() if limit.field in used}
