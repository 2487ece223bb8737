"""Rules about the state of connections depend on the frames alone, and never blame a peer for what a capture lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.conversation import analyse, every_cut, frames_of, told

_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"

_PDUS = (
    "CONNECT {n}",
    "CONNECT {n} addr=001001",
    "CONNECT_RESP {n}",
    "CONNECT_RESP {n} status=3",
    "CONNECT_RESP {n} total=13 cut=13",
    "SUBMIT {n}",
    "SUBMIT {n} msg_src=905678",
    "SUBMIT_RESP {n}",
    "DELIVER {n}",
    "DELIVER_RESP {n}",
    "ACTIVE_TEST {n}",
    "ACTIVE_TEST {n}",
    "ACTIVE_TEST {n}",
    "ACTIVE_TEST_RESP {n}",
    "ACTIVE_TEST_RESP {n}",
    "TERMINATE {n}",
    "TERMINATE_RESP {n}",
    "FWD {n}",
    "MT_ROUTE {n}",
    "PUSH_MT_ROUTE_UPDATE {n}",
    "GET_ROUTE {n} last_route_id=-1",
    "GET_ROUTE {n} last_route_id=5",
    "GET_ROUTE_RESP {n} route_id=5 result=0",
    "GET_ROUTE_RESP {n} route_id=6 result=2",
)


@st.composite
def _conversation(draw: st.DrawFn) -> tuple[list[str], int, bool]:
    """Draw a conversation about logins, link tests and routes that keeps no rule."""
    seconds, lines = 0.0, []
    for _ in range(draw(st.integers(2, 40))):
        seconds += draw(st.sampled_from((0.0001, 0.1, 1, 20, 61, 100, 200)))
        who = draw(st.sampled_from(("SP", "ISMG", "SP", "ISMG", "SP@1", "ISMG@1")))
        what = draw(st.sampled_from((*_PDUS, "ACK", "FIN"))).format(n=draw(st.integers(1, 3)))
        lines.append(f"{seconds:.4f} {who} {what} {draw(st.sampled_from(('', '', '', '', '| lost')))}")
    return lines, draw(st.sampled_from((7890, 7890, 7900, 7930, 9168, 5016))), draw(st.booleans())


@settings(max_examples=60)
@given(_conversation(), st.lists(st.integers(0, 60), max_size=6))
def test_cuts_of_batches_change_nothing(drawn: tuple[list[str], int, bool], cuts: list[int]) -> None:
    """Whole, one frame a batch and cut anywhere give the same findings at the same places."""
    lines, port, handshake = drawn
    frames = frames_of(lines, port=port, handshake=handshake)

    def findings(cut: Any) -> list[Any]:
        return [(f.rule.id, f.fault, f.count, f.places) for f in analyse(frames, cut).analysis.findings]

    whole = findings(())
    assert findings(every_cut(frames)["one by one"]) == whole
    assert findings(cuts) == whole


_LONG = (
    _LOGIN
    + """1 SP SUBMIT 2
