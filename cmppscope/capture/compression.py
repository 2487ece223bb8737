"""Decompressors with one manner, for all compressions that are read.

Compression is told by the first octets, never by the name. Every step is bounded: a `Stream` takes its input in pieces
so small that no piece can inflate beyond a few megabytes, and gives at most as much as it was asked for. So a file that
inflates a thousandfold costs time and no memory, whatever sizes its headers claim. Small pieces also mean that of a
damaged file nearly everything before the damage comes out: what a piece gave is kept when the next one fails.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import Protocol

PIECE = 1024
"""Compressed octets handed to a decompressor at once: of zstd, whose 4 octets may stand for 128 KiB, at most 32 MiB."""

STEP = 1 << 20
"""Octets asked of a decompressor at once."""

ZSTD_WINDOW_MAX = 1 << 27
"""Window that a zstd frame may ask for; memory is taken as far as it is used."""

SKIPPABLE = {bytes([0x50 + n, 0x2A, 0x4D, 0x18]): "zstd" for n in range(16)}
"""First octets of what parallel compressors of zstd put in front."""

COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    **SKIPPABLE,
}
"""First octets of compressed files."""


class DamagedDataError(Exception):
    """Compressed octets that are wrong; its text is what the decompressor says."""


class Decompressor(Protocol):
    """What the decompressors of the standard library have in common (zlib's and zstd's after `Inflater` and `Unzstd`).

    A call to `decompress` may raise an error of its own kind.
    """

    @property
    def eof(self) -> bool:
        """Tell whether the compressed stream is complete."""

    @property
    def needs_input(self) -> bool:
        """Tell whether nothing more comes without more input."""

    @property
    def unused_data(self) -> bytes | None:
        """Give what stands behind the compressed stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take compressed octets and give at most `max_length` others."""


class Inflater:
    """zlib's gzip decompressor with the manners of those of bz2 and lzma."""

    def __init__(self) -> None:
        """Expect a gzip header."""
        self._zlib = zlib.decompressobj(wbits=31)
        self._full = False

    @property
    def eof(self) -> bool:
        """Tell whether the member is complete."""
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        """Tell whether nothing more comes without more input."""
        return not (self._full or self._zlib.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        """Give what stands behind the member."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Inflate; when the output is full, zlib may hold more of it than its input shows."""
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out


class Unzstd:
    """zstandard's decompressor with the same manners: it gives all at once, so what is too much waits here."""

    def __init__(self) -> None:
        """Expect a frame."""
        import zstandard  # noqa: PLC0415 - loaded for the files that need it

        self._error = zstandard.ZstdError
        self._stream = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX).decompressobj()
        self._held = memoryview(b"")

    @property
    def eof(self) -> bool:
        """Tell whether the frame is complete and nothing of it waits."""
        return self._stream.eof and not self._held

    @property
    def needs_input(self) -> bool:
        """Tell whether nothing more comes without more input."""
        return not self._held

    @property
    def unused_data(self) -> bytes:
        """Give what stands behind the frame."""
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Decompress."""
        if data:
            try:
                self._held = memoryview(self._stream.decompress(data))
            except self._error as error:
                raise ValueError(str(error).removeprefix("zstd decompressor error: ")) from None
        out = bytes(self._held[:max_length])
        self._held = self._held[max_length:]
        return out


def _decompressor(compression: str) -> Decompressor:
    """Make the decompressor of one compressed stream."""
    if compression == "gzip":
        return Inflater()
    if compression == "bzip2":
        return bz2.BZ2Decompressor()
    if compression == "xz":
        return lzma.LZMADecompressor()
    if compression == "zstd":
        return Unzstd()
    import lz4.frame  # noqa: PLC0415 - loaded for the files that need it

    made: Decompressor = lz4.frame.LZ4FrameDecompressor()
    return made


class Stream:
    """One compressed stream (gzip member, zstd frame, …), taken in pieces."""

    def __init__(self, compression: str) -> None:
        """Expect the beginning of a stream."""
        self._inner = _decompressor(compression)
        self._rest = memoryview(b"")
        self._error: str | None = None

    @property
    def eof(self) -> bool:
        """Tell whether the stream is complete."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Tell whether nothing more comes without more input."""
        return not self._rest and self._error is None and self._inner.needs_input

    @property
    def held(self) -> int:
        """Count the octets that were given and not taken yet."""
        return len(self._rest)

    @property
    def unused_data(self) -> bytes:
        """Give what stands behind the stream."""
        return (self._inner.unused_data or b"") + bytes(self._rest)

    def decompress(self, data: bytes, most: int) -> bytes:
        """Take octets, where `needs_input` holds, and give at most `most`; DamagedDataError where that cannot go on."""
        if data:
            self._rest = memoryview(data)
        parts: list[bytes] = []
        while most and not self._inner.eof and (self._rest or not self._inner.needs_input):
            if self._error is None:
                self._advance(parts, min(most, STEP))
            if self._error is not None:
                break
            most -= len(parts[-1])
        if not parts and self._error is not None:
            raise DamagedDataError(self._error)
        return b"".join(parts)

    def _advance(self, parts: list[bytes], most: int) -> None:
        """Let the decompressor do one step, or note why it cannot."""
        piece = bytes(self._rest[:PIECE]) if self._inner.needs_input else b""
        self._rest = self._rest[len(piece) :]
        try:
            parts.append(self._inner.decompress(piece, most))
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
            self._error = str(error)
