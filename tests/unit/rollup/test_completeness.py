"""Completeness of points over local days, out of kept figures and arrivals."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.errors import QueryTooLarge
from historian.model.point import MINUTE_US, SECOND_US, Point, PointKind
from historian.model.quality import BAD, ESTIMATED
from historian.model.term import RetiredTerm
from historian.model.timestamp import load_zone, parse_time_us
from historian.rollup import completeness
from tests.support.watch_kit import WatchKit, open_kit

DAYS = DateRange(datetime.date(2026, 11, 20), datetime.date(2026, 11, 23))
START_US = parse_time_us("2026-11-20T00:00:00+08:00")
NOW_US = parse_time_us("2026-11-22T01:00:00+08:00")
Q = 15 * MINUTE_US
DAY = 96


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[WatchKit]:
    async with open_kit(tmp_path, NOW_US) as kit:
        yield kit


def ids(*points: Point) -> np.ndarray:
    return np.array([point.id for point in points], np.int64)


async def test_what_came_of_what_was_due_day_by_day(kit: WatchKit) -> None:
    one = kit.point("one", station="S", item="T2.06")
    two = kit.point("two", kind=PointKind.MEAN_POWER, station="S")
    await kit.arrive(one, [START_US + k * Q for k in range(DAY) if k % 4])
    await kit.arrive(one, [START_US + DAY * Q], quality=BAD)
    await kit.arrive(two, [START_US + k * Q for k in range(DAY, DAY + 10)], quality=ESTIMATED)
    grid = await kit.watch.completeness.grid(ids(one, two), DAYS)
    assert grid.counts.expected.tolist() == [[96, 96, 4], [96, 96, 3]]
    assert grid.counts.received.tolist() == [[72, 1, 0], [0, 0, 0]]
    assert grid.counts.good.tolist() == [[72, 0, 0], [0, 0, 0]]
    assert grid.is_over.tolist() == [[True, True, False]] * 2


async def test_points_are_grouped_by_what_is_asked(kit: WatchKit) -> None:
    points = [
        kit.point("a", station="S", item="T2.06"),
        kit.point("b", station="R", item="T2.06", unit="V"),
        kit.point("c", station="S", item=""),
    ]
    maker = kit.watch.completeness
    by_station, by_item = (maker.grouping(ids(*points), by) for by in ("station", "item"))
    assert (by_station.number.tolist(), by_station.names) == ([1, 0, 1], ["R", "S"])
    assert (by_item.number.tolist(), by_item.names) == ([1, 1, 0], ["", "T2.06"])
    assert maker.grouping(ids(*points), "point").names == ["a", "b", "c"]
    groups, count = maker.grouping(ids(*points), "day").groups(2)
    assert (groups.tolist(), count) == ([[0, 1]] * 3, 2)
    groups, count = by_item.groups(2)
    assert (groups.tolist(), count) == ([[1, 1], [1, 1], [0, 0]], 2)


async def test_delays_count_from_when_a_sample_could_come(kit: WatchKit) -> None:
    power, mean = kit.point("power"), kit.point("mean", kind=PointKind.MEAN_POWER)
    for point, lag_us in ((power, 30 * SECOND_US), (mean, Q + 90 * SECOND_US)):
        await kit.arrive(point, [START_US], at_us=START_US + lag_us)
        await kit.arrive(point, [START_US + DAY * Q], at_us=START_US + DAY * Q + lag_us)
    await kit.arrive(power, [START_US + Q], at_us=START_US + DAY * Q + 5 * Q)  # a day late
    await kit.arrive(power, [START_US - Q], at_us=NOW_US)  # of a day nobody asks for
    maker = kit.watch.completeness
    grid = await maker.grid(ids(power, mean), DAYS)
    by_point = await maker.delays(grid, maker.grouping(grid.point_id, "point"))
    assert (by_point.known.tolist(), by_point.on_time.tolist()) == ([3, 2], [2, 2])
    assert by_point.median_s.tolist() == [30.0, 90.0]
    assert by_point.max_s.tolist() == [(DAY + 4) * Q / SECOND_US, 90.0]
    by_day = await maker.delays(grid, maker.grouping(grid.point_id, "day"))
    assert (by_day.known.tolist(), by_day.on_time.tolist()) == ([3, 2, 0], [2, 2, 0])


async def test_days_are_those_of_each_points_zone(kit: WatchKit) -> None:
    here, there = kit.point("here"), kit.point("there", time_zone="Europe/Berlin")
    starts = {one.id: calendar.day_start_us(DAYS.first, load_zone(one.time_zone)) for one in (here, there)}
    for point in (here, there):
        await kit.arrive(point, [starts[point.id] - 1, starts[point.id]], at_us=NOW_US)
    maker = kit.watch.completeness
    grid = await maker.grid(ids(here, there), DAYS)
    assert grid.counts.received.tolist() == [[1, 0, 0], [1, 0, 0]]
    delays = await maker.delays(grid, maker.grouping(grid.point_id, "day"))
    assert delays.known.tolist() == [2, 0, 0]


async def test_arrivals_of_too_many_samples_are_refused_before_they_are_read(
    kit: WatchKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = kit.point("one")
    await kit.arrive(point, [START_US + k * Q for k in range(DAY)])
    maker = kit.watch.completeness
    grid = await maker.grid(ids(point), DAYS)
    monkeypatch.setattr(maker, "_samples_max", 95)
    with pytest.raises(QueryTooLarge, match="the arrivals of 96 samples"):
        await maker.delays(grid, maker.grouping(grid.point_id, "point"))


async def test_many_points_are_read_in_parts(kit: WatchKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completeness, "_READ_SAMPLES", 2)
    points = [kit.point(name) for name in "abc"]
    for number, point in enumerate(points):
        at_us = START_US + (number + 1) * SECOND_US
        await kit.arrive(point, [START_US, START_US + 1], at_us=at_us)
    maker = kit.watch.completeness
    grid = await maker.grid(ids(*points), DAYS)
    delays = await maker.delays(grid, maker.grouping(grid.point_id, "point"))
    assert delays.known.tolist() == [2, 2, 2]
    assert delays.max_s.tolist() == [1.0, 2.0, 3.0]


async def test_a_retired_point_promises_nothing_from_then_on(kit: WatchKit) -> None:
    one, two = kit.point("one"), kit.point("two")
    kit.terms.state(two.id, RetiredTerm(), START_US + 24 * Q, START_US + (DAY + 2) * Q, "", "meter away")
    grid = await kit.watch.completeness.grid(ids(one, two), DAYS)
    assert grid.counts.expected.tolist() == [[96, 96, 4], [24, 94, 4]]
