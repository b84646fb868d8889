"""A reading is read as far as its samples reach, and made."""

import asyncio

import numpy as np

from historian.clock import ManualClock
from historian.energy.fleet import Ask
from historian.model.point import DAY_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import EPOCH, load_zone
from historian.rollup.day_maker import Reading
from historian.rollup.day_reader import DayReader
from historian.rollup.definitions import Definitions
from historian.rollup.point_facts import PointFacts
from tests.support.memory_store import MemoryDirectory, MemoryStore

QUARTER_US = 15 * MINUTE_US
DAY = EPOCH.toordinal() + 100


def reader_of(store: MemoryStore, *points: Point) -> DayReader:
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
