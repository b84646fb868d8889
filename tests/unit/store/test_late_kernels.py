"""Kernels over sorted rows against plain Python."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.store import columns, late_kernels
from historian.store.columns import Rows
from tests.unit.store.test_late import rows_of

KEYS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(1, 3)), min_size=1, max_size=30)


def sorted_rows(keys: list[tuple[int, int, int]], base: float) -> Rows:
    return columns.sort(rows_of([(p, t, base + place, s) for place, (p, t, s) in enumerate(keys)]))


@given(KEYS, KEYS)
def test_merging_equals_a_stable_sort_of_both(
    a: list[tuple[int, int, int]], b: list[tuple[int, int, int]]
) -> None:
    left, right = sorted_rows(a, 0.0), sorted_rows(b, 1000.0)
    merged = columns.make_rows(left.row_count + right.row_count)
    late_kernels.merge((*left,), (*right,), (*merged,))
    expected = columns.sort(columns.concatenate([left, right]))
    for column, wanted in zip(merged, expected, strict=True):
        np.testing.assert_array_equal(column, wanted)


@given(KEYS, st.integers(0, 5), st.integers(-1, 10))
def test_lower_bound_equals_counting(keys: list[tuple[int, int, int]], point_id: int, time: int) -> None:
    rows = sorted_rows(keys, 0.0)
    plain = sum((p, t) < (point_id, time) for p, t, _ in keys)
    assert late_kernels.lower_bound(rows.point_id, rows.time_us, point_id, time) == plain


@given(KEYS)
def test_is_sorted_tells_what_sorting_would_change(keys: list[tuple[int, int, int]]) -> None:
    rows = rows_of([(p, t, 0.0, s) for p, t, s in keys])
    assert late_kernels.is_sorted(rows.point_id, rows.time_us, rows.sequence) == (sorted(keys) == keys)


@given(KEYS, st.integers(0, 9), st.integers(0, 9))
def test_ranges_equal_filtering(keys: list[tuple[int, int, int]], start: int, end: int) -> None:
    rows = sorted_rows(keys, 0.0)
    ids = np.arange(0, 6, dtype=np.uint32)
    first, last = np.empty(6, np.int64), np.empty(6, np.int64)
    total = late_kernels.ranges(rows.point_id, rows.time_us, ids, start, end, first, last)
    counts = [sum(p == point_id and start <= t < end for p, t, _ in keys) for point_id in range(6)]
    assert np.maximum(last - first, 0).tolist() == counts
    assert total == sum(counts)
