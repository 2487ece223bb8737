"""Relatives and others are named, and CMPP is never taken for one of them."""

from __future__ import annotations

import struct

import pytest

from cmppscope.framing.lookalike import lookalike, smpp_pair, surely_smpp
from tests.framing import conversations as cmpp


def smpp(command: int, body: bytes = b"", status: int = 0, sequence: int = 1) -> bytes:
    """Give an SMPP PDU."""
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


BIND = b"smppclient\0secret\0\0\x34\0\0\0"
ADDRESSES = b"\0\x01\x01" + b"8613800138000\0" + b"\x01\x01" + b"10690000\0"
MESSAGE = ADDRESSES + bytes(9) + b"\x05hello"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (smpp(1, BIND), "SMPP"),
        (smpp(2, BIND), "SMPP"),
        (smpp(9, BIND), "SMPP"),
        (smpp(0x80000009, b"gateway\0"), "SMPP"),
        (smpp(0x80000002, b"gateway\0\x02\x10\0\x01\x34"), "SMPP"),
        (smpp(4, MESSAGE), "SMPP"),
        (smpp(5, MESSAGE, 0, 77), "SMPP"),
        (smpp(0x15), "SMPP"),
        (smpp(0x80000015), "SMPP"),
        (smpp(6), "SMPP"),
        (struct.pack(">III", 42, 1, 7) + bytes(30), "SMGP"),
        (struct.pack(">III", 12, 4, 7), "SMGP"),
        (struct.pack(">III", 12, 0x80000004, 7), "SMGP"),
        (struct.pack(">IIIII", 61, 1, 3_010_000_001, 1_022_131_415, 1) + bytes(41), "SGIP"),
        (struct.pack(">IIIII", 29, 0x80000003, 3_010_000_001, 1_022_131_415, 1) + bytes(9), "SGIP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "TLS"),
        (b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", None),
        (b"", None),
        (bytes(64), None),
    ],
)
def test_relatives_are_named(octets: bytes, expected: str | None) -> None:
    """A first PDU of SMPP, SGIP or SMGP and a TLS record are told by their first octets."""
    assert lookalike(octets) == expected


PDUS = [
    make(sequence)
    for make in (
        cmpp.connect,
        cmpp.connect_resp,
        cmpp.active_test,
        cmpp.active_test_resp,
        cmpp.submit,
        cmpp.submit_resp,
        cmpp.deliver,
        cmpp.deliver_resp,
        cmpp.query,
        cmpp.terminate,
    )
    for sequence in (0, 1, 0x1234, 0xFFFFFFFF)
] + [cmpp.connect_resp(sequence, status) for sequence in (0, 1, 5) for status in (1, 3, 5)]


@pytest.mark.parametrize("octets", PDUS, ids=lambda octets: octets[:12].hex())
def test_cmpp_is_no_relative(octets: bytes) -> None:
    """No PDU of CMPP, with whatever Sequence_Id, is named as another protocol's."""
    assert lookalike(octets) is None
    assert not surely_smpp(octets)


@pytest.mark.parametrize(
    "octets",
    [
        smpp(1, b"abcdefghij\0secret\0\0\x34\0\0\0"[:23].ljust(23, b"\0")),
        smpp(0x80000001, b"gateway-smsc1\0"),
        smpp(0x80000004, b"4711\0"),
        smpp(0x80000004, b"4711abc\0"),
    ],
)
def test_smpp_in_lengths_of_cmpp_is_sure_by_its_texts(octets: bytes) -> None:
    """An SMPP bind of 39 octets, a bind_resp of 30 and a submit_sm_resp of 21 or 24 are not CMPP."""
    assert len(octets) in (39, 30, 21, 24)
    assert surely_smpp(octets)
    assert not surely_smpp(octets[:-1])


def test_pairs_that_fit_both() -> None:
    """Two responses without status whose sequence counts up are SMPP; PDUs without Sequence_Id alone are not."""
    first, second = smpp(0x80000004, b"0001\0", 0, 7), smpp(0x80000004, b"0002\0", 0, 8)
    assert smpp_pair(first + second, second)
    pair = cmpp.active_test(0), cmpp.submit(0)
    assert not smpp_pair(b"".join(pair), pair[1])
    pair = cmpp.submit_resp(0), cmpp.submit_resp(0)
    assert not smpp_pair(b"".join(pair), pair[1])
    assert not smpp_pair(cmpp.active_test(0), b"")
