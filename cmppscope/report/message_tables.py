"""Messages as filters see them: the rows of `report.messages`, not masked, with the PDUs that belong to each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import islice

from cmppscope.filters.tables import MessageTable
from cmppscope.messages.listing import Listing
from cmppscope.redact import Redaction
from cmppscope.report.messages import Account, message_rows
from cmppscope.rules import Results

_AT_A_TIME = 4096
"""Messages that a filter looks at in one go."""


def message_tables(listing: Listing, sessions: Sequence[Account], results: Results) -> Iterator[MessageTable]:
    """Yield all messages in the order of their first requests, some at a time."""
    rows = message_rows(listing, sessions, results, Redaction(active=False), dt.UTC)
    messages, sent = listing.messages(), listing.sent
    for start in range(0, len(messages), _AT_A_TIME):
        some = messages[start : start + _AT_A_TIME]
        requests = [[*message.parts, *message.hops, *message.cancels] for message in some]
        pdus = [sent["pdu"][each].tolist() + sent["response_pdu"][each].tolist() for each in requests]
        made = list(islice(rows, len(some)))
        for numbers, row in zip(pdus, made, strict=True):
            numbers += [report["pdu"] for report in row["reports"]]
        yield MessageTable(made, pdus)
