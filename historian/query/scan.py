"""Reads samples in portions, so that a query's memory and the time between its checks stay bounded."""

import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

import numpy as np

from historian.model.point import Point
from historian.model.ports import SampleReader
from historian.model.quality import DELETED
from historian.model.sample import SampleRun
from historian.model.timerange import TimeRange
from historian.query.limits import check_sample_count, expected_sample_count
from historian.query.run_part import joined, without_deleted

PORTION_SAMPLES: Final = 250_000  # expected in one read; what one portion of columns may weigh (6 MB)


async def scan(
    reader: SampleReader, points: Sequence[Point], span: TimeRange, samples_max: int
) -> AsyncIterator[tuple[Sequence[Point], list[SampleRun]]]:
    """Points in their order, a group at a time, with their runs in `span` without deleted samples.

    Raises QueryTooLarge as soon as more than `samples_max` were found, which happens where a source
    delivers more often than its points' intervals say.
    """
    if expected_sample_count(points, span) <= PORTION_SAMPLES:  # the everyday question is one read
        block = await reader.read_block([point.id for point in points], *span)
        check_sample_count(block.sample_count, samples_max)
        runs = block.runs()
        yield points, runs if not np.any(block.quality & DELETED) else [without_deleted(run) for run in runs]
        return
    found_count = 0
    for group in _groups(points, span):
        parts: list[list[SampleRun]] = [[] for _ in group]
        ids = [point.id for point in group]
        for window in _windows(group, span):
            for own_parts, run in zip(parts, await reader.read(ids, *window), strict=True):
                own_parts.append(without_deleted(run))
                found_count += run.sample_count
            check_sample_count(found_count, samples_max)
        yield group, [joined(point.id, own) for point, own in zip(group, parts, strict=True)]


def _groups(points: Sequence[Point], span: TimeRange) -> Iterator[Sequence[Point]]:
    first, expected = 0, 0
    for index, point in enumerate(points):
        count = expected_sample_count([point], span)
        if expected and expected + count > PORTION_SAMPLES:
            yield points[first:index]
            first, expected = index, 0
        expected += count
    if first < len(points):
        yield points[first:]


def _windows(group: Sequence[Point], span: TimeRange) -> Iterator[TimeRange]:
    window_count = max(1, -(-expected_sample_count(group, span) // PORTION_SAMPLES))
    edges = [span.start_us + span.duration_us * k // window_count for k in range(window_count + 1)]
    for start_us, end_us in itertools.pairwise(edges):
        yield TimeRange(start_us, end_us)
