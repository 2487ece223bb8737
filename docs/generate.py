"""Write the documents that are made from the program: rules, command line, report and its schema.

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
sys.path.insert(0, str(FOLDER.parent))
os.environ["COLUMNS"] = "80"

import typer  # noqa: E402 - behind the path

from cmppscope.cli import app  # noqa: E402
from cmppscope.report.model import schema  # noqa: E402
from cmppscope.rules import RULES, Rule  # noqa: E402

_MADE = "<!-- Made by docs/generate.py: do not edit. -->"
_FAULTS = {(): "the peer", ("PEER",): "the peer", ("CAPTURE",): "the capture"}
_NUMBERS = {"a": "N", "b": "M", "command": "COMMAND", "other": "COMMAND", "seconds": "S", "longest": "N"}


def documents() -> dict[str, str]:
    """Make every document, by file name."""
    made = schema()
    return {
        "rules.md": "\n".join(_rules()) + "\n",
        "cli.md": "\n".join(_command_line()) + "\n",
        "report.md": "\n".join(_report(made)) + "\n",
        "report.schema.json": json.dumps(made, indent=2, ensure_ascii=False) + "\n",
    }


def _rules() -> Iterator[str]:
    """Describe each rule under its id."""
    yield from (_MADE, "", "# Rules", "")
    yield "What `cmppscope findings` and the report check, in the order in which they are listed. Severities are"
    yield "Wireshark's: `note` is worth knowing, `warn` is unusual, `error` breaks the protocol. Sections are those of"
    yield "CMPP 2.0; *practice* marks what the specification does not say and captures show. N, M, S and COMMAND stand"
    yield "for what a place holds."
    for rule in RULES:
        yield from ("", f"## {rule.id}", "", f"{rule.sentence}", "")
        yield from ("| severity | section | at fault |", "|---|---|---|")
        yield f"| {rule.severity.word} | {rule.section} | {_fault(rule)} |"
        yield from ("", f"Told as: “{_words(rule.detail)}”" + (f", “{_words(rule.more)}”" if rule.more else ""))


def _fault(rule: Rule) -> str:
    """Say whose fault a finding is: the names that the rule itself uses."""
    names = tuple(sorted({"PEER", "CAPTURE"} & set(rule.check.__code__.co_names)))
    return _FAULTS.get(names, "the capture where it lost octets before, else the peer")


def _words(detail: str) -> str:
    """Put letters where a place has numbers and names."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda match: _NUMBERS[match[1]], detail).strip(" ,;")


def _command_line() -> Iterator[str]:
    """Print the help of every command."""
    group: Any = typer.main.get_command(app)
    root = typer.Context(group, info_name="cmppscope", terminal_width=80, **group.context_settings)
    yield from (_MADE, "", "# Command line", "", "```", _help(group, root), "```")
    yield from ("", "Exit statuses and examples: [README](../README.md#exit-status).")
    for name, command in group.commands.items():
        yield from ("", f"## cmppscope {name}", "", "```", _help(command, typer.Context(command, root, name)), "```")


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
    print("\n".join(f"docs/{name}: written" for name in stale) or "docs/: up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
