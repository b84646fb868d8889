"""Keeps day figures right: finds what is absent or out of date, makes it anew, stores it with its revision.

One recomputation runs at a time: dirty marks are taken before the samples are read, and figures are stored
before the next one looks, so an older reading never overwrites a newer one. Blocking work and arithmetic run
in one worker thread, which alone touches the frames.
"""

import asyncio
import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.model import timestamp
from historian.model.point import Point
from historian.model.ports import SampleReader
from historian.model.sample import SampleRun
from historian.rollup import (
    day_key,
    day_maker,
    day_source,
    figure_columns,
    figure_kernels,
    made_store,
    prepared_source,
)
from historian.rollup.bell import Bell
from historian.rollup.change_log import Page
from historian.rollup.day_figure import DayFigure
from historian.rollup.day_key import KeyColumn
from historian.rollup.day_maker import MadeDays, Metered, Reading
from historian.rollup.day_reader import DayReader
from historian.rollup.day_table import DayTable
from historian.rollup.dirty import DirtyDays
from historian.rollup.figure_kernels import CELL_COUNT, DAY_BITS
from historian.rollup.found import Figures, Found, Work
from historian.rollup.frames import Frames, Question
from historian.rollup.point_facts import RevisedDirectory
from historian.rollup.term_directory import TermDirectory

I64 = npt.NDArray[np.int64]

CELLS_RIGHT_AT_ONCE: Final = 128 * CELL_COUNT  # looked at in one turn, where all are right
CELLS_AT_ONCE: Final = 32 * CELL_COUNT  # made in one turn, while which no other question has its own
CACHE_BYTES: Final = 256 << 20

_Result = TypeVar("_Result")


class _Wanted(NamedTuple):
    """A question, the definitions that its figures must be of, and the days that must be made in any case."""

    question: Question
    definition: npt.NDArray[np.int32]
    dirty: KeyColumn


