"""Text from the wire made safe for terminals, spreadsheets and JSON.

Whatever is printable stays, CJK and emoji included. Escaped are control characters (C0, DEL, C1), all invisible format
characters (direction marks and isolates, joiners, tags), line and paragraph separators, spaces other than U+0020 and
U+3000, lone surrogates, private characters, and unassigned ones outside the blocks that Unicode keeps for ideographs
and pictographs (this Python's tables may be older than the handset). Escapes are for people: a backslash of the text
itself stays single, so they cannot be told from it. JSON escapes can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_KEPT = (range(0x3000, 0x3001), range(0x1F300, 0x1FB00), range(0x20000, 0x2FFFE), range(0x30000, 0x3FFFE))
"""Ideographic space; pictographs; the two planes of ideographs."""

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
"""First characters that make a spreadsheet compute a cell."""

_MOST_REMEMBERED = 65_536


def is_safe(character: str) -> bool:
    """Tell whether a character may reach a screen as it is."""
    return character.isprintable() or any(ord(character) in kept for kept in _KEPT)


def _visible(character: str) -> str:
    """Write an unsafe character for a reader."""
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{{{code:x}}}")


def _json_escape(character: str) -> str:
    """Write an unsafe character as JSON does; line ends stay, for they stand between values only."""
    code = ord(character)
    if code < 0x20:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


class _Escapes(dict[int, str]):
    """A table for `str.translate` that fills itself as characters come, up to a bound."""

    def __init__(self, escape: Callable[[str], str]) -> None:
        super().__init__()
        self._escape = escape

    def __missing__(self, code: int) -> str:
        character = chr(code)
        shown = character if is_safe(character) else self._escape(character)
        if len(self) < _MOST_REMEMBERED:
            self[code] = shown
        return shown


_VISIBLE = _Escapes(_visible)
_JSON = _Escapes(_json_escape)


def printable(text: str) -> str:
    r"""Escape whatever a terminal might obey or hide: `\n`, `\x1b`, `\u{202e}`."""
    return text if text.isprintable() else text.translate(_VISIBLE)


def csv_cell(text: str) -> str:
    """Make a text safe for a cell: printable, and a quote before what a spreadsheet would compute."""
    shown = printable(text)
    return f"'{shown}" if text[:1] and text[0] in FORMULA_STARTS else shown


def json_safe(text: str) -> str:
    r"""Write lone surrogates, which UTF-8 cannot hold, as text: `\udc80`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_escaped(document: bytes) -> bytes:
    r"""Escape the unsafe characters of a JSON document as `\u009b`: the same values, and safe to look at."""
    if document.isascii() and b"\x7f" not in document:
        return document
    text = document.decode("utf-8")
    return document if text.isprintable() else text.translate(_JSON).encode("utf-8")


def width(text: str) -> int:
    """Count the terminal cells that a printable text takes; most CJK characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - a fifth of a second, for those who draw

    return cell_len(text)
