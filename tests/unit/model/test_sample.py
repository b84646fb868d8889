"""Batches and runs: columns of equal length and fixed types."""

import numpy as np
import pytest

from historian.model.sample import SampleRun, empty_run, make_batch


def test_scalars_for_point_and_quality_are_repeated() -> None:
    batch = make_batch(7, [10, 20, 30], [1.0, 2.0, 3.0])
    assert batch.sample_count == 3
    assert batch.point_id.tolist() == [7, 7, 7]
    assert batch.quality.tolist() == [0, 0, 0]


def test_columns_have_the_types_of_the_disk_and_lie_in_one_piece() -> None:
    batch = make_batch([1, 2], np.array([5, 6, 7, 8])[::2], [1, 2], [3, 0])
    assert [column.dtype for column in batch] == [np.uint32, np.int64, np.float64, np.uint16]
    assert all(column.flags.c_contiguous for column in batch)


def test_columns_of_unequal_length_are_our_mistake() -> None:
    with pytest.raises(AssertionError, match="equal length"):
        make_batch(1, [10, 20], [1.0])


def test_between_is_half_open() -> None:
    run = SampleRun(1, np.array([10, 20, 30]), np.array([1.0, 2.0, 3.0]), np.zeros(3, np.uint16))
    part = run.between(10, 30)
    assert part.time_us.tolist() == [10, 20]
    assert part.value.base is not None, "a part is a view, not a copy"


def test_an_empty_run_has_typed_empty_columns() -> None:
    run = empty_run(3)
    assert (run.point_id, run.sample_count) == (3, 0)
    assert run.value.dtype == np.float64
