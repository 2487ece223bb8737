"""Streams: what is known of each TCP connection, as columns.

A capture may hold millions of connections of which nothing came but a SYN, so a stream is a row of numbers, about 200
octets, and not an object. `Stream` is a view of one row, made when somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from cmppscope.tables import I64

KNOWN_PORTS = (7890, 7900, 7930, 9168)
"""Ports of CMPP 2.0 §6.3: long and short SP–ISMG, ISMG–ISMG, ISMG–GNS."""

_KINDS: tuple[None, Literal["fin"], Literal["rst"]] = (None, "fin", "rst")
_ROWS = 1024

_ENDS = np.dtype([("hi", np.uint64), ("lo", np.uint64), ("port", np.uint16)])
_COLUMNS: dict[str, tuple[Any, tuple[int, ...], int]] = {
    "ip_version": (np.uint8, (), 0),
    "ends": (_ENDS, (2,), 0),
    "lower_first": (np.bool_, (), 0),
    "handshake": (np.bool_, (), 0),
    "first_frame": (np.int64, (), 0),
    "first_time_ns": (np.int64, (), 0),
    "first_seq": (np.int64, (), 0),
    "last_frame": (np.int64, (), 0),
    "last_time_ns": (np.int64, (), 0),
    "frames": (np.int64, (), 0),
    "seen": (np.bool_, (2,), 0),
    "isn": (np.int64, (2,), -1),
    "isn_frame": (np.int64, (2,), 0),
    "begun": (np.int64, (2,), -1),
    "sent": (np.int64, (2,), -1),
    "acked": (np.int64, (2,), -1),
    "fin": (np.int64, (2,), -1),
    "closing": (np.uint8, (), 0),
    "closing_direction": (np.uint8, (), 0),
    "closing_frame": (np.int64, (), 0),
    "closing_time_ns": (np.int64, (), 0),
}
"""Name to kind, further dimensions (one entry a direction), and the value of a row that nothing is known of."""


class Endpoint(NamedTuple):
    """One end of a connection."""

    ip_version: int
    address: int
    port: int


@dataclass(slots=True)
class Closing:
    """The first FIN or RST of a stream."""

    kind: Literal["fin", "rst"]
    direction: int
    frame: int
    time_ns: int


@dataclass(slots=True)
class StreamsNews:
    """What some frames changed of streams."""

    count: int
    """Streams there are now."""
    numbers: I64
    """Those that changed, the new ones among them."""
    columns: dict[str, np.ndarray]
    """Their rows."""


class Streams(Sequence["Stream"]):
    """All streams by number; `columns` holds an array for each of what `_COLUMNS` names, with room to spare."""

    def __init__(self) -> None:
        """Begin with no stream."""
        self._count = 0
        self.columns: dict[str, np.ndarray] = {
            name: np.full((0, *shape), empty, kind) if kind is not _ENDS else np.zeros((0, *shape), kind)
            for name, (kind, shape, empty) in _COLUMNS.items()
        }

    def add(self) -> int:
        """Make a row of which nothing is known; give its number."""
        number = self._count
        self._count += 1
        if number == len(self.columns["frames"]):
            more = max(_ROWS, number // 2)
            for name, (kind, shape, empty) in _COLUMNS.items():
                room = np.zeros((more, *shape), kind)
                if empty:
                    room[:] = empty
                self.columns[name] = np.concatenate([self.columns[name], room])
        return number

    def news(self, frame: int) -> StreamsNews:
        """Give the rows of streams with a segment behind a frame: nothing else changes a stream."""
        numbers = np.flatnonzero(self.columns["last_frame"][: self._count] > frame)
        return StreamsNews(self._count, numbers, {name: column[numbers] for name, column in self.columns.items()})

    def hear(self, news: StreamsNews) -> None:
        """Take over what changed of the same streams elsewhere."""
        while self._count < news.count:
            self.add()
        for name, rows in news.columns.items():
            self.columns[name][news.numbers] = rows

    def both(self, name: str) -> np.ndarray:
        """Give a column of two directions by stream * 2 + direction, to be read and written."""
        return self.columns[name].reshape(-1)

    def __len__(self) -> int:
        """Count the streams."""
        return self._count

    @overload
    def __getitem__(self, number: int) -> Stream: ...
    @overload
    def __getitem__(self, number: slice) -> list[Stream]: ...
    def __getitem__(self, number: int | slice) -> Stream | list[Stream]:
        """Give a view of a stream, or of several."""
        rows = range(self._count)[number]
        return Stream(self, rows) if isinstance(rows, int) else [Stream(self, row) for row in rows]

    def __iter__(self) -> Iterator[Stream]:
        """Give a view of every stream."""
        return (Stream(self, number) for number in range(self._count))


class Stream:
    """One TCP connection and what its header flags tell; a view of one row."""

    __slots__ = ("_columns", "number")

    def __init__(self, streams: Streams, number: int) -> None:
        """Look at a row."""
        self._columns = streams
        self.number = number

    def __eq__(self, other: object) -> bool:
        """Two views of one row are equal."""
        return isinstance(other, Stream) and (self._columns, self.number) == (other._columns, other.number)

    def __hash__(self) -> int:
        """Go by the number."""
        return hash(self.number)

    def _value(self, name: str) -> int:
        """Read a number."""
        return int(self._columns.columns[name][self.number])

    def _pair(self, name: str) -> list[int | None]:
        """Read the numbers of both directions, None where one is not known."""
        return [None if n < 0 else n for n in self._columns.columns[name][self.number].tolist()]

    @property
    def originator(self) -> Endpoint:
        """The end that opened the connection."""
        return self._end(0)

    @property
    def responder(self) -> Endpoint:
        """The other end."""
        return self._end(1)

    def _end(self, which: int) -> Endpoint:
        """Read an end."""
        high, low, port = self._columns.columns["ends"][self.number, which].tolist()
        return Endpoint(self._value("ip_version"), high << 64 | low, port)

    @property
    def first_frame(self) -> int:
        """Its first frame."""
        return self._value("first_frame")

    @property
    def first_time_ns(self) -> int:
        """Time of that, in nanoseconds since 1970 UTC."""
        return self._value("first_time_ns")

    @property
    def last_frame(self) -> int:
        """Its last frame so far."""
        return self._value("last_frame")

    @property
    def last_time_ns(self) -> int:
        """Time of that."""
        return self._value("last_time_ns")

    @property
    def frames(self) -> int:
        """Its frames, those captured twice once."""
        return self._value("frames")

    @property
    def handshake(self) -> bool:
        """A SYN was captured, so that the stream's first octets are known to be the first."""
        return bool(self._value("handshake"))

    @property
    def seen(self) -> list[bool]:
        """Whether the capture holds any segment of each direction."""
        return [bool(seen) for seen in self._columns.columns["seen"][self.number].tolist()]

    @property
    def isn(self) -> list[int | None]:
        """Initial sequence number of each direction, where a SYN or the answer to one tells it."""
        return self._pair("isn")

    @property
    def isn_frame(self) -> list[int]:
        """Frame that told each initial sequence number."""
        return [int(frame) for frame in self._columns.columns["isn_frame"][self.number].tolist()]

    @property
    def begun(self) -> list[int | None]:
        """Sequence number of the first octet that each direction's first segment has or would have."""
        return self._pair("begun")

    @property
    def sent(self) -> list[int | None]:
        """Sequence number behind the last octet that each direction's own segments tell of."""
        return self._pair("sent")

    @property
    def acked(self) -> list[int | None]:
        """The last acknowledgement that the other side sent of each direction."""
        return self._pair("acked")

    @property
    def fin(self) -> list[int | None]:
        """Sequence number of each direction's FIN: nothing was sent behind it."""
        return self._pair("fin")

    @property
    def closing(self) -> Closing | None:
        """The first FIN or RST."""
        kind = _KINDS[self._value("closing")]
        if kind is None:
            return None
        place = (self._value("closing_direction"), self._value("closing_frame"), self._value("closing_time_ns"))
        return Closing(kind, *place)

    @property
    def known_port(self) -> bool:
        """Whether either end uses a port of CMPP 2.0 §6.3."""
        return any(port in KNOWN_PORTS for port in self._columns.columns["ends"][self.number]["port"].tolist())
