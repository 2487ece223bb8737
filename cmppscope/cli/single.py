"""Picking single PDUs out of a pass over a capture, to be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from cmppscope.redact import Redaction
from cmppscope.report.build import endpoint
from cmppscope.report.names import iso_time
from cmppscope.report.show import show_pdu

if TYPE_CHECKING:
    from cmppscope.analysis import Analysis
    from cmppscope.cli.options import Settings
    from cmppscope.references import Places
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
    carried: list[tuple[int, int]]
    """Frame and octets of each piece in order; empty where the frame of the PDU carried all of it."""


@dataclass(slots=True)
class Wanted:
    """The PDU with a number, or those of which a frame has octets, or puts the last in order."""

    pdu: int | None
    frame: int | None
    found: list[Picked] = field(default_factory=list)

    def look(self, facts: Facts) -> None:
        """Pick what is wanted from a batch."""
        batch = facts.batch
        chosen = batch.frame == self.frame
        if self.pdu is not None:
            chosen = batch.first + np.arange(len(batch)) == self.pdu
        elif facts.places is not None:
            chosen[facts.places.row[facts.places.frame == self.frame]] = True
        for row in np.flatnonzero(chosen)[: MOST - len(self.found)].tolist():
            names = ("frame", "stream", "direction", "offset", "time_ns", "layout")
            values = {name: int(getattr(batch, name)[row]) for name in names}
            carried = _carried(facts.places, row)
            self.found.append(Picked(batch.octets_of(row), batch.first + row, carried=carried, **values))

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
            **({"carried_by": _carriers(picked)} if picked.carried else {}),
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


def _carried(places: Places | None, row: int) -> list[tuple[int, int]]:
    """Give the frames that carried a PDU, with their octets; what a frame carried in one go counts once."""
    if places is None:
        return []
    mine = slice(*np.searchsorted(places.row, [row, row + 1]).tolist())
    found: list[tuple[int, int]] = []
    for frame, octets in zip(places.frame[mine].tolist(), places.length[mine].tolist(), strict=True):
        before = found.pop()[1] if found and found[-1][0] == frame else 0
        found.append((frame, before + octets))
    return found


def _carriers(picked: Picked) -> str:
    """Name the frames that carried a PDU, with its octets in each, counted from 0, and what put them in order."""
    frames, counts = zip(*picked.carried, strict=True)
    ends = list(accumulate(counts))
    told = [f"frame {frame}" for frame in frames]
    if len(told) > 1:
        told = [
            f"{name} (octet{'s' if count > 1 else ''} {end - count}{f' to {end - 1}' if count > 1 else ''})"
            for name, count, end in zip(told, counts, ends, strict=True)
        ]
    if picked.frame not in frames:
        told.append(f"in order with frame {picked.frame}")
    return ", ".join(told)
