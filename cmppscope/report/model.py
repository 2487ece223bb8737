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
    first_time: Annotated[Moment | None, Meta(description="least time of its frames")]
    last_time: Annotated[Moment | None, Meta(description="greatest time of its frames")]
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
    undecoded_frames: Annotated[
        dict[str, int], Meta(description="frames whose headers could not be read or were not right, by reason")
    ]
    incomplete_packets: Annotated[int, Meta(ge=0, description="fragmented IP packets that were never whole")]
    unverified_segments: Annotated[
        int, Meta(ge=0, description="with --check-checksums, segments that were cut and could not be verified")
    ]
    damage: list[str]
    notes: Annotated[list[str], Meta(description="facts about the set of files: missing, overlapping, passed over")]


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
    duplicate_frames: Annotated[int, Meta(ge=0, description="frames captured twice, of which one is left out")]


class Command(Struct):
    """PDUs of one Command_Id."""

    command: str
    command_id: Count
    count: Count
    octets: Count


class LoginCheck(Struct):
    """A login checked against the shared secret (CMPP 2.0 §7.4.1.1, §7.4.1.2)."""

    connect_pdu: Count
    authenticator_source: Literal["right", "unpadded", "mistaken", "other secret", "other Timestamp", "blank", "wrong"]
    response_pdu: Count | None
    authenticator_ismg: Literal["right", "variant", "blank", "wrong", "absent"]
    status_written: Annotated[str | None, Meta(description="how Status entered AuthenticatorISMG, where known")]
    timestamp_skew_seconds: Annotated[
        int | None, Meta(description="Timestamp less the time of capture in the peers' zone; null where it is no time")
    ]
    says: str


class Network(Struct):
    """Round trips that the TCP handshake measures, seen from where the capture was made; null where not known."""

    originator_ms: Annotated[
        Milliseconds | None, Meta(description="SYN/ACK to ACK: between the capture and the originator")
    ]
    responder_ms: Annotated[
        Milliseconds | None, Meta(description="SYN to SYN/ACK: between the capture and the responder")
    ]


class Spacing(Struct):
    """Intervals in milliseconds."""

    min: Milliseconds
    median: Milliseconds
    max: Milliseconds


class Outstanding(Struct):
    """The most requests that waited for a response in each bucket of time; 0 where nothing was sent or answered."""

    start: Moment | None
    bucket_seconds: Count
    peak: list[int]


class Window(Struct):
    """Requests that wait for a response; CONNECT, TERMINATE and ACTIVE_TEST do not count."""

    peak: Count
    peak_frame: Count | None
    at_limit_ms: Annotated[Milliseconds, Meta(description="time with W or more requests waiting")]
    exceeded: Annotated[int, Meta(ge=0, description="how often the number rose above W")]
    flow_control: Annotated[int, Meta(ge=0, description="responses with Result 8")]
    unanswered_at_end: Annotated[int, Meta(ge=0, description="requests waiting when the last PDU was captured")]
    outstanding: Outstanding


class KeepAlive(Struct):
    """Link tests (ACTIVE_TEST) of one side."""

    tests: Count
    unanswered: Count
    interval_ms: Spacing | None


class Repeated(Struct):
    """SUBMITs or DELIVERs with all of an earlier one's fields but Msg_Id, under a new Sequence_Id."""

    count: Count
    first_frame: Count | None
    first_pdu: Count | None
    repeats_pdu: Count | None


class DirectionAudit(Struct):
    """The requests that go one way: from the originator in the first entry, from the responder in the second."""

    sender: str
    requests: Annotated[int, Meta(ge=0, description="without CONNECT, TERMINATE, ACTIVE_TEST and resends")]
    window: Window
    busiest_second: Annotated[int, Meta(ge=0, description="most requests in one second of the clock")]
    busiest_second_start: Moment | None
    active_seconds: Annotated[int, Meta(ge=0, description="seconds of the clock with a request")]
    mean_per_active_second: float
    keep_alive: KeepAlive
    repeated: Repeated


class Idle(Struct):
    """Time between two PDUs of a session, whichever way they go."""

    longest_ms: Milliseconds
    longest_until_frame: Count | None
    periods_above_c: Count
    total_above_c_ms: Milliseconds
    at_end_ms: Annotated[
        Milliseconds, Meta(description="from the last PDU to FIN or RST, or to the end of the capture")
    ]


