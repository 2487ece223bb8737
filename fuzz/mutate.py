"""Captures and filters made wrong on purpose, each from good ones and a random number.

A mutation works on octets of a file, on the frames in it, or on the PDUs in those, so that one change can reach every
stage: what a reader of files turns away never gets as far as a rule.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import forge
from cmppscope.analysis import Analysis
from cmppscope.capture import Capture
from cmppscope.filters.fields import FIELDS
from cmppscope.filters.values import Kind
from forge import Frame

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (ROOT / "samples", *(ROOT / "tests" / "data" / kind for kind in ("real", "rules")))
MOST_OCTETS = 30_000
COMMANDS = (1, 2, 4, 5, 6, 7, 8, 9, *range(0x10, 0x17))
NUMBERS = (0, 1, 4, 11, 12, 13, 20, 21, 24, 100, 255, 256, 1000, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class Corpus:
    """Good captures: as octets, as frames, and all their PDUs by command."""

    def __init__(self) -> None:
        """Read the samples and the real captures that are not large."""
        paths = [path for folder in FOLDERS for path in sorted(folder.glob("*.pcap*"))]
        self.paths = [path for path in paths if path.stat().st_size <= MOST_OCTETS]
        self.files = [path.read_bytes() for path in self.paths]

    @cached_property
    def frames(self) -> list[list[Frame]]:
        """The frames of every file."""
        return [frames_of(path) for path in self.paths]

    @cached_property
    def pdus(self) -> dict[int, list[bytes]]:
        """The PDUs of all files, by Command_Id."""
        found: dict[int, list[bytes]] = {}
        for path in self.paths:
            analysis = Analysis()
            for facts in [*analysis.feed_all(Capture([path])), *analysis.close()]:
                for row in range(len(facts.batch)):
                    found.setdefault(int(facts.batch.command[row]), []).append(facts.batch.octets_of(row))
        return found


def frames_of(path: Path) -> list[Frame]:
    """Read the frames of a good file."""
    frames = []
    for batch in Capture([path]):
        for row in range(len(batch)):
            at = int(batch.offset[row])
            octets = batch.octets[at : at + int(batch.caplen[row])].tobytes()
            frames.append(Frame(int(batch.time_ns[row]), int(batch.linktype[row]), octets, int(batch.wirelen[row])))
    return frames


def capture(rng: random.Random, corpus: Corpus) -> bytes:
    """Make a capture file."""
    kind = rng.random()
    if kind < 0.2:
        octets = rng.choice(corpus.files)
    elif kind < 0.75:
        octets = written(rng, mutated_frames(rng, corpus))
    else:
        octets = written(rng, streams(rng, corpus))
    if kind < 0.2 or rng.random() < 0.25:
        for _ in range(rng.choice((1, 1, 2, 5))):
            octets = mutated(rng, octets, corpus)
    return octets


def written(rng: random.Random, frames: Sequence[Frame]) -> bytes:
    """Write frames in some format."""
    several = len({frame.linktype for frame in frames}) > 1
    return (forge.pcapng if several or rng.random() < 0.4 else forge.pcap)(rng, frames)


def mutated(rng: random.Random, octets: bytes, corpus: Corpus) -> bytes:  # noqa: PLR0911 - one a mutation
    """Change octets of a file anywhere."""
    at, end = sorted((rng.randrange(len(octets) + 1), rng.randrange(len(octets) + 1)))
    match rng.randrange(8):
        case 0:
            return flipped(rng, octets)
        case 1:
            return octets[:end]
        case 2:
            return octets[:at] + octets[end:]
        case 3:
            return octets[:end] + octets[at : at + 3000] + octets[end:]
        case 4:
            number = struct.pack(rng.choice("<>") + "I", rng.choice(NUMBERS))
            return octets[:at] + number + octets[at + 4 :]
        case 5:
            return octets + rng.choice(corpus.files)
        case 6:
            return forge.compressed(rng, octets)
        case _:
            return octets[:at] + rng.randbytes(rng.choice((1, 4, 30))) + octets[at:]


def flipped(rng: random.Random, octets: bytes) -> bytes:
    """Change some octets or bits."""
    changed = bytearray(octets)
    for _ in range(rng.choice((1, 1, 3, 20)) if octets else 0):
        at = rng.randrange(len(changed))
        changed[at] = rng.choice((changed[at] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 255))
    return bytes(changed)


def mutated_frames(rng: random.Random, corpus: Corpus) -> list[Frame]:
    """Take the frames of a file, or of two, and change, drop, repeat, move and cut some."""
    frames = list(rng.choice(corpus.frames))
    if rng.random() < 0.2:
        other = rng.choice(corpus.frames)
        frames = [*frames, *other] if rng.random() < 0.5 else sorted([*frames, *other], key=lambda f: f.time_ns)
    for _ in range(rng.choice((0, 1, 2, 4, 10))):
        if not frames:
            break
        at = rng.randrange(len(frames))
        frame = frames[at]
        match rng.randrange(8):
            case 0:
                del frames[at : at + rng.choice((1, 1, 1, 5))]
            case 1:
                frames.insert(rng.choice((at, min(len(frames), at + rng.randrange(9)))), frame)
            case 2:
                frames.insert(rng.randrange(max(0, at - 5), at + 1), frames.pop(at))
            case 3:
                frames[at] = frame._replace(octets=frame.octets[: rng.randrange(len(frame.octets) + 1)])
            case 4:
                shift = rng.choice((1, 10**6, 10**9, 61 * 10**9, 400 * 10**9, 10**15, -(10**9), -(10**14), 2**61))
                moved = [f._replace(time_ns=min(max(0, f.time_ns + shift), 2**62)) for f in frames[at:]]
                frames[at:] = moved if rng.random() < 0.5 else moved[:1] + frames[at + 1 :]
            case 5:
                frames[at] = frame._replace(octets=flipped(rng, frame.octets))
            case _:
                frames[at] = frame._replace(octets=with_changed_pdu(rng, frame.octets))
    return frames


def headers(octets: bytes) -> list[int]:
    """Find where PDUs may begin."""
    return [
        at
        for at in range(len(octets) - 11)
        if octets[at] == 0 == octets[at + 1] == octets[at + 5] == octets[at + 6]
        and octets[at + 4] in {0, 0x80}
        and octets[at + 7] in COMMANDS
        and 12 <= int.from_bytes(octets[at : at + 4]) < 4096
    ]


def with_changed_pdu(rng: random.Random, octets: bytes) -> bytes:
    """Change one field of a header, or octets behind it, leaving the frame as long as it is."""
    places = headers(octets)
    if not places:
        return flipped(rng, octets)
    at = rng.choice(places)
    end = at + int.from_bytes(octets[at : at + 4])
    match rng.randrange(4):
        case 0:
            length = rng.choice((*NUMBERS, end - at + rng.choice((-3, -1, 1, 3, 8))))
            return octets[:at] + struct.pack(">I", length & 0xFFFFFFFF) + octets[at + 4 :]
        case 1:
            command = rng.choice(COMMANDS) | rng.choice((0, 0x80000000))
            return octets[: at + 4] + struct.pack(">I", command) + octets[at + 8 :]
        case 2:
            number = rng.choice((*NUMBERS, rng.randrange(10)))
            return octets[: at + 8] + struct.pack(">I", number) + octets[at + 12 :]
        case _:
            return octets[: at + 12] + flipped(rng, octets[at + 12 : end]) + octets[end:]


def streams(rng: random.Random, corpus: Corpus) -> list[Frame]:
    """Make TCP connections of PDUs put together at random."""
    frames: list[Frame] = []
    for host in range(rng.choice((1, 1, 2, 3))):
        sides = tuple([pdu(rng, corpus) for _ in range(rng.choice((0, 1, 3, 12)))] for _ in range(2))
        frames += forge.stream(rng, (sides[0], sides[1]), host if rng.random() < 0.5 else rng.randrange(10))
    return sorted(frames, key=lambda frame: frame.time_ns)


def pdu(rng: random.Random, corpus: Corpus) -> bytes:
    """Give a PDU: as it was, changed, with another Sequence_Id, or octets that are none."""
    octets = rng.choice(rng.choice(list(corpus.pdus.values())))
    choice = rng.random()
    if choice < 0.5:
        return octets[:8] + struct.pack(">I", rng.choice((0, 1, 2, 3, 0xFFFFFFFF))) + octets[12:]
    if choice < 0.8:
        return with_changed_pdu(rng, octets)
    if choice < 0.9:
        size = rng.choice((0, 12, len(octets) - 1, len(octets) + 5))
        octets = (octets + bytes(5))[: max(12, size)]
        return struct.pack(">I", len(octets)) + octets[4:]
    return octets if choice < 0.95 else rng.randbytes(rng.choice((1, 5, 60)))


_VALUES = {
    Kind.NUMBER: ("0", "1", "2", "0x10", "99999999999999999999", "-1", "CMPP_SUBMIT", "late", "warn"),
    Kind.MSG_ID: ("0601101530-001001-00001", "0", "0x5e91aa0003e90001"),
    Kind.DURATION: ("500 ms", "1 min", "0.5 s", "9 h", "0 ns"),
    Kind.TIME: ('"2026-06-01 10:00"', '"2026-05-29T04:26:00Z"', '"1970-01-01"', '"9999-12-31"'),
    Kind.TEXT: ('"a"', '"验证码"', r'r"\d+"', r'"\x00"', '"138"', '""', '"["', r'"\u202e"', '"DELIVRD"'),
    Kind.OCTETS: ("05:00:03", '"a"', "00", "ff:ff"),
    Kind.ADDRESS: ("10.0.0.0/8", "192.0.2.1", "::1", "2001:db8::/32", "10.0.0.1/33"),
    Kind.TRUTH: ("true", "false", "1"),
}
_ANY_VALUE = [value for values in _VALUES.values() for value in values] + ["2**9", "{}", "1.5", "x"]
_EQUAL = ("==", "!=", "===", "!==", "all_eq", "in", "not in")
_SIGNS = {
    Kind.TEXT: (*_EQUAL, "contains", "matches", "~"),
    Kind.OCTETS: (*_EQUAL, "contains"),
    Kind.ADDRESS: _EQUAL,
    Kind.TRUTH: ("==", "!="),
}
_ORDERED = (*_EQUAL, "<", "<=", ">", ">=", "lt", "ge")
_NOISE = '()[]{}"\\!&|<>=~.,:-/ \t\n\0é验\u202e\U0001f600\udc80' + "0a9_"


def filter_text(rng: random.Random) -> str:
    """Make a filter: comparisons of any field with any value, joined; half of them made wrong."""
    parts = [comparison(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    text = parts[0]
    for part in parts[1:]:
        text = f"{text} {rng.choice(('and', 'or', '&&', '||'))} {rng.choice(('', 'not ', '!'))}({part})"
    for _ in range(rng.choice((0, 0, 1, 3))):
        at, end = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        match rng.randrange(4):
            case 0:
                text = text[:at] + rng.choice(_NOISE) + text[at:]
            case 1:
                text = text[:at] + text[min(end, at + 4) :]
            case 2:
                text = text[:end] + text[at:end] * rng.choice((1, 1, 40)) + text[end:]
            case _:
                text = "(" * rng.choice((1, 20, 2000)) + text
    return text


def comparison(rng: random.Random) -> str:
    """Compare a field with a value, mostly of its kind; or only name it."""
    field = rng.choice(FIELDS)
    sliced = field.kind in {Kind.TEXT, Kind.OCTETS} or rng.random() < 0.05
    name = field.name + (rng.choice(("", "", "[0:3]", "[0]", "[-1]", "[2-1]")) if sliced else "")
    if rng.random() < 0.15:
        return name
    likely = _VALUES[field.kind]
    value = rng.choice(likely if rng.random() < 0.9 else _ANY_VALUE)
    sign = rng.choice(_SIGNS.get(field.kind, _ORDERED) if rng.random() < 0.95 else ("contains", "matches", "<"))
    if sign in {"in", "not in"}:
        value = f"{{{value}, {rng.choice(likely)}}}"
    return f"{name} {sign} {value}"
