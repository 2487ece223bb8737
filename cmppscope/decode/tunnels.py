"""Tunnels, one by one: headers behind which another frame or packet begins."""

from __future__ import annotations

from cmppscope.decode import verdicts as v
from cmppscope.decode.links import ethernet, raw
from cmppscope.decode.network import ipv4, ipv6
from cmppscope.decode.walk import ETHERTYPES, GRE_KINDS, UDP_PORTS, Next, Walk

ERSPAN2, ERSPAN3 = 0x88BE, 0x22EB
"""Protocol types of mirrored Ethernet in GRE (draft-foschiano-erspan)."""


def mpls(walk: Walk) -> Next:
    """One entry of a label stack (RFC 3032); behind the last, IP or Ethernet.

    Ethernet may have a control word in front of it (RFC 4448); only what follows can tell.
    """
    if not walk.has(4):
        return walk.short()
    bottom = walk.octets[walk.at + 2] & 1
    walk.at += 4
    if not bottom:
        return mpls
    if not walk.has(1):
        return walk.short()
    step = raw(walk)
    if step != v.NOT_IP:
        return step
    for control_word in (4, 0):
        if walk.has(control_word + 14) and walk.number(control_word + 12, 2) in ETHERTYPES:
            walk.at += control_word
            return ethernet
    return v.BAD_TUNNEL


def gre(walk: Walk) -> Next:
    """A GRE header with its optional fields (RFC 2784, 2890; version 1 is RFC 2637)."""
    if not walk.has(4):
        return walk.short()
    flags, kind = walk.number(0, 2), walk.number(2, 2)
    version = flags & 7
    if version > 1 or flags & 0x4000:
        return v.BAD_TUNNEL
    optional = (0x2000, 0x1000, 0x0080) if version else (0x8000, 0x2000, 0x1000)
    walk.at += 4 + 4 * sum(bool(flags & bit) for bit in optional)
    if kind == ERSPAN2:
        walk.at += 8 if flags & 0x1000 else 0
        return ethernet
    if kind == ERSPAN3:
        if not walk.has(12):
            return walk.short()
        frame_type = walk.number(10, 2) >> 10 & 0x1F
        walk.at += 20 if walk.octets[walk.at + 11] & 1 else 12
        return raw if frame_type == 2 else ethernet
    return GRE_KINDS.get(kind) or ETHERTYPES.get(kind, v.NOT_TCP)


def udp(walk: Walk) -> Next:
    """UDP to the port of a tunnel; all other UDP is of no interest."""
    if not walk.has(4):
        return v.NOT_TCP
    tunnel = UDP_PORTS.get(walk.number(2, 2), v.NOT_TCP)
    walk.at += 8
    return tunnel


def vxlan(walk: Walk) -> Next:
    """VXLAN (RFC 7348)."""
    if not walk.has(8):
        return walk.short()
    walk.at += 8
    return ethernet


def vxlan_gpe(walk: Walk) -> Next:
    """VXLAN's extension for other protocols than Ethernet (draft-ietf-nvo3-vxlan-gpe)."""
    if not walk.has(8):
        return walk.short()
    kind = walk.octets[walk.at + 3] if walk.octets[walk.at] & 4 else 3
    walk.at += 8
    following: dict[int, Next] = {1: ipv4, 2: ipv6, 3: ethernet}
    return following.get(kind, v.NOT_TCP)


def geneve(walk: Walk) -> Next:
    """Geneve with its options (RFC 8926)."""
    if not walk.has(8):
        return walk.short()
    first, kind = walk.octets[walk.at], walk.number(2, 2)
    if first >> 6:
        return v.BAD_TUNNEL
    walk.at += 8 + 4 * (first & 0x3F)
    return GRE_KINDS.get(kind) or ETHERTYPES.get(kind, v.NOT_TCP)


def gtp(walk: Walk) -> Next:
    """User data in GTP-U, version 1, with extension headers (3GPP TS 29.281 §5)."""
    if not walk.has(8):
        return walk.short()
    flags, kind = walk.octets[walk.at], walk.octets[walk.at + 1]
    if flags & 0xF0 != 0x30 or kind != 0xFF:
        return v.NOT_TCP
    if not flags & 7:
        walk.at += 8
        return raw
    if not walk.has(12):
        return walk.short()
    following = walk.octets[walk.at + 11] if flags & 4 else 0
    walk.at += 12
    while following:
        size = walk.octets[walk.at] * 4 if walk.has(1) else 0
        if not size or not walk.has(size):
            return walk.short() if not walk.has(max(size, 1)) else v.BAD_TUNNEL
        following = walk.octets[walk.at + size - 1]
        walk.at += size
    return raw
