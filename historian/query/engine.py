"""The query engine: checks the limits, reads, and hands runs to the pure functions of this package."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

import numpy as np

from historian.catalogue.journal import Journal
from historian.clock import Clock
from historian.errors import QueryError
from historian.model.point import Point
from historian.model.ports import Retirements, SampleReader
from historian.model.quality import DELETED, is_usable
from historian.model.quarantine import RejectedSamples
from historian.model.sample import LastBlock, PointIdColumn, SampleRun, TimeColumn, empty_run
from historian.model.timerange import TimeRange
from historian.query import promised, versions
from historian.query.as_of import AsOfReader, MomentClock
from historian.query.gaps import LOOKBACK_INTERVALS, Gap, OutageBook
from historian.query.latest import Latest, LatestBlock, latest_of
from historian.query.limits import (
    QueryLimits,
    check_count_of_points,
    check_point_count,
    check_sample_count,
    check_width,
    expected_sample_count,
    slot_count,
)
from historian.query.page import Order, RecordedPage, page_down, page_up, sample_after, sample_before
from historian.query.plot import PlotColumns, reduce_run
from historian.query.retrieve import (
    AtMode,
    Boundary,
    Columns,
    GapMode,
    default_gap_max_us,
    grid,
    interpolate_run,
    value_at,
)
from historian.query.run_part import backwards, joined, without_deleted
from historian.query.scan import PORTION_SAMPLES, scan
from historian.query.summary import Basis, Summary, summarise_run
from historian.query.versions import VersionsPage

HELD_LOOKBACK_SAMPLES: Final = 1_000  # how many unusable samples are passed over for one to hold
_INLINE_SAMPLES_MAX: Final = 20_000  # what a kernel does in well under a millisecond stays on the loop
_SAMPLES_PER_ANSWER: Final = 20  # making one answer object costs about as much as so many samples in a kernel

_Answer = TypeVar("_Answer")


class QueryEngine:
    """Answers about samples; every call may raise QueryTooLarge before any work. Delete-marked samples never show."""

    def __init__(
        self,
        reader: SampleReader,
        journal: Journal,
        clock: Clock,
        limits: QueryLimits,
        rejected: RejectedSamples | None = None,
        retirements: Retirements | None = None,
    ) -> None:
        self._reader = reader
        self._rejected = rejected
        self.retirements = retirements or promised.NeverRetired()
        self._journal = journal
        self._clock = clock
        self._limits = limits

    @property
    def reader(self) -> SampleReader:
        """What it reads from: the store, or the store as of a moment."""
        return self._reader

    @property
    def points_max(self) -> int:
        """Of how many points one question may be."""
        return self._limits.points_max

    @property
    def limits(self) -> QueryLimits:
        """What one question may ask for."""
        return self._limits

    def as_of(self, as_of_us: int, ahead_us: int) -> "QueryEngine":
        """An engine that answers as at `as_of_us`, clock included; `ahead_us`: how far ahead samples may be stamped."""
        reader, clock = AsOfReader(self._reader, as_of_us, ahead_us), MomentClock(self._clock, as_of_us)
        return QueryEngine(reader, self._journal, clock, self._limits, self._rejected, self.retirements)

    async def versions(self, point: Point, span: TimeRange, limit: int) -> VersionsPage:
        """The first `limit` samples of the span, deleted ones too, each with every version it had."""
        check_sample_count(limit, self._limits.samples_max)
        return await versions.page_of(self._reader, point, span, limit)

    async def stored(self, point: Point, span: TimeRange) -> SampleRun:
        """The newest version of every sample in the span, delete-marked ones too: for who edits, never for figures."""
        check_sample_count(expected_sample_count([point], span), self._limits.samples_max)
        run = (await self._reader.read([point.id], *span))[0]
        check_sample_count(run.sample_count, self._limits.samples_max)
        return run

    async def readings_beside(self, point: Point, span: TimeRange) -> TimeRange:
        """From the last usable sample before the span to the first after it; the span's own ends where there is none."""
        before = await self._usable_before(point, span.start_us - 1)
        after = await self._usable_after(point, span.end_us + 1)
        return TimeRange(
            int(before.time_us[0]) if before.sample_count else span.start_us,
            int(after.time_us[0]) if after.sample_count else span.end_us,
        )

    async def recorded(
        self,
        point: Point,
        span: TimeRange,
        boundary: Boundary = "inside",
        order: Order = "asc",
        limit: int | None = None,
        resume_us: int | None = None,
    ) -> RecordedPage:
        """Samples as stored, at most `limit` (None: all, if the limits allow), from `resume_us` of the page before.

        `outside` adds the samples next to the span where none lies on its edge; `interpolated` the values on its
        edges where there are any. These come on top of `limit`.
        """
        left = _rest(span, order, resume_us)
        if limit is not None and limit < 1:
            raise QueryError(f"a limit of {limit} samples gives none; ask for 1 or more")
        if limit is None:
            run = await self._every_sample(point, left)
            page = RecordedPage(run if order == "asc" else backwards(run), None)
        else:
            check_sample_count(limit, self._limits.samples_max)
            turn = page_up if order == "asc" else page_down
            page = await turn(self._reader, point, left, limit)
        if boundary == "inside" or span.is_empty:
            return page
        return await self._with_boundary(point, span, boundary, order, page, is_first=resume_us is None)

    async def recorded_many(self, points: Sequence[Point], span: TimeRange) -> list[SampleRun]:
        """Every sample of many points in the span, one run for each point, in the order asked."""
        check_point_count(self._limits, points)
        span = await self._filled_span(points, span, self._limits.samples_max)
        check_sample_count(expected_sample_count(points, span), self._limits.samples_max)
        found: list[SampleRun] = []
        async for _, runs in scan(self._reader, points, span, self._limits.samples_max):
            found += runs
        return found

    async def at(self, point: Point, time_us: int, mode: AtMode) -> SampleRun:
        """The sample at or before, at or after, or exactly at a time, or the value interpolated there; 0 or 1."""
        if mode == "after":
            return await sample_after(self._reader, point.id, time_us)
        before = await sample_before(self._reader, point.id, time_us)
        if mode == "before":
            return before
        if mode == "exact":
            return before.between(time_us, time_us + 1)
        return value_at(point, before, await sample_after(self._reader, point.id, time_us + 1), time_us)

    async def interpolated(
        self,
        point: Point,
        span: TimeRange,
        interval_us: int,
        gaps: GapMode = "break",
        max_gap_us: int | None = None,
    ) -> Columns:
        """The value every `interval_us` from the span's start; NaN in gaps, or the last value held as suspect.

        `max_gap_us`: the longest distance between two samples that is bridged (default: two of the point's intervals).
        """
        _check_interval(interval_us)
        slot_count(self._limits, span, interval_us, 1)
        reach_us = max(point.interval_us, default_gap_max_us(point) if max_gap_us is None else max_gap_us)
        if span.is_empty:
            return interpolate_run(point, empty_run(point.id), grid(span, interval_us), gaps, reach_us, 0)
        reached = TimeRange(span.start_us - reach_us, span.end_us + reach_us)
        run = await self._scan_one(point, reached)
        if gaps == "hold" and not is_usable(run.between(reached.start_us, span.start_us + 1).quality).any():
            run = joined(point.id, [await self._usable_before(point, reached.start_us), run])
        now_us = self._clock.now_us()
        return await _computed(
            run.sample_count + (span.duration_us // interval_us),
            lambda: interpolate_run(point, run, grid(span, interval_us), gaps, reach_us, now_us),
        )

    async def plot(self, point: Point, span: TimeRange, width: int) -> PlotColumns:
        """What a chart of `width` pixel columns shows of the span."""
        check_width(self._limits, width)
        if span.is_empty:
            return reduce_run(point, empty_run(point.id), TimeRange(span.start_us, span.start_us), width)
        run = await self._scan_one(point, span)
        return await _computed(run.sample_count, lambda: reduce_run(point, run, span, width))

    async def summary(
        self,
        points: Sequence[Point],
        span: TimeRange,
        interval_us: int | None = None,
        basis: Basis = "time",
    ) -> list[Summary]:
        """Figures of the span, or of each `interval_us` of it (the last may be shorter), point by point."""
        check_point_count(self._limits, points)
        if span.is_empty or not points:
            return []
        step_us = span.duration_us if interval_us is None else interval_us
        _check_interval(step_us)
        slot_count(self._limits, span, step_us, len(points))
        edge_us: TimeColumn = np.append(grid(span, step_us), span.end_us)
        samples_max = self._limits.scanned_samples_max
        reached = TimeRange(span.start_us - max(point.interval_us for point in points), span.end_us)
        reached = await self._filled_span(points, reached, samples_max)
        check_sample_count(expected_sample_count(points, reached), samples_max)
        found: list[Summary] = []
        async for group, runs in self._scan(points, reached):
            found += await _computed(
                sum(run.sample_count for run in runs) + len(group) * len(edge_us) * _SAMPLES_PER_ANSWER,
                functools.partial(_summarise_group, group, runs, edge_us, basis),
            )
        return found

    async def gaps(self, point: Point, span: TimeRange, with_not_due: bool = False) -> list[Gap]:
        """Where samples of one point are missing up to now, by time, each with its cause."""
        return (await self.gaps_of_many([point], span, with_not_due))[0]

    async def gaps_of_many(
        self, points: Sequence[Point], span: TimeRange, with_not_due: bool = False
    ) -> list[list[Gap]]:
        """For each point where samples are missing up to now and where it is retired; `with_not_due` also what lies ahead."""
        check_point_count(self._limits, points)
        now_us = self._clock.now_us()
        later = [promised.not_due(point, span, now_us) if with_not_due else [] for point in points]
        span = TimeRange(span.start_us, min(span.end_us, now_us))
        if span.is_empty or not points:
            return later
        begin_us = span.start_us - LOOKBACK_INTERVALS * max(point.interval_us for point in points)
        samples_max = self._limits.scanned_samples_max
        reached = await self._filled_span(points, TimeRange(begin_us, span.end_us), samples_max)
        check_sample_count(expected_sample_count(points, reached), samples_max)
        book, retired = await self._outage_book(points, begin_us, span.end_us), self.retirements.retired()
        found: list[list[Gap]] = []
        async for group, runs in self._scan(points, reached):
            firsts_us = [await self._some_time_us(point, span.start_us) for point in group]
            found += await _computed(
                sum(run.sample_count for run in runs) + len(group) * _SAMPLES_PER_ANSWER,
                functools.partial(
                    promised.gaps_of_group, group, runs, firsts_us, span, now_us, book, retired
                ),
            )
        return [some + rest for some, rest in zip(found, later, strict=True)]

    async def _outage_book(self, points: Sequence[Point], start_us: int, end_us: int) -> OutageBook:
        sources = [source for point in points for source in point.outage_sources]
        outages = await _computed(
            len(sources) * _SAMPLES_PER_ANSWER, lambda: self._journal.outages(sources, start_us, end_us)
        )
        if self._rejected is None:
            return OutageBook(outages)
        longest_us = max(point.interval_us for point in points)
        ids = [point.id for point in points]
        return OutageBook(outages, await self._rejected.rejected(ids, start_us, end_us + longest_us))

    async def latest(self, points: Sequence[Point]) -> list[Latest]:
        """The newest sample of each point, in the order asked."""
        check_point_count(self._limits, points)
        now_us = self._clock.now_us()
        runs = await self._reader.last([point.id for point in points])
        for index, run in enumerate(runs):
            if run.sample_count and run.quality[-1] & DELETED:
                runs[index] = await sample_before(self._reader, run.point_id, int(run.time_us[-1]))
        return await _computed(
            len(points) * _SAMPLES_PER_ANSWER,
            lambda: [latest_of(point, run, now_us) for point, run in zip(points, runs, strict=True)],
        )

    async def latest_block(self, point_ids: PointIdColumn) -> LatestBlock:
        """As `latest`, in columns: no object for a point."""
        check_count_of_points(self._limits, len(point_ids))
        now_us = self._clock.now_us()
        newest = await self._reader.last_block(point_ids)
        deleted = np.flatnonzero(newest.is_found & ((newest.quality & DELETED) != 0)).tolist()
        if deleted:
            newest = LastBlock(
                newest.is_found.copy(), newest.time_us.copy(), newest.value.copy(), newest.quality.copy()
            )
        for i in deleted:
            before = await sample_before(self._reader, int(point_ids[i]), int(newest.time_us[i]))
            newest.is_found[i] = before.sample_count > 0
            if before.sample_count:
                newest.time_us[i], newest.value[i] = before.time_us[-1], before.value[-1]
                newest.quality[i] = before.quality[-1]
        return LatestBlock(newest, now_us)

    async def _every_sample(self, point: Point, span: TimeRange) -> SampleRun:
        """As `recorded_many` of one point."""
        if span.duration_us > point.interval_us * min(PORTION_SAMPLES, self._limits.samples_max):
            return (await self.recorded_many([point], span))[0]
        block = await self._reader.read_block([point.id], *span)
        check_sample_count(block.sample_count, self._limits.samples_max)
        return without_deleted(SampleRun(point.id, block.time_us, block.value, block.quality))

    async def _scan_one(self, point: Point, span: TimeRange) -> SampleRun:
        span = await self._filled_span([point], span, self._limits.scanned_samples_max)
        check_sample_count(expected_sample_count([point], span), self._limits.scanned_samples_max)
        parts = [run async for _, runs in self._scan([point], span) for run in runs]
        return parts[0]

    def _scan(
        self, points: Sequence[Point], span: TimeRange
    ) -> AsyncIterator[tuple[Sequence[Point], list[SampleRun]]]:
        return scan(self._reader, points, span, self._limits.scanned_samples_max)

    async def _filled_span(self, points: Sequence[Point], span: TimeRange, samples_max: int) -> TimeRange:
        """A span too long to be promised is cut to where a single point has samples; else unchanged."""
        if len(points) != 1 or expected_sample_count(points, span) <= samples_max:
            return span
        first = await sample_after(self._reader, points[0].id, span.start_us)
        last = await sample_before(self._reader, points[0].id, span.end_us - 1)
        if first.sample_count == 0 or last.sample_count == 0:
            return TimeRange(span.start_us, span.start_us)
        return span.overlap(TimeRange(int(first.time_us[0]), int(last.time_us[0]) + 1))

    async def _some_time_us(self, point: Point, start_us: int) -> int | None:
        """A sample before `start_us`, else the first after it, deleted ones aside: none before means nothing yet."""
        earlier = await sample_before(self._reader, point.id, start_us - 1)
        near = earlier if earlier.sample_count else await sample_after(self._reader, point.id, start_us)
        return int(near.time_us[0]) if near.sample_count else None

    async def _usable_before(self, point: Point, time_us: int) -> SampleRun:
        for _ in range(HELD_LOOKBACK_SAMPLES):
            run = await sample_before(self._reader, point.id, time_us)
            if run.sample_count == 0 or is_usable(run.quality)[0]:
                return run
            time_us = int(run.time_us[0]) - 1
        return empty_run(point.id)

    async def _usable_after(self, point: Point, time_us: int) -> SampleRun:
        for _ in range(HELD_LOOKBACK_SAMPLES):
            run = await sample_after(self._reader, point.id, time_us)
            if run.sample_count == 0 or is_usable(run.quality)[0]:
                return run
            time_us = int(run.time_us[0]) + 1
        return empty_run(point.id)

    async def _with_boundary(
        self,
        point: Point,
        span: TimeRange,
        boundary: Boundary,
        order: Order,
        page: RecordedPage,
        is_first: bool,
    ) -> RecordedPage:
        is_last = page.next_time_us is None
        has_start, has_end = (is_first, is_last) if order == "asc" else (is_last, is_first)
        start_part = end_part = empty_run(point.id)
        if has_start:
            mode: AtMode = "before" if boundary == "outside" else "interpolated"
            start_part = await self.at(point, span.start_us, mode)
            is_recorded = (await self.at(point, span.start_us, "exact")).sample_count > 0
            start_part = empty_run(point.id) if is_recorded else start_part
        if has_end:
            end_part = await self.at(point, span.end_us, "after" if boundary == "outside" else "interpolated")
        parts = [start_part, page.run, end_part] if order == "asc" else [end_part, page.run, start_part]
        return RecordedPage(joined(point.id, parts), page.next_time_us)


def _rest(span: TimeRange, order: Order, resume_us: int | None) -> TimeRange:
    """What of the span the pages before have left over."""
    if resume_us is None:
        return span
    rest = TimeRange(resume_us, span.end_us) if order == "asc" else TimeRange(span.start_us, resume_us)
    return span.overlap(rest)


def _check_interval(interval_us: int) -> None:
    if interval_us <= 0:
        raise QueryError("the interval must be longer than nothing")


def _summarise_group(
    points: Sequence[Point], runs: Sequence[SampleRun], edge_us: TimeColumn, basis: Basis
) -> list[Summary]:
    return [
        summary
        for point, run in zip(points, runs, strict=True)
        for summary in summarise_run(point, run, edge_us, basis)
    ]


async def _computed(cost_samples: int, compute: Callable[[], _Answer]) -> _Answer:
    """The answer, made on the loop where that is a matter of microseconds, else in a thread."""
    if cost_samples <= _INLINE_SAMPLES_MAX:
        return compute()
    return await asyncio.to_thread(compute)
