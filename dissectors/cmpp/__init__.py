"""Scapy layers for CMPP 2.0, the short message protocol of China Mobile's gateways.

    >>> from dissectors.cmpp import CMPP, CMPPSubmit
    >>> submit = CMPPSubmit(Dest_terminal_Id=["13800138000"], Msg_Content=b"hi")
    >>> octets = bytes(CMPP(Sequence_Id=1) / submit)
    >>> CMPP(octets).show()

Field names are those of the document, and so are the section numbers in the docstrings. All thirty
messages have a layer; bodies in a layout of 2.1 or 3.0 are told apart and left unread. Nothing here
raises on any octets.

Importing this package binds nothing to TCP: `bind_tcp()` does, for those who read captures with
Scapy. Scapy itself is loaded when the first layer is asked for: authenticators, texts and
enumerations do without.
"""

# scapy.contrib.description = China Mobile Peer to Peer (CMPP) 2.0
# scapy.contrib.status = loads  # noqa: ERA001 - read by Scapy's list_contrib

from importlib import import_module
from typing import TYPE_CHECKING

from .auth import (
    authenticator_ismg,
    authenticator_source,
    check_authenticator_ismg,
    check_authenticator_source,
    explain_authenticator_source,
)
from .layout import Layout, layout
from .msgid import MsgId, compose_msg_id, format_msg_id, parse_msg_id, split_msg_id
from .text import Text, decode_text, encode_text

if TYPE_CHECKING:
    from .bind import CMPPSegment, bind_tcp, unbind_tcp
    from .bodies import BODIES
    from .body import CMPPBody, CMPPBody21, CMPPBody30, CMPPCut, CMPPSurplus
    from .connection import (
        CMPPActiveTest,
        CMPPActiveTestResp,
        CMPPConnect,
        CMPPConnectResp,
        CMPPTerminate,
        CMPPTerminateResp,
    )
    from .fields import octet_text
    from .gateway import (
        CMPPFwd,
        CMPPFwdResp,
        CMPPGetRoute,
        CMPPGetRouteResp,
        CMPPMORoute,
        CMPPMORouteResp,
        CMPPMORouteUpdate,
        CMPPMORouteUpdateResp,
        CMPPMTRoute,
        CMPPMTRouteResp,
        CMPPMTRouteUpdate,
        CMPPMTRouteUpdateResp,
        CMPPPushMORouteUpdate,
        CMPPPushMORouteUpdateResp,
        CMPPPushMTRouteUpdate,
        CMPPPushMTRouteUpdateResp,
    )
    from .header import CMPP, pdus
    from .report import CMPPMOReport, CMPPReport, CMPPReport71
    from .sms import (
        CMPPCancel,
        CMPPCancelResp,
        CMPPDeliver,
        CMPPDeliverResp,
        CMPPQuery,
        CMPPQueryResp,
        CMPPSubmit,
        CMPPSubmitResp,
    )

__all__ = [
    "BODIES",
    "CMPP",
    "CMPPActiveTest",
    "CMPPActiveTestResp",
    "CMPPBody",
    "CMPPBody21",
    "CMPPBody30",
    "CMPPCancel",
    "CMPPCancelResp",
    "CMPPConnect",
    "CMPPConnectResp",
    "CMPPCut",
    "CMPPDeliver",
    "CMPPDeliverResp",
    "CMPPFwd",
    "CMPPFwdResp",
    "CMPPGetRoute",
    "CMPPGetRouteResp",
    "CMPPMOReport",
    "CMPPMORoute",
    "CMPPMORouteResp",
    "CMPPMORouteUpdate",
    "CMPPMORouteUpdateResp",
    "CMPPMTRoute",
    "CMPPMTRouteResp",
    "CMPPMTRouteUpdate",
    "CMPPMTRouteUpdateResp",
    "CMPPPushMORouteUpdate",
    "CMPPPushMORouteUpdateResp",
    "CMPPPushMTRouteUpdate",
    "CMPPPushMTRouteUpdateResp",
    "CMPPQuery",
    "CMPPQueryResp",
    "CMPPReport",
    "CMPPReport71",
    "CMPPSegment",
    "CMPPSubmit",
    "CMPPSubmitResp",
    "CMPPSurplus",
    "CMPPTerminate",
    "CMPPTerminateResp",
    "Layout",
    "MsgId",
    "Text",
    "authenticator_ismg",
    "authenticator_source",
    "bind_tcp",
    "check_authenticator_ismg",
    "check_authenticator_source",
    "compose_msg_id",
    "decode_text",
    "encode_text",
    "explain_authenticator_source",
    "format_msg_id",
    "layout",
    "octet_text",
    "parse_msg_id",
    "pdus",
    "split_msg_id",
    "unbind_tcp",
]

_LAYERS = ("bodies", "bind", "body", "connection", "fields", "gateway", "header", "report", "sms")
"""The modules that need Scapy; the first binds all bodies to the header."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load the layers, and with them Scapy, when the first of them is asked for."""
        if name not in __all__:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        modules = [import_module(f".{module}", __name__) for module in _LAYERS]
        return next(getattr(module, name) for module in modules if hasattr(module, name))
