"""The fields that a filter may name: of PDUs, transactions, sessions, findings; one line each.

A field belongs to one table and tells how its values are read from that table. The fields of bodies are made from the
layers; all others stand here. Names are those of Wireshark where it has them, in any case, with or without `cmpp.`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from cmppscope.columns import COMPILED, MO_REPORT, REPORTS, Body
from cmppscope.columns import Field as Column
from cmppscope.filters.columns import Occurrences, joined, layer_values, some, texts
from cmppscope.filters.errors import FilterError, nearest
from cmppscope.filters.tables import FINDING, MESSAGE, PDU, SESSION, TABLES, TRANSACTION, PduTable
from cmppscope.filters.values import Kind
from cmppscope.rules import Severity
from cmppscope.tables import Row
from cmppscope.transactions import STATES
from cmppscope.transactions.table import NO_RESULT
from dissectors.cmpp.enums import COMMANDS_20, COMMANDS_LATER, DELIVER, FWD, RESPONSE, SUBMIT

Read = Callable[[Any], Occurrences]

COMMANDS = {name.lower(): number for number, name in (COMMANDS_20 | COMMANDS_LATER).items()}
COMMAND_NAMES = COMMANDS | {name.removeprefix("cmpp_"): number for name, number in COMMANDS.items()}
"""Names of commands, with and without `cmpp_`, to Command_Id."""


class Field(NamedTuple):
    """Something that a filter may name."""

    name: str
    of: str
    """The table that it belongs to: one of TABLES."""
    kind: Kind
    meaning: str
    read: Read
    """From the table to the values."""
    aliases: tuple[str, ...] = ()
    names: Mapping[str, int] = {}
    """Words that stand for its numbers."""


def _row(name: str) -> Read:
    """Read a column of PduBatch."""
    return lambda table: Occurrences(None, getattr(table.batch, name))


def _ends(*, port: bool, source: bool = False, target: bool = False) -> Read:
    """Read addresses or ports of the sender, the receiver, or both."""
    return lambda table: table.ends(source=source, target=target, port=port)


def _text(table: PduTable) -> Occurrences:
    """Read the texts of messages."""
    found = []
    for command in (SUBMIT, DELIVER, FWD):
        body = table.columns.body(command)
        reports = np.zeros(len(body), np.bool_)
        if command in (DELIVER, FWD):
            inside = [rows for rows, _ in table.columns.reports(command).values()]
            inside += [table.columns.mo_reports()[0]] if command == FWD else []
            reports[np.concatenate([np.zeros(0, np.int64), *inside])] = True
        found.append(texts(table.columns.rows(command), body, reports))
    return joined(found, len(table))


def _surplus(table: PduTable) -> Occurrences:
    """Count the octets behind the last field, where there are some."""
    found = []
    for command in COMPILED:
        body = table.columns.body(command)
        some_left = np.flatnonzero(body.end < body.length)
        found.append(Occurrences(table.columns.rows(command)[some_left], (body.length - body.end)[some_left]))
    return joined(found, len(table))


PDUS = (
    Field("cmpp.pdu", PDU, Kind.NUMBER, "Number of the PDU.", lambda t: t.keys(PDU)),
    Field("frame.number", PDU, Kind.NUMBER, "Frame in which the PDU ends.", _row("frame"), ("frame",)),
    Field("frame.time", PDU, Kind.TIME, "Time of that frame.", _row("time_ns"), ("time",)),
    Field("tcp.stream", PDU, Kind.NUMBER, "Number of the TCP connection.", _row("stream"), ("stream",)),
    Field("tcp.port", PDU, Kind.NUMBER, "Port of either end.", _ends(port=True, source=True, target=True)),
    Field("tcp.srcport", PDU, Kind.NUMBER, "Port of the sender.", _ends(port=True, source=True)),
    Field("tcp.dstport", PDU, Kind.NUMBER, "Port of the receiver.", _ends(port=True, target=True)),
    Field(
        "ip.addr",
        PDU,
        Kind.ADDRESS,
        "Address of either end, IPv4 or IPv6.",
        _ends(port=False, source=True, target=True),
        ("ipv6.addr", "ip.host"),
    ),
    Field("ip.src", PDU, Kind.ADDRESS, "Address of the sender.", _ends(port=False, source=True), ("ipv6.src",)),
    Field("ip.dst", PDU, Kind.ADDRESS, "Address of the receiver.", _ends(port=False, target=True), ("ipv6.dst",)),
    Field(
        "cmpp.command",
        PDU,
        Kind.NUMBER,
        "Command_Id, as a number or by name.",
        _row("command"),
        ("command_id",),
        COMMAND_NAMES,
    ),
    Field("cmpp.sequence_id", PDU, Kind.NUMBER, "Sequence_Id.", _row("sequence")),
    Field("cmpp.total_length", PDU, Kind.NUMBER, "Total_Length in octets.", _row("length")),
    Field("cmpp.direction", PDU, Kind.NUMBER, "0 from the originator of the connection, 1 back.", _row("direction")),
    Field("cmpp.layout", PDU, Kind.NUMBER, "Layout of the body: 20, 21, 30, or 0 for none.", _row("layout")),
    Field(
        "cmpp.request",
        PDU,
        Kind.TRUTH,
        "The PDU is a request.",
        lambda t: Occurrences(None, t.batch.command < RESPONSE),
    ),
    Field(
        "cmpp.response",
        PDU,
        Kind.TRUTH,
        "The PDU is a response.",
        lambda t: Occurrences(None, t.batch.command >= RESPONSE),
    ),
    Field("cmpp.surplus", PDU, Kind.NUMBER, "Octets behind the last field, where there are some.", _surplus),
    Field("cmpp.text", PDU, Kind.TEXT, "Text of SUBMIT, DELIVER and FWD, decoded by Msg_Fmt.", _text),
)
"""Fields of every PDU; those of bodies are made from the layers."""

_ALIASES = {
    "service_id": ("servicd_id",),
    "submit.valid_time": ("submit.valld_time",),
    "submit.fee_user_type": ("submit.fee_usertype",),
    "submit.dest_usr_tl": ("submit.destusr_tl",),
    "report.stat": ("deliver.report.status",),
    "report.submit_time": ("deliver.report.submit_time",),
    "report.done_time": ("deliver.report.done_time",),
    "msg_id.gateway": ("msg_id.ismg_code",),
    "msg_id.serial": ("msg_id.sequence_id",),
}
"""Names that Wireshark has for fields of bodies, where they are others than ours."""

ONLY_30 = (
    "submit.fee_terminal_type",
    "submit.dest_terminal_type",
    "linkid",
    "deliver.src_terminal_type",
)
"""Wireshark's names of fields that CMPP 2.0 does not have."""


