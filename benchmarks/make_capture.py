"""Write a big capture of CMPP 2.0 traffic, the same octets for the same arguments.

    python benchmarks/make_capture.py --frames 1000000 --seed 1 big.pcap

SPs talk to one ISMG, a TCP connection each: handshake, CONNECT, SUBMITs in a window of 16 with
their responses, a status report for each accepted one, ACTIVE_TEST by either side, TERMINATE, FIN.
What was sent is counted and printed as JSON.

Theory of operation. Traffic comes in *waves* of about 65,000 frames, at whose end nothing is
unanswered; only one wave is in memory. In a wave every stream is built by itself, in *rounds*: the
SP writes, then the ISMG writes. A SUBMIT of round r is answered in round r or r + 1, so up to 16
are open; its report comes some dozens of rounds later and is answered in the round after. A round's
PDUs are mixed, put end to end, and cut into segments behind PDUs, inside PDUs and at 1,448 octets.
Time runs over the segments of a stream, so a response is always later than its request. Pure ACKs
fill up to the wanted number of frames exactly. Last, the frames of all streams are sorted by time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

import cmpp_octets as cmpp
from cmpp_octets import Ints, Octets
from tcp_frames import (
    ACK,
    FILE_HEADER,
    FIN,
    PSH,
    SYN,
    SYN_TAIL,
    Frames,
    concatenate,
    ragged,
    records,
)

START = 1_772_413_200 * 10**6
"""2026-03-02 09:00 in China, microseconds since 1970."""
WAVE = 65_536
"""Frames built at once."""
WINDOW = 16
LAG = 40
"""Rounds from a SUBMIT to its report, where the wave is long enough."""
MSS = 1_448
HEADER = 12
"""Octets of a PDU that stay together, but for a cut at MSS."""
DATA_SHARE = 0.8
"""Of all frames; the others are pure ACKs."""
SEGMENTS_A_ROUND = 7.0
LEAST_FRAMES = 32
"""Fewest frames that a stream can be told in."""
GATEWAY = 1001
SECRET = b"cmpp-secret"
CUT_BEHIND, CUT_INSIDE = 0.19, 0.09
"""Chance of a segment border behind a PDU and inside one."""
REFUSED, LATE_ANSWER, LINK_TEST = 0.005, 0.2, 0.002
STATS = np.frombuffer(b"DELIVRDUNDELIVEXPIRED", np.uint8).reshape(3, 7)
CHARACTERS = "您的验证码是请勿告知他人订单已发货快递员正在派送余额不足话费充值成功感谢使用，。0123456789"
UCS2 = np.frombuffer(CHARACTERS.encode("utf-16-be"), np.uint8).reshape(-1, 2)
ASCII = np.frombuffer(b"Your code is 0123456789. Do not tell it to anybody, please", np.uint8)


class Faults(NamedTuple):
    """What goes wrong between the peers and the capture, as shares of the frames."""

    loss: float = 0.0
    reorder: float = 0.0


class Plan(NamedTuple):
    """PDUs of one stream in one wave, in the order they are written; one entry a PDU.

    ``request`` tells a PDU's transaction: an index into the columns of requests. ``write`` is
    2 · round + direction.
    """

    write: Ints
    command: Ints
    request: Ints
    refused: npt.NDArray[np.bool_]
    """One entry a transaction: a SUBMIT that gets Result 8."""
    submit_of: Ints
    """One entry a transaction: for a DELIVER the SUBMIT it reports on."""


@dataclass(slots=True)
class Stream:
    """What a stream carries from one wave to the next."""

    number: int
    streams: int
    rng: np.random.Generator
    sequence_id: list[int] = field(default_factory=lambda: [1, 1])
    seq: list[int] = field(default_factory=list)
    ip_id: list[int] = field(default_factory=lambda: [0, 0])
    serial: int = 0
    counts: Counter[int] = field(default_factory=Counter)

    @property
    def party(self) -> cmpp.Party:
        """The SP of this stream."""
        return cmpp.Party(b"9%05d" % (1001 + self.number), b"BENCH", b"%d" % (1001 + self.number), SECRET)


def wave(stream: Stream, frames: int, start: int, faults: Faults, *, first: bool, last: bool) -> tuple[Frames, Octets]:
    """Return ``frames`` frames of a stream from ``start`` on, and the octets of their tails."""
    fixed = 3 * first + 3 * last
    rounds = max(1, int(frames * DATA_SHARE / SEGMENTS_A_ROUND))
    for _ in range(200):
        plan = make_plan(stream.rng, rounds, first=first, last=last)
        sizes = draw_sizes(stream.rng, plan)
        starts, lengths = cut(stream.rng, plan, sizes)
        acks = frames - fixed - len(starts)
        if 0 <= acks <= len(starts):
            break
        rounds = max(1, rounds + (-1 if acks < 0 else 1) * max(1, rounds // 20))
    else:
        message = f"{frames} frames are too few for a stream; give it {LEAST_FRAMES} or more"
        raise ValueError(message)
    pdu_ends = np.cumsum(sizes)
    direction = plan.write[np.searchsorted(pdu_ends, starts, side="right")] & 1
    time = clock(stream.rng, plan, pdu_ends, starts, start)
    pdu_time = time[np.searchsorted(starts, pdu_ends - 1, side="right") - 1]
    payload = write_pdus(stream, plan, sizes, pdu_time // 10**6)
    built = envelope(stream, time, direction, (starts, lengths), acks, first=first, last=last)
    octets = np.concatenate([payload, np.frombuffer(SYN_TAIL, np.uint8)])
    return spoil(stream.rng, built, faults), octets


def make_plan(rng: np.random.Generator, rounds: int, *, first: bool, last: bool) -> Plan:
    """Draw what is sent in which write."""
    submits = np.repeat(np.arange(rounds), rng.integers(1, WINDOW // 2 + 1, rounds))
    refused = rng.random(len(submits)) < REFUSED
    accepted = np.flatnonzero(~refused)
    lag = max(2, min(LAG, rounds // 4))
    reports = submits[accepted] + lag + rng.integers(0, 2, len(accepted))
    tests = [np.flatnonzero(rng.random(rounds) < LINK_TEST) for _ in range(2)]
    end = int(max(reports.max(initial=0), rounds)) + 2
    login, logout = np.full(int(first), -1), np.full(int(last), end)
    # One block a kind of request: command, direction, round, rounds until the answer.
    blocks = (
        (cmpp.SUBMIT, 0, submits, (rng.random(len(submits)) < LATE_ANSWER).astype(np.int64)),
        (cmpp.DELIVER, 1, reports, 1),
        (cmpp.ACTIVE_TEST, 0, tests[0], 0),
        (cmpp.ACTIVE_TEST, 1, tests[1], 1),
        (cmpp.CONNECT, 0, login, 0),
        (cmpp.TERMINATE, 0, logout, 0),
    )
    asked = np.concatenate([2 * at + side for _, side, at, _ in blocks])
    answered = np.concatenate([2 * (at + wait) + 1 - side for _, side, at, wait in blocks])
    command = np.concatenate([np.full(len(at), code) for code, _, at, _ in blocks])
    count = len(command)
    write = np.concatenate([asked, answered])
    order = np.lexsort((rng.random(2 * count), write))
    submit_of = np.full(count, -1)
    submit_of[len(submits) : len(submits) + len(accepted)] = accepted
    is_refused = np.zeros(count, np.bool_)
    is_refused[: len(submits)] = refused
    both = np.concatenate([command, command | cmpp.RESPONSE])
    return Plan(write[order], both[order], order % count, is_refused, submit_of)


def draw_sizes(rng: np.random.Generator, plan: Plan) -> Ints:
    """Total_Length of every PDU."""
    known = np.array(list(cmpp.LENGTHS), np.int64)
    by_command = np.array(list(cmpp.LENGTHS.values()), np.int64)
    rank = np.argsort(known)
    lengths = by_command[rank][np.searchsorted(known[rank], plan.command)]
    content = 2 * np.minimum(5 + rng.geometric(0.04, len(lengths)), 70)
    return lengths + np.where(plan.command == cmpp.SUBMIT, content, 0)


def cut(rng: np.random.Generator, plan: Plan, sizes: Ints) -> tuple[Ints, Ints]:
    """Cut the octets of a wave into segments: where each starts, and its length.

    Offsets count through both directions; no segment reaches over the end of a write.
    """
    ends = np.cumsum(sizes)
    last_of_write = np.append(plan.write[1:] != plan.write[:-1], True)
    behind = ends[last_of_write | (rng.random(len(ends)) < CUT_BEHIND)]
    inside = (rng.random(len(ends)) < CUT_INSIDE) & (sizes > HEADER)
    at = ends[inside] - rng.integers(1, sizes[inside] - HEADER + 1)
    borders = np.union1d(behind, at)
    starts = np.append(0, borders[:-1])
    pieces = -(-(borders - starts) // MSS)
    piece = ragged(np.zeros_like(pieces), pieces)
    starts = np.repeat(starts, pieces) + piece * MSS
    return starts, np.append(starts[1:], borders[-1]) - starts


def clock(rng: np.random.Generator, plan: Plan, pdu_ends: Ints, starts: Ints, start: int) -> Ints:
    """Time of every segment, in microseconds; strictly increasing."""
    write = plan.write[np.searchsorted(pdu_ends, starts, side="right")]
    begins = np.append(True, write[1:] != write[:-1])
    count = len(starts)
    think, respond = rng.lognormal(10.6, 0.5, count), rng.lognormal(9.0, 0.6, count)
    gap = np.where(write & 1, respond, think).astype(np.int64) + 200
    return start + 1_000 + np.cumsum(np.where(begins, gap, rng.integers(20, 400, count)))


def write_pdus(stream: Stream, plan: Plan, sizes: Ints, seconds: Ints) -> Octets:
    """Return the octets of all PDUs of a wave; numbers and counts the stream's PDUs."""
    rng, party = stream.rng, stream.party
    transactions = len(plan.refused)
    asks = plan.command < cmpp.RESPONSE
    sequence = np.zeros(transactions, np.int64)
    asked_at = np.zeros(transactions, np.int64)
    for side in range(2):
        here = plan.request[asks & (plan.write & 1 == side)]
        sequence[here] = stream.sequence_id[side] + np.arange(len(here))
        stream.sequence_id[side] += len(here)
    asked_at[plan.request[asks]] = seconds[asks]
    serial = (stream.serial + np.arange(transactions)) * stream.streams + stream.number
    stream.serial += transactions
    ids = cmpp.msg_id(asked_at, GATEWAY, serial)
    ids[plan.refused] = 0
    phones = 13_000_000_000 + rng.integers(0, 10**7, transactions)
    stats = STATS[rng.choice(3, transactions, p=[0.95, 0.03, 0.02])]
    out = np.zeros(int(sizes.sum()), np.uint8)
    starts = np.cumsum(sizes) - sizes
    connects = np.zeros((0, 39), np.uint8)
    for command in (np.unique(plan.command)).tolist():
        rows = np.flatnonzero(plan.command == command)
        request = plan.request[rows]
        number = sequence[request]
        match command:
            case cmpp.CONNECT:
                octets = connects = cmpp.connect(number, party, seconds[rows])
            case 0x8000_0001:
                octets = cmpp.connect_resp(number, party, connects)
            case cmpp.SUBMIT:
                octets = submits(rng, party, number, phones[request], sizes[rows])
            case cmpp.DELIVER:
                about = plan.submit_of[request]
                report = ids[about], stats[request], asked_at[about], seconds[rows], request
                octets = cmpp.deliver_report(number, party, phones[about], ids[request], report)
            case 0x8000_0004 | 0x8000_0005:
                result = np.where(plan.refused[request], 8, 0)
                octets = cmpp.answer(command & 0xFF, number, ids[request], result)
            case _:
                octets = cmpp.fixed(command, number)
        within = np.arange(octets.shape[1]) < sizes[rows, None]
        out[ragged(starts[rows], sizes[rows])] = octets[within]
        stream.counts[command] += len(rows)
    return out


