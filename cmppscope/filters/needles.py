"""Which texts a value must hold for a comparison to pass, so that octets may be searched before they are decoded.

A needle is a part of the text that stands there as it is. Decoding with ASCII, UCS-2 and GB 18030, and of Octet Strings
with UTF-8 or Latin-1, gives each character from octets of its own, and from these alone, but for U+FFFD, which stands
for whatever cannot be decoded. So a text that holds a needle without U+FFFD was decoded from octets that hold the
needle's octets. Of regular expressions, which are blind to case, only characters count of which no other one but the
other case of ASCII is taken for the same, outside groups and classes, where nothing makes them optional; octets are
compared whatever the case of ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_REPLACED = "\ufffd"
_SIGNS = " !\"#%&',-/0123456789:;<=>@_`~"
"""Characters of ASCII that have no case, and no meaning in regular expressions outside of classes."""
_LETTERS = "abcdefghijlmnopqrtuvwxyzABCDEFGHIJLMNOPQRTUVWXYZ"
"""All of ASCII but K, for which the sign of Kelvin is taken as well, and S, for which the long one is."""
_REPEATS = frozenset("*?+{")
"""What may make the character before it optional, `+` with another one behind it."""
_MOST = 5
"""Texts that are looked for one by one sooner than all values are read."""
_BREAKS = frozenset("dDwWsSbBAznrtfva")
"""Letters behind a backslash that take nothing after them."""


class Needles(NamedTuple):
    """Texts of which a value that passes holds one."""

    texts: tuple[str, ...] = ()
    """None where that cannot be told."""
    caseless: bool = False
    """Whether letters of ASCII may stand there in the other case."""
    enough: bool = False
    """Whether every value that holds one passes."""


NOTHING = Needles()
"""No hint."""


def needles(texts: Iterable[str], *, caseless: bool = False, enough: bool = False) -> Needles:
    """Give the texts of which a value must hold one; none where a text gives no hint, or where they are many."""
    found = tuple(dict.fromkeys(texts))
    return Needles(found, caseless, enough) if len(found) <= _MOST and all(map(_told, found)) else NOTHING


def _told(text: str) -> bool:
    """Tell whether a text, where it is, shows in the octets."""
    return bool(text) and _REPLACED not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def encoded(texts: Iterable[str], codec: str) -> list[bytes]:
    """Give the octets of needles; a codec that lacks a character never gives such a text."""
    found = []
    for text in texts:
        try:
            found.append(text.encode(codec))
        except UnicodeEncodeError:
            continue
    return found


def steady(character: str) -> bool:
    """Tell whether, where case does not matter, only the other case of ASCII is taken for a character besides it."""
    if character in _SIGNS or character in _LETTERS:
        return True
    return "\u2e80" <= character <= "\u9fff" or "\uff01" <= character <= "\uff20"


def longest_steady(text: str) -> str:
    """Give the longest part of a text that is all steady."""
    runs = "".join(each if steady(each) else _REPLACED for each in text).split(_REPLACED)
    return max(runs, key=len)


def required(pattern: str) -> str:
    """Give a text that stands in all that a regular expression finds, empty where none is sure to."""
    if "|" in pattern or "(?" in pattern:
        return ""
    runs, depth, at = [""], 0, 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "\\":
            if pattern[at : at + 1].isalnum() and pattern[at] not in _BREAKS:
                return ""  # a character by its number, or a property by its name
            at += 1
        elif character == "[":
            at = _behind_class(pattern, at)
        elif character == "{":
            at = pattern.find("}", at) + 1 or len(pattern)
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif not depth and steady(character) and pattern[at : at + 1] not in _REPEATS:
            runs[-1] += character
            continue
        runs.append("")
    return max(runs, key=len)


def _behind_class(pattern: str, at: int) -> int:
    """Give the place behind a class of characters whose bracket was opened before `at`; classes may hold classes."""
    depth = 1
    at = _behind_opening(pattern, at)
    while at < len(pattern) and depth:
        character = pattern[at]
        at += 1
        if character == "[":
            depth += 1
            at = _behind_opening(pattern, at)
        elif character == "]":
            depth -= 1
        elif character == "\\":
            at += 1
    return at


def _behind_opening(pattern: str, at: int) -> int:
    """Pass over `^`, and a closing bracket that is the first of its class and so one of its characters."""
    at += pattern[at : at + 1] == "^"
    return at + (pattern[at : at + 1] == "]")
