"""Status reports: the content of a DELIVER, and of a FWD between gateways.

A report is a layer of its own, parsed from Msg_Content when asked for. Which one it is, the length
of the content says, whatever the edition (CMPP 2.0 §7.4.5.1, 3.0 §8.4.5.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import enums
from .body import _Layer
from .fields import MsgIdNumber, OctetString, UInt32
from .times import parse_report_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapy.fields import AnyField
    from scapy.packet import Packet


def _moment(text: str) -> str:
    """Say which minute a report's time means, or why it means none."""
    moment, problem = parse_report_time(text.encode("ascii"))
    return problem if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _report_fields(width: int) -> list[AnyField]:
    """Declare a status report whose receiver is `width` octets wide."""
    return [
        MsgIdNumber("Msg_Id", 0),
        OctetString("Stat", b"DELIVRD", 7, explain=enums.stat_meaning),
        OctetString("Submit_time", b"", 10, explain=_moment),
        OctetString("Done_time", b"", 10, explain=_moment),
        OctetString("Dest_terminal_Id", b"", width),
        UInt32("SMSC_sequence", 0),
    ]


class CMPPReport(_Layer):
    """Status report of an MT message, 60 octets (CMPP 2.0 §7.4.5.1)."""

    name = "CMPP status report"
    fields_desc = _report_fields(21)


class CMPPReport71(_Layer):
    """Status report of 3.0.0, 71 octets, which is seen in 2.0 sessions too (3.0 §8.4.5.1)."""

    name = "CMPP status report (71 octets)"
    fields_desc = _report_fields(32)


class CMPPMOReport(_Layer):
    """Report of an MO message between gateways, 60 octets (CMPP 2.0 §7.5.4.1 note 2, App. 1)."""

    name = "CMPP MO report"
    fields_desc = [
        MsgIdNumber("Msg_Id", 0),
        OctetString("Stat", b"DELIVRD", 7, explain=enums.stat_meaning),
        OctetString("CMPP_DELIVER_time", b"", 10, explain=_moment),
        OctetString("CMPP_DELIVER_RESP_time", b"", 10, explain=_moment),
        OctetString("Dest_Id", b"", 21),
        OctetString("Reserved", b"", 4),
    ]


MT_REPORTS: dict[int, type[_Layer]] = {60: CMPPReport, 71: CMPPReport71}
MO_REPORTS: dict[int, type[_Layer]] = {60: CMPPMOReport}


def read_report(content: object, reports: Mapping[int, type[_Layer]] | None) -> Packet | None:
    """Parse `content` by its length as one of `reports`; None where none has that length."""
    if not isinstance(content, bytes) or not reports or len(content) not in reports:
        return None
    return reports[len(content)](content)
