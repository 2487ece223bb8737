"""Messages sent again: the same SUBMIT or DELIVER under a new Sequence_Id, seen by a digest of what it says.

Two messages are the same when source, receivers, content and all that stands between and behind them are. A resend that
pairing knows is none, since it repeats a request that still waits. Digests are 64 bits wide: sums of the octets'
words times fixed odd numbers, computed for all PDUs of a length at once. Digests of the last REMEMBERED messages are
kept, over all connections: an SP that lost its link repeats itself on the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cmppscope.analysis.waiting import AUDITED_SESSIONS
from cmppscope.arrays import eight_octets_at, octets_at, stable_order
from cmppscope.tables import I64, U64, PduBatch
from cmppscope.transactions import Paired
from dissectors.cmpp.enums import DELIVER, SUBMIT

REMEMBERED = 65_536
"""Messages back to which a repetition is seen."""
SUBMIT_FIRST, DELIVER_FIRST = 107, 20
"""Where Src_Id of a SUBMIT and Dest_Id of a DELIVER stand; what follows is addresses, options and content."""


def _factors(count: int) -> U64:
    """Give fixed odd 64-bit numbers without a pattern (the finaliser of a 64-bit mixing function over a count)."""
    mixed = (np.arange(1, count + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: U64 = (mixed ^ (mixed >> np.uint64(31))) | np.uint64(1)
    return result


_FACTORS = _factors(1100)


def digests(batch: PduBatch, rows: I64) -> I64:
    """Give a digest of each message from its first address on, and of its command and length.

    Whole words are read from the front, and the last eight octets once more.
    """
    command, length = batch.command[rows], batch.length[rows]
    first = np.where(command == SUBMIT, SUBMIT_FIRST, DELIVER_FIRST)
    at, words = batch.position[rows] + first, (length - first) >> 3
    tail = eight_octets_at(batch.octets, batch.position[rows] + length - 8)
    result = (tail ^ (tail >> np.uint64(29))) * _FACTORS[-2:-1] + ((length << 3) | command).view(np.uint64)
    result *= _FACTORS[-1:]
    order = stable_order(words)
    counts = words[order]
    heads = np.flatnonzero(np.r_[True, counts[1:] != counts[:-1]]) if len(rows) else counts
    for begin, end in zip(heads.tolist(), [*heads[1:].tolist(), len(rows)], strict=True):
        which, count = order[begin:end], int(counts[begin])
        read = octets_at(batch.octets, at[which], 8 * count).view("<u8")
        read ^= read >> np.uint64(29)  # or the highest bits of two words could cancel each other
        result[which] += np.einsum("ij,j->i", read, _FACTORS[:count])
    mixed: I64 = (result ^ (result >> np.uint64(32))).view(np.int64)
    return mixed


@dataclass(slots=True)
class Repeated:
    """Messages of one session and direction that were sent before."""

    count: int = 0
    pdu: int = 0
    """The first such message, its frame, and the message that it repeats."""
    frame: int = 0
    earlier: int = 0


@dataclass(slots=True)
class Repeats:
    """Finds messages sent again."""

    found: dict[int, Repeated] = field(default_factory=dict)
    """By session * 2 + direction."""
    _digest: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    _pdu: I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    def feed(self, batch: PduBatch, session: I64, paired: Paired) -> None:
        """Take a batch."""
        wanted = (batch.command == SUBMIT) & (batch.length >= SUBMIT_FIRST + 8)
        wanted |= (batch.command == DELIVER) & (batch.length >= DELIVER_FIRST + 8)
        wanted[paired.resends] = False
        rows = np.flatnonzero(wanted)
        if not len(rows):
            return
        digest = np.concatenate([self._digest, digests(batch, rows)])
        pdu = np.concatenate([self._pdu, batch.first + rows])
        known = len(self._pdu)
        self._digest, self._pdu = digest[-REMEMBERED:], pdu[-REMEMBERED:]
        ordered = np.sort(digest)
        again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(again):
            return
        place = np.minimum(np.searchsorted(again, digest), len(again) - 1)
        mine = np.flatnonzero(again[place] == digest)
        mine = mine[stable_order(place[mine])]
        earlier, later = mine[:-1], mine[1:]
        pair = (digest[earlier] == digest[later]) & (later >= known) & (later - earlier <= REMEMBERED)
        earlier, later = earlier[pair], later[pair]
        order = np.argsort(later)
        earlier, later = earlier[order], later[order]
        row = rows[later - known]
        self._count(session[row] * 2 + batch.direction[row], pdu[later], batch.frame[row], pdu[earlier])

    def _count(self, group: I64, pdu: I64, frame: I64, earlier: I64) -> None:
        """Count repetitions, and keep the first of each session and direction."""
        groups, first, counts = np.unique(group, return_index=True, return_counts=True)
        for owner, at, count in zip(groups.tolist(), first.tolist(), counts.tolist(), strict=True):
            if owner >= 2 * AUDITED_SESSIONS:
                continue
            record = self.found.setdefault(owner, Repeated(0, int(pdu[at]), int(frame[at]), int(earlier[at])))
            record.count += count
