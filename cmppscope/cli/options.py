"""What the user may set, from options and the configuration file, as values."""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from cmppscope.cli.config import TABLES, Tables, read_tables
from cmppscope.cli.secrets import VARIABLE, read_secrets
from cmppscope.secret import Secret

KINDS = ("cmpp20", "cmpp30", "none")
CONFIG_KEYS = ("t", "n", "zone", "decode_as", "secrets_file", *TABLES)

_DECODE_AS = re.compile(r"tcp\.port==(\d{1,5}),(\w+)")
_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{1,2})(?::?(\d{2}))?")


@dataclass(slots=True)
class Settings:
    """What every command takes."""

    redact: bool
    decode_as: dict[int, str]
    zone: dt.tzinfo
    from_ns: int | None
    to_ns: int | None
    t_seconds: float
    n: int
    check_checksums: bool = False
    tables: Tables = field(default_factory=Tables)
    """Limits, severities and the meanings of codes."""
    secrets: dict[str, Secret] = field(default_factory=dict, repr=False)
    """Shared secrets by SP_Id."""


NoRedact = Annotated[bool, typer.Option("--no-redact", help="Show numbers and message text unmasked.")]
DecodeAs = Annotated[
    list[str] | None,
    typer.Option("--decode-as", metavar="tcp.port==N,KIND", help="Read a port as cmpp20, cmpp30 or none."),
]
Tz = Annotated[str | None, typer.Option("--tz", metavar="ZONE", help="Zone of times shown.  [default: UTC+8]")]
From = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Pass over frames before (ISO 8601).")]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Pass over frames after (ISO 8601).")]
CheckChecksums = Annotated[
    bool, typer.Option("--check-checksums", help="Take no segments with wrong IP or TCP checksums.")
]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="SP_ID=SECRET", help="Check the logins of an SP with its shared secret."),
]
SecretsFile = Annotated[
    Path | None,
    typer.Option(
        "--secrets-file", metavar="FILE", help=f"Lines SP_ID=SECRET, or TOML; also in the environment: {VARIABLE}."
    ),
]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help=f"TOML file: {', '.join(CONFIG_KEYS)}.")]


def settings(
    *,
    no_redact: NoRedact = False,
    decode_as: DecodeAs = None,
    tz: Tz = None,
    from_: From = None,
    to: To = None,
    check_checksums: CheckChecksums = False,
    secret: Secrets = None,
    secrets_file: SecretsFile = None,
    config: Config = None,
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
        check_checksums=check_checksums,
        tables=read_tables(file, str(config)),
        secrets=read_secrets(secret or [], secrets_file, _beside(config, file)),
    )


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `settings`, and the Settings made of them as its first argument."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared = list(inspect.signature(settings, eval_str=True).parameters.values())
    names = {parameter.name for parameter in shared}

    @functools.wraps(command)
    def run(**options: Any) -> None:
        chosen = settings(**{name: value for name, value in options.items() if name in names})
        command(chosen, **{name: value for name, value in options.items() if name not in names})

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *shared)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _read_config(path: Path) -> dict[str, Any]:
    """Read the TOML file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--config") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--config") from None
    unknown = sorted(set(content) - set(CONFIG_KEYS))
    if unknown:
        known = ", ".join(CONFIG_KEYS)
        raise typer.BadParameter(f"{path}: no such key: {unknown[0]} (known: {known})", param_hint="--config")
    if not isinstance(content.get("decode_as", []), list):
        raise typer.BadParameter(f"{path}: decode_as is a list of texts", param_hint="--config")
    return content


def _beside(config: Path | None, file: dict[str, Any]) -> Path | None:
    """Give the secrets' file that the configuration names; a relative path counts from the configuration."""
    name = file.get("secrets_file")
    if config is None or name is None:
        return None
    if not isinstance(name, str):
        raise typer.BadParameter(f"{config}: secrets_file is the path of a file", param_hint="--config")
    return config.parent / name


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


def _zone(text: str) -> dt.tzinfo:
    """Read a zone: UTC, UTC+8, +08:00, or a name such as Asia/Shanghai."""
    if text in {"UTC", "Z"}:
        return dt.UTC
    match = _OFFSET.fullmatch(text)
    if match:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes < 24 * 60:
            return dt.timezone(dt.timedelta(minutes=minutes if match[1] == "+" else -minutes))
    import zoneinfo  # noqa: PLC0415 - start-up stays lean

    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{text!r} is no time zone (UTC+8, +08:00, Asia/Shanghai)"
        raise typer.BadParameter(message, param_hint="--tz") from None


def _moment(text: str | None, zone: dt.tzinfo, option: str) -> int | None:
    """Read a time in ISO 8601; without a zone it is in the zone of display."""
    if text is None:
        return None
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time (2026-06-01T10:15:30)", param_hint=option) from None
    when = when if when.tzinfo else when.replace(tzinfo=zone)
    since: dt.timedelta = when - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
