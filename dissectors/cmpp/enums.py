"""What the numbers and codes of CMPP mean, as tables.

The only owner of these meanings: the layers show them, and whoever counts results reads them here.
A table maps the values that CMPP 2.0 names; `of` answers for the others as well.
"""

from __future__ import annotations

RESPONSE = 0x80000000
"""Bit 31 of Command_Id: set in a response (CMPP 2.0 §7.3)."""

CONNECT, TERMINATE, SUBMIT, DELIVER, QUERY, CANCEL, ACTIVE_TEST, FWD = 1, 2, 4, 5, 6, 7, 8, 9
MT_ROUTE, MO_ROUTE, GET_ROUTE, MT_UPDATE, MO_UPDATE, PUSH_MT, PUSH_MO = range(0x10, 0x17)
"""Command_Ids of requests (CMPP 2.0 §7.7.1)."""


class Meanings(dict[int, str]):
    """The meaning of each value of a field, and what any other value means."""

    def __init__(self, meanings: dict[int, str], other: str = "not defined") -> None:
        """Keep `meanings`; `other` stands for the values that are not in it."""
        super().__init__(meanings)
        self.other = other

    def of(self, value: int) -> str:
        """Return the meaning of `value`, which need not be in the table."""
        return self.get(value, self.other)


_REQUESTS = {
    CONNECT: "CMPP_CONNECT",
    TERMINATE: "CMPP_TERMINATE",
    SUBMIT: "CMPP_SUBMIT",
    DELIVER: "CMPP_DELIVER",
    QUERY: "CMPP_QUERY",
    CANCEL: "CMPP_CANCEL",
    ACTIVE_TEST: "CMPP_ACTIVE_TEST",
    FWD: "CMPP_FWD",
    MT_ROUTE: "CMPP_MT_ROUTE",
    MO_ROUTE: "CMPP_MO_ROUTE",
    GET_ROUTE: "CMPP_GET_ROUTE",
    MT_UPDATE: "CMPP_MT_ROUTE_UPDATE",
    MO_UPDATE: "CMPP_MO_ROUTE_UPDATE",
    PUSH_MT: "CMPP_PUSH_MT_ROUTE_UPDATE",
    PUSH_MO: "CMPP_PUSH_MO_ROUTE_UPDATE",
}

COMMANDS_20 = _REQUESTS | {RESPONSE | number: f"{name}_RESP" for number, name in _REQUESTS.items()}
"""The thirty commands of CMPP 2.0 §7.7.1."""

COMMANDS_LATER = {0x17: "CMPP_GET_MO_ROUTE", RESPONSE | 0x17: "CMPP_GET_MO_ROUTE_RESP"}
"""Commands that exist from 2.1 on."""

COMMAND_ID = Meanings(
    COMMANDS_20 | {number: f"{name} (2.1 and later)" for number, name in COMMANDS_LATER.items()},
    "unknown command",
)

CONNECT_STATUS = Meanings(
    {
        0: "ok",
        1: "bad structure",
        2: "illegal source address",
        3: "authentication failed",
        4: "version too high",
    },
    "other error",
)
"""CONNECT_RESP Status (CMPP 2.0 §7.4.1.2)."""

_RESULT = {
    0: "ok",
    1: "bad structure",
    2: "bad command",
    3: "sequence repeated",
    4: "bad length",
    5: "bad fee code",
    6: "message too long",
    7: "bad service code",
    8: "flow control",
}
_RESULT_LATER = {
    9: "gateway does not serve the paying number",
    10: "bad Src_Id",
    11: "bad Msg_src",
    12: "bad Fee_terminal_Id",
    13: "bad Dest_terminal_Id",
}

RESULT = Meanings(
    _RESULT | {number: f"other error [2.1: {name}]" for number, name in _RESULT_LATER.items()},
    "other error",
)
"""Result of SUBMIT_RESP and DELIVER_RESP (CMPP 2.0 §7.4.3.2); names from 9 on are later ones."""

FWD_RESULT = Meanings(_RESULT | {9: "wrongly forwarded"}, "other error")
"""FWD_RESP Result (CMPP 2.0 §7.5.4.2)."""

