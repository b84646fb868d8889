"""Load curves of one or many points over a day, and their sum."""

import asyncio
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fleet, load_curve, steady_sum
from historian.energy.fleet import Asked
from historian.energy.load_curve import CurveSummary, LoadCurve
from historian.model.point import DAY_US, Point
from historian.model.ports import PackedReader, SampleReader
from historian.model.sample import SampleRun
from historian.model.term import NO_TERMS, PointTerms
from historian.rollup import day_figure, day_source, prepared_source
from historian.rollup.day_maker import Metered
from historian.rollup.point_unit import FigureUnits

I64 = npt.NDArray[np.int64]

LOOP_SAMPLES_MAX: Final = 2_000  # a day of minutes: curves of so many are made before a thread has begun
READ_SAMPLES_MAX: Final = 500_000  # asked of the store at once, as far as intervals tell


TermsOf = Callable[[int], PointTerms]


class PointCurves(NamedTuple):
    """Curves over the same slots ``edges_us[i] … edges_us[i + 1]``, in the order of the points asked for.

    `total` is their sum, slot by slot, and `summary` is of it; `missing_count` tells for each slot how many
    points have no value there (which ones: NaN in `curves`, which a sum asked for alone need not have). `unit` is that of values, `energy_unit` that of
    energies; None for units whose sum over time means nothing, where `energy` and `load_factor` are None too.
    """

    edges_us: I64
    curves: list[LoadCurve]
    total: LoadCurve
    summary: CurveSummary
    missing_count: I64
    unit: str
    energy_unit: str | None
    expected_count: int = 0  # samples that all points together promise for the day

    def summaries(self) -> list[CurveSummary]:
        """Of each curve; computed when asked for, since a sum of a thousand points needs none."""
        return [_summary_of(curve, self.edges_us, self.energy_unit) for curve in self.curves]


async def read_curves(
    reader: SampleReader,
    points: Sequence[Point],
    edges_us: I64,
    zone: zoneinfo.ZoneInfo,
    terms_of: TermsOf = lambda _: NO_TERMS,
) -> list[LoadCurve]:
    """The curve of each point, in their order; arithmetic that takes long runs beside the loop."""
    curves: dict[int, LoadCurve] = {}
    start_us, end_us = int(edges_us[0]), int(edges_us[-1])
    for indexes in _parts_of(points):
        some = [points[index] for index in indexes]
        stored = await day_source.read_runs(reader, some, start_us, end_us)
        metered = [Metered(point, terms_of(point.id)) for point in some]
        runs = await prepared_source.prepare_runs(reader, metered, stored, start_us, end_us)
        if sum(run.sample_count for run in runs) <= LOOP_SAMPLES_MAX:
            made = _build_all(some, runs, edges_us, zone, terms_of)
        else:
            made = await asyncio.to_thread(_build_all, some, runs, edges_us, zone, terms_of)
        curves.update(zip(indexes, made, strict=True))
    return [curves[index] for index in range(len(points))]


async def read_sum(
    reader: SampleReader,
    packed_reader: PackedReader | None,
    point_id: npt.NDArray[np.int64],
    asked: Asked,
    edges_us: I64,
    units: FigureUnits,
    expected_count: int,
) -> PointCurves | None:
    """The sum of at least two points in one pass over their samples, where they lie if they can be told so; None
    where single curves must be made.
    """
    margin_us = 2 * max(ask.interval_us for ask in asked.asks)
    wanted = point_id.astype(np.uint32), int(edges_us[0]) - margin_us, int(edges_us[-1]) + margin_us
    made = None
    packed = None if packed_reader is None else await packed_reader.read_packed(*wanted)
    if packed is not None:
        made = steady_sum.add_up_packed(packed, asked, edges_us)
    if made is None:
        made = steady_sum.add_up(await reader.read_block(*wanted), asked, edges_us)
    if made is None:
        return None
    summary = _summary_of(made.total, edges_us, units.energy)
    return PointCurves(
        edges_us, [], made.total, summary, made.missing_count, units.rate, units.energy, expected_count
    )


def put_together(curves: list[LoadCurve], edges_us: I64, units: FigureUnits) -> PointCurves:
    """Sum and summaries of at least one curve."""
    total = curves[0] if len(curves) == 1 else load_curve.add(curves, edges_us)
    missing = np.zeros(len(total.value), np.int64)
    for curve in curves:
        missing += np.isnan(curve.value)
    return PointCurves(
        edges_us=edges_us,
        curves=curves,
        total=total,
        summary=_summary_of(total, edges_us, units.energy),
        missing_count=missing,
        unit=units.rate,
        energy_unit=units.energy,
    )


def _summary_of(curve: LoadCurve, edges_us: I64, energy_unit: str | None) -> CurveSummary:
    summary = load_curve.summarise(curve, edges_us)
    if energy_unit is None:
        return summary._replace(energy=None, load_factor=None, load_factor_min=None, utilisation_h=None)
    return summary


def _parts_of(points: Sequence[Point]) -> list[list[int]]:
    """Indexes of points, together where they have one interval, cut so that no part reads too many samples."""
    by_interval: dict[int, list[int]] = {}
    for index, point in enumerate(points):
        by_interval.setdefault(point.interval_us, []).append(index)
    parts: list[list[int]] = []
    for interval_us, indexes in by_interval.items():
        size = max(1, READ_SAMPLES_MAX // (DAY_US // interval_us + 1))
        parts += [indexes[first : first + size] for first in range(0, len(indexes), size)]
    return parts


def _build_all(
    points: Sequence[Point],
    runs: Sequence[SampleRun],
    edges_us: I64,
    zone: zoneinfo.ZoneInfo,
    terms_of: TermsOf,
) -> list[LoadCurve]:
    curves: list[LoadCurve] = []
    start_us = int(edges_us[0])
    asks = [day_figure.ask_of(point, terms_of(point.id), start_us) for point in points]
    for point, ask, run, curve in zip(points, asks, runs, fleet.build(runs, asks, edges_us), strict=True):
        if curve is not None:
            curves.append(curve)
            continue
        near = day_figure.near_day(point, run, int(edges_us[0]), int(edges_us[-1]))
        ends_us = day_figure.period_ends_us(point, near, zone)
        curves.append(load_curve.build(near, ask.facts, edges_us, ends_us))
    return curves
