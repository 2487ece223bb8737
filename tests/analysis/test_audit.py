"""The audit of links: windows, bursts, silence, link tests, messages sent again, latency, handshakes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.analysis.latency import BUCKETS, Latencies, Series
from cmppscope.analysis.statistics import bins_of, edge_of, middle_of
from cmppscope.report import model
from cmppscope.report.build import build
from cmppscope.report.headlines import headlines
from cmppscope.rules import Limits
from cmppscope.secret import Secret
from tests.analysis.test_law import differences, wild
from tests.rules.conversation import Frame, analyse, every_cut, frames_of, told

LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"


def report(lines: str, **how: Any) -> model.Report:
    """Report on a conversation."""
    return build(told(lines, **how).analysis, [])


def side(lines: str, direction: int = 0, session: int = 0, **how: Any) -> model.DirectionAudit:
    """Give the audit of one direction of a session."""
    audit = report(lines, **how).sessions[session].audit
    assert audit is not None
    return audit.directions[direction]


@settings(max_examples=40, derandomize=True)
@given(wild(60), st.lists(st.integers(0, 120), max_size=8), st.integers(1, 3))
def test_cuts_of_batches_change_nothing(frames: list[Frame], cuts: list[int], window: int) -> None:
    """The law holds where windows are small, every silence counts, and logins are checked."""
    how: dict[str, Any] = {
        "limits": Limits(window=window, c_ns=1_000_000_000),
        "secrets": {"901234": Secret("x")},
    }
    whole = measured(analyse(frames, **how).everything)
    for other in (every_cut(frames)["one by one"], cuts):
        assert differences(whole, measured(analyse(frames, other, **how).everything)) == {}


def measured(everything: dict[str, Any]) -> dict[str, Any]:
    """Give what the audit and the checks of logins tell."""
    rules = ("window-exceeded", "flow-control", "connect-auth-wrong", "connect-resp-auth-wrong")
    parts = {name: part for name, part in json.loads(everything["report"]).items() if name != "findings"}
    return parts | {"found": [entry for entry in everything["findings"] if entry[0] in rules]}


def test_requests_that_wait() -> None:
    """Requests count until their response; link tests, logins, resends and responses do not."""
    lines = LOGIN + (
        "1 SP SUBMIT 2 + SUBMIT 3 text=b + ACTIVE_TEST 4\n1.5 ISMG SUBMIT_RESP 2 id=1\n1.6 SP SUBMIT 5 text=c\n"
        "1.7 ISMG DELIVER 1 about=1\n62 SP SUBMIT 3 text=b\n62.1 ISMG SUBMIT_RESP 3 id=2 + SUBMIT_RESP 5 id=3"
    )
    found = side(lines)
    assert (found.requests, found.window.peak, found.window.peak_frame) == (3, 2, 5)
    assert (found.window.unanswered_at_end, side(lines, 1).window.unanswered_at_end) == (0, 1)
    series = found.window.outstanding
    assert (series.bucket_seconds, len(series.peak), series.peak[0], series.peak[-1]) == (2, 32, 2, 1)


def test_time_at_the_limit() -> None:
    """Time counts from the request that fills the window to the response that makes room, and to the end."""
    limits = Limits(window=2)
    lines = LOGIN + "1 SP SUBMIT 2\n2 SP SUBMIT 3\n5 ISMG SUBMIT_RESP 2 id=1\n7 SP SUBMIT 4\n"
    assert side(lines + "8 ISMG SUBMIT_RESP 3 id=2\n9 SP ACK", limits=limits).window.at_limit_ms == 4000
    assert side(lines + "17 SP ACK", limits=limits).window.at_limit_ms == 13000
    assert side(lines + "17 SP FIN\n30 ISMG ACK", limits=limits).window.at_limit_ms == 13000


def test_a_request_is_given_up_after_n_times_t() -> None:
    """A request that is never answered waits for N·T, no longer."""
    lines = LOGIN + "1 SP SUBMIT 2\n200 SP SUBMIT 3 text=b\n201 ISMG SUBMIT_RESP 3 id=1"
    assert side(lines).window.peak == 1
    late = LOGIN + "1 SP SUBMIT 2\n180 SP SUBMIT 3 text=b\n201 ISMG SUBMIT_RESP 3 id=1"
    assert side(late).window.peak == 2
    full = side(LOGIN + "1 SP SUBMIT 2\n500 SP ACK", limits=Limits(window=1))
    assert full.window.at_limit_ms == 180_000


def test_a_gap_that_may_hold_responses_blames_nobody() -> None:
    """Where responses may lie in a Gap, requests before it wait no more and no window is exceeded."""
    asks = "\n".join(f"{n / 10} SP SUBMIT {n}" for n in range(10, 30))
    whole = LOGIN + asks + "\n5 ISMG SUBMIT_RESP 29 id=1\n"
    assert ("window-exceeded", "peer", 1) in told(whole + "190 SP ACK").found
    lost = LOGIN + asks + "\n4 ISMG SUBMIT_RESP 10 id=1 | lost\n5 ISMG SUBMIT_RESP 29 id=1\n"
    lost += "6 SP ACK\n7 ISMG SUBMIT_RESP 28 id=1\n8 SP ACK\n"
    found = told(lost).found
    assert [entry for entry in found if entry[0] == "window-exceeded"] == []
    assert side(lost).window.exceeded == 0


def test_a_window_exceeded_to_the_end() -> None:
    """What nobody answers until the capture ends is exceeded too, unless the other side was not captured at all."""
    asks = "\n".join(f"{n / 10} SP SUBMIT {n}" for n in range(10, 30))
    assert ("window-exceeded", "peer", 1) in told(LOGIN + asks).found
    one_way = [line for line in (LOGIN + asks).splitlines() if " SP " in line]
    assert "window-exceeded" not in [rule for rule, *_ in told(one_way, handshake=False).found]


def test_giving_up_does_not_end_an_excess() -> None:
    """Where the waiting is given up a Gap may still become known: the next response tells, and tells once."""
    lines = LOGIN + "1 SP SUBMIT 2\n2 SP SUBMIT 3 text=b\n400 SP SUBMIT 4 text=c\n401 ISMG SUBMIT_RESP 4 id=1\n"
    for cut in every_cut(frames_of(lines)).values():
        found = told(lines + "402 SP ACK", limits=Limits(window=1), cuts=cut).found
        assert ("window-exceeded", "peer", 1) in found


def test_link_tests_at_one_moment() -> None:
    """Link tests without time between them have an interval of 0, wherever batches are cut."""
    lines = LOGIN + "1 SP ACTIVE_TEST 2\n1 SP ACTIVE_TEST 3\n9 SP ACTIVE_TEST 4"
    for cut in every_cut(frames_of(lines)).values():
        spacing = side(lines, cuts=cut).keep_alive.interval_ms
        assert spacing is not None
        assert (spacing.min, spacing.max) == (0, 8000)


def test_flow_control_is_sure() -> None:
    """Result 8 is told only where all that waits is known: not soon after a start in the middle."""
    lines = "0 SP ACTIVE_TEST 1\n0.1 ISMG ACTIVE_TEST_RESP 1\n{} SP SUBMIT 2\n{} ISMG SUBMIT_RESP 2 result=8"
    assert ("flow-control", "peer", 1) in told(LOGIN + lines.format(1, 2)).found
    early = told(lines.format(1, 2), handshake=False).found
    later = told(lines.format(181, 182), handshake=False).found
    assert [rule for rule, *_ in early if rule == "flow-control"] == []
    assert ("flow-control", "peer", 1) in later


def test_bursts() -> None:
    """The busiest second, its beginning, and the mean of the seconds in which something was sent."""
    lines = LOGIN + "1.0 SP SUBMIT 2\n3.1 SP SUBMIT 3\n3.5 SP SUBMIT 4 + SUBMIT 5\n3.9 ISMG SUBMIT_RESP 2 id=1\n"
    for cut in every_cut(frames_of(lines)).values():
        found = side(lines, cuts=cut)
        assert (found.busiest_second, found.busiest_second_start) == (3, "2026-05-28T20:26:43.000000000Z")
        assert (found.active_seconds, found.mean_per_active_second) == (2, 2.0)


def test_silence() -> None:
    """The longest time between two PDUs of either side, the times above C, and the silence before the end."""
    lines = (
        LOGIN + "1 SP ACTIVE_TEST 2\n1.1 ISMG ACTIVE_TEST_RESP 2\n31.1 ISMG ACTIVE_TEST 3\n31.2 SP ACTIVE_TEST_RESP 3\n"
    )
    lines += "51.2 SP ACTIVE_TEST 4\n51.3 ISMG ACTIVE_TEST_RESP 4\n111.3 ISMG FIN"
    audit = report(lines, limits=Limits(c_ns=15_000_000_000)).sessions[0].audit
    assert audit is not None
    idle = audit.idle
    assert (idle.longest_ms, idle.longest_until_frame, idle.at_end_ms) == (30_000, 7, 60_000)
    assert (idle.periods_above_c, idle.total_above_c_ms) == (2, 50_000)
    assert (audit.closing_flag, audit.closing_frame, audit.lasted_ms) == ("fin", 11, 111_300)


def test_link_tests() -> None:
    """Link tests of each side: how many, how far apart, how many were never answered."""
    lines = LOGIN + "10 SP ACTIVE_TEST 2\n10.1 ISMG ACTIVE_TEST_RESP 2\n20 SP ACTIVE_TEST 3\n50 SP ACTIVE_TEST 4\n"
    lines += "300 SP ACTIVE_TEST 5\n300.1 ISMG ACTIVE_TEST_RESP 5"
    tests = side(lines).keep_alive
    assert (tests.tests, tests.unanswered, side(lines, 1).keep_alive.tests) == (4, 2, 0)
    assert tests.interval_ms is not None
    assert (tests.interval_ms.min, tests.interval_ms.max) == (10_000, 250_000)
    assert abs(tests.interval_ms.median - 30_000) < 300


@pytest.mark.parametrize(
    ("again", "count"),
    [
        ("SUBMIT 3 text=hello", 1),
        ("SUBMIT 3 text=hello msg_id=77", 1),
        ("SUBMIT 3 text=hullo", 0),
        ("SUBMIT 3 text=hello reserve=0x0000000000000001", 0),
        ("SUBMIT 3 text=hello to=2", 0),
        ("SUBMIT 3 text=hello src_id=10659999", 0),
        ("SUBMIT 3 text=hello + SUBMIT 4 text=hello", 2),
    ],
)
def test_messages_sent_again(again: str, count: int) -> None:
    """The same content from the same source to the same receiver, under another Sequence_Id."""
    lines = LOGIN + f"1 SP SUBMIT 2 text=hello\n1.1 ISMG SUBMIT_RESP 2 id=1\n2 SP {again}"
    for cut in every_cut(frames_of(lines)).values():
        found = side(lines, cuts=cut).repeated
        assert found.count == count
        assert (found.first_pdu, found.repeats_pdu) == ((5, 3) if count else (None, None))


def test_a_message_sent_again_over_another_link() -> None:
    """An SP that lost its link repeats itself on the next; a resend is none."""
    lines = LOGIN + "1 SP SUBMIT 2 text=hello\n2 SP FIN\n3 SP@1 SUBMIT 9 text=hello\n"
    assert side(lines, session=1).repeated.count == 1
    assert side(LOGIN + "1 SP SUBMIT 2\n62 SP SUBMIT 2\n63 ISMG SUBMIT_RESP 2 id=1").repeated.count == 0


def test_every_octet_counts_for_a_repetition() -> None:
    """Contents of all lengths that differ in one octet anywhere are not the same."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    texts = [letters[:n] for n in range(1, 27)]
    texts += [letters[:at] + "Z" + letters[at + 1 : size] for size in (25, 26) for at in range(size)]
    lines = LOGIN + "\n".join(f"{n + 1} SP SUBMIT {n + 2} text={t}" for n, t in enumerate(texts))
    assert side(lines).repeated.count == 0