class Audit(Struct):
    """How a link was used, tested and closed."""

    directions: list[DirectionAudit]
    idle: Idle
    lasted_ms: Annotated[
        Milliseconds, Meta(description="from the first PDU to FIN or RST, to the next session, or to the capture's end")
    ]
    closing_frame: Annotated[int | None, Meta(description="frame of the first FIN or RST")]
    closing_flag: Literal["fin", "rst"] | None


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
    status: Annotated[int | None, Meta(description="of the last CONNECT_RESP")]
    status_meaning: str | None
    first_status: Annotated[int | None, Meta(description="of the first CONNECT_RESP")]
    first_status_meaning: str | None
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
    login_check: Annotated[
        LoginCheck | None, Meta(description="the last login, checked against the secret given; null without one")
    ]
    network: Annotated[Network | None, Meta(description="null where the capture does not hold the handshake")]
    latency: list[CommandLatency]
    audit: Annotated[Audit | None, Meta(description="null beyond the number of sessions that are audited")]


class LatencyMs(Struct):
    """Latencies in milliseconds; percentiles by nearest rank, at most 1 % off."""

    min: Milliseconds
    mean: Milliseconds
    p50: Milliseconds
    p90: Milliseconds
    p95: Milliseconds
    p99: Milliseconds
    max: Milliseconds


class Histogram(Struct):
    """Response times counted in bins; empty bins are left out."""

    from_ms: list[Milliseconds]
    to_ms: list[Milliseconds]
    count: list[int]


class CommandLatency(Struct):
    """Response times of the requests of one command."""

    command: str
    count: Count
    latency_ms: LatencyMs
    histogram: Histogram
    network_ms: Annotated[
        Milliseconds | None, Meta(description="round trip between the capture and the side that answers")
    ]
    application_p50_ms: Annotated[
        Milliseconds | None, Meta(description="p50 without that round trip: time inside of the side that answers")
    ]


class LatencyOverTime(Struct):
    """Response times of the requests of one command, by the time of the request; at most 13 % off."""

    command: str
    start: Moment
    bucket_seconds: Count
    count: list[int]
    p50_ms: list[Milliseconds | None]
    p95_ms: list[Milliseconds | None]
    max_ms: list[Milliseconds | None]


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
    histogram: Histogram


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


class MessageCounts(Struct):
    """Messages that have something in common."""

    key: str
    unanswered: Annotated[int, Meta(ge=0, description="SUBMITs without a response")]
    accepted: Count
    refused: Count
    delivered: Annotated[int, Meta(ge=0, description="receivers reported DELIVRD")]
    failed: Annotated[int, Meta(ge=0, description="receivers reported with another final Stat")]


class MessageMinutes(Struct):
    """Messages in one bucket of time, by when they were submitted or reported."""

    time: Annotated[str, Meta(description="begin of the bucket, ISO 8601 in UTC")]
    unanswered: Count
    accepted: Count
    refused: Count
    delivered: Count
    failed: Count


class LongMessages(Struct):
    """Messages in several parts, by their headers."""

    parts: Annotated[int, Meta(ge=0, description="SUBMITs and DELIVERs that are a part")]
    whole: Annotated[int, Meta(ge=0, description="messages of which all parts came")]


class QueryAnswer(Struct):
    """What a QUERY_RESP says: of which day and service, which should be those of the QUERY, and its counts."""

    day: str
    query_type: int
    query_code: str
    mt_tlmsg: Annotated[int, Meta(ge=0, description="messages received from the SP")]
    mt_tlusr: Annotated[int, Meta(ge=0, description="their receivers")]
    mt_scs: Annotated[int, Meta(ge=0, description="forwarded")]
    mt_wt: Annotated[int, Meta(ge=0, description="waiting to be forwarded")]
    mt_fl: Annotated[int, Meta(ge=0, description="not forwarded")]
    mo_scs: Annotated[int, Meta(ge=0, description="delivered to the SP")]
    mo_wt: Annotated[int, Meta(ge=0, description="waiting to be delivered")]
    mo_fl: Annotated[int, Meta(ge=0, description="not delivered")]


