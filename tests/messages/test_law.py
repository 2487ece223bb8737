"""The law for messages: parts, reports, CANCELs and FWDs are joined the same however the batches are cut."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.messages.listing import Listing
from cmppscope.redact import Redaction
from cmppscope.report.build import build
from cmppscope.report.messages import message_rows
from cmppscope.rules import concat, echo, msgids, reports
from tests.rules.conversation import Frame, analyse, every_cut, frames_of

_PDUS = (
    "SUBMIT {n} report=1 text={text}",
    "SUBMIT {n} report=1 to=3",
    "SUBMIT {n} tp_udhi=1 pk_total=2 pk_number={few} msg_content=0x05000307020{few}61",
    "SUBMIT {n} tp_udhi=1 msg_content=0x06080400070{few}0{one}61 src_id=106{few}",
    "SUBMIT_RESP {n} id={few}",
    "SUBMIT_RESP {n} id={few}",
    "SUBMIT_RESP {n} id={few} result=8",
    "DELIVER {n} about={few} msg_id={other}",
    "DELIVER {n} about={few} msg_id={other} stat=EXPIRED dest_terminal_id=1380000000{few}",
    "DELIVER {n} tp_udhi=1 msg_content=0x05000307020{few}61 msg_id={other}",
    "DELIVER_RESP {n} id={other}",
    "DELIVER_RESP {n} id={other}",
    "CANCEL {n} msg_id={other}",
    "CANCEL_RESP {n}",
    "QUERY {n} time=20260529 query_type={one} query_code=TPCQ",
    "QUERY_RESP {n} mt_tlmsg={few}",
    "FWD {n} nodescount={few}",
    "FWD_RESP {n}",
    "CONNECT {n} addr=90123{few}",
)


@st.composite
def talk(draw: st.DrawFn) -> list[Frame]:
    """Draw frames of two connections with all that messages are told from."""
    lines, seconds = ["0 SP CONNECT 1", "0.1 ISMG CONNECT_RESP 1", "0 SP@1 CONNECT 1", "0.1 ISMG@1 CONNECT_RESP 1"], 1.0
    for _ in range(draw(st.integers(1, 40))):
        seconds += draw(st.sampled_from((0.01, 0.01, 1, 70, 700)))
        what = draw(st.sampled_from(_PDUS)).format(
            n=draw(st.integers(2, 6)),
            few=draw(st.integers(0, 3)),
            one=draw(st.integers(1, 3)),
            other=draw(st.sampled_from(("0x5E91AA0003E90001", "0x5E91AA0003E90002", "0x1234567"))),
            text=draw(st.sampled_from("ab")),
        )
        side = "SP" if what.split()[0] in ("SUBMIT", "DELIVER_RESP", "CANCEL", "QUERY", "CONNECT") else "ISMG"
        how = draw(st.sampled_from(("", "", "", "", "", "| lost")))
        lines.append(f"{seconds:.2f} {side}{draw(st.sampled_from(('', '@1')))} {what} {how}")
    return frames_of(lines)


def rows(frames: list[Frame], cuts: Any) -> tuple[Any, ...]:
    """Give all message rows, what the report says of them, and the findings about them."""
    told = analyse(frames, cuts)
    listing = Listing()
    for facts in told.facts:
        listing.feed(facts)
    analysis = told.analysis
    listed = message_rows(listing, analysis.sessions, analysis.results, Redaction(active=False), dt.UTC)
    own = {rule.id for module in (concat, echo, msgids, reports) for rule in module.RULES}
    found = [(f.rule.id, f.fault, f.count, f.places) for f in analysis.findings if f.rule.id in own]
    return list(listed), build(analysis, []).messages, found


@settings(max_examples=60)
@given(talk(), st.lists(st.integers(0, 60), max_size=6))
def test_cuts_change_nothing(frames: list[Frame], cuts: list[int]) -> None:
    """Whole, a frame a batch and cut anywhere give the same messages, counts and findings."""
    whole = rows(frames, ())
    for other in (every_cut(frames)["one by one"], cuts):
        assert rows(frames, other) == whole