def _transaction(name: str) -> Read:
    """Read a column of Transactions."""
    return lambda table: Occurrences(None, getattr(table.table, name))


def _response(name: str) -> Read:
    """Read a column of Transactions where there is a response."""
    return lambda table: table.answered(getattr(table.table, name))


TRANSACTIONS = (
    Field("transaction.pdu", TRANSACTION, Kind.NUMBER, "PDU of the request.", _transaction("pdu")),
    Field("transaction.frame", TRANSACTION, Kind.NUMBER, "Frame of the request.", _transaction("frame")),
    Field("transaction.time", TRANSACTION, Kind.TIME, "Time of the request.", _transaction("time_ns")),
    Field(
        "transaction.stream",
        TRANSACTION,
        Kind.NUMBER,
        "Number of the TCP connection.",
        _transaction("stream"),
        ("tcp.stream",),
    ),
    Field("transaction.direction", TRANSACTION, Kind.NUMBER, "Direction of the request.", _transaction("direction")),
    Field("transaction.session", TRANSACTION, Kind.NUMBER, "Number of the session.", _transaction("session")),
    Field(
        "transaction.command",
        TRANSACTION,
        Kind.NUMBER,
        "Command_Id of the request.",
        _transaction("command"),
        names=COMMAND_NAMES,
    ),
    Field("transaction.sequence_id", TRANSACTION, Kind.NUMBER, "Sequence_Id.", _transaction("sequence")),
    Field(
        "transaction.sendings", TRANSACTION, Kind.NUMBER, "How often the request was sent.", _transaction("sendings")
    ),
    Field(
        "transaction.state",
        TRANSACTION,
        Kind.NUMBER,
        f"What became of it: {', '.join(STATES)}.",
        _transaction("state"),
        names={word: number for number, word in enumerate(STATES)},
    ),
    Field(
        "transaction.latency",
        TRANSACTION,
        Kind.DURATION,
        "From the first sending to the response.",
        lambda t: t.answered(t.table.latency_ns),
        ("response_time",),
    ),
    Field(
        "transaction.last_sending_latency",
        TRANSACTION,
        Kind.DURATION,
        "From the last sending to the response.",
        lambda t: t.answered(t.table.response_time_ns - t.table.last_time_ns),
    ),
    Field(
        "transaction.response_pdu",
        TRANSACTION,
        Kind.NUMBER,
        "PDU of the response.",
        _response("response_pdu"),
        ("response_in",),
    ),
    Field(
        "transaction.response_frame", TRANSACTION, Kind.NUMBER, "Frame of the response.", _response("response_frame")
    ),
    Field("transaction.answer_time", TRANSACTION, Kind.TIME, "Time of the response.", _response("response_time_ns")),
    Field(
        "transaction.result",
        TRANSACTION,
        Kind.NUMBER,
        "Result, Status or Success_Id of the response.",
        lambda t: some(t.table.result != NO_RESULT, t.table.result),
    ),
)


