"""Which layer is the body of which command: one table, and the bindings to the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapy.packet import bind_layers

from . import connection, gateway, sms
from .enums import RESPONSE
from .header import CMPP

if TYPE_CHECKING:
    from .body import CMPPBody

BODIES: dict[int, type[CMPPBody]] = {
    0x01: connection.CMPPConnect,
    RESPONSE | 0x01: connection.CMPPConnectResp,
    0x02: connection.CMPPTerminate,
    RESPONSE | 0x02: connection.CMPPTerminateResp,
    0x04: sms.CMPPSubmit,
    RESPONSE | 0x04: sms.CMPPSubmitResp,
    0x05: sms.CMPPDeliver,
    RESPONSE | 0x05: sms.CMPPDeliverResp,
    0x06: sms.CMPPQuery,
    RESPONSE | 0x06: sms.CMPPQueryResp,
    0x07: sms.CMPPCancel,
    RESPONSE | 0x07: sms.CMPPCancelResp,
    0x08: connection.CMPPActiveTest,
    RESPONSE | 0x08: connection.CMPPActiveTestResp,
    0x09: gateway.CMPPFwd,
    RESPONSE | 0x09: gateway.CMPPFwdResp,
    0x10: gateway.CMPPMTRoute,
    RESPONSE | 0x10: gateway.CMPPMTRouteResp,
    0x11: gateway.CMPPMORoute,
    RESPONSE | 0x11: gateway.CMPPMORouteResp,
    0x12: gateway.CMPPGetRoute,
    RESPONSE | 0x12: gateway.CMPPGetRouteResp,
    0x13: gateway.CMPPMTRouteUpdate,
    RESPONSE | 0x13: gateway.CMPPMTRouteUpdateResp,
    0x14: gateway.CMPPMORouteUpdate,
    RESPONSE | 0x14: gateway.CMPPMORouteUpdateResp,
    0x15: gateway.CMPPPushMTRouteUpdate,
    RESPONSE | 0x15: gateway.CMPPPushMTRouteUpdateResp,
    0x16: gateway.CMPPPushMORouteUpdate,
    RESPONSE | 0x16: gateway.CMPPPushMORouteUpdateResp,
}
"""Command_Id to the layer of its body in CMPP 2.0 (§7.7.1)."""

for _command_id, _body in BODIES.items():
    bind_layers(CMPP, _body, Command_Id=_command_id)
