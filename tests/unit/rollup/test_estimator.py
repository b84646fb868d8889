"""Estimates from what is stored: what they rest on, and what they never replace."""

import datetime
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.catalogue.estimate_book import EstimateBook
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import ManualClock
from historian.energy import calendar
from historian.energy.holiday import NO_HOLIDAYS
from historian.errors import EditRefused
from historian.model import quality
from historian.model.decision import Decision
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, Point, PointDraft, PointKind
from historian.model.rules import Rules, SentinelRule
from historian.model.sample import make_batch
from historian.model.term import CheckTerm, RulesTerm
from historian.model.timestamp import TIME_MIN_US, load_zone
from historian.rollup.estimator import Asked, Estimator, Planned
from historian.rollup.service import RollupService
from tests.support.version_store import VersionStore

ZONE = load_zone("Asia/Shanghai")
DAY = datetime.date(2026, 3, 25)  # a Wednesday
NEXT_DAY = DAY + datetime.timedelta(days=1)
START_US = calendar.day_start_us(DAY, ZONE)
NOW_US = START_US + 10 * DAY_US
QUARTER_US = 15 * MINUTE_US
WHY = Decision("anna", "link down")


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOW_US)
        self.store = VersionStore(self.clock)
        self.registry = Registry(folder / "points.db", self.clock, ZONE.key)
        self.terms = TermBook(folder / "points.db", self.registry, self.clock)
        self.path = folder / "rollups.db"
        self.rollup = RollupService(self.store, self.registry, self.path, self.clock, terms=self.terms)
        self.book = EstimateBook(self.terms.database, self.clock)
        self.estimator = Estimator(
            self.store, self.store, self.registry, self.terms, self.rollup, self.book, self.clock, NO_HOLIDAYS
        )

    def point(self, name: str = "P", kind: PointKind = PointKind.MEAN_POWER, **more: Any) -> Point:
        unit = "kWh" if kind in (PointKind.REGISTER, PointKind.INTERVAL) else "kW"
        return self.registry.create(PointDraft(name=name, unit=unit, kind=kind, **more))

    async def put(self, point: Point, day: int, values: list[float], first: int = 0, bits: int = 0) -> None:
        """Quarters of an hour of a day, counted from `DAY`; NaN is none."""
        column = np.array(values)
        times = START_US + day * DAY_US + (first + np.arange(len(values), dtype=np.int64)) * QUARTER_US
        is_there = ~np.isnan(column)
        await self.store.append(make_batch(point.id, times[is_there], column[is_there], bits), source="meter")
        self.rollup.mark(np.full(is_there.sum(), point.id, np.uint32), times[is_there])

    async def restart(self) -> None:
        await self.rollup.close()
        self.rollup = RollupService(self.store, self.registry, self.path, self.clock, terms=self.terms)
        await self.rollup.open()

    async def plan(self, point: Point, first: int, last: int, **more: Any) -> Planned:
        """Quarters ``[first, last)`` of `DAY`."""
        span = START_US + first * QUARTER_US, START_US + last * QUARTER_US
        return await self.estimator.plan(Asked(point, *span, **more))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.rollup.open()
    yield made
    await made.rollup.close()
    made.terms.close()
    made.registry.close()


def shape(scale: float = 1.0, gap: range = range(0)) -> list[float]:
    return [np.nan if slot in gap else scale * (10.0 + slot % 8) for slot in range(96)]


async def test_a_short_gap_is_a_line_and_stored_with_its_method(world: World) -> None:
    point = world.point()
    await world.put(point, 0, [4.0] * 40 + [np.nan] * 3 + [8.0] * 53)
    planned = await world.plan(point, 36, 48)
    assert planned.estimate.value.tolist() == [5.0, 6.0, 7.0]
    assert planned.estimate.record.methods == {"linear": 3}
    assert planned.days == [DAY]
    stored = await world.estimator.store(planned, WHY)
    assert stored.overtaken_count == 0
    version = world.store.versions[point.id][START_US + 41 * QUARTER_US][-1]
    assert version[:3] == (6.0, quality.ESTIMATED, stored.entry.sequence)
    assert tuple(version.origin) == ("estimate:anna", "link down [estimated: linear 3]")
    assert world.book.entries(point.id, 0, 9) == [stored.entry]
    assert (await world.plan(point, 36, 48)).unchanged_count == 3
    with pytest.raises(EditRefused, match="nothing to store: no sample is missing"):
        await world.estimator.store(await world.plan(point, 36, 48), WHY)


