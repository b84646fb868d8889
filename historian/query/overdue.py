"""Points that are silent: whose newest sample is older than the interval they promise allows, since when, and why."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.journal import Journal
from historian.catalogue.registry import Registry
from historian.model.point import Point
from historian.model.sample import PointIdColumn
from historian.query import gaps, promised
from historian.query.engine import QueryEngine
from historian.query.latest import STALE_INTERVALS

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

POINTS_AT_ONCE: Final = 10_000  # looked at in one turn of the loop


class Silence(NamedTuple):
    """Of each point whether it has any sample, the stamp of the newest, when the next one was due, and whether it is overdue.

    `due_us` and `newest_us` mean nothing where nothing ever came; such a point is overdue.
    """

    point_id: PointIdColumn
    has_any: Mask
    newest_us: I64
    due_us: I64
    is_overdue: Mask
    now_us: int

    @property
    def overdue_count(self) -> int:
        return int(np.count_nonzero(self.is_overdue))


class Overdue(NamedTuple):
    """One silent point; `since_us` is its newest sample and `due_us` when the next was due, None where nothing ever came.

    `cause` is a word of gaps: the journal's, ``no_data_yet`` or ``unknown``.
    """

    point: Point
    since_us: int | None
    due_us: int | None
    missing_count: int | None
    cause: str
    detail: str


class OverdueWatch:
    """Answers for the points of a registry, with the rule by which the newest sample counts as stale."""

    def __init__(self, query: QueryEngine, registry: Registry, journal: Journal) -> None:
        self._query = query
        self._registry = registry
        self._journal = journal
        self._at_once = min(query.points_max, POINTS_AT_ONCE)
        self.overdue_count = 0  # at the last look at all points

    async def look(self) -> None:
        """Count the overdue among all points, for the metric."""
        ids = self._registry.select_ids()
        count = 0
        for first in range(0, len(ids), self._at_once):
            count += (await self.silence(ids[first : first + self._at_once])).overdue_count
            await asyncio.sleep(0)
        self.overdue_count = count

    async def silence(self, point_id: PointIdColumn) -> Silence:
        """How long each of these points has been silent."""
        parts = [
            await self._silence(point_id[first : first + self._at_once])
            for first in range(0, max(1, len(point_id)), self._at_once)
        ]
        if len(parts) == 1:
            return parts[0]
        columns = zip(*(part[:-1] for part in parts), strict=True)
        return Silence._make([*(np.concatenate(column) for column in columns), parts[-1].now_us])

    async def told(self, silence: Silence, rows: Sequence[int]) -> list[Overdue]:
        """The overdue points in these rows, each with its cause."""
        points = self._registry.points(silence.point_id[list(rows)])
        known = [row for row in rows if silence.has_any[row]]
        begin_us = int(silence.newest_us[known].min()) if known else silence.now_us
        sources = sorted({source for point in points for source in point.outage_sources})
        outages = await asyncio.to_thread(self._journal.outages, sources, begin_us, silence.now_us)
        book = gaps.OutageBook(outages)
        return [self._told(silence, row, point, book) for row, point in zip(rows, points, strict=True)]

    def _told(self, silence: Silence, row: int, point: Point, book: gaps.OutageBook) -> Overdue:
        if not silence.has_any[row]:
            return Overdue(point, None, None, None, gaps.NO_DATA_YET, "")
        newest_us, due_us = int(silence.newest_us[row]), int(silence.due_us[row])
        missing_count = (silence.now_us - due_us) // point.interval_us + 1
        finder = book.finder(point)
        cause, detail = finder.cause(newest_us, silence.now_us, missing_count, point.interval_us)
        return Overdue(point, newest_us, due_us, missing_count, cause, detail)

    async def _silence(self, point_id: PointIdColumn) -> Silence:
        block = await self._query.latest_block(point_id)
        newest, now_us = block.newest, block.now_us
        interval_us = self._registry.columns().interval_us[point_id]
        sorts = self._registry.sorts().definition[point_id]
        numbers, number_of = np.unique(sorts, return_inverse=True)
        has_period = [self._registry.definition(number).has_period for number in numbers.tolist()]
        lag_us = interval_us * (1 + np.array(has_period, np.int64)[number_of])
        newest_us = np.where(newest.is_found, newest.time_us, 0)
        due_us = newest_us + lag_us
        is_overdue = ~newest.is_found | (now_us > due_us + (STALE_INTERVALS - 1) * interval_us)
        for row, spans in promised.rows_of(point_id, self._query.retirements.retired()):
            is_overdue[row] &= not promised.is_retired(spans, now_us)
        return Silence(point_id, newest.is_found, newest_us, due_us, is_overdue, now_us)
