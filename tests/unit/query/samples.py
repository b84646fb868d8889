"""What the query tests share: points, runs written as short tuples, and a reader over plain lists."""

from collections.abc import Sequence

import msgspec
import numpy as np

from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import LastBlock, RunBlock, SampleRun, block_of, empty_run, last_block_of

INTERVAL_US = 15 * MINUTE_US

Sample = tuple[int, float] | tuple[int, float, int]


def make_point(kind: PointKind = PointKind.INSTANTANEOUS, **attributes: object) -> Point:
    point = Point(id=1, name="p", unit="kW", kind=kind, interval_us=INTERVAL_US)
    return msgspec.structs.replace(point, **attributes)


def make_run(samples: Sequence[Sample], point_id: int = 1) -> SampleRun:
    """From (time, value) or (time, value, quality); sequences count from 1."""
    return SampleRun(
        point_id,
        np.array([sample[0] for sample in samples], np.int64),
        np.array([sample[1] for sample in samples], np.float64),
        np.array([sample[2] if len(sample) == 3 else 0 for sample in samples], np.uint16),
    )


class MemoryReader:
    """A `SampleReader` over one run for each point; counts what it gave out."""

    def __init__(self, *runs: SampleRun) -> None:
        self._runs = {run.point_id: run for run in runs}
        self.read_count = 0
        self.given_sample_count = 0

    async def read(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[SampleRun]:
        self.read_count += 1
        runs = [self._run(point_id).between(start_us, end_us) for point_id in point_ids]
        self.given_sample_count += sum(run.sample_count for run in runs)
        return runs

    async def read_block(self, point_ids: Sequence[int], start_us: int, end_us: int) -> RunBlock:
        return block_of(await self.read(point_ids, start_us, end_us))

    async def last_block(self, point_ids: Sequence[int]) -> LastBlock:
        return last_block_of(await self.last(point_ids))

    async def last(self, point_ids: Sequence[int]) -> list[SampleRun]:
        return [_at(self._run(point_id), self._run(point_id).sample_count - 1) for point_id in point_ids]

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        run = self._run(point_id)
        index = int(np.searchsorted(run.time_us, time_us, side="right"))
        return _at(run, index - 1), _at(run, index)

    def _run(self, point_id: int) -> SampleRun:
        return self._runs.get(point_id, empty_run(point_id))


def _at(run: SampleRun, index: int) -> SampleRun:
    if not 0 <= index < run.sample_count:
        return empty_run(run.point_id)
    part = slice(index, index + 1)
    return SampleRun(run.point_id, run.time_us[part], run.value[part], run.quality[part])
