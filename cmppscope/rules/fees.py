"""Rules about who pays and how much, of SUBMIT and FWD (CMPP 2.0 §7.4.3.1)."""

from __future__ import annotations

import numpy as np

from cmppscope.rules.forms import Forms, fixed
from cmppscope.rules.model import Facts, Hits, Severity, rule
from cmppscope.rules.strings import decimal
from cmppscope.tables import I64, Bool
from dissectors.cmpp.enums import FWD

_BY_NUMBER = 3
"""Fee_UserType: Fee_terminal_Id pays."""
_CHARGING = 2
_FREE, _MONTHLY, _LAST = 1, 3, 5


def _fee_type(form: Forms) -> I64:
    """Give FeeType as a number, below 0 where it is not two digits."""
    text = form.texts("feetype")
    right = text.digits & (text.length == 2)
    return np.where(right, decimal(text.octets), -1)


def _price(form: Forms) -> tuple[I64, Bool]:
    """Give FeeCode as a number, and where it is six digits."""
    text = form.texts("feecode")
    return decimal(text.octets), text.digits & (text.length == 6)


@rule("submit-smc-fee", Severity.NOTE, "§2", "FeeType is {feetype}, Registered_Delivery 2")
def charging_record(facts: Facts) -> Hits:
    """A charging record, Registered_Delivery 2, is about a monthly fee: FeeType 03."""
    form = fixed(facts)
    wrong = (form.integer("registered_delivery") == _CHARGING) & (_fee_type(form) != _MONTHLY)
    return form.hits(wrong, "feetype")


@rule("submit-feeuser-range", Severity.ERROR, "§7.4.3.1", "Fee_UserType is {fee_user_type}")
def user_range(facts: Facts) -> list[Hits]:
    """Fee_UserType is 0 to 3: receiver, sender, SP, or Fee_terminal_Id pays."""
    return [form.hits(form.integer("fee_user_type") > _BY_NUMBER, "fee_user_type") for form in _both(facts)]


@rule(
    "submit-fee-both",
    Severity.WARN,
    "§7.4.3.1",
    "Fee_UserType is {fee_user_type}, but Fee_terminal_Id is {fee_terminal_id}",
)
def both(facts: Facts) -> list[Hits]:
    """Fee_terminal_Id is filled with Fee_UserType 3 only: the two exclude each other.

    Gateways differ in which of the two they follow, so that the wrong one may pay.
    """
    return [
        form.hits(
            (form.integer("fee_user_type") != _BY_NUMBER) & ~form.texts("fee_terminal_id").empty,
            "fee_user_type",
            "fee_terminal_id",
        )
        for form in _both(facts)
    ]


@rule("submit-fee-none", Severity.ERROR, "§7.4.3.1", "Fee_UserType is 3, but Fee_terminal_Id is blank")
def none(facts: Facts) -> list[Hits]:
    """With Fee_UserType 3 there is a Fee_terminal_Id."""
    return [
        form.hits((form.integer("fee_user_type") == _BY_NUMBER) & form.texts("fee_terminal_id").empty)
        for form in _both(facts)
    ]


@rule("submit-feetype", Severity.ERROR, "§7.4.3.1, §7.5.4.1", "FeeType is {feetype}")
def fee_type(facts: Facts) -> list[Hits]:
    """FeeType is 01 to 05, in FWD also 00."""
    found = []
    for least, form in zip((1, 0), _both(facts), strict=True):
        kind = _fee_type(form)
        found.append(form.hits((kind < least) | (kind > _LAST), "feetype"))
    return found


@rule("submit-feecode", Severity.WARN, "§7.4.3.1", "FeeCode is {feecode}")
def fee_code(facts: Facts) -> list[Hits]:
    """FeeCode is six digits, in hundredths of a yuan."""
    return [form.hits(~_price(form)[1], "feecode") for form in _both(facts)]


@rule("submit-fee-free", Severity.NOTE, "practice", "FeeType is “01”, free, but FeeCode is {feecode}")
def free(facts: Facts) -> list[Hits]:
    """What is free, FeeType 01, has FeeCode 000000."""
    found = []
    for form in _both(facts):
        price, right = _price(form)
        found.append(form.hits((_fee_type(form) == _FREE) & right & (price > 0), "feecode"))
    return found


def _both(facts: Facts) -> list[Forms]:
    """Give the forms of SUBMITs and of what gateways pass on of them."""
    return [fixed(facts), fixed(facts, FWD)]


RULES = (charging_record, user_range, both, none, fee_type, fee_code, free)
