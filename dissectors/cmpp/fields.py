"""The field classes of the layers, and what may be read from them.

Two rules hold for every field here. A field whose octets do not all lie in what is given dissects
as None and takes nothing; a field whose value is None builds as nothing (but a count or a length,
which then is filled in).

The contract for whoever compiles `fields_desc` into something faster; each field of a body is one
of

* an integer: `UInt8`, `UInt16`, `UInt32`, `UInt64`, `Int32` or a subclass, all subclasses of
  Scapy's own classes. `sz` octets, big-endian, signed only in `Int32`; `meanings` (an
  `enums.Meanings`) where it is an `Enum8`;
* an `OctetString` or a subclass: `width` (equal to `sz`) octets;
* an `OctetList` (see `counted`): elements of `width` octets, as many as the integer field named
  `count_field` says;
* an `OctetContent` (see `counted`): as many octets as the integer field named `length_field` says.

`ListCount` and `ContentLength` are the `UInt8` before the last two; their `of` names the field
behind them. The last two have no size of their own (`sz` is 0).
"""

# ruff: noqa: ARG002 - Scapy hands every field its packet, wanted or not

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.fields import ByteField, Field, IntField, LongField, RawVal, ShortField, SignedIntField

from . import msgid
from .times import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapy.packet import Packet

    from .enums import Meanings


class _Whole(Field[Any, Any]):
    """A field of fixed size that is there with all its octets, or is None."""

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:
        """Take the field off the front of `s`, or nothing where `s` is too short."""
        if len(s) < self.sz:
            return s, None
        return super().getfield(pkt, s)

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        """Append the field to `s`; None appends nothing."""
        return s if val is None else super().addfield(pkt, s, val)


class UInt8(_Whole, ByteField):
    """One octet, unsigned."""


class UInt16(_Whole, ShortField):
    """Two octets, unsigned."""


class UInt32(_Whole, IntField):
    """Four octets, unsigned."""


class UInt64(_Whole, LongField):
    """Eight octets, unsigned."""


class Int32(_Whole, SignedIntField):
    """Four octets, signed: Last_route_Id alone (CMPP 2.0 §7.6.5.1)."""


class _Named(Field[Any, Any]):
    """A number that is shown with its meaning, and may be given as its meaning."""

    __slots__ = ["meanings"]
    meanings: Meanings

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        """Accept the number, or the exact text of its meaning; ValueError for any other text."""
        if not isinstance(x, str):
            return x
        for number, meaning in self.meanings.items():
            if x == meaning:
                return number
        message = f"{self.name}: no value means {x!r}"
        raise ValueError(message)

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write the number and what it means."""
        return f"{x} ({self.meanings.of(x)})" if isinstance(x, int) else repr(x)


class Enum8(_Named, UInt8):
    """One octet whose values have meanings."""

    def __init__(self, name: str, default: int | None, meanings: Meanings) -> None:
        """Take the table of `meanings` beside name and default."""
        self.meanings = meanings
        super().__init__(name, default)


class CommandId(_Named, UInt32):
    """Command_Id of the header (CMPP 2.0 §7.3)."""

    def __init__(self, name: str, default: int | None, meanings: Meanings) -> None:
        """Take the table of `meanings` beside name and default."""
        self.meanings = meanings
        super().__init__(name, default)

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write the name of the command and its number."""
        return f"{self.meanings.of(x)} (0x{x:08x})" if isinstance(x, int) else repr(x)


class MsgIdNumber(UInt64):
    """A Msg_Id, shown as `MMDDhhmmss-gateway-serial` (CMPP 2.0 §7.4.3.2)."""

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        """Accept the number or its text."""
        return msgid.parse_msg_id(x) if isinstance(x, str) else x

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write the parts, or hexadecimal where the date is out of range."""
        return msgid.format_msg_id(x) if isinstance(x, int) else repr(x)


class Timestamp(UInt32):
    """The number MMDDHHMMSS of a CONNECT, shown with its ten digits (CMPP 2.0 §7.4.1.1)."""

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write ten digits, and the time they mean where they mean one."""
        if not isinstance(x, int):
            return repr(x)
        moment, problem = parse_timestamp(x)
        return f"{x:010d} ({moment or problem})"


