"""Conversations as lines of text: what each side says and when, turned into frames and given to an Analysis.

    0.0  SP    CONNECT 1
    0.1  ISMG  CONNECT_RESP 1 status=0
    10   SP    SUBMIT 2 text=hello + SUBMIT 3
    10.1 ISMG  SUBMIT_RESP 2 id=77 | lost
    20   SP    FIN

Seconds, who speaks (`SP@1` on connection 1; SP opens each connection, ISMG listens on `port`), and what: PDUs of one
segment joined by `+`, or SYN, ACK, FIN, RST. A word `name=value` fills a field; `raw=HEX` are octets of no PDU,
`total=N` falsifies Total_Length, `pad=N` lengthens a PDU by N octets, `cut=N` sends the first N octets of the segment
only. Behind `|`: `lost` (the capture misses the frame), `again` (the segment before is captured once more), `jump=N`
(N octets before it are missing), `hold` (the frame comes late, as a line `release`). Both SYNs
come first, at the time of a connection's first line, unless told otherwise.
"""

from __future__ import annotations

import functools
import itertools
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cmppscope.analysis import Analysis, Options
from cmppscope.report.build import build
from cmppscope.rules import Facts
from cmppscope.tables import FrameBatch
from cmppscope.transactions import STATES
from cmppscope.transactions.table import STRAYS, Transactions, in_order
from dissectors.cmpp import BODIES, CMPP, CMPPReport
from dissectors.cmpp.enums import COMMAND_ID

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START_NS = 1_780_000_000_000_000_000
SECOND = 1_000_000_000
_RAW_IP = 101

COMMANDS = {name.removeprefix("CMPP_"): command for command, name in COMMAND_ID.items()}


class Frame(NamedTuple):
    """A captured frame: nanoseconds since 1970 and the octets of its IP packet."""

    time_ns: int
    octets: bytes


@dataclass(slots=True)
class _Connection:
    """A TCP connection: the next Sequence Number of each side."""

    ports: tuple[int, int]
    seq: list[int] = field(default_factory=lambda: [1000, 0xFFFFFF00])
    before: Frame | None = None
    late: Frame | None = None


def frames_of(lines: str | Iterable[str], *, handshake: bool = True, port: int = 7890) -> list[Frame]:
    """Build the frames of a conversation, in the order of its lines."""
    frames: list[Frame] = []
    connections: dict[int, _Connection] = {}
    for line in lines.splitlines() if isinstance(lines, str) else lines:
        if not line.split("#")[0].strip():
            continue
        head, _, how = line.split("#")[0].partition("|")
        seconds, who, what = head.split(None, 2)
        side, _, number = who.partition("@")
        time_ns, sender = START_NS + round(float(seconds) * SECOND), int(side not in ("SP", "A"))
        at = int(number or 0)
        talk = connections.get(at)
        if talk is None:
            talk = connections[at] = _Connection((40001 + at, port))
            if handshake and what.strip() != "SYN":
                frames += [_send(talk, time_ns, 0, SYN), _send(talk, time_ns, 1, SYN | ACK)]
        _say(talk, time_ns, sender, what.strip(), how.split(), frames)
    return frames


def _say(talk: _Connection, time_ns: int, sender: int, what: str, how: list[str], frames: list[Frame]) -> None:
    """Add the frame of one line, unless the capture lost it."""
    flags = {"SYN": SYN, "ACK": ACK, "FIN": FIN | ACK, "RST": RST | ACK}.get(what)
    for word in how:
        if word.startswith("jump="):
            talk.seq[sender] += int(word[5:])
    if what == "SYN" and sender:
        flags = SYN | ACK
    if "again" in how:
        frames += [talk.before._replace(time_ns=time_ns)] if talk.before else []
        return
    if what == "release" and talk.late:
        frames.append(talk.late._replace(time_ns=time_ns))
        return
    frame = _send(talk, time_ns, sender, ACK | PSH if flags is None else flags, b"" if flags else segment_of(what))
    if "hold" in how:
        talk.late = frame
    elif "lost" not in how:
        frames.append(frame)


