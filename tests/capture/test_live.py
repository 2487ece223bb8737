"""Live capture on a socket that is a list: batches, ends, drops, tags, errors. Real interfaces are in tests/live."""

from __future__ import annotations

import errno
import itertools
import math
import os
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cmppscope.capture import CaptureError, listen, live
from cmppscope.capture.interfaces import ETHERNET, LOOPBACK, RAW, Interface
from cmppscope.capture.live import LiveCapture
from cmppscope.tables import FrameBatch

NOW = 1_700_000_000_123_456_789
MS = 1_000_000
"""Nanoseconds of a millisecond."""
VLAN, TPID = 0x10, 0x40
NEEDS = "capturing on lo needs the right to open a packet socket: run as root, or give it once:"
HEADER = bytes(range(12)) + b"\x08\x00"


class Packet(NamedTuple):
    """What a packet socket gives of a frame."""

    octets: bytes
    time_ns: int = NOW
    """0 is the time at which it is read."""
    length: int | None = None
    status: int = 0
    tci: int = 0
    tpid: int = 0
    kind: int = socket.PACKET_HOST


@dataclass
class Clock:
    """The time, which passes only where something is waited for, and what will happen when; also `time` and `poll`."""

    now_ns: int = 0
    coming: list[tuple[int, Callable[[], None]]] = field(default_factory=list)

    def at(self, milliseconds: int, happens: Callable[[], None]) -> None:
        """Let something happen when so much has passed."""
        self.coming.append((milliseconds * MS, happens))
        self.coming.sort(key=lambda event: event[0])

    def pass_until(self, until_ns: int) -> None:
        """Let time pass, until something happens where that is earlier."""
        assert until_ns < 60_000 * MS, "nobody ends this capture"
        if self.coming and self.coming[0][0] <= until_ns:
            self.now_ns, happens = self.coming.pop(0)
            happens()
        else:
            self.now_ns = until_ns

    def monotonic(self) -> float:
        """Seconds."""
        return self.now_ns / 10**9

    def time_ns(self) -> int:
        """Nanoseconds since 1970: behind every frame that is put there before time passes."""
        return NOW + 1000 * MS + self.now_ns

    def poll(self, milliseconds: float) -> None:
        """Wait, as the system does: for whole milliseconds, rather too long than too short."""
        self.pass_until(self.now_ns + math.ceil(milliseconds) * MS)

    def register(self, _what: object, _events: int) -> None:
        """Every event is waited for."""


@dataclass
class FakeSocket:
    """A socket that gives packets and errors from a list, then nothing until more are put there."""

    clock: Clock = field(default_factory=Clock)
    waiting: deque[Packet | OSError] = field(default_factory=deque)
    drops: deque[int] = field(default_factory=deque)
    closed: bool = False
    endless: Packet | None = None

    def put(self, *packets: Packet | OSError) -> None:
        """Let something come in."""
        self.waiting += packets

    def recvmsg_into(self, buffers: tuple[memoryview], _room: int) -> tuple[int, list[Any], int, tuple[Any, ...]]:
        """Give the next packet; of the endless ones one comes every millisecond."""
        if not self.waiting and not self.endless:
            raise BlockingIOError
        packet = self.waiting.popleft() if self.waiting else self.endless
        if isinstance(packet, OSError):
            raise packet
        assert packet is not None
        if packet is self.endless:
            self.clock.pass_until(self.clock.now_ns + MS)
        stamp = packet.time_ns or self.clock.time_ns()
        size = min(len(packet.octets), len(buffers[0]))
        buffers[0][:size] = packet.octets[:size]
        length = len(packet.octets) if packet.length is None else packet.length
        aux = struct.pack("=IIIHHHH", packet.status, length, size, 0, 0, packet.tci, packet.tpid)
        times = struct.pack("@ll", *divmod(stamp, 10**9))
        messages = [(socket.SOL_SOCKET, 35, times), (listen.SOL_PACKET, 8, aux)]
        return size, messages, 0, ("eth0", 0x0800, packet.kind, 1, b"")

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        """Give the statistics since the last time."""
        assert (level, option, size) == (listen.SOL_PACKET, listen.PACKET_STATISTICS, 8)
        return struct.pack("=II", 0, self.drops.popleft() if self.drops else 0)

    def close(self) -> None:
        """Close."""
        self.closed = True


