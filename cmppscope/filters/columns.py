"""Values of fields as columns that filters test: strings of octets, lists and texts decoded for all rows at once.

Theory of operation. A field may stand in a row more than once (a list, both PDUs of a transaction) or not at all, so a
column is two: the values, and the row of each. Octet Strings become Polars strings through their buffer, without a
Python object each. Contents are joined with a character that none of them holds, decoded in one go and divided again:
one call of a codec for thousands of messages. Where that fails, the half that holds the fault is divided further, and
what is left of it is decoded one by one, as `dissectors.cmpp.text` does.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cmppscope.arrays import octets_at, ranges, stable_order
from cmppscope.columns import Columns
from cmppscope.tables import I64, U8, Bool
from dissectors.cmpp.text import CODECS, UDHI_BITS

_SEPARATORS = "\x01\x02\x1e\x1f\x0b\x0e"
"""Characters that hardly any message holds; octets below 0x30 are never half of a GB 18030 character."""
_ONE_BY_ONE = 16
"""Contents of which one is at fault that are decoded singly."""


class Occurrences(NamedTuple):
    """The values of a field, and the row of each."""

    rows: I64 | None
    """None where every row has one value."""
    values: Any
    """A NumPy array or a Polars Series."""

    def __len__(self) -> int:
        """Count the values."""
        return len(self.values)

    def unsigned(self) -> Occurrences:
        """Give numbers as 64 bits without a sign."""
        return Occurrences(self.rows, np.asarray(self.values).astype(np.uint64))


def some(rows: Bool, values: Any) -> Occurrences:
    """Give the values of the rows that have one."""
    at = np.flatnonzero(rows)
    return Occurrences(None, values) if len(at) == len(rows) else Occurrences(at, values[at])


def joined(parts: list[Occurrences], count: int) -> Occurrences:
    """Put occurrences of several fields of `count` rows together."""
    parts = [part for part in parts if len(part)]
    if len(parts) == 1:
        return parts[0]
    rows = [np.arange(count) if part.rows is None else part.rows for part in parts]
    if not parts:
        return Occurrences(np.zeros(0, np.int64), np.zeros(0, np.int64))
    if isinstance(parts[0].values, pl.Series):
        return Occurrences(np.concatenate(rows), pl.concat([part.values for part in parts]))
    return Occurrences(np.concatenate(rows), np.concatenate([part.values for part in parts]))


def layer_values(rows: I64, columns: Columns, name: str) -> Occurrences:
    """Give a field of the 2.0 layouts; `rows` says which row of the table each row of `columns` is."""
    field = columns.body.fields[columns.body.by_name[name]]
    valid = columns.valid(name)
    if field.kind == "list":
        rows, octets = elements(rows, columns, name, field.width)
        return Occurrences(rows, strings(octets))
    if field.kind == "content":
        return _contents(rows, columns, name)
    if field.kind == "string":
        octets = columns.strings(name).octets
        octets, rows = (octets, rows) if valid.all() else (octets[valid], rows[valid])
        made = binaries(octets) if field.layer_class == "Authenticator" else strings(octets)
        return Occurrences(rows, made)
    numbers = columns.integer(name)
    return Occurrences(rows, numbers) if valid.all() else Occurrences(rows[valid], numbers[valid])


def binaries(octets: U8) -> pl.Series:
    """Give the rows of an array [rows, width] as a column of octets."""
    count, width = octets.shape
    if not count:
        return pl.Series([], dtype=pl.Binary)
    return pl.Series(octets.reshape(-1)).reshape((count, width)).cast(pl.List(pl.UInt8)).cast(pl.Binary)


def strings(octets: U8) -> pl.Series:
    """Give Octet Strings, an array [rows, width], as texts without their last NULs: UTF-8, or else octet by octet."""
    if not (octets & 0x80).any():
        return binaries(octets).cast(pl.String).str.strip_chars_end("\0")
    rare = np.flatnonzero((octets & 0x80).any(axis=1))
    plain = octets.copy()
    plain[rare] = 0
    return strings(plain).scatter(rare, [_text(octets[row].tobytes()) for row in rare.tolist()])


def _text(octets: bytes) -> str:
    """Read an Octet String that is not ASCII."""
    try:
        return octets.decode().rstrip("\0")
    except UnicodeDecodeError:
        return octets.decode("latin-1").rstrip("\0")


def _contents(rows: I64, columns: Columns, name: str) -> Occurrences:
    """Give contents as octets."""
    at = np.flatnonzero(columns.valid(name))
    offset, size = columns.place(name)
    starts = columns.position[at] + offset[at]
    octets = columns.octets.tobytes() if len(at) else b""
    return Occurrences(rows[at], pl.Series(_slices(octets, starts, starts + size[at]), dtype=pl.Binary))


def elements(rows: I64, columns: Columns, name: str, width: int) -> tuple[I64, U8]:
    """Give the elements of lists of Octet Strings: the row of each, and an array [elements, width]."""
    offset, size = columns.place(name)
    count = np.where(columns.valid(name), size // width, 0)
    starts = columns.position + offset
    if (count == 1).all():
        return rows, octets_at(columns.octets, starts, width)
    places = np.repeat(starts, count) + ranges(np.zeros(len(count), np.int64), count) * width
    return np.repeat(rows, count), octets_at(columns.octets, places, width)


def _slices(octets: bytes, starts: I64, ends: I64) -> list[bytes]:
    """Copy runs of octets."""
    return [octets[start:stop] for start, stop in zip(starts.tolist(), ends.tolist(), strict=True)]


def contents(columns: Columns, reports: Bool) -> tuple[NDArray[np.int8], I64, I64]:
    """Tell where the texts of messages are: their coding (its place in CODINGS, -1 where there is none), begin and end.

    They begin behind the user data header; `reports` marks contents that are none.
    """
    coding = np.where(columns.valid("msg_content") & ~reports, _CODEC_OF[columns.integer("msg_fmt")], np.int8(-1))
    offset, size = columns.place("msg_content")
    starts = columns.position + offset
    ends = starts + size
    headed = np.flatnonzero((coding >= 0) & (columns.integer("tp_udhi") & UDHI_BITS > 0) & (size > 0))
    starts[headed] = np.minimum(starts[headed] + 1 + columns.octets[starts[headed]], ends[headed])
    return coding, starts, ends


def texts(rows: I64, columns: Columns, reports: Bool) -> Occurrences:
    """Decode Msg_Content by its Msg_Fmt; reports and Msg_Fmts without text have none."""
    coding, starts, ends = contents(columns, reports)
    found: list[Occurrences] = []
    for number, codec in enumerate(CODINGS):
        chosen = coding == number
        odd = chosen & ((ends - starts) & 1 > 0) if codec == "utf-16-be" else np.zeros_like(chosen)
        even = np.flatnonzero(chosen & ~odd)
        even = even[stable_order(ends[even] - starts[even])]
        for at, decode in ((even, _decoded), (np.flatnonzero(odd), _singly)):
            if len(at):
                made = decode(columns.octets, starts[at], ends[at], codec)
                found.append(Occurrences(rows[at], made))
    return joined(found, len(columns))


CODINGS = tuple(dict.fromkeys(CODECS.values()))
_CODEC_OF = np.array([CODINGS.index(CODECS[n]) if n in CODECS else -1 for n in range(256)], np.int8)
"""The place of its codec in `CODINGS`, by Msg_Fmt; -1 where there is none."""


def _decoded(octets: U8, starts: I64, ends: I64, codec: str) -> pl.Series:
    """Decode contents that end with a whole character, ascending by size; what cannot be decoded becomes U+FFFD."""
    if len(starts) <= _ONE_BY_ONE:
        return _singly(octets, starts, ends, codec)
    try:
        for separator in _SEPARATORS:
            text = _run(octets, starts, ends, separator.encode(codec)).decode(codec)
            if text.count(separator) == len(starts):
                made = pl.Series([text]).str.split(separator).explode()
                return made.head(len(starts))
    except UnicodeDecodeError:
        pass
    half = len(starts) // 2
    parts = ((starts[:half], ends[:half]), (starts[half:], ends[half:]))
    return pl.concat([_decoded(octets, *part, codec) for part in parts])


def _run(octets: U8, starts: I64, ends: I64, separator: bytes) -> bytes:
    """Copy runs of octets, ascending by size, each with a separator behind it: all of one size at a time."""
    sizes = ends - starts
    heads = np.flatnonzero(np.r_[True, sizes[1:] != sizes[:-1]])
    pieces = []
    for begin, stop in pairwise([*heads.tolist(), len(sizes)]):
        size = int(sizes[begin])
        piece = np.empty((stop - begin, size + len(separator)), np.uint8)
        piece[:, :size] = octets_at(octets, starts[begin:stop], size)
        piece[:, size:] = np.frombuffer(separator, np.uint8)
        pieces.append(piece.tobytes())
    return b"".join(pieces)


def _singly(octets: U8, starts: I64, ends: I64, codec: str) -> pl.Series:
    """Decode contents one by one; what cannot be decoded becomes U+FFFD."""
    made = [octets[a:b].tobytes().decode(codec, "replace") for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    return pl.Series(made, dtype=pl.String)
