"""One PDU for a reader: tree, octets and findings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.redact import Redaction
from cmppscope.report.safe import is_safe
from cmppscope.report.show import Line, hex_dump, pdu_tree, show_pdu
from cmppscope.tables import LAYOUT_20, LAYOUT_21, LAYOUT_30, LAYOUT_NONE
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
)

_GOLDEN = Path(__file__).parents[1] / "dissectors" / "cmpp" / "golden.toml"
VECTORS: dict[str, bytes] = {
    vector["id"]: bytes.fromhex(vector["octets"])
    for vector in tomllib.loads(_GOLDEN.read_text(encoding="utf-8"))["pdu"]
}

MASKED, OPEN = Redaction(), Redaction(active=False)


def lines_of(octets: bytes, redaction: Redaction = OPEN, layout: int = LAYOUT_20) -> dict[tuple[int, str], str]:
    """Give the tree's values by offset and name."""
    return {(line.offset, line.name): line.value for line in pdu_tree(octets, redaction, layout).lines}


def with_length(octets: bytes) -> bytes:
    """Put the true length into a header."""
    return len(octets).to_bytes(4, "big") + octets[4:]


DELIVER_SHOWN = """\
PDU: 11
Frame: 7
Stream: 0
Endpoints: 10.0.0.2:7890 to 10.0.0.1:40000

    0  CMPP_DELIVER                145 octets
    0    Total_Length              145
    4    Command_Id                CMPP_DELIVER (0x00000005)
    8    Sequence_Id               2
   12    Msg_Id                    11180460952919801859 (09-22 10:15:40, gateway 001001, serial 3)
   20    Dest_Id                   '1234'
   41    Service_Id                'TPCQ'
   51    TP_pid                    0
   52    TP_udhi                   0 (no header)
   53    Msg_Fmt                   0 (ASCII)
   54    Src_terminal_Id           '138******00'
   75    Registered_Delivery       1 (status report)
   76    Msg_Length                60
   77    Msg_Content               CMPP status report, 60 octets
   77      Msg_Id                  11180458479018639361 (09-22 10:15:31, gateway 001001, serial 1)
   85      Stat                    'DELIVRD' (delivered)
   92      Submit_time             '0209221015' (2002-09-22 10:15)
  102      Done_time               '0209221016' (2002-09-22 10:16)
  112      Dest_terminal_Id        '138******00'
  133      SMSC_sequence           12345678
  137    Reserved                  ''

0000  00 00 00 91 00 00 00 05  00 00 00 02 9b 28 fa 00  .............(..
0010  03 e9 00 03 31 32 33 34  00 00 00 00 00 00 00 00  ....1234........
0020  00 00 00 00 00 00 00 00  00 54 50 43 51 00 00 00  .........TPCQ...
0030  00 00 00 00 00 00 ** **  ** ** ** ** ** ** ** **  ......**********
0040  ** 00 00 00 00 00 00 00  00 00 00 01 3c 9b 28 f7  *...........<.(.
0050  c0 03 e9 00 01 44 45 4c  49 56 52 44 30 32 30 39  .....DELIVRD0209
0060  32 32 31 30 31 35 30 32  30 39 32 32 31 30 31 36  2210150209221016
0070  ** ** ** ** ** ** ** **  ** ** ** 00 00 00 00 00  ***********.....
0080  00 00 00 00 00 00 bc 61  4e 00 00 00 00 00 00 00  .......aN.......
0090  00                                                .

Finding: note report-late: after 26 hours
"""


def test_a_masked_report_written_out() -> None:
    """A PDU is shown with what is known of it, its tree, its octets and its findings; numbers are masked."""
    header = {"pdu": 11, "frame": 7, "stream": 0, "endpoints": "10.0.0.2:7890 to 10.0.0.1:40000"}
    findings = ["note report-late: after 26 hours"]
    assert show_pdu(VECTORS["G11"], header=header, findings=findings, redaction=MASKED) == DELIVER_SHOWN


