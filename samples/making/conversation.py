"""A TCP connection told as a story: who says what, how long after the last word.

    talk = Conversation(capture, Host("192.0.2.10", 40001), Host("198.51.100.1", 7890))
    talk.syn()
    talk.sp(connect, after_ms=0.4)
    talk.ismg(connect_resp, after_ms=3.1)
    talk.fin(SP)

Theory of operation. `now` is the time of the last frame; every word moves it on. Sequence and
acknowledgement numbers follow from what was said. Data is acknowledged by the answer, or, where
none comes within 40 ms, by an ACK of its own, as most TCPs do it. What was lost from the capture
reached its receiver all the same.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partialmethod
from typing import TYPE_CHECKING, NamedTuple

from samples.making.capture import CHINA, Capture, Frame
from samples.making.frames import ACK, FIN, PSH, RST, SYN, Host, Segment, mss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scapy.packet import Packet

SP, ISMG = CLIENT, SERVER = 0, 1
"""The two ends of a connection, by the role the client mostly has and by who opened it."""

_MS = 10**6
_DELAYED_ACK = 40 * _MS
_ROUND_TRIP_MS = 1.284
_BACK_TO_BACK_MS = 0.012
_SEQUENCE_NUMBERS = 1 << 32


class Saying(NamedTuple):
    """The octets said at once, and the Sequence Number of the first."""

    side: int
    seq: int
    octets: bytes


@dataclass(slots=True)
class _End:
    """One end of a connection: its next Sequence Number, what it heard, the time an ACK is due."""

    host: Host
    seq: int
    ip_id: int
    heard: int = 0
    ack_due: int | None = None
    closed: bool = False


@dataclass(slots=True)
class Conversation:
    """A TCP connection inside a capture; `interface` is where it was captured, `isns` where it starts to count."""

    capture: Capture
    client: Host
    server: Host
    interface: int = 0
    isns: tuple[int, int] = (0x1E240000, 0x6B8B4567)
    begins_ms: float = 0
    said: list[tuple[int, bytes]] = field(default_factory=list)
    """What was said, PDU by PDU or piece by piece, with the side that said it."""
    now: int = field(init=False)
    ends: tuple[_End, _End] = field(init=False)

    def __post_init__(self) -> None:
        """Set both ends up as if the handshake was over, for stories that begin in the middle."""
        self.now = int(self.capture.start.timestamp()) * 10**9 + round(self.begins_ms * _MS)
        ip_id = self.isns[0] >> 16 & 0x7FFF
        self.ends = (
            _End(self.client, self.isns[0], ip_id, heard=self.isns[1]),
            _End(self.server, self.isns[1], ip_id ^ 0x5555, heard=self.isns[0]),
        )
        self.capture.conversations.append(self)

    @property
    def clock(self) -> dt.datetime:
        """The time in China, to the second."""
        return dt.datetime.fromtimestamp(self.now // 10**9, CHINA)

    def wait(self, *, ms: float = 0, s: float = 0) -> None:
        """Let time pass in silence."""
        self.now += round((ms + s * 1000) * _MS)

    def syn(self, *, last_ack: bool = True) -> None:
        """Shake hands; without `last_ack` the client's first words carry the third step."""
        self._put(CLIENT, SYN, ack=0)
        self.ends[CLIENT].seq += 1
        self.wait(ms=_ROUND_TRIP_MS)
        self.ends[SERVER].heard = self.ends[CLIENT].seq
        self._put(SERVER, SYN | ACK)
        self.ends[SERVER].seq += 1
        self.ends[CLIENT].heard = self.ends[SERVER].seq
        if last_ack:
            self.wait(ms=0.061)
            self._put(CLIENT, ACK)

    def say(
        self,
        side: int,
        *words: Packet | bytes,
        after_ms: float = 1,
        cut: Sequence[int] = (),
        lost: bool = False,
        late_ms: float = 0,
        fin: bool = False,
    ) -> Saying:
        """Say PDUs, or pieces of them, in one segment.

        It is cut into several at the offsets of `cut`, and wherever a segment is full. `lost` keeps
        it out of the capture; with `late_ms` it arrives that much later than its time, so that what
        is said next overtakes it; `fin` closes this side with the last octet.
        """
        octets = b"".join(map(bytes, words))
        self.said += [(side, bytes(word)) for word in words]
        self.wait(ms=after_ms)
        saying = Saying(side, self.ends[side].seq, octets)
        cuts = sorted({0, *cut, *range(0, len(octets), mss(self.client))})
        for start, end in zip(cuts, [*cuts[1:], len(octets)], strict=True):
            if start:
                self.wait(ms=_BACK_TO_BACK_MS)
            flags = ACK | (PSH if end == len(octets) else 0) | (FIN if fin and end == len(octets) else 0)
            self._put(side, flags, octets[start:end], lost=lost, late_ms=late_ms)
            self._move(side, end - start)
        if fin:
            self._close(side)
        return saying

    client_says = sp = partialmethod(say, CLIENT)
    server_says = ismg = partialmethod(say, SERVER)

    def again(self, saying: Saying, *, after_ms: float = 210) -> None:
        """Retransmit what was said before, as TCP does when no ACK came in time."""
        hearer = self.ends[1 - saying.side]
        hearer.ack_due = None
        self.wait(ms=after_ms)
        self._put(saying.side, PSH | ACK, saying.octets, seq=saying.seq)
        hearer.ack_due = self.now + _DELAYED_ACK

    def ack(self, side: int, *, after_ms: float = 0.05) -> None:
        """Acknowledge what was heard, in a segment of its own."""
        self.wait(ms=after_ms)
        self._put(side, ACK)

    def fin(self, side: int, *, after_ms: float = 0.3) -> None:
        """Close both ways, `side` first; if it said `fin` already, the other side follows."""
        if not self.ends[side].closed:
            self.wait(ms=after_ms)
            self._put(side, FIN | ACK)
            self._close(side)
        self.wait(ms=_ROUND_TRIP_MS)
        self._put(1 - side, FIN | ACK)
        self._close(1 - side)
        self.wait(ms=0.058)
        self._put(side, ACK)

    def rst(self, side: int, *, after_ms: float = 0.3) -> None:
        """Break off."""
        self.wait(ms=after_ms)
        self._put(side, RST | ACK)

    def settle(self) -> None:
        """Put the ACKs that are due."""
        self._delayed_acks(self.now + 2 * _DELAYED_ACK)

    def _move(self, side: int, octets: int) -> None:
        """Count octets as sent by `side` and heard by the other."""
        here, there = self.ends[side], self.ends[1 - side]
        here.seq = there.heard = (here.seq + octets) % _SEQUENCE_NUMBERS
        there.ack_due = self.now + _DELAYED_ACK

    def _close(self, side: int) -> None:
        """Count the FIN of `side`, which its peer answers at once."""
        self._move(side, 1)
        self.ends[side].closed = True
        self.ends[1 - side].ack_due = None

    def _delayed_acks(self, until: int) -> None:
        """Put the ACKs that fell due before `until`."""
        for side, end in enumerate(self.ends):
            if end.ack_due is not None and end.ack_due < until:
                self._frame(side, ACK, b"", end.seq, end.heard, end.ack_due)
                end.ack_due = None

    def _put(
        self,
        side: int,
        flags: int,
        payload: bytes = b"",
        *,
        seq: int | None = None,
        ack: int | None = None,
        lost: bool = False,
        late_ms: float = 0,
    ) -> None:
        """Put one segment on the wire now, and into the capture unless it is lost."""
        self._delayed_acks(self.now)
        end = self.ends[side]
        end.ack_due = None
        seq, ack = end.seq if seq is None else seq, end.heard if ack is None else ack
        self._frame(side, flags, payload, seq, ack, self.now + round(late_ms * _MS), lost=lost)

    def _frame(
        self, side: int, flags: int, payload: bytes, seq: int, ack: int, time: int, *, lost: bool = False
    ) -> None:
        """Build a frame and keep it."""
        here, there = self.ends[side], self.ends[1 - side]
        here.ip_id = (here.ip_id + 1) % (1 << 16)
        _name, link = self.capture.links[self.interface]
        segment = Segment(here.host, there.host, flags, seq, ack, here.ip_id, payload)
        if not lost:
            self.capture.kept.append(Frame(time, self.interface, link.frame(segment, sent=side == CLIENT)))
