"""Sessions: who talks to whom, in which version, and how it ends."""

from __future__ import annotations

import pytest

from cmppscope.sessions import Session
from cmppscope.tables import LAYOUT_20, LAYOUT_30
from tests.rules.conversation import Told, told

_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"


def only(found: Told) -> Session:
    """Give the only session."""
    (session,) = found.analysis.sessions
    return session


ROLES = {
    "who connects is the SP": ("0 ISMG CONNECT 1\n0.1 SP CONNECT_RESP 1", "SP-ISMG", ("ISMG", "SP")),
    "who submits is the SP": ("0 ISMG SUBMIT 1\n0.1 SP SUBMIT_RESP 1", "SP-ISMG", ("ISMG", "SP")),
    "who delivers is the ISMG": ("0 SP DELIVER 1\n0.1 ISMG DELIVER_RESP 1", "SP-ISMG", ("ISMG", "SP")),
    "a response tells as well": ("0 SP DELIVER_RESP 1\n0.1 SP DELIVER_RESP 2", "SP-ISMG", ("SP", "ISMG")),
    "else the port": ("0 SP ACTIVE_TEST 1\n0.1 ISMG ACTIVE_TEST_RESP 1", "SP-ISMG", ("SP", "ISMG")),
    "FWD is between gateways": ("0 SP FWD 1\n0.1 ISMG FWD_RESP 1", "ISMG-ISMG", ("ISMG", "ISMG")),
    "who asks for a route is the ISMG": ("0 ISMG MT_ROUTE 1\n0.1 SP MT_ROUTE_RESP 1", "ISMG-GNS", ("GNS", "ISMG")),
    "who pushes a route is the GNS": (
        "0 SP PUSH_MT_ROUTE_UPDATE 1\n0.1 ISMG PUSH_MT_ROUTE_UPDATE_RESP 1",
        "ISMG-GNS",
        ("GNS", "ISMG"),
    ),
}


@pytest.mark.parametrize("case", ROLES)
def test_roles(case: str) -> None:
    """Roles follow from what was sent, on any cut of batches."""
    lines, interface, roles = ROLES[case]
    for cuts in ((), range(9)):
        session = only(told(lines, cuts=cuts))
        assert (session.interface, session.roles) == (interface, roles)


@pytest.mark.parametrize(("port", "interface"), [(7930, "ISMG-ISMG"), (9168, "ISMG-GNS"), (7900, "SP-ISMG")])
def test_the_port_tells_where_nothing_else_does(port: int, interface: str) -> None:
    """Without a telling command the interface is that of the port."""
    assert only(told(_LOGIN, port=port)).interface == interface


