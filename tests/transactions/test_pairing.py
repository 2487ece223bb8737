"""Pairing: which response answers which request, and what the rest is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.transactions import Timers
from tests.rules.conversation import analyse, every_cut, frames_of, told

_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"

_TIED = """1 SP SUBMIT 2 text=a
62 SP SUBMIT 3 text=a
63 SP SUBMIT 3 text=b
64 ISMG ACTIVE_TEST 9 | lost
64.1 ISMG ACTIVE_TEST 10
64.2 SP ACTIVE_TEST_RESP 10
65 ISMG SUBMIT_RESP 3
66 SP ACK
66 ISMG ACK
70 ISMG SUBMIT_RESP 3
71 SP ACK"""
CASES: dict[str, tuple[str, list[tuple[int, int, str, int]], list[tuple[int, str]]]] = {
    "a response held back by a Gap answers no request that was captured behind it": (
        "2 ISMG SUBMIT_RESP 2 | lost\n4 ISMG SUBMIT_RESP 3\n13 SP SUBMIT 3\n13.5 ISMG SUBMIT_RESP 3\n14 SP ACK",
        [(3, 5, "answered", 1)],
        [(4, "duplicate")],
    ),
    "a resend under another Sequence_Id is one of its own connection": (
        "1 SP SUBMIT 2 text=a + SUBMIT 4\n2 SP@1 SUBMIT 2 text=a\n62 SP SUBMIT 5\n63 SP@1 SUBMIT 3 text=a",
        [(3, 0, "open", 1), (4, 0, "open", 2), (5, 0, "open", 2)],
        [],
    ),
    "so it is where it is the only response": (
        "2 ISMG SUBMIT_RESP 2 | lost\n4 ISMG SUBMIT_RESP 3\n13 SP SUBMIT 3\n13.5 ISMG ACTIVE_TEST 9\n14 SP ACK",
        [(3, 0, "unknown", 1), (5, 0, "open", 1)],
        [(4, "duplicate")],
    ),
    "a resend under another Sequence_Id waits with its first sending, where others of its own are given up": (
        _TIED,
        [(3, 9, "late", 2), (5, 0, "unknown", 1), (7, 6, "answered", 1)],
        [(8, "duplicate")],
    ),
    "responses in another order": (
        "1 SP SUBMIT 2\n1 SP SUBMIT 3\n2 ISMG SUBMIT_RESP 3\n2 ISMG SUBMIT_RESP 2",
        [(3, 6, "answered", 1), (4, 5, "answered", 1)],
        [],
    ),
    "first in, first out where a Sequence_Id is used twice": (
        "1 SP SUBMIT 2 text=a\n1 SP SUBMIT 2 text=b\n2 ISMG SUBMIT_RESP 2\n2 ISMG SUBMIT_RESP 2",
        [(3, 5, "answered", 1), (4, 6, "answered", 1)],
        [],
    ),
    "equal octets under one Sequence_Id are a resend": (
        "1 SP SUBMIT 2\n5 SP SUBMIT 2\n6 ISMG SUBMIT_RESP 2",
        [(3, 5, "answered", 2)],
        [],
    ),
    "equal octets under another Sequence_Id are another message before T": (
        "1 SP SUBMIT 2\n60.9 SP SUBMIT 3\n61 ISMG SUBMIT_RESP 3\n61 ISMG SUBMIT_RESP 2",
        [(3, 6, "answered", 1), (4, 5, "answered", 1)],
        [],
    ),
    "equal octets under another Sequence_Id are a resend from T on": (
        "1 SP SUBMIT 2\n61 SP SUBMIT 3\n61.1 ISMG SUBMIT_RESP 3\n62 ISMG SUBMIT_RESP 2",
        [(3, 5, "late", 2)],
        [(6, "duplicate")],
    ),
    "the first number may be answered as well": (
        "1 SP SUBMIT 2\n61 SP SUBMIT 3\n61.1 ISMG SUBMIT_RESP 2\n62 ISMG SUBMIT_RESP 3",
        [(3, 5, "late", 2)],
        [(6, "duplicate")],
    ),
    "three sendings under three numbers": (
        "1 SP SUBMIT 2\n61 SP SUBMIT 3\n121 SP SUBMIT 4\n122 ISMG SUBMIT_RESP 4",
        [(3, 6, "late", 3)],
        [],
    ),
    "an empty body never joins across numbers": (
        "1 SP ACTIVE_TEST 2\n61 SP ACTIVE_TEST 3\n61.1 ISMG ACTIVE_TEST_RESP 3\n62 SP ACK",
        [(3, 0, "open", 1), (4, 5, "answered", 1)],
        [],
    ),
    "late is later than T": (
        "1 SP SUBMIT 2 text=a\n1 SP SUBMIT 3 text=b\n61 ISMG SUBMIT_RESP 2\n61.001 ISMG SUBMIT_RESP 3",
        [(3, 5, "answered", 1), (4, 6, "late", 1)],
        [],
    ),
    "unanswered from N·T on": (
        "1 SP SUBMIT 2 text=a\n1.001 SP SUBMIT 3 text=b\n181 SP ACK",
        [(3, 0, "unanswered", 1), (4, 0, "open", 1)],
        [],
    ),
    "unanswered where the connection is closed": ("1 SP SUBMIT 2\n2 SP RST", [(3, 0, "unanswered", 1)], []),
    "unknown where the response may lie in a hole": (
        "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 | lost\n2 SP ACTIVE_TEST 3\n2.1 ISMG ACTIVE_TEST_RESP 3\n200 SP ACK",
        [(3, 0, "unknown", 1), (4, 5, "answered", 1)],
        [],
    ),
    "unknown where an acknowledgement tells of a response": (
        "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 | lost\n200 SP ACK",
        [(3, 0, "unknown", 1)],
        [],
    ),
    "unknown where nothing more was captured of the connection": (
        "1 SP SUBMIT 2\n500 SP@1 ACK",
        [(3, 0, "unknown", 1)],
        [],
    ),
    "unknown where only the end of the other side was captured": (
        "1 SP@1 SYN\n1 SP@1 TERMINATE 9\n1.1 ISMG@1 TERMINATE_RESP 9 | lost\n2 ISMG@1 FIN",
        [(3, 0, "unknown", 1)],
        [],
    ),
    "a duplicate": (
        "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2\n1.2 ISMG SUBMIT_RESP 2",
        [(3, 4, "answered", 1)],
        [(5, "duplicate")],
    ),
    "a duplicate of a number that the other side used as well": (
        (
            "1 SP ACTIVE_TEST 2\n1.1 ISMG ACTIVE_TEST_RESP 2\n1.2 ISMG ACTIVE_TEST 2\n1.3 SP ACTIVE_TEST_RESP 2\n"
            "2 ISMG ACTIVE_TEST_RESP 2"
        ),
        [(3, 4, "answered", 1), (5, 6, "answered", 1)],
        [(7, "duplicate")],
    ),
    "the wrong way": (
        "1 SP SUBMIT 2\n1.1 SP SUBMIT_RESP 2\n1.2 ISMG SUBMIT_RESP 2",
        [(3, 5, "answered", 1)],
        [(4, "wrong_direction")],
    ),
    "the wrong way, behind the right one": (
        "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2\n1.2 SP SUBMIT_RESP 2",
        [(3, 4, "answered", 1)],
        [(5, "wrong_direction")],
    ),
    "the wrong kind": (
        "1 SP SUBMIT 2\n1.1 ISMG ACTIVE_TEST_RESP 2\n1.2 ISMG SUBMIT_RESP 2",
        [(3, 5, "answered", 1)],
        [(4, "type_mismatch")],
    ),
    "the wrong kind where the request was a resend and is answered": (
        "1 SP SUBMIT 2\n1.1 SP SUBMIT 2\n1.2 ISMG SUBMIT_RESP 2\n1.3 ISMG ACTIVE_TEST_RESP 2",
        [(3, 5, "answered", 2)],
        [(6, "orphan")],
    ),
    "an orphan": ("1 ISMG SUBMIT_RESP 2", [], [(3, "orphan")]),
    "both sides count on their own, and wrap": (
        (
            "1 SP ACTIVE_TEST 0xffffffff\n1 ISMG ACTIVE_TEST 0xffffffff\n1.1 SP ACTIVE_TEST_RESP 0xffffffff\n"
            "1.1 ISMG ACTIVE_TEST_RESP 0xffffffff\n2 SP ACTIVE_TEST 0\n2.1 ISMG ACTIVE_TEST_RESP 0"
        ),
        [(3, 6, "answered", 1), (4, 5, "answered", 1), (7, 8, "answered", 1)],
        [],
    ),
    "a request out of a hole claims the response kept": (
        "1 SP SUBMIT 2 | hold\n1.01 SP SUBMIT 3\n1.015 SP release\n1.02 ISMG SUBMIT_RESP 2 + SUBMIT_RESP 3",
        [(3, 5, "answered", 1), (4, 6, "answered", 1)],
        [],
    ),
    "all that wait are given up where the response of the oldest may lie in a hole": (
        (
            "1 SP SUBMIT 2 text=a\n1.1 ISMG SUBMIT_RESP 2 | lost\n70 SP SUBMIT 2 text=b\n70.1 ISMG SUBMIT_RESP 2\n"
            "75 SP ACTIVE_TEST 3\n76 ISMG ACTIVE_TEST_RESP 3\n300 SP ACK"
        ),
        [(3, 0, "unknown", 1), (4, 0, "unknown", 1), (5, 7, "answered", 1)],
        [(6, "duplicate")],
    ),
    "a response that the capture put before its request": (
        "1 ISMG SUBMIT_RESP 2\n1.001 SP SUBMIT 2",
        [(4, 3, "answered", 1)],
        [],
    ),
    "a second response is no answer to the next request": (
        "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2\n1.2 ISMG SUBMIT_RESP 2\n1.3 SP SUBMIT 2\n1.4 ISMG SUBMIT_RESP 2",
        [(3, 4, "answered", 1), (6, 7, "answered", 1)],
        [(5, "duplicate")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_cases(case: str) -> None:
    """Each case gives its pairs and strays, whole and one frame a batch."""
    lines, pairs, strays = CASES[case]
    for cuts in ((), range(99)):
        found = told(_LOGIN + lines, cuts=cuts)
        assert (found.pairs, found.strays) == ([(1, 2, "answered", 1), *pairs], strays)


def test_a_stray_on_another_connection_is_named() -> None:
    """A response to an open request of another connection of the same hosts answers nothing."""
    first = "0 SP SUBMIT 1\n0 SP@1 ACTIVE_TEST 9\n"
    found = told(first + "0.1 ISMG@1 SUBMIT_RESP 1\n0.2 ISMG SUBMIT_RESP 1\n1 ISMG@1 ACTIVE_TEST_RESP 9")
    assert found.strays == [(3, "other_connection")]
    assert found.pairs == [(1, 4, "answered", 1), (2, 5, "answered", 1)]


@pytest.mark.parametrize(("seconds", "kind"), [(180, "unknown"), (180.001, "orphan")])
def test_a_start_in_the_middle_excuses_for_n_t(seconds: float, kind: str) -> None:
    """In a capture without SYN a response without request is unknown for N·T, then an orphan."""
    lines = f"0 SP ACTIVE_TEST 1\n0.1 ISMG ACTIVE_TEST_RESP 1\n{seconds} ISMG SUBMIT_RESP 7"
    assert told(lines, handshake=False).strays == [(3, kind)]


def test_one_direction_alone_blames_nobody() -> None:
    """Where only one direction was captured its requests are unknown and its responses too."""
    frames = frames_of(_LOGIN + "1 SP SUBMIT 2\n1 ISMG DELIVER 3\n2 SP DELIVER_RESP 3\n500 SP ACK")
    found = analyse([frame for frame in frames if frame.octets[22:24] == b"\x1e\xd2"])
    assert ([state for *_, state, _ in found.pairs], found.strays) == (["unknown", "unknown"], [(3, "unknown")])


def test_a_request_known_after_its_response_claims_it() -> None:
    """A request that a hole held back finds the response that was numbered before it."""
    lines = "1 SP SUBMIT 2 | hold\n1.01 SP SUBMIT 3\n1.02 ISMG SUBMIT_RESP 3\n1.03 SP release"
    for cuts in ((), range(99)):
        found = told(_LOGIN + lines, cuts=cuts)
        assert (found.pairs[1:], found.strays) == ([(4, 0, "open", 1), (5, 3, "answered", 1)], [])


@dataclass
class _Request:
    """A request of the model and all that became of it."""

    pdu: int
    command: str
    sequence: int
    text: str
    seconds: float
    last: float
    sendings: int = 1
    answer: int = 0
    state: str = "unanswered"


@dataclass
class _Model:
    """Pairing as one would explain it: slow, requests of one direction, nothing lost."""

    requests: list[_Request] = field(default_factory=list)
    strays: list[int] = field(default_factory=list)
    waiting: list[tuple[str, int, _Request]] = field(default_factory=list)
    unasked: list[tuple[int, str, int, float]] = field(default_factory=list)
    asked: dict[tuple[str, int], int] = field(default_factory=dict)

    def request(self, pdu: int, command: str, sequence: int, text: str, seconds: float) -> None:
        """Take a request: of a response swapped with it, a resend under its own or another number, or a new one."""
        self.asked.setdefault((command, sequence), pdu)
        for stray, c, s, then in self.unasked:
            if (c, s) == (command, sequence) and seconds - then <= 1 and self.asked[c, s] > stray:
                self.unasked.remove((stray, c, s, then))
                self.strays.remove(stray)
                self.requests.append(_Request(pdu, command, sequence, text, seconds, seconds, 1, stray, "answered"))
                return
        still = [(c, s, r) for c, s, r in self.waiting if not r.answer]
        for _, _, request in [w for w in still if w[:2] == (command, sequence)]:
            if request.text == text:
                self._again(request, seconds)
                return
        for request in [r for r in self.requests if not r.answer and r.command == command == "SUBMIT"]:
            if request.text == text and request.sequence != sequence and seconds - request.last >= 60:
                self._again(request, seconds)
                self.waiting.append((command, sequence, request))
                return
        request = _Request(pdu, command, sequence, text, seconds, seconds)
        self.requests.append(request)
        self.waiting.append((command, sequence, request))

    def response(self, pdu: int, command: str, sequence: int, seconds: float) -> None:
        """Take a response: it answers the request that waits longest under its number."""
        for c, s, request in self.waiting:
            if (c, s) == (command, sequence) and not request.answer:
                request.answer = pdu
                request.state = "late" if seconds - request.seconds > 60 else "answered"
                return
        self.strays.append(pdu)
        self.unasked.append((pdu, command, sequence, seconds))

    @staticmethod
    def _again(request: _Request, seconds: float) -> None:
        """Count a further sending."""
        request.sendings, request.last = request.sendings + 1, seconds


_EVENT = st.tuples(
    st.sampled_from((0, 1, 30, 60, 61)),
    st.sampled_from(("SUBMIT", "SUBMIT", "ACTIVE_TEST")),
    st.integers(1, 3),
    st.sampled_from("ab"),
    st.booleans(),
)


@settings(max_examples=60)
@given(st.lists(_EVENT, max_size=60), st.lists(st.integers(0, 70), max_size=6))
def test_pairing_is_that_of_the_model(events: list[tuple[int, str, int, str, bool]], cuts: Sequence[int]) -> None:
    """On any conversation, cut anywhere, the columns pair as the slow model does."""
    model, lines, seconds = _Model(), ["0 SP ACTIVE_TEST 9", "0 ISMG ACTIVE_TEST_RESP 9"], 0
    model.request(1, "ACTIVE_TEST", 9, "", 0)
    model.response(2, "ACTIVE_TEST", 9, 0)
    for pdu, (after, command, sequence, text, asks) in enumerate(events, 3):
        seconds += after
        content = text if command == "SUBMIT" else ""
        if asks:
            lines.append(f"{seconds} SP {command} {sequence}" + (f" text={text}" if content else ""))
            model.request(pdu, command, sequence, content, seconds)
        else:
            lines.append(f"{seconds} ISMG {command}_RESP {sequence}")
            model.response(pdu, command, sequence, seconds)
    lines.append(f"{seconds} SP FIN")
    expected = [(r.pdu, r.answer, r.state, r.sendings) for r in model.requests]
    frames = frames_of(lines)
    for cut in ((), range(len(frames)), cuts):
        found = analyse(frames, cut)
        assert found.pairs == expected
        assert [pdu for pdu, _ in found.strays] == model.strays


def test_timers_are_set() -> None:
    """T and N are options."""
    lines = _LOGIN + "1 SP SUBMIT 2\n3.5 ISMG SUBMIT_RESP 2\n4 SP SUBMIT 3 text=b\n8 SP ACK"
    found = told(lines, timers=Timers(t_ns=2_000_000_000, n=2))
    assert [state for *_, state, _ in found.pairs] == ["answered", "late", "unanswered"]


def test_latency_counts_from_the_first_sending() -> None:
    """The latency is that from the first sending; the time of the last one stands beside it."""
    table = told(_LOGIN + "1 SP SUBMIT 2\n5 SP SUBMIT 2\n6 ISMG SUBMIT_RESP 2").transactions
    assert np.array_equal(table.latency_ns, [100_000_000, 5_000_000_000])
    assert (table.response_time_ns - table.last_time_ns).tolist() == [100_000_000, 1_000_000_000]


def test_more_open_requests_than_the_cap_drop_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond OPEN_REQUESTS the oldest request is let go, counted, and told."""
    monkeypatch.setattr("cmppscope.transactions.OPEN_REQUESTS", 2)
    monkeypatch.setattr("cmppscope.transactions.CAPS_EVERY", 3)
    found = told("0 SP SUBMIT 1 + SUBMIT 2 text=b + SUBMIT 3\n1 SP FIN")
    assert [(pdu, state) for pdu, _, state, _ in found.pairs] == [
        (1, "unknown"),
        (2, "unanswered"),
        (3, "unanswered"),
    ]


