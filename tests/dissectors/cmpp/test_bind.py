"""CMPP on TCP, for those who read captures with Scapy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import rdpcap, wrpcap

from dissectors.cmpp import (
    CMPP,
    CMPPActiveTest,
    CMPPSegment,
    CMPPSubmit,
    CMPPSubmitResp,
    bind_tcp,
    unbind_tcp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def bound() -> Iterator[None]:
    """Bind the ports for one test."""
    bind_tcp()
    yield
    unbind_tcp()


@pytest.fixture
def through_a_file(tmp_path: Path) -> Callable[[Any], Any]:
    """Write one TCP segment to a capture file and read it back."""

    def write_and_read(segment: Any) -> Any:
        path = tmp_path / "one.pcap"
        wrpcap(str(path), [Ether() / IP(src="192.0.2.1", dst="192.0.2.2") / segment])
        return rdpcap(str(path))[0]

    return write_and_read


@pytest.mark.parametrize(("sport", "dport"), [(40000, 7890), (7890, 40000), (7900, 40000), (40000, 7930), (9168, 1)])
@pytest.mark.usefixtures("bound")
def test_ports_in_both_directions(
    sport: int, dport: int, through_a_file: Callable[[Any], Any], golden: dict[str, Any]
) -> None:
    """Segments from and to the ports of CMPP are dissected."""
    packet = through_a_file(TCP(sport=sport, dport=dport) / golden["G04"].octets)
    assert packet[CMPP].Total_Length == len(golden["G04"].octets)
    assert packet[CMPPSubmit].Src_Id == b"1234".ljust(21, b"\0")


@pytest.mark.usefixtures("bound")
def test_several_pdus_in_a_segment(through_a_file: Callable[[Any], Any], golden: dict[str, Any]) -> None:
    """Every PDU of a segment is there, the one that goes on in the next segment included."""
    octets = golden["G13"].octets + golden["G04"].octets + golden["G05"].octets + golden["G04"].octets[:50]
    packet = through_a_file(TCP(dport=7890) / octets)
    assert [pdu.Command_Id for pdu in packet[CMPPSegment].pdus] == [8, 4, 0x80000004, 4]
    assert CMPPActiveTest in packet
    assert packet[CMPPSubmitResp].Result == 0
    assert packet.getlayer(CMPP, 2).Sequence_Id == golden["G04"].fields["Sequence_Id"]
    assert bytes(packet[TCP].payload) == octets
    assert packet.show(dump=True).count("###[ CMPP ]###") == 4
    assert "CMPP_SUBMIT_RESP" in packet.summary()


@pytest.mark.usefixtures("bound")
def test_a_full_segment_of_the_smallest_pdus(golden: dict[str, Any]) -> None:
    """Five thousand PDUs in one segment are no deeper than one."""
    packet = TCP(bytes(TCP(dport=7890)) + golden["G13"].octets * 5000)
    assert len(packet[CMPPSegment].pdus) == 5000


@pytest.mark.usefixtures("bound")
def test_a_built_segment_goes_to_the_port() -> None:
    """TCP over which a CMPP layer is put goes to the port of long connections."""
    assert (TCP() / CMPP() / CMPPActiveTest()).dport == 7890
    assert (TCP() / CMPPSegment(pdus=[CMPP() / CMPPActiveTest()] * 2)).dport == 7890


def test_nothing_is_bound_by_importing(golden: dict[str, Any]) -> None:
    """Without `bind_tcp`, and after `unbind_tcp`, the payload of TCP stays raw."""
    octets = bytes(TCP(dport=7890) / Raw(golden["G13"].octets))
    assert Raw in TCP(octets)
    bind_tcp([7890, 5555])
    assert CMPP in TCP(octets)
    unbind_tcp([7890, 5555])
    assert Raw in TCP(octets)
    assert (TCP() / CMPP()).dport == TCP().dport
