"""What a rule is, what it sees, and what it gives back.

A rule is a small function from the facts of one batch to the places where a sentence of the protocol does not hold.
The decorator `rule` makes it data: its id is the slug of the rule, its docstring the sentence, its `detail` the words
for one place. Places are columns; words are made only for places that are shown.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cmppscope.columns import PduColumns
from cmppscope.framing.headers import LONGEST
from cmppscope.messages.facts import MessageFacts
from cmppscope.quantities import Number, duration
from cmppscope.rules.results import Results
from cmppscope.sessions import Session, versions_known
from cmppscope.tables import I64, Bool, Oddity, PduBatch
from cmppscope.transactions import Paired, Reuse, Stray, Timers, Transactions
from dissectors.cmpp.enums import COMMAND_ID

if TYPE_CHECKING:
    from cmppscope.rules.login import Login

if TYPE_CHECKING:
    from cmppscope.references import Places
    from cmppscope.rules.states import Sources

PEER, CAPTURE, OPERATOR = "peer", "capture", "operator"


class Severity(enum.IntEnum):
    """How bad a finding is: Wireshark's words."""

    NOTE = 1
    WARN = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """The word in reports and on the command line."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Limits:
    """What rules measure by and the specification leaves to the parties; nanoseconds where nothing else is said."""

    c_ns: int = 180_000_000_000
    """C: a link may be idle for so long before it is tested (CMPP 2.0 §6.1)."""
    window: int = 16
    """W: requests that may wait for a response in one direction (CMPP 2.0 §6.1)."""
    skew_ns: int = 300_000_000_000
    """How far the Timestamp of a CONNECT may be from the time of capture."""
    msgid_skew_ns: int = 600_000_000_000
    """The same for the time in a Msg_Id."""
    report_ns: int = 172_800_000_000_000
    """A status report comes within so long (CMPP 2.0 §7.4.5.1 note 3)."""
    zone_ns: int = 28_800_000_000_000
    """What the peers' clocks are ahead of UTC: UTC+8."""


class Personal(str):
    """A value seen that belongs to a subscriber: a number or a text; hidden unless the user asks for it."""

    __slots__ = ()


@dataclass(slots=True)
class Hits:
    """Places where a rule does not hold; one entry a place in every array, 0 where a number does not apply."""

    pdu: I64
    frame: I64
    stream: I64
    direction: I64
    offset: I64
    command: I64
    a: I64
    b: I64
    """Numbers that the rule's words need."""
    fault: str = PEER
    other: I64 | None = None
    """Command_Id of another PDU that the words name."""
    values: Callable[[int], Mapping[str, object]] | None = None
    """Further values seen that the words name, given a place; asked only for places that are kept."""

    def __len__(self) -> int:
        """Count the places."""
        return len(self.pdu)


class Spot(NamedTuple):
    """One place where a rule about the state of a connection does not hold, found by a tracker."""

    pdu: int
    """0 where it is about no PDU."""
    frame: int
    stream: int
    direction: int
    offset: int
    command: int
    a: int = 0
    b: int = 0
    other: int = 0
    """Command_Id of another PDU that the words name."""
    values: Mapping[str, object] = {}
    """Further values that the words name."""


Spots = dict[str, list[Spot]]
"""What trackers found, by the id of the rule."""


@dataclass(frozen=True, slots=True)
class End:
    """What only the end of a capture tells."""

    time_ns: int
    """Time of the last frame."""
    lost: frozenset[int] = frozenset()
    """Directions (stream * 2 + direction) of which the capture may have lost PDUs."""


def no_hits() -> Hits:
    """Give no place at all."""
    none = np.zeros(0, np.int64)
    return Hits(none, none, none, none, none, none, none, none)


def places(batch: PduBatch, rows: I64, a: I64 | int = 0, b: I64 | int = 0) -> Hits:
    """Give rows of a batch as places; `a` and `b` have one entry a place, or one for all."""
    if not len(rows):
        return no_hits()
    return Hits(
        batch.first + rows,
        batch.frame[rows],
        batch.stream[rows],
        batch.direction[rows],
        batch.offset[rows],
        batch.command[rows],
        np.broadcast_to(np.asarray(a, np.int64), rows.shape),
        np.broadcast_to(np.asarray(b, np.int64), rows.shape),
    )


@dataclass(slots=True)
class Sequences:
    """How the Sequence_Ids of a batch's requests follow each other; one entry a request, in the batch's order."""

    row: I64
    """Row in the batch."""
    before: I64
    """Sequence_Id of the request before of the same sender, -1 where there is none or a Gap lies between."""
    value: I64
    run: I64
    """How many different requests in a row carried this Sequence_Id."""
    zero_first: Bool
    """The sender's first Sequence_Id 0, without a wrap before it."""