ROUTE_RESULT = Meanings({0: "ok", 1: "no matching route", 2: "last route"})
"""Result of MT_ROUTE_RESP, MO_ROUTE_RESP and GET_ROUTE_RESP (CMPP 2.0 §7.6.3.2)."""

UPDATE_RESULT = Meanings({0: "valid, to be verified", 1: "invalid"})
"""Result of the answers to a gateway's route updates (CMPP 2.0 §7.6.6.2)."""

PUSH_RESULT = Meanings({0: "changed", 1: "change failed"})
"""Result of the answers to a name server's route updates (CMPP 2.0 §7.6.8.2)."""

SUCCESS_ID = Meanings({0: "deleted", 1: "failed"})
"""CANCEL_RESP Success_Id (CMPP 2.0 §7.4.6.2)."""

REGISTERED_DELIVERY = Meanings({0: "no report", 1: "report wanted", 2: "charging record only"})
"""Registered_Delivery of SUBMIT and FWD (CMPP 2.0 §7.4.3.1)."""

DELIVER_KIND = Meanings({0: "message", 1: "status report"})
"""Registered_Delivery of DELIVER (CMPP 2.0 §7.4.5.1)."""

FEE_USER_TYPE = Meanings({0: "receiver pays", 1: "sender pays", 2: "SP pays", 3: "Fee_terminal_Id pays"})
"""Fee_UserType (CMPP 2.0 §7.4.3.1)."""

MSG_FMT = Meanings({0: "ASCII", 3: "SIM card write", 4: "binary", 8: "UCS2", 15: "GBK"}, "other coding")
"""Msg_Fmt (CMPP 2.0 §7.4.3.1). Other values follow the GSM data coding scheme."""

MSG_FWD_TYPE = Meanings({0: "MT", 1: "MO", 2: "report of an MT", 3: "report of an MO"})
"""Msg_Fwd_Type (CMPP 2.0 §7.5.4.1)."""

UPDATE_TYPE = Meanings({0: "add", 1: "delete", 2: "change"})
"""Update_type of every route update (CMPP 2.0 §7.6.6.1)."""

QUERY_TYPE = Meanings({0: "totals", 1: "by service"})
"""Query_Type (CMPP 2.0 §7.4.4.1)."""

TP_UDHI = Meanings({0: "no header", 1: "user data header"})
"""TP_udhi: one bit, right aligned (CMPP 2.0 §7.4.3.1)."""

FEE_TYPE = {
    "00": "free, offsets the channel fee",
    "01": "free",
    "02": "per message",
    "03": "monthly",
    "04": "capped",
    "05": "charged by the SP",
}
"""FeeType; "00" stands in FWD only (CMPP 2.0 §7.4.3.1, §7.5.4.1)."""

STAT = {
    "DELIVRD": "delivered",
    "EXPIRED": "validity ran out",
    "DELETED": "deleted",
    "UNDELIV": "cannot be delivered",
    "ACCEPTD": "accepted by customer service",
    "UNKNOWN": "invalid state",
    "REJECTD": "rejected",
}
"""Stat of a status report (CMPP 2.0 §7.4.5.1, table 1)."""

STAT_FAMILIES = {
    "MA": "message centre did not respond",
    "MB": "message centre answered with an error",
    "MC": "no report from the message centre",
    "CA": "prepaid platform did not respond",
    "CB": "prepaid platform answered with an error",
    "DA": "service platform did not respond",
    "DB": "service platform answered with an error",
    "SA": "SP did not respond",
    "SB": "SP answered with an error",
    "IA": "next gateway did not respond",
    "IB": "next gateway answered with an error",
    "IC": "no report from the next gateway",
}
"""Stat values of 2.1 (MA, MB, CA, CB) and 3.0.0: two letters, a colon, four characters."""


def stat_meaning(stat: str) -> str | None:
    """Return what a Stat means, or None where neither 2.0 nor a later edition names it."""
    family, colon, _code = stat.partition(":")
    return STAT_FAMILIES.get(family) if colon else STAT.get(stat)
