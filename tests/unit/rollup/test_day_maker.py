"""Many days are read in few readings."""

import numpy as np
import pytest

from historian.energy.coverage import Coverage
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.sample import SampleRun, empty_run
from historian.model.timestamp import load_zone
from historian.rollup import day_figure, day_maker
from historian.rollup.day_maker import DayTask, Reading

ZONE = load_zone("Asia/Shanghai")
DAY = 739_940


def make_point(point_id: int = 1, interval_us: int = 15 * MINUTE_US, zone: str = "Asia/Shanghai") -> Point:
    return Point(
        id=point_id, name=f"p{point_id}", unit="kWh", kind=PointKind.INTERVAL, interval_us=interval_us,
        time_zone=zone,
    )  # fmt: skip


def shapes(tasks: list[DayTask]) -> list[tuple[list[int], range]]:
    return [([point.id for point in one.points], one.days) for one in day_maker.plan_readings(tasks)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([5], [range(5, 6)], id="one"),
        pytest.param([5, 6, 7], [range(5, 8)], id="consecutive"),
        pytest.param([5, 7, 8, 10], [range(5, 6), range(7, 9), range(10, 11)], id="with holes"),
    ],
)
def test_consecutive_days_are_one_task(days: list[int], expected: list[range]) -> None:
    assert [task.days for task in day_maker.tasks_of(make_point(), days)] == expected


def test_points_with_the_same_days_are_read_together() -> None:
    tasks = [DayTask(make_point(number), ZONE, range(DAY, DAY + 2)) for number in (1, 2, 3)]
    assert shapes(tasks) == [([1, 2, 3], range(DAY, DAY + 2))]


def test_points_of_other_intervals_or_zones_are_read_apart() -> None:
    days = range(DAY, DAY + 1)
    tasks = [
        DayTask(make_point(1), ZONE, days),
        DayTask(make_point(2, HOUR_US), ZONE, days),
        DayTask(make_point(3), load_zone("UTC"), days),
    ]
    assert shapes(tasks) == [([1], days), ([2], days), ([3], days)]


def test_a_long_time_is_cut() -> None:
    ranges = [days for _, days in shapes([DayTask(make_point(), ZONE, range(DAY, DAY + 600))])]
    assert ranges == [range(DAY, DAY + 256), range(DAY + 256, DAY + 512), range(DAY + 512, DAY + 600)]


def test_seconds_are_read_in_few_days() -> None:
    ranges = [days for _, days in shapes([DayTask(make_point(1, 1_000_000), ZONE, range(DAY, DAY + 12))])]
    assert [len(days) for days in ranges] == [5, 5, 2]


def test_many_points_are_cut() -> None:
    tasks = [DayTask(make_point(number), ZONE, range(DAY, DAY + 1)) for number in range(1, 600)]
    assert [len(ids) for ids, _ in shapes(tasks)] == [256, 256, 87]


def test_days_with_samples_near_them_are_made_and_no_others() -> None:
    reading = Reading([make_point(1), make_point(2)], ZONE, range(DAY, DAY + 3))
    start_us, end_us = reading.span
    assert end_us - start_us == 72 * HOUR_US
    run = SampleRun(1, np.array([start_us]), np.ones(1), np.zeros(1, np.uint16))
    made = day_maker.make_days(reading, [run, empty_run(2)], {}, 0)
    assert [(figure.point_id, figure.day, figure.is_empty) for figure in made] == [
        (1, DAY, False),
    ]


def test_days_between_readings_of_a_register_are_made() -> None:
    register = Point(id=1, name="r", unit="kWh", kind=PointKind.REGISTER, time_zone="Asia/Shanghai")
    reading = Reading([register], ZONE, range(DAY, DAY + 5))
    start_us, _ = reading.span
    times_us = start_us + np.array([30, 80]) * HOUR_US
    run = SampleRun(1, times_us, np.array([1.0, 2.0]), np.zeros(2, np.uint16))
    made = day_maker.make_days(reading, [run], {}, 0)
    assert [(figure.day - DAY, figure.known_us // HOUR_US) for figure in made] == [(1, 18), (2, 24), (3, 8)]


def test_a_day_that_had_figures_is_made_though_its_samples_are_gone() -> None:
    reading = Reading([make_point()], ZONE, range(DAY, DAY + 3))
    before = day_figure.compute(make_point(), DAY + 1, ZONE, empty_run(1), 0)
    made = day_maker.make_days(reading, [empty_run(1)], {1: {DAY + 1: before}}, 0)
    assert [(figure.day, figure.coverage) for figure in made] == [(DAY + 1, Coverage(expected=96))]