def _message(give: Callable[[Row], Any]) -> Read:
    """Read a value of a message's row."""
    return lambda table: table.values(give)


def _nanoseconds(name: str) -> Callable[[Row], int | None]:
    """Give the milliseconds of a message's row as nanoseconds."""
    return lambda row: None if row[name] is None else round(row[name] * 1_000_000)


MESSAGES = (
    Field("message.number", MESSAGE, Kind.NUMBER, "Number of the message.", _message(lambda m: m["message"])),
    Field("message.kind", MESSAGE, Kind.TEXT, "MT, MO, or FWD.", _message(lambda m: m["kind"])),
    Field("message.state", MESSAGE, Kind.TEXT, "What became of it, or the Stat.", _message(lambda m: m["state"])),
    Field("message.stream", MESSAGE, Kind.NUMBER, "Number of the TCP connection.", _message(lambda m: m["stream"])),
    Field("message.session", MESSAGE, Kind.NUMBER, "Number of the session.", _message(lambda m: m["session"])),
    Field("message.service_id", MESSAGE, Kind.TEXT, "Service_Id.", _message(lambda m: m["service_id"])),
    Field("message.src", MESSAGE, Kind.TEXT, "Who sent it.", _message(lambda m: m["src"])),
    Field("message.dest", MESSAGE, Kind.TEXT, "Receivers.", _message(lambda m: m["dest"])),
    Field("message.receivers", MESSAGE, Kind.NUMBER, "How many receivers.", _message(lambda m: m["receivers"])),
    Field("message.result", MESSAGE, Kind.NUMBER, "Result of the response.", _message(lambda m: m["result"])),
    Field(
        "message.msg_id",
        MESSAGE,
        Kind.MSG_ID,
        "Msg_Id.",
        lambda t: t.values(lambda m: m["msg_id"] and int(m["msg_id"])).unsigned(),
    ),
    Field(
        "message.response_time",
        MESSAGE,
        Kind.DURATION,
        "From the request to its response.",
        _message(_nanoseconds("response_ms")),
    ),
    Field(
        "message.end_to_end",
        MESSAGE,
        Kind.DURATION,
        "From the request to the last first report of a receiver.",
        _message(_nanoseconds("end_to_end_ms")),
    ),
    Field("message.parts", MESSAGE, Kind.NUMBER, "How many parts were seen.", _message(lambda m: len(m["parts"]))),
    Field("message.reports", MESSAGE, Kind.NUMBER, "How many reports came.", _message(lambda m: len(m["reports"]))),
    Field("message.text", MESSAGE, Kind.TEXT, "Text, its parts joined.", _message(lambda m: m["text"])),
)


def _session(give: Callable[[Any], Any]) -> Read:
    """Read a value of a session's row."""
    return lambda table: table.column(give)


def _moment(text: str) -> int:
    """Read a time as reports write it."""
    seconds, _, rest = text.rstrip("Z").partition(".")
    since = dt.datetime.fromisoformat(seconds) - dt.datetime(1970, 1, 1)  # noqa: DTZ001 - both are UTC
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int(rest.ljust(9, "0") or 0)


def _whole_ns(milliseconds: float) -> int:
    """Give milliseconds as nanoseconds."""
    return round(milliseconds * 1_000_000)


def _sides(join: Callable[[Iterable[int]], int], give: Callable[[Any], int]) -> Read:
    """Read a number of each side of the sessions that are audited, and join the two."""
    return _session(lambda s: s.audit and join(map(give, s.audit.directions)))


