"""Frames of link types and tunnels that are decoded one by one, with the segment inside or why there is none."""

from __future__ import annotations

import struct

from tests.decode.frames import PAYLOAD, SEGMENT4, SEGMENT6, Frame, Segment, cooked, ethernet, gre, ip4, ip6, tcp, udp

WHOLE4, WHOLE6 = ip4(tcp()), ip6(tcp())
INNER = ethernet(WHOLE4)
SNAP4 = b"\xaa\xaa\x03\0\0\0\x08\0"
MAC = b"\2\0\0\0\0\1"

PPP, PPP_HDLC, PPP_ETHERNET, CISCO, WIFI = 9, 50, 51, 104, 105
RADIOTAP, PPPD, PPI, NFLOG, PKTAP = 127, 166, 192, 239, 258


def nflog(*values: tuple[int, bytes], order: str = "<", family: int = 2) -> bytes:
    """Build a netfilter log entry: values are their type and octets."""
    made = struct.pack(">BBH", family, 0, 0)
    for kind, octets in values:
        made += struct.pack(order + "HH", 4 + len(octets), kind) + octets + bytes(-len(octets) % 4)
    return made


def wifi(payload: bytes, control: int = 0x08, flags: int = 0x01, quality: int = 0, sequence: int = 0x10) -> bytes:
    """Build an IEEE 802.11 frame; address, quality and high throughput fields are there when the flags say so."""
    made = bytes((control, flags, 0, 0)) + MAC * 3 + struct.pack("<H", sequence)
    made += MAC if flags & 3 == 3 else b""
    if control & 0x80:
        made += bytes((quality, 0)) + (bytes(4) if flags & 0x80 else b"")
    return made + payload


def radiotap(frame: bytes, flags: int | None = None, more: int = 0) -> bytes:
    """Build a radiotap header with a time stamp, and flags where they are given; `more` words of presence bits."""
    present = 1 | (0 if flags is None else 2)
    words = [present | (1 << 31 if n < more else 0) for n in range(more + 1)]
    head = struct.pack(f"<{len(words)}I", *words)
    head += bytes(-(4 + len(head)) % 8) + bytes(8) + (b"" if flags is None else bytes((flags,)))
    return struct.pack("<BBH", 0, 0, 4 + len(head)) + head + frame


def geneve(payload: bytes, kind: int, options: int = 0) -> bytes:
    """Build a Geneve packet with words of options."""
    return udp(struct.pack(">BBHI", options, 0, kind, 5 << 8) + bytes(4 * options) + payload, 6081)


def gtp(payload: bytes, flags: int = 0x30, optional: bytes = b"", kind: int = 255) -> bytes:
    """Build a GTP-U packet."""
    return udp(struct.pack(">BBHI", flags, kind, len(optional) + len(payload), 7) + optional + payload, 2152)


EXTENDED = b"\0\0\0\x85" + b"\x01\x10\x09\0"
"""Optional fields of GTP-U, and one extension header."""

