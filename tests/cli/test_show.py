"""One PDU shown: which frames carried its octets."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rules.conversation import frames_of, pdu

Cli = Callable[..., Any]
_LOGIN = "0 SP CONNECT 1\n0.1 ISMG CONNECT_RESP 1\n"
_SUBMIT = pdu("SUBMIT", 2).hex()
_PARTS = {"head": _SUBMIT[:120], "middle": _SUBMIT[120:122], "tail": _SUBMIT[122:]}
"""60 octets, one, and the others."""


def capture(path: Path, lines: str) -> Path:
    """Write the frames of a conversation, in which {head}, {middle} and {tail} are parts of a SUBMIT, to a file."""
    raw = {name: f"PART raw={octets}" for name, octets in _PARTS.items()}
    records = [
        struct.pack("<IIII", *divmod(frame.time_ns, 1_000_000_000), len(frame.octets), len(frame.octets)) + frame.octets
        for frame in frames_of(_LOGIN + lines.format(**raw))
    ]
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101) + b"".join(records))
    return path


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("1 SP SUBMIT 2", ["Frame: 5"]),
        (
            "1 SP {head}\n1.1 SP {middle}\n1.2 SP {tail}",
            ["Frame: 7", "Carried by: frame 5 (octets 0 to 59), frame 6 (octet 60), frame 7 (octets 61 to 163)"],
        ),
        (
            "1 SP {head}\n1.1 SP again | again\n1.2 SP {middle} | hold\n1.3 SP {tail}\n1.4 SP release",
            ["Frame: 8", "Carried by: frame 5 (octets 0 to 59), frame 8 (octet 60), frame 7 (octets 61 to 163)"],
        ),
        (
            "1 SP ACTIVE_TEST 9 | hold\n1.1 SP SUBMIT 2\n1.2 SP release",
            ["Frame: 6", "Carried by: frame 5, in order with frame 6"],
        ),
    ],
    ids=["in one frame", "in three", "resent and out of order", "early"],
)
def test_frames_that_carried_a_pdu(cli: Cli, tmp_path: Path, lines: str, told: list[str]) -> None:
    """Every frame that carried octets of a PDU is named with them, in the order of the octets, and shows the PDU."""
    path = capture(tmp_path / "submit.pcap", lines)
    for frame in set(re.findall(r"(?i:frame:?) (\d+)", "\n".join(told))):
        *_, shown = cli("show", "--frame", frame, path).text.split("PDU: ")
        assert "Sequence_Id               2" in shown
        assert shown.partition("\nTime: ")[0].splitlines()[1:] == told
