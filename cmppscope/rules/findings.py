"""Findings: what the rules found, counted, with the first places of each.

Counting needs no rows: a rule's count and its first PLACES_KEPT places, in order of frame, are kept whatever the size
of the capture. Who wants every place asks for it (`keep`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cmppscope.rules.model import Facts, Hits, Rule

PLACES_KEPT = 10


class Place(NamedTuple):
    """Where a rule does not hold; ordered as they are shown. A `pdu` of 0 means that it is about no PDU."""

    frame: int
    stream: int
    direction: int
    offset: int
    """Octets of the direction before the place; -1 where that is not known."""
    pdu: int
    detail: str


@dataclass(slots=True)
class Finding:
    """One rule that does not hold, with one party at fault."""

    rule: Rule
    fault: str
    count: int = 0
    places: list[Place] = field(default_factory=list)


class Findings:
    """Runs the rules and keeps what they find."""

    def __init__(self, rules: tuple[Rule, ...], *, keep: bool = False) -> None:
        """`keep` keeps every place, not the first ones only."""
        self._rules = rules
        self._keep = keep
        self._found: dict[tuple[str, str], Finding] = {}

    def feed(self, facts: Facts) -> None:
        """Run every rule over the facts of a batch."""
        for rule in self._rules:
            result = rule.check(facts)
            for hits in result if isinstance(result, list) else [result]:
                if len(hits):
                    self._add(rule, hits)

    def findings(self) -> list[Finding]:
        """Give the findings, gravest first, then in the order of the rules."""
        order = {rule.id: at for at, rule in enumerate(self._rules)}
        return sorted(self._found.values(), key=lambda f: (-f.rule.severity, order[f.rule.id], f.fault))

    def _add(self, rule: Rule, hits: Hits) -> None:
        """Count hits and keep their first places."""
        finding = self._found.setdefault((rule.id, hits.fault), Finding(rule, hits.fault))
        finding.count += len(hits)
        order = np.lexsort((hits.pdu, hits.offset, hits.direction, hits.stream, hits.frame))
        if not self._keep:
            order = order[:PLACES_KEPT]
        finding.places += [
            Place(
                int(hits.frame[i]),
                int(hits.stream[i]),
                int(hits.direction[i]),
                int(hits.offset[i]),
                int(hits.pdu[i]),
                rule.words(
                    int(hits.a[i]),
                    int(hits.b[i]),
                    int(hits.command[i]),
                    0 if hits.other is None else int(hits.other[i]),
                ),
            )
            for i in order.tolist()
        ]
        finding.places.sort()
        if not self._keep:
            del finding.places[PLACES_KEPT:]
