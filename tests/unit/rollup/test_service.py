"""Figures are never stale, exact, and survive a crash; curves of one and many points."""

import asyncio
import contextlib
import datetime
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.energy import calendar
from historian.energy.load_curve import SlotState
from historian.errors import QueryTooLarge, TimeError, UnitError
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import load_zone, parse_time_us
from historian.rollup import service
from historian.rollup.row import RollupLimits, RollupRow
from historian.rollup.service import RollupService
from tests.support.memory_store import MemoryDirectory, MemoryStore
from tests.support.waiting import until

QUARTER_US = 15 * MINUTE_US
SHANGHAI = load_zone("Asia/Shanghai")
DAY = datetime.date(2026, 11, 20)
NEXT_DAY = DAY + datetime.timedelta(days=1)
START_US = calendar.day_start_us(DAY, SHANGHAI)
LATER_US = parse_time_us("2026-12-05T00:00:00Z")
FILE = "figures.db"


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def make_point(
    point_id: int = 1, kind: PointKind = PointKind.INTERVAL, unit: str = "kWh", **more: Any
) -> Point:
    return Point(id=point_id, name=f"p{point_id}", unit=unit, kind=kind, **more)


def quarters(value: float, count: int = 96, start_us: int = START_US) -> dict[int, float]:
    return {start_us + slot * QUARTER_US: value for slot in range(count)}


class World:
    """A service over a store and a directory in memory."""

    def __init__(self, folder: Path, *points: Point, limits: RollupLimits | None = None) -> None:
        self.folder = folder
        self.limits = limits
        self.clock = ManualClock(LATER_US)
        self.store = MemoryStore()
        self.directory = MemoryDirectory(*points)
        self.service = self._start()

    def _start(self) -> RollupService:
        service = RollupService(self.store, self.directory, self.folder / FILE, self.clock, self.limits)
        self.store.markers = [service]
        return service

    async def restart(self) -> None:
        await self.service.close()
        self.service = self._start()
        await self.service.open()

    def ids(self) -> np.ndarray:
        return np.array(sorted(self.directory._points), np.int64)

    async def row(self, point: Point, day: datetime.date = DAY) -> RollupRow:
        rows = await self.service.rows([point], "day", day, day + datetime.timedelta(days=1))
        assert len(rows) == 1
        return rows[0]


@contextlib.asynccontextmanager
async def background(service: RollupService) -> AsyncIterator[None]:
    task = asyncio.create_task(service.run_background())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path, make_point())
    await made.service.open()
    yield made
    await made.service.close()


@pytest.fixture
def point(world: World) -> Point:
    return world.directory.by_id(1)


async def test_a_day_of_interval_energy(world: World, point: Point) -> None:
    world.store.put(1, quarters(0.1) | {START_US + HOUR_US: 2.5})
    row = await world.row(point)
    assert (row.energy, row.unit) == (12.0, "kWh")
    assert (row.max_demand, row.max_demand_unit) == (10.0, "kW")
    assert (row.max_start_us, row.max_end_us) == (START_US + HOUR_US, START_US + HOUR_US + QUARTER_US)
    assert (row.min, row.min_start_us, row.mean, row.load_factor) == (0.4, START_US, 0.5, 0.05)
    assert (row.method, row.state, row.revision, row.computed_at_us) == (
        "interval_sum",
        "complete",
        1,
        LATER_US,
    )
    assert (row.coverage.expected, row.coverage.received, row.coverage.good) == (96, 96, 96)


async def test_nothing_known_is_not_zero(world: World, point: Point) -> None:
    row = await world.row(point)
    assert (row.energy, row.max_demand, row.min, row.mean, row.load_factor) == (None,) * 5
    assert (row.coverage.expected, row.coverage.received) == (96, 0)
    assert (row.state, row.revision) == ("provisional", 0)


