"""Messages as rows: what became of each, its text joined, its receivers and their reports.

A row of `messages --format ndjson` is an object with

* `message` (from 1), `kind` (`MT`, `MO`, or `FWD` for one that only gateways handed on), `pdu`, `frame`, `time` (UTC),
  `stream`, `session`: the first request that carries it; `sp_id`, `service_id`, `src`, `receivers` (how many) and
  `dest` (a list);
* `state`: `submitted` (the capture ended before the response), `unanswered`, `unknown` (the response may lie in a
  Gap), `accepted` (no report wanted), `refused`, `unreported`, a Stat such as `DELIVRD`, or `mixed` where receivers or
  parts differ; an MO or FWD is `delivered` where it was taken; `mixed` then says in words which part or receiver has
  which state, and is null otherwise;
* `result` with its `meaning`, `msg_id` (a decimal string) with `msg_id_text`, `response_ms`, `end_to_end_ms` (to the
  last first report of a receiver);
* `parts`: `pdu`, `number`, `total`, `msg_id_text` and `state` of each; `reports`: `pdu`, `time`, `dest` (null where it
  is none of the receivers), `stat`, `meaning`, `ms` and `again` (a second one) of each; `hops`: `pdu`, `type`, `nodes`,
  `from` and `to` of each FWD; `cancels`: `pdu` and `success_id`;
* `text`, joined, null where Msg_Fmt names no text; `content`, the octets of all parts, headers included. Masked they
  are one `{"octets": n}` each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from cmppscope.columns import PduColumns
from cmppscope.messages.ledger import stat_octets
from cmppscope.messages.listing import MT, Listing, Message
from cmppscope.redact import Redaction
from cmppscope.report.mixed import apart, named, receivers_of
from cmppscope.report.names import iso_time
from cmppscope.report.pdus import pdu_rows
from cmppscope.report.safe import json_safe
from cmppscope.rules import Results
from cmppscope.tables import Row
from cmppscope.transactions.table import ANSWERED, LATE, NO_RESULT, OPEN, STATES
from dissectors.cmpp.enums import MSG_FWD_TYPE, stat_meaning
from dissectors.cmpp.msgid import format_msg_id
from dissectors.cmpp.text import decode_text
from dissectors.cmpp.udh import parse_udh

MIXED = "mixed"
"""The state of a message whose parts or receivers differ."""
CHUNK = 1024
"""Messages that are Python values at one time."""

COLUMNS = ("message", "frame", "time", "kind", "state", "src", "dest", "receivers", "end_to_end_ms", "mixed", "text")
"""What a table shows."""


class Account(Protocol):
    """What a row needs of a session."""

    @property
    def source_addr(self) -> str | None:
        """The SP_Id, None as long as it is not known."""
        ...


def message_rows(
    listing: Listing, sessions: Sequence[Account], results: Results, redaction: Redaction, zone: dt.tzinfo
) -> Iterator[Row]:
    """Yield every message as a row, in the order of their first requests."""
    messages = listing.messages()
    rows = _Rows(listing, sessions, results, redaction, zone)
    for start in range(0, len(messages), CHUNK):
        some = messages[start : start + CHUNK]
        needed = np.array([row for m in some for row in (*m.parts, *m.hops)], np.int64)
        batch = listing.pdus(needed)
        masked = dict(zip(needed.tolist(), pdu_rows(batch, PduColumns(batch), redaction), strict=True))
        plain = masked
        if redaction.active:
            plain = dict(zip(needed.tolist(), pdu_rows(batch, PduColumns(batch), Redaction(active=False)), strict=True))
        for number, message in enumerate(some, start + 1):
            yield rows.row(number, message, masked, plain)


class _Rows:
    """Makes rows."""

    def __init__(
        self, listing: Listing, sessions: Sequence[Account], results: Results, redaction: Redaction, zone: dt.tzinfo
    ) -> None:
        self._listing, self._sessions, self._results = listing, sessions, results
        self._redaction, self._zone = redaction, zone

    def row(self, number: int, message: Message, masked: dict[int, Row], plain: dict[int, Row]) -> Row:
        """Give one message."""
        sent = self._listing.sent
        first = message.parts[0]
        head = sent.row(first)
        fields = masked[first]["fields"] or {}
        told = [self._reports(row, masked[row]["fields"] or {}, plain[row]["fields"] or {}) for row in message.parts]
        states = [self._state(message.kind, row, reports) for row, reports in zip(message.parts, told, strict=True)]
        code = head["result"]
        reported = [report["ms"] for reports in told for report in reports if not report["again"]]
        dest = fields.get("dest_terminal_id", fields.get("dest_id"))
        session = self._sessions[head["session"]]
        return {
            "message": number,
            "kind": message.kind,
            "pdu": head["pdu"],
            "frame": head["frame"],
            "time": iso_time(head["time_ns"], self._zone),
            "stream": head["stream"],
            "session": head["session"],
            "sp_id": None if session.source_addr is None else json_safe(session.source_addr),
            "service_id": fields.get("service_id"),
            "src": fields.get("src_terminal_id", fields.get("src_id")),
            "receivers": fields.get("dest_usr_tl", 1 if fields else None),
            "dest": dest if isinstance(dest, list | None) else [dest],
            "state": _common(states),
            "mixed": self._mixed(message, states, told, masked, plain),
            "result": None if code == NO_RESULT else code,
            "meaning": None if code == NO_RESULT else self._results.of(head["command"], code),
            **_msg_id(self._id(message.kind, head, fields)),
            "response_ms": _ms(head["response_time_ns"] - head["time_ns"]) if head["response_pdu"] else None,
            "end_to_end_ms": max(reported, default=None),
            "parts": [
                self._part(row, state, masked[row]["fields"], plain[row]["fields"])
                for row, state in zip(message.parts, states, strict=True)
            ],
            "reports": [report for reports in told for report in reports],
            "hops": [_hop(int(sent["pdu"][row]), masked[row]["fields"] or {}) for row in message.hops],
            "cancels": [self._cancel(row) for row in message.cancels],
            **self._text([plain[row]["fields"] for row in message.parts]),
        }

    def _id(self, kind: str, head: dict[str, int], fields: Row) -> int:
        """Give the Msg_Id: of the response to a SUBMIT, else of the request."""
        return head["msg_id"] & (2**64 - 1) if kind == MT else int(fields.get("msg_id") or 0)

    def _reports(self, row: int, masked: Row, plain: Row) -> list[Row]:
        """Give the reports of a request."""
        sent = self._listing.sent
        reports = self._listing.reports_of(int(sent["pdu"][row]))
        dest = receivers_of(reports["number"], plain.get("dest_terminal_id"), masked.get("dest_terminal_id"))
        began = int(sent["time_ns"][row])
        found = []
        for at in range(len(reports)):
            stat = stat_text(int(reports["stat"][at]))
            time_ns = int(reports["time"][at])
            found.append(
                {
                    "pdu": int(reports["report"][at]),
                    "time": iso_time(time_ns, self._zone),
                    "dest": dest[at],
                    "stat": stat,
                    "meaning": stat_meaning(stat),
                    "ms": _ms(time_ns - began),
                    "again": not reports["first"][at],
                }
            )
        return found

    def _state(self, kind: str, row: int, reports: list[Row]) -> str:
        """Say what became of a request."""
        state, result, asked = (int(self._listing.sent[name][row]) for name in ("state", "result", "asked"))
        stats = [report["stat"] for report in reports if not report["again"]]
        return state_of(kind == MT, state, result, asked, stats)

    def _mixed(
        self,
        message: Message,
        states: list[str],
        told: list[list[Row]],
        masked: dict[int, Row],
        plain: dict[int, Row],
    ) -> str | None:
        """Say which part, or which receiver of the only part, has which state; None where all have one."""
        if _common(states) != MIXED:
            return None
        if len(states) > 1:
            numbers = [_numbers(plain[row]["fields"] or {})[1] for row in message.parts]
            return apart([(f"part {number or '?'}", state) for number, state in zip(numbers, states, strict=True)])
        first = [report for report in told[0] if not report["again"]]
        dest = (masked[message.parts[0]]["fields"] or {}).get("dest_terminal_id") or []
        silent = len(dest) - len(first)
        return apart([*((named(report["dest"]), report["stat"]) for report in first), *[("", "unreported")] * silent])

    def _part(self, row: int, state: str, fields: Row | None, plain: Row | None) -> Row:
        """Tell of one part."""
        total, number = _numbers(plain or {})
        sent = self._listing.sent
        msg_id = int(sent["msg_id"][row]) & (2**64 - 1) or int((fields or {}).get("msg_id") or 0)
        text = format_msg_id(msg_id) if msg_id else None
        return {"pdu": int(sent["pdu"][row]), "number": number, "total": total, "msg_id_text": text, "state": state}

    def _cancel(self, row: int) -> Row:
        """Tell of a CANCEL."""
        sent = self._listing.sent
        code = int(sent["result"][row])
        return {"pdu": int(sent["pdu"][row]), "success_id": None if code == NO_RESULT else code}

    def _text(self, parts: list[Row | None]) -> Row:
        """Join texts and contents in the order of the parts' numbers."""
        _, contents = _in_order(parts)
        octets = b"".join(contents)
        if self._redaction.active:
            return {"text": {"octets": len(octets)}, "content": {"octets": len(octets)}}
        return {"text": joined_text(parts), "content": {"hex": octets.hex()}}


