"""Protocols that look like CMPP, told by how a connection begins.

SMPP, SGIP and SMGP share CMPP's first two header words. What tells them apart is in CMPP's spec chapter on relatives:
lengths, Command_Ids and the third header word. TLS is told by its record header.
"""

from __future__ import annotations

import struct

from dissectors.cmpp.enums import RESPONSE

BINDS = frozenset((1, 2, 9))
"""Command_Ids with which an SMPP connection begins; in CMPP they are CONNECT, TERMINATE and FWD."""

_WORDS = struct.Struct(">IIII")

_SMPP = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0B, 0x15, 0x21, 0x102, 0x103))
_SMPP_EMPTY = frozenset((6, 0x15))
_SMPP_HEADER = 16
_STATUSES = 0x500
_LONGEST = 70_000
_INTERFACE_VERSION = b"\x02\x10"
"""Tag of the one optional parameter of a bind_resp (SMPP 3.4 §5.3.2.25)."""
_TYPE_OF_NUMBER = 6
_NUMBERING_PLAN = 18
_SERVICE_TYPE = 6
_ADDRESS = 21
"""Greatest values and sizes of what an SMPP message begins with (SMPP 3.4 §4.4.1)."""

_SGIP_LENGTHS = {1: 61, 2: 20, RESPONSE | 1: 29, RESPONSE | 2: 20, RESPONSE | 3: 29, RESPONSE | 4: 29, RESPONSE | 5: 29}
_SMGP_LENGTHS = {1: 42, 4: 12, 6: 12, RESPONSE | 4: 12, RESPONSE | 6: 12, RESPONSE | 2: 26, RESPONSE | 3: 26}


def lookalike(octets: bytes) -> str | None:
    """Name the protocol whose first PDU these octets are, None where none of those known here is sure."""
    if len(octets) >= 3 and octets[0] == 0x16 and octets[1] == 3 and octets[2] <= 4:
        return "TLS"
    if len(octets) < _SMPP_HEADER:
        return "SMGP" if len(octets) >= 12 and _is_smgp(*struct.unpack_from(">II", octets)) else None
    length, command, _, fourth = _WORDS.unpack_from(octets)
    if _is_smgp(length, command):
        return "SMGP"
    if _SGIP_LENGTHS.get(command) == length and 101_000_000 <= fourth <= 1_231_235_959 and length != 20:
        return "SGIP"
    return "SMPP" if _is_smpp(octets) else None


def surely_smpp(octets: bytes) -> bool:
    """Tell an SMPP PDU although its length is one of CMPP's: by texts that fill it to the last octet.

    CMPP has octets of any value there: an authenticator, a version that is not 0, a Msg_Id.
    """
    if len(octets) < _SMPP_HEADER:
        return False
    length, command, status, sequence = _WORDS.unpack_from(octets)
    if status or not 0 < sequence < RESPONSE or len(octets) < length:
        return False
    if command in BINDS:
        return _is_smpp(octets)
    text = octets[_SMPP_HEADER:length]
    return command & ~RESPONSE in (*BINDS, 4) and command > RESPONSE and len(text) > 1 and _ends_as_text(text)


def smpp_pair(first: bytes, second: bytes) -> bool:
    """Tell two PDUs in a row for SMPP although both fit CMPP: no Sequence_Id, and a fourth word that counts up."""
    if len(first) < _SMPP_HEADER or len(second) < _SMPP_HEADER:
        return False
    length, _, third, fourth = _WORDS.unpack_from(first)
    next_length, _, after, next_fourth = _WORDS.unpack_from(second)
    if min(length, next_length) < _SMPP_HEADER or third or after:
        return False
    texts = [octets[_SMPP_HEADER:size] for octets, size in ((first, length), (second, next_length))]
    return 0 < abs(next_fourth - fourth) < 0x10000 and all(_ends_as_text(text) for text in texts if text)


def _words(octets: bytes) -> tuple[int, int, int, int]:
    """Read the four words of an SMPP header."""
    length, command, status, sequence = _WORDS.unpack_from(octets)
    return length, command, status, sequence


def _is_smgp(length: int, command: int) -> bool:
    """Tell an SMGP PDU by lengths that CMPP does not have."""
    return _SMGP_LENGTHS.get(command) == length


def _is_smpp(octets: bytes) -> bool:
    """Tell an SMPP PDU: its status is 0 in requests, its bind holds three texts, each with its NUL."""
    length, command, status, sequence = _words(octets)
    base = command & ~RESPONSE
    if base not in _SMPP or not _SMPP_HEADER <= length <= _LONGEST or not 0 < sequence < RESPONSE:
        return False
    body = octets[_SMPP_HEADER:length]
    if base in _SMPP_EMPTY:
        return length == _SMPP_HEADER
    if command & RESPONSE:
        name, nul, rest = body.partition(b"\0")
        ends = not rest or rest.startswith(_INTERFACE_VERSION)
        return base in BINDS and status < _STATUSES and bool(nul) and ends and _is_text(name)
    if status:
        return False
    if base in BINDS:
        texts = body.split(b"\0", 3)
        return len(texts) == 4 and all(_is_text(t) for t in texts[:3])
    return base in (4, 5) and _holds_addresses(body)


def _holds_addresses(body: bytes) -> bool:
    """Tell whether an SMPP message begins with its service type and two addresses."""
    service, nul, rest = body.partition(b"\0")
    if not nul or len(service) >= _SERVICE_TYPE or not _is_text(service):
        return False
    for _ in range(2):
        address, nul, after = rest[2:].partition(b"\0")
        if len(rest) < 2 or rest[0] > _TYPE_OF_NUMBER or rest[1] > _NUMBERING_PLAN:
            return False
        if not nul or len(address) >= _ADDRESS or not _is_text(address):
            return False
        rest = after
    return True


def _ends_as_text(octets: bytes) -> bool:
    """Tell whether octets are one printable text and its NUL."""
    return octets.endswith(b"\0") and _is_text(octets[:-1])


def _is_text(octets: bytes) -> bool:
    """Tell whether all octets are printable ASCII."""
    return all(0x20 <= octet < 0x7F for octet in octets)
