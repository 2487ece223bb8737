"""An SP and its gateway, as it should be: login, messages, reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.cmpp import encode_text
from samples.making.conversation import ISMG, SP
from samples.making.peers import GBK, UCS2, Ismg, Sp
from samples.stories.scenes import (
    HANDSET,
    OTHER_SP_HOST,
    delivered,
    ethernet,
    log_in,
    log_out,
    sp_talk,
    submitted,
    test_link,
)

if TYPE_CHECKING:
    from dissectors.cmpp import CMPP
    from samples.making.capture import Capture
    from samples.making.conversation import Conversation

_PART = 67
"""UCS2 characters behind a user data header of six octets."""
_LONG_TEXT = (
    "尊敬的客户：您预订的6月3日北京南至南昌西高铁车票已出票，请携带有效身份证件，提前三十分钟到站检票上车。"
    "如需改签或退票，请于开车前在车站窗口或网上办理。列车途中请保管好随身物品，注意安全，祝您旅途愉快。"
    "本次行程积分将于乘车后五个工作日内到账，届时可登录会员中心查询。回复TD退订。"
)


def login_and_report() -> Capture:
    """Log in, send one SMS in Chinese, get its status report, keep the link alive, log out."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture)
    log_in(talk, sp, ismg)
    sent_at = talk.clock
    submit, resp = submitted(talk, sp, ismg, "您的验证码是385146，5分钟内有效，请勿告知他人。", report=True)
    talk.wait(s=6.8)
    delivered(talk, sp, ismg.report(submit, resp, (sent_at, talk.clock)))
    test_link(talk, SP, sp, ismg)
    test_link(talk, ISMG, ismg, sp)
    log_out(talk, sp, ismg, after_ms=20_000)
    return capture


def login_refused() -> Capture:
    """Log in with a wrong secret, close when refused, and do the same again half a minute later."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    for attempt in range(2):
        talk = sp_talk(
            capture, 40001 + attempt, isns=(0x1E240000 + (attempt << 20), 0x6B8B4567), begins_ms=30_012 * attempt
        )
        talk.syn()
        connect = sp.connect(talk.clock, secret=b"cmpp-Secret")
        talk.sp(connect, after_ms=0.398)
        talk.ismg(ismg.welcome(connect, status=3), after_ms=2.871)
        talk.fin(SP, after_ms=0.744)
    return capture


def long_sms_ucs2() -> Capture:
    """Send a text in three parts, each answered and reported by itself; the second cannot be delivered."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture)
    log_in(talk, sp, ismg)
    parts = [_LONG_TEXT[at : at + _PART] for at in range(0, len(_LONG_TEXT), _PART)]
    submits = [
        sp.submit(
            bytes((5, 0, 3, 0x5A, len(parts), number)) + encode_text(part, UCS2),
            HANDSET,
            report=True,
            Pk_total=len(parts),
            Pk_number=number,
            TP_udhi=1,
        )
        for number, part in enumerate(parts, 1)
    ]
    talk.wait(s=1.2)
    sent_at = talk.clock
    for submit in submits:
        talk.sp(submit, after_ms=0.731)
    resps = []
    for submit in submits:
        resps.append(ismg.submit_resp(submit, talk.clock))
        talk.ismg(resps[-1], after_ms=4.902)
    for submit, resp, stat in zip(submits, resps, ("DELIVRD", "UNDELIV", "DELIVRD"), strict=True):
        talk.wait(s=3.4)
        delivered(talk, sp, ismg.report(submit, resp, (sent_at, talk.clock), stat))
    log_out(talk, sp, ismg)
    return capture


def gbk() -> Capture:
    """Send a code in GBK, and answer a handset that asks for its balance, in GBK both ways."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture)
    log_in(talk, sp, ismg)
    submitted(talk, sp, ismg, "验证码628451，请在10分钟内输入。【示例科技】", fmt=GBK)
    talk.wait(s=14.2)
    delivered(talk, sp, ismg.deliver("查询余额", "13900000001", sp.code, talk.clock))
    submitted(talk, sp, ismg, "尊敬的用户，您的余额为￥36.50元。", to="13900000001", fmt=GBK)
    log_out(talk, sp, ismg)
    return capture


def pipelined_sps() -> Capture:
    """Two SPs send whole windows at once; the one that goes beyond its window is told to slow down."""
    capture, ismg = ethernet(), Ismg()
    first, second = Sp(), Sp(sp_id="901235", service="NEWS", code="1235")
    one = sp_talk(capture)
    other = sp_talk(capture, 52114, host=OTHER_SP_HOST, isns=(0x2AF80000, 0x19493A1C), begins_ms=1.7)
    log_in(one, first, ismg)
    log_in(other, second, ismg)
    refused = _window(one, first, ismg, 16) + _window(other, second, ismg, 17)
    other.wait(s=1)
    for submit in refused:
        again = second.ask(submit.payload)
        other.sp(again)
        other.ismg(ismg.submit_resp(again, other.clock), after_ms=9.118)
    log_out(one, first, ismg)
    log_out(other, second, ismg)
    return capture


def _window(talk: Conversation, sp: Sp, ismg: Ismg, size: int) -> list[CMPP]:
    """Send `size` SUBMITs at once, twice if they fit the window; the 17th of a window is refused.

    They fill segments to the brim, so that most segments end inside a PDU. Responses come in two
    bursts, the first of them cut inside a PDU as well.
    """
    refused: list[CMPP] = []
    for batch in range(2):
        submits = [
            sp.submit(f"今日快讯第{batch + 1}期：示例新闻。", f"139000000{number:02}")
            for number in range(size if batch == 0 else 16)
        ]
        talk.sp(*submits, after_ms=2.4)
        resps = [ismg.submit_resp(submit, talk.clock, 8 if n >= 16 else 0) for n, submit in enumerate(submits)]
        refused += submits[16:]
        talk.ismg(*resps[:10], after_ms=5.514, cut=(100,))
        talk.ismg(*resps[10:], after_ms=3.871)
    return refused
