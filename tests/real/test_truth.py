"""What cmppscope reads from real captures is what the programs on both sides logged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FOLDER = Path(__file__).parents[1] / "data" / "real"
CAPTURES = {path.name.partition(".")[0]: path for path in sorted(FOLDER.glob("*.pcap*"))}
SP_TO_ISMG, ISMG_TO_SP = 0, 1

every_capture = pytest.mark.parametrize("name", CAPTURES)


class Differs(NamedTuple):
    """Where the wire holds something else than the logs say."""

    counts: dict[str, int]
    """Counts on the wire, in place of the logs'; 0 where there is none."""
    rules: tuple[str, ...]
    """Findings that tell the difference, where it is a fault."""
    why: str


DIFFERS = {
    "cmpp30_joecao_simulator": Differs(
        {"CMPP_TERMINATE": 2}, (), "the simulator's library sends a TERMINATE of its own when it closes"
    ),
    "desync_active_test_resp_pycmpp_gocmpp": Differs(
        {"CMPP_SUBMIT": 1}, ("frame-resync",), "the second SUBMIT was written after the ISMG had closed"
    ),
    "drop_mid_pdu_sp_killed": Differs(
        {"CMPP_SUBMIT": 14, "CMPP_SUBMIT_RESP": 2},
        ("frame-truncated",),
        "the ISMG's log stops before the SP's last PDUs, and its last response met a closed connection",
    ),
    "midstream_start_gocmpp": Differs(
        {
            "CMPP_SUBMIT": 1725,
            "CMPP_SUBMIT_RESP": 1726,
            "CMPP_DELIVER": 1776,
            "CMPP_DELIVER_RESP": 1770,
            "CMPP_ACTIVE_TEST": 1,
        },
        ("frame-gap",),
        "the log counts between two marks inside the capture: it holds a little more at both ends",
    ),
    "rust_client_av628_bad_heartbeat_answer": Differs(
        {"CMPP_ACTIVE_TEST": 2}, (), "the client's library sends a heartbeat that its log does not show"
    ),
    "tnt_csharp_query_totallength0_smsgate": Differs(
        {"CMPP_QUERY": 0, "CMPP_ACTIVE_TEST": 1},
        ("frame-length-below-header", "frame-resync"),
        "a QUERY with Total_Length 0 is no PDU; the library's own heartbeat is not in its log",
    ),
}

WITHOUT_NUMBERS = (
    "cmpp30_cmppy",
    "rust_client_av628_bad_heartbeat_answer",
    "rust_client_gocmpp",
    "rust_client_typefo_ismg",
    "tnt_csharp_gocmpp_login_bad",
    "tnt_csharp_query_totallength0_smsgate",
)
"""Clients that log Sequence_Id 0 where they do not know it."""

NEVER_SENT = {
    "desync_active_test_resp_pycmpp_gocmpp": Counter({("CMPP_SUBMIT", SP_TO_ISMG, 3): 1}),
    "tnt_csharp_query_totallength0_smsgate": Counter(
        {("CMPP_QUERY", SP_TO_ISMG, 3): 1, ("CMPP_QUERY", SP_TO_ISMG, 4): 1}
    ),
}
"""Logged, but not on the wire as a PDU: see DIFFERS."""

LENGTH_159 = ("mo_reports_typefo_ismg_gocmpp_sp", "rust_client_typefo_ismg")
"""The ISMG sends an MO of 170 octets with Msg_Length 159: that many are its content, the rest is displaced."""


def truth_of(name: str) -> dict[str, Any]:
    """Read what was logged."""
    made: dict[str, Any] = json.loads((FOLDER / f"{name}.truth.json").read_text(encoding="utf-8"))
    return made


def events(name: str) -> list[dict[str, Any]]:
    """Give every logged PDU whose Sequence_Id is known, with its direction."""
    truth, found = truth_of(name), []
    for log, sends in (("client_log", SP_TO_ISMG), ("server_log", ISMG_TO_SP)):
        for event in truth.get(log) or []:
            if event["ev"] not in {"send", "recv"} or event["seq"] is None or not event["cmd"].startswith("CMPP_"):
                continue
            if log == "client_log" and event["seq"] == 0 and name in WITHOUT_NUMBERS:
                continue
            found.append(event | {"log": log, "direction": sends if event["ev"] == "send" else 1 - sends})
    return found


def content(row: dict[str, Any]) -> str | None:
    """Give the content of a PDU in hex, None where its body is not decoded."""
    held: str | None = row["fields"]["msg_content"]["hex"] if row["fields"] else None
    return held


@pytest.fixture(scope="module")
def pdus(cli: Callable[..., Any]) -> Callable[[str], list[dict[str, Any]]]:
    """List the PDUs of a capture, unmasked; each capture is read once."""
    known: dict[str, list[dict[str, Any]]] = {}

    def read(name: str) -> list[dict[str, Any]]:
        if name not in known:
            ended = cli("pdus", "--format", "ndjson", "--no-redact", CAPTURES[name])
            assert (ended.status, ended.err) == (0, "")
            known[name] = ended.rows
        return known[name]

    return read


