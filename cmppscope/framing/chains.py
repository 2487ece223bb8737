"""Following Total_Length through the segments of many directions at once.

Theory of operation. The octets of all rows (segments) stand end to end on one line; a place is a number on it. A chain
is what Total_Length leads through from one place to the end of its row. The first chains begin with the rows. One that
ends inside a PDU leads to a place in a later row, and if that is not a row's beginning a chain is made there, a
generation after the other. All chains of a generation are followed at once, a PDU of each at a step. Chains that begin
inside a PDU see made-up lengths and die soon; they are told apart by walking the links from the first octet of every
direction, in steps that double.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cmppscope.arrays import stable_order, words_at
from cmppscope.framing.headers import HEADER, LONGEST
from cmppscope.tables import I64, U8, Bool

LENGTH = 4
"""Octets of Total_Length."""

_GENERATIONS = 32
"""A direction that wants more is followed otherwise."""

_NOWHERE = -1
_BROKEN = -2


@dataclass(slots=True)
class Rows:
    """Segments of some directions, those of one behind each other; one entry a segment, or a direction."""

    number: I64
    """The chunk."""
    begin: I64
    """Where its octets begin in the buffer."""
    start: I64
    behind: I64
    """Its places on the line: the first, and the one behind the last."""
    group: I64
    """Its direction."""
    first: I64
    """The first row of each direction."""
    stop: I64
    """The place behind each direction."""


@dataclass(slots=True)
class Followed:
    """The PDUs found."""

    row: I64
    at: I64
    """Row and place of each PDU that lies inside a row, in no order of rows, but in order inside each."""
    cross_row: I64
    """Row in which each PDU that crosses rows begins; -1 - direction where it begins in what was held."""
    cross_at: I64
    cross_end: I64
    """Its place, and the place behind it."""
    tail: I64
    """Octets left over of each direction, with those held."""
    uneven: Bool
    """Directions to be followed otherwise: too many PDUs cross rows."""
    broken: Bool
    """Directions in which a length cannot be."""


@dataclass(slots=True)
class _Chains:
    """Chains of one generation, or of all."""

    row: I64
    start: I64
    """Place of the first PDU."""
    exit: I64
    """Place behind the last whole PDU in the row."""
    next: I64
    """Place to which that leads; _NOWHERE where the direction ends first, _BROKEN where a length cannot be."""


@dataclass(slots=True)
class _Found:
    """The PDUs inside rows, real or not."""

    chains: int = 0
    """Chains of the generations before."""
    chain: list[I64] = field(default_factory=list)
    """Number of each PDU's chain."""
    at: list[I64] = field(default_factory=list)
    """Its place."""


def follow(octets: U8, rows: Rows, held: list[bytes]) -> Followed:
    """Follow every direction from its first octet; `held` is what each had left over before."""
    entry = _entries(octets, rows, held)
    found = _Found()
    generations = [_generation(octets, rows, np.arange(len(rows.begin)), rows.start, found)]
    places = np.concatenate([_inside(rows, generations[0]), entry])
    while len(generations) < _GENERATIONS:
        starts = _new_starts(rows, places, generations)
        if not len(starts):
            break
        row = np.searchsorted(rows.behind, starts, "right")
        generations.append(_generation(octets, rows, row, starts, found))
        places = _inside(rows, generations[-1])
    return _real(rows, held, entry, generations, found)


def _inside(rows: Rows, chains: _Chains) -> I64:
    """Give the places to which chains lead that end inside a PDU; all others lead to a row's beginning."""
    places: I64 = chains.next[chains.exit != rows.behind[chains.row]]
    return places


def _entries(octets: U8, rows: Rows, held: list[bytes]) -> I64:
    """Give the place at which each direction's first PDU that is not held begins."""
    before = _before(rows)
    entry = before.copy()
    for group, had in enumerate(held):
        if had:
            place = int(before[group]) - len(had)
            length = _split_length(octets, rows, int(rows.first[group]), had, group)
            behind = place + length
            if length != _NOWHERE and not (HEADER <= length <= LONGEST and behind > before[group]):
                entry[group] = _BROKEN
            else:
                entry[group] = behind if length != _NOWHERE and behind <= rows.stop[group] else _NOWHERE
    return entry


def _split_length(octets: U8, rows: Rows, row: int, word: bytes, group: int) -> int:
    """Read a Total_Length that begins with `word` and goes on in a row; _NOWHERE where it is not there as a whole."""
    while len(word) < LENGTH and row < len(rows.group) and rows.group[row] == group:
        begin, size = int(rows.begin[row]), int(rows.behind[row] - rows.start[row])
        word += octets[begin : begin + min(size, LENGTH - len(word))].tobytes()
        row += 1
    return int.from_bytes(word[:LENGTH], "big") if len(word) >= LENGTH else _NOWHERE


