"""What goes wrong: on the way to the capture, in the answers, in the framing, in the texts."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dissectors.cmpp import CMPP, CMPPConnectResp, CMPPDeliverResp, CMPPMTRoute, CMPPQuery
from samples.making.conversation import ISMG, SP
from samples.making.peers import ASCII, GBK, UCS2, Ismg, Sp, answer
from samples.stories.scenes import HANDSET, delivered, ethernet, log_in, log_out, sp_talk, submitted

if TYPE_CHECKING:
    from samples.making.capture import Capture

_T = 60
_NOTICE = "您的订单已发货，请注意查收。"


def loss_and_resync() -> Capture:
    """A capture that begins inside a PDU, misses a segment, and holds one twice and two out of order."""
    capture, sp, ismg = ethernet(), Sp(sequence=0x263), Ismg(serial=20_000)
    talk = sp_talk(capture, isns=(0x7C11A0D3, 0xE9000010))
    first, second = (sp.submit(f"{_NOTICE}单号{n}", f"1380013800{n}") for n in range(2))
    talk.sp(bytes(first)[70:], second, after_ms=0)
    talk.ismg(*(ismg.submit_resp(submit, talk.clock) for submit in (first, second)), after_ms=8.2)

    submits = [sp.submit(f"{_NOTICE}单号{n}", f"1380013800{n}") for n in range(2, 6)]
    octets = b"".join(map(bytes, submits))
    length = len(submits[0])
    talk.sp(octets[: length + 50], after_ms=120)
    talk.sp(octets[length + 50 : 2 * length + 90], after_ms=0.1, lost=True)
    talk.sp(octets[2 * length + 90 :], after_ms=0.1)
    talk.ack(ISMG)
    talk.ismg(*(ismg.submit_resp(submit, talk.clock) for submit in submits), after_ms=9.4)

    submit = sp.submit(_NOTICE, "13800138006")
    saying = talk.sp(submit, after_ms=1500)
    talk.again(saying)
    talk.ismg(ismg.submit_resp(submit, talk.clock), after_ms=7.9)

    late, early = (sp.submit(_NOTICE, f"1380013800{n}") for n in (7, 8))
    talk.sp(late, after_ms=800, late_ms=1.5)
    talk.sp(early, after_ms=0.4)
    talk.ismg(*(ismg.submit_resp(submit, talk.clock) for submit in (late, early)), after_ms=11.3)
    return capture


def unanswered_and_late() -> Capture:
    """A gateway that answers late, never, twice, unasked and wrongly; an SP that uses a number twice."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture)
    log_in(talk, sp, ismg)

    late = sp.submit(_NOTICE, "13800138001")
    talk.sp(late, after_ms=1000)
    talk.ismg(ismg.submit_resp(late, talk.clock), after_ms=75_000)

    never = sp.submit(_NOTICE, "13800138002")
    talk.sp(never, after_ms=4000)
    talk.sp(never, after_ms=_T * 1000)
    talk.sp(never, after_ms=_T * 1000)

    wrong = sp.submit(_NOTICE, "13800138003")
    talk.sp(wrong, after_ms=10_000)
    talk.ismg(answer(wrong, CMPPDeliverResp(Msg_Id=ismg.msg_id(talk.clock))), after_ms=11.5)
    talk.ismg(ismg.submit_resp(wrong, talk.clock), after_ms=2000)

    submit, resp = submitted(talk, sp, ismg, _NOTICE, "13800138004")
    talk.ismg(resp, after_ms=3000)
    talk.ismg(ismg.submit_resp(CMPP(Sequence_Id=99) / submit.payload, talk.clock), after_ms=20_000)

    one = sp.submit(_NOTICE, "13800138005")
    other = CMPP(Sequence_Id=one.Sequence_Id) / sp.submit(_NOTICE, "13800138006").payload
    sp.sequence = one.Sequence_Id
    talk.sp(one, after_ms=15_000)
    talk.sp(other, after_ms=3.5)
    talk.ismg(ismg.submit_resp(one, talk.clock), after_ms=10.4)
    talk.ismg(ismg.submit_resp(other, talk.clock), after_ms=1.2)

    test = sp.active_test()
    talk.sp(test, after_ms=150_000)
    talk.ismg(ismg.active_test_resp(test), after_ms=2.6)
    return capture


