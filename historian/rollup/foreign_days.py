"""Figures by the days of a zone that is not the points' own: made from samples each time, and not kept.

Where a store shows samples where they lie, they are added up there; only what is not everyday is read out.
"""

import asyncio
import bisect
import zoneinfo
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.energy import packed
from historian.energy.calendar import DateRange
from historian.energy.packed import Needs
from historian.model.ports import PackedReader, SampleReader
from historian.rollup import day_figure, day_key, day_maker, figure_kernels, foreign_kernels
from historian.rollup.day_key import KeyColumn
from historian.rollup.day_maker import MadeDays, Reading
from historian.rollup.day_reader import DayReader
from historian.rollup.figure_kernels import CELL_COUNT, Place
from historian.rollup.found import Figures, Found, Work
from historian.rollup.frames import Question, make_cells
from historian.rollup.point_facts import PointFacts, RevisedDirectory

I64 = npt.NDArray[np.int64]

EVERYTHING: Final = Needs(True, True)
CELLS_AT_ONCE: Final = 8 * CELL_COUNT
PARTS_AT_ONCE: Final = 2  # one is added up by each processor
SLICE_SAMPLES: Final = 1 << 19  # read out at once: arrays whose memory is used again
PACKED_SAMPLES: Final = 1 << 23  # added up at once where they lie


class _Packed(NamedTuple):
    """Figures made where samples lie, and the places of the points of which not all days were."""

    made: MadeDays
    left: I64


class ForeignDays:
    """Owned by the loop; arithmetic is done in threads of the loop's own pool."""

    def __init__(
        self, reader: SampleReader, directory: RevisedDirectory, facts: PointFacts, clock: Clock
    ) -> None:
        self._packed = reader if isinstance(reader, PackedReader) else None
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
        needs: Needs = EVERYTHING,
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
            found = await self._make_packed(reading, needs)
            if found is None:
                left.append(reading.keys())
                continue
            made.append(found.made)
            late_days = range(found.made.reading.days.stop, reading.days.stop)
            left += [
                _keys_of(reading.point_id[found.left], reading.days),
                _keys_of(reading.point_id, late_days),
            ]
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

    async def _make_packed(self, reading: Reading, needs: Needs) -> _Packed | None:
        """As many days as can be told from samples where they lie."""
        is_one_a_slot = day_figure.demand_block_us(reading.interval_us) == reading.interval_us
        if self._packed is None or reading.is_register or not is_one_a_slot:
            return None
        margin_us = day_figure.margin_us(reading.interval_us)
        edges_us = [day_figure.slot_edges_us(day, reading.zone, reading.interval_us) for day in reading.days]
        ends_us = [int(edges[-1]) + margin_us for edges in edges_us]
        day_count = bisect.bisect_right(ends_us, self._packed.packed_until_us)
        if day_count == 0:
            return None
        ids = reading.point_id.astype(np.uint32)
        block = await self._packed.read_packed(ids, int(edges_us[0][0]) - margin_us, ends_us[day_count - 1])
        if block is None:
            return None
        asked, now_us = self._day_reader.asked(reading), self._clock.now_us()
        early = reading._replace(days=reading.days[:day_count])

        def make() -> _Packed:
            figures, is_done = packed.day_figures(
                block, asked, edges_us[:day_count], reading.interval_us, needs
            )
            figures.denominator[~is_done] = 1  # of nothing
            return _Packed(MadeDays(early, figures, {}, now_us), np.flatnonzero(~is_done.all(axis=1)))

        return await asyncio.to_thread(make)

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


def _keys_of(point_id: I64, days: range) -> KeyColumn:
    return day_key.pack(point_id[:, np.newaxis], np.array(days, np.int64)).reshape(-1)
