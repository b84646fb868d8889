"""The store as it was known at a moment: a reader that sees only what had arrived by then.

Every query function works on it unchanged, so an answer `as_of` a time is the one that was, or would have been, given
at that time: no later correction, no later deletion, no sample that came later.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from historian.clock import Clock
from historian.model.point import HOUR_US
from historian.model.ports import SampleReader
from historian.model.sample import LastBlock, PointIdColumn, RunBlock, SampleRun, Versions, empty_run
from historian.model.timerange import TimeRange
from historian.model.timestamp import TIME_MIN_US
from historian.query import versions

FIRST_WINDOW_US: Final = HOUR_US  # how far the nearest sample is looked for first; then four times as far
WINDOW_GROWTH: Final = 4

Ids = Sequence[int] | PointIdColumn


class AsOfReader:
    """Implements ports.SampleReader over another one, as of a moment.

    `ahead_us` is how far ahead of its arrival a sample may be stamped (the ingest's time fence): nothing is looked
    for beyond that, so that the newest sample of long ago is not searched from today backwards.
    """

    def __init__(self, reader: SampleReader, as_of_us: int, ahead_us: int) -> None:
        self._reader = reader
        self._as_of_us = as_of_us
        self._end_us = as_of_us + ahead_us + 1

    async def read(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[SampleRun]:
        return (await self.read_block(point_ids, start_us, end_us)).runs()

    async def read_block(self, point_ids: Ids, start_us: int, end_us: int) -> RunBlock:
        return versions.newest_block(await self.read_versions(point_ids, start_us, end_us), point_ids)

    async def read_versions(self, point_ids: Ids, start_us: int, end_us: int) -> Versions:
        end_us = min(end_us, max(start_us, self._end_us))
        found = await self._reader.read_versions(point_ids, start_us, end_us)
        return versions.known_at(found, self._as_of_us)

    async def last(self, point_ids: Sequence[int]) -> list[SampleRun]:
        block = await self.last_block(point_ids)
        return [_found_run(point_id, block, row) for row, point_id in enumerate(point_ids)]

    async def last_block(self, point_ids: Ids) -> LastBlock:
        return await self._newest_before(np.asarray(point_ids, np.uint32), self._end_us)

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        ids = np.array([point_id], np.uint32)
        before = await self._newest_before(ids, min(time_us + 1, self._end_us))
        return _found_run(point_id, before, 0), await self._first_from(point_id, time_us + 1)

    async def _newest_before(self, ids: PointIdColumn, end_us: int) -> LastBlock:
        count = len(ids)
        found = LastBlock(
            np.zeros(count, np.bool_), np.zeros(count, np.int64), np.zeros(count), np.zeros(count, np.uint16)
        )
        waiting = np.arange(count)
        for start_us, before_us in self._windows_down(end_us):
            if len(waiting) == 0:
                break
            block = await self.read_block(ids[waiting], start_us, before_us)
            has = np.diff(block.offset) > 0
            place, row = waiting[has], block.offset[1:][has] - 1
            found.is_found[place] = True
            found.time_us[place] = block.time_us[row]
            found.value[place] = block.value[row]
            found.quality[place] = block.quality[row]
            waiting = waiting[~has]
        return found

    def _windows_down(self, end_us: int) -> Iterator[TimeRange]:
        """All time before `end_us`: first what lies ahead of the moment, little as a rule, then further and further."""
        if end_us > self._as_of_us:
            yield TimeRange(self._as_of_us, end_us)
            end_us = self._as_of_us
        window_us = FIRST_WINDOW_US
        while end_us > TIME_MIN_US:
            start_us = max(TIME_MIN_US, end_us - window_us)
            yield TimeRange(start_us, end_us)
            end_us, window_us = start_us, window_us * WINDOW_GROWTH

    async def _first_from(self, point_id: int, start_us: int) -> SampleRun:
        window_us = FIRST_WINDOW_US
        while start_us < self._end_us:
            end_us = min(self._end_us, start_us + window_us)
            run = (await self.read([point_id], start_us, end_us))[0]
            if run.sample_count:
                return run.part(0, 1)
            start_us, window_us = end_us, window_us * WINDOW_GROWTH
        return empty_run(point_id)


def _found_run(point_id: int, block: LastBlock, row: int) -> SampleRun:
    part = slice(row, row + int(block.is_found[row]))
    return SampleRun(point_id, block.time_us[part], block.value[part], block.quality[part])


class MomentClock:
    """A Clock whose wall stands at one moment: ages and stale marks as they were then."""

    def __init__(self, clock: Clock, moment_us: int) -> None:
        self._clock = clock
        self._moment_us = moment_us

    def now_us(self) -> int:
        return self._moment_us

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s()

    async def sleep(self, duration_s: float) -> None:
        await self._clock.sleep(duration_s)
