"""The table of fields: names, aliases, and what stands behind them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from cmppscope.columns import COMPILED
from cmppscope.filters.fields import FIELDS, INDEX, ONLY_30, PRESENCE, fields_of, find
from cmppscope.filters.tables import TABLES
from cmppscope.filters.values import Kind

from .conftest import SAMPLES, seen

WITHOUT = {"msg_id.timestamp"}
"""Names of Wireshark's that have no counterpart: a text in a form of its own."""


def test_names_are_given_once() -> None:
    """No two fields of a table share a name, and every field says what it means."""
    names = [(field.of, field.name) for field in FIELDS]
    assert len(names) == len(set(names))
    assert [field.name for field in FIELDS if not field.meaning.endswith((".", "…")) or field.of not in TABLES] == []


def test_every_field_of_every_body_has_a_name() -> None:
    """What the layers have, filters have."""
    names = {
        f"{body.command.removeprefix('CMPP_').lower()}.{f.name}" for body in COMPILED.values() for f in body.fields
    }
    assert names - INDEX["pdu"].keys() == set()


def test_a_command_is_no_field() -> None:
    """A command's name alone means its PDUs, and hides no field."""
    assert {"submit", "cmpp_submit", "active_test_resp", "get_mo_route"} <= PRESENCE.keys()
    assert PRESENCE.keys() & INDEX["pdu"].keys() == set()


@pytest.mark.parametrize(
    ("name", "target", "field"),
    [
        ("cmpp.submit.Pk_total", "pdu", "submit.pk_total"),
        ("cmpp.Servicd_Id", "pdu", "service_id"),
        ("cmpp.submit.Valld_Time", "pdu", "submit.valid_time"),
        ("cmpp.submit.Fee_UserType", "pdu", "submit.fee_user_type"),
        ("cmpp.submit.DestUsr_tl", "pdu", "submit.dest_usr_tl"),
        ("cmpp.deliver.Report.Status", "pdu", "report.stat"),
        ("result", "pdu", "result"),
        ("result", "transaction", "transaction.result"),
        ("cmpp.result", "transaction", "result"),
        ("tcp.stream", "finding", "finding.stream"),
        ("tcp.stream", "pdu", "tcp.stream"),
        ("latency", "session", "transaction.latency"),
        ("sp_id", "pdu", "session.sp_id"),
        ("time", "session", "frame.time"),
        ("severity", "pdu", "finding.severity"),
    ],
)
def test_where_a_name_is_looked_for(name: str, target: str, field: str) -> None:
    """In the table that is listed, then in PDUs, transactions, sessions, findings."""
    found = find(name, target)
    assert found is not None
    assert found.name == field


@pytest.mark.tshark
@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_wireshark_names_are_taken() -> None:
    """Every filter name of Wireshark's CMPP dissector is a name here, or is known to be of 3.0."""
    listed = subprocess.run(["tshark", "-G", "fields"], capture_output=True, check=True, text=True).stdout
    names = [line.split("\t")[2] for line in listed.splitlines() if line.startswith("F\t") and "\tcmpp\t" in line]
    assert len(names) > 40
    known = {"deliver.report"}
    for name in names:
        short = name.removeprefix("cmpp.").lower()
        if short in WITHOUT or short in ONLY_30 or short in known:
            continue
        assert find(name, "pdu") is not None, name


def test_every_field_can_be_read() -> None:
    """Reading any field of any table gives values of its kind, or none."""
    capture = seen(SAMPLES / "gateway-forwarding.pcap")
    for field in FIELDS:
        for table in capture.pdus if field.of == "pdu" else [capture.tables[field.of]] if field.of != "message" else []:
            found = field.read(table)
            text = field.kind in {Kind.TEXT, Kind.OCTETS, Kind.ADDRESS}
            assert not len(found) or text == (type(found.values).__name__ == "Series"), field.name
            if found.rows is not None and len(found):
                assert int(found.rows.max()) < len(table)


def test_fields_are_found_by_prefix() -> None:
    """With and without `cmpp.`, in any case."""
    assert [f.name for f in fields_of("cmpp.Submit.Dest")] == ["submit.dest_usr_tl", "submit.dest_terminal_id"]
    assert fields_of("nothing") == []
