"""Masking of what belongs to subscribers: the default of every export and screen.

This module alone knows which fields are personal. The convention:

* A subscriber's number keeps its length, a leading `86` or `+86`, and of eleven characters or more behind that the
  first three and the last two: `+86138******00`. A shorter one is all stars.
* A number field that is not plain text, a content, a reserved field that is not blank, and octets that belong to no
  field become `{"octets": n}`.
* Src_Id and Dest_Id of FWD hold a service code or a number, whichever way the message goes; they count as a number from
  eleven digits on, and so does Dest_Id of a report about an MO.

Service codes, SP_Ids, gateway codes, Msg_Ids and times stay, for they say nothing about a subscriber. The limit: fields
are known by their places, so a PDU whose octets are displaced may show a piece of a number in a field that is none.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Any

from cmppscope.columns import plain_text

SUBSCRIBER_DIGITS = 11
"""Digits of a mainland mobile number without its country code (CMPP 2.0: spec 6.4)."""

_HEAD, _TAIL = 3, 2
_COUNTRY = re.compile(r"\+?86")


class Personal(enum.Enum):
    """What a field may say about a subscriber."""

    NO = "nothing"
    NUMBER = "a subscriber's number"
    CODE = "a service code, or a subscriber's number"
    CONTENT = "the content of a message"
    UNDEFINED = "octets without a meaning"


_ANYWHERE = {
    "fee_terminal_id": Personal.NUMBER,
    "dest_terminal_id": Personal.NUMBER,
    "src_terminal_id": Personal.NUMBER,
    "terminal_id": Personal.NUMBER,
    "msg_content": Personal.CONTENT,
    "text": Personal.CONTENT,
    "reserve": Personal.UNDEFINED,
    "reserved": Personal.UNDEFINED,
    "surplus": Personal.UNDEFINED,
}
_IN_LAYER = {
    ("CMPP_FWD", "src_id"): Personal.CODE,
    ("CMPP_FWD", "dest_id"): Personal.CODE,
    ("CMPP MO report", "dest_id"): Personal.CODE,
}


def personal(layer: str, field: str) -> Personal:
    """Tell what a field (by its public name) of a layer (by its name) may say about a subscriber."""
    return _IN_LAYER.get((layer, field)) or _ANYWHERE.get(field, Personal.NO)


def mask_number(text: str) -> str:
    """Mask a subscriber's number: `13800138000` is `138******00`."""
    country = _COUNTRY.match(text)
    prefix = country[0] if country else ""
    number = text[len(prefix) :]
    if len(number) < SUBSCRIBER_DIGITS:
        return prefix + "*" * len(number)
    return prefix + number[:_HEAD] + "*" * (len(number) - _HEAD - _TAIL) + number[-_TAIL:]


def is_subscriber(text: str) -> bool:
    """Tell whether a text that may be a service code has the digits of a subscriber's number."""
    country = _COUNTRY.match(text)
    return sum(map(str.isdigit, text[country.end() if country else 0 :])) >= SUBSCRIBER_DIGITS


@dataclass(frozen=True, slots=True)
class Redaction:
    """Whether personal fields are masked, and how they look then."""

    active: bool = True

    def hides(self, kind: Personal, octets: bytes) -> bool:
        """Tell whether a field with these octets is masked; a blank one is not."""
        if not self.active or kind is Personal.NO or not octets.strip(b"\0"):
            return False
        text = plain_text(octets)
        return kind is not Personal.CODE or text is None or is_subscriber(text)

    def number(self, text: str) -> str:
        """Give a subscriber's number as it may be seen."""
        return mask_number(text) if self.active else text

    def value(self, text: str) -> str:
        """Give a personal value of a finding as it may be seen: a number masked, of other text its length."""
        if not self.active:
            return text
        plain = text.removeprefix("+")
        return mask_number(text) if plain.isascii() and plain.isdigit() else f"({len(text)} characters)"

    def string(self, kind: Personal, octets: bytes) -> str | dict[str, Any]:
        """Give a whole Octet String as JSON has it: its text, else `{"hex": …}`, or what masking leaves of them."""
        text = plain_text(octets)
        if not self.hides(kind, octets):
            return {"hex": octets.hex()} if text is None else text
        if text is None or kind not in {Personal.NUMBER, Personal.CODE}:
            return {"octets": len(octets)}
        return mask_number(text)

    def content(self, octets: bytes) -> dict[str, Any]:
        """Give the content of a message as JSON has it: `{"hex": …}` in full, or how many octets it has."""
        return {"octets": len(octets)} if self.active else {"hex": octets.hex()}

    def surplus(self, octets: bytes) -> str | dict[str, Any]:
        """Give octets that belong to no field as JSON has them: hexadecimal, or how many there are."""
        return {"octets": len(octets)} if self.active else octets.hex()
