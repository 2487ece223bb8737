"""Conversations as lines of text: what each side says and when, turned into frames and given to an Analysis.

    0.0  SP    CONNECT 1
    0.1  ISMG  CONNECT_RESP 1 status=0
    10   SP    SUBMIT 2 text=hello + SUBMIT 3
    10.1 ISMG  SUBMIT_RESP 2 id=77 | lost
    20   SP    FIN

Seconds, who speaks (`SP@1` on connection 1; SP opens each connection, ISMG listens on `port`), and what: PDUs of one
segment joined by ` + `, or SYN, ACK, FIN, RST. A word `name=value` fills a field: any by the name it has in the
specification or in reports (`registered_delivery=1 dest_id=1065`, octets as `service_id=0x2000`, a space as `_`), and
`about=MSG_ID` makes a report of a DELIVER or FWD, with fields of its own (`stat=EXPIRED`). `raw=HEX` are octets of no
PDU, `id=N` and `about=N` name the Msg_Id with serial number N, `total=N` falsifies Total_Length, `pad=N` lengthens a
PDU by N octets, `cut=N` sends the first N octets of the segment only. Behind `|`: `lost` (the capture misses the
frame), `again` (the segment before is captured once more), `jump=N` (N octets before it are missing), `hold` (the frame
comes late, as a line `release`), `twice` (it is captured once more at once), `frag=N` (as two IP fragments, the second
of which begins N octets into the packet), `overlap=N` (and repeats N octets of the first), `half` (and is lost). Both
SYNs come first, at the time of a connection's first line, unless told otherwise.
"""

from __future__ import annotations

import functools
import itertools
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cmppscope.analysis import Analysis, Options
from cmppscope.report.build import build
from cmppscope.rules import Facts
from cmppscope.tables import FrameBatch, snake
from cmppscope.transactions import STATES
from cmppscope.transactions.table import STRAYS, Transactions, in_order
from dissectors.cmpp import BODIES, CMPP, CMPPMOReport, CMPPReport, CMPPReport71
from dissectors.cmpp.counted import OctetContent, OctetList
from dissectors.cmpp.enums import COMMAND_ID
from dissectors.cmpp.fields import OctetString

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START_NS = 1_780_000_000_000_000_000
"""29 May 2026, 04:26:40 in China."""
CHINA = 28_800
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
    frame = _send(
        talk, time_ns, sender, ACK | PSH if flags is None else flags, b"" if flags else segment_of(what, time_ns)
    )
    if "hold" in how:
        talk.late = frame
    elif "lost" not in how:
        frames += _captured(frame, how)


def _captured(frame: Frame, how: list[str]) -> list[Frame]:
    """Give a frame as the capture holds it."""
    numbers = dict(word.split("=") for word in how if "=" in word)
    if "frag" not in numbers:
        return [frame, frame._replace(time_ns=frame.time_ns + 10_000)] if "twice" in how else [frame]
    begin = int(numbers["frag"])
    again = begin - int(numbers.get("overlap", 0))
    pieces = [_fragment(frame, 0, begin, more=True), _fragment(frame, again, len(frame.octets) - 20, more=False)]
    return pieces[:1] if "half" in how else pieces


def _fragment(frame: Frame, begin: int, end: int, *, more: bool) -> Frame:
    """Give a part of a packet's payload as a fragment; `begin` is a multiple of 8."""
    part = frame.octets[20 + begin : 20 + end]
    head = struct.pack(">BBHHH", 0x45, 0, 20 + len(part), 0x1234, more << 13 | begin >> 3) + frame.octets[8:20]
    return frame._replace(octets=head + part)


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


