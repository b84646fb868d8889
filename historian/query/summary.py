"""Figures of a time range: extremes with their times, mean, total, deviation and how much of it was good.

By time (the default) each usable sample weighs the time it holds: from its stamp until the next sample, at most the
point's own interval; so a gap weighs nothing, is not bridged and shows in `good_share`. By events each usable sample
inside weighs the same.
"""

import math
from typing import Literal

import msgspec
import numpy as np

from historian.errors import UnitError
from historian.model.point import HOUR_US, Point, PointKind
from historian.model.sample import SampleRun, TimeColumn
from historian.model.unit import integral_unit
from historian.query import kernels
from historian.query.run_part import kernel_ready

Basis = Literal["time", "event"]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of ``[start_us, end_us)``; None where nothing counted or the figure has no meaning for the kind.

    `total` is value × hours (kW gives kWh) or, for interval quantities, their sum, by the share that lies inside;
    registers and ratios have none. `std` is that of the whole, not of a sample. `count` counts samples stamped
    inside, usable or not. `good_share` is the part of the time held by good samples, by events the part of good ones.
    """

    point_id: int
    start_us: int
    end_us: int
    min: float | None
    min_time_us: int | None
    max: float | None
    max_time_us: int | None
    mean: float | None
    total: float | None
    total_unit: str
    std: float | None
    count: int
    good_share: float


def summarise_run(point: Point, run: SampleRun, edge_us: TimeColumn, basis: Basis) -> list[Summary]:
    """One summary for each slot between edges; `run` begins one interval before the first edge."""
    is_interval = point.kind is PointKind.INTERVAL
    hold_us = point.interval_us if basis == "time" else 0
    weight_unit_us = point.interval_us if is_interval else HOUR_US
    ready = kernel_ready(run)
    figures = kernels.summarise(ready.time_us, ready.value, ready.quality, edge_us, hold_us, weight_unit_us)
    has_total = is_interval or (
        basis == "time" and point.kind in (PointKind.INSTANTANEOUS, PointKind.MEAN_POWER)
    )
    whole = np.diff(edge_us) if basis == "time" else np.maximum(1, figures.sample_count)
    good_share = (figures.good / whole).tolist()
    total_unit = _total_unit(point) if has_total else ""
    columns = [column.tolist() for column in figures]
    edges = edge_us.tolist()
    return [
        Summary(
            point_id=point.id,
            start_us=edges[slot],
            end_us=edges[slot + 1],
            min=_number(low),
            min_time_us=low_us if used else None,
            max=_number(high),
            max_time_us=high_us if used else None,
            mean=_number(mean),
            total=_number(total) if has_total else None,
            total_unit=total_unit,
            std=_number(deviation),
            count=count,
            good_share=good_share[slot],
        )
        for slot, (low, low_us, high, high_us, mean, total, deviation, count, used, _) in enumerate(
            zip(*columns, strict=True)
        )
    ]


def _total_unit(point: Point) -> str:
    if point.kind is PointKind.INTERVAL:
        return point.unit
    try:
        return integral_unit(point.unit)
    except UnitError:
        return f"{point.unit}·h"  # such as V·h: of little use, but what was asked for


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
