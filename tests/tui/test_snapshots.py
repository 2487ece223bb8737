"""Pictures of the screens, at the sizes of terminals."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import keys, sample_app

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("sample", "redact", "press"),
    [
        pytest.param("login-refused.pcap", True, [], id="sessions"),
        pytest.param("gbk.pcap", False, ["2", "down", "down", "enter", *["down"] * 26], id="pdus"),
        pytest.param("gbk.pcap", True, ["2", "down", "down"], id="masked"),
        pytest.param("login-and-report.pcap", False, ["2", "down", "down", "d"], id="light"),
        pytest.param("unanswered-and-late.pcap", True, ["3"], id="transactions"),
        pytest.param("broken-framing.pcap", True, ["4", "down", "enter"], id="findings"),
        pytest.param("gbk.pcap", False, ["2", "slash", *"submit", "enter"], id="filtered"),
        pytest.param("hostile-text.pcap", False, ["2", "down", "down"], id="hostile"),
        pytest.param("login-and-report.pcap", True, ["2", "question_mark"], id="help"),
    ],
)
def test_screen(
    sample: str,
    redact: bool,  # noqa: FBT001
    press: list[str],
    size: tuple[int, int],
    snap_compare: Callable[..., bool],
) -> None:
    """The screen looks as it did."""
    app = sample_app(sample, redact=redact)
    app.animation_level = "none"
    assert snap_compare(app, terminal_size=size, run_before=keys(*press))
