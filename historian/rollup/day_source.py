"""Reads the runs that figures are made from: the days asked for, and as far beyond as samples reach."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from historian.energy import register, register_kernels, sample_period
from historian.model.point import Point, PointKind
from historian.model.ports import SampleReader
from historian.model.sample import RunBlock, SampleRun, block_of
from historian.rollup import day_figure

Mask = npt.NDArray[np.bool_]

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


async def with_neighbours(
    reader: SampleReader, block: RunBlock, start_us: int, end_us: int, read_until_us: int
) -> RunBlock:
    """A block of registers' readings, complete for ``[start_us, end_us)``; it was read up to `read_until_us`.

    Mostly there are readings close beyond both ends. The store is asked for the others only, and not for what is
    later than its newest.
    """
    lacks_before, lacks_after = lacking(block, start_us, end_us)
    late = np.flatnonzero(lacks_after)
    if len(late):
        last = await reader.last_block(block.point_id[late])
        lacks_after[late] = last.is_found & (last.time_us >= read_until_us)
    runs = {
        row: await _with_neighbours(reader, block.run(row), start_us, end_us)
        for row in np.flatnonzero(lacks_before | lacks_after).tolist()
    }
    return replaced(block, runs)


async def reading_before(reader: SampleReader, point_id: int, time_us: int) -> SampleRun:
    """The last usable sample at or before `time_us`, as a run of one or none; and where a register may have shown it
    by mistake, the one before that too.
    """
    found = await _usable_before(reader, point_id, time_us)
    if found.sample_count == 0 or not register.needs_neighbour(float(found.value[0])):
        return found
    return _joined([await _usable_before(reader, point_id, int(found.time_us[0]) - 1), found])


async def reading_after(reader: SampleReader, point_id: int, time_us: int) -> SampleRun:
    """The first usable sample after `time_us`, as `reading_before`."""
    found = await _usable_after(reader, point_id, time_us)
    if found.sample_count == 0 or not register.needs_neighbour(float(found.value[0])):
        return found
    return _joined([found, await _usable_after(reader, point_id, int(found.time_us[0]))])


async def _usable_before(reader: SampleReader, point_id: int, time_us: int) -> SampleRun:
    for _ in range(UNUSABLE_READINGS_MAX):
        before, _after = await reader.neighbours(point_id, time_us)
        if before.sample_count == 0 or sample_period.readings(before).sample_count:
            return before
        time_us = int(before.time_us[0]) - 1
    return before.between(0, 0)


async def _usable_after(reader: SampleReader, point_id: int, time_us: int) -> SampleRun:
    for _ in range(UNUSABLE_READINGS_MAX):
        _before, after = await reader.neighbours(point_id, time_us)
        if after.sample_count == 0 or sample_period.readings(after).sample_count:
            return after
        time_us = int(after.time_us[0])
    return after.between(0, 0)


async def _with_neighbours(reader: SampleReader, run: SampleRun, start_us: int, end_us: int) -> SampleRun:
    before, after = lacking(block_of([run]), start_us, end_us)
    parts = [run]
    if before[0]:
        earliest_us = int(run.time_us[0]) - 1 if run.sample_count else start_us
        parts.insert(0, await reading_before(reader, run.point_id, min(earliest_us, start_us)))
    if after[0]:
        latest_us = int(run.time_us[-1]) if run.sample_count else end_us - 1
        parts.append(await reading_after(reader, run.point_id, max(latest_us, end_us - 1)))
    return run if len(parts) == 1 else _joined(parts)


def lacking(block: RunBlock, start_us: int, end_us: int) -> tuple[Mask, Mask]:
    """Of each run whether it has not what decides the first moment, and the last: a usable reading beyond, and where
    that is one that a register may have shown by mistake, another.
    """
    is_used = register.is_reading(block.quality)
    is_sure = is_used & ~((block.value >= 0.0) & (block.value < register_kernels.NEAR_ZERO))
    is_before, is_after = block.time_us <= start_us, block.time_us >= end_us
    return _lacks(block, is_used & is_before, is_sure & is_before), _lacks(
        block, is_used & is_after, is_sure & is_after
    )


def _lacks(block: RunBlock, is_used: Mask, is_sure: Mask) -> Mask:
    lacks: Mask = (_count(block, is_used) < 2) & (_count(block, is_sure) == 0)
    return lacks


def _count(block: RunBlock, mask: Mask) -> npt.NDArray[np.int64]:
    before = np.append(0, np.cumsum(mask))
    count: npt.NDArray[np.int64] = before[block.offset[1:]] - before[block.offset[:-1]]
    return count


def replaced(block: RunBlock, runs: Mapping[int, SampleRun]) -> RunBlock:
    """The block with other runs in some rows."""
    if not runs:
        return block
    counts = np.diff(block.offset)
    pieces: list[SampleRun] = []
    first = 0
    for row, run in sorted(runs.items()):
        pieces += [_rows(block, first, row), run]
        counts[row] = run.sample_count
        first = row + 1
    pieces.append(_rows(block, first, block.run_count))
    whole = _joined(pieces)
    return RunBlock(
        block.point_id, np.append(0, np.cumsum(counts)), whole.time_us, whole.value, whole.quality
    )


def _rows(block: RunBlock, first: int, last: int) -> SampleRun:
    """The samples of rows ``[first, last)``, as views."""
    whole = SampleRun(0, block.time_us, block.value, block.quality)
    return whole.part(int(block.offset[first]), int(block.offset[last]))


def _joined(parts: Sequence[SampleRun]) -> SampleRun:
    return SampleRun(
        parts[0].point_id,
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )
