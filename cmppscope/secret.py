"""A shared secret: octets that no message, report or traceback shows."""

from __future__ import annotations


class Secret:
    """The secret that an SP shares with its gateway (CMPP 2.0 §7.4.1.1); who needs its octets asks for them."""

    __slots__ = ("_octets",)

    def __init__(self, secret: str) -> None:
        """Take the secret as the user wrote it; characters outside of ASCII are hashed as UTF-8."""
        self._octets = secret.encode("utf-8", "surrogateescape")

    def reveal(self) -> bytes:
        """Give the octets, to be hashed and nothing else."""
        return self._octets

    def __repr__(self) -> str:
        return "Secret(hidden)"
