"""Figures by the days of a zone that is not the points' own: made from samples each time, and not kept.

Where a store shows samples where they lie, they are added up there; only what is not everyday is read out.
"""

import asyncio
import zoneinfo
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.energy import packed
from historian.energy.calendar import DateRange
from historian.energy.packed import Needs
from historian.model.ports import SampleReader
from historian.rollup import day_maker, day_reader, figure_kernels, foreign_kernels
from historian.rollup.day_key import KeyColumn
from historian.rollup.day_maker import MadeDays, Reading
from historian.rollup.day_reader import DayReader
from historian.rollup.figure_kernels import CELL_COUNT, Place
from historian.rollup.found import Figures, Found, Work
from historian.rollup.frames import Question, make_cells
from historian.rollup.point_facts import PointFacts, RevisedDirectory

I64 = npt.NDArray[np.int64]

CELLS_AT_ONCE: Final = 8 * CELL_COUNT
PARTS_AT_ONCE: Final = 2  # one is added up by each processor
SLICE_SAMPLES: Final = 1 << 19  # read out at once: arrays whose memory is used again
PACKED_SAMPLES: Final = 1 << 23  # added up at once where they lie


class ForeignDays:
    """Owned by the loop; arithmetic is done in threads of the loop's own pool."""

    def __init__(
        self, reader: SampleReader, directory: RevisedDirectory, facts: PointFacts, clock: Clock
    ) -> None:
        self._directory = directory
        self._facts = facts
        self._clock = clock
        self._day_reader = DayReader(reader, directory, facts, clock)

    async def look(
        self,
        point_id: I64,
        days: DateRange,
        zone: zoneinfo.ZoneInfo,
        work: Work,
        needs: Needs = packed.EVERYTHING,
    ) -> None:
        """Give `work` the figures of the days of `zone`, in parts, of which some are worked on at once.

        Their revision is 0. What is not needed may be left out.
        """
        self._facts.refresh(point_id)
        day_range = range(days.first.toordinal(), days.last.toordinal())
        size = max(1, CELLS_AT_ONCE // len(day_range))
        gate = asyncio.Semaphore(PARTS_AT_ONCE)

        async def look_at(rows: I64) -> None:
            async with gate:
                some, row_of = np.unique(point_id[rows], return_inverse=True)
                made = await self._make(some, day_range, zone, needs)
                question = Question(some, day_range.start, day_range.stop)
                await asyncio.to_thread(self._work_on, made, question, row_of.reshape(-1), rows, work, needs)

        parts = [np.arange(i, min(i + size, len(point_id))) for i in range(0, len(point_id), size)]
        tasks = [asyncio.create_task(look_at(rows)) for rows in parts]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _make(
        self, point_id: I64, days: range, zone: zoneinfo.ZoneInfo, needs: Needs
    ) -> list[MadeDays]:
        made: list[MadeDays] = []
        left: list[KeyColumn] = []
        for reading in self._readings(point_id, days, zone):
            found = await self._day_reader.make_packed(reading, needs, asyncio.to_thread)
            if found is None:
                left.append(reading.keys())
                continue
            made.append(found.made)
            left.append(day_reader.left_of(found, reading))
        keys = np.unique(np.concatenate(left))
        readings = day_maker.plan(keys, self._facts, zone, SLICE_SAMPLES)
        return made + [await self._day_reader.make(reading, asyncio.to_thread) for reading in readings]

    def _readings(self, point_id: I64, days: range, zone: zoneinfo.ZoneInfo) -> list[Reading]:
        """All days of all points, by interval."""
        interval_us, is_register = self._facts.interval_us[point_id], self._facts.is_register[point_id]
        readings: list[Reading] = []
        for interval in np.unique(interval_us).tolist():
            for kind in (False, True):
                chosen = point_id[(interval_us == interval) & (is_register == kind)]
                if len(chosen):
                    whole = Reading(chosen, zone, days, interval, kind)
                    readings += day_maker.cut(whole, PACKED_SAMPLES)
        return readings

    def _work_on(
        self, made: Sequence[MadeDays], question: Question, row_of: I64, rows: I64, work: Work, needs: Needs
    ) -> None:
        """For a thread; `row_of` tells which of the question's points each row is about."""
        count = len(question.point_id)
        group_count, window_count = -(-count // 256), len(question.windows)
        cells = make_cells(group_count * window_count)
        frames = np.arange(group_count * window_count, dtype=np.int32).reshape(group_count, window_count)
        number = np.arange(count)
        whole = Place(frames, number >> figure_kernels.POINT_BITS, number & 255, question.windows.start)
        for one in made:
            row = np.searchsorted(question.point_id, one.reading.point_id)
            foreign_kernels.put_made(
                one.figures, row, one.reading.days.start, whole, one.computed_at_us, needs.is_whole, cells
            )

        def figures_of(place: int) -> Figures:
            found: Figures = {}
            point_id = int(question.point_id[row_of[place]])
            for one in made:
                for row in np.flatnonzero(one.reading.point_id == point_id).tolist():
                    found |= day_maker.figures_of(one, row, self._directory.by_id(point_id))
            return found

        chosen = whole._replace(group=whole.group[row_of], row=whole.row[row_of])
        work(Found(rows, chosen, cells, figures_of))
