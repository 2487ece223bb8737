"""What the user may set, from options and the configuration file, as values."""

from __future__ import annotations

import datetime
import re
import tomllib
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

KINDS = ("cmpp20", "cmpp30", "none")
CONFIG_KEYS = ("t", "n", "zone", "decode_as")

_DECODE_AS = re.compile(r"tcp\.port==(\d{1,5}),(\w+)")
_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{1,2})(?::?(\d{2}))?")
_CHINA = datetime.timezone(datetime.timedelta(hours=8))


@dataclass(slots=True)
class Settings:
    """What every command takes."""

    redact: bool
    decode_as: dict[int, str]
    zone: datetime.tzinfo
    from_ns: int | None
    to_ns: int | None
    t_seconds: float
    n: int


def settings(
    *,
    no_redact: bool,
    decode_as: list[str] | None,
    tz: str | None,
    from_: str | None,
    to: str | None,
    config: Path | None,
) -> Settings:
    """Put options over the configuration file; typer.BadParameter names what cannot be."""
    file = _read_config(config) if config else {}
    zone = _zone(tz or str(file.get("zone", "UTC+8")))
    ports: dict[int, str] = {}
    for text in [*file.get("decode_as", []), *(decode_as or [])]:
        port, kind = _port_kind(text)
        ports[port] = kind
    return Settings(
        redact=not no_redact,
        decode_as=ports,
        zone=zone,
        from_ns=_moment(from_, zone, "--from"),
        to_ns=_moment(to, zone, "--to"),
        t_seconds=_number(file, "t", 60),
        n=int(_number(file, "n", 3)),
    )


def _read_config(path: Path) -> dict[str, Any]:
    """Read the TOML file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--config") from None
    unknown = sorted(set(content) - set(CONFIG_KEYS))
    if unknown:
        known = ", ".join(CONFIG_KEYS)
        raise typer.BadParameter(f"{path}: no such key: {unknown[0]} (known: {known})", param_hint="--config")
    if not isinstance(content.get("decode_as", []), list):
        raise typer.BadParameter(f"{path}: decode_as is a list of texts", param_hint="--config")
    return content


def _number(file: dict[str, Any], key: str, default: float) -> float:
    """Take a positive number from the configuration file."""
    value = file.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise typer.BadParameter(f"{key} is a positive number, not {value!r}", param_hint="--config")
    return value


def _port_kind(text: object) -> tuple[int, str]:
    """Read `tcp.port==N,KIND`."""
    match = _DECODE_AS.fullmatch(str(text))
    if not match or match[2] not in KINDS or not 0 < int(match[1]) < 65536:
        raise typer.BadParameter(
            f"{text!r} is not tcp.port==N,KIND with KIND one of {', '.join(KINDS)}", param_hint="--decode-as"
        )
    return int(match[1]), match[2]


def _zone(text: str) -> datetime.tzinfo:
    """Read a zone: UTC, UTC+8, +08:00, or a name such as Asia/Shanghai."""
    if text in {"UTC", "Z"}:
        return datetime.UTC
    match = _OFFSET.fullmatch(text)
    if match:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes < 24 * 60:
            return datetime.timezone(datetime.timedelta(minutes=minutes if match[1] == "+" else -minutes))
    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f"{text!r} is no time zone (UTC+8, +08:00, Asia/Shanghai)", param_hint="--tz") from None


def _moment(text: str | None, zone: datetime.tzinfo, option: str) -> int | None:
    """Read a time in ISO 8601; without a zone it is in the zone of display."""
    if text is None:
        return None
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time (2026-06-01T10:15:30)", param_hint=option) from None
    when = when if when.tzinfo else when.replace(tzinfo=zone)
    since = when - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