def test_more_strays_than_the_cap_settle_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond STRAY_RESPONSES the oldest are settled early, as unknown; none is forgotten."""
    monkeypatch.setattr("cmppscope.transactions.STRAY_RESPONSES", 1)
    monkeypatch.setattr("cmppscope.transactions.CAPS_EVERY", 5)
    lines = _LOGIN + "1 ISMG SUBMIT_RESP 7\n2 ISMG SUBMIT_RESP 8\n3 ISMG SUBMIT_RESP 9"
    for cuts in ((), range(9)):
        assert told(lines, cuts=cuts).strays == [(3, "unknown"), (4, "unknown"), (5, "orphan")]


def test_history_is_as_long_as_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second response is a duplicate within HISTORY PDUs of its request, an orphan beyond, on any cut."""
    for name in ("cmppscope.transactions", "cmppscope.transactions.strays"):
        monkeypatch.setattr(f"{name}.HISTORY", 3)
    lines = _LOGIN + "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2\n1.2 ISMG SUBMIT_RESP 2\n1.3 ISMG SUBMIT_RESP 2"
    for cuts in ((), range(9)):
        assert told(lines, cuts=cuts).strays == [(5, "duplicate"), (6, "orphan")]


_STEAL = """0 SP CONNECT 1
0.1 ISMG CONNECT_RESP 1
1 ISMG DELIVER 3 text=a
1.1 SP DELIVER_RESP 3 | lost
1.2 SP ACTIVE_TEST 2
1.3 ISMG ACTIVE_TEST_RESP 2
2.5 SP ACK
2.6 ISMG ACTIVE_TEST 4 | lost
2.65 SP ACTIVE_TEST_RESP 4
2.7 ISMG DELIVER 3 text=b
2.8 SP DELIVER_RESP 3
4 SP ACK
4.1 ISMG ACK
300 ISMG DELIVER 3 text=c
300.1 SP DELIVER_RESP 3
301 SP ACK
302 ISMG ACK
800 SP FIN"""


