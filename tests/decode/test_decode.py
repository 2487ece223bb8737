"""Frames to segments: every shape, in bulk and one by one, with the same result."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.capture import Capture
from cmppscope.decode import Decoder, fragments, walk
from tests.decode.encapsulations import FOUND, NO_TCP, NOT_READ
from tests.decode.frames import (
    PAYLOAD,
    SEGMENT4,
    SEGMENT6,
    Frame,
    Segment,
    batch_of,
    cooked,
    cooked2,
    decode,
    ethernet,
    extended,
    gre,
    ip4,
    ip6,
    mpls,
    pcap,
    pieces,
    rows_of,
    same_on_both_paths,
    tagged,
    tcp,
    udp,
)

REAL = sorted((Path(__file__).parents[1] / "data" / "real").glob("fmt_*.pcap*"))

WHOLE4, WHOLE6 = ip4(tcp()), ip6(tcp())

COMMON: dict[str, tuple[Frame, Segment]] = {
    "Ethernet": (Frame(ethernet(WHOLE4)), SEGMENT4),
    "Ethernet, IPv6": (Frame(ethernet(WHOLE6, 0x86DD)), SEGMENT6),
    "Ethernet padding": (
        Frame(ethernet(ip4(tcp(b"")) + bytes(6))),
        SEGMENT4._replace(payload=b""),
    ),
    "one VLAN tag": (Frame(tagged(WHOLE4, 0x8100)), SEGMENT4),
    "QinQ": (Frame(tagged(WHOLE6, 0x88A8, 0x8100, kind=0x86DD)), SEGMENT6),
    "every VLAN tag": (Frame(tagged(WHOLE4, 0x9100, 0x9200, 0x88A8, 0x8100)), SEGMENT4),
    "ten VLAN tags": (Frame(tagged(WHOLE4, *[0x8100] * 10)), SEGMENT4),
    "cooked": (Frame(cooked(WHOLE4), 113), SEGMENT4),
    "cooked, VLAN": (Frame(cooked(b"\0\5\x86\xdd" + WHOLE6, 0x8100), 113), SEGMENT6),
    "cooked version 2": (Frame(cooked2(WHOLE6, 0x86DD), 276), SEGMENT6),
    "null, little-endian": (Frame(b"\2\0\0\0" + WHOLE4, 0), SEGMENT4),
    "null, big-endian": (Frame(b"\0\0\0\2" + WHOLE4, 0), SEGMENT4),
    "null, IPv6 of Darwin": (Frame(b"\x1e\0\0\0" + WHOLE6, 0), SEGMENT6),
    "loopback of OpenBSD": (Frame(b"\0\0\0\x18" + WHOLE6, 108), SEGMENT6),
    "raw 101": (Frame(WHOLE4, 101), SEGMENT4),
    "raw 12": (Frame(WHOLE6, 12), SEGMENT6),
    "raw 14": (Frame(WHOLE4, 14), SEGMENT4),
    "raw IPv4": (Frame(WHOLE4, 228), SEGMENT4),
    "raw IPv6": (Frame(WHOLE6, 229), SEGMENT6),
    "IPv4 options": (Frame(ip4(tcp(), options=12), 101), SEGMENT4),
    "TCP options": (Frame(ip4(tcp(options=b"\1" * 40)), 101), SEGMENT4),
    "total length 0": (Frame(ip4(tcp(), total=0), 101), SEGMENT4),
    "IPv6 payload length 0": (Frame(ip6(tcp(), length=0), 101), SEGMENT6),
    "cut in the payload": (
        Frame(ethernet(WHOLE4), caplen=64),
        SEGMENT4._replace(payload=PAYLOAD[:10], missing=90),
    ),
    "cut in the TCP options": (
        Frame(ip4(tcp(options=b"\1" * 40)), 101, caplen=50),
        SEGMENT4._replace(payload=b"", missing=100),
    ),
    "cut behind the TCP header, IPv6": (
        Frame(WHOLE6, 229, caplen=60),
        SEGMENT6._replace(payload=b"", missing=100),
    ),
    "total length 0, cut": (
        Frame(ip4(tcp(), total=0), 101, caplen=60),
        SEGMENT4._replace(payload=PAYLOAD[:20], missing=80),
    ),
    "total length beyond the frame": (
        Frame(ip4(tcp(), total=240), 101),
        SEGMENT4._replace(missing=100),
    ),
}


SNAP = b"\xaa\xaa\x03\0\0\0"
INNER = ethernet(WHOLE4)
ODD: dict[str, tuple[Frame, Segment]] = {
    "SNAP": (Frame(ethernet(SNAP + b"\x08\0" + WHOLE4, 148)), SEGMENT4),
    "SNAP in cooked": (Frame(cooked(SNAP + b"\x08\0" + WHOLE4, 4), 113), SEGMENT4),
    "MPLS": (Frame(ethernet(mpls(16) + WHOLE4, 0x8847)), SEGMENT4),
    "MPLS, three labels, IPv6": (Frame(ethernet(mpls(16, 17, 18) + WHOLE6, 0x8847)), SEGMENT6),
    "MPLS, control word": (Frame(ethernet(mpls(16) + bytes(4) + INNER, 0x8847)), SEGMENT4),
    "MPLS, Ethernet": (Frame(ethernet(mpls(16) + INNER, 0x8847)), SEGMENT4),
    "PPPoE": (Frame(ethernet(b"\x11\0\0\1\0\x8e\0\x21" + WHOLE4, 0x8864)), SEGMENT4),
    "PPPoE, IPv6": (Frame(ethernet(b"\x11\0\0\1\0\xa2\0\x57" + WHOLE6, 0x8864)), SEGMENT6),
    "PPPoE in VLAN": (
        Frame(tagged(b"\x11\0\0\1\0\x8e\0\x21" + WHOLE4, 0x8100, kind=0x8864)),
        SEGMENT4,
    ),
    "GRE": (Frame(ip4(gre(WHOLE4), 47), 101), SEGMENT4),
    "GRE, every field": (Frame(ip4(gre(WHOLE6, 0x86DD, 0xB000), 47), 101), SEGMENT6),
    "GRE, Ethernet": (Frame(ip6(gre(INNER, 0x6558), 47), 101), SEGMENT4),
    "GRE of PPTP": (
        Frame(ip4(b"\x30\x81\x88\x0b" + bytes(12) + b"\xff\x03\x21" + WHOLE4, 47), 101),
        SEGMENT4,
    ),
    "ERSPAN without header": (Frame(ip4(gre(INNER, 0x88BE), 47), 101), SEGMENT4),
    "ERSPAN II": (Frame(ip4(gre(b"\x10" + bytes(7) + INNER, 0x88BE, 0x1000), 47), 101), SEGMENT4),
    "ERSPAN III": (Frame(ip4(gre(b"\x20" + bytes(11) + INNER, 0x22EB, 0x1000), 47), 101), SEGMENT4),
    "VXLAN": (Frame(ethernet(ip4(udp(bytes(8) + INNER, 4789), 17))), SEGMENT4),
    "VXLAN over IPv6": (Frame(ip6(udp(bytes(8) + INNER, 4789), 17), 101), SEGMENT4),
    "IPv4 in IPv4": (Frame(ip4(WHOLE4, 4), 101), SEGMENT4),
    "IPv6 in IPv4": (Frame(ip4(WHOLE6, 41), 101), SEGMENT6),
    "IPv4 in IPv6": (Frame(ip6(WHOLE4, 4), 101), SEGMENT4),
    "authentication header": (Frame(ip4(b"\6\4" + bytes(22) + tcp(), 51), 101), SEGMENT4),
    "extension headers": (Frame(extended(tcp(), 0, 60, 43), 229), SEGMENT6),
    "atomic fragment": (Frame(ip6(b"\6\0\0\0\0\0\0\1" + tcp(), 44), 229), SEGMENT6),
    "tunnel cut in the payload": (
        Frame(ip4(gre(WHOLE4), 47), 101, caplen=74),
        SEGMENT4._replace(payload=PAYLOAD[:10], missing=90),
    ),
    **FOUND,
}

NOT_TCP: dict[str, Frame] = {
    "ARP": Frame(ethernet(bytes(46), 0x0806)),
    "LLC": Frame(ethernet(b"\x42\x42\x03" + bytes(43), 38)),
    "LLC cut": Frame(ethernet(b"\xaa\xaa\x03", 38), caplen=16),
    "LLDP in VLAN": Frame(tagged(bytes(46), 0x8100, kind=0x88CC)),
    "UDP": Frame(ethernet(ip4(udp(b"x"), 17))),
    "UDP fragment": Frame(ethernet(ip4(udp(b"x" * 16, 4789), 17, fragment=0x2000))),
    "UDP cut": Frame(ethernet(ip4(udp(b"x"), 17)), caplen=35),
    "UDP over IPv6": Frame(ip6(udp(b"x"), 17), 229),
    "ICMP": Frame(ip4(bytes(8), 1), 228),
    "ICMPv6": Frame(ip6(bytes(8), 58), 101),
    "AppleTalk in null": Frame(b"\x10\0\0\0" + bytes(20), 0),
    "no next header": Frame(ip6(b"", 59), 229),
}

ODD_NOT_TCP: dict[str, Frame] = {
    "PPPoE, LCP": Frame(ethernet(b"\x11\0\0\1\0\x0a\xc0\x21" + bytes(8), 0x8864)),
    "UDP in GRE": Frame(ip4(gre(ip4(udp(b"x"), 17)), 47), 228),
    "ARP in GRE": Frame(ip4(gre(bytes(28), 0x0806), 47), 228),
    "SNAP, ARP": Frame(ethernet(SNAP + b"\x08\x06" + bytes(28), 36)),
    "UDP behind extension header": Frame(ip6(b"\x11\0" + bytes(6) + udp(b"x"), 0), 229),
    "ESP behind extension header": Frame(ip6(b"\x32\0" + bytes(30), 60), 229),
    "UDP fragment, IPv6": Frame(ip6(b"\x11\0\0\1\0\0\0\1" + udp(b"x"), 44), 229),
    **NO_TCP,
}

CUT, SHORT = "headers cut off by the snapshot length", "frame ends inside its headers"
UNDECODED: dict[str, tuple[Frame, str]] = {
    "USB": (Frame(bytes(64), 220), "link type not supported: 220 (USB)"),
    "empty": (Frame(b""), SHORT),
    "nothing captured": (Frame(ethernet(WHOLE4), caplen=0), CUT),
    "cut in Ethernet": (Frame(ethernet(WHOLE4), caplen=13), CUT),
    "short Ethernet": (Frame(ethernet(b"")[:13]), SHORT),
    "cut in the VLAN tag": (Frame(tagged(WHOLE4, 0x8100), caplen=17), CUT),
    "cut in IPv4": (Frame(ethernet(WHOLE4), caplen=33), CUT),
    "short IPv4": (Frame(ethernet(WHOLE4)[:33]), SHORT),
    "cut in IPv6": (Frame(WHOLE6, 229, caplen=39), CUT),
    "cut in TCP": (Frame(ethernet(WHOLE4), caplen=53), CUT),
    "short TCP": (Frame(WHOLE6[:59], 229), SHORT),
    "cut in the label stack": (Frame(ethernet(mpls(1) + WHOLE4, 0x8847), caplen=17), CUT),
    "cut in GRE": (Frame(ip4(gre(WHOLE4), 47), 228, caplen=23), CUT),
    "cut in VXLAN": (Frame(ip4(udp(bytes(8) + INNER, 4789), 17), 228, caplen=30), CUT),
    "raw of version 5": (Frame(b"\x55" + WHOLE4[1:], 101), "neither IPv4 nor IPv6"),
    "IPv4 of version 6": (Frame(ip4(tcp(), first=0x65), 228), "malformed IPv4 header"),
    "IHL 4": (Frame(ip4(tcp(), first=0x44), 228), "malformed IPv4 header"),
    "total length 19": (Frame(ip4(tcp(), total=19), 228), "malformed IPv4 header"),
    "UDP with IHL 4": (Frame(ip4(udp(b""), 17, first=0x44), 228), "malformed IPv4 header"),
    "IPv6 of version 4": (Frame(b"\x40" + WHOLE6[1:], 229), "malformed IPv6 header"),
    "IP ends inside TCP": (Frame(ip4(tcp(), total=39), 228), "malformed TCP header"),
    "data offset 4": (Frame(ip4(tcp(offset=4)), 228), "malformed TCP header"),
    "data offset beyond IP": (Frame(ip4(tcp(b"", offset=6)), 228), "malformed TCP header"),
    "MPLS of something else": (
        Frame(ethernet(mpls(1) + b"\x50" + bytes(40), 0x8847)),
        "tunnel not supported",
    ),
    "GRE of version 2": (Frame(ip4(gre(WHOLE4, flags=2), 47), 228), "tunnel not supported"),
    "forty labels": (Frame(ethernet(mpls(*range(40)) + WHOLE4, 0x8847)), "too many layers"),
    "fragment of odd size": (
        Frame(ip4(bytes(31), fragment=0x2000), 228),
        "malformed IP fragment",
    ),
    "fragment beyond 65,535": (
        Frame(ip4(bytes(32), fragment=0x1FFE), 228),
        "malformed IP fragment",
    ),
    **NOT_READ,
}

EVERY = {
    **{name: frame for name, (frame, _) in {**COMMON, **ODD}.items()},
    **NOT_TCP,
    **ODD_NOT_TCP,
    **{name: frame for name, (frame, _) in UNDECODED.items()},
}


@pytest.fixture
def bulk_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid the path that takes frames one by one."""

    def forbidden(*_: object) -> int:
        raise AssertionError

    monkeypatch.setattr(walk.Walk, "run", forbidden)


