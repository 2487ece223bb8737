"""Columns: every field of every PDU as the Scapy layers have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.packet import Packet

from cmppscope.columns import COMPILED, HEADER, Columns, PduColumns, plain_text
from cmppscope.tables import LAYOUT_20, LAYOUT_21, LAYOUT_30, LAYOUT_NONE, PduBatch, snake
from dissectors.cmpp import BODIES, CMPP, CMPPDeliver, CMPPFwd, CMPPMOReport, CMPPReport, CMPPReport71, CMPPSubmit
from dissectors.cmpp.enums import DELIVER, FWD

COMMANDS = sorted(BODIES)
SUBMIT = 0x04


def pdu(command: int, body: bytes, sequence: int = 1) -> bytes:
    """Put a header before a body."""
    return b"".join(n.to_bytes(4, "big") for n in (HEADER + len(body), command, sequence)) + body


def batch_of(pdus: Sequence[bytes], layouts: Sequence[int] = (), gap: bytes = b"") -> PduBatch:
    """Lay PDUs one behind the other, with octets of none between them."""
    buffer = b"".join(gap + octets for octets in pdus)
    length = np.array([len(octets) for octets in pdus], np.int64)
    zeros = np.zeros(len(pdus), np.int64)
    return PduBatch(
        octets=np.frombuffer(buffer, np.uint8),
        first=1,
        position=np.cumsum(length + len(gap)) - length,
        length=length,
        command=np.array([int.from_bytes(octets[4:8], "big") for octets in pdus], np.int64),
        sequence=np.array([int.from_bytes(octets[8:12], "big") for octets in pdus], np.int64),
        layout=np.array(layouts or [LAYOUT_20] * len(pdus), np.uint8),
        fits=np.ones(len(pdus), np.uint8),
        stream=zeros,
        direction=zeros,
        offset=zeros,
        frame=zeros + 1,
        known_frame=zeros + 1,
        time_ns=zeros,
    )


def values(columns: Columns, row: int) -> dict[str, Any]:
    """Give the fields of one row as a layer has them."""
    result: dict[str, Any] = {}
    for field in columns.body.fields:
        if not columns.valid(field.name)[row]:
            result[field.name] = None
        elif field.kind == "string":
            result[field.name] = columns.strings(field.name).octets[row].tobytes()
        elif field.kind == "content":
            result[field.name] = columns.octets_of(field.name, row)
        elif field.kind == "list":
            octets = columns.octets_of(field.name, row)
            result[field.name] = [octets[at : at + field.width] for at in range(0, len(octets), field.width)]
        else:
            result[field.name] = int(columns.integer(field.name)[row])
    return result


def layer_values(layer: Packet) -> dict[str, Any]:
    """Give the fields of a layer by their public names."""
    return {snake(field.name): layer.getfieldval(field.name) for field in layer.fields_desc}


def surplus(columns: Columns, row: int) -> bytes:
    """Give the octets behind the last field of a row."""
    start = int(columns.position[row])
    return columns.octets[start + int(columns.end[row]) : start + int(columns.length[row])].tobytes()


def everything(batch: PduBatch) -> list[tuple[Any, ...]]:
    """Give every PDU that columns know as (row, fields, surplus, report's class, report's fields)."""
    columns = PduColumns(batch)
    found = []
    for command in COMMANDS:
        body = columns.body(command)
        reports: dict[int, tuple[str, dict[str, Any]]] = {}
        if command in {DELIVER, FWD}:
            groups = list(columns.reports(command).values())
            groups += [columns.mo_reports()] if command == FWD else []
            for rows, inside in groups:
                assert reports.keys().isdisjoint(rows.tolist())
                reports |= {int(row): (inside.body.command, values(inside, at)) for at, row in enumerate(rows)}
        for at, row in enumerate(columns.rows(command).tolist()):
            found.append((row, values(body, at), surplus(body, at), *reports.get(at, (None, None))))
    return sorted(found, key=lambda each: each[0])


def dissected(pdus: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """Give the same, from the Scapy layers."""
    found = []
    for row, octets in enumerate(pdus):
        layer = BODIES[int.from_bytes(octets[4:8], "big")](octets[HEADER:])
        report: Any = layer.report
        told = (None, None) if report is None else (report.name, layer_values(report))
        found.append((row, layer_values(layer), layer.surplus, *told))
    return found


@st.composite
def report_contents(draw: st.DrawFn) -> bytes:
    """Octets of a report's length, or nearly."""
    return draw(st.binary(min_size=60, max_size=60) | st.binary(min_size=71, max_size=71) | st.binary(max_size=72))


