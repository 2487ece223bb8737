"""What follows what: the tables of `walk`, filled, and where a walk begins."""

from __future__ import annotations

from cmppscope.decode import links, network, tunnels
from cmppscope.decode import verdicts as v
from cmppscope.decode.walk import ETHERTYPES, GRE_KINDS, LINKS, PROTOCOLS4, PROTOCOLS6, UDP_PORTS, Next

LINKS |= {
    v.ETHERNET: links.ethernet,
    v.COOKED: links.typed(16, 14),
    v.COOKED2: links.typed(20, 0),
    v.NULL: links.family(either_order=True),
    v.LOOP: links.family(either_order=False),
    **dict.fromkeys(v.RAW, links.raw),
    v.RAW_IPV4: network.ipv4,
    v.RAW_IPV6: network.ipv6,
    v.PPP: links.ppp,
    v.PPP_HDLC: links.ppp_hdlc,
    v.PPP_ETHERNET: links.pppoe,
    v.PPP_DIRECTED: links.ppp_directed,
    v.CISCO_HDLC: links.cisco_hdlc,
    v.NFLOG: links.nflog,
    v.WIFI: links.wifi,
    v.RADIOTAP: links.radiotap,
    v.PPI: links.ppi,
    v.PKTAP: links.pktap,
}

ETHERTYPES |= {
    v.IPV4: network.ipv4,
    v.IPV6: network.ipv6,
    **dict.fromkeys(v.VLAN_TAGS, links.vlan),
    v.MPLS: tunnels.mpls,
    v.MPLS_MULTICAST: tunnels.mpls,
    v.PPPOE: links.pppoe,
}

GRE_KINDS |= {0x6558: links.ethernet, 0x880B: links.ppp}

EITHER: dict[int, Next] = {
    v.TCP: network.tcp,
    v.UDP: tunnels.udp,
    v.IP_IN_IP: network.ipv4,
    v.IPV6_IN_IP: network.ipv6,
    v.GRE: tunnels.gre,
    v.AH: network.authentication,
}
"""What follows IP of either version."""

PROTOCOLS4 |= EITHER

PROTOCOLS6 |= {
    **EITHER,
    **dict.fromkeys(v.EXTENSIONS, network.extension),
    v.ROUTING: network.routing,
    v.FRAGMENT_HEADER: network.fragment6,
}

UDP_PORTS |= {
    v.VXLAN_PORT: tunnels.vxlan,
    v.VXLAN_OLD_PORT: tunnels.vxlan,
    v.VXLAN_GPE_PORT: tunnels.vxlan_gpe,
    v.GENEVE_PORT: tunnels.geneve,
    v.GTP_PORT: tunnels.gtp,
}


def first(linktype: int) -> Next:
    """Give the first layer of frames of a link type."""
    return LINKS.get(linktype, v.LINK)
