"""CMPP on TCP ports, for those who read captures with Scapy.

Nothing is bound until `bind_tcp` is called. Scapy dissects segment by segment: a `CMPPSegment`
holds the PDUs that begin in one segment, and does not join a PDU that runs over several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.fields import PacketListField
from scapy.packet import Packet, bind_bottom_up, bind_top_down, split_bottom_up, split_top_down

from .header import CMPP, pdus

if TYPE_CHECKING:
    from collections.abc import Iterable

PORTS = (7890, 7900, 7930, 9168)
"""SP long, short, gateway long, name server (CMPP 2.0 §6.3)."""


class _PduList(PacketListField):
    """PDUs up to the end of the segment, as many as there are."""

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:  # noqa: ARG002 - Scapy's hook
        """Take all octets."""
        return b"", list(pdus(s))


class CMPPSegment(Packet):
    """The payload of one TCP segment: PDUs one behind the other.

    `segment[CMPP]` is the first of them, `segment.pdus` all; the last one may be cut short.
    """

    name = "CMPP segment"
    fields_desc = [_PduList("pdus", [], CMPP)]

    def mysummary(self) -> str:
        """Summarise every PDU."""
        return ", ".join(pdu.mysummary() for pdu in self.pdus)


def bind_tcp(ports: Iterable[int] = PORTS) -> None:
    """Dissect TCP segments from and to `ports` as CMPP; built ones go to the first (CMPP 2.0 §6.3)."""
    from scapy.layers.inet import TCP  # noqa: PLC0415 - half of Scapy, for those who ask

    ports = tuple(ports)
    for port in ports:
        bind_bottom_up(TCP, CMPPSegment, dport=port)
        bind_bottom_up(TCP, CMPPSegment, sport=port)
    for layer in (CMPPSegment, CMPP):
        bind_top_down(TCP, layer, dport=ports[0])


def unbind_tcp(ports: Iterable[int] = PORTS) -> None:
    """Undo `bind_tcp` for the same ports."""
    from scapy.layers.inet import TCP  # noqa: PLC0415 - half of Scapy, for those who ask

    ports = tuple(ports)
    for port in ports:
        split_bottom_up(TCP, CMPPSegment, dport=port)
        split_bottom_up(TCP, CMPPSegment, sport=port)
    for layer in (CMPPSegment, CMPP):
        split_top_down(TCP, layer, dport=ports[0])