@pytest.mark.parametrize("cuts", [(), range(30)])
def test_a_request_held_back_by_a_gap_whose_response_went_elsewhere_is_unknown(cuts: Sequence[int]) -> None:
    """Holes in both directions and a Sequence_Id that comes again: nothing tells which request was answered."""
    found = told(_STEAL, cuts=cuts)
    requests = [(pdu, state) for pdu, _, state, _ in found.pairs if found.pdus[pdu - 1][1][4:8] == b"\0\0\0\5"]
    assert [state for _, state in requests] == ["answered", "unknown", "answered"]
    assert [name for name, fault, _ in found.found if fault == "peer" and name.startswith(("late", "un", "resp"))] == []


def test_a_connection_last_seen_before_an_answer_was_due_is_unknown() -> None:
    """The capture may have lost sight of it, with the answer; where it is seen after N·T the loss would show."""
    seen = (_LOGIN + "1 SP SUBMIT 2\n1.1 ISMG ACK\n").splitlines()
    other = ["0.2 SP@1 CONNECT 1", "0.3 ISMG@1 CONNECT_RESP 1", "900 SP@1 ACK"]
    blame = ("unanswered", "peer", 1)
    assert blame not in told([*seen[:2], *other[:2], *seen[2:], other[2]]).found
    assert blame in told([*seen[:2], *other[:2], *seen[2:], "190 ISMG ACK", other[2]]).found


