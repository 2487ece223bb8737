"""Reading and analysing in a thread of its own, and the inbox in which the application finds what was learnt.

The worker says `Arrived` once for what lies in the inbox; until the application has emptied it, what comes is put to
it. So a fast capture cannot flood a slow screen. Snapshots cost as much as there are sessions and findings: they take
at most a tenth of the worker's time, and there is always one at the end.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from cmppscope.analysis import Analysis, Options
from cmppscope.capture import CaptureError
from cmppscope.capture.recall import Recall
from cmppscope.references import nowhere
from cmppscope.report import model
from cmppscope.report.build import endpoint, session_row
from cmppscope.report.links import parts, peer_of
from cmppscope.report.safe import printable
from cmppscope.rules import Facts, Severity
from cmppscope.tables import FrameBatch
from cmppscope.transactions import Transactions
from cmppscope.tui import held
from cmppscope.tui.held import octets_of
from cmppscope.tui.lives import Life, life_of
from cmppscope.tui.recalled import Arrival, kept
from cmppscope.tui.store import FindingRow, Snapshot, StreamEnds

PLACES_SHOWN = 10_000
"""Places of one finding that are listed."""
_SHARE = 10
"""A snapshot is made when this many times its cost has passed since the last one."""


class Source(Protocol):
    """Where frames come from: a Capture, or something live."""

    def __iter__(self) -> Iterator[FrameBatch]:
        """Yield frames; raise CaptureError where nothing could be read."""
        ...

    @property
    def octets_read(self) -> int:
        """Octets read so far."""
        ...

    @property
    def octets_total(self) -> int | None:
        """Octets there are, None where nobody knows."""
        ...


@dataclass(slots=True)
class Delivery:
    """What came since the inbox was last emptied."""

    batches: list[Arrival] = field(default_factory=list)
    """PDUs, the number of the session of each, and where their octets lie."""
    closed: list[Transactions] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    pending: Transactions | None = None
    snapshot: Snapshot | None = None
    done: bool = False
    notes: list[tuple[str, str]] = field(default_factory=list)
    """(severity, words) that the user should know."""


class Inbox:
    """Holds what the worker learnt until the application takes it."""

    def __init__(self, tell: Callable[[], object]) -> None:
        """`tell` says that something is there; it is called from the worker's thread."""
        self._tell = tell
        self._lock = threading.Lock()
        self._delivery = Delivery()
        self._told = False

    def put(self, put: Callable[[Delivery], None]) -> None:
        """Let `put` add to what lies there, and tell it once."""
        with self._lock:
            put(self._delivery)
            tell, self._told = not self._told, True
        if tell:
            self._tell()

    def take(self) -> Delivery:
        """Empty the inbox."""
        with self._lock:
            delivery, self._delivery, self._told = self._delivery, Delivery(), False
        return delivery


