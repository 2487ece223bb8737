"""Rules about the fields of the route messages between gateway and name server (CMPP 2.0 §7.6).

A response with Result 1 tells of no route, and whoever deletes a route need not describe it: fields of the route that
are blank there are no finding.
"""

from __future__ import annotations

import re

import numpy as np

from cmppscope.rules.bodies import Bodies, bodies
from cmppscope.rules.fwd import six_digits
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.strings import decimal
from cmppscope.tables import I64, Bool
from dissectors.cmpp.enums import GET_ROUTE, MO_ROUTE, MO_UPDATE, MT_ROUTE, MT_UPDATE, PUSH_MO, PUSH_MT, RESPONSE

_UPDATES = (MT_UPDATE, MO_UPDATE, PUSH_MT, PUSH_MO)
_ANSWERS = (RESPONSE | MT_ROUTE, RESPONSE | MO_ROUTE, RESPONSE | GET_ROUTE)
_LAST_ROUTE, _NO_ROUTE, _FAILED = 2, 1, 1
_ADD, _DELETE, _CHANGE = 0, 1, 2
_PORTS = (7890, 7900, 7930)
_GREATEST = dict.fromkeys(_ANSWERS, _LAST_ROUTE) | {RESPONSE | update: _FAILED for update in _UPDATES}
"""Command_Id to the greatest Result that 2.0 defines."""

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d|0\d\d)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}\0*".encode())


def _some(facts: Facts, commands: tuple[int, ...]) -> list[tuple[int, Bodies]]:
    """Give the bodies of those commands that are there."""
    found = [(command, bodies(facts, command)) for command in commands]
    return [(command, body) for command, body in found if len(body)]


def _routes(facts: Facts) -> list[tuple[Bodies, Bool]]:
    """Give the bodies that describe a route, with the rows in which they must."""
    found = []
    for command, body in _some(facts, (*_ANSWERS, *_UPDATES)):
        if command in _UPDATES:
            must = body.integer("update_type") != _DELETE
        else:
            must = np.isin(body.integer("result"), (0, _LAST_ROUTE))
        found.append((body, must))
    return found


@rule("route-type", Severity.ERROR, "§7.6.5.1", "Route_type is {route_type}, neither “MO” nor “MT”")
def route_type(facts: Facts) -> list[Hits]:
    """Route_type of GET_ROUTE is MO or MT, in capitals."""
    found = []
    for _, body in _some(facts, (GET_ROUTE,)):
        text = body.columns.strings("route_type").octets
        right = (text[:, 0] == ord("M")) & ((text[:, 1] == ord("O")) | (text[:, 1] == ord("T")))
        found.append(body.hits(~right, names=["route_type"]))
    return found


@rule("route-result", Severity.WARN, "§7.6.3.2 to §7.6.9.2", "Result is {a}: {command} knows 0 to {b}")
def route_result(facts: Facts) -> list[Hits]:
    """Result is 0 to 2 where a route is asked for, and 0 or 1 where one is changed.

    Further codes came with 2.1, which gave 2 another meaning as well.
    """
    found = []
    for command, body in _some(facts, tuple(_GREATEST)):
        result = body.integer("result")
        wrong = result > _GREATEST[command]
        if wrong.any():
            version = facts.versions[body.rows]
            wrong &= version == 20
        found.append(body.hits(wrong, result, _GREATEST[command]))
    return found


@rule("route-update-type", Severity.ERROR, "§7.6.6.1", "Update_type is {a}, not 0 to 2")
def update_type(facts: Facts) -> list[Hits]:
    """Update_type is 0, add, 1, delete, or 2, change."""
    found = []
    for _, body in _some(facts, _UPDATES):
        kind = body.integer("update_type")
        found.append(body.hits(kind > _CHANGE, kind))
    return found


@rule("route-add-id", Severity.WARN, "§7.6.6.1, §7.6.7.1", "Update_type is 0, but Route_Id {a}")
def add_id(facts: Facts) -> list[Hits]:
    """A gateway that adds a route leaves Route_Id 0: the name server gives out the numbers."""
    found = []
    for _, body in _some(facts, (MT_UPDATE, MO_UPDATE)):
        number = body.integer("route_id")
        found.append(body.hits((body.integer("update_type") == _ADD) & (number != 0), number))
    return found


