"""Rules: sentences of the protocol, each checked by one small function over the facts of a batch.

`RULES` lists them in the order of their numbers; `docs/rules.md` is made from it.
"""

from __future__ import annotations

from cmppscope.rules import (
    capture,
    closing,
    concat,
    connect,
    content,
    deliver,
    destinations,
    echo,
    fees,
    fillings,
    framing,
    fwd,
    gns_state,
    header,
    keepalive,
    login,
    msgids,
    pairing,
    query,
    reports,
    resend,
    route,
    short,
    state,
    status_report,
    submit,
    submit_resp,
    udh,
    validity,
    versions,
    window,
)
from cmppscope.rules.findings import Finding, Findings, Place
from cmppscope.rules.model import Facts, Limits, Personal, Rule, Severity
from cmppscope.rules.results import STANDARD, Results
from cmppscope.rules.sequence import SequenceTracker

__all__ = [
    "RULES",
    "STANDARD",
    "Facts",
    "Finding",
    "Findings",
    "Limits",
    "Personal",
    "Place",
    "Results",
    "Rule",
    "SequenceTracker",
    "Severity",
]

RULES: tuple[Rule, ...] = (
    *framing.RULES,
    *header.RULES,
    *connect.RULES,
    *login.RULES,
    *state.RULES,
    *submit.RULES,
    *fees.RULES,
    *content.RULES,
    *udh.RULES,
    *concat.RULES,
    *destinations.RULES,
    *fillings.RULES,
    *validity.RULES,
    *submit_resp.RULES,
    *msgids.RULES,
    *deliver.RULES,
    *status_report.RULES,
    *reports.RULES,
    *query.RULES,
    *fwd.RULES,
    *echo.RULES,
    *route.RULES,
    *gns_state.RULES,
    *pairing.RULES,
    *resend.RULES,
    *keepalive.RULES,
    *closing.RULES,
    *short.RULES,
    *capture.RULES,
    *window.RULES,
    *versions.RULES,
)
