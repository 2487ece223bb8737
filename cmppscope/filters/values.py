"""What the values of a filter mean: numbers, spans of time, times, addresses, octets, Msg_Ids.

Every reader takes a `Value` as it was typed and gives what the column of a field holds, or raises FilterError.
"""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import re
from collections.abc import Mapping
from decimal import Decimal

from cmppscope.filters.errors import FilterError, nearest
from cmppscope.filters.syntax import Value
from dissectors.cmpp.msgid import parse_msg_id


class Kind(enum.Enum):
    """What a field holds, and so which values and operators it takes."""

    NUMBER = "number"
    MSG_ID = "Msg_Id"
    DURATION = "duration"
    TIME = "time"
    TEXT = "text"
    OCTETS = "octets"
    ADDRESS = "address"
    TRUTH = "yes or no"


UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
}
"""Nanoseconds of a unit of time."""

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|\d+)")
_DECIMAL = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?")
_FRACTION = re.compile(r"(.*:\d{2})[.,](\d{1,9})(.*)")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_INT64 = range(-(1 << 63), 1 << 63)


def number(value: Value, names: Mapping[str, int]) -> int:
    """Read a number, decimal or hexadecimal, or one of the names that stand for numbers."""
    if value.unit:
        raise _wrong(value, "a number without a unit")
    named = names.get(value.text.lower())
    if named is not None:
        return named
    if not _NUMBER.fullmatch(value.text):
        if names:
            near = nearest(value.text.lower(), names)
            raise FilterError(f"{value.text!r} is none of its values", value.start, value.end, near or list(names)[:5])
        raise _wrong(value, "a number, decimal or hexadecimal")
    found = int(value.text, 0) if "x" in value.text.lower() else int(value.text)
    if found not in _INT64:
        raise _wrong(value, "a number of at most 63 bits")
    return found


def msg_id(value: Value) -> int:
    """Read a Msg_Id: decimal, hexadecimal, or MMDDhhmmss-gateway-serial (CMPP 2.0 §7.4.3.2)."""
    text = value.whole
    if re.fullmatch(r"\d{10}-\d{6,7}-\d{5}|0[xX][0-9a-fA-F]{1,16}|\d{1,20}", text):
        try:
            found = int(text) if text.isdecimal() else parse_msg_id(text.lower())
        except ValueError as error:
            raise FilterError(str(error), value.start, value.end) from None
        if found < 1 << 64:
            return found
    raise _wrong(value, "a Msg_Id: decimal, hexadecimal, or MMDDhhmmss-gateway-serial")


def duration(value: Value) -> int:
    """Read a span of time in nanoseconds; only 0 needs no unit."""
    text, unit = value.text, value.unit
    if value.quoted and (match := re.fullmatch(r"\s*([\d.]+)\s*(\w+)\s*", text)):
        text, unit = match[1], match[2]
    if not _DECIMAL.fullmatch(text):
        raise _wrong(value, "a span of time such as 500 ms")
    if unit not in UNITS:
        if Decimal(text) == 0:
            return 0
        raise FilterError(f"{text} of what? Give a unit: {', '.join(UNITS)}", value.start, value.end)
    nanoseconds = int((Decimal(text) * UNITS[unit]).to_integral_value())
    if nanoseconds not in _INT64:
        raise _wrong(value, "a span of at most 292 years")
    return nanoseconds


def time(value: Value, zone: dt.tzinfo) -> int:
    """Read a moment in ISO 8601 as nanoseconds since 1970 UTC; without an offset it is in `zone`."""
    text, nanoseconds = value.text.strip(), 0
    if match := _FRACTION.fullmatch(text):
        text, nanoseconds = match[1] + match[3], int(match[2].ljust(9, "0"))
    try:
        when = dt.datetime.fromisoformat(text)
        when = when if when.tzinfo else when.replace(tzinfo=zone)
        since = when - _EPOCH
    except (ValueError, OverflowError):
        raise _wrong(value, 'a time such as "2026-06-01 10:15:30"') from None
    found = (since.days * 86_400 + since.seconds) * 1_000_000_000 + nanoseconds
    if value.unit or found not in _INT64:
        raise _wrong(value, "a time between 1677 and 2262")
    return found


def octets(value: Value) -> bytes:
    """Read octets: `05:00:03`, `050003` or `0x050003`; a text in quotes is its UTF-8."""
    if value.quoted:
        return value.text.encode()
    digits = value.whole.lower().removeprefix("0x").replace(":", "").replace("-", "")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise _wrong(value, "octets such as 05:00:03") from None


def address(text: str) -> bytes:
    """Write an address as a column holds it: its version, then its octets; ValueError where it is none."""
    found = ipaddress.ip_address(text)
    return bytes([found.version]) + found.packed


def addresses(value: Value) -> tuple[bytes, bytes]:
    """Read an address or a network (CIDR) as the first and the last address that is meant."""
    try:
        network = ipaddress.ip_network(value.whole, strict=False)
    except ValueError:
        raise _wrong(value, "an address such as 10.0.0.1 or 10.0.0.0/8") from None
    version = bytes([network.version])
    return version + network.network_address.packed, version + network.broadcast_address.packed


def truth(value: Value) -> bool:
    """Read yes or no."""
    if value.whole.lower() not in _TRUTHS:
        raise _wrong(value, "true or false")
    return _TRUTHS[value.whole.lower()]


def _wrong(value: Value, wanted: str) -> FilterError:
    """Say what a value should be."""
    return FilterError(f"{value.whole!r} is not {wanted}", value.start, value.end)
