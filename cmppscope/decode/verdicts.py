"""What became of a frame: exactly one verdict each, in bulk and one by one alike."""

from __future__ import annotations

PENDING, SEGMENT, NOT_TCP, FRAGMENT, ODD = range(5)
"""Not decided; a row; another protocol; part of a packet that is not whole; to be taken one by one."""

LINK, CUT, SHORT, NOT_IP, BAD_IPV4, BAD_IPV6, BAD_FRAGMENT, BAD_TCP, BAD_TUNNEL, TOO_DEEP = range(5, 15)
ENCRYPTED, BAD_IP_CHECKSUM, BAD_TCP_CHECKSUM = range(15, 18)
"""Not decoded."""

REASONS = {
    LINK: "link type not supported",
    CUT: "headers cut off by the snapshot length",
    SHORT: "frame ends inside its headers",
    NOT_IP: "neither IPv4 nor IPv6",
    BAD_IPV4: "malformed IPv4 header",
    BAD_IPV6: "malformed IPv6 header",
    BAD_FRAGMENT: "malformed IP fragment",
    BAD_TCP: "malformed TCP header",
    BAD_TUNNEL: "tunnel not supported",
    TOO_DEEP: "too many layers",
    ENCRYPTED: "encrypted by the link layer",
    BAD_IP_CHECKSUM: "wrong IPv4 header checksum",
    BAD_TCP_CHECKSUM: "wrong TCP checksum",
}
"""Why a frame was not decoded, as it is counted; the link type's number is put behind the first."""

IPV4, IPV6 = 0x0800, 0x86DD
VLAN_TAGS = (0x8100, 0x88A8, 0x9100, 0x9200)
MPLS, MPLS_MULTICAST, PPPOE = 0x8847, 0x8848, 0x8864
LLC_MAX = 0x05FF
"""Ethertypes; a smaller number is a length, and LLC follows."""

IP_IN_IP, TCP, UDP, IPV6_IN_IP, GRE, AH = 4, 6, 17, 41, 47, 51
HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, DESTINATION, MOBILITY = 0, 43, 44, 60, 135
"""IP protocol numbers (IANA)."""

VXLAN_PORT, VXLAN_OLD_PORT, VXLAN_GPE_PORT, GENEVE_PORT, GTP_PORT = 4789, 8472, 4790, 6081, 2152
TUNNEL_PORTS = (VXLAN_PORT, VXLAN_OLD_PORT, VXLAN_GPE_PORT, GENEVE_PORT, GTP_PORT)
"""UDP destination ports of tunnels (IANA; Linux took 8472 for VXLAN before there was a number)."""

TUNNELS = (IP_IN_IP, IPV6_IN_IP, GRE, AH)
"""Protocols behind which TCP may stand."""

EXTENSIONS = (HOP_BY_HOP, ROUTING, DESTINATION, MOBILITY)
"""IPv6 extension headers that tell their length in units of eight octets (RFC 8200)."""

FAMILY_IPV4, FAMILIES_IPV6 = 2, (10, 23, 24, 28, 30)
"""Address families in null and loopback headers; IPv6 is on Linux, Windows, NetBSD, FreeBSD and Darwin another."""

ETHERNET, NULL, LOOP, COOKED, COOKED2 = 1, 0, 108, 113, 276
RAW, RAW_IPV4, RAW_IPV6 = (101, 12, 14), 228, 229
PPP, PPP_HDLC, PPP_ETHERNET, CISCO_HDLC, PPP_DIRECTED, NFLOG = 9, 50, 51, 104, 166, 239
WIFI, RADIOTAP, PPI, PKTAP = 105, 127, 192, 258
"""LINKTYPE_ values; 12 and 14 are what DLT_RAW is on different systems."""

WALKED = (PPP, PPP_HDLC, PPP_ETHERNET, CISCO_HDLC, PPP_DIRECTED, NFLOG, WIFI, RADIOTAP, PPI, PKTAP)
"""Link types that are decoded one by one only."""

LINK_NAMES = {
    **dict.fromkeys((6, 10, 11), "token ring, FDDI or SLIP"),
    **dict.fromkeys((187, 201, 251, 254, 272), "Bluetooth"),
    **dict.fromkeys((186, 189, 220, 249, 266), "USB"),
    **dict.fromkeys((190, 227), "CAN bus"),
    **dict.fromkeys((195, 215, 230, 283), "IEEE 802.15.4"),
    **dict.fromkeys((119, 163), "Wi-Fi with Prism or AVS header"),
    **dict.fromkeys(
        (147, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162), "for private use"
    ),
    107: "frame relay",
    197: "ERF",
    231: "D-Bus",
    252: "exported PDUs of Wireshark",
    253: "netlink",
}
"""What some link types are that never hold TCP, or hold it in a way that is not known here."""
