"""What an edit would change, sample by sample."""

import numpy as np
import pytest

from historian.edit.plan import EditPlan, plan_marks, plan_restore, plan_values
from historian.model.quality import BAD, DELETED, ESTIMATED, MANUAL, MISSING, SUSPECT
from tests.unit.query.samples import Sample, make_point, make_run

POINT = make_point(range_low=0.0, range_high=100.0)
STORED: list[Sample] = [(10, 1.0), (20, 2.0, DELETED | MANUAL), (30, 3.0, BAD)]

Row = tuple[int, float, int]


def i64(*times: int) -> np.ndarray:
    return np.array(times, np.int64)


def new_rows(plan: EditPlan) -> list[Row]:
    return list(zip(*(c.tolist() for c in (plan.time_us, plan.value, plan.quality)), strict=True))


def old_rows(plan: EditPlan) -> list[Row | None]:
    rows = zip(*(c.tolist() for c in (plan.time_us, plan.old_value, plan.old_quality)), strict=True)
    return [row if has else None for row, has in zip(rows, plan.has_old.tolist(), strict=True)]


def values(times: list[int], new: list[float], quality: int) -> EditPlan:
    qualities = np.full(len(times), quality, np.uint16)
    return plan_values(POINT, make_run(STORED), i64(*times), np.array(new), qualities)


def test_values_are_put_beside_what_they_replace() -> None:
    plan = values([30, 10, 15], [3.5, 1.0, 9.0], MANUAL)
    assert new_rows(plan) == [(10, 1.0, MANUAL), (15, 9.0, MANUAL), (30, 3.5, MANUAL)]
    assert old_rows(plan) == [(10, 1.0, 0), None, (30, 3.0, BAD)]
    assert np.isnan(plan.old_value[1])
    assert plan.old_quality[1] == MISSING


def test_a_value_over_a_deleted_sample_shows_again() -> None:
    assert new_rows(values([20], [2.0], MANUAL)) == [(20, 2.0, MANUAL)]


def test_what_is_so_already_is_no_change() -> None:
    plan = plan_values(POINT, make_run(STORED), i64(10), np.array([1.0]), np.zeros(1, np.uint16))
    assert (plan.change_count, plan.unchanged_count) == (0, 1)
    assert plan.batch(1).sample_count == 0


def test_a_good_value_outside_the_range_becomes_suspect_as_it_would_on_its_way_in() -> None:
    assert new_rows(values([10], [101.0], ESTIMATED)) == [(10, 101.0, ESTIMATED | SUSPECT)]
    assert new_rows(values([10], [-1.0], BAD)) == [(10, -1.0, BAD)]


@pytest.mark.parametrize(
    ("times", "is_deleted", "expected", "unchanged", "missing"),
    [
        pytest.param(None, True, [(10, 1.0, DELETED), (30, 3.0, DELETED | BAD)], 1, 0, id="delete all"),
        pytest.param(None, False, [(20, 2.0, MANUAL)], 2, 0, id="undelete all"),
        pytest.param(
            [30, 99, 20], True, [(30, 3.0, DELETED | BAD)], 1, 1, id="delete some, one is not there"
        ),
        pytest.param([5], False, [], 0, 1, id="undelete what is not there"),
    ],
)
def test_marks_keep_the_value(
    times: list[int] | None, is_deleted: bool, expected: list[Row], unchanged: int, missing: int
) -> None:
    plan = plan_marks(make_run(STORED), None if times is None else i64(*times), is_deleted)
    assert new_rows(plan) == expected
    assert (plan.unchanged_count, plan.missing_count) == (unchanged, missing)


def test_marks_in_an_empty_store_change_nothing() -> None:
    plan = plan_marks(make_run([]), i64(1, 2), True)
    assert (plan.change_count, plan.missing_count) == (0, 2)


def test_restoring_brings_back_what_was_and_marks_what_was_not_there() -> None:
    plan = plan_restore(make_run(STORED), make_run([(20, 2.5), (30, 3.0, BAD)]))
    assert new_rows(plan) == [(10, 1.0, DELETED), (20, 2.5, 0)]
    assert plan.unchanged_count == 1


def test_a_batch_is_what_would_be() -> None:
    batch = values([30, 10], [3.5, 1.5], MANUAL).batch(7)
    assert batch.point_id.tolist() == [7, 7]
    assert batch.time_us.tolist() == [10, 30]
    assert batch.quality.dtype == np.uint16