@st.composite
def built_bodies(draw: st.DrawFn, command: int) -> bytes:
    """A body of a command, built from its layer with values drawn for every field."""
    layer = BODIES[command]
    given: dict[str, Any] = {}
    for field in COMPILED[command].fields:
        name = field.spelt
        if field.name in {"dest_usr_tl", "msg_length"}:
            continue
        if field.kind == "string":
            given[name] = draw(st.binary(min_size=field.width, max_size=field.width))
        elif field.kind == "list":
            count = draw(st.integers(0, 3) | st.integers(0, 255))
            element = draw(st.binary(min_size=field.width, max_size=field.width))
            given[name] = [element[at % 21 :] + element[: at % 21] for at in range(count)]
        elif field.kind == "content":
            given[name] = draw(st.binary(max_size=255) | report_contents())
        elif field.kind == "signed":
            given[name] = draw(st.integers(-(2**31), 2**31 - 1))
        else:
            given[name] = draw(st.integers(0, 3) | st.integers(0, 2 ** (8 * field.width) - 1))
    return bytes(layer(**given))


@st.composite
def any_pdu(draw: st.DrawFn) -> bytes:
    """A PDU of any known command: whole, cut, overlong, or with any octets for a body."""
    command = draw(st.sampled_from(COMMANDS) | st.sampled_from([SUBMIT, DELIVER, FWD]))
    how = draw(st.sampled_from(["whole", "cut", "overlong", "any"]))
    if how == "any":
        return pdu(command, draw(st.binary(max_size=400)))
    body = draw(built_bodies(command))
    if how == "cut":
        body = body[: draw(st.integers(0, len(body)))]
    elif how == "overlong":
        body += draw(st.binary(min_size=1, max_size=40))
    return pdu(command, body)


LONGEST = pdu(SUBMIT, bytes(CMPPSubmit(Dest_terminal_Id=[b"1"] * 255, Msg_Content=b"\xff" * 255)))
REPORTED = [
    pdu(DELIVER, bytes(CMPPDeliver(Registered_Delivery=1, Msg_Content=CMPPReport(SMSC_sequence=7)))),
    pdu(DELIVER, bytes(CMPPDeliver(Registered_Delivery=1, Msg_Content=CMPPReport71(Stat="MA:0001")))),
    pdu(DELIVER, bytes(CMPPDeliver(Registered_Delivery=0, Msg_Content=CMPPReport()))),
    pdu(FWD, bytes(CMPPFwd(Msg_Fwd_Type=2, Msg_Content=CMPPReport71()))),
    pdu(FWD, bytes(CMPPFwd(Msg_Fwd_Type=2, Msg_Content=CMPPReport()))),
    pdu(FWD, bytes(CMPPFwd(Msg_Fwd_Type=3, Msg_Content=CMPPMOReport(Dest_Id="1234")))),
    pdu(FWD, bytes(CMPPFwd(Msg_Fwd_Type=3, Msg_Content=CMPPReport71()))),
    *(pdu(DELIVER, bytes(CMPPDeliver(Registered_Delivery=1, Msg_Content=bytes(n)))) for n in (59, 61, 70, 72)),
]


@given(st.lists(any_pdu(), min_size=1, max_size=8), st.binary(max_size=3))
@example([LONGEST, LONGEST[:-1], LONGEST + b"x"], b"")
@example(REPORTED, b"")
def test_columns_equal_the_layers(pdus: list[bytes], gap: bytes) -> None:
    """Every field, surplus and report of every PDU is what the Scapy layer of its octets says."""
    assert everything(batch_of(pdus, gap=gap)) == dissected(pdus)


@pytest.mark.parametrize("command", COMMANDS, ids=hex)
def test_columns_equal_the_layers_at_every_cut(command: int) -> None:
    """A body cut at any octet has the fields of the layer that is cut there."""
    given: dict[str, Any] = {"Msg_Content": b"hello"} if "msg_content" in COMPILED[command].by_name else {}
    if "dest_usr_tl" in COMPILED[command].by_name:
        given |= {"Dest_Id" if command == FWD else "Dest_terminal_Id": ["1", "22"]}
    whole = bytes(BODIES[command](**given)) + b"surplus"
    pdus = [pdu(command, whole[:end]) for end in range(len(whole) + 1)]
    assert everything(batch_of(pdus)) == dissected(pdus)


