"""The tables of the configuration file: limits, severities, meanings of codes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmppscope.rules import Limits
from cmppscope.rules.keys import LIMITS
from tests.rules.conversation import frames_of

Cli = Callable[..., Any]


def configured(tmp_path: Path, text: str) -> Path:
    """Write a configuration file."""
    path = tmp_path / "cmppscope.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def refusing(tmp_path: Path) -> Path:
    """Write a capture in which the SP refuses a DELIVER with Result 100, and a login is answered with Status 9."""
    lines = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1 status=9\n0.2 SP CONNECT 2\n0.3 ISMG CONNECT_RESP 2\n"
    lines += "1 ISMG DELIVER 1\n1.1 SP DELIVER_RESP 1 result=100\n"
    path = tmp_path / "refusing.pcap"
    with path.open("wb") as file:
        file.write(bytes.fromhex("4d3cb2a10200040000000000000000000000040065000000"))
        for time_ns, octets in frames_of(lines):
            seconds, rest = divmod(time_ns, 1_000_000_000)
            for number in (seconds, rest, len(octets), len(octets)):
                file.write(number.to_bytes(4, "little"))
            file.write(octets)
    return path


def test_every_limit_has_its_key() -> None:
    """Each field of the limits can be set by just one key."""
    assert sorted(key.field for key in LIMITS.values()) == sorted(field.name for field in dataclasses.fields(Limits))


@pytest.mark.parametrize("key", LIMITS)
def test_limits_are_set(key: str, tmp_path: Path) -> None:
    """A limit is set in the unit of its key."""
    from cmppscope.cli.options import settings  # noqa: PLC0415 - beside its use
    from cmppscope.cli.run import analysis_options  # noqa: PLC0415

    config = configured(tmp_path, f"[limits]\n{key} = 7\n")
    expected = dataclasses.replace(Limits(), **{LIMITS[key].field: 7 * LIMITS[key].unit})
    assert analysis_options(settings(config=config)).limits == expected


def test_severities_are_set(cli: Cli, refusing: Path, tmp_path: Path) -> None:
    """A rule gets the severity that was set, and is not run where it is off."""

    def severities(text: str) -> dict[str, str]:
        found = cli("report", "--config", configured(tmp_path, text), refusing).report["findings"]
        return {finding["rule"]: finding["severity"] for finding in found}

    assert severities("")["deliver-refused"] == "note"
    assert severities('[severities]\ndeliver-refused = "error"')["deliver-refused"] == "error"
    assert "deliver-refused" not in severities('[severities]\ndeliver-refused = "off"')


def test_fail_on_goes_by_what_was_set(cli: Cli, refusing: Path, tmp_path: Path) -> None:
    """--fail-on counts the severities in force."""
    rules = "".join(f'{rule} = "off"\n' for rule in _others(cli, refusing))
    quiet = configured(tmp_path, f"[severities]\n{rules}")
    assert cli("report", "--fail-on", "warn", "--config", quiet, refusing).status == 0
    loud = configured(tmp_path, f'[severities]\n{rules}deliver-refused = "error"\n')
    assert cli("report", "--fail-on", "error", "--config", loud, refusing).status == 1


def _others(cli: Cli, capture: Path) -> list[str]:
    """Give the other rules found in a capture."""
    found = cli("report", capture).report["findings"]
    return [finding["rule"] for finding in found if finding["rule"] != "deliver-refused"]


CODES = '[results.DELIVER_RESP]\n100 = "no room"\n[results.CONNECT_RESP]\n9 = "too many connections"\n'


@pytest.mark.parametrize("codes", [CODES, CODES.replace("100", "0x64"), '[results.general]\n100 = "no room"\n'])
def test_meanings_reach_everything(cli: Cli, refusing: Path, tmp_path: Path, codes: str) -> None:
    """What the parties say that a code means is told in reports, lists, findings and single PDUs."""
    config = configured(tmp_path, codes)
    results = cli("report", "--config", config, refusing).report["results"]
    assert [r["meaning"] for r in results if r["command"] == "CMPP_DELIVER_RESP"] == ["no room"]
    rows = cli("transactions", "--format", "ndjson", "--config", config, refusing).rows
    assert [row["meaning"] for row in rows if row["command"] == "CMPP_DELIVER"] == ["no room"]
    for command in (("report", "--format", "text"), ("pdus",), ("transactions",), ("findings",), ("show", "--pdu", 6)):
        assert "no room" in cli(*command, "--config", config, refusing).text
        assert "no room" not in cli(*command, refusing).text


def test_meanings_of_logins(cli: Cli, refusing: Path, tmp_path: Path) -> None:
    """A Status of CONNECT_RESP is told in the parties' words too."""
    config = configured(tmp_path, CODES)
    assert "9 too many connections" in cli("pdus", "--config", config, refusing).text
    assert "9 (too many connections)" in cli("show", "--pdu", 2, "--config", config, refusing).text


