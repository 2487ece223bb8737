"""What TCP does to a stream, and what other tools make of it: each case in which one of them lost or invented PDUs."""

from __future__ import annotations

import pytest

from cmppscope.reassembly import direction as rules
from cmppscope.tables import ACK, FIN, PSH, RST, SYN
from tests.framing.conversations import (
    Framed,
    active_test,
    active_test_resp,
    alike,
    connect,
    connect_resp,
    deliver,
    framed,
    submit,
    submit_resp,
    terminate,
)
from tests.framing.test_framer import places
from tests.reassembly.segments import ISMG, SECOND, SP, Talk, renumbered

PDUS = [connect(), submit(2), active_test(3), deliver(4, bytes(range(60))), terminate(5)]
SENT = b"".join(PDUS)
URG = 0x20


def whole(talk: Talk, sent: list[bytes] = PDUS) -> Framed:
    """Demand the PDUs sent, each in its place, and nothing odd."""
    result = alike(talk.segments)
    assert (result.places(), result.odd) == (places(sent), [])
    return result


def test_a_fake_fin_hides_nothing() -> None:
    """What breaks others: a FIN over the place of the next PDU, whose octets are then taken for old ones."""
    talk = Talk().open().send(0, PDUS[0]).segment(0, flags=FIN | ACK)
    talk.segment(0, b"".join(PDUS[1:]), len(PDUS[0]))
    whole(talk)


def test_octets_behind_a_fin_are_shown() -> None:
    """What breaks others: a FIN captured before what it ends closes the stream; here all that was sent is framed."""
    talk = Talk().open().segment(0, flags=FIN | ACK, at=len(SENT)).segment(0, SENT, 0)
    whole(talk)
    talk = Talk().open().send(0, *PDUS[:3]).fin(0).send(0, *PDUS[3:])
    whole(talk)


def test_octets_that_the_other_side_sends_behind_a_fin_are_shown() -> None:
    """What breaks others: one FIN ends both directions."""
    talk = Talk().open().send(0, *PDUS).fin(0).send(1, connect_resp(), submit_resp(2), active_test_resp(3)).fin(1)
    assert whole(talk).octets(1) == [connect_resp(), submit_resp(2), active_test_resp(3)]


def test_octets_far_ahead_and_then_back() -> None:
    """What breaks others: a region that grows and shrinks makes a length below zero, and a fill of gigabytes."""
    talk = Talk().open().send(0, PDUS[0])
    for ahead in (60_000, 2**20, 3 * 2**20, 2**20 + 5):
        talk.segment(0, b"\xff" * 7, ahead)
    talk.next[0] = len(PDUS[0])
    result = alike(talk.send(0, *PDUS[1:]).segments)
    assert result.places() == places(PDUS)
    assert sum(o.octets for o in result.odd if o.kind == "gap") < 4 * 2**20


def test_an_urgent_octet_inside_a_pdu_stays_there() -> None:
    """What breaks others: the urgent octet is taken out of line, as few endpoints do, and every PDU behind it moves."""
    talk = Talk().open()
    for at in range(0, len(SENT), 9):
        talk.segment(0, SENT[at : at + 9], flags=ACK | URG)
    whole(talk)


def test_a_reset_with_text_or_a_wrong_number_takes_nothing() -> None:
    """What breaks others: the reason in a RST counts as octets of the stream, or its number moves the stream on."""
    talk = Talk().open().send(0, PDUS[0]).rst(0, b"connection aborted by administrator")
    talk.segment(1, flags=RST, at=2**20).segment(0, b"xx", flags=RST | ACK, at=5_000, ack=9_999)
    talk.next = [len(PDUS[0]), 0]
    whole(talk.send(0, *PDUS[1:]))


def test_a_wrong_acknowledgement_moves_nothing() -> None:
    """What breaks others: an ACK of octets never sent counts as their loss."""
    talk = Talk().open().send(0, PDUS[0]).ack(1, ack=10**6).ack(1, ack=2**31).ack(1, ack=0)
    whole(talk.ack(1, times=20).wait(5 * SECOND).send(0, *PDUS[1:]))


