"""Rows and blocks: sorting, versions, merging."""

import numpy as np

from historian.model.sample import make_batch
from historian.store import columns
from historian.store.columns import Piece
from tests.support.rows import rows_of


def test_sorting_goes_by_point_time_and_sequence_and_keeps_ties_in_order() -> None:
    rows = columns.sort(
        rows_of([(2, 1, 0.0, 1), (1, 9, 1.0, 1), (1, 5, 2.0, 2), (1, 5, 3.0, 1), (1, 5, 4.0, 2)])
    )
    assert rows.value.tolist() == [3.0, 2.0, 4.0, 1.0, 0.0]
    assert rows.point_id.tolist() == [1, 1, 1, 1, 2]


def test_sorted_rows_are_not_copied() -> None:
    rows = rows_of([(1, 5, 1.0, 1), (1, 5, 2.0, 1), (2, 1, 3.0, 1)])
    assert columns.sort(rows) is rows


def test_few_rows_of_far_apart_points_are_sorted_too() -> None:
    rows = columns.sort(rows_of([(4_000_000_000, 1, 1.0, 1), (7, 2, 2.0, 1), (7, 1, 3.0, 1)]))
    assert rows.point_id.tolist() == [7, 7, 4_000_000_000]
    assert rows.value.tolist() == [3.0, 2.0, 1.0]


def test_pieces_have_one_sequence_for_all_or_one_each() -> None:
    one = Piece(make_batch([2, 1], [5, 5], [1.0, 2.0]), np.array([4]))
    each = Piece(make_batch([1, 2], [5, 5], [3.0, 4.0]), np.array([3, 9]))
    rows = columns.sort_pieces([one, each])
    assert rows.value.tolist() == [3.0, 2.0, 1.0, 4.0]
    assert rows.sequence.tolist() == [3, 4, 4, 9]
    assert columns.sort_pieces([]).row_count == 0


def test_the_last_of_equal_point_and_time_is_the_newest() -> None:
    newest, older = columns.split_versions(
        [rows_of([(1, 6, 9.0, 1), (1, 5, 1.0, 1)]), rows_of([(1, 5, 2.0, 2)])]
    )
    assert (newest.value.tolist(), older.value.tolist()) == ([2.0, 9.0], [1.0])


def test_rows_equal_in_point_time_and_sequence_are_one_version() -> None:
    parts = [rows_of([(1, 5, 1.0, 1), (1, 5, 2.0, 1)]), rows_of([(1, 5, 3.0, 1), (1, 5, 4.0, 2)])]
    newest, older = columns.split_versions(parts)
    assert (newest.value.tolist(), older.value.tolist()) == ([4.0], [3.0])
    assert columns.keep_versions(columns.merge(parts)).value.tolist() == [3.0, 4.0]


def test_without_superseded_versions_nothing_is_copied() -> None:
    rows = rows_of([(1, 5, 1.0, 1), (1, 6, 2.0, 1)])
    assert columns.split_versions([rows])[0] is rows
    assert columns.keep_versions(rows) is rows


def test_merging_many_parts_keeps_the_order_of_equal_rows() -> None:
    parts = [rows_of([(1, 5, float(part), 1), (2, part, 0.0, 1)]) for part in range(5)]
    merged = columns.merge(parts)
    assert merged.value[:5].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert merged.time_us[5:].tolist() == [0, 1, 2, 3, 4]
    assert columns.merge([]).row_count == 0


def test_a_selection_comes_in_the_order_asked() -> None:
    rows = rows_of([(1, 5, 1.0, 1), (1, 6, 2.0, 1), (2, 5, 3.0, 1), (3, 5, 4.0, 1)])
    selected = columns.select(rows, np.array([3, 1, 9], np.uint32), 5, 6)
    assert selected.value.tolist() == [4.0, 1.0]


def test_rows_become_a_block_of_views_where_they_are_just_what_was_asked() -> None:
    rows = rows_of([(1, 5, 1.0, 1), (1, 6, 2.0, 1), (4, 5, 3.0, 1)])
    block = columns.rows_to_block(rows, np.array([1, 2, 4], np.uint32))
    assert block.offset.tolist() == [0, 2, 2, 3]
    assert block.value is rows.value


def test_rows_become_a_block_in_any_order_asked() -> None:
    rows = rows_of([(1, 5, 1.0, 1), (1, 6, 2.0, 1), (4, 5, 3.0, 1), (7, 1, 4.0, 1)])
    block = columns.rows_to_block(rows, np.array([4, 2, 1], np.uint32))
    assert block.offset.tolist() == [0, 1, 1, 3]
    assert block.value.tolist() == [3.0, 1.0, 2.0]


def test_a_part_and_a_run_are_views() -> None:
    rows = rows_of([(1, 5, 1.0, 1), (1, 6, 2.0, 1)])
    assert rows.part(1, 2).value.tolist() == [2.0]
    assert rows.run(1, 0, 2).time_us.tolist() == [5, 6]
