"""`--filter` and `fields` on the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
ROOT = Path(__file__).parents[2]
LISTS = ("pdus", "transactions", "messages", "sessions", "findings")


@pytest.mark.parametrize("command", [*LISTS, "report"])
def test_a_mistake_ends_before_anything_is_read(cli: Cli, command: str) -> None:
    """A wrong filter is shown with a caret and names that are like it; the capture need not even exist."""
    ended = cli(command, "no-such-file.pcap", "--filter", "submit and resutl == 1")
    assert (ended.status, ended.out) == (2, b"")
    reason, shown, carets = ended.err.splitlines()
    assert reason.startswith("cmppscope: --filter: no field is called resutl (did you mean ")
    assert (shown, carets) == ("  submit and resutl == 1", "             ^^^^^^")
    assert "result" in reason


@pytest.mark.parametrize("command", LISTS)
def test_rows_that_pass_are_those_of_the_whole_list(cli: Cli, faulty: Path, command: str) -> None:
    """A filter leaves rows out and changes none."""
    whole = cli(command, faulty, "--format", "ndjson").rows
    named = {"sessions": "submit", "findings": "severity >= error", "messages": "message.state == unanswered"}
    expression = named.get(command, "cmpp.sequence_id in {2, 6}")
    some = cli(command, faulty, "--format", "ndjson", "--filter", expression).rows
    assert 0 < len(some) < len(whole) or command == "sessions"
    assert [row for row in whole if row in some] == some
    assert cli(command, faulty, "--format", "ndjson", "--filter", "cmpp.sequence_id == 4711").rows == []


def test_what_becomes_known_later_is_waited_for(cli: Cli, program: Cli, faulty: Path) -> None:
    """PDUs chosen by the latency of their transaction: from a file, a pipe, standard input, and one frame a batch."""
    chosen = [row["pdu"] for row in cli("pdus", faulty, "--format", "ndjson", "--filter", "latency > 1 min").rows]
    assert chosen == [3, 4]
    piped = program("pdus", "-", "--format", "ndjson", "--filter", "latency > 1 min", stdin=faulty.read_bytes())
    assert [row["pdu"] for row in piped.rows] == chosen


def test_following_takes_no_filter_about_the_future(cli: Cli, faulty: Path) -> None:
    """What comes later cannot choose what is shown now."""
    ended = cli("pdus", faulty, "--follow", "--duration", "0.1", "--filter", "state == late")
    assert ended.status == 2
    assert "becomes known later: transaction" in ended.err


def test_filters_see_real_values_and_outputs_stay_masked(cli: Cli, demo: Path) -> None:
    """A number is found, and masked in what is written."""
    plain = cli("pdus", demo, "--format", "ndjson", "--no-redact", "--filter", "submit").rows
    number = plain[0]["fields"]["dest_terminal_id"][0]
    for format_ in ("ndjson", "csv", "table"):
        ended = cli("pdus", demo, "--format", format_, "--filter", f"submit.dest_terminal_id == {number}")
        assert "CMPP_SUBMIT" in ended.text
        assert number not in ended.text


def test_times_are_those_of_the_zone_shown(cli: Cli, demo: Path) -> None:
    """A time without an offset is in the zone of --tz."""
    first = cli("pdus", demo, "--format", "csv", "--tz", "UTC", "--filter", 'time < "2026-06-01 02:15:30.1"')
    same = cli("pdus", demo, "--format", "csv", "--tz", "UTC", "--filter", 'time < "2026-06-01 10:15:30.1+08:00"')
    assert first.out == same.out
    assert first.text.count("\n") == 3
    assert cli("pdus", demo, "--filter", 'time < "2026-06-01 02:15:30.1"').text.count("\n") == 1


def test_a_report_counts_what_the_lists_show(cli: Cli, faulty: Path) -> None:
    """Every section of a report with a filter agrees with the list of the same filter; pairs are made before."""
    for expression in ("submit", "state == late", "finding.severity >= error", "result == 0", "sequence_id == 99"):
        report = cli("report", faulty, "--filter", expression).report
        lists = {name: cli(name, faulty, "--format", "ndjson", "--filter", expression).rows for name in LISTS}
        assert report["filter"] == expression
        assert report["totals"]["pdus"] == len(lists["pdus"])
        assert sum(command["count"] for command in report["commands"]) == len(lists["pdus"])
        assert sum(each["requests"] for each in report["transactions"]["commands"]) == len(lists["transactions"])
        assert [each["session"] for each in report["sessions"]] == [row["session"] for row in lists["sessions"]]
        assert sum(finding["count"] for finding in report["findings"]) == len(lists["findings"])
        assert (report["messages"], report["latency_over_time"]) == (None, [])
    submits = cli("report", faulty, "--filter", "submit").report["transactions"]["commands"][0]
    assert submits["responses"] > 0  # SUBMIT_RESPs do not pass, and answered their SUBMITs nevertheless
    strays = cli("report", faulty, "--filter", "sequence_id == 99").report["transactions"]["commands"]
    assert [each["orphan"] for each in strays] == [1]


def test_a_report_without_a_filter_does_not_speak_of_one(cli: Cli, faulty: Path) -> None:
    """The contract of the report stays."""
    assert "filter" not in cli("report", faulty).report
    assert cli("report", faulty).report["messages"] is not None


def test_a_report_for_people_draws_no_conclusions_from_a_part(cli: Cli, faulty: Path) -> None:
    """Headlines are about the whole; with a filter they are left out and the filter is named."""
    text = cli("report", faulty, "--format", "text", "--filter", "active_test").text
    assert "Only what passes the filter active_test." in text
    assert "Nothing" not in text


def test_fail_on_looks_at_what_passes(cli: Cli, faulty: Path) -> None:
    """The exit status is about the findings that are reported."""
    assert cli("report", faulty, "--fail-on", "error").status == 1
    assert cli("report", faulty, "--fail-on", "error", "--filter", "severity < error").status == 0


def test_fields_are_listed(cli: Cli) -> None:
    """As table, ndjson and CSV, from a prefix on; nothing found is a mistake."""
    rows = cli("fields", "transaction.l", "--format", "ndjson").rows
    assert [(row["field"], row["type"], row["of"]) for row in rows] == [
        ("transaction.latency", "duration", "transaction"),
        ("transaction.last_sending_latency", "duration", "transaction"),
    ]
    assert cli("fields", "submit.d").text.splitlines()[2].split()[:3] == ["submit.dest_terminal_id", "text", "pdu"]
    assert cli("fields", "--format", "csv").text.startswith("field,type,of,meaning\r\n")
    assert cli("fields", "nothing").status == 2


def test_a_list_without_a_filter_loads_neither_polars_nor_lark(demo: Path) -> None:
    """Start-up stays lean for those who ask for no filter."""
    code = (
        "import sys; sys.argv = ['cmppscope', 'report', sys.argv[1]]\n"
        "from cmppscope.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'polars', 'lark'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(demo)], capture_output=True, cwd=ROOT, check=True)
    assert done.stderr == b"[]\n"


def test_messages_join_the_other_tables(cli: Cli, demo: Path) -> None:
    """A message has its requests, their responses and its reports; its text and numbers are the real ones."""
    number = cli("pdus", demo, "--format", "ndjson", "--no-redact", "--filter", "submit").rows[0]
    number = number["fields"]["dest_terminal_id"][0]
    for expression in ("submit_resp", "report.stat == DELIVRD", f"dest == {number}", "message.end_to_end > 6 s"):
        assert [row["message"] for row in cli("messages", demo, "--format", "ndjson", "--filter", expression).rows] == [
            1
        ]
    assert cli("messages", demo, "--format", "ndjson", "--filter", "message.end_to_end < 6 s").rows == []
    told = cli("pdus", demo, "--format", "ndjson", "--filter", "message.state == DELIVRD").rows
    assert [row["command"] for row in told] == ["CMPP_SUBMIT", "CMPP_SUBMIT_RESP", "CMPP_DELIVER"]
    assert cli("transactions", demo, "--format", "ndjson", "--filter", "message").rows[0]["command"] == "CMPP_SUBMIT"
