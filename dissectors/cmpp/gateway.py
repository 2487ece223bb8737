"""Between gateways, and gateway and name server: FWD, the route messages, responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import enums
from .body import CMPPBody
from .counted import counted_content, counted_list
from .fields import Enum8, Int32, MsgIdNumber, OctetString, UInt8, UInt16, UInt32
from .report import MO_REPORTS, MT_REPORTS, read_report
from .sms import explain_smpp_time

if TYPE_CHECKING:
    from scapy.fields import AnyField
    from scapy.packet import Packet

_REPORTS_OF_TYPE = {2: MT_REPORTS, 3: MO_REPORTS}

_LONG_CONNECTION_PORT = 7930


class CMPPFwd(CMPPBody):
    """FWD, 152 + 21 DestUsr_tl + Msg_Length octets with the header (CMPP 2.0 §7.5.4.1)."""

    name = "CMPP_FWD"
    fields_desc = [
        OctetString("Source_Id", b"", 6, right_aligned=True),
        OctetString("Destination_Id", b"", 6, right_aligned=True),
        UInt8("NodesCount", 1),
        Enum8("Msg_Fwd_Type", 0, enums.MSG_FWD_TYPE),
        MsgIdNumber("Msg_Id", 0),
        UInt8("Pk_total", 1),
        UInt8("Pk_number", 1),
        Enum8("Registered_Delivery", 0, enums.REGISTERED_DELIVERY),
        UInt8("Msg_level", 0),
        OctetString("Service_Id", b"", 10),
        Enum8("Fee_UserType", 2, enums.FEE_USER_TYPE),
        OctetString("Fee_terminal_Id", b"", 21),
        UInt8("TP_pid", 0),
        Enum8("TP_udhi", 0, enums.TP_UDHI),
        Enum8("Msg_Fmt", 0, enums.MSG_FMT),
        OctetString("Msg_src", b"", 6),
        OctetString("FeeType", b"01", 2, explain=enums.FEE_TYPE.get),
        OctetString("FeeCode", b"000000", 6),
        OctetString("Valid_Time", b"", 17, explain=explain_smpp_time),
        OctetString("At_Time", b"", 17, explain=explain_smpp_time),
        OctetString("Src_Id", b"", 21),
        *counted_list("DestUsr_tl", "Dest_Id", width=21),
        *counted_content("Msg_Length", "Msg_Content"),
        OctetString("Reserve", b"", 8),
    ]

    @property
    def report(self) -> Packet | None:
        """The report in Msg_Content where Msg_Fwd_Type is 2 or 3, or None (CMPP 2.0 §7.5.4.1)."""
        return read_report(self.Msg_Content, _REPORTS_OF_TYPE.get(self.Msg_Fwd_Type))


class CMPPFwdResp(CMPPBody):
    """FWD_RESP, 23 octets with the header (CMPP 2.0 §7.5.4.2)."""

    name = "CMPP_FWD_RESP"
    fields_desc = [
        MsgIdNumber("Msg_Id", 0),
        UInt8("Pk_total", 1),
        UInt8("Pk_number", 1),
        Enum8("Result", 0, enums.FWD_RESULT),
    ]


def _gateway() -> list[AnyField]:
    """Declare where a route leads: its number, gateway, address, port (CMPP 2.0 §7.6.3.2)."""
    return [
        UInt32("Route_Id", 0),
        OctetString("Destination_Id", b"", 6),
        OctetString("Gateway_IP", b"", 15),
        UInt16("Gateway_port", _LONG_CONNECTION_PORT),
    ]


def _mt_segment() -> list[AnyField]:
    """Declare the number segment and the area of an MT route (CMPP 2.0 §7.6.3.2)."""
    return [
        OctetString("Start_Id", b"", 6),
        OctetString("End_Id", b"", 6),
        OctetString("Area_code", b"", 4),
    ]


def _mo_codes() -> list[AnyField]:
    """Declare the service and the span of codes of an MO route (CMPP 2.0 §7.6.7.1)."""
    return [
        OctetString("SP_Code", b"", 21),
        OctetString("Service_Id", b"", 10),
        UInt32("Start_code", 0),
        UInt32("End_code", 0),
    ]


class CMPPMTRoute(CMPPBody):
    """MT_ROUTE, 39 octets with the header (CMPP 2.0 §7.6.3.1)."""

    name = "CMPP_MT_ROUTE"
    fields_desc = [OctetString("Source_Id", b"", 6), OctetString("Terminal_Id", b"", 21)]


class CMPPMTRouteResp(CMPPBody):
    """MT_ROUTE_RESP, 56 octets with the header (CMPP 2.0 §7.6.3.2)."""

    name = "CMPP_MT_ROUTE_RESP"
    fields_desc = [*_gateway(), *_mt_segment(), Enum8("Result", 0, enums.ROUTE_RESULT)]


class CMPPMORoute(CMPPBody):
    """MO_ROUTE, 53 octets with the header (CMPP 2.0 §7.6.4.1)."""

    name = "CMPP_MO_ROUTE"
    fields_desc = [
        OctetString("Source_Id", b"", 6),
        OctetString("SP_Code", b"", 21),
        OctetString("Service_Id", b"", 10),
        UInt32("Service_Code", 0),
    ]


class CMPPMORouteResp(CMPPBody):
    """MO_ROUTE_RESP, 69 octets with the header (CMPP 2.0 §7.6.4.2)."""

    name = "CMPP_MO_ROUTE_RESP"
    fields_desc = [
        *_gateway(),
        OctetString("SP_Id", b"", 21),
        UInt32("Start_code", 0),
        UInt32("End_code", 0),
        Enum8("Result", 0, enums.ROUTE_RESULT),
    ]


class CMPPGetRoute(CMPPBody):
    """GET_ROUTE, 24 octets with the header; Last_route_Id starts at -1 (CMPP 2.0 §7.6.5.1)."""

    name = "CMPP_GET_ROUTE"
    fields_desc = [
        OctetString("Source_Id", b"", 6),
        OctetString("Route_type", b"MT", 2),
        Int32("Last_route_Id", -1),
    ]


class CMPPGetRouteResp(CMPPBody):
    """GET_ROUTE_RESP, 83 octets with the header (CMPP 2.0 §7.6.5.2)."""

    name = "CMPP_GET_ROUTE_RESP"
    fields_desc = [
        *_gateway(),
        *_mo_codes(),
        OctetString("Area_code", b"", 4),
        Enum8("Result", 0, enums.ROUTE_RESULT),
    ]


class CMPPMTRouteUpdate(CMPPBody):
    """MT_ROUTE_UPDATE, 56 octets with the header (CMPP 2.0 §7.6.6.1)."""

    name = "CMPP_MT_ROUTE_UPDATE"
    fields_desc = [Enum8("Update_type", 0, enums.UPDATE_TYPE), *_gateway(), *_mt_segment()]


class CMPPMTRouteUpdateResp(CMPPBody):
    """MT_ROUTE_UPDATE_RESP, 13 octets with the header (CMPP 2.0 §7.6.6.2)."""

    name = "CMPP_MT_ROUTE_UPDATE_RESP"
    fields_desc = [Enum8("Result", 0, enums.UPDATE_RESULT)]


class CMPPMORouteUpdate(CMPPBody):
    """MO_ROUTE_UPDATE, 79 octets with the header (CMPP 2.0 §7.6.7.1)."""

    name = "CMPP_MO_ROUTE_UPDATE"
    fields_desc = [Enum8("Update_type", 0, enums.UPDATE_TYPE), *_gateway(), *_mo_codes()]


class CMPPMORouteUpdateResp(CMPPBody):
    """MO_ROUTE_UPDATE_RESP, 13 octets with the header (CMPP 2.0 §7.6.7.2)."""

    name = "CMPP_MO_ROUTE_UPDATE_RESP"
    fields_desc = [Enum8("Result", 0, enums.UPDATE_RESULT)]


class CMPPPushMTRouteUpdate(CMPPBody):
    """PUSH_MT_ROUTE_UPDATE, 56 octets with the header (CMPP 2.0 §7.6.8.1)."""

    name = "CMPP_PUSH_MT_ROUTE_UPDATE"
    fields_desc = [Enum8("Update_type", 0, enums.UPDATE_TYPE), *_gateway(), *_mt_segment()]


class CMPPPushMTRouteUpdateResp(CMPPBody):
    """PUSH_MT_ROUTE_UPDATE_RESP, 13 octets with the header (CMPP 2.0 §7.6.8.2)."""

    name = "CMPP_PUSH_MT_ROUTE_UPDATE_RESP"
    fields_desc = [Enum8("Result", 0, enums.PUSH_RESULT)]


class CMPPPushMORouteUpdate(CMPPBody):
    """PUSH_MO_ROUTE_UPDATE, 79 octets with the header (CMPP 2.0 §7.6.9.1)."""

    name = "CMPP_PUSH_MO_ROUTE_UPDATE"
    fields_desc = [Enum8("Update_type", 0, enums.UPDATE_TYPE), *_gateway(), *_mo_codes()]


class CMPPPushMORouteUpdateResp(CMPPBody):
    """PUSH_MO_ROUTE_UPDATE_RESP, 13 octets with the header (CMPP 2.0 §7.6.9.2)."""

    name = "CMPP_PUSH_MO_ROUTE_UPDATE_RESP"
    fields_desc = [Enum8("Result", 0, enums.PUSH_RESULT)]
