"""Opening a packet socket to listen on an interface: rights, filter, stamps, buffer. Yields a `Tap`.

Theory of operation. Scapy's `L2ListenSocket` opens and binds the socket, turns promiscuous mode, nanosecond stamps and
auxiliary data on. The rest is ours, because Scapy's `recv_raw` gives times as floats (a quarter of a microsecond off)
and not the length on the wire: `Tap.socket` is the bare socket, to be read with `recvmsg_into`.

* The filter is compiled by libpcap on a handle that is open on the same interface. Only so does `vlan` look for tags
  where the kernel keeps them, and is the filter's own snapshot length ours. While it is put in place a filter that
  drops everything stands there, so that no frame gets in unfiltered.
* Loopback shows every frame twice; the outgoing ones are left out, as tcpdump does.
* The receive buffer is as big as the kernel lets it be: beyond `net.core.rmem_max` with CAP_NET_ADMIN.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

from cmppscope.capture.interfaces import LOOPBACK, interface_named
from cmppscope.capture.source import CaptureError

RECEIVE_BUFFER = 64 << 20
"""Octets asked of the kernel to hold frames that were not read yet; it counts its own overhead, about 1 KB a frame."""

SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
"""Of Linux; Python has no names for them."""

_STATISTICS = struct.Struct("=II")
_DROP_ALL = (0x06, 0, 0, 0)
"""One instruction of BPF: return 0."""
_NO_NETMASK = -1
_ERROR_OCTETS = 256


class FilterError(CaptureError):
    """The filter expression is none that libpcap understands."""


@dataclass(slots=True)
class Tap:
    """A socket that gives the frames of an interface, non-blocking."""

    socket: Any
    """A packet socket; every message comes with its stamp and its auxiliary data."""
    linktype: int
    skip_outgoing: bool = False
    """Frames marked as going out are second copies."""
    keeper: Any = None
    """What closes the socket."""

    def dropped(self) -> int:
        """Count the frames that the kernel dropped since the last time it was asked."""
        statistics = self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size)
        drops: int = _STATISTICS.unpack(statistics)[1]
        return drops

    def close(self) -> None:
        """Leave promiscuous mode and close."""
        (self.keeper or self.socket).close()


def listen(name: str, bpf: str | None, snaplen: int) -> Tap:
    """Open an interface; CaptureError says in one line why that cannot be."""
    interface = interface_named(name)
    from scapy.arch.linux import L2ListenSocket  # noqa: PLC0415 - not for offline use

    logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # it guesses a layer for the frames; none is needed
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
        program = _compile(name, bpf, snaplen) if bpf else None
        keeper = L2ListenSocket(iface=name, promisc=True)
    except PermissionError:
        raise CaptureError(_no_rights(name)) from None
    except OSError as error:
        raise CaptureError(f"{name}: {error.strerror or error}") from None
    try:
        return _prepare(keeper, interface.linktype or 0, program, loopback=interface.hardware == LOOPBACK)
    except OSError as error:
        keeper.close()
        raise CaptureError(f"{name}: {error.strerror or error}") from None


def _prepare(keeper: Any, linktype: int, program: Any, *, loopback: bool) -> Tap:
    """Put filter and buffer in place, and begin to count drops."""
    tap = Tap(keeper.ins, linktype, loopback, keeper)
    tap.socket.setblocking(False)  # noqa: FBT003 - as the standard library has it
    if program is not None:
        _attach(tap.socket, program)
    try:
        tap.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        tap.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if loopback:
        with contextlib.suppress(OSError):  # before Linux 4.20 they have to be read to be skipped
            tap.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    tap.dropped()  # while the socket was set up its buffer was tiny
    return tap


def _attach(sock: socket.socket, program: Any) -> None:
    """Put a compiled filter in place without letting anything through that it would not."""
    from scapy.libs.structures import bpf_insn, sock_fprog  # noqa: PLC0415
    from scapy.libs.winpcapy import pcap_freecode  # noqa: PLC0415

    drop_all = bpf_insn(*_DROP_ALL)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(sock_fprog(1, ctypes.pointer(drop_all))))
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(sock_fprog(program.bf_len, program.bf_insns)))
    pcap_freecode(ctypes.byref(program))


def _compile(name: str, bpf: str, snaplen: int) -> Any:
    """Compile a filter expression for an interface."""
    try:
        from scapy.libs import winpcapy as pcap  # noqa: PLC0415
        from scapy.libs.structures import bpf_program  # noqa: PLC0415
    except (ImportError, OSError):
        raise CaptureError("a capture filter needs libpcap, which is not here: apt-get install libpcap0.8") from None
    said = ctypes.create_string_buffer(_ERROR_OCTETS)
    handle = pcap.pcap_open_live(os.fsencode(name), snaplen, 0, 0, said)
    if not handle:
        raise CaptureError(f"{name}: {_text(said.value)}")
    try:
        program = bpf_program()
        expression = ctypes.create_string_buffer(bpf.encode())
        if pcap.pcap_compile(handle, ctypes.byref(program), expression, 1, _NO_NETMASK):
            raise FilterError(f"{bpf!r}: {_text(pcap.pcap_geterr(handle))}")
        return program
    finally:
        pcap.pcap_close(handle)


def _text(said: Any) -> str:
    """Read what libpcap says."""
    return str(bytes(said).rstrip(b"\0").decode(errors="replace")) or "libpcap does not say why"


def _no_rights(name: str) -> str:
    """Say what is missing and how to give it."""
    python = os.path.realpath(sys.executable)
    return (
        f"capturing on {name} needs the right to open a packet socket: "
        f"run as root, or give it once: setcap cap_net_raw,cap_net_admin=eip {python}"
    )