def state_of(mt: bool, state: int, result: int, asked: int, stats: Sequence[str]) -> str:  # noqa: FBT001 - a column's
    """Say what became of a request that carries a message, given its transaction and the first Stat of each receiver.

    `mt` tells a SUBMIT from a DELIVER or FWD; `asked` is its Registered_Delivery.
    """
    if state not in (ANSWERED, LATE):
        return "submitted" if state == OPEN and mt else STATES[state]
    if result == NO_RESULT:
        return "unknown"
    if result:
        return "refused"
    if not mt:
        return "delivered"
    if stats:
        return _common(stats)
    return "unreported" if asked == 1 else "accepted"


def joined_text(parts: Sequence[Row | None]) -> str | None:
    """Join the texts of parts (the fields of their rows, not masked) in the order of their numbers."""
    there, contents = _in_order(parts)
    return None if any("report" in part for part in there) else _joined(there, contents)


def _in_order(parts: Sequence[Row | None]) -> tuple[list[Row], list[bytes]]:
    """Give the parts that have a content in the order of their numbers, and the contents."""
    there = sorted((part for part in parts if part and part.get("msg_content")), key=_numbers_last)
    return there, [bytes.fromhex(part["msg_content"]["hex"]) for part in there]


def _joined(parts: list[Row], contents: list[bytes]) -> str | None:
    """Decode a text over all parts: a character may be divided between two of them."""
    if not parts or len({part["msg_fmt"] for part in parts}) > 1:
        texts = [part.get("text") for part in parts]
        return None if None in texts or not texts else json_safe("".join(map(str, texts)))
    bodies = []
    for part, content in zip(parts, contents, strict=True):
        header = decode_text(content, part["msg_fmt"] or 0, part["tp_udhi"] or 0)
        bodies.append(content[header.offset :])
    text = decode_text(b"".join(bodies), parts[0]["msg_fmt"] or 0, 0).text
    return None if text is None else json_safe(text)


