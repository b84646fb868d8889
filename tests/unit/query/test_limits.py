"""What a query may ask for."""

import pytest

from historian.errors import QueryError, QueryTooLarge
from historian.model.point import DAY_US, MINUTE_US
from historian.model.timerange import TimeRange
from historian.query.limits import (
    QueryLimits,
    check_point_count,
    check_sample_count,
    check_width,
    expected_sample_count,
    slot_count,
)
from tests.unit.query.samples import make_point

LIMITS = QueryLimits(points_max=2, slots_max=100, width_max=50)
DAY = TimeRange(0, DAY_US)


def test_expected_samples_follow_from_the_intervals() -> None:
    points = [make_point(), make_point(interval_us=MINUTE_US)]
    assert expected_sample_count(points, DAY) == 96 + 1440
    assert expected_sample_count(points[:1], TimeRange(0, 1)) == 1
    assert expected_sample_count(points, TimeRange(5, 5)) == 0


def test_as_many_points_as_the_limit_pass() -> None:
    check_point_count(LIMITS, [make_point()] * 2)
    with pytest.raises(QueryTooLarge, match="3 points are asked for, the limit is 2"):
        check_point_count(LIMITS, [make_point()] * 3)


def test_as_many_samples_as_the_limit_pass() -> None:
    check_sample_count(10, 10)
    with pytest.raises(QueryTooLarge, match="about 11 samples, the limit is 10; ask for a shorter time"):
        check_sample_count(11, 10)


def test_slots_count_for_every_point() -> None:
    assert slot_count(LIMITS, DAY, 15 * MINUTE_US, 1) == 96
    assert slot_count(LIMITS, DAY, DAY_US - 1, 1) == 2
    with pytest.raises(QueryTooLarge, match="96 slots for each of 2 points"):
        slot_count(LIMITS, DAY, 15 * MINUTE_US, 2)


def test_a_plot_has_at_least_one_column_and_at_most_the_limit() -> None:
    check_width(LIMITS, 50)
    with pytest.raises(QueryTooLarge, match="51 columns"):
        check_width(LIMITS, 51)
    with pytest.raises(QueryError, match="ask for 1 or more"):
        check_width(LIMITS, 0)
