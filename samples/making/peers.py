"""The peers of the samples, who number their PDUs and fill them in as real programs do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from dissectors.cmpp import (
    CMPP,
    CMPPActiveTest,
    CMPPActiveTestResp,
    CMPPConnect,
    CMPPConnectResp,
    CMPPDeliver,
    CMPPDeliverResp,
    CMPPFwd,
    CMPPFwdResp,
    CMPPReport,
    CMPPSubmit,
    CMPPSubmitResp,
    CMPPTerminate,
    CMPPTerminateResp,
    MsgId,
    authenticator_ismg,
    authenticator_source,
    compose_msg_id,
    encode_text,
)

SECRET = b"cmpp-secret"
ASCII, UCS2, GBK = 0, 8, 15
_AUTHENTICATION_FAILED = 3
_FIRST_SMSC_SEQUENCE = 12_345_000


def answer(request: CMPP, body: Any) -> CMPP:
    """Give a response the Sequence_Id of its request."""
    pdu: CMPP = CMPP(Sequence_Id=request.Sequence_Id) / body
    return pdu


def minute(moment: dt.datetime) -> str:
    """Write a time as status reports do: YYMMDDHHMM."""
    return f"{moment:%y%m%d%H%M}"


@dataclass(slots=True)
class Peer:
    """Whoever may send requests: one counter for all of them."""

    sequence: int = 0

    def ask(self, body: Any) -> CMPP:
        """Give a request the next Sequence_Id."""
        self.sequence += 1
        pdu: CMPP = CMPP(Sequence_Id=self.sequence) / body
        return pdu

    def login(self, source: str, moment: dt.datetime, secret: bytes, version: int = 0x20) -> CMPP:
        """Build the CONNECT of `source` at that time."""
        timestamp = int(f"{moment:%m%d%H%M%S}")
        authenticator = authenticator_source(source.encode(), secret, timestamp)
        return self.ask(
            CMPPConnect(Source_Addr=source, AuthenticatorSource=authenticator, Version=version, Timestamp=timestamp)
        )

    def welcome(self, connect: CMPP, status: int = 0) -> CMPP:
        """Answer a CONNECT; a failed one with a blank authenticator."""
        authenticator = authenticator_ismg(status, connect.AuthenticatorSource, SECRET)
        if status == _AUTHENTICATION_FAILED:
            authenticator = bytes(16)
        return answer(connect, CMPPConnectResp(Status=status, AuthenticatorISMG=authenticator))

    def active_test(self) -> CMPP:
        """Test the link."""
        return self.ask(CMPPActiveTest())

    def active_test_resp(self, request: CMPP) -> CMPP:
        """Answer a test of the link."""
        return answer(request, CMPPActiveTestResp())

    def terminate(self) -> CMPP:
        """End the session."""
        return self.ask(CMPPTerminate())

    def terminate_resp(self, request: CMPP) -> CMPP:
        """Agree to end the session."""
        return answer(request, CMPPTerminateResp())


@dataclass(slots=True)
class Sp(Peer):
    """A service provider."""

    sp_id: str = "901234"
    service: str = "TPCQ"
    code: str = "1234"

    def connect(self, moment: dt.datetime, secret: bytes = SECRET) -> CMPP:
        """Log in."""
        return self.login(self.sp_id, moment, secret)

    def submit(self, text: str | bytes, to: str, fmt: int = UCS2, *, report: bool = False, **fields: Any) -> CMPP:
        """Send a message, its text coded as `fmt` says."""
        filled: dict[str, Any] = {
            "Registered_Delivery": int(report),
            "Msg_level": 1,
            "Service_Id": self.service,
            "Msg_Fmt": fmt,
            "Msg_src": self.sp_id,
            "Src_Id": self.code,
            "Dest_terminal_Id": [to],
            "Msg_Content": text if isinstance(text, bytes) else encode_text(text, fmt),
        }
        return self.ask(CMPPSubmit(**(filled | fields)))

    def deliver_resp(self, deliver: CMPP) -> CMPP:
        """Accept a message or a status report."""
        return answer(deliver, CMPPDeliverResp(Msg_Id=deliver.Msg_Id))


@dataclass(slots=True)
class Ismg(Peer):
    """A gateway."""

    code: str = "001001"
    serial: int = 0
    smsc_sequence: int = _FIRST_SMSC_SEQUENCE

    def connect(self, moment: dt.datetime) -> CMPP:
        """Log in to another gateway, or to a name server."""
        return self.login(self.code, moment, SECRET)

    def msg_id(self, moment: dt.datetime) -> int:
        """Number a message."""
        self.serial += 1
        parts = (moment.month, moment.day, moment.hour, moment.minute, moment.second)
        return compose_msg_id(MsgId(*parts, gateway=int(self.code), serial=self.serial))

    def submit_resp(self, submit: CMPP, moment: dt.datetime, result: int = 0) -> CMPP:
        """Answer a SUBMIT; only an accepted message gets a number."""
        return answer(submit, CMPPSubmitResp(Msg_Id=0 if result else self.msg_id(moment), Result=result))

    def deliver(
        self, text: str | bytes, sender: str, to: str, moment: dt.datetime, fmt: int = GBK, **fields: Any
    ) -> CMPP:
        """Bring a message from a handset."""
        filled: dict[str, Any] = {
            "Msg_Id": self.msg_id(moment),
            "Dest_Id": to,
            "Service_Id": "TPCQ",
            "Msg_Fmt": fmt,
            "Src_terminal_Id": sender,
            "Msg_Content": text if isinstance(text, bytes) else encode_text(text, fmt),
        }
        return self.ask(CMPPDeliver(**(filled | fields)))

    def status(
        self, msg_id: int, to: str, submitted: dt.datetime, done: dt.datetime, stat: str = "DELIVRD"
    ) -> CMPPReport:
        """Say what became of a message."""
        self.smsc_sequence += 1
        return CMPPReport(
            Msg_Id=msg_id,
            Stat=stat,
            Submit_time=minute(submitted),
            Done_time=minute(done),
            Dest_terminal_Id=to,
            SMSC_sequence=self.smsc_sequence,
        )

    def report(self, submit: CMPP, resp: CMPP, times: tuple[dt.datetime, dt.datetime], stat: str = "DELIVRD") -> CMPP:
        """Bring the status report of a SUBMIT; `times` are when it was sent, and when all was over."""
        (to,) = submit.Dest_terminal_Id
        return self.ask(
            CMPPDeliver(
                Msg_Id=self.msg_id(times[1]),
                Dest_Id=submit.Src_Id,
                Service_Id=submit.Service_Id,
                Src_terminal_Id=to,
                Registered_Delivery=1,
                Msg_Content=self.status(resp.Msg_Id, to, *times, stat=stat),
            )
        )

    def fwd(self, kind: int, towards: Ismg, msg_id: int, content: Any, **fields: Any) -> CMPP:
        """Pass a message or a report on to another gateway."""
        return self.ask(
            CMPPFwd(
                Source_Id=self.code,
                Destination_Id=towards.code,
                Msg_Fwd_Type=kind,
                Msg_Id=msg_id,
                Service_Id="TPCQ",
                Msg_src="901234",
                Msg_Content=content,
                **fields,
            )
        )

    def fwd_resp(self, fwd: CMPP) -> CMPP:
        """Accept what another gateway passed on."""
        echo = {name: getattr(fwd, name) for name in ("Msg_Id", "Pk_total", "Pk_number")}
        return answer(fwd, CMPPFwdResp(**echo))
