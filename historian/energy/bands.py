"""Energy of time-of-use bands, exact, and never more than is known.

A sample that speaks for one band alone counts there whole. An instant that is held across the edge of a band is cut there
by time. A mean or an amount across an edge is not divided, nor is what a register counted across a gap: they stay in the
day's total alone, so the bands need not add up to it. The difference is undivided energy; it is never spread.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from historian.energy import band_kernels, fixed_point, fleet, load_curve_kernels, sample_period
from historian.energy.band_kernels import NO_BAND, BandFigures, Layout, Room
from historian.energy.fleet import Asked
from historian.energy.load_curve_kernels import HALF_BITS, HALF_MASK
from historian.energy.sample_period import SamplePeriods
from historian.energy.steady_kernels import Grid
from historian.energy.tariff import DaySchedule
from historian.model.point import HOUR_US, PointKind
from historian.model.sample import RunBlock
from historian.model.tariff import BAND_COUNT, UNDIVIDED

I64 = npt.NDArray[np.int64]

HELD_KINDS: Final = frozenset({PointKind.INSTANTANEOUS, PointKind.RATIO})
PARTS_MAX: Final = 1 << 20  # of an interval
SAMPLES_MAX: Final = 90_000  # of a day: one a second

_TOO_MANY: Final = -1

Bands = tuple[Fraction, Fraction, Fraction, Fraction, Fraction]
"""Unit·hours, or the amount, of each of BANDS."""


def split(periods: SamplePeriods, kind: PointKind, schedule: DaySchedule) -> Bands:
    """The bands of one local day or of several in a row; periods outside are ignored. What they lack of the total is
    undivided.
    """
    sums = [Fraction()] * BAND_COUNT
    edges_us = schedule.edges_us
    if bool(np.any(schedule.band != UNDIVIDED)):
        used = periods.select((periods.end_us > edges_us[0]) & (periods.start_us < edges_us[-1]))
        used = used.select(used.is_usable)
        for factor in np.unique(used.factor).tolist():
            high, low, unit = _windows(used.select(used.factor == factor), kind, edges_us)
            unit *= fixed_point.exact(factor)
            for code in np.unique(schedule.band[schedule.band != UNDIVIDED]).tolist():
                is_in = schedule.band == code
                whole = (sum(high[is_in].tolist()) << HALF_BITS) + sum(low[is_in].tolist())
                sums[code] += whole * unit
    return sums[0], sums[1], sums[2], sums[3], sums[4]


def add_bands(
    block: RunBlock,
    asked: Asked,
    schedules: Sequence[Sequence[DaySchedule]],
    schedule_of_run: I64,
    day_edges_us: Sequence[I64],
    out: BandFigures,
    is_done: npt.NDArray[np.bool_],
) -> None:
    """Fill the bands of cells (run, day) that `fleet.day_figures` has done: ``schedules[schedule_of_run[run]][day]``.

    A run whose schedule is -1 has no bands, and stays as it is. Bands, total and ranked share one denominator without a
    common divisor. A cell where that does not fit, or whose samples are not decimals on their grid, is no longer done:
    `split` has the word.
    """
    day_start_us = np.array([*(edges[0] for edges in day_edges_us), day_edges_us[-1][-1]], np.int64)
    is_held = np.array([ask.kind in HELD_KINDS for ask in asked.asks], np.uint8)[asked.code]
    is_seen = np.zeros(block.run_count, np.uint8)
    done = is_done.view(np.uint8)
    for interval_us in {ask.interval_us for ask in asked.asks}:
        if ((day_start_us - day_start_us[0]) % interval_us).any():
            continue
        common = math.gcd(interval_us, HOUR_US)
        sample_count = min(SAMPLES_MAX, int(np.max(np.diff(day_start_us))) // interval_us)
        room = Room(
            np.empty(sample_count, np.int64), np.empty(BAND_COUNT, np.int64), np.full(8, -1, np.int64)
        )
        is_amount, numerator, denominator = fleet.factors_of(asked, interval_us)
        band_kernels.add_bands(
            block.offset, block.time_us, block.value, block.quality, schedule_of_run, is_amount, is_held, numerator,
            denominator, day_start_us, Grid(interval_us, interval_us, interval_us // common, HOUR_US // common),
            _layout_of(schedules, interval_us), room, out, done, is_seen,
        )  # fmt: skip
    is_done[(is_seen == 0) & (schedule_of_run >= 0)] = False


def _windows(periods: SamplePeriods, kind: PointKind, edges_us: I64) -> tuple[I64, I64, Fraction]:
    """What lies in each window, of usable periods of one factor that reach into them: ``(high × 2²⁶ + low) × unit``."""
    scaled, unit = _scaled(periods, kind)
    start_us, end_us = periods.start_us, periods.end_us
    high, low, ignored = (np.zeros(len(edges_us) - 1, np.int64) for _ in range(3))
    if kind not in HELD_KINDS:
        window = np.searchsorted(edges_us, start_us, side="right") - 1
        is_within = (window >= 0) & ~periods.is_whole_only
        is_within &= end_us <= edges_us[np.minimum(window + 1, len(edges_us) - 1)]
        scaled, window = scaled[is_within], window[is_within]
        start_us, end_us = start_us[is_within], end_us[is_within]
    if kind in sample_period.AMOUNT_KINDS:
        np.add.at(high, window, scaled >> HALF_BITS)
        np.add.at(low, window, scaled & HALF_MASK)
    else:
        unit /= HOUR_US
        origin_us = edges_us[0]
        load_curve_kernels.integrate_power(
            start_us - origin_us, end_us - origin_us, scaled, edges_us - origin_us, high, low, ignored
        )
    return high, low, unit


def _scaled(periods: SamplePeriods, kind: PointKind) -> tuple[I64, Fraction]:
    """Rates or amounts as whole numbers of one unit, the same as `slot_sum` takes for the total."""
    if kind not in sample_period.AMOUNT_KINDS:
        fixed = fixed_point.to_fixed(periods.value)
        return fixed.scaled, fixed.unit
    columns = [periods.value, periods.base, *([periods.carry] if periods.carry.any() else [])]
    fixed = fixed_point.to_fixed(np.concatenate(columns))
    value, base, *carry = np.split(fixed.scaled, len(columns))
    return value - base + (carry[0] if carry else 0), fixed.unit


def _layout_of(schedules: Sequence[Sequence[DaySchedule]], interval_us: int) -> Layout:
    """Schedules in ticks of an interval."""
    shape = len(schedules), len(schedules[0]) if schedules else 0
    first, last, tick, parts = (np.zeros(shape, np.int64) for _ in range(4))
    ends, codes, count = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for row, days in enumerate(schedules):
        for day, schedule in enumerate(days):
            ticks_us = schedule.edges_us[1:] - schedule.edges_us[0]
            tick_us = math.gcd(interval_us, int(np.gcd.reduce(ticks_us)))
            first[row, day], count = count, count + len(ticks_us)
            last[row, day], tick[row, day] = count, tick_us
            part_count = interval_us // tick_us if interval_us // tick_us <= PARTS_MAX else _TOO_MANY
            has_bands = bool(np.any(schedule.band != UNDIVIDED))
            parts[row, day] = part_count if has_bands else NO_BAND
            ends.append(ticks_us // tick_us)
            codes.append(schedule.band.astype(np.int64))
    return Layout(first, last, tick, parts, np.concatenate(ends), np.concatenate(codes))