def test_a_response_kept_for_its_request_is_excused_as_any_other() -> None:
    """A late response behind the beginning of its direction blames nobody, though its request became known later."""
    lines = "0 SP CONNECT 1\n0.001 SP ACTIVE_TEST 2 | lost\n0.01 SP CONNECT 3\n60.02 ISMG CONNECT_RESP 3\n"
    lines += "61 ISMG ACTIVE_TEST 9"
    for cut in every_cut(frames_of(lines, handshake=False)).values():
        assert "late-response" not in {rule for rule, *_ in told(lines, handshake=False, cuts=cut).found}


_DONE = {"sequence-reuse-outstanding", "resend-early", "late-response"}
"""What the peers below do."""

HELD_BACK: dict[str, tuple[str, list[str], int]] = {
    "a resend that was held back with the first sending": (
        (
            "1 SP ACTIVE_TEST 2 | lost\n1.1 SP SUBMIT 3\n1.6 SP SUBMIT 3\n1.7 ISMG SUBMIT_RESP 3 id=5\n"
            "1.7 ISMG SUBMIT_RESP 3 id=5\n4 SP FIN"
        ),
        ["answered", "unknown"],
        1,
    ),
    "a resend that was held back when the first sending was answered": (
        (
            "1 SP SUBMIT 3\n1.4 SP ACTIVE_TEST 4 | lost\n1.6 SP SUBMIT 3\n1.7 ISMG SUBMIT_RESP 3 id=5\n"
            "1.7 ISMG SUBMIT_RESP 3 id=5\n4 SP FIN"
        ),
        ["answered", "unknown"],
        1,
    ),
    "another request with the Sequence_Id of one held back with it": (
        (
            "1 SP ACTIVE_TEST 2 | lost\n1.1 SP SUBMIT 3 text=a\n1.6 SP SUBMIT 3 text=b\n1.7 ISMG SUBMIT_RESP 3 id=5\n"
            "1.7 ISMG SUBMIT_RESP 3 id=6\n4 SP FIN"
        ),
        ["answered", "answered"],
        0,
    ),
    "a resend under another Sequence_Id that was held back with the first sending": (
        (
            "1 SP ACTIVE_TEST 2 | lost\n1.1 SP SUBMIT 3\n61.2 SP SUBMIT 4\n61.3 ISMG SUBMIT_RESP 4 id=5\n"
            "61.3 ISMG SUBMIT_RESP 3 id=5\n64 SP FIN"
        ),
        ["late", "unknown"],
        1,
    ),
    "a resend under another Sequence_Id that was held back when the first sending was answered": (
        (
            "1.1 SP SUBMIT 3\n61.1 SP ACTIVE_TEST 2 | lost\n61.2 SP SUBMIT 4\n61.3 ISMG SUBMIT_RESP 4 id=5\n"
            "61.3 ISMG SUBMIT_RESP 3 id=5\n64 SP FIN"
        ),
        ["late", "unknown"],
        1,
    ),
    "a resend under another Sequence_Id, held back, that alone was answered": (
        "1 SP ACTIVE_TEST 2 | lost\n1.1 SP SUBMIT 3\n61.2 SP SUBMIT 4\n61.3 ISMG SUBMIT_RESP 4 id=5\n300 SP FIN",
        ["unknown"],
        1,
    ),
    "a resend under another Sequence_Id that the capture lost": (
        "1.1 SP SUBMIT 3\n61.2 SP SUBMIT 4 | lost\n61.3 ISMG SUBMIT_RESP 4 id=5\n300 SP FIN",
        ["unknown"],
        1,
    ),
    "two requests with one Sequence_Id, and a response before theirs that the capture lost": (
        (
            "1 SP ACTIVE_TEST 2\n1.1 SP SUBMIT 3 text=a + SUBMIT 3 text=b\n1.2 ISMG ACTIVE_TEST_RESP 2 | lost\n"
            "1.3 ISMG SUBMIT_RESP 3 id=5\n1.4 ISMG SUBMIT_RESP 3 id=6\n4 SP FIN"
        ),
        ["unknown", "unknown"],
        0,
    ),
}
"""Conversations of which a frame was lost, what became of their SUBMITs, and how many responses have no request."""