def test_the_network_is_told_from_the_application() -> None:
    """SYN, SYN/ACK and ACK give the way to each end; what is left of a latency is the answering side's own."""
    lines = (
        "0 SP SYN\n0.03 ISMG SYN\n0.04 SP ACK\n"
        + LOGIN.replace("0 SP", "0.05 SP")
        + "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 id=1"
    )
    session = report(lines, handshake=False).sessions[0]
    assert session.network == model.Network(originator_ms=10.0, responder_ms=30.0)
    row = next(row for row in session.latency if row.command == "CMPP_SUBMIT")
    assert (row.count, row.latency_ms.max, row.network_ms) == (1, 100.0, 30.0)
    assert row.application_p50_ms == pytest.approx(70, abs=1)
    assert report(LOGIN, handshake=False).sessions[0].network is None


@pytest.mark.parametrize(
    ("begin", "network"),
    [
        ("0 SP SYN\n1 SP SYN\n1.03 ISMG SYN\n1.04 SP ACK\n", (10.0, None)),
        ("0 SP SYN\n0.03 ISMG SYN\n1.03 ISMG SYN\n1.04 SP ACK\n", (None, 30.0)),
        ("0.03 ISMG SYN\n0.04 SP ACK\n", (10.0, None)),
    ],
)
def test_a_handshake_sent_again_measures_nothing(begin: str, network: tuple[float | None, float | None]) -> None:
    """A SYN or SYN/ACK that came twice is not measured by, for nobody knows which one was answered."""
    lines = begin.replace("1 SP SYN", "1 SP SYN") + "2 SP CONNECT 1\n2.1 ISMG CONNECT_RESP 1"
    frames = frames_of(lines, handshake=False)
    syn = [frame for frame in frames if frame.octets[33] & 2]
    same = {bool(f.octets[33] & 16): f.octets for f in reversed(syn)}
    frames = [f._replace(octets=same[bool(f.octets[33] & 16)]) if f in syn else f for f in frames]
    for cut in every_cut(frames).values():
        shaken = build(analyse(frames, cut).analysis, []).sessions[0].network
        assert shaken is not None
        assert (shaken.originator_ms, shaken.responder_ms) == network


