"""Write what is made from the program: rules, command line, fields, report and its schema; formats from the layers.

`--check` writes nothing and ends with 1 where a document is not what the program says.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER.parent), str(FOLDER)]
os.environ["COLUMNS"] = "80"

import judge  # noqa: E402 - behind the path
import layers  # noqa: E402
import typer  # noqa: E402

from cmppscope.cli import app  # noqa: E402
from cmppscope.filters.fields import FIELDS, ONLY_30  # noqa: E402
from cmppscope.report.model import schema  # noqa: E402
from cmppscope.report.rules import chapters, explanation, fault, thresholds, told  # noqa: E402
from cmppscope.rules import RULES, Limits, Rule  # noqa: E402
from cmppscope.rules.keys import LIMITS  # noqa: E402
from cmppscope.transactions import Timers  # noqa: E402

_MADE = "<!-- Made by docs/generate.py: do not edit. -->"
_FORMATS = "../cmppscope/formats.py"
_JUDGED = "Findings on the real captures, each judged"


def documents() -> dict[str, str]:
    """Make every document, by file name."""
    made = schema()
    return {
        "rules.md": "\n".join(_rules()) + "\n",
        "cli.md": "\n".join(_command_line()) + "\n",
        "report.md": "\n".join(_report(made)) + "\n",
        "fields.md": "\n".join(_fields()) + "\n",
        "report.schema.json": json.dumps(made, indent=2, ensure_ascii=False) + "\n",
        _FORMATS: layers.formats(),
    }


def _rules() -> Iterator[str]:
    """Describe each rule under its id, chapter by chapter, and what is found on the real captures."""
    found = chapters()
    yield from (_MADE, "", "# Rules", "")
    yield "What `cmppscope findings` and the report check; `cmppscope rules` lists it, `cmppscope rules ID`"
    yield "explains one as here. Severities are Wireshark's: `note` is worth knowing, `warn` is unusual, `error` breaks"
    yield "the protocol. Sections are those of CMPP 2.0; *practice* marks what the specification does not say and"
    yield "captures show. N, M, S, COMMAND and VALUE stand for what a place holds. Severities and thresholds can be"
    yield "set: [configuration file](cli.md#configuration-file)."
    yield ""
    yield from (f"* [{name}](#{_anchor(name)}): {len(rules)}" for name, rules in found.items())
    yield f"* [{_JUDGED}](#{_anchor(_JUDGED)})"
    for name, rules in found.items():
        yield from ("", f"## {name}")
        for rule in rules:
            yield from _rule(rule)
    yield from _judged()


def _rule(rule: Rule) -> Iterator[str]:
    """Describe one rule."""
    yield from ("", f"### {rule.id}", "", rule.sentence)
    for paragraph in explanation(rule):
        yield from ("", paragraph)
    yield from ("", "| severity | section | at fault |", "|---|---|---|")
    yield f"| {rule.severity.word} | {rule.section} | {fault(rule)} |"
    yield from ("", "Told as: " + ", ".join(f"“{words}”" for words in told(rule)))
    measures = [f"`{t.key}` = {t.value}" for t in thresholds(rule, Limits(), Timers())]
    if measures:
        yield from ("", f"Measured by: {', '.join(measures)}")


def _judged() -> Iterator[str]:
    """List what is found on the real captures, with the judgement of each."""
    yield from ("", f"## {_JUDGED}", "")
    yield "What the rules find on the captures of real programs in `tests/data/real`, with what a reading of the octets"
    yield "said. A test holds the table and the program equal."
    yield from ("", "| rule | at fault | captures, with counts | judgement |", "|---|---|---|---|")
    order = {rule.id: at for at, rule in enumerate(RULES)}
    for entry in sorted(judge.judged(), key=lambda e: (order.get(e.rule, len(order)), e.fault, list(e.captures))):
        where = ", ".join(f"`{name}` {count}" for name, count in entry.captures.items())
        yield f"| [{entry.rule}](#{entry.rule}) | {entry.fault} | {where} | {entry.judgement.replace('|', '/')} |"


def _anchor(title: str) -> str:
    """Give the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _command_line() -> Iterator[str]:
    """Print the help of every command."""
    group: Any = typer.main.get_command(app)
    root = typer.Context(group, info_name="cmppscope", terminal_width=80, **group.context_settings)
    yield from (_MADE, "", "# Command line", "", "```", _help(group, root), "```")
    yield from ("", "Exit statuses and examples: [README](../README.md#exit-status).")
    for name, command in group.commands.items():
        yield from ("", f"## cmppscope {name}", "", "```", _help(command, typer.Context(command, root, name)), "```")
    yield from _configuration()


