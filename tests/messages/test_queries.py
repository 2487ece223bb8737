"""QUERYs: beside what the gateway counted, what the capture holds of the same day (CMPP 2.0 §7.4.4)."""

from __future__ import annotations

import datetime as dt

import pytest

from cmppscope.messages import queries
from cmppscope.messages.queries import Held, Query
from tests.rules.conversation import START_NS, told

_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
_SENT = """1 SP SUBMIT 2 to=3 text=a service_id=TPCQ
2 SP SUBMIT 3 to=2 text=b service_id=QQ
3 ISMG DELIVER 1 text=c service_id=QQ
4 ISMG DELIVER 2 about=2
"""
_ALL, _OF_TPCQ = "time=20260529", "time=20260529 query_type=1 query_code=TPCQ"


def only(lines: str, **how: object) -> Query:
    """Give the only QUERY of a conversation."""
    (query,) = told(lines, **how).analysis.messages.queries.queries
    return query


def held(lines: str, **how: object) -> tuple[int, int, int] | None:
    """Give the SUBMITs, receivers and MOs that are held against the only QUERY."""
    found = only(lines, **how).held
    return None if found is None else found[:3]


def test_the_day_begins_in_the_zone_of_the_gateways() -> None:
    """The conversations of these tests begin on the day that they ask for."""
    assert dt.datetime.fromtimestamp(START_NS // 10**9, dt.timezone(dt.timedelta(hours=8))).strftime("%Y%m%d") in _ALL


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (_ALL, (2, 5, 1)),
        (_OF_TPCQ, (1, 3, 0)),
        ("time=20260529 query_type=1 query_code=QQ", (1, 2, 1)),
        ("time=20260529 query_type=1 query_code=0x51510041414141414141", (1, 2, 1)),
        ("time=20260529 query_type=1 query_code=Q", (0, 0, 0)),
        ("time=20260529 query_code=TPCQ", (2, 5, 1)),
        ("time=20260529 query_type=2 query_code=TPCQ", None),
        ("time=20260528", None),
        ("time=20260530", None),
        ("time=99991231", None),
        ("time=00010101", None),
        ("time=20260230", None),
        ("time=2026529", None),
    ],
)
def test_what_is_asked_for_is_counted(asked: str, expected: tuple[int, int, int] | None) -> None:
    """A day of an SP, or one Service_Id of it; Query_Code says nothing where Query_Type is 0.

    Of days before the SP's first session, and of days to come, the capture holds nothing.
    """
    assert held(_LOGIN + _SENT + f"5 SP QUERY 4 {asked}") == expected


def test_what_comes_behind_the_query_is_not_counted() -> None:
    """The gateway answers with what it had then."""
    lines = _LOGIN + f"0.5 SP QUERY 9 {_ALL}\n" + _SENT
    assert held(lines) == (0, 0, 0)


def test_what_was_sent_again_counts_once() -> None:
    """A resend is the same message."""
    lines = _LOGIN + "1 SP SUBMIT 2 text=a\n62 SP SUBMIT 2 text=a\n63 ISMG DELIVER 3\n130 ISMG DELIVER 3\n"
    assert held(lines + f"131 SP QUERY 5 {_ALL}") == (1, 1, 1)


def test_other_connections_of_the_sp_count_and_other_sps_do_not() -> None:
    """Messages are the SP's, whatever connection they went over."""
    lines = _LOGIN + "0.2 SP@1 CONNECT 1\n0.3 SP@2 CONNECT 1 addr=905555\n"
    lines += f"1 SP@1 SUBMIT 2 to=4\n1 SP@2 SUBMIT 2 to=9\n2 SP QUERY 2 {_ALL}"
    assert held(lines) == (1, 4, 0)


def test_days_are_apart() -> None:
    """What went before midnight is of the day before, and what went behind it of the day after."""
    after = 24 * 3600
    lines = _LOGIN + "1 SP SUBMIT 2 to=2\n" + f"{after} SP SUBMIT 3 text=b\n"
    midnight = int(dt.datetime(2026, 5, 30, tzinfo=dt.timezone(dt.timedelta(hours=8))).timestamp()) * 10**9
    today = only(lines + f"{after + 1} SP QUERY 4 time=20260530").held
    assert today == Held(1, 1, 0, 0, midnight, START_NS + (after + 1) * 10**9)
    yesterday = only(lines + f"{after + 1} SP QUERY 4 time=20260529").held
    assert yesterday == Held(1, 2, 0, 0, START_NS, midnight)


def test_counting_begins_with_the_first_session_of_the_sp() -> None:
    """What went before the capture is not held, so the report says from when on it counts."""
    found = only(_LOGIN + f"1 SP QUERY 2 {_ALL}").held
    assert found is not None
    assert found.since_ns == START_NS