def test_peers() -> None:
    """Sessions of one SP with one gateway stand together: how many, how many at once, how far apart, how fast."""
    lines = LOGIN + "1 SP SUBMIT 2\n1.1 ISMG SUBMIT_RESP 2 id=1\n2 SP FIN\n"
    lines += "10 SP@1 CONNECT 1\n10.1 ISMG@1 CONNECT_RESP 1\n11 SP@1 SUBMIT 2 text=b\n11.3 ISMG@1 SUBMIT_RESP 2 id=2\n"
    lines += "30 SP@2 CONNECT 1\n30.1 ISMG@2 CONNECT_RESP 1\n31 SP@3 CONNECT 1 addr=901299"
    first, second = report(lines).peers
    assert (first.sp_id, first.sp_address, first.gateway, second.sp_id) == ("901234", None, "198.51.100.1", "901299")
    assert (first.sessions, first.most_at_once, first.not_terminated) == (3, 2, 1)
    assert first.reconnect_ms == model.Spacing(min=10_000, median=10_000, max=20_000)
    row = next(row for row in first.latency if row.command == "CMPP_SUBMIT")
    assert (row.count, row.latency_ms.min, row.latency_ms.mean, row.latency_ms.max) == (2, 100, 200, 300)
    assert sum(row.histogram.count) == 2


