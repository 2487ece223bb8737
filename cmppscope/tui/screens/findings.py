"""Findings: the rules that do not hold, and the places of the one under the cursor."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from cmppscope.report.rules import BOTH_SIDES
from cmppscope.tui.messages import GoToFrame, GoToPdu
from cmppscope.tui.rows.findings import FindingRows, PlaceRows
from cmppscope.tui.screens import Pane
from cmppscope.tui.widgets.table import VirtualTable
from cmppscope.tui.widgets.words import Sentence, Words

_FAULTS = {
    "peer": "a peer broke the protocol",
    "capture": "the capture lacks octets; no peer is to blame",
    "operator": "the operator's own convention",
}
_BOTH = "both sides could have kept it, and neither did"


class FindingsPane(Pane):
    """Every finding."""

    title = "Findings"

    def __init__(self, rows: FindingRows) -> None:
        """Draw from rows."""
        super().__init__(id="findings")
        self.rows = rows
        self.store = rows.store
        self.places = PlaceRows(rows.store)
        self.table = VirtualTable(rows, fixed=2, id="rule-list")
        self.place_table = VirtualTable(self.places, fixed=2, id="place-list")
        self.words = Words(id="finding-words")

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield self.table
        yield self.place_table
        yield self.words

    @property
    def total(self) -> int:
        """Count all places, listed or not."""
        return sum(finding.times for finding in self.store.snapshot.findings)

    @property
    def filtered(self) -> VirtualTable:
        """The list with the cursor."""
        return self.place_table if self.place_table.has_focus else self.table

    def take(self) -> None:
        """Draw what came into the store."""
        super().take()
        self._show(self.table.row)

    def back(self) -> bool:
        """Leave the filter of the places first."""
        if self.place_table.wish.needle:
            self.place_table.want(type(self.place_table.wish)())
            return True
        return super().back()

    @on(VirtualTable.Moved, "#rule-list")
    def _moved(self, message: VirtualTable.Moved) -> None:
        """Show the places of the rule under the cursor."""
        message.stop()
        self._show(message.row)

    def _show(self, row: int | None) -> None:
        """Show the places of a rule."""
        finding = None if row is None else self.rows.finding(row)
        rule = (finding.rule, finding.fault) if finding else None
        if rule != self.places.rule:
            self.places.rule = rule
            self.place_table.move_to(0)
        self.place_table.refresh_rows()
        self._tell()

    @on(VirtualTable.Moved, "#place-list")
    def _moved_in_places(self, message: VirtualTable.Moved) -> None:
        """Tell of the place under the cursor."""
        message.stop()
        self._tell()

    def _tell(self) -> None:
        """Tell of the rule, and of the place."""
        finding = self.places.finding
        if finding is None:
            self.words.show([Sentence("", "Nothing wrong with framing, headers or pairing.")])
            return
        told = [
            Sentence("Rule", finding.rule, finding.severity.word),
            Sentence("Should hold", finding.sentence),
            Sentence("Section", finding.section),
            Sentence("Fault", _BOTH if finding.rule in BOTH_SIDES else _FAULTS.get(finding.fault, finding.fault)),
        ]
        row = self.place_table.row
        if row is not None and row < len(finding.places):
            place = finding.places[row]
            where = f"frame {place.frame}" + (f", PDU {place.pdu}" if place.pdu else "")
            octet = f", octet {place.offset} of its direction" if place.offset >= 0 else ""
            told += [Sentence("Here", place.detail), Sentence("Place", f"{where}, stream {place.stream}{octet}")]
        if finding.times > len(finding.places):
            told.append(Sentence("", f"The first {len(finding.places):,} of {finding.times:,} places are listed."))
        self.words.show(told)

    @on(VirtualTable.Opened, "#rule-list")
    def _opened(self, message: VirtualTable.Opened) -> None:
        """Go to the places."""
        message.stop()
        self.place_table.focus()

    @on(VirtualTable.Opened, "#place-list")
    def _opened_place(self, message: VirtualTable.Opened) -> None:
        """Show the PDU, or the frame where no PDU is to blame."""
        message.stop()
        finding = self.places.finding
        if finding is not None and message.row is not None:
            place = finding.places[message.row]
            self.post_message(GoToPdu(place.pdu) if place.pdu else GoToFrame(place.frame))
