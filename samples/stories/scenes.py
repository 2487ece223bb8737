"""Where the stories play: hosts, numbers, and the ways in which sessions begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from samples.making.capture import Capture
from samples.making.conversation import SP, Conversation
from samples.making.frames import Ethernet, Host
from samples.making.peers import Ismg, Sp

if TYPE_CHECKING:
    from dissectors.cmpp import CMPP

SP_HOST = "192.0.2.10"
OTHER_SP_HOST = "192.0.2.20"
GATEWAY = Host("198.51.100.1", 7890)
IDLE_S = 180
"""How long a connection is silent before it is tested (C)."""
HANDSET = "13800138001"


def ethernet() -> Capture:
    """Begin a capture on Ethernet."""
    return Capture((("eth0", Ethernet()),))


def sp_talk(capture: Capture, port: int = 40001, **options: Any) -> Conversation:
    """Connect an SP to the gateway's port for long connections."""
    return Conversation(capture, Host(options.pop("host", SP_HOST), port), options.pop("server", GATEWAY), **options)


def log_in(talk: Conversation, sp: Sp, ismg: Ismg) -> None:
    """Shake hands, and log in with success."""
    talk.syn()
    connect = sp.connect(talk.clock)
    talk.sp(connect, after_ms=0.412)
    talk.ismg(ismg.welcome(connect), after_ms=3.107)


def log_out(talk: Conversation, sp: Sp, ismg: Ismg, *, after_ms: float = 2000) -> None:
    """Terminate from the SP's side, and close."""
    terminate = sp.terminate()
    talk.sp(terminate, after_ms=after_ms)
    talk.ismg(ismg.terminate_resp(terminate), after_ms=2.356)
    talk.fin(SP)


def test_link(talk: Conversation, side: int, tester: Sp | Ismg, tested: Sp | Ismg) -> None:
    """Test a link that was silent for C."""
    talk.wait(s=IDLE_S)
    test = tester.active_test()
    talk.say(side, test, after_ms=0)
    talk.say(1 - side, tested.active_test_resp(test), after_ms=2.018)


def submitted(
    talk: Conversation, sp: Sp, ismg: Ismg, text: str | bytes, to: str = HANDSET, **fields: Any
) -> tuple[CMPP, CMPP]:
    """Send one message and have it accepted."""
    submit = sp.submit(text, to, **fields)
    talk.sp(submit, after_ms=850.3)
    resp = ismg.submit_resp(submit, talk.clock)
    talk.ismg(resp, after_ms=12.644)
    return submit, resp


def delivered(talk: Conversation, sp: Sp, deliver: CMPP, *, after_ms: float = 0) -> None:
    """Bring a DELIVER to the SP and have it accepted."""
    talk.ismg(deliver, after_ms=after_ms)
    talk.sp(sp.deliver_resp(deliver), after_ms=4.233)