@rule("route-ip", Severity.ERROR, "§7.6.3.2", "Gateway_IP is {gateway_ip}")
def ip(facts: Facts) -> list[Hits]:
    """Gateway_IP is an IPv4 address as text: four numbers up to 255 with dots between, filled with 0x00.

    The gateway that asked cannot connect to anything else. Binary addresses and names have no place in the field.
    """
    found = []
    for body, must in _routes(facts):
        octets = body.columns.strings("gateway_ip").octets
        texts, of = np.unique(np.ascontiguousarray(octets).view("V15").reshape(-1), return_inverse=True)
        right = np.array([_IPV4.fullmatch(text.tobytes()) is not None for text in texts], np.bool_)[of]
        blank = body.texts("gateway_ip").empty
        found.append(body.hits(~right & (must | ~blank), names=["gateway_ip"]))
    return found


@rule("route-port", Severity.NOTE, "§7.6.3.2, §6.3", "Gateway_port is {a}")
def port(facts: Facts) -> list[Hits]:
    """Gateway_port is one of the ports at which gateways listen: 7890, 7900 or 7930.

    Any port works if both sides agree; 0 is a route that nobody can use.
    """
    found = []
    for body, must in _routes(facts):
        number = body.integer("gateway_port")
        found.append(body.hits(~np.isin(number, _PORTS) & (must | (number != 0)), number))
    return found


@rule("route-code-format", Severity.WARN, "§2, §7.6", "{field} is {code}, not six digits")
def code_format(facts: Facts) -> list[Hits]:
    """Source_Id and Destination_Id are gateway codes: six digits."""
    found = []
    for _, body in _some(facts, (MT_ROUTE, MO_ROUTE, GET_ROUTE)):
        found.append(_code(body, "source_id", "Source_Id", ~six_digits(body, "source_id")))
    for body, must in _routes(facts):
        wrong = ~six_digits(body, "destination_id") & (must | ~body.texts("destination_id").empty)
        found.append(_code(body, "destination_id", "Destination_Id", wrong))
    return found


def _code(body: Bodies, name: str, field: str, wrong: Bool) -> Hits:
    """Give the rows whose code is wrong."""
    hits, at = body.hits(wrong), np.flatnonzero(wrong & body.sure)
    hits.values = lambda place: {"field": field, "code": body.value(name, int(at[place]))}
    return hits


@rule("route-segment-order", Severity.WARN, "practice", "the route goes from {a} to {b}")
def segment_order(facts: Facts) -> list[Hits]:
    """A route begins at the lower end: Start_Id is not above End_Id, Start_code not above End_code."""
    found = []
    for _, body in _some(facts, (RESPONSE | MT_ROUTE, MT_UPDATE, PUSH_MT)):
        both = six_digits(body, "start_id") & six_digits(body, "end_id")
        start, end = (decimal(body.columns.strings(name).octets) for name in ("start_id", "end_id"))
        found.append(body.hits(both & (start > end), start, end))
    for _, body in _some(facts, (RESPONSE | MO_ROUTE, RESPONSE | GET_ROUTE, MO_UPDATE, PUSH_MO)):
        first, last = body.integer("start_code"), body.integer("end_code")
        found.append(body.hits(first > last, first, last))
    return found


@rule("route-code-without-service", Severity.NOTE, "§7.6.4", "Service_Id is blank, but the code is {a}", " to {b}")
def code_without_service(facts: Facts) -> list[Hits]:
    """Service_Code, Start_code and End_code stand only beside a Service_Id.

    In an answer to GET_ROUTE that names an MT route, Start_code and End_code are number segments and have none.
    """
    found = []
    for command, body in _some(facts, (MO_ROUTE, RESPONSE | GET_ROUTE, MO_UPDATE, PUSH_MO)):
        start, end = _codes(command, body)
        wrong = body.texts("service_id").empty & ((start != 0) | (end != 0))
        if command == RESPONSE | GET_ROUTE:
            wrong &= ~body.texts("sp_code").empty & body.texts("area_code").empty
        found.append(body.hits(wrong, start, end))
    return found


def _codes(command: int, body: Bodies) -> tuple[I64, I64]:
    """Give the first and last service code of each row; MO_ROUTE asks for one."""
    if command == MO_ROUTE:
        code = body.integer("service_code").astype(np.int64)
        return code, np.zeros_like(code)
    return body.integer("start_code").astype(np.int64), body.integer("end_code").astype(np.int64)


RULES = (
    route_type,
    route_result,
    update_type,
    add_id,
    ip,
    port,
    code_format,
    segment_order,
    code_without_service,
)
