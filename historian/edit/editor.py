"""Plans an edit from what is stored now, and puts it through the sink: the one way in, for people too."""

import asyncio
from typing import Final, Literal, NamedTuple

import numpy as np

from historian.clock import Clock
from historian.edit import plan
from historian.edit.moved import MovedPeriods, moved_periods
from historian.edit.plan import EditPlan
from historian.errors import EditRefused
from historian.model import timestamp
from historian.model.decision import Decision
from historian.model.point import SECOND_US, Point
from historian.model.ports import REJECT_CODES, AppendResult, Outcome, SampleSink
from historian.model.sample import QualityColumn, SampleRun, TimeColumn, ValueColumn
from historian.model.timerange import TimeRange
from historian.query.engine import QueryEngine
from historian.settings import Settings

SOURCE: Final = "edit"  # with the author behind a colon, where one is named

MarkKind = Literal["delete", "undelete"]


class NewValues(NamedTuple):
    """Values for times, stamped as they are stored; with ``estimated`` or ``manual`` in their quality."""

    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn


class Editor:
    """Edits of one point at a time; every call may raise EditRefused or QueryTooLarge before anything is changed."""

    def __init__(self, query: QueryEngine, sink: SampleSink, clock: Clock, settings: Settings) -> None:
        self._query = query
        self._sink = sink
        self._clock = clock
        self._samples_max = settings.edit.samples_max
        self._oldest_us = timestamp.parse_time_us(f"{settings.ingest.oldest_year:04d}-01-01T00:00:00Z")
        self._ahead_us = settings.ingest.future_fence_s * SECOND_US

    async def plan_values(self, point: Point, values: NewValues) -> EditPlan:
        """A correction or an estimate; times without a sample get one."""
        self._check_times(values.time_us)
        self._check_fence(values.time_us)
        stored = await self._stored_around(point, values.time_us)
        return plan.plan_values(point, stored, *values)

    async def plan_marks(self, point: Point, where: TimeColumn | TimeRange, kind: MarkKind) -> EditPlan:
        """Samples deleted or brought back: those at these times, or all of a span."""
        if isinstance(where, TimeRange):
            return plan.plan_marks(await self._stored_in(point, where), None, kind == "delete")
        self._check_times(where)
        return plan.plan_marks(await self._stored_around(point, where), where, kind == "delete")

    async def plan_restore(self, point: Point, span: TimeRange, as_of_us: int) -> EditPlan:
        """All samples of the span as they were known at `as_of_us`."""
        stored = await self._stored_in(point, span)
        return plan.plan_restore(
            stored, await self._query.as_of(as_of_us, self._ahead_us).stored(point, span)
        )

    async def moved(self, point: Point, made: EditPlan) -> MovedPeriods:
        """The local periods whose figures would change."""
        if made.change_count == 0:
            return MovedPeriods([], [], [])
        first_us, last_us = int(made.time_us[0]), int(made.time_us[-1])
        beside = await self._query.readings_beside(point, TimeRange(first_us, last_us))
        return await asyncio.to_thread(moved_periods, point, made.time_us, beside)

    async def apply(self, point: Point, made: EditPlan, decision: Decision) -> AppendResult:
        """Make the changes durable. Raises IngestError where nothing can be written now, EditRefused for a refusal."""
        if made.change_count == 0:
            return AppendResult(np.empty(0, np.uint8), 0)
        source = f"{SOURCE}:{decision.author}" if decision.author else SOURCE
        result = await self._sink.append(
            made.batch(point.id), source=source, on_conflict="replace", reason=decision.reason
        )
        if result.rejected_count:
            outcome = Outcome(int(result.outcome[result.outcome >= Outcome.NOT_FINITE][0]))
            raise EditRefused(f"{result.rejected_count} samples were refused: {REJECT_CODES[outcome]}")
        return result

    async def _stored_around(self, point: Point, time_us: TimeColumn) -> SampleRun:
        """What is stored at these times; samples between them may be among it."""
        ordered = np.sort(time_us)
        # Times far apart are read apart, so that a few corrections over years do not read the years.
        breaks = np.flatnonzero(np.diff(ordered) > _READ_TOGETHER_INTERVALS * point.interval_us) + 1
        parts = [
            await self._query.stored(point, TimeRange(int(some[0]), int(some[-1]) + 1))
            for some in np.split(ordered, breaks)
        ]
        return SampleRun(
            point.id,
            np.concatenate([part.time_us for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.quality for part in parts]),
        )

    async def _stored_in(self, point: Point, span: TimeRange) -> SampleRun:
        run = await self._query.stored(point, span)
        self._check_count(run.sample_count)
        return run

    def _check_times(self, time_us: TimeColumn) -> None:
        if len(time_us) == 0:
            raise EditRefused("times: name at least one")
        self._check_count(len(time_us))
        ordered = np.sort(time_us)
        repeated = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(repeated):
            raise EditRefused(f"times: {timestamp.format_time(int(repeated[0]))} is named twice")

    def _check_count(self, count: int) -> None:
        if count > self._samples_max:
            raise EditRefused(f"{count} samples, {self._samples_max} may be edited at once; edit in parts")

    def _check_fence(self, time_us: TimeColumn) -> None:
        latest_us = self._clock.now_us() + self._ahead_us
        outside = time_us[(time_us < self._oldest_us) | (time_us > latest_us)]
        if len(outside):
            raise EditRefused(
                f"times: {timestamp.format_time(int(outside[0]))} is not between "
                f"{timestamp.format_time(self._oldest_us)} and {timestamp.format_time(latest_us)}"
            )


_READ_TOGETHER_INTERVALS: Final = 1000