Start = Callable[..., LiveCapture]


@pytest.fixture
def fake() -> FakeSocket:
    """A socket to be filled by the test."""
    return FakeSocket()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, fake: FakeSocket) -> Start:
    """Make a capture on the fake socket."""

    def make(
        name: str = "lo",
        *,
        linktype: int = ETHERNET,
        skip_outgoing: bool = False,
        batch_frames: int | None = None,
        buffer: int | None = None,
        **options: Any,
    ) -> LiveCapture:
        monkeypatch.setattr(live, "listen", lambda *_: listen.Tap(fake, linktype, skip_outgoing))
        monkeypatch.setattr(live, "time", fake.clock)
        monkeypatch.setattr("cmppscope.capture.live.select.poll", lambda: fake.clock)
        monkeypatch.setattr(live, "BATCH_FRAMES", batch_frames or live.BATCH_FRAMES)
        monkeypatch.setattr(live, "BUFFER", buffer or live.BUFFER)
        return LiveCapture(name, **options)

    return make


def octets_of(batch: FrameBatch) -> list[bytes]:
    """Give the octets of each frame."""
    pairs = zip(batch.offset.tolist(), batch.caplen.tolist(), strict=True)
    return [batch.octets[offset : offset + caplen].tobytes() for offset, caplen in pairs]


def taken(capture: LiveCapture) -> list[bytes]:
    """Take a stopped capture to its end; give all frames."""
    return [octets for batch in capture for octets in octets_of(batch)]


def handed_over(fake: FakeSocket, capture: LiveCapture, count: int) -> list[tuple[int, float]]:
    """Take so many batches; give their frames, and when they came, in milliseconds to the nearest ten."""
    return [(len(batch), round(fake.clock.now_ns / MS, -1)) for batch in itertools.islice(capture, count)]


def frames(count: int) -> list[Packet]:
    """Make packets that differ in octets, length and time."""
    return [Packet(HEADER + b"%d" % n * (n % 7), NOW + n) for n in range(count)]


def test_a_batch_has_every_column_of_its_frames(start: Start, fake: FakeSocket) -> None:
    """Octets, lengths, nanoseconds, link type and numbers come as the kernel gave them."""
    packets = frames(10)
    fake.put(*packets)
    capture = start()
    capture.stop()
    batch, *rest = list(capture)
    assert octets_of(batch) == [packet.octets for packet in packets]
    assert batch.time_ns.tolist() == [packet.time_ns for packet in packets]
    assert batch.wirelen.tolist() == batch.caplen.tolist() == [len(packet.octets) for packet in packets]
    assert batch.linktype.tolist() == [ETHERNET] * 10
    assert (batch.first, batch.file, batch.file_first, len(batch.file_offset)) == (1, 0, 1, 0)
    assert not any(map(len, rest))


def test_batches_are_full_at_most_and_numbered_on(start: Start, fake: FakeSocket) -> None:
    """A batch ends at its most frames; the next one goes on with the next number."""
    packets = frames(10)
    fake.put(*packets)
    capture = start(batch_frames=4)
    capture.stop()
    batches = list(capture)
    assert [(batch.first, len(batch)) for batch in batches] == [(1, 4), (5, 4), (9, 2)]
    assert [octets for batch in batches for octets in octets_of(batch)] == [packet.octets for packet in packets]


def test_a_batch_ends_where_the_buffer_has_no_room_for_a_whole_frame(start: Start, fake: FakeSocket) -> None:
    """No frame is cut because others came before it."""
    packets = [Packet(bytes([n]) * 100) for n in range(9)]
    fake.put(*packets)
    capture = start(buffer=350, snaplen=100)
    capture.stop()
    batches = list(capture)
    assert [len(batch) for batch in batches] == [3, 3, 3, 0]
    assert [octets for batch in batches for octets in octets_of(batch)] == [packet.octets for packet in packets]


def test_an_idle_interface_gives_batches_without_frames(start: Start, fake: FakeSocket) -> None:
    """One comes every tenth of a second, so that nobody waits for traffic."""
    assert handed_over(fake, start(), 3) == [(0, 100), (0, 200), (0, 300)]