VERSIONS = {
    "CONNECT 0x20": ("0 SP CONNECT 1 version=0x20", "2.0"),
    "CONNECT 0x21": ("0 SP CONNECT 1 version=0x21", "2.1"),
    "CONNECT 0x21 and 30 octets": ("0 SP CONNECT 1 version=0x21\n0.1 ISMG CONNECT_RESP 1", "2.1"),
    "CONNECT 0x30": ("0 SP CONNECT 1 version=0x30", "3.0"),
    "CONNECT 0x14": ("0 SP CONNECT 1 version=0x14", "2.0"),
    "CONNECT 0x00": ("0 SP CONNECT 1 version=0x00", "2.0"),
    "30 octets over 0x30": ("0 SP CONNECT 1 version=0x30\n0.1 ISMG CONNECT_RESP 1", "2.0"),
    "33 octets over 0x20": ("0 SP CONNECT 1 version=0x20\n0.1 ISMG CONNECT_RESP 1 width=4", "3.0"),
    "no CONNECT, a 3.0 SUBMIT": ("0 SP SUBMIT 1 layout=30\n0.1 ISMG ACTIVE_TEST 1", "3.0"),
    "no CONNECT, a 2.0 SUBMIT": ("0 SP SUBMIT 1\n0.1 ISMG SUBMIT_RESP 1", "2.0"),
    "nothing that tells": ("0 SP ACTIVE_TEST 1\n0.1 ISMG ACTIVE_TEST_RESP 1", None),
    "the first decision stays": ("0 SP SUBMIT 1 layout=30\n0.1 SP CONNECT 2 version=0x20", "3.0"),
    "the first answer decides": (
        "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1 status=3\n1 SP CONNECT 2\n1.1 ISMG CONNECT_RESP 2 width=4",
        "2.0",
    ),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_versions(case: str) -> None:
    """The version follows from CONNECT, its response, or the first PDU that fits one version, on any cut."""
    lines, version = VERSIONS[case]
    assert [only(told(lines, cuts=cuts)).version for cuts in ((), range(9))] == [version, version]


def test_a_version_that_the_user_names_stays() -> None:
    """`decode_as` overrules what CONNECT_RESP says."""
    assert only(told("0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1", decode_as={7890: "cmpp30"})).version == "3.0"


@pytest.mark.parametrize(("octet", "layout"), [("0x20", LAYOUT_20), ("0x30", LAYOUT_30)])
def test_the_version_lays_out_what_fits_nothing(octet: str, layout: int) -> None:
    """A PDU that fits no layout is read with that of its session."""
    lines = f"0 SP CONNECT 1 version={octet}\n1 SP SUBMIT 2 pad=1 + ACTIVE_TEST 3\n1.1 ISMG ACTIVE_TEST_RESP 3"
    assert [row[3] for row in told(lines).pdus if row[1][4:8] == b"\0\0\0\4"] == [layout]


def test_a_refused_login_stays_in_its_session() -> None:
    """A CONNECT after a refused one counts in the same session."""
    session = only(told("0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1 status=3\n1 SP CONNECT 2\n1.3 ISMG CONNECT_RESP 2"))
    assert (session.connects, session.status, session.login, session.login_ns) == (2, 0, "ok", 300_000_000)
    assert session.first_status == 3


@pytest.mark.parametrize(
    ("lines", "login"),
    [
        ("0 SP CONNECT 1", "unanswered"),
        ("0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1 status=3", "refused"),
        ("0 SP ACTIVE_TEST 1\n0.1 ISMG ACTIVE_TEST_RESP 1", "not seen"),
        (_LOGIN, "ok"),
    ],
)
def test_logins(lines: str, login: str) -> None:
    """A login is ok, refused, unanswered or not seen."""
    assert only(told(lines)).login == login


def test_connect_after_terminate_resp_begins_a_session() -> None:
    """A CONNECT after TERMINATE_RESP begins a new session in the same stream; counts are kept apart."""
    lines = _LOGIN + "1 SP TERMINATE 2\n1.1 ISMG TERMINATE_RESP 2\n2 SP CONNECT 3\n2.1 ISMG CONNECT_RESP 3\n3 SP FIN"
    for cuts in ((), range(20)):
        found = told(lines, cuts=cuts)
        assert [(s.pdus, s.connects, s.first_pdu, s.last_pdu) for s in found.analysis.sessions] == [
            (4, 1, 1, 4),
            (2, 1, 5, 6),
        ]
        last = found.analysis.last_time_ns
        assert [s.closed_by(last)[0] for s in found.analysis.sessions] == ["sp_terminate", "sp_fin"]


CLOSED = {
    "sp_terminate": "1 SP TERMINATE 2\n1.1 ISMG TERMINATE_RESP 2\n1.2 ISMG FIN",
    "ismg_terminate": "1 ISMG TERMINATE 2\n1.1 SP TERMINATE_RESP 2\n1.2 SP RST",
    "sp_fin": "1 SP FIN\n1.1 ISMG FIN",
    "ismg_fin": "1 ISMG FIN",
    "sp_rst": "1 SP RST",
    "ismg_rst": "1 ISMG RST",
    "silence": "1 SP@1 ACTIVE_TEST 1\n1 ISMG@1 ACTIVE_TEST_RESP 1\n361 SP@1 ACK",
    "capture_end": "1 SP@1 ACTIVE_TEST 1\n1 ISMG@1 ACTIVE_TEST_RESP 1\n360 SP@1 ACK",
}


@pytest.mark.parametrize("how", CLOSED)
def test_endings(how: str) -> None:
    """A session is ended by either side's TERMINATE, FIN or RST, by silence, or by the end of the capture."""
    found = told(_LOGIN + CLOSED[how])
    assert found.analysis.sessions[0].closed_by(found.analysis.last_time_ns)[0] == how


def test_terminate_resp_alone_tells_who_asked() -> None:
    """Where the capture lost TERMINATE its response tells who sent it."""
    lines = _LOGIN + "1 SP TERMINATE 2 | lost\n1.1 ISMG TERMINATE_RESP 2\n1.2 ISMG FIN"
    assert only(told(lines)).closed_by(0) == ("sp_terminate", 0)


def test_counts_are_by_direction_and_whole_command() -> None:
    """PDUs are counted by direction and Command_Id; an unknown one that shares low bits is its own."""
    session = only(told(_LOGIN + "1 SP 0x00010001 7 + ACTIVE_TEST 8\n1.1 ISMG ACTIVE_TEST_RESP 8"))
    assert session.counts == {
        (0, 1): 1,
        (1, 0x80000001): 1,
        (0, 0x10001): 1,
        (0, 8): 1,
        (1, 0x80000008): 1,
    }
    assert (session.pdus, session.octets, session.source_addr) == (5, 39 + 30 + 12 + 12 + 13, "901234")