async def test_late_data_change_the_day_and_its_month_and_no_other(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0, 95) | quarters(1.0, start_us=START_US + DAY_US))
    before = await world.service.rows([point], "day", DAY, date("2026-11-22"))
    month_before = (await world.service.rows([point], "month", DAY, NEXT_DAY))[0]
    assert (before[0].energy, before[0].state) == (95.0, "provisional")
    world.clock.advance(60)
    world.store.put(1, {START_US + 95 * QUARTER_US: 0.5})
    after = await world.service.rows([point], "day", DAY, date("2026-11-22"))
    assert (after[0].energy, after[0].state, after[0].revision) == (95.5, "complete", 2)
    assert after[0].computed_at_us == LATER_US + 60_000_000
    assert after[1] == before[1]
    month = (await world.service.rows([point], "month", DAY, NEXT_DAY))[0]
    assert (month.energy, month.revision) == (191.5, month_before.revision + 1)


async def test_the_same_sample_again_changes_nothing(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0))
    before = await world.row(point)
    world.clock.advance(60)
    world.store.put(1, quarters(1.0))
    assert world.service.pending_count > 0
    assert await world.row(point) == before
    assert world.service.pending_count == 1  # the day before: an amount can reach back over midnight


async def test_an_unchanged_day_is_answered_without_reading_samples(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0))
    await world.row(point)
    read_count = world.store.read_count
    await world.row(point)
    assert world.store.read_count == read_count


async def test_the_background_makes_dirty_days_anew(world: World, point: Point) -> None:
    async with background(world.service):
        world.store.put(1, quarters(1.0))
        await until(lambda: world.service.pending_count == 0)
    read_count = world.store.read_count
    assert (await world.row(point)).energy == 96.0
    assert world.store.read_count == read_count


async def test_dirty_marks_survive_a_crash(world: World, point: Point, tmp_path: Path) -> None:
    world.store.put(1, quarters(1.0))
    await world.row(point)
    world.store.put(1, {START_US: 5.0})
    await world.service.flush_dirty()
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for file in tmp_path.glob(f"{FILE}*"):
        shutil.copy(file, crashed)
    again = RollupService(world.store, world.directory, crashed / FILE, world.clock)
    await again.open()
    assert again.pending_count > 0
    rows = await again.rows([point], "day", DAY, NEXT_DAY)
    assert (rows[0].energy, rows[0].revision) == (100.0, 2)
    await again.close()


async def test_figures_and_marks_survive_a_restart(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0))
    await world.row(point)
    world.store.put(1, {START_US: 2.0})
    await world.restart()
    assert world.service.pending_count > 0
    assert (await world.row(point)).revision == 2
    read_count = world.store.read_count
    await world.restart()
    assert (await world.row(point)).energy == 97.0
    assert world.store.read_count == read_count


async def test_a_failed_reading_leaves_the_day_dirty(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0))
    await world.row(point)
    world.store.put(1, {START_US: 2.0})
    pending = world.service.pending_count

    async def fail(*_: object) -> list[Any]:
        raise OSError("disk is gone")

    whole_read, world.store.read = world.store.read, fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="disk is gone"):
        await world.row(point)
    world.store.read = whole_read  # type: ignore[method-assign]
    assert world.service.pending_count == pending
    assert (await world.row(point)).energy == 97.0


async def test_a_failed_reading_of_many_points_leaves_them_all_dirty(world: World) -> None:
    numbers = (5, 2, 4, 3)
    points = [world.directory.replace(make_point(number, PointKind.MEAN_POWER, "kW")) for number in numbers]
    for one in points:
        world.store.put(one.id, quarters(1.0))
    pending = world.service.pending_count

    async def fail(*_: object) -> list[Any]:
        raise OSError("disk is gone")

    whole_read, world.store.read = world.store.read, fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="disk is gone"):
        await world.service.rows(points, "day", DAY, NEXT_DAY)
    world.store.read = whole_read  # type: ignore[method-assign]
    assert world.service.pending_count == pending
    for one in points:
        await world.row(one)
    assert world.service.pending_count == 0


