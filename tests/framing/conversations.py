"""PDUs built by the layers, and what reassembly and framing make of the segments that carry them."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from cmppscope.framing import CMPP as IS_CMPP
from cmppscope.framing import Framer
from cmppscope.reassembly import Reassembler
from cmppscope.tables import Oddity
from dissectors.cmpp import (
    CMPP,
    CMPPActiveTest,
    CMPPActiveTestResp,
    CMPPConnect,
    CMPPConnectResp,
    CMPPDeliver,
    CMPPDeliverResp,
    CMPPQuery,
    CMPPSubmit,
    CMPPSubmitResp,
    CMPPTerminate,
)
from tests.reassembly.segments import Segment, cut, one_by_one


class Pdu(NamedTuple):
    """One row of a batch of PDUs."""

    pdu: int
    stream: int
    direction: int
    offset: int
    octets: bytes
    layout: int
    fits: int
    frame: int
    known_frame: int
    time_ns: int


@dataclass
class Framed:
    """All that came of a list of segments."""

    pdus: list[Pdu]
    odd: list[Oddity]
    protocol: Mapping[int, str]
    reassembler: Reassembler

    def octets(self, direction: int = 0, stream: int = 0) -> list[bytes]:
        """Give the PDUs of one direction in stream order."""
        mine = [p for p in self.pdus if (p.stream, p.direction) == (stream, direction)]
        return [p.octets for p in sorted(mine, key=lambda p: p.offset)]

    def places(self, direction: int = 0, stream: int = 0) -> list[tuple[int, bytes]]:
        """Give offset and octets of the PDUs of one direction in stream order."""
        mine = [p for p in self.pdus if (p.stream, p.direction) == (stream, direction)]
        return sorted((p.offset, p.octets) for p in mine)

    def oddities(self, direction: int | None = None) -> list[tuple[Any, ...]]:
        """Give (kind, offset, octets, value, fault) of the oddities."""
        odd = [o for o in self.odd if direction in (None, o.direction)]
        return [(o.kind, o.offset, o.octets, o.value, o.fault) for o in odd]

    def accounted(self) -> dict[int, int]:
        """Count the octets of each direction of a CMPP stream that are PDU, skipped, missing, cut or before a Gap."""
        total = {
            group: 0
            for group, state in self.reassembler.directions.items()
            if self.protocol.get(group >> 1) == IS_CMPP and state.position
        }
        for pdu in self.pdus:
            total[pdu.stream * 2 + pdu.direction] += len(pdu.octets)
        for oddity in self.odd:
            group = oddity.stream * 2 + oddity.direction
            if group in total:
                total[group] += oddity.octets + (oddity.value if oddity.kind == "gap" else 0)
        return total


def framed(segments: Sequence[Segment], borders: Sequence[int] = (), decode_as: dict[int, str] | None = None) -> Framed:
    """Reassemble and frame segments, fed in batches; check what must hold of every result."""
    reassembler = Reassembler()
    framer = Framer(reassembler, decode_as)
    pdus: list[Pdu] = []
    odd: list[Oddity] = []

    def add(made: tuple[Any, list[Oddity]], first: int, last: int) -> None:
        batch, found = made
        assert batch.first == len(pdus) + 1
        for n in range(len(batch)):
            octets = batch.octets_of(n)
            assert struct.unpack(">III", octets[:12]) == (batch.length[n], batch.command[n], batch.sequence[n])
            columns = ("stream", "direction", "offset", "layout", "fits", "frame", "known_frame", "time_ns")
            row = {name: int(getattr(batch, name)[n]) for name in columns}
            pdus.append(Pdu(batch.first + n, octets=octets, **row))
            assert first <= row["known_frame"] <= last
        assert all(first <= o.known_frame <= last for o in found)
        odd.extend(found)

    end = segments[-1].frame + 1 if segments else 1
    for batch in cut(segments, borders):
        first = int(batch.frame[0]) if len(batch) else 0
        last = int(batch.frame[-1]) if len(batch) else 0
        add(framer.feed(reassembler.feed(batch)), first, last)
    add(framer.feed(reassembler.close()), end, end)
    settled = len(pdus)
    add(framer.close(end), end, end)
    result = Framed(pdus, odd, framer.protocol, reassembler)
    for part in (pdus[:settled], pdus[settled:]):  # what only the end settles stands behind all else
        order = [(p.known_frame, p.stream, p.direction, p.offset) for p in part]
        assert order == sorted(order)
    check(result)
    return result


def check(result: Framed) -> None:
    """Check numbers, places and the sum of octets."""
    assert [p.pdu for p in result.pdus] == list(range(1, len(result.pdus) + 1))
    places = sorted((p.stream, p.direction, p.offset, len(p.octets)) for p in result.pdus)
    for before, after in pairwise(places):
        assert before[:2] != after[:2] or before[2] + before[3] <= after[2]
    states = result.reassembler.directions
    assert result.accounted() == {group: states[group].position for group in result.accounted()}


def alike(segments: Sequence[Segment], *more: Sequence[int], decode_as: dict[int, str] | None = None) -> Framed:
    """Demand the same PDUs and oddities from every cut into batches."""
    whole = framed(segments, (), decode_as)
    for borders in (one_by_one(segments), *more):
        other = framed(segments, borders, decode_as)
        assert other.pdus == whole.pdus
        assert other.odd == whole.odd
        assert other.protocol == whole.protocol
    return whole


def header(length: int, command: int, sequence: int = 1) -> bytes:
    """Give a header as the peer may write it."""
    return struct.pack(">III", length, command, sequence)


def pdu(body: Any, sequence: int = 1) -> bytes:
    """Give the octets of a PDU."""
    return bytes(CMPP(Sequence_Id=sequence) / body)


def connect(sequence: int = 1) -> bytes:
    """Give a CONNECT."""
    body = CMPPConnect(
        Source_Addr=b"901234", AuthenticatorSource=bytes(range(200, 216)), Version=0x20, Timestamp=1_022_131_415
    )
    return pdu(body, sequence)


def connect_resp(sequence: int = 1, status: int = 0) -> bytes:
    """Give a CONNECT_RESP; a refusal carries no authenticator."""
    authenticator = bytes(16) if status else bytes(range(100, 116))
    return pdu(CMPPConnectResp(Status=status, AuthenticatorISMG=authenticator, Version=0x20), sequence)


def active_test(sequence: int = 1) -> bytes:
    """Give an ACTIVE_TEST."""
    return pdu(CMPPActiveTest(), sequence)


def active_test_resp(sequence: int = 1) -> bytes:
    """Give an ACTIVE_TEST_RESP."""
    return pdu(CMPPActiveTestResp(), sequence)


def submit(sequence: int = 1, content: bytes = b"hello", receivers: int = 1) -> bytes:
    """Give a SUBMIT."""
    numbers = [f"1380013{n:04d}".encode() for n in range(receivers)]
    body = CMPPSubmit(
        Pk_total=1,
        Pk_number=1,
        Service_Id=b"HELP",
        Msg_src=b"901234",
        Src_Id=b"10690000",
        Dest_terminal_Id=numbers,
        Msg_Content=content,
    )
    return pdu(body, sequence)


def submit_resp(sequence: int = 1, result: int = 0) -> bytes:
    """Give a SUBMIT_RESP."""
    return pdu(CMPPSubmitResp(Msg_Id=0x1234_5678_9ABC_DEF0 + sequence, Result=result), sequence)


def deliver(sequence: int = 1, content: bytes = b"hello") -> bytes:
    """Give a DELIVER."""
    body = CMPPDeliver(
        Msg_Id=0x1234_5678_9ABC_0000 + sequence,
        Dest_Id=b"10690000",
        Service_Id=b"HELP",
        Src_terminal_Id=b"13800138000",
        Msg_Content=content,
    )
    return pdu(body, sequence)


def deliver_resp(sequence: int = 1) -> bytes:
    """Give a DELIVER_RESP."""
    return pdu(CMPPDeliverResp(Msg_Id=0x1234_5678_9ABC_0000 + sequence, Result=0), sequence)


def query(sequence: int = 1) -> bytes:
    """Give a QUERY."""
    return pdu(CMPPQuery(Time=b"20261022", Query_Type=0), sequence)


def terminate(sequence: int = 1) -> bytes:
    """Give a TERMINATE."""
    return pdu(CMPPTerminate(), sequence)


CONTENTS = [
    b"",
    b"hello",
    "您的验证码是 4711".encode("utf-16-be"),
    "短信中心".encode("gb18030"),
    "\U0001f600".encode("utf-16-be"),
    bytes(140),
    b"\0\0\0\x0c\0\0\0\x09" * 17,
    b"0" * 159,
]
"""Message contents, among them one full of what might be a header."""


def conversation(rng: random.Random, count: int = 6) -> tuple[list[bytes], list[bytes]]:
    """Give what both sides of a session send."""
    side0, side1 = [connect()], [connect_resp()]
    for n in range(2, 2 + count):
        content = rng.choice(CONTENTS) + rng.randbytes(rng.choice([0, 0, 3]))
        kind = rng.randrange(5)
        if kind == 0:
            side0.append(submit(n, content[:159], rng.choice([1, 1, 2, 20])))
            side1.append(submit_resp(n))
        elif kind == 1:
            side1.append(deliver(n, content))
            side0.append(deliver_resp(n))
        elif kind == 2:
            side0.append(active_test(n))
            side1.append(active_test_resp(n))
        elif kind == 3:
            side1.append(active_test(n))
            side0.append(active_test_resp(n))
        else:
            side0.append(query(n))
    side0.append(terminate(99))
    return side0, side1
