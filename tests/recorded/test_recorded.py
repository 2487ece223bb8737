"""Conversations over real sockets in which one speaker breaks one rule: that is found, where it was done, and no more.

The truth is what the speakers logged. Frames are looked up by a reader of captures of its own, never by cmppscope.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.recorded.reading import Recorded
from tests.recorded.record import SCENES

FOLDER = Path(__file__).parents[1] / "data" / "rules"
TRUTHS = {path.name.partition(".")[0]: path for path in sorted(FOLDER.glob("*.truth.json"))}
FIRST_LINES = 10
MOST_OCTETS, MOST_OF_ALL = 20_000, 400_000
SP_TO_ISMG, ISMG_TO_SP = 0, 1
ODD = ("dest-count-100", "length-submit", "report-stat", "response-other-connection", "window-exceeded")
"""Captures in which TCP is as programs seldom see it."""
ALSO_TRUE = {"response-other-connection": {"response-orphan"}}
"""What is true where the frame is lost that would tell it from the rule broken."""
TOLD_WITH_THE_LOGIN = {"connect-auth-wrong"}
"""Errors that the sentence about the login tells."""

every_capture = pytest.mark.parametrize("rule", TRUTHS)


class Place(NamedTuple):
    """Where a finding is."""

    frame: int
    stream: int
    direction: int


class Capture:
    """A capture with what its speakers logged."""

    def __init__(self, rule: str) -> None:
        """Read both."""
        self.truth: dict[str, Any] = json.loads(TRUTHS[rule].read_text(encoding="utf-8"))
        self.path = FOLDER / self.truth["capture"]
        self.recorded = Recorded(self.path)
        ports = [tuple(int(end.split()[1]) for end in ends) for ends in self.truth["connections"]]
        self.ways = [(self.recorded.ways[sp, ismg], self.recorded.ways[ismg, sp]) for sp, ismg in ports]

    def acts(self, did: str) -> list[dict[str, Any]]:
        """Give the acts of a kind."""
        return [act for act in self.truth["acts"] if act["did"] == did]

    def place(self, act: dict[str, Any]) -> Place:
        """Tell where an act is in the capture: the frame with the last octet of what was sent, or with FIN or RST."""
        direction = int(act["who"] == "ISMG")
        way = self.ways[act["connection"]][direction]
        if act["did"] == "closed":
            assert way.closing is not None
            return Place(way.closing[0], act["connection"], direction)
        return Place(way.frame_of(act["at"] + act["octets"] - 1), act["connection"], direction)

    def places(self, rule: str) -> list[Place]:
        """Tell where findings of a rule are to be."""
        return sorted(self.place(act) for act in self.truth["acts"] if rule in act.get("found", ()))

    def words(self, folder: Path) -> list[object]:
        """Tell cmppscope what the parties agreed on."""
        words: list[object] = ["--secret", self.truth["secret"]] if self.truth["secret"] else []
        if self.truth["config"]:
            config = folder / "agreed.toml"
            config.write_text(toml(self.truth["config"]))
            words += ["--config", config]
        return [self.path, *words]


def toml(config: dict[str, Any]) -> str:
    """Write a configuration file."""
    plain = [f"{key} = {value}" for key, value in config.items() if not isinstance(value, dict)]
    tables = [f"[{key}]\n{toml(value)}" for key, value in config.items() if isinstance(value, dict)]
    return "\n".join([*plain, *tables])


@pytest.fixture(scope="module")
def captures() -> Callable[[str], Capture]:
    """Read each capture once."""
    known: dict[str, Capture] = {}
    return lambda rule: known.get(rule) or known.setdefault(rule, Capture(rule))


def test_every_scene_is_recorded() -> None:
    """Every scene has a capture and a truth, which tells the scene as it is, and there are no others; all are small."""
    expected = {f"{rule}{scene.ending}" for rule, scene in SCENES.items()} | {f"{r}.truth.json" for r in SCENES}
    assert {path.name for path in FOLDER.iterdir()} - {"README.md"} == expected
    for rule, scene in SCENES.items():
        truth = json.loads(TRUTHS[rule].read_text(encoding="utf-8"))
        told = {finding["rule"]: finding["severity"] for finding in truth["findings"]}
        assert told == {rule: scene.severity} | {also: severity for also, (severity, _) in scene.also.items()}
        assert (truth["story"], truth["config"], truth["secret"]) == (scene.story, scene.config, scene.secret)
    sizes = [(FOLDER / f"{rule}{scene.ending}").stat().st_size for rule, scene in SCENES.items()]
    assert max(sizes) < MOST_OCTETS
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_OF_ALL


@every_capture
def test_the_capture_holds_what_was_sent(rule: str, captures: Callable[[str], Capture]) -> None:
    """The octets of each side begin where it logged, and neither more nor fewer were sent."""
    capture = captures(rule)
    sent = Counter({(c, d): 0 for c in range(len(capture.ways)) for d in (SP_TO_ISMG, ISMG_TO_SP)})
    for act in capture.acts("sent"):
        way = (act["connection"], int(act["who"] == "ISMG"))
        assert act["at"] == sent[way]
        header = bytes.fromhex(act["header"])
        assert capture.ways[way[0]][way[1]].octets[act["at"] :][: len(header)] == header
        sent[way] += act["octets"]
    assert {way: len(capture.ways[way[0]][way[1]].octets) for way in sent} == sent


@every_capture
def test_what_was_received_was_sent(rule: str, captures: Callable[[str], Capture]) -> None:
    """Both logs agree: every PDU that one side received the other side sent."""
    capture = captures(rule)
    of_a_pdu = ("command", "sequence_id", "octets")
    logs = {
        did: Counter(
            (act["connection"], (act["who"] == "SP") == (did == "sent"), *(act[key] for key in of_a_pdu))
            for act in capture.acts(did)
            if "command" in act
        )
        for did in ("sent", "received")
    }
    assert logs["received"] <= logs["sent"]


@every_capture
def test_pdus_are_those_sent(
    rule: str, captures: Callable[[str], Capture], cli: Callable[..., Any], tmp_path: Path
) -> None:
    """Every PDU that was sent is listed, with the frame that carried its last octet, and no other."""
    capture = captures(rule)
    ended = cli("pdus", "--format", "ndjson", *capture.words(tmp_path))
    found = Counter(
        (row["command_id"], row["sequence_id"], row["total_length"], row["frame"], row["stream"], row["direction"])
        for row in ended.rows
    )
    sent = Counter(
        (int(act["header"][8:16], 16), act["sequence_id"], act["octets"], *capture.place(act))
        for act in capture.acts("sent")
        if "command" in act
    )
    assert found == sent


Told = dict[tuple[str, str, str, int], list[Place]]
"""Rule, severity, fault and count of findings to their places."""


@pytest.fixture(scope="module")
def findings(
    captures: Callable[[str], Capture], cli: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[dict[str, Any]]]:
    """Report on each capture once, and give the findings."""
    known: dict[str, list[dict[str, Any]]] = {}

    def read(rule: str) -> list[dict[str, Any]]:
        if rule not in known:
            ended = cli("report", *captures(rule).words(tmp_path_factory.mktemp(rule)))
            assert (ended.status, ended.err) == (0, "")
            known[rule] = ended.report["findings"]
        return known[rule]

    return read


@pytest.fixture
def told(
    rule: str, captures: Callable[[str], Capture], findings: Callable[[str], list[dict[str, Any]]]
) -> tuple[Told, Told]:
    """Give the findings of a capture's report, and those that its truth tells."""
    capture = captures(rule)
    found = {
        (f["rule"], f["severity"], f["fault"], f["count"]): sorted(
            Place(place["frame"], place["stream"], place["direction"]) for place in f["places"]
        )
        for f in findings(rule)
    }
    expected = {
        (f["rule"], f["severity"], "peer", len(places)): places
        for f in capture.truth["findings"]
        for places in [capture.places(f["rule"])]
    }
    return found, expected


