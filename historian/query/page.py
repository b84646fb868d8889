"""Recorded samples a page at a time, in either direction, reading little more than the page."""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from historian.model.point import Point
from historian.model.ports import SampleReader
from historian.model.sample import SampleRun, empty_run
from historian.model.timerange import TimeRange
from historian.query.run_part import backwards, chosen, joined, without_deleted

Order = Literal["asc", "desc"]

MORE_SAMPLES = 1  # one beyond the page tells whether there is a next one


class RecordedPage(NamedTuple):
    """Samples in the order asked for (``desc``: times falling), and where the next page begins.

    `next_time_us` goes back into the same query as `resume_us`; None where this was the last page.
    """

    run: SampleRun
    next_time_us: int | None


async def page_up(reader: SampleReader, point: Point, span: TimeRange, limit: int) -> RecordedPage:
    """The first `limit` samples of the span; the next page starts with sample `next_time_us`."""
    parts: list[SampleRun] = []
    found_count = 0
    cursor_us = span.start_us
    window_us = (limit + MORE_SAMPLES) * point.interval_us
    while cursor_us < span.end_us and found_count <= limit:
        window_end_us = min(span.end_us, cursor_us + window_us)
        part = without_deleted((await reader.read([point.id], cursor_us, window_end_us))[0])
        parts.append(part)
        found_count += part.sample_count
        cursor_us = window_end_us
        if part.sample_count == 0 and cursor_us < span.end_us:  # leap over an empty stretch
            later = (await reader.neighbours(point.id, cursor_us - 1))[1]
            cursor_us = int(later.time_us[0]) if later.sample_count else span.end_us
    run = joined(point.id, parts)
    if found_count <= limit:
        return RecordedPage(run, None)
    return RecordedPage(chosen(run, slice(0, limit)), int(run.time_us[limit]))


async def page_down(reader: SampleReader, point: Point, span: TimeRange, limit: int) -> RecordedPage:
    """The last `limit` samples, times falling; `next_time_us` is the exclusive end of the next page."""
    parts: list[SampleRun] = []
    found_count = 0
    cursor_us = span.end_us
    window_us = (limit + MORE_SAMPLES) * point.interval_us
    while cursor_us > span.start_us and found_count <= limit:
        window_start_us = max(span.start_us, cursor_us - window_us)
        part = without_deleted((await reader.read([point.id], window_start_us, cursor_us))[0])
        parts.insert(0, part)
        found_count += part.sample_count
        cursor_us = window_start_us
        if part.sample_count == 0 and cursor_us > span.start_us:
            earlier = (await reader.neighbours(point.id, cursor_us - 1))[0]
            cursor_us = int(earlier.time_us[-1]) + 1 if earlier.sample_count else span.start_us
    run = joined(point.id, parts)
    skipped_count = max(0, found_count - limit)
    page = chosen(run, slice(skipped_count, None))
    next_time_us = int(run.time_us[skipped_count - 1]) + 1 if skipped_count else None
    return RecordedPage(backwards(page), next_time_us)


async def sample_before(reader: SampleReader, point_id: int, time_us: int) -> SampleRun:
    """The last sample at or before `time_us` that is not deleted; empty where there is none."""

    async def look(at_us: int) -> SampleRun:
        return (await reader.neighbours(point_id, at_us))[0]

    return await _first_kept(point_id, time_us, look, -1)


async def sample_after(reader: SampleReader, point_id: int, time_us: int) -> SampleRun:
    """The first sample at or after `time_us` that is not deleted; empty where there is none."""

    async def look(at_us: int) -> SampleRun:
        return (await reader.neighbours(point_id, at_us - 1))[1]

    return await _first_kept(point_id, time_us, look, +1)


async def _first_kept(
    point_id: int, time_us: int, look: Callable[[int], Awaitable[SampleRun]], step_us: int
) -> SampleRun:
    while True:
        run = await look(time_us)
        if run.sample_count == 0:
            return empty_run(point_id)
        kept = without_deleted(run)
        if kept.sample_count:
            return kept
        time_us = int(run.time_us[0]) + step_us