SESSIONS = (
    Field("session.number", SESSION, Kind.NUMBER, "Number of the session.", _session(lambda s: s.session)),
    Field(
        "session.stream",
        SESSION,
        Kind.NUMBER,
        "Number of the TCP connection.",
        _session(lambda s: s.stream),
        ("tcp.stream",),
    ),
    Field("session.sp_id", SESSION, Kind.TEXT, "Source_Addr of the last CONNECT.", _session(lambda s: s.sp_id)),
    Field("session.version", SESSION, Kind.TEXT, "Version: 2.0, 2.1 or 3.0.", _session(lambda s: s.version)),
    Field("session.interface", SESSION, Kind.TEXT, "SP-ISMG, ISMG-ISMG or ISMG-GNS.", _session(lambda s: s.interface)),
    Field(
        "session.login",
        SESSION,
        Kind.TEXT,
        "How the login went: ok, refused, unanswered, not seen.",
        _session(lambda s: s.login),
    ),
    Field("session.status", SESSION, Kind.NUMBER, "Status of the last CONNECT_RESP.", _session(lambda s: s.status)),
    Field(
        "session.login_time",
        SESSION,
        Kind.DURATION,
        "From the last CONNECT to its response.",
        _session(lambda s: None if s.login_ms is None else round(s.login_ms * 1_000_000)),
    ),
    Field("session.connects", SESSION, Kind.NUMBER, "CONNECTs of the session.", _session(lambda s: s.connects)),
    Field("session.pdus", SESSION, Kind.NUMBER, "PDUs of both directions.", _session(lambda s: s.pdus)),
    Field("session.octets", SESSION, Kind.NUMBER, "Octets of its PDUs.", _session(lambda s: s.octets)),
    Field("session.first_frame", SESSION, Kind.NUMBER, "First frame.", _session(lambda s: s.first_frame)),
    Field("session.last_frame", SESSION, Kind.NUMBER, "Last frame.", _session(lambda s: s.last_frame)),
    Field(
        "session.first_time", SESSION, Kind.TIME, "Time of the first PDU.", _session(lambda s: _moment(s.first_time))
    ),
    Field("session.last_time", SESSION, Kind.TIME, "Time of the last PDU.", _session(lambda s: _moment(s.last_time))),
    Field(
        "session.duration",
        SESSION,
        Kind.DURATION,
        "From the first PDU to the last.",
        _session(lambda s: _moment(s.last_time) - _moment(s.first_time)),
    ),
    Field(
        "session.closed_by",
        SESSION,
        Kind.TEXT,
        "Who ended it and how: sp_fin, ismg_terminate, silence, capture_end …",
        _session(lambda s: s.closed_by),
    ),
    Field(
        "session.closing_frame",
        SESSION,
        Kind.NUMBER,
        "Frame of the first FIN or RST.",
        _session(lambda s: s.audit and s.audit.closing_frame),
    ),
    Field(
        "session.login_check",
        SESSION,
        Kind.TEXT,
        "AuthenticatorSource by the secret given: right, unpadded, mistaken, other secret, wrong …",
        _session(lambda s: s.login_check and s.login_check.authenticator_source),
    ),
    Field(
        "session.ismg_check",
        SESSION,
        Kind.TEXT,
        "AuthenticatorISMG by the secret given: right, variant, blank, wrong, absent.",
        _session(lambda s: s.login_check and s.login_check.authenticator_ismg),
    ),
    Field(
        "session.lasted",
        SESSION,
        Kind.DURATION,
        "From the first PDU until the link was closed, or the capture ended.",
        _session(lambda s: s.audit and _whole_ns(s.audit.lasted_ms)),
    ),
    Field(
        "session.idle",
        SESSION,
        Kind.DURATION,
        "Longest time without a PDU, up to its close.",
        _session(lambda s: s.audit and _whole_ns(max(s.audit.idle.longest_ms, s.audit.idle.at_end_ms))),
    ),
    Field(
        "session.requests_per_second",
        SESSION,
        Kind.NUMBER,
        "Most requests of one side in a second.",
        _sides(max, lambda side: side.busiest_second),
    ),
    Field(
        "session.window_peak",
        SESSION,
        Kind.NUMBER,
        "Most requests of one side that waited at once.",
        _sides(max, lambda side: side.window.peak),
    ),
    Field(
        "session.window_full",
        SESSION,
        Kind.DURATION,
        "Time in which W or more requests of one side waited.",
        _sides(max, lambda side: _whole_ns(side.window.at_limit_ms)),
    ),
    Field(
        "session.window_exceeded",
        SESSION,
        Kind.NUMBER,
        "How often more than W requests came to wait.",
        _sides(sum, lambda side: side.window.exceeded),
    ),
    Field(
        "session.flow_control",
        SESSION,
        Kind.NUMBER,
        "Responses with Result 8.",
        _sides(sum, lambda side: side.window.flow_control),
    ),
    Field(
        "session.waiting",
        SESSION,
        Kind.NUMBER,
        "Requests without a response at its end.",
        _sides(sum, lambda side: side.window.unanswered_at_end),
    ),
    Field("session.tests", SESSION, Kind.NUMBER, "Link tests.", _sides(sum, lambda side: side.keep_alive.tests)),
    Field(
        "session.tests_unanswered",
        SESSION,
        Kind.NUMBER,
        "Link tests without a response.",
        _sides(sum, lambda side: side.keep_alive.unanswered),
    ),
    Field(
        "session.repeated",
        SESSION,
        Kind.NUMBER,
        "Messages that were sent again under another Sequence_Id.",
        _sides(sum, lambda side: side.repeated.count),
    ),
)