def _configuration() -> Iterator[str]:
    """Describe the configuration file."""
    yield from ("", "## Configuration file", "")
    yield "`--config FILE` names a TOML file; options stand over it. A mistake in it is told in one line, with its key."
    yield from ("", "| key | unit | default | |", "|---|---|---|---|")
    yield "| `t` | seconds | 60 | T: a response comes within so long (CMPP 2.0 §6.1). |"
    yield "| `n` | sendings | 3 | N: how often a request is sent in all (CMPP 2.0 §6.1). |"
    yield '| `zone` | | `"UTC+8"` | Zone of times shown, as `--tz`. |'
    yield "| `decode_as` | | `[]` | A list of texts, as `--decode-as`. |"
    for key, limit in LIMITS.items():
        yield f"| `limits.{key}` | {limit.word} | {limit.value(Limits()):g} | {limit.meaning} |"
    yield "| `severities.ID` | | the rule's own | `note`, `warn`, `error`; `off` for none of this [rule](rules.md). |"
    yield "| `results.RESPONSE.CODE` | | the specification | What a code means in a response such as `SUBMIT_RESP`. |"
    yield "| `results.general.CODE` | | the specification | The same from 9 on, where a response has none for it. |"
    yield from ("", "```toml", "t = 30", "", "[limits]", "window = 32", "report_hours = 72", "")
    yield from ("[severities]", 'sequence-gap = "warn"', 'frame-gap = "off"', "")
    yield from (
        "[results.SUBMIT_RESP]",
        '100 = "no credit"',
        "",
        "[results.general]",
        '0x8b = "content refused"',
        "```",
    )


def _help(command: Any, context: typer.Context) -> str:
    """Give the help of one command."""
    text: str = command.get_help(context)
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def _report(made: dict[str, Any]) -> Iterator[str]:
    """Describe the fields of each part of the report."""
    yield from (_MADE, "", "# The JSON report", "")
    yield f"{made['description']}. `cmppscope schema` prints the JSON Schema: [report.schema.json](report.schema.json)."
    yield "Times are ISO 8601 in UTC, latencies milliseconds. The same capture always gives the same octets."
    for name in _order(made, "Report"):
        part = made["$defs"][name]
        yield from ("", f"## {name}", "", str(part.get("description", "")), "", "| field | type | |", "|---|---|---|")
        for field, kind in part["properties"].items():
            yield f"| `{field}` | {_type(kind)} | {kind.get('description', '')} |"


def _fields() -> Iterator[str]:
    """List the fields that filters may name."""
    yield from (_MADE, "", "# Fields", "")
    yield "What a [filter](filters.md) may name; `cmppscope fields [PREFIX]` prints the same. `cmpp.` in front may be"
    yield "left out, capital letters do not matter. A field that stands in several PDUs goes without the name of one,"
    yield "too: `msg_id` is any of them. Wireshark's names are taken, except those of fields that CMPP 2.0 lacks:"
    yield ", ".join(f"`cmpp.{name}`" for name in ONLY_30) + "."
    for table in dict.fromkeys(field.of for field in FIELDS):
        yield from ("", f"## Of a {table}", "", "| field | type | | also |", "|---|---|---|---|")
        for field in (field for field in FIELDS if field.of == table):
            also = ", ".join(f"`{name}`" for name in field.aliases)
            yield f"| `{field.name}` | {field.kind.value} | {field.meaning} | {also} |"


def _order(made: dict[str, Any], name: str) -> list[str]:
    """List a part and the parts in it, each once, in the order of reading."""
    found = [name]
    for kind in made["$defs"][name]["properties"].values():
        for inner in re.findall(r"#/\$defs/(\w+)", json.dumps(kind)):
            found += [part for part in _order(made, inner) if part not in found]
    return found


def _type(kind: dict[str, Any]) -> str:
    """Name a type in a few words."""
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in kind:
        return " or ".join(_type(inner) for inner in kind["anyOf"])
    if "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    if kind.get("type") == "array":
        return f"list of {_type(kind['items'])}"
    if kind.get("type") == "object":
        return f"name → {_type(kind['additionalProperties'])}"
    return str(kind.get("type", "any"))


def main() -> int:
    """Write the documents, or say which are out of date."""
    stale = []
    for name, text in documents().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"out of date (make docs): {', '.join(stale)}", file=sys.stderr)
        return 1
    if _FORMATS in stale:  # the other documents were made from the old ones
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - this program again
    print("\n".join(f"docs/{name}: written" for name in stale) or "docs/: up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
