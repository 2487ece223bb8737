"""The network interfaces of this machine, as far as a capture cares. Asking needs no rights.

The only owner of which kinds of interface can be captured on: `LINKTYPES`. The list comes from Scapy, which asks the
kernel by netlink; only what may need it imports Scapy.
"""

from __future__ import annotations

from dataclasses import dataclass

from cmppscope.capture.source import CaptureError

ETHERNET, RAW = 1, 101
"""LINKTYPE_ values of what a packet socket gives on the kinds of interface below."""

LOOPBACK = 772
"""ARPHRD_LOOPBACK: frames with an Ethernet header of zeros, each seen twice, going out and coming in."""

LINKTYPES = {
    1: ETHERNET,  # ARPHRD_ETHER: also bridges, bonds, VLANs, veth and tap
    LOOPBACK: ETHERNET,
    519: RAW,  # ARPHRD_RAWIP: mobile data
    65534: RAW,  # ARPHRD_NONE: tun, WireGuard
}
"""The kernel's hardware type (ARPHRD_ value) to the link type of the frames; interfaces of other kinds are refused."""

LINK_NAMES = {ETHERNET: "Ethernet", RAW: "raw IP"}

_UP, _RUNNING = 0x1, 0x40


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface."""

    name: str
    index: int
    hardware: int
    """ARPHRD_ value."""
    up: bool
    carrier: bool
    """The other end is there, too."""
    addresses: tuple[str, ...]
    """IPv4 before IPv6, without prefix lengths."""

    @property
    def linktype(self) -> int | None:
        """LINKTYPE_ value of its frames, None where it cannot be captured on."""
        return LINKTYPES.get(self.hardware)

    @property
    def link(self) -> str:
        """What its frames are, for people."""
        return LINK_NAMES.get(self.linktype or 0, f"cannot be read (hardware type {self.hardware})")

    @property
    def state(self) -> str:
        """`up`, `down`, or `up, no carrier`."""
        if not self.up:
            return "down"
        return "up" if self.carrier else "up, no carrier"


def interfaces() -> list[Interface]:
    """List the interfaces as they are now, by index; CaptureError where this system is none that can be asked."""
    try:
        import scapy.arch.linux  # noqa: F401, PLC0415 - registers how interfaces are found; not for offline use
        from scapy.config import conf  # noqa: PLC0415
    except (ImportError, OSError):
        raise CaptureError("live capture needs Linux and its packet sockets") from None
    conf.ifaces.reload()
    found = [
        Interface(
            name=known.name,
            index=known.index,
            hardware=known.type,
            up=bool(int(known.flags) & _UP),
            carrier=bool(int(known.flags) & _RUNNING),
            addresses=(*known.ips.get(4, ()), *known.ips.get(6, ())),
        )
        for known in conf.ifaces.values()
    ]
    return sorted(found, key=lambda interface: interface.index)


def interface_named(name: str) -> Interface:
    """Find an interface that can be captured on; CaptureError says why it cannot be, and which ones there are."""
    known = {interface.name: interface for interface in interfaces()}
    if name not in known:
        raise CaptureError(f"{name}: no such interface (there are: {', '.join(known) or 'none'})")
    interface = known[name]
    if interface.linktype is None:
        raise CaptureError(f"{name}: frames of hardware type {interface.hardware} cannot be read")
    if not interface.up:
        raise CaptureError(f"{name}: the interface is down: ip link set {name} up")
    return interface
