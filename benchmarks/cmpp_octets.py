"""Octets of CMPP 2.0 PDUs in bulk: one matrix row a PDU, one builder a command.

Every builder takes columns (one entry a PDU) and returns ``(rows, lengths)``: a ``uint8`` matrix
whose row ``i`` holds PDU ``i`` in its first ``lengths[i]`` octets. The offsets are those of the
specification's tables and stand here a second time on purpose: the capture that a benchmark reads
must not inherit a mistake of the layers it exercises.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]

CONNECT, TERMINATE, SUBMIT, DELIVER, ACTIVE_TEST = 1, 2, 4, 5, 8
RESPONSE = 0x8000_0000
NAMES = {
    CONNECT: "CMPP_CONNECT",
    TERMINATE: "CMPP_TERMINATE",
    SUBMIT: "CMPP_SUBMIT",
    DELIVER: "CMPP_DELIVER",
    ACTIVE_TEST: "CMPP_ACTIVE_TEST",
}
NAMES |= {command | RESPONSE: f"{name}_RESP" for command, name in NAMES.items()}

#: Total_Length of every command here, without the Msg_Content of SUBMIT (one destination).
LENGTHS = {
    CONNECT: 39,
    CONNECT | RESPONSE: 30,
    TERMINATE: 12,
    TERMINATE | RESPONSE: 12,
    SUBMIT: 159,
    SUBMIT | RESPONSE: 21,
    DELIVER: 145,
    DELIVER | RESPONSE: 21,
    ACTIVE_TEST: 12,
    ACTIVE_TEST | RESPONSE: 13,
}
CHINA = 8 * 3600
"""Seconds by which the times inside PDUs are ahead of UTC."""


class Party(NamedTuple):
    """What one SP writes the same into all its PDUs."""

    sp_id: bytes
    service_id: bytes
    src_id: bytes
    secret: bytes


def text(rows: Octets, offset: int, value: bytes) -> None:
    """Write one text into every row, left-aligned (the rest of the field is zero already)."""
    rows[:, offset : offset + len(value)] = np.frombuffer(value, np.uint8)


def number(rows: Octets, offset: int, width: int, values: npt.ArrayLike) -> None:
    """Write big-endian unsigned integers of ``width`` octets."""
    wide = np.broadcast_to(np.asarray(values, dtype=">u8"), len(rows))
    octets = np.ascontiguousarray(wide).view(np.uint8).reshape(-1, 8)
    rows[:, offset : offset + width] = octets[:, 8 - width :]


def decimal(rows: Octets, offset: int, width: int, values: Ints) -> None:
    """Write decimal digits, filled with '0' on the left to ``width``."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    rows[:, offset : offset + width] = values[:, None] // powers % 10 + ord("0")