FOUND: dict[str, tuple[Frame, Segment]] = {
    "PPP": (Frame(b"\xff\x03\0\x21" + WHOLE4, PPP), SEGMENT4),
    "PPP without address": (Frame(b"\0\x57" + WHOLE6, PPP), SEGMENT6),
    "PPP, protocol of one octet": (Frame(b"\xff\x03\x21" + WHOLE4, PPP), SEGMENT4),
    "PPP like HDLC": (Frame(b"\xff\x03\0\x57" + WHOLE6, PPP_HDLC), SEGMENT6),
    "Cisco's HDLC under PPP": (Frame(b"\x0f\0\x08\0" + WHOLE4, PPP_HDLC), SEGMENT4),
    "PPPoE without Ethernet": (Frame(b"\x11\0\0\1\0\x8e\0\x21" + WHOLE4, PPP_ETHERNET), SEGMENT4),
    "PPP of pppd, received": (Frame(b"\0\x03\0\x21" + WHOLE4, PPPD), SEGMENT4),
    "PPP of pppd, sent": (Frame(b"\1\x03\0\x57" + WHOLE6, PPPD), SEGMENT6),
    "Cisco's HDLC": (Frame(b"\x0f\0\x08\0" + WHOLE4, CISCO), SEGMENT4),
    "Cisco's HDLC, IPv6": (Frame(b"\x8f\0\x86\xdd" + WHOLE6, CISCO), SEGMENT6),
    "NFLOG": (Frame(nflog((1, bytes(4)), (10, b"drop\0"), (9, WHOLE4)), NFLOG), SEGMENT4),
    "NFLOG, payload first": (Frame(nflog((9, WHOLE6), (1, bytes(4)), family=10), NFLOG), SEGMENT6),
    "NFLOG, cut": (Frame(nflog((9, WHOLE4)), NFLOG, caplen=58), SEGMENT4._replace(payload=PAYLOAD[:10], missing=90)),
    "Wi-Fi to a station": (Frame(wifi(SNAP4 + WHOLE4, flags=2), WIFI), SEGMENT4),
    "Wi-Fi, quality of service": (Frame(wifi(SNAP4 + WHOLE4, 0x88), WIFI), SEGMENT4),
    "Wi-Fi, high throughput": (Frame(wifi(SNAP4 + WHOLE4, 0x88, 0x81), WIFI), SEGMENT4),
    "Wi-Fi, four addresses": (Frame(wifi(SNAP4 + WHOLE4, 0x88, 3), WIFI), SEGMENT4),
    "radiotap": (Frame(radiotap(wifi(SNAP4 + WHOLE4)), RADIOTAP), SEGMENT4),
    "radiotap, checksum behind": (Frame(radiotap(wifi(SNAP4 + WHOLE4) + b"\1\2\3\4", 0x10), RADIOTAP), SEGMENT4),
    "radiotap, padding": (Frame(radiotap(wifi(bytes(2) + SNAP4 + WHOLE4, 0x88), 0x20), RADIOTAP), SEGMENT4),
    "radiotap, two words of fields": (
        Frame(radiotap(wifi(bytes(2) + SNAP4 + WHOLE4, 0x88), 0x20, 1), RADIOTAP),
        SEGMENT4,
    ),
    "radiotap, checksum behind a packet of no length": (
        Frame(radiotap(wifi(SNAP4 + ip4(tcp(), total=0)) + b"\1\2\3\4", 0x10), RADIOTAP),
        SEGMENT4,
    ),
    "PPI": (Frame(struct.pack("<BBHI", 0, 0, 12, 1) + bytes(4) + INNER, PPI), SEGMENT4),
    "PKTAP": (Frame(struct.pack("<III", 20, 1, 1) + bytes(8) + INNER, PKTAP), SEGMENT4),
    "VXLAN of Linux": (Frame(ethernet(ip4(udp(b"\x08" + bytes(7) + INNER, 8472), 17))), SEGMENT4),
    "VXLAN for other protocols": (
        Frame(ethernet(ip4(udp(b"\x0c\0\0\1\0\0\1\0" + WHOLE4, 4790), 17))),
        SEGMENT4,
    ),
    "Geneve": (Frame(ethernet(ip4(geneve(INNER, 0x6558), 17))), SEGMENT4),
    "Geneve, options": (Frame(ethernet(ip4(geneve(INNER, 0x6558, 3), 17))), SEGMENT4),
    "Geneve, IPv6 inside": (Frame(ethernet(ip6(geneve(WHOLE6, 0x86DD), 17), 0x86DD)), SEGMENT6),
    "GTP": (Frame(ethernet(ip4(gtp(WHOLE4), 17))), SEGMENT4),
    "GTP, IPv6 inside": (Frame(ethernet(ip4(gtp(WHOLE6), 17))), SEGMENT6),
    "GTP, sequence number": (Frame(ethernet(ip4(gtp(WHOLE4, 0x32, bytes(4)), 17))), SEGMENT4),
    "GTP, extension header": (Frame(ethernet(ip4(gtp(WHOLE4, 0x34, EXTENDED), 17))), SEGMENT4),
    "GRE, checksum": (Frame(ethernet(ip4(gre(WHOLE4, flags=0x8000), 47))), SEGMENT4),
    "GRE, key": (Frame(ethernet(ip4(gre(WHOLE4, flags=0x2000), 47))), SEGMENT4),
    "GRE, sequence": (Frame(ethernet(ip4(gre(WHOLE4, flags=0x1000), 47))), SEGMENT4),
    "GRE in cooked": (Frame(cooked(ip4(gre(WHOLE6, 0x86DD), 47)), 113), SEGMENT6),
    "ERSPAN III, IP inside": (
        Frame(ip4(gre(b"\x20" + bytes(9) + b"\x08\0" + WHOLE4, 0x22EB, 0x1000), 47), 101),
        SEGMENT4,
    ),
    "ERSPAN III, subheader": (
        Frame(ip4(gre(b"\x20" + bytes(10) + b"\x01" + bytes(8) + INNER, 0x22EB, 0x1000), 47), 101),
        SEGMENT4,
    ),
}

