"""Rows and runs: sorting, versions, merging."""

import numpy as np

from historian.store import columns
from historian.store.columns import StoredRun
from tests.unit.store.test_late import rows_of


def run_of(samples: list[tuple[int, float, int]]) -> StoredRun:
    rows = rows_of([(1, time, value, sequence) for time, value, sequence in samples])
    return StoredRun(1, *rows[1:])


def test_sorting_goes_by_point_time_and_sequence_and_keeps_ties_in_order() -> None:
    rows = columns.sort(
        rows_of([(2, 1, 0.0, 1), (1, 9, 1.0, 1), (1, 5, 2.0, 2), (1, 5, 3.0, 1), (1, 5, 4.0, 2)])
    )
    assert rows.value.tolist() == [3.0, 2.0, 4.0, 1.0, 0.0]


def test_the_last_of_equal_point_and_time_is_the_newest() -> None:
    newest, older = columns.split_versions(
        [rows_of([(1, 5, 1.0, 1), (1, 6, 9.0, 1)]), rows_of([(1, 5, 2.0, 2)])]
    )
    assert (newest.value.tolist(), older.value.tolist()) == ([2.0, 9.0], [1.0])


def test_merging_runs_lets_the_highest_sequence_win_and_the_later_part_ties() -> None:
    merged = columns.merge_runs(
        [run_of([(1, 1.0, 5), (2, 1.0, 1)]), run_of([(1, 2.0, 4), (2, 2.0, 1), (3, 2.0, 1)])]
    )
    assert merged.value.tolist() == [1.0, 2.0, 2.0]
    assert merged.time_us.tolist() == [1, 2, 3]


def test_one_run_with_several_versions_of_a_time_keeps_the_newest() -> None:
    # The late buffer gives all versions in one piece; with nothing else to merge they must not all come out.
    merged = columns.merge_runs([run_of([(1, 1.0, 3), (2, 1.0, 3), (2, 2.0, 4), (3, 1.0, 3)]), run_of([])])
    assert merged.time_us.tolist() == [1, 2, 3]
    assert merged.value.tolist() == [1.0, 2.0, 1.0]


def test_merging_only_empty_runs_gives_an_empty_run() -> None:
    assert columns.merge_runs([run_of([]), run_of([])]).sample_count == 0


def test_rows_of_runs_lie_one_after_the_other() -> None:
    rows = columns.from_runs([run_of([(1, 1.0, 1)]), run_of([(2, 2.0, 1), (3, 3.0, 1)])])
    np.testing.assert_array_equal(rows.time_us, [1, 2, 3])
    assert columns.from_runs([]).row_count == 0
