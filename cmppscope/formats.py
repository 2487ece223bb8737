"""The fields of the bodies in their 2.0 layout, and of the reports: `fields_desc` of the layers, compiled.

Made by docs/generate.py: do not edit.
"""

from __future__ import annotations

FieldFormat = tuple[str, str, int, str, str, str, str]
"""What `columns.Field` is made of."""
Format = tuple[str, str, tuple[FieldFormat, ...]]
"""Name and section in the specification, and the fields."""

BODIES: dict[int, Format] = {
    0x00000001: (
        "CMPP_CONNECT",
        "2.0 §7.4.1.1",
        (
            ("source_addr", "string", 6, "", "Source_Addr", "OctetString", ""),
            ("authenticatorsource", "string", 16, "", "AuthenticatorSource", "Authenticator", ""),
            ("version", "int", 1, "", "Version", "Version", ""),
            ("timestamp", "int", 4, "", "Timestamp", "Timestamp", ""),
        ),
    ),
    0x80000001: (
        "CMPP_CONNECT_RESP",
        "2.0 §7.4.1.2",
        (
            ("status", "int", 1, "", "Status", "Enum8", "CONNECT_STATUS"),
            ("authenticatorismg", "string", 16, "", "AuthenticatorISMG", "Authenticator", ""),
            ("version", "int", 1, "", "Version", "Version", ""),
        ),
    ),
    0x00000002: (
        "CMPP_TERMINATE",
        "2.0 §7.4.2.1",
        (),
    ),
    0x80000002: (
        "CMPP_TERMINATE_RESP",
        "2.0 §7.4.2.2",
        (),
    ),
    0x00000004: (
        "CMPP_SUBMIT",
        "2.0 §7.4.3.1",
        (
            ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
            ("pk_total", "int", 1, "", "Pk_total", "UInt8", ""),
            ("pk_number", "int", 1, "", "Pk_number", "UInt8", ""),
            ("registered_delivery", "int", 1, "", "Registered_Delivery", "Enum8", "REGISTERED_DELIVERY"),
            ("msg_level", "int", 1, "", "Msg_level", "UInt8", ""),
            ("service_id", "string", 10, "", "Service_Id", "OctetString", ""),
            ("fee_user_type", "int", 1, "", "Fee_UserType", "Enum8", "FEE_USER_TYPE"),
            ("fee_terminal_id", "string", 21, "", "Fee_terminal_Id", "OctetString", ""),
            ("tp_pid", "int", 1, "", "TP_pId", "UInt8", ""),
            ("tp_udhi", "int", 1, "", "TP_udhi", "Enum8", "TP_UDHI"),
            ("msg_fmt", "int", 1, "", "Msg_Fmt", "Enum8", "MSG_FMT"),
            ("msg_src", "string", 6, "", "Msg_src", "OctetString", ""),
            ("feetype", "string", 2, "", "FeeType", "OctetString", ""),
            ("feecode", "string", 6, "", "FeeCode", "OctetString", ""),
            ("valid_time", "string", 17, "", "ValId_Time", "OctetString", ""),
            ("at_time", "string", 17, "", "At_Time", "OctetString", ""),
            ("src_id", "string", 21, "", "Src_Id", "OctetString", ""),
            ("dest_usr_tl", "int", 1, "", "DestUsr_tl", "ListCount", ""),
            ("dest_terminal_id", "list", 21, "dest_usr_tl", "Dest_terminal_Id", "OctetList", ""),
            ("msg_length", "int", 1, "", "Msg_Length", "ContentLength", ""),
            ("msg_content", "content", 1, "msg_length", "Msg_Content", "OctetContent", ""),
            ("reserve", "string", 8, "", "Reserve", "OctetString", ""),
        ),
    ),
    0x80000004: (
        "CMPP_SUBMIT_RESP",
        "2.0 §7.4.3.2",
        (
            ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
            ("result", "int", 1, "", "Result", "Enum8", "RESULT"),
        ),
    ),
    0x00000005: (
        "CMPP_DELIVER",
        "2.0 §7.4.5.1",
        (
            ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
            ("dest_id", "string", 21, "", "Dest_Id", "OctetString", ""),
            ("service_id", "string", 10, "", "Service_Id", "OctetString", ""),
            ("tp_pid", "int", 1, "", "TP_pid", "UInt8", ""),
            ("tp_udhi", "int", 1, "", "TP_udhi", "Enum8", "TP_UDHI"),
            ("msg_fmt", "int", 1, "", "Msg_Fmt", "Enum8", "MSG_FMT"),
            ("src_terminal_id", "string", 21, "", "Src_terminal_Id", "OctetString", ""),
            ("registered_delivery", "int", 1, "", "Registered_Delivery", "Enum8", "DELIVER_KIND"),
            ("msg_length", "int", 1, "", "Msg_Length", "ContentLength", ""),
            ("msg_content", "content", 1, "msg_length", "Msg_Content", "OctetContent", ""),
            ("reserved", "string", 8, "", "Reserved", "OctetString", ""),
        ),
    ),
    0x80000005: (
        "CMPP_DELIVER_RESP",
        "2.0 §7.4.5.2",
        (
            ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
            ("result", "int", 1, "", "Result", "Enum8", "RESULT"),
        ),
    ),
    0x00000006: (
        "CMPP_QUERY",
        "2.0 §7.4.4.1",
        (
            ("time", "string", 8, "", "Time", "OctetString", ""),
            ("query_type", "int", 1, "", "Query_Type", "Enum8", "QUERY_TYPE"),
            ("query_code", "string", 10, "", "Query_Code", "OctetString", ""),
            ("reserve", "string", 8, "", "Reserve", "OctetString", ""),
        ),
    ),
    0x80000006: (
        "CMPP_QUERY_RESP",
        "2.0 §7.4.4.2",
        (
            ("time", "string", 8, "", "Time", "OctetString", ""),
            ("query_type", "int", 1, "", "Query_Type", "Enum8", "QUERY_TYPE"),
            ("query_code", "string", 10, "", "Query_Code", "OctetString", ""),
            ("mt_tlmsg", "int", 4, "", "MT_TLMsg", "UInt32", ""),
            ("mt_tlusr", "int", 4, "", "MT_Tlusr", "UInt32", ""),
            ("mt_scs", "int", 4, "", "MT_Scs", "UInt32", ""),
            ("mt_wt", "int", 4, "", "MT_WT", "UInt32", ""),
            ("mt_fl", "int", 4, "", "MT_FL", "UInt32", ""),
            ("mo_scs", "int", 4, "", "MO_Scs", "UInt32", ""),
            ("mo_wt", "int", 4, "", "MO_WT", "UInt32", ""),
            ("mo_fl", "int", 4, "", "MO_FL", "UInt32", ""),
        ),
    ),
    0x00000007: (
        "CMPP_CANCEL",
        "2.0 §7.4.6.1",
        (("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),),
    ),
    0x80000007: (
        "CMPP_CANCEL_RESP",
        "2.0 §7.4.6.2",
        (("success_id", "int", 1, "", "Success_Id", "Enum8", "SUCCESS_ID"),),
    ),
    0x00000008: (
        "CMPP_ACTIVE_TEST",
        "2.0 §7.4.7.1",
        (),
    ),
    0x80000008: (
        "CMPP_ACTIVE_TEST_RESP",
        "2.0 §7.4.7.2",
        (("reserved", "int", 1, "", "Reserved", "UInt8", ""),),
    ),
    0x00000009: (
        "CMPP_FWD",
        "2.0 §7.5.4.1",
        (
            ("source_id", "string", 6, "", "Source_Id", "OctetString", ""),
            ("destination_id", "string", 6, "", "Destination_Id", "OctetString", ""),
            ("nodescount", "int", 1, "", "NodesCount", "UInt8", ""),
            ("msg_fwd_type", "int", 1, "", "Msg_Fwd_Type", "Enum8", "MSG_FWD_TYPE"),
            ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
            ("pk_total", "int", 1, "", "Pk_total", "UInt8", ""),
            ("pk_number", "int", 1, "", "Pk_number", "UInt8", ""),
            ("registered_delivery", "int", 1, "", "Registered_Delivery", "Enum8", "REGISTERED_DELIVERY"),
            ("msg_level", "int", 1, "", "Msg_level", "UInt8", ""),
            ("service_id", "string", 10, "", "Service_Id", "OctetString", ""),
            ("fee_user_type", "int", 1, "", "Fee_UserType", "Enum8", "FEE_USER_TYPE"),
            ("fee_terminal_id", "string", 21, "", "Fee_terminal_Id", "OctetString", ""),
            ("tp_pid", "int", 1, "", "TP_pid", "UInt8", ""),
            ("tp_udhi", "int", 1, "", "TP_udhi", "Enum8", "TP_UDHI"),
            ("msg_fmt", "int", 1, "", "Msg_Fmt", "Enum8", "MSG_FMT"),
            ("msg_src", "string", 6, "", "Msg_src", "OctetString", ""),
            ("feetype", "string", 2, "", "FeeType", "OctetString", ""),
            ("feecode", "string", 6, "", "FeeCode", "OctetString", ""),
            ("valid_time", "string", 17, "", "Valid_Time", "OctetString", ""),
            ("at_time", "string", 17, "", "At_Time", "OctetString", ""),
            ("src_id", "string", 21, "", "Src_Id", "OctetString", ""),
            ("dest_usr_tl", "int", 1, "", "DestUsr_tl", "ListCount", ""),
            ("dest_id", "list", 21, "dest_usr_tl", "Dest_Id", "OctetList", ""),
            ("msg_length", "int", 1, "", "Msg_Length", "ContentLength", ""),
            ("msg_content", "content", 1, "msg_length", "Msg_Content", "OctetContent", ""),
            ("reserve", "string", 8, "", "Reserve", "OctetString", ""),
        ),
    ),
    0x80000009: (
        "CMPP_FWD_RESP",
        "2.0 §7.5.4.2",
        (
            ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
            ("pk_total", "int", 1, "", "Pk_total", "UInt8", ""),
            ("pk_number", "int", 1, "", "Pk_number", "UInt8", ""),
            ("result", "int", 1, "", "Result", "Enum8", "FWD_RESULT"),
        ),
    ),
    0x00000010: (
        "CMPP_MT_ROUTE",
        "2.0 §7.6.3.1",
        (
            ("source_id", "string", 6, "", "Source_Id", "OctetString", ""),
            ("terminal_id", "string", 21, "", "Terminal_Id", "OctetString", ""),
        ),
    ),
    0x80000010: (
        "CMPP_MT_ROUTE_RESP",
        "2.0 §7.6.3.2",
        (
            ("route_id", "int", 4, "", "Route_Id", "UInt32", ""),
            ("destination_id", "string", 6, "", "Destination_Id", "OctetString", ""),
            ("gateway_ip", "string", 15, "", "Gateway_IP", "OctetString", ""),
            ("gateway_port", "int", 2, "", "Gateway_port", "UInt16", ""),
            ("start_id", "string", 6, "", "Start_Id", "OctetString", ""),
            ("end_id", "string", 6, "", "End_Id", "OctetString", ""),
            ("area_code", "string", 4, "", "Area_code", "OctetString", ""),
            ("result", "int", 1, "", "Result", "Enum8", "ROUTE_RESULT"),
        ),
    ),
    0x00000011: (
        "CMPP_MO_ROUTE",
        "2.0 §7.6.4.1",
        (
            ("source_id", "string", 6, "", "Source_Id", "OctetString", ""),
            ("sp_code", "string", 21, "", "SP_Code", "OctetString", ""),
            ("service_id", "string", 10, "", "Service_Id", "OctetString", ""),
            ("service_code", "int", 4, "", "Service_Code", "UInt32", ""),
        ),
    ),
    0x80000011: (
        "CMPP_MO_ROUTE_RESP",
        "2.0 §7.6.4.2",
        (
            ("route_id", "int", 4, "", "Route_Id", "UInt32", ""),
            ("destination_id", "string", 6, "", "Destination_Id", "OctetString", ""),
            ("gateway_ip", "string", 15, "", "Gateway_IP", "OctetString", ""),
            ("gateway_port", "int", 2, "", "Gateway_port", "UInt16", ""),
            ("sp_id", "string", 21, "", "SP_Id", "OctetString", ""),
            ("start_code", "int", 4, "", "Start_code", "UInt32", ""),
            ("end_code", "int", 4, "", "End_code", "UInt32", ""),
            ("result", "int", 1, "", "Result", "Enum8", "ROUTE_RESULT"),
        ),
    ),
    0x00000012: (
        "CMPP_GET_ROUTE",
        "2.0 §7.6.5.1",
        (
            ("source_id", "string", 6, "", "Source_Id", "OctetString", ""),
            ("route_type", "string", 2, "", "Route_type", "OctetString", ""),
            ("last_route_id", "signed", 4, "", "Last_route_Id", "Int32", ""),
        ),
    ),
    0x80000012: (
        "CMPP_GET_ROUTE_RESP",
        "2.0 §7.6.5.2",
        (
            ("route_id", "int", 4, "", "Route_Id", "UInt32", ""),
            ("destination_id", "string", 6, "", "Destination_Id", "OctetString", ""),
            ("gateway_ip", "string", 15, "", "Gateway_IP", "OctetString", ""),
            ("gateway_port", "int", 2, "", "Gateway_port", "UInt16", ""),
            ("sp_code", "string", 21, "", "SP_Code", "OctetString", ""),
            ("service_id", "string", 10, "", "Service_Id", "OctetString", ""),
            ("start_code", "int", 4, "", "Start_code", "UInt32", ""),
            ("end_code", "int", 4, "", "End_code", "UInt32", ""),
            ("area_code", "string", 4, "", "Area_code", "OctetString", ""),
            ("result", "int", 1, "", "Result", "Enum8", "ROUTE_RESULT"),
        ),
    ),
    0x00000013: (
        "CMPP_MT_ROUTE_UPDATE",
        "2.0 §7.6.6.1",
        (
            ("update_type", "int", 1, "", "Update_type", "Enum8", "UPDATE_TYPE"),
            ("route_id", "int", 4, "", "Route_Id", "UInt32", ""),
            ("destination_id", "string", 6, "", "Destination_Id", "OctetString", ""),
            ("gateway_ip", "string", 15, "", "Gateway_IP", "OctetString", ""),
            ("gateway_port", "int", 2, "", "Gateway_port", "UInt16", ""),
            ("start_id", "string", 6, "", "Start_Id", "OctetString", ""),
            ("end_id", "string", 6, "", "End_Id", "OctetString", ""),
            ("area_code", "string", 4, "", "Area_code", "OctetString", ""),
        ),
    ),
    0x80000013: (
        "CMPP_MT_ROUTE_UPDATE_RESP",
        "2.0 §7.6.6.2",
        (("result", "int", 1, "", "Result", "Enum8", "UPDATE_RESULT"),),
    ),
    0x00000014: (
        "CMPP_MO_ROUTE_UPDATE",
        "2.0 §7.6.7.1",
        (
            ("update_type", "int", 1, "", "Update_type", "Enum8", "UPDATE_TYPE"),
            ("route_id", "int", 4, "", "Route_Id", "UInt32", ""),
            ("destination_id", "string", 6, "", "Destination_Id", "OctetString", ""),
            ("gateway_ip", "string", 15, "", "Gateway_IP", "OctetString", ""),
            ("gateway_port", "int", 2, "", "Gateway_port", "UInt16", ""),
            ("sp_code", "string", 21, "", "SP_Code", "OctetString", ""),
            ("service_id", "string", 10, "", "Service_Id", "OctetString", ""),
            ("start_code", "int", 4, "", "Start_code", "UInt32", ""),
            ("end_code", "int", 4, "", "End_code", "UInt32", ""),
        ),
    ),
    0x80000014: (
        "CMPP_MO_ROUTE_UPDATE_RESP",
        "2.0 §7.6.7.2",
        (("result", "int", 1, "", "Result", "Enum8", "UPDATE_RESULT"),),
    ),
    0x00000015: (
        "CMPP_PUSH_MT_ROUTE_UPDATE",
        "2.0 §7.6.8.1",
        (
            ("update_type", "int", 1, "", "Update_type", "Enum8", "UPDATE_TYPE"),
            ("route_id", "int", 4, "", "Route_Id", "UInt32", ""),
            ("destination_id", "string", 6, "", "Destination_Id", "OctetString", ""),
            ("gateway_ip", "string", 15, "", "Gateway_IP", "OctetString", ""),
            ("gateway_port", "int", 2, "", "Gateway_port", "UInt16", ""),
            ("start_id", "string", 6, "", "Start_Id", "OctetString", ""),
            ("end_id", "string", 6, "", "End_Id", "OctetString", ""),
            ("area_code", "string", 4, "", "Area_code", "OctetString", ""),
        ),
    ),
    0x80000015: (
        "CMPP_PUSH_MT_ROUTE_UPDATE_RESP",
        "2.0 §7.6.8.2",
        (("result", "int", 1, "", "Result", "Enum8", "PUSH_RESULT"),),
    ),
    0x00000016: (
        "CMPP_PUSH_MO_ROUTE_UPDATE",
        "2.0 §7.6.9.1",
        (
            ("update_type", "int", 1, "", "Update_type", "Enum8", "UPDATE_TYPE"),
            ("route_id", "int", 4, "", "Route_Id", "UInt32", ""),
            ("destination_id", "string", 6, "", "Destination_Id", "OctetString", ""),
            ("gateway_ip", "string", 15, "", "Gateway_IP", "OctetString", ""),
            ("gateway_port", "int", 2, "", "Gateway_port", "UInt16", ""),
            ("sp_code", "string", 21, "", "SP_Code", "OctetString", ""),
            ("service_id", "string", 10, "", "Service_Id", "OctetString", ""),
            ("start_code", "int", 4, "", "Start_code", "UInt32", ""),
            ("end_code", "int", 4, "", "End_code", "UInt32", ""),
        ),
    ),
    0x80000016: (
        "CMPP_PUSH_MO_ROUTE_UPDATE_RESP",
        "2.0 §7.6.9.2",
        (("result", "int", 1, "", "Result", "Enum8", "PUSH_RESULT"),),
    ),
}
"""Command_Id to the format of its body (CMPP 2.0 §7.4 to §7.6)."""

REPORTS: dict[int, Format] = {
    60: (
        "CMPP status report",
        "2.0 §7.4.5.1",
        (
            ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
            ("stat", "string", 7, "", "Stat", "OctetString", ""),
            ("submit_time", "string", 10, "", "Submit_time", "OctetString", ""),
            ("done_time", "string", 10, "", "Done_time", "OctetString", ""),
            ("dest_terminal_id", "string", 21, "", "Dest_terminal_Id", "OctetString", ""),
            ("smsc_sequence", "int", 4, "", "SMSC_sequence", "UInt32", ""),
        ),
    ),
    71: (
        "CMPP status report (71 octets)",
        "",
        (
            ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
            ("stat", "string", 7, "", "Stat", "OctetString", ""),
            ("submit_time", "string", 10, "", "Submit_time", "OctetString", ""),
            ("done_time", "string", 10, "", "Done_time", "OctetString", ""),
            ("dest_terminal_id", "string", 32, "", "Dest_terminal_Id", "OctetString", ""),
            ("smsc_sequence", "int", 4, "", "SMSC_sequence", "UInt32", ""),
        ),
    ),
}
"""Msg_Length to the format of a status report (CMPP 2.0 §7.4.5.1; 71 octets in 3.0 §8.4.5.1)."""

MO_REPORT: Format = (
    "CMPP MO report",
    "2.0 §7.5.4.1 note 2, App. 1",
    (
        ("msg_id", "int", 8, "", "Msg_Id", "MsgIdNumber", ""),
        ("stat", "string", 7, "", "Stat", "OctetString", ""),
        ("cmpp_deliver_time", "string", 10, "", "CMPP_DELIVER_time", "OctetString", ""),
        ("cmpp_deliver_resp_time", "string", 10, "", "CMPP_DELIVER_RESP_time", "OctetString", ""),
        ("dest_id", "string", 21, "", "Dest_Id", "OctetString", ""),
        ("reserved", "string", 4, "", "Reserved", "OctetString", ""),
    ),
)
"""Format of the report about an MO, 60 octets (CMPP 2.0 §7.5.4.1)."""