def _send(talk: _Connection, time_ns: int, sender: int, flags: int, payload: bytes = b"") -> Frame:
    """Build a frame and move the sender's Sequence Number on."""
    hosts = (b"\xc0\x00\x02\x0a", b"\xc6\x33\x64\x01")
    addresses, ports = (hosts, hosts[::-1])[sender], (talk.ports, talk.ports[::-1])[sender]
    seq, ack = talk.seq[sender] & 0xFFFFFFFF, talk.seq[1 - sender] & 0xFFFFFFFF
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack if flags & ACK else 0, 0x50, flags, 8192, 0, 0)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0) + b"".join(addresses)
    talk.seq[sender] += len(payload) + bool(flags & (SYN | FIN))
    talk.before = Frame(time_ns, ip + tcp + payload)
    return talk.before


def segment_of(what: str) -> bytes:
    """Build the octets of PDUs joined by `+`."""
    octets, cut = b"", None
    for part in what.split("+"):
        name, *words = part.split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        cut = options.pop("cut", None)
        if "raw" in options:
            octets += bytes.fromhex(options["raw"])
            continue
        sequence = int(next((word for word in words if "=" not in word), "1"), 0)
        octets += pdu(name, sequence, **options)
    return octets if cut is None else octets[: int(cut)]


def pdu(name: str, sequence: int, **options: str) -> bytes:
    """Build a PDU; `sequence` is its Sequence_Id."""
    total, pad = options.pop("total", None), int(options.pop("pad", "0"))
    octets = _built(name, tuple(sorted(options.items()))) + bytes(pad)
    length = len(octets) if total is None else int(total, 0)
    return length.to_bytes(4, "big") + octets[4:8] + sequence.to_bytes(4, "big") + octets[12:]


@functools.cache
def _built(name: str, options: tuple[tuple[str, str], ...]) -> bytes:
    """Build a PDU with Sequence_Id 0."""
    given = dict(options)
    if name.startswith("0x"):
        body = bytes.fromhex(given.get("body", ""))
        return struct.pack(">III", 12 + len(body), int(name, 16), 0) + body
    command = COMMANDS[name]
    if command == 0x80000001 and given.get("width") == "4":  # CONNECT_RESP of 3.0
        return struct.pack(">IIII", 33, command, 0, int(given.get("status", "0"))) + bytes(17)
    if command == 4 and given.get("layout") == "30":  # SUBMIT of 3.0, of 209 octets: one receiver, 14 octets of text
        submit = bytearray(197)
        submit[128], submit[162] = 1, 14
        return struct.pack(">III", 209, command, 0) + bytes(submit)
    layer = BODIES[command](**_fields(command, given))
    return bytes(CMPP(Sequence_Id=0) / layer)


def _fields(command: int, given: dict[str, str]) -> dict[str, Any]:
    """Turn words into the fields of a layer."""
    number = {name: int(value, 0) for name, value in given.items() if name not in ("addr", "text", "stat")}
    text = given.get("text", "hello").encode()
    deliver: dict[str, Any] = {"Msg_Content": text}
    if "about" in number:
        report = CMPPReport(Msg_Id=number["about"], Stat=given.get("stat", "DELIVRD"))
        deliver = {"Registered_Delivery": 1, "Msg_Content": report}
    version = number.get("version", 0x20)
    answer = {"Msg_Id": number.get("id", 0), "Result": number.get("result", 0)}
    fields: dict[int, dict[str, Any]] = {
        0x01: {"Source_Addr": given.get("addr", "901234"), "Version": version, "Timestamp": 601101530},
        0x80000001: {"Status": number.get("status", 0), "Version": version},
        0x04: {
            "Msg_Content": text,
            "Registered_Delivery": number.get("report", 0),
            "Dest_terminal_Id": [str(13800000000 + n) for n in range(number.get("to", 1))],
        },
        0x80000004: answer,
        0x05: deliver,
        0x80000005: answer,
        0x09: {"Msg_Content": text},
    }
    return fields.get(command, {})