def submits(rng: np.random.Generator, party: cmpp.Party, sequence: Ints, phones: Ints, sizes: Ints) -> Octets:
    """SUBMITs of the given Total_Lengths with texts drawn at random, three in four in UCS2."""
    content_sizes = sizes - cmpp.LENGTHS[cmpp.SUBMIT]
    half = int(content_sizes.max(initial=0)) // 2
    count = len(sequence)
    formats = np.where(rng.random(count) < 0.75, 8, 0)
    chinese = UCS2[rng.integers(0, len(UCS2), (count, half))].reshape(count, -1)
    english = ASCII[rng.integers(0, len(ASCII), (count, 2 * half))]
    contents = np.where(formats[:, None] == 8, chinese, english)
    return cmpp.submit(sequence, party, phones, formats, contents, content_sizes)[0]


def envelope(
    stream: Stream,
    time: Ints,
    direction: Ints,
    spans: tuple[Ints, Ints],
    acks: int,
    *,
    first: bool,
    last: bool,
) -> Frames:
    """Put segments, pure ACKs, handshake and close in order, with their sequence numbers."""
    starts, sizes = spans
    syn_tail = int(sizes.sum())
    which = np.sort(stream.rng.choice(len(time), acks, replace=False))
    until = np.append(time[1:], time[-1] + 100)[which]
    ack_time = time[which] + 1 + (stream.rng.random(acks) * (until - time[which] - 2)).astype(int)
    # Handshake and close: microseconds from the first or last segment, direction, flags.
    opening = [(-900, 0, SYN), (-500, 1, SYN | ACK), (-450, 0, ACK)] if first else []
    closing = [(900, 0, FIN | ACK), (1300, 1, FIN | ACK), (1350, 0, ACK)] if last else []
    extra = [(int(time[0]) + at, side, flag) for at, side, flag in opening]
    extra += [(int(time[-1]) + at, side, flag) for at, side, flag in closing]
    extra_time, extra_side, extra_flags = np.array(extra, np.int64).reshape(-1, 3).T
    nothing = np.zeros(acks + len(extra), np.int64)
    flags = np.concatenate([np.full(len(time), PSH | ACK), np.full(acks, ACK), extra_flags])
    start = np.concatenate([starts, nothing])
    size = np.concatenate([sizes, nothing])
    all_time = np.concatenate([time, ack_time, extra_time])
    side = np.concatenate([direction, 1 - direction[which], extra_side])
    order = np.argsort(all_time, kind="stable")
    time, side, flags, start, size = (c[order] for c in (all_time, side, flags, start, size))
    takes = size + (flags & SYN != 0) + (flags & FIN != 0)
    syn = flags & SYN != 0
    start[syn], size[syn] = syn_tail, len(SYN_TAIL)
    seq, ack, ip_id, echo = (np.zeros(len(time), np.int64) for _ in range(4))
    for d in range(2):
        mine = side == d
        sent = stream.seq[d] + np.cumsum(np.where(mine, takes, 0))
        seq[mine] = (sent - takes)[mine]
        ack[~mine] = sent[~mine]
        ip_id[mine] = stream.ip_id[d] + np.arange(np.count_nonzero(mine))
        echo[~mine] = np.maximum.accumulate(np.where(mine, time // 1000, 0))[~mine]
        stream.seq[d] = int(sent[-1])
        stream.ip_id[d] += int(np.count_nonzero(mine))
    ack[flags == SYN] = 0
    return Frames(time, np.full(len(time), stream.number), side, flags, seq, ack, ip_id, echo, start, size)


def spoil(rng: np.random.Generator, frames: Frames, faults: Faults) -> Frames:
    """Swap frames of a stream with their successors, and leave some out (never a SYN)."""
    if faults.reorder:
        first = np.arange(0, len(frames.time) - 1, 2)
        first = first[rng.random(len(first)) < 2 * faults.reorder]
        order = np.arange(len(frames.time))
        order[first], order[first + 1] = first + 1, first
        time = frames.time
        frames = frames.take(order)
        frames.time = time
    if faults.loss:
        lost = (rng.random(len(frames.time)) < faults.loss) & (frames.flags & SYN == 0)
        frames = frames.take(np.flatnonzero(~lost))
    return frames


def shares(total: int, parts: int) -> list[int]:
    """Split a number into parts that differ by one at most."""
    return [total // parts + (i < total % parts) for i in range(parts)]


def write_capture(out: BinaryIO, *, frames: int, seed: int, streams: int, faults: Faults) -> dict[str, object]:
    """Write the capture and return what it holds."""
    rngs = np.random.default_rng(seed).spawn(streams)
    everyone = [Stream(i, streams, rng) for i, rng in enumerate(rngs)]
    for stream in everyone:
        stream.seq = stream.rng.integers(0, 2**32, 2).tolist()
    waves = max(1, round(frames / WAVE))
    plan = [shares(of_stream, waves) for of_stream in shares(frames, streams)]
    out.write(FILE_HEADER)
    written, now = 0, START
    for number in range(waves):
        parts = [
            wave(
                stream,
                plan[stream.number][number],
                now + 37_003 * stream.number,
                faults,
                first=number == 0,
                last=number == waves - 1,
            )
            for stream in everyone
        ]
        joined, octets = concatenate([part for part, _ in parts], [buffer for _, buffer in parts])
        order = np.lexsort((joined.stream, joined.time))
        out.write(records(joined.take(order), octets))
        written += len(order)
        now = int(joined.time.max()) + 50_000
    counts = sum((stream.counts for stream in everyone), Counter[int]())
    return {
        "seed": seed,
        "streams": streams,
        "frames": written,
        "lost_frames": frames - written,
        "octets": out.tell(),
        "pdus": counts.total(),
        "commands": {cmpp.NAMES[command]: counts[command] for command in sorted(counts)},
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write a big capture of CMPP 2.0 traffic.")
    parser.add_argument("output", type=Path, help="the pcap file to write")
    parser.add_argument("--frames", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--streams", type=int, default=16, help="default: %(default)s")
    parser.add_argument("--loss", type=float, default=0.0, help="share of frames left out")
    parser.add_argument("--reorder", type=float, default=0.0, help="share of frames swapped")
    options = parser.parse_args(arguments)
    if not 1 <= options.streams <= 20_000 or options.frames < LEAST_FRAMES * options.streams:
        parser.error(f"give 1 to 20,000 streams and {LEAST_FRAMES} frames or more a stream")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with options.output.open("wb") as out:
        facts = write_capture(
            out,
            frames=options.frames,
            seed=options.seed,
            streams=options.streams,
            faults=Faults(options.loss, options.reorder),
        )
    sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