def test_frames_that_come_meanwhile_are_in_the_same_batch(start: Start, fake: FakeSocket) -> None:
    """A batch is not handed over with its first frame, nor held back for long: a trickle makes ten batches a second."""
    for milliseconds in (20, 40, 60, 110):
        fake.clock.at(milliseconds, lambda: fake.put(*frames(1)))
    assert handed_over(fake, start(), 2) == [(3, 100), (1, 200)]


def test_the_duration_ends_the_capture(start: Start, fake: FakeSocket) -> None:
    """It ends after so many seconds, traffic or not."""
    assert taken(start(duration_s=0.25)) == []
    assert fake.clock.now_ns == pytest.approx(250 * MS, abs=MS)


def test_stop_ends_the_capture_from_another_thread(start: Start, fake: FakeSocket) -> None:
    """It ends with the batch in the making, and gives what had come by then."""
    capture = start()
    fake.put(*frames(5))
    fake.clock.at(150, capture.stop)
    assert len(taken(capture)) == 5
    assert fake.clock.now_ns == 150 * MS


def test_stop_reads_what_the_kernel_holds(start: Start, fake: FakeSocket) -> None:
    """Frames that came before the end are not lost, however many batches they make."""
    packets = frames(50)
    fake.put(*packets)
    capture = start(batch_frames=4)
    capture.stop()
    assert taken(capture) == [packet.octets for packet in packets]


def test_stop_ends_a_flood(start: Start, fake: FakeSocket) -> None:
    """Where frames never cease to come, those after the end are not waited for: the batch in the making is the last."""
    fake.endless = Packet(HEADER, time_ns=0)
    capture = start(batch_frames=100)
    fake.clock.at(150, capture.stop)
    assert len(taken(capture)) == 200


def test_what_the_kernel_holds_is_not_read_forever(start: Start, fake: FakeSocket) -> None:
    """A second behind the end the capture is over, whatever came before the end and still waits."""
    fake.endless = Packet(HEADER)
    capture = start(batch_frames=100)
    fake.clock.at(150, capture.stop)
    assert len(taken(capture)) == 1200


def test_stop_twice_is_stop(start: Start) -> None:
    """Who stops it again changes nothing."""
    capture = start()
    capture.stop()
    capture.stop()
    assert taken(capture) == []


def test_stop_before_the_start_holds(start: Start, fake: FakeSocket) -> None:
    """Who stops it before it listens need not wait for its duration."""
    fake.put(*frames(3))
    capture = start(duration_s=30)
    capture.stop()
    assert len(taken(capture)) == 3
    assert fake.clock.now_ns == 0


def test_what_is_known_of_the_capture(start: Start, fake: FakeSocket) -> None:
    """One file of the format `live`, with counts as they go."""
    fake.put(*[Packet(HEADER)] * 3)
    capture = start("lo")
    assert (capture.frames, capture.octets_read, capture.octets_total, capture.drops) == (0, 0, None, 0)
    batches = iter(capture)
    next(batches)
    (info,) = capture.files
    assert (info.name, info.format, info.linktypes, info.damage) == ("lo", "live", (ETHERNET,), None)
    assert (capture.frames, capture.octets_read) == (info.frames, info.octets) == (3, 42)


@pytest.mark.parametrize(
    ("drops", "damage"),
    [([0, 0], None), ([1, 0], "1 frame dropped by the kernel"), ([2, 3], "5 frames dropped by the kernel")],
)
def test_drops_are_added_up_and_said(start: Start, fake: FakeSocket, drops: list[int], damage: str | None) -> None:
    """The kernel counts from zero each time; the sum is damage of the capture."""
    fake.put(*frames(4))
    fake.drops.extend(drops)
    capture = start(batch_frames=2)
    capture.stop()
    taken(capture)
    assert (capture.drops, capture.files[0].damage) == (sum(drops), damage)


def test_a_cut_frame_keeps_its_length_on_the_wire(start: Start, fake: FakeSocket) -> None:
    """The snapshot length cuts octets, not the length that the frame had."""
    fake.put(Packet(bytes(1000)), Packet(bytes(50)), Packet(bytes(60), length=900))
    capture = start(snaplen=80)
    capture.stop()
    batch = next(iter(capture))
    assert batch.caplen.tolist() == [80, 50, 60]
    assert batch.wirelen.tolist() == [1000, 50, 900]