def test_of_an_sp_that_is_not_known_nothing_is_told() -> None:
    """Without the login any message may be of another SP."""
    assert held(f"1 SP SUBMIT 2\n2 SP QUERY 3 {_ALL}") is None


@pytest.mark.parametrize(("asked", "unknown"), [(_ALL, 3), (_OF_TPCQ, 2)])
def test_messages_that_may_be_the_sp_s_are_counted_apart(asked: str, unknown: int) -> None:
    """A connection whose login the capture does not hold may be one of this SP."""
    lines = _LOGIN + "1 SP SUBMIT 2 to=2 service_id=TPCQ\n1 SP@1 SUBMIT 2 service_id=TPCQ\n"
    lines += f"1 SP@1 SUBMIT 3 service_id=QQ text=b\n1 ISMG@1 DELIVER 1 service_id=TPCQ\n2 SP QUERY 3 {asked}"
    found = only(lines).held
    assert found is not None
    assert found[:4] == (1, 2, 0, unknown)


@pytest.mark.parametrize("cuts", [(), range(20)])
def test_the_answer_stands_beside_it(cuts: object) -> None:
    """All eight counts, with the QUERY that they answer, however late they come."""
    counts = "mt_tlmsg=1 mt_tlusr=2 mt_scs=3 mt_wt=4 mt_fl=5 mo_scs=6 mo_wt=7 mo_fl=8"
    lines = _LOGIN + f"1 SP QUERY 2 {_ALL}\n1 SP QUERY 3 {_OF_TPCQ}\n2 ISMG QUERY_RESP 3\n3 ISMG QUERY_RESP 2 {counts}"
    found = told(lines, cuts=cuts).analysis.messages.queries
    assert [q.answer and q.answer.counts for q in found.queries] == [(1, 2, 3, 4, 5, 6, 7, 8), (0,) * 8]
    assert [(q.day, q.query_type) for q in found.queries] == [(b"20260529", 0), (b"20260529", 1)]


def test_a_query_without_an_answer_stands_alone() -> None:
    """A response to something else is no answer, nor is one that is cut short."""
    lines = _LOGIN + f"1 ISMG QUERY_RESP 7\n1 SP QUERY 2 {_ALL}\n1.1 ISMG QUERY_RESP 2 total=62 cut=62"
    assert only(lines).answer is None


def test_an_answer_says_what_it_is_about() -> None:
    """It may not be what was asked for."""
    lines = _LOGIN + f"1 SP QUERY 2 {_ALL}\n2 ISMG QUERY_RESP 2 time=20260528 query_type=1 query_code=QQ"
    answer = only(lines).answer
    assert answer is not None
    assert answer[:3] == (b"20260528", 1, b"QQ".ljust(10, b"\0"))


def test_counts_beyond_those_that_are_kept_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A QUERY behind the message for which there was no room has nothing to be held against; one before it has."""
    monkeypatch.setattr(queries, "COUNTS_KEPT", 1)
    ask = f"SP QUERY {{}} {_ALL}\n"
    lines = _LOGIN + "1 SP SUBMIT 2 service_id=A\n1.5 " + ask.format(3)
    lines += "2 SP SUBMIT 4 service_id=B\n3 " + ask.format(5)
    found = told(lines).analysis.messages.queries.queries
    assert [None if q.held is None else q.held[:3] for q in found] == [(1, 1, 0), None]


def test_a_service_among_too_many_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Service_Ids are counted as others, no one of them is known; the day as a whole is."""
    monkeypatch.setattr("cmppscope.messages.tally.KEYS_KEPT", 1)
    monkeypatch.setattr(queries, "KEYS_KEPT", 1)
    lines = _LOGIN + _SENT
    assert held(lines + f"5 SP QUERY 4 {_OF_TPCQ}") is None
    assert held(lines + f"5 SP QUERY 4 {_ALL}") == (2, 5, 1)


def test_only_the_first_queries_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """QUERIES_KEPT of them, and no answers behind the first ANSWERS_KEPT."""
    monkeypatch.setattr(queries, "QUERIES_KEPT", 2)
    monkeypatch.setattr(queries, "ANSWERS_KEPT", 1)
    lines = _LOGIN + "".join(f"{n} SP QUERY {n + 2} {_ALL}\n{n}.5 ISMG QUERY_RESP {n + 2}\n" for n in range(1, 6))
    found = told(lines).analysis.messages.queries.queries
    assert [(q.pdu, q.answer and q.answer.counts) for q in found] == [(3, (0,) * 8), (5, None)]
