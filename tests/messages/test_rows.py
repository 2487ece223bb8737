"""Messages as rows: lives, joined texts, masking, and text that would do harm."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cmppscope.messages.listing import Listing
from cmppscope.redact import Redaction
from cmppscope.report.messages import COLUMNS, message_rows
from cmppscope.report.tables import csv_table, ndjson, table
from tests.rules.conversation import told

_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
ID1, ID2, OTHER = "0x5E91AA4003E90001", "0x5E91AA4003E90002", "0x5E91AA4003E90101"


def rows(lines: str, *, redact: bool = False, port: int = 7890) -> list[dict[str, Any]]:
    """Give the messages of a conversation."""
    found = told(lines, port=port)
    listing = Listing()
    for facts in found.facts:
        listing.feed(facts)
    analysis = found.analysis
    return list(message_rows(listing, analysis.sessions, analysis.results, Redaction(redact), dt.UTC))


def states(lines: str) -> list[tuple[str, str]]:
    """Give kind and state of each message."""
    return [(row["kind"], row["state"]) for row in rows(_LOGIN + lines)]


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ("1 SP SUBMIT 2", "submitted"),
        ("1 SP SUBMIT 2\n2 SP FIN", "unanswered"),
        (f"1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 id={ID1}", "accepted"),
        ("1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 id=0 result=8", "refused"),
        (f"1 SP SUBMIT 2 report=1\n1.1 ISMG SUBMIT_RESP 2 id={ID1}", "unreported"),
        (
            f"1 SP SUBMIT 2 report=1\n1.1 ISMG SUBMIT_RESP 2 id={ID1}\n5 ISMG DELIVER 2 about={ID1} stat=EXPIRED",
            "EXPIRED",
        ),
        ("1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 | lost\n2 ISMG ACTIVE_TEST 2\n2.1 SP ACTIVE_TEST_RESP 2", "unknown"),
    ],
)
def test_states_of_a_submit(lines: str, state: str) -> None:
    """A SUBMIT is as far as the capture shows it."""
    assert states(lines) == [("MT", state)]


def test_receivers_without_a_report_are_counted() -> None:
    """Where two of four reported and differ, the other two are unreported."""
    lines = f"1 SP SUBMIT 2 report=1 to=4\n1.1 ISMG SUBMIT_RESP 2 id={ID1}\n"
    lines += f"5 ISMG DELIVER 2 about={ID1} dest_terminal_id=13800000003 stat=UNDELIV\n6 ISMG DELIVER 3 about={ID1}"
    (row,) = rows(_LOGIN + lines)
    assert row["mixed"] == "UNDELIV: 13800000003; unreported: 2; DELIVRD: 13800000000"


def test_what_is_not_mixed_has_no_such_words() -> None:
    """Words about differences stand only where there are some."""
    (row,) = rows(_LOGIN + f"1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 id={ID1}")
    assert (row["state"], row["mixed"]) == ("accepted", None)


def test_reports_of_several_receivers() -> None:
    """Every receiver has its own report; where they differ the message is mixed."""
    lines = f"1 SP SUBMIT 2 report=1 to=2\n1.1 ISMG SUBMIT_RESP 2 id={ID1}\n"
    lines += f"5 ISMG DELIVER 2 about={ID1} dest_terminal_id=13800000001 stat=UNDELIV\n6 ISMG DELIVER 3 about={ID1}"
    (row,) = rows(_LOGIN + lines)
    assert (row["state"], row["receivers"], row["dest"]) == ("mixed", 2, ["13800000000", "13800000001"])
    assert row["mixed"] == "UNDELIV: 13800000001; DELIVRD: 13800000000"
    assert [report["dest"] for report in row["reports"]] == ["13800000001", "13800000000"]
    (masked,) = rows(_LOGIN + lines, redact=True)
    assert masked["mixed"] == "UNDELIV: 138******01; DELIVRD: 138******00"
    assert [(r["stat"], r["ms"], r["again"]) for r in row["reports"]] == [
        ("UNDELIV", 4000.0, False),
        ("DELIVRD", 5000.0, False),
    ]
    assert row["end_to_end_ms"] == 5000.0


def test_parts_are_joined_in_the_order_of_their_numbers() -> None:
    """The text runs over all parts, also where a character is divided between two of them."""
    text = "长短信".encode("utf-16-be")
    first, second = text[:3].hex(), text[3:].hex()
    lines = f"1 SP SUBMIT 2 tp_udhi=1 msg_fmt=8 pk_total=2 pk_number=2 msg_content=0x0500035a0202{second}\n"
    lines += f"1.1 ISMG SUBMIT_RESP 2 id={ID1}\n"
    lines += f"2 SP SUBMIT 3 tp_udhi=1 msg_fmt=8 pk_total=2 pk_number=1 msg_content=0x0500035a0201{first}\n"
    (row,) = rows(_LOGIN + lines + f"2.1 ISMG SUBMIT_RESP 3 id={ID2}")
    assert row["text"] == "长短信"
    assert [(part["pdu"], part["number"], part["total"]) for part in row["parts"]] == [(3, 2, 2), (5, 1, 2)]
    assert row["content"] == {"hex": f"0500035a0201{first}0500035a0202{second}"}


def test_what_names_a_message_stands_with_it() -> None:
    """A CANCEL belongs to the message of its Msg_Id."""
    lines = f"1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 id={ID1}\n2 SP CANCEL 3 msg_id={ID1}\n2.1 ISMG CANCEL_RESP 3"
    (row,) = rows(_LOGIN + lines)
    assert row["cancels"] == [{"pdu": 5, "success_id": 0}]


def test_a_chain_of_gateways_is_one_message() -> None:
    """The FWD of a message and that of its report stand in one row."""
    lines = "0 SP CONNECT 1 addr=001001\n0.1 ISMG CONNECT_RESP 1\n1 SP FWD 2 nodescount=1\n1.1 ISMG FWD_RESP 2\n"
    lines += "5 ISMG FWD 3 nodescount=1 msg_id=0x1234567 about=0x5E91AA0003E90001\n5.1 SP FWD_RESP 3 msg_id=0x1234567"
    (row,) = rows(lines, port=7930)
    assert (row["kind"], row["state"], row["text"]) == ("FWD", "delivered", "hello")
    assert [(hop["pdu"], hop["type"], hop["nodes"]) for hop in row["hops"]] == [(5, "report of an MT", 1)]


def test_numbers_and_text_are_masked() -> None:
    """Without --no-redact a number shows three digits and two, a text how many octets it has."""
    (row,) = rows(_LOGIN + f"1 SP SUBMIT 2 text=secret\n1.1 ISMG SUBMIT_RESP 2 id={ID1}", redact=True)
    assert (row["dest"], row["text"], row["content"]) == (["138******00"], {"octets": 6}, {"octets": 6})
    assert "secret" not in str(row)
    assert b"secret".hex() not in str(row)


HOSTILE = "\x1b[31m\x07\x9b2J\u202eevil\u2066=SUM(A1)\ud800\x00\u200b[bold]"


@pytest.mark.parametrize("octets", [HOSTILE.encode("utf-16-be", "surrogatepass"), "=1+1\u202e".encode("utf-16-be")])
def test_hostile_text_does_no_harm(octets: bytes) -> None:
    """No control character, direction mark or formula reaches a table, a spreadsheet or JSON as such."""
    lines = f"1 SP SUBMIT 2 msg_fmt=8 msg_content=0x{octets.hex()}\n1.1 ISMG SUBMIT_RESP 2 id={ID1}"
    found = rows(_LOGIN + lines)
    for written in ("".join(table(found, COLUMNS)), "".join(ndjson(found)), "".join(csv_table(found))):
        text = written.replace("\r\n", "\n")
        assert [c for c in text if c != "\n" and not c.isprintable()] == []
    assert all(not cell.startswith("=") for cell in "".join(csv_table(found)).split(","))


def test_any_layout_gives_a_row() -> None:
    """A SUBMIT of 3.0, or one cut short, is listed with what is known of it."""
    found = rows("0 SP CONNECT 1 version=0x30\n0.1 ISMG CONNECT_RESP 1 width=4\n1 SP SUBMIT 2 layout=30")
    assert [(row["kind"], row["state"], row["dest"], row["text"]) for row in found] == [("MT", "submitted", None, None)]