def _number(name: str, least: int = 0) -> Read:
    """Read a number of a finding's place."""
    return lambda table: table.numbers(name, least)


def _words(name: str) -> Read:
    """Read a text of a finding's place."""
    return lambda table: table.words(name)


FINDINGS = (
    Field(
        "finding.severity",
        FINDING,
        Kind.NUMBER,
        "note, warn or error, in this order.",
        _number("severity"),
        names={severity.word: int(severity) for severity in Severity},
    ),
    Field("finding.rule", FINDING, Kind.TEXT, "Id of the rule.", _words("rule")),
    Field("finding.section", FINDING, Kind.TEXT, "Section of the specification.", _words("section")),
    Field("finding.fault", FINDING, Kind.TEXT, "Whose fault it is: peer, capture or operator.", _words("fault")),
    Field("finding.detail", FINDING, Kind.TEXT, "What is wrong there, as it is shown.", _words("detail")),
    Field("finding.frame", FINDING, Kind.NUMBER, "Frame of the place.", _number("frame"), ("frame.number", "frame")),
    Field("finding.stream", FINDING, Kind.NUMBER, "Number of the TCP connection.", _number("stream"), ("tcp.stream",)),
    Field("finding.direction", FINDING, Kind.NUMBER, "Direction of the place.", _number("direction")),
    Field("finding.octet", FINDING, Kind.NUMBER, "Octets of the direction before it.", _number("offset")),
    Field("finding.pdu", FINDING, Kind.NUMBER, "PDU that it is about.", _number("pdu", least=1)),
)

_KINDS = {"string": Kind.TEXT, "list": Kind.TEXT, "content": Kind.OCTETS}
_NOT_BARE = ("time", "sp_id")
"""Fields of rare bodies that need their command's name: most people mean another field."""


def _kind(column: Column) -> Kind:
    """Tell what a column of a body holds."""
    if column.layer_class == "Authenticator":
        return Kind.OCTETS
    return _KINDS.get(column.kind) or (Kind.MSG_ID if column.width == 8 else Kind.NUMBER)


def _of_body(command: int, name: str) -> Read:
    """Read a field of a command's bodies."""
    return lambda table: layer_values(table.columns.rows(command), table.columns.body(command), name)


def _of_reports(name: str) -> Read:
    """Read a field of status reports in DELIVER and FWD."""

    def read(table: PduTable) -> Occurrences:
        found = [
            layer_values(table.columns.rows(command)[rows], columns, name)
            for command in (DELIVER, FWD)
            for rows, columns in table.columns.reports(command).values()
        ]
        return joined(found, len(table))

    return read


def _of_mo_reports(name: str) -> Read:
    """Read a field of reports about MOs."""

    def read(table: PduTable) -> Occurrences:
        rows, columns = table.columns.mo_reports()
        return layer_values(table.columns.rows(FWD)[rows], columns, name)

    return read


def _layer(prefix: str, body: Body, said: str, read: Callable[[str], Read]) -> Iterator[Field]:
    """Make the fields of one layer."""
    for column in body.fields:
        name = f"{prefix}.{column.name}"
        names = _VERSIONS if column.layer_class == "Version" else {}
        meaning = f"{column.spelt} of {said}."
        yield Field(name, PDU, _kind(column), meaning, read(column.name), _ALIASES.get(name, ()), names)


_VERSIONS = {"2.0": 0x20, "2.1": 0x21, "3.0": 0x30}


