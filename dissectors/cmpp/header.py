"""The header of every PDU, and the iteration over PDUs that follow each other.

`CMPP(octets)` dissects one PDU: what follows its Total_Length is `Padding`. The body's layer is
chosen by `layout`: a body of 2.0 has the layer of its command, a body of a later layout stands
unread in `CMPPBody21` or `CMPPBody30`, and the body of an unknown command in `Raw`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from scapy.packet import Packet, Raw

from . import enums
from .body import CMPPBody, CMPPBody21, CMPPBody30, CMPPCut, _Layer
from .fields import CommandId, UInt32
from .layout import HEADER_LENGTH, Layout, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .text import Text

_WITHOUT_LAYER = {Layout.V21: CMPPBody21, Layout.V30: CMPPBody30}
_UINT32 = struct.Struct("!I")


class CMPP(_Layer):
    """Header of a PDU, 12 octets (CMPP 2.0 §7.3).

    Total_Length and Command_Id are filled in from the body. A header of fewer than 12 octets has
    None in the fields that are not whole. Total_Length below 12 means an empty body, beyond the
    octets given a body cut short.
    """

    name = "CMPP"
    fields_desc = [
        UInt32("Total_Length", None),
        CommandId("Command_Id", 0, enums.COMMAND_ID),
        UInt32("Sequence_Id", 0),
    ]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Put Total_Length before the other fields where it was not given."""
        if self.Total_Length is None and not self.is_cut():
            pkt = _UINT32.pack(HEADER_LENGTH + len(pay)) + pkt
        return pkt + pay

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        """Divide what follows the header into the body and what lies behind Total_Length."""
        if self.is_cut():
            return s, None
        end = max(self.Total_Length - HEADER_LENGTH, 0)
        return s[:end], s[end:]

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """Choose the layer of the body by Command_Id and layout (CMPP 2.0 §7.7.1)."""
        if self.is_cut():
            return CMPPCut
        kind = layout((self.raw_packet_cache or b"") + payload)
        return _WITHOUT_LAYER.get(kind) or super().guess_payload_class(payload)

    def do_dissect_payload(self, s: bytes) -> None:
        """Dissect the body; a known command has its layer even where no octet of it is there."""
        if s:
            super().do_dissect_payload(s)
        elif not self.is_cut() and (cls := self.guess_payload_class(s)) is not Raw:
            self.add_payload(cls(s, _internal=1, _underlayer=self))

    def default_payload_class(self, payload: bytes) -> type[Packet]:  # noqa: ARG002 - Scapy's hook
        """Choose the layer for octets that belong to no known command."""
        return CMPPCut if self.is_cut() else Raw

    def hashret(self) -> bytes:
        """Return octets that a request and its response share."""
        if self.Sequence_Id is None or self.Command_Id is None:
            return b""
        return struct.pack("!II", self.Command_Id & ~enums.RESPONSE, self.Sequence_Id)

    def answers(self, other: Packet) -> int:
        """Tell whether this is the response to `other` (CMPP 2.0 §6.4, §7.3)."""
        if not isinstance(other, CMPP) or other.Command_Id is None or other.Sequence_Id is None:
            return 0
        return int(
            not other.Command_Id & enums.RESPONSE
            and self.Command_Id == other.Command_Id | enums.RESPONSE
            and self.Sequence_Id == other.Sequence_Id
        )

    def mysummary(self) -> str:
        """Name the command and its Sequence_Id."""
        return f"{self.get_field('Command_Id').i2repr(self, self.Command_Id)} seq {self.Sequence_Id}"

    @property
    def report(self) -> Packet | None:
        """The status report in the body, or None."""
        return getattr(self._body(), "report", None)

    @property
    def text(self) -> Text | None:
        """The decoded Msg_Content of the body, or None."""
        return getattr(self._body(), "text", None)

    @property
    def surplus(self) -> bytes:
        """The octets between the body's last field and Total_Length."""
        body = self._body()
        return body.surplus if body is not None else b""

    def _body(self) -> CMPPBody | None:
        return self.payload if isinstance(self.payload, CMPPBody) else None


def pdus(octets: bytes) -> Iterator[CMPP]:
    """Yield the PDUs of a buffer one after the other, each from its own octets alone.

    The iteration ends with the buffer. A last PDU that the buffer cuts short is yielded as it is,
    its missing fields None. A Total_Length below 12 leaves no way to go on: all that follows is in
    that PDU's `Padding`.
    """
    start = 0
    while start < len(octets):
        end = len(octets)
        if end - start >= HEADER_LENGTH:
            (total_length,) = _UINT32.unpack_from(octets, start)
            if total_length >= HEADER_LENGTH:
                end = min(end, start + total_length)
        yield CMPP(octets[start:end])
        start = end


__all__ = ["CMPP", "pdus"]
