"""Numbers by key in bounded memory: the same whatever order they come in, and however often they are looked at."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Literal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmppscope.analysis.cells import Cells, counted

_ENTRIES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 255), st.integers(-9, 9)), max_size=60)


def filled(cells: Cells, entries: list[tuple[int, int, int]], cuts: list[int]) -> Cells:
    """Put entries in, some at a time, and look between."""
    bounds = sorted({0, len(entries), *(cut % (len(entries) + 1) for cut in cuts)})
    for low, high in itertools.pairwise(bounds):
        owner, place, value = np.array(entries[low:high], np.int64).reshape(-1, 3).T
        cells.add(owner, place, value)
        cells.all()
    return cells


@settings(max_examples=100)
@given(_ENTRIES, st.lists(st.integers(0, 60), max_size=4), st.integers(1, 40), st.sampled_from(("sum", "max")))
def test_cuts_and_caps(entries: list[tuple[int, int, int]], cuts: list[int], most: int, join: str) -> None:
    """Cells are sums or maxima by key; above the cap places are joined, as often in pieces as at once."""
    kind: Literal["sum", "max"] = "sum" if join == "sum" else "max"
    cells = filled(Cells(8, most, kind), entries, cuts)
    whole = filled(Cells(8, most, kind), entries, [])
    assert [a.tolist() for a in cells.all()] == [a.tolist() for a in whole.all()]
    expected: dict[tuple[int, int], int] = {}
    for owner, place, value in entries:
        key = (owner, place >> cells.halvings)
        expected[key] = (
            value if key not in expected else (expected[key] + value if join == "sum" else max(expected[key], value))
        )
    owner_, place_, value_ = (a.tolist() for a in cells.all())
    assert list(zip(owner_, place_, value_, strict=True)) == [(*key, expected[key]) for key in sorted(expected)]
    finer = {(owner, place >> (cells.halvings - 1)) for owner, place, _ in entries} if cells.halvings else set()
    assert len(owner_) <= most or cells.halvings == 8
    assert not finer or len(finer) > most


def test_cells_of_one_owner() -> None:
    """The cells of an owner are found among those of others."""
    cells = Cells(8, 100, "sum")
    cells.add(np.array([3, 1, 3, 2]), np.array([9, 1, 4, 7]))
    cells.add(np.array([3]), np.array([9]))
    assert [a.tolist() for a in cells.of(3)] == [[4, 9], [1, 2]]
    assert [a.tolist() for a in cells.of(4)] == [[], []]


@given(st.lists(st.integers(-5, 5)))
def test_counting(numbers: list[int]) -> None:
    """Numbers are counted, in ascending order."""
    values, counts = counted(np.array(numbers, np.int64))
    assert list(zip(values.tolist(), counts.tolist(), strict=True)) == sorted(Counter(numbers).items())