@pytest.mark.parametrize("name", [name for name in COMMON if name != "ten VLAN tags"])
@pytest.mark.usefixtures("bulk_only")
def test_common_shapes_in_bulk(name: str) -> None:
    """Common shapes are decoded in bulk."""
    frame, segment = COMMON[name]
    assert decode(frame)[0] == [segment]


@pytest.mark.parametrize("name", [*COMMON, *ODD])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_shapes(name: str, *, one_by_one: bool) -> None:
    """Every shape gives the segment inside, on either path."""
    frame, segment = {**COMMON, **ODD}[name]
    assert decode(frame, one_by_one=one_by_one)[0] == [segment]


@pytest.mark.parametrize("name", NOT_TCP)
@pytest.mark.usefixtures("bulk_only")
def test_other_protocols_in_bulk(name: str) -> None:
    """What cannot hold TCP is decided in bulk."""
    rows, decoder = decode(NOT_TCP[name])
    assert (rows, decoder.counts.not_tcp) == ([], 1)


@pytest.mark.parametrize("name", [*NOT_TCP, *ODD_NOT_TCP])
def test_other_protocols_one_by_one(name: str) -> None:
    """What does not hold TCP is counted as such on the other path too."""
    rows, decoder = decode({**NOT_TCP, **ODD_NOT_TCP}[name], one_by_one=True)
    assert (rows, decoder.counts.not_tcp) == ([], 1)