async def test_a_running_day_is_open_and_then_is_not(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0))
    world.clock.set_wall(START_US + 12 * HOUR_US)
    assert (await world.row(point)).state == "open"
    world.clock.set_wall(START_US + DAY_US)
    assert (await world.row(point)).state == "complete"


async def test_deleted_samples_take_their_energy_with_them(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0))
    await world.row(point)
    world.store.put(1, quarters(1.0), quality.DELETED)
    row = await world.row(point)
    assert (row.energy, row.coverage.received, row.revision) == (None, 0, 2)


@pytest.mark.parametrize(
    ("change", "energy"),
    [
        pytest.param({"multiplier": 80.0}, 7680.0, id="multiplier"),
        pytest.param({"time_zone": "UTC"}, 64.0, id="time zone"),
    ],
)
async def test_another_definition_makes_other_figures(
    world: World, point: Point, change: dict[str, Any], energy: float
) -> None:
    world.store.put(1, quarters(1.0))
    assert (await world.row(point)).energy == 96.0
    changed = world.directory.replace(make_point(**change))
    row = await world.row(changed)
    assert (row.energy, row.revision) == (energy, 2)


async def test_marks_follow_a_point_into_another_zone(world: World, point: Point) -> None:
    world.store.put(1, {START_US: 1.0})
    await world.row(point)
    moved = world.directory.replace(make_point(time_zone="UTC"))
    await world.row(moved, date("2026-11-19"))
    world.store.put(1, {START_US: 3.0})
    assert (await world.row(moved, date("2026-11-19"))).energy == 3.0


async def test_another_zone_is_computed_and_not_kept(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0))
    rows = await world.service.rows([point], "day", date("2026-11-19"), NEXT_DAY, load_zone("UTC"))
    assert [(row.energy, row.revision) for row in rows] == [(32.0, 0), (64.0, 0)]
    own = await world.service.rows([point], "day", DAY, NEXT_DAY, SHANGHAI)
    assert (own[0].energy, own[0].revision) == (96.0, 1)


async def test_a_power_becomes_energy(world: World) -> None:
    power = world.directory.replace(make_point(2, PointKind.MEAN_POWER, "kW", multiplier=10.0))
    world.store.put(2, quarters(0.5))
    row = await world.row(power)
    assert (row.energy, row.unit, row.max_demand, row.max_demand_unit) == (120.0, "kWh", 5.0, "kW")
    assert row.method == "power_integral"


async def test_a_voltage_has_a_mean_and_no_energy(world: World) -> None:
    voltage = world.directory.replace(make_point(3, PointKind.INSTANTANEOUS, "V"))
    world.store.put(3, quarters(230.0) | {START_US: 231.5})
    row = await world.row(voltage)
    assert (row.energy, row.unit, row.load_factor) == (None, None, None)
    assert (row.max_demand, row.max_demand_unit, row.min, row.mean) == (231.5, "V", 230.0, 230.015625)
    assert (row.coverage.received, row.method) == (96, "time_mean")


async def test_a_register_counts_from_reading_to_reading(world: World) -> None:
    register = world.directory.replace(make_point(4, PointKind.REGISTER, "kWh", multiplier=80.0))
    world.store.put(4, {START_US + slot * QUARTER_US: 1000 + slot / 100 for slot in range(97)})
    row = await world.row(register)
    assert (row.energy, row.max_demand, row.method) == (76.8, 3.2, "register_difference")


