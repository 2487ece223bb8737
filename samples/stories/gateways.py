"""Gateways among themselves, and gateways and their name server; and every PDU there is."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import TYPE_CHECKING, Any

from dissectors.cmpp import (
    CMPP,
    CMPPCancel,
    CMPPCancelResp,
    CMPPGetRoute,
    CMPPGetRouteResp,
    CMPPMOReport,
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
    CMPPQuery,
    CMPPQueryResp,
    encode_text,
)
from samples.making.capture import Capture
from samples.making.conversation import CLIENT, SERVER, SP, Conversation
from samples.making.frames import Cooked, Ethernet, Host
from samples.making.peers import ASCII, GBK, UCS2, Ismg, Peer, Sp, answer, minute
from samples.stories.scenes import HANDSET, ethernet, test_link

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG, _SHORT, _NAMES = 7930, 7900, 9168
_BEIJING, _JIANGXI, _GNS = "198.51.100.1", "198.51.100.79", "198.51.100.53"
_JIANGXI_HANDSET = "13907910001"
_CODE = "1234"


def gateway_forwarding() -> Capture:
    """Beijing passes a message on to Jiangxi and hears of its delivery; a reply goes the other way."""
    capture, beijing, jiangxi = ethernet(), Ismg(), Ismg(code="079101")
    talk = Conversation(capture, Host(_BEIJING, 41207), Host(_JIANGXI, _LONG))
    talk.syn()
    connect = beijing.connect(talk.clock)
    talk.client_says(connect, after_ms=0.42)
    talk.server_says(jiangxi.welcome(connect), after_ms=21.3)
    talk.wait(s=2.5)
    _forward_mt(talk, beijing, jiangxi)
    talk.wait(s=31)
    _forward_mo(talk, beijing, jiangxi)
    test_link(talk, CLIENT, beijing, jiangxi)
    test_link(talk, SERVER, jiangxi, beijing)
    terminate = beijing.terminate()
    talk.client_says(terminate, after_ms=10_000)
    talk.server_says(jiangxi.terminate_resp(terminate), after_ms=20.7)
    talk.fin(CLIENT)
    return capture


def _forward_mt(talk: Conversation, beijing: Ismg, jiangxi: Ismg) -> None:
    """An MT message goes out (type 0), its status report comes back (type 2)."""
    sent_at, msg_id = talk.clock, beijing.msg_id(talk.clock)
    text = encode_text("您订购的天气预报：南昌，多云转小雨，24到30度。", UCS2)
    to = {"Registered_Delivery": 1, "Msg_Fmt": UCS2, "Src_Id": _CODE, "Dest_Id": [_JIANGXI_HANDSET]}
    message = beijing.fwd(0, jiangxi, msg_id, text, **to)
    talk.client_says(message, after_ms=0)
    talk.server_says(jiangxi.fwd_resp(message), after_ms=24.9)
    talk.wait(s=8.1)
    status = jiangxi.status(msg_id, _JIANGXI_HANDSET, sent_at, talk.clock)
    back = {"Src_Id": _JIANGXI_HANDSET, "Dest_Id": [_CODE]}
    report = jiangxi.fwd(2, beijing, jiangxi.msg_id(talk.clock), status, **back)
    talk.server_says(report, after_ms=0)
    talk.client_says(beijing.fwd_resp(report), after_ms=22.2)


def _forward_mo(talk: Conversation, beijing: Ismg, jiangxi: Ismg) -> None:
    """An MO message comes in (type 1), and the report that the SP took it goes back (type 3)."""
    msg_id = jiangxi.msg_id(talk.clock)
    from_handset = {"Registered_Delivery": 1, "Msg_Fmt": GBK, "Src_Id": _JIANGXI_HANDSET, "Dest_Id": [_CODE]}
    message = jiangxi.fwd(1, beijing, msg_id, encode_text("天气 九江", GBK), **from_handset)
    talk.server_says(message, after_ms=0)
    talk.client_says(beijing.fwd_resp(message), after_ms=23.4)
    times = {"CMPP_DELIVER_time": minute(talk.clock), "CMPP_DELIVER_RESP_time": minute(talk.clock)}
    taken = CMPPMOReport(Msg_Id=msg_id, Dest_Id=_CODE, **times)
    report = beijing.fwd(3, jiangxi, msg_id, taken, Src_Id=_CODE, Dest_Id=[_JIANGXI_HANDSET])
    talk.client_says(report, after_ms=310)
    talk.server_says(jiangxi.fwd_resp(report), after_ms=25.5)


def _gateway(code: str, route: int = 0) -> dict[str, Any]:
    """Fill in where a route leads."""
    return {"Route_Id": route, "Destination_Id": code, "Gateway_IP": _BEIJING if code == "001001" else _JIANGXI}


def _segment(start: str, end: str, area: str) -> dict[str, str]:
    """Fill in the number segment of an MT route."""
    return {"Start_Id": start, "End_Id": end, "Area_code": area}


_SERVICE: dict[str, Any] = {"SP_Code": _CODE, "Service_Id": "TPCQ", "Start_code": 1000, "End_code": 1999}

_ASK_MT = (
    CMPPMTRoute(Source_Id="001001", Terminal_Id=_JIANGXI_HANDSET),
    CMPPMTRouteResp(**_gateway("079101", 5), **_segment("139079", "139079", "0791")),
)
_ASK_MO = (
    CMPPMORoute(Source_Id="001001", SP_Code=_CODE, Service_Id="TPCQ", Service_Code=1000),
    CMPPMORouteResp(**_gateway("001001", 9), SP_Id="901234", Start_code=1000, End_code=1999),
)
_UPDATE_MT = (
    CMPPMTRouteUpdate(Update_type=0, **_gateway("079101"), **_segment("138079", "138079", "0791")),
    CMPPMTRouteUpdateResp(Result=0),
)
_UPDATE_MO = (CMPPMORouteUpdate(Update_type=0, **_gateway("001001"), **_SERVICE), CMPPMORouteUpdateResp(Result=0))
_PUSH_MT = (
    CMPPPushMTRouteUpdate(Update_type=0, **_gateway("079101", 7), **_segment("138079", "138079", "0791")),
    CMPPPushMTRouteUpdateResp(Result=0),
)
_PUSH_MO = (
    CMPPPushMORouteUpdate(Update_type=2, **_gateway("001001", 9), **_SERVICE),
    CMPPPushMORouteUpdateResp(Result=0),
)


def _fetch(last: int, *, end: bool) -> tuple[CMPPGetRoute, CMPPGetRouteResp]:
    """Ask for the route behind `last`, and get it."""
    number = last + 1
    start = 138_079 + 500 * number
    found = {"Start_code": start, "End_code": start + 9, "Area_code": "0791", "Result": 2 if end else 0}
    return CMPPGetRoute(Source_Id="001001", Last_route_Id=last), CMPPGetRouteResp(**_gateway("079101", number), **found)


class _ShortConnections:
    """A gateway and a name server that open a connection for every pair."""

    def __init__(self, capture: Capture, interface: int = 0, *, v6: bool = False) -> None:
        self.capture, self.interface = capture, interface
        self.gateway, self.names = ("2001:db8::1", "2001:db8::53") if v6 else (_BEIJING, _GNS)
        self.gateway_asks, self.names_ask = Peer(), Peer()
        self.ports: Iterator[int] = count(43001)

    def pair(self, bodies: tuple[Any, Any], at_s: float, *, push: bool = False, login: bool = False) -> None:
        """Open a connection, ask, be answered, close; with CONNECT and TERMINATE round it for `login`."""
        client, server, asks = (
            (self.names, self.gateway, self.names_ask) if push else (self.gateway, self.names, self.gateway_asks)
        )
        port = next(self.ports)
        isns = (0x31000000 + (port << 8), 0x52000000 + (port << 9))
        talk = Conversation(self.capture, Host(client, port), Host(server, _NAMES), self.interface, isns, at_s * 1000)
        talk.syn(last_ack=False)
        if login:
            connect = asks.login("001001", talk.clock, b"cmpp-secret")
            talk.client_says(connect, after_ms=0.102)
            talk.server_says(asks.welcome(connect), after_ms=2.2)
        request = asks.ask(bodies[0])
        talk.client_says(request, after_ms=0.102)
        talk.server_says(answer(request, bodies[1]), after_ms=2.6, fin=not login)
        if login:
            terminate = asks.terminate()
            talk.client_says(terminate, after_ms=0.311)
            talk.server_says(asks.terminate_resp(terminate), after_ms=1.9, fin=True)
        talk.fin(SERVER)


def gns_routing() -> Capture:
    """A gateway asks its name server for routes and changes them, and is told of changes."""
    capture = ethernet()
    short = _ShortConnections(capture)
    short.pair(_ASK_MT, at_s=0, login=True)
    short.pair(_ASK_MO, at_s=4.1)
    for last in range(-1, 2):
        short.pair(_fetch(last, end=last == 1), at_s=20 + 0.05 * last)
    short.pair(_UPDATE_MT, at_s=61.7)
    short.pair(_UPDATE_MO, at_s=62.2)
    short.pair(_PUSH_MT, at_s=121.4, push=True)
    short.pair(_PUSH_MO, at_s=121.9, push=True)
    return capture


def every_pdu() -> Capture:
    """All thirty PDUs: SP and gateway in a VLAN, gateways and name server over IPv6."""
    links = (("eth0.100", Ethernet(vlan=100)), ("any", Cooked(if_index=3)))
    capture = Capture(links)
    _sp_pdus(capture)
    _fwd_pdus(capture)
    short = _ShortConnections(capture, interface=1, v6=True)
    pairs = (_ASK_MT, _ASK_MO, _fetch(-1, end=True), _UPDATE_MT, _UPDATE_MO)
    for number, pair in enumerate(pairs):
        short.pair(pair, at_s=20.123456789 + number)
    for number, pair in enumerate((_PUSH_MT, _PUSH_MO)):
        short.pair(pair, at_s=30.987654321 + number, push=True)
    return capture


def _sp_pdus(capture: Capture) -> None:
    """Every PDU of the SP interface, in few segments."""
    sp, ismg = Sp(), Ismg()
    talk = Conversation(capture, Host("192.0.2.10", 40001), Host(_BEIJING, 7890), begins_ms=0.000123)
    talk.syn(last_ack=False)
    connect = sp.connect(talk.clock)
    talk.sp(connect, after_ms=0.200077)
    talk.ismg(ismg.welcome(connect), after_ms=3.107001)
    day = f"{talk.clock:%Y%m%d}"
    submit = sp.submit("这条短信将在明天发送，也可以取消。", HANDSET, At_Time="260602090000032+")
    query, test = sp.ask(CMPPQuery(Time=day, Query_Type=1, Query_Code=sp.service)), sp.active_test()
    talk.sp(submit, query, test, after_ms=1.5)
    totals = {"MT_TLMsg": 6, "MT_Tlusr": 8, "MT_Scs": 5, "MT_WT": 1, "MO_Scs": 2}
    totals_resp = CMPPQueryResp(Time=day, Query_Type=1, Query_Code=sp.service, **totals)
    submit_resp = ismg.submit_resp(submit, talk.clock)
    deliver = ismg.deliver("CX", "13900000001", sp.code, talk.clock, ASCII)
    talk.ismg(submit_resp, answer(query, totals_resp), ismg.active_test_resp(test), deliver, after_ms=9.25)
    cancel, terminate = sp.ask(CMPPCancel(Msg_Id=submit_resp.Msg_Id)), sp.terminate()
    talk.sp(sp.deliver_resp(deliver), cancel, terminate, after_ms=4.75)
    cancelled: CMPP = answer(cancel, CMPPCancelResp(Success_Id=0))
    talk.ismg(cancelled, ismg.terminate_resp(terminate), after_ms=6.5)
    talk.fin(SP)


def _fwd_pdus(capture: Capture) -> None:
    """A FWD and its response on a short connection between gateways."""
    beijing, jiangxi = Ismg(), Ismg(code="079101")
    ends = Host("2001:db8::1", 42001), Host("2001:db8::79", _SHORT)
    talk = Conversation(capture, *ends, 1, (0x44000000, 0x55000000), begins_ms=10_000.000456)
    talk.syn(last_ack=False)
    msg_id = beijing.msg_id(talk.clock - dt.timedelta(seconds=1))
    to = {"Src_Id": _CODE, "Dest_Id": [_JIANGXI_HANDSET]}
    message = beijing.fwd(0, jiangxi, msg_id, b"Your parcel has arrived.", **to)
    talk.client_says(message, after_ms=0.1)
    talk.server_says(jiangxi.fwd_resp(message), after_ms=20.5, fin=True)
    talk.fin(SERVER)