@pytest.mark.parametrize("name", UNDECODED)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_reasons(name: str, *, one_by_one: bool) -> None:
    """A frame whose headers cannot be read is counted with the reason and gives no row."""
    frame, reason = UNDECODED[name]
    rows, decoder = decode(frame, one_by_one=one_by_one)
    assert (rows, decoder.counts.undecoded) == ([], {reason: 1})


def test_mixed_batch() -> None:
    """Frames of every shape and link type in one batch give their segments in frame order."""
    names = list(EVERY)
    wanted = {name: segment for name, (_, segment) in {**COMMON, **ODD}.items()}
    rows, decoder = decode(*EVERY.values())
    assert rows == [wanted[name]._replace(frame=n + 1) for n, name in enumerate(names) if name in wanted]
    counts = decoder.counts
    assert counts.frames == len(names)
    assert counts.segments == len(wanted)
    assert counts.not_tcp == len(NOT_TCP) + len(ODD_NOT_TCP)
    assert sum(counts.undecoded.values()) == len(UNDECODED)
    assert counts.cut == sum(frame.caplen is not None for frame in EVERY.values())


def test_no_frames() -> None:
    """A batch without frames gives a batch without segments."""
    assert decode()[0] == []


@pytest.mark.parametrize("version", [4, 6])
@given(order=st.permutations(range(4)), again=st.lists(st.integers(0, 3), max_size=2))
def test_fragments_in_any_order(version: int, order: list[int], again: list[int]) -> None:
    """Fragments in any order, some of them twice, give one segment, at the frame that completes it."""
    parts = pieces(tcp(), 8, 16, 64, version=version)
    turns = [*again, *order]
    whole = next(n for n in range(len(turns)) if len(set(turns[: n + 1])) == 4)
    rows, decoder = decode(*(Frame(parts[turn], 101) for turn in turns))
    segment = SEGMENT4 if version == 4 else SEGMENT6
    assert rows == [segment._replace(frame=whole + 1)]
    assert decoder.counts.fragments == len(turns) - 1


