"""Which rows pass: compared with full rows, which are made another way."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmppscope.tables import Row

from .conftest import REAL, SAMPLES, chosen, seen, where

CAPTURES = [*sorted(SAMPLES.glob("*.pcap*")), *sorted(REAL.glob("*.pcap*"))]
RESPONSE = 0x80000000
Holds = Callable[[Row], object]


def values(name: str, command: int | None = None) -> Callable[[Row], list[Any]]:
    """Give every value of a field that a full row holds, those of reports included where no command is named."""

    def give(row: Row) -> list[Any]:
        fields = row["fields"] or {}
        if command is not None and row["command_id"] != command:
            return []
        layers = [fields] if command is not None else [fields, fields.get("report") or {}]
        found = [layer[name] for layer in layers if layer.get(name) is not None]
        return [each for value in found for each in (value if isinstance(value, list) else [value])]

    return give


def text_of(value: Any) -> str:
    """Write an Octet String as filters see it."""
    if not isinstance(value, dict):
        return str(value)
    octets = bytes.fromhex(value["hex"]).rstrip(b"\0")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def any_of(name: str, test: Callable[[Any], object], command: int | None = None) -> Holds:
    """Hold where any value of a field passes."""
    return lambda row: any(test(value) for value in values(name, command)(row))


CASES: list[tuple[str, Holds]] = [
    ("cmpp.command == CMPP_SUBMIT", lambda r: r["command_id"] == 4),
    ("cmpp.Command_Id == 0x80000004", lambda r: r["command_id"] == 4 | RESPONSE),
    ("submit || deliver_resp", lambda r: r["command_id"] in (4, 5 | RESPONSE)),
    ("cmpp.response", lambda r: r["command_id"] >= RESPONSE),
    ("cmpp.request == false", lambda r: r["command_id"] >= RESPONSE),
    ("frame.number in {4..9, 12}", lambda r: 4 <= r["frame"] <= 9 or r["frame"] == 12),
    ("cmpp.pdu > 3 && cmpp.direction == 1", lambda r: r["pdu"] > 3 and r["direction"] == 1),
    ("tcp.stream != 0", lambda r: r["stream"] != 0),
    ("cmpp.Sequence_Id <= 0x2", lambda r: r["sequence_id"] <= 2),
    ("cmpp.Total_Length > 100", lambda r: r["total_length"] > 100),
    ('time >= "2026-06-01 10:15:31"', lambda r: int(r["time_ns"]) >= 1780280131 * 10**9),
    ("time < 2026-06-01T02:15:30.005Z", lambda r: int(r["time_ns"]) < 1780280130005 * 10**6),
    ("result != 0", any_of("result", lambda v: v != 0)),
    ("submit_resp.result == 0", any_of("result", lambda v: v == 0, 4 | RESPONSE)),
    ("submit.dest_terminal_id contains 138", any_of("dest_terminal_id", lambda v: "138" in text_of(v), 4)),
    ("dest_terminal_id contains 01", any_of("dest_terminal_id", lambda v: "01" in text_of(v))),
    ('service_id > ""', any_of("service_id", lambda v: text_of(v) > "")),
    ('src_id matches "^106[0-9]"', any_of("src_id", lambda v: re.search("^106[0-9]", text_of(v)))),
    ('src_id < "2"', any_of("src_id", lambda v: text_of(v) < "2")),
    ("src_id[0:3] == 106", any_of("src_id", lambda v: text_of(v)[:3] == "106")),
    ("submit.pk_total > 1", any_of("pk_total", lambda v: v > 1, 4)),
    ("cmpp.Version == 2.0", any_of("version", lambda v: v == 0x20)),
    ("stat == DELIVRD", any_of("stat", lambda v: text_of(v) == "DELIVRD")),
    ("report", lambda r: "report" in (r["fields"] or {})),
    ("cmpp.surplus > 0", lambda r: "surplus" in (r["fields"] or {})),
    ("msg_id >= 0x6000000000000000", any_of("msg_id", lambda v: int(v) >= 0x6000000000000000)),
    ("msg_id.serial == 1", any_of("msg_id", lambda v: int(v) & 0xFFFF == 1)),
    ("cmpp.Msg_Id.ismg_code > 1000", any_of("msg_id", lambda v: int(v) >> 16 & 0x3FFFFF > 1000)),
    ("text", any_of("text", lambda _: True)),
    ('text matches "TEST|验|码|hello"', any_of("text", lambda v: re.search("test|验|码|hello", v, re.IGNORECASE))),
    ('text contains "a"', any_of("text", lambda v: "a" in v)),
    ("msg_content[0:2] == 05:00", any_of("msg_content", lambda v: v["hex"].startswith("0500"))),
    ("msg_content contains 00:41", any_of("msg_content", lambda v: b"\x00\x41" in bytes.fromhex(v["hex"]))),
    ("connect.authenticatorsource contains 00", any_of("authenticatorsource", lambda v: b"\0" in bytes.fromhex(v))),
]


@pytest.mark.parametrize(("text", "holds"), CASES, ids=[text for text, _ in CASES])
def test_pdus_pass_as_their_full_rows_say(text: str, holds: Holds) -> None:
    """Over every sample and real capture, the same PDUs as a look at each full row gives."""
    for path in CAPTURES:
        capture = seen(path)
        assert (path.name, chosen(capture, text)) == (path.name, where(capture, holds))


def test_every_case_tells_something() -> None:
    """Each filter passes some PDU of some capture, and not all of them."""
    everything = [seen(path) for path in CAPTURES]
    total = sum(len(capture.rows) for capture in everything)
    counts = {text: sum(len(where(capture, holds)) for capture in everything) for text, holds in CASES}
    assert [text for text, count in counts.items() if not 0 < count < total] == []


def test_null_semantics() -> None:
    """A field that is not there passes no comparison; `!=` wants all values to differ, `!==` any."""
    capture = seen(SAMPLES / "gbk.pcap")
    submits = where(capture, lambda row: row["command_id"] == 4)
    results = where(capture, any_of("result", lambda _: True))
    assert chosen(capture, "result != 77") == results
    assert chosen(capture, "result !== 77") == results
    assert chosen(capture, "result == 77 or result != 77") == results
    assert chosen(capture, "not result == 77") == [row["pdu"] for row in capture.rows]
    assert set(submits).isdisjoint(chosen(capture, "result != 77"))


def test_lists_match_where_any_element_does() -> None:
    """A SUBMIT to many matches with any of its receivers; `!=`, `!==` and `===` tell all from any."""
    capture = seen(REAL / "multidest100_long_node_gocmpp.pcap")
    many = [row for row in capture.rows if row["command_id"] == 4 and len(row["fields"]["dest_terminal_id"]) > 1]
    number = many[0]["fields"]["dest_terminal_id"][-1]
    here = many[0]["pdu"]
    assert here in chosen(capture, f"submit.dest_terminal_id == {number}")
    assert here not in chosen(capture, f"submit.dest_terminal_id != {number}")
    assert here in chosen(capture, f"submit.dest_terminal_id !== {number}")
    assert here not in chosen(capture, f"submit.dest_terminal_id === {number}")
    assert here in chosen(capture, 'submit.dest_terminal_id === 0 or submit.dest_terminal_id matches "^[0-9]+$"')


def test_addresses() -> None:
    """Addresses and networks of either end, IPv4 and IPv6, and ports."""
    for path, network in ((SAMPLES / "login-and-report.pcap", "192.0.0.0/3"), (REAL / "fmt_ipv6_veth.pcap", "::/0")):
        capture = seen(path)
        everything = [row["pdu"] for row in capture.rows]
        assert chosen(capture, f"ip.addr == {network}") == chosen(capture, f"ip.src == {network}") == everything
        assert chosen(capture, "ip.addr == 203.0.113.0/24") == []
        assert chosen(capture, f"not ip.addr in {{{network}, 203.0.113.9}}") == []
    capture = seen(SAMPLES / "login-and-report.pcap")
    away = where(capture, lambda row: row["direction"] == 0)
    assert chosen(capture, "ip.src == 192.0.2.10") == away
    assert chosen(capture, "tcp.dstport == 7890") == away
    assert chosen(capture, "tcp.port in {7890}") == [row["pdu"] for row in capture.rows]
    assert chosen(capture, "ip.addr in {192.0.2.9..192.0.2.10}") == [row["pdu"] for row in capture.rows]


def test_joins() -> None:
    """Which table a field belongs to decides by what rows are joined."""
    capture = seen(SAMPLES / "unanswered-and-late.pcap")
    assert chosen(capture, "transaction.latency > 1 min") == [3, 4]
    assert chosen(capture, "latency > 60 s and submit") == [3]
    assert chosen(capture, "state == unanswered") == [5]
    assert chosen(capture, "finding.rule == late-response") == [3]
    assert chosen(capture, "session.login == ok") == [row["pdu"] for row in capture.rows]
    assert chosen(capture, 'session.sp_id != "901234"') == []
    late = chosen(capture, "state == late", "transaction")
    assert chosen(capture, "latency > 1 min", "transaction") == late
    assert chosen(capture, "cmpp.pdu == 4", "transaction") == late
    assert chosen(capture, "finding.rule == late-response", "transaction") == late
    assert chosen(capture, "cmpp.sequence_id == 77 or transaction.pdu == 3", "transaction") == late
    assert chosen(capture, "submit_resp", "session") == [0]
    assert chosen(capture, "query", "session") == []
    assert chosen(capture, "state == late", "session") == [0]
    assert chosen(capture, "severity == error and finding.frame > 0", "session") == [0]
    details = [spot.rule for spot in capture.tables["finding"].spots]  # type: ignore[attr-defined]
    at = details.index("late-response")
    assert chosen(capture, "state == late", "finding") == [at]
    assert chosen(capture, "session.sp_id == 901234", "finding") == list(range(len(details)))
    assert at in chosen(capture, "severity >= warn", "finding")
    assert at not in chosen(capture, "severity > warn", "finding")


def test_a_place_without_a_pdu_has_a_session() -> None:
    """A Gap is about no PDU, and yet lies in a session and a stream."""
    capture = seen(REAL / "midstream_start_gocmpp.pcap.gz")
    spots = capture.tables["finding"].spots  # type: ignore[attr-defined]
    gaps = [at for at, spot in enumerate(spots) if not spot.pdu]
    assert gaps
    assert set(gaps) <= set(chosen(capture, "session.number == 0", "finding"))
    assert set(gaps) <= set(chosen(capture, "tcp.stream == 0", "finding"))
    assert set(gaps).isdisjoint(chosen(capture, "cmpp", "finding"))


@pytest.mark.parametrize("path", [SAMPLES / "unanswered-and-late.pcap", SAMPLES / "gbk.pcap"], ids=lambda p: p.name)
@pytest.mark.parametrize(
    "text", ["state == late", "result != 0", "text", "ip.src == 192.0.2.10", "finding.severity >= warn", "report"]
)
def test_what_passes_does_not_depend_on_the_batches(path: Path, text: str) -> None:
    """Whole, one frame a batch, or in odd cuts: the same PDUs, transactions and sessions."""
    for target in ("pdu", "transaction", "session"):
        whole = chosen(seen(path), text, target)
        assert [chosen(seen(path, frames), text, target) for frames in (1, 7)] == [whole, whole]


def test_only_the_fields_that_are_named_are_decoded() -> None:
    """A filter about a result makes no column of another field."""
    capture = seen(SAMPLES / "login-and-report.pcap")
    chosen(capture, "submit_resp.result == 0")
    table = capture.pdus[0]
    table.keep_only(())
    chosen(capture, "submit_resp.result == 0")
    assert list(table._made) == ["submit_resp.result"]
    decoded = {name for columns in table.columns._columns.values() for name in columns._decoded}
    assert decoded == {"result"}
    assert np.array_equal(np.unique(list(table.columns._columns)), [4 | RESPONSE])


@pytest.mark.parametrize(
    ("sample", "text", "sessions"),
    [
        ("pipelined-sps.pcap", "session.window_peak >= 17", [1]),
        ("pipelined-sps.pcap", "session.window_peak == 16 and session.window_full > 11 ms", [0]),
        ("pipelined-sps.pcap", "session.window_exceeded == 1 and session.flow_control == 1", [1]),
        ("pipelined-sps.pcap", "session.repeated > 0", [1]),
        ("pipelined-sps.pcap", "session.requests_per_second in {32..33}", [0, 1]),
        ("pipelined-sps.pcap", "session.login_check == right and session.ismg_check == right", [0]),
        ("pipelined-sps.pcap", "session.login_check", [0]),
        ("pipelined-sps.pcap", "session.idle > 1 s and session.idle < 10 s", [0, 1]),
        ("login-refused.pcap", "session.login_check == wrong and session.ismg_check == blank", [0, 1]),
        ("hourly-drop.pcap", "session.idle >= 60 min and session.tests == 0", [0, 1, 2]),
        ("hourly-drop.pcap", "session.lasted > 3601 s", []),
        ("hourly-drop.pcap", "session.closing_frame == 22", [1]),
        ("login-and-report.pcap", "session.tests == 2 and session.tests_unanswered == 0", [0]),
        ("unanswered-and-late.pcap", "session.waiting == 0", [0]),
    ],
)
def test_how_links_were_used_can_be_asked(sample: str, text: str, sessions: list[int]) -> None:
    """What the audit and the check of the login found are fields of sessions; figures are of both sides together."""
    assert chosen(seen(SAMPLES / sample), text, "session") == sessions


def test_pdus_of_links_are_chosen() -> None:
    """A field of the session chooses its PDUs as well."""
    capture = seen(SAMPLES / "pipelined-sps.pcap")
    assert chosen(capture, "session.flow_control > 0") == where(capture, lambda row: row["stream"] == 1)
