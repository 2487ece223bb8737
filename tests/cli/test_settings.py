"""What the user may set, by options and by a configuration file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


def configured(tmp_path: Path, text: str) -> Path:
    """Write a configuration file."""
    path = tmp_path / "cmppscope.toml"
    path.write_text(text, encoding="utf-8")
    return path


def first_time(cli: Cli, demo: Path, *options: object) -> str:
    """Give the time of the first PDU in a table."""
    return str(cli("pdus", *options, demo).text.splitlines()[1].split()[2])


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (None, "2026-06-01T10:15:30.001757000+08:00"),
        ("UTC", "2026-06-01T02:15:30.001757000+00:00"),
        ("UTC+8", "2026-06-01T10:15:30.001757000+08:00"),
        ("-03:30", "2026-05-31T22:45:30.001757000-03:30"),
        ("Asia/Tokyo", "2026-06-01T11:15:30.001757000+09:00"),
    ],
)
def test_zone(cli: Cli, demo: Path, tmp_path: Path, zone: str | None, shown: str) -> None:
    """--tz, or `zone` in the configuration, sets the zone of times shown; China's without either."""
    assert first_time(cli, demo, *(("--tz", zone) if zone else ())).replace("Z", "+00:00") == shown
    if zone:
        config = configured(tmp_path, f'zone = "{zone}"')
        assert first_time(cli, demo, "--config", config).replace("Z", "+00:00") == shown
        assert first_time(cli, demo, "--config", config, "--tz", "UTC+8").endswith("+08:00")


def test_json_is_in_utc(cli: Cli, demo: Path) -> None:
    """What programs read does not change with the zone."""
    for command in (("report",), ("pdus", "--format", "ndjson"), ("transactions", "--format", "ndjson")):
        assert cli(*command, demo).out == cli(*command, "--tz", "-03:30", demo).out


def test_from_and_to(cli: Cli, demo: Path) -> None:
    """Frames outside --from and --to are passed over; PDUs keep the numbers of their frames."""
    part = ("--from", "2026-06-01T10:15:30.5", "--to", "2026-06-01T10:16:00")
    assert [row["frame"] for row in cli("pdus", "--format", "ndjson", *part, demo).rows] == [7, 8, 10, 11]
    same = ("--from", "2026-06-01T02:15:30.5Z", "--to", "2026-06-01T04:16:00+02:00")
    assert cli("pdus", *part, demo).out == cli("pdus", *same, demo).out
    nothing = cli("report", "--from", "2030-01-01", demo)
    assert (nothing.status, nothing.err) == (0, "cmppscope: no CMPP found: no frames\n")


def test_decode_as(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """A port can be kept from being read as CMPP; an option goes before the configuration."""
    none = cli("report", "--decode-as", "tcp.port==7890,none", demo)
    assert (none.status, none.report["totals"]["pdus"]) == (0, 0)
    config = configured(tmp_path, 'decode_as = ["tcp.port==7890,none"]')
    assert without_name(cli("report", "--config", config, demo).report) == without_name(none.report)
    forced = cli("report", "--config", config, "--decode-as", "tcp.port==7890,cmpp20", demo)
    assert forced.out == cli("report", demo).out


def without_name(report: dict[str, Any]) -> dict[str, Any]:
    """Leave out the capture's own part."""
    return {key: value for key, value in report.items() if key != "capture"}


def test_timers(cli: Cli, faulty: Path, tmp_path: Path) -> None:
    """With T at 80 s, a response after 75 s is not late."""
    late = [row for row in cli("transactions", "--format", "ndjson", faulty).rows if row["state"] == "late"]
    config = configured(tmp_path, "t = 80\nn = 3\n")
    patient = cli("transactions", "--format", "ndjson", "--config", config, faulty).rows
    assert [row["latency_ms"] for row in late] == [75000.0]
    assert [row for row in patient if row["state"] == "late"] == []


WRONG = {
    "t = 0": "t is a positive number, not 0",
    't = "60"': "t is a positive number, not '60'",
    "t = true": "t is a positive number, not True",
    "n = -1": "n is a positive number, not -1",
    "colour = 1": "FILE: no such key: colour (known: t, n, zone, decode_as, secrets_file, limits, severities, results)",
    'decode_as = "tcp.port==1,none"': "FILE: decode_as is a list of texts",
    "decode_as = [1]": "1 is not tcp.port==N,KIND with KIND one of cmpp20, cmpp30, none",
    'zone = "Mars"': "'Mars' is no time zone (UTC+8, +08:00, Asia/Shanghai)",
    "t =": "FILE: Invalid value (at end of document)",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_configurations(cli: Cli, demo: Path, tmp_path: Path, text: str) -> None:
    """What a configuration cannot say is named, and the status is 2."""
    config = configured(tmp_path, text)
    ended = cli("report", "--config", config, demo)
    message = ended.err.strip().splitlines()[-1].replace(str(config), "FILE")
    assert (ended.status, ended.out, message.partition(": ")[2].partition(": ")[2]) == (2, b"", WRONG[text])


def test_a_configuration_that_is_no_text(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """Octets that are no text make a message too."""
    config = tmp_path / "octets.toml"
    config.write_bytes(b"\xff\xfe\x00")
    ended = cli("report", "--config", config, demo)
    assert (ended.status, "Traceback" in ended.err) == (2, False)
