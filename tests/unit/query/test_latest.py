"""The newest sample, its age and whether it is stale."""

import pytest

from historian.model.point import SECOND_US, PointKind
from historian.model.quality import BAD, MISSING
from historian.query.latest import latest_of
from tests.unit.query.samples import INTERVAL_US, make_point, make_run

T = INTERVAL_US


def test_age_is_counted_from_the_stored_time() -> None:
    latest = latest_of(make_point(), make_run([(0, 1.0), (T, 2.0, BAD)]), T + 90 * SECOND_US)
    assert (latest.time_us, latest.value, latest.quality) == (T, 2.0, BAD)
    assert (latest.age_s, latest.is_stale) == (90.0, False)


@pytest.mark.parametrize(
    ("kind", "age_us", "is_stale"),
    [
        (PointKind.INSTANTANEOUS, 2 * T, False),
        (PointKind.INSTANTANEOUS, 2 * T + 1, True),
        (PointKind.MEAN_POWER, 3 * T, False),
        (PointKind.INTERVAL, 3 * T + 1, True),
    ],
)
def test_stale_is_older_than_two_intervals_and_the_period_itself(
    kind: PointKind, age_us: int, is_stale: bool
) -> None:
    assert latest_of(make_point(kind), make_run([(0, 1.0)]), age_us).is_stale is is_stale


def test_a_source_clock_ahead_of_ours_gives_no_negative_age() -> None:
    assert latest_of(make_point(), make_run([(T, 1.0)]), 0).age_s == 0.0


def test_a_point_without_samples_is_missing_and_stale() -> None:
    latest = latest_of(make_point(), make_run([]), 0)
    assert (latest.time_us, latest.value, latest.age_s) == (None, None, None)
    assert (latest.quality, latest.is_stale) == (MISSING, True)
