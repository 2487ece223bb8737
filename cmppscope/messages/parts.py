"""Which part of a long message a SUBMIT or DELIVER is, read from its user data header (`heads`).

What is found is what `dissectors.cmpp.udh` finds: the first concatenation element of the right length (GSM 03.40
§9.2.3.24.1).
"""

from __future__ import annotations

import numpy as np

from cmppscope.arrays import octets_at
from cmppscope.columns import Columns, PduColumns
from cmppscope.messages.heads import walk
from cmppscope.messages.prints import WIDTH, mixed, number_prints, string_prints
from cmppscope.messages.table import Table
from dissectors.cmpp.enums import DELIVER, SUBMIT
from dissectors.cmpp.text import UDHI_BITS

PARTS = {
    "row": np.int64,
    "reference": np.int64,
    "total": np.int64,
    "number": np.int64,
    "pk": np.int64,
    "who": np.uint64,
    "looks": np.uint64,
}
"""Row in the batch; reference, with bit 16 set where it is one of 16 bits; total and number; Pk_total and Pk_number of
a SUBMIT in one number, 0 in a DELIVER; print of receiver (SUBMIT) or sender and service (DELIVER); print of what the
parts of one message have in common besides."""


def parts_of(columns: PduColumns, command: int) -> Table:
    """Give the PDUs of SUBMIT or DELIVER that are parts of a long message by their header."""
    body = columns.body(command)
    if not len(body):
        return Table.empty(PARTS)
    flagged = body.valid("msg_content") & ((body.integer("tp_udhi") & UDHI_BITS) > 0)
    if command == DELIVER:
        flagged &= body.integer("registered_delivery") != 1
    rows = np.flatnonzero(flagged)
    if not len(rows):
        return Table.empty(PARTS)
    offset, size = body.place("msg_content")
    heads = walk(body.octets, body.position[rows] + offset[rows], size[rows])
    there = heads.concatenated
    rows = rows[there]
    one = Columns(body.octets, body.position[rows], body.length[rows], body.body)
    who, looks = (_submit if command == SUBMIT else _deliver)(one)
    pk = (one.integer("pk_total") << 8 | one.integer("pk_number")) if command == SUBMIT else 0
    return Table.of(
        PARTS,
        row=columns.rows(command)[rows],
        reference=heads.reference[there],
        total=heads.total[there],
        number=heads.number[there],
        pk=pk,
        who=who,
        looks=looks,
    )


def _submit(body: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Give prints of (first receiver; Msg_Fmt, Src_Id and all receivers) of SUBMITs."""
    octets, position = body.octets, body.position
    count = body.integer("dest_usr_tl").astype(np.int64)
    first = position + np.where(count > 0, body.place("dest_terminal_id")[0], 0)
    receiver = np.where(count > 0, number_prints(octets_at(octets, first, WIDTH))[0], 0).astype(np.uint64)
    everyone = receiver.copy()
    for step in range(1, int(count.max(initial=0))):
        more = np.flatnonzero(count > step)
        everyone[more] = mixed(everyone[more], number_prints(octets_at(octets, first[more] + WIDTH * step, WIDTH))[0])
    source = string_prints(body.strings("src_id").octets)
    return receiver, mixed(everyone, source, body.integer("msg_fmt").astype(np.uint64), count.astype(np.uint64))


def _deliver(body: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Give prints of (handset and service; Msg_Fmt) of DELIVERs."""
    handset = number_prints(body.strings("src_terminal_id").octets)[0]
    service = string_prints(body.strings("dest_id").octets)
    return mixed(handset, service), mixed(body.integer("msg_fmt").astype(np.uint64))
