"""Counts of messages, in all and by what they have in common."""

from __future__ import annotations

import numpy as np

from cmppscope.messages.ledger import DELIVRD, stat_octets
from cmppscope.messages.notes import NO_PREFIX, Said, prefix_of, service_of, source_of
from cmppscope.messages.parties import Parties
from cmppscope.messages.table import Rows, Table
from cmppscope.messages.tally import COUNTED, KEYS_KEPT, OTHER, Keys, Minutes, Tally
from cmppscope.tables import I64, Bool
from cmppscope.transactions import Transactions
from dissectors.cmpp.enums import SUBMIT

STATS_KEPT = 256
"""Different states that are counted by name."""

_FEW = 16
"""So many different states are counted one after the other, which is faster than sorting them."""

_UNANSWERED, _ACCEPTED, _REFUSED, _DELIVERED, _FAILED = range(len(COUNTED))
_OTHER_SP, _UNKNOWN_SP, _FIRST_SP = 0, 1, 2
UNKNOWN_SP = "(login not seen)"


class Counts:
    """How many messages there are."""

    def __init__(self, parties: Parties) -> None:
        """Begin with none; `parties` names the SPs."""
        self.submitted = 0
        self.accepted = 0
        self.refused = 0
        self.mo = 0
        """DELIVERs that are no reports."""
        self.by_stat: dict[bytes, int] = {}
        """Reports by Stat."""
        self.services, self.sources = Keys(), Keys()
        self.by_sp, self.by_service, self.by_source, self.by_prefix = (Tally() for _ in range(4))
        self.minutes = Minutes()
        self._parties = parties

    def closed(self, closed: Transactions, said: Said, party: I64) -> None:
        """Count the SUBMITs among closed transactions, answered or not; `said` is what was noted of them."""
        submit = closed.command == SUBMIT
        accepted = submit & (closed.result == 0) & (closed.response_pdu > 0)
        refused = submit & (closed.result > 0)
        self.submitted += int(submit.sum())
        self.accepted += int(accepted.sum())
        self.refused += int(refused.sum())
        for what, which in ((_UNANSWERED, submit & ~accepted & ~refused), (_ACCEPTED, accepted), (_REFUSED, refused)):
            rows = np.flatnonzero(which & said.there)
            self._tally(what, said.b[rows], party[rows], closed.time_ns[rows])

    def reported(self, rows: Rows, reports: Table, final: Bool) -> None:
        """Count the reports that were joined with a receiver, those with a `final` state as delivered or failed."""
        good = final & (reports["stat"] == DELIVRD)
        for what, which in ((_DELIVERED, good), (_FAILED, final & ~good)):
            chosen = np.flatnonzero(which)
            self._tally(what, rows["packed"][chosen], rows["party"][chosen], reports["time"][chosen])

    def stats(self, stats: I64) -> None:
        """Count states in the order in which they came, those beyond STATS_KEPT as one."""
        while len(stats):
            same = stats == stats[0]
            self._count_stat(stat_octets(int(stats[0])), int(same.sum()))
            stats = stats[~same]
            if len(self.by_stat) > _FEW:
                break
        values, first, counts = np.unique(stats, return_index=True, return_counts=True)
        for at in np.argsort(first).tolist():
            self._count_stat(stat_octets(int(values[at])), int(counts[at]))

    def _count_stat(self, stat: bytes, count: int) -> None:
        """Count a state."""
        name = stat if stat in self.by_stat or len(self.by_stat) < STATS_KEPT else OTHER.encode()
        self.by_stat[name] = self.by_stat.get(name, 0) + count

    def names_of(self, tally: Tally) -> dict[int, str]:
        """Name the keys of a tally; what is no text stands in hexadecimal."""
        if tally is self.by_prefix:
            return {at: f"{at:03d}" for at in range(NO_PREFIX)} | {NO_PREFIX: OTHER}
        if tally is self.by_sp:
            names = [OTHER, UNKNOWN_SP, *map(field_text, self._parties.names[: KEYS_KEPT - 1])]
        else:
            names = [OTHER, *map(field_text, (self.services if tally is self.by_service else self.sources).values[1:])]
        return dict(enumerate(names))

    def _tally(self, what: int, packed: I64, party: I64, time_ns: I64) -> None:
        """Count messages by all that they have in common."""
        if not len(packed):
            return
        named = np.where(party < KEYS_KEPT - 1, party + _FIRST_SP, _OTHER_SP)
        self.by_sp.add(what, np.where(party < 0, _UNKNOWN_SP, named))
        self.by_service.add(what, service_of(packed))
        self.by_source.add(what, source_of(packed))
        self.by_prefix.add(what, prefix_of(packed))
        self.minutes.add(what, time_ns)


def field_text(octets: bytes) -> str:
    """Write the octets of an Octet String up to the first NUL; those of no text in hexadecimal."""
    text = octets.partition(b"\0")[0].decode("latin-1")
    return text if text.isascii() and text.isprintable() else f"0x{octets.hex()}"
