"""Concatenation headers read as columns are those that the layer of one header finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.messages.parts import concatenations
from dissectors.cmpp.udh import parse_udh

_element = st.tuples(st.sampled_from((0, 0, 8, 8, 5, 0x70)), st.binary(max_size=5)).map(
    lambda pair: bytes([pair[0], len(pair[1])]) + pair[1]
)
_header = st.lists(_element, max_size=4).map(b"".join).map(lambda elements: bytes([len(elements)]) + elements)
_content = st.one_of(_header, st.tuples(_header, st.binary(max_size=8)).map(b"".join), st.binary(max_size=16))


@given(st.lists(_content, min_size=1, max_size=8))
def test_columns_and_layer_find_the_same(contents: list[bytes]) -> None:
    """Reference, total and number are those of the first element of the right length, for any octets."""
    octets = np.frombuffer(b"".join(contents) + b"\0", np.uint8)
    size = np.array([len(content) for content in contents])
    reference, total, number, there = concatenations(octets, np.cumsum(size) - size, size)
    for row, content in enumerate(contents):
        part = parse_udh(content).concatenation
        assert bool(there[row]) == (part is not None)
        if part is not None:
            wide = 0x10000 if part.bits == 16 else 0
            assert (reference[row], total[row], number[row]) == (part.reference | wide, part.total, part.number)
