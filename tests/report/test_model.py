"""The report's model is its schema, and its octets are always the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest

from cmppscope.analysis import Analysis
from cmppscope.capture import Capture
from cmppscope.report import model
from cmppscope.report.build import build, milliseconds, moment
from cmppscope.report.model import encode, schema

SAMPLES = Path(__file__).parents[2] / "samples"

TOP = [
    *("schema_version", "generator", "capture", "totals", "commands", "sessions", "transactions", "results"),
    *("messages", "throughput", "latency_over_time", "peers", "audit", "findings"),
]


def report_of(name: str, batch_frames: int = 100_000) -> model.Report:
    """Report on a sample, read in batches of so many frames."""
    capture, analysis = Capture([SAMPLES / name], batch_frames), Analysis()
    for frames in capture:
        analysis.feed(frames)
    analysis.close()
    return build(analysis, capture.files)


def test_schema_names_the_contract() -> None:
    """The schema is version 1 of 2020-12, is a schema, and has the parts of the contract in their order."""
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    assert (made["$schema"], made["description"]) == (
        "https://json-schema.org/draft/2020-12/schema",
        "Schema version 1",
    )
    assert list(made["$defs"]["Report"]["properties"]) == [*TOP, "filter"]
    assert made["$defs"]["Report"]["required"] == TOP
    assert made["$defs"]["Report"]["properties"]["schema_version"] == {"enum": [1]}


def test_every_field_is_required() -> None:
    """No field may be missing, but for the filter that nobody gave: what is not known is null."""
    for part in schema()["$defs"].values():
        assert sorted(part["required"]) == sorted(set(part["properties"]) - {"filter"})


def test_names_are_snake_case() -> None:
    """Fields are named in one way."""
    names = [field for part in schema()["$defs"].values() for field in part["properties"]]
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)] == []


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"totals": None}, {"findings": [{}]}, {"capture": {}}])
def test_the_schema_refuses(change: dict[str, object]) -> None:
    """A report of another version, or with a part missing, is not one."""
    good = json.loads(encode(report_of("login-and-report.pcap")))
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(good)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(good | change)


@pytest.mark.parametrize("batch_frames", [1, 7, 100_000])
def test_octets_do_not_depend_on_batches(batch_frames: int) -> None:
    """The same capture makes the same octets, however it was cut."""
    for name in ("unanswered-and-late.pcap", "broken-framing.pcap", "loss-and-resync.pcap"):
        assert encode(report_of(name, batch_frames)) == encode(report_of(name))


def test_encoding() -> None:
    """JSON in UTF-8, indented by two, keys in the order of the model, ending with a line feed."""
    octets = encode(report_of("gbk.pcap"))
    assert octets.endswith(b"}\n")
    assert octets.splitlines()[1] == b'  "schema_version": 1,'
    assert list(json.loads(octets)) == TOP
    assert msgspec.json.decode(octets, type=model.Report) == report_of("gbk.pcap")


@pytest.mark.parametrize(
    ("time_ns", "written"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1_780_280_130_001_757_001, "2026-06-01T02:15:30.001757001Z"),
        ((1 << 32) * 1_000_000_000 - 1, "2106-02-07T06:28:15.999999999Z"),
    ],
)
def test_moments(time_ns: int, written: str) -> None:
    """A time is written in UTC with all nine digits."""
    assert moment(time_ns) == written


def test_milliseconds_keep_nanoseconds() -> None:
    """A latency in milliseconds keeps every nanosecond of a day."""
    assert [milliseconds(1), milliseconds(86_400_000_000_001)] == [1e-06, 86_400_000.000001]


def test_at_most_ten_places() -> None:
    """A finding shows ten places at most, and counts all."""
    findings = report_of("unanswered-and-late.pcap").findings
    assert findings
    assert [finding for finding in findings if len(finding.places) != min(10, finding.count)] == []
