"""The page of limits names every cap as the code has it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "limits.md").read_text("utf-8")
CAPS = re.findall(r"^\|[^|]*\| `([\w.]+)` \| ([\d,]+) \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("name", "value"), CAPS, ids=[name for name, _ in CAPS])
def test_a_cap_is_what_the_page_says(name: str, value: str) -> None:
    """Its module has it, and its value is right."""
    module, _, constant = name.rpartition(".")
    assert getattr(importlib.import_module(f"cmppscope.{module}"), constant) == int(value.replace(",", ""))


def test_every_cap_that_is_told_is_on_the_page() -> None:
    """Caps whose reaching is a finding are those that the rule about them names."""
    from cmppscope.rules import capture  # noqa: PLC0415 - names are read off the module

    told = {name for name, value in vars(capture).items() if name.isupper() and isinstance(value, int)} - {"CAPTURE"}
    assert told <= {name.rpartition(".")[2] for name, _ in CAPS}
    assert len(CAPS) > 25
