"""A run reduced to what a chart of so many pixel columns can show, extremes and gaps kept.

First, last, least and greatest of each column draw the same line as all samples would (the M4 reduction). Gaps and
stretches of doubtful quality are given apart, so that no reduction can hide them.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.point import Point
from historian.model.quality import GOOD, ORIGIN_MASK, VALIDITY_MASK, is_usable
from historian.model.sample import QualityColumn, SampleRun, TimeColumn, ValueColumn
from historian.model.timerange import TimeRange
from historian.query import kernels
from historian.query.retrieve import pixel_edges
from historian.query.run_part import kernel_ready

MARKS_PER_COLUMN_MAX = 2  # above that, marks closer than a pixel are joined


class PlotColumns(NamedTuple):
    """Pixel columns that have a value, by `column_index`; then the gaps, then stretches that are not all good.

    A gap runs from where the last sample ceased to hold to the next one; a quality stretch from its first sample
    to where its last ceases to hold, with the worst quality of both validity and flags.
    """

    column_index: npt.NDArray[np.int64]
    first_time_us: TimeColumn
    first: ValueColumn
    last_time_us: TimeColumn
    last: ValueColumn
    min_time_us: TimeColumn
    min: ValueColumn
    max_time_us: TimeColumn
    max: ValueColumn
    quality: QualityColumn
    sample_count: npt.NDArray[np.int64]
    gap_start_us: TimeColumn
    gap_end_us: TimeColumn
    doubt_start_us: TimeColumn
    doubt_end_us: TimeColumn
    doubt_quality: QualityColumn


def reduce_run(point: Point, run: SampleRun, span: TimeRange, width: int) -> PlotColumns:
    """The run's part in `span` on `width` pixel columns."""
    ready = kernel_ready(run)
    pixels = kernels.reduce_to_pixels(ready.time_us, ready.value, ready.quality, pixel_edges(span, width))
    index = np.flatnonzero(pixels.used_count)
    pixel_us = max(1, span.duration_us // width)
    mark_count_max = MARKS_PER_COLUMN_MAX * width
    gap_start_us, gap_end_us, _ = _join_close(*_gaps(point, run), pixel_us, mark_count_max)
    doubt_start_us, doubt_end_us, doubt_quality = _join_close(*_doubts(point, run), pixel_us, mark_count_max)
    return PlotColumns(
        column_index=index,
        first_time_us=pixels.first_time_us[index],
        first=pixels.first[index],
        last_time_us=pixels.last_time_us[index],
        last=pixels.last[index],
        min_time_us=pixels.minimum_time_us[index],
        min=pixels.minimum[index],
        max_time_us=pixels.maximum_time_us[index],
        max=pixels.maximum[index],
        quality=pixels.quality[index],
        sample_count=pixels.sample_count[index],
        gap_start_us=gap_start_us,
        gap_end_us=gap_end_us,
        doubt_start_us=doubt_start_us,
        doubt_end_us=doubt_end_us,
        doubt_quality=doubt_quality,
    )


def _gaps(point: Point, run: SampleRun) -> tuple[TimeColumn, TimeColumn, QualityColumn]:
    """Where usable samples are more than one and a half intervals apart: room for jitter, none for a missed one."""
    time_us = run.time_us[is_usable(run.quality)]
    index = np.flatnonzero(2 * np.diff(time_us) > 3 * point.interval_us)
    return time_us[index] + point.interval_us, time_us[index + 1], np.zeros(len(index), np.uint16)


def _doubts(point: Point, run: SampleRun) -> tuple[TimeColumn, TimeColumn, QualityColumn]:
    """Stretches of neighbouring samples of one validity other than good."""
    validity = run.quality & VALIDITY_MASK
    if not validity.any():
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint16)
    first = np.flatnonzero(np.diff(validity, prepend=np.uint16(GOOD)) != 0)
    last = np.append(first[1:], run.sample_count) - 1
    is_doubt = validity[first] != GOOD
    worst = _worst_of_parts(run.quality, first)
    hold_end_us = run.time_us + point.interval_us
    hold_end_us[:-1] = np.minimum(hold_end_us[:-1], run.time_us[1:])
    return run.time_us[first[is_doubt]], hold_end_us[last[is_doubt]], worst[is_doubt]


def _join_close(
    start_us: TimeColumn, end_us: TimeColumn, quality: QualityColumn, pixel_us: int, count_max: int
) -> tuple[TimeColumn, TimeColumn, QualityColumn]:
    if len(start_us) <= count_max:
        return start_us, end_us, quality
    first = np.flatnonzero(np.append(True, start_us[1:] - end_us[:-1] >= pixel_us))
    last = np.append(first[1:], len(start_us)) - 1
    return start_us[first], end_us[last], _worst_of_parts(quality, first)


def _worst_of_parts(quality: QualityColumn, first: npt.NDArray[np.int64]) -> QualityColumn:
    """`worst_of` for each part that begins at an index of `first` and ends before the next."""
    validity = np.maximum.reduceat(quality & VALIDITY_MASK, first)
    origin = np.maximum.reduceat(quality & ORIGIN_MASK, first)
    flags = np.bitwise_or.reduceat(quality, first) & np.uint16(0xFFFF & ~(VALIDITY_MASK | ORIGIN_MASK))
    return validity | origin | flags