def batches(frames: Sequence[Frame], cuts: Sequence[int] = ()) -> list[FrameBatch]:
    """Cut frames into batches, before the frames at the places `cuts` (counted from 0)."""
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(frames)}), len(frames)]
    return [_batch(frames[low:high], low + 1) for low, high in itertools.pairwise(bounds)]


def _batch(frames: Sequence[Frame], first: int) -> FrameBatch:
    """Put frames into one batch."""
    length = np.array([len(frame.octets) for frame in frames], np.int64)
    return FrameBatch(
        octets=np.frombuffer(b"".join(frame.octets for frame in frames), np.uint8),
        first=first,
        offset=np.cumsum(length) - length,
        caplen=length,
        wirelen=length,
        time_ns=np.array([frame.time_ns for frame in frames], np.int64),
        linktype=np.full(len(frames), _RAW_IP, np.int32),
    )


@dataclass(slots=True)
class Told:
    """A closed Analysis with all the facts it gave, batch by batch."""

    analysis: Analysis
    facts: list[Facts]

    @property
    def transactions(self) -> Transactions:
        """All transactions, in order of their requests."""
        tables = [f.paired.closed for f in self.facts] + [f.ended for f in self.facts if f.ended is not None]
        return in_order(tables)

    @property
    def pairs(self) -> list[tuple[int, int, str, int]]:
        """All transactions, short: PDU of the request, PDU of the response, state, sendings."""
        t = self.transactions
        columns = (t.pdu, t.response_pdu, [STATES[s] for s in t.state.tolist()], t.sendings)
        return [(int(a), int(b), str(c), int(d)) for a, b, c, d in zip(*columns, strict=True)]

    @property
    def strays(self) -> list[tuple[int, str]]:
        """All responses that answer nothing: PDU, kind."""
        return [(s.pdu, STRAYS[s.kind]) for f in self.facts for s in f.strays]

    @property
    def found(self) -> list[tuple[str, str, int]]:
        """Findings: rule, fault, count."""
        return [(f.rule.id, f.fault, f.count) for f in self.analysis.findings]

    @property
    def pdus(self) -> list[tuple[Any, ...]]:
        """All PDUs, in full."""
        rows: list[tuple[Any, ...]] = []
        names = ("layout", "fits", "stream", "direction", "offset", "frame", "known_frame", "time_ns")
        for f in self.facts:
            for row in range(len(f.batch)):
                place = tuple(int(getattr(f.batch, name)[row]) for name in names)
                rows.append((f.batch.first + row, f.batch.octets_of(row), int(f.session[row]), *place))
        return rows

    @property
    def everything(self) -> dict[str, Any]:
        """All there is to compare."""
        t = self.transactions
        sent_again = {f.batch.first + row for f in self.facts for row in f.paired.resends.tolist()}
        return {
            "pdus": self.pdus,
            "transactions": list(zip(*(getattr(t, name).tolist() for name in Transactions.__slots__), strict=True)),
            "strays": [s for f in self.facts for s in f.strays],
            "resends": sorted(sent_again),
            "findings": [(f.rule.id, f.fault, f.count, f.places) for f in self.analysis.findings],
            "streams": self.analysis.protocols,
            "report": msgspec.json.encode(build(self.analysis, [])),
        }


def analyse(frames: Sequence[Frame], cuts: Sequence[int] = (), **options: Any) -> Told:
    """Analyse frames in batches cut at some places."""
    analysis = Analysis(Options(**({"keep_findings": True} | options)))
    facts = [analysis.feed(batch) for batch in batches(frames, cuts)] if frames else []
    return Told(analysis, facts + analysis.close())


def told(lines: str | Iterable[str], **how: Any) -> Told:
    """Analyse a conversation."""
    build_with = {name: how.pop(name) for name in ("handshake", "port") if name in how}
    return analyse(frames_of(lines, **build_with), **how)


def every_cut(frames: Sequence[Frame]) -> Mapping[str, Sequence[int]]:
    """Give the two extremes of cutting: one batch, and a batch a frame."""
    return {"whole": (), "one by one": range(len(frames))}
