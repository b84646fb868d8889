"""One recomputation at a time, and no mark is lost on the way."""

import asyncio
import datetime
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from historian.clock import ManualClock
from historian.energy import calendar
from historian.errors import StoreError
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import RunBlock
from historian.model.timestamp import load_zone
from historian.rollup.day_keeper import DayKeeper
from historian.rollup.day_table import DayTable
from tests.support.memory_store import MemoryDirectory, MemoryStore

DATE = datetime.date(2026, 11, 20)
DAYS = calendar.period_of(DATE, "day")
START_US = calendar.day_start_us(DATE, load_zone("Asia/Shanghai"))
POINT = Point(id=1, name="p", unit="kW", kind=PointKind.MEAN_POWER, interval_us=15 * MINUTE_US)


class GatedStore(MemoryStore):
    """A store whose reading waits for a gate, after it has looked at the samples."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.has_read = asyncio.Event()

    async def read_block(self, point_ids: Sequence[int], start_us: int, end_us: int) -> RunBlock:
        block = await super().read_block(point_ids, start_us, end_us)
        self.has_read.set()
        await self.gate.wait()
        return block


class Bench(DayKeeper):
    """A keeper with the store it reads from."""

    def __init__(self, path: Path) -> None:
        self.store = GatedStore()
        super().__init__(self.store, MemoryDirectory(POINT), DayTable(path), ManualClock(START_US))
        self.store.markers = [self.dirty]

    async def energy(self) -> float:
        figures = await self.figures([POINT], DAYS)
        return float(figures[0][DATE.toordinal()].total)


@pytest.fixture
async def keeper(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "figures.db")
    await made.open()
    yield made
    await made.close()


async def test_the_start_does_not_wait_for_the_figures_of_the_log_but_questions_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, gate = Bench(tmp_path / "figures.db"), threading.Event()
    monkeypatch.setattr(keeper._frames, "open", gate.wait)
    await keeper.open()
    keeper.store.put(1, {START_US: 4.0})
    asking = asyncio.create_task(keeper.energy())
    await asyncio.sleep(0)
    assert not asking.done()
    gate.set()
    assert await asking == 1.0
    await keeper.close()


async def test_a_log_that_cannot_be_read_fails_every_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreError("figures.db: damaged")

    keeper = Bench(tmp_path / "figures.db")
    monkeypatch.setattr(keeper._frames, "open", fail)
    await keeper.open()
    keeper.store.put(1, {START_US: 4.0})
    with pytest.raises(StoreError, match="damaged"):
        await keeper.energy()
    keeper._worker.shutdown()


async def test_a_mark_during_a_recomputation_is_not_lost(keeper: Bench) -> None:
    keeper.store.put(1, {START_US: 4.0})
    keeper.store.gate.clear()
    first = asyncio.create_task(keeper.energy())
    await keeper.store.has_read.wait()
    keeper.store.put(1, {START_US: 8.0})
    keeper.store.gate.set()
    assert await first == 1.0
    assert await keeper.energy() == 2.0


async def test_a_second_reader_waits_for_the_first(keeper: Bench) -> None:
    keeper.store.put(1, {START_US: 4.0})
    keeper.store.gate.clear()
    first = asyncio.create_task(keeper.energy())
    await keeper.store.has_read.wait()
    second = asyncio.create_task(keeper.energy())
    await asyncio.sleep(0)
    assert not second.done()
    keeper.store.gate.set()
    assert (await first, await second) == (1.0, 1.0)
    assert keeper.store.read_count == 1


async def test_saving_waits_until_the_figures_under_way_are_stored(keeper: Bench) -> None:
    keeper.store.put(1, {START_US: 4.0})
    keeper.store.gate.clear()
    making = asyncio.create_task(keeper.energy())
    await keeper.store.has_read.wait()
    saving = asyncio.create_task(keeper.flush())
    await asyncio.sleep(0)
    assert not saving.done()
    keeper.store.gate.set()
    await saving
    assert making.done()


async def test_a_cancelled_recomputation_leaves_the_day_dirty(keeper: Bench) -> None:
    keeper.store.put(1, {START_US: 4.0})
    await keeper.energy()
    keeper.store.put(1, {START_US: 8.0})
    keeper.store.gate.clear()
    keeper.store.has_read.clear()
    making = asyncio.create_task(keeper.energy())
    await keeper.store.has_read.wait()
    assert keeper.making_count == 1
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    keeper.store.gate.set()
    assert (keeper.making_count, len(keeper.dirty.settle())) == (0, 1)
    assert await keeper.energy() == 2.0


async def test_the_background_goes_on_where_it_ended(keeper: Bench) -> None:
    day_us = 96 * POINT.interval_us
    keeper.store.put(1, {START_US + number * day_us: 4.0 for number in (3, 0, 2, 1)})
    assert await keeper.refresh(2) == 2
    assert keeper.dirty.settle().days_of(1) == [DATE.toordinal() + 2, DATE.toordinal() + 3]
    keeper.store.put(1, {START_US: 5.0})
    assert await keeper.refresh(2) == 2
    assert keeper.dirty.settle().days_of(1) == [DATE.toordinal()]
    assert (await keeper.refresh(2), await keeper.refresh(2)) == (1, 0)


async def test_the_same_question_again_reads_no_samples(keeper: Bench) -> None:
    keeper.store.put(1, {START_US: 4.0})
    assert [await keeper.energy() for _ in range(3)] == [1.0] * 3
    assert keeper.store.read_count == 1


async def test_a_question_larger_than_the_memory_is_answered_in_parts(tmp_path: Path) -> None:
    points = [msgspec.structs.replace(POINT, id=256 * number + 1) for number in range(80)]
    store, clock = MemoryStore(), ManualClock(START_US + 10**12)
    keeper = DayKeeper(store, MemoryDirectory(*points), DayTable(tmp_path / "f.db"), clock, 0)
    await keeper.open()
    for point in points:
        store.put(point.id, {START_US: float(point.id)})
    for _ in range(2):
        found = await keeper.figures(points, DAYS)
        assert [float(one[DATE.toordinal()].total) for one in found] == [point.id / 4 for point in points]
    assert store.read_count <= 80
    await keeper.close()
