"""PDUs as rows: in full for ndjson, short for table and csv."""

from __future__ import annotations

import csv
import datetime as dt
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cmppscope.report.pdus as module
from cmppscope.columns import PduColumns
from cmppscope.redact import Redaction
from cmppscope.report.names import command_name, iso_time
from cmppscope.report.pdus import ndjson_lines, pdu_rows
from cmppscope.report.safe import is_safe, width
from cmppscope.report.short import TableRow, csv_lines, info, pdu_table_rows, table_lines
from cmppscope.tables import LAYOUT_20, LAYOUT_21, LAYOUT_30, LAYOUT_NONE, PduBatch, Row, snake
from dissectors.cmpp import (
    BODIES,
    CMPP,
    CMPPDeliver,
    CMPPFwd,
    CMPPMOReport,
    CMPPReport,
    CMPPReport71,
    CMPPSubmit,
    encode_text,
    format_msg_id,
)

_GOLDEN = Path(__file__).parents[1] / "dissectors" / "cmpp" / "golden.toml"
VECTORS: dict[str, dict[str, Any]] = {
    vector["id"]: vector | {"octets": bytes.fromhex(vector["octets"])}
    for vector in tomllib.loads(_GOLDEN.read_text(encoding="utf-8"))["pdu"]
}
VECTORS_20 = {name: vector for name, vector in VECTORS.items() if vector["edition"] == "2.0"}

MASKED, OPEN = Redaction(), Redaction(active=False)


def batch_of(pdus: Sequence[bytes], layouts: Sequence[int] = ()) -> PduBatch:
    """Lay PDUs one behind the other, each in a frame and a millisecond of its own."""
    length = np.array([len(octets) for octets in pdus], np.int64)
    rows = np.arange(len(pdus))
    return PduBatch(
        octets=np.frombuffer(b"".join(pdus), np.uint8),
        first=1,
        position=np.cumsum(length) - length,
        length=length,
        command=np.array([int.from_bytes(octets[4:8], "big") for octets in pdus], np.int64),
        sequence=np.array([int.from_bytes(octets[8:12], "big") for octets in pdus], np.int64),
        layout=np.array(layouts or [LAYOUT_20] * len(pdus), np.uint8),
        fits=np.ones(len(pdus), np.uint8),
        stream=rows * 0 + 3,
        direction=rows % 2,
        offset=rows * 0,
        frame=rows + 10,
        known_frame=rows + 10,
        time_ns=rows * 1_000_000 + 1_032_660_930_000_000_001,
    )


def rows_of(pdus: Sequence[bytes], redaction: Redaction = OPEN, layouts: Sequence[int] = ()) -> list[Row]:
    """Give full rows of PDUs."""
    batch = batch_of(pdus, layouts)
    return list(pdu_rows(batch, PduColumns(batch), redaction))


def table_of(pdus: Sequence[bytes], redaction: Redaction = OPEN, **options: Any) -> list[TableRow]:
    """Give short rows of PDUs."""
    batch = batch_of(pdus)
    return list(pdu_table_rows(batch, PduColumns(batch), redaction, **options))


def golden_fields(names: dict[str, Any], text: str | None) -> Row:
    """Turn the fields of golden.toml into what a row has."""
    fields: Row = {}
    for spelt, value in names.items():
        name = snake(spelt)
        if name == "msg_id":
            fields |= {"msg_id": str(value), "msg_id_text": format_msg_id(value)}
        elif name == "msg_content":
            fields |= {"msg_content": {"hex": value}, "text": text}
        else:
            fields[name] = value
    return fields


def golden_text(vector: dict[str, Any]) -> str | None:
    """Give the text of a vector; the long one stands in golden.toml only by its start and its octets."""
    if "text_starts" in vector:
        return bytes.fromhex(vector["fields"]["Msg_Content"])[6:].decode("utf-16-be")
    return vector.get("text")


