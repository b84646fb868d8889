"""The ring's kernels where the row wraps round; insertion has its twin in test_ring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.model.sample import make_batch
from historian.store import ring_kernels
from historian.store.ring import Ring
from tests.support.store_kit import QUARTER_US


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=12, unique=True).map(sorted),
    st.integers(0, 11),
    st.integers(0, 51),
)
def test_find_slot_equals_counting_at_any_head(times: list[int], head: int, wanted: int) -> None:
    capacity, offset = 12, 3
    row = np.full(offset + capacity, -1, np.int64)
    for place, time in enumerate(times):
        row[offset + (head + place) % capacity] = time
    at = ring_kernels.find_slot(row, offset, capacity, head, len(times), wanted)
    assert at == sum(time < wanted for time in times)


def wrapped_ring() -> Ring:
    """Point 1 with 16 slots that went round twice; point 2 empty."""
    ring = Ring(1)
    ring.make_rooms(np.array([0, QUARTER_US, QUARTER_US], np.int64))
    ring.insert(make_batch(1, np.arange(40) * 10, np.arange(40)), 1, 1)
    return ring


@pytest.mark.parametrize(("start", "end"), [(0, 500), (240, 400), (255, 391), (391, 500), (300, 300)])
def test_reading_a_wrapped_row_equals_filtering(start: int, end: int) -> None:
    [run] = wrapped_ring().read(np.array([1], np.uint32), start, end)
    assert run.time_us.tolist() == [time for time in range(240, 400, 10) if start <= time < end]


def test_the_newest_of_a_wrapped_row_and_none_of_an_empty_one() -> None:
    found, rows = wrapped_ring().newest(np.array([1, 2], np.uint32))
    assert found.tolist() == [1, 0]
    assert rows.value[0] == 39.0


def test_unsealed_counts_and_copies_the_same() -> None:
    ring = wrapped_ring()
    ring.insert(make_batch(1, [1000], [7.0]), 2, 1)
    assert ring.unsealed(1).value.tolist() == [7.0]
    assert ring.unsealed(2).row_count == 0
