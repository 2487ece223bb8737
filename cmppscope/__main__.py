"""The entry point: `cmppscope` and `python -m cmppscope`."""

from __future__ import annotations

import os
import sys

COMMANDS = (
    *("tui", "report", "pdus", "transactions", "messages", "sessions", "findings", "show", "fields", "schema"),
    *("live", "interfaces", "rules"),
)
_ON_TERMINAL = ("tui",)
_IN_PIPE = ("report", "--format", "text")
_OWN_OPTIONS = ("--help", "-h", "--version", "--install-completion", "--show-completion")


def main() -> None:
    """Run the command line; a first argument that names no command is a capture, to be looked at."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] not in (*COMMANDS, *_OWN_OPTIONS) and not _misspelt(arguments[0]):
        on_terminal = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
        sys.argv[1:1] = _ON_TERMINAL if on_terminal else _IN_PIPE
    from cmppscope.cli import app  # noqa: PLC0415 - after the arguments are in place

    app()


def _misspelt(argument: str) -> bool:
    """Tell whether an argument is more likely meant as a command than as a capture."""
    return argument.isalpha() and not os.path.lexists(argument)


if __name__ == "__main__":
    main()
