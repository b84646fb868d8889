"""No question waits for the compiler."""

import datetime
from pathlib import Path

from historian.energy import calendar, steady_kernels
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.timestamp import load_zone
from historian.rollup import figure_kernels, fold_kernels, mark_kernels, period_kernels, warm
from tests.unit.rollup.test_service import DAY, World

KERNELS = (
    steady_kernels.make_figures, steady_kernels.take_over, steady_kernels.sum_runs, figure_kernels.find_wrong,
    figure_kernels.mark_dirty, figure_kernels.judge, figure_kernels.set_state, figure_kernels.put_rows,
    period_kernels.fold_states, period_kernels.fold_energy, period_kernels.fold_ratios,
    fold_kernels.fold_extreme, fold_kernels.fold_single_days, period_kernels.fold_counts, mark_kernels.mark_day,
    mark_kernels.find_days,
)  # fmt: skip


async def test_questions_after_warming_compile_nothing(tmp_path: Path) -> None:
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
    await world.service.rows(points, "day", DAY, DAY + datetime.timedelta(days=3), load_zone("Asia/Tokyo"))
    await world.service.close()
    assert [len(kernel.signatures) for kernel in KERNELS] == known
