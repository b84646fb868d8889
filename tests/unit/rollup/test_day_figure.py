"""A day's figures, and from which samples they are made."""

import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from historian.energy import calendar
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, Point, PointKind
from historian.model.sample import SampleRun
from historian.model.timestamp import load_zone
from historian.rollup import day_figure

DATE = datetime.date(2026, 11, 20)
ZONE = load_zone("Asia/Shanghai")
START_US = calendar.day_start_us(DATE, ZONE)
NOW_US = START_US + 2 * DAY_US


def make_point(kind: PointKind = PointKind.INTERVAL, interval_us: int = 15 * MINUTE_US, **more: Any) -> Point:
    return Point(id=1, name="p", unit="kWh", kind=kind, interval_us=interval_us, **more)


def run_of(samples: dict[int, float], qualities: int = 0) -> SampleRun:
    times = sorted(samples)
    return SampleRun(
        1,
        np.array(times, np.int64) + START_US,
        np.array([samples[time] for time in times]),
        np.full(len(times), qualities, np.uint16),
    )


def figure_of(point: Point, run: SampleRun) -> day_figure.DayFigure:
    return day_figure.compute(point, DATE.toordinal(), ZONE, run, NOW_US)


def test_figures_of_a_day() -> None:
    figure = figure_of(make_point(multiplier=2.0), run_of({0: 1.5, 15 * MINUTE_US: 0.25}))
    assert (figure.total, figure.known_us) == (Fraction(7, 2), HOUR_US // 2)
    assert (figure.max_value, figure.max_start_us, figure.max_end_us) == (
        12.0, START_US, START_US + 15 * MINUTE_US,
    )  # fmt: skip
    assert (figure.min_value, figure.min_start_us) == (2.0, START_US + 15 * MINUTE_US)
    assert (figure.is_complete, figure.is_empty, figure.computed_at_us) == (False, False, NOW_US)
    assert figure.definition == day_figure.Definition("Asia/Shanghai", "kWh", "interval", 15 * MINUTE_US, 2.0)


def test_a_day_without_samples_is_empty() -> None:
    assert figure_of(make_point(), run_of({})).is_empty


def test_a_day_of_bad_samples_is_not_empty() -> None:
    assert not figure_of(make_point(), run_of({0: 1.0}, quality.BAD)).is_empty


@pytest.mark.parametrize(
    ("interval_us", "block_us"),
    [
        pytest.param(1_000_000, 15 * MINUTE_US, id="seconds"),
        pytest.param(15 * MINUTE_US, 15 * MINUTE_US, id="a quarter"),
        pytest.param(HOUR_US, HOUR_US, id="an hour"),
        pytest.param(DAY_US, 26 * HOUR_US, id="a day, even of 25 hours"),
        pytest.param(31 * DAY_US, 26 * HOUR_US, id="a month"),
    ],
)
def test_block_of_the_maximum(interval_us: int, block_us: int) -> None:
    assert day_figure.demand_block_us(interval_us) == block_us


def test_what_says_the_same_may_differ_in_revision_and_time() -> None:
    figure = figure_of(make_point(), run_of({0: 1.0}))
    assert figure.says_the_same(figure._replace(revision=7, computed_at_us=1))
    assert not figure.says_the_same(figure._replace(total_numerator=2))


def test_near_samples_are_two_intervals_around() -> None:
    point = make_point(interval_us=HOUR_US)
    run = run_of({hour * HOUR_US: 1.0 for hour in range(-5, 30)})
    near = day_figure.near_day(point, run, START_US, START_US + DAY_US)
    assert ((near.time_us - START_US) // HOUR_US).tolist() == list(range(-2, 26))


def test_near_readings_end_with_those_beyond_however_far() -> None:
    point = make_point(PointKind.REGISTER, HOUR_US)
    run = run_of({hour * HOUR_US: 1.0 for hour in (-90, -70, 3, 5, 99, 100)})
    near = day_figure.near_day(point, run, START_US, START_US + DAY_US)
    assert ((near.time_us - START_US) // HOUR_US).tolist() == [-70, 3, 5, 99]


def test_near_readings_without_any_beyond() -> None:
    point = make_point(PointKind.REGISTER, HOUR_US)
    near = day_figure.near_day(point, run_of({HOUR_US: 1.0, 2 * HOUR_US: 2.0}), START_US, START_US + DAY_US)
    assert near.sample_count == 2


def test_only_periods_of_whole_days_follow_the_calendar() -> None:
    run = run_of({0: 1.0})
    assert day_figure.period_ends_us(make_point(), run, ZONE) is None
    assert day_figure.period_ends_us(make_point(PointKind.REGISTER, DAY_US), run, ZONE) is None
    ends_us = day_figure.period_ends_us(make_point(interval_us=DAY_US), run, ZONE)
    assert ends_us is not None
    assert ends_us.tolist() == [START_US + DAY_US]
