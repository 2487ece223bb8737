"""What the text under `/` means, and what finds the rows for it: a filter of `cmppscope.filters`, or plain words.

A finder is made where the application's thread is, which takes no time, and works in another: it holds what the store
had then, and rows that were there never change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from cmppscope.columns import Made
from cmppscope.filters.errors import FilterError
from cmppscope.filters.plain import plain_words, words_filter
from cmppscope.filters.selection import Filter, Sieve
from cmppscope.filters.tables import (
    FINDING,
    MESSAGE,
    PDU,
    SESSION,
    TRANSACTION,
    FindingTable,
    PduTable,
    SessionTable,
    Spot,
    Table,
    TransactionTable,
    end,
)
from cmppscope.report.message_tables import message_tables
from cmppscope.tables import I64, Bool
from cmppscope.transactions import Transactions
from cmppscope.tui.listing import StoredListing
from cmppscope.tui.lives import Kept
from cmppscope.tui.recalled import RecallError, Span
from cmppscope.tui.rows import Finder, Rows, shown_finder
from cmppscope.tui.rows.findings import PlaceRows
from cmppscope.tui.store import SPAN, FindingRow, Snapshot, Store

_THREADS = 2
AT_A_TIME = _THREADS * SPAN
"""Rows that a filter looks at before what it found is shown."""
BY_ENDS = frozenset(("ip.addr", "ip.src", "ip.dst", "tcp.port", "tcp.srcport", "tcp.dstport"))
"""Fields that are known when the ends of a stream are."""
_FIELDS_KEPT = 4
"""A filter of more fields does not keep their columns for the next one."""


def read(text: str, target: str, store: Store) -> Filter | str | None:
    """Read what was typed for a list: a filter, or words to be looked for; FilterError where it is a wrong filter."""
    if not text.strip() or not target:
        return text.strip() or None
    words = plain_words(text, target)
    if words is None:
        return Filter(text, target, store.zone)
    if target in (PDU, TRANSACTION):
        low = words.lower()
        ends = store.snapshot.ends.items()
        streams = [number for number, both in ends if any(low in address.lower() for address in both.addresses)]
        return words_filter(words, target, store.results.of, streams)
    return words


def mistake_in(text: str, target: str, store: Store) -> FilterError | None:
    """Tell what is wrong with what was typed for a list."""
    try:
        read(text, target, store)
    except FilterError as error:
        return error
    return None


def finder(rows: Rows, needle: str, target: str, store: Store) -> Finder:
    """Give what finds rows of a list of `target`."""
    wanted = read(needle, target, store)
    if not isinstance(wanted, Filter):
        return shown_finder(rows, wanted or "")
    hunt = _Hunt(wanted, store)
    settles = not wanted.needs and (not wanted.fields & BY_ENDS or _ends_known(store))
    return Finder(hunt.test, AT_A_TIME, settles)


def rule_finder(rows: Rows, needle: str, store: Store) -> Finder:
    """Give what finds rules: those of which a listed place passes."""
    wanted = read(needle, FINDING, store)
    if not isinstance(wanted, Filter):
        return shown_finder(rows, wanted or "")
    hunt = _Hunt(wanted, store)
    findings = store.snapshot.findings
    ends = np.cumsum([0, *(len(finding.places) for finding in findings)])

    def test(which: I64) -> Bool:
        counts = np.r_[0, np.cumsum(hunt.test(np.arange(ends[-1])))]
        found: Bool = counts[ends[which + 1]] > counts[ends[which]]
        return found

    return Finder(test, settles=False)


def place_finder(rows: PlaceRows, needle: str, store: Store) -> Finder:
    """Give what finds places of the rule that is shown."""
    wanted = read(needle, FINDING, store)
    if not isinstance(wanted, Filter):
        return shown_finder(rows, wanted or "")
    findings = store.snapshot.findings
    chosen = next((at for at, found in enumerate(findings) if (found.rule, found.fault) == rows.rule), len(findings))
    before = sum(len(finding.places) for finding in findings[:chosen])
    hunt = _Hunt(wanted, store)
    return Finder(lambda which: hunt.test(which + before), settles=False)


def message_finder(rows: Rows, needle: str, pdus: I64, store: Store) -> Finder:
    """Give what finds requests that carry a message; `pdus` has the number of the PDU of each row.

    A request is found when the message passes that it is a part of.
    """
    wanted = read(needle, MESSAGE, store)
    if not isinstance(wanted, Filter):
        return shown_finder(rows, wanted or "")._replace(settles=False)
    hunt = _Hunt(wanted, store)

    def test(which: I64) -> Bool:
        found = np.zeros(len(which), np.bool_)
        known = which < len(pdus)
        found[known] = np.isin(pdus[which[known]], hunt.message_pdus())
        return found

    return Finder(test, AT_A_TIME, settles=False)


def _ends_known(store: Store) -> bool:
    """Tell whether the ends of the stream of every PDU are known."""
    streams = np.flatnonzero(np.bincount(store.pdus.column("stream")))
    return store.snapshot.ends.keys() >= set(streams.tolist())


class _Hunt:
    """A filter at work on the rows of the store as they were when it was made."""

    def __init__(self, wanted: Filter, store: Store) -> None:
        """Hold what the filter may ask."""
        self._filter = wanted
        self._store = store
        self._snapshot = store.snapshot
        self._pdus = store.pdus
        self._spans = store.pdus.spans(len(store.pdus))
        self._kept = wanted.columns - BY_ENDS if len(wanted.fields) <= _FIELDS_KEPT else frozenset()
        self._sieve: Sieve | None = None
        self._mask: Bool | None = None
        self._passing: dict[tuple[int, int], Bool] = {}
        """Which PDUs of a span pass."""
        asked = {wanted.target, *wanted.needs}
        self._transactions = store.transactions.later() if asked & {TRANSACTION, MESSAGE} else None
        self._lives = store.lives.kept if MESSAGE in asked else None
        self._results = store.results
        self._message_pdus: I64 | None = None

    def test(self, which: I64) -> Bool:
        """Tell which of some rows pass."""
        sieve = self._ready()
        if not len(which):
            return np.zeros(0, np.bool_)
        if self._filter.target == PDU:
            return self._test_pdus(which, sieve)
        if self._mask is None:
            (table,) = self._tables(self._filter.target)
            self._mask = sieve.choose(table)
        return self._mask[which]

    def message_pdus(self) -> I64:
        """Give the numbers of the PDUs that belong to messages that pass."""
        if self._message_pdus is None:
            sieve = self._ready()
            found = [np.zeros(0, np.int64)]
            for table in self._tables(MESSAGE):
                passing, keys = sieve.choose(table), table.keys(PDU)
                found.append(keys.values[passing[keys.rows]])
            self._message_pdus = np.unique(np.concatenate(found))
        return self._message_pdus

    def _ready(self) -> Sieve:
        """Show the filter the other tables, once."""
        if self._sieve is None:
            sieve = self._sieve = Sieve(self._filter)

            def show(table: Table) -> None:
                with contextlib.suppress(RecallError):
                    sieve.see(table)
                self._let_go(table)

            for need in sorted(self._filter.needs):
                _at_once(show, self._tables(need))
        return self._sieve

    def _test_pdus(self, which: I64, sieve: Sieve) -> Bool:
        """Tell which PDUs pass: those of each part of the store in turn."""
        low, high = int(which[0]), int(which[-1]) + 1
        spans = [(start, stop) for start, stop in self._spans if start < high and stop > low]
        fresh = [span for span in spans if span not in self._passing]
        passing = _at_once(lambda span: self._pass(self._span(*span), sieve), fresh)
        self._passing |= zip(fresh, passing, strict=True)
        mask = np.zeros(high - low, np.bool_)
        for start, stop in spans:
            first, last = max(start, low), min(stop, high)
            mask[first - low : last - low] = self._passing[start, stop][first - start : last - start]
        return mask[which - low]

    def _pass(self, table: PduTable, sieve: Sieve) -> Bool:
        """Tell which PDUs of a table pass; none does where their octets are needed and cannot be read again."""
        try:
            return sieve.choose(table)
        except RecallError:
            return np.zeros(len(table), np.bool_)
        finally:
            self._let_go(table)

    def _let_go(self, table: Table) -> None:
        """Keep of PDUs what the next filter may ask for again, and no octets but those that are held anyway."""
        if isinstance(table, PduTable):
            table.keep_only(self._kept)
            if isinstance(table.batch, Span):
                table.batch.forget()

    def _span(self, start: int, stop: int) -> PduTable:
        """Give a span of PDUs, with what an earlier search kept of it."""
        searched = self._pdus.searched
        table: PduTable | None = searched.get(start)
        if table is None or len(table) != stop - start:
            batch = self._pdus.span(start, stop)
            table = searched[start] = PduTable(batch, self._pdus.session[start:stop], ends_of(self._store))
        return table

    def _tables(self, kind: str) -> Iterable[Table]:
        """Give a table of the store, in one piece or several."""
        if kind == PDU:
            return [self._span(*span) for span in self._spans]
        if kind == TRANSACTION and self._transactions is not None:
            return [TransactionTable(self._transactions())]
        if kind == MESSAGE and self._transactions is not None and self._lives is not None:
            return self._messages(self._transactions, self._lives)
        if kind == SESSION:
            return [SessionTable(self._snapshot.sessions)]
        if kind == FINDING:
            return [finding_table(self._snapshot.findings, self._snapshot)]
        return []

    def _messages(self, transactions: Callable[[], Transactions], lives: Kept) -> Iterable[Table]:
        """Give the messages of the store."""
        sp_ids = {row.session: row.sp_id for row in self._snapshot.sessions}
        accounts = [_Account(sp_ids.get(number)) for number in range(int(self._pdus.session.max(initial=-1)) + 1)]
        return message_tables(StoredListing(self._pdus, transactions, lives), accounts, self._results)


def _at_once(work: Callable[[Any], Made], parts: Iterable[Any]) -> list[Made]:
    """Do the same to several parts of a store, some at a time: much of the work is NumPy's, which lets others work."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(work, parts))


class _Account(NamedTuple):
    """What is told of a session in the row of a message."""

    source_addr: str | None


def finding_table(findings: Iterable[FindingRow], snapshot: Snapshot) -> FindingTable:
    """Give the listed places of findings, one finding behind the other."""
    spots = [
        Spot(
            place.frame,
            place.stream,
            place.direction,
            place.offset,
            place.pdu,
            int(finding.severity),
            finding.rule,
            finding.section,
            finding.fault,
            place.detail,
        )
        for finding in findings
        for place in finding.places
    ]
    return FindingTable(spots, snapshot.sessions)


def ends_of(store: Store) -> Callable[[int], Any]:
    """Give both ends of streams as filters see them, as they are known when they are asked for."""

    def both(stream: int) -> Any:
        found = store.snapshot.ends.get(stream)
        if found is None:
            return None
        pairs = (address.rpartition(":") for address in found.addresses)
        return tuple(end(host.strip("[]"), int(port)) for host, _, port in pairs)

    return both