@pytest.mark.parametrize("case", HELD_BACK)
def test_what_a_lost_frame_hides_is_nobodys_fault(case: str) -> None:
    """What became known in another order than it was captured makes no finding of its own, on any cut."""
    lines, states, unknown = HELD_BACK[case]
    frames = frames_of(_LOGIN + lines)
    for cuts in every_cut(frames).values():
        found = analyse(frames, cuts)
        commands = {pdu: octets[4:8] for pdu, octets, *_ in found.pdus}
        assert [state for pdu, _, state, _ in found.pairs if commands[pdu] == b"\0\0\0\4"] == states
        assert [kind for _, kind in found.strays].count("unknown") == unknown
        blamed = {f.rule.id for f in found.analysis.findings if f.fault == "peer" and f.rule.severity > 1}
        assert blamed <= _DONE | ({"sequence-constant"} if "text=b" in lines else set())


def test_more_responses_than_requests_given_up_are_duplicates() -> None:
    """Each request given up explains one response, and no more."""
    lines, _, _ = HELD_BACK["two requests with one Sequence_Id, and a response before theirs that the capture lost"]
    again = lines.replace("4 SP FIN", "1.5 ISMG SUBMIT_RESP 3 id=7\n4 SP FIN")
    assert ("response-duplicate", "peer", 1) in told(_LOGIN + again).found
