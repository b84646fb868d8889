"""Limits have safe defaults."""

from historian.rollup.row import RollupLimits


def test_limits_allow_a_year_of_a_large_station() -> None:
    limits = RollupLimits()
    assert limits.points_max >= 1_000
    assert limits.point_days_max >= 366 * 1_000
    assert limits.slots_max >= 1_000 * 96
    assert 0.0 < limits.background_share < 1.0