class Version(UInt8):
    """Major version in the high nibble, minor in the low one (CMPP 2.0 §7.4.1.1)."""

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        """Accept the octet, or a text such as "2.0"."""
        if not isinstance(x, str):
            return x
        major, _dot, minor = x.partition(".")
        return int(major) << 4 | int(minor)

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write major and minor with a dot between."""
        return f"{x >> 4}.{x & 0xF}" if isinstance(x, int) else repr(x)


def octet_text(octets: bytes) -> str | None:
    """Return the text up to the first NUL, trailing spaces off; None unless printable ASCII."""
    head = octets.partition(b"\0")[0].rstrip(b" ")
    text = head.decode("latin-1")
    return text if text.isascii() and text.isprintable() else None


class OctetString(_Whole):
    """A string of fixed width, filled on the right with NUL (CMPP 2.0 §7.1).

    The value is the whole field, its filling included, as bytes. It may be given as bytes or ASCII
    text of any length up to `width`; a longer one is a ValueError when the layer is built. With
    `right_aligned`, a value that is not blank is filled on the left with the digit 0. `explain`
    turns the text into what `show()` adds in brackets.
    """

    __slots__ = ["explain", "right_aligned", "width"]

    def __init__(
        self,
        name: str,
        default: bytes,
        width: int,
        *,
        right_aligned: bool = False,
        explain: Callable[[str], object] | None = None,
    ) -> None:
        """Declare a field of `width` octets."""
        self.width = width
        self.right_aligned = right_aligned
        self.explain = explain
        super().__init__(name, default, f"{width}s")

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        """Accept text or octets, and fill them up to the width."""
        if isinstance(x, str):
            try:
                x = x.encode("ascii")
            except UnicodeEncodeError as error:
                message = f"{self.name}: {x!r} is not ASCII; give the octets"
                raise ValueError(message) from error
        if not isinstance(x, bytes | bytearray | memoryview):
            return x
        octets = bytes(x)
        if self.right_aligned and octets:
            return octets.rjust(self.width, b"0")
        return octets.ljust(self.width, b"\0")

    def i2m(self, pkt: Packet | None, x: Any) -> bytes:
        """Return the octets to build; ValueError where they are not `width`."""
        octets = self.any2i(pkt, x)
        if not isinstance(octets, bytes):
            message = f"{self.name}: text or octets wanted, not {x!r}"
            raise TypeError(message)
        if len(octets) > self.width:
            message = f"{self.name}: {len(octets)} octets in a field of {self.width}"
            raise ValueError(message)
        return octets

    def i2len(self, pkt: Packet, x: Any) -> int:
        """Return the octets that the field takes."""
        return len(x) if isinstance(x, RawVal) else self.width

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write the text and what it means; octets that are no text, or hidden, in hexadecimal."""
        if not isinstance(x, bytes):
            return repr(x)
        text = octet_text(x)
        if text is None:
            return f"0x{x.hex()}"
        hidden = x.partition(b"\0")[2].strip(b"\0")
        explained = self.explain(text) if self.explain and text else None
        return (
            repr(text)
            + (f" ({explained})" if explained else "")
            + (f" followed by 0x{x.partition(bytes(1))[2].hex()}" if hidden else "")
        )


class Authenticator(OctetString):
    """Sixteen octets of MD5, shown in hexadecimal (CMPP 2.0 §7.4.1.1)."""

    def __init__(self, name: str) -> None:
        """Declare a field that is blank unless given."""
        super().__init__(name, b"", 16)

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        """Write hexadecimal."""
        return x.hex() if isinstance(x, bytes) else repr(x)
