"""The samples are what make_samples.py writes, on every run, and hold what was said in them."""

from __future__ import annotations

import hashlib
import io
import itertools
import re
import shutil
import subprocess
import tomllib
from collections import Counter, defaultdict
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dpkt
import pytest

from dissectors.cmpp import (
    BODIES,
    CMPP,
    authenticator_ismg,
    check_authenticator_source,
    pdus,
    split_msg_id,
)
from samples.make_samples import SAMPLES, Sample, main
from samples.making import edition3

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "samples"
GOLDEN = ROOT / "tests/dissectors/cmpp/golden.toml"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".pcap", ".pcapng"})
MOST_FRAMES = 60
DOCUMENTATION = [ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32")]
SYN = dpkt.tcp.TH_SYN

every_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
whole_samples = pytest.mark.parametrize("sample", [s for s in SAMPLES.values() if s.whole], ids=lambda s: s.name)

Flow = tuple[bytes, int, bytes, int]


class Segment(NamedTuple):
    """A TCP segment as far as these tests look."""

    flow: Flow
    seq: int
    flags: int
    payload: bytes


def ip_packets(name: str) -> Iterator[tuple[float, dpkt.ip.IP | dpkt.ip6.IP6]]:
    """Read a sample's IP packets, each with its time, from any link layer that occurs."""
    octets = (FOLDER / name).read_bytes()
    if name.endswith(".pcapng"):
        for time, link, frame in blocks(octets):
            yield (
                time,
                (dpkt.sll2.SLL2(frame) if link == dpkt.pcap.DLT_LINUX_SLL2 else dpkt.ethernet.Ethernet(frame)).data,
            )
    else:
        for time, frame in dpkt.pcap.Reader(io.BytesIO(octets)):
            yield time, dpkt.ethernet.Ethernet(frame).data


def blocks(octets: bytes) -> Iterator[tuple[float, int, bytes]]:
    """Read the packet blocks of a little-endian pcapng file in nanoseconds: time, link type, frame."""
    links, at = [], 0
    while at < len(octets):
        kind, length = (int.from_bytes(octets[at + n : at + n + 4], "little") for n in (0, 4))
        words = [int.from_bytes(octets[at + n : at + n + 4], "little") for n in range(8, 28, 4)]
        if kind == 1:
            links.append(words[0] & 0xFFFF)
        if kind == 6:
            yield (words[1] << 32 | words[2]) / 1e9, links[words[0]], octets[at + 28 : at + 28 + words[3]]
        at += length


def segments(name: str) -> Iterator[Segment]:
    """Read a sample's TCP segments, and hold their checksums to be right."""
    for _time, packet in ip_packets(name):
        tcp = packet.data
        before = packet.sum if packet.v == 4 else None, tcp.sum
        packet.sum = tcp.sum = 0
        bytes(packet)  # dpkt fills in what is 0
        assert (packet.sum if packet.v == 4 else None, tcp.sum) == before
        yield Segment((packet.src, tcp.sport, packet.dst, tcp.dport), tcp.seq, tcp.flags, bytes(tcp.data))


def streams(name: str) -> dict[Flow, bytes]:
    """Put the payloads of each direction in order; the samples asked for lack nothing and begin with SYN."""
    first: dict[Flow, int] = {}
    flows: dict[Flow, bytearray] = defaultdict(bytearray)
    for segment in sorted(segments(name), key=lambda segment: segment.seq):
        if segment.flags & SYN:
            first[segment.flow] = segment.seq + 1
        elif segment.payload:
            assert segment.seq == first[segment.flow] + len(flows[segment.flow])
            flows[segment.flow] += segment.payload
    return {flow: bytes(octets) for flow, octets in flows.items()}


def said(sample: Sample) -> dict[Flow, list[bytes]]:
    """What the conversations of a sample were told to say, PDU by PDU."""
    told: dict[Flow, list[bytes]] = defaultdict(list)
    for talk in sample.tell().conversations:
        for side, octets in talk.said:
            source, target = talk.ends[side].host, talk.ends[1 - side].host
            told[source.ip.packed, source.port, target.ip.packed, target.port].append(octets)
    return dict(told)


def found(name: str) -> Iterator[CMPP]:
    """Every PDU of a sample."""
    for octets in streams(name).values():
        yield from pdus(octets)


def test_rebuilding_gives_the_same_octets(tmp_path: Path) -> None:
    """Every file checked in is the one that the program writes, and there are no others."""
    main([str(tmp_path)])
    rebuilt = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert rebuilt == {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in FILES}


def test_readme_lists_exactly_the_files() -> None:
    """The README's table has one row a file, in the order of the program's table."""
    assert re.findall(r"^\| `([^`]+\.pcap(?:ng)?)` \|", README, re.MULTILINE) == list(SAMPLES)
    assert sorted(SAMPLES) == FILES


@every_sample
def test_readme_tells_each_story(sample: Sample) -> None:
    """The README tells a sample's story in the words of the program's table."""
    assert f"| `{sample.name}` | {sample.story} |" in README


@every_sample
def test_addresses_are_those_for_documentation(sample: Sample) -> None:
    """No sample names a host that exists."""
    for _time, packet in ip_packets(sample.name):
        for address in (ip_address(packet.src), ip_address(packet.dst)):
            assert any(address in net for net in DOCUMENTATION)


@every_sample
def test_time_never_runs_back(sample: Sample) -> None:
    """The frames stand in the order of their times, and are few."""
    times = [time for time, _packet in ip_packets(sample.name)]
    assert times == sorted(times)
    assert 0 < len(times) < MOST_FRAMES


@pytest.mark.tshark
@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
@every_sample
def test_tshark_reads_every_frame(sample: Sample) -> None:
    """Tshark reads each file to its end, and finds every checksum right."""
    checks = ("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")
    fields = ("-T", "fields", "-e", "frame.number", "-e", "tcp.checksum.status", "-e", "ip.checksum.status")
    run = subprocess.run(
        ["tshark", "-r", FOLDER / sample.name, *checks, *fields], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    assert [int(number) for number, *_ in rows] == list(range(1, len(sample.tell().frames) + 1))
    assert {status for _number, tcp, ip in rows for status in (tcp, *filter(None, [ip]))} == {"1"}


@whole_samples
def test_what_was_said_is_what_is_found(sample: Sample) -> None:
    """The PDUs read back from each direction are those put in, in their order, and nothing else."""
    read = {flow: [bytes(pdu.original) for pdu in pdus(octets)] for flow, octets in streams(sample.name).items()}
    assert read == said(sample)


@whole_samples
def test_the_first_answer_to_a_connect_is_right(sample: Sample) -> None:
    """Authenticators are computed as the document says, from `cmpp-secret` or from the wrong secret told of."""
    secret = b"cmpp-Secret" if sample.name == "login-refused.pcap" else b"cmpp-secret"
    for octets in streams(sample.name).values():
        pdu = next(pdus(octets))
        if pdu.Command_Id == 1:
            fields = (pdu.AuthenticatorSource, pdu.Source_Addr, secret, pdu.Timestamp)
            assert check_authenticator_source(*fields) == "standard"


def test_login_and_report_is_in_step_with_the_clock() -> None:
    """CONNECT's Timestamp and the Msg_Ids are the capture's time in China, and the report names the SUBMIT."""
    by_command = {pdu.Command_Id: pdu for pdu in found("login-and-report.pcap")}
    connect, answer = by_command[1], by_command[0x80000001]
    assert connect.Timestamp == 601101530
    assert answer.AuthenticatorISMG == authenticator_ismg(0, connect.AuthenticatorSource, b"cmpp-secret")
    resp, deliver = by_command[0x80000004], by_command[5]
    assert tuple(split_msg_id(resp.Msg_Id)) == (6, 1, 10, 15, 30, 1001, 1)
    assert tuple(split_msg_id(deliver.Msg_Id)) == (6, 1, 10, 15, 37, 1001, 2)
    assert deliver.report is not None
    assert (deliver.report.Msg_Id, deliver.report.Stat) == (resp.Msg_Id, b"DELIVRD")
    assert deliver.report.Dest_terminal_Id == by_command[4].Dest_terminal_Id[0]


def test_every_pdu_holds_every_pdu() -> None:
    """Each of the thirty commands occurs, and every body is whole."""
    read = list(found("every-pdu.pcapng"))
    assert Counter(pdu.Command_Id for pdu in read).keys() == BODIES.keys()
    assert all(isinstance(pdu.payload, BODIES[pdu.Command_Id]) and not pdu.payload.is_cut() for pdu in read)


def test_edition_3_is_built_as_the_golden_vectors_are() -> None:
    """The bodies of 3.0 built by hand are, for the same values, the vectors of the specification."""
    golden = {
        pdu["id"]: bytes.fromhex(pdu["octets"]) for pdu in tomllib.loads(GOLDEN.read_text(encoding="utf-8"))["pdu"]
    }
    submitted, reported = 0x9B28F7C003E90001, 0x9B28FA0003E90003
    status = edition3.Status(submitted, "0209221015", "0209221016", "13800138000", 12345678)
    proof = bytes.fromhex("d9d0a602135b24d210d102aa04ca1762")
    assert {
        "G31": edition3.connect_resp(1, proof),
        "G32": edition3.submit(2, edition3.Message("13800138000", "你好，CMPP".encode("utf-16-be"))),
        "G33": edition3.submit_resp(2, submitted),
        "G34": edition3.deliver_report(2, reported, status),
        "G35": edition3.deliver_resp(2, reported),
    }.items() <= golden.items()


def test_loss_and_resync_lacks_repeats_and_reorders() -> None:
    """One run of octets is missing, one segment comes twice, and one comes after its successor."""
    sent = [s for s in segments("loss-and-resync.pcap") if s.flow[3] == 7890 and s.payload]
    expected, gaps, seen = sent[0].seq, [], set()
    repeats = [s for s in sent if s.seq in seen or seen.add(s.seq)]  # type: ignore[func-returns-value]
    for segment in sorted(set(sent), key=lambda s: s.seq):
        if segment.seq != expected:
            gaps.append(segment.seq - expected)
        expected = segment.seq + len(segment.payload)
    assert len(gaps) == len(repeats) == 1
    assert sum(a.seq > b.seq for a, b in itertools.pairwise(sent)) == 1
