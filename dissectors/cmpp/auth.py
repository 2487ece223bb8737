"""The two authenticators of a login, and the variants that real programs compute instead.

`check_*` name the variant that fits, so that a wrong secret can be told from a different habit.
Comparisons take the same time whatever differs.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ZEROS = bytes(9)


def _md5(*parts: bytes) -> bytes:
    """Return the MD5 of the parts joined."""
    import hashlib  # noqa: PLC0415 - it brings OpenSSL, for those who have a secret

    return hashlib.md5(b"".join(parts), usedforsecurity=False).digest()


def _same(given: bytes, computed: bytes) -> bool:
    """Compare in a time that does not tell where two authenticators differ."""
    import hmac  # noqa: PLC0415 - it brings hashlib

    return hmac.compare_digest(given, computed)


def authenticator_source(
    source_addr: bytes,
    secret: bytes,
    timestamp: int,
    *,
    padded_timestamp: bool = True,
    padded_source: bool = True,
) -> bytes:
    """Compute AuthenticatorSource of CONNECT, 16 octets (CMPP 2.0 §7.4.1.1).

    `source_addr` is the 6-octet field; `timestamp` the number MMDDHHMMSS. The two options turn off
    what some clients leave out: the leading zero of the ten digits, and the filling of a
    Source_Addr shorter than its field.
    """
    source = source_addr.ljust(6, b"\0") if padded_source else source_addr.rstrip(b"\0")
    digits = f"{timestamp:010d}" if padded_timestamp else f"{timestamp:d}"
    return _md5(source, _ZEROS, secret, digits.encode("ascii"))


SOURCE_VARIANTS: dict[str, dict[str, bool]] = {
    "standard": {},
    "unpadded timestamp": {"padded_timestamp": False},
    "unpadded source": {"padded_source": False},
    "unpadded source and timestamp": {"padded_source": False, "padded_timestamp": False},
}
"""The ways to compute AuthenticatorSource, in the order in which they are tried."""


def check_authenticator_source(authenticator: bytes, source_addr: bytes, secret: bytes, timestamp: int) -> str | None:
    """Name the variant that gives `authenticator`, or None when the secret fits no variant."""
    for name, options in SOURCE_VARIANTS.items():
        if _same(authenticator, authenticator_source(source_addr, secret, timestamp, **options)):
            return name
    return None


_MISTAKES: tuple[dict[str, Callable[[bytes, int], bytes]], ...] = (
    {
        "": lambda source, _stamp: source.ljust(6, b"\0"),
        "Source_Addr without its padding": lambda source, _stamp: source.rstrip(b"\0 "),
        "Source_Addr padded with blanks": lambda source, _stamp: source.rstrip(b"\0").ljust(6, b" "),
    },
    {
        "": lambda _source, _stamp: _ZEROS,
        "the nine zero octets left out": lambda _source, _stamp: b"",
        "nine characters 0 for the nine zero octets": lambda _source, _stamp: b"0" * 9,
    },
    {
        "": lambda secret, _stamp: secret,
        "a NUL behind the secret": lambda secret, _stamp: secret + b"\0",
        "a line feed behind the secret": lambda secret, _stamp: secret + b"\n",
        "blanks around the secret left out": lambda secret, _stamp: secret.strip(),
    },
    {
        "": lambda _source, stamp: b"%010d" % stamp,
        "the leading zero of the Timestamp left out": lambda _source, stamp: b"%d" % stamp,
        "the Timestamp as four octets, not as digits": lambda _source, stamp: stamp.to_bytes(4, "big"),
    },
)
"""What clients get wrong in each of the four parts; the first way of each is the document's."""


def explain_authenticator_source(authenticator: bytes, source_addr: bytes, secret: bytes, timestamp: int) -> str | None:
    """Say what a client did otherwise than CMPP 2.0 §7.4.1.1 asks, `` where nothing; None when nothing known fits.

    All known mistakes are tried together, those with the fewest first.
    """
    given = (source_addr, b"", secret, b"")
    for words in sorted(itertools.product(*_MISTAKES), key=lambda each: sum(map(bool, each))):
        parts = [ways[word](text, timestamp) for ways, word, text in zip(_MISTAKES, words, given, strict=True)]
        if _same(authenticator, _md5(*parts)):
            return ", ".join(filter(None, words))
    return None


ISMG_VARIANTS: dict[str, Callable[[int, bytes, bytes], bytes]] = {
    "one octet": lambda status, source, secret: _md5(bytes([status & 0xFF]), source, secret),
    "four octets": lambda status, source, secret: _md5(status.to_bytes(4, "big"), source, secret),
    "ASCII digits": lambda status, source, secret: _md5(str(status).encode("ascii"), source, secret),
    "blank": lambda _status, _source, _secret: bytes(16),
    "copy of AuthenticatorSource": lambda _status, source, _secret: source,
}
"""How Status enters AuthenticatorISMG, in the order in which the variants are tried.

The first is the 2.0 reading, the second that of 3.0; the last two compute nothing.
"""


def authenticator_ismg(status: int, source: bytes, secret: bytes, variant: str = "one octet") -> bytes:
    """Compute AuthenticatorISMG of CONNECT_RESP, 16 octets (CMPP 2.0 §7.4.1.2).

    `source` is the AuthenticatorSource of the CONNECT; `variant` a key of `ISMG_VARIANTS`.
    """
    return ISMG_VARIANTS[variant](status, source, secret)


def check_authenticator_ismg(authenticator: bytes, status: int, source: bytes, secret: bytes) -> str | None:
    """Name the variant that gives `authenticator`, or None. A failed login is rightly "blank"."""
    for name, compute in ISMG_VARIANTS.items():
        if _same(authenticator, compute(status, source, secret)):
            return name
    return None