def test_fragments_of_two_packets() -> None:
    """Fragments of different packets do not mix, and other segments keep their place."""
    one, other = pieces(tcp(), 64, identification=1), pieces(tcp(b"z" * 80), 72, identification=2)
    frames = [one[0], other[0], WHOLE4, other[1], one[1]]
    rows, _ = decode(*(Frame(octets, 101) for octets in frames))
    assert rows == [
        SEGMENT4._replace(frame=3),
        SEGMENT4._replace(payload=b"z" * 80, frame=4),
        SEGMENT4._replace(frame=5),
    ]


def test_fragments_over_batches() -> None:
    """A packet whose fragments come in different batches is put together."""
    first, second = (Frame(part, 101) for part in pieces(tcp(), 64))
    decoder = Decoder()
    assert rows_of(decoder.feed(batch_of([first]))) == []
    assert rows_of(decoder.feed(batch_of([second], 2))) == [SEGMENT4._replace(frame=2)]
    decoder.close()
    assert decoder.counts.packets_incomplete == 0


def test_fragment_cut_by_the_snapshot_length() -> None:
    """What lies behind the cut of a fragment is missing, the later fragments too."""
    first, second = pieces(tcp(), 64)
    rows, _ = decode(Frame(first, 101, caplen=50), Frame(second, 101))
    assert rows == [SEGMENT4._replace(payload=PAYLOAD[:10], missing=90, frame=2)]


