"""Letting an iterator run in a process of its own, so that both cores are used.

Theory of operation. Threads take turns at the interpreter, and NumPy asks for it between every two calls: two of them
are no faster than one. So the process is forked and the copy runs the iterator. What it gives is pickled, its arrays
apart (protocol 5), into a file in memory, which the receiver reads into one buffer: to map its pages saves a copy but
costs more, for they are small, and arrays are gathered from all over them. The copy of the process is never more than
AHEAD items ahead.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]  # not in the stubs
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

_Item = TypeVar("_Item")
_State = TypeVar("_State")

POSSIBLE = hasattr(os, "memfd_create") and "fork" in multiprocessing.get_all_start_methods()
"""Whether the system can do it; Linux can."""

AHEAD = 2
"""Items given and not done with, the one that is worked on among them."""

_LINE = 64
"""Arrays begin at multiples of so many octets."""

_GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""What comes of talking to a process that is no more."""


class _Told(NamedTuple):
    """What the other process says: an item, an error, or neither at the end."""

    items: list[Any]
    error: BaseException | None
    state: Any


class Elsewhere(Generic[_State]):
    """Runs an iterator in another process, and lets this one know the state of what the iterator reads from."""

    def __init__(self, state: Callable[[], _State], hear: Callable[[_State], None]) -> None:
        """`state` is asked there with every item and behind the last; `hear` is told here what it gave."""
        self._state, self._hear = state, hear

    def __call__(self, items: Iterator[_Item]) -> Iterator[_Item]:
        """Give copies of the items; raise what the iterator raises, or ChildProcessError where its process ended."""
        fork = multiprocessing.get_context("fork")
        here, there = fork.Pipe()
        process = fork.Process(target=self._work, args=(items, here, there), daemon=True)
        with here, there:
            try:
                process.start()
            except OSError:  # no room for another process
                yield from items
                return
            there.close()
            try:
                while True:
                    given, error, state = _received(here, process)
                    self._hear(state)
                    if error:
                        raise error
                    if not given:
                        return
                    yield given.pop()
                    with contextlib.suppress(*_GONE):
                        here.send_bytes(b"done")
            finally:
                process.kill()
                process.join()

    def _work(self, items: Iterator[_Item], here: Connection, there: Connection) -> None:
        """Run in the other process: give every item away."""
        here.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is interrupted ends this process as well
        with contextlib.suppress(*_GONE):
            for count, told in enumerate(self._told(items)):
                if count >= AHEAD:
                    there.recv_bytes()
                try:
                    _send(there, told)
                except _GONE:
                    raise
                except Exception as error:  # noqa: BLE001 - no room, most likely; nothing was sent yet
                    _send(there, self._failed(error))
                    return

    def _told(self, items: Iterator[_Item]) -> Iterator[_Told]:
        """Give the items, and the end or the error behind them."""
        try:
            for item in items:
                yield _Told([item], None, self._state())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the items are wanted
            yield self._failed(error)
        else:
            yield _Told([], None, self._state())

    def _failed(self, error: Exception) -> _Told:
        """Tell of an error."""
        return _Told([], ExceptionWithTraceback(error, error.__traceback__), self._state())


class Pickler(pickle.Pickler):
    """Pickles views of octets as the octets, and plain arrays so that their kinds are NumPy's own ones again.

    A kind that went through pickle is equal to them, but another object, and with it `ufunc.at` is twenty times slower.
    """

    def reducer_override(self, thing: Any) -> Any:
        """Say how a thing is made again."""
        if isinstance(thing, memoryview):
            return bytes, (thing.tobytes(),)
        if type(thing) is np.ndarray and thing.dtype.isbuiltin and not thing.dtype.hasobject:
            return _array, (pickle.PickleBuffer(np.ascontiguousarray(thing).data), thing.dtype.char, thing.shape)
        return NotImplemented


def _array(octets: memoryview, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Make an array again."""
    return np.frombuffer(octets, kind).reshape(shape)


def _send(line: Connection, value: _Told) -> None:
    """Send a value: what it is made of through the line, its arrays in a file in memory."""
    apart: list[pickle.PickleBuffer] = []
    told = io.BytesIO()
    Pickler(told, 5, buffer_callback=apart.append).dump(value)
    places: list[tuple[int, int]] = []
    at = 0
    file = os.memfd_create("cmppscope")
    try:
        for buffer in apart:
            view = buffer.raw()
            places.append((at, len(view)))
            _write(file, view, at)
            at += -(-len(view) // _LINE) * _LINE
        os.ftruncate(file, max(at, 1))
        line.send((told.getvalue(), places))
        send_handle(line, file, None)
    finally:
        os.close(file)


def _write(file: int, view: memoryview, at: int) -> None:
    """Write octets at a place of a file."""
    while len(view):
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written


def _read(file: int) -> memoryview:
    """Read a file from its beginning to its end."""
    memory = np.empty(os.fstat(file).st_size, np.uint8).data
    at = 0
    while at < len(memory):
        at += os.preadv(file, [memory[at:]], at)
    return memory


def _received(line: Connection, process: ForkProcess) -> _Told:
    """Take what a process says; raise ChildProcessError where it is no more."""
    try:
        return _receive(line)
    except _GONE:
        process.join()
        code = process.exitcode or 0
        msg = f"the process that reads ahead {f'was killed by signal {-code}' if code < 0 else 'ended too early'}"
        raise ChildProcessError(msg) from None


def _receive(line: Connection) -> _Told:
    """Take a value; its arrays share one buffer, and may be written."""
    told, places = line.recv()
    file = recv_handle(line)
    try:
        memory = _read(file)
    finally:
        os.close(file)
    value: _Told = pickle.loads(told, buffers=[memory[at : at + size] for at, size in places])  # noqa: S301 - our own
    return value