def test_a_text_with_its_header() -> None:
    """The user data header is shown element by element at its offsets, the text behind it."""
    tree = pdu_tree(VECTORS["G08"], OPEN)
    assert [line for line in tree.lines if line.offset >= 150] == [
        Line(150, 1, "Msg_Length", "18"),
        Line(151, 1, "Msg_Content", "18 octets"),
        Line(151, 2, "user data header", "6 octets"),
        Line(152, 3, "element 0x00", "concatenation, 8-bit reference: reference 90, part 2 of 2"),
        Line(157, 2, "text", '"第二段，完。"'),
        Line(169, 1, "Reserve", "''"),
    ]
    assert tree.hidden == set()


def test_ports_and_binary() -> None:
    """Ports and a 16-bit reference are told, and binary content has no text."""
    tree = lines_of(VECTORS["G36"])
    assert tree[152, "element 0x05"] == "ports, 16 bits: from 9200 to 2948"
    assert tree[158, "element 0x08"] == "concatenation, 16-bit reference: reference 4660, part 1 of 1"
    assert not [name for _, name in tree if name == "text"]


def test_values_have_meanings() -> None:
    """Enumerations, versions, times, Msg_Ids and lists are shown with what they mean."""
    assert lines_of(VECTORS["G01"])[34, "Version"] == "2.0"
    assert lines_of(VECTORS["G01"])[35, "Timestamp"] == "0922101530 (09-22 10:15:30)"
    assert lines_of(VECTORS["G05"])[20, "Result"] == "0 (ok)"
    assert lines_of(VECTORS["G06"])[73, "ValId_Time"] == "'000002000000000R' (2 days)"
    assert lines_of(VECTORS["G04"])[12, "Msg_Id"] == "0 (blank)"
    assert lines_of(VECTORS["G05"][:12] + b"\xff" * 9)[12, "Msg_Id"] == "18446744073709551615 (0xffffffffffffffff)"
    assert lines_of(VECTORS["G26"])[20, "Last_route_Id"] == "-1"
    receivers = {key: value for key, value in lines_of(VECTORS["G09"]).items() if key[1].startswith("Dest_terminal_Id")}
    assert receivers == {
        (129, "Dest_terminal_Id[0]"): "'13000000001'",
        (150, "Dest_terminal_Id[1]"): "'8613000000002'",
        (171, "Dest_terminal_Id[2]"): "'+8613000000003'",
    }


def test_cut_and_surplus_are_named() -> None:
    """A body that ends too early names what is missing, one that ends too late how much is left over."""
    cut = lines_of(with_length(VECTORS["G36"][:155]))
    assert list(cut.items())[-1] == (
        (151, "cut short"),
        "Msg_Content, Reserve not there as a whole; 4 octets: 0c05040b left",
    )
    longer = lines_of(with_length(VECTORS["G05"] + b"abc"))
    assert list(longer.items())[-1] == ((21, "surplus"), "3 octets: 616263")
    assert lines_of(with_length(VECTORS["G05"] + b"abc"), MASKED)[21, "surplus"] == "3 octets"


@pytest.mark.parametrize(
    ("octets", "layout", "told"),
    [
        (VECTORS["G32"], LAYOUT_30, "in the layout of CMPP 3.0 (no field table yet): 197 octets"),
        (VECTORS["G32"], LAYOUT_21, "in the layout of CMPP 2.1 (no field table yet): 197 octets"),
        (bytes.fromhex("0000000e0000000a0000000731ff"), LAYOUT_NONE, "of an unknown command: 2 octets: 31ff"),
        (bytes.fromhex("0000000d0000000a0000000731"), LAYOUT_20, "of an unknown command: 1 octet: 31"),
    ],
)
def test_bodies_without_a_layout(octets: bytes, layout: int, told: str) -> None:
    """A body without a field table is named, and masked as a whole."""
    assert lines_of(octets, OPEN, layout)[12, "body"] == told
    masked = pdu_tree(octets, MASKED, layout)
    assert masked.hidden == set(range(12, len(octets)))
    assert masked.lines[-1].value == re.sub(r"(octets?): [0-9a-f]+$", r"\1", told)