def test_vlan_tags_are_put_back(start: Start, fake: FakeSocket) -> None:
    """The tag that the kernel keeps apart stands behind the addresses again, with its ethertype."""
    fake.put(
        Packet(HEADER + b"plain"),
        Packet(HEADER + b"tagged", status=VLAN, tci=0x2064),
        Packet(HEADER + b"outer", status=VLAN | TPID, tci=7, tpid=0x88A8, length=100),
        Packet(HEADER + b"zero", status=VLAN | TPID, tci=0, tpid=0x8100),
        Packet(HEADER[:11], status=VLAN, tci=5),
    )
    capture = start()
    capture.stop()
    batch = next(iter(capture))
    addresses, behind = HEADER[:12], HEADER[12:]
    assert octets_of(batch) == [
        HEADER + b"plain",
        addresses + b"\x81\x00\x20\x64" + behind + b"tagged",
        addresses + b"\x88\xa8\x00\x07" + behind + b"outer",
        addresses + b"\x81\x00\x00\x00" + behind + b"zero",
        HEADER[:11],
    ]
    assert batch.wirelen.tolist() == [19, 24, 104, 22, 11]


def test_frames_without_link_header_have_no_tag(start: Start, fake: FakeSocket) -> None:
    """On a raw interface nothing is put in."""
    fake.put(Packet(b"\x45" + bytes(40), status=VLAN, tci=7))
    capture = start(linktype=RAW)
    capture.stop()
    batch = next(iter(capture))
    assert octets_of(batch) == [b"\x45" + bytes(40)]
    assert (batch.linktype.tolist(), capture.files[0].linktypes) == ([RAW], (RAW,))


@pytest.mark.parametrize(("skip", "kept"), [(True, [b"in"]), (False, [b"out", b"in"])])
def test_loopback_shows_a_frame_once(start: Start, fake: FakeSocket, skip: bool, kept: list[bytes]) -> None:  # noqa: FBT001
    """Second copies are left out where there are such, and only there."""
    fake.put(Packet(b"out", kind=socket.PACKET_OUTGOING), Packet(b"in"))
    capture = start(skip_outgoing=skip)
    capture.stop()
    assert taken(capture) == kept


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("lo", "the interface went down during the capture (network is down)"),
        ("gone0", "the interface was removed during the capture"),
    ],
)
def test_an_interface_that_goes_away_ends_the_capture(start: Start, fake: FakeSocket, name: str, reason: str) -> None:
    """What came before is kept, also where the error overtook it; the file says what happened."""
    packets = frames(6)
    fake.put(*packets[:2], OSError(errno.ENETDOWN, "down"), *packets[2:])
    fake.drops.append(3)
    capture = start(name)
    assert taken(capture) == [packet.octets for packet in packets]
    assert capture.files[0].damage == f"{reason}; 3 frames dropped by the kernel"


def test_an_error_that_stays_ends_the_capture(start: Start, fake: FakeSocket) -> None:
    """It is not asked for ever."""
    fake.put(*[OSError(errno.EIO, "")] * 1000)
    assert taken(start()) == []
    assert len(fake.waiting) > 900


def test_a_batch_stays_as_it_is(start: Start, fake: FakeSocket) -> None:
    """What the next batch is read into is not what the last one holds."""
    fake.put(Packet(b"a" * 50), Packet(b"b" * 50))
    capture = start(batch_frames=1)
    capture.stop()
    first, second, *_ = list(capture)
    assert (octets_of(first), octets_of(second)) == ([b"a" * 50], [b"b" * 50])
    assert len(first.octets) < 100


def test_the_socket_is_closed_at_the_end(start: Start, fake: FakeSocket) -> None:
    """Also where the taker leaves early; and a capture is one pass."""
    capture = start()
    batches = iter(capture)
    next(batches)
    before = fake.closed
    batches.close()  # type: ignore[attr-defined]
    assert (before, fake.closed) == (False, True)
    with pytest.raises(CaptureError, match="lo: this capture has ended"):
        next(iter(capture))


# -------------------------------------------------------------------------------------- opening