@pytest.mark.parametrize("name", VECTORS_20)
def test_golden_rows(name: str) -> None:
    """Every golden vector is a row with just the values of golden.toml, in the order of the PDU."""
    vector = VECTORS_20[name]
    header = {"Total_Length", "Command_Id", "Sequence_Id"}
    body = {spelt: value for spelt, value in vector["fields"].items() if spelt not in header}
    fields = golden_fields(body, golden_text(vector))
    if "report" in vector:
        fields["report"] = golden_fields(vector["report"], None)
    expected = {
        "pdu": 1,
        "frame": 10,
        "stream": 3,
        "direction": 0,
        "time_ns": "1032660930000000001",
        "command": BODIES[vector["fields"]["Command_Id"]]().name,
        "command_id": vector["fields"]["Command_Id"],
        "sequence_id": vector["fields"]["Sequence_Id"],
        "total_length": vector["fields"]["Total_Length"],
        "fields": fields,
    }
    assert rows_of([vector["octets"]]) == [expected]
    (row,) = rows_of([vector["octets"]])
    assert (list(row), list(row["fields"])) == (list(expected), list(fields))


SUBMIT_FIELDS = {
    "msg_id": "0",
    "msg_id_text": "0x0000000000000000",
    "pk_total": 1,
    "pk_number": 1,
    "registered_delivery": 1,
    "msg_level": 1,
    "service_id": "TPCQ",
    "fee_user_type": 2,
    "fee_terminal_id": "",
    "tp_pid": 0,
    "tp_udhi": 0,
    "msg_fmt": 8,
    "msg_src": "901234",
    "feetype": "01",
    "feecode": "000000",
    "valid_time": "",
    "at_time": "",
    "src_id": "1234",
    "dest_usr_tl": 1,
    "dest_terminal_id": ["13800138000"],
    "msg_length": 14,
    "msg_content": {"hex": "4f60597dff0c0043004d00500050"},
    "text": "你好，CMPP",
    "reserve": "",
}


def test_a_submit_written_out() -> None:
    """A SUBMIT has these names and values, in this order."""
    (row,) = rows_of([VECTORS["G04"]["octets"]])
    assert list(row["fields"].items()) == list(SUBMIT_FIELDS.items())


def test_a_masked_submit_written_out() -> None:
    """Masked, its numbers are stars, its content is counted and its text is not there."""
    masked = {name: value for name, value in SUBMIT_FIELDS.items() if name != "text"}
    masked |= {"dest_terminal_id": ["138******00"], "msg_content": {"octets": 14}}
    (row,) = rows_of([VECTORS["G04"]["octets"]], MASKED)
    assert list(row["fields"].items()) == list(masked.items())


def test_masked_reports() -> None:
    """The numbers in a status report are masked, its state and its times stay."""
    rows = rows_of([VECTORS["G11"]["octets"], VECTORS["G23"]["octets"]], MASKED)
    assert [row["fields"]["msg_content"] for row in rows] == [{"octets": 60}, {"octets": 60}]
    assert rows[0]["fields"]["src_terminal_id"] == "138******00"
    assert rows[1]["fields"]["dest_id"] == ["138******00"]
    assert [row["fields"]["report"] for row in rows] == [
        {
            "msg_id": "11180458479018639361",
            "msg_id_text": "0922101531-001001-00001",
            "stat": "DELIVRD",
            "submit_time": "0209221015",
            "done_time": "0209221016",
            "dest_terminal_id": "138******00",
            "smsc_sequence": 12345678,
        },
        {
            "msg_id": "11180539293123280898",
            "msg_id_text": "0922102005-001001-00002",
            "stat": "DELIVRD",
            "cmpp_deliver_time": "0209221020",
            "cmpp_deliver_resp_time": "0209221020",
            "dest_id": "1234",
            "reserved": "",
        },
    ]


def test_octets_that_are_no_text() -> None:
    """A field that is not printable ASCII then only NULs is the whole field in hexadecimal, filling included."""
    octets = bytes(CMPP() / CMPPSubmit(Service_Id=b"a\0b", Msg_src="\x1b[31m", Dest_terminal_Id=[b"1", b"\xff"]))
    (row,) = rows_of([octets])
    assert row["fields"]["service_id"] == {"hex": "61006200000000000000"}
    assert row["fields"]["msg_src"] == {"hex": "1b5b33316d00"}
    assert row["fields"]["dest_terminal_id"] == ["1", {"hex": "ff" + "00" * 20}]
    (masked,) = rows_of([octets], MASKED)
    assert masked["fields"]["dest_terminal_id"] == ["*", {"octets": 21}]


