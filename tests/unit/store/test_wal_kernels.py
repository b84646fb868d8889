"""Where runs of equal neighbours begin, as long as there is room for them."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.store import wal_kernels


def starts(column: list[int], room: int) -> list[int]:
    first = np.full(room, -1, np.int64)
    found = wal_kernels.run_starts(np.array(column, np.int64), first)
    return list(first[:found].tolist())


@given(st.lists(st.integers(0, 2), max_size=30))
def test_runs_are_those_of_plain_python(column: list[int]) -> None:
    places = [next(group)[0] for _, group in groupby(enumerate(column), key=lambda pair: pair[1])]
    assert starts(column, 30) == places


def test_more_runs_than_there_is_room_for_are_none() -> None:
    assert starts([7, 7, 8, 8, 9], 3) == [0, 2, 4]
    assert starts([7, 7, 8, 8, 9], 2) == []


def test_the_room_is_never_overrun() -> None:
    first = np.full(4, -1, np.int64)
    wal_kernels.run_starts(np.arange(100), first[:2])
    assert first[2:].tolist() == [-1, -1]
