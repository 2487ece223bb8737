"""Two speakers over real sockets, an SP and an ISMG, that log what each of them did.

An act is what a speaker did, in the order of doing: sent a PDU or octets of none, received a PDU, closed. Where a
sent PDU begins in the octets that this side sent over its connection is `at`. Nothing here decides what is right; a
scene marks the acts that a finding is to be about (`found`: the id of its rule, or several).
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Any, NamedTuple

from tests.recorded import octets

PATIENCE_SECONDS = 5.0
PORT = 7890
FIRST_CLIENT_PORT = 40001

Act = dict[str, Any]


class Speaker:
    """One end of a connection."""

    def __init__(self, who: str, connection: int, end: socket.socket, acts: list[Act]) -> None:
        """`acts` is the log that all speakers of a scene share."""
        self.who, self._connection, self._end, self._acts = who, connection, end, acts
        self._sent = 0
        end.settimeout(PATIENCE_SECONDS)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def gather(self) -> None:
        """Let the kernel hold small writes back until what was sent before is acknowledged (Nagle)."""
        self._end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)

    def say(self, *pdus: bytes, found: str = "", at: int = -1, singly: int = 0) -> None:
        """Send PDUs with one write, but the first `singly` octets with one each; `found` is about PDU `at` of them."""
        about = range(len(pdus))[at]
        for number, said in enumerate(pdus):
            _, command, sequence = struct.unpack_from("!III", said)
            told = {"command": octets.name(command), "sequence_id": sequence, "header": said[:12].hex()}
            self._note("sent", found if number == about else "", **told, at=self._sent, octets=len(said))
            self._sent += len(said)
        self._write(b"".join(pdus), singly)

    def say_octets(self, said: bytes, found: str = "") -> None:
        """Send octets that are no PDU, or a part of one."""
        self._note("sent", found, header=said[:12].hex(), at=self._sent, octets=len(said))
        self._sent += len(said)
        self._write(said)

    def hear(self, command: int) -> bytes:
        """Receive one PDU, which must be of this command."""
        head = self._read(4)
        heard = head + self._read(int.from_bytes(head, "big") - 4)
        _, told, sequence = struct.unpack_from("!III", heard)
        if told != command:
            raise ValueError(f"{self.who} waits for {octets.name(command)} and hears {octets.name(told)}")
        self._note("received", "", command=octets.name(told), sequence_id=sequence, octets=len(heard))
        return heard

    def skip(self, count: int) -> None:
        """Receive octets without looking at them."""
        self._read(count)

    def close(self, found: str = "") -> None:
        """Close with FIN."""
        self._note("closed", found, how="FIN")
        self._end.shutdown(socket.SHUT_WR)

    def drop(self, found: str = "") -> None:
        """Close with octets unread: the kernel sends RST."""
        self._note("closed", found, how="RST")
        self._end.close()

    def reset(self, found: str = "") -> None:
        """Close with RST by lingering for no time."""
        self._note("closed", found, how="RST")
        self._end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end.close()

    def hear_the_end(self) -> None:
        """Receive the other side's FIN, and nothing before it."""
        if self._end.recv(1):
            raise ValueError(f"{self.who} waits for the end and hears octets")

    def release(self) -> None:
        """Give the socket back."""
        self._end.close()

    def _write(self, said: bytes, singly: int = 0) -> None:
        """Send octets, the first of them one by one."""
        for each in said[:singly]:
            self._end.send(bytes([each]))
        self._end.sendall(said[singly:])

    def _read(self, count: int) -> bytes:
        """Receive so many octets."""
        got = b""
        while len(got) < count:
            more = self._end.recv(count - len(got))
            if not more:
                raise ValueError(f"{self.who} hears the end inside a PDU")
            got += more
        return got

    def _note(self, did: str, found: str, **told: object) -> None:
        """Log an act."""
        act = {"connection": self._connection, "time_ns": time.time_ns(), "who": self.who, "did": did, **told}
        self._acts.append(act | ({"found": found.split()} if found else {}))


class Pair(NamedTuple):
    """Both ends of a connection."""

    sp: Speaker
    ismg: Speaker


class Stage:
    """Where a scene plays: it opens connections and keeps the log."""

    def __init__(self, address: str, segment: int) -> None:
        """`address` is 127.0.0.1 or ::1; a `segment` carries at most so many octets, where that is not 0."""
        self.acts: list[Act] = []
        self.connections: list[list[str]] = []
        self._address, self._segment = address, segment
        self._speakers: list[Speaker] = []
        self._listening = self._socket(PORT)
        self._listening.listen()

    def _socket(self, port: int) -> socket.socket:
        """Make a socket at a port of the address."""
        made = socket.socket(socket.AF_INET6 if ":" in self._address else socket.AF_INET)
        made.settimeout(PATIENCE_SECONDS)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._segment:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, self._segment)
        made.bind((self._address, port))
        return made

    def open(self) -> Pair:
        """Open a connection from the SP to the ISMG."""
        number = len(self.connections)
        client = self._socket(FIRST_CLIENT_PORT + number)
        client.connect((self._address, PORT))
        served, _ = self._listening.accept()
        self.connections.append([f"{self._address} {FIRST_CLIENT_PORT + number}", f"{self._address} {PORT}"])
        pair = Pair(Speaker("SP", number, client, self.acts), Speaker("ISMG", number, served, self.acts))
        self._speakers += pair
        return pair

    def login(self) -> Pair:
        """Open a connection and log in on it, Sequence_Id 1."""
        pair = self.open()
        pair.sp.say(octets.connect(1))
        pair.ismg.say(octets.connect_resp(pair.ismg.hear(octets.CONNECT)))
        pair.sp.hear(octets.RESPONSE | octets.CONNECT)
        return pair

    def submitted(self, pair: Pair, sequence: int, identity: int | None = None) -> int:
        """Submit a message that is accepted at once; give its Msg_Id."""
        given = octets.msg_id(sequence) if identity is None else identity
        pair.sp.say(octets.submit(sequence))
        pair.ismg.say(octets.submit_resp(pair.ismg.hear(octets.SUBMIT), given))
        pair.sp.hear(octets.RESPONSE | octets.SUBMIT)
        return given

    def logout(self, pair: Pair, sequence: int) -> None:
        """Let the SP log out, and both sides close."""
        pair.sp.say(octets.pdu(octets.TERMINATE, sequence))
        pair.ismg.say(octets.answer(pair.ismg.hear(octets.TERMINATE)))
        pair.sp.hear(octets.RESPONSE | octets.TERMINATE)
        self.part(pair)

    def part(self, pair: Pair) -> None:
        """Let both sides close, the SP first."""
        pair.sp.close()
        pair.ismg.hear_the_end()
        pair.ismg.close()
        pair.sp.hear_the_end()

    def strike(self) -> None:
        """Give all sockets back."""
        for speaker in self._speakers:
            speaker.release()
        self._listening.close()
