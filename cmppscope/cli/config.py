"""The tables of the configuration file: limits, severities, and what the parties agreed that codes mean.

    [limits]
    window = 32
    report_hours = 72

    [severities]
    string-space = "off"
    sequence-gap = "warn"

    [results.SUBMIT_RESP]
    100 = "no credit"

    [results.general]
    0x8b = "content refused"

What is wrong with a value is said in one line, with the place of its key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from cmppscope.rules import Limits, Results, Severity

TABLES = ("limits", "severities", "results")

SEVERITIES = ("note", "warn", "error", "off")

GENERAL = "general"
_LEAST_GENERAL = 9
_GREATEST_CODE = 0xFFFFFFFF

_MOST = 1e9
_ZONE_HOURS = 14


@dataclass(frozen=True, slots=True)
class Tables:
    """What the tables say, checked; plain values, so that the command line starts without the analysis."""

    limits: dict[str, int] = field(default_factory=dict)
    """Field of `rules.Limits` to its value."""
    severities: dict[str, str] = field(default_factory=dict)
    """Rule id to one of SEVERITIES."""
    results: dict[int, dict[int, str]] = field(default_factory=dict)
    """Command_Id of a request, or 0 for every response, to the meanings of codes."""

    def as_limits(self) -> Limits:
        """Give the limits to measure by."""
        from cmppscope.rules import Limits  # noqa: PLC0415 - start-up stays lean

        return Limits(**self.limits)

    def as_severities(self) -> dict[str, Severity | None]:
        """Give the severities that stand over the rules' own."""
        from cmppscope.rules import Severity  # noqa: PLC0415 - start-up stays lean

        return {rule: None if word == "off" else Severity[word.upper()] for rule, word in self.severities.items()}

    def as_results(self) -> Results:
        """Give the meanings of codes."""
        from cmppscope.rules import Results  # noqa: PLC0415 - start-up stays lean

        return Results({c: codes for c, codes in self.results.items() if c}, self.results.get(0, {}))


def read_tables(content: dict[str, Any], where: str) -> Tables:
    """Read the tables of a configuration file; typer.BadParameter names the first key that cannot be."""
    tables = {name: content.get(name, {}) for name in TABLES}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise _bad(where, f"{name} is a table, not {table!r}")
    return Tables(
        limits=dict(_limit(key, value, where) for key, value in tables["limits"].items()),
        severities={rule: _severity(rule, value, where) for rule, value in tables["severities"].items()},
        results=dict(_results(name, codes, where) for name, codes in tables["results"].items()),
    )


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Give the names that look most like one, three at most."""
    import difflib  # noqa: PLC0415 - for mistakes only

    known = list(known)
    return difflib.get_close_matches(name, known, 3, 0.5) or [each for each in known if name and name in each][:3]


def _limit(key: str, value: object, where: str) -> tuple[str, int]:
    """Read a limit; give the field of `rules.Limits` and its value."""
    from cmppscope.rules.keys import LIMITS  # noqa: PLC0415 - start-up stays lean

    if key not in LIMITS:
        raise _bad(where, f"no such key: limits.{key} (known: {', '.join(LIMITS)})")
    limit = LIMITS[key]
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if limit.signed:
        if number is None or not -_ZONE_HOURS <= number <= _ZONE_HOURS:
            raise _bad(where, f"limits.{key} is a number of {limit.word} from -14 to 14, not {value!r}")
    elif number is None or not 0 < number < _MOST or (limit.unit == 1 and number != int(number)):
        whole = "whole" if limit.unit == 1 else "positive"
        raise _bad(where, f"limits.{key} is a {whole} number of {limit.word}, not {value!r}")
    return limit.field, round(number * limit.unit)


def _severity(rule: str, value: object, where: str) -> str:
    """Read the severity of a rule."""
    from cmppscope.rules import RULES  # noqa: PLC0415 - start-up stays lean

    known = [each.id for each in RULES]
    if rule not in known:
        near = ", ".join(nearest(rule, known))
        raise _bad(where, f"no such rule: severities.{rule}" + (f" (nearest: {near})" if near else ""))
    if value not in SEVERITIES:
        raise _bad(where, f"severities.{rule} is one of {', '.join(SEVERITIES)}, not {value!r}")
    return str(value)


def _results(name: str, codes: object, where: str) -> tuple[int, dict[int, str]]:
    """Read what the codes in one kind of response mean."""
    from cmppscope.rules.results import MEANINGS  # noqa: PLC0415 - start-up stays lean
    from dissectors.cmpp.enums import COMMANDS_20, RESPONSE  # noqa: PLC0415

    commands = {COMMANDS_20[RESPONSE | request].removeprefix("CMPP_"): request for request in MEANINGS} | {GENERAL: 0}
    command = commands.get(name.removeprefix("CMPP_"))
    if command is None:
        raise _bad(where, f"no such response: results.{name} (known: {', '.join(commands)})")
    if not isinstance(codes, dict):
        raise _bad(where, f"results.{name} is a table of codes and texts, not {codes!r}")
    return command, {_code(name, code, where): _text(name, code, text, where) for code, text in codes.items()}


def _code(name: str, code: str, where: str) -> int:
    """Read a code, decimal or hexadecimal."""
    try:
        number = int(code, 0)
    except ValueError:
        number = -1
    least = _LEAST_GENERAL if name == GENERAL else 1
    if not least <= number <= _GREATEST_CODE:
        raise _bad(where, f"results.{name}.{code}: a code is a number from {least} on")
    return number


def _text(name: str, code: str, text: object, where: str) -> str:
    """Read what a code means."""
    if not isinstance(text, str) or not text.strip() or not text.isprintable():
        raise _bad(where, f"results.{name}.{code} is a text of one line, not {text!r}")
    return text


def _bad(where: str, message: str) -> typer.BadParameter:
    """Say what is wrong with a configuration."""
    return typer.BadParameter(f"{where}: {message}", param_hint="--config")