async def test_a_reading_after_a_long_gap_changes_every_day_of_the_gap(world: World) -> None:
    register = world.directory.replace(make_point(4, PointKind.REGISTER, "kWh"))
    days = (DAY, DAY + datetime.timedelta(days=5))
    world.store.put(4, {START_US - HOUR_US: 100.0, START_US: 100.0})
    world.store.put(4, {START_US + DAY_US: 124.0})
    before = await world.service.rows([register], "day", *days)
    assert [row.energy for row in before] == [24.0, None, None, None, None]
    world.store.put(4, {START_US + 5 * DAY_US: 220.0})
    after = await world.service.rows([register], "day", *days)
    assert [row.energy for row in after] == [24.0] * 5
    assert [row.max_demand for row in after] == [None] * 5
    world.store.put(4, {START_US + 3 * DAY_US: 124.0})
    assert [row.energy for row in await world.service.rows([register], "day", *days)] == [24, 0, 0, 48, 48]


async def test_a_bad_reading_is_passed_over_across_days(world: World) -> None:
    register = world.directory.replace(make_point(4, PointKind.REGISTER, "kWh", interval_us=DAY_US))
    world.store.put(4, {START_US + day * DAY_US: 100.0 + day for day in range(0, 9, 4)})
    world.store.put(4, {START_US + 2 * DAY_US: 9.9e9}, quality.BAD)
    rows = await world.service.rows([register], "day", DAY, DAY + datetime.timedelta(days=8))
    assert [row.energy for row in rows] == [1.0] * 8


async def test_a_daily_value_belongs_to_its_day_of_23_hours(world: World) -> None:
    berlin = world.directory.replace(make_point(5, interval_us=DAY_US, time_zone="Europe/Berlin"))
    zone = load_zone("Europe/Berlin")
    days = calendar.DateRange(date("2026-03-28"), date("2026-03-31"))
    world.store.put(5, {int(start): 46.0 for start in calendar.day_starts_us(days, zone)[:-1]})
    rows = await world.service.rows([berlin], "day", *days)
    assert [row.energy for row in rows] == [46.0] * 3
    assert [row.max_demand for row in rows] == [46 / 24, 2.0, 46 / 24]
    assert [(row.coverage.expected, row.state) for row in rows] == [(1, "complete")] * 3


async def test_a_monthly_value_belongs_to_its_month(world: World) -> None:
    monthly = world.directory.replace(make_point(6, unit="t", interval_us=31 * DAY_US))
    starts = [calendar.day_start_us(date(f"2026-{month:02d}-01"), SHANGHAI) for month in (1, 2, 3, 4)]
    world.store.put(6, zip(starts, (10.5, 20.25, 30.125, 40.0), strict=True))
    rows = await world.service.rows([monthly], "month", date("2026-01-01"), date("2026-04-01"))
    assert [row.energy for row in rows] == [10.5, 20.25, 30.125]
    assert [row.coverage.expected for row in rows] == [1, 1, 1]


async def test_a_skipped_date_is_a_row_that_knows_nothing(world: World) -> None:
    apia = world.directory.replace(make_point(7, time_zone="Pacific/Apia", interval_us=HOUR_US))
    zone = load_zone("Pacific/Apia")
    start_us = calendar.day_start_us(date("2011-12-29"), zone)
    world.store.put(7, {start_us + hour * HOUR_US: 1.0 for hour in range(48)})
    rows = await world.service.rows([apia], "day", date("2011-12-29"), date("2012-01-01"))
    assert [row.energy for row in rows] == [24.0, None, 24.0]
    assert rows[1].period_start_us == rows[1].period_end_us
    year = await world.service.rows([apia], "year", date("2011-06-01"), date("2011-06-02"))
    assert (year[0].energy, year[0].coverage.expected) == (48.0, 364 * 24)


async def test_rows_come_point_by_point_in_order_of_time(world: World, point: Point) -> None:
    other = world.directory.replace(make_point(8))
    rows = await world.service.rows([other, point], "month", date("2026-01-15"), date("2026-03-01"))
    assert [(row.point_id, row.period) for row in rows] == [(8, "month")] * 2 + [(1, "month")] * 2
    assert rows[0].period_start_us == calendar.day_start_us(date("2026-01-01"), SHANGHAI)
    assert rows[0].period_end_us == rows[1].period_start_us