def test_hex_dump() -> None:
    """Octets stand sixteen a line with a gap in the middle, hidden ones as stars on both sides."""
    assert hex_dump(bytes(range(0x3E, 0x50)), {1, 17}) == [
        "0000  3e ** 40 41 42 43 44 45  46 47 48 49 4a 4b 4c 4d  >*@ABCDEFGHIJKLM",
        "0010  4e **                                             N*",
    ]
    assert hex_dump(b"\x1f\x20\x7e\x7f\xff") == [f"0000  {'1f 20 7e 7f ff'.ljust(48)}  . ~.."]
    assert hex_dump(b"") == []


def test_hostile_text_is_escaped() -> None:
    """Nothing of a PDU, its header lines or its findings is obeyed by a terminal."""
    text = "\x1b[31m\x9b2J\u202e\x00\n\u2028=1+1"
    octets = bytes(CMPP() / CMPPSubmit(Msg_Fmt=8, Msg_Content=encode_text(text, 8), Service_Id=b"\x1b[2J"))
    shown = show_pdu(octets, header={"endpoints": "\x1b]0;x"}, findings=["\u202e\n"], redaction=OPEN)
    assert all(map(is_safe, shown.replace("\n", "")))
    assert r'text                    "\x1b[31m\x9b2J\u{202e}\x00\n\u{2028}=1+1"' in shown
    assert shown.endswith("Finding: \\u{202e}\\n\n")


ANY_LAYOUT = st.sampled_from([LAYOUT_20, LAYOUT_20, LAYOUT_30, LAYOUT_21, LAYOUT_NONE])


@given(st.binary(max_size=300), ANY_LAYOUT, st.booleans())
def test_any_octets_are_shown(octets: bytes, layout: int, active: bool) -> None:  # noqa: FBT001 - drawn
    """Any octets at all give a safe text, fewer than a header included."""
    shown = show_pdu(octets, header={"pdu": 1}, redaction=Redaction(active=active), layout=layout)
    assert all(map(is_safe, shown.replace("\n", "")))


@given(st.sampled_from(sorted(BODIES)), st.binary(max_size=300), ANY_LAYOUT, st.booleans())
def test_any_body_is_shown(command: int, body: bytes, layout: int, active: bool) -> None:  # noqa: FBT001 - drawn
    """Any octets behind the header of a known command give a safe text, and offsets inside the PDU that never fall."""
    octets = with_length(bytes(4) + command.to_bytes(4, "big") + bytes(4) + body)
    redaction = Redaction(active=active)
    shown = show_pdu(octets, header={}, redaction=redaction, layout=layout)
    assert all(map(is_safe, shown.replace("\n", "")))
    tree = pdu_tree(octets, redaction, layout)
    offsets = [line.offset for line in tree.lines if line.depth < 2]
    assert offsets == sorted(offsets)
    assert offsets[-1] <= len(octets)
    assert tree.hidden <= set(range(12, len(octets)))


@pytest.mark.parametrize("command", BODIES, ids=hex)
def test_offsets_are_exact(command: int) -> None:
    """A field's line has the offset of its octets, for every field of every command."""
    given_fields: dict[str, Any] = {"Msg_Content": b"hello"} if "Msg_Content" in vars_of(command) else {}
    for name in ("Dest_terminal_Id", "Dest_Id"):
        if name in vars_of(command) and "DestUsr_tl" in vars_of(command):
            given_fields[name] = ["1", "22"]
    layer = BODIES[command](**given_fields)
    octets = bytes(CMPP() / layer)
    expected: dict[str, int] = {}
    built = b""
    for field in layer.fields_desc:
        expected[field.name] = 12 + len(built)
        built = field.addfield(layer, built, layer.getfieldval(field.name))
    shown = {
        line.name.removesuffix("[0]"): line.offset
        for line in pdu_tree(octets, OPEN).lines
        if line.depth == 1 and line.offset >= 12 and not line.name.endswith("[1]")
    }
    assert shown == expected


