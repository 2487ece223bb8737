"""The nouns of the program as columns: what every stage takes and gives, with units.

A batch is a struct of NumPy arrays, one row a frame, a segment, a chunk or a PDU, over one buffer of octets.
Rows of a batch are in the order in which they were captured or, for PDUs, in which they became known.
This module is the only owner of these shapes; it imports no other module of the package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Bool = NDArray[np.bool_]

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
"""TCP flag bits (RFC 9293 §3.1)."""

BATCH_FRAMES = 100_000
"""Rows of one batch when a file is read."""

ADDRESS_BITS = 48
"""An octet of a capture has an address: the index of its file above these bits, its offset in the file below."""
FILES_ADDRESSED = (1 << 63 - ADDRESS_BITS) - 1
"""Files whose octets have addresses; the last index that would fit is left for octets that lie elsewhere."""
NOWHERE = -1
"""The address of octets that cannot be found in a file, or not in one piece."""


@dataclass(slots=True)
class FrameBatch:
    """Captured records. All arrays have one entry a frame."""

    octets: U8
    """The buffer that holds the captured octets of every frame of this batch."""
    first: int
    """Number of the first frame; frames are numbered from 1 and run on over several files."""
    offset: I64
    """Where the frame's captured octets begin in `octets`."""
    caplen: I64
    """Octets captured."""
    wirelen: I64
    """Octets the frame had on the wire, as the capture says."""
    time_ns: I64
    """Nanoseconds since 1970-01-01 UTC."""
    linktype: I32
    """LINKTYPE_ value of the interface that captured the frame."""
    file: int = 0
    """Index of the file in the capture."""
    file_first: int = 1
    """Number of the first frame within its own file."""
    file_offset: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    """Where the frame's captured octets begin in the (decompressed) file; empty when there is no file."""

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.offset)

    @property
    def address(self) -> int:
        """Address of the first octet of `octets`, NOWHERE where they are not those of a file.

        A batch is one stretch of one file, so that the octet at `at` has the address `address + at`.
        """
        if not len(self.file_offset) or not 0 <= self.file < FILES_ADDRESSED:
            return NOWHERE
        return (self.file << ADDRESS_BITS) + int(self.file_offset[0] - self.offset[0])


@dataclass(slots=True)
class SegmentBatch:
    """TCP segments, in frame order. All arrays have one entry a segment."""

    octets: U8
    """The buffer that holds the payloads: the frames' own, or a copy with what had to be put together behind it."""
    frame: I64
    """Frame that carried the segment (the last one, where the IP packet was fragmented)."""
    time_ns: I64
    src_hi: U64
    src_lo: U64
    dst_hi: U64
    dst_lo: U64
    """Addresses as 128 bits in two halves; IPv4 stands in the low 32 bits of `lo`, with `hi` 0."""
    ip_version: U8
    """4 or 6."""
    sport: I32
    dport: I32
    seq: I64
    ack: I64
    """Sequence and acknowledgement numbers, 0 … 2**32 - 1."""
    flags: U8
    offset: I64
    """Where the payload begins in `octets`."""
    length: I64
    """Payload octets captured."""
    missing: I64
    """Payload octets that the packet had on the wire and the capture cut off (snapshot length)."""
    ip_id: I32
    """Identification of the IPv4 packet; 0 where it has none, as in IPv6."""
    own: int = 0
    """Octets at the beginning of `octets` that are the frames' own; what follows was put together."""
    address: int = NOWHERE
    """Address of the first octet of `octets`."""

    def __len__(self) -> int:
        """Count the segments."""
        return len(self.frame)

    def take(self, rows: Bool) -> SegmentBatch:
        """Give the segments that are marked."""
        taken = {name: getattr(self, name)[rows] for name in self.__slots__ if name not in _OF_THE_BUFFER}
        return SegmentBatch(octets=self.octets, **taken, own=self.own, address=self.address)

    def address_of(self, offset: I64) -> I64:
        """Give the addresses of places in `octets`."""
        if self.address == NOWHERE:
            return np.full(len(offset), NOWHERE)
        return np.where(offset < self.own, offset + self.address, NOWHERE)


_OF_THE_BUFFER = ("octets", "own", "address")


@dataclass(slots=True)
class FileInfo:
    """What was learnt of one capture file; complete when its last frame was read."""

    name: str
    """Base name, or `-` for standard input."""
    format: str = ""
    """`pcap` or `pcapng`, with the compression behind a plus sign: `pcap+gzip`."""
    frames: int = 0
    octets: int = 0
    """Captured octets of all frames."""
    linktypes: Sequence[int] = ()
    """LINKTYPE_ values in order of first use."""
    damage: str | None = None
    """One line that says what is wrong with the file and where, None when nothing is."""
    first_ns: int = 0
    last_ns: int = 0
    """Least and greatest time of its frames, where there are any."""
    digest: tuple[int, int] = (0, 0)
    """CRCs over times and lengths of its frames: files with the same are copies."""


