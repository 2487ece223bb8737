"""Rules about fields: more near misses than one a rule, and what its words say."""

from __future__ import annotations

import pytest

from tests.rules.conversation import told

_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
_GATEWAYS = "0 SP CONNECT 1 addr=001001\n0.1 ISMG CONNECT_RESP 1\n"


def _found(words: str, *, response: str = "", login: str = _LOGIN) -> list[str]:
    """Give the rules that one SUBMIT breaks."""
    return [name for name, *_ in told(f"{login}1 SP SUBMIT 2 {words}\n1.1 ISMG SUBMIT_RESP 2 {response}").found]


def _forwarded(words: str) -> list[str]:
    """Give the rules about fields that one FWD between gateways breaks."""
    lines = f"{_GATEWAYS}1 SP FWD 2 {words}\n1.1 ISMG FWD_RESP 2"
    return [name for name, *_ in told(lines).found if not name.startswith(("fwd", "report"))]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "to=99",
        "fee_user_type=3 fee_terminal_id=8613800000000 feetype=05 feecode=999999",
        "valid_time=260601042640032+ at_time=260530042640032+",
        "valid_time=000002000000000R at_time=000001000000000R",
        "valid_time=000001000000000R at_time=260530042641032+",
        "src_id=106588880001 dest_terminal_id=8613800138000,+8613800138001,13800138002",
        "msg_fmt=4 msg_content=0x80ff00",
        "msg_fmt=3 msg_content=0xffff",
        "msg_fmt=15 tp_udhi=1 msg_content=0x050003010101c4e3",
    ],
)
def test_what_the_document_allows_is_no_finding(words: str) -> None:
    """Legal values of every kind give no finding."""
    assert _found(words) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("msg_fmt=15 tp_udhi=1 pk_total=2 pk_number=1 msg_content=0x050003010201c4e3ba", []),
        ("msg_fmt=15 tp_udhi=1 pk_total=2 pk_number=2 msg_content=0x050003010202c3c4e3", []),
        ("msg_fmt=15 tp_udhi=1 pk_total=2 pk_number=2 msg_content=0x05000301020241c4", ["gb-invalid"]),
        ("msg_fmt=15 tp_udhi=1 pk_total=2 pk_number=1 msg_content=0x050003010201c4e3ff41", ["gb-invalid"]),
    ],
)
def test_a_character_may_go_on_in_the_next_part(words: str, expected: list[str]) -> None:
    """A part of a long text in GBK may end or begin inside a character, but not where the whole text does."""
    assert [name for name in _found(words) if not name.startswith("concat")] == expected


def test_octets_in_front_of_an_overrun_header_are_no_text() -> None:
    """Where the header takes all, nothing is said of the text."""
    assert _found("msg_fmt=8 tp_udhi=1 msg_content=0x4f000301010180") == ["udh-overrun"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("valid_time=000001000000000R at_time=000002000000000R", ["time-order"]),
        ("valid_time=000001000000000R at_time=260530050000032+", ["time-order"]),
        ("valid_time=000001000000000R at_time=260530043000032+", []),
        ("valid_time=000100000000000R at_time=000030000000000R", []),
        ("valid_time=260529042000000- at_time=260529042000000-", ["time-zone"]),
    ],
)
def test_spans_count_from_the_capture_and_months_are_not_all_equal(words: str, expected: list[str]) -> None:
    """A validity that ends before the message is sent is told where no length of month and no clock explains it."""
    assert _found(words) == expected


def test_fields_are_not_looked_for_where_lengths_do_not_fit() -> None:
    """Of a SUBMIT whose Total_Length is wrong nothing is said but that."""
    assert _found("pad=1 src_id= msg_fmt=8 text=hello reserve=0x20") == ["length-submit"]


def test_reports_are_no_texts() -> None:
    """The binary Msg_Id in a report is neither ASCII above 0x7F nor a user data header."""
    lines = (
        _LOGIN + "1 SP SUBMIT 2 report=1\n1.1 ISMG SUBMIT_RESP 2 id=1\n9 ISMG DELIVER 1 about=1\n9.1 SP DELIVER_RESP 1"
    )
    assert told(lines).found == []


def test_contents_are_looked_at_in_all_that_carries_messages() -> None:
    """DELIVER and FWD have contents as SUBMIT has; the limit of Msg_Length is SUBMIT's and its passing on."""
    octets = "msg_content=0x" + "c4e3" * 75
    deliver = told(f"{_LOGIN}1 ISMG DELIVER 2 {octets} tp_udhi=2\n1.1 SP DELIVER_RESP 2").found
    assert deliver == [("udhi-range", "peer", 1), ("ascii-8bit", "peer", 1)]
    assert _forwarded(f"{octets} msg_fmt=8 feetype=06") == ["submit-feetype", "msglen-over"]
    assert _forwarded(f"{octets} msg_fmt=8 msg_fwd_type=1") == []
    assert _forwarded("pk_total=0 feetype=00 valid_time=0") == ["submit-pk-zero", "time-grammar"]


def test_lists_are_told_once_a_pdu_and_counted() -> None:
    """Several wrong receivers of one SUBMIT are one place, with the first of them and how many more."""
    lines = f"{_LOGIN}1 SP SUBMIT 2 dest_terminal_id=13800138000,a,b,c\n1.1 ISMG SUBMIT_RESP 2"
    (finding,) = told(lines).analysis.findings
    assert [place.detail for place in finding.places] == [
        "Dest_terminal_Id is no number: a; and 2 more of its list",
    ]


def test_numbers_are_hidden_in_the_words() -> None:
    """A subscriber's number in the words of a finding goes through what the user chose to hide."""
    lines = f"{_LOGIN}1 SP SUBMIT 2 fee_terminal_id=13000000009 dest_terminal_id=1380013\n1.1 ISMG SUBMIT_RESP 2"
    findings = told(lines, hide=lambda text: "*" * len(text)).analysis.findings
    details = [place.detail for finding in findings for place in finding.places]
    assert details == [
        "Fee_UserType is 2, but Fee_terminal_Id is ***********",
        "Dest_terminal_Id is *******",
    ]


def test_a_login_that_asks_twice_is_measured_by_what_it_asked_last() -> None:
    """Status 0 answers the CONNECT with its Sequence_Id, not an earlier one with a higher Version."""
    lines = "0 SP CONNECT 1 version=0x30\n0.1 ISMG CONNECT_RESP 1 status=4\n1 SP CONNECT 2\n1.1 ISMG CONNECT_RESP 2"
    assert "connect-version-mismatch" not in [name for name, *_ in told(lines).found]


def test_a_session_seen_from_its_middle_may_be_one_of_2_1() -> None:
    """Several receivers with a report are no error where the login was not seen."""
    assert "dest-many-report" not in _found("to=2 report=1", login="0 SP ACK\n")


@pytest.mark.parametrize("between", ["pad=1", "layout=30"])
def test_a_pdu_that_does_not_fit_leaves_its_neighbours_to_be_judged(between: str) -> None:
    """Octet Strings and fees are told of PDUs with the right length, in front of it and behind it."""
    wrong = "src_id=10_ feetype=99"
    lines = f"{_LOGIN}1 SP SUBMIT 2 {wrong} text=a\n1 SP SUBMIT 3 {between}\n2 SP SUBMIT 4 {wrong} text=b"
    places = {finding.rule.id: [place.pdu for place in finding.places] for finding in told(lines).analysis.findings}
    assert (places["string-space"], places["submit-feetype"]) == ([3, 5], [3, 5])
