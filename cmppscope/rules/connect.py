"""Rules about the fields of CONNECT and CONNECT_RESP, but for the authenticators' values (CMPP 2.0 §7.4.1)."""

from __future__ import annotations

import numpy as np

from cmppscope.quantities import duration
from cmppscope.rules.bodies import Bodies, bodies
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.strings import decimal
from cmppscope.rules.times import Moment
from cmppscope.tables import I64, Bool
from dissectors.cmpp.enums import CONNECT, RESPONSE

_VERSIONS = (0x20, 0x21, 0x30)
_WRONG_SECRET, _TOO_HIGH, _OTHER = 3, 4, 5
_SP, _GATEWAY = ord("9"), ord("0")


def _connects(facts: Facts) -> Bodies:
    """Give the CONNECTs; 3.0 changed nothing about them."""
    return bodies(facts, CONNECT, later=True)


def _answers(facts: Facts) -> Bodies:
    """Give the CONNECT_RESPs of 30 octets."""
    return bodies(facts, RESPONSE | CONNECT, later=True)


@rule("connect-source-format", Severity.ERROR, "§2, §7.4.1.1", "Source_Addr is {source_addr}")
def source_format(facts: Facts) -> Hits:
    """Source_Addr is six digits: the SP_Id, or the code of a gateway."""
    connect = _connects(facts)
    text = connect.texts("source_addr")
    return connect.hits(~(text.digits & (text.length == 6)), names=["source_addr"])


@rule("connect-source-range", Severity.NOTE, "§2", "Source_Addr is {source_addr}")
def source_range(facts: Facts) -> Hits:
    """An SP_Id begins with 9; the code of a gateway begins with 0 and ends with 01 to 99."""
    connect = _connects(facts)
    text = connect.texts("source_addr")
    code = (text.octets[:, 0] == _GATEWAY) & (decimal(text.octets[:, 4:]) > 0)
    known = (text.octets[:, 0] == _SP) | code
    return connect.hits(text.digits & (text.length == 6) & ~known, names=["source_addr"])


@rule("connect-version", Severity.WARN, "§7.4.1.1", "Version is 0x{a:02x}, not 0x20")
def version(facts: Facts) -> Hits:
    """Version of CONNECT is 0x20, or 0x21 or 0x30 of the later editions: one digit in each half of the octet."""
    connect = _connects(facts)
    octet = connect.integer("version")
    return connect.hits(~np.isin(octet, _VERSIONS), octet)


@rule("connect-version-refused", Severity.NOTE, "§7.4.1.2", "Status is 4, the gateway's Version {version}")
def version_refused(facts: Facts) -> Hits:
    """The gateway speaks the version that CONNECT asks for.

    Status 4 says that it does not: log in again with the Version that the response names.
    """
    answer = _answers(facts)
    octet = answer.integer("version")
    return _versions(answer.hits(answer.integer("status") == _TOO_HIGH, 0, octet))


@rule(
    "connect-version-mismatch",
    Severity.WARN,
    "§7.4.1.2",
    "Status is 0 and the gateway's Version {version}, but CONNECT asks for {wanted}",
)
def version_mismatch(facts: Facts) -> Hits:
    """A gateway that accepts a login speaks the version that CONNECT asks for."""
    answer = _answers(facts)
    octet = answer.integer("version")
    wanted = np.array([facts.wanted.get(row, 0) for row in answer.rows.tolist()], np.int64)
    return _versions(answer.hits((answer.integer("status") == 0) & (octet < wanted), wanted, octet))


def _versions(hits: Hits) -> Hits:
    """Let the words name the versions in `a` and `b`."""

    def name(octet: int) -> str:
        return f"{octet >> 4}.{octet & 0xF}"

    hits.values = lambda place: {"wanted": name(int(hits.a[place])), "version": name(int(hits.b[place]))}
    return hits


def _moment(timestamp: I64) -> Moment:
    """Read Timestamps: MMDDHHMMSS as a number."""
    month, day, hour, minute, second = (timestamp // 100**power % 100 for power in (4, 3, 2, 1, 0))
    return Moment(np.zeros_like(timestamp), month, day, hour, minute, second)


@rule("connect-timestamp-invalid", Severity.ERROR, "§7.4.1.1", "Timestamp is {a:010d}")
def timestamp_invalid(facts: Facts) -> Hits:
    """Timestamp of CONNECT is a time: month, day, hour, minute, second, with two digits each."""
    connect = _connects(facts)
    timestamp = connect.integer("timestamp").astype(np.int64)
    return connect.hits(~_moment(timestamp).right_in_some_year, timestamp)


@rule("connect-timestamp-skew", Severity.NOTE, "practice", "Timestamp is {stamp}, {span} {way} the capture")
def timestamp_skew(facts: Facts) -> Hits:
    """Timestamp of CONNECT is near the time of capture.

    Gateways may refuse an old one, for it lets a login be repeated. A difference of whole hours is another time zone,
    or a clock of 12 hours.
    """
    connect = _connects(facts)
    timestamp = connect.integer("timestamp").astype(np.int64)
    moment = _moment(timestamp)
    right = moment.right_in_some_year
    near = facts.batch.time_ns[connect.rows]
    ahead = np.zeros(len(connect), np.int64)
    ahead[right] = _part(moment, right).nearest_ns(near[right], facts.limits.zone_ns) - near[right]
    hits = connect.hits(right & (np.abs(ahead) > facts.limits.skew_ns), ahead, timestamp)

    def values(place: int) -> dict[str, object]:
        ahead_ns = int(hits.a[place])
        way = "ahead of" if ahead_ns > 0 else "behind"
        return {"stamp": f"{int(hits.b[place]):010d}", "span": duration(abs(ahead_ns)), "way": way}

    hits.values = values
    return hits


def _part(moment: Moment, rows: Bool) -> Moment:
    """Give some of the rows."""
    return Moment(*(column[rows] for column in moment))


@rule("connect-auth-blank", Severity.WARN, "§7.4.1.1", "AuthenticatorSource is all zero")
def auth_blank(facts: Facts) -> Hits:
    """AuthenticatorSource is made from the secret."""
    connect = _connects(facts)
    return connect.hits(connect.texts("authenticatorsource").blank)


@rule("connect-status-other", Severity.NOTE, "§7.4.1.2", "Status is {a}: {meaning}")
def status_other(facts: Facts) -> Hits:
    """Status of CONNECT_RESP is 0 to 4.

    What lies above is "other error"; what it means is the gateway's own. Often 5 is too many connections, 6 an address
    that is not allowed, 7 or 99 a fault of the system.
    """
    answer = _answers(facts)
    status = answer.integer("status").astype(np.int64)
    hits = answer.hits(status >= _OTHER, status)
    hits.values = lambda place: {"meaning": facts.results.of(CONNECT, int(hits.a[place]))}
    return hits


@rule("connect-resp-auth-not-blank", Severity.NOTE, "§7.4.1.2", "Status is 3, but AuthenticatorISMG is not blank")
def auth_not_blank(facts: Facts) -> Hits:
    """AuthenticatorISMG is blank where the login failed, Status 3."""
    answer = _answers(facts)
    return answer.hits((answer.integer("status") == _WRONG_SECRET) & ~answer.texts("authenticatorismg").blank)


RULES = (
    source_format,
    source_range,
    version,
    version_refused,
    version_mismatch,
    timestamp_invalid,
    timestamp_skew,
    auth_blank,
    status_other,
    auth_not_blank,
)