1.1 ISMG SUBMIT_RESP 2
170 SP ACTIVE_TEST 3
170.1 ISMG ACTIVE_TEST_RESP 3
340 ISMG ACTIVE_TEST 1
340.1 SP ACTIVE_TEST_RESP 1
510 SP ACTIVE_TEST 4
510.1 ISMG ACTIVE_TEST_RESP 4
511 SP TERMINATE 5
511.1 ISMG TERMINATE_RESP 5
511.2 SP CONNECT 6
511.3 ISMG CONNECT_RESP 6
512 SP SUBMIT 7 text=other
512.1 ISMG SUBMIT_RESP 7
513 SP TERMINATE 8
513.1 ISMG TERMINATE_RESP 8
513.2 SP FIN
513.3 ISMG FIN"""
)
_SHORT = """0 SP GET_ROUTE 1 last_route_id=-1
0.1 ISMG GET_ROUTE_RESP 1 route_id=5 result=0
0.2 SP GET_ROUTE 2 last_route_id=5
0.3 ISMG GET_ROUTE_RESP 2 route_id=6 result=0
0.4 SP GET_ROUTE 3 last_route_id=6
0.5 ISMG GET_ROUTE_RESP 3 route_id=7 result=2
0.6 SP FIN
0.7 ISMG FIN"""


@pytest.mark.parametrize(("lines", "port"), [(_LONG, 7890), (_SHORT, 9168)], ids=["long", "short"])
def test_a_sound_connection_is_silent(lines: str, port: int) -> None:
    """Logins, link tests, a second session and a fetched table as the protocol has them give no finding."""
    assert told(lines, port=port).found == []


@pytest.mark.parametrize(("lines", "port"), [(_LONG, 7890), (_SHORT, 9168)], ids=["long", "short"])
def test_lost_frames_blame_nobody(lines: str, port: int) -> None:
    """Whichever one or two frames in a row the capture lost, or wherever it begins or ends, no peer is blamed."""
    frames = frames_of(lines, port=port)
    rests = {("lost", at, n): frames[:at] + frames[at + n :] for at in range(len(frames)) for n in (1, 2)}
    rests |= {("from", at, 0): frames[at:] for at in range(1, len(frames))}
    rests |= {("to", at, 0): frames[:at] for at in range(1, len(frames))}
    blamed = {
        how: [(f.rule.id, f.places[0].detail) for f in analyse(rest).analysis.findings if f.fault == "peer"]
        for how, rest in rests.items()
    }
    assert {how: found for how, found in blamed.items() if found} == {}


AGAIN = {
    "each session is judged for itself": (
        _LOGIN
        + """1 SP TERMINATE 2
        1.1 SP SUBMIT 3
        1.2 ISMG SUBMIT_RESP 3
        1.3 ISMG TERMINATE_RESP 2
        2 SP CONNECT 4
        2.1 ISMG CONNECT_RESP 4
        3 SP TERMINATE 5
        3.1 SP SUBMIT 6
        3.2 ISMG SUBMIT_RESP 6
        3.3 ISMG TERMINATE_RESP 5""",
        [("terminate-traffic", "peer", 2)],
    ),
    "a response of the side that has answered TERMINATE": (
        _LOGIN + "1 SP SUBMIT 2\n1.1 SP TERMINATE 3\n1.2 ISMG TERMINATE_RESP 3\n1.3 ISMG SUBMIT_RESP 2",
        [("terminate-traffic", "peer", 1)],
    ),
    "what a hole held back stands out of order": (
        _LOGIN
        + """1 SP SUBMIT 2 | lost
        1.1 ISMG SUBMIT_RESP 2
        1.2 SP TERMINATE 3
        1.3 ISMG TERMINATE_RESP 3
        1.35 SP CONNECT 4
        1.4 ISMG CONNECT_RESP 4
        3 SP SUBMIT 5 text=other
        3.1 ISMG SUBMIT_RESP 5
        4 SP TERMINATE 6
        4.1 ISMG TERMINATE_RESP 6
        5 SP CONNECT 7
        5.1 ISMG CONNECT_RESP 7""",
        [("frame-gap", "capture", 1), ("capture-request-missing", "capture", 1)],
    ),
    "the response to a link test behind a hole may lie in another": (
        _LOGIN
        + """1 ISMG DELIVER 1
        1.1 SP DELIVER_RESP 1 | lost
        41 SP ACTIVE_TEST 2
        41.1 ISMG ACTIVE_TEST_RESP 2 | lost
        41.2 SP SUBMIT 3
        41.3 ISMG SUBMIT_RESP 3
        211 SP ACTIVE_TEST 4
        211.1 ISMG ACTIVE_TEST_RESP 4
        212 SP ACTIVE_TEST 5
        212.1 ISMG ACTIVE_TEST_RESP 5""",
        [("frame-gap", "capture", 2), ("capture-response-missing", "capture", 2)],
    ),
    "a link test behind a hole ends the silence before it": (
        _LOGIN
        + """1 SP SUBMIT 2 | lost
        1.1 ISMG SUBMIT_RESP 2
        170 SP ACTIVE_TEST 3
        200 ISMG ACTIVE_TEST_RESP 3
        210 SP SUBMIT 4 text=other
        210.1 ISMG SUBMIT_RESP 4""",
        [("frame-gap", "capture", 1), ("capture-request-missing", "capture", 1)],
    ),
}


@pytest.mark.parametrize("name", AGAIN)
def test_states_follow_the_wire(name: str) -> None:
    """What a session may carry is judged by the order on the wire, session by session."""
    lines, expected = AGAIN[name]
    assert told(lines).found == expected
