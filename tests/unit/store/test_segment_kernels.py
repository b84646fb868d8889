"""How runs are described."""

import numpy as np
import pytest

from historian.store import segment_kernels, segment_layout


@pytest.mark.parametrize(
    ("times", "step"),
    [
        ([5], 1),
        ([0, 10, 20, 30], 10),
        ([0, 20, 30, 40], 10),
        ([0, 10, 60], 0),  # less than half of the slots
        ([0, 10, 25], 0),
        ([0, 4, 6, 12], 2),
        ([0, 6, 10, 14, 16], 2),
        ([0, 10, 20, 27, 37], 0),
        ([0, 3, 4, 6, 8], 1),
    ],
)
def test_a_grid_is_seen_where_half_of_it_is_filled(times: list[int], step: int) -> None:
    assert segment_kernels.regular_step(np.array(times)) == step


@pytest.mark.parametrize(
    ("values", "exponent"),
    [
        ([1.0], 0),
        ([0.5, 0.25], 2),
        ([0.1, 1 / 3], -1),
        ([-0.0], -1),
        ([np.nan], -1),
        ([1e300], -1),
        ([0.0], 0),
    ],
    ids=str,
)
def test_the_least_exponent_that_gives_all_back(values: list[float], exponent: int) -> None:
    narrow, wide = np.empty(len(values), np.int32), np.empty(len(values), np.int64)
    kind = segment_kernels.scale_run(np.array(values), narrow, wide)
    if exponent < 0:
        assert kind == segment_layout.KIND_F64
        np.testing.assert_array_equal(wide, np.array(values).view(np.int64))
    else:
        assert kind == exponent
        np.testing.assert_array_equal(narrow / 10.0**exponent, values)
        longer = np.array([*values, 2.0**31])
        narrow, wide = np.empty(len(longer), np.int32), np.empty(len(longer), np.int64)
        assert segment_kernels.scale_run(longer, narrow, wide) == segment_layout.KIND_I64 + exponent
        np.testing.assert_array_equal(wide / 10.0**exponent, longer)


def test_missing_slots_are_listed_run_after_run() -> None:
    time = np.array([0, 10, 40, 50, 7, 9, 10])
    out = np.empty(3, np.uint32)
    first, count, step = np.array([0, 4]), np.array([4, 3]), np.array([10, 1])
    segment_kernels.missing_slots(time, first, count, step, np.array([2, 1], np.uint32), out)
    assert out.tolist() == [2, 3, 1]


def test_used_batches_are_marked_whatever_their_order() -> None:
    used = np.zeros(5, np.uint8)
    segment_kernels.mark_used(np.array([2, 4, 6, 8, 10]), np.array([4, 5, 10, 2, 2, 11, 1]), used)
    assert used.tolist() == [1, 1, 0, 0, 1]
    segment_kernels.mark_used(np.empty(0, np.int64), np.array([4]), np.empty(0, np.uint8))


def test_used_batches_far_apart_are_marked_too() -> None:
    used = np.zeros(3, np.uint8)
    segment_kernels.mark_used(np.array([2, 10**12, 10**15]), np.array([10**12, 3, 10**12, 10**16]), used)
    assert used.tolist() == [0, 1, 0]
