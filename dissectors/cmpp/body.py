"""The layer that every CMPP layer is made from, and the layers for octets that have no field.

Dissection takes the fields of `fields_desc` in order. The first one whose octets are not all there
is None, and so are all behind it; the octets left over then stand in a `CMPPCut` payload. Octets
behind the last field stand in a `CMPPSurplus` payload. No octet is lost, and nothing raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from .counted import text_of
from .enums import COMMANDS_20, COMMANDS_LATER

if TYPE_CHECKING:
    from .text import Text


class CMPPSurplus(Raw):
    """Octets between the last field of a layer and its end."""

    name = "Surplus"


class CMPPCut(Raw):
    """Octets of a field that is not there as a whole, and of nothing behind it."""

    name = "Cut short"


class _Layer(Packet):
    """A packet whose dissection stops at the first field that is not whole.

    Other than in most layers of Scapy, an empty buffer given is dissected, with every field None; a
    layer to build is made by giving no buffer.
    """

    def __init__(self, _pkt: bytes | None = None, /, *args: Any, **fields: Any) -> None:
        """Dissect `_pkt`, or make a layer of the given fields."""
        super().__init__(_pkt or b"", *args, **fields)
        if _pkt is not None and not _pkt:
            self.dissect(b"")

    def do_dissect(self, s: bytes) -> bytes:
        """Take the fields off the front of `s` and return what is left."""
        octets = s
        self.raw_packet_cache_fields = {}
        whole = True
        for field in self.fields_desc:
            value = None
            if whole:
                s, value = field.getfield(self, s)
                whole = value is not None
            self.fields[field.name] = value
            if field.islist and whole:
                self.raw_packet_cache_fields[field.name] = field.do_copy(value)
        self.raw_packet_cache = octets[: len(octets) - len(s)]
        self.explicit = 1
        return s

    def is_cut(self) -> bool:
        """Tell whether a field is None, for want of octets."""
        return bool(self.fields_desc) and self.fields.get(self.fields_desc[-1].name, b"") is None

    def default_payload_class(self, payload: bytes) -> type[Packet]:  # noqa: ARG002 - Scapy's hook
        """Choose the layer for octets that belong to no field."""
        return CMPPCut if self.is_cut() else CMPPSurplus

    @property
    def surplus(self) -> bytes:
        """The octets behind the last field and inside the layer."""
        return bytes(self.payload.original) if isinstance(self.payload, CMPPSurplus) else b""


class CMPPBody(_Layer):
    """The body of a PDU. `report` and `text` read its Msg_Content, where it has one."""

    @property
    def report(self) -> Packet | None:
        """The status report inside Msg_Content as a layer of its own, or None."""
        return None

    @property
    def text(self) -> Text | None:
        """Msg_Content decoded by Msg_Fmt and TP_udhi; None for a report, or without a content."""
        content = self.fields.get("Msg_Content", self.default_fields.get("Msg_Content"))
        return text_of(self, content) if isinstance(content, bytes) and self.report is None else None

    def _show_or_dump(
        self,
        dump: bool = False,  # noqa: FBT001, FBT002 - Scapy passes it by position
        indent: int = 3,
        lvl: str = "",
        label_lvl: str = "",
        first_call: bool = True,  # noqa: FBT001, FBT002
    ) -> str | None:
        """Show the report below the fields."""
        shown = super()._show_or_dump(dump, indent, lvl, label_lvl, first_call=False) or ""
        if (report := self.report) is not None:
            shown += (
                report._show_or_dump(  # noqa: SLF001 - Scapy has no public way to nest
                    dump, indent, lvl, label_lvl + lvl + "   |", first_call=False
                )
                or ""
            )
        if dump or not first_call:
            return shown
        print(shown)  # noqa: T201 - what Packet.show does
        return None


class _NoLayout(Raw):
    """A body in the layout of a later edition, which has no layer: octets unread, in `load`."""

    edition = ""

    def add_underlayer(self, underlayer: Packet) -> None:
        """Take the command's name from the header."""
        super().add_underlayer(underlayer)
        command_id = underlayer.fields.get("Command_Id")
        command = (COMMANDS_20 | COMMANDS_LATER).get(command_id or 0, "CMPP_body").removeprefix("CMPP_")
        self.name = f"CMPP {self.edition} {command} (no layout)"


class CMPPBody21(_NoLayout):
    """A route message of CMPP 2.1 or 3.0, whose layout differs from 2.0."""

    name = "CMPP 2.1 body (no layout)"
    edition = "2.1"


class CMPPBody30(_NoLayout):
    """A body of CMPP 3.0 whose layout differs from 2.0."""

    name = "CMPP 3.0 body (no layout)"
    edition = "3.0"