def test_lists_of_every_length() -> None:
    """Each row has its own receivers, whatever the rows beside it have."""
    counts = [2, 0, 255, 1, 0, 3]
    lists = [[f"{row}{index:010}" for index in range(count)] for row, count in enumerate(counts)]
    pdus = [bytes(CMPP() / CMPPSubmit(Dest_terminal_Id=receivers)) for receivers in lists]
    assert [row["fields"]["dest_terminal_id"] for row in rows_of(pdus)] == lists


def test_bodies_without_a_layout() -> None:
    """A body of a later layout or of an unknown command has no fields; an unknown command is its number."""
    unknown = bytes.fromhex("0000000e0000000a00000007abcd")
    rows = rows_of([VECTORS["G32"]["octets"], unknown, unknown], OPEN, [LAYOUT_30, LAYOUT_NONE, LAYOUT_20])
    assert [(row["command"], row["command_id"], row["total_length"], row["fields"]) for row in rows] == [
        ("CMPP_SUBMIT", 4, 209, None),
        ("0x0000000a", 10, 14, None),
        ("0x0000000a", 10, 14, None),
    ]


def test_commands_have_names() -> None:
    """Names are the specification's, those of 2.1 included."""
    commands = [0x80000004, 0x17, 0xA, 0xFFFFFFFF]
    assert [command_name(command) for command in commands] == [
        "CMPP_SUBMIT_RESP",
        "CMPP_GET_MO_ROUTE",
        "0x0000000a",
        "0xffffffff",
    ]


def test_surplus_stands_last_and_only_where_there_is_some() -> None:
    """Octets behind the last field are hexadecimal, and masked they are counted."""
    octets = VECTORS["G05"]["octets"]
    longer = bytes.fromhex("00000018") + octets[4:] + b"\1\2\3"
    fields = {"msg_id": "11180458479018639361", "msg_id_text": "0922101531-001001-00001", "result": 0}
    assert [row["fields"] for row in rows_of([octets, longer])] == [fields, fields | {"surplus": "010203"}]
    assert [row["fields"] for row in rows_of([longer], MASKED)] == [fields | {"surplus": {"octets": 3}}]
    terminate = bytes.fromhex("0000000d0000000200000001ff")
    assert rows_of([terminate])[0]["fields"] == {"surplus": "ff"}


def layer_fields(layer: Any, text: str | None) -> Row:
    """Give the fields of a Scapy layer as a row has them, one by one and with no columns."""
    fields: Row = {}
    for each in layer.fields_desc:
        name, value = snake(each.name), layer.getfieldval(each.name)
        if value is None:
            fields |= {name: None} | {"msg_id": {"msg_id_text": None}, "msg_content": {"text": None}}.get(name, {})
        elif name == "msg_id":
            fields |= {"msg_id": str(value), "msg_id_text": format_msg_id(value)}
        elif name == "msg_content":
            fields |= {"msg_content": {"hex": value.hex()}, "text": text}
        elif name.startswith("authenticator"):
            fields[name] = value.hex()
        elif isinstance(value, list):
            fields[name] = [octet_string(element) for element in value]
        else:
            fields[name] = octet_string(value) if isinstance(value, bytes) else value
    return fields


def octet_string(octets: bytes) -> str | dict[str, str]:
    """Give an Octet String as a row has it."""
    text = octets.rstrip(b"\0")
    return text.decode() if all(0x20 <= octet < 0x7F for octet in text) else {"hex": octets.hex()}


def dissected(octets: bytes) -> Row:
    """Give the fields of a PDU, made by Scapy alone."""
    layer: Any = BODIES[int.from_bytes(octets[4:8], "big")](octets[12:])
    fields = layer_fields(layer, layer.text and layer.text.text)
    if layer.report is not None:
        fields["report"] = layer_fields(layer.report, None)
    if layer.surplus:
        fields["surplus"] = layer.surplus.hex()
    return fields


MORE = [
    bytes(CMPP() / CMPPDeliver(Registered_Delivery=1, Msg_Content=CMPPReport(Stat="UNDELIV"))),
    bytes(CMPP() / CMPPDeliver(Registered_Delivery=1, Msg_Content=CMPPReport71(Dest_terminal_Id="13800138000"))),
    bytes(CMPP() / CMPPFwd(Msg_Fwd_Type=2, Msg_Content=CMPPReport71(SMSC_sequence=2**32 - 1))),
    bytes(CMPP() / CMPPFwd(Msg_Fwd_Type=3, Msg_Content=CMPPMOReport(Stat="REJECTD"))),
    bytes(CMPP() / CMPPSubmit(Dest_terminal_Id=["1", "2", "3"], Msg_Fmt=8, Msg_Content=b"\xd8\x00")),
]
WHOLE = [vector["octets"] for vector in VECTORS_20.values()] + MORE