def _layers() -> Iterator[Field]:
    """Make the fields of all bodies and reports."""
    for command, body in COMPILED.items():
        said = f"{body.command} ({body.section.removeprefix('2.0 ')})" if body.section else body.command
        prefix = body.command.removeprefix("CMPP_").lower()
        yield from _layer(prefix, body, said, lambda name, c=command: _of_body(c, name))  # type: ignore[misc]
    yield from _layer("report", REPORTS[60], "a status report (§7.4.5.1)", _of_reports)
    yield from _layer("mo_report", MO_REPORT, "a report about an MO (§7.5.4.1)", _of_mo_reports)


def _bare(fields: list[Field]) -> Iterator[Field]:
    """Make the fields without a command's name, that stand for those of all commands."""
    groups: dict[str, list[Field]] = {}
    for each in fields:
        groups.setdefault(each.name.partition(".")[2], []).append(each)
    for name, parts in groups.items():
        if name in _NOT_BARE or len({part.kind for part in parts}) > 1:
            continue
        where = ", ".join(part.name.partition(".")[0].upper() for part in parts)
        reads = [part.read for part in parts]

        def read(table: PduTable, reads: list[Read] = reads) -> Occurrences:
            return joined([each(table) for each in reads], len(table))

        spelt = parts[0].meaning.partition(" of ")[0]
        meaning = f"{spelt} of {where}."
        yield Field(name, PDU, parts[0].kind, meaning, read, _ALIASES.get(name, ()), parts[0].names)


def _part(name: str, shift: int, bits: int, meaning: str, whole: Read) -> Field:
    """Make a field of some bits of every Msg_Id."""

    def read(table: PduTable) -> Occurrences:
        found = whole(table)
        numbers = (found.unsigned().values >> np.uint64(shift) & np.uint64((1 << bits) - 1)).astype(np.int64)
        return Occurrences(found.rows, numbers)

    return Field(name, PDU, Kind.NUMBER, meaning, read, _ALIASES.get(name, ()))


def _all() -> Iterator[Field]:
    """Make every field, in the order in which they are listed."""
    layers = list(_layers())
    bare = list(_bare(layers))
    whole = next(each.read for each in bare if each.name == "msg_id")
    yield from PDUS
    yield from bare
    yield _part("msg_id.gateway", 16, 22, "Gateway code in a Msg_Id.", whole)
    yield _part("msg_id.serial", 0, 16, "Serial number in a Msg_Id.", whole)
    yield from layers
    yield from TRANSACTIONS
    yield from MESSAGES
    yield from SESSIONS
    yield from FINDINGS


FIELDS = tuple(_all())
"""Every field."""

PREFIX = "cmpp."


def _index() -> dict[str, dict[str, Field]]:
    """Give every name of every table's fields; a name of its own stands over another field's alias."""
    index: dict[str, dict[str, Field]] = {table: {} for table in TABLES}
    for each in FIELDS:
        own = each.name.removeprefix(PREFIX)
        index[each.of][own] = each
    for each in FIELDS:
        head, _, rest = each.name.partition(".")
        for name in (*each.aliases, *([rest] if head == each.of else [])):
            index[each.of].setdefault(name, each)
    return index


INDEX = _index()
ORDER = (PDU, TRANSACTION, SESSION, FINDING, MESSAGE)
"""Where a name is looked for that is none of the listed table's."""

PRESENCE = {name: number for name, number in COMMAND_NAMES.items() if name not in INDEX[PDU]}
"""Names that, alone, mean PDUs of a command."""


def find(name: str, target: str) -> Field | None:
    """Find a field by a name as it was typed, seen from the rows of one table."""
    wanted = name.lower()
    if wanted.startswith(PREFIX):
        return INDEX[PDU].get(wanted.removeprefix(PREFIX))
    for table in (target, *ORDER):
        if wanted in INDEX[table]:
            return INDEX[table][wanted]
    return None


def known_names() -> list[str]:
    """Give every name that may have been meant."""
    return [*(each.name for each in FIELDS), *COMMAND_NAMES, *TABLES]


def unknown(name: str, start: int, end: int) -> FilterError:
    """Say that there is no such field, and which are like it."""
    if name.lower().removeprefix(PREFIX) in ONLY_30:
        return FilterError(f"{name} is a field of CMPP 3.0, which 2.0 does not have", start, end)
    return FilterError(f"no field is called {name}", start, end, nearest(name.lower(), known_names()))


def fields_of(prefix: str) -> list[Field]:
    """Give the fields whose name begins so, with or without `cmpp.`."""
    wanted = prefix.lower().removeprefix(PREFIX)
    return [each for each in FIELDS if each.name.removeprefix(PREFIX).startswith(wanted)]
