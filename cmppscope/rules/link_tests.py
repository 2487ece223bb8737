"""Link tests: who tests connections, how often, and what he does without an answer (CMPP 2.0 §6.1, §7.4.7).

Theory of operation. ACTIVE_TESTs and their responses are grouped by stream and tester. Where every test is followed by
its response nothing more is done; only tests without one are walked in order.

A response may lie in a Gap that shows itself later. So what a tester did without an answer is told only when the other
side's next ACTIVE_TEST_RESP, or the end of the stream, shows that there was no Gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from cmppscope.arrays import stable_order
from cmppscope.reassembly import Streams
from cmppscope.rules.connections import Connections
from cmppscope.rules.model import End, Limits, Spot, Spots
from cmppscope.rules.silences import Gaps
from cmppscope.rules.spots import spot_of
from cmppscope.tables import I64, Bool, PduBatch
from cmppscope.transactions import Timers
from cmppscope.transactions.table import SWAPPED_NS
from dissectors.cmpp.enums import ACTIVE_TEST

_INTERVALS = 5
"""So many intervals between link tests make a habit; where a capture holds fewer, two do."""
_OFTEN = 3
"""A link tested more than so many times in C is tested often."""
_PROBES = 2
"""So many tests of one side, without any of the other, make the testing one-sided."""


_GAP, _RESPONSE, _TEST = range(3)
"""What happens to a tester, in the order in which it is taken within a row."""


@dataclass(slots=True)
class _Tester:
    """What is known of the link tests that one side of a stream sends."""

    tests: int = 0
    probes: int = 0
    """Tests that did not follow one without an answer."""
    last_ns: int = 0
    """Time of the last test, as those without an answer are followed; `tested_ns` as intervals are."""
    tested_ns: int | None = None
    answered_ns: int = 0
    """Time of the last response; a test of before, or that the capture may have swapped with it, has its answer."""
    last: Spot | None = None
    intervals: list[int] = field(default_factory=list)
    run: int = 0
    """Tests since the last answer."""
    enough_ns: int = 0
    """Time of the N-th of them."""
    told: bool = False
    """That the connection was kept after N of them."""
    pending: list[tuple[str, Spot]] = field(default_factory=list)

    @property
    def typical_ns(self) -> int:
        """The median interval."""
        from statistics import median  # noqa: PLC0415 - it brings fractions and decimals, for few captures

        return int(median(self.intervals))

    def is_often(self, c_ns: int) -> bool:
        """Tell whether the intervals are far shorter than C."""
        return bool(self.intervals) and self.typical_ns * _OFTEN < c_ns

    def forget(self) -> None:
        """Begin anew: behind an answer, or where the capture may have lost one."""
        self.run, self.told = 0, False
        self.pending.clear()

    def keep(self, spot: Spot) -> None:
        """Note where a connection was kept after N tests without an answer."""
        self.told = True
        self.pending.append(("keepalive-not-closed", spot))


class LinkTests:
    """Follows silence and link tests of every connection."""

    def __init__(self, streams: Streams, connections: Connections, timers: Timers, limits: Limits) -> None:
        """`streams` is the list that reassembly keeps."""
        self._streams = streams
        self._connections = connections
        self._t_ns, self._n, self._c_ns = timers.t_ns, timers.n, limits.c_ns
        self._testers: dict[int, _Tester] = {}
        """By stream * 2 + direction of the tests."""
        self._kept: set[int] = set()
        """Testers with N tests without an answer."""
        self._often: set[int] = set()
        self._habits: list[tuple[int, int, int]] = []
        """Row, stream and interval of testers that were seen to test often."""

    @property
    def dead(self) -> set[int]:
        """Streams on which N link tests in a row have no answer."""
        return {key >> 1 for key, tester in self._testers.items() if tester.run >= self._n}

    def close(self, end: End, spots: Spots) -> None:
        """Judge what only the end of the streams can tell."""
        for key, tester in sorted(self._testers.items()):
            self._keeps_to_the_end(key, tester)
            if key ^ 1 not in end.lost:
                _confirm(tester, spots)
            self._last_habit(key, tester, spots)
        for key, tester in sorted(self._testers.items()):
            self._one_sided(key, tester, end, spots)

    def feed(self, batch: PduBatch, gaps: Gaps, spots: Spots) -> None:
        """Take the link tests of a batch and their responses, tester by tester."""
        rows = np.flatnonzero((batch.command & 0x7FFFFFFF) == ACTIVE_TEST)
        asks = batch.command[rows] == ACTIVE_TEST
        key = batch.stream[rows] * 2 + np.where(asks, batch.direction[rows], 1 - batch.direction[rows])
        order = stable_order(key)
        rows, asks, key = rows[order], asks[order], key[order]
        heads = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else rows
        ends = np.r_[heads[1:], len(key)][: len(heads)]
        groups: dict[int, slice] = {
            int(key[head]): slice(head, end) for head, end in zip(heads.tolist(), ends.tolist(), strict=True)
        }
        for tester in sorted(groups.keys() | self._kept | self._open_in(gaps)):
            mine = groups.get(tester, slice(0, 0))
            self._take(batch, tester, rows[mine], asks[mine], gaps.get(tester >> 1, []), spots)
        self._tell_habits(batch, spots)

    def _open_in(self, gaps: Gaps) -> set[int]:
        """Give the testers of streams with a Gap."""
        return {2 * stream + d for stream in gaps for d in (0, 1) if 2 * stream + d in self._testers}

    def _take(self, batch: PduBatch, key: int, rows: I64, asks: Bool, gaps: list[int], spots: Spots) -> None:
        """Take one tester's tests and their responses, in order."""
        tester = self._testers.setdefault(key, _Tester())
        if asks.any():
            self._note_intervals(batch, tester, key >> 1, rows[asks])
        alternate = not (asks[1:] & asks[:-1]).any() and not (len(asks) and asks[-1])
        if alternate and not tester.run and not gaps and self._n > 1:
            tester.probes += int(asks.sum())
            if len(rows):
                tester.answered_ns = max(tester.answered_ns, int(batch.time_ns[rows[-1]]))
            if asks.any():
                tester.last_ns = int(batch.time_ns[rows[asks][-1]])
            return
        events = [(row, _TEST if ask else _RESPONSE) for row, ask in zip(rows.tolist(), asks.tolist(), strict=True)]
        self._walk(batch, key, tester, sorted(events + [(gap, _GAP) for gap in gaps]), spots)

    def _walk(self, batch: PduBatch, key: int, tester: _Tester, events: list[tuple[int, int]], spots: Spots) -> None:
        """Go through Gaps, responses and tests."""
        due = self._due(batch, key, tester, -1)
        for row, kind in events:
            if due is not None and due <= row:
                if due < row or kind == _TEST:
                    tester.keep(spot_of(batch, due, tester.run))
                due = None
            if kind == _TEST:
                self._test(batch, row, tester)
                due = (due if tester.run >= self._n else None) or self._due(batch, key, tester, row)
                continue
            if kind == _RESPONSE:
                tester.answered_ns = max(tester.answered_ns, int(batch.time_ns[row]))
                _confirm(tester, spots)
            tester.forget()
            due = None
        if due is not None:
            tester.keep(spot_of(batch, due, tester.run))
        kept = self._kept.add if tester.run >= self._n and not tester.told else self._kept.discard
        kept(key)

    def _test(self, batch: PduBatch, row: int, tester: _Tester) -> None:
        """Take a test, and see whether it comes at once behind one without a response."""
        time_ns = int(batch.time_ns[row])
        waited, tester.last_ns = time_ns - tester.last_ns, time_ns
        if batch.known_frame[row] != batch.frame[row]:  # its response may lie in a Gap that was known before it
            tester.forget()
            tester.probes += 1
            return
        if time_ns <= tester.answered_ns + SWAPPED_NS and not tester.run:
            tester.probes += 1
            return
        if 0 < tester.run < self._n and 2 * waited > 3 * self._t_ns:
            tester.pending.append(("keepalive-retry", spot_of(batch, row, waited)))
        tester.run += 1
        tester.probes += tester.run == 1
        if tester.run == self._n:
            tester.enough_ns = time_ns

    def _due(self, batch: PduBatch, key: int, tester: _Tester, row: int) -> int | None:
        """Give the first row behind a row that shows a connection kept after N tests without an answer."""
        if tester.run < self._n or tester.told:
            return None
        own = (batch.stream == key >> 1) & (batch.direction == key & 1)
        rows = np.flatnonzero(own & (batch.time_ns > tester.enough_ns + self._t_ns))
        return next((later for later in rows.tolist() if later > row), None)

    def _note_intervals(self, batch: PduBatch, tester: _Tester, stream: int, rows: I64) -> None:
        """Keep the first intervals between tests; note where they become a habit."""
        tester.tests += len(rows)
        if len(tester.intervals) < _INTERVALS:
            carried = [] if tester.tested_ns is None else [tester.tested_ns]  # 0 is a time, too
            times = carried + batch.time_ns[rows[: _INTERVALS + 1]].tolist()
            more = [later - earlier for earlier, later in pairwise(times)][: _INTERVALS - len(tester.intervals)]
            tester.intervals += more
            if len(tester.intervals) == _INTERVALS and tester.is_often(self._c_ns):
                self._habits.append((int(rows[len(more) - len(carried)]), stream, tester.typical_ns))
        tester.tested_ns = int(batch.time_ns[rows[-1]])
        tester.last = spot_of(batch, int(rows[-1]))

    def _tell_habits(self, batch: PduBatch, spots: Spots) -> None:
        """Tell once of each stream that its link is tested often."""
        for row, stream, typical_ns in sorted(self._habits):
            if stream not in self._often and self._connections.is_long(stream, batch.first + row):
                self._often.add(stream)
                spots.setdefault("keepalive-often", []).append(spot_of(batch, row, typical_ns))
        self._habits.clear()

    def _keeps_to_the_end(self, key: int, tester: _Tester) -> None:
        """See whether a connection was closed at last, but long after N tests without an answer."""
        closing = self._streams[key >> 1].closing
        if tester.run < self._n or tester.told or closing is None:
            return
        if closing.time_ns - tester.enough_ns > 2 * self._t_ns:
            tester.keep(Spot(0, closing.frame, key >> 1, closing.direction, -1, 0, tester.run))

    def _last_habit(self, key: int, tester: _Tester, spots: Spots) -> None:
        """Tell of a link tested often where the capture holds few tests."""
        stream, last = key >> 1, tester.last
        few = 1 < len(tester.intervals) < _INTERVALS
        if not few or last is None or stream in self._often:
            return
        if tester.is_often(self._c_ns) and self._connections.is_long(stream, last.pdu):
            self._often.add(stream)
            spots.setdefault("keepalive-often", []).append(last._replace(a=tester.typical_ns))

    def _one_sided(self, key: int, tester: _Tester, end: End, spots: Spots) -> None:
        """Tell where one side tested a link again and again, at the time it should, and the other side never did."""
        stream, other, last = key >> 1, self._testers.get(key ^ 1), tester.last
        if tester.probes < _PROBES or last is None or (other is not None and other.tests):
            return
        whole = self._connections.whole[stream] and not end.lost & {key, key ^ 1}
        if (
            whole
            and not tester.is_often(self._c_ns)
            and stream not in self._often
            and self._connections.is_long(stream, last.pdu)
        ):
            spots.setdefault("keepalive-one-sided", []).append(last._replace(a=tester.tests))


def _confirm(tester: _Tester, spots: Spots) -> None:
    """Tell what was held back."""
    for slug, spot in tester.pending:
        spots.setdefault(slug, []).append(spot)
    tester.pending.clear()
