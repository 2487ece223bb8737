"""The authenticators of a login."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from dissectors.cmpp import (
    authenticator_ismg,
    authenticator_source,
    check_authenticator_ismg,
    check_authenticator_source,
    explain_authenticator_source,
)

SECRET = b"cmpp-secret"
STAMP = 922101530


def test_the_golden_login(golden: dict[str, Any]) -> None:
    """Both authenticators of the golden login come out, in 2.0 and in 3.0."""
    source = bytes.fromhex(golden["G01"].fields["AuthenticatorSource"])
    assert authenticator_source(b"901234", SECRET, STAMP) == source
    assert authenticator_ismg(0, source, SECRET).hex() == golden["G02"].fields["AuthenticatorISMG"]
    assert authenticator_ismg(0, source, SECRET, "four octets").hex() == golden["G31"].fields["AuthenticatorISMG"]


@pytest.mark.parametrize(
    ("authenticator", "variant"),
    [
        ("bd879810632cfa1cfc840bacafbb70a0", "standard"),
        ("643db57957c44a5aa8ec7f303ce77d54", "unpadded timestamp"),
        ("00000000000000000000000000000000", None),
    ],
)
def test_source_variants_are_named(authenticator: str, variant: str | None) -> None:
    """A client that forgets the leading zero of the timestamp is told from a wrong secret."""
    assert check_authenticator_source(bytes.fromhex(authenticator), b"901234", SECRET, STAMP) == variant


@pytest.mark.parametrize("source", [b"9012", b"9012\0\0"])
def test_short_sources_are_filled_or_not(source: bytes) -> None:
    """A Source_Addr shorter than its field is hashed with its filling, or by some without."""
    filled = authenticator_source(source, SECRET, STAMP)
    unfilled = authenticator_source(source, SECRET, STAMP, padded_source=False)
    assert filled != unfilled
    assert check_authenticator_source(filled, source, SECRET, STAMP) == "standard"
    assert check_authenticator_source(unfilled, source, SECRET, STAMP) == "unpadded source"


@pytest.mark.parametrize(
    ("authenticator", "variant"),
    [
        ("b3d13e4dda0582fee63bc03c687875de", "one octet"),
        ("d9d0a602135b24d210d102aa04ca1762", "four octets"),
        ("fd599680d9c265f54b73f38026566401", "ASCII digits"),
        ("00000000000000000000000000000000", "blank"),
        ("bd879810632cfa1cfc840bacafbb70a0", "copy of AuthenticatorSource"),
        ("ffffffffffffffffffffffffffffffff", None),
    ],
)
def test_ismg_variants_are_named(authenticator: str, variant: str | None, golden: dict[str, Any]) -> None:
    """Every way that gateways are known to compute AuthenticatorISMG is recognised."""
    source = bytes.fromhex(golden["G01"].fields["AuthenticatorSource"])
    assert check_authenticator_ismg(bytes.fromhex(authenticator), 0, source, SECRET) == variant


def test_a_wrong_secret_fits_no_variant(golden: dict[str, Any]) -> None:
    """Another secret fits neither authenticator."""
    source = bytes.fromhex(golden["G01"].fields["AuthenticatorSource"])
    answer = bytes.fromhex(golden["G02"].fields["AuthenticatorISMG"])
    assert check_authenticator_source(source, b"901234", b"other", STAMP) is None
    assert check_authenticator_ismg(answer, 0, source, b"other") is None


@pytest.mark.parametrize("status", [0, 255, 256, 0xFFFFFFFF])
def test_any_status_of_one_or_four_octets_is_checked(status: int) -> None:
    """A Status of 3.0 that needs four octets raises nothing."""
    four = authenticator_ismg(status, bytes(range(16)), SECRET, "four octets")
    assert check_authenticator_ismg(four, status, bytes(range(16)), SECRET) == "four octets"


@pytest.mark.parametrize(
    ("hashed", "why"),
    [
        (b"901234" + bytes(9) + SECRET + b"0922101530", ""),
        (b"901234" + bytes(9) + SECRET + b"922101530", "the leading zero of the Timestamp left out"),
        (b"901234" + SECRET + b"0922101530", "the nine zero octets left out"),
        (b"901234" + b"0" * 9 + SECRET + b"0922101530", "nine characters 0 for the nine zero octets"),
        (b"901234" + bytes(9) + SECRET + b"\n0922101530", "a line feed behind the secret"),
        (b"901234" + bytes(9) + SECRET + b"\x000922101530", "a NUL behind the secret"),
        (b"901234" + bytes(9) + SECRET + STAMP.to_bytes(4, "big"), "the Timestamp as four octets, not as digits"),
        (
            b"901234" + SECRET + b"922101530",
            "the nine zero octets left out, the leading zero of the Timestamp left out",
        ),
        (b"901234" + bytes(9) + b"another" + b"0922101530", None),
    ],
)
def test_known_mistakes_are_named(hashed: bytes, why: str | None) -> None:
    """What a client joined otherwise than the document asks is named, several mistakes together as well."""
    made = hashlib.md5(hashed).digest()  # noqa: S324 - the protocol asks for it
    assert explain_authenticator_source(made, b"901234", SECRET, STAMP) == why


def test_a_short_source_without_padding_is_named() -> None:
    """A Source_Addr shorter than six octets is hashed with its padding; without it, that is said."""
    for hashed, why in (
        (b"9012\0\0" + bytes(9), ""),
        (b"9012" + bytes(9), "Source_Addr without its padding"),
        (b"9012  " + bytes(9), "Source_Addr padded with blanks"),
    ):
        made = hashlib.md5(hashed + SECRET + b"0922101530").digest()  # noqa: S324 - the protocol asks for it
        assert explain_authenticator_source(made, b"9012\0\0", SECRET, STAMP) == why