@every_capture
def test_it_is_found_where_it_was_done(rule: str, told: tuple[Told, Told]) -> None:
    """The report names the rule, how grave it is, that a peer broke it, how often and where; and nothing else is wrong.

    Notes have a test of their own, but for the rule that is broken.
    """
    found, expected = ({k: v for k, v in t.items() if k[0] == rule or k[1] != "note"} for t in told)
    assert {key[0] for key in expected} >= {rule}
    assert found == expected


@every_capture
def test_notes_are_those_of_the_truth(rule: str, told: tuple[Told, Told]) -> None:  # noqa: ARG001 - told asks for it
    """What is merely worth showing is there where it was done, and nowhere else."""
    found, expected = ({k: v for k, v in t.items() if k[1] == "note"} for t in told)
    assert found == expected


@every_capture
def test_the_text_says_first_who_did_it(
    rule: str, captures: Callable[[str], Capture], cli: Callable[..., Any], tmp_path: Path
) -> None:
    """The first ten lines of the text name each rule broken, the side that broke it, and nobody for both sides."""
    capture = captures(rule)
    lines = cli("report", "--format", "text", *capture.words(tmp_path)).text.split("\n\n")[0].splitlines()
    told = re.findall(r"(?m)^  (error|warn) ([a-z0-9-]+)(?: \((\w+)\))?:", "\n".join(lines))
    expected = [
        (f["severity"], f["rule"], f["blamed"])
        for f in capture.truth["findings"]
        if f["severity"] != "note" and f["rule"] not in TOLD_WITH_THE_LOGIN
    ]
    assert len(lines) <= FIRST_LINES
    assert sorted(told) == sorted(expected)


