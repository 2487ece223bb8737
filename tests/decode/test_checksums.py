"""Checksums: verified on request, in bulk and one by one, and never of what the capture cut."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.capture import Capture
from cmppscope.decode import Decoder
from cmppscope.decode.checksums import remainder
from tests.decode.frames import (
    DST4,
    DST6,
    SEGMENT4,
    SRC4,
    SRC6,
    Frame,
    batch_of,
    cooked,
    ethernet,
    gre,
    ip4,
    ip6,
    pieces,
    rows_of,
    tagged,
    tcp,
    udp,
)

REAL = sorted((Path(__file__).parents[1] / "data" / "real").glob("fmt_*.pcap*"))
IP, TCP = "wrong IPv4 header checksum", "wrong TCP checksum"


def sum_of(octets: bytes) -> int:
    """Add up 16-bit words as RFC 1071 has it, one after the other."""
    total = 0
    for at in range(0, len(octets), 2):
        total += int.from_bytes(octets[at : at + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


def right(segment: bytes, src: str = SRC4, dst: str = DST4) -> bytes:
    """Put the right checksum into a TCP segment."""
    addresses = ip_address(src).packed + ip_address(dst).packed
    head = addresses + struct.pack(">HH", 6, len(segment))
    return segment[:16] + struct.pack(">H", 0xFFFF - sum_of(head + segment)) + segment[18:]


def sealed(packet: bytes) -> bytes:
    """Put the right checksum into an IPv4 header."""
    size = (packet[0] & 15) * 4
    return packet[:10] + struct.pack(">H", 0xFFFF - sum_of(packet[:size])) + packet[12:]


def spoilt(octets: bytes, at: int) -> bytes:
    """Change one octet."""
    return octets[:at] + bytes((octets[at] ^ 0x10,)) + octets[at + 1 :]


GOOD4, GOOD6 = sealed(ip4(right(tcp()))), ip6(right(tcp(), SRC6, DST6))
ODD_SIZE = sealed(ip4(right(tcp(b"abc"))))


def decode(*frames: Frame, one_by_one: bool = False) -> Decoder:
    """Decode frames with checksums verified."""
    decoder = Decoder(one_by_one=one_by_one, check_checksums=True)
    decoder.feed(batch_of(frames))
    return decoder


RIGHT = {
    "IPv4": Frame(ethernet(GOOD4)),
    "odd number of octets": Frame(ethernet(ODD_SIZE)),
    "Ethernet padding": Frame(ethernet(sealed(ip4(right(tcp(b"")))) + b"\xff" * 6)),
    "begins at an odd offset": Frame(b"\0" * 3 + b"\2" + ODD_SIZE, 108),
    "IPv4 options": Frame(sealed(ip4(right(tcp()), options=12)), 101),
    "IPv6": Frame(ethernet(GOOD6, 0x86DD)),
    "VLAN": Frame(tagged(GOOD4, 0x8100)),
    "cooked": Frame(cooked(GOOD6, 0x86DD), 113),
    "GRE": Frame(sealed(ip4(gre(GOOD4), 47)), 101),
    "routing header that is done": Frame(ip6(b"\6\0\4\0" + bytes(4) + right(tcp(), SRC6, DST6), 43), 101),
}
WRONG = {
    "TCP checksum 0": (Frame(ethernet(sealed(ip4(tcp())))), TCP),
    "TCP payload": (Frame(ethernet(spoilt(GOOD4, 139))), TCP),
    "TCP, last of an odd number of octets": (Frame(ethernet(spoilt(ODD_SIZE, len(ODD_SIZE) - 1))), TCP),
    "TCP over IPv6": (Frame(spoilt(GOOD6, 70), 229), TCP),
    "source address of IPv6": (Frame(spoilt(GOOD6, 9), 229), TCP),
    "time to live": (Frame(spoilt(GOOD4, 8), 228), IP),
    "IPv4 options": (Frame(spoilt(sealed(ip4(right(tcp()), options=12)), 25), 228), IP),
    "inside GRE": (Frame(sealed(ip4(gre(spoilt(GOOD4, 100)), 47)), 101), TCP),
    "outside GRE": (Frame(spoilt(sealed(ip4(gre(GOOD4), 47)), 8), 101), IP),
}
NOT_VERIFIED = {
    "cut in the payload": Frame(ethernet(sealed(ip4(tcp()))), caplen=80),
    "routing header that is under way": Frame(ip6(b"\6\0\4\1" + bytes(4) + tcp(), 43), 101),
}


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("name", RIGHT)
def test_right(name: str, *, one_by_one: bool) -> None:
    """Segments with right checksums are taken."""
    counts = decode(RIGHT[name], one_by_one=one_by_one).counts
    assert (counts.segments, counts.undecoded, counts.unverified) == (1, {}, 0)


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str, *, one_by_one: bool) -> None:
    """Segments with a wrong checksum, theirs or that of an IPv4 header around them, are counted and not taken."""
    frame, reason = WRONG[name]
    counts = decode(frame, one_by_one=one_by_one).counts
    assert (counts.segments, counts.undecoded) == (0, {reason: 1})


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("name", NOT_VERIFIED)
def test_not_verified(name: str, *, one_by_one: bool) -> None:
    """Segments that cannot be verified are taken, and counted."""
    counts = decode(NOT_VERIFIED[name], one_by_one=one_by_one).counts
    assert (counts.segments, counts.undecoded, counts.unverified) == (1, {}, 1)


def test_not_asked_for() -> None:
    """Nothing is verified unless asked for: offloading hosts capture wrong checksums."""
    decoder = Decoder()
    decoder.feed(batch_of([frame for frame, _ in WRONG.values()]))
    assert (decoder.counts.segments, decoder.counts.unverified) == (len(WRONG), 0)


def test_other_protocols_are_not_verified() -> None:
    """UDP with wrong checksums is still UDP."""
    for one_by_one in (False, True):
        counts = decode(Frame(ip4(udp(b"x"), 17), 101), one_by_one=one_by_one).counts
        assert (counts.not_tcp, counts.undecoded) == (1, {})


def test_fragments() -> None:
    """A packet put together from fragments is verified whole; a fragment with a wrong header is not taken."""
    good = [Frame(sealed(part), 101) for part in pieces(right(tcp()), 64)]
    decoder = Decoder(check_checksums=True)
    assert rows_of(decoder.feed(batch_of(good))) == [SEGMENT4._replace(frame=2)]
    assert decode(*(Frame(sealed(part), 101) for part in pieces(tcp(), 64))).counts.undecoded == {TCP: 1}
    bad = decode(good[0], Frame(spoilt(good[1].octets, 8), 101))
    bad.close()
    assert (bad.counts.undecoded, bad.counts.packets_incomplete) == ({IP: 1}, 1)


@given(octets=st.binary(max_size=100))
def test_remainder(octets: bytes) -> None:
    """The remainder of a sum is the sum in ones' complement."""
    assert remainder(octets) == sum_of(octets) % 0xFFFF


