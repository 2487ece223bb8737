"""Logins checked against the secrets that the user gave: whose authenticator is wrong, and why.

A CONNECT is looked at when its response is there, or when no more is to come: only then it is known whether the secret
given can be the one in use. Python looks at each CONNECT of an SP whose secret is known; state is one CONNECT a stream,
and the last login of each session.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cmppscope.columns import plain_text
from cmppscope.rules.login import (
    BLANK,
    CONNECT_RESP,
    FOREIGN,
    MISTAKEN,
    RIGHT,
    SHIFTED,
    UNPADDED,
    VARIANT,
    WRONG,
    Login,
    Octets,
)
from cmppscope.secret import Secret
from cmppscope.tables import I64, PduBatch
from dissectors.cmpp.auth import (
    authenticator_source,
    check_authenticator_ismg,
    explain_authenticator_source,
)
from dissectors.cmpp.enums import CONNECT

_CONNECT_LENGTH = 39
_LAYOUTS = {30: (13, "one octet"), 33: (16, "four octets")}
"""Length of CONNECT_RESP to the octets up to AuthenticatorISMG and the way Status is written there (2.0 and 3.0)."""

_SHIFTS = {
    seconds: f"{abs(seconds)} s {'later' if seconds > 0 else 'earlier'}" for seconds in (1, -1, 2, -2, 3, -3)
} | {hours * 3600: f"{abs(hours)} h {'later' if hours > 0 else 'earlier'}" for hours in (8, -8, 12, -12)}
"""Timestamps that a client may have hashed in place of the one it sent: a second read of the clock, another zone."""

_ISMG_WORDS = {
    "one octet": "Status enters it as one octet",
    "four octets": "Status enters it as four octets",
    "ASCII digits": "Status enters it as a digit",
    "blank": "it is blank",
    "copy of AuthenticatorSource": "it is a copy of AuthenticatorSource",
}

_UNPADDED = "the leading zero of the Timestamp left out"


@dataclass(slots=True)
class _Asked:
    """A CONNECT that waits for its response."""

    login: Login
    sequence: int
    authenticator: bytes
    secret: bytes


class LoginChecks:
    """Checks the logins of SPs whose secrets are known."""

    def __init__(self, secrets: Mapping[str, Secret], zone_ns: int) -> None:
        """`secrets` are by SP_Id; `zone_ns` is what the peers' clocks are ahead of UTC."""
        self._secrets = secrets
        self._zone_ns = zone_ns
        self._asked: dict[int, _Asked] = {}
        self.checked: dict[int, Login] = {}
        """The last login of each session."""

    def feed(self, batch: PduBatch, session: I64) -> list[Login]:
        """Give the logins of which the response, or that there is none, became known with a batch."""
        if not self._secrets:
            return []
        found = []
        rows = np.flatnonzero((batch.command & 0x7FFFFFFF == CONNECT) & (batch.fits > 0))
        for row in rows.tolist():
            stream = int(batch.stream[row])
            asked = self._asked.get(stream)
            if batch.command[row] == CONNECT_RESP:
                if asked and self._answers(batch, row, asked):
                    found.append(_with_response(self._asked.pop(stream), batch, row))
                continue
            if asked:
                found.append(self._asked.pop(stream).login)
            if asked := self._ask(batch, row, int(session[row])):
                self._asked[stream] = asked
        return self._keep(found)

    def close(self) -> list[Login]:
        """Give the logins that got no response."""
        found = [self._asked[stream].login for stream in sorted(self._asked)]
        self._asked = {}
        return self._keep(found)

    def _keep(self, logins: list[Login]) -> list[Login]:
        """Keep the last login of each session."""
        self.checked |= {login.session: login for login in logins}
        return logins

    @staticmethod
    def _answers(batch: PduBatch, row: int, asked: _Asked) -> bool:
        """Tell whether a CONNECT_RESP is the response to a CONNECT."""
        back = int(batch.direction[row]) != asked.login.connect.direction
        return back and int(batch.sequence[row]) == asked.sequence and int(batch.length[row]) in _LAYOUTS

    def _ask(self, batch: PduBatch, row: int, session: int) -> _Asked | None:
        """Check the AuthenticatorSource of a CONNECT; None where the secret is not known."""
        if batch.length[row] != _CONNECT_LENGTH:
            return None
        octets = batch.octets_of(row)
        source_addr, authenticator = octets[12:18], octets[18:34]
        sp_id = (plain_text(source_addr) or "").strip()
        secret = self._secrets.get(sp_id)
        if secret is None:
            return None
        stamp = int.from_bytes(octets[35:39], "big")
        moment = _moment(stamp, int(batch.time_ns[row]) + self._zone_ns)
        what, words = self._look(authenticator, source_addr, sp_id, stamp, moment)
        skew = None if moment is None else round(moment.timestamp() - (int(batch.time_ns[row]) + self._zone_ns) / 1e9)
        login = Login(session, _place(batch, row), sp_id, what, words, skew)
        return _Asked(login, int(batch.sequence[row]), authenticator, secret.reveal())

    def _look(
        self, authenticator: bytes, source_addr: bytes, sp_id: str, stamp: int, moment: dt.datetime | None
    ) -> tuple[str, str]:
        """Say what an AuthenticatorSource is, and what was done otherwise."""
        secret = self._secrets[sp_id].reveal()
        words = explain_authenticator_source(authenticator, source_addr, secret, stamp)
        if words is not None:
            return {"": RIGHT, _UNPADDED: UNPADDED}.get(words, MISTAKEN), words
        if not any(authenticator):
            return BLANK, ""
        for seconds, shift in _SHIFTS.items():
            if moment is None:
                break
            other = int((moment + dt.timedelta(seconds=seconds)).strftime("%m%d%H%M%S"))
            if authenticator == authenticator_source(source_addr, secret, other):
                return SHIFTED, f"{shift} than the one in CONNECT"
        for other_id, other_secret in self._secrets.items():
            if authenticator == authenticator_source(source_addr, other_secret.reveal(), stamp):
                return FOREIGN, other_id
        return WRONG, ""


