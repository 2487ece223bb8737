"""Rules: sentences of the protocol, each checked by one small function over the facts of a batch.

`RULES` lists them in the order of their numbers; `docs/rules.md` is made from it.
"""

from __future__ import annotations

from cmppscope.rules import framing, header, pairing
from cmppscope.rules.findings import Finding, Findings, Place
from cmppscope.rules.model import Facts, Limits, Personal, Rule, Severity
from cmppscope.rules.sequence import SequenceTracker

__all__ = [
    "RULES",
    "Facts",
    "Finding",
    "Findings",
    "Limits",
    "Personal",
    "Place",
    "Rule",
    "SequenceTracker",
    "Severity",
]

RULES: tuple[Rule, ...] = (*framing.RULES, *header.RULES, *pairing.RULES)
