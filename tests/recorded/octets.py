"""The octets of CMPP 2.0 PDUs, packed by hand from the tables of the specification.

The oracle of the recorded captures: it knows neither the layers of `dissectors` nor anything of cmppscope, so that what
they misread cannot be written the same way. Only what the speakers say is here. Numbers and texts are invented.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from collections.abc import Sequence

CONNECT, TERMINATE, SUBMIT, DELIVER, ACTIVE_TEST = 0x01, 0x02, 0x04, 0x05, 0x08
RESPONSE = 0x80000000
NAMES = {
    CONNECT: "CMPP_CONNECT",
    TERMINATE: "CMPP_TERMINATE",
    SUBMIT: "CMPP_SUBMIT",
    DELIVER: "CMPP_DELIVER",
    ACTIVE_TEST: "CMPP_ACTIVE_TEST",
}

CHINA = dt.timezone(dt.timedelta(hours=8))
SP_ID, SECRET = b"901234", b"cmpp-secret"
SERVICE_CODE = b"10658888"
GATEWAY = 1001
HANDSETS = tuple(b"138000%05d" % number for number in range(1, 256))


def name(command: int) -> str:
    """Name a Command_Id (CMPP 2.0 §7.7.1)."""
    plain = NAMES.get(command & ~RESPONSE)
    if plain is None:
        return f"0x{command:08x}"
    return plain + "_RESP" * (command >= RESPONSE)


def pdu(command: int, sequence: int, body: bytes = b"", total: int | None = None) -> bytes:
    """Put the header before a body; `total` falsifies Total_Length (§7.3)."""
    return struct.pack("!III", 12 + len(body) if total is None else total, command, sequence) + body


def connect(sequence: int, secret: bytes = SECRET, version: int = 0x20) -> bytes:
    """Log in, at this moment (§7.4.1.1)."""
    stamp = dt.datetime.now(CHINA).strftime("%m%d%H%M%S")
    proof = hashlib.md5(SP_ID + bytes(9) + secret + stamp.encode()).digest()  # noqa: S324 - the protocol says so
    return pdu(CONNECT, sequence, struct.pack("!6s16sBI", SP_ID, proof, version, int(stamp)))


def connect_resp(asked: bytes, status: int = 0, secret: bytes = SECRET) -> bytes:
    """Answer a CONNECT; blank where the login failed (§7.4.1.2)."""
    proof = hashlib.md5(bytes([status]) + asked[18:34] + secret).digest()  # noqa: S324 - the same
    return answer(asked, struct.pack("!B16sB", status, bytes(16) if status else proof, 0x20))


def answer(asked: bytes, body: bytes = b"") -> bytes:
    """Answer any request: bit 31 set, its Sequence_Id (§7.3)."""
    command, sequence = struct.unpack_from("!II", asked, 4)
    return pdu(RESPONSE | command, sequence, body)


def msg_id(serial: int) -> int:
    """Make a Msg_Id of this moment (§7.4.3.2)."""
    now = dt.datetime.now(CHINA)
    moment = (now.month << 26) | (now.day << 21) | (now.hour << 16) | (now.minute << 10) | (now.second << 4)
    return (moment << 34) | (GATEWAY << 16) | serial


def submit(
    sequence: int,
    content: bytes = b"hello",
    *,
    to: Sequence[bytes] = HANDSETS[:1],
    fmt: int = 0,
    parts: tuple[int, int] = (1, 1),
    report: int = 0,
    service: bytes = b"TPCQ",
    total: int | None = None,
) -> bytes:
    """Send a message to handsets (§7.4.3.1)."""
    start = struct.pack("!QBBBB10s", 0, *parts, report, 0, service)
    fees = struct.pack("!B21sBBB6s2s6s", 2, b"", 0, 0, fmt, SP_ID, b"01", b"000000")
    numbers = b"".join(struct.pack("!21s", number) for number in to)
    ends = struct.pack("!17s17s21sB", b"", b"", SERVICE_CODE, len(to)) + numbers
    return pdu(SUBMIT, sequence, start + fees + ends + bytes([len(content)]) + content + bytes(8), total)


def submit_resp(asked: bytes, identity: int, result: int = 0) -> bytes:
    """Answer a SUBMIT (§7.4.3.2)."""
    return answer(asked, struct.pack("!QB", identity, result))


def deliver(sequence: int, identity: int, content: bytes, *, report: int = 0) -> bytes:
    """Bring a message from the first handset, or a report on one to it (§7.4.5.1)."""
    start = struct.pack("!Q21s10sBBB21sB", identity, SERVICE_CODE, b"TPCQ", 0, 0, 0, HANDSETS[0], report)
    return pdu(DELIVER, sequence, start + bytes([len(content)]) + content + bytes(8))


def deliver_resp(asked: bytes, identity: int) -> bytes:
    """Answer a DELIVER (§7.4.5.2)."""
    return answer(asked, struct.pack("!QB", identity, 0))


def status_report(about: int, stat: bytes = b"DELIVRD") -> bytes:
    """Make the content of a report on a message to the first handset (§7.4.5.1)."""
    now = dt.datetime.now(CHINA).strftime("%y%m%d%H%M").encode()
    return struct.pack("!Q7s10s10s21sI", about, stat, now, now, HANDSETS[0], about & 0xFFFF)
