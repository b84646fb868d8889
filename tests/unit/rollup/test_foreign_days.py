"""Days of a zone that is not the points' own: made each time, where samples lie if the store shows that."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from historian.clock import ManualClock
from historian.energy.calendar import DateRange
from historian.energy.packed import Needs
from historian.errors import SegmentCorrupt
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import RunBlock, make_batch
from historian.model.timestamp import load_zone
from historian.rollup import foreign_days
from historian.rollup.definitions import Definitions
from historian.rollup.foreign_days import ForeignDays
from historian.rollup.found import Found
from historian.rollup.point_facts import PointFacts
from historian.store import maintenance
from historian.store.store import Store
from tests.support.memory_store import MemoryDirectory, MemoryStore
from tests.support.store_kit import QUARTER_US, START_US, append, no_checkpoint_work, open_store

UTC, TOKYO = load_zone("UTC"), load_zone("Asia/Tokyo")
FIRST = datetime.date(2026, 1, 1)  # that of the store's start
DAYS = DateRange(FIRST, FIRST + datetime.timedelta(days=3))
POINT = Point(id=1, name="p", unit="kW", kind=PointKind.MEAN_POWER, interval_us=15 * MINUTE_US)
POINTS = (
    *(msgspec.structs.replace(POINT, id=number) for number in range(1, 8)),
    msgspec.structs.replace(POINT, id=8, kind=PointKind.REGISTER, unit="kWh"),
    msgspec.structs.replace(POINT, id=9, interval_us=5 * MINUTE_US),
)
IDS = np.array([point.id for point in POINTS])


def days_of(store: MemoryStore | Store, *points: Point) -> ForeignDays:
    directory = MemoryDirectory(*points)
    return ForeignDays(store, directory, PointFacts(directory, Definitions()), ManualClock(START_US))


def in_memory() -> MemoryStore:
    store = MemoryStore()
    for point in POINTS:
        store.put(point.id, {START_US: 4.0 * point.id})
    return store


async def test_their_revision_is_zero() -> None:
    found: list[tuple[float, int]] = []

    def work(part: Found) -> None:
        found.extend((float(one.total), one.revision) for one in part.figures_of(0).values())

    await days_of(in_memory(), POINT).look(np.array([1]), DAYS, UTC, work)
    assert found == [(1.0, 0)]


async def test_points_come_in_any_order_slice_by_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_days, "SLICE_SAMPLES", 96)  # a point
    monkeypatch.setattr(foreign_days, "CELLS_AT_ONCE", 3)  # two parts
    store, totals = in_memory(), dict[int, float]()

    def work(found: Found) -> None:
        for place, row in enumerate(found.rows.tolist()):
            totals[row] = float(next(iter(found.figures_of(place).values())).total)

    day = DateRange(FIRST, FIRST + datetime.timedelta(days=1))
    await days_of(store, *POINTS).look(np.arange(7, 0, -1), day, UTC, work)
    assert store.read_count == 7
    assert [totals[row] for row in range(7)] == [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]


async def test_a_slice_that_cannot_be_read_ends_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> RunBlock:
        raise SegmentCorrupt("a.h5", "is damaged")

    store = in_memory()
    monkeypatch.setattr(store, "read_block", fail)
    with pytest.raises(SegmentCorrupt):
        await days_of(store, POINT).look(np.array([1]), DAYS, UTC, lambda _: None)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Sealed but for what came from a quarter past the second midnight on: everyday, gaps, a substituted value, other times, a register, five minutes."""
    made = open_store(tmp_path)
    random = np.random.default_rng(4)
    for first, last in ((-50, 130), (130, 193), (193, 400)):
        times = START_US + QUARTER_US * np.arange(first, last)
        for number in (1, 2, 3, 5, 6):
            await append(made, make_batch(number, times, random.integers(0, 9999, len(times)) / 10**number))
        some = times[random.random(len(times)) < 0.8]
        await append(made, make_batch(4, some, random.integers(0, 99, len(some)) / 8))
        await append(made, make_batch(5, times[20:21], [1.0], 2 << 2))
        await append(made, make_batch(7, times + 60_000_000, np.ones(len(times))))
        await append(made, make_batch(8, times, np.arange(first, last) + 100.0))
        fine = START_US + 5 * MINUTE_US * np.arange(3 * first, 3 * last)
        await append(made, make_batch(9, fine, np.arange(3 * first, 3 * last) % 50 / 4))
        if last < 400:
            await maintenance.seal_all(made, no_checkpoint_work)
    yield made
    await made.close()


def told(found: list[tuple[int, list[object]]]) -> dict[int, list[object]]:
    return dict(sorted(found))


@pytest.mark.parametrize("zone", [UTC, TOKYO], ids=str)
@pytest.mark.parametrize("part_days", [1000, 2], ids=["at once", "in parts"])
async def test_figures_are_those_of_samples_read_out(
    store: Store, zone: object, part_days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_days, "CELLS_AT_ONCE", part_days * DAYS.day_count)
    answers: list[dict[int, list[object]]] = []
    shown: list[int] = []
    for is_shown in (True, False):
        some, found = days_of(store, *POINTS), list[tuple[int, list[object]]]()
        if not is_shown:
            some._day_reader._packed = None
        make = some._day_reader.make_packed

        async def noted(*arguments: object) -> object:
            made = await make(*arguments)  # type: ignore[arg-type]  # noqa: B023
            shown.append(0 if made is None else len(made.made.reading.days))
            return made

        monkeypatch.setattr(some._day_reader, "make_packed", noted)

        def work(part: Found) -> None:
            for place, row in enumerate(part.rows.tolist()):
                found.append((row, list(part.figures_of(place).values())))  # noqa: B023

        await some.look(IDS, DAYS, load_zone(str(zone)), work)
        answers.append(told(found))
    assert answers[0] == answers[1]
    assert [len(figures) for figures in answers[0].values()] == [DAYS.day_count] * len(POINTS)
    # What is unsealed begins so soon after a midnight of UTC that it might reach into the day before.
    assert max(shown) == (1 if zone is UTC else 2)


async def test_what_is_not_needed_may_be_left_out(store: Store) -> None:
    energy: list[list[float]] = []

    def work(part: Found) -> None:
        place, cells = part.place, part.cells
        frames = place.frames[place.group, 0]
        cell = (place.row << 5) | (DAYS.first.toordinal() & 31)
        energy.append((cells.total_numerator[frames, cell] / cells.denominator[frames, cell]).tolist())

    for needs in (Needs(False, False), Needs(False, True), Needs(True, True)):
        await days_of(store, *POINTS).look(IDS, DAYS, UTC, work, needs)
    assert energy[0] == energy[1] == energy[2]
