"""Kernels over sorted rows against plain Python."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.store import columns, columns_kernels
from historian.store.columns import Rows
from tests.support.rows import rows_of

Keys = list[tuple[int, int, int]]
KEYS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(1, 3)), min_size=1, max_size=40)
FAR = st.lists(st.tuples(st.sampled_from([1, 70_000, 2**32 - 1]), st.integers(0, 9), st.integers(1, 3)))


def unsorted_rows(keys: Keys, base: float = 0.0) -> Rows:
    return rows_of([(p, t, base + place, s) for place, (p, t, s) in enumerate(keys)])


def as_keys(rows: Rows) -> list[tuple[int, int, int, float]]:
    wanted = (rows.point_id, rows.time_us, rows.sequence, rows.value)
    return list(zip(*(column.tolist() for column in wanted), strict=True))


def plainly_sorted(rows: Rows) -> list[tuple[int, int, int, float]]:
    return sorted(as_keys(rows), key=lambda key: key[:3])


@given(st.one_of(KEYS, FAR))
def test_sorting_equals_a_stable_sort(keys: Keys) -> None:
    rows = unsorted_rows(keys)
    assert as_keys(columns.sort(rows)) == plainly_sorted(rows)


@given(KEYS)
def test_order_rows_equals_a_stable_sort(keys: Keys) -> None:
    rows = unsorted_rows(keys)
    order = columns_kernels.order_rows(rows.point_id, rows.time_us, rows.sequence, 0, rows.row_count)
    assert as_keys(rows.take(order)) == plainly_sorted(rows)


@given(KEYS, KEYS)
def test_merging_equals_a_stable_sort_of_both(a: Keys, b: Keys) -> None:
    left, right = columns.sort(unsorted_rows(a)), columns.sort(unsorted_rows(b, 1000.0))
    assert as_keys(columns.merge([left, right])) == plainly_sorted(columns.concatenate([left, right]))


@given(KEYS)
def test_versions_are_split_as_by_a_dict(keys: Keys) -> None:
    rows = columns.sort(unsorted_rows(keys))
    last = {key[:3]: key for key in as_keys(rows)}
    newest_keys = {key[:2]: key for key in last.values()}
    newest, superseded = columns.split_versions([rows])
    assert as_keys(newest) == list(newest_keys.values())
    assert as_keys(superseded) == [key for key in last.values() if key not in newest_keys.values()]
    assert as_keys(columns.keep_versions(rows)) == list(last.values())


@given(KEYS, st.integers(0, 5), st.integers(-1, 10), st.integers(0, 40))
def test_lower_bound_equals_counting_from_anywhere_before(
    keys: Keys, point_id: int, time: int, low: int
) -> None:
    rows = columns.sort(unsorted_rows(keys))
    plain = sum((p, t) < (point_id, time) for p, t, _ in keys)
    found = columns_kernels.lower_bound(rows.point_id, rows.time_us, point_id, time, min(low, plain))
    assert found == plain


@given(KEYS)
def test_is_sorted_tells_what_sorting_would_change(keys: Keys) -> None:
    rows = unsorted_rows(keys)
    is_sorted = columns_kernels.is_sorted(rows.point_id, rows.time_us, rows.sequence)
    assert is_sorted == (sorted(keys) == keys)


@given(KEYS, st.integers(0, 9), st.integers(0, 9), st.permutations(range(6)))
def test_ranges_equal_filtering_in_any_order(keys: Keys, start: int, end: int, wanted: list[int]) -> None:
    rows = columns.sort(unsorted_rows(keys))
    ids = np.array(wanted, np.uint32)
    first, last = np.empty(6, np.int64), np.empty(6, np.int64)
    total = columns_kernels.ranges(rows.point_id, rows.time_us, ids, start, end, first, last)
    counts = [sum(p == point_id and start <= t < end for p, t, _ in keys) for point_id in wanted]
    assert (last - first).tolist() == counts
    assert total == sum(counts)


@given(KEYS)
def test_a_span_bounds_all_samples(keys: Keys) -> None:
    rows = unsorted_rows(keys)
    ids, times, _ = zip(*keys, strict=True)
    assert columns.span_of(rows.point_id, rows.time_us) == (min(times), max(times), min(ids), max(ids))