WRONG = {
    "limits = 3": "limits is a table, not 3",
    "[limits]\nwindow = 0": "limits.window is a whole number of requests, not 0",
    "[limits]\nwindow = 1.5": "limits.window is a whole number of requests, not 1.5",
    "[limits]\nwindow = true": "limits.window is a whole number of requests, not True",
    "[limits]\nc = -3": "limits.c is a positive number of seconds, not -3",
    "[limits]\nc = nan": "limits.c is a positive number of seconds, not nan",
    "[limits]\nc = inf": "limits.c is a positive number of seconds, not inf",
    '[limits]\nreport_hours = "48"': "limits.report_hours is a positive number of hours, not '48'",
    "[limits]\nzone_hours = 15": "limits.zone_hours is a number of hours from -14 to 14, not 15",
    "[severities]\nunansewred = 'off'": "no such rule: severities.unansewred (nearest: unanswered",
    "[severities]\nunanswered = 'fatal'": "severities.unanswered is one of note, warn, error, off, not 'fatal'",
    "[severities]\nunanswered = ['off']": "severities.unanswered is one of note, warn, error, off, not ['off']",
    "[results]\n100 = 'x'": "no such response: results.100 (known: CONNECT_RESP, SUBMIT_RESP,",
    "[results.QUERY_RESP]\n1 = 'x'": "no such response: results.QUERY_RESP (known: CONNECT_RESP, SUBMIT_RESP,",
    "[results]\nSUBMIT_RESP = 'x'": "results.SUBMIT_RESP is a table of codes and texts, not 'x'",
    "[results.SUBMIT_RESP]\n0 = 'x'": "results.SUBMIT_RESP.0: a code is a number from 1 on",
    "[results.SUBMIT_RESP]\nten = 'x'": "results.SUBMIT_RESP.ten: a code is a number from 1 on",
    "[results.general]\n8 = 'x'": "results.general.8: a code is a number from 9 on",
    "[results.general]\n4294967296 = 'x'": "results.general.4294967296: a code is a number from 9 on",
    "[results.general]\n9 = ''": "results.general.9 is a text of one line, not ''",
    "[results.general]\n9 = 'a\\u001bb'": "results.general.9 is a text of one line, not",
    "[results.general]\n9 = 7": "results.general.9 is a text of one line, not 7",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_tables(cli: Cli, demo: Path, tmp_path: Path, text: str) -> None:
    """What a table cannot say is told in one line with the key, and the status is 2."""
    config = configured(tmp_path, text.replace("'a\\u001bb'", '"a\\u001bb"'))
    ended = cli("report", "--config", config, demo)
    last = ended.err.strip().splitlines()[-1].replace(str(config), "FILE")
    assert (ended.status, ended.out, "Traceback" in ended.err) == (2, b"", False)
    assert last.partition("FILE: ")[2].startswith(WRONG[text])


def test_unknown_limits_name_the_known(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """An unknown key of the limits is told with those there are."""
    ended = cli("report", "--config", configured(tmp_path, "[limits]\nwindows = 3"), demo)
    assert f"no such key: limits.windows (known: {', '.join(LIMITS)})" in ended.err