def test_latency_over_time() -> None:
    """Each bucket has its requests' count, percentiles and greatest latency; buckets without any are empty."""
    lines = LOGIN + "1 SP SUBMIT 2\n1.2 ISMG SUBMIT_RESP 2 id=1\n3 SP SUBMIT 3 text=b\n3.4 ISMG SUBMIT_RESP 3 id=2"
    row = next(row for row in report(lines).latency_over_time if row.command == "CMPP_SUBMIT")
    assert (row.start, row.bucket_seconds, row.count) == ("2026-05-28T20:26:41.000000000Z", 1, [1, 0, 1])
    assert (row.max_ms, row.p50_ms[1]) == ([200.0, None, 400.0], None)
    assert row.p50_ms[0] == pytest.approx(200, rel=0.13)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 10**12)), min_size=1, max_size=40))
def test_buckets_are_bounded(entries: list[tuple[int, int]]) -> None:
    """However long a capture is there are BUCKETS at most, whatever order things come in, and nothing is lost."""
    whole, pieces = Series(), Series()
    second, latency = np.array(entries, np.int64).T
    slot = np.full(len(second), 2)
    whole.add(slot, second * 10**9, bins_of(latency), latency)
    for at in reversed(range(len(second))):
        one = slice(at, at + 1)
        pieces.add(slot[one], second[one] * 10**9, bins_of(latency[one]), latency[one])
    assert whole.rows() == pieces.rows()
    (buckets,) = whole.rows().values()
    assert (max(buckets) - min(buckets)) >> whole.doublings < BUCKETS
    assert sum(bucket.count for bucket in buckets.values()) == len(entries)
    assert max(bucket.max_ns for bucket in buckets.values()) == latency.max()


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=30))
def test_bins(values: list[int]) -> None:
    """A number lies in its bin, and the middle of a bin is at most 1 % from it."""
    for value, place in zip(values, bins_of(np.array(values, np.int64)).tolist(), strict=True):
        low, high = edge_of(place), edge_of(place + 1)
        assert low <= float(max(value, 1)) <= high or value < 128
        assert abs(middle_of(place) - value) <= max(1, value / 100)


