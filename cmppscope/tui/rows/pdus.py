"""PDUs as rows of a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmppscope.columns import PduColumns
from cmppscope.redact import Redaction
from cmppscope.report.names import command_name, iso_time
from cmppscope.report.pdus import pdu_rows
from cmppscope.report.safe import printable
from cmppscope.report.short import info
from cmppscope.rules import STANDARD, Results, Severity
from cmppscope.tables import I64
from cmppscope.tui.rows import Column, Finder, Line
from cmppscope.tui.store import Store
from dissectors.cmpp.enums import ACTIVE_TEST, RESPONSE

_QUIET = (ACTIVE_TEST, RESPONSE | ACTIVE_TEST)
_NO_ENDS = (("", ""), ("", ""))


class PduRows:
    """Every PDU in a line."""

    target = "pdu"

    def __init__(self, store: Store, redaction: Redaction, zone: dt.tzinfo, results: Results = STANDARD) -> None:
        """Draw from a store."""
        self.store = store
        self.results = results
        self.redaction = redaction
        self.zone = zone
        self.clock = False
        """Times of the clock, not seconds since the first frame."""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns; numbers have room for the largest."""
        pdus = self.store.pdus
        number = max(3, len(str(len(pdus))))
        frame = max(5, len(str(self.store.snapshot.frames)))
        return (
            Column("", 1, toned=True),
            Column("No.", number, right=True),
            Column("Frame", frame, right=True, from_width=100),
            Column("Time", 15 if self.clock else 11, right=True),
            Column("Stream", 6, right=True, from_width=150),
            Column("From → to", 9),
            Column("Source", 21, from_width=150),
            Column("Destination", 21, from_width=150),
            Column("Command", 16, toned=True),
            Column("Seq", 10, right=True, from_width=100),
            Column("Len", 4, right=True, from_width=100),
            Column("Info", 20, sortable=False),
        )

    def __len__(self) -> int:
        """Count the PDUs."""
        return len(self.store.pdus)

    @property
    def settled(self) -> int:
        """Count the PDUs: none of them changes."""
        return len(self)

    def page(self, rows: I64) -> list[Line]:
        """Give some PDUs."""
        batch = self.store.pdus.batch(rows)
        layouts = batch.layout.tolist()
        full = pdu_rows(batch, PduColumns(batch), self.redaction)
        return [self._line(row, each, layout) for row, each, layout in zip(rows.tolist(), full, layouts, strict=True)]

    def _line(self, row: int, each: dict[str, Any], layout: int) -> Line:
        """Give one PDU."""
        snapshot = self.store.snapshot
        ends = snapshot.ends.get(each["stream"], _NO_ENDS)
        addresses, roles = (ends[0], ends[1]) if each["direction"] == 0 else (ends[0][::-1], ends[1][::-1])
        severity = snapshot.severity.get(row + 1)
        name = each["command"].removeprefix("CMPP_")
        told = info(each, layout, self.results).removeprefix(name).lstrip(", ")
        if layout != self.store.pdus.column("layout")[row]:
            told = printable(self.store.pdus.trouble or "")
        cells = (
            severity.word[0].upper() if severity else "",
            str(row + 1),
            str(each["frame"]),
            self.time(int(each["time_ns"])),
            str(each["stream"]),
            f"{roles[0]}→{roles[1]}",
            *addresses,
            name,
            str(each["sequence_id"]),
            str(each["total_length"]),
            told,
        )
        return Line(cells, severity.word if severity else self._tone(each))

    def _tone(self, row: dict[str, Any]) -> str:
        """Choose the tone of a PDU without a finding: what went wrong, what is routine."""
        fields = row["fields"] or {}
        command = row["command_id"]
        went = fields.get("status", fields.get("result", 0))
        if command & RESPONSE:
            return "refused" if went else "quiet"
        return "quiet" if command in _QUIET else ""

    def time(self, time_ns: int) -> str:
        """Write a time as the user wants it."""
        if self.clock:
            return iso_time(time_ns, self.zone)[11:26]
        seconds, rest = divmod(abs(since := time_ns - self.store.snapshot.first_time_ns), 1_000_000_000)
        return f"{'-' if since < 0 else ''}{seconds}.{rest // 1000:06d}"

    def key(self, column: int, count: int) -> NDArray[Any]:
        """Give what a column is put in order by."""
        title = self.columns[column].title
        pdus = self.store.pdus
        if title in _NUMBERS:
            return pdus.column(_NUMBERS[title])[:count]
        if not title:
            key = np.zeros(count, np.int64)
            severity = self.store.snapshot.severity
            numbers = np.fromiter(severity, np.int64, len(severity))
            grades = np.fromiter(severity.values(), np.int64, len(severity))
            key[numbers[numbers <= count] - 1] = grades[numbers <= count]
            return -key
        if title == "No.":
            return np.arange(count)
        if title == "Command":
            commands = pdus.column("command")[:count]
            return _ranks(commands, lambda value: command_name(value).removeprefix("CMPP_"))
        flows = pdus.column("stream")[:count] * 2 + pdus.column("direction")[:count]
        return _ranks(flows, lambda flow: self._flow(flow)[title])

    def attribute(self, name: str, rows: I64) -> I64:
        """Give a column of the store for some rows; `marked` is 1 where there is a finding."""
        if name == "marked":
            return np.isin(rows + 1, self.store.snapshot.marked).astype(np.int64)
        return self.store.pdus.column(name)[rows]

    def finder(self, needle: str) -> Finder:
        """Find PDUs by a filter or by words."""
        from cmppscope.tui.search import finder  # noqa: PLC0415 - filters are loaded when the first one is typed

        return finder(self, needle, "pdu", self.store)

    def _flow(self, flow: int) -> dict[str, str]:
        """Name both ends of a direction of a stream."""
        ends = self.store.snapshot.ends.get(flow >> 1, _NO_ENDS)
        addresses, roles = (ends[0], ends[1]) if flow & 1 == 0 else (ends[0][::-1], ends[1][::-1])
        return {"From → to": f"{roles[0]}→{roles[1]}", "Source": addresses[0], "Destination": addresses[1]}


_NUMBERS = {"Frame": "frame", "Time": "time_ns", "Stream": "stream", "Seq": "sequence", "Len": "length"}


def _ranks(values: I64, write: Callable[[int], str]) -> I64:
    """Give numbers in the order of the texts that values stand for."""
    unique, inverse = np.unique(values, return_inverse=True)
    texts = [write(value) for value in unique.tolist()]
    order = {text: rank for rank, text in enumerate(sorted(set(texts)))}
    return np.array([order[text] for text in texts], np.int64)[inverse]


def finding_words(store: Store, pdu: int) -> list[tuple[Severity, str]]:
    """Tell the findings of a PDU."""
    if pdu not in store.snapshot.severity:
        return []
    return [
        (finding.severity, printable(f"{finding.severity.word} {finding.rule} ({finding.section}): {place.detail}"))
        for finding in store.snapshot.findings
        for place in finding.places
        if place.pdu == pdu
    ]