def calendar(seconds: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """Year, month, day, hour, minute, second in China of times in seconds since 1970 (UTC)."""
    local = seconds + CHINA
    moment = local.astype("datetime64[s]")
    months = moment.astype("datetime64[M]")
    day = (moment.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1
    month_number = months.astype(np.int64)
    in_day = local % 86_400
    hour, minute, second = in_day // 3600, in_day // 60 % 60, in_day % 60
    return month_number // 12 + 1970, month_number % 12 + 1, day, hour, minute, second


def msg_id(seconds: Ints, gateway: int, serial: Ints) -> npt.NDArray[np.uint64]:
    """Msg_Id from month to second, the gateway's number and a 16-bit serial (§7.4.3.2)."""
    _, month, day, hour, minute, second = calendar(seconds)
    moment = month << 22 | day << 17 | hour << 12 | minute << 6 | second
    return moment.astype(np.uint64) << np.uint64(38) | (gateway << 16 | serial & 0xFFFF).astype(np.uint64)


def minutes(rows: Octets, offset: int, seconds: Ints) -> None:
    """Write YYMMDDHHMM, ten digits."""
    year, month, day, hour, minute, _ = calendar(seconds)
    decimal(rows, offset, 10, (((year % 100 * 100 + month) * 100 + day) * 100 + hour) * 100 + minute)


def header(command: int, sequence_ids: Ints, lengths: Ints) -> Octets:
    """Rows as wide as the longest PDU, header filled in, everything else zero (§7.3)."""
    rows = np.zeros((len(sequence_ids), int(lengths.max(initial=0))), np.uint8)
    number(rows, 0, 4, lengths)
    number(rows, 4, 4, command)
    number(rows, 8, 4, sequence_ids)
    return rows


def fixed(command: int, sequence_ids: Ints) -> Octets:
    """PDUs of a command whose length never changes, body zero."""
    return header(command, sequence_ids, np.full(len(sequence_ids), LENGTHS[command]))


def connect(sequence_ids: Ints, party: Party, seconds: Ints) -> Octets:
    """CONNECT and its authenticator, MD5 over secret and time (§7.4.1.1)."""
    rows = fixed(CONNECT, sequence_ids)
    _, month, day, hour, minute, second = calendar(seconds)
    stamps = (((month * 100 + day) * 100 + hour) * 100 + minute) * 100 + second
    text(rows, 12, party.sp_id)
    for row, stamp in zip(rows, stamps, strict=True):
        row[18:34] = np.frombuffer(authenticator(party, int(stamp)), np.uint8)
    number(rows, 34, 1, 0x20)
    number(rows, 35, 4, stamps)
    return rows


def authenticator(party: Party, stamp: int) -> bytes:
    """AuthenticatorSource of the time ``stamp`` (MMDDHHMMSS)."""
    octets = party.sp_id + bytes(9) + party.secret + b"%010d" % stamp
    return hashlib.md5(octets, usedforsecurity=False).digest()


def connect_resp(sequence_ids: Ints, party: Party, connects: Octets) -> Octets:
    """CONNECT_RESP, Status 0, to each of ``connects`` (§7.4.1.2)."""
    rows = fixed(CONNECT | RESPONSE, sequence_ids)
    for row, request in zip(rows, connects, strict=True):
        octets = b"\0" + request[18:34].tobytes() + party.secret
        row[13:29] = np.frombuffer(hashlib.md5(octets, usedforsecurity=False).digest(), np.uint8)
    number(rows, 29, 1, 0x20)
    return rows


def answer(command: int, sequence_ids: Ints, msg_ids: npt.NDArray[np.uint64], results: Ints) -> Octets:
    """SUBMIT_RESP or DELIVER_RESP (§7.4.3.2, §7.4.5.2)."""
    rows = fixed(command | RESPONSE, sequence_ids)
    number(rows, 12, 8, msg_ids)
    number(rows, 20, 1, results)
    return rows


def submit(
    sequence_ids: Ints, party: Party, phones: Ints, formats: Ints, contents: Octets, sizes: Ints
) -> tuple[Octets, Ints]:
    """SUBMIT to one number with a report asked for (§7.4.3.1).

    ``contents`` has one row a message; only its first ``sizes[i]`` octets are sent.
    """
    lengths = LENGTHS[SUBMIT] + sizes
    rows = header(SUBMIT, sequence_ids, lengths)
    rows[:, 20:24] = 1  # Pk_total, Pk_number, Registered_Delivery, Msg_level
    text(rows, 24, party.service_id)
    number(rows, 34, 1, 2)  # Fee_UserType: the SP pays
    number(rows, 58, 1, formats)
    text(rows, 59, party.sp_id)
    text(rows, 65, b"01" + b"000000")  # FeeType, FeeCode
    text(rows, 107, party.src_id)
    number(rows, 128, 1, 1)
    decimal(rows, 129, 11, phones)
    number(rows, 150, 1, sizes)
    width = rows.shape[1] - LENGTHS[SUBMIT]
    within = np.arange(width) < sizes[:, None]
    rows[:, 151 : 151 + width] = np.where(within, contents[:, :width], 0)
    return rows, lengths


def deliver_report(
    sequence_ids: Ints,
    party: Party,
    phones: Ints,
    msg_ids: npt.NDArray[np.uint64],
    report: tuple[npt.NDArray[np.uint64], Octets, Ints, Ints, Ints],
) -> Octets:
    """DELIVER with a status report of 60 octets (§7.4.5.1).

    ``report`` is the Msg_Ids reported on, the seven letters of Stat a row, the two times in
    seconds since 1970 and SMSC_sequence.
    """
    reported, stats, submitted, done, smsc = report
    rows = fixed(DELIVER, sequence_ids)
    number(rows, 12, 8, msg_ids)
    text(rows, 20, party.src_id)
    text(rows, 41, party.service_id)
    decimal(rows, 54, 11, phones)
    number(rows, 75, 1, 1)
    number(rows, 76, 1, 60)
    number(rows, 77, 8, reported)
    rows[:, 85:92] = stats
    minutes(rows, 92, submitted)
    minutes(rows, 102, done)
    decimal(rows, 112, 11, phones)
    number(rows, 133, 4, smsc)
    return rows
