"""Logins checked against a shared secret: what is wrong, and who is at fault."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from cmppscope.report import model
from cmppscope.report.build import build
from cmppscope.secret import Secret
from dissectors.cmpp import authenticator_ismg, authenticator_source
from tests.rules.conversation import every_cut, frames_of, told

SECRET = b"cmpp-secret"
STAMP = 529042640
"""The time at which conversations begin, in China."""
GIVEN = {"901234": Secret("cmpp-secret"), "901235": Secret("other")}


def source(secret: bytes = SECRET, stamp: int = STAMP, **how: bool) -> bytes:
    """Make an AuthenticatorSource."""
    return authenticator_source(b"901234", secret, stamp, **how)


def conversation(
    connect: bytes, ismg: bytes | None = None, status: int = 0, stamp: int = STAMP, resp: str = "0.1 ISMG"
) -> str:
    """Write a login; without `ismg` nobody answers."""
    lines = f"0 SP CONNECT 1 timestamp={stamp} authenticatorsource=0x{connect.hex()}\n"
    if ismg is not None:
        lines += f"{resp} CONNECT_RESP 1 status={status} authenticatorismg=0x{ismg.hex()}\n"
    return lines


def check(lines: str, given: dict[str, Secret] | None = None, **how: Any) -> model.LoginCheck | None:
    """Give the check of the first session's login."""
    return build(told(lines, secrets=GIVEN if given is None else given, **how).analysis, []).sessions[0].login_check


def findings(lines: str) -> list[tuple[str, str]]:
    """Give the findings about authenticators with their fault."""
    return [(rule, fault) for rule, fault, _ in told(lines, secrets=GIVEN).found if "-auth-" in rule]


RIGHT = authenticator_ismg(0, source(), SECRET)


@pytest.mark.parametrize(
    ("connect", "what", "says"),
    [
        (source(), "right", "AuthenticatorSource is right for the secret given"),
        (source(padded_timestamp=False), "unpadded", "without the leading zero of the Timestamp"),
        (source(b"other"), "other secret", "it is made with the secret given for 901235"),
        (source(stamp=STAMP + 1), "other Timestamp", "a Timestamp 1 s later than the one in CONNECT"),
        (source(stamp=528202640), "other Timestamp", "a Timestamp 8 h earlier than the one in CONNECT"),
        (bytes(16), "blank", "it is blank"),
        (
            hashlib.md5(b"901234" + SECRET + b"0529042640").digest(),  # noqa: S324 - the protocol asks for it
            "mistaken",
            "the nine zero octets left out",
        ),
        (bytes(range(16)), "wrong", "another secret, or octets joined in a way that is not known"),
    ],
)
def test_why_a_client_is_refused(connect: bytes, what: str, says: str) -> None:
    """Each way to be wrong is named in the report."""
    made = check(conversation(connect, bytes(16), 3))
    assert made is not None
    assert (made.authenticator_source, made.authenticator_ismg, made.connect_pdu, made.response_pdu) == (
        what,
        "blank",
        1,
        2,
    )
    assert says in made.says


@pytest.mark.parametrize(
    ("ismg", "what", "found"),
    [
        (RIGHT, "right", []),
        (authenticator_ismg(0, source(), SECRET, "four octets"), "variant", ["connect-resp-auth-variant"]),
        (authenticator_ismg(0, source(), SECRET, "ASCII digits"), "variant", ["connect-resp-auth-variant"]),
        (source(), "variant", ["connect-resp-auth-variant"]),
        (bytes(16), "blank", ["connect-resp-auth-variant"]),
        (bytes(range(16)), "wrong", ["connect-resp-auth-wrong"]),
    ],
)
def test_what_a_gateway_answers(ismg: bytes, what: str, found: list[str]) -> None:
    """The AuthenticatorISMG of an accepted login is right, right in another reading, or wrong."""
    made = check(conversation(source(), ismg))
    assert made is not None
    assert made.authenticator_ismg == what
    assert findings(conversation(source(), ismg)) == [(rule, "peer") for rule in found]


