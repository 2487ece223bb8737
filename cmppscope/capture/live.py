"""Live capture: the frames of an interface as they come, in small batches.

Theory of operation. One thread reads a packet socket without blocking, straight into one buffer, a frame behind the
other; what the kernel says of each frame (stamp, length on the wire, VLAN tag) is kept as octets and read for the whole
batch at once. A batch is handed over when 100 ms have passed since it was begun, when it has 4,096 frames, or when the
buffer has no room for another frame: so one comes at least every 100 ms, without frames where nothing came (a screen
stays alive, and nobody has to wait for traffic to stop). While the taker works, the kernel holds what comes; what it
cannot hold it drops and counts (`drops`). A batch has octets of its own, only as many as there are: the buffer is used
again.

Times are the kernel's, in nanoseconds: taken when the frame passed or, for TCP that this machine itself sends and hears
(loopback, containers), when it was put into our queue, so that two listeners differ by a microsecond. A VLAN tag that
the kernel took off is put back. The octets are those of the socket: segments that the network card will split or has
joined (TSO, GRO) come as one frame, checksums may not be filled in yet.

Limits. Linux; one interface, of the kinds in `interfaces.LINKTYPES` (`any` is not one: on a bridge it shows a frame
several times). A packet socket copies each frame into a Python call of its own: tried with frames of 270 octets on one
core, 200,000 a second come in without a drop, and 50,000 (100,000 PDUs) where the same thread analyses them.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import TYPE_CHECKING

import numpy as np

from cmppscope.capture.interfaces import ETHERNET
from cmppscope.capture.listen import SOL_PACKET, Tap, listen
from cmppscope.capture.source import CaptureError
from cmppscope.tables import FileInfo, FrameBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmppscope.tables import I64, U8

__all__ = ["LiveCapture"]

BATCH_FRAMES = 4096
"""Most frames of a batch."""
BATCH_SECONDS = 0.1
"""A batch is handed over when it is that old, however few its frames."""
BUFFER = 8 << 20
"""Octets of the frames of a batch, and room for one more."""
SNAPLEN = 262_144
"""Octets kept of a frame; more than any frame has."""
LAST_SECONDS = 1.0
"""What the kernel still holds when the capture is to stop is read, for so long at most."""

_TAG = 4
"""Octets of a VLAN tag; so many stay free before every frame, to put one in."""
_ADDRESSES = 12
"""Octets of an Ethernet header before the tag."""
_AUXDATA = np.dtype(
    [(name, np.uint32) for name in ("status", "length", "snaplen")]
    + [(name, np.uint16) for name in ("mac", "net", "tci", "tpid")]
)
"""struct tpacket_auxdata."""
_VLAN, _VLAN_TPID = 0x10, 0x40
"""Bits of `status`: the frame had a tag; `tpid` is its ethertype."""
_ETHERTYPE_VLAN = 0x8100
_STAMP = np.dtype("l")
"""struct timespec is two of them."""
_ANCILLARY = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(_AUXDATA.itemsize) + 64


class LiveCapture:
    """A capture on an interface: iterate over it, once, to get batches of frames until `stop` or the end of its time.

    `bpf` is a filter expression as tcpdump takes it, `duration_s` the seconds after which the capture ends by itself,
    `snaplen` the octets kept of each frame.
    """

    octets_total: int | None = None
    """Never known."""

    def __init__(
        self, interface: str, bpf: str | None = None, duration_s: float | None = None, snaplen: int = SNAPLEN
    ) -> None:
        """Nothing is opened before `open` or the first batch."""
        self.interface = interface
        self.bpf = bpf
        self.duration_s = duration_s
        self.snaplen = min(max(snaplen, 1), SNAPLEN)
        self.info = FileInfo(name=interface, format="live")
        self.files = [self.info]
        self.drops = 0
        """Frames that the kernel dropped because they were not read fast enough."""
        self._tap: Tap | None = None
        self._until = float("inf")
        self._stop_ns: int | None = None
        self._ended = False

    @property
    def frames(self) -> int:
        """Frames handed over."""
        return self.info.frames

    @property
    def octets_read(self) -> int:
        """Octets of them."""
        return self.info.octets

    def open(self) -> Tap:
        """Begin to listen; CaptureError says in one line why that cannot be."""
        if self._tap is None:
            if self._ended:
                raise CaptureError(f"{self.interface}: this capture has ended")
            self._tap = listen(self.interface, self.bpf, self.snaplen)
            if self.duration_s is not None:
                self._until = min(self._until, time.monotonic() + self.duration_s)
        return self._tap

    def stop(self) -> None:
        """End the capture after what the kernel holds already; from any thread, or a signal handler, at any time."""
        if self._stop_ns is None:
            self._stop_ns = time.time_ns()
            self._until = time.monotonic()

    def __iter__(self) -> Iterator[FrameBatch]:
        """Yield batches, some without frames; raise CaptureError where the interface cannot be opened."""
        tap = self.open()
        reader = _Reader(tap, self.snaplen)
        try:
            while not self._ended:
                yield self._next(tap, reader)
        finally:
            self._close(tap)

    def _next(self, tap: Tap, reader: _Reader) -> FrameBatch:
        """Make the next batch, and note what is known with it."""
        empty = self._fill(reader)
        batch = reader.batch(self.info.frames + 1)
        self.drops += tap.dropped()
        self.info.frames += len(batch)
        self.info.octets += int(batch.caplen.sum())
        if len(batch):
            self.info.linktypes = (tap.linktype,)
        if time.monotonic() >= self._until:
            self.stop()
            late = len(batch) > 0 and int(batch.time_ns[-1]) > (self._stop_ns or 0)
            self._ended = empty or late or time.monotonic() > self._until + LAST_SECONDS
        return batch

    def _fill(self, reader: _Reader) -> bool:
        """Read until the batch is full or old enough; tell whether the kernel held nothing more."""
        handed_over = time.monotonic() + BATCH_SECONDS
        while True:
            try:
                if not reader.read():
                    return False
            except OSError as error:
                if self.info.damage is not None:
                    return True
                self._fail(error)
                continue
            left = min(handed_over, self._until) - time.monotonic()
            if left <= 0:
                return True
            reader.wait(left)

    def _fail(self, error: OSError) -> None:
        """Note that the interface gives no more frames; what came before is still there to be read."""
        try:
            socket.if_nametoindex(self.interface)
            reason = os.strerror(error.errno or 0).lower()
            self.info.damage = f"the interface went down during the capture ({reason})"
        except OSError:
            self.info.damage = "the interface was removed during the capture"
        self.stop()

    def _close(self, tap: Tap) -> None:
        """Stop listening, and say what was lost."""
        self._ended = True
        if self.drops:
            dropped = f"{self.drops} frame{'s' * (self.drops > 1)} dropped by the kernel"
            self.info.damage = "; ".join(filter(None, (self.info.damage, dropped)))
        tap.close()
        self._tap = None


class _Reader:
    """Frames read into one buffer, and batches made of them."""

    def __init__(self, tap: Tap, snaplen: int) -> None:
        """Begin with no frame."""
        self._tap = tap
        self._poll = select.poll()
        self._poll.register(tap.socket, select.POLLIN)
        self._snaplen = snaplen
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._clear()

    def _clear(self) -> None:
        """Forget the frames."""
        self._end = _TAG
        self._starts: list[int] = []
        self._sizes: list[int] = []
        self._stamps: list[bytes] = []
        self._auxdata: list[bytes] = []

    def wait(self, seconds: float) -> None:
        """Wait for a frame, or an error."""
        self._poll.poll(seconds * 1000)

    def read(self) -> bool:
        """Read what the kernel holds; give True when that was all, False when there is no room for more."""
        receive, view, snaplen, skip = self._tap.socket.recvmsg_into, self._view, self._snaplen, self._tap.skip_outgoing
        starts, sizes, stamps, auxdata = self._starts, self._sizes, self._stamps, self._auxdata
        last, end = len(view) - snaplen, self._end
        try:
            while len(starts) < BATCH_FRAMES and end <= last:
                size, messages, _, sender = receive((view[end : end + snaplen],), _ANCILLARY)
                if skip and sender[2] == socket.PACKET_OUTGOING:
                    continue
                for level, _, data in messages:
                    (auxdata if level == SOL_PACKET else stamps).append(data)
                starts.append(end)
                sizes.append(size)
                end += size + _TAG
        except BlockingIOError:
            return True
        finally:
            self._end = end
        return False

    def batch(self, first: int) -> FrameBatch:
        """Make a batch of the frames read, and forget them."""
        octets = np.frombuffer(self._buffer, np.uint8, self._end).copy()
        offset = np.array(self._starts, np.int64)
        caplen = np.array(self._sizes, np.int64)
        stamps = np.frombuffer(b"".join(self._stamps), _STAMP).reshape(-1, 2).astype(np.int64)
        aux = np.frombuffer(b"".join(self._auxdata), _AUXDATA)
        wirelen = np.maximum(aux["length"].astype(np.int64), caplen)
        if self._tap.linktype == ETHERNET:
            tagged = (aux["status"] & _VLAN != 0) & (caplen >= _ADDRESSES)
            _put_tags_back(octets, offset[tagged], aux[tagged])
            offset, caplen, wirelen = offset - tagged * _TAG, caplen + tagged * _TAG, wirelen + tagged * _TAG
        self._clear()
        return FrameBatch(
            octets=octets,
            first=first,
            offset=offset,
            caplen=caplen,
            wirelen=wirelen,
            time_ns=stamps[:, 0] * 1_000_000_000 + stamps[:, 1],
            linktype=np.full(len(offset), self._tap.linktype, np.int32),
            file_first=first,
        )


def _put_tags_back(octets: U8, offset: I64, aux: np.ndarray[tuple[int], np.dtype[np.void]]) -> None:
    """Write the VLAN tags that the kernel took off behind the addresses, which move up."""
    addresses = offset[:, None] + np.arange(_ADDRESSES)
    octets[addresses - _TAG] = octets[addresses]
    ethertype = np.where(aux["status"] & _VLAN_TPID, aux["tpid"], _ETHERTYPE_VLAN)
    tags = np.stack((ethertype, aux["tci"]), 1).astype(">u2").view(np.uint8).reshape(-1, _TAG)
    octets[offset[:, None] + np.arange(_ADDRESSES - _TAG, _ADDRESSES)] = tags
