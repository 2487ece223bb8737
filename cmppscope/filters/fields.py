"""The fields that a filter may name: of PDUs, transactions, sessions, findings; one line each.

A field belongs to one table and tells how its values are read from that table. The fields of bodies are made from the
layers; all others stand here. Names are those of Wireshark where it has them, in any case, with or without `cmpp.`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cmppscope.columns import COMPILED, Columns
from cmppscope.filters.body_fields import bare, layers, part
from cmppscope.filters.columns import Occurrences, contents, joined, some, texts
from cmppscope.filters.errors import FilterError, nearest
from cmppscope.filters.field import Field, Read
from cmppscope.filters.holding import Holding, texts_holding, together
from cmppscope.filters.needles import Needles
from cmppscope.filters.session_fields import SESSIONS
from cmppscope.filters.tables import FINDING, MESSAGE, PDU, SESSION, TABLES, TRANSACTION, PduTable
from cmppscope.filters.values import Kind
from cmppscope.rules import Severity
from cmppscope.tables import I64, Bool, Row
from cmppscope.transactions import STATES
from cmppscope.transactions.table import NO_RESULT
from dissectors.cmpp.enums import COMMANDS_20, COMMANDS_LATER, DELIVER, FWD, RESPONSE, SUBMIT

COMMANDS = {name.lower(): number for number, name in (COMMANDS_20 | COMMANDS_LATER).items()}
COMMAND_NAMES = COMMANDS | {name.removeprefix("cmpp_"): number for name, number in COMMANDS.items()}
"""Names of commands, with and without `cmpp_`, to Command_Id."""

ONLY_30 = (
    "submit.fee_terminal_type",
    "submit.dest_terminal_type",
    "linkid",
    "deliver.src_terminal_type",
)
"""Wireshark's names of fields that CMPP 2.0 does not have."""


def _row(name: str) -> Read:
    """Read a column of PduBatch."""
    return lambda table: Occurrences(None, getattr(table.batch, name))


def _ends(*, port: bool, source: bool = False, target: bool = False) -> Read:
    """Read addresses or ports of the sender, the receiver, or both."""
    return lambda table: table.ends(source=source, target=target, port=port)


def _text(table: PduTable) -> Occurrences:
    """Read the texts of messages."""
    return joined([texts(rows, body, reports) for rows, body, reports in _with_contents(table)], len(table))


def _texts_there(table: PduTable) -> I64:
    """Find the PDUs with a text, be it empty."""
    return np.concatenate([rows[contents(body, reports)[0] >= 0] for rows, body, reports in _with_contents(table)])


def _with_contents(table: PduTable) -> Iterator[tuple[I64, Columns, Bool]]:
    """Give the rows of each command that may carry a text, their bodies, and which of them carry a report."""
    for command in (SUBMIT, DELIVER, FWD):
        yield table.columns.rows(command), table.columns.body(command), _reports(table, command)


def _reports(table: PduTable, command: int) -> Bool:
    """Tell which PDUs of a command carry a report in place of a text."""
    reports = np.zeros(len(table.columns.rows(command)), np.bool_)
    if command in (DELIVER, FWD):
        inside = [rows for rows, _ in table.columns.reports(command).values()]
        inside += [table.columns.mo_reports()[0]] if command == FWD else []
        reports[np.concatenate([np.zeros(0, np.int64), *inside])] = True
    return reports


def _with_text(table: PduTable, needles: Needles) -> Holding:
    """Find the PDUs whose text holds a needle."""
    return together(texts_holding(rows, body, reports, needles) for rows, body, reports in _with_contents(table))


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
    Field(
        "cmpp.text",
        PDU,
        Kind.TEXT,
        "Text of SUBMIT, DELIVER and FWD, decoded by Msg_Fmt.",
        _text,
        holding=_with_text,
        there=_texts_there,
    ),
)
"""Fields of every PDU; those of bodies are made from the layers."""


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


def _all() -> Iterator[Field]:
    """Make every field, in the order in which they are listed."""
    of_bodies = list(layers())
    without_command = list(bare(of_bodies))
    whole = next(each.read for each in without_command if each.name == "msg_id")
    yield from PDUS
    yield from without_command
    yield part("msg_id.gateway", 16, 22, "Gateway code in a Msg_Id.", whole)
    yield part("msg_id.serial", 0, 16, "Serial number in a Msg_Id.", whole)
    yield from of_bodies
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
