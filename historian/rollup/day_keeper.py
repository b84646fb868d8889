"""Keeps day figures right: finds what is absent or out of date, makes it anew, stores it with its revision.

One recomputation runs at a time: dirty marks are taken before the samples are read, and figures are stored
before the next one looks, so an older reading never overwrites a newer one. Blocking work and arithmetic run
in one worker thread.
"""

import asyncio
import datetime
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple, TypeVar

import numpy as np

from historian.clock import Clock
from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.errors import PointNotFound
from historian.model import timestamp
from historian.model.point import Point, PointKind
from historian.model.ports import SampleReader
from historian.rollup import day_key, day_source
from historian.rollup.day_figure import DayFigure, definition_of
from historian.rollup.day_key import KeyColumn
from historian.rollup.day_maker import DayTask, Figures, make_days, plan_readings, tasks_of
from historian.rollup.day_table import DayTable
from historian.rollup.dirty import DirtyDays, RevisedDirectory
from historian.rollup.empty_days import EmptyDays

POINTS_AT_ONCE: Final = 256

_Result = TypeVar("_Result")


class Unknown(NamedTuple):
    """Days that must be made though figures are kept, and days that need not though none are; ascending keys."""

    dirty: KeyColumn
    nothing: KeyColumn


class DayKeeper:
    """Owns the table of day figures and the dirty set. `making_count` days are being made right now."""

    def __init__(
        self, reader: SampleReader, directory: RevisedDirectory, table: DayTable, clock: Clock
    ) -> None:
        self.dirty = DirtyDays(directory)
        self.making_count = 0
        self._reader = reader
        self._directory = directory
        self._table = table
        self._clock = clock
        self._turn = asyncio.Lock()
        self._worker = ThreadPoolExecutor(1, "rollup")
        self._nothing = EmptyDays()

    async def open(self) -> None:
        """Take up the dirty marks that an earlier run left."""
        self.dirty.restore(await self._in_worker(self._table.load_dirty))

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

    async def figures(self, points: Sequence[Point], days: DateRange) -> list[Figures]:
        """Figures of each point's own local days, never stale; days of which nothing is known are left out."""
        found: list[Figures] = []
        for first in range(0, len(points), POINTS_AT_ONCE):
            async with self._turn:
                found += await self._refresh(points[first : first + POINTS_AT_ONCE], days)
        return found

    async def foreign_figures(
        self, points: Sequence[Point], days: DateRange, zone: zoneinfo.ZoneInfo
    ) -> list[Figures]:
        """Figures by the days of another zone, made each time and not kept; their revision is 0."""
        whole = range(days.first.toordinal(), days.last.toordinal())
        made = await self._make([DayTask(point, zone, whole) for point in points], {})
        found: dict[int, Figures] = {point.id: {} for point in points}
        for figure in made:
            if not figure.is_empty:
                found[figure.point_id][figure.day] = figure
        return [found[point.id] for point in points]

    async def refresh_oldest(self, count: int) -> int:
        """Make at most `count` dirty days anew, earliest first; returns how many were taken."""
        async with self._turn:
            keys = self.dirty.settle().oldest(count)
            days: dict[int, list[int]] = {}
            for point_id, day in sorted(day_key.unpack_pairs(keys)):
                days.setdefault(point_id, []).append(day)
            await self._refresh_some(days)
            self.dirty.discard(keys)  # those of points that are no more
            return len(keys)

    async def history(self, point: Point, days: DateRange) -> list[DayFigure]:
        """Replaced versions of a point's days, oldest revision first within each day."""
        first, last = days.first.toordinal(), days.last.toordinal()
        return await self._in_worker(partial(self._table.load_history, point.id, first, last))

    async def forget_unkept(self) -> None:
        """Drop dirty marks of days that have no figures: those are made when asked for anyway."""
        async with self._turn:
            self.dirty.settle()
            self.dirty.keep_only(await self._in_worker(self._table.keys_kept))
            self._nothing.clear()

    async def _refresh(self, points: Sequence[Point], days: DateRange) -> list[Figures]:
        self.dirty.settle()
        for point in points:
            await self._spread_register_marks(point)
        ordinals = range(days.first.toordinal(), days.last.toordinal())
        unknown = Unknown(self.dirty.settle().to_column(), self._nothing.keys(self._directory.revision))
        look_up = partial(_look_up, self._table, points, ordinals, unknown)
        kept, tasks = await self._in_worker(look_up)
        await self._remake(tasks, kept)
        return [kept[point.id] for point in points]

    async def _refresh_some(self, days: Mapping[int, list[int]]) -> None:
        tasks: list[DayTask] = []
        ids: dict[tuple[int, int], list[int]] = {}
        for point_id, wrong in days.items():
            try:
                point = self._directory.by_id(point_id)
            except PointNotFound:
                continue
            await self._spread_register_marks(point)
            tasks += tasks_of(point, wrong)
            ids.setdefault((wrong[0], wrong[-1] + 1), []).append(point_id)
        kept: dict[int, Figures] = {}
        for (first, last), some in ids.items():
            loaded = await self._in_worker(partial(self._table.load, some, first, last))
            kept |= dict(zip(some, loaded, strict=True))
        await self._remake(tasks, kept)

    async def _remake(self, tasks: list[DayTask], kept: dict[int, Figures]) -> None:
        """Make days anew, store what differs and put it into `kept`; the loop is never held by the number of days."""
        if not tasks:
            return
        keys = await self._in_worker(partial(_keys_of, tasks))
        self.dirty.discard(keys)
        self._nothing.discard(keys)
        revision = self._directory.revision
        self.making_count = len(keys)
        try:
            made = await self._make(tasks, kept)
            nothing = await self._in_worker(partial(_store_changes, self._table, made, kept, keys))
        except BaseException:
            self.dirty.add(keys)
            raise
        finally:
            self.making_count = 0
        self._nothing.add(nothing, revision)

    async def _make(self, tasks: Sequence[DayTask], kept: Mapping[int, Figures]) -> list[DayFigure]:
        made: list[DayFigure] = []
        for reading in plan_readings(tasks):
            start_us, end_us = reading.span
            runs = await day_source.read_runs(self._reader, reading.points, start_us, end_us)
            now_us = self._clock.now_us()
            made += await self._in_worker(partial(make_days, reading, runs, kept, now_us))
        return made

    async def _spread_register_marks(self, point: Point) -> None:
        """A changed reading changes all days up to the readings beside it: those become dirty too."""
        days = self.dirty.take_register_days(point.id) if point.kind is PointKind.REGISTER else []
        if not days:
            return
        zone = timestamp.load_zone(point.time_zone)
        first, last = days[0], days[-1]
        start_us = calendar.day_start_us(datetime.date.fromordinal(first), zone)
        end_us = calendar.day_start_us(datetime.date.fromordinal(last + 1), zone)
        before = await day_source.reading_before(self._reader, point.id, start_us - 1)
        after = await day_source.reading_after(self._reader, point.id, end_us - 1)
        if before.sample_count:
            first = calendar.local_date(int(before.time_us[0]), zone).toordinal()
        if after.sample_count:
            last = calendar.local_date(int(after.time_us[0]), zone).toordinal()
        self._nothing.discard(day_key.pack_days(point.id, range(first, last + 1)))
        touched = await self._in_worker(partial(self._table.days_kept, point.id, first, last + 1))
        self.dirty.add(day_key.pack_days(point.id, touched))

    async def _in_worker(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)