def vars_of(command: int) -> set[str]:
    """Give the names of the fields of a body."""
    return {field.name for field in BODIES[command].fields_desc}


def dumped(shown: str) -> str:
    """Give the hexadecimal of the dump as one string, stars where octets are hidden."""
    rows = re.findall(r"^[0-9a-f]{4}  (.{49})", shown, re.MULTILINE)
    return "".join(rows).replace(" ", "")


@pytest.mark.parametrize("name", VECTORS)
def test_the_dump_has_every_octet(name: str) -> None:
    """Without masking the dump is the PDU; with it every octet is there or stars."""
    octets = VECTORS[name]
    assert dumped(show_pdu(octets, header={}, redaction=OPEN)) == octets.hex()
    masked = dumped(show_pdu(octets, header={}, redaction=MASKED))
    assert len(masked) == len(octets.hex())
    assert all(seen in {"*", real} for seen, real in zip(masked, octets.hex(), strict=True))


@st.composite
def personal_pdus(draw: st.DrawFn) -> tuple[str, bytes]:
    """A number, and a PDU that holds it everywhere it may stand, whole, cut or with surplus."""
    number = "1" + "".join(draw(st.permutations("0123456789")))
    field = (draw(st.sampled_from(["", "86", "+86"])) + number + draw(st.sampled_from(["", "\0x", "\xff"]))).encode(
        "latin-1"
    )
    text = encode_text(f"您的号码{number}", draw(st.sampled_from([8, 15])))
    report = bytes(draw(st.sampled_from([CMPPReport, CMPPReport71]))(Dest_terminal_Id=field))
    layer: Any = draw(
        st.sampled_from(
            [
                CMPPSubmit(Dest_terminal_Id=[field, field], Fee_terminal_Id=field, Msg_Fmt=8, Msg_Content=text),
                CMPPSubmit(Dest_terminal_Id=[field], TP_udhi=1, Msg_Fmt=15, Msg_Content=text),
                CMPPDeliver(Src_terminal_Id=field, Msg_Fmt=15, Msg_Content=text, Reserved=number[:8]),
                CMPPDeliver(Src_terminal_Id=field, Registered_Delivery=1, Msg_Content=report),
                CMPPFwd(Src_Id=field, Dest_Id=[field], Fee_terminal_Id=field, Msg_Content=number.encode()),
                CMPPFwd(Msg_Fwd_Type=2, Dest_Id=[field], Msg_Content=report),
                CMPPFwd(Msg_Fwd_Type=3, Dest_Id=[field], Msg_Content=CMPPMOReport(Dest_Id=field)),
                BODIES[0x10](Terminal_Id=field),
            ]
        )
    )
    octets = bytes(CMPP() / layer)
    octets = draw(st.sampled_from([octets, octets + field, octets[: draw(st.integers(12, len(octets)))]]))
    return number, with_length(octets)


@given(personal_pdus(), st.sampled_from([LAYOUT_20, LAYOUT_30]))
def test_masked_text_tells_no_number(drawn: tuple[str, bytes], layout: int) -> None:
    """No seven digits of a number and no word of a text reach the masked text, in tree or dump."""
    number, octets = drawn
    shown = show_pdu(octets, header={"pdu": 1}, redaction=MASKED, layout=layout)
    ascii_side = "".join(line[56:] for line in shown.splitlines() if re.match(r"[0-9a-f]{4}  ", line))
    assert "您的" not in shown
    for part in (number[at : at + 7] for at in range(len(number) - 6)):
        for seen in (part, part.encode().hex(), part.encode("utf-16-be").hex()):
            assert seen not in shown
            assert seen not in dumped(shown)
            assert seen not in ascii_side