def test_every_capture_has_its_truth() -> None:
    """Beside every capture lies what was logged, and every table here names captures that exist."""
    assert {path.name.partition(".")[0] for path in FOLDER.glob("*.truth.json")} == set(CAPTURES)
    assert {*DIFFERS, *WITHOUT_NUMBERS, *NEVER_SENT, *LENGTH_159} <= set(CAPTURES)


@every_capture
def test_commands_are_counted_as_logged(name: str, pdus: Callable[[str], list[dict[str, Any]]]) -> None:
    """As many PDUs of each command are found as the programs sent, or as the table says and why."""
    expected = truth_of(name)["counts_expected_on_wire"]
    if name in DIFFERS:
        expected = {command: count for command, count in {**expected, **DIFFERS[name].counts}.items() if count}
    assert Counter(row["command"] for row in pdus(name)) == Counter(expected)


@pytest.mark.parametrize("name", [name for name in CAPTURES if name not in DIFFERS])
def test_the_second_framing_agrees(name: str) -> None:
    """Where the wire differs from the logs, this file says so."""
    assert truth_of(name)["wire_check"]["agrees_with_truth"]


def test_lower_bounds_hold() -> None:
    """Where the log saw a part of the session only, the capture holds at least that much of each command."""
    seen = Counter(truth_of("midstream_start_gocmpp")["counts_expected_on_wire"])
    del seen["CMPP_ACTIVE_TEST_RESP"]  # equal, so not in the table
    assert seen - Counter(DIFFERS["midstream_start_gocmpp"].counts) == Counter()


@pytest.mark.parametrize("name", DIFFERS)
def test_damage_is_found(name: str, cli: Callable[..., Any]) -> None:
    """What keeps a PDU of the log from being one on the wire is a finding."""
    rules = {row["rule"] for row in cli("findings", "--format", "ndjson", CAPTURES[name]).rows}
    assert set(DIFFERS[name].rules) <= rules, DIFFERS[name].why


@every_capture
def test_sequence_ids_are_those_logged(name: str, pdus: Callable[[str], list[dict[str, Any]]]) -> None:
    """Every PDU logged by either side was found, in its direction and with its Sequence_Id."""
    wire = Counter((row["command"], row["direction"], row["sequence_id"]) for row in pdus(name))
    for log in ("client_log", "server_log"):
        logged = Counter((e["cmd"], e["direction"], e["seq"]) for e in events(name) if e["log"] == log)
        never = NEVER_SENT.get(name, Counter()) if log == "client_log" else Counter()
        assert logged - wire == never


@every_capture
def test_contents_are_those_logged(name: str, pdus: Callable[[str], list[dict[str, Any]]]) -> None:
    """The content of every SUBMIT and DELIVER is, octet for octet, what either side logged."""
    carriers = [row for row in pdus(name) if row["command"] in {"CMPP_SUBMIT", "CMPP_DELIVER"} and row["fields"]]
    wire = Counter((row["command"], row["direction"], row["sequence_id"], content(row)) for row in carriers)
    decoded = {key[:3] for key in wire}
    for log in ("client_log", "server_log"):
        logged = Counter(
            (e["cmd"], e["direction"], e["seq"], e["content_hex"][: 2 * 159 if name in LENGTH_159 else None])
            for e in events(name)
            if e["log"] == log and "content_hex" in e and (e["cmd"], e["direction"], e["seq"]) in decoded
        )
        assert logged - wire == Counter()


def test_only_bodies_of_3_0_are_not_decoded(pdus: Callable[[str], list[dict[str, Any]]]) -> None:
    """`fields` is null for the bodies that 3.0 changed, and nowhere else."""
    blank = {name: {row["command"] for row in pdus(name) if row["fields"] is None} for name in CAPTURES}
    assert {name: commands for name, commands in blank.items() if commands} == {
        name: {"CMPP_CONNECT_RESP", "CMPP_SUBMIT", "CMPP_SUBMIT_RESP"}
        for name in CAPTURES
        if name.startswith("cmpp30_")
    }


@every_capture
def test_msg_ids_and_results_are_those_logged(name: str, pdus: Callable[[str], list[dict[str, Any]]]) -> None:
    """Msg_Id and Result of every response are what either side logged."""
    answers = [
        row for row in pdus(name) if row["command"] in {"CMPP_SUBMIT_RESP", "CMPP_DELIVER_RESP"} and row["fields"]
    ]
    wire = Counter(
        (r["command"], r["direction"], r["sequence_id"], r["fields"]["msg_id"], r["fields"]["result"]) for r in answers
    )
    for log in ("client_log", "server_log"):
        logged = Counter(
            (e["cmd"], e["direction"], e["seq"], str(e["msgid"]), e["result"])
            for e in events(name)
            if e["log"] == log and e["cmd"].endswith("_RESP") and {"msgid", "result"} <= set(e)
        )
        assert not answers or logged - wire == Counter()