async def test_a_long_gap_is_like_the_same_weekday_of_three_weeks(world: World) -> None:
    point = world.point()
    gap = range(40, 70)
    for week, scale in ((1, 1.0), (2, 2.0), (3, 3.0)):
        await world.put(point, -7 * week, shape(scale))
        await world.put(point, -7 * week - 1, shape(99.0))
    await world.put(point, 0, shape(gap=gap))
    planned = await world.plan(point, 0, 96)
    assert planned.estimate.value.tolist() == [2.0 * (10.0 + slot % 8) for slot in gap]
    assert planned.estimate.record.like_days == {"2026-03-04": 30, "2026-03-11": 30, "2026-03-18": 30}
    named = await world.plan(point, 0, 96, like_days=[DAY - datetime.timedelta(days=14), DAY])
    assert named.estimate.value.tolist() == [2.0 * (10.0 + slot % 8) for slot in gap]
    assert named.estimate.record.like_days == {"2026-03-11": 30}


@pytest.mark.parametrize("is_named", [True, False])
async def test_a_register_decides_what_the_gap_adds_up_to(world: World, is_named: bool) -> None:
    """By name, or because a check of the point names it. 30 quarters; 100 kWh by the register's multiplier of 10."""
    point = world.point(multiplier=2.0)
    register = world.point("E", PointKind.REGISTER, multiplier=10.0, capacity=500.0)
    await world.put(point, -7, shape())
    await world.put(point, 0, shape(gap=range(40, 70)))
    await world.put(register, 0, [50.0], 40)
    await world.put(register, 0, [60.0], 70)
    if not is_named:
        world.terms.state(point.id, CheckTerm("E"), TIME_MIN_US, None, "", "meter cabinet")
    planned = await world.plan(point, 40, 70, register=register if is_named else None)
    assert planned.estimate.record.register_energy == 50.0
    assert (
        sum(Fraction(repr(value)) for value in planned.estimate.value.tolist()) / 4 == 50
    )  # times the point's multiplier of 2
    assert planned.estimate.record.notes == (f"register_point_id:{register.id}",)
    changed_us = START_US + 50 * QUARTER_US
    world.registry.update(point.id, {"multiplier": 4.0}, changed_us)
    changed = await world.plan(world.registry.by_id(point.id), 40, 70, register=register)
    assert changed.estimate.record.notes == ("multiplier_changes_in_the_gap",)
    missed = await world.plan(point, 41, 70, register=register)
    assert "no_register_reading_at_both_ends" in missed.estimate.record.notes


@pytest.mark.parametrize(
    ("after", "note"),
    [(40.0, "register_not_plausible"), (1e6, "register_not_plausible")],
    ids=["it fell", "beyond its capacity"],
)
async def test_a_register_that_is_not_plausible_decides_nothing(
    world: World, after: float, note: str
) -> None:
    point, register = world.point(), world.point("E", PointKind.REGISTER, capacity=500.0)
    await world.put(point, -7, shape())
    await world.put(register, 0, [50.0], 40)
    await world.put(register, 0, [after], 70)
    planned = await world.plan(point, 40, 70, register=register)
    assert planned.estimate.record.register_energy is None
    assert planned.estimate.record.notes == (note,)


async def test_another_meter_of_the_same(world: World) -> None:
    point, other = world.point(), world.point("Q")
    await world.put(point, 0, shape(2.0, range(40, 70)))
    await world.put(other, 0, shape())
    planned = await world.plan(point, 40, 70, alternate=other)
    assert planned.estimate.value.tolist() == [2.0 * (10.0 + slot % 8) for slot in range(40, 70)]
    assert planned.estimate.record.alternate_point_id == other.id


async def test_no_power_is_zero(world: World) -> None:
    point = world.point()
    await world.put(point, 0, shape(gap=range(40, 44)))
    outage = START_US + 40 * QUARTER_US, START_US + 44 * QUARTER_US
    planned = await world.plan(point, 40, 44, outages=[outage])
    assert planned.estimate.value.tolist() == [0.0] * 4


async def test_readings_of_a_register_are_estimated_between_those_beside_the_gap(world: World) -> None:
    register = world.point("E", PointKind.REGISTER)
    await world.put(register, -1, [100.0, 110.0], 10)
    await world.put(register, 1, [120.0], 40)
    planned = await world.plan(register, 0, 96)
    assert planned.estimate.record.methods == {"even": 96}
    assert 110.0 < planned.estimate.value[0] < planned.estimate.value[-1] < 120.0
    assert planned.days == [DAY + datetime.timedelta(days=day) for day in (-1, 0, 1)]


async def test_measured_samples_stay_whatever_rules_say_of_them(world: World) -> None:
    """Bad by a rule: no estimate over it. Deleted: an estimate takes its place."""
    point = world.point()
    world.terms.state(
        point.id, RulesTerm(Rules(sentinel=SentinelRule((-99.0,)))), TIME_MIN_US, None, "", "source"
    )
    await world.put(point, 0, [4.0, 4.0, -99.0, np.nan, 4.0, 4.0])
    planned = await world.plan(point, 0, 6)
    assert [time_us - START_US for time_us in planned.estimate.time_us.tolist()] == [3 * QUARTER_US]
    assert planned.estimate.record.notes == ("measured_kept:1",)
    await world.put(point, 0, [-99.0], 2, quality.DELETED)
    planned = await world.plan(point, 0, 6)
    assert planned.has_old.tolist() == [True, False]
    await world.estimator.store(planned, WHY)
    assert [one[-1].value for _, one in sorted(world.store.versions[point.id].items())] == [4.0] * 6


async def test_a_sample_that_was_measured_in_the_meantime_stays(world: World) -> None:
    point = world.point()
    await world.put(point, 0, [4.0, np.nan, np.nan, 4.0])
    planned = await world.plan(point, 0, 4)
    await world.put(point, 0, [9.0], 1)
    stored = await world.estimator.store(planned, WHY)
    assert stored.overtaken_count == 1
    assert world.store.versions[point.id][START_US + QUARTER_US][-1].value == 9.0


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_a_late_sample_beyond_midnight_moves_the_figures_of_the_day_before(
    world: World, is_restarted: bool
) -> None:
    """An estimate of 23:54 gives way when 00:00 comes, after it was told."""
    point = world.point()
    await world.put(point, 0, [8.0] * 96)
    late_us = START_US + DAY_US - 6 * MINUTE_US
    await world.store.append(make_batch(point.id, [late_us], [0.0], quality.ESTIMATED), source="e")
    world.rollup.mark(np.array([point.id], np.uint32), np.array([late_us], np.int64))
    (before,) = await world.rollup.rows([point], "day", DAY, NEXT_DAY)
    if is_restarted:
        await world.restart()
    await world.put(point, 1, [8.0])
    # After a restart nobody knows that the point has estimates, until the day of the sample is made: in the same answer.
    after, _ = await world.rollup.rows([point], "day", DAY, NEXT_DAY + datetime.timedelta(days=1))
    assert (before.coverage.estimated, after.coverage.estimated) == (1, 0)
    assert after.energy == 192.0


async def test_the_grid_is_that_of_the_samples_beside_the_gap(world: World) -> None:
    point = world.point()
    times = [START_US + 5 * MINUTE_US + number * QUARTER_US for number in (0, 1, 4, 5)]
    await world.store.append(make_batch(point.id, times, [4.0] * 4), source="meter")
    planned = await world.plan(point, 0, 6)
    assert (planned.estimate.time_us - START_US).tolist() == [
        5 * MINUTE_US + number * QUARTER_US for number in (2, 3)
    ]
    empty = await world.plan(world.point("Q"), 2, 4)
    assert empty.estimate.record.notes == ("nothing_to_rest_on:2",)


async def test_what_is_refused(world: World) -> None:
    point, daily = world.point(), world.point("D", PointKind.INTERVAL, interval_us=DAY_US)
    with pytest.raises(EditRefused, match="end lies in the future"):
        await world.estimator.plan(Asked(point, NOW_US - HOUR_US, NOW_US + 1))
    with pytest.raises(EditRefused, match="one sample a day or less"):
        await world.plan(daily, 0, 96)
    with pytest.raises(EditRefused, match="50000 may be estimated at once"):
        await world.plan(point, -60_000, 0)
    with pytest.raises(EditRefused, match="register: P is of kind mean_power"):
        await world.plan(point, 0, 4, register=point)
    with pytest.raises(EditRefused, match="like_days: 32 days, 31 are taken"):
        await world.plan(point, 0, 4, like_days=[DAY] * 32)
