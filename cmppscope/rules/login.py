"""Rules about the authenticators of a login, where the user gave the secret (CMPP 2.0 §7.4.1.1, §7.4.1.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from cmppscope.rules.model import OPERATOR, PEER, Facts, Hits, Severity, rule
from dissectors.cmpp.enums import CONNECT, RESPONSE

CONNECT_RESP = RESPONSE | CONNECT

RIGHT, UNPADDED, MISTAKEN, FOREIGN, SHIFTED, BLANK, WRONG = (
    *("right", "unpadded", "mistaken", "other secret", "other Timestamp", "blank", "wrong"),
)
"""What AuthenticatorSource is: as the document asks; without the leading zero of the month; made with a known mistake,
with the secret of another SP_Id or with another Timestamp than CONNECT carries; all zero; or nothing that is known."""

VARIANT, ABSENT = "variant", "absent"
"""What AuthenticatorISMG may be besides: right in another reading of the document, or not seen."""


class Octets(NamedTuple):
    """Where a PDU stands."""

    pdu: int
    frame: int
    stream: int
    direction: int
    offset: int


class Login(NamedTuple):
    """A CONNECT whose secret is known, and its response."""

    session: int
    connect: Octets
    sp_id: str
    source: str
    """RIGHT … WRONG."""
    source_words: str
    """What was done otherwise, where that is known."""
    skew_s: int | None
    """Seconds that Timestamp is ahead of the time of capture; None where it is no time."""
    response: Octets | None = None
    status: int | None = None
    ismg: str = ABSENT
    """RIGHT, VARIANT, BLANK, WRONG or ABSENT."""
    ismg_words: str = ""
    """How Status entered AuthenticatorISMG, where that is known."""

    @property
    def fits(self) -> bool:
        """Whether AuthenticatorSource shows that the client has the secret given."""
        return self.source in (RIGHT, UNPADDED, MISTAKEN, SHIFTED)

    @property
    def doubtful(self) -> bool:
        """Whether the login was accepted although nothing in it fits the secret: then that is hardly theirs."""
        return self.status == 0 and self.source == WRONG and self.ismg in (WRONG, BLANK, ABSENT)


Values = Callable[[Login], Mapping[str, object]]


def _hits(logins: list[Login], places: list[Octets], command: int, values: Values, fault: str = PEER) -> Hits:
    """Give a PDU of each login as its place."""
    pdu, frame, stream, direction, offset = np.array(places, np.int64).reshape(-1, 5).T
    zero = np.zeros(len(places), np.int64)
    return Hits(
        pdu, frame, stream, direction, offset, zero + command, zero, zero, fault, values=lambda at: values(logins[at])
    )


def _connects(logins: list[Login], values: Values, fault: str = PEER) -> Hits:
    """Give the CONNECTs of logins as places."""
    return _hits(logins, [login.connect for login in logins], CONNECT, values, fault)


def _responses(logins: list[Login], values: Values) -> Hits:
    """Give the responses of logins that have one as places."""
    return _hits(logins, [login.response for login in logins if login.response], CONNECT_RESP, values)


def why_wrong(login: Login) -> str:
    """Say why AuthenticatorSource is not what the secret given makes."""
    if login.doubtful:
        return "the login was accepted and nothing in it fits the secret given to cmppscope, which is hardly theirs"
    words = {
        MISTAKEN: login.source_words,
        FOREIGN: f"it is made with the secret given for {login.source_words}",
        SHIFTED: f"it is made with a Timestamp {login.source_words}",
        BLANK: "it is blank",
    }
    return words.get(login.source, "another secret, or octets joined in a way that is not known")


@rule("connect-auth-wrong", Severity.ERROR, "§7.4.1.1", "AuthenticatorSource of {sp_id} is wrong: {why}")
def connect_auth_wrong(facts: Facts) -> list[Hits]:
    """AuthenticatorSource is the MD5 of Source_Addr, nine zero octets, the secret and the Timestamp's ten digits."""
    wrong = [login for login in facts.logins if login.source not in (RIGHT, UNPADDED)]
    return [
        _connects(found, lambda login: {"sp_id": login.sp_id, "why": why_wrong(login)}, fault)
        for fault, found in (
            (PEER, [login for login in wrong if not login.doubtful]),
            (OPERATOR, [login for login in wrong if login.doubtful]),
        )
    ]


@rule(
    "connect-auth-unpadded",
    Severity.NOTE,
    "§7.4.1.1",
    "AuthenticatorSource of {sp_id} is made without the leading zero of the Timestamp",
)
def connect_auth_unpadded(facts: Facts) -> Hits:
    """AuthenticatorSource is made with all ten digits of the Timestamp."""
    found = [login for login in facts.logins if login.source == UNPADDED]
    return _connects(found, lambda login: {"sp_id": login.sp_id})


@rule(
    "connect-resp-auth-wrong",
    Severity.WARN,
    "§7.4.1.2",
    "AuthenticatorISMG for {sp_id} is wrong: the gateway has another secret, or makes it in a way that is not known",
)
def connect_resp_auth_wrong(facts: Facts) -> Hits:
    """AuthenticatorISMG is the MD5 of Status, AuthenticatorSource and the secret."""
    found = [x for x in facts.logins if x.status == 0 and x.ismg == WRONG and not x.doubtful]
    return _responses(found, lambda login: {"sp_id": login.sp_id})


@rule(
    "connect-resp-auth-variant",
    Severity.NOTE,
    "§7.4.1.2",
    "AuthenticatorISMG for {sp_id} is not the MD5 over the octets of Status: {variant}",
)
def connect_resp_auth_variant(facts: Facts) -> Hits:
    """AuthenticatorISMG is made with Status as it stands in the message."""
    found = [x for x in facts.logins if x.status == 0 and x.ismg in (VARIANT, BLANK)]
    return _responses(found, lambda login: {"sp_id": login.sp_id, "variant": login.ismg_words})


RULES = (connect_auth_wrong, connect_auth_unpadded, connect_resp_auth_wrong, connect_resp_auth_variant)
