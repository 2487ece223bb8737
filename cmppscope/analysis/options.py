"""What the user may set."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cmppscope.rules import STANDARD, Limits, Results, Severity
from cmppscope.secret import Secret
from cmppscope.transactions import Timers


class Depth(enum.IntEnum):
    """How far an Analysis goes. Each depth holds what those before it hold, to the last bit."""

    PDUS = 0
    """PDUs, sessions, and what became of the frames."""
    TRANSACTIONS = 1
    MESSAGES = 2
    ALL = 3
    """Rules, link audit and login check too."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may set; see each."""

    decode_as: Mapping[int, str] = field(default_factory=dict)
    """TCP port to `cmpp20`, `cmpp30` or `none`."""
    timers: Timers = field(default_factory=Timers)
    limits: Limits = field(default_factory=Limits)
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    """Severity by rule id, over the rules' own; None turns a rule off."""
    results: Results = STANDARD
    """What the codes in responses mean."""
    hide: Callable[[str], str] = str
    """How a subscriber's number or text may be seen in the words of findings."""
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    """Shared secrets by SP_Id (Source_Addr of CONNECT)."""
    keep_findings: bool = False
    """Keep every place of every finding."""
    from_ns: int | None = None
    to_ns: int | None = None
    """Frames before or after are passed over; nanoseconds since 1970 UTC, both ends included."""
    check_checksums: bool = False
    """Take no segments with wrong checksums."""
    references: bool = False
    """Tell of every PDU where its octets lie."""
    depth: Depth = Depth.ALL
    """Leave out what lies deeper, which saves its time; reports need all."""
