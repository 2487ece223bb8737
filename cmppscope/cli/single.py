"""Picking single PDUs out of a pass over a capture, to be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cmppscope.redact import Redaction
from cmppscope.report.build import endpoint
from cmppscope.report.names import iso_time
from cmppscope.report.show import show_pdu

if TYPE_CHECKING:
    from cmppscope.analysis import Analysis
    from cmppscope.cli.options import Settings
    from cmppscope.rules import Facts

MOST = 1000
"""PDUs of one frame that are shown."""


@dataclass(slots=True)
class Picked:
    """A PDU with what was known of it when it passed."""

    octets: bytes
    number: int
    frame: int
    stream: int
    direction: int
    offset: int
    time_ns: int
    layout: int


@dataclass(slots=True)
class Wanted:
    """The PDU with a number, or those that end in a frame."""

    pdu: int | None
    frame: int | None
    found: list[Picked] = field(default_factory=list)

    def look(self, facts: Facts) -> None:
        """Pick what is wanted from a batch."""
        batch = facts.batch
        numbers = batch.first + np.arange(len(batch))
        rows = np.flatnonzero(numbers == self.pdu if self.pdu is not None else batch.frame == self.frame)
        for row in rows[: MOST - len(self.found)].tolist():
            names = ("frame", "stream", "direction", "offset", "time_ns", "layout")
            values = [int(getattr(batch, name)[row]) for name in names]
            self.found.append(Picked(batch.octets_of(row), batch.first + row, *values))

    def text(self, analysis: Analysis, chosen: Settings) -> str:
        """Show what was found, each PDU behind the other."""
        return "\n".join(self._one(picked, analysis, chosen) for picked in self.found)

    def _one(self, picked: Picked, analysis: Analysis, chosen: Settings) -> str:
        """Show one PDU."""
        stream = analysis.streams[picked.stream]
        ends = (endpoint(stream.originator), endpoint(stream.responder))
        source, target = ends if picked.direction == 0 else ends[::-1]
        findings = [
            f"{finding.rule.severity.word} {finding.rule.id} ({finding.rule.section}): {place.detail}"
            for finding in analysis.findings
            for place in finding.places
            if place.pdu == picked.number
        ]
        header = {
            "pdu": picked.number,
            "frame": picked.frame,
            "time": iso_time(picked.time_ns, chosen.zone),
            "stream": f"{picked.stream}, octet {picked.offset} of direction {picked.direction}",
            "from": source,
            "to": target,
        }
        return show_pdu(
            picked.octets,
            header=header,
            findings=findings,
            redaction=Redaction(chosen.redact),
            layout=picked.layout,
            results=analysis.results,
        )