def test_reports_are_where_they_should_be() -> None:
    """A report is known by its kind and its length, and by nothing else."""
    assert [each[3] for each in everything(batch_of(REPORTED))] == [
        "CMPP status report",
        "CMPP status report (71 octets)",
        None,
        "CMPP status report (71 octets)",
        "CMPP status report",
        "CMPP MO report",
        None,
        *[None] * 4,
    ]


def test_other_layouts_are_left_out() -> None:
    """Rows in the layout of another version, or of none, are not among a command's columns."""
    batch = batch_of([LONGEST] * 5, [LAYOUT_30, LAYOUT_20, LAYOUT_21, LAYOUT_NONE, LAYOUT_20])
    columns = PduColumns(batch)
    assert columns.rows(SUBMIT).tolist() == [1, 4]
    assert columns.body(SUBMIT).integer("dest_usr_tl").tolist() == [255, 255]


def test_a_batch_without_pdus_has_empty_columns() -> None:
    """No PDU means no row, and no error."""
    columns = PduColumns(batch_of([]))
    for command in COMMANDS:
        body = columns.body(command)
        kinds = {field.kind: field.name for field in body.body.fields}
        assert len(body) == len(body.end) == 0
        if "int" in kinds:
            assert body.integer(kinds["int"]).tolist() == []
        if "string" in kinds:
            assert len(body.strings(kinds["string"]).octets) == 0
    assert columns.reports(DELIVER) == columns.reports(FWD) == {}
    assert columns.mo_reports()[0].tolist() == []


def test_the_front_is_what_every_row_has_in_front_of_lists() -> None:
    """Fields side by side in one array; None where some row is too short, or lists and contents begin."""
    body = bytes(range(150))
    columns = PduColumns(batch_of([pdu(SUBMIT, body), pdu(SUBMIT, body + b"x"), pdu(SUBMIT, body[:110])])).body(SUBMIT)
    front = columns.front("msg_src", 10)
    assert front is not None
    offset = int(columns.place("msg_src")[0][0])
    assert front.tolist() == [list(body[offset : offset + 10])] * 3
    assert columns.front("src_id", 21) is None
    longer = PduColumns(batch_of([pdu(SUBMIT, bytes(200))])).body(SUBMIT)
    assert longer.front("src_id", 21 + 1 + 7) is not None
    assert longer.front("src_id", 21 + 1 + 8) is None
    assert longer.front("dest_terminal_id", 4) is None


def test_64_bits_stay_unsigned() -> None:
    """A Msg_Id beyond 63 bits is not negative, and Last_route_Id is."""
    batch = batch_of([pdu(0x07, b"\xff" * 8), pdu(0x12, b"\xff" * 12)])
    columns = PduColumns(batch)
    assert columns.body(0x07).integer("msg_id").tolist() == [2**64 - 1]
    assert columns.body(0x12).integer("last_route_id").tolist() == [-1]


def test_every_body_is_compiled_with_its_name() -> None:
    """Every layer of a body is compiled, under the specification's name of its command."""
    assert {command: body.command for command, body in COMPILED.items()} == {
        command: layer().name for command, layer in BODIES.items()
    }
    assert COMPILED[SUBMIT].command == CMPP(LONGEST).payload.name == "CMPP_SUBMIT"


@pytest.mark.parametrize(
    ("spelt", "public"),
    [
        ("TP_pId", "tp_pid"),
        ("TP_pid", "tp_pid"),
        ("ValId_Time", "valid_time"),
        ("Valid_Time", "valid_time"),
        ("DestUsr_tl", "dest_usr_tl"),
        ("Fee_UserType", "fee_user_type"),
        ("Dest_terminal_Id", "dest_terminal_id"),
        ("AuthenticatorISMG", "authenticatorismg"),
    ],
)
def test_public_names(spelt: str, public: str) -> None:
    """The public name is one map's, or the specification's in lower case."""
    assert snake(spelt) == public


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"1234\0\0", "1234"),
        (b"\0\0", ""),
        (b"", ""),
        (b"full", "full"),
        (b"a \0", "a "),
        (b"a\0b\0", None),
        (b"\x7f", None),
        (b"\xe9", None),
        (b"\n", None),
    ],
)
def test_plain_text(octets: bytes, text: str | None) -> None:
    """A text is printable ASCII, then only NULs; anything else is none."""
    assert plain_text(octets) == text
