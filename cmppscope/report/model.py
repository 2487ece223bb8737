"""The JSON report, schema version 1: structs that are the schema.

Field names and their order are the contract; `cmppscope schema` prints the JSON Schema made from here. Times are ISO
8601 in UTC, latencies milliseconds, octets whole numbers. 64-bit identifiers are decimal strings.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

SCHEMA_VERSION = 1

Count = Annotated[int, Meta(ge=0)]
Milliseconds = float
Moment = Annotated[str, Meta(description="ISO 8601 in UTC, with nanoseconds")]
Fault = Literal["peer", "capture", "operator"]
SeverityWord = Literal["note", "warn", "error"]


class Struct(msgspec.Struct, kw_only=True):
    """A part of the report."""


class Generator(Struct):
    """What made the report."""

    name: str
    version: str


class File(Struct):
    """One capture file."""

    name: Annotated[str, Meta(description="base name, or - for standard input")]
    format: str
    link_types: list[int]
    frames: Count
    octets: Annotated[int, Meta(ge=0, description="captured octets of all frames")]
    damage: str | None


class Capture(Struct):
    """What was read."""

    files: list[File]
    format: list[str]
    link_types: list[int]
    frames: Count
    first_time: Moment | None
    last_time: Moment | None
    snaplen_cut_frames: Count
    undecoded_frames: Annotated[dict[str, int], Meta(description="frames whose headers could not be read, by reason")]
    damage: list[str]


class Totals(Struct):
    """The capture in numbers."""

    frames: Count
    streams: Annotated[int, Meta(ge=0, description="TCP connections")]
    cmpp_streams: Count
    protocols: Annotated[
        dict[str, int], Meta(description="streams with octets by what they are: CMPP, SMPP, unknown …")
    ]
    sessions: Count
    pdus: Count
    octets: Annotated[int, Meta(ge=0, description="octets of all PDUs")]
    gaps: Count
    missing_octets: Count
    retransmitted_octets: Count


class Command(Struct):
    """PDUs of one Command_Id."""

    command: str
    command_id: Count
    count: Count
    octets: Count


class Session(Struct):
    """One CMPP association."""

    session: Count
    stream: Count
    interface: Literal["SP-ISMG", "ISMG-ISMG", "ISMG-GNS"]
    originator: str
    responder: str
    roles: Annotated[list[str], Meta(description="role of originator and responder")]
    sp_id: Annotated[str | None, Meta(description="Source_Addr of the last CONNECT")]
    connect_direction: Annotated[int | None, Meta(description="direction of the last CONNECT")]
    version: str | None
    version_octet: int | None
    login: Literal["ok", "refused", "unanswered", "not seen"]
    status: int | None
    status_meaning: str | None
    login_ms: Milliseconds | None
    connects: Count
    first_frame: Count
    last_frame: Count
    first_time: Moment
    last_time: Moment
    pdus: Count
    octets: Count
    commands: dict[str, int]
    closed_by: Literal[
        "sp_terminate",
        "ismg_terminate",
        "sp_fin",
        "ismg_fin",
        "sp_rst",
        "ismg_rst",
        "silence",
        "capture_end",
    ]
    closed_direction: int | None


class LatencyMs(Struct):
    """Latencies in milliseconds; percentiles by nearest rank, at most 1 % off."""

    min: Milliseconds
    mean: Milliseconds
    p50: Milliseconds
    p90: Milliseconds
    p95: Milliseconds
    p99: Milliseconds
    max: Milliseconds


class CommandTransactions(Struct):
    """What became of the requests of one command, and responses that answer none."""

    command: str
    requests: Count
    responses: Count
    late: Count
    unanswered: Count
    open: Count
    unknown: Count
    resends: Count
    orphan: Count
    duplicate: Count
    wrong_direction: Count
    type_mismatch: Count
    other_connection: Count
    request_unknown: Count
    latency_ms: LatencyMs | None


class SlowTransaction(Struct):
    """One of the slowest transactions."""

    command: str
    latency_ms: Milliseconds
    stream: Count
    sequence_id: Count
    pdu: Count
    frame: Count
    response_pdu: Count
    response_frame: Count
    result: int | None


class Transactions(Struct):
    """Requests and responses."""

    commands: list[CommandTransactions]
    slowest: list[SlowTransaction]


class Result(Struct):
    """How often one Status, Result or Success_Id was answered."""

    command: str
    code: int
    meaning: str
    count: Count


class Messages(Struct):
    """Short messages."""

    submitted: Count
    accepted: Count
    refused: Count
    mo: Annotated[int, Meta(ge=0, description="DELIVERs that are no status report")]
    reported: Annotated[dict[str, int], Meta(description="status reports by Stat")]
    unreported: Annotated[int, Meta(ge=0, description="accepted, report wanted, none seen")]
    end_to_end_ms: Annotated[LatencyMs | None, Meta(description="from SUBMIT to its first report")]


class Throughput(Struct):
    """PDUs over time."""

    start: Moment | None
    bucket_seconds: Count
    pdus: list[int]
    octets: list[int]


class FindingPlace(Struct):
    """One place where a rule does not hold."""

    frame: Count
    stream: Count
    direction: int
    pdu: int | None
    octet: Annotated[int | None, Meta(description="octets of the stream's direction before the place")]
    detail: str


class Finding(Struct):
    """One rule that does not hold."""

    rule: str
    severity: SeverityWord
    section: str
    sentence: str
    fault: Fault
    count: Count
    places: Annotated[list[FindingPlace], Meta(max_length=10)]


class Report(Struct):
    """A report on one capture."""

    schema_version: Literal[1]
    generator: Generator
    capture: Capture
    totals: Totals
    commands: list[Command]
    sessions: list[Session]
    transactions: Transactions
    results: list[Result]
    messages: Messages
    throughput: Throughput
    findings: list[Finding]


def schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of the report."""
    made = msgspec.json.schema(Report)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cmppscope report",
        "description": f"Schema version {SCHEMA_VERSION}",
        **made,
    }


def encode(report: Report) -> bytes:
    """Write a report as JSON, indented, ending with a line feed."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
