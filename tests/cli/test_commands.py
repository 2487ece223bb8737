"""The first argument: a command, or a capture to look at."""

from __future__ import annotations

from cmppscope.__main__ import COMMANDS
from cmppscope.cli import app


def test_every_command_is_known_by_its_name() -> None:
    """A file that is called as a command is (as /var/log/messages) takes no command away."""
    named = [each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands]
    assert sorted(COMMANDS) == sorted(named)