def _with_response(asked: _Asked, batch: PduBatch, row: int) -> Login:
    """Check the AuthenticatorISMG of a login's response."""
    octets = batch.octets_of(row)
    begin, right = _LAYOUTS[len(octets)]
    status, authenticator = int.from_bytes(octets[12:begin], "big"), octets[begin : begin + 16]
    variant = check_authenticator_ismg(authenticator, status, asked.authenticator, asked.secret)
    if not any(authenticator):
        variant = "blank"
    ismg = {None: WRONG, right: RIGHT, "blank": BLANK}.get(variant, VARIANT)
    words = _ISMG_WORDS.get(variant or "", "")
    return asked.login._replace(response=_place(batch, row), status=status, ismg=ismg, ismg_words=words)


def _place(batch: PduBatch, row: int) -> Octets:
    """Say where a PDU stands."""
    names = ("frame", "stream", "direction", "offset")
    return Octets(batch.first + row, *(int(getattr(batch, name)[row]) for name in names))


def _moment(stamp: int, local_ns: int) -> dt.datetime | None:
    """Read a Timestamp (CMPP 2.0 §7.4.1.1) as the time next to that of the capture; None where it is none."""
    try:
        near = dt.datetime.fromtimestamp(local_ns // 1_000_000_000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    digits = f"{stamp:010d}"
    parts = [int(digits[at : at + 2]) for at in range(0, 10, 2)]
    found = []
    for year in (near.year - 1, near.year, near.year + 1):
        with contextlib.suppress(ValueError):
            found.append(dt.datetime(year, parts[0], parts[1], parts[2], parts[3], parts[4], tzinfo=dt.UTC))
    return min(found, key=lambda when: abs(when - near), default=None)
