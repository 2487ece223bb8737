"""A small SP and a small gateway that talk CMPP 2.0 over TCP and end by themselves.

    python peers.py gateway ADDRESS PORT            serves one SP, says `ready` when it can
    python peers.py sp ADDRESS PORT MESSAGES        logs in, submits, waits for every report, logs out

The SP keeps up to 16 SUBMITs unanswered, tests the link, answers reports; the gateway refuses every tenth message and
reports on the others. Both give up after a few seconds, whatever the other does.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import struct
import sys
from typing import Any

from dissectors.cmpp import (
    CMPP,
    CMPPActiveTest,
    CMPPActiveTestResp,
    CMPPConnect,
    CMPPConnectResp,
    CMPPDeliver,
    CMPPDeliverResp,
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
SP_ID = "901234"
CHINA = dt.timezone(dt.timedelta(hours=8))
WINDOW = 16
PATIENCE_SECONDS = 20
REFUSE_EVERY, FLOW_CONTROL = 10, 8
UCS2 = 8


class Link:
    """One end of a connection: whole PDUs in and out, requests numbered, responses matched."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin with no request open."""
        self.reader, self.writer = reader, writer
        self.sequence = 0
        self.waiting: dict[tuple[int, int], asyncio.Future[CMPP]] = {}

    async def read(self) -> CMPP:
        """Read one PDU."""
        head = await self.reader.readexactly(4)
        return CMPP(head + await self.reader.readexactly(struct.unpack("!I", head)[0] - 4))

    def send(self, sequence: int, body: Any) -> None:
        """Write one PDU."""
        self.writer.write(bytes(CMPP(Sequence_Id=sequence) / body))

    async def ask(self, body: Any) -> CMPP:
        """Send a request and wait for its response."""
        self.sequence += 1
        request = CMPP(bytes(CMPP(Sequence_Id=self.sequence) / body))
        answer: asyncio.Future[CMPP] = asyncio.Future()
        self.waiting[request.Command_Id | 0x8000_0000, self.sequence] = answer
        self.writer.write(bytes(request))
        return await answer

    def hand_over(self, pdu: CMPP) -> bool:
        """Give a response to who waits for it."""
        answer = self.waiting.pop((pdu.Command_Id, pdu.Sequence_Id), None)
        if answer is not None:
            answer.set_result(pdu)
        return answer is not None


class Gateway(Link):
    """The gateway's end."""

    serial = 0

    async def serve(self) -> None:
        """Answer everything until the SP logs out; report on what was accepted once it is answered."""
        reports: list[asyncio.Task[CMPP]] = []
        while True:
            pdu = await self.read()
            body = pdu.payload
            if isinstance(body, CMPPConnect):
                self.send(pdu.Sequence_Id, self.welcome(body))
            elif isinstance(body, CMPPSubmit):
                reports += self.take(pdu.Sequence_Id, body)
            elif isinstance(body, CMPPActiveTest):
                self.send(pdu.Sequence_Id, CMPPActiveTestResp())
            elif isinstance(body, CMPPTerminate):
                self.send(pdu.Sequence_Id, CMPPTerminateResp())
                break
            else:
                self.hand_over(pdu)
        await self.writer.drain()
        self.writer.close()
        await self.writer.wait_closed()

    def welcome(self, connect: Any) -> CMPPConnectResp:
        """Check a login."""
        source = bytes(connect.AuthenticatorSource)
        right = source == authenticator_source(SP_ID.encode(), SECRET, connect.Timestamp)
        status = 0 if right else 3
        authenticator = authenticator_ismg(status, source, SECRET) if right else bytes(16)
        return CMPPConnectResp(Status=status, AuthenticatorISMG=authenticator)

    def take(self, sequence: int, submit: Any) -> list[asyncio.Task[CMPP]]:
        """Accept or refuse a message; begin to report on it where it is accepted."""
        self.serial += 1
        now = dt.datetime.now(CHINA)
        if self.serial % REFUSE_EVERY == 0:
            self.send(sequence, CMPPSubmitResp(Msg_Id=0, Result=FLOW_CONTROL))
            return []
        number = compose_msg_id(MsgId(now.month, now.day, now.hour, now.minute, now.second, 1001, self.serial))
        self.send(sequence, CMPPSubmitResp(Msg_Id=number))
        report = CMPPReport(
            Msg_Id=number,
            Submit_time=f"{now:%y%m%d%H%M}",
            Done_time=f"{now:%y%m%d%H%M}",
            Dest_terminal_Id=submit.Dest_terminal_Id[0],
            SMSC_sequence=self.serial,
        )
        deliver = CMPPDeliver(
            Msg_Id=number + 1000,
            Dest_Id=submit.Src_Id,
            Service_Id=submit.Service_Id,
            Src_terminal_Id=submit.Dest_terminal_Id[0],
            Registered_Delivery=1,
            Msg_Content=report,
        )
        return [asyncio.ensure_future(self.ask(deliver))]