def test_latencies_beyond_the_sessions_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions above the cap are counted, and their latencies kept together."""
    for room in ("window", "idle", "latency", "repeats", "audit"):
        monkeypatch.setattr(f"cmppscope.analysis.{room}.AUDITED_SESSIONS", 1)
    monkeypatch.setattr("cmppscope.report.links.AUDITED_SESSIONS", 1)
    lines = "".join(
        f"{n} SP@{n} SUBMIT 2 text=a\n{n}.5 ISMG@{n} SUBMIT_RESP 2 id=1 result=8\n{n}.6 SP@{n} ACTIVE_TEST 3\n"
        for n in range(1, 4)
    )
    for cut in every_cut(frames_of(lines)).values():
        made = report(lines, cuts=cut)
        assert made.audit.sessions_not_audited == 2
        assert [(row.command, row.count, row.latency_ms.max) for row in made.audit.latency_of_those] == [
            ("CMPP_SUBMIT", 2, 500.0)
        ]
        assert [session.audit is None for session in made.sessions] == [False, True, True]


def test_sums_of_latencies_cannot_overflow() -> None:
    """Latencies of a clock that jumped by decades add up to the right mean."""
    table = told(LOGIN + "1 SP SUBMIT 2\n2 ISMG SUBMIT_RESP 2 id=1").transactions
    table.response_time_ns = table.time_ns + 2**62 - 1
    latencies = Latencies()
    for _ in range(5):
        latencies.add(table)
    assert latencies.of(0)[4].mean_ns == 2**62 - 1


def test_headlines_about_links() -> None:
    """What dropped a link, and what made it slow, stands among the headlines."""
    silent = report(LOGIN + "60 ISMG FIN")
    assert "The ISMG closed stream 0 after 59.9 s of silence, without TERMINATE; no link test." in headlines(silent)
    vain = report(LOGIN + "10 SP ACTIVE_TEST 2\n70 SP ACTIVE_TEST 3\n130 SP ACTIVE_TEST 4\n190 SP FIN")
    assert "The ISMG did not answer 3 of 3 link tests by the SP on stream 0." in headlines(vain)
    asks = "1 SP " + " + ".join(f"SUBMIT {n}" for n in range(2, 18))
    full = report(LOGIN + asks + "\n9 ISMG SUBMIT_RESP 2 id=1\n10 SP ACK")
    assert (
        "The window of the SP on stream 0 was full (W = 16) for 8000 ms, 80 % of the time: the ISMG took "
        "8000 ms (p50) to answer, 0.00 ms of it network." in headlines(full)
    )
    slow = report(LOGIN + "1 SP SUBMIT 2\n2 ISMG SUBMIT_RESP 2 result=8")
    assert (
        "CMPP_SUBMIT_RESP Result 8, flow control: 1 time, on a link with up to 1 request waiting (W = 16) and up to "
        "1 a second." in headlines(slow)
    )
    both = "1 SP SUBMIT 2 + SUBMIT 3\n2 ISMG SUBMIT_RESP 2 result=8\n3 ISMG DELIVER 9\n4 SP DELIVER_RESP 9 result=8"
    assert [line.partition(", on ")[2] for line in headlines(report(LOGIN + both)) if "Result 8" in line] == [
        "a link with up to 2 requests waiting (W = 16) and up to 2 a second.",
        "a link with up to 1 request waiting (W = 16) and up to 1 a second.",
    ]
