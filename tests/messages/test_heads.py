"""User data headers by the column read as the layer reads them one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.messages.heads import NONE, SIZES, begins_concatenation, walk
from cmppscope.tables import I64, U8
from dissectors.cmpp.udh import parse_udh

_SMALL = st.sampled_from(b"\x00\x01\x02\x03\x04\x05\x06\x08\x0b\x70\xff")
_ELEMENT = st.tuples(st.sampled_from((0, 0, 8, 8, 5, 0x70)), st.binary(max_size=5)).map(
    lambda pair: bytes([pair[0], len(pair[1])]) + pair[1]
)
_HEADER = st.lists(_ELEMENT, max_size=4).map(b"".join).map(lambda elements: bytes([len(elements)]) + elements)
_CONTENTS = st.lists(
    st.one_of(
        _HEADER,
        st.tuples(_HEADER, st.binary(max_size=8)).map(b"".join),
        st.binary(max_size=20),
        st.lists(_SMALL, max_size=30).map(bytes),
        st.just(bytes([254]) + bytes(254)),
    ),
    min_size=1,
)


def _laid_out(contents: list[bytes]) -> tuple[U8, I64, I64]:
    """Put contents into one buffer, each with a field of eight octets behind it."""
    length = np.array([len(content) for content in contents], np.int64)
    ends = np.cumsum(length + 8)
    return np.frombuffer(b"".join(content + b"\0" * 8 for content in contents), np.uint8), ends - length - 8, length


@given(_CONTENTS)
def test_headers_read_as_the_layer_reads_them(contents: list[bytes]) -> None:
    """Size, elements that do not fit, and the place in a long text are those of `parse_udh`."""
    heads = walk(*_laid_out(contents))
    for at, content in enumerate(contents):
        header = parse_udh(content)
        assert heads.size[at] == len(header.octets)
        assert heads.claimed[at] == (content[0] + 1 if content else 0)
        assert (heads.over[at] != NONE) == any("runs over" in problem for problem in header.problems)
        odd = [(iei, len(data)) for iei, data in header.elements if SIZES.get(iei, len(data)) != len(data)]
        assert (heads.odd[at], heads.odd_size[at]) == (odd[0] if odd else (NONE, NONE))
        part = header.concatenation
        assert bool(heads.concatenated[at]) == (part is not None)
        if part:
            reference = part.reference | (0x10000 if part.bits == 16 else 0)
            assert (heads.reference[at], heads.total[at], heads.number[at]) == (reference, part.total, part.number)


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        ("0500035a0201", True),
        ("0608045a5a0202ff", True),
        ("0500035a0203", False),
        ("0500035a0200", False),
        ("0500035a02", False),
        ("0600035a0201", False),
        ("", False),
    ],
)
def test_the_head_of_a_part_is_known_by_its_octets(content: str, begins: bool) -> None:  # noqa: FBT001
    """Length, identifier, length, and a number that is one of the total."""
    assert begins_concatenation(*_laid_out([bytes.fromhex(content)])).tolist() == [begins]
