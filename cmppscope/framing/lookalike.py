"""Protocols that look like CMPP, told by how a connection begins.

SMPP, SGIP and SMGP share CMPP's first two header words. What tells them apart is in CMPP's spec chapter on relatives:
lengths, Command_Ids and the third header word. TLS is told by its record header.
"""

from __future__ import annotations

import struct

from cmppscope.framing.headers import RESPONSE

_WORDS = struct.Struct(">IIII")

_SMPP = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0B, 0x15, 0x21, 0x102, 0x103))
_SMPP_BINDS = frozenset((1, 2, 9))
_SMPP_EMPTY = frozenset((6, 0x15))
_SMPP_HEADER = 16
_LONGEST = 70_000

_SGIP_LENGTHS = {1: 61, 2: 20, RESPONSE | 1: 29, RESPONSE | 2: 20, RESPONSE | 3: 29, RESPONSE | 4: 29, RESPONSE | 5: 29}
_SMGP_LENGTHS = {1: 42, 4: 12, 6: 12, RESPONSE | 4: 12, RESPONSE | 6: 12, RESPONSE | 2: 26, RESPONSE | 3: 26}


def lookalike(octets: bytes) -> str | None:
    """Name the protocol whose first PDU these octets are, None where none of those known here is sure."""
    if len(octets) >= 3 and octets[0] == 0x16 and octets[1] == 3 and octets[2] <= 4:  # noqa: PLR2004
        return "TLS"
    if len(octets) < _SMPP_HEADER:
        return "SMGP" if len(octets) >= 12 and _is_smgp(*struct.unpack_from(">II", octets)) else None  # noqa: PLR2004
    length, command, third, fourth = _WORDS.unpack_from(octets)
    if _is_smgp(length, command):
        return "SMGP"
    if _SGIP_LENGTHS.get(command) == length and 101_000_000 <= fourth <= 1_231_235_959 and length != 20:  # noqa: PLR2004
        return "SGIP"
    if _is_smpp(octets, length, command, third, fourth):
        return "SMPP"
    return None


def _is_smgp(length: int, command: int) -> bool:
    """Tell an SMGP PDU by lengths that CMPP does not have."""
    return _SMGP_LENGTHS.get(command) == length


def _is_smpp(octets: bytes, length: int, command: int, status: int, sequence: int) -> bool:
    """Tell an SMPP PDU: its status is 0 in requests, its bind holds three texts, each with its NUL."""
    base = command & ~RESPONSE
    if base not in _SMPP or not _SMPP_HEADER <= length <= _LONGEST or not 0 < sequence < RESPONSE:
        return False
    if base in _SMPP_EMPTY:
        return length == _SMPP_HEADER
    if command & RESPONSE:
        text = octets[_SMPP_HEADER:length]
        return base in _SMPP_BINDS and status < 0x500 and len(text) > 0 and _is_text(text.split(b"\0", 1)[0])  # noqa: PLR2004
    if status:
        return False
    if base in _SMPP_BINDS:
        texts = octets[_SMPP_HEADER:length].split(b"\0", 3)
        return len(texts) == 4 and all(_is_text(t) for t in texts[:3])  # noqa: PLR2004
    return length > _SMPP_HEADER and base in (4, 5)


def smpp_pair(first: bytes, second: bytes) -> bool:
    """Tell two PDUs in a row for SMPP although both fit CMPP: no Sequence_Id, and a fourth word that counts up."""
    if len(first) < _SMPP_HEADER or len(second) < _SMPP_HEADER:
        return False
    *_, third, fourth = _WORDS.unpack_from(first)
    *_, after, next_fourth = _WORDS.unpack_from(second)
    return third == 0 and after == 0 and 0 < abs(next_fourth - fourth) < 0x10000  # noqa: PLR2004


def _is_text(octets: bytes) -> bool:
    """Tell whether all octets are printable ASCII."""
    return all(0x20 <= octet < 0x7F for octet in octets)  # noqa: PLR2004