def segment_of(what: str, time_ns: int = START_NS) -> bytes:
    """Build the octets of PDUs joined by ` + `, made at some time."""
    octets, cut = b"", None
    for part in what.split(" + "):
        name, *words = part.split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        cut = options.pop("cut", None)
        if "raw" in options:
            octets += bytes.fromhex(options["raw"])
            continue
        sequence = int(next((word for word in words if "=" not in word), "1"), 0)
        if name == "CONNECT":
            local = time.gmtime(time_ns // SECOND + CHINA)
            options.setdefault("timestamp", time.strftime("%m%d%H%M%S", local).lstrip("0"))
        if name == "SUBMIT_RESP" and options.get("result", "0") == "0":
            options.setdefault("id", str(sequence & 0xFFFF or 0xFFFF))
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
    octets = bytes(CMPP(Sequence_Id=0) / BODIES[command](**_fields(command, given)))
    if command == 5 and given.get("layout") == "30":  # DELIVER of 3.0: a wider Src_terminal_Id, and LinkID
        octets = octets[:75] + bytes(12) + octets[75:-8] + bytes(20)
    return octets


def _fields(command: int, given: dict[str, str]) -> dict[str, Any]:
    """Turn words into the fields of a layer: those with names of their own, and those named like a field."""
    text = given.get("text", "hello").encode()
    version = int(given.get("version", "0x20"), 0)
    answer = {"Msg_Id": msg_id(given.get("id", "0")), "Result": int(given.get("result", "0"), 0)}
    fields: dict[int, dict[str, Any]] = {
        0x01: {"Source_Addr": given.get("addr", "901234"), "Version": version, "AuthenticatorSource": bytes(range(16))},
        0x80000001: {"Status": int(given.get("status", "0"), 0), "Version": version},
        0x04: {
            "Service_Id": "TPCQ",
            "Msg_src": "901234",
            "Src_Id": _SERVICE,
            "Msg_Content": text,
            "Registered_Delivery": int(given.get("report", "0"), 0),
            "Dest_terminal_Id": [str(13800000000 + n) for n in range(int(given.get("to", "1")))],
        },
        0x80000004: answer,
        0x05: _DELIVER | _content(command, given, text),
        0x80000005: answer,
        0x09: _FWD | _content(command, given, text),
        0x80000009: {"Msg_Id": _FWD["Msg_Id"]},
        **_ROUTES,
    }
    return fields.get(command, {}) | _named(BODIES[command], given)


def msg_id(word: str) -> int:
    """Read a Msg_Id: a serial number from 1 to 65535 of gateway 001001 when the conversation begins, else as it is."""
    number = int(word, 0)
    return 0x5E91AA0003E90000 | number if 0 < number < 1 << 16 else number


def _content(command: int, given: dict[str, str], text: bytes) -> dict[str, Any]:
    """Give the fields of a DELIVER or FWD that holds a text, or a report where a word says `about` which Msg_Id."""
    if "about" not in given:
        return {"Msg_Content": text}
    kind: Any = CMPPReport71 if "wide" in given else CMPPReport
    if command == 0x09 and given.get("msg_fwd_type") == "3":
        kind = CMPPMOReport
    defaults = {"Dest_Id": _SERVICE, "CMPP_DELIVER_time": "2605290426", "CMPP_DELIVER_RESP_time": "2605290427"}
    if kind is not CMPPMOReport:
        defaults = {"Dest_terminal_Id": _HANDSET, "Submit_time": "2605290426", "Done_time": "2605290427"}
    report = kind(**defaults | _named(kind, given) | {"Msg_Id": msg_id(given["about"])})
    return {"Msg_Content": report} | ({"Registered_Delivery": 1} if command == 0x05 else {"Msg_Fwd_Type": 2})


def _named(layer: Any, given: dict[str, str]) -> dict[str, Any]:
    """Give the fields that words name, as the specification spells them or in small letters."""
    return {f.name: _value(f, given[w]) for f in layer.fields_desc for w in (f.name, snake(f.name)) if w in given}


def _value(field: Any, word: str) -> Any:
    """Read the value of a field: a number, a text (`_` is a space), octets behind `0x`; a list has commas."""
    if isinstance(field, OctetList):
        return [_value(field.element, each) for each in word.split(",") if each]
    if isinstance(field, OctetString | OctetContent):
        return bytes.fromhex(word[2:]) if word.startswith("0x") else word.replace("_", " ").encode()
    return int(word, 0)


_SERVICE, _HANDSET = "10658888", "13800000000"
_DELIVER: dict[str, Any] = {"Dest_Id": _SERVICE, "Src_terminal_Id": _HANDSET}
_FWD: dict[str, Any] = {
    "Source_Id": "001001",
    "Destination_Id": "079101",
    "Msg_Id": 0x5E91AA0003E90001,
    "Msg_src": "901234",
    "Src_Id": _SERVICE,
    "Dest_Id": [_HANDSET],
}
_GATEWAY = {"Destination_Id": "079101", "Gateway_IP": "192.0.2.1"}
_SEGMENT = {"Start_Id": "138000", "End_Id": "138999", "Area_code": "0791"}
_CODES = {"SP_Code": "1065", "Service_Id": "TPCQ", "Start_code": 1000, "End_code": 1999}
_ROUTES: dict[int, dict[str, Any]] = {
    0x10: {"Source_Id": "001001", "Terminal_Id": _HANDSET},
    0x80000010: _GATEWAY | _SEGMENT,
    0x11: {"Source_Id": "001001", "SP_Code": _SERVICE, "Service_Id": "TPCQ", "Service_Code": 1000},
    0x80000011: _GATEWAY | {"SP_Id": "901234", "Start_code": 1000, "End_code": 1999},
    0x12: {"Source_Id": "001001"},
    0x80000012: _GATEWAY | {"Start_code": 138000, "End_code": 138999, "Area_code": "0791"},
    0x13: _GATEWAY | _SEGMENT,
    0x14: _GATEWAY | _CODES,
    0x15: _GATEWAY | _SEGMENT | {"Route_Id": 1},
    0x16: _GATEWAY | _CODES | {"Route_Id": 1},
    0x06: {"Time": "20260529"},
    0x80000006: {"Time": "20260529"},
}
"""What the PDUs hold where no word says otherwise: nothing that a rule would find."""


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
        tables = [table for facts in self.facts for table in facts.settled]
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
