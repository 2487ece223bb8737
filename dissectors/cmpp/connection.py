"""Opening, testing and closing a connection: CONNECT, ACTIVE_TEST, TERMINATE, responses."""

from __future__ import annotations

from . import enums
from .body import CMPPBody
from .fields import Authenticator, Enum8, OctetString, Timestamp, UInt8, Version

VERSION_20 = 0x20


class CMPPConnect(CMPPBody):
    """CONNECT, 39 octets with the header (CMPP 2.0 §7.4.1.1)."""

    name = "CMPP_CONNECT"
    fields_desc = [
        OctetString("Source_Addr", b"", 6),
        Authenticator("AuthenticatorSource"),
        Version("Version", VERSION_20),
        Timestamp("Timestamp", 0),
    ]


class CMPPConnectResp(CMPPBody):
    """CONNECT_RESP, 30 octets with the header (CMPP 2.0 §7.4.1.2)."""

    name = "CMPP_CONNECT_RESP"
    fields_desc = [
        Enum8("Status", 0, enums.CONNECT_STATUS),
        Authenticator("AuthenticatorISMG"),
        Version("Version", VERSION_20),
    ]


class CMPPTerminate(CMPPBody):
    """TERMINATE, the header alone (CMPP 2.0 §7.4.2.1)."""

    name = "CMPP_TERMINATE"


class CMPPTerminateResp(CMPPBody):
    """TERMINATE_RESP, the header alone (CMPP 2.0 §7.4.2.2)."""

    name = "CMPP_TERMINATE_RESP"


class CMPPActiveTest(CMPPBody):
    """ACTIVE_TEST, the header alone (CMPP 2.0 §7.4.7.1)."""

    name = "CMPP_ACTIVE_TEST"


class CMPPActiveTestResp(CMPPBody):
    """ACTIVE_TEST_RESP, 13 octets with the header; any value is legal (CMPP 2.0 §7.4.7.2)."""

    name = "CMPP_ACTIVE_TEST_RESP"
    fields_desc = [UInt8("Reserved", 0)]
