"""Traffic that is not CMPP 2.0: a later edition, and other protocols."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dissectors.cmpp import authenticator_ismg, encode_text
from samples.making import edition3
from samples.making.conversation import CLIENT, SERVER, Conversation
from samples.making.frames import Host
from samples.making.peers import SECRET, UCS2, Ismg, Sp, minute
from samples.stories.scenes import GATEWAY, HANDSET, SP_HOST, ethernet, log_out, sp_talk

if TYPE_CHECKING:
    from samples.making.capture import Capture

_SMPP_BIND, _SMPP_SUBMIT, _SMPP_UNBIND, _SMPP_RESPONSE = 9, 4, 6, 0x8000_0000


def version_3() -> Capture:
    """A session of CMPP 3.0 on a port of its own: login, SMS, status report, link test, logout."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture, server=Host(GATEWAY.address, 8855))
    talk.syn()
    connect = sp.login(sp.sp_id, talk.clock, SECRET, version=0x30)
    talk.sp(connect, after_ms=0.388)
    proof = authenticator_ismg(0, connect.AuthenticatorSource, SECRET, "four octets")
    talk.ismg(edition3.connect_resp(connect.Sequence_Id, proof), after_ms=2.914)

    sent_at = talk.clock
    sp.sequence += 1
    talk.sp(edition3.submit(sp.sequence, edition3.Message(HANDSET, encode_text("你好，CMPP", UCS2))), after_ms=640)
    msg_id = ismg.msg_id(talk.clock)
    talk.ismg(edition3.submit_resp(sp.sequence, msg_id), after_ms=10.107)

    talk.wait(s=5.5)
    ismg.sequence += 1
    status = edition3.Status(msg_id, minute(sent_at), minute(talk.clock), HANDSET, 12_345_678)
    report_id = ismg.msg_id(talk.clock)
    talk.ismg(edition3.deliver_report(ismg.sequence, report_id, status), after_ms=0)
    talk.sp(edition3.deliver_resp(ismg.sequence, report_id), after_ms=3.8)

    test = sp.active_test()
    talk.sp(test, after_ms=30_000)
    talk.ismg(ismg.active_test_resp(test), after_ms=2.1)
    log_out(talk, sp, ismg)
    return capture


def not_cmpp() -> Capture:
    """SMPP, HTTP, and TLS on the very port of CMPP."""
    capture = ethernet()
    _smpp(Conversation(capture, Host(SP_HOST, 40001), Host("198.51.100.7", 2775)))
    _http(
        Conversation(
            capture, Host(SP_HOST, 40002), Host("198.51.100.8", 8080), isns=(0x20000000, 0x60000000), begins_ms=4000
        )
    )
    _tls(Conversation(capture, Host(SP_HOST, 40003), GATEWAY, isns=(0x21000000, 0x61000000), begins_ms=8000))
    return capture


def _smpp_pdu(command: int, sequence: int, body: bytes = b"") -> bytes:
    """Build a PDU of SMPP 3.4: length, id, status, sequence, body."""
    return struct.pack("!IIII", 16 + len(body), command, 0, sequence) + body


def _smpp(talk: Conversation) -> None:
    """bind_transceiver, submit_sm, unbind, and what answers them."""
    text = b"Hello from SMPP"
    number = HANDSET.encode()
    submit = b"\0\x01\x01901234\0\x01\x01" + number + b"\0" + bytes(9) + bytes([len(text)]) + text
    exchanges = (
        (_SMPP_BIND, b"esme01\0secret\0\0\x34\0\0\0", b"SMSC01\0"),
        (_SMPP_SUBMIT, submit, b"5A3C01\0"),
        (_SMPP_UNBIND, b"", b""),
    )
    talk.syn()
    for sequence, (command, request, response) in enumerate(exchanges, 1):
        talk.client_says(_smpp_pdu(command, sequence, request), after_ms=300)
        talk.server_says(_smpp_pdu(_SMPP_RESPONSE | command, sequence, response), after_ms=8.3)
    talk.fin(CLIENT)


def _http(talk: Conversation) -> None:
    """A GET and its answer."""
    talk.syn()
    talk.client_says(b"GET /status HTTP/1.1\r\nHost: sms.example\r\nAccept: */*\r\n\r\n", after_ms=0.3)
    talk.server_says(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{'status':'up'}".replace(
            b"'", b'"'
        ),
        after_ms=5.2,
    )
    talk.fin(CLIENT)


def _tls(talk: Conversation) -> None:
    """A ClientHello of TLS 1.2, turned down with an alert."""
    name = b"gateway.example"
    server_name = struct.pack("!HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    suites = struct.pack("!HHH", 4, 0xC02F, 0x009C)
    hello = (
        b"\x03\x03" + bytes(range(32)) + b"\0" + suites + b"\x01\0" + struct.pack("!H", len(server_name)) + server_name
    )
    handshake = b"\x01" + len(hello).to_bytes(3, "big") + hello
    talk.syn()
    talk.client_says(b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake, after_ms=0.4)
    talk.server_says(b"\x15\x03\x03\0\x02\x02\x28", after_ms=2.5)
    talk.fin(SERVER)