def interface(**fields: Any) -> Interface:
    """Make an interface."""
    known: dict[str, Any] = {"name": "eth0", "index": 2, "hardware": 1, "up": True, "carrier": True, "addresses": ()}
    return Interface(**(known | fields))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "eth1"}, "eth0: no such interface (there are: eth1)"),
        ({"up": False}, "eth0: the interface is down: ip link set eth0 up"),
        ({"hardware": 803}, "eth0: frames of hardware type 803 cannot be read"),
    ],
)
def test_why_an_interface_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, fields: Any, said: str) -> None:
    """One line says what is wrong and what to do."""
    monkeypatch.setattr("cmppscope.capture.interfaces.interfaces", lambda: [interface(**fields)])
    with pytest.raises(CaptureError) as caught:
        LiveCapture("eth0").open()
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermissionError(errno.EPERM, ""),
            f"{NEEDS} setcap cap_net_raw,cap_net_admin=eip {os.path.realpath(sys.executable)}",
        ),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "lo: Cannot allocate memory"),
    ],
)
def test_why_no_socket_can_be_opened(monkeypatch: pytest.MonkeyPatch, error: OSError, said: str) -> None:
    """Missing rights come with the way to give them."""
    real = socket.socket

    def refuse(family: int = socket.AF_INET, *rest: Any) -> socket.socket:
        if family == socket.AF_PACKET:
            raise error
        return real(family, *rest)

    found = interface(name="lo", hardware=LOOPBACK)
    monkeypatch.setattr(listen, "interface_named", lambda _: found)
    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(CaptureError) as caught:
        LiveCapture("lo").open()
    assert str(caught.value) == said


@dataclass
class Settable(FakeSocket):
    """A socket that notes its options, and refuses some."""

    refused: dict[int, OSError] = field(default_factory=dict)
    options: dict[int, int] = field(default_factory=dict)

    def setblocking(self, blocking: bool) -> None:  # noqa: FBT001 - as the standard library has it
        """It never blocks."""
        assert not blocking

    def setsockopt(self, _level: int, option: int, value: int) -> None:
        """Set an option."""
        if option in self.refused:
            raise self.refused[option]
        self.options[option] = value


@dataclass
class Keeper:
    """What holds a socket."""

    ins: Settable


@pytest.mark.parametrize("root", [True, False])
def test_a_socket_is_made_ready(root: bool) -> None:  # noqa: FBT001
    """The buffer is big; drops from before do not count; older kernels and lesser rights do."""
    refused = {} if root else {listen.SO_RCVBUFFORCE: PermissionError(), listen.PACKET_IGNORE_OUTGOING: OSError()}
    ready = Settable(drops=deque([7, 1]), refused=refused)
    tap = listen._prepare(Keeper(ready), ETHERNET, None, loopback=True)
    force, size = listen.SO_RCVBUFFORCE, listen.RECEIVE_BUFFER
    assert ready.options == ({force: size, listen.PACKET_IGNORE_OUTGOING: 1} if root else {socket.SO_RCVBUF: size})
    assert (tap.linktype, tap.skip_outgoing, tap.dropped()) == (ETHERNET, True, 1)


@pytest.mark.parametrize(
    ("hardware", "linktype", "link"),
    [(1, 1, "Ethernet"), (772, 1, "Ethernet"), (65534, 101, "raw IP"), (519, 101, "raw IP"), (803, None, None)],
)
def test_link_types(hardware: int, linktype: int | None, link: str | None) -> None:
    """What the kernel calls an interface decides how its frames are read."""
    found = interface(hardware=hardware)
    assert (found.linktype, found.link) == (linktype, link or "cannot be read (hardware type 803)")


def test_states() -> None:
    """An interface is up, up without anything at the other end, or down."""
    made = [interface(), interface(carrier=False), interface(up=False)]
    assert [found.state for found in made] == ["up", "up, no carrier", "down"]


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    """Captures from files load no Scapy; a live one loads no layers of it, and no `scapy.all`."""
    code = (
        "import sys\n"
        "loaded = lambda: sorted(name for name in ('scapy', 'scapy.all', 'scapy.layers', 'textual') "
        "if name in sys.modules)\n"
        "import cmppscope.capture, cmppscope.capture.live, cmppscope.cli.live\n"
        "print(loaded())\n"
        "from cmppscope.capture.interfaces import interfaces\n"
        "print(bool(interfaces()), loaded())\n"
    )
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env, timeout=60)
    assert done.stdout == "[]\nTrue ['scapy']\n"