def with_length(octets: bytes) -> bytes:
    """Put the true length into a header."""
    return len(octets).to_bytes(4, "big") + octets[4:]


@st.composite
def odd_pdus(draw: st.DrawFn) -> bytes:
    """A PDU whole, cut anywhere, with surplus, or with one octet of its body changed."""
    octets = draw(st.sampled_from(WHOLE))
    end = draw(st.integers(12, len(octets)) | st.just(len(octets)))
    octets = octets[:end] + draw(st.just(b"") | st.binary(max_size=9))
    if len(octets) > 12 and draw(st.booleans()):
        at = draw(st.integers(12, len(octets) - 1))
        octets = octets[:at] + draw(st.binary(min_size=1, max_size=1)) + octets[at + 1 :]
    return with_length(octets)


@given(st.lists(odd_pdus(), min_size=1, max_size=20))
def test_rows_are_what_the_layers_say(pdus: list[bytes]) -> None:
    """Whatever the PDUs, every row's fields are those that Scapy makes of the same octets, cut fields null."""
    assert [row["fields"] for row in rows_of(pdus)] == [dissected(octets) for octets in pdus]


@given(st.lists(odd_pdus(), min_size=1, max_size=9), st.data())
def test_masked_rows_have_the_same_shape(pdus: list[bytes], data: st.DataObject) -> None:
    """Masking takes away `text` and changes values, but no name, no order and no null."""
    layouts = [data.draw(st.sampled_from([LAYOUT_20, LAYOUT_30])) for _ in pdus]

    def shape(row: Row, *, text: bool) -> Any:
        return row["fields"] and [
            (name, value is None) for name, value in row["fields"].items() if text or name != "text"
        ]

    masked = [shape(row, text=True) for row in rows_of(pdus, MASKED, layouts)]
    assert masked == [shape(row, text=False) for row in rows_of(pdus, OPEN, layouts)]


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are the same however many become Python values at a time."""
    pdus = WHOLE * 3
    whole = rows_of(pdus)
    for chunk in (1, 2, 7):
        monkeypatch.setattr(module, "CHUNK", chunk)
        assert rows_of(pdus) == whole


def test_chosen_rows() -> None:
    """The rows that a filter leaves are those of the whole list."""
    pdus = WHOLE * 2
    layouts = [LAYOUT_20, LAYOUT_20, LAYOUT_30] * len(pdus)
    batch = batch_of(pdus, layouts[: len(pdus)])
    columns = PduColumns(batch)
    whole, table = list(pdu_rows(batch, columns, OPEN)), list(pdu_table_rows(batch, columns, OPEN))
    for chosen in ([], [0], [1, 2, 3, 29, 30, 31], list(range(5, len(pdus), 3))):
        rows = np.array(chosen, np.int64)
        assert list(pdu_rows(batch, columns, OPEN, rows)) == [whole[row] for row in chosen]
        assert list(pdu_table_rows(batch, columns, OPEN, rows=rows)) == [table[row] for row in chosen]


def test_msg_id_texts_are_the_layers() -> None:
    """Msg_Ids written many at a time are those written one at a time."""
    numbers = [0, 1, 0xFFFF, 0x9B28F7C003E90001, 0x9B28F7C003E9FFFF, 0x9B28F7FFFFFF0001, 2**64 - 1, 0x1042000000010002]
    pdus = [bytes.fromhex("000000140000000700000001") + number.to_bytes(8, "big") for number in numbers]
    assert [row["fields"] for row in rows_of(pdus)] == [
        {"msg_id": str(number), "msg_id_text": format_msg_id(number)} for number in numbers
    ]


# ------------------------------------------------------------------------------------ JSON lines


def test_json_lines() -> None:
    """A line is one row in JSON, in UTF-8, with its line end."""
    (line,) = ndjson_lines(rows_of([VECTORS["G05"]["octets"]]))
    assert line == (
        b'{"pdu":1,"frame":10,"stream":3,"direction":0,"time_ns":"1032660930000000001",'
        b'"command":"CMPP_SUBMIT_RESP","command_id":2147483652,"sequence_id":2,"total_length":21,'
        b'"fields":{"msg_id":"11180458479018639361","msg_id_text":"0922101531-001001-00001","result":0}}\n'
    )


HOSTILE = "\x1b[31m\x9b2J\u202e\x00\n\u2028\U000e0041=1+1"


def submit_of(text: str, msg_fmt: int = 8, **fields: Any) -> bytes:
    """Build a SUBMIT with a text."""
    fields = {"Dest_terminal_Id": ["13800138000"]} | fields
    return bytes(CMPP() / CMPPSubmit(Msg_Fmt=msg_fmt, Msg_Content=encode_text(text, msg_fmt), **fields))


def test_hostile_text_in_json() -> None:
    """A text with controls and direction marks keeps its value in JSON, and no unsafe character stands there."""
    (line,) = ndjson_lines(rows_of([submit_of(HOSTILE)]))
    assert json.loads(line)["fields"]["text"] == HOSTILE
    assert all(map(is_safe, line.decode().removesuffix("\n")))


@given(st.lists(odd_pdus(), min_size=1, max_size=5), st.booleans())
def test_any_row_is_json(pdus: list[bytes], active: bool) -> None:  # noqa: FBT001 - drawn
    """Every row is a line of JSON that reads back as the row."""
    rows = rows_of(pdus, Redaction(active=active))
    assert [json.loads(line) for line in ndjson_lines(rows)] == rows


# ------------------------------------------------------------------------------------ short rows


def test_short_rows() -> None:
    """A short row has time with its zone, both ends the way the PDU went, and one line of words."""
    pdus = [VECTORS["G04"]["octets"], VECTORS["G05"]["octets"]]
    assert table_of(pdus, MASKED, ends={3: ("SP", "ISMG")}) == [
        TableRow(
            1,
            10,
            "2002-09-22T10:15:30.000000001+08:00",
            3,
            "SP",
            "ISMG",
            "CMPP_SUBMIT",
            2,
            173,
            "SUBMIT to 138******00 (14 octets)",
        ),
        TableRow(
            2,
            11,
            "2002-09-22T10:15:30.001000001+08:00",
            3,
            "ISMG",
            "SP",
            "CMPP_SUBMIT_RESP",
            2,
            21,
            "SUBMIT_RESP Msg_Id 0922101531-001001-00001, Result 0 ok",
        ),
    ]
    assert [(row.src, row.dst) for row in table_of(pdus)] == [("", "")] * 2


@pytest.mark.parametrize(
    ("time_ns", "zone", "text"),
    [
        (0, dt.UTC, "1970-01-01T00:00:00.000000000+00:00"),
        (-1, dt.UTC, "1969-12-31T23:59:59.999999999+00:00"),
        (
            1_032_660_930_123_456_789,
            dt.timezone(dt.timedelta(hours=-3, minutes=-30)),
            "2002-09-21T22:45:30.123456789-03:30",
        ),
        (2**63 - 1, dt.UTC, "2262-04-11T23:47:16.854775807+00:00"),
        (-(2**63), dt.UTC, "1677-09-21T00:12:43.145224192+00:00"),
    ],
)
def test_times_keep_their_nanoseconds(time_ns: int, zone: dt.tzinfo, text: str) -> None:
    """Every 64-bit time is written with nine decimals and its zone."""
    assert iso_time(time_ns, zone) == text


INFOS = {
    "G01": "CONNECT SP 901234 version 2.0",
    "G02": "CONNECT_RESP Status 0 ok, version 2.0",
    "G03": "CONNECT_RESP Status 3 authentication failed, version 2.0",
    "G04": 'SUBMIT to 13800138000 "你好，CMPP"',
    "G05": "SUBMIT_RESP Msg_Id 0922101531-001001-00001, Result 0 ok",
    "G08": 'SUBMIT to 13800138000 "第二段，完。" part 2 of 2',
    "G09": 'SUBMIT to 13000000001 and 2 more "Hello, CMPP 2.0"',
    "G10": 'DELIVER from 13800138000 to 1234 "CX 600000"',
    "G11": "DELIVER report DELIVRD on Msg_Id 0922101531-001001-00001 to 13800138000",
    "G12": "DELIVER_RESP Msg_Id 0922101540-001001-00003, Result 0 ok",
    "G13": "ACTIVE_TEST",
    "G14": "ACTIVE_TEST_RESP",
    "G15": "QUERY 20020922 1 by service",
    "G16": "QUERY_RESP 20020922 1 by service, MT 6 for 8 receivers, MO 2 delivered",
    "G17": "CANCEL Msg_Id 0922101531-001001-00001",
    "G18": "CANCEL_RESP Success_Id 1 failed",
    "G19": "TERMINATE",
    "G21": 'FWD MT from 1234 to 13800138000 "你好，CMPP"',
    "G22": "FWD_RESP Msg_Id 0922101531-001001-00001, Result 0 ok",
    "G23": "FWD report of an MO: report DELIVRD on Msg_Id 0922102005-001001-00002 to 1234",
    "G24": "MT_ROUTE for 13800138000",
    "G25": "MT_ROUTE_RESP route 5 to gateway 079101, Result 0 ok",
    "G26": "GET_ROUTE type MT after route -1",
    "G27": "GET_ROUTE_RESP SP_Code (blank) route 5 to gateway 079101, Result 2 last route",
    "G28": "MO_ROUTE_UPDATE add SP_Code 1234 route 0 to gateway 001001",
    "G29": "MO_ROUTE_UPDATE_RESP Result 0 valid, to be verified",
    "G36": "SUBMIT to 13800138000 (26 octets)",
}


@pytest.mark.parametrize("name", INFOS)
def test_infos(name: str) -> None:
    """One line says what a PDU is about."""
    (row,) = rows_of([VECTORS[name]["octets"]])
    assert info(row) == INFOS[name]


def test_infos_of_odd_pdus() -> None:
    """Cut bodies, surplus, other layouts, long texts and long lists are told in one line too."""
    resp = VECTORS["G05"]["octets"]
    pdus = [
        resp[:20],
        resp[:12],
        resp + b"12",
        VECTORS["G04"]["octets"][:128],
        VECTORS["G04"]["octets"][:151],
        submit_of("中" * 61),
        submit_of("", Dest_terminal_Id=[]),
        resp[:20] + b"\x08",
        bytes(4) + bytes.fromhex("0000000a") + bytes(6),
    ]
    rows = rows_of([with_length(octets) for octets in pdus])
    assert [info(row) for row in rows] == [
        "SUBMIT_RESP Msg_Id 0922101531-001001-00001, Result ? [cut short]",
        "SUBMIT_RESP Msg_Id ?, Result ? [cut short]",
        "SUBMIT_RESP Msg_Id 0922101531-001001-00001, Result 0 ok [2 octets of surplus]",
        "SUBMIT to ? [cut short]",
        "SUBMIT to 13800138000 (14 octets) [cut short]",
        f'SUBMIT to 13800138000 "{"中" * 60}…"',
        'SUBMIT to nobody ""',
        "SUBMIT_RESP Msg_Id 0922101531-001001-00001, Result 8 flow control",
        "0x0000000a, body of 2 octets",
    ]
    (row,) = rows_of([resp], OPEN, [LAYOUT_30])
    assert info(row, LAYOUT_30) == "SUBMIT_RESP in the layout of CMPP 3.0"
    assert info(row, LAYOUT_21) == "SUBMIT_RESP in the layout of CMPP 2.1"


@given(st.lists(odd_pdus(), min_size=1, max_size=9), st.booleans())
def test_any_info_is_printable(pdus: list[bytes], active: bool) -> None:  # noqa: FBT001 - drawn
    """Every PDU has a line of words, and every line is safe."""
    for row in table_of(pdus, Redaction(active=active)):
        assert row.info.startswith(row.command.removeprefix("CMPP_"))
        assert all(map(is_safe, row.info))


def test_csv() -> None:
    """CSV has the column names, quotes what must be quoted, and no cell that a spreadsheet computes."""
    pdus = [submit_of('say "hi", now')]
    lines = list(csv_lines(table_of(pdus, ends={3: ("=cmd()", "+1\x1b")})))
    assert lines == [
        "pdu,frame,time,stream,src,dst,command,sequence_id,length,info\r\n",
        (
            "1,10,2002-09-22T10:15:30.000000001+08:00,3,'=cmd(),'+1\\x1b,CMPP_SUBMIT,0,185,"
            '"SUBMIT to 13800138000 ""say ""hi"", now"""\r\n'
        ),
    ]
    assert [len(row) for row in csv.reader(lines)] == [10, 10]


