"""What never came: known when the capture ends, and told only where the capture holds what it would have come in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from cmppscope.columns import PduColumns
from cmppscope.messages.coverage import Coverage
from cmppscope.messages.facts import MessageFacts, Named, Place, Unfinished
from cmppscope.messages.ids import Ids
from cmppscope.messages.ledger import REPORTS, Ledger
from cmppscope.messages.longs import Longs, place_of
from cmppscope.messages.parties import NOBODY, Parties
from cmppscope.messages.prints import mixed
from cmppscope.messages.table import Table, joined
from cmppscope.tables import I64
from cmppscope.transactions import Stray, Transactions
from dissectors.cmpp.enums import CANCEL, RESPONSE, SUBMIT
from dissectors.cmpp.msgid import split_msg_id

MOST_CANCELS = 65_536
"""CANCELs of unknown Msg_Ids that are remembered, and reports about a blank one."""
PARTS_NS = 180_000_000_000
"""How long the capture goes on behind a part before others count as missing: N·T (CMPP 2.0 §6.1)."""

_CANCELS = {
    "id": np.int64,
    "pdu": np.int64,
    "frame": np.int64,
    "stream": np.int64,
    "direction": np.int64,
    "offset": np.int64,
    "party": np.int64,
    "time": np.int64,
}
_CLOCKS_NS = 3_600_000_000_000
"""How far a gateway's clock may be from the capture's before its Msg_Ids say nothing of their age."""


class Ending:
    """Keeps what only the end can tell."""

    def __init__(self, coverage: Coverage, parties: Parties, zone_ns: int) -> None:
        """`zone_ns` is what the gateways' clocks are ahead of UTC."""
        self._coverage, self._parties, self._zone_ns = coverage, parties, zone_ns
        self._cancels = Table.empty(_CANCELS)
        self._blank = Table.empty(REPORTS)
        self._gave_blank = False
        self._sending: set[int] = set()

    def note(self, columns: PduColumns, party: I64, resends: I64, ids: Ids) -> None:
        """Note the CANCELs of Msg_Ids that their SP was not given as far as is known; `ids` holds those given."""
        self._forget(ids)
        rows = columns.rows(CANCEL)
        if not len(rows):
            return
        body, batch = columns.body(CANCEL), columns.batch
        good = body.valid("msg_id") & ~np.isin(rows, resends)
        rows, number = rows[good], body.integer("msg_id")[good].astype(np.uint64)
        sp = party[rows]
        unknown = ids.given.remembers_all(batch.first + rows)
        rows = rows[unknown]
        fresh = Table.of(
            _CANCELS,
            id=number[unknown].view(np.int64),
            pdu=batch.first + rows,
            frame=batch.frame[rows],
            stream=batch.stream[rows],
            direction=batch.direction[rows],
            offset=batch.offset[rows],
            party=sp[unknown],
            time=batch.time_ns[rows],
        )
        self._cancels = joined([self._cancels, fresh]).take(slice(-MOST_CANCELS, None))
        self._forget(ids)

    def _forget(self, ids: Ids) -> None:
        """Forget the CANCELs whose Msg_Id was given, be it later."""
        if len(self._cancels):
            sp = self._cancels["party"].view(np.uint64)
            given = ids.given.holds(mixed(self._cancels["id"].view(np.uint64), sp).view(np.int64))
            self._cancels = self._cancels.take(~given)

    def note_submits(self, closed: Transactions, party: I64) -> None:
        """Note the SPs that had a SUBMIT accepted, and that one was given a blank Msg_Id."""
        accepted = (closed.command == SUBMIT) & (closed.result == 0)
        numbers = np.flatnonzero(np.bincount(party[accepted] - NOBODY)) + NOBODY
        self._sending |= set(numbers.tolist()) - {NOBODY}
        self._gave_blank = self._gave_blank or bool((accepted & (closed.msg_id == 0)).any())

    def note_blank(self, reports: Table) -> None:
        """Note reports about a blank Msg_Id."""
        self._blank = joined([self._blank, reports.take(slice(MOST_CANCELS - len(self._blank)))])

    def close(
        self,
        facts: MessageFacts,
        ledger: Ledger,
        longs: Longs,
        ended: Transactions,
        strays: Sequence[Stray],
        end: tuple[int, int, int],
    ) -> None:
        """Say what never came; `end` is (time and frame of the capture's last frame, how long a report may take)."""
        last_time_ns, last_frame, report_ns = end
        elsewhere = {stray.msg_id for stray in strays if stray.command == SUBMIT | RESPONSE}
        waiting = bool((ended.command == SUBMIT).any())
        if not (ledger.forgotten or ledger.settled_forgotten or ledger.reports_forgotten or waiting):
            blank = self._blank.take(slice(0 if self._gave_blank else None))
            beside = _beside(ledger, ledger.waiting)
            facts.unknown = self._never_given(joined([ledger.waiting, blank]), elsewhere | beside)
        if not waiting:
            facts.cancels = self._never_given(self._cancels, elsewhere)
        facts.missing = self._unreported(ledger, last_time_ns, last_frame, report_ns)
        facts.unfinished = self._unfinished(longs, last_time_ns, last_frame)

    def _never_given(self, named: Table, elsewhere: set[int]) -> list[Named]:
        """Give the PDUs that name a Msg_Id which the capture would hold if it had been given."""
        found = []
        for at in range(len(named)):
            row = named.row(at)
            if row["id"] in elsewhere or row["party"] not in self._sending:
                continue
            if self._coverage.holds_login(row["party"], row["frame"]) and not self._is_older(row):
                place = Place(row["pdu"], row["frame"], row["stream"], row["direction"], row["offset"])
                found.append(Named(place, row["id"] & (2**64 - 1)))
        return found

    def _is_older(self, row: dict[str, int]) -> bool:
        """Tell whether a Msg_Id may have been given before the SP's first login in the capture, by its date."""
        parts = split_msg_id(row["id"] & (2**64 - 1))
        if not parts.dated:
            return False
        seconds = (row["time"] + self._zone_ns) // 1_000_000_000
        now = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)  # noqa: DTZ001 - the gateways' own clock
        try:
            given = dt.datetime(now.year, *parts[:5])  # noqa: DTZ001
        except ValueError:
            return False
        if given - now > dt.timedelta(days=1):
            given = given.replace(year=now.year - 1) if (given.month, given.day) != (2, 29) else now
        begun = self._parties.beginnings[row["party"]][1]
        age_ns = int((now - given).total_seconds()) * 1_000_000_000
        return age_ns > -_CLOCKS_NS and age_ns > row["time"] - begun - 1_000_000_000

    def _unreported(self, ledger: Ledger, last_time_ns: int, last_frame: int, report_ns: int) -> list[Named]:
        """Give the SUBMITs whose report did not come in time."""
        left = ledger.unreported
        left = left.take((left["asked"] == 1) & (last_time_ns - left["answered"] > report_ns))
        _, first = np.unique(left["pdu"], return_index=True)
        found = []
        for at in first.tolist():
            row = left.row(at)
            if self._coverage.holds(row["party"], row["frame"], last_frame):
                place = Place(row["pdu"], row["frame"], row["stream"] >> 1, row["stream"] & 1)
                found.append(Named(place, row["id"] & (2**64 - 1), last_time_ns - row["answered"]))
        return found

    def _unfinished(self, longs: Longs, last_time_ns: int, last_frame: int) -> list[Unfinished]:
        """Give the long messages of which parts never came."""
        found = []
        for parts in longs.assembly.unfinished():
            row = parts.row(0)
            refused = longs.refused.get(row["key"], set())
            missing = sorted(set(range(1, row["total"] + 1)) - set(parts["number"].tolist()) - refused)
            waited = last_time_ns - int(parts["time"].max()) > PARTS_NS
            if missing and waited and self._coverage.holds_login(row["party"], last_frame):
                found.append(Unfinished(place_of(row), row["total"], missing, bool(row["deliver"])))
        return found


def _beside(ledger: Ledger, reports: Table) -> set[int]:
    """Give the Msg_Ids of reports that follow on one given to several receivers: some count on (3.0 App. 1)."""
    rows = ledger.rows_to_several
    if not len(rows) or not len(reports):
        return set()
    bases, first = np.unique(rows["id"], return_index=True)
    count = (rows["packed"][first] & 0xFF).astype(np.int64)
    place = np.searchsorted(bases, reports["id"], "right") - 1
    near = (place >= 0) & (reports["id"] - bases[np.maximum(place, 0)] < count[np.maximum(place, 0)])
    return set(reports["id"][near].tolist())
