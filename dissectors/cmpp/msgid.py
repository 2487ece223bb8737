"""The parts of a Msg_Id, and its text.

A Msg_Id is 64 bits: month 4, day 5, hour 5, minute 6, second 6, gateway code 22, serial number 16
(CMPP 2.0 §7.4.3.2). The year is not there, and nothing keeps a gateway from writing any other
number.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TEXT = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})-?(\d{6,7})-?(\d{5})", re.ASCII)

_WIDTHS = (4, 5, 5, 6, 6, 22, 16)
_DATE = (range(1, 13), range(1, 32), range(24), range(60), range(60))


class MsgId(NamedTuple):
    """The seven parts of a Msg_Id, in the order of their bits."""

    month: int
    day: int
    hour: int
    minute: int
    second: int
    gateway: int
    serial: int

    @property
    def dated(self) -> bool:
        """Whether month, day and time of day lie in their ranges."""
        return all(part in span for part, span in zip(self, _DATE, strict=False))


def split_msg_id(number: int) -> MsgId:
    """Split a 64-bit Msg_Id into its parts, in range or not (CMPP 2.0 §7.4.3.2)."""
    parts = []
    for width in reversed(_WIDTHS):
        parts.append(number & ((1 << width) - 1))
        number >>= width
    return MsgId(*reversed(parts))


def compose_msg_id(parts: MsgId) -> int:
    """Join the parts of a Msg_Id; ValueError for one too wide for its bits (CMPP 2.0 §7.4.3.2)."""
    number = 0
    for name, width, value in zip(MsgId._fields, _WIDTHS, parts, strict=True):
        if not 0 <= value < 1 << width:
            message = f"Msg_Id: {name} {value} does not fit {width} bits"
            raise ValueError(message)
        number = number << width | value
    return number


def format_msg_id(number: int) -> str:
    """Write a Msg_Id as `MMDDhhmmss-gateway-serial`; in hexadecimal where the date is none.

    The gateway code has six digits, as in Source_Id, or seven where the number needs them; the
    serial number five.
    """
    parts = split_msg_id(number)
    if not parts.dated:
        return f"0x{number:016x}"
    return "{:02}{:02}{:02}{:02}{:02}-{:06}-{:05}".format(*parts)


def parse_msg_id(text: str) -> int:
    """Read what `format_msg_id` writes, and the 22 digits that gateways print; else ValueError."""
    if match := _TEXT.fullmatch(text):
        return compose_msg_id(MsgId(*map(int, match.groups())))
    if text.startswith("0x"):
        return int(text, 16)
    message = f"Msg_Id: {text!r} is not MMDDhhmmss-gateway-serial"
    raise ValueError(message)
