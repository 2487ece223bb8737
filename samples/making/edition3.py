"""PDUs of CMPP 3.0 whose layout differs from 2.0, built octet by octet (3.0 §8.4)."""

from __future__ import annotations

import struct
from typing import NamedTuple

_RESPONSE = 0x8000_0000


class Message(NamedTuple):
    """What the samples vary in a SUBMIT."""

    to: str
    content: bytes
    msg_fmt: int = 8
    report: bool = True


class Status(NamedTuple):
    """A status report of 71 octets."""

    msg_id: int
    submit_time: str
    done_time: str
    to: str
    smsc_sequence: int
    stat: str = "DELIVRD"


def pdu(command: int, sequence: int, *parts: bytes) -> bytes:
    """Put the header in front of a body."""
    body = b"".join(parts)
    return struct.pack("!III", 12 + len(body), command, sequence) + body


def connect_resp(sequence: int, authenticator: bytes) -> bytes:
    """CONNECT_RESP, 33 octets: Status has four."""
    return pdu(_RESPONSE | 1, sequence, struct.pack("!I16sB", 0, authenticator, 0x30))


def submit(sequence: int, message: Message) -> bytes:
    """SUBMIT to one number, 195 octets and the content."""
    flags = struct.pack("!QBBBB10sB", 0, 1, 1, int(message.report), 1, b"TPCQ", 2)
    fee = struct.pack("!32sBBBB6s2s6s", b"", 0, 0, 0, message.msg_fmt, b"901234", b"01", b"000000")
    route = struct.pack("!17s17s21sB32sB", b"", b"", b"1234", 1, message.to.encode(), 0)
    return pdu(4, sequence, flags, fee, route, bytes([len(message.content)]), message.content, bytes(20))


def submit_resp(sequence: int, msg_id: int) -> bytes:
    """SUBMIT_RESP, 24 octets: Result has four."""
    return pdu(_RESPONSE | 4, sequence, struct.pack("!QI", msg_id, 0))


def deliver_report(sequence: int, msg_id: int, status: Status) -> bytes:
    """DELIVER of a status report, 180 octets."""
    to = status.to.encode()
    times = status.submit_time.encode(), status.done_time.encode()
    report = struct.pack("!Q7s10s10s32sI", status.msg_id, status.stat.encode(), *times, to, status.smsc_sequence)
    head = struct.pack("!Q21s10sBBB32sBB", msg_id, b"1234", b"TPCQ", 0, 0, 0, to, 0, 1)
    return pdu(5, sequence, head, bytes([len(report)]), report, bytes(20))


def deliver_resp(sequence: int, msg_id: int) -> bytes:
    """DELIVER_RESP, 24 octets: Result has four."""
    return pdu(_RESPONSE | 5, sequence, struct.pack("!QI", msg_id, 0))
