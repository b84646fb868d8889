"""Values on a grid and at boundaries, from one point's run.

What lies between two samples depends on the kind: an instant's value, a ratio and a meter's reading move along a
straight line; a period's value holds for its period and is no straight line to the next, because only the step keeps
the energy. Nothing is ever drawn across a bad or missing sample, a fall of a meter's reading, or a distance above
`gap_max_us`.
"""

from typing import Final, Literal, NamedTuple

import numpy as np

from historian.model.point import Point, PointKind
from historian.model.sample import QualityColumn, SampleRun, TimeColumn, ValueColumn
from historian.model.timerange import TimeRange
from historian.query import kernels
from historian.query.run_part import joined, kernel_ready

Boundary = Literal["inside", "outside", "interpolated"]
AtMode = Literal["before", "after", "exact", "interpolated"]
GapMode = Literal["break", "hold"]

GAP_MAX_INTERVALS: Final = 2  # one missed sample is bridged, two are a gap


class Columns(NamedTuple):
    """Values on a grid; NaN with quality ``missing`` (or ``bad``, where a bad sample lies there) is no value."""

    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn


def default_gap_max_us(point: Point) -> int:
    """The longest distance between two samples that is bridged unless the caller says otherwise."""
    return GAP_MAX_INTERVALS * point.interval_us


def grid(span: TimeRange, interval_us: int) -> TimeColumn:
    """Every `interval_us` from the start, before the end."""
    return np.arange(span.start_us, max(span.start_us, span.end_us), interval_us, dtype=np.int64)


def interpolate_run(
    point: Point, run: SampleRun, slot_us: TimeColumn, gaps: GapMode, gap_max_us: int, hold_until_us: int
) -> Columns:
    """The point's value at each slot; derived values say so in their quality.

    With ``hold`` the last usable value stands in for a gap, as suspect, up to `hold_until_us` (now).
    """
    ready = kernel_ready(run)
    value, quality = kernels.interpolate(
        ready.time_us,
        ready.value,
        ready.quality,
        slot_us,
        point.has_period,
        point.kind is PointKind.REGISTER,
        point.interval_us if point.has_period else 0,
        gap_max_us,
        hold_until_us if gaps == "hold" else int(kernels.NO_TIME),
    )
    return Columns(slot_us, value, quality)


def value_at(point: Point, before: SampleRun, after: SampleRun, time_us: int) -> SampleRun:
    """The point's value at `time_us` from its neighbours, or an empty run where there is none."""
    run = joined(point.id, [before, after])
    gap_max_us = default_gap_max_us(point)
    columns = interpolate_run(point, run, np.array([time_us], np.int64), "break", gap_max_us, 0)
    has_value = ~np.isnan(columns.value)
    return SampleRun(
        point.id,
        columns.time_us[has_value],
        columns.value[has_value],
        columns.quality[has_value],
    )


def pixel_edges(span: TimeRange, width: int) -> TimeColumn:
    """Edges of `width` columns of the span, to the microsecond, without a product that could overflow."""
    whole, rest = divmod(span.duration_us, width)
    step = np.arange(width + 1, dtype=np.int64)
    edges: TimeColumn = span.start_us + step * whole + (step * rest) // width
    return edges
