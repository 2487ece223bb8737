"""TCP segments as frames: IP and TCP headers with right checksums, and the link layers round them."""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple, Protocol

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

_TTL = 64
_FIRST_WINDOW, _WINDOW = 64_240, 502
"""64,240 octets as such in a SYN, and 64,256 in units of 128 afterwards."""
_DONT_FRAGMENT = 0x4000
_TCP = 6
_ETHERTYPE = {4: 0x0800, 6: 0x86DD}
_VLAN = 0x8100
_SYN_OPTIONS = bytes.fromhex("0101 0402 01 030307")
"""SACK permitted and a window scale of 7, behind the MSS."""


class Host(NamedTuple):
    """An address and a port."""

    address: str
    port: int

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """The address as a number with a version."""
        return ipaddress.ip_address(self.address)

    @property
    def mac(self) -> bytes:
        """A locally administered address made from the end of the IP address."""
        return b"\x02\x00" + self.ip.packed[-4:]


class Segment(NamedTuple):
    """What differs between the TCP segments of a connection."""

    source: Host
    target: Host
    flags: int
    seq: int
    ack: int
    ip_id: int
    payload: bytes = b""


class Link(Protocol):
    """A kind of network as capture files know it."""

    @property
    def linktype(self) -> int:
        """The LINKTYPE number of capture files."""

    def frame(self, segment: Segment, *, sent: bool) -> bytes:
        """Build a frame; `sent` where the capturing host is its sender."""


class Ethernet(NamedTuple):
    """Ethernet, with an IEEE 802.1Q tag if `vlan` is given."""

    vlan: int | None = None

    @property
    def linktype(self) -> int:
        """LINKTYPE_ETHERNET."""
        return 1

    def frame(self, segment: Segment, *, sent: bool) -> bytes:  # noqa: ARG002 - Ethernet does not say it
        """Put both addresses, the tag and the EtherType in front."""
        tag = b"" if self.vlan is None else struct.pack("!HH", _VLAN, self.vlan)
        kind = struct.pack("!H", _ETHERTYPE[segment.source.ip.version])
        return segment.target.mac + segment.source.mac + tag + kind + packet(segment)


class Cooked(NamedTuple):
    """Linux cooked capture v2, as `tcpdump -i any` writes it."""

    if_index: int

    @property
    def linktype(self) -> int:
        """LINKTYPE_LINUX_SLL2."""
        return 276

    def frame(self, segment: Segment, *, sent: bool) -> bytes:
        """Put the 20 octets of the cooked header in front."""
        kind = _ETHERTYPE[segment.source.ip.version]
        header = struct.pack("!HHIHBB8s", kind, 0, self.if_index, 1, 4 if sent else 0, 6, segment.source.mac)
        return header + packet(segment)


def packet(segment: Segment) -> bytes:
    """Build the IP packet of a segment."""
    source, target = segment.source.ip, segment.target.ip
    tcp = _tcp(segment, source.packed + target.packed)
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(tcp), _TCP, _TTL) + source.packed + target.packed + tcp
    fields = (0x45, 0, 20 + len(tcp), segment.ip_id, _DONT_FRAGMENT, _TTL, _TCP)
    addresses = source.packed + target.packed
    sum_ = checksum(struct.pack("!BBHHHBBH", *fields, 0) + addresses)
    return struct.pack("!BBHHHBBH", *fields, sum_) + addresses + tcp


def _tcp(segment: Segment, addresses: bytes) -> bytes:
    """Build TCP header and payload; the sum covers the addresses too (RFC 9293 §3.1)."""
    options, window = b"", _WINDOW
    if segment.flags & SYN:
        window = _FIRST_WINDOW
        options = struct.pack("!BBH", 2, 4, mss(segment.source)) + _SYN_OPTIONS
    ports = struct.pack("!HHII", segment.source.port, segment.target.port, segment.seq, segment.ack)
    length = 20 + len(options)
    before = ports + struct.pack("!BBH", length << 2, segment.flags, window)
    behind = b"\0\0" + options + segment.payload
    pseudo = addresses + struct.pack("!HH", _TCP, length + len(segment.payload))
    return before + struct.pack("!H", checksum(pseudo + before + b"\0\0" + behind)) + behind


def mss(host: Host) -> int:
    """Return the most payload octets that an Ethernet frame of this host carries."""
    return 1460 if host.ip.version == 4 else 1440


def checksum(octets: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    octets += bytes(len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
