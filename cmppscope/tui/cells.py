"""Text in cells of a terminal: cut and filled by what it takes on the screen, never through half a character."""

from __future__ import annotations

from rich.cells import cell_len, get_character_cell_size, set_cell_size

CUT = "…"


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """Fill or cut a printable text to a number of cells; what is cut ends with `…`."""
    if text.isascii():
        size = len(text)
        if size <= cells:
            return text.rjust(cells) if right else text.ljust(cells)
        return text[: cells - 1] + CUT if cells > 0 else ""
    size = cell_len(text)
    if size <= cells:
        space = " " * (cells - size)
        return space + text if right else text + space
    return set_cell_size(text, cells - 1) + CUT if cells > 0 else ""


def wrap(text: str, cells: int) -> list[str]:
    """Break a printable text into lines of at most so many cells, at spaces where there are any.

    Spaces at its beginning stay; a line that was broken begins without any.
    """
    lines: list[str] = []
    line: str | None = None
    used = 0
    for word in text.split(" "):
        size = cell_len(word)
        if line and used + 1 + size > cells:
            lines.append(line)
            line, used = None, 0
        if line is None and lines and not word:
            continue
        *heads, rest = _pieces(word, cells)
        lines += heads
        size = cell_len(rest)
        line, used = (rest, size) if line is None else (f"{line} {rest}", used + 1 + size)
    return [*lines, line or ""]


def _pieces(word: str, cells: int) -> list[str]:
    """Cut a word that is too long for a line."""
    pieces = []
    while cell_len(word) > cells and len(word) > 1:
        pieces.append(_head(word, cells))
        word = word[len(pieces[-1]) :]
    return [*pieces, word]


def _head(text: str, cells: int) -> str:
    """Give the longest beginning that fits."""
    used = 0
    for at, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > cells:
            return text[: max(at, 1)]
    return text
