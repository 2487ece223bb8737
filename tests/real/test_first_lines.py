"""The first ten lines of the text report answer what an engineer with this capture would ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "data" / "real"
CAPTURES = {path.name.partition(".")[0]: path for path in sorted(FOLDER.glob("*.pcap*"))}

CLEAN = "Nothing wrong with framing, headers or the pairing of requests and responses."
WITHIN = CLEAN.replace(".", "; but inside PDUs, see below.")
REFUSED = "Login of 901234 refused: Status 3, authentication failed; compare shared secret"

SAID = {
    "av628_python_ismg_gocmpp": (
        "(ISMG): CMPP_CONNECT_RESP with Sequence_Id 2 comes as the answer to the CMPP_ACTIVE_TEST of PDU 4",
        "1 SUBMIT, 3 ACTIVE_TEST; SP ended it with TERMINATE",
    ),
    "basic_smsgate_smsgate": ("Not delivered, say status reports: 1 UNDELIV of 11.", "login ok in 164 ms; 9 SUBMIT"),
    "cmpp30_cmppy": ("1 session of CMPP 3.0: framed and paired, their changed bodies are not decoded.",),
    "cmpp30_gocmpp": ("1 session of CMPP 3.0: framed and paired, their changed bodies are not decoded.",),
    "cmpp30_joecao_simulator": ("1 session of CMPP 3.0: framed and paired, their changed bodies are not decoded.",),
    "desync_active_test_resp_pycmpp_gocmpp": (
        "(SP): 3 octets of no PDU, 217 to 219 of the direction, skipped",
        "ISMG ended it with TERMINATE",
    ),
    "drop_mid_pdu_sp_killed": (
        "(SP): the connection was closed 169 octets into a PDU of 215",
        "close-outstanding (SP): the SP closed the connection (RST) while 12 CMPP_SUBMIT had no response",
        "SP ended it by resetting the connection (RST)",
    ),
    "fmt_any_sll1": (WITHIN, "login ok in 0.29 ms; 3 SUBMIT, 3 DELIVER, 1 ACTIVE_TEST; SP ended it with TERMINATE"),
    "fmt_ipv6_loopback": (WITHIN, "SP 901234 at [::1]:53802, ISMG at [::1]:7890"),
    "fmt_ipv6_veth": (WITHIN, "SP 901234 at [fd99::2]:34388, ISMG at [fd99::1]:7890"),
    "fmt_veth_pcap_ns": (WITHIN, "3 SUBMIT, 3 DELIVER, 1 ACTIVE_TEST; SP ended it with TERMINATE"),
    "fmt_veth_pcap_us": (WITHIN, "3 SUBMIT, 3 DELIVER, 1 ACTIVE_TEST; SP ended it with TERMINATE"),
    "fmt_veth_pcapng": ("3 SUBMIT, 3 DELIVER, 1 ACTIVE_TEST; SP ended it with TERMINATE",),
    "heartbeat_answered_with_request_node_yedamao": (
        "keepalive-unanswered (ISMG): CMPP_ACTIVE_TEST with Sequence_Id 3 got no response; PDU 6 is a CMPP_ACTIVE_TEST",
        "from the other side, where a response should be",
    ),
    "idle_heartbeat_smsgate": (CLEAN, "login ok in 175 ms; 6 ACTIVE_TEST; SP ended it with TERMINATE"),
    "itio_ismg_node_sp": (WITHIN, "No status report names the Msg_Id of 3 accepted SUBMITs that wanted one."),
    "itio_ismg_query_cancel_gosmsgate": (
        "the ISMG closed the connection (FIN) while 1 CMPP_QUERY had no response",
        "ISMG ended it by closing the connection (FIN)",
    ),
    "login_refused_badsecret_gocmpp": (REFUSED, "ISMG ended it with TERMINATE"),
    "login_refused_gocmpp_crazymouse": (REFUSED, "SP ended it by closing the connection (FIN)"),
    "login_refused_gocmpp_sp_typefo_ismg": (REFUSED, "ISMG ended it by closing the connection (FIN)"),
    "login_refused_smsgate_ismg_gocmpp_sp": (REFUSED, "CMPP 2.0: login refused (Status 3)"),
    "login_submit_terminate_node_gocmpp": (WITHIN, "login ok in 0.44 ms; 2 SUBMIT, 5 DELIVER"),
    "long_udh_heartbeat_pycmpp_gocmpp": ("while 7 CMPP_DELIVER had no response",),
    "midstream_start_gocmpp": (
        "179 octets are missing from the capture",
        "SP (no CONNECT seen) at 10.99.0.2:55348",
        "login not in the capture",
    ),
    "mo_and_ismg_heartbeat_gocmpp": (CLEAN, "3 DELIVER, 4 ACTIVE_TEST; SP ended it with TERMINATE"),
    "mo_reports_typefo_ismg_gocmpp_sp": ("(ISMG): Total_Length is 255, but 85 + Msg_Length makes 244 (frame 12).",),
    "multidest100_long_node_gocmpp": ("Not delivered, say status reports: 10 UNDELIV of 106.",),
    "net_loss8_reorder10_dup2_gocmpp_ismgside": (
        "TCP carried 23,533 octets more than once: the network lost, delayed or doubled segments.",
        "Not delivered, say status reports: 50 UNDELIV of 500.",
    ),
    "query_cancel_yedamao": (
        "PDU 10 is a CMPP_ACTIVE_TEST with the same Sequence_Id from the other side",
        "ISMG ended it by closing the connection (FIN)",
    ),
    "receiver_mockserver_mo_yedamao": ("(ISMG): different requests in a row carry Sequence_Id 1",),
    "reports_smsgate_ismg_gocmpp_sp": (WITHIN, "Not delivered, say status reports: 1 UNDELIV of 3."),
    "rust_client_av628_bad_heartbeat_answer": (
        "(ISMG): CMPP_CONNECT_RESP has 13 octets instead of 30",
        "comes as the answer to the CMPP_ACTIVE_TEST of PDU 4",
        "SP ended it by closing the connection (FIN)",
    ),
    "rust_client_gocmpp": ("login ok in 0.28 ms; 5 SUBMIT, 9 DELIVER, 7 ACTIVE_TEST; SP ended it with TERMINATE",),
    "rust_client_typefo_ismg": (
        "(ISMG): Total_Length is 255, but 85 + Msg_Length makes 244 (frame 14).",
        "the SP closed the connection (FIN) while 4 CMPP_DELIVER had no response",
    ),
    "submit_encodings_gocmpp": ("Not delivered, say status reports: 1 UNDELIV of 7.",),
    "submit_single_typefo_sp_gocmpp": ("login ok in 0.44 ms; 1 SUBMIT; SP ended it with TERMINATE",),
    "terminate_by_ismg_gocmpp": (WITHIN, "2 SUBMIT; ISMG ended it with TERMINATE"),
    "tnt_csharp_gocmpp_login_bad": (
        REFUSED,
        "The SP takes the refused login for success and goes on to SUBMIT (stream 0).",
    ),
    "tnt_csharp_query_totallength0_smsgate": ("(SP): Total_Length 0: a header alone has 12 octets (frame 16).",),
    "transmitter_mockserver_yedamao": (WITHIN, "login ok in 0.22 ms; 1 SUBMIT; SP ended it with TERMINATE"),
}


def test_every_capture_has_its_sentence() -> None:
    """The table names every capture."""
    assert set(SAID) == set(CAPTURES)


@pytest.mark.parametrize("name", SAID)
def test_the_first_ten_lines_say_it(name: str, cli: Callable[..., Any]) -> None:
    """What matters most stands in the first ten lines, none of them wider than 80 columns."""
    ended = cli("report", "--format", "text", CAPTURES[name])
    lines = ended.text.splitlines()[:10]
    told = " ".join(line.strip() for line in lines)
    assert [phrase for phrase in SAID[name] if phrase not in told] == []
    assert max(map(len, ended.text.splitlines())) <= 80
    assert (ended.status, ended.err) == (0, "")