def _generation(octets: U8, rows: Rows, row: I64, start: I64, found: _Found) -> _Chains:
    """Follow chains to the ends of their rows, a PDU of each at a step."""
    shift = rows.begin[row] - rows.start[row]
    at, end = start.copy(), rows.behind[row]
    leads = np.full(len(row), _NOWHERE, np.int64)
    active = np.flatnonzero(end - at >= LENGTH)
    while len(active):
        here = at[active]
        length = words_at(octets, here + shift[active])
        behind = here + length
        possible = (length >= HEADER) & (length <= LONGEST)
        whole = possible & (behind <= end[active])
        if not whole.all():
            stuck = active[~whole]
            leads[stuck] = np.where(possible[~whole], behind[~whole], _BROKEN)
            active, here, behind = active[whole], here[whole], behind[whole]
        found.chain.append(active + found.chains)
        found.at.append(here)
        at[active] = behind
        active = active[end[active] - behind >= LENGTH]
    left = end - at
    for chain in np.flatnonzero((left > 0) & (left < LENGTH)).tolist():
        begin = int(at[chain] + shift[chain])
        word = octets[begin : begin + int(left[chain])].tobytes()
        claim = _split_length(octets, rows, int(row[chain]) + 1, word, int(rows.group[row[chain]]))
        fine = HEADER <= claim <= LONGEST
        leads[chain] = int(at[chain]) + claim if fine else (claim if claim == _NOWHERE else _BROKEN)
    leads = np.where(left == 0, end, leads)
    leads[leads > rows.stop[rows.group[row]]] = _NOWHERE
    found.chains += len(row)
    return _Chains(row, start, at, leads)


def _new_starts(rows: Rows, places: I64, generations: list[_Chains]) -> I64:
    """Give the places at which no chain begins yet, and which are no direction's end."""
    places = np.unique(places[places >= 0])
    for known in (rows.start, rows.stop, *(g.start for g in generations[1:])):
        if len(known):
            at = np.minimum(np.searchsorted(known, places), len(known) - 1)
            places = places[known[at] != places]
    return places


def _real(rows: Rows, held: list[bytes], entry: I64, generations: list[_Chains], found: _Found) -> Followed:
    """Tell the chains that lead on from the first octets, and give their PDUs."""
    chains = _Chains(*(np.concatenate([getattr(g, n) for g in generations]) for n in _Chains.__slots__))
    order = stable_order(chains.start)
    start, row, leads, left_at = (c[order] for c in (chains.start, chains.row, chains.next, chains.exit))
    group = rows.group[row]
    ends = leads == rows.stop[group]
    there = np.minimum(np.searchsorted(start, leads), len(start) - 1)
    linked = (leads >= 0) & ~ends & (start[there] == leads)
    count = len(start)
    link = np.append(np.where(linked, there, count), count)
    begins = np.minimum(np.searchsorted(start, entry), count - 1)
    begin_there = (entry >= 0) & (entry < rows.stop) & (start[begins] == entry)
    real = np.zeros(count + 1, np.bool_)
    real[begins[begin_there]] = True
    reached = np.flatnonzero(real)
    while True:  # the links become twice as long each time, and so do the stretches known to be real
        real[link[np.flatnonzero(real)]] = True
        link = link[link]
        grown = np.count_nonzero(real[:count])
        if grown == len(reached) and (link[reached] == count).all():
            break
        reached = np.flatnonzero(real[:count])
    real = real[:count]
    tail = np.zeros(len(held), np.int64)
    last = np.flatnonzero(real & (leads == _NOWHERE))
    tail[group[last]] = rows.stop[group[last]] - left_at[last]
    nothing = np.flatnonzero(entry == _NOWHERE)
    sizes = np.array([len(h) for h in held], np.int64)
    tail[nothing] = (rows.stop - _before(rows) + sizes)[nothing]
    broken = entry == _BROKEN
    broken[group[real & (leads == _BROKEN)]] = True
    uneven = np.zeros(len(held), np.bool_)
    uneven[group[real & (leads >= 0) & ~ends & ~linked]] = True
    uneven[(entry >= 0) & (entry < rows.stop) & ~begin_there] = True
    uneven &= ~broken
    good = ~(broken | uneven)
    across = np.flatnonzero(real & (leads >= 0) & (leads > rows.behind[row]) & good[group])
    own = np.flatnonzero((sizes > 0) & (entry >= 0) & good)
    mine = np.zeros(count, np.bool_)
    mine[order] = real & good[group]
    chain = np.concatenate([order[:0], *found.chain])
    is_real = mine[chain]
    return Followed(
        row=chains.row[chain[is_real]],
        at=np.concatenate([order[:0], *found.at])[is_real],
        cross_row=np.concatenate([-1 - own, row[across]]),
        cross_at=np.concatenate([_before(rows)[own] - sizes[own], left_at[across]]),
        cross_end=np.concatenate([entry[own], leads[across]]),
        tail=tail,
        uneven=uneven,
        broken=broken,
    )


def _before(rows: Rows) -> I64:
    """Give the place of the first octet of each direction."""
    return rows.start[rows.first]