class Loader:
    """Reads a source to its end, or until it is stopped."""

    def __init__(self, source: Source, options: Options, inbox: Inbox) -> None:
        """Make the Analysis; nothing is read yet."""
        self._source = source
        self._analysis = Analysis(replace(options, references=True))
        self.recall = Recall(getattr(source, "origins", ()))
        """Reads octets of the capture again."""
        self._inbox = inbox
        self._last = 0.0
        self._cost = 0.0
        self._octets = 0
        """Octets of all PDUs."""
        self._closed: dict[int, model.Session] = {}
        self.stopped = False

    def run(self) -> None:
        """Do all the work; whatever goes wrong becomes a note, and what was read stays."""
        try:
            trouble = self._read()
            if self.stopped:
                return
            for facts in self._analysis.close():
                self._deliver(facts, at_end=True)
            self._finish(trouble)
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            words = f"Reading stopped by a fault of cmppscope: {type(error).__name__}: {error}"
            self._inbox.put(lambda delivery: _end(delivery, [("error", words)]))

    def _read(self) -> list[tuple[str, str]]:
        """Read to the end, or as far as possible; give what went wrong."""
        try:
            for frames in self._source:
                if self.stopped:
                    break
                self._deliver(self._analysis.feed(frames))
        except (CaptureError, OSError) as error:
            return [("error", str(error))]
        return []

    def _finish(self, trouble: list[tuple[str, str]]) -> None:
        """Say what is wrong with the capture, and that there is nothing more."""
        files = getattr(self._source, "files", ())
        if not trouble:
            trouble = [("warning", f"{info.name}: {info.damage}") for info in files if info.damage]
        if not self._analysis.statistics.pdus:
            trouble.append(("warning", nothing_found(self._analysis)))
        snapshot = take_snapshot(self._analysis)

        def put(delivery: Delivery) -> None:
            delivery.snapshot = snapshot
            _end(delivery, trouble)

        self._inbox.put(put)

    def _deliver(self, facts: Facts, *, at_end: bool = False) -> None:
        """Put the facts of a batch into the inbox."""
        pending = facts.ended if at_end else None
        life = life_of(facts)
        arrival = self._arrival(facts)
        snapshot = None
        began = time.monotonic()
        if not at_end and began - self._last >= _SHARE * self._cost:
            snapshot, pending = take_snapshot(self._analysis, self._closed), self._analysis.pending()[0]
            self._last = time.monotonic()
            self._cost = self._last - began

        def put(delivery: Delivery) -> None:
            if len(facts.batch):
                delivery.batches.append(arrival)
            if len(facts.paired.closed):
                delivery.closed.append(facts.paired.closed)
            delivery.lives.append(life)
            if pending is not None:
                delivery.pending = pending
            if snapshot is not None:
                delivery.snapshot = snapshot

        self._inbox.put(put)

    def _arrival(self, facts: Facts) -> Arrival:
        """Take what the store keeps of the PDUs: of the first ones their octets, of all where to find them."""
        batch, places = facts.batch, facts.places or nowhere(len(facts.batch))
        places = kept(self.recall, batch, places)
        self._octets += int(batch.length.sum())
        octets = octets_of(batch) if self._octets <= held.MOST else None
        return Arrival(replace(batch, octets=np.zeros(0, np.uint8)), facts.session, places, octets)


def _end(delivery: Delivery, notes: list[tuple[str, str]]) -> None:
    """Say that there is nothing more, and what went wrong."""
    delivery.done = True
    delivery.notes += [(severity, printable(words)) for severity, words in notes]


def take_snapshot(analysis: Analysis, closed: dict[int, model.Session] | None = None) -> Snapshot:
    """Copy what changes, so that it can be drawn while the reading goes on.

    `closed` keeps the rows of sessions from one snapshot to the next whose connection is closed; the last one, which
    tells what the end of the capture settled, goes without it.
    """
    sessions = _sessions(analysis, {} if closed is None else closed)
    roles = {row.stream: (row.roles[0], row.roles[1]) for row in sessions}
    streams = analysis.streams
    findings = [
        FindingRow(
            found.rule.id,
            found.rule.severity,
            found.fault,
            found.rule.section,
            found.rule.sentence,
            found.count,
            found.places[:PLACES_SHOWN],
        )
        for found in analysis.findings
    ]
    severity: dict[int, Severity] = {}
    for finding in reversed(findings):  # the gravest come first
        severity.update(dict.fromkeys((place.pdu for place in finding.places), finding.severity))
    severity.pop(0, None)
    return Snapshot(
        sessions=sessions,
        findings=findings,
        ends={
            number: StreamEnds((endpoint(streams[number].originator), endpoint(streams[number].responder)), both)
            for number, both in roles.items()
        },
        first_time_ns=analysis.first_time_ns or 0,
        last_time_ns=analysis.last_time_ns,
        frames=analysis.frames,
        severity=severity,
        marked=np.array(sorted(severity), np.int64),
        peers=peer_of(analysis),
        window=analysis.audit.limits.window,
        c_seconds=analysis.audit.limits.c_ns / 1e9,
    )


def _sessions(analysis: Analysis, closed: dict[int, model.Session]) -> list[model.Session]:
    """Give the rows of all sessions; those whose connection is closed change only with a PDU that comes after all."""
    rows = []
    for session in analysis.sessions:
        row = closed.get(session.number)
        if row is None or row.pdus != session.pdus:
            row = session_row(session, analysis.last_time_ns, analysis.results, parts(session, analysis, brief=True))
            if session.stream.closing is not None:
                closed[session.number] = row
        rows.append(row)
    return rows


def nothing_found(analysis: Analysis) -> str:
    """Say why there is no CMPP."""
    if not analysis.frames:
        return "No CMPP found: there are no frames."
    if not analysis.streams:
        return f"No CMPP found: {analysis.frames:,} frames, and no TCP segment."
    kinds = Counter(analysis.protocols.values())
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none with octets"
    return f"No CMPP found in {len(analysis.streams)} TCP connections ({told}); --decode-as can force it."
