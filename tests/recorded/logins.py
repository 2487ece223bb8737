"""Scenes about login and logout (CMPP 2.0 §7.4.1, §7.4.2)."""

from __future__ import annotations

from tests.recorded.octets import (
    CONNECT,
    DELIVER,
    RESPONSE,
    SUBMIT,
    TERMINATE,
    answer,
    connect,
    connect_resp,
    deliver,
    deliver_resp,
    msg_id,
    pdu,
    submit,
    submit_resp,
)
from tests.recorded.scene import scene
from tests.recorded.speakers import Stage

SECRET = "901234=cmpp-secret"  # noqa: S105 - invented
_WRONG_SECRET, _VERSION_TOO_HIGH = 3, 4


@scene("error", secret=SECRET)
def connect_auth_wrong(stage: Stage) -> None:
    """The SP logs in with another secret than the ISMG has; the ISMG answers Status 3, and both close."""
    sp, ismg = pair = stage.open()
    sp.say(connect(1, secret=b"cmpp-Secret"), found="connect-auth-wrong")
    ismg.say(connect_resp(ismg.hear(CONNECT), _WRONG_SECRET))
    sp.hear(RESPONSE | CONNECT)
    stage.part(pair)


@scene("note")
def connect_version_refused(stage: Stage) -> None:
    """The SP asks for 3.0; the ISMG answers Status 4 and Version 2.0, and takes the second login, of 2.0."""
    sp, ismg = pair = stage.open()
    sp.say(connect(1, version=0x30))
    ismg.say(connect_resp(ismg.hear(CONNECT), _VERSION_TOO_HIGH), found="connect-version-refused")
    sp.hear(RESPONSE | CONNECT)
    sp.say(connect(2))
    ismg.say(connect_resp(ismg.hear(CONNECT)))
    sp.hear(RESPONSE | CONNECT)
    stage.submitted(pair, 3)
    stage.logout(pair, 4)


@scene("error")
def connect_missing(stage: Stage) -> None:
    """The SP submits on a new connection without a CONNECT; the ISMG takes no offence."""
    sp, ismg = pair = stage.open()
    sp.say(submit(1), found="connect-missing")
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(1)))
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 2)


@scene("error")
def connect_early(stage: Stage) -> None:
    """The SP sends CONNECT and SUBMIT with one write; the ISMG answers one after the other."""
    sp, ismg = pair = stage.open()
    sp.say(connect(1), submit(2), found="connect-early")
    ismg.say(connect_resp(ismg.hear(CONNECT)))
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(2)))
    sp.hear(RESPONSE | CONNECT)
    sp.hear(RESPONSE | SUBMIT)
    stage.logout(pair, 3)


@scene("warn", address="::1")
def connect_repeat(stage: Stage) -> None:
    """The SP, logged in, logs in a second time on the same connection (IPv6), and the ISMG lets it."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    sp.say(connect(3), found="connect-repeat")
    ismg.say(connect_resp(ismg.hear(CONNECT)))
    sp.hear(RESPONSE | CONNECT)
    stage.submitted(pair, 4)
    stage.logout(pair, 5)


@scene("error", also={"close-outstanding": ("warn", "the SUBMIT has no response when the ISMG resets")})
def connect_refused_traffic(stage: Stage) -> None:
    """The ISMG answers the login with Status 3; the SP takes that for success and submits; the ISMG resets."""
    sp, ismg = stage.open()
    sp.say(connect(1, secret=b"old-secret"))
    ismg.say(connect_resp(ismg.hear(CONNECT), _WRONG_SECRET))
    sp.hear(RESPONSE | CONNECT)
    sp.say(submit(2), found="connect-refused-traffic")
    ismg.hear(SUBMIT)
    ismg.reset(found="close-outstanding")


@scene("warn", secret=SECRET)
def connect_resp_auth_wrong(stage: Stage) -> None:
    """The ISMG takes a right login, but proves itself with another secret."""
    sp, ismg = pair = stage.open()
    sp.say(connect(1))
    ismg.say(connect_resp(ismg.hear(CONNECT), secret=b"another"), found="connect-resp-auth-wrong")
    sp.hear(RESPONSE | CONNECT)
    stage.submitted(pair, 2)
    stage.logout(pair, 3)


@scene("error")
def terminate_traffic(stage: Stage) -> None:
    """The SP sends TERMINATE and a SUBMIT right behind it; the ISMG answers both, the SUBMIT first."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    sp.say(pdu(TERMINATE, 3))
    sp.say(submit(4), found="terminate-traffic")
    goodbye = ismg.hear(TERMINATE)
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(4)))
    ismg.say(answer(goodbye))
    sp.hear(RESPONSE | SUBMIT)
    sp.hear(RESPONSE | TERMINATE)
    stage.part(pair)


@scene("warn", blamed="ISMG")
def terminate_unanswered(stage: Stage) -> None:
    """The SP sends TERMINATE; the ISMG closes at once and does not answer."""
    sp, ismg = pair = stage.login()
    stage.submitted(pair, 2)
    sp.say(pdu(TERMINATE, 3), found="terminate-unanswered")
    ismg.hear(TERMINATE)
    ismg.close()
    sp.hear_the_end()
    sp.close()
    ismg.hear_the_end()


@scene("note")
def close_without_terminate(stage: Stage) -> None:
    """The ISMG closes the connection (FIN) after its third DELIVER was answered; nobody sends TERMINATE."""
    sp, ismg = stage.login()
    for serial in (1, 2, 3):
        identity = msg_id(serial)
        ismg.say(deliver(serial, identity, b"hi"))
        sp.say(deliver_resp(sp.hear(DELIVER), identity))
        ismg.hear(RESPONSE | DELIVER)
    ismg.close(found="close-without-terminate")
    sp.hear_the_end()
    sp.close()
    ismg.hear_the_end()


@scene("warn", also={"close-without-terminate": ("note", "nobody sends TERMINATE")})
def close_outstanding(stage: Stage) -> None:
    """The SP submits three messages with one write; the ISMG answers the first and closes with the others unread."""
    sp, ismg = stage.login()
    sp.say(submit(2), submit(3), submit(4))
    ismg.say(submit_resp(ismg.hear(SUBMIT), msg_id(2)))
    sp.hear(RESPONSE | SUBMIT)
    ismg.drop(found="close-outstanding close-without-terminate")


SCENES = (
    connect_auth_wrong,
    connect_version_refused,
    connect_missing,
    connect_early,
    connect_repeat,
    connect_refused_traffic,
    connect_resp_auth_wrong,
    terminate_traffic,
    terminate_unanswered,
    close_without_terminate,
    close_outstanding,
)
