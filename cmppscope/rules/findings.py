"""Findings: what the rules found, counted, with the first places of each.

Counting needs no rows: a rule's count and its first PLACES_KEPT places, in order of frame, are kept whatever the size
of the capture. Who wants every place asks for it (`keep`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from cmppscope.rules.model import Facts, Hits, Personal, Rule, Severity

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


def _set(rules: tuple[Rule, ...], severities: Mapping[str, Severity | None]) -> Iterator[Rule]:
    """Give the rules that are on, with the severities that the user set."""
    for rule in rules:
        severity = severities.get(rule.id, rule.severity)
        if severity is not None:
            yield replace(rule, severity=severity)


class Findings:
    """Runs the rules and keeps what they find."""

    def __init__(
        self,
        rules: tuple[Rule, ...],
        *,
        keep: bool = False,
        severities: Mapping[str, Severity | None] | None = None,
        hide: Callable[[str], str] = str,
    ) -> None:
        """`keep` keeps every place, not the first ones only.

        `severities` stands over the rules' own, None turns a rule off; `hide` says how a personal value may be seen.
        """
        self._rules = rules if not severities else tuple(_set(rules, severities))
        self._keep = keep
        self._hide = hide
        self._found: dict[tuple[str, str], Finding] = {}

    def feed(self, facts: Facts) -> None:
        """Run every rule over the facts of a batch."""
        for rule in self._rules:
            result = rule.check(facts)
            for hits in result if isinstance(result, list) else [result]:
                if len(hits):
                    self._add(rule, hits)
                hits.values = None  # it may point back at the hits, and would keep the batch in memory

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
                    self._values(hits, i),
                ),
            )
            for i in order.tolist()
        ]
        finding.places.sort()
        if not self._keep:
            del finding.places[PLACES_KEPT:]

    def _values(self, hits: Hits, place: int) -> dict[str, object] | None:
        """Give the values seen in a place, with personal ones hidden."""
        if hits.values is None:
            return None
        hide = self._hide
        return {k: hide(str(v)) if isinstance(v, Personal) else v for k, v in hits.values(place).items()}