@pytest.mark.parametrize("lost", range(1, 12))
def test_a_lost_segment_is_never_zeros(lost: int) -> None:
    """What breaks others: a hole is filled with zeros, and PDUs with invented octets come out as good ones."""
    talk = Talk().open()
    size = -(-len(SENT) // 12)
    for at in range(0, len(SENT), size):
        if at // size == lost:
            talk.next[0] += size
        else:
            talk.segment(0, SENT[at : at + size])
    result = alike(talk.segments)
    gone = range(lost * size, min(len(SENT), (lost + 1) * size))
    outside = [(o, p) for o, p in places(PDUS) if not set(range(o, o + len(p))) & set(gone)]
    assert result.places() == outside
    assert all(octets in PDUS for octets in result.octets())


def test_a_segment_that_ends_two_pdus_and_begins_a_third() -> None:
    """What breaks others: the rest of a segment behind a finished PDU is lost, or framed from a wrong place."""
    for first in range(1, len(PDUS[0]), 3):
        for last in (1, 8, 12, 13, 90, len(PDUS[3]) - 1):
            middle = SENT[first : len(SENT) - len(PDUS[4]) - last]
            talk = Talk().open().send(0, SENT[:first], middle, SENT[first + len(middle) :])
            assert framed(talk.segments).places() == places(PDUS)


def test_a_loss_does_not_silence_the_stream() -> None:
    """What breaks others: with reordering allowed, one lost segment stops the stream for ever."""
    talk = Talk().open().send(0, connect())
    talk.next[0] += 12
    for n in range(100):
        talk.send(0, active_test(n)).ack(1)
    result = alike(talk.segments)
    assert result.octets() == [connect(), *(active_test(n) for n in range(100))]
    assert max(p.known_frame - p.frame for p in result.pdus) <= 2 * rules.ACKED_SEGMENTS


@pytest.mark.parametrize("again", range(5))
@pytest.mark.parametrize("part", [slice(None), slice(0, 5), slice(-5, None), slice(3, -3)])
def test_each_segment_sent_again_in_full_or_in_part(again: int, part: slice) -> None:
    """What breaks others: one resend, and the rest of the stream is taken for old, or a PDU counts twice."""
    talk = Talk().open()
    at = 0
    for n, pdu in enumerate(PDUS):
        talk.segment(0, pdu, at)
        if n == again:
            begin = part.indices(len(pdu))[0]
            talk.segment(0, pdu[part], at + begin)
        at += len(pdu)
    whole(talk)


@pytest.mark.parametrize("size", [7, 41, 300])
def test_a_wrap_before_inside_and_behind_every_pdu(size: int) -> None:
    """What breaks others: the Sequence Number passes 2**32 inside a PDU, and the stream begins anew or stops."""
    for back in range(0, len(SENT) + 2, 5 if size == 300 else 31):
        talk = Talk(isn=(2**32 - 1 - back, 5000)).open()
        for at in range(0, len(SENT), size):
            talk.segment(0, SENT[at : at + size], at)
        talk.segment(0, SENT[:30], 0)
        whole(talk)


def test_a_stream_of_many_gigabytes() -> None:
    """What breaks others: offsets of 32 bits; here the capture lost all but what stands around each wrap."""
    talk = Talk(isn=(2**32 - 30, 5000)).open().send(0, connect())
    expected = [(0, connect())]
    for turn in range(1, 12):
        at = turn * (2**32 - 100) // 2
        talk.segment(0, active_test(turn), at).segment(0, submit(turn), at + 12).ack(1, ack=at + 12 + 100)
        talk.wait(SECOND).ack(1, ack=at + 12 + 100)
        expected += [(at, active_test(turn)), (at + 12, submit(turn))]
    result = alike(talk.segments)
    assert result.places() == expected
    assert result.reassembler.directions[0].position > 5 * 2**32


def test_a_capture_without_a_handshake() -> None:
    """What breaks others: a stream is not looked at before a SYN was seen."""
    whole(Talk().send(0, *PDUS))


def test_a_capture_of_one_direction() -> None:
    """What breaks others: nothing comes out before the other side is seen; also acknowledgements may be missing."""
    segments = renumbered([s._replace(flags=PSH) for s in Talk().send(0, *PDUS).segments])
    assert alike(segments).places() == places(PDUS)
    segments = renumbered([s for s in Talk().open().send(0, *PDUS).segments if s.src == SP])
    assert alike(segments).places() == places(PDUS)


def test_a_connection_that_is_only_asked_for() -> None:
    """What breaks others: a SYN alone waits for ever; here it is a stream without octets."""
    result = alike(Talk().segment(0, at=-1, flags=SYN).segments)
    assert (result.pdus, result.odd, result.protocol, len(result.reassembler.streams)) == ([], [], {}, 1)


def test_acknowledgements_before_what_they_acknowledge() -> None:
    """What breaks others: a mirror port shows one direction first, and what comes a moment later counts as lost."""
    talk = Talk().open()
    talk.next[0] = len(SENT)
    talk.ack(1).send(1, connect_resp())
    at = 0
    for pdu in PDUS:
        talk.segment(0, pdu, at)
        at += len(pdu)
    whole(talk)


def test_nothing_of_an_old_stream_comes_into_a_new_one() -> None:
    """What breaks others: a buffer used again says of a clean stream that it lost octets."""
    talks = [Talk(ports=(40_000 + n, 7890)).open().send(0, SENT[: 7 * n]) for n in range(20)]
    talks.append(Talk(ports=(50_000, 7890)).open().send(0, *PDUS))
    result = alike(renumbered([s for t in talks for s in t.segments]))
    assert result.places(0, 20) == places(PDUS)
    assert [o for o in result.odd if o.stream == 20] == []


@pytest.mark.parametrize("closed", [0, FIN, RST])
@pytest.mark.parametrize("isn", [1000, 77_000, 2**32 - 9])
def test_ports_used_again_are_a_new_stream(closed: int, isn: int) -> None:
    """What breaks others: a second connection on the same ports is put down to the first one."""
    one = Talk().open().send(0, *PDUS[:3])
    if closed:
        one.segment(0, flags=closed | ACK)
    elif isn == 1000:
        return  # the same ISN and no close: a SYN sent again
    two = Talk(isn=(isn, 99_000)).open().send(0, *PDUS)
    result = alike(renumbered(one.segments + two.segments))
    assert (result.places(0, 0), result.places(0, 1)) == (places(PDUS[:3]), places(PDUS))


@pytest.mark.parametrize("isn", [2**30, 2**31 + 7, 2**32 - 2**25])
@pytest.mark.parametrize("closed", [True, False])
def test_ports_used_again_without_a_syn(isn: int, closed: bool) -> None:  # noqa: FBT001
    """What breaks others: the new SYN is lost, all that follows looks old, and nothing more comes out of the stream."""
    one = Talk().open().send(0, *PDUS[:3]).send(1, connect_resp())
    if closed:
        one.fin(0).fin(1)
    two = Talk(isn=(isn, isn + 4321)).open().send(0, *PDUS[:2]).send(1, connect_resp(), submit_resp(2))
    for n in range(20):
        two.send(0, active_test(n)).send(1, active_test_resp(n))
    result = alike(renumbered(one.segments + two.segments[3:]))
    assert result.octets() == [*PDUS[:3], *PDUS[:2], *(active_test(n) for n in range(20))]
    assert result.octets(1) == [connect_resp(), connect_resp(), submit_resp(2), *map(active_test_resp, range(20))]
    assert len(result.reassembler.streams) == 1


def test_both_ends_open_at_once() -> None:
    """What breaks others: two SYNs without a SYN-ACK between them."""
    talk = Talk().segment(0, at=-1, flags=SYN).segment(1, at=-1, flags=SYN)
    talk.segment(0, at=-1, flags=SYN | ACK, ack=0).segment(1, at=-1, flags=SYN | ACK, ack=0)
    assert whole(talk.send(0, *PDUS).send(1, connect_resp())).octets(1) == [connect_resp()]


def test_octets_on_the_syn() -> None:
    """What breaks others: octets of a SYN (TCP Fast Open) are dropped, or put one octet too early."""
    talk = Talk().segment(0, SENT[:20], -1, flags=SYN).segment(1, at=-1, flags=SYN | ACK, ack=20)
    whole(talk.segment(0, SENT[20:], 20))
    talk = Talk().segment(0, SENT[:20], -1, flags=SYN).segment(1, at=-1, flags=SYN | ACK, ack=0)
    whole(talk.segment(0, SENT, 0))  # the other side did not take them


@pytest.mark.parametrize("size", range(1, 21))
def test_segments_smaller_than_a_header(size: int) -> None:
    """What breaks others: a header that does not lie in one segment."""
    talk = Talk().open()
    for at in range(0, len(SENT), size):
        talk.segment(0, SENT[at : at + size])
    whole(talk)


def test_the_server_is_seen_first() -> None:
    """What breaks others: who speaks first in the capture counts as the one who opened the connection."""
    for ends, ports in (((SP, ISMG), (40_000, 7890)), ((ISMG, SP), (40_000, 7900))):
        talk = Talk(ends=ends, ports=ports).send(1, connect_resp()).send(0, *PDUS)
        assert whole(talk).octets(1) == [connect_resp()]


def test_probes_of_a_quiet_and_of_a_full_connection() -> None:
    """What breaks others: a keep-alive's octet overwrites the last one sent; a window probe's is sent again later."""
    talk = Talk().open().send(0, *PDUS[:2])
    at = talk.next[0]
    for octet in (b"\0", b"", b"\xff"):
        talk.segment(0, octet, at - 1).ack(1)
    for _ in range(3):
        talk.segment(0, PDUS[2][:1], at)
    result = whole(talk.segment(0, PDUS[2], at).send(0, *PDUS[3:]))
    assert result.reassembler.odd() == []


def test_a_copy_with_other_octets_changes_no_pdu() -> None:
    """What breaks others: a forged or damaged copy replaces what the receiver had taken already."""
    talk = Talk().open().send(0, *PDUS[:2])
    talk.segment(0, submit(9), len(PDUS[0])).send(0, *PDUS[2:])
    result = whole(talk)
    assert [(o.kind, o.offset, o.octets, o.fault) for o in result.reassembler.odd()] == [
        ("conflict", len(PDUS[0]) + 11, 1, "capture")
    ]
    talk = Talk().open().send(0, PDUS[0]).segment(0, PDUS[2], len(PDUS[0]) + len(PDUS[1]))
    talk.segment(0, active_test(8), len(PDUS[0]) + len(PDUS[1])).segment(0, PDUS[1], len(PDUS[0]))
    talk.send(0, *PDUS[3:])
    result = whole(talk)
    assert [(o.kind, o.octets) for o in result.reassembler.odd()] == [("conflict", 1)]


def test_a_whole_copy_fills_what_the_snapshot_length_cut_off() -> None:
    """What breaks others: a cut segment ends the stream, also where its octets come again in smaller ones."""
    talk = Talk().open().send(0, PDUS[0])
    at = talk.next[0]
    talk.segment(0, PDUS[1][:50], missing=len(PDUS[1]) - 50).send(0, PDUS[2])
    for begin in range(0, len(PDUS[1]), 40):
        talk.segment(0, PDUS[1][begin : begin + 40], at + begin)
    whole(talk.send(0, *PDUS[3:]))