class Sp(Link):
    """The service provider's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin with nothing accepted."""
        super().__init__(reader, writer)
        self.reported: asyncio.Queue[int] = asyncio.Queue()
        self.window = asyncio.Semaphore(WINDOW)

    async def listen(self) -> None:
        """Answer reports; hand responses over."""
        try:
            while True:
                pdu = await self.read()
                if isinstance(pdu.payload, CMPPDeliver):
                    self.send(pdu.Sequence_Id, CMPPDeliverResp(Msg_Id=pdu.payload.Msg_Id))
                    self.reported.put_nowait(pdu.payload.Msg_Id)
                else:
                    self.hand_over(pdu)
        except asyncio.IncompleteReadError:  # the gateway closed
            return

    async def submit(self, number: int) -> bool:
        """Submit a message; tell whether it was accepted."""
        body = CMPPSubmit(
            Registered_Delivery=1,
            Service_Id="TPCQ",
            Msg_Fmt=UCS2,
            Msg_src=SP_ID,
            Src_Id="1234",
            Dest_terminal_Id=[f"138{number:08d}"],
            Msg_Content=encode_text(f"第{number}条：您的验证码是{number:06d}。", UCS2),
        )
        async with self.window:
            answer = await self.ask(body)
        return bool(answer.payload.Result == 0)

    async def talk(self, messages: int) -> None:
        """Log in, submit everything, wait for the reports, log out."""
        listening = asyncio.ensure_future(self.listen())
        stamp = int(f"{dt.datetime.now(CHINA):%m%d%H%M%S}")
        authenticator = authenticator_source(SP_ID.encode(), SECRET, stamp)
        login = await self.ask(CMPPConnect(Source_Addr=SP_ID, AuthenticatorSource=authenticator, Timestamp=stamp))
        if login.payload.Status:
            sys.exit(f"login refused: {login.payload.Status}")
        accepted = sum(await asyncio.gather(*(self.submit(number) for number in range(messages))))
        await self.ask(CMPPActiveTest())
        for _ in range(accepted):
            await self.reported.get()
        await self.ask(CMPPTerminate())
        await listening
        self.writer.close()
        await self.writer.wait_closed()


async def gateway(address: str, port: int) -> None:
    """Serve one SP."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Gateway(reader, writer).serve()
        finally:
            done.set()

    server = await asyncio.start_server(serve, address, port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with server:
        await done.wait()


async def sp(address: str, port: int, messages: int) -> None:
    """Be one SP."""
    await Sp(*await asyncio.open_connection(address, port)).talk(messages)


def main(role: str, address: str, port: str, *rest: str) -> None:
    """Play a role, for a while at most."""
    work = gateway(address, int(port)) if role == "gateway" else sp(address, int(port), *map(int, rest))
    asyncio.run(asyncio.wait_for(work, PATIENCE_SECONDS))


if __name__ == "__main__":
    main(*sys.argv[1:])
