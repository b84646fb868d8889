"""Reads the runs that figures are made from: the days asked for, and as far beyond as samples reach."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from historian.energy import sample_period
from historian.model.point import Point, PointKind
from historian.model.ports import SampleReader
from historian.model.sample import SampleRun
from historian.rollup import day_figure

UNUSABLE_READINGS_MAX: Final = 1_000  # passed over in search of a register's neighbour


async def read_runs(
    reader: SampleReader, points: Sequence[Point], start_us: int, end_us: int
) -> list[SampleRun]:
    """One run a point, enough to make any figure within ``[start_us, end_us)``.

    All points of a call should have about the same interval: the longest decides how far is read beyond.
    A register's run begins and ends with a usable reading beyond the range, where there is one.
    """
    margin_us = max((day_figure.margin_us(point.interval_us) for point in points), default=0)
    runs = await reader.read([point.id for point in points], start_us - margin_us, end_us + margin_us)
    return [
        await _with_neighbours(reader, run, start_us, end_us) if point.kind is PointKind.REGISTER else run
        for point, run in zip(points, runs, strict=True)
    ]


async def reading_before(reader: SampleReader, point_id: int, time_us: int) -> SampleRun:
    """The last usable sample at or before `time_us`, as a run of one or none."""
    for _ in range(UNUSABLE_READINGS_MAX):
        before, _after = await reader.neighbours(point_id, time_us)
        if before.sample_count == 0 or sample_period.readings(before).sample_count:
            return before
        time_us = int(before.time_us[0]) - 1
    return before.between(0, 0)


async def reading_after(reader: SampleReader, point_id: int, time_us: int) -> SampleRun:
    """The first usable sample after `time_us`, as a run of one or none."""
    for _ in range(UNUSABLE_READINGS_MAX):
        _before, after = await reader.neighbours(point_id, time_us)
        if after.sample_count == 0 or sample_period.readings(after).sample_count:
            return after
        time_us = int(after.time_us[0])
    return after.between(0, 0)


async def _with_neighbours(reader: SampleReader, run: SampleRun, start_us: int, end_us: int) -> SampleRun:
    times_us = sample_period.readings(run).time_us
    parts = [run]
    if len(times_us) == 0 or times_us[0] > start_us:
        earliest_us = int(run.time_us[0]) - 1 if run.sample_count else start_us
        parts.insert(0, await reading_before(reader, run.point_id, min(earliest_us, start_us)))
    if len(times_us) == 0 or times_us[-1] < end_us:
        latest_us = int(run.time_us[-1]) if run.sample_count else end_us - 1
        parts.append(await reading_after(reader, run.point_id, max(latest_us, end_us - 1)))
    if len(parts) == 1:
        return run
    return SampleRun(
        run.point_id,
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )
