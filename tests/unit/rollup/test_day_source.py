"""Runs reach as far beyond the days as samples do."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, Point, PointKind
from historian.model.sample import SampleRun
from historian.rollup import day_source
from tests.support.memory_store import MemoryStore
from tests.unit.rollup.test_service import DAY, QUARTER_US, START_US, World
from tests.unit.rollup.test_service import make_point as point_of


def make_point(kind: PointKind, point_id: int = 1) -> Point:
    return Point(id=point_id, name=f"p{point_id}", unit="kWh", kind=kind, interval_us=HOUR_US)


def hours(run: SampleRun) -> list[int]:
    return (run.time_us // HOUR_US).tolist()


def store_of(good: list[int], bad: list[int] | None = None) -> MemoryStore:
    store = MemoryStore()
    store.put(1, {hour * HOUR_US: float(hour) for hour in good})
    store.put(1, {hour * HOUR_US: 0.0 for hour in bad or []}, quality.BAD)
    return store


async def read(store: MemoryStore, kind: PointKind, first: int, last: int) -> list[int]:
    runs = await day_source.read_runs(store, [make_point(kind)], first * HOUR_US, last * HOUR_US)
    return hours(runs[0])


async def test_two_intervals_beyond_both_ends() -> None:
    assert await read(store_of(list(range(20))), PointKind.INTERVAL, 8, 10) == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        pytest.param([1, 3, 12, 15, 40, 50], [], [3, 12, 15, 40], id="far neighbours"),
        pytest.param([1, 10, 20, 50], [], [10, 20], id="readings on both ends need no others"),
        pytest.param([1, 9, 21, 50], [], [9, 21], id="near neighbours are enough"),
        pytest.param([3, 40], [], [3, 40], id="nothing inside"),
        pytest.param([12], [], [12], id="no neighbours"),
        pytest.param([], [], [], id="nothing at all"),
        pytest.param([1, 12, 60], [4, 5, 9, 21, 40], [1, 9, 12, 21, 60], id="bad readings are passed over"),
        pytest.param([], [4, 9, 40], [9], id="only bad readings"),
        pytest.param([0, 40, 50], [12], [0, 12, 40], id="near zero and nothing before it"),
    ],
)
async def test_a_registers_run_ends_with_usable_readings_beyond(
    good: list[int], bad: list[int], expected: list[int]
) -> None:
    assert await read(store_of(good, bad), PointKind.REGISTER, 10, 20) == expected


async def test_a_reading_near_zero_is_not_the_last_one_needed() -> None:
    store = store_of([1, 12, 50])
    store.put(1, {3 * HOUR_US: 0.0, 10 * HOUR_US: 0.5, 40 * HOUR_US: 0.0})
    assert await read(store, PointKind.REGISTER, 10, 20) == [1, 3, 10, 12, 40, 50]
    assert await read(store, PointKind.REGISTER, 3, 5) == [1, 3, 10, 12]
    assert hours(await day_source.reading_before(store, 1, 45 * HOUR_US)) == [12, 40]
    assert hours(await day_source.reading_after(store, 1, 39 * HOUR_US)) == [40, 50]


@pytest.mark.parametrize("span", [(10, 20), (0, 5), (19, 90), (3, 4)], ids=str)
async def test_a_block_is_completed_as_single_runs_are(span: tuple[int, int]) -> None:
    store, ids = MemoryStore(), list(range(1, 9))
    rng = np.random.default_rng(3)
    for one in ids[:-1]:
        times = np.unique(rng.integers(0, 100, 5 * one)) * HOUR_US
        store.put(one, dict(zip(times.tolist(), rng.integers(0, 4, len(times)).tolist(), strict=True)))
        store.put(one, {int(times[0]): 7.0}, quality.BAD)
    start_us, end_us = span[0] * HOUR_US, span[1] * HOUR_US
    points = [make_point(PointKind.REGISTER, one) for one in ids]
    expected = await day_source.read_runs(store, points, start_us, end_us)
    block = await store.read_block(ids, start_us - 2 * HOUR_US, end_us + 2 * HOUR_US)
    found = await day_source.with_neighbours(store, block, start_us, end_us, end_us + 2 * HOUR_US)
    assert [hours(run) for run in found.runs()] == [hours(run) for run in expected]
    assert [run.value.tolist() for run in found.runs()] == [run.value.tolist() for run in expected]


async def test_the_store_is_asked_only_for_what_it_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of([8, 9, 10, 12, 15])
    block = await store.read_block([1], 8 * HOUR_US, 22 * HOUR_US)

    async def refuse(point_id: int, time_us: int) -> None:
        raise AssertionError("nothing is later, and enough is earlier")

    monkeypatch.setattr(store, "neighbours", refuse)
    assert (await day_source.with_neighbours(store, block, 10 * HOUR_US, 20 * HOUR_US, 22 * HOUR_US)) is block


async def test_the_search_for_a_usable_reading_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_source, "UNUSABLE_READINGS_MAX", 3)
    store = store_of([0, 90], list(range(1, 20)))
    assert hours(await day_source.reading_before(store, 1, 15 * HOUR_US)) == []
    assert hours(await day_source.reading_after(store, 1, 2 * HOUR_US)) == []
    assert hours(await day_source.reading_before(store, 1, 2 * HOUR_US)) == [0]
    assert hours(await day_source.reading_after(store, 1, 18 * HOUR_US)) == [90]


async def test_runs_come_in_the_order_of_the_points() -> None:
    store = store_of([10])
    store.put(2, {10 * HOUR_US: 1.0, 11 * HOUR_US: 2.0})
    points = [make_point(PointKind.INTERVAL, 2), make_point(PointKind.REGISTER, 1)]
    runs = await day_source.read_runs(store, points, 10 * HOUR_US, 12 * HOUR_US)
    assert [(run.point_id, run.sample_count) for run in runs] == [(2, 2), (1, 1)]


async def test_a_lone_zero_at_midnight_is_set_aside_on_both_days(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.service.open()
    register = world.directory.replace(point_of(4, PointKind.REGISTER, "kWh"))
    days = (DAY, DAY + datetime.timedelta(days=2))
    world.store.put(4, {START_US + slot * QUARTER_US: 1000.0 + slot for slot in range(193)})
    assert [row.energy for row in await world.service.rows([register], "day", *days)] == [96.0, 96.0]
    world.store.put(4, {START_US + DAY_US: 0.0})
    assert [row.energy for row in await world.service.rows([register], "day", *days)] == [96.0, 96.0]
    assert [row.coverage.good for row in await world.service.rows([register], "day", *days)] == [96, 96]
    world.store.put(4, {START_US + DAY_US + QUARTER_US: 500.0})
    energies = [row.energy for row in await world.service.rows([register], "day", *days)]
    assert energies == [95.0, 500.0 + (1098 - 500) + 94], "not back up: the register began anew"
    await world.service.close()
