"""What becomes of a sample, by itself and among others."""

import numpy as np
import pytest

from historian.catalogue.point_column import PointColumns
from historian.ingest import classify
from historian.model import quality
from historian.model.ports import Outcome
from historian.model.sample import make_batch
from historian.store.reader import Existing

POINTS = PointColumns(
    np.array([0, 60, 60], np.int64), np.array([-np.inf, -np.inf, 0.0]), np.array([np.inf, np.inf, 5.0])
)


@pytest.mark.parametrize(
    ("point_id", "time_us", "value", "outcome"),
    [
        (1, 10, 1.0, Outcome.ACCEPTED),
        (0, 10, 1.0, Outcome.UNKNOWN_POINT),
        (3, 10, 1.0, Outcome.UNKNOWN_POINT),
        (1, 10, np.nan, Outcome.NOT_FINITE),
        (1, 10, -np.inf, Outcome.NOT_FINITE),
        (1, -1, 1.0, Outcome.TIME_TOO_OLD),
        (1, 101, 1.0, Outcome.TIME_IN_FUTURE),
        (1, 0, 1.0, Outcome.ACCEPTED),
        (1, 100, 1.0, Outcome.ACCEPTED),
    ],
)
def test_a_sample_is_refused_for_its_first_fault(
    point_id: int, time_us: int, value: float, outcome: Outcome
) -> None:
    found = classify.validate(make_batch(point_id, [time_us], [value]), POINTS, 0, 100)
    assert found.outcome.tolist() == [outcome]
    assert found.refused_count == (outcome != Outcome.ACCEPTED)


def test_out_of_range_marks_good_samples_suspect_and_leaves_worse_ones() -> None:
    batch = make_batch(2, [1, 2, 3], [9.0, 9.0, 3.0], [0, quality.BAD, 0])
    assert classify.validate(batch, POINTS, 0, 100).batch.quality.tolist() == [
        quality.SUSPECT,
        quality.BAD,
        0,
    ]
    assert batch.quality.tolist() == [0, quality.BAD, 0]


def test_the_same_value_with_another_quality_is_a_correction() -> None:
    existing = Existing(np.array([True]), np.array([1.0]), np.array([quality.SUSPECT], np.uint16))
    outcome = classify.resolve(make_batch(1, [1], [1.0], 0), existing, np.ones(1, np.uint8))
    assert outcome.tolist() == [Outcome.REPLACED]


def test_the_policy_is_each_senders_own() -> None:
    existing = Existing(np.array([True, True]), np.zeros(2), np.zeros(2, np.uint16))
    outcome = classify.resolve(make_batch([1, 2], [1, 1], [7.0, 7.0]), existing, np.array([1, 0], np.uint8))
    assert outcome.tolist() == [Outcome.REPLACED, Outcome.CONFLICT]


def test_kernels_get_writable_contiguous_columns() -> None:
    batch = make_batch([1, 2, 3, 4], [1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0])
    strided = batch._replace(value=np.arange(8.0)[::2])
    for column in classify.for_kernels(strided):
        assert column.flags.c_contiguous
        assert column.flags.writeable
