"""Fields that are the same in most PDUs of a batch, looked at once for each different form.

Theory of operation. Service_Id, fee fields and the like seldom change from PDU to PDU. The octets of a run of such
fields are gathered once a batch and summed to one number a row. Rows with the same leading bits are one form, after a
comparison has shown that their octets are equal indeed; where they are not, rows with the same number are, and where
not even they, every row is a form of its own. Rules about these fields test the forms, a handful in most batches, and
spread what they find over the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmppscope.arrays import octets_at
from cmppscope.columns import Columns
from cmppscope.rules.bodies import Bodies, bodies
from cmppscope.rules.model import Facts, Hits
from cmppscope.rules.strings import Texts
from cmppscope.tables import I64, U8, U64, Bool
from dissectors.cmpp.enums import SUBMIT

_WORD = 8
_MULTIPLIER = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_TABLE_BITS = 18


@dataclass(frozen=True, slots=True)
class Forms:
    """The different contents of a run of fields."""

    body: Bodies
    columns: Columns
    """The first PDU of each form: of its fields, only those of the run are meant."""
    of: I64
    """The form of each row of the bodies."""

    def integer(self, name: str) -> I64:
        """Give a number's column, one entry a form."""
        return self.columns.integer(name).astype(np.int64)

    def texts(self, name: str) -> Texts:
        """Give an Octet String's column, one row a form, to be tested."""
        return Texts(self.columns.strings(name).octets)

    def hits(self, wrong: Bool, *names: str) -> Hits:
        """Give the PDUs of `wrong` forms as places; the words may name the values of the fields `names`."""
        return self.body.hits(self.spread(wrong), names=names)

    def spread(self, marks: Bool) -> Bool:
        """Give each row the mark of its form."""
        spread: Bool = marks[self.of] if marks.any() else np.zeros(len(self.of), np.bool_)
        return spread


def forms(body: Bodies, first: str, last: str) -> Forms:
    """Give the forms of the fields `first` to `last`, all of fixed width; kept for the batch.

    Behind `last` stand seven octets at least in every PDU of the command.
    """
    columns = body.columns
    return body.facts.columns.once(("forms", columns.body.command, first, last), lambda: _forms(body, first, last))


def fixed(facts: Facts, command: int = SUBMIT) -> Forms:
    """Give the forms of the fields of SUBMIT or FWD in front of Src_Id, Msg_Id left out."""
    return forms(bodies(facts, command), "pk_total", "at_time")


def _forms(body: Bodies, first: str, last: str) -> Forms:
    """Find the forms; all rows whose fields do not stand where 2.0 puts them are the first form."""
    columns = body.columns
    begin, _ = columns.place(first)
    end, size = columns.place(last)
    rows = np.flatnonzero(body.sure)
    width = int((end + size - begin)[0]) if len(rows) else 0
    front = columns.front(first, _whole_words(width)) if len(rows) == len(body) else None
    if front is None:
        octets = octets_at(columns.octets, columns.position[rows] + begin[rows], _whole_words(width))
    else:
        octets = front.copy()
    octets[:, width:] = 0
    chosen, of = _alike(octets.view(np.uint64))
    kept = rows[chosen]
    form = np.zeros(len(body), np.int64)
    form[rows] = of
    return Forms(body, Columns(columns.octets, columns.position[kept], columns.length[kept], columns.body), form)


def alike(octets: U8) -> tuple[I64, I64]:
    """Give the first row of each different content of [rows, width] octets, and which of them each row equals."""
    rows, width = octets.shape
    words = np.zeros((rows, _whole_words(width)), np.uint8)
    words[:, :width] = octets
    return _alike(words.view(np.uint64))


def _whole_words(width: int) -> int:
    """Round octets up to words."""
    return -(-width // _WORD) * _WORD


def _alike(words: U64) -> tuple[I64, I64]:
    """Do the same with rows of words."""
    factors = [(_MULTIPLIER * (2 * at + 1) & _MASK) | 1 for at in range(words.shape[1])]
    sums = words @ np.array(factors, np.uint64)
    first, of = _by_table((sums >> np.uint64(64 - _TABLE_BITS)).astype(np.int64))
    if _agree(words, first, of):
        return first, of
    _, first, of = np.unique(sums, return_index=True, return_inverse=True)
    return (first, of) if _agree(words, first, of) else (np.arange(len(words)), np.arange(len(words)))


def _by_table(keys: I64) -> tuple[I64, I64]:
    """Give the first row of each different small number, and which of them each row equals."""
    place = np.empty(1 << _TABLE_BITS, np.int64)
    place[keys[::-1]] = np.arange(len(keys) - 1, -1, -1)  # of equal keys the last one written stays: the first row
    chosen = place[keys]
    first = np.flatnonzero(chosen == np.arange(len(keys)))
    place[keys[first]] = np.arange(len(first))
    return first, place[keys]


def _agree(words: U64, first: I64, of: I64) -> bool:
    """Tell whether every row equals the one chosen for it."""
    return len(first) == len(of) or bool((words == words[first][of]).all())
