"""Shared secrets that the user gives: by option, file or environment. No message repeats what was given."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from cmppscope.secret import Secret

VARIABLE = "CMPPSCOPE_SECRETS"
"""Environment variable with SP_ID=SECRET, one a line."""

_TABLE = "secrets"


def read_secrets(options: Sequence[str], file: Path | None, configured: Path | None) -> dict[str, Secret]:
    """Give the secrets by SP_Id: `options` go before `file`, then the environment, then what is `configured`."""
    given: dict[str, str] = {}
    if configured is not None:
        given |= _from_file(configured, "--config")
    given |= _from_lines(os.environ.get(VARIABLE, ""), VARIABLE)
    if file is not None:
        given |= _from_file(file, "--secrets-file")
    for option in options:
        given |= _from_line(option, "the value", "--secret")
    return {sp_id: Secret(secret) for sp_id, secret in given.items()}


def _from_line(line: str, what: str, hint: str) -> dict[str, str]:
    """Read SP_ID=SECRET."""
    sp_id, equals, secret = (part.strip() for part in line.partition("="))
    if not (equals and sp_id and secret):
        raise typer.BadParameter(f"{what} is not SP_ID=SECRET", param_hint=hint)
    return {sp_id: secret}


def _from_lines(text: str, hint: str) -> dict[str, str]:
    """Read lines SP_ID=SECRET; blank ones and those that begin with # are passed over."""
    given: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            given |= _from_line(line, f"line {number}", hint)
    return given


def _from_file(path: Path, hint: str) -> dict[str, str]:
    """Read a file: TOML with texts, at its top or under [secrets], else lines."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint=hint) from None
    except ValueError:
        raise typer.BadParameter(f"{path}: no text in UTF-8", param_hint=hint) from None
    given = _as_toml(text)
    if given is None and path.suffix == ".toml":
        raise typer.BadParameter(f"{path}: not TOML with a text for each SP_Id", param_hint=hint)
    return _from_lines(text, f"{hint} {path}") if given is None else given


def _as_toml(text: str) -> dict[str, str] | None:
    """Read TOML; None where it is not, or holds anything but texts."""
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    if isinstance(content.get(_TABLE), dict):
        content |= content.pop(_TABLE)
    sound = all(isinstance(secret, str) and secret and sp_id for sp_id, secret in content.items())
    return content if sound and content else None
