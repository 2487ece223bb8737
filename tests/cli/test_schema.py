"""Every report keeps to the schema that `cmppscope schema` prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
CAPTURES = [
    path.relative_to(ROOT)
    for folder in (ROOT / "samples", ROOT / "tests" / "data" / "real", ROOT / "tests" / "data" / "rules")
    for path in sorted(folder.glob("*.pcap*"))
]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_reports_keep_to_the_schema(cli: Callable[..., Any], capture: Path) -> None:
    """Samples and real captures make reports of the schema, with no key that it does not name."""
    schema = json.loads(cli("schema").out)
    for part in schema["$defs"].values():
        part["additionalProperties"] = part.get("additionalProperties", False)
    report = cli("report", ROOT / capture).report
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(report)
    named = schema["$defs"]["Report"]
    assert list(report) == [key for key in named["properties"] if key in named["required"]]
    assert set(named["properties"]) - set(named["required"]) == {"filter"}
