"""What a person sees: names for numbers, text for octets, nothing a terminal would obey."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.cmpp import (
    CMPP,
    CMPPConnect,
    CMPPConnectResp,
    CMPPDeliver,
    CMPPFwdResp,
    CMPPQuery,
    CMPPReport,
    CMPPSubmit,
    CMPPSubmitResp,
    encode_text,
)


def shown(pdu: Any) -> dict[str, str]:
    """Return what `show` writes, field by field."""
    lines = [line.strip(" |") for line in pdu.show(dump=True).splitlines() if "= " in line]
    return {name.strip(): value for name, value in (line.split("= ", 1) for line in lines)}


@pytest.mark.parametrize(
    ("layer", "field", "text"),
    [
        (CMPP() / CMPPSubmit(), "Command_Id", "CMPP_SUBMIT (0x00000004)"),
        (CMPPSubmit(Registered_Delivery=2), "Registered_Delivery", "2 (charging record only)"),
        (CMPPSubmit(Msg_Fmt=99), "Msg_Fmt", "99 (other coding)"),
        (CMPPSubmit(FeeType="04"), "FeeType", "'04' (capped)"),
        (CMPPSubmit(ValId_Time="000002000000000R"), "ValId_Time", "'000002000000000R' (2 days)"),
        (
            CMPPSubmit(At_Time="020922120000032+"),
            "At_Time",
            "'020922120000032+' (2002-09-22 12:00:00+08:00)",
        ),
        (CMPPSubmit(At_Time="20020922"), "At_Time", "'20020922' (not 15 digits and +, - or R)"),
        (CMPPSubmit(Src_Id=b"\xff1"), "Src_Id", "0xff31" + "00" * 19),
        (CMPPSubmit(Service_Id=b"ab  "), "Service_Id", "'ab'"),
        (
            CMPPSubmit(Service_Id=b"ab\0cd"),
            "Service_Id",
            "'ab' followed by 0x" + b"cd".ljust(7, b"\0").hex(),
        ),
        (CMPPSubmit(Dest_terminal_Id=["1", "2"]), "Dest_terminal_Id", "['1', '2']"),
        (CMPPSubmit(Dest_terminal_Id=["1", "2"]), "DestUsr_tl", "2 (filled in)"),
        (CMPPSubmitResp(Result=8), "Result", "8 (flow control)"),
        (CMPPSubmitResp(Result=10), "Result", "10 (other error [2.1: bad Src_Id])"),
        (CMPPSubmitResp(Result=77), "Result", "77 (other error)"),
        (CMPPFwdResp(Result=9), "Result", "9 (wrongly forwarded)"),
        (CMPPFwdResp(Result=10), "Result", "10 (other error)"),
        (CMPPSubmitResp(Msg_Id=0x9B28F7C003E90001), "Msg_Id", "0922101531-001001-00001"),
        (CMPPSubmitResp(Msg_Id=1), "Msg_Id", "0x0000000000000001"),
        (CMPPConnectResp(Status=3), "Status", "3 (authentication failed)"),
        (CMPPConnect(Version=0x30), "Version", "3.0"),
        (CMPPConnect(Timestamp=922101530), "Timestamp", "0922101530 (09-22 10:15:30)"),
        (CMPPConnect(Timestamp=0), "Timestamp", "0000000000 (month must be in 1..12)"),
        (CMPPConnect(AuthenticatorSource=b"\1" * 16), "AuthenticatorSource", "01" * 16),
        (CMPPQuery(Time="20020922"), "Time", "'20020922' (2002-09-22)"),
        (CMPPReport(Stat="MA:0054"), "Stat", "'MA:0054' (message centre did not respond)"),
        (CMPPReport(Done_time="0209221016"), "Done_time", "'0209221016' (2002-09-22 10:16)"),
    ],
)
def test_values_have_meanings(layer: Any, field: str, text: str) -> None:
    """Enumerations, identifiers and times are shown with what they mean."""
    assert shown(layer)[field] == text


def test_contents_are_shown_as_text_and_octets(golden: dict[str, Any]) -> None:
    """The content is shown decoded, its user data header before it, its octets behind."""
    assert shown(CMPP(golden["G04"].octets))["Msg_Content"].startswith(f"{golden['G04'].text!r} 0x4f60")
    assert shown(CMPP(golden["G08"].octets))["Msg_Content"].startswith("[header: part 2 of 2, reference 90 (8 bits)] ")
    assert "port 9200 to 2948" in shown(CMPP(golden["G36"].octets))["Msg_Content"]


def test_reports_are_shown_below_their_pdu(golden: dict[str, Any]) -> None:
    """The fields of a report follow those of the DELIVER that brings it."""
    pdu = CMPP(golden["G11"].octets)
    assert shown(pdu)["Stat"] == "'DELIVRD' (delivered)"
    assert shown(pdu)["Msg_Content"] == f"0x{pdu.Msg_Content.hex()}"


def test_show_prints(golden: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """`show()` without `dump` prints what `dump` returns."""
    pdu: Any = CMPP(golden["G11"].octets)
    assert pdu.show() is None
    assert capsys.readouterr().out.strip() == pdu.show(dump=True).strip()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_hostile_text_is_escaped(text: str) -> None:
    """Control characters, escape sequences and direction marks never reach the terminal."""
    deliver: Any = CMPPDeliver(Msg_Fmt=8, Msg_Content=encode_text(text, 8))
    for seen in (repr(deliver), deliver.show(dump=True).replace("\n", "")):
        assert seen.isprintable()


@given(st.binary(min_size=137, max_size=300))
def test_hostile_octets_are_escaped(octets: bytes) -> None:
    """No octets of any field reach the terminal unescaped."""
    submit: Any = CMPPSubmit(octets)
    for seen in (repr(submit), submit.show(dump=True).replace("\n", "")):
        assert seen.isprintable()
