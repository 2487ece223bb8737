"""Meanings of numbers and codes."""

from __future__ import annotations

import pytest

from dissectors.cmpp import enums


def test_thirty_commands_and_two_later_ones() -> None:
    """The table has the thirty commands of 2.0 and marks the two that came later."""
    assert len(enums.COMMANDS_20) == 30
    assert enums.COMMAND_ID[0x80000016] == "CMPP_PUSH_MO_ROUTE_UPDATE_RESP"
    assert "2.1" in enums.COMMAND_ID[0x17]
    assert 3 not in enums.COMMAND_ID
    assert not set(range(0x0A, 0x10)) & set(enums.COMMAND_ID)
    assert enums.COMMAND_ID.of(3) == "unknown command"


@pytest.mark.parametrize(
    ("table", "value", "meaning"),
    [
        (enums.RESULT, 0, "ok"),
        (enums.RESULT, 9, "other error [2.1: gateway does not serve the paying number]"),
        (enums.RESULT, 14, "other error"),
        (enums.FWD_RESULT, 9, "wrongly forwarded"),
        (enums.CONNECT_STATUS, 5, "other error"),
        (enums.ROUTE_RESULT, 2, "last route"),
        (enums.ROUTE_RESULT, 3, "not defined"),
    ],
)
def test_values_outside_a_table_mean_something(table: enums.Meanings, value: int, meaning: str) -> None:
    """A value that the document does not name has the meaning of all others."""
    assert table.of(value) == meaning


@pytest.mark.parametrize(
    ("stat", "meaning"),
    [
        ("DELIVRD", "delivered"),
        ("MB:1234", "message centre answered with an error"),
        ("XX:0001", None),
        ("delivrd", None),
        ("", None),
    ],
)
def test_stat(stat: str, meaning: str | None) -> None:
    """The seven states and the families of later editions have meanings, others none."""
    assert enums.stat_meaning(stat) == meaning
