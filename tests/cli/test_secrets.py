"""Shared secrets: where they may come from, and that nothing ever repeats them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmppscope.capture import Capture
from cmppscope.tui.loading import take_snapshot

Cli = Callable[..., Any]
LOGIN = Path(__file__).parents[2] / "tests" / "data" / "real" / "login_submit_terminate_node_gocmpp.pcap"
SECRET = "123456"  # noqa: S105 - that of the programs that were captured, invented
WRONG = "open-sesame"


def checked(ended: Any) -> str | None:
    """Give what the check of the first login says."""
    found = ended.report["sessions"][0]["login_check"]
    return None if found is None else str(found["authenticator_source"])


def test_without_a_secret(cli: Cli) -> None:
    """Nothing is checked unless a secret is given for that SP_Id."""
    assert checked(cli("report", LOGIN)) is None
    assert checked(cli("report", "--secret", f"901299={SECRET}", LOGIN)) is None


def test_by_option(cli: Cli) -> None:
    """--secret may be given more than once; the last one of an SP_Id stands."""
    assert checked(cli("report", "--secret", f"901234={SECRET}", LOGIN)) == "right"
    both = ("--secret", f"901234={WRONG}", "--secret", "901299=x", "--secret", f"901234={SECRET}")
    assert checked(cli("report", *both, LOGIN)) == "right"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines", f"# secrets\n\n 901234 = {SECRET} \n901299=a=b\n"),
        ("toml", f'901234 = "{SECRET}"\n901299 = "x"\n'),
        ("table.toml", f'[secrets]\n901234 = "{SECRET}"\n'),
    ],
)
def test_by_file(cli: Cli, tmp_path: Path, name: str, content: str) -> None:
    """A file holds lines or TOML; the configuration may name it, from where it lies itself."""
    file = tmp_path / name
    file.write_text(content)
    assert checked(cli("report", "--secrets-file", file, LOGIN)) == "right"
    config = tmp_path / "config.toml"
    config.write_text(f'secrets_file = "{name}"\n')
    assert checked(cli("report", "--config", config, LOGIN)) == "right"


def test_by_environment(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment goes before the configuration, a file before it, an option before all."""
    monkeypatch.setenv("CMPPSCOPE_SECRETS", f"901234={SECRET}\n901299=x")
    assert checked(cli("report", LOGIN)) == "right"
    file, config = tmp_path / "secrets", tmp_path / "config.toml"
    file.write_text(f"901234={WRONG}\n")
    config.write_text('secrets_file = "secrets"\n')
    assert checked(cli("report", "--config", config, LOGIN)) == "right"
    assert checked(cli("report", "--secrets-file", file, LOGIN)) == "wrong"
    assert checked(cli("report", "--secrets-file", file, "--secret", f"901234={SECRET}", LOGIN)) == "right"


@pytest.mark.parametrize("given", [WRONG, f"={WRONG}", "901234=", f" = {WRONG}"])
def test_what_is_wrong_is_not_repeated(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """Neither an option nor a line that is no SP_ID=SECRET is shown again; the line is told by its number."""
    file = tmp_path / "secrets"
    file.write_text(f"901299=x\n{given}\n")
    for options, place in ((("--secret", given), "--secret"), (("--secrets-file", file), "line 2")):
        ended = cli("report", *options, LOGIN)
        assert (ended.status, WRONG in ended.err, place in ended.err) == (2, False, True)
    monkeypatch.setenv("CMPPSCOPE_SECRETS", given)
    ended = cli("report", LOGIN)
    assert (ended.status, WRONG in ended.err, "CMPPSCOPE_SECRETS" in ended.err) == (2, False, True)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe" + WRONG.encode(), f'901234 = "{WRONG}'.encode(), f"901234 = [{WRONG!r}]".encode()]
)
def test_a_file_that_is_none(cli: Cli, tmp_path: Path, content: bytes) -> None:
    """A file that cannot be read, or is no TOML although called so, ends with one clear line that holds no secret."""
    file = tmp_path / "secrets.toml"
    file.write_bytes(content)
    for path in (file, tmp_path, tmp_path / "none"):
        ended = cli("report", "--secrets-file", path, LOGIN)
        assert (ended.status, WRONG in ended.err, "Traceback" in ended.err) == (2, False, False)


@pytest.mark.parametrize(
    "command",
    [("report",), ("report", "--format", "text"), ("sessions",), ("sessions", "--format", "ndjson"), ("findings",)],
)
def test_no_output_holds_a_secret(cli: Cli, command: tuple[str, ...]) -> None:
    """Right or wrong, a secret is in nothing that is written."""
    ended = cli(*command, "--no-redact", "--secret", f"901234={WRONG}", "--secret", "901299=x", LOGIN)
    assert (ended.status, WRONG in ended.text, WRONG in ended.err) == (0, False, False)
    assert "connect-auth-wrong" in ended.text or command[0] == "sessions"


def test_the_list_of_sessions_holds_the_check(cli: Cli) -> None:
    """`sessions` tells what `report` tells of a session."""
    options = ("--secret", f"901234={SECRET}", LOGIN)
    (row,) = cli("sessions", "--format", "ndjson", *options).rows
    made = cli("report", *options).report["sessions"][0]
    assert [row[name] for name in ("login_check", "network", "audit")] == [
        made[name] for name in ("login_check", "network", "audit")
    ]


def test_lists_of_sessions_hold_the_check_and_the_audit(cli: Cli) -> None:
    """`sessions` tells of a session what `report` does."""
    secret = ("--secret", f"901234={SECRET}")
    (row,) = cli("sessions", LOGIN, "--format", "ndjson", *secret).rows
    assert row == cli("report", LOGIN, *secret).report["sessions"][0]
    assert row["login_check"]["authenticator_source"] == "right"
    assert row["audit"]["directions"][0]["requests"] > 0
    chosen = cli("sessions", LOGIN, "--format", "ndjson", "--filter", "session.login_check == right", *secret)
    assert chosen.rows == [row]
    assert cli("sessions", LOGIN, "--format", "ndjson", "--filter", "session.login_check").rows == []


def test_screens_are_given_the_secrets(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`tui` takes what `report` takes: secrets by option or file, limits by configuration."""
    shown: list[Any] = []
    monkeypatch.setattr("cmppscope.cli.screens.on_terminal", lambda: True)
    monkeypatch.setattr("cmppscope.tui.app.CmppscopeApp.run", lambda app: shown.append(app.loader._analysis))
    config = tmp_path / "config.toml"
    config.write_text("[limits]\nwindow = 4\n")
    assert cli("tui", LOGIN, "--secret", f"901234={SECRET}", "--config", config).status == 0
    (analysis,) = shown
    for frames in Capture([LOGIN]):
        analysis.feed(frames)
    analysis.close()
    assert [login.source for login in analysis.logins.values()] == ["right"]
    assert take_snapshot(analysis).window == 4
