"""Completeness and timeliness of points over local days, from the counts that day figures keep and the arrivals of samples."""

import asyncio
import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.registry import Registry
from historian.clock import Clock
from historian.energy import completeness
from historian.energy.calendar import DateRange
from historian.energy.completeness import Counts, Delays
from historian.errors import QueryTooLarge
from historian.model.ports import Retirements, SampleReader
from historian.query import promised
from historian.rollup import periods
from historian.rollup.service import RollupService

I64 = npt.NDArray[np.int64]
BY: Final = ("point", "station", "item", "day")

_READ_SAMPLES: Final = 1_000_000  # whose versions are held at once


class DayGrid(NamedTuple):
    """Counts of points × days; each point's own local days. `starts_us` and `ends_us` are those of each."""

    point_id: I64
    days: DateRange
    starts_us: I64
    ends_us: I64
    counts: Counts
    now_us: int

    @property
    def is_over(self) -> npt.NDArray[np.bool_]:
        """Of each point and day."""
        return self.ends_us <= self.now_us


class Grouping(NamedTuple):
    """By what counts are added up: a number for each point, a name for each number, and whether days stay apart."""

    number: I64
    names: list[str]
    is_by_day: bool = False

    def groups(self, day_count: int) -> tuple[I64, int]:
        """The group of each point and day, and how many groups there are."""
        if not self.is_by_day:
            return np.repeat(self.number[:, np.newaxis], day_count, axis=1), len(self.names)
        return self.number[:, np.newaxis] * day_count + np.arange(day_count), len(self.names) * day_count


class CompletenessMaker:
    """Answers for the points of a registry."""

    def __init__(
        self,
        rollup: RollupService,
        reader: SampleReader,
        registry: Registry,
        clock: Clock,
        samples_max: int,
        retirements: Retirements | None = None,
    ) -> None:
        self._rollup = rollup
        self._reader = reader
        self._registry = registry
        self._clock = clock
        self._samples_max = samples_max
        self._retirements = retirements or promised.NeverRetired()

    async def grid(self, point_id: I64, days: DateRange) -> DayGrid:
        """Counts of each of at least one known point and day. Raises QueryTooLarge before any work."""
        rows = await self._rollup.columns(point_id, "day", *days, wanted=periods.COUNTS)
        now_us, shape = self._clock.now_us(), (len(point_id), days.day_count)
        starts_us, ends_us = rows.period_start_us.reshape(shape), rows.period_end_us.reshape(shape)
        columns = rows.columns
        received, good, estimated = (
            column.reshape(shape) for column in (columns.received, columns.good, columns.estimated)
        )
        interval_us, has_period = self._promises(point_id)
        expected = completeness.due_count(
            starts_us, ends_us, interval_us[:, np.newaxis], has_period[:, np.newaxis], now_us
        )
        for row, spans in promised.rows_of(point_id, self._retirements.retired()):
            for span in spans:
                expected[row] -= completeness.due_count(
                    np.maximum(starts_us[row], span.start_us),
                    np.minimum(ends_us[row], span.end_us),
                    interval_us[row],
                    has_period[row],
                    now_us,
                )
        counts = completeness.count(np.maximum(expected, 0), received, good, estimated)
        return DayGrid(point_id, days, starts_us, ends_us, counts, now_us)

    def grouping(self, point_id: I64, by: str) -> Grouping:
        """By ``point``, ``station``, ``item`` or ``day``. Points of no station or item are of the one without a name."""
        ids = point_id.astype(np.uint32)
        if by == "point":
            return Grouping(np.arange(len(ids)), self._registry.names(ids))
        if by == "day":
            return Grouping(np.zeros(len(ids), np.int64), [""], is_by_day=True)
        sorts = self._registry.sorts()
        column = sorts.station if by == "station" else sorts.definition
        used, first, number = np.unique(column[point_id], return_index=True, return_inverse=True)
        some = [self._registry.by_id(int(point_id[place])) for place in first.tolist()]
        words = [one.station if by == "station" else one.item for one in some]
        names, of_word = np.unique(np.array(words, object), return_inverse=True)
        assert len(used) == len(words), "a word for each number"
        return Grouping(of_word[number].astype(np.int64), names.tolist())

    async def delays(self, grid: DayGrid, grouping: Grouping) -> Delays:
        """How late the samples of the grid came, by group. Raises QueryTooLarge where there are too many to be read."""
        expected = int(grid.counts.received.sum())
        if expected > self._samples_max:
            raise QueryTooLarge(
                f"the arrivals of {expected} samples are asked for, {self._samples_max} allowed; ask for fewer points "
                "or days, or leave delays out"
            )
        group, group_count = grouping.groups(grid.days.day_count)
        rows_at_once = max(1, len(grid.point_id) * _READ_SAMPLES // max(1, expected))
        found = [
            await self._delays_of(grid, group, slice(first, first + rows_at_once))
            for first in range(0, len(grid.point_id), rows_at_once)
        ]
        group_of, delay_us, is_on_time = (np.concatenate(column) for column in zip(*found, strict=True))
        return await asyncio.to_thread(
            completeness.delays, group_of, delay_us, is_on_time.astype(np.bool_), group_count
        )

    async def _delays_of(self, grid: DayGrid, group: I64, part: slice) -> tuple[I64, I64, I64]:
        """Group, delay and whether it was in time, of every sample of some points."""
        ids = grid.point_id[part]
        starts_us, ends_us = grid.starts_us[part], grid.ends_us[part]
        versions = await self._reader.read_versions(
            ids.astype(np.uint32), int(starts_us.min()), int(ends_us.max())
        )
        interval_us, has_period = self._promises(ids)

        def tell() -> tuple[I64, I64, I64]:
            row_of = np.zeros(int(ids.max()) + 1, np.int64)
            row_of[ids] = np.arange(len(ids))
            came = completeness.first_arrivals(versions, row_of)
            day = _day_of(came.time_us, starts_us, came.row)
            inside = (day >= 0) & (came.time_us < ends_us[came.row, -1])
            due_us = came.time_us + np.where(has_period, interval_us, 0)[came.row]
            delay_us = came.arrival_us - due_us
            is_on_time = delay_us <= interval_us[came.row]
            groups = group[part][came.row, day]
            return groups[inside], delay_us[inside], is_on_time[inside].astype(np.int64)

        return await asyncio.to_thread(tell)

    def _promises(self, point_id: I64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """The interval of each point, and whether its samples cover periods."""
        interval_us = self._registry.columns().interval_us[point_id]
        numbers, number_of = np.unique(self._registry.sorts().definition[point_id], return_inverse=True)
        has_period = [self._registry.definition(number).has_period for number in numbers.tolist()]
        return interval_us, np.array(has_period, np.bool_)[number_of]


def _day_of(time_us: I64, starts_us: I64, row: I64) -> I64:
    """The day of each stamp, -1 before the first: days of a zone tile time, so it is the last that began before."""
    zones, zone_of = np.unique(starts_us, axis=0, return_inverse=True)
    if len(zones) == 1:  # the everyday
        return np.searchsorted(zones[0], time_us, side="right") - 1
    day = np.empty(len(time_us), np.int64)
    for number, edges_us in enumerate(zones):
        some = zone_of.reshape(-1)[row] == number
        day[some] = np.searchsorted(edges_us, time_us[some], side="right") - 1
    return day


def dates_of(days: DateRange) -> list[datetime.date]:
    """Each date of the range."""
    return [days.first + datetime.timedelta(days=number) for number in range(days.day_count)]
