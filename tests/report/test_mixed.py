"""Which part or receiver of a message has which state."""

from __future__ import annotations

import numpy as np
import pytest

from cmppscope.messages.prints import WIDTH, number_prints
from cmppscope.report.mixed import apart, named, receivers_of


def prints(*numbers: str) -> np.ndarray:
    """Give the prints of numbers."""
    octets = b"".join(number.encode().ljust(WIDTH, b"\0") for number in numbers)
    found: np.ndarray = number_prints(np.frombuffer(octets, np.uint8).reshape(-1, WIDTH))[0]
    return found


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("part 1", "DELIVRD"), ("part 2", "UNDELIV")], "UNDELIV: part 2; DELIVRD: part 1"),
        ([("a", "EXPIRED"), ("b", "UNDELIV")], "EXPIRED: a; UNDELIV: b"),
        ([("a", "DELIVRD"), ("", "unreported"), ("", "unreported")], "unreported: 2; DELIVRD: a"),
        ([(c, "DELIVRD") for c in "abcde"], "DELIVRD: a, b, c and 2 more"),
        ([("a", "UNDELIV"), ("", "UNDELIV")], "UNDELIV: a and 1 more"),
    ],
)
def test_failures_come_first(pairs: list[tuple[str, str]], words: str) -> None:
    """Each state with those that have it: three by name, the others counted."""
    assert apart(pairs) == words


def test_reports_find_their_receiver() -> None:
    """A report may write a number with 86; what is shown is the number as it may be seen."""
    found = receivers_of(
        prints("8613800000001", "13800000000", "13900000000"), ["13800000000", "13800000001"], ["138…00", "138…01"]
    )
    assert found == ["138…01", "138…00", None]


def test_nothing_to_find_a_receiver_in() -> None:
    """Without receivers, or with some that are no text, nothing is invented."""
    assert receivers_of(prints("1"), None, None) == [None]
    assert receivers_of(prints("1"), [{"octets": 3}, "1"], [{"octets": 3}, "1"]) == ["1"]
    assert receivers_of(prints(), ["1"], ["1"]) == []
    assert [named("138"), named(None), named({"octets": 3})] == ["138", "?", "?"]
