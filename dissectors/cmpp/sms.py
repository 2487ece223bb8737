"""Short messages between SP and ISMG: SUBMIT, DELIVER, QUERY, CANCEL and their responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import enums
from .body import CMPPBody
from .counted import counted_content, counted_list
from .fields import Enum8, MsgIdNumber, OctetString, UInt8, UInt32
from .report import MT_REPORTS, read_report
from .times import parse_day, parse_smpp_time

if TYPE_CHECKING:
    from scapy.packet import Packet


def explain_smpp_time(text: str) -> object:
    """Say which moment or span ValId_Time and At_Time mean, or why they mean none."""
    moment, problem = parse_smpp_time(text.encode("ascii"))
    return moment or problem


def _explain_day(text: str) -> object:
    """Say which day a QUERY asks about, or why it is none."""
    day, problem = parse_day(text.encode("ascii"))
    return day or problem


class CMPPSubmit(CMPPBody):
    """SUBMIT, 138 + 21 DestUsr_tl + Msg_Length octets with the header (CMPP 2.0 §7.4.3.1)."""

    name = "CMPP_SUBMIT"
    fields_desc = [
        MsgIdNumber("Msg_Id", 0),
        UInt8("Pk_total", 1),
        UInt8("Pk_number", 1),
        Enum8("Registered_Delivery", 0, enums.REGISTERED_DELIVERY),
        UInt8("Msg_level", 0),
        OctetString("Service_Id", b"", 10),
        Enum8("Fee_UserType", 2, enums.FEE_USER_TYPE),
        OctetString("Fee_terminal_Id", b"", 21),
        UInt8("TP_pId", 0),
        Enum8("TP_udhi", 0, enums.TP_UDHI),
        Enum8("Msg_Fmt", 0, enums.MSG_FMT),
        OctetString("Msg_src", b"", 6),
        OctetString("FeeType", b"01", 2, explain=enums.FEE_TYPE.get),
        OctetString("FeeCode", b"000000", 6),
        OctetString("ValId_Time", b"", 17, explain=explain_smpp_time),
        OctetString("At_Time", b"", 17, explain=explain_smpp_time),
        OctetString("Src_Id", b"", 21),
        *counted_list("DestUsr_tl", "Dest_terminal_Id", width=21),
        *counted_content("Msg_Length", "Msg_Content"),
        OctetString("Reserve", b"", 8),
    ]


class CMPPSubmitResp(CMPPBody):
    """SUBMIT_RESP, 21 octets with the header (CMPP 2.0 §7.4.3.2)."""

    name = "CMPP_SUBMIT_RESP"
    fields_desc = [MsgIdNumber("Msg_Id", 0), Enum8("Result", 0, enums.RESULT)]


class CMPPQuery(CMPPBody):
    """QUERY, 39 octets with the header (CMPP 2.0 §7.4.4.1)."""

    name = "CMPP_QUERY"
    fields_desc = [
        OctetString("Time", b"", 8, explain=_explain_day),
        Enum8("Query_Type", 0, enums.QUERY_TYPE),
        OctetString("Query_Code", b"", 10),
        OctetString("Reserve", b"", 8),
    ]


class CMPPQueryResp(CMPPBody):
    """QUERY_RESP, 63 octets with the header (CMPP 2.0 §7.4.4.2)."""

    name = "CMPP_QUERY_RESP"
    fields_desc = [
        OctetString("Time", b"", 8, explain=_explain_day),
        Enum8("Query_Type", 0, enums.QUERY_TYPE),
        OctetString("Query_Code", b"", 10),
        UInt32("MT_TLMsg", 0),
        UInt32("MT_Tlusr", 0),
        UInt32("MT_Scs", 0),
        UInt32("MT_WT", 0),
        UInt32("MT_FL", 0),
        UInt32("MO_Scs", 0),
        UInt32("MO_WT", 0),
        UInt32("MO_FL", 0),
    ]


class CMPPDeliver(CMPPBody):
    """DELIVER, 85 + Msg_Length octets with the header (CMPP 2.0 §7.4.5.1)."""

    name = "CMPP_DELIVER"
    fields_desc = [
        MsgIdNumber("Msg_Id", 0),
        OctetString("Dest_Id", b"", 21),
        OctetString("Service_Id", b"", 10),
        UInt8("TP_pid", 0),
        Enum8("TP_udhi", 0, enums.TP_UDHI),
        Enum8("Msg_Fmt", 0, enums.MSG_FMT),
        OctetString("Src_terminal_Id", b"", 21),
        Enum8("Registered_Delivery", 0, enums.DELIVER_KIND),
        *counted_content("Msg_Length", "Msg_Content"),
        OctetString("Reserved", b"", 8),
    ]

    @property
    def report(self) -> Packet | None:
        """The status report in Msg_Content if Registered_Delivery is 1 (CMPP 2.0 §7.4.5.1)."""
        reports = MT_REPORTS if self.Registered_Delivery == 1 else None
        return read_report(self.Msg_Content, reports)


class CMPPDeliverResp(CMPPBody):
    """DELIVER_RESP, 21 octets with the header (CMPP 2.0 §7.4.5.2)."""

    name = "CMPP_DELIVER_RESP"
    fields_desc = [MsgIdNumber("Msg_Id", 0), Enum8("Result", 0, enums.RESULT)]


class CMPPCancel(CMPPBody):
    """CANCEL, 20 octets with the header (CMPP 2.0 §7.4.6.1)."""

    name = "CMPP_CANCEL"
    fields_desc = [MsgIdNumber("Msg_Id", 0)]


class CMPPCancelResp(CMPPBody):
    """CANCEL_RESP, 13 octets with the header (CMPP 2.0 §7.4.6.2)."""

    name = "CMPP_CANCEL_RESP"
    fields_desc = [Enum8("Success_Id", 0, enums.SUCCESS_ID)]