def test_the_user_may_be_wrong() -> None:
    """Where a login was accepted and nothing in it fits the secret, the secret is doubted and no peer."""
    lines = conversation(source(b"the real one"), authenticator_ismg(0, source(b"the real one"), b"the real one"))
    assert findings(lines) == [("connect-auth-wrong", "operator")]
    assert findings(conversation(source(b"no"), authenticator_ismg(0, source(b"no"), SECRET))) == [
        ("connect-auth-wrong", "peer")
    ]


def test_a_right_client_that_is_refused() -> None:
    """Where the client is right and refused, the gateway is looked at, and a clock that is off is named."""
    made = check(conversation(source(), bytes(16), 3))
    assert made is not None
    assert (made.timestamp_skew_seconds, made.says) == (
        0,
        "AuthenticatorSource is right for the secret given: the gateway has another secret, or refuses the Timestamp",
    )
    late = check(conversation(source(stamp=529043640), bytes(16), 3, 529043640))
    assert late is not None
    assert late.timestamp_skew_seconds == 600
    assert late.says.endswith("Timestamp is 600 s ahead of the capture")
    none = check(conversation(source(stamp=1399000000), bytes(16), 3, 1399000000))
    assert none is not None
    assert (none.timestamp_skew_seconds, none.says.endswith("Timestamp is no time")) == (None, True)


def test_only_with_a_secret() -> None:
    """Without the secret of that SP_Id there is no check and no finding."""
    lines = conversation(bytes(range(16)), bytes(16), 3)
    assert check(lines, {}) is None
    assert check(lines, {"901299": Secret("x")}) is None
    assert check(conversation(source()), {"901234": Secret("cmpp-secret")}) is not None


def test_a_response_that_is_none_is_not_taken() -> None:
    """A CONNECT_RESP with another Sequence_Id, or from the same side, is not the response."""
    for resp in ("0.1 SP", "0.1 ISMG"):
        lines = conversation(source(), bytes(range(16)), resp=resp)
        if resp.endswith("ISMG"):
            lines = lines.replace("CONNECT_RESP 1", "CONNECT_RESP 2")
        made = check(lines)
        assert made is not None
        assert (made.authenticator_ismg, made.response_pdu) == ("absent", None)


@pytest.mark.parametrize("cut", ["whole", "one by one"])
def test_the_last_login_of_a_session_stands(cut: str) -> None:
    """After a login that was refused and one that was not, the second one is told."""
    lines = conversation(bytes(range(16)), bytes(16), 3)
    lines += f"1 SP CONNECT 2 timestamp={STAMP} authenticatorsource=0x{source().hex()}\n"
    lines += f"1.1 ISMG CONNECT_RESP 2 authenticatorismg=0x{RIGHT.hex()}\n"
    made = check(lines, cuts=every_cut(frames_of(lines))[cut])
    assert made is not None
    assert (made.authenticator_source, made.connect_pdu, made.response_pdu) == ("right", 3, 4)


def test_a_login_of_3_0() -> None:
    """In a CONNECT_RESP of 3.0, Status is hashed as its four octets."""
    four = authenticator_ismg(0, source(), SECRET, "four octets")
    raw = "00000021 80000001 00000001 00000000".replace(" ", "") + four.hex() + "30"
    lines = conversation(source()).rstrip().replace("CONNECT 1", "CONNECT 1 version=0x30") + "\n"
    made = check(lines + f"0.1 ISMG X raw={raw}\n")
    assert made is not None
    assert (made.authenticator_ismg, made.response_pdu) == ("right", 2)


def test_a_secret_is_never_shown() -> None:
    """Nothing that is printed holds the secret: not its own words, not those of the options, not a report."""
    from cmppscope.analysis import Options  # noqa: PLC0415 - here it is what is looked at

    secret = Secret("sesame-open")
    options = Options(secrets={"901234": secret})
    analysis = told(conversation(bytes(range(16)), bytes(16), 3), secrets={"901234": secret}).analysis
    shown = (repr(secret), str(secret), f"{secret}", repr(options), repr(build(analysis, [])), repr([secret]))
    assert [words for words in shown if "sesame" in words] == []
    assert secret.reveal() == b"sesame-open"
