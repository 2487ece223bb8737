"""The text of a Msg_Content.

`decode_text` never raises: what cannot be decoded becomes U+FFFD and a line in `problems`. The text
is as the sender wrote it, control characters included; whoever shows it must make it safe (`repr`
does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .udh import parse_udh

if TYPE_CHECKING:
    from .udh import UserDataHeader

UDHI_BITS = 0x41
"""Bits of TP_udhi that announce a header: 1, and 0x40 as copied from SMPP's esm_class."""

_ASCII, _UCS2, _GBK = "ascii", "utf-16-be", "gb18030"

CODECS: dict[int, str] = {0: _ASCII, 8: _UCS2, 15: _GBK}
"""Msg_Fmt to Python codec; a Msg_Fmt that is not a key has no text (CMPP 2.0 §7.4.3.1).

Beside the document's values stand the GSM 03.38 codings with a message class that gateways let pass.
"""
CODECS |= dict.fromkeys((*range(0x10, 0x14), *range(0xF0, 0xF4)), _ASCII)
CODECS |= dict.fromkeys(range(0x18, 0x1C), _UCS2)


@dataclass(frozen=True, slots=True)
class Text:
    """A content decoded.

    `text` is None where Msg_Fmt names no character coding; `offset` is where the text begins behind
    `udh`.
    """

    text: str | None
    udh: UserDataHeader | None
    problems: tuple[str, ...]
    offset: int


def decode_text(octets: bytes, msg_fmt: int, udhi: int) -> Text:
    """Decode a Msg_Content by its Msg_Fmt and TP_udhi (CMPP 2.0 §7.4.3.1)."""
    udh = parse_udh(octets) if udhi & UDHI_BITS else None
    problems = udh.problems if udh else ()
    offset = len(udh.octets) if udh else 0
    codec = CODECS.get(msg_fmt)
    if codec is None:
        return Text(None, udh, problems, offset)
    body = octets[offset:]
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        problems += (f"octet {offset + error.start} is not {codec}: {error.reason}",)
        text = body.decode(codec, "replace")
    return Text(text, udh, problems, offset)


def encode_text(text: str, msg_fmt: int) -> bytes:
    """Encode a text for Msg_Content; ValueError where Msg_Fmt cannot (CMPP 2.0 §7.4.3.1)."""
    if msg_fmt not in CODECS:
        message = f"Msg_Fmt {msg_fmt} is not a character coding"
        raise ValueError(message)
    return text.encode(CODECS[msg_fmt])
