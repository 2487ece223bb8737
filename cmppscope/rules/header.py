"""Rules about the header: Command_Id and Sequence_Id (CMPP 2.0 §7.3, §7.7.1)."""

from __future__ import annotations

import numpy as np

from cmppscope.framing.headers import known
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.tables import I64

_HALF = 1 << 31
_WRAP = 1 << 32
_SIGNED_WRAP = 0x7FFFFF00
"""Some stacks count to 0x7FFFFFFF only; from here on a small number is a wrap."""
_AFTER_WRAP = 256
_CONSTANT = 2
"""So many different requests with one Sequence_Id make a constant."""


@rule("command-unknown", Severity.ERROR, "§7.7.1", "Command_Id {command} is not in the table")
def unknown(facts: Facts) -> Hits:
    """Command_Id is in the table of §7.7.1."""
    low = facts.batch.command & 0x7FFFFFFF
    return facts.pdus(~known(facts.batch.command) & ~((low >= 0x0A) & (low <= 0x0F)))


@rule("command-unassigned-gap", Severity.ERROR, "§7.7.1", "Command_Id {command}: after 0x09 the table goes on at 0x10")
def unassigned(facts: Facts) -> Hits:
    """Command_Ids 0x0A to 0x0F are not used."""
    low = facts.batch.command & 0x7FFFFFFF
    return facts.pdus((low >= 0x0A) & (low <= 0x0F))


@rule("command-newer", Severity.WARN, "3.0 §8.7.1", "{command} exists only from CMPP 2.1 on")
def newer(facts: Facts) -> Hits:
    """GET_MO_ROUTE came with 2.1."""
    return facts.pdus((facts.batch.command & 0x7FFFFFFF) == 0x17)


@rule(
    "command-wrong-interface", Severity.ERROR, "§7.4 to §7.6", "{command} does not belong on a connection of this kind"
)
def wrong_interface(facts: Facts) -> Hits:
    """A command travels only on the interface it belongs to: SP–ISMG, ISMG–ISMG or ISMG–GNS."""
    return facts.pdus(facts.foreign)


def _step(facts: Facts) -> I64:
    """Give how far each request's Sequence_Id lies beyond the one before; 1 where there is none before."""
    s = facts.sequences
    return np.where(s.before < 0, 1, (s.value - s.before) % _WRAP)


@rule("sequence-gap", Severity.NOTE, "§7.3", "Sequence_Id goes from {a} to {b}")
def gap(facts: Facts) -> Hits:
    """Sequence_Id grows by 1 from request to request of a sender."""
    step, s = _step(facts), facts.sequences
    at = (step > 1) & (step < _HALF)
    return facts.pdus(s.row[at], s.before[at], s.value[at])


@rule("sequence-backwards", Severity.WARN, "§7.3", "Sequence_Id falls from {a} to {b}")
def backwards(facts: Facts) -> Hits:
    """Sequence_Id does not fall, unless it wraps or the request is a resend."""
    step, s = _step(facts), facts.sequences
    wrapped = (s.before >= _SIGNED_WRAP) & (s.value < _AFTER_WRAP)
    at = (step >= _HALF) & ~wrapped
    return facts.pdus(s.row[at], s.before[at], s.value[at])


@rule("sequence-constant", Severity.WARN, "§7.3", "different requests in a row carry Sequence_Id {a}")
def constant(facts: Facts) -> Hits:
    """Different requests carry different Sequence_Ids."""
    s = facts.sequences
    at = s.run == _CONSTANT
    return facts.pdus(s.row[at], s.value[at])


@rule(
    "sequence-reuse-outstanding",
    Severity.ERROR,
    "§7.3",
    "Sequence_Id {a} is still that of PDU {b}, which has no response yet",
)
def reuse(facts: Facts) -> Hits:
    """The Sequence_Id of an unanswered request is not used for another one."""
    table = np.array(
        [(r.pdu, r.frame, r.stream, r.direction, r.offset, 0, r.sequence, r.other) for r in facts.reuses], np.int64
    )
    return Hits(*table.reshape(-1, 8).T)


@rule("sequence-zero", Severity.NOTE, "practice", "Sequence_Id 0")
def zero(facts: Facts) -> Hits:
    """Sequence_Id 0 comes only after a wrap."""
    s = facts.sequences
    return facts.pdus(s.row[s.zero_first])


RULES = (unknown, unassigned, newer, wrong_interface, gap, backwards, constant, reuse, zero)
