"""What a scene is: a conversation in which one speaker breaks one rule, and how it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.recorded.speakers import Stage

Also = Mapping[str, tuple[str, str]]
"""Rule to the severity of a further finding and why it must be there."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation, played by a function; the id of its rule is the function's name."""

    play: Callable[[Stage], None]
    severity: str
    """Of the rule, as the specification's list of violations has it."""
    also: Also = field(default_factory=dict)
    """What else is true of this conversation, and nothing more is."""
    blamed: str | None = None
    """Who broke the rule, "" for both; None where it is who did what the finding is about."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """What the parties agreed: a configuration file for cmppscope."""
    secret: str = ""
    """What cmppscope is told with --secret."""
    address: str = "127.0.0.1"
    segment: int = 0
    """Octets that a segment carries at most, 0 for as many as the interface lets through."""
    ending: str = ".pcap"
    """.pcap, .pcapng or .pcap.gz."""

    @property
    def rule(self) -> str:
        """The id of the rule that is broken."""
        return self.play.__name__.replace("_", "-")

    @property
    def story(self) -> str:
        """What the speakers do."""
        return " ".join((self.play.__doc__ or "").split())


def scene(severity: str, **how: Any) -> Callable[[Callable[[Stage], None]], Scene]:
    """Make a scene of a function."""
    return lambda play: Scene(play, severity, **how)
