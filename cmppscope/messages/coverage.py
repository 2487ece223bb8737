"""What the capture can know: where octets are missing that would tell more.

Before a peer is blamed for something that was never seen, `Coverage` is asked whether the capture holds all that the SP
and the gateway said in between. It is careful: a session whose login was not captured may be anybody's, and between
the first and the last Gap of a stream everything counts as lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from cmppscope.messages.parties import NOBODY, Parties
from cmppscope.reassembly import Streams
from cmppscope.tables import Oddity

_LOSING = ("gap", "skipped", "cut", "late", "truncated", "impossible", "below-header")


class Coverage:
    """Gaps by stream."""

    def __init__(self, streams: Streams, parties: Parties) -> None:
        """`streams` is the list that reassembly keeps."""
        self._streams, self._parties = streams, parties
        self._lost: dict[int, tuple[int, int]] = {}
        """First and last frame of each stream at which octets were known to be missing, or were no PDU."""

    def note(self, odd: Iterable[Oddity]) -> None:
        """Take what framing says."""
        for oddity in odd:
            if oddity.kind in _LOSING:
                self._note(oddity.stream, oddity.frame)

    def close(self, lost_tails: Iterable[int]) -> None:
        """Take the directions (stream * 2 + direction) whose last octets are missing."""
        for group in lost_tails:
            self._note(group >> 1, self._streams[group >> 1].last_frame)

    def holds(self, party: int, since: int, until: int) -> bool:
        """Tell whether the capture holds all PDUs of an SP between two frames."""
        strangers = self._parties.strangers
        if party == NOBODY or (strangers is not None and strangers[0] <= until):
            return False
        return not any(self._is_lossy(stream, since, until) for stream in self._parties.streams[party])

    def holds_login(self, party: int, until: int) -> bool:
        """Tell whether the capture holds all PDUs of an SP from its first login to a frame."""
        return party != NOBODY and self.holds(party, self._parties.beginnings[party][0], until)

    def _is_lossy(self, number: int, since: int, until: int) -> bool:
        """Tell whether a stream may have lost PDUs between two frames."""
        stream = self._streams[number]
        first, last = self._lost.get(number, (until + 1, -1))
        return not all(stream.seen) or (first <= until and last >= since)

    def _note(self, stream: int, frame: int) -> None:
        """Note a loss."""
        first, last = self._lost.get(stream, (frame, frame))
        self._lost[stream] = min(first, frame), max(last, frame)