class QueryHeld(Struct):
    """What the capture holds of the day that a QUERY asks for; what it lost is not counted."""

    submits: Count
    receivers: Count
    mo: Annotated[int, Meta(ge=0, description="DELIVERs that are no status report")]
    unknown: Annotated[int, Meta(ge=0, description="those where no login was seen: of this SP or not")]
    since: Annotated[Moment, Meta(description="the day's beginning, or that of the SP's first session if later")]
    until: Annotated[Moment, Meta(description="the QUERY, or the end of the day if earlier")]


class Query(Struct):
    """A QUERY: what the gateway counted of a day, and what the capture holds of it."""

    pdu: Count
    frame: Count
    time: Moment
    session: Count
    sp_id: Annotated[str | None, Meta(description="null where no CONNECT of an SP was seen")]
    day: Annotated[str, Meta(description="YYYYMMDD; as it stands in the QUERY up to its first NUL")]
    query_type: int
    query_code: Annotated[str, Meta(description="the Service_Id that is asked for where query_type is 1")]
    answer: Annotated[QueryAnswer | None, Meta(description="null where there is no whole one among the first 10,000")]
    held: Annotated[
        QueryHeld | None,
        Meta(
            description="null where day or query_type say nothing, the SP is not known or came after that day, or more "
            "days, SPs and services are to be counted than are kept"
        ),
    ]


class Messages(Struct):
    """Short messages."""

    submitted: Count
    accepted: Count
    refused: Count
    mo: Annotated[int, Meta(ge=0, description="DELIVERs that are no status report")]
    reported: Annotated[dict[str, int], Meta(description="status reports by Stat")]
    unreported: Annotated[int, Meta(ge=0, description="accepted, report wanted, none seen")]
    end_to_end_ms: Annotated[LatencyMs | None, Meta(description="from SUBMIT to the first report of each receiver")]
    long: LongMessages
    by_sp: Annotated[list[MessageCounts], Meta(description="by Source_Addr of the login; the most first")]
    by_service: Annotated[list[MessageCounts], Meta(description="by Service_Id")]
    by_source: Annotated[list[MessageCounts], Meta(description="by Src_Id")]
    by_prefix: Annotated[list[MessageCounts], Meta(description="by the first three digits of the first receiver")]
    bucket_minutes: Count
    minutes: Annotated[list[MessageMinutes], Meta(description="buckets with messages, in order")]
    queries: Annotated[list[Query], Meta(max_length=1000, description="the first whole ones, each once, in order")]


class Throughput(Struct):
    """PDUs over time."""

    start: Moment | None
    bucket_seconds: Count
    pdus: list[int]
    octets: list[int]


class FindingPlace(Struct):
    """One place where a rule does not hold."""

    frame: Count
    stream: Annotated[Count | None, Meta(description="null where the place belongs to no TCP connection")]
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


class Peer(Struct):
    """The sessions of one SP with one gateway."""

    sp_id: str | None
    sp_address: Annotated[str | None, Meta(description="where no CONNECT was seen")]
    gateway: str
    sessions: Count
    most_at_once: Count
    not_terminated: Annotated[int, Meta(ge=0, description="sessions over without TERMINATE")]
    reconnect_ms: Annotated[Spacing | None, Meta(description="from the beginning of a session to that of the next")]
    latency: list[CommandLatency]


class AuditLimits(Struct):
    """The values that the audit goes by, and what it left out for want of room."""

    window: Annotated[int, Meta(description="W")]
    c_seconds: Annotated[float, Meta(description="C")]
    sessions_not_audited: Count
    latency_of_those: list[CommandLatency]


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
    messages: Annotated[Messages | None, Meta(description="null where a filter chooses what is counted")]
    throughput: Throughput
    latency_over_time: list[LatencyOverTime]
    peers: Annotated[list[Peer], Meta(description="in order of their first session")]
    audit: AuditLimits
    findings: list[Finding]
    filter: Annotated[
        str | msgspec.UnsetType,
        Meta(description="only with --filter: all counts are of what passes it, sessions are told whole"),
    ] = msgspec.UNSET


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
