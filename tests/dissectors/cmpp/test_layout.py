"""Which edition's layout a PDU has."""

from __future__ import annotations

from typing import Any

import pytest

from dissectors.cmpp import (
    BODIES,
    CMPP,
    CMPPBody21,
    CMPPBody30,
    CMPPDeliver,
    CMPPSubmit,
    Layout,
    layout,
)
from dissectors.cmpp.layout import FIXED_LENGTHS, READINGS


def pdu_of(command: int, total_length: int) -> bytes:
    """Return a PDU of zeros."""
    return total_length.to_bytes(4, "big") + command.to_bytes(4, "big") + bytes(total_length - 8)


@pytest.mark.parametrize(
    ("command", "total_length", "wanted"),
    [(command, length, wanted) for command, lengths in FIXED_LENGTHS.items() for length, wanted in lengths.items()],
)
def test_fixed_lengths_decide(command: int, total_length: int, wanted: Layout) -> None:
    """A fixed layout that changed is told by Total_Length, whole or cut; the layer follows."""
    octets = pdu_of(command, total_length)
    layers = {Layout.V20: BODIES[command], Layout.V21: CMPPBody21, Layout.V30: CMPPBody30}
    for length in range(8, total_length + 1):
        assert layout(octets[:length]) is wanted
    for length in range(12, total_length + 1):
        assert type(CMPP(octets[:length]).payload) is layers[wanted]


@pytest.mark.parametrize("command", [command for command in BODIES if command not in READINGS], ids=hex)
def test_the_lengths_of_20_are_those_of_the_layers(command: int) -> None:
    """Each layer of fixed length is as long as the table says that 2.0 is."""
    length = 12 + len(BODIES[command]())
    assert FIXED_LENGTHS.get(command, {}).get(length, Layout.V20) is Layout.V20
    if command in FIXED_LENGTHS:
        assert length in FIXED_LENGTHS[command]


@pytest.mark.parametrize("command", FIXED_LENGTHS, ids=hex)
def test_a_length_of_no_edition_is_read_as_20(command: int) -> None:
    """What fits no layout is a broken PDU of 2.0."""
    assert layout(pdu_of(command, 200)) is Layout.V20


@pytest.mark.parametrize("octets", [b"", b"\0" * 7, pdu_of(3, 12), pdu_of(0x0A, 39), pdu_of(0x80000003, 12)])
def test_no_command_no_layout(octets: bytes) -> None:
    """Half a header and a Command_Id of no edition have no layout."""
    assert layout(octets) is Layout.UNKNOWN


def test_get_mo_route_is_later() -> None:
    """0x17 exists from 2.1 on only, whatever its length."""
    assert layout(pdu_of(0x17, 26)) is Layout.V21
    assert layout(pdu_of(0x80000017, 50)) is Layout.V21
    assert CMPP(pdu_of(0x17, 26)).payload.name == "CMPP 2.1 GET_MO_ROUTE (no layout)"


def submit30(receivers: int, content: bytes) -> bytes:
    """Return a SUBMIT in the layout of 3.0, with text fields as programs write them."""
    body = bytes(8) + b"\1\1\1\0" + b"TPCQ".ljust(10, b"\0") + b"\2" + bytes(32) + b"\0" + b"\0\0\x08"
    body += b"901234" + b"01" + b"000000" + bytes(34) + b"1234".ljust(21, b"\0") + bytes([receivers])
    body += b"13800138000".ljust(32, b"\0") * receivers + b"\0" + bytes([len(content)]) + content + bytes(20)
    return (12 + len(body)).to_bytes(4, "big") + bytes.fromhex("0000000400000001") + body


@pytest.mark.parametrize("receivers", [0, 1, 2, 40, 255])
@pytest.mark.parametrize("length", [0, 1, 12, 140, 255])
def test_submits_of_both_editions_are_told_apart(receivers: int, length: int) -> None:
    """A SUBMIT has one layout whatever the number of receivers and the length of its content."""
    content = bytes(range(length))
    assert layout(submit30(receivers, content)) is Layout.V30
    submit = CMPPSubmit(Dest_terminal_Id=["13800138000"] * receivers, Msg_Content=content, Msg_src="901234")
    assert layout(bytes(CMPP() / submit)) is Layout.V20


@pytest.mark.parametrize("length", range(256))
def test_delivers_of_both_editions_are_told_apart(length: int) -> None:
    """A DELIVER has one layout whatever the length of its content."""
    content = b"\x30" * length
    deliver = CMPPDeliver(Src_terminal_Id="13800138000", Msg_Content=content)
    assert layout(bytes(CMPP() / deliver)) is Layout.V20
    body = bytes(42) + b"13800138000".ljust(32, b"\0") + b"\0\0" + bytes([length]) + content + bytes(20)
    later = (12 + len(body)).to_bytes(4, "big") + bytes.fromhex("0000000500000001") + body
    assert layout(later) is Layout.V30


def lengths_add_up(octets: bytes) -> tuple[bool, bool]:
    """Tell whether a SUBMIT's count and length fit the layout of 2.0, and that of 3.0."""
    earlier = 138 + 21 * octets[128] + octets[129 + 21 * octets[128]]
    later = 163 + 32 * octets[140] + octets[142 + 32 * octets[140]]
    return earlier == len(octets), later == len(octets)


def test_text_decides_where_both_fit() -> None:
    """A SUBMIT that fits both layouts has the one whose fee and numbers are digits or blank."""
    later = bytearray(submit30(31, bytes(20)))
    later[119:140] = b"106901234000000000000"
    later[129 + 21 * 0x30] = len(later) - 138 - 21 * 0x30
    assert lengths_add_up(bytes(later)) == (True, True)
    assert layout(bytes(later)) is Layout.V30
    submit = CMPPSubmit(Dest_terminal_Id=["1"] * 48, Msg_Content=bytes(30), Msg_src="901234")
    earlier = bytearray(bytes(CMPP() / submit))
    earlier[140], earlier[142 + 32 * 30] = 30, len(earlier) - 163 - 32 * 30
    assert lengths_add_up(bytes(earlier)) == (True, True)
    assert layout(bytes(earlier)) is Layout.V20


@pytest.mark.parametrize("name", ["G04", "G06", "G09", "G21", "G23", "G10", "G11", "G36"])
def test_cut_pdus_of_20_keep_their_layout(golden: dict[str, Any], name: str) -> None:
    """A PDU of 2.0 that the capture cut anywhere is read as 2.0."""
    octets = golden[name].octets
    assert {layout(octets[:length]) for length in range(8, len(octets))} == {Layout.V20}


@pytest.mark.parametrize("name", ["G32", "G34"])
def test_cut_pdus_of_30_are_told_from_their_texts(golden: dict[str, Any], name: str) -> None:
    """A cut SUBMIT or DELIVER of 3.0 is recognised once its octets differ from those of 2.0."""
    octets = golden[name].octets
    from_here = {"G32": 71, "G34": 89}[name]
    assert {layout(octets[:length]) for length in range(from_here + 1, len(octets))} == {Layout.V30}


def test_inconsistent_lengths_are_read_as_20() -> None:
    """A SUBMIT whose count and length do not add up is a broken PDU of 2.0."""
    octets = bytes(CMPP() / CMPPSubmit(Msg_Content=b"hello", Msg_Length=77))
    assert layout(octets) is Layout.V20
