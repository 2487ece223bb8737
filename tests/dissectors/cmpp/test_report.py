"""Status reports, read from Msg_Content."""

from __future__ import annotations

from typing import Any

import pytest

from dissectors.cmpp import (
    CMPP,
    CMPPDeliver,
    CMPPFwd,
    CMPPMOReport,
    CMPPReport,
    CMPPReport71,
    CMPPSubmit,
)

WIDTHS = {60: CMPPReport, 71: CMPPReport71}


@pytest.mark.parametrize("length", [0, 1, 59, 60, 61, 70, 71, 72, 255])
def test_the_length_tells_which_report(length: int) -> None:
    """60 octets are a report of 2.0 and 71 one of 3.0.0, in DELIVER and FWD; others are none."""
    for body in (
        CMPPDeliver(Registered_Delivery=1, Msg_Content=bytes(length)),
        CMPPFwd(Msg_Fwd_Type=2, Msg_Content=bytes(length)),
    ):
        report = CMPP(bytes(CMPP() / body)).report
        assert (None if report is None else type(report)) is WIDTHS.get(length)


@pytest.mark.parametrize("kind", [0, 2, 255])
def test_an_ordinary_message_has_no_report(kind: int) -> None:
    """Without Registered_Delivery 1 sixty octets are a text of sixty octets."""
    assert CMPPDeliver(Registered_Delivery=kind, Msg_Content=bytes(60)).report is None


@pytest.mark.parametrize(("kind", "wanted"), [(0, None), (1, None), (2, CMPPReport), (3, CMPPMOReport), (4, None)])
def test_msg_fwd_type_tells_which_report(kind: int, wanted: type | None) -> None:
    """Between gateways Msg_Fwd_Type tells messages, reports of MT and reports of MO apart."""
    report = CMPPFwd(Msg_Fwd_Type=kind, Msg_Content=bytes(60)).report
    assert (None if report is None else type(report)) is wanted


def test_a_submit_has_no_report() -> None:
    """Registered_Delivery 1 in a SUBMIT asks for a report and is none."""
    assert CMPPSubmit(Registered_Delivery=1, Msg_Content=bytes(60)).report is None


def test_a_cut_content_has_no_report(golden: dict[str, Any]) -> None:
    """Where the content is not whole there is no report, and asking for one raises nothing."""
    octets = golden["G11"].octets
    assert [length for length in range(len(octets)) if CMPP(octets[:length]).report] == list(range(137, 145))


def test_the_report_of_a_golden_30_deliver_parses(golden: dict[str, Any]) -> None:
    """The 71-octet report can be read from its octets though its DELIVER has no layer."""
    vector = golden["G34"]
    report = CMPPReport71(bytes.fromhex(vector.fields["Msg_Content"]))
    assert report.Msg_Id == vector.report["Msg_Id"]
    assert report.SMSC_sequence == vector.report["SMSC_sequence"]
    assert report.Dest_terminal_Id == vector.report["Dest_terminal_Id"].encode().ljust(32, b"\0")