@dataclass(slots=True)
class Facts:
    """What the rules see of one batch, or of the end of a capture."""

    batch: PduBatch
    columns: PduColumns
    session: I64
    sessions: list[Session]
    odd: list[Oddity]
    paired: Paired
    sequences: Sequences
    limits: Limits = field(default_factory=Limits)
    strays: list[Stray] = field(default_factory=list)
    reuses: list[Reuse] = field(default_factory=list)
    """Requests with the Sequence_Id of an open one, known when the capture ended."""
    ended: Transactions | None = None
    """Requests that were still open when the capture ended."""
    echoes: dict[int, int] = field(default_factory=dict)
    """ACTIVE_TESTs of the other side with the same Sequence_Id, by PDU."""
    messages: MessageFacts = field(default_factory=MessageFacts)
    """What the batch, or the end of the capture, tells of short messages."""
    foreign: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    """Rows whose command belongs to another interface than the session's, once a session and command."""
    threes: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    """Rows with which a session is seen to be one of 3.0, once a session."""
    wanted: Mapping[int, int] = field(default_factory=dict)
    """Row of a CONNECT_RESP to the Version of the CONNECT it answers."""
    results: Results = field(default_factory=Results)
    """What the codes in responses mean."""
    spots: Spots = field(default_factory=dict)
    """Where rules about the state of a connection do not hold."""
    sources: Sources | None = None
    """Who logged in on each connection."""
    timers: Timers = field(default_factory=Timers)
    end: End | None = None
    """Set when the capture has ended."""
    logins: list[Login] = field(default_factory=list)
    """Logins of SPs whose secrets are known, with their responses."""
    exceeded: Hits = field(default_factory=no_hits)
    """Requests with which more than W waited for a response; `a` is how many it came to, `b` is W."""
    throttled: Hits = field(default_factory=no_hits)
    """Responses with Result 8 while no more than W requests waited; `a` is how many, `b` is W."""
    places: Places | None = None
    """Where the octets of the PDUs lie, where that was asked for."""
    _versions: I64 | None = None

    @property
    def versions(self) -> I64:
        """Version of each row's session as it was known with that row: 20, 21, 30, or 0 where it was not."""
        if self._versions is None:
            self._versions = versions_known(self.batch, self.session, self.sessions)
        return self._versions

    def pdus(self, rows: I64 | Bool, a: I64 | int = 0, b: I64 | int = 0) -> Hits:
        """Give PDUs as places; `a` and `b` have one entry a place, or one for all."""
        chosen: I64 = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows  # type: ignore[assignment]
        return places(self.batch, chosen, a, b)

    @property
    def settled(self) -> list[Transactions]:
        """Transactions that are over: with the batch, and with the end of the capture."""
        return [self.paired.closed, *([] if self.ended is None else [self.ended])]

    def oddities(self, kind: str, fault: str) -> Hits:
        """Give oddities of framing as places; `a` counts octets, `b` is what a header claims."""
        found = [o for o in self.odd if o.kind == kind and o.fault == fault]
        table = np.array([(o.frame, o.stream, o.direction, o.offset, o.octets, o.value) for o in found], np.int64)
        frame, stream, direction, offset, octets, value = table.reshape(-1, 6).T
        zero = np.zeros(len(found), np.int64)
        return Hits(zero, frame, stream, direction, offset, zero, octets, value, fault)

    def told(self, slug: str) -> Hits:
        """Give what trackers found for a rule as places."""
        spots = self.spots.get(slug, [])
        hits = Hits(*np.array([spot[:8] for spot in spots], np.int64).reshape(-1, 8).T)
        hits.other = np.array([spot.other for spot in spots], np.int64)
        hits.values = lambda place: spots[place].values
        return hits

    def stray(self, kind: int) -> Hits:
        """Give responses that answer nothing as places; `a` is the Sequence_Id, `b` the PDU that explains it."""
        found = [s for s in self.strays if s.kind == kind and not s.excused]
        table = np.array(
            [(s.pdu, s.frame, s.stream, s.direction, s.offset, s.command, s.sequence, s.other) for s in found], np.int64
        )
        hits = Hits(*table.reshape(-1, 8).T)
        hits.other = np.array([s.other_command for s in found], np.int64)
        return hits


def command_name(command: int) -> str:
    """Name a Command_Id."""
    return COMMAND_ID.get(command, f"0x{command:08x}").removesuffix(" (2.1 and later)")


RuleFunction = Callable[[Facts], Hits | list[Hits]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence of the protocol that is checked."""

    id: str
    severity: Severity
    section: str
    detail: str
    """Words for one place: a format string over a, b, command, other, lapse, longest and the Hits' values.

    `{a:octet is|octets are}` counts (`quantities.Number`); `{lapse}` is `a` as a length of time, if no value is.
    """
    more: str
    """Further words where b is not 0."""
    check: RuleFunction
    both: bool = False
    """Either side could have kept it and neither did: a fault of `peer` is that of both."""

    @property
    def sentence(self) -> str:
        """What holds where nothing is wrong, in one line."""
        return (self.check.__doc__ or "").strip().splitlines()[0]

    def words(self, a: int, b: int, command: int, other: int = 0, values: Mapping[str, object] | None = None) -> str:
        """Say what is wrong in one place."""
        known = {
            "a": Number(a),
            "b": Number(b),
            "command": command_name(command),
            "other": command_name(other),
            "lapse": duration(a),
            "longest": LONGEST,
        }
        return (self.detail + (self.more if b else "")).format(**known | dict(values or {}))


def rule(
    slug: str, severity: Severity, section: str, detail: str, more: str = "", *, both: bool = False
) -> Callable[[RuleFunction], Rule]:
    """Make a rule of a function."""

    def decorate(check: RuleFunction) -> Rule:
        return Rule(slug, severity, section, detail, more, check, both)

    return decorate