@every_capture
def test_a_lost_frame_is_the_captures_fault(
    rule: str, captures: Callable[[str], Capture], cli: Callable[..., Any], tmp_path: Path
) -> None:
    """Whichever one frame with octets is missing from the capture, no peer is blamed for what he did not do."""
    capture = captures(rule)
    did = {finding["rule"] for finding in capture.truth["findings"]} | ALSO_TRUE.get(rule, set())
    wrong = {}
    for lost in capture.recorded.carriers:
        report = cli("report", "-", *capture.words(tmp_path)[1:], stdin=capture.recorded.without(lost)).report
        blamed = {f["rule"] for f in report["findings"] if f["fault"] == "peer" and f["severity"] != "note"} - did
        if blamed:
            wrong[lost] = blamed
    assert wrong == {}


def test_a_session_begun_without_connect_is_no_cut_capture(
    captures: Callable[[str], Capture], cli: Callable[..., Any]
) -> None:
    """Where the capture holds the handshake, the text does not say that the login may lie before it."""
    text = cli("report", "--format", "text", captures("connect-missing").path).text
    assert "begun before it" not in text
    assert "login not in the capture" not in text


@every_capture
def test_findings_name_the_octet(
    rule: str, captures: Callable[[str], Capture], findings: Callable[[str], list[dict[str, Any]]]
) -> None:
    """A finding about octets of a direction names the first of them."""
    sent, begins = captures(rule).acts("sent"), set()
    for act in captures(rule).truth["acts"]:
        if rule in act.get("found", ()):
            last = [earlier["at"] for earlier in sent if earlier["who"] == act["who"]][-1]
            begins.add(act.get("at", last))
    named = {place["octet"] for f in findings(rule) if f["rule"] == rule for place in f["places"]}
    assert named - {None} <= begins


@pytest.mark.tshark
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_counts_as_many_frames(captures: Callable[[str], Capture]) -> None:
    """Both readers of captures in which TCP is odd see as many frames, octets of TCP and connections."""
    seen, expected = {}, {}
    for rule in ODD:
        capture = captures(rule)
        command = ["tshark", "-r", capture.path, "-T", "fields", "-e", "tcp.stream", "-e", "tcp.len"]
        out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        rows = [line.split("\t") for line in out.splitlines()]
        seen[rule] = len(rows), sum(int(size) for _, size in rows), len({stream for stream, _ in rows})
        octets = sum(len(s.octets) for way in capture.recorded.ways.values() for s in way.segments)
        expected[rule] = capture.recorded.frames, octets, len(capture.ways)
    assert seen == expected
