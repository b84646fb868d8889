"""Kernels over both parts of the ring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.store import grid_kernels, ring_kernels
from historian.store.event import Events
from historian.store.grid import Grid
from tests.support.store_kit import QUARTER_US

SAMPLES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=12)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([], True, id="nothing"),
        pytest.param([(1, 5), (2, 5), (1, 6)], True, id="scans"),
        pytest.param([(1, 5), (1, 6), (2, 5)], True, id="series"),
        pytest.param([(2, 5), (1, 5)], False, id="points fall"),
        pytest.param([(1, 5), (1, 5)], False, id="twice"),
        pytest.param([(1, 5), (2, 5), (2, 6), (1, 7), (2, 6)], False, id="neither"),
    ],
)
def test_is_rising(samples: list[tuple[int, int]], expected: bool) -> None:
    ids = np.array([point_id for point_id, _ in samples], np.uint32)
    assert ring_kernels.is_rising(ids, np.array([t for _, t in samples], np.int64)) == expected


@given(SAMPLES)
def test_a_rising_batch_has_no_sample_twice(samples: list[tuple[int, int]]) -> None:
    ids = np.array([point_id for point_id, _ in samples], np.uint32)
    if ring_kernels.is_rising(ids, np.array([t for _, t in samples], np.int64)):
        assert len(set(samples)) == len(samples)


@given(st.lists(SAMPLES, max_size=4))
def test_repeated_is_what_is_not_above_an_earlier_sample_of_the_same_call(
    batches: list[list[tuple[int, int]]],
) -> None:
    scratch = np.zeros((4, 2), np.int64)
    for call_number, samples in enumerate(batches, 1):
        ids = np.array([point_id for point_id, _ in samples], np.uint32)
        times = np.array([t for _, t in samples], np.int64)
        state = np.zeros(len(samples), np.uint8)
        ring_kernels.find_repeated(ids, times, scratch, call_number, state)
        for place, (point_id, time) in enumerate(samples):
            is_repeated = any(p == point_id and t >= time for p, t in samples[:place])
            assert (state[place] == ring_kernels.REPEATED) == is_repeated


def test_a_move_takes_all_along_and_remembers_what_the_class_is_past() -> None:
    grid, events = Grid(1), Events()
    point = np.array([[0, 0, int(grid.make_columns(np.array([QUARTER_US]))[0]), -(1 << 63)]])
    times = np.array([0, 5, 17], np.int64) * QUARTER_US
    ids, rest = np.zeros(3, np.uint32), np.empty(3, np.int64)
    qualities = np.arange(3, dtype=np.uint16)
    grid_kernels.insert(ids, times, np.array([1.0, 2.0, 3.0]), qualities, True, point, grid.matrices, rest)
    rows = events.make_rows(np.array([16]))
    ring_kernels.move_to_circles(ids[:1], rows, point, grid.matrices, events.circles)
    address, value, quality = np.empty(3, np.int64), np.zeros(3), np.zeros(3, np.uint16)
    ring_kernels.locate(ids, times, point, grid.matrices, events.circles, address)
    ring_kernels.gather(address, grid.matrices, events.circles, value, quality)
    assert (value.tolist(), quality.tolist()) == ([0.0, 2.0, 3.0], [0, 1, 2])
    floor = np.empty(1, np.int64)
    ring_kernels.floors(ids[:1], point, grid.matrices[0], events.circles[0], floor)
    assert floor.tolist() == [1 * QUARTER_US]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=6),
    st.tuples(*[st.integers(-1, 3)] * 6),
)
def test_samples_are_new_where_all_are_later_than_stored_and_each_point_comes_once_a_time(
    samples: list[tuple[int, int]], known: tuple[int, ...]
) -> None:
    ids = np.array([sample[0] for sample in samples], np.uint32)
    times = np.array([sample[1] for sample in samples], np.int64)
    point = np.zeros((3, grid_kernels.POINT_COLUMNS), np.int64)
    point[:, grid_kernels.NEWEST], point[:, grid_kernels.FLOOR] = known[:3], known[3:]
    is_scan = [(t, p) for p, t in samples] == sorted({(t, p) for p, t in samples})
    expected = is_scan and all(t > max(known[p], known[3 + p]) for p, t in samples)
    assert ring_kernels.are_new(ids, times, point) == expected
