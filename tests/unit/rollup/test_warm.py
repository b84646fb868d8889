"""No question waits for the compiler."""

import asyncio
import datetime
from pathlib import Path

import numpy as np

from historian.energy import (
    band_kernels,
    calendar,
    packed_kernels,
    register_day_kernels,
    register_kernels,
    steady_kernels,
    validation_kernels,
)
from historian.energy.calendar import DateRange
from historian.energy.packed import Needs
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import make_batch
from historian.model.timestamp import load_zone
from historian.rollup import figure_kernels, fold_kernels, foreign_kernels, mark_kernels, period_kernels, warm
from historian.rollup.definitions import Definitions
from historian.rollup.foreign_days import ForeignDays
from historian.rollup.point_facts import PointFacts
from historian.store import maintenance
from historian.store import packed_kernels as store_packed_kernels
from historian.store import warm as store_warm
from tests.support.memory_store import MemoryDirectory
from tests.support.store_kit import START_US as STORE_START_US
from tests.support.store_kit import append, no_checkpoint_work, open_store
from tests.unit.rollup.test_service import DAY, World

KERNELS = (
    band_kernels.add_bands,
    steady_kernels.make_figures, steady_kernels.take_over, steady_kernels.sum_runs, figure_kernels.find_wrong,
    figure_kernels.mark_dirty, figure_kernels.judge, figure_kernels.set_state, figure_kernels.put_rows,
    period_kernels.fold_states, period_kernels.fold_energy, period_kernels.fold_ratios,
    fold_kernels.fold_extreme, fold_kernels.fold_single_days, period_kernels.fold_counts, mark_kernels.mark_day,
    mark_kernels.find_days, packed_kernels.raise_exponents, packed_kernels.add_piece, packed_kernels.finish,
    foreign_kernels.put_made, store_packed_kernels.describe, register_day_kernels.make_figures,
    register_kernels.set_aside, register_kernels.judge, validation_kernels.check_runs,
)  # fmt: skip


async def test_questions_after_warming_compile_nothing(tmp_path: Path) -> None:
    await asyncio.to_thread(store_warm.warm_kernels)
    warm.warm_kernels()
    known = [len(kernel.signatures) for kernel in KERNELS]
    assert all(known)
    points = [
        Point(id=number, name=f"p{number}", unit="kW", kind=PointKind.MEAN_POWER, time_zone="UTC")
        for number in (1, 2)
    ]
    world = World(tmp_path, *points)
    await world.service.open()
    start_us = calendar.day_start_us(DAY, load_zone("UTC"))
    for point in points:
        for day in range(3):
            jitter = day * point.id
            world.store.put(
                point.id, {start_us + (96 * day + slot) * 15 * MINUTE_US + jitter: 1.25 for slot in range(96)}
            )
            await world.service.rows(points, "month", DAY, DAY + datetime.timedelta(days=3))
    await world.service.sum_curve(world.ids(), DAY, 15 * MINUTE_US)
    register = world.directory.replace(
        Point(id=3, name="r", unit="kWh", kind=PointKind.REGISTER, time_zone="UTC")
    )
    world.store.put(3, {start_us + slot * 15 * MINUTE_US: slot % 90 for slot in range(-1, 100)})
    await world.service.rows([register], "day", DAY, DAY + datetime.timedelta(days=3))
    await world.service.rows(points, "day", DAY, DAY + datetime.timedelta(days=3), load_zone("Asia/Tokyo"))
    await world.service.close()
    await look_where_samples_lie(tmp_path / "store")
    assert [len(kernel.signatures) for kernel in KERNELS] == known


async def look_where_samples_lie(folder: Path) -> None:
    store = open_store(folder)
    await append(store, make_batch(1, [STORE_START_US], [1.5]))
    await maintenance.seal_all(store, no_checkpoint_work)
    point = Point(id=1, name="p", unit="kW", kind=PointKind.MEAN_POWER)
    facts = PointFacts(MemoryDirectory(point), Definitions())
    days = ForeignDays(store, MemoryDirectory(point), facts, store.clock)
    first = datetime.date(2026, 1, 1)
    span = DateRange(first, first + datetime.timedelta(days=2))
    for needs in (Needs(True, True), Needs(False, False)):
        await days.look(np.array([1]), span, load_zone("UTC"), lambda _: None, needs)
    await store.close()
