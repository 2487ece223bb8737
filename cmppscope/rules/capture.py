"""Rules about the capture itself: what it holds twice, in pieces or out of place, and what had to be left out.

None of them blames a peer: whether octets were damaged on their way, forged, or sent so cannot be told from a capture.
"""

from __future__ import annotations

from cmppscope.decode import fragments
from cmppscope.framing import UNDECIDED_OCTETS, UNDECIDED_STREAMS
from cmppscope.reassembly import HELD_OCTETS
from cmppscope.reassembly.direction import HOLE_OCTETS, HOLE_SEGMENTS
from cmppscope.reassembly.streams import STREAMS_OPEN
from cmppscope.rules.model import CAPTURE, Facts, Hits, Severity, rule
from cmppscope.transactions.table import OPEN_REQUESTS, REUSES, STRAY_RESPONSES

_CAPS = {
    "full": f"{{a}} octets in {{b}} pieces wait behind a hole, and {HOLE_OCTETS} in {HOLE_SEGMENTS} are kept: "
    "the hole is given up",
    "full-all": f"{{a}} octets wait behind holes of all streams, and {HELD_OCTETS} are kept: this hole is given up",
    "undecided": f"{UNDECIDED_OCTETS} octets of {UNDECIDED_STREAMS} streams not recognised yet are kept: this one, "
    "with {a}, is given up",
    "streams": f"{STREAMS_OPEN} connections are remembered at once: what comes later of this one is a new stream",
    "requests": f"{OPEN_REQUESTS} requests without a response are kept: {{a}} older ones, of which this is the first, "
    "are given up",
    "strays": f"{STRAY_RESPONSES} responses without a request are kept: {{a}} older ones, of which this is the first, "
    "count as unknown",
    "reuses": f"{REUSES} requests with the Sequence_Id of an open one are kept: {{a}} more, of which this is the "
    "first, are left out",
    "fragments-full": f"{fragments.PACKETS_MAX} packets, {fragments.OCTETS_MAX} octets and {fragments.PIECES_MAX} "
    "fragments a packet are kept: a packet with {a} octets in {b} fragments is given up",
}
"""Words for each cap, by the kind of oddity that tells of it."""


@rule(
    "capture-conflicting-copy",
    Severity.WARN,
    "practice",
    "{a:octet|octets} came again with other values; what came first is shown",
)
def conflicting_copy(facts: Facts) -> Hits:
    """Octets that come again are those that came first."""
    return facts.oddities("conflict", CAPTURE)


@rule(
    "capture-far-ahead",
    Severity.NOTE,
    "practice",
    "{a:octet|octets} left out: {b:octet|octets} ahead of the stream, and never acknowledged",
)
def far_ahead(facts: Facts) -> Hits:
    """Octets lie inside the receiver's window."""
    return facts.oddities("far", CAPTURE)


@rule(
    "capture-duplicate-frames",
    Severity.NOTE,
    "practice",
    "{a:copy of a packet|copies of packets} captured just before, made by a mirror port or the network",
)
def duplicate_frames(facts: Facts) -> Hits:
    """Each frame is captured once."""
    return facts.oddities("duplicate", CAPTURE)


@rule("capture-fragments-overlap", Severity.WARN, "practice", "{a:octet|octets} of an IP packet came in two fragments")
def fragments_overlap(facts: Facts) -> Hits:
    """The fragments of an IP packet do not overlap."""
    return facts.oddities("fragments-overlap", CAPTURE)


@rule(
    "capture-fragments-incomplete",
    Severity.NOTE,
    "practice",
    "an IP packet was never whole: {a:octet|octets} came in {b:fragment|fragments}",
)
def fragments_incomplete(facts: Facts) -> Hits:
    """The capture holds all fragments of an IP packet."""
    return facts.oddities("fragments-lost", CAPTURE)


@rule("capture-buffer-full", Severity.WARN, "practice", "{what}")
def buffer_full(facts: Facts) -> list[Hits]:
    """What has to be kept of a capture fits into the buffers."""
    return [_full(facts, kind, words) for kind, words in _CAPS.items()]


def _full(facts: Facts, kind: str, words: str) -> Hits:
    """Give the places where one cap was reached, in its own words."""
    hits = facts.oddities(kind, CAPTURE)
    hits.values = lambda place: {"what": words.format(a=int(hits.a[place]), b=int(hits.b[place]))}
    return hits


RULES = (
    conflicting_copy,
    far_ahead,
    duplicate_frames,
    fragments_overlap,
    fragments_incomplete,
    buffer_full,
)