def _look_up(
    table: DayTable, points: Sequence[Point], days: range, unknown: Unknown
) -> tuple[dict[int, Figures], list[DayTask]]:
    """The kept figures of each point, and what must be made. For the worker thread."""
    ids = [point.id for point in points]
    kept = dict(zip(ids, table.load(ids, days.start, days.stop), strict=True))
    keys = day_key.pack(np.array(ids, np.int64)[:, np.newaxis], np.arange(days.start, days.stop))
    is_right = day_key.is_among(keys, unknown.nothing)
    for place, point in enumerate(points):
        wanted = definition_of(point)
        right = [day - days.start for day, figure in kept[point.id].items() if figure.is_of(wanted)]
        is_right[place, right] = True
    is_right &= ~day_key.is_among(keys, unknown.dirty)
    tasks: list[DayTask] = []
    for place in np.flatnonzero(~is_right.all(axis=1)).tolist():
        wrong = np.flatnonzero(~is_right[place]) + days.start
        tasks += tasks_of(points[place], wrong.tolist())
    return kept, tasks


def _keys_of(tasks: Sequence[DayTask]) -> KeyColumn:
    """The keys of all days of the tasks, ascending. For the worker thread."""
    parts = [day_key.pack_days(task.point.id, task.days) for task in tasks]
    return np.unique(np.concatenate(parts))


def _store_changes(
    table: DayTable, made: Sequence[DayFigure], kept: Mapping[int, Figures], keys: KeyColumn
) -> KeyColumn:
    """Store what differs from `kept`, then put it there; returns the keys of which nothing is known.

    For the worker thread.
    """
    changed: list[DayFigure] = []
    replaced: list[DayFigure] = []
    for figure in made:
        before = kept[figure.point_id].get(figure.day)
        if (before is None and figure.is_empty) or (before and before.says_the_same(figure)):
            continue
        changed.append(figure._replace(revision=before.revision + 1 if before else 1))
        if before and before.computed_at_us >= before.end_us:
            replaced.append(before)  # it was told as the figure of a day that was over
    table.store(changed, replaced, keys)
    for figure in changed:
        kept[figure.point_id][figure.day] = figure
    is_nothing = [day not in kept[point_id] for point_id, day in day_key.unpack_pairs(keys)]
    return keys[np.array(is_nothing, np.bool_)]
