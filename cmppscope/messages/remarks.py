"""What is remarkable about a status report that belongs to a message."""

from __future__ import annotations

import numpy as np

from cmppscope.messages.facts import Place, Told
from cmppscope.messages.ids import Acks
from cmppscope.messages.ledger import AGAIN, INTERMEDIATE, JOINED, NO_RECEIVER, Judged, stat_octets


def remarks(judged: Judged, acks: Acks, report_ns: int) -> list[Told]:
    """Give the reports that are more than the one wanted, in time, and after the SUBMIT_RESP."""
    rows, reports = judged.rows, judged.reports
    behind = reports["time"] - rows["answered"]
    early = reports["pdu"] < rows["known"]
    listed = (rows["asked"] > 0) | (rows["many"] == 0)  # else the numbers of the receivers were not kept
    right = (rows["number"] == reports["number"]) | ~listed
    again = judged.kind == AGAIN
    odd = (judged.kind != JOINED) & (judged.kind != INTERMEDIATE)
    odd |= (rows["asked"] == 0) | (rows["refused"] > 0) | ~right | early | (behind > report_ns)
    which = np.flatnonzero(odd)
    if not len(which):
        return []
    confirmed = acks.before(judged.before[which], reports["pdu"][which]) & again[which]
    return [
        Told(
            place=Place(*(int(reports[name][at]) for name in ("pdu", "frame", "stream", "direction", "offset"))),
            id=int(reports["id"][at]) & (2**64 - 1),
            kind=int(judged.kind[at]),
            submit=int(rows["pdu"][at]),
            asked=int(rows["asked"][at]),
            refused=bool(rows["refused"][at]),
            right_number=bool(right[at]) and int(judged.kind[at]) != NO_RECEIVER,
            before_response_ns=max(-int(behind[at]), 0) if early[at] else 0,
            behind_response_ns=int(behind[at]),
            stat=_words(int(reports["stat"][at])),
            before=int(judged.before[at]) if sure else 0,
            stat_before=_words(int(judged.stat[at])),
        )
        for at, sure in zip(which.tolist(), confirmed.tolist(), strict=True)
    ]


def _words(stat: int) -> str:
    """Write a Stat."""
    if not stat:
        return ""
    octets = stat_octets(stat)
    text = octets.rstrip(b"\0").decode("latin-1")
    return text if text.isascii() and text.isprintable() else f"0x{octets.hex()}"
