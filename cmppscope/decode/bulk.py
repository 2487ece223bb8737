"""Common frames to segments, all at once.

Theory of operation: every frame has one entry in each array of `Rows`. A step takes the indices of the frames that are
still in the race, tests that a header lies within the captured octets, gathers that header for all of them in one pass
over memory, and writes what it says into the arrays; who fails a test gets a verdict and leaves. As long as nobody has
left, the indices are a plain slice and nothing is copied. Nothing outside a frame's captured octets is ever read.

Known here: Ethernet with up to `TAGS_MAX` VLAN tags, Linux cooked captures, null and loopback, raw IP; IPv4 with
options and IPv6 without extension headers; TCP. A frame that may hold TCP in another way gets the verdict ODD; all
others (UDP, ARP, …) are decided here. Cost: 0.3 µs a frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cmppscope.decode import verdicts as v

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cmppscope.tables import I64, U8, Bool, FrameBatch

    Indices = slice | I64

TAGS_MAX = 8
"""VLAN tags looked through in bulk."""

ALL = slice(None)


def _layout(itemsize: int, **fields: tuple[int, str]) -> np.dtype[np.void]:
    """Describe a header: name → (offset, format)."""
    offsets, formats = zip(*fields.values(), strict=True)
    return np.dtype({"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": itemsize})


U8_HEADER = _layout(1, value=(0, "u1"))
U16_HEADER = _layout(2, value=(0, ">u2"))
U32_HEADER = _layout(4, value=(0, ">u4"))
LLC_HEADER = _layout(3, sap=(0, ">u2"), control=(2, "u1"))
IPV4_HEADER = _layout(
    20,
    first=(0, "u1"),
    total=(2, ">u2"),
    id=(4, ">u2"),
    fragment=(6, ">u2"),
    protocol=(9, "u1"),
    src=(12, ">u4"),
    dst=(16, ">u4"),
)
IPV6_HEADER = _layout(
    40,
    first=(0, "u1"),
    length=(4, ">u2"),
    protocol=(6, "u1"),
    src_hi=(8, ">u8"),
    src_lo=(16, ">u8"),
    dst_hi=(24, ">u8"),
    dst_lo=(32, ">u8"),
)
TCP_HEADER = _layout(
    20,
    sport=(0, ">u2"),
    dport=(2, ">u2"),
    seq=(4, ">u4"),
    ack=(8, ">u4"),
    offset=(12, "u1"),
    flags=(13, "u1"),
)

COLUMNS = {
    "src_hi": np.uint64,
    "src_lo": np.uint64,
    "dst_hi": np.uint64,
    "dst_lo": np.uint64,
    "ip_version": np.uint8,
    "sport": np.int32,
    "dport": np.int32,
    "seq": np.int64,
    "ack": np.int64,
    "flags": np.uint8,
    "offset": np.int64,
    "length": np.int64,
    "missing": np.int64,
    "ip_id": np.int32,
}
"""What is learnt of a frame that holds a segment: columns of SegmentBatch."""

MAY_HOLD_TCP = np.zeros(256, np.bool_)
MAY_HOLD_TCP[[*v.TUNNELS]] = True
"""IP protocols that the bulk path leaves to the other one; of fragments TCP too, in IPv6 the extension headers too."""


@dataclass(slots=True)
class Rows:
    """One entry a frame in every array; what a verdict other than SEGMENT leaves in them means nothing."""

    octets: U8
    start: I64
    captured_end: I64
    wire_end: I64
    cut: Bool
    verdict: U8
    kind: NDArray[np.int32]
    """Ethertype of what the link layer carries."""
    at: I64
    """Where the next header begins."""
    end: I64
    """Where the IP packet ends by its own word."""
    network: I64
    """Where the IPv4 header begins, where there is one."""
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    def drop(self, rows: Indices, ok: Bool, verdict: int | U8) -> Indices:
        """Give the frames that fail a test their verdict (one, or one for each of `rows`), and return the others."""
        if ok.all():
            return rows
        which = verdict if isinstance(verdict, int) else verdict[~ok]
        self.verdict[pick(rows, ~ok)] = which
        return pick(rows, ok)

    def need(self, rows: Indices, size: int | I64) -> Indices:
        """Drop the frames that do not hold so many octets more."""
        ok = self.at[rows] + size <= self.captured_end[rows]
        if ok.all():
            return rows
        return self.drop(rows, ok, np.where(self.cut[rows], v.CUT, v.SHORT).astype(np.uint8))

    def gather(self, rows: Indices, layout: np.dtype[np.void], ahead: int = 0) -> NDArray[np.void]:
        """Copy the header that begins `ahead` octets behind `at`; it must have been tested to be there."""
        size, at = layout.itemsize, self.at[rows]
        everywhere: NDArray[np.void] = np.ndarray(
            (max(0, len(self.octets) - size + 1),), f"V{size}", self.octets.data, 0, (1,)
        )
        return everywhere[at + ahead if ahead else at].view(layout)

    def set(self, rows: Indices | int, **values: Any) -> None:
        """Write columns."""
        for name, value in values.items():
            self.columns[name][rows] = value


def pick(rows: Indices, mask: Bool) -> I64:
    """Choose of the indices those that the mask, one entry each, holds."""
    return np.flatnonzero(mask) if isinstance(rows, slice) else rows[mask]


def decode_bulk(frames: FrameBatch) -> Rows:
    """Give every frame its verdict, and those that hold a segment its columns."""
    count = len(frames)
    longest = np.maximum(frames.wirelen, frames.caplen)
    rows = Rows(
        octets=frames.octets,
        start=frames.offset,
        captured_end=frames.offset + frames.caplen,
        wire_end=frames.offset + longest,
        cut=frames.caplen < frames.wirelen,
        verdict=np.zeros(count, np.uint8),
        kind=np.zeros(count, np.int32),
        at=frames.offset.copy(),
        end=frames.offset + longest,
        network=np.zeros(count, np.int64),
        columns={name: np.zeros(count, kind) for name, kind in COLUMNS.items()},
    )
    if count:
        _link(rows, frames.linktype)
        _network(rows)
    return rows


def _link(rows: Rows, linktype: NDArray[np.int32]) -> None:
    """Let every link type find what it carries and where."""
    first = int(linktype[0])
    if (linktype == first).all():
        LINKS.get(first, _unknown)(rows, ALL)
        return
    for number in np.unique(linktype).tolist():
        LINKS.get(number, _unknown)(rows, np.flatnonzero(linktype == number))


def _unknown(rows: Rows, which: Indices) -> None:
    """Leave frames of other link types alone."""
    rows.verdict[which] = v.LINK


def _typed(size: int, type_at: int) -> Callable[[Rows, Indices], None]:
    """Make the step for a link header that holds an ethertype, behind which VLAN tags may stand."""

    def step(rows: Rows, which: Indices) -> None:
        which = rows.need(which, size)
        if _empty(which):
            return
        kind = rows.gather(which, U16_HEADER, type_at)["value"].astype(np.int32)
        rows.kind[which] = kind
        rows.at[which] += size
        for _ in range(TAGS_MAX):
            tagged = np.isin(kind, v.VLAN_TAGS) if kind.max(initial=0) >= v.VLAN_TAGS[0] else np.zeros(0, np.bool_)
            if not tagged.any():
                return
            which = rows.need(pick(which, tagged), 4)
            kind = rows.gather(which, U16_HEADER, 2)["value"].astype(np.int32)
            rows.kind[which] = kind
            rows.at[which] += 4

    return step


def _family(*, either_order: bool) -> Callable[[Rows, Indices], None]:
    """Make the step for a link header that is an address family of four octets."""

    def step(rows: Rows, which: Indices) -> None:
        which = rows.need(which, 4)
        family = rows.gather(which, U32_HEADER)["value"].astype(np.uint32)
        if either_order:
            family = np.where(family > 0xFFFF, family.byteswap(), family)
        rows.at[which] += 4
        rows.kind[which] = np.select([family == v.FAMILY_IPV4, np.isin(family, v.FAMILIES_IPV6)], [v.IPV4, v.IPV6], 0)
        rows.verdict[pick(which, rows.kind[which] == 0)] = v.NOT_TCP

    return step


def _raw(rows: Rows, which: Indices) -> None:
    """Tell the version of IP from its first octet."""
    which = rows.need(which, 1)
    version = rows.gather(which, U8_HEADER)["value"] >> 4
    rows.kind[which] = np.select([version == 4, version == 6], [v.IPV4, v.IPV6], 0)
    rows.drop(which, rows.kind[which] != 0, v.NOT_IP)


def _walked(rows: Rows, which: Indices) -> None:
    """Leave frames of a link type that is not common to the other path."""
    rows.verdict[which] = v.ODD


def _always(kind: int) -> Callable[[Rows, Indices], None]:
    """Make the step for a link type that is one version of IP and nothing else."""

    def step(rows: Rows, which: Indices) -> None:
        rows.kind[which] = kind

    return step


LINKS = {
    v.ETHERNET: _typed(14, 12),
    v.COOKED: _typed(16, 14),
    v.COOKED2: _typed(20, 0),
    v.NULL: _family(either_order=True),
    v.LOOP: _family(either_order=False),
    **dict.fromkeys(v.RAW, _raw),
    v.RAW_IPV4: _always(v.IPV4),
    v.RAW_IPV6: _always(v.IPV6),
    **dict.fromkeys(v.WALKED, _walked),
}
"""The first step for every link type that is known."""


def _network(rows: Rows) -> None:
    """Follow IPv4 and IPv6, and decide what becomes of the rest."""
    pending = rows.verdict == v.PENDING
    version4 = pending & (rows.kind == v.IPV4)
    if version4.all():
        _ipv4(rows, ALL)
        return
    if version4.any():
        _ipv4(rows, np.flatnonzero(version4))
    version6 = pending & (rows.kind == v.IPV6)
    if version6.any():
        _ipv6(rows, np.flatnonzero(version6))
    others = np.flatnonzero(pending & ~version4 & ~version6)
    if len(others):
        _others(rows, others)


def _others(rows: Rows, which: I64) -> None:
    """Sort out what may hold IP in another way: more VLAN tags, MPLS, PPPoE, SNAP."""
    rows.verdict[which] = v.NOT_TCP
    kind = rows.kind[which]
    rows.verdict[which[np.isin(kind, (*v.VLAN_TAGS, v.MPLS, v.MPLS_MULTICAST, v.PPPOE))]] = v.ODD
    llc = which[kind <= v.LLC_MAX]
    llc = llc[rows.at[llc] + LLC_HEADER.itemsize <= rows.captured_end[llc]]
    if len(llc):
        header = rows.gather(llc, LLC_HEADER)
        rows.verdict[llc[(header["sap"] == 0xAAAA) & (header["control"] == 3)]] = v.ODD


def _ipv4(rows: Rows, which: Indices) -> None:
    """Read IPv4 headers (RFC 791)."""
    which = rows.need(which, 20)
    if _empty(which):
        return
    header = rows.gather(which, IPV4_HEADER)
    first = header["first"]
    size = (first & 15).astype(np.int64) * 4
    total = header["total"].astype(np.int64)
    fits = (first >> 4 == 4) & (size >= 20) & ((total >= size) | (total == 0))
    protocol = header["protocol"].copy()
    fragment = (header["fragment"] & 0x3FFF) != 0
    plain = fits & (protocol == v.TCP) & ~fragment
    tcp = which
    if not plain.all():
        rows.drop(which, fits, v.BAD_IPV4)
        others = fits & ~plain
        odd = MAY_HOLD_TCP[protocol] | (protocol == v.TCP)
        rows.at[pick(which, others)] += size[others]
        _not_plain(rows, pick(which, others), odd[others], (protocol == v.UDP)[others] & ~fragment[others])
        tcp = pick(which, plain)
        header, size, total = header[plain], size[plain], total[plain]
    at = rows.at[tcp]
    rows.end[tcp] = np.where(total == 0, rows.wire_end[tcp], at + total)
    rows.network[tcp] = at
    rows.at[tcp] = at + size
    rows.set(tcp, src_lo=header["src"], dst_lo=header["dst"], ip_id=header["id"], ip_version=4)
    _tcp(rows, tcp)


def _ipv6(rows: Rows, which: Indices) -> None:
    """Read IPv6 headers (RFC 8200)."""
    which = rows.need(which, 40)
    which = rows.drop(which, rows.gather(which, U8_HEADER)["value"] >> 4 == 6, v.BAD_IPV6)
    if _empty(which):
        return
    header = rows.gather(which, IPV6_HEADER)
    protocol = header["protocol"].copy()
    length = header["length"].astype(np.int64)
    at = rows.at[which]
    rows.end[which] = np.where(length == 0, rows.wire_end[which], at + 40 + length)
    rows.at[which] = at + 40
    names = ("src_hi", "src_lo", "dst_hi", "dst_lo")
    rows.set(which, ip_version=6, **{name: header[name] for name in names})
    plain = protocol == v.TCP
    others = ~plain
    odd = MAY_HOLD_TCP[protocol] | np.isin(protocol, (*v.EXTENSIONS, v.FRAGMENT_HEADER))
    _not_plain(rows, pick(which, others), odd[others], (protocol == v.UDP)[others])
    _tcp(rows, pick(which, plain))


def _not_plain(rows: Rows, which: I64, odd: Bool, udp: Bool) -> None:
    """Decide about packets that do not hold TCP directly: tunnels, fragments and VXLAN go the other way."""
    rows.verdict[which] = np.where(odd, v.ODD, v.NOT_TCP)
    ports = which[udp]
    ports = ports[rows.at[ports] + 4 <= rows.captured_end[ports]]
    if len(ports):
        tunnel = np.isin(rows.gather(ports, U16_HEADER, 2)["value"], v.TUNNEL_PORTS)
        rows.verdict[ports[tunnel]] = v.ODD


def _tcp(rows: Rows, which: Indices) -> None:
    """Read TCP headers (RFC 9293); a header without its options is enough."""
    which = rows.drop(which, rows.at[which] + 20 <= rows.end[which], v.BAD_TCP)
    which = rows.need(which, 20)
    if _empty(which):
        return
    header = rows.gather(which, TCP_HEADER)
    size = (header["offset"] >> 4).astype(np.int64) * 4
    at, end = rows.at[which], rows.end[which]
    fits = (size >= 20) & (at + size <= end)
    if not fits.all():
        which = rows.drop(which, fits, v.BAD_TCP)
        header, size, at, end = header[fits], size[fits], at[fits], end[fits]
    captured_end = rows.captured_end[which]
    offset = np.minimum(at + size, captured_end)
    length = np.minimum(end, captured_end) - offset
    rows.set(which, **{name: header[name] for name in ("sport", "dport", "seq", "ack", "flags")})
    rows.set(which, offset=offset, length=length, missing=end - (at + size) - length)
    rows.verdict[which] = v.SEGMENT


def _empty(which: Indices) -> bool:
    """Tell whether no frame is left."""
    return not isinstance(which, slice) and not len(which)