def test_a_hostile_text_stays_in_its_cell() -> None:
    """Line ends and controls in a text are escaped: a PDU is one line of a table, and one record of CSV."""
    rows = table_of([submit_of(HOSTILE)])
    for lines in (list(table_lines(rows)), list(csv_lines(rows))):
        assert len(lines) == 2
        assert all(map(is_safe, lines[1].removesuffix("\r\n")))


def test_table_columns_stand_below_each_other() -> None:
    """Numbers stand on the right, texts on the left, and CJK names take two cells a character."""
    pdus = [VECTORS["G05"]["octets"]] * 2
    rows = table_of(pdus, ends={3: ("移动网关", "SP")})
    header, *lines = table_lines(rows)
    assert header.split() == list(TableRow._fields)
    assert len({width(line[: line.index("CMPP_")]) for line in lines}) == 1
    assert width(lines[0][: lines[0].index("CMPP_")]) == header.index("command")
    assert lines[0].startswith("       1        10  2002-09-22T10:15:30.000000001+08:00       3  移动网关     ")


# --------------------------------------------------------------------------------------- masking

numbers = st.permutations("0123456789").map("".join)


@st.composite
def personal_pdus(draw: st.DrawFn) -> tuple[str, bytes]:
    """A number, and a PDU that holds it everywhere it may stand, whole, cut, with surplus, or a miscounted SUBMIT."""
    number = "1" + draw(numbers)
    written = draw(st.sampled_from(["", "86", "+86", "00"])) + number + draw(st.sampled_from(["", " ", "\0x", "\xff"]))
    field = written.encode("latin-1")
    msg_fmt = draw(st.sampled_from([0, 8, 15, 4]))
    content = number.encode("utf-16-be" if msg_fmt == 8 else "ascii")
    reports = [CMPPReport(Dest_terminal_Id=field), CMPPReport71(Dest_terminal_Id=field)]
    report = bytes(draw(st.sampled_from(reports)))
    layer: Any = draw(
        st.sampled_from(
            [
                CMPPSubmit(
                    Dest_terminal_Id=[field, field], Fee_terminal_Id=field, Msg_Fmt=msg_fmt, Msg_Content=content
                ),
                CMPPDeliver(Src_terminal_Id=field, Msg_Fmt=msg_fmt, Msg_Content=content, Reserved=number[:8]),
                CMPPDeliver(Src_terminal_Id=field, Registered_Delivery=1, Msg_Content=report),
                CMPPFwd(Src_Id=field, Dest_Id=[field], Fee_terminal_Id=field, Msg_Fmt=msg_fmt, Msg_Content=content),
                CMPPFwd(Msg_Fwd_Type=2, Dest_Id=[field], Msg_Content=report),
                CMPPFwd(Msg_Fwd_Type=3, Dest_Id=[field], Msg_Content=CMPPMOReport(Dest_Id=field)),
                BODIES[0x10](Terminal_Id=field),
            ]
        )
    )
    octets = bytes(CMPP() / layer)
    octets = draw(st.sampled_from([octets, octets + field, octets[: draw(st.integers(12, len(octets)))]]))
    if isinstance(layer, CMPPSubmit) and len(octets) > 128 and draw(st.booleans()):
        octets = octets[:128] + bytes([draw(st.integers(0, 5))]) + octets[129:]
    return number, with_length(octets)


@given(st.lists(personal_pdus(), min_size=1, max_size=6))
def test_masked_output_tells_no_number(drawn: list[tuple[str, bytes]]) -> None:
    """No seven digits of a subscriber's number, as text or as octets, reach masked JSON, table or csv."""
    pdus = [octets for _, octets in drawn]
    rows = table_of(pdus, MASKED)
    outputs = [line.decode() for line in ndjson_lines(rows_of(pdus, MASKED))]
    outputs += [*table_lines(rows), *csv_lines(rows)]
    for number, _ in drawn:
        for part in (number[at : at + 7] for at in range(len(number) - 6)):
            for seen in (part, part.encode().hex(), part.encode("utf-16-be").hex()):
                assert not any(seen in output for output in outputs)