async def test_no_points_or_no_days_give_no_rows(world: World, point: Point) -> None:
    assert await world.service.rows([], "day", DAY, NEXT_DAY) == []
    assert await world.service.rows([point], "day", DAY, DAY) == []


async def test_too_much_is_refused_before_work(tmp_path: Path) -> None:
    point = make_point()
    world = World(tmp_path, point, limits=RollupLimits(points_max=2, point_days_max=40, slots_max=200))
    with pytest.raises(QueryTooLarge, match="point-days"):
        await world.service.rows([point], "month", DAY, DAY + datetime.timedelta(days=30))
    with pytest.raises(QueryTooLarge, match="3 points"):
        await world.service.rows([point] * 3, "day", DAY, NEXT_DAY)
    with pytest.raises(QueryTooLarge, match="288 slots"):
        await world.service.load_curve([point], DAY, 5 * MINUTE_US)
    with pytest.raises(QueryTooLarge, match="3 points"):
        await world.service.load_curve([point] * 3, DAY, HOUR_US)
    assert world.store.read_count == 0
    await world.service.close()


async def test_a_day_of_nothing_is_read_once_until_it_is_marked(world: World, point: Point) -> None:
    world.store.put(1, quarters(1.0))
    for _ in range(2):
        rows = await world.service.rows([point], "day", DAY, DAY + datetime.timedelta(days=20))
        read_count, world.store.read_count = world.store.read_count, 0
    assert (read_count, rows[9].energy, rows[9].revision) == (0, None, 0)
    world.store.put(1, quarters(1.0, start_us=START_US + 9 * DAY_US))
    rows = await world.service.rows([point], "day", DAY, DAY + datetime.timedelta(days=20))
    assert (rows[9].energy, rows[9].revision) == (96.0, 1)


async def test_a_day_of_nothing_is_looked_at_again_when_a_later_reading_bridges_it(world: World) -> None:
    register = world.directory.replace(make_point(1, PointKind.REGISTER))
    world.store.put(1, {START_US: 0.0})
    assert (await world.row(register, DAY + datetime.timedelta(days=3))).energy is None
    world.store.put(1, {START_US + 10 * DAY_US: 1000.0})
    assert (await world.row(register, DAY + datetime.timedelta(days=3))).energy == 100.0


async def test_a_day_of_nothing_is_looked_at_again_when_its_point_changes(world: World, point: Point) -> None:
    world.store.put(1, {START_US: 1.0})
    world.clock.advance(60)
    assert (await world.row(point, DAY + datetime.timedelta(days=1))).energy is None
    longer = world.directory.replace(make_point(1, interval_us=2 * DAY_US))
    assert (await world.row(longer, DAY + datetime.timedelta(days=1))).energy == 0.5


async def test_a_forgotten_mark_does_not_hide_a_day(world: World, point: Point) -> None:
    assert (await world.row(point)).energy is None
    world.store.put(1, quarters(1.0))
    await world.service._days.forget_unkept()
    assert (await world.row(point)).energy == 96.0


