"""Captures made wrong on purpose."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


@pytest.fixture(scope="session")
def demo() -> Path:
    """A session without fault: login, one SUBMIT, its report, logout."""
    return ROOT / "samples" / "login-and-report.pcap"


@pytest.fixture(scope="session")
def faulty() -> Path:
    """A session with findings of every severity."""
    return ROOT / "samples" / "unanswered-and-late.pcap"


@pytest.fixture
def bad(tmp_path: Path, demo: Path) -> dict[str, Path]:
    """Files that are no capture, or no whole one."""
    whole = demo.read_bytes()
    at = 24
    for _record in range(10):
        at += 16 + struct.unpack_from("<I", whole, at + 8)[0]
    block = struct.pack("<III", 0x0A0D0D0A, 28, 0x1A2B3C4D) + struct.pack("<HHqI", 1, 0, -1, 28)
    contents = {
        "text": b"this is no capture, it is a letter\n" * 20,
        "empty": b"",
        "header": PCAP_HEADER,
        "cut": whole[: len(whole) - 30],
        "damaged": whole[:at] + struct.pack("<IIII", 0, 0, 0x7FFFFFFF, 0x7FFFFFFF) + whole[at + 16 :],
        "block": block + struct.pack("<III", 6, 13, 0) + b"\0" * 40,
        "linktype": whole[:20] + struct.pack("<I", 195) + whole[24:],
        "half-header": whole[:10],
    }
    files = {}
    for name, octets in contents.items():
        files[name] = tmp_path / f"{name}.pcap"
        files[name].write_bytes(octets)
    files["missing"] = tmp_path / "missing.pcap"
    files["folder"] = tmp_path / "folder"
    files["folder"].mkdir()
    return files
