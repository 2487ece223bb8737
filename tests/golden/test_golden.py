"""Reports are, octet for octet, those kept here.

After a change that is meant to change reports: `make golden`, then read the difference before keeping it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
REAL = (
    "av628_python_ismg_gocmpp.pcap",
    "basic_smsgate_smsgate.pcap",
    "desync_active_test_resp_pycmpp_gocmpp.pcap",
    "drop_mid_pdu_sp_killed.pcap",
    "fmt_veth_pcapng.pcapng",
    "query_cancel_yedamao.pcap",
    "tnt_csharp_query_totallength0_smsgate.pcap",
)
CAPTURES = {
    path.name.partition(".")[0]: path
    for path in (
        *sorted((ROOT / "samples").glob("*.pcap*")),
        *(ROOT / "tests" / "data" / "real" / name for name in REAL),
    )
}


@pytest.mark.parametrize("name", CAPTURES)
def test_report_is_the_golden_one(name: str, cli: Callable[..., Any], request: pytest.FixtureRequest) -> None:
    """The JSON report of a capture has not changed, but for the version of the program."""
    octets = cli("report", CAPTURES[name]).out
    version = json.loads(octets)["generator"]["version"]
    octets = octets.replace(f'"version": "{version}"'.encode(), b'"version": "0"', 1)
    golden = FOLDER / f"{name}.json"
    if request.config.getoption("--renew-golden"):
        golden.write_bytes(octets)
    assert octets.decode() == golden.read_text(encoding="utf-8")


def test_every_golden_report_has_its_capture() -> None:
    """No golden report outlives its capture."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(CAPTURES)
