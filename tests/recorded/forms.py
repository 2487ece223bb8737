"""Scenes about framing and the fields of PDUs (CMPP 2.0 §7.1 to §7.4.5)."""

from __future__ import annotations

import struct

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
    status_report,
    submit,
    submit_resp,
)
from tests.recorded.scene import scene
from tests.recorded.speakers import Pair, Stage

_REFUSED, _BAD_LENGTH = 1, 4
_UCS2 = 8


@scene("error", also={"frame-resync": ("warn", "the 12 octets belong to no PDU")})
def frame_length_below_header(stage: Stage) -> None:
    """The SP sends an ACTIVE_TEST with Total_Length 0, and goes on; the ISMG passes over its 12 octets."""
    sp, ismg = pair = stage.login()
    sp.say_octets(pdu(ACTIVE_TEST, 2, total=0), found="frame-length-below-header frame-resync")
    ismg.skip(12)
    stage.submitted(pair, 3)
    stage.logout(pair, 4)


@scene("error", also={"frame-resync": ("warn", "the 12 octets belong to no PDU")})
def frame_length_impossible(stage: Stage) -> None:
    """The ISMG sends an ACTIVE_TEST whose Total_Length stands in the order of x86, least octet first."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    ismg.say_octets(struct.pack("<I", 12) + pdu(ACTIVE_TEST, 1)[4:], found="frame-length-impossible frame-resync")
    sp.skip(12)
    stage.submitted(pair, 3)
    stage.logout(pair, 4)


@scene("error", also={"close-without-terminate": ("note", "nobody sends TERMINATE")})
def frame_truncated(stage: Stage) -> None:
    """The SP dies behind 100 octets of a SUBMIT of 164: its kernel resets the connection."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    sp.say_octets(submit(3)[:100])
    ismg.skip(100)
    sp.reset(found="frame-truncated close-without-terminate")


@scene("error")
def command_unknown(stage: Stage) -> None:
    """The SP sends Command_Id 3 between two SUBMITs, all with one write; the ISMG ignores what it does not know."""
    sp, ismg = pair = stage.login()
    sp.say(submit(2), pdu(0x03, 3), submit(4), found="command-unknown", at=1)
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(2)))
    ismg.hear(0x03)
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(4)))
    sp.hear(RESPONSE | SUBMIT)
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 5)


@scene("error", also={"submit-refused": ("note", "Result 4")})
def length_submit(stage: Stage) -> None:
    """A SUBMIT, the first 40 octets written one by one, has two octets more than its Msg_Length says; Result 4."""
    sp, ismg = pair = stage.login()
    body = submit(2)[12:] + bytes(2)
    sp.say(pdu(SUBMIT, 2, body), found="length-submit", singly=40)
    ismg.say(submit_resp(ismg.hear(SUBMIT), 0, _BAD_LENGTH), found="submit-refused")
    sp.hear(RESPONSE | SUBMIT)
    stage.submitted(pair, 3)
    stage.logout(pair, 4)


@scene("error", also={"submit-refused": ("note", "Result 1")})
def submit_pk_zero(stage: Stage) -> None:
    """The SP's second SUBMIT has Pk_total 0 and Pk_number 0; the ISMG answers Result 1."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    sp.say(submit(3, parts=(0, 0)), found="submit-pk-zero")
    ismg.say(submit_resp(ismg.hear(SUBMIT), 0, _REFUSED), found="submit-refused")
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 4)


@scene("error", also={"submit-refused": ("note", "Result 1")})
def dest_count_zero(stage: Stage) -> None:
    """A SUBMIT has DestUsr_tl 0 and no receiver; the ISMG answers Result 1."""
    sp, ismg = pair = stage.login()
    sp.say(submit(2, to=()), found="dest-count-zero")
    ismg.say(submit_resp(ismg.hear(SUBMIT), 0, _REFUSED), found="submit-refused")
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 3)


@scene("error", segment=536)
def dest_count_100(stage: Stage) -> None:
    """A SUBMIT names 100 receivers: 2,243 octets in segments of 536 at most."""
    sp, ismg = pair = stage.login()
    sp.say(submit(2, to=HANDSETS[:100]), found="dest-count-100")
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(2)))
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 3)


@scene("error", segment=100, ending=".pcapng")
def ucs2_odd(stage: Stage) -> None:
    """The SP cuts a text in UCS2 in the middle of its last character; every SUBMIT takes two segments of 100 octets."""
    text = "您的验证码是".encode("utf-16-be")
    sp, ismg = pair = stage.login()
    for sequence, content in ((2, text), (3, text[:-1])):
        sp.say(submit(sequence, content, fmt=_UCS2), found="ucs2-odd" if len(content) % 2 else "")
        ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(sequence)))
        sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 4)


@scene("warn")
def ucs2_little_endian(stage: Stage) -> None:
    """The SP writes the text of its SUBMIT with the least octet of each character first."""
    sp, ismg = pair = stage.login()
    sp.say(submit(2, "您的验证码是251784".encode("utf-16-le"), fmt=_UCS2), found="ucs2-little-endian")
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(2)))
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 3)


@scene("warn")
def string_after_nul(stage: Stage) -> None:
    """The SP copies Service_Id from a buffer that was not cleared: TPCQ, 0x00, and five octets of before."""
    sp, ismg = pair = stage.login()
    sp.say(submit(2, service=b"TPCQ\0ABCDE"), found="string-after-nul")
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(2)))
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 3)


def _wanting(pair: Pair, sequence: int) -> int:
    """Submit a message that wants a report and is accepted; give its Msg_Id."""
    given = msg_id(sequence)
    pair.sp.say(submit(sequence, report=1))
    pair.ismg.say(submit_resp(pair.ismg.hear(SUBMIT), given))
    pair.sp.hear(RESPONSE | SUBMIT)
    return given


@scene("warn", address="::1", ending=".pcapng")
def report_stat(stage: Stage) -> None:
    """The ISMG reports FAILED, which is no state of the specification, on a message (IPv6)."""
    sp, ismg = pair = stage.login()
    about, own = _wanting(pair, 2), msg_id(1001)
    ismg.say(deliver(1, own, status_report(about, b"FAILED\0"), report=1), found="report-stat")
    sp.say(deliver_resp(sp.hear(DELIVER), own))
    ismg.hear(RESPONSE | DELIVER)
    stage.logout(pair, 3)


@scene("error")
def deliver_resp_inner(stage: Stage) -> None:
    """The SP answers a status report with the Msg_Id inside of it in place of the DELIVER's own."""
    sp, ismg = pair = stage.login()
    about = _wanting(pair, 2)
    ismg.say(deliver(1, msg_id(1001), status_report(about), report=1))
    sp.say(deliver_resp(sp.hear(DELIVER), about), found="deliver-resp-inner")
    ismg.hear(RESPONSE | DELIVER)
    stage.logout(pair, 3)


@scene("warn")
def version_resp_width(stage: Stage) -> None:
    """In a session of 2.0 the ISMG answers SUBMIT with a Result of four octets, as 3.0 has it."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    sp.say(submit(3))
    ismg.say(answer(ismg.hear(SUBMIT), struct.pack("!QI", msg_id(3), 0)), found="version-resp-width")
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 4)


SCENES = (
    frame_length_below_header,
    frame_length_impossible,
    frame_truncated,
    command_unknown,
    length_submit,
    submit_pk_zero,
    dest_count_zero,
    dest_count_100,
    ucs2_odd,
    ucs2_little_endian,
    string_after_nul,
    report_stat,
    deliver_resp_inner,
    version_resp_width,
)
