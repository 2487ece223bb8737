"""Links that hold and yet disappoint: one that is dropped every hour, a slow answer, a limit of the rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.making.conversation import ISMG
from samples.making.peers import GBK, Ismg, Sp
from samples.stories.scenes import HANDSET, delivered, ethernet, log_in, log_out, sp_talk, submitted

if TYPE_CHECKING:
    from samples.making.capture import Capture

_HOUR_MS = 3_600_000
_RATE = 20
"""Messages that the gateway takes in a second."""
_WINDOW = 8
_NOTICE = "您的订单已发货，请注意查收。"


def hourly_drop() -> Capture:
    """Log in, send one message, say nothing for an hour, be closed by the gateway; three times over."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    for hour in range(3):
        talk = sp_talk(
            capture,
            40001 + hour,
            isns=(0x1E240000 + (hour << 20), 0x6B8B4567 + (hour << 20)),
            begins_ms=hour * (_HOUR_MS + 6000),
        )
        sp.sequence = 0
        log_in(talk, sp, ismg)
        submitted(talk, sp, ismg, _NOTICE, f"1380013800{hour + 1}")
        talk.fin(ISMG, after_ms=_HOUR_MS)
    return capture


def slow_gateway() -> Capture:
    """Send whole windows to a gateway that takes more than a second to answer; its own messages wait for nothing."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture)
    log_in(talk, sp, ismg)
    for batch in range(3):
        submits = [sp.submit(_NOTICE, f"138001380{16 * batch + number:02}") for number in range(16)]
        talk.sp(*submits, after_ms=2.4)
        talk.ismg(*(ismg.submit_resp(submit, talk.clock) for submit in submits), after_ms=1187.3 + 212.8 * batch)
    talk.wait(ms=350)
    delivered(talk, sp, ismg.deliver("查询余额", HANDSET, sp.code, talk.clock, GBK))
    log_out(talk, sp, ismg)
    return capture


def rate_limited() -> Capture:
    """Send 24 messages within a second, eight at a time, to a gateway that takes 20 a second."""
    capture, sp, ismg = ethernet(), Sp(), Ismg()
    talk = sp_talk(capture)
    log_in(talk, sp, ismg)
    submits = [sp.submit(_NOTICE, f"138001380{number:02}") for number in range(24)]
    for first in range(0, len(submits), _WINDOW):
        window = enumerate(submits[first : first + _WINDOW], first)
        talk.sp(*submits[first : first + _WINDOW], after_ms=90)
        resps = [ismg.submit_resp(submit, talk.clock, 8 if number >= _RATE else 0) for number, submit in window]
        talk.ismg(*resps, after_ms=21.6)
    talk.wait(s=1)
    for submit in submits[_RATE:]:
        again = sp.ask(submit.payload)
        talk.sp(again, after_ms=400)
        talk.ismg(ismg.submit_resp(again, talk.clock), after_ms=9.118)
    log_out(talk, sp, ismg)
    return capture