@dataclass(slots=True)
class ChunkBatch:
    """Octets of streams in stream order, and Gaps: what reassembly gives to framing.

    Rows are grouped by stream and direction; inside a group they follow each other in the stream.
    """

    octets: U8
    """The buffer that holds the octets of every chunk: the segments' own, or a copy with what waited behind it."""
    begin: I64
    """Where the chunk's octets begin in `octets`; of no meaning for a Gap."""
    stream: I64
    direction: I64
    offset: I64
    """Octets of this direction before the chunk, captured or missing; 0 is the first octet known to be expected."""
    length: I64
    """Octets of the chunk."""
    gap: I64
    """Octets missing here; 0 where the chunk holds octets."""
    frame: I64
    """The frame to which the chunk's octets are put down (design: PDU, frame); for a Gap the first one behind it."""
    known_frame: I64
    """The frame at which it was decided that the octets stand here."""
    time_ns: I64
    """Time of `frame`."""
    carrier: I64
    """The frame in which the octets were captured: earlier than `frame` where they waited for others."""
    address: I64
    """Address of the chunk's first octet, NOWHERE where the chunk does not lie in a file in one piece."""

    def __len__(self) -> int:
        """Count the chunks."""
        return len(self.begin)

    def piece(self, row: int) -> memoryview:
        """Give the octets of a chunk; none for a Gap."""
        start = int(self.begin[row])
        return self.octets.data[start : start + int(self.length[row])]


@dataclass(slots=True)
class PduBatch:
    """PDUs in order of becoming known: by (known_frame, stream, direction, offset). One entry a PDU in every array."""

    octets: U8
    """The buffer that holds every PDU of the batch, each whole and in one piece."""
    first: int
    """Number of the first PDU; PDUs are numbered from 1."""
    position: I64
    """Where the PDU begins in `octets`."""
    length: I64
    """Total_Length."""
    command: I64
    """Command_Id."""
    sequence: I64
    """Sequence_Id."""
    layout: U8
    """A LAYOUT_ value: which version's field table the PDU is read with."""
    fits: U8
    """Bits FITS_: the versions whose field table gives just this Total_Length."""
    stream: I64
    direction: I64
    offset: I64
    """Octets of this direction before the PDU."""
    frame: I64
    known_frame: I64
    time_ns: I64

    def __len__(self) -> int:
        """Count the PDUs."""
        return len(self.position)

    @classmethod
    def empty(cls, first: int) -> PduBatch:
        """Give a batch without PDUs."""
        small, none = np.zeros(0, np.uint8), np.zeros(0, np.int64)
        return cls(small, first, none, none, none, none, small, small, *(none,) * 6)

    def part(self, begin: int, end: int) -> PduBatch:
        """Give the rows from one to before another; arrays are views."""
        names = [name for name in PduBatch.__slots__ if name not in {"octets", "first"}]
        columns = {name: getattr(self, name)[begin:end] for name in names}
        return PduBatch(octets=self.octets, first=self.first + begin, **columns)

    def where(self, rows: I64) -> tuple[U8, I64]:
        """Give a buffer that holds some PDUs, and where each of them begins in it."""
        return self.octets, self.position[rows]

    def octets_of(self, row: int) -> bytes:
        """Give the octets of the PDU in one row."""
        start = int(self.position[row])
        return self.octets[start : start + int(self.length[row])].tobytes()


LAYOUT_NONE, LAYOUT_20, LAYOUT_21, LAYOUT_30 = 0, 20, 21, 30
"""Layouts of a PDU: of no version, or as 2.0, 2.1 (GNS messages) or 3.0 has them."""

FITS_20, FITS_21, FITS_30 = 1, 2, 4

_NAMES = {
    "TP_pId": "tp_pid",
    "ValId_Time": "valid_time",
    "DestUsr_tl": "dest_usr_tl",
    "Fee_UserType": "fee_user_type",
}


def snake(name: str) -> str:
    """Give the public name of a field of the specification: `DestUsr_tl` is `dest_usr_tl`."""
    return _NAMES.get(name, name.lower())


Row = dict[str, Any]
"""One row of a table as JSON-ready values."""


@dataclass(slots=True)
class Oddity:
    """Something about the octets of a stream that is no PDU: a fact of framing, of which rules make findings."""

    kind: str
    """`below-header`, `impossible`, `truncated`, `skipped`, `gap`, `cut` or `late`."""
    stream: int
    direction: int
    offset: int
    """Octets of this direction before it."""
    frame: int
    known_frame: int
    octets: int = 0
    """Octets skipped, missing or left over."""
    value: int = 0
    """The length that a header claims, where there is one."""
    fault: str = "peer"
    """`peer` or `capture`."""