NO_TCP: dict[str, Frame] = {
    "LCP": Frame(b"\xff\x03\xc0\x21" + bytes(8), PPP),
    "keep-alive of Cisco's HDLC": Frame(b"\x8f\0\x80\x35" + bytes(18), CISCO),
    "UDP in NFLOG": Frame(nflog((9, ip4(udp(b"x"), 17))), NFLOG),
    "beacon": Frame(wifi(bytes(60), 0x80), WIFI),
    "data frame without data": Frame(wifi(b"", 0x48), WIFI),
    "EAPOL": Frame(wifi(b"\xaa\xaa\x03\0\0\0\x88\x8e" + bytes(40)), WIFI),
    "GTP echo": Frame(ethernet(ip4(gtp(b"", kind=1), 17))),
    "other UDP to the port of GTP": Frame(ethernet(ip4(udp(b"hello, world", 2152), 17))),
    "UDP in Geneve": Frame(ethernet(ip4(geneve(ip4(udp(b"x"), 17), 0x0800), 17))),
}

CUT, SHORT, TUNNEL = "headers cut off by the snapshot length", "frame ends inside its headers", "tunnel not supported"
NOT_READ: dict[str, tuple[Frame, str]] = {
    "Bluetooth": (Frame(bytes(64), 201), "link type not supported: 201 (Bluetooth)"),
    "USB of Windows": (Frame(bytes(64), 249), "link type not supported: 249 (USB)"),
    "nobody knows": (Frame(bytes(64), 65_000), "link type not supported: 65000"),
    "USB in PKTAP": (Frame(struct.pack("<III", 12, 1, 186) + bytes(40), PKTAP), "link type not supported: 258"),
    "encrypted Wi-Fi": (Frame(wifi(bytes(60), 0x88, 0x41), WIFI), "encrypted by the link layer"),
    "several frames in one": (Frame(wifi(bytes(60), 0x88, quality=0x80), WIFI), TUNNEL),
    "Wi-Fi fragment": (Frame(wifi(SNAP4 + WHOLE4, sequence=0x11), WIFI), TUNNEL),
    "Wi-Fi cut": (Frame(wifi(SNAP4 + WHOLE4), WIFI, caplen=23), CUT),
    "Wi-Fi cut before quality of service": (Frame(wifi(SNAP4, 0x88)[:25], WIFI), SHORT),
    "radiotap of the next version": (Frame(b"\1" + radiotap(wifi(SNAP4))[1:], RADIOTAP), TUNNEL),
    "radiotap shorter than itself": (Frame(b"\0\0\4\0" + bytes(60), RADIOTAP), TUNNEL),
    "radiotap cut": (Frame(radiotap(wifi(SNAP4)), RADIOTAP, caplen=10), CUT),
    "NFLOG of the next version": (Frame(b"\2\1" + nflog((9, WHOLE4))[2:], NFLOG), TUNNEL),
    "NFLOG, value of no length": (Frame(bytes(4) + bytes(40), NFLOG), TUNNEL),
    "NFLOG without payload": (Frame(nflog((1, bytes(4))), NFLOG), SHORT),
    "PKTAP shorter than itself": (Frame(struct.pack("<III", 8, 1, 1) + INNER, PKTAP), TUNNEL),
    "PPI shorter than itself": (Frame(struct.pack("<BBHI", 0, 0, 4, 1) + INNER, PPI), TUNNEL),
    "Geneve of the next version": (Frame(ip4(geneve(INNER, 0x6558, 0x40), 17), 101), TUNNEL),
    "GTP extension of no length": (Frame(ip4(gtp(WHOLE4, 0x34, b"\0\0\0\x85" + bytes(4)), 17), 101), TUNNEL),
    "PPP of pppd, one octet": (Frame(b"\0", PPPD), SHORT),
    "Cisco's HDLC, three octets": (Frame(b"\x0f\0\x08", CISCO), SHORT),
}
