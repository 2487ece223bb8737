"""A count and the list that it counts; a length and the content that it measures.

`counted_list` and `counted_content` give both fields at once, so that neither can be declared
without the other:

    fields_desc = [..., *counted_list("DestUsr_tl", "Dest_terminal_Id", width=21), ...]

The first field is filled in on building unless it was given. A list whose elements do not all fit
the octets, and a content that does not, is None as a whole.
"""

# ruff: noqa: ARG002 - Scapy hands every field its packet, wanted or not

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.fields import Field, RawVal
from scapy.packet import Packet
from scapy.volatile import RandBin, RandNum

from .fields import OctetString, UInt8
from .text import decode_text

if TYPE_CHECKING:
    from .text import Text

MOST = 255
"""The most that one octet can count."""


class _Counter(UInt8):
    """One octet that tells how much of a later field there is; None means "count it"."""

    __slots__ = ["of"]
    of: str

    def __init__(self, name: str, of: str) -> None:
        """Declare the counter of the field named `of`."""
        self.of = of
        super().__init__(name, None)

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        """Append the number given, or the true one; nothing where there is nothing to count."""
        counted = pkt.getfieldval(self.of)
        if val is None and counted is not None:
            val = pkt.get_field(self.of).i2count(pkt, counted)
        if isinstance(val, int) and not 0 <= val <= MOST:
            message = f"{self.name}: {val} does not fit one octet"
            raise ValueError(message)
        return super().addfield(pkt, s, val)

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write the number, or what building would write."""
        if x is None and pkt is not None and pkt.getfieldval(self.of) is not None:
            return f"{pkt.get_field(self.of).i2count(pkt, pkt.getfieldval(self.of))} (filled in)"
        return repr(x)


class ListCount(_Counter):
    """The number of elements of the `OctetList` named `of`."""


class ContentLength(_Counter):
    """The number of octets of the `OctetContent` named `of`."""


class OctetList(Field[Any, Any]):
    """Octet Strings of one width, as many as `count_field` says: a list of whole fields as bytes."""

    __slots__ = ["count_field", "element", "width"]
    islist = 1

    def __init__(self, name: str, width: int, count_field: str) -> None:
        """Declare a list of elements of `width` octets."""
        self.element = OctetString(name, b"", width)
        self.width = width
        self.count_field = count_field
        super().__init__(name, [], "0s")

    def i2count(self, pkt: Packet | None, x: Any) -> int:
        """Return the number of elements."""
        return len(bytes(x)) // self.width if isinstance(x, RawVal) else len(x)

    def i2len(self, pkt: Packet, x: Any) -> int:
        """Return the octets of all elements."""
        return self.i2count(pkt, x) * self.width

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        """Accept a list of texts or octets, or a single one."""
        if x is None or isinstance(x, RawVal):
            return x
        elements = x if isinstance(x, list | tuple) else [x]
        return [self.element.any2i(pkt, element) for element in elements]

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        """Append every element; ValueError for one that is too long."""
        return s if val is None else s + b"".join(self.element.i2m(pkt, element) for element in val)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:
        """Take all elements, or nothing where they do not all fit."""
        end = pkt.getfieldval(self.count_field) * self.width
        if end > len(s):
            return s, None
        return s[end:], [s[start : start + self.width] for start in range(0, end, self.width)]

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write the texts of the elements."""
        return f"[{', '.join(self.element.i2repr(pkt, element) for element in x)}]" if isinstance(x, list) else repr(x)

    def randval(self) -> Any:
        """Return None: fuzzing leaves the list as it is."""
        return None


class OctetContent(Field[Any, Any]):
    """As many octets as `length_field` says: the content of a short message. The value is bytes.

    It may be given as bytes, or as a packet such as a status report, whose octets it takes. Text
    needs a coding: `text.encode_text`.
    """

    __slots__ = ["length_field"]

    def __init__(self, name: str, length_field: str) -> None:
        """Declare the content that `length_field` measures."""
        self.length_field = length_field
        super().__init__(name, b"", "0s")

    def i2count(self, pkt: Packet | None, x: Any) -> int:
        """Return the number of octets."""
        return len(bytes(x))

    def i2len(self, pkt: Packet, x: Any) -> int:
        """Return the number of octets."""
        return len(bytes(x))

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        """Accept octets or a packet; TypeError for text."""
        if isinstance(x, str):
            message = f"{self.name}: octets wanted, not text; encode_text() knows Msg_Fmt"
            raise TypeError(message)
        return bytes(x) if isinstance(x, Packet | bytearray | memoryview) else x

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        """Append the octets."""
        return s if val is None else s + bytes(val)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:
        """Take as many octets as the length says, or nothing where there are fewer."""
        length = pkt.getfieldval(self.length_field)
        return (s, None) if length > len(s) else (s[length:], s[:length])

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write the user data header, the text where there is one, and the octets in hexadecimal."""
        if not isinstance(x, bytes):
            return repr(x)
        shown = pkt.text if pkt is not None else None
        parts = [] if shown is None else describe(shown)
        return " ".join([*parts, f"0x{x.hex()}" if x else "b''"])

    def randval(self) -> Any:
        """Return some octets for fuzzing."""
        return RandBin(RandNum(0, 140))


def text_of(pkt: Packet, content: bytes) -> Text | None:
    """Decode `content` by the Msg_Fmt and TP_udhi of `pkt`; None where one of them is missing."""
    msg_fmt, udhi = pkt.getfieldval("Msg_Fmt"), pkt.getfieldval("TP_udhi")
    if not isinstance(msg_fmt, int) or not isinstance(udhi, int):
        return None
    return decode_text(content, msg_fmt, udhi)


def describe(text: Text) -> list[str]:
    """Write a decoded text in parts; `repr` escapes what is not safe on a screen."""
    parts = [] if text.udh is None else [f"[header: {text.udh}]"]
    parts += [] if text.text is None else [repr(text.text)]
    return parts + [f"[{problem}]" for problem in text.problems if text.udh is None or problem not in text.udh.problems]


def counted_list(count: str, name: str, *, width: int) -> tuple[ListCount, OctetList]:
    """Declare a one-octet count and the list of `width`-octet strings that follows it."""
    return ListCount(count, name), OctetList(name, width, count)


def counted_content(length: str, name: str) -> tuple[ContentLength, OctetContent]:
    """Declare a one-octet length and the content that follows it."""
    return ContentLength(length, name), OctetContent(name, length)