async def test_ten_thousand_years_are_refused_before_a_period_is_built(
    world: World, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(calendar, "periods_of")
    with pytest.raises(QueryTooLarge, match="3651694 days"):
        await world.service.rows([point], "day", date("0001-01-01"), date("9999-01-01"))


async def test_a_date_without_end_is_refused(world: World, point: Point) -> None:
    with pytest.raises(TimeError):
        await world.service.rows([point], "year", date("9999-01-01"), date("9999-01-02"))


async def test_revisions_of_a_day(world: World, point: Point) -> None:
    for energy in (1.0, 2.0, 3.0):
        world.store.put(1, {START_US: energy})
        await world.row(point)
        world.clock.advance(60)
    versions = await world.service.revisions(point, "day", DAY)
    assert [(row.revision, row.energy) for row in versions] == [(1, 1.0), (2, 2.0), (3, 3.0)]


async def test_revisions_of_a_month_follow_its_days(world: World, point: Point) -> None:
    world.store.put(1, {START_US: 1.0})
    await world.service.rows([point], "month", DAY, NEXT_DAY)
    world.clock.advance(60)
    world.store.put(1, {START_US + DAY_US: 2.0})
    await world.service.rows([point], "month", DAY, NEXT_DAY)
    world.clock.advance(60)
    world.store.put(1, {START_US: 10.0})
    versions = await world.service.revisions(point, "month", DAY)
    assert [row.energy for row in versions] == [1.0, 3.0, 12.0]
    assert [row.revision for row in versions] == [1, 2, 3]


async def test_versions_of_a_running_day_are_not_kept(world: World, point: Point) -> None:
    world.clock.set_wall(START_US + HOUR_US)
    world.store.put(1, {START_US: 1.0})
    await world.row(point)
    world.clock.advance(60)
    world.store.put(1, {START_US + QUARTER_US: 1.0})
    await world.row(point)
    assert [row.energy for row in await world.service.revisions(point, "day", DAY)] == [2.0]


async def test_marks_of_a_removed_point_are_dropped(world: World, point: Point) -> None:
    world.store.put(1, {START_US: 1.0})
    assert world.service.pending_count > 0
    world.directory.remove(1)
    async with background(world.service):
        await until(lambda: world.service.pending_count == 0)


async def test_too_many_dirty_days_keep_only_those_with_figures(tmp_path: Path) -> None:
    point = make_point()
    world = World(tmp_path, point, limits=RollupLimits(pending_days_max=3, background_share=0.0))
    await world.service.open()
    world.store.put(1, quarters(1.0))
    await world.row(point)
    world.store.put(1, {START_US + day * DAY_US: 1.0 for day in range(10)})
    async with background(world.service):
        await until(lambda: world.service.pending_count <= 3)
    rows = await world.service.rows([point], "day", DAY, DAY + datetime.timedelta(days=10))
    assert [row.energy for row in rows] == [96.0] + [1.0] * 9
    await world.service.close()


async def test_the_curve_of_one_point(world: World, point: Point) -> None:
    world.store.put(1, {START_US: 157.18, START_US + QUARTER_US: 3.0})
    found = await world.service.load_curve([point], DAY, QUARTER_US)
    assert len(found.edges_us) == 97
    assert found.curves[0].value[:2].tolist() == [628.72, 12.0]
    assert (found.unit, found.energy_unit, found.summary.energy) == ("kW", "kWh", 160.18)
    assert found.missing_count.tolist() == [0, 0] + [1] * 94


async def test_the_curve_of_several_points_tells_what_is_missing(world: World, point: Point) -> None:
    other = world.directory.replace(make_point(2, PointKind.MEAN_POWER, "kW", interval_us=MINUTE_US))
    world.store.put(1, quarters(0.1, 2))
    world.store.put(2, {START_US + minute * MINUTE_US: 0.2 for minute in range(15)})
    found = await world.service.load_curve([point, other], DAY, QUARTER_US)
    assert found.total.value[:2].tolist() == [0.6, 0.4]
    assert found.total.state[:3].tolist() == [SlotState.COMPLETE, SlotState.PARTIAL, SlotState.MISSING]
    assert found.missing_count[:3].tolist() == [0, 1, 2]
    assert [summary.energy for summary in found.summaries()] == [0.2, 0.05]
    assert found.summary.energy == 0.25


async def test_points_that_do_not_add_up_are_refused(world: World, point: Point) -> None:
    voltage = make_point(3, PointKind.INSTANTANEOUS, "V")
    with pytest.raises(UnitError, match="do not add up"):
        await world.service.load_curve([point, voltage], DAY, QUARTER_US)


async def test_a_curve_of_volts_has_no_energy(world: World) -> None:
    voltage = world.directory.replace(make_point(3, PointKind.INSTANTANEOUS, "V"))
    world.store.put(3, quarters(230.0))
    summary = (await world.service.load_curve([voltage], DAY, QUARTER_US)).summary
    assert (summary.energy, summary.load_factor, summary.mean) == (None, None, 230.0)


async def test_a_curve_in_another_zone(world: World, point: Point) -> None:
    world.store.put(1, {START_US: 1.0})
    found = await world.service.load_curve([point], date("2026-11-19"), HOUR_US, load_zone("UTC"))
    assert found.curves[0].value[16] == 4.0
    assert found.curves[0].state[16] == SlotState.PARTIAL


async def test_the_sum_of_steady_points_is_that_of_their_curves(world: World) -> None:
    points = [
        world.directory.replace(make_point(number, PointKind.MEAN_POWER, "kW", multiplier=float(number)))
        for number in (2, 3, 4)
    ]
    for point in points:
        world.store.put(point.id, quarters(point.id / 10, 90 + point.id))
    ids = np.array([point.id for point in points])
    quick = await world.service.sum_curve(ids, DAY, QUARTER_US)
    slow = await world.service.load_curve(points, DAY, QUARTER_US)
    assert quick.curves == []
    assert quick.expected_count == 3 * 96
    for one, other in zip(quick.total, slow.total, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (quick.summary, quick.unit, quick.energy_unit) == (slow.summary, slow.unit, slow.energy_unit)
    assert quick.missing_count.tolist() == slow.missing_count.tolist()


async def test_a_sum_that_is_not_steady_has_its_curves(world: World) -> None:
    points = [world.directory.replace(make_point(number, PointKind.MEAN_POWER, "kW")) for number in (2, 3)]
    world.store.put(2, {START_US + 1: 4.0})
    found = await world.service.sum_curve(np.array([2, 3]), DAY, QUARTER_US)
    assert len(found.curves) == 2
    assert found.summary.energy == (await world.service.load_curve(points, DAY, QUARTER_US)).summary.energy


async def test_only_columns_wanted_are_filled(world: World) -> None:
    found = await world.service.columns(world.ids(), "day", DAY, NEXT_DAY, wanted=frozenset({"energy"}))
    assert np.isnan(found.columns.energy).tolist() == [True]
    assert len(found.columns.max_value) == len(found.columns.received) == 0


async def test_a_long_time_is_folded_in_parts(tmp_path: Path) -> None:
    limits = RollupLimits(figures_bytes_max=0)
    world = World(tmp_path, make_point(), limits=limits)
    await world.service.open()
    starts = [calendar.day_start_us(datetime.date(year, 6, 1), SHANGHAI) for year in range(2020, 2026)]
    world.store.put(1, {start_us: float(number) for number, start_us in enumerate(starts)})
    rows = await world.service.rows(
        [world.directory.by_id(1)], "year", date("2020-01-01"), date("2026-01-01")
    )
    assert [row.energy for row in rows] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    months = await world.service.rows(
        [world.directory.by_id(1)], "month", date("2020-01-01"), date("2026-01-01")
    )
    assert [row.energy for row in months if row.energy is not None] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert [row.period_start_us for row in months] == sorted(row.period_start_us for row in months)
    await world.service.close()


async def test_the_background_stands_back_while_samples_wait(tmp_path: Path) -> None:
    world = World(tmp_path, make_point())
    world.service = RollupService(
        world.store, world.directory, tmp_path / "busy.db", world.clock, None, lambda: True
    )
    world.store.markers = [world.service]
    await world.service.open()
    world.store.put(1, quarters(1.0))
    async with background(world.service):
        start_s = world.clock.monotonic_s()
        await until(lambda: world.clock.monotonic_s() > start_s + service.BUSY_WAIT_S / 2)
        assert world.store.read_count == 0
        await until(lambda: world.service.pending_count == 0)
        assert world.clock.monotonic_s() >= start_s + service.BUSY_WAIT_S
    assert world.store.read_count > 0
    await world.service.close()
