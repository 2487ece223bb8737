"""Which versions a length fits, one PDU at a time and many at once; and the layout of each."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.framing import headers
from cmppscope.tables import FITS_20, FITS_21, FITS_30, LAYOUT_20, LAYOUT_21, LAYOUT_30, LAYOUT_NONE
from dissectors.cmpp import BODIES
from dissectors.cmpp.layout import FIXED_LENGTHS, READINGS
from tests.framing.conversations import (
    active_test,
    active_test_resp,
    connect,
    connect_resp,
    deliver,
    header,
    submit,
    submit_resp,
)

ALL = FITS_20 | FITS_21 | FITS_30
OLD, LATER = FITS_20 | FITS_21, FITS_21 | FITS_30


def submit30(receivers: int, content: int) -> bytes:
    """Give octets with the lengths of a 3.0 SUBMIT."""
    octets = bytearray(163 + 32 * receivers + content)
    octets[:12] = header(len(octets), 4)
    octets[140], octets[142 + 32 * receivers] = receivers, content
    return bytes(octets)


def both(octets: bytes) -> tuple[int, int]:
    """Give FITS_ bits and layout, after both ways of reading agreed."""
    length, command = headers.read(octets, 0)
    view = np.frombuffer(b"\xff" * 5 + octets, np.uint8)
    at, lengths, commands = (np.array([n], np.int64) for n in (5, length, command))
    bits = headers.fits_batch(view, at, lengths, commands)
    assert bits.tolist() == [headers.fits(b"\xff" * 5 + octets, 5, length, command)]
    return int(bits[0]), int(headers.layouts(view, at, lengths, commands, bits)[0])


@pytest.mark.parametrize(
    ("octets", "bits", "layout"),
    [
        (connect(), ALL, LAYOUT_20),
        (connect_resp(), OLD, LAYOUT_20),
        (header(33, 0x80000001) + bytes(21), FITS_30, LAYOUT_30),
        (header(40, 1) + bytes(28), 0, LAYOUT_20),
        (active_test(), ALL, LAYOUT_20),
        (active_test_resp(), ALL, LAYOUT_20),
        (header(13, 8) + b"\0", 0, LAYOUT_20),
        (submit_resp(), OLD, LAYOUT_20),
        (header(24, 0x80000004) + bytes(12), FITS_30, LAYOUT_30),
        (submit(1, b"", 0), OLD, LAYOUT_20),
        (submit(1, b"x" * 140, 99), OLD, LAYOUT_20),
        (submit30(1, 0), FITS_30, LAYOUT_30),
        (submit30(255, 255), FITS_30, LAYOUT_30),
        (deliver(), OLD, LAYOUT_20),
        (header(84, 5) + bytes(72), 0, LAYOUT_20),
        (header(26, 0x12) + bytes(14), LATER, LAYOUT_21),
        (header(24, 0x12) + bytes(12), FITS_20, LAYOUT_20),
        (header(26, 0x17) + bytes(14), LATER, LAYOUT_21),
        (header(12, 0xABCD), 0, LAYOUT_NONE),
        (header(12, 3), 0, LAYOUT_NONE),
    ],
)
def test_fits_and_layout(octets: bytes, bits: int, layout: int) -> None:
    """Total_Length and the counts inside tell the versions; 2.0 comes first, 2.1 next, and no fit means 2.0."""
    assert both(octets) == (bits, layout)


def test_a_deliver_that_fits_two_versions_is_read_by_its_text() -> None:
    """Where the counts of both layouts add up, the digits of the numbers decide."""
    octets = bytearray(deliver(1, bytes(255))[:12] + bytes(340 - 12))
    octets[:12] = header(109 + 200, 5)
    octets = octets[:309]
    octets[76], octets[88] = 309 - 85, 200
    octets[54:86] = b"0123456789abcdefghijkl" + bytes(10)
    octets[76] = 309 - 85
    assert both(bytes(octets))[0] == ALL


@given(st.integers(0, 2**32))
def test_both_ways_agree_on_any_octets(seed: int) -> None:
    """A batch of random bodies gets the bits that each gets alone, and no PDU reads behind its end."""
    rng = random.Random(seed)  # noqa: S311 - test data
    rows = []
    for _ in range(30):
        command = rng.choice([*headers.COMMANDS, 3, 0x18, 0x80000000, rng.getrandbits(32)])
        lengths = [*FIXED_LENGTHS.get(command, {}), *(r.least + r.width * 2 + 9 for r in READINGS.get(command, ()))]
        length = rng.choice([*lengths, rng.randrange(12, 200), rng.randrange(12, headers.LONGEST)])
        body = bytearray(rng.randbytes(length - 12) if rng.random() < 0.5 else length - 12)
        for reading in READINGS.get(command, ()):
            if reading.count_at is not None and reading.count_at < length:
                body[reading.count_at - 12] = 2
            tell = reading.length_at + 2 * reading.width
            if tell < length and rng.random() < 0.7:
                body[tell - 12] = 9
        rows.append(struct.pack(">III", length, command, 1) + bytes(body))
    octets = b"".join(rows)
    sizes = np.array([len(r) for r in rows], np.int64)
    position = np.cumsum(sizes) - sizes
    commands = np.array([headers.read(r, 0)[1] for r in rows], np.int64)
    bits = headers.fits_batch(np.frombuffer(octets, np.uint8), position, sizes, commands)
    alone = [headers.fits(r, 0, len(r), c) for r, c in zip(rows, commands.tolist(), strict=True)]
    assert bits.tolist() == alone
    assert headers.known(commands).tolist() == [c in headers.COMMANDS for c in commands.tolist()]
    for row, code, fitting in zip(rows, commands.tolist(), alone, strict=True):
        assert headers.may_fit(len(row), code) or not fitting
        if fitting:
            assert headers.plausible(row, 0)
            assert headers.CANDIDATE.match(row)


def test_every_command_is_known_and_a_candidate() -> None:
    """The table of commands, the pattern and the layers name the same Command_Ids."""
    assert {*BODIES, 0x17, 0x80000017} == set(headers.COMMANDS)
    for command in headers.COMMANDS:
        for length in (12, 255, 256, headers.LONGEST):
            assert headers.CANDIDATE.match(header(length, command))
    for command in (0, 3, 0x0A, 0x0F, 0x18, 0x80000000, 0x80000003, 0x40000008, 0x0100_0008):
        assert not headers.plausible(header(12, command), 0)
        assert not headers.CANDIDATE.match(header(12, command))


@pytest.mark.parametrize(("length", "expected"), [(11, False), (12, True), (8578, True), (8579, False), (0, False)])
def test_possible_lengths(length: int, expected: bool) -> None:  # noqa: FBT001
    """A PDU has 12 to 8,578 octets."""
    assert headers.plausible(header(length, 8), 0) is expected