class DayKeeper:
    """Owns the table of day figures and the dirty set. `making_count` days are being made right now.

    `told` rings after changes were logged.
    """

    def __init__(
        self,
        reader: SampleReader,
        directory: RevisedDirectory,
        table: DayTable,
        clock: Clock,
        cache_bytes: int = CACHE_BYTES,
        terms: TermDirectory | None = None,
    ) -> None:
        self.dirty = DirtyDays(directory, table.definitions, terms)
        self.making_count = 0
        self.told = Bell()
        self._next_key = 0  # where the background goes on
        self._beside: list[KeyColumn] = []  # days that may be wrong by estimates nobody knew of
        self._reader = reader
        self._day_reader = DayReader(reader, directory, self.dirty.facts, clock, self._note_estimates)
        self._directory = directory
        self._table = table
        self._clock = clock
        self._turn = asyncio.Lock()
        self._worker = ThreadPoolExecutor(1, "rollup")
        self._frames = Frames(table, cache_bytes)
        self._opened: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Take up the dirty marks that an earlier run left, and begin to take up the figures of the log.

        A million points have some seconds of log; the start does not wait for them, but every question does.
        """
        self.dirty.restore(await self._in_worker(self._table.load_dirty))
        self._opened = asyncio.get_running_loop().run_in_executor(self._worker, self._frames.open)

    async def close(self) -> None:
        """Save the dirty marks and release the file."""
        await self.flush()
        await self._in_worker(self._table.close)
        self._worker.shutdown()

    async def flush(self) -> None:
        """Put every dirty mark on disk; a recomputation under way is waited for."""
        async with self._turn:
            keys = self.dirty.take_unsaved()
            if len(keys):
                await self._in_worker(partial(self._table.mark_dirty, keys))

    @property
    def days_max(self) -> int:
        """A question of more days than this is better asked in parts."""
        return (self._frames.windows_max - 1) << DAY_BITS

    async def look(self, point_id: I64, days: DateRange, work: Work) -> None:
        """Give `work` the figures of each point's own local days, never stale, in one or several parts."""
        question = Question(point_id, days.first.toordinal(), days.last.toordinal())
        for rows in self._frames.parts(question, CELLS_RIGHT_AT_ONCE):
            large = question._replace(point_id=point_id[rows])
            async with self._turn:
                keys = await self._look_up(large, rows, work)
            if len(keys) == 0:
                continue
            for some in self._frames.parts(large, CELLS_AT_ONCE):
                part = large._replace(point_id=large.point_id[some])
                async with self._turn:
                    keys = await self._look_up(part, rows[some], work)
                    if len(keys):
                        await self._remake(keys)
                        await self._in_worker(partial(self._work_on, part, rows[some], work))

    async def figures(self, points: Sequence[Point], days: DateRange) -> list[Figures]:
        """Figures of each point's own local days by day, never stale; days of which nothing is known are left out."""
        found: list[Figures] = [{} for _ in points]

        def work(part: Found) -> None:
            for place, row in enumerate(part.rows.tolist()):
                found[row] = part.figures_of(place)

        await self.look(np.array([point.id for point in points], np.int64), days, work)
        return found

    async def refresh(self, count: int) -> int:
        """Make at most `count` dirty days anew, all of one point and then those of the next, whoever has waited the
        longest; returns how many were taken.
        """
        async with self._turn:
            keys = day_key.whole_points(self.dirty.settle().following(self._next_key, count), count).copy()
            self._next_key = int(keys[-1]) + 1 if len(keys) else 0
            self.dirty.facts.refresh(keys >> day_key.DAY_BITS)
            await self._spread_register_marks(keys >> day_key.DAY_BITS)
            is_known = self.dirty.facts.zone_number[keys >> day_key.DAY_BITS] >= 0 if len(keys) else keys > 0
            await self._remake(keys[is_known])
            self.dirty.discard(keys[~is_known])
            return len(keys)

    async def history(self, point: Point, days: DateRange) -> list[DayFigure]:
        """Replaced versions of a point's days, oldest revision first within each day."""
        first, last = days.first.toordinal(), days.last.toordinal()

        def load() -> list[DayFigure]:
            columns = self._table.load_history(point.id, first, last)
            return figure_columns.to_figures(columns, self._table.definitions)

        return await self._in_worker(load)

    async def mark_kept(self, point_id: int, first: int, last: int) -> int:
        """Mark the days ``[first, last)`` of a point that have figures, so that these are made anew in the background.

        Returns how many.
        """
        async with self._turn:
            span = await self._in_worker(partial(self._frames.span_kept, point_id))
            first, last = max(first, span.start), min(last, span.stop)
            days = (
                await self._in_worker(partial(self._frames.days_kept, point_id, first, last))
                if first < last
                else []
            )
            self.dirty.add(day_key.pack_days(point_id, days))
        return len(days)

    async def changes(self, place: int | None, limit: int) -> Page:
        """Changes of days that are over, from a place on; see `DayTable.load_changes`."""
        return await self._in_worker(partial(self._table.load_changes, place, limit))

    async def forget_unkept(self) -> None:
        """Drop dirty marks of days that have no figures: those are made when asked for anyway."""
        async with self._turn:
            self.dirty.settle()
            self.dirty.keep_only(await self._in_worker(self._table.keys_kept))
            await self._in_worker(self._frames.forget_nothing)

    async def _look_up(self, question: Question, rows: I64, work: Work) -> KeyColumn:
        """Do the work where every figure is right; else return the keys of those that are not."""
        facts = self.dirty.facts
        facts.refresh(question.point_id)
        self.dirty.settle()
        await self._spread_register_marks(question.point_id)
        wanted = _Wanted(question, facts.definition[question.point_id], self.dirty.settle().to_column())

        def look() -> KeyColumn:
            keys = self._find_wrong(wanted)
            if len(keys) == 0:
                self._work_on(question, rows, work)
            return keys

        return await self._in_worker(look)

    def _find_wrong(self, wanted: _Wanted) -> KeyColumn:
        """Keys of what must be made, ascending. For the worker thread."""
        question = wanted.question
        place = self._frames.place(question)
        is_wrong = np.zeros((len(question.point_id), question.last_day - question.first_day), np.uint8)
        cells = self._frames.cells
        count = figure_kernels.find_wrong(
            cells.state, cells.definition, place, question.first_day, wanted.definition, is_wrong
        )
        if len(wanted.dirty):
            count += figure_kernels.mark_dirty(wanted.dirty, question.point_id, question.first_day, is_wrong)
        if count == 0:
            return np.empty(0, np.int64)
        point, day = np.nonzero(is_wrong)
        return day_key.distinct(day_key.pack(question.point_id[point], question.first_day + day))

    def _work_on(self, question: Question, rows: I64, work: Work) -> None:
        """For the worker thread."""
        frames = self._frames

        def figures_of(place: int) -> Figures:
            columns = frames.take(question._replace(point_id=question.point_id[place : place + 1]))
            return {one.day: one for one in figure_columns.to_figures(columns, self._table.definitions)}

        work(Found(rows, frames.place(question), frames.cells, figures_of))

    async def _remake(self, keys: KeyColumn) -> None:
        """Make days anew and store what differs; the loop is never held by the number of days."""
        self.dirty.discard(keys)
        self.making_count = len(keys)
        left = keys
        try:
            for reading in day_maker.plan(keys, self.dirty.facts):
                async for made in self._day_reader.make_all(reading, self._in_worker):
                    done = np.sort(made.reading.keys())
                    definition = self.dirty.facts.definition[made.reading.point_id]
                    if await self._in_worker(partial(self._store, made, definition, done)):
                        self.told.ring()
                    left = np.setdiff1d(left, done, assume_unique=True)
                    self.making_count = len(left)
        except BaseException:
            self.dirty.add(left)
            raise
        finally:
            self.making_count = 0
        if self._beside:
            beside = day_key.distinct(np.concatenate(self._beside))
            self._beside = []
            self.dirty.add(beside)
            await self._remake(beside)

    def _note_estimates(self, reading: Reading, rows: I64) -> None:
        """Samples of points with estimates reach further, which nobody knew of points with the first ones: what they
        changed on the days beside is made anew.
        """
        for point_id in self.dirty.facts.note_estimates(reading.point_id[rows].tolist()):
            self._beside.append(day_key.pack_days(point_id, [reading.days.start - 1, reading.days.stop]))

    def _store(self, made: MadeDays, definition: npt.NDArray[np.int32], done: KeyColumn) -> int:
        """For the worker thread; how many changes that logged."""
        return made_store.store(self._frames, self._table.definitions, made, definition, done)

    async def _spread_register_marks(self, point_id: I64) -> None:
        """A changed reading changes all days up to the readings beside it: those become dirty too."""
        for one in self.dirty.registers_among(point_id):
            days = self.dirty.take_register_days(one)
            point = self.dirty.facts.point(one)
            if point is not None and days:
                await self._spread_marks_of(point, days[0], days[-1])

    async def _spread_marks_of(self, point: Point, first: int, last: int) -> None:
        zone = timestamp.load_zone(point.time_zone)
        start_us = calendar.day_start_us(datetime.date.fromordinal(first), zone)
        end_us = calendar.day_start_us(datetime.date.fromordinal(last + 1), zone)
        before, after = await self._readings_beside(point, start_us, end_us)
        if before.sample_count:
            first = calendar.local_date(int(before.time_us[0]), zone).toordinal()
        if after.sample_count:
            last = calendar.local_date(int(after.time_us[-1]), zone).toordinal()
        touched = await self._in_worker(partial(self._frames.days_kept, point.id, first, last + 1))
        self.dirty.add(day_key.pack_days(point.id, touched))

    async def _readings_beside(self, point: Point, start_us: int, end_us: int) -> tuple[SampleRun, SampleRun]:
        """Readings before the range and after it, up to those that decide it; none where there is none."""
        facts = self.dirty.facts
        if not facts.has_rules[point.id] and not facts.has_estimates(point.id):
            return (
                await day_source.reading_before(self._reader, point.id, start_us - 1),
                await day_source.reading_after(self._reader, point.id, end_us - 1),
            )
        metered = Metered(point, facts.terms.of(point.id))
        run = (await prepared_source.read_prepared(self._reader, [metered], start_us, end_us))[0]
        return run.between(timestamp.TIME_MIN_US, start_us), run.between(end_us, timestamp.TIME_MAX_US)

    async def _in_worker(self, work: Callable[[], _Result]) -> _Result:
        """Run `work` after all that was asked before; raises where the figures of the log could not be read."""
        if self._opened is not None:
            await asyncio.shield(self._opened)
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)