def test_tunnel_in_fragments() -> None:
    """A tunnel's packet that was cut into fragments is followed when it is whole."""
    inner = gre(WHOLE4)
    place = {"identification": 5}
    first = ip4(inner[:80], 47, fragment=0x2000, **place)
    second = ip4(inner[80:], 47, fragment=10, **place)
    assert decode(Frame(first, 101), Frame(second, 101))[0] == [SEGMENT4._replace(frame=2)]


def test_overlapping_fragments() -> None:
    """Of overlapping fragments the one that begins first wins."""
    whole = tcp()
    first, last = pieces(whole, 64)
    middle = ip4(b"!" * 24, fragment=0x2000 | 6, identification=9)
    rows, _ = decode(*(Frame(octets, 101) for octets in (middle, first, last)))
    lost = PAYLOAD[:44] + b"!" * 8 + PAYLOAD[52:]
    assert rows == [SEGMENT4._replace(payload=lost, frame=3)]


def test_hole_between_overlapping_fragments() -> None:
    """Fragments that overlap are not taken for those that are missing."""
    whole = tcp()
    first, hole, last = pieces(whole, 64, 72)
    again = ip4(whole[8:64], fragment=0x2000 | 1, identification=9)
    rows, _ = decode(*(Frame(octets, 101) for octets in (first, again, last, hole)))
    assert rows == [SEGMENT4._replace(frame=4)]


def test_table_is_empty_when_packets_are_whole() -> None:
    """A packet that is whole takes no more room in the table."""
    table = fragments.Fragments()
    key = (4, 1, 2, 3, 6)
    assert table.add(key, fragments.Piece(0, 8, bytes(8), last=False), 1, 0) is None
    assert table.add(key, fragments.Piece(8, 9, b"x", last=True), 2, 0) == fragments.Whole(bytes(8) + b"x", 9)
    assert (table.held, table.octets, table.incomplete) == ({}, 0, 0)


def test_fragments_too_far_apart() -> None:
    """A fragment that comes after the time of its packet begins another one."""
    first, second = pieces(tcp(), 64)
    late = (fragments.SECONDS_MAX + 1) * 10**9
    rows, decoder = decode(Frame(first, 101), Frame(second, 101, time_ns=late))
    decoder.close()
    assert (rows, decoder.counts.fragments, decoder.counts.packets_incomplete) == ([], 2, 2)


