"""Scenes about responses, timers, the window and resends (CMPP 2.0 §6.1, §6.2, §7.3).

The parties agreed on timers of fractions of a second, so that a scene lasts no longer.
"""

from __future__ import annotations

import time

from tests.recorded.octets import (
    ACTIVE_TEST,
    DELIVER,
    HANDSETS,
    RESPONSE,
    SUBMIT,
    answer,
    deliver,
    deliver_resp,
    msg_id,
    pdu,
    submit,
    submit_resp,
)
from tests.recorded.scene import scene
from tests.recorded.speakers import Stage

T_SECONDS, N, C_SECONDS = 0.4, 3, 1.2
QUICK = {"t": T_SECONDS, "n": N}
FLOW_CONTROL = 8
WINDOW, MANY = 16, 30


@scene("error", blamed="ISMG", config=QUICK, also={"resend-absent": ("note", "it was sent once")})
def unanswered(stage: Stage) -> None:
    """The ISMG never answers the SP's SUBMIT 3, but all others, for longer than N·T."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    sp.say(submit(3, b"lost"), found="unanswered resend-absent")
    ismg.hear(SUBMIT)
    for sequence in range(4, 9):
        time.sleep(T_SECONDS * N / 4)
        stage.submitted(pair, sequence)
    stage.logout(pair, 9)


@scene("warn", blamed="ISMG", config=QUICK)
def late_response(stage: Stage) -> None:
    """The ISMG answers SUBMIT 3 twice T after it came, and SUBMIT 2 at once."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    sp.say(submit(3), found="late-response")
    slow = ismg.hear(SUBMIT)
    time.sleep(T_SECONDS * 2)
    ismg.say(submit_resp(slow, msg_id(3)))
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 4)


@scene("error")
def response_orphan(stage: Stage) -> None:
    """The ISMG sends a SUBMIT_RESP with Sequence_Id 99; the SP never used that number."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    ismg.say(pdu(RESPONSE | SUBMIT, 99, submit_resp(submit(99), msg_id(99))[12:]), found="response-orphan")
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 3)


@scene("warn")
def response_duplicate(stage: Stage) -> None:
    """The ISMG answers SUBMIT 2 twice, with one write."""
    sp, ismg = pair = stage.login()
    sp.say(submit(2))
    response = submit_resp(ismg.hear(SUBMIT), msg_id(2))
    ismg.say(response, response, found="response-duplicate")
    sp.hear(RESPONSE | SUBMIT)
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 3)


@scene(
    "error",
    also={
        "close-outstanding": ("warn", "on the connection of the request itself it has no response"),
        "close-without-terminate": ("note", "the first connection is closed without TERMINATE"),
        "sequence-gap": ("note", "the SP counts on from 50 there"),
    },
)
def response_other_connection(stage: Stage) -> None:
    """The SP logs in on two connections and submits on the first; the ISMG answers on the second."""
    first, second = stage.login(), stage.login()
    stage.submitted(second, 2)
    first.sp.say(submit(50), found="sequence-gap")
    asked = first.ismg.hear(SUBMIT)
    second.ismg.say(submit_resp(asked, msg_id(50)), found="response-other-connection")
    second.sp.hear(RESPONSE | SUBMIT)
    stage.logout(second, 3)
    first.sp.close(found="close-outstanding close-without-terminate")
    first.ismg.hear_the_end()
    first.ismg.close()
    first.sp.hear_the_end()


@scene("error", also={"sequence-constant": ("warn", "two requests in a row carry the same number")})
def sequence_reuse_outstanding(stage: Stage) -> None:
    """The SP sends two SUBMITs to two handsets with one write, both with Sequence_Id 3."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    again = submit(3, b"two", to=HANDSETS[1:2])
    sp.say(submit(3, b"one"), again, found="sequence-reuse-outstanding sequence-constant")
    for serial in (3, 4):
        ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(serial)))
        sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 4)


@scene("warn", ending=".pcap.gz")
def window_exceeded(stage: Stage) -> None:
    """The SP sends 30 SUBMITs to 99 handsets each with one write of 70,710 octets and waits for none; W is 16."""
    sp, ismg = pair = stage.login()
    text = b"x" * 140
    submits = [submit(2 + number, text, to=HANDSETS[:99]) for number in range(MANY)]
    sp.say(*submits, found="window-exceeded", at=WINDOW)
    for number in range(MANY):
        ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(1 + number)))
    for _ in range(MANY):
        sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 2 + MANY)


@scene("note", also={"submit-refused": ("note", "Result 8")})
def flow_control(stage: Stage) -> None:
    """The ISMG answers the last of three SUBMITs that wait with Result 8; W is 16. The kernel joins two of them."""
    sp, ismg = pair = stage.login()
    sp.gather()
    for sequence in (2, 3, 4):
        sp.say(submit(sequence))
    asked = [ismg.hear(SUBMIT) for _ in range(3)]
    ismg.say(submit_resp(asked[0], msg_id(2)), submit_resp(asked[1], msg_id(3)))
    ismg.say(submit_resp(asked[2], 0, FLOW_CONTROL), found="flow-control submit-refused")
    for _ in range(3):
        sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 5)


@scene("warn", config={"t": 2, "n": N})
def resend_early(stage: Stage) -> None:
    """The ISMG sends DELIVER 1 again after 0.5 s, where T is 2 s; the SP answers both then."""
    sp, ismg = pair = stage.login()
    identity = msg_id(1)
    message = deliver(1, identity, b"hi")
    ismg.say(message)
    sp.hear(DELIVER)
    time.sleep(0.5)
    ismg.say(message, found="resend-early")
    asked = sp.hear(DELIVER)
    sp.say(deliver_resp(asked, identity), deliver_resp(asked, identity))
    ismg.hear(RESPONSE | DELIVER)
    ismg.hear(RESPONSE | DELIVER)
    stage.logout(pair, 2)


@scene("warn", blamed="", config={"t": 0.2, "limits": {"c": 1}})
def keepalive_missing(stage: Stage) -> None:
    """Nobody says anything for 2 s, where C is 1 s; then the SP submits again."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    time.sleep(2)
    sp.say(submit(3), found="keepalive-missing")
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(3)))
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 4)


@scene(
    "error",
    blamed="ISMG",
    config={**QUICK, "limits": {"c": C_SECONDS}},
    also={"keepalive-one-sided": ("note", "the ISMG never tests the link")},
)
def keepalive_unanswered(stage: Stage) -> None:
    """The ISMG's program hangs: the SP, idle for C, tests the link N times, T apart, and resets when T has passed."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    time.sleep(C_SECONDS)
    sp.say(pdu(ACTIVE_TEST, 3))
    ismg.say(answer(ismg.hear(ACTIVE_TEST), bytes(1)))
    sp.hear(RESPONSE | ACTIVE_TEST)
    time.sleep(C_SECONDS)
    for sequence in range(4, 4 + N):
        last = sequence == 3 + N
        sp.say(pdu(ACTIVE_TEST, sequence), found="keepalive-unanswered" + " keepalive-one-sided" * last)
        time.sleep(T_SECONDS)
    sp.reset()


SCENES = (
    unanswered,
    late_response,
    response_orphan,
    response_duplicate,
    response_other_connection,
    sequence_reuse_outstanding,
    window_exceeded,
    flow_control,
    resend_early,
    keepalive_missing,
    keepalive_unanswered,
)
