"""IP and TCP headers, one by one."""

from __future__ import annotations

from cmppscope.decode import verdicts as v
from cmppscope.decode.checksums import remainder, tcp_remainder
from cmppscope.decode.fragments import PACKET_END_MAX, Piece
from cmppscope.decode.walk import PROTOCOLS4, PROTOCOLS6, Next, Walk


def ipv4(walk: Walk) -> Next:
    """An IPv4 header (RFC 791)."""
    if not walk.has(20):
        return walk.short()
    first, total = walk.octets[walk.at], walk.number(2, 2)
    size = (first & 15) * 4
    if first >> 4 != 4 or size < 20 or 0 < total < size:
        return v.BAD_IPV4
    wrong = walk.check and walk.has(size) and remainder(walk.octets[walk.at : walk.at + size]) != 0
    identification, fragment, protocol = (
        walk.number(4, 2),
        walk.number(6, 2),
        walk.octets[walk.at + 9],
    )
    walk.version, walk.src, walk.dst = 4, walk.number(12, 4), walk.number(16, 4)
    walk.ip_id, walk.verifiable = identification, True
    if total:
        walk.end = walk.at + total
    walk.at += size
    if not fragment & 0x3FFF:
        walk.wrong = walk.wrong or wrong
        return PROTOCOLS4.get(protocol, v.NOT_TCP)
    if protocol != v.TCP and protocol not in v.TUNNELS:
        return v.NOT_TCP
    if wrong:
        return v.BAD_IP_CHECKSUM
    start, more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
    return _fragment(walk, identification, protocol, start, more=more) or PROTOCOLS4[protocol]


def ipv6(walk: Walk) -> Next:
    """An IPv6 header (RFC 8200)."""
    if not walk.has(40):
        return walk.short()
    if walk.octets[walk.at] >> 4 != 6:
        return v.BAD_IPV6
    length, protocol = walk.number(4, 2), walk.octets[walk.at + 6]
    walk.version, walk.src, walk.dst = 6, walk.number(8, 16), walk.number(24, 16)
    walk.ip_id, walk.verifiable = 0, True
    if length:
        walk.end = walk.at + 40 + length
    walk.at += 40
    return PROTOCOLS6.get(protocol, v.NOT_TCP)


def extension(walk: Walk) -> Next:
    """An IPv6 extension header that tells its length in units of eight octets."""
    if not walk.has(8):
        return walk.short()
    protocol = walk.octets[walk.at]
    walk.at += 8 * (walk.octets[walk.at + 1] + 1)
    return PROTOCOLS6.get(protocol, v.NOT_TCP)


def authentication(walk: Walk) -> Next:
    """An authentication header (RFC 4302), which leaves what it protects readable."""
    if not walk.has(12):
        return walk.short()
    protocol = walk.octets[walk.at]
    walk.at += 4 * (walk.octets[walk.at + 1] + 2)
    return (PROTOCOLS4 if walk.version == 4 else PROTOCOLS6).get(protocol, v.NOT_TCP)


def fragment6(walk: Walk) -> Next:
    """An IPv6 fragment header (RFC 8200 §4.5); one that stands for the whole packet is no fragment (RFC 6946)."""
    if not walk.has(8):
        return walk.short()
    protocol, place, identification = walk.octets[walk.at], walk.number(2, 2), walk.number(4, 4)
    walk.at += 8
    following = PROTOCOLS6.get(protocol, v.NOT_TCP)
    if not place & 0xFFF9 or isinstance(following, int) or protocol == v.UDP:
        return following
    return _fragment(walk, identification, protocol, place & 0xFFF8, more=bool(place & 1)) or following


def _fragment(walk: Walk, identification: int, protocol: int, start: int, *, more: bool) -> int | None:
    """Hand a fragment in; None means that the packet is whole and the walk goes on in it."""
    end = start + walk.end - walk.at
    if end <= start or end > PACKET_END_MAX or (more and end % 8):
        return v.BAD_FRAGMENT
    octets = bytes(walk.octets[walk.at : max(walk.at, min(walk.end, walk.captured_end))])
    key = (walk.version, walk.src, walk.dst, identification, protocol)
    whole = walk.fragments.add(key, Piece(start, end, octets, last=not more), walk.frame, walk.time_ns)
    if whole is None:
        return v.FRAGMENT
    walk.whole, walk.octets = whole.octets, memoryview(whole.octets)
    walk.at, walk.captured_end, walk.end = 0, len(whole.octets), whole.size
    walk.cut = whole.size > len(whole.octets)
    return None


def tcp(walk: Walk) -> Next:
    """A TCP header (RFC 9293)."""
    if walk.at + 20 > walk.end:
        return v.BAD_TCP
    if not walk.has(20):
        return walk.short()
    payload = walk.at + (walk.octets[walk.at + 12] >> 4) * 4
    if not walk.at + 20 <= payload <= walk.end:
        return v.BAD_TCP
    if walk.wrong:
        return v.BAD_IP_CHECKSUM
    if walk.check and not _sum_is_right(walk):
        return v.BAD_TCP_CHECKSUM
    walk.sport, walk.dport = walk.number(0, 2), walk.number(2, 2)
    walk.seq, walk.ack, walk.flags = walk.number(4, 4), walk.number(8, 4), walk.octets[walk.at + 13]
    walk.offset = min(payload, walk.captured_end)
    walk.length = min(walk.end, walk.captured_end) - walk.offset
    walk.missing = walk.end - payload - walk.length
    return v.SEGMENT


def _sum_is_right(walk: Walk) -> bool:
    """Verify a TCP checksum, unless the capture cut the segment or the addresses are not those it is about."""
    walk.verified = walk.verifiable and walk.end <= walk.captured_end
    return not walk.verified or not tcp_remainder(walk.octets[walk.at : walk.end], walk.src, walk.dst)


def routing(walk: Walk) -> Next:
    """A routing header of IPv6: while segments are left, the last destination stands in it."""
    if walk.has(4) and walk.octets[walk.at + 3]:
        walk.verifiable = False
    return extension(walk)
