"""A reading is read as far as its samples reach, and made."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.energy.fleet import Ask
from historian.model.point import DAY_US, MINUTE_US, Point, PointKind
from historian.model.sample import make_batch
from historian.model.timestamp import EPOCH, load_zone
from historian.rollup.day_maker import Reading
from historian.rollup.day_reader import DayReader
from historian.rollup.definitions import Definitions
from historian.rollup.point_facts import PointFacts
from historian.store.store import Store
from tests.support.memory_store import MemoryDirectory, MemoryStore
from tests.support.store_kit import START_US, append, open_store, seal

QUARTER_US = 15 * MINUTE_US
DAY = EPOCH.toordinal() + 100


def reader_of(store: MemoryStore | Store, *points: Point) -> DayReader:
    directory = MemoryDirectory(*points)
    facts = PointFacts(directory, Definitions())
    facts.refresh(np.array([point.id for point in points]))
    return DayReader(store, directory, facts, ManualClock(5))


async def test_figures_of_samples_and_of_registers() -> None:
    store = MemoryStore()
    power = Point(id=1, name="p", unit="kW", kind=PointKind.MEAN_POWER, multiplier=2.0)
    register = Point(id=2, name="r", unit="kWh", kind=PointKind.REGISTER)
    store.put(1, {100 * DAY_US: 4.0})
    store.put(2, {100 * DAY_US - QUARTER_US: 1.0, 101 * DAY_US + QUARTER_US: 99.0})
    reader = reader_of(store, power, register)
    for number, total in ((1, 2.0), (2, 96.0)):
        reading = Reading(np.array([number]), load_zone("UTC"), range(DAY, DAY + 1), QUARTER_US, number == 2)
        made = await reader.make(reading, asyncio.to_thread)
        assert made.figures.total_numerator[0, 0] / made.figures.denominator[0, 0] == total
        assert made.computed_at_us == 5
    assert reader.asked(reading).asks == [Ask(PointKind.REGISTER, QUARTER_US, 1.0)]


@pytest.mark.parametrize(
    "odd_points", [[], [3, 7], list(range(1, 9))], ids=["all good", "some bad", "all bad"]
)
@pytest.mark.parametrize("sealed_days", [3, 2, 0])
async def test_where_samples_lie_and_read_out_are_the_same(
    tmp_path: Path, odd_points: list[int], sealed_days: int
) -> None:
    first = EPOCH.toordinal() + START_US // DAY_US
    store, rng = open_store(tmp_path), np.random.default_rng(1)
    ids = np.arange(1, 9)
    for day in range(3):
        if day == sealed_days:
            await seal(store)
        for quarter in range(96):
            quality = np.where(np.isin(ids, odd_points), 5, 0)
            time_us = START_US + day * DAY_US + quarter * QUARTER_US
            await append(store, make_batch(ids, np.full(8, time_us), rng.integers(0, 99, 8) / 10, quality))
    if sealed_days == 3:
        await seal(store)
    points = [Point(id=one, name=f"p{one}", unit="kW", kind=PointKind.MEAN_POWER) for one in ids.tolist()]
    reader = reader_of(store, *points)
    reading = Reading(ids, load_zone("UTC"), range(first, first + 3), QUARTER_US, False)
    whole = await reader.make(reading, asyncio.to_thread)
    seen = set[tuple[int, int]]()
    async for made in reader.make_all(reading, asyncio.to_thread):
        rows = np.searchsorted(ids, made.reading.point_id)
        days = np.array(made.reading.days) - first
        for name, column in made.figures._asdict().items():
            np.testing.assert_array_equal(column, getattr(whole.figures, name)[np.ix_(rows, days)], name)
        pairs = {(row, day) for row in rows.tolist() for day in days.tolist()}
        assert not seen & pairs
        seen |= pairs
    assert len(seen) == 24
    await store.close()
