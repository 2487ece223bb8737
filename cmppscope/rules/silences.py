"""How long connections that are open carry nothing (CMPP 2.0 §6.1).

Theory of operation. Silence is the time from one PDU of a stream to the next; within a batch that lasts less than C
only the first PDU of each stream can end one. PDUs that became known late, behind a Gap, are passed over: they stand
out of order, and the Gap says that there was no silence. The other side may have a hole that does not show yet, so a
silence is told when its next PDU comes without a Gap before it, or at the end.
"""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import distinct, grown, stable_order
from cmppscope.reassembly import Streams
from cmppscope.rules.connections import Connections
from cmppscope.rules.model import End, Limits, Spot, Spots
from cmppscope.rules.spots import spot_of
from cmppscope.rules.states import IS_OPEN, UNKNOWN
from cmppscope.tables import I64, Oddity, PduBatch
from cmppscope.transactions import Timers
from dissectors.cmpp.enums import ACTIVE_TEST

Gaps = dict[int, list[int]]
"""The rows of a batch before which Gaps became known, by stream."""


def gaps_of(batch: PduBatch, odd: list[Oddity]) -> Gaps:
    """Give the places of Gaps in a batch."""
    gaps: Gaps = {}
    for oddity in odd:
        row = int(np.searchsorted(batch.known_frame, oddity.known_frame))
        gaps.setdefault(oddity.stream, []).append(row)
    return gaps


class Silences:
    """Follows how long each connection is silent."""

    def __init__(self, streams: Streams, connections: Connections, timers: Timers, limits: Limits) -> None:
        """`streams` are those that reassembly keeps."""
        self._streams = streams
        self._connections = connections
        self._t_ns, self._c_ns = timers.t_ns, limits.c_ns
        self._last_ns: I64 = np.zeros(0, np.int64)
        """Time of each stream's last PDU, 0 where there was none."""
        self._gapped: set[int] = set()
        """Streams with a Gap behind their last PDU."""
        self._suspected: list[tuple[int, Spot]] = []
        """Silences not told yet, and the row that ended each, -1 for those of earlier batches."""

    def feed(self, batch: PduBatch, gaps: Gaps, spots: Spots) -> None:
        """Find where a long connection that was open was silent for too long."""
        self._last_ns = grown(self._last_ns, 1 + int(batch.stream.max(initial=-1)))
        known_late = batch.known_frame != batch.frame
        rows = np.flatnonzero(~known_late) if known_late.any() else np.arange(len(batch))
        stream, time_ns = batch.stream[rows], batch.time_ns[rows]
        _, last, _ = distinct(stream[::-1])
        last = len(rows) - 1 - last
        if len(rows) and int(time_ns.max()) - int(time_ns.min()) > self._c_ns:
            order = stable_order(stream)
            head = np.r_[True, stream[order][1:] != stream[order][:-1]]
            before = np.r_[0, time_ns[order][:-1]]
            before[head] = self._last_ns[stream[order][head]]
            previous = np.where(head, -1, np.r_[-1, rows[order][:-1]])
        else:
            _, order, _ = distinct(stream)
            before, previous = self._last_ns[stream[order]], np.full(len(order), -1)
        silent = time_ns[order] - before
        for at in np.flatnonzero((before > 0) & (silent > self._c_ns)).tolist():
            self._suspect(batch, int(rows[order[at]]), int(previous[at]), int(silent[at]), gaps)
        self._last_ns[stream[last]] = time_ns[last]
        if self._suspected:
            self._settle(batch, rows, gaps, spots)
        self._note_gaps(batch, rows[last], gaps)

    def close(self, end: End, spots: Spots) -> None:
        """Tell of the silences that a close ends, and of those that were held back."""
        for _, spot in self._suspected:
            if not end.lost & {2 * spot.stream, 2 * spot.stream + 1}:
                spots.setdefault("keepalive-missing", []).append(spot)
        for stream in np.flatnonzero(self._last_ns).tolist():
            closing, state = self._streams[stream].closing, int(self._connections.state[stream])
            sure = stream not in self._gapped and not end.lost & {2 * stream, 2 * stream + 1}
            if closing is None or not sure or not self._is_open(stream, state, 1 << 62):
                continue
            silent = closing.time_ns - int(self._last_ns[stream])
            if silent > self._c_ns:
                spot = Spot(0, closing.frame, stream, closing.direction, -1, 0, silent)
                spots.setdefault("keepalive-missing", []).append(spot)

    def _is_open(self, stream: int, state: int, pdu: int) -> bool:
        """Tell whether a stream was a long connection, and open or of a state not known, up to a PDU."""
        return (bool(IS_OPEN[state]) or state == UNKNOWN) and self._connections.is_long(stream, pdu)

    def _suspect(self, batch: PduBatch, row: int, previous: int, silent: int, gaps: Gaps) -> None:
        """Note a silence that the PDU of a row ends, unless that is the link test in time."""
        stream = int(batch.stream[row])
        limit = self._c_ns + self._t_ns * int(batch.command[row] == ACTIVE_TEST)
        lost = any(previous < gap <= row for gap in gaps.get(stream, []))
        lost |= previous < 0 and stream in self._gapped
        state = self._connections.before(stream, row)
        if silent > limit and not lost and self._is_open(stream, state, batch.first + row):
            self._suspected.append((row, spot_of(batch, row, silent)))

    def _settle(self, batch: PduBatch, rows: I64, gaps: Gaps, spots: Spots) -> None:
        """Tell of silences behind which the other side's next PDU came without a Gap; `rows` stand in order."""
        sender = batch.stream[rows] * 2 + batch.direction[rows]
        order = stable_order(sender)
        rows, sender = rows[order], sender[order]
        waiting = []
        for ended, spot in self._suspected:
            other = 2 * spot.stream + 1 - spot.direction
            low, high = np.searchsorted(sender, [other, other + 1]).tolist()
            answer = low + int(np.searchsorted(rows[low:high], ended, "right"))
            shown = int(rows[answer]) if answer < high else len(batch)
            if any(ended < gap <= shown for gap in gaps.get(spot.stream, [])):
                continue
            if answer < high:
                spots.setdefault("keepalive-missing", []).append(spot)
            else:
                waiting.append((-1, spot))
        self._suspected = waiting

    def _note_gaps(self, batch: PduBatch, last: I64, gaps: Gaps) -> None:
        """Keep the streams with a Gap behind their last PDU; `last` is the row of that."""
        doubtful = np.array(sorted(gaps.keys() | self._gapped), np.int64)
        seen = last[np.isin(batch.stream[last], doubtful)].tolist()
        before = {int(batch.stream[row]): row for row in seen}
        self._gapped -= before.keys()
        self._gapped |= {stream for stream, rows in gaps.items() if max(rows) > before.get(stream, -1)}
