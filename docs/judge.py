"""Find what is not judged yet: findings on the real captures that docs/judged.toml does not hold, or not so often.

Prints entries for judged.toml, a judgement to be filled in. Each entry there names a rule, how often it is found in
which captures of tests/data/real, whose fault it is (the peer's where nothing is said), and whether that is true:

    [[judged]]
    rule = "deliver-dest-blank"
    captures = { long_udh_heartbeat_pycmpp_gocmpp = 7 }
    judgement = "true: the simulator fills nothing in"
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from cmppscope.analysis import Analysis  # noqa: E402 - behind the path
from cmppscope.capture import Capture  # noqa: E402

FILE = FOLDER / "judged.toml"
CAPTURES = FOLDER.parent / "tests" / "data" / "real"
PEER = "peer"


class Judged(NamedTuple):
    """One entry."""

    rule: str
    fault: str
    captures: dict[str, int]
    """Capture, without the ending of its name, to how often the rule is found there."""
    judgement: str


def judged() -> list[Judged]:
    """Read the entries; ValueError for one that is not complete."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8")).get("judged", [])
    return [_read(entry) for entry in entries]


def _read(entry: dict[str, Any]) -> Judged:
    """Read one entry."""
    read = Judged(entry["rule"], entry.get("fault", PEER), entry["captures"], entry.get("judgement", ""))
    if not read.judgement.strip() or not read.captures or set(entry) - {"rule", "fault", "captures", "judgement"}:
        message = f"{FILE.name}: {read.rule} is not judged"
        raise ValueError(message)
    return read


def captures() -> dict[str, Path]:
    """Give the real captures by name."""
    return {path.name.partition(".")[0]: path for path in sorted(CAPTURES.glob("*.pcap*"))}


def found(path: Path) -> dict[tuple[str, str], int]:
    """Count what is found in a capture by rule and fault."""
    analysis = Analysis()
    for frames in Capture([str(path)]):
        analysis.feed(frames)
    analysis.close()
    return {(finding.rule.id, finding.fault): finding.count for finding in analysis.findings}


def expected(capture: str) -> dict[tuple[str, str], int]:
    """Count what is judged of a capture by rule and fault."""
    entries = [entry for entry in judged() if capture in entry.captures]
    counts = {(entry.rule, entry.fault): entry.captures[capture] for entry in entries}
    if len(counts) != len(entries):
        message = f"{FILE.name}: a rule is judged twice for {capture}"
        raise ValueError(message)
    return counts


def missing() -> dict[tuple[str, str], dict[str, int]]:
    """Give what is found and not judged, or not so often: rule and fault to counts by capture."""
    left: dict[tuple[str, str], dict[str, int]] = {}
    for name, path in captures().items():
        known = expected(name)
        for place, count in found(path).items():
            if known.get(place) != count:
                left.setdefault(place, {})[name] = count
    return left


def superfluous() -> Iterator[str]:
    """Name what is judged and not found."""
    for name, path in captures().items():
        here = found(path)
        for rule, fault in set(expected(name)) - set(here):
            yield f"{rule} ({fault}) is judged of {name}, but not found there"


def main() -> int:
    """Print what is left to judge."""
    left = missing()
    for (rule, fault), counts in sorted(left.items()):
        print(f'[[judged]]\nrule = "{rule}"')
        if fault != PEER:
            print(f'fault = "{fault}"')
        print(f"captures = {{ {', '.join(f'{name} = {count}' for name, count in counts.items())} }}")
        print('judgement = ""\n')
    gone = sorted(superfluous())
    print("\n".join(f"# {line}" for line in gone))
    return int(bool(left or gone))


if __name__ == "__main__":
    sys.exit(main())
