"""Runs reach as far beyond the days as samples do."""

import pytest

from historian.model import quality
from historian.model.point import HOUR_US, Point, PointKind
from historian.model.sample import SampleRun
from historian.rollup import day_source
from tests.support.memory_store import MemoryStore


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
    ],
)
async def test_a_registers_run_ends_with_usable_readings_beyond(
    good: list[int], bad: list[int], expected: list[int]
) -> None:
    assert await read(store_of(good, bad), PointKind.REGISTER, 10, 20) == expected


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