CHANGED = st.builds(
    lambda frame, at, cut: frame._replace(octets=spoilt(frame.octets, at % len(frame.octets)), caplen=cut),
    st.sampled_from([*RIGHT.values(), *(frame for frame, _ in WRONG.values())]),
    st.integers(0, 300),
    st.none() | st.integers(60, 150),
)


@given(frames=st.lists(CHANGED | st.sampled_from(list(RIGHT.values())), min_size=1, max_size=8))
def test_both_paths_agree(frames: list[Frame]) -> None:
    """In bulk and one by one the same segments are taken, whatever octet is wrong and wherever the batch was cut."""
    together, alone = decode(*frames), Decoder(check_checksums=True)
    for n, frame in enumerate(frames):
        alone.feed(batch_of([frame], n + 1))
    one_by_one = decode(*frames, one_by_one=True)
    assert asdict(together.counts) == asdict(one_by_one.counts) == asdict(alone.counts)


@pytest.mark.tshark
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_captures_against_tshark(path: Path) -> None:
    """Of real captures, offloaded or not, as many segments have wrong checksums as tshark says."""
    decoder = Decoder(check_checksums=True)
    for frames in Capture([path]):
        decoder.feed(frames)
    command = ["tshark", "-r", str(path), "-o", "tcp.check_checksum:TRUE", "-Y", "tcp.checksum.status==0"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.splitlines()
    assert decoder.counts.undecoded.get(TCP, 0) == len(listed)
