"""Real traffic: two network namespaces joined by a wire, the peers of `peers.py`, and the program beside tcpdump.

Nothing here leaves the machine. Every process is ended by its id, every namespace removed, also where a test fails.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).with_name("peers.py")
ROWS = PEERS.with_name("rows.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TERM": "dumb"}
PATIENCE_SECONDS = 30
Words = Sequence[object]


@dataclass
class Process:
    """A program that was started, with its output in files."""

    popen: subprocess.Popen[bytes]
    out: Path
    err: Path

    def wait_for(self, text: str) -> None:
        """Wait until it says something."""
        until = time.monotonic() + PATIENCE_SECONDS
        while text not in self.said:
            assert self.popen.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.02)

    @property
    def said(self) -> str:
        """What it wrote so far."""
        return self.out.read_text() + self.err.read_text()

    def end(self, number: int | None = None) -> int:
        """Wait for its end, after a signal where one is given; give the exit status."""
        if number is not None:
            self.popen.send_signal(number)
        return self.popen.wait(PATIENCE_SECONDS)


@dataclass
class Stage:
    """Where a test starts programs; `prefix` puts them into a namespace."""

    folder: Path
    started: list[Process] = field(default_factory=list)
    count: Iterator[int] = field(default_factory=itertools.count)

    def start(self, *words: object, prefix: Words = ()) -> Process:
        """Start a program."""
        number = next(self.count)
        out, err = self.folder / f"{number}.out", self.folder / f"{number}.err"
        with out.open("wb") as out_file, err.open("wb") as err_file:
            popen = _popen([*map(str, (*prefix, *words))], out_file, err_file)
        self.started.append(Process(popen, out, err))
        return self.started[-1]

    def cmppscope(self, *words: object, prefix: Words = ()) -> Process:
        """Start cmppscope."""
        return self.start(sys.executable, "-m", "cmppscope", *words, prefix=prefix)

    def live(self, interface: str, *words: object, prefix: Words = ()) -> Process:
        """Start `cmppscope live`, and wait until it listens."""
        process = self.cmppscope("live", "-i", interface, *words, prefix=prefix)
        process.wait_for("listening on")
        return process

    def rows(self, *words: object, prefix: Words = ()) -> Process:
        """Start `rows.py` on a file, or on an interface with a filter, and wait until it listens."""
        process = self.start(sys.executable, ROWS, *words, prefix=prefix)
        if len(words) == 2:
            process.wait_for("listening on")
        return process

    def tcpdump(self, interface: str, path: Path, *words: object, prefix: Words = ()) -> Process:
        """Start tcpdump, and wait until it listens."""
        if shutil.which("tcpdump") is None:
            pytest.skip("tcpdump is not installed")
        options = ("-Z", "root", "-B", "65536", "-U", "--time-stamp-precision=nano")
        process = self.start("tcpdump", "-i", interface, *options, "-w", path, *words, prefix=prefix)
        process.wait_for("listening on")
        return process

    def talk(self, address: str, port: int, messages: int, *, gateway: Words = (), sp: Words = ()) -> None:
        """Let the peers have their conversation."""
        serving = self.start(sys.executable, PEERS, "gateway", address, port, prefix=gateway)
        serving.wait_for("ready")
        asking = self.start(sys.executable, PEERS, "sp", address, port, messages, prefix=sp)
        assert (asking.end(), serving.end()) == (0, 0), asking.said + serving.said

    def report_of(self, path: Path) -> dict[str, Any]:
        """Report on a capture file."""
        process = self.cmppscope("report", path)
        assert process.end() == 0, process.said
        made: dict[str, Any] = json.loads(process.out.read_bytes())
        return made

    def close(self) -> None:
        """End what still runs."""
        for process in self.started:
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait()


def _popen(words: list[str], out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a process that reads nothing."""
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=ENVIRONMENT, cwd=ROOT)


@dataclass(frozen=True)
class Wire:
    """Two namespaces joined by a pair of interfaces of one name."""

    sp: str
    gateway: str
    interface: str = "wire0"
    sp_address: str = "10.90.0.1"
    gateway_address: str = "10.90.0.2"

    def inside(self, namespace: str) -> list[str]:
        """Give the words that run a program in a namespace, on one core: all listeners see frames in one order."""
        return ["ip", "netns", "exec", namespace, "taskset", "-c", "0"]

    @staticmethod
    def ip(*words: str) -> None:
        """Run `ip`; RuntimeError with its words where it fails."""
        done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def lay(self) -> None:
        """Make it."""
        self.ip("netns", "add", self.sp)
        self.ip("netns", "add", self.gateway)
        ends = ("name", self.interface, "netns")
        self.ip("link", "add", *ends, self.sp, "type", "veth", "peer", *ends, self.gateway)
        for namespace, address in ((self.sp, self.sp_address), (self.gateway, self.gateway_address)):
            self.ip("-n", namespace, "addr", "add", f"{address}/24", "dev", self.interface)
            self.ip("-n", namespace, "link", "set", self.interface, "up")
            self.ip("-n", namespace, "link", "set", "lo", "up")

    def remove(self) -> None:
        """Take it away."""
        for namespace in (self.sp, self.gateway):
            with contextlib.suppress(RuntimeError):
                self.ip("netns", "del", namespace)


def _only_root() -> None:
    """Skip where the machine does not let a test capture."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("capturing needs Linux and root")
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError as error:
        pytest.skip(f"no packet sockets here: {error}")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Run programs on this machine."""
    _only_root()
    made = Stage(tmp_path)
    yield made
    made.close()


@pytest.fixture
def wire(stage: Stage) -> Iterator[Wire]:
    """Two hosts of our own."""
    for program in ("ip", "taskset"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    name = f"cmpp{os.getpid()}"
    made = Wire(f"{name}sp", f"{name}gw")
    try:
        made.lay()
    except RuntimeError as error:
        made.remove()
        pytest.skip(f"no network namespaces here: {error}")
    yield made
    stage.close()
    made.remove()


@pytest.fixture
def port() -> int:
    """A TCP port of loopback that is not in use, and no CMPP port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
    return number
