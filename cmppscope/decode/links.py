"""Link headers, one by one: whatever a capture may begin a frame with.

Numbers and names are those of the list of link types at tcpdump.org. A layer that is reached from others too (PPP, LLC,
Ethernet) is found here once.
"""

from __future__ import annotations

from typing import Literal

from cmppscope.decode import verdicts as v
from cmppscope.decode.network import ipv4, ipv6
from cmppscope.decode.walk import ETHERTYPES, LINKS, Layer, Next, Walk


def typed(size: int, type_at: int) -> Layer:
    """Make the layer of a header that holds an ethertype."""

    def layer(walk: Walk) -> Next:
        if not walk.has(size):
            return walk.short()
        kind = walk.number(type_at, 2)
        walk.at += size
        return llc if kind <= v.LLC_MAX else ETHERTYPES.get(kind, v.NOT_TCP)

    return layer


def llc(walk: Walk) -> Next:
    """SNAP inside LLC (IEEE 802)."""
    if not walk.has(3) or walk.number(0, 3) != 0xAAAA03:
        return v.NOT_TCP
    if not walk.has(8):
        return walk.short()
    kind = walk.number(6, 2)
    walk.at += 8
    return ETHERTYPES.get(kind, v.NOT_TCP)


def family(*, either_order: bool) -> Layer:
    """Make the layer of a header that is an address family."""

    def layer(walk: Walk) -> Next:
        if not walk.has(4):
            return walk.short()
        family = walk.number(0, 4)
        if either_order and family > 0xFFFF:
            family = int.from_bytes(walk.octets[walk.at : walk.at + 4], "little")
        walk.at += 4
        if family == v.FAMILY_IPV4:
            return ipv4
        return ipv6 if family in v.FAMILIES_IPV6 else v.NOT_TCP

    return layer


def raw(walk: Walk) -> Next:
    """IP of the version that its first octet tells."""
    if not walk.has(1):
        return walk.short()
    following: dict[int, Next] = {4: ipv4, 6: ipv6}
    return following.get(walk.octets[walk.at] >> 4, v.NOT_IP)


def pppoe(walk: Walk) -> Next:
    """A PPPoE session packet (RFC 2516)."""
    if not walk.has(6):
        return walk.short()
    walk.at += 6
    return ppp


def ppp(walk: Walk) -> Next:
    """A PPP frame (RFC 1661), with or without address and control, its protocol in one octet or two."""
    if walk.has(2) and walk.number(0, 2) == 0xFF03:
        walk.at += 2
    if not walk.has(2):
        return walk.short()
    size = 1 if walk.octets[walk.at] & 1 else 2
    protocol = walk.number(0, size)
    walk.at += size
    return {0x21: ipv4, 0x57: ipv6}.get(protocol, v.NOT_TCP)


def ppp_hdlc(walk: Walk) -> Next:
    """PPP in frames like those of HDLC (RFC 1662), or Cisco's HDLC, told by the address."""
    if walk.has(1) and walk.octets[walk.at] in {0x0F, 0x8F}:
        return cisco_hdlc(walk)
    return ppp(walk)


def ppp_directed(walk: Walk) -> Next:
    """PPP of pppd: the address field tells the direction."""
    if not walk.has(2):
        return walk.short()
    walk.at += 2
    return ppp


def cisco_hdlc(walk: Walk) -> Next:
    """Cisco's HDLC: address, control, ethertype."""
    if not walk.has(4):
        return walk.short()
    kind = walk.number(2, 2)
    walk.at += 4
    return ETHERTYPES.get(kind, v.NOT_TCP)


def nflog(walk: Walk) -> Next:
    """Netfilter's log: values in the byte order of the machine that logged, one of which is the packet."""
    if not walk.has(4):
        return walk.short()
    if walk.octets[walk.at + 1] != 0:
        return v.BAD_TUNNEL
    walk.at += 4
    while walk.has(4):
        head = bytes(walk.octets[walk.at : walk.at + 4])
        order: Literal["little", "big"] = (
            "little" if int.from_bytes(head[:2], "little") <= walk.end - walk.at else "big"
        )
        size, kind = (int.from_bytes(part, order) for part in (head[:2], head[2:]))
        if size < 4:
            return v.BAD_TUNNEL
        if kind & 0x7FFF == NFLOG_PAYLOAD:
            walk.end = min(walk.end, walk.at + size)
            walk.at += 4
            return raw
        walk.at += (size + 3) // 4 * 4
    return walk.short()


NFLOG_PAYLOAD = 9
"""The value that is the packet."""


def wifi(walk: Walk) -> Next:
    """A data frame of IEEE 802.11; what is encrypted, in fragments or several frames in one is not followed."""
    if not walk.has(24):
        return walk.short()
    control, flags = walk.octets[walk.at], walk.octets[walk.at + 1]
    if control & 0x0F != 0x08 or control & 0x40:
        return v.NOT_TCP
    if flags & 0x40:
        return v.ENCRYPTED
    size, several = 24 + (6 if flags & 3 == 3 else 0), 0
    if control & 0x80:
        if not walk.has(size + 2):
            return walk.short()
        several = walk.octets[walk.at + size] & 0x80
        size += 6 if flags & 0x80 else 2
    if several or flags & 0x04 or walk.octets[walk.at + 22] & 0x0F:
        return v.BAD_TUNNEL
    walk.at += size + (-size % 4 if walk.padded else 0)
    return llc


def radiotap(walk: Walk) -> Next:
    """IEEE 802.11 behind a radiotap header, which tells whether a checksum stands behind the frame."""
    if not walk.has(8):
        return walk.short()
    start, size = walk.at, walk.little(2, 2)
    if walk.octets[start] != 0 or size < 8:
        return v.BAD_TUNNEL
    if not walk.has(size):
        return walk.short()
    present, field = walk.little(4, 4), 8
    word = present
    while word & 1 << 31 and field + 4 <= size:
        word, field = walk.little(field, 4), field + 4
    if present & 1:
        field += -field % 8 + 8
    if present & 2 and field < size:
        flags = walk.octets[start + field]
        walk.end -= 4 if flags & 0x10 else 0
        walk.padded = bool(flags & 0x20)
    walk.at += size
    return wifi


def ppi(walk: Walk) -> Next:
    """A Per-Packet Information header, which tells the link type behind it."""
    if not walk.has(8):
        return walk.short()
    size, kind = walk.little(2, 2), walk.little(4, 4)
    if size < 8:
        return v.BAD_TUNNEL
    walk.at += size
    return LINKS.get(kind, v.LINK)


def pktap(walk: Walk) -> Next:
    """Apple's PKTAP header, which tells the link type behind it."""
    if not walk.has(12):
        return walk.short()
    size, kind = walk.little(0, 4), walk.little(8, 4)
    if size < 12:
        return v.BAD_TUNNEL
    walk.at += size
    return LINKS.get(kind, v.LINK)


ethernet = typed(14, 12)
vlan = typed(4, 2)