@pytest.mark.parametrize("cap", ["PACKETS_MAX", "OCTETS_MAX", "PIECES_MAX"])
def test_bounded_table(monkeypatch: pytest.MonkeyPatch, cap: str) -> None:
    """Whichever cap is reached first, packets are given up and counted, and memory stays bounded."""
    monkeypatch.setattr(fragments, cap, 64 if cap == "OCTETS_MAX" else 2)
    table = fragments.Fragments()
    for n in range(100):
        start = n * 8 if cap == "PIECES_MAX" else 0
        key = (4, 1, 2, 0 if cap == "PIECES_MAX" else n, 6)
        table.add(key, fragments.Piece(start, start + 8, bytes(8), last=False), 1, 0)
    assert len(table.held) <= 8
    assert table.octets == sum(packet.octets for packet in table.held.values()) <= 64
    assert table.incomplete >= 49


LINKTYPES = [0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 127, 147, 166, 192, 228, 229, 239, 258, 276]


@given(
    frames=st.lists(
        st.builds(Frame, st.binary(max_size=120), st.sampled_from(LINKTYPES), st.none(), st.just(0)),
        max_size=8,
    )
)
def test_any_octets(frames: list[Frame]) -> None:
    """No octets raise, whatever the link type, and both paths agree."""
    same_on_both_paths(frames)


def change(frame: Frame, changes: list[tuple[int, int]], cut: int | None) -> Frame:
    """Change octets of the headers and cut the frame."""
    octets = bytearray(frame.octets)
    for at, value in changes:
        if octets:
            octets[at % min(80, len(octets))] = value
    return frame._replace(octets=bytes(octets), caplen=cut)


VALUES = st.sampled_from([0, 1, 4, 6, 17, 0x40, 0x45, 0x60, 0x86, 255])
CHANGED = st.builds(
    change,
    st.sampled_from(list(EVERY.values())),
    st.lists(st.tuples(st.integers(0, 79), VALUES), max_size=3),
    st.none() | st.integers(0, 150),
)


@settings(max_examples=400)
@given(frames=st.lists(CHANGED, min_size=1, max_size=6))
def test_damaged_frames(frames: list[Frame]) -> None:
    """Both paths agree on frames of every shape with some octets wrong or cut off."""
    same_on_both_paths(frames)


def tshark(path: Path) -> list[tuple[int, int, int, int, int, int]]:
    """Let tshark list the innermost TCP header of every frame."""
    fields = ["frame.number", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len"]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=l", "-Y", "tcp"]
    command += [part for name in fields for part in ("-e", name)]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    found = [tuple(int(number or 0) for number in line.split("\t")) for line in lines]
    return [(a, b, c, d, e, f) for a, b, c, d, e, f in found]


def ours(path: Path) -> list[tuple[int, int, int, int, int, int]]:
    """List the same of our segments."""
    decoder, found = Decoder(), []
    for frames in Capture([path], 7):
        for row in rows_of(decoder.feed(frames)):
            size = len(row.payload) + row.missing
            found.append((row.frame, row.sport, row.dport, row.seq, row.ack, size))
    return found


TSHARK_DIFFERS = {
    "every VLAN tag": "it does not know 0x9200",
    "MPLS, control word": "it takes the zeros for an address",
    "MPLS, Ethernet": "it takes the address for a control word",
    "IPv6 payload length 0": "it takes that for a jumbogram without its option",
    "total length beyond the frame": "it believes the frame",
    "VXLAN of Linux": "it takes the port for another protocol's",
    "ERSPAN III, IP inside": "it looks for Ethernet only",
    "PPP of pppd, received": "it does not know the link type",
    "PPP of pppd, sent": "it does not know the link type",
    "NFLOG, cut": "it does not look into a packet that was cut",
    "PKTAP": "it wants the whole header",
}
"""Shapes for which tshark is no oracle, and why."""

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@needs_tshark
@pytest.mark.tshark
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_captures_against_tshark(path: Path) -> None:
    """Segments of real captures are those that tshark sees."""
    found = ours(path)
    assert found == tshark(path)
    assert len(found) > 20


@needs_tshark
@pytest.mark.tshark
@pytest.mark.parametrize("linktype", sorted({frame.linktype for frame, _ in {**COMMON, **ODD}.values()}))
def test_shapes_against_tshark(tmp_path: Path, linktype: int) -> None:
    """Segments in every tunnel and behind every link header are those that tshark sees."""
    frames = [
        frame
        for name, (frame, _) in {**COMMON, **ODD}.items()
        if frame.linktype == linktype and name not in TSHARK_DIFFERS
    ]
    path = tmp_path / "shapes.pcap"
    path.write_bytes(pcap(frames, linktype))
    assert ours(path) == (tshark(path) if frames else [])