def _numbers(fields: Row) -> tuple[int | None, int | None]:
    """Give (total, number) of a part, by its header, else by Pk_total and Pk_number."""
    content = fields.get("msg_content")
    if content and fields.get("tp_udhi"):
        part = parse_udh(bytes.fromhex(content["hex"])).concatenation
        if part is not None:
            return part.total, part.number
    return fields.get("pk_total"), fields.get("pk_number")


def _numbers_last(fields: Row) -> int:
    """Give the number of a part, to put parts in order."""
    return _numbers(fields)[1] or 0


def _hop(pdu: int, fields: Row) -> Row:
    """Tell of a FWD."""
    kind = fields.get("msg_fwd_type")
    return {
        "pdu": pdu,
        "type": None if kind is None else MSG_FWD_TYPE.of(kind),
        "nodes": fields.get("nodescount"),
        "from": fields.get("source_id"),
        "to": fields.get("destination_id"),
    }


def _msg_id(number: int) -> Row:
    """Give a Msg_Id in both forms, null where it is blank."""
    return {"msg_id": str(number) if number else None, "msg_id_text": format_msg_id(number) if number else None}


def stat_text(stat: int) -> str:
    """Write a Stat."""
    octets = stat_octets(stat).rstrip(b"\0")
    text = octets.decode("latin-1")
    return text if text.isascii() and text.isprintable() else f"0x{octets.hex()}"


def _common(values: Sequence[str]) -> str:
    """Give the value that all have in common, `mixed` where they differ."""
    return values[0] if len(set(values)) == 1 else MIXED


def _ms(nanoseconds: int) -> float:
    """Give milliseconds."""
    return nanoseconds / 1_000_000