def broken_framing() -> Capture:
    """Both sides write PDUs whose length or Command_Id is wrong; what comes behind them is good again."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture)
    log_in(talk, sp, ismg)

    test = ismg.active_test()
    talk.ismg(test, after_ms=900)
    talk.sp(bytes(sp.active_test_resp(test))[:12] + b"0x00", after_ms=1.9)
    submitted(talk, sp, ismg, _NOTICE, "13800138001")

    day = f"{talk.clock:%Y%m%d}"
    talk.sp(CMPP(Total_Length=0, Sequence_Id=sp.sequence + 1) / CMPPQuery(Time=day), after_ms=700)
    sp.sequence += 1
    submitted(talk, sp, ismg, _NOTICE, "13800138002")

    talk.sp(struct.pack("!III", 0x7FFFFFFF, 4, sp.sequence + 1), after_ms=700)
    sp.sequence += 1
    submitted(talk, sp, ismg, _NOTICE, "13800138003")

    test = sp.active_test()
    talk.sp(test, after_ms=1000)
    talk.ismg(
        bytes(answer(test, CMPPConnectResp(Status=0)))[:13].replace(b"\0\0\0\x1e", b"\0\0\0\x0d", 1), after_ms=2.2
    )

    route = sp.ask(CMPPMTRoute(Source_Id="001001", Terminal_Id=HANDSET))
    route.Command_Id = 0x0A
    talk.sp(route, after_ms=500)
    submitted(talk, sp, ismg, _NOTICE, "13800138004")

    talk.sp(bytes(sp.submit(_NOTICE, "13800138005"))[:100], after_ms=500)
    talk.rst(SP, after_ms=120)
    return capture


def hostile_text() -> Capture:
    """Texts and names that try to do something to the screen, the sheet or the page that shows them."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture)
    log_in(talk, sp, ismg)
    texts: tuple[tuple[str | bytes, int], ...] = (
        ("\x1b[2J\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]52;c;ZWNobw==\x07\r\n\x08\x7f", ASCII),
        ("invoice \u202etxt.exe\u202c \u2066isolated\u2069 \u200b\u200e\ufeff", UCS2),
        ("=cmd|'/C calc'!A0", ASCII),
        ("[bold]markup[/] [link=http://192.0.2.1/]here[/link] [/]", ASCII),
        ("<script>alert(1)</script>&amp;\"'`;", ASCII),
        (b"before\0after\0\0", ASCII),
        (b"\x00A\xd8\x00\x00B\xdc\x00\xd8\x3d", UCS2),
        ("\x9b31m\x85\u2028\u2029 一行\n两行\t😀👨‍👩‍👧 e\u0301\u0301\u0301", UCS2),
        (b"\xff\xfe\x81 \xb1\xb1\xbe\xa9\x80", GBK),
    )
    for text, fmt in texts:
        submitted(talk, sp, ismg, text, fmt=fmt)
    names = {"Service_Id": b"\x1b[5m=1+1\0\0", "Src_Id": b"+SUM(A1:A9)", "Msg_level": 9}
    submitted(talk, sp, ismg, "{0} %s %n ${HOME} $(id)", "1380013800\n1", fmt=ASCII, **names)
    talk.wait(s=3)
    delivered(talk, sp, ismg.deliver("@SUM(1+1)*cmd|' /C calc'!A0", "", "1234", talk.clock, ASCII))
    sender = {"Src_terminal_Id": b"\x1b]8;;\x07[red]1380", "Service_Id": "[/bold]", "Dest_Id": b"12\x0034\xff"}
    delivered(talk, sp, ismg.deliver("退订", "", "", talk.clock, GBK, **sender), after_ms=1200)
    log_out(talk, sp, ismg)
    return capture
