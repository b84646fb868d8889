"""Joining and cutting runs."""

import numpy as np

from historian.model.quality import BAD, DELETED
from historian.model.sample import empty_run
from historian.query.run_part import backwards, chosen, joined, kernel_ready, without_deleted
from tests.unit.query.samples import make_run


def test_deleted_samples_are_dropped_and_bad_ones_are_not() -> None:
    run = without_deleted(make_run([(1, 1.0), (2, 2.0, DELETED), (3, 3.0, BAD)]))
    assert run.time_us.tolist() == [1, 3]


def test_a_run_without_deleted_samples_is_not_copied() -> None:
    run = make_run([(1, 1.0)])
    assert without_deleted(run) is run


def test_parts_join_in_order() -> None:
    run = joined(1, [make_run([(1, 1.0)]), empty_run(1), make_run([(2, 2.0), (3, 3.0)])])
    assert run.time_us.tolist() == [1, 2, 3]
    assert run.value.tolist() == [1.0, 2.0, 3.0]
    assert joined(7, []).point_id == 7


def test_a_slice_of_a_run_is_a_view() -> None:
    run = make_run([(1, 1.0), (2, 2.0), (3, 3.0)])
    part = chosen(run, slice(1, None))
    assert part.time_us.tolist() == [2, 3]
    assert np.shares_memory(part.value, run.value)


def test_a_run_turned_round_lies_in_one_piece() -> None:
    run = backwards(make_run([(1, 1.0), (2, 2.0, BAD), (3, 3.0)]))
    assert run.time_us.tolist() == [3, 2, 1]
    assert run.quality.tolist() == [0, BAD, 0]
    assert all(column.flags.c_contiguous for column in run[1:])


def test_columns_are_made_ready_for_kernels_only_where_they_are_not() -> None:
    run = make_run([(1, 1.0), (2, 2.0), (3, 3.0)])
    assert kernel_ready(run).value is run.value
    run.value.flags.writeable = False
    for odd in (run, chosen(run, slice(None, None, 2))):
        ready = kernel_ready(odd)
        assert ready.value.flags.c_contiguous
        assert ready.value.flags.writeable
        assert ready.value.tolist() == odd.value.tolist()
