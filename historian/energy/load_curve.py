"""The load curve of a day: always every slot, each with value, state, sample count and quality.

A slot's value is the mean over the time that its samples speak for, in the unit per hour: interval energy of
157.18 kWh in a quarter of an hour is 628.72 kW. It is computed from exact whole numbers and rounded once. A
missing slot is NaN, never zero and never the last value. Nothing is carried across a gap.
"""

import functools
import operator
from collections.abc import Sequence
from enum import IntEnum
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point, load_curve_kernels, sample_period, slot_sum
from historian.energy.load_curve_kernels import HALF_BITS, HALF_MASK
from historian.energy.metering import Metering
from historian.energy.sample_period import Mask, SamplePeriods
from historian.model import quality
from historian.model.point import HOUR_US
from historian.model.sample import SampleRun

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]

COVERED_SHARE_MIN: Final = 0.99  # of a complete slot: sources that stamp with jitter leave slivers
EXTREME_SHARE_MIN: Final = 0.5  # of a slot that may be a day's maximum or minimum


class SlotState(IntEnum):
    """How a slot came to its value. Numbers are append-only; names are those of the HTTP contract."""

    COMPLETE = 0  # samples speak for all of it
    PARTIAL = 1  # for some of it: the mean is over that part
    MISSING = 2  # no sample: no value
    SUSPECT = 3  # samples that may not be used (bad, or a register that fell): no value
    SPREAD = 4  # the share of a period longer than the slot
    SPANNED = 5  # within a gap whose energy is known as a whole only: no value


class LoadCurve(NamedTuple):
    """One value for each slot; NaN where there is none.

    `sample_count` counts the samples stamped in the slot. `covered_us` is the time the value speaks for.
    `total` is the exact sum over all slots in unit·hours, or the amount for interval and register points;
    it includes what gaps are known to hold. `known_us` is the time it speaks for. `ranked_total` and `ranked_us`
    are the same over those slots only that may be the maximum or minimum: at least half of each is covered.
    `events` are the `counter_event.CounterFlag` of all periods that reach into the slots.
    """

    value: F64
    state: U8
    sample_count: I64
    quality: U16
    covered_us: I64
    total: Fraction
    known_us: int
    ranked_total: Fraction
    ranked_us: int
    events: int = 0


class CurveSummary(NamedTuple):
    """A curve in figures, unrounded; None where there is nothing to tell.

    `max_value` is the maximum of the interval means (区间最大), the first where several are equal. It is not a
    meter's maximum demand (最大需量), which slides. Slots covered by less than half are no candidates. `mean`
    is over the time that is known; `energy` is what is known. `load_factor` divides the mean over the
    candidates by their maximum, so that it fits it and never exceeds 1, whatever lies in slots of few samples
    or in gaps that a register bridges. `utilisation_h` is energy over the maximum (利用小时). `estimated_count` counts
    slots of which a part was estimated or substituted, `events` are the curve's.
    """

    max_value: float | None = None
    max_start_us: int | None = None
    max_end_us: int | None = None
    min_value: float | None = None
    min_start_us: int | None = None
    min_end_us: int | None = None
    mean: float | None = None
    load_factor: float | None = None
    load_factor_min: float | None = None
    peak_valley_difference: float | None = None
    peak_valley_rate: float | None = None
    energy: float | None = None
    slot_count: int = 0
    value_count: int = 0
    complete_count: int = 0
    utilisation_h: float | None = None
    estimated_count: int = 0
    events: int = 0


def build(run: SampleRun, of: Metering, edges_us: I64, period_end_us: I64 | None = None) -> LoadCurve:
    """The curve of one point over the slots ``edges_us[i] … edges_us[i + 1]``, the factor of each period applied once.

    The run should reach two intervals beyond both ends, a register's as `sample_period.register_span` says; what
    speaks for no slot is ignored, so a longer run gives the same curve. `period_end_us`: see
    `sample_period.periods_of`.
    """
    periods = sample_period.periods_of(run, of, period_end_us)
    periods = periods.between(int(edges_us[0]), int(edges_us[-1]))
    sums = slot_sum.sum_slots(periods, of.kind in sample_period.AMOUNT_KINDS, edges_us)
    value = slot_sum.mean_rates(sums)
    is_ranked = _is_ranked(sums.covered_us, edges_us) & ~np.isnan(value)
    return LoadCurve(
        value=value,
        state=_states(sums.covered_us, value, periods, edges_us, of.interval_us),
        sample_count=_count_samples(run, edges_us),
        quality=_qualities(periods, edges_us),
        covered_us=sums.covered_us,
        total=sums.total,
        known_us=sums.known_us,
        ranked_total=slot_sum.sum_of(sums, is_ranked),
        ranked_us=int(np.sum(sums.covered_us[is_ranked])),
        events=int(np.bitwise_or.reduce(periods.events)),
    )


def add(curves: Sequence[LoadCurve], edges_us: I64) -> LoadCurve:
    """The sum of curves over the same slots; a slot where any lacks is PARTIAL and sums what is there."""
    assert curves, "a sum has at least one curve"
    values = np.array([curve.value for curve in curves])
    states = np.array([curve.state for curve in curves])
    value_count = np.count_nonzero(~np.isnan(values), axis=0)
    state = np.where(value_count > 0, np.uint8(SlotState.PARTIAL), np.min(states, axis=0))
    is_whole = np.all((states == SlotState.COMPLETE) | (states == SlotState.SPREAD), axis=0)
    state = np.where(is_whole, np.max(states, axis=0), state).astype(np.uint8)
    covered_us: I64 = np.max(np.array([curve.covered_us for curve in curves]), axis=0)
    sums = _exact_column_sums(values)
    ranked = np.flatnonzero(_is_ranked(covered_us, edges_us) & (value_count > 0)).tolist()
    return LoadCurve(
        value=np.where(value_count > 0, [fixed_point.to_float(one) for one in sums], np.nan),
        state=state,
        sample_count=np.sum([curve.sample_count for curve in curves], axis=0, dtype=np.int64),
        quality=sample_period.worst_of_rows(np.array([curve.quality for curve in curves])),
        covered_us=covered_us,
        total=fixed_point.sum_of([curve.total for curve in curves]),
        known_us=max(int(np.sum(covered_us)), max(curve.known_us for curve in curves)),
        ranked_total=sum((sums[slot] * int(covered_us[slot]) for slot in ranked), Fraction()) / HOUR_US,
        ranked_us=int(np.sum(covered_us[ranked])),
        events=functools.reduce(operator.or_, (curve.events for curve in curves)),
    )


def summarise(curve: LoadCurve, edges_us: I64) -> CurveSummary:
    """Maximum, minimum, mean and what follows from them; see CurveSummary."""
    has_value = ~np.isnan(curve.value)
    counts = CurveSummary(
        slot_count=len(curve.value),
        value_count=int(np.count_nonzero(has_value)),
        complete_count=int(
            np.count_nonzero((curve.state == SlotState.COMPLETE) | (curve.state == SlotState.SPREAD))
        ),
        estimated_count=int(np.count_nonzero(has_value & _is_estimated(curve.quality))),
        events=curve.events,
    )
    if curve.known_us == 0:
        return counts
    total, divisor = curve.total.as_integer_ratio()
    summary = counts._replace(
        mean=fixed_point.quotient(total * HOUR_US, divisor * curve.known_us),
        energy=fixed_point.quotient(total, divisor),
    )
    candidates = np.flatnonzero(has_value & _is_ranked(curve.covered_us, edges_us))
    if len(candidates) == 0:
        return summary
    first_max = int(candidates[np.argmax(curve.value[candidates])])
    first_min = int(candidates[np.argmin(curve.value[candidates])])
    return _with_extremes(summary, curve, edges_us, first_max, first_min)


def simultaneity(total: CurveSummary, parts: Sequence[CurveSummary]) -> float | None:
    """The maximum of a sum over the sum of the maxima (同时率), at most 1; None where any has no maximum, or none is above 0."""
    maxima = [part.max_value for part in parts]
    if total.max_value is None or None in maxima:
        return None
    whole = fixed_point.sum_of([fixed_point.exact(value) for value in maxima if value is not None])
    if whole <= 0:
        return None
    return fixed_point.to_float(fixed_point.exact(total.max_value) / whole)


def _is_estimated(column: U16) -> Mask:
    origin = column & quality.ORIGIN_MASK
    is_estimated: Mask = (origin == quality.ESTIMATED) | (origin == quality.SUBSTITUTED)
    return is_estimated


def _share(numerator: int, divisor: int, whole: int, whole_divisor: int) -> float:
    """``numerator / divisor`` of a positive ``whole / whole_divisor``; at most 1, though that was rounded down.

    Whole numbers are divided once, at the end: as exact as fractions, and a day has ten of these.
    """
    upper, lower = numerator * whole_divisor, divisor * whole
    return 1.0 if upper >= lower else fixed_point.quotient(upper, lower)


def _with_extremes(
    summary: CurveSummary, curve: LoadCurve, edges_us: I64, first_max: int, first_min: int
) -> CurveSummary:
    highest, lowest = float(curve.value[first_max]), float(curve.value[first_min])
    high, high_divisor = fixed_point.exact_ratio(highest)
    low, low_divisor = fixed_point.exact_ratio(lowest)
    difference = high * low_divisor - low * high_divisor
    total, divisor = curve.ranked_total.as_integer_ratio()
    has_ratios = high > 0
    return summary._replace(
        max_value=highest,
        max_start_us=int(edges_us[first_max]),
        max_end_us=int(edges_us[first_max + 1]),
        min_value=lowest,
        min_start_us=int(edges_us[first_min]),
        min_end_us=int(edges_us[first_min + 1]),
        load_factor=_share(total * HOUR_US, divisor * curve.ranked_us, high, high_divisor)
        if has_ratios
        else None,
        load_factor_min=fixed_point.quotient(low * high_divisor, low_divisor * high) if has_ratios else None,
        peak_valley_difference=fixed_point.quotient(difference, high_divisor * low_divisor),
        peak_valley_rate=fixed_point.quotient(difference, low_divisor * high) if has_ratios else None,
        utilisation_h=_utilisation_h(curve.total, high, high_divisor) if has_ratios else None,
    )


def _utilisation_h(energy: Fraction, high: int, high_divisor: int) -> float:
    return fixed_point.quotient(energy.numerator * high_divisor, energy.denominator * high)


def _is_ranked(covered_us: I64, edges_us: I64) -> Mask:
    """Which slots may be the maximum or the minimum."""
    is_ranked: Mask = (covered_us > 0) & (covered_us >= np.diff(edges_us) * EXTREME_SHARE_MIN)
    return is_ranked


def _states(covered_us: I64, value: F64, periods: SamplePeriods, edges_us: I64, point_interval_us: int) -> U8:
    length_us = np.diff(edges_us)
    whole = np.where(point_interval_us > length_us, np.uint8(SlotState.SPREAD), np.uint8(SlotState.COMPLETE))
    state = np.full(len(length_us), np.uint8(SlotState.MISSING))
    state[_touched(periods, ~periods.is_usable, edges_us)] = SlotState.SUSPECT
    state[_touched(periods, periods.is_whole_only, edges_us)] = SlotState.SPANNED
    state[covered_us > 0] = SlotState.PARTIAL
    is_whole = (covered_us >= length_us * COVERED_SHARE_MIN) & (covered_us > 0)
    state[is_whole] = whole[is_whole]
    state[(covered_us > 0) & np.isnan(value)] = SlotState.SUSPECT  # beyond what a float can hold
    return state


def _qualities(periods: SamplePeriods, edges_us: I64) -> U16:
    """Worst of the samples used; where none may be used, worst of those; where there are none, missing."""
    worst = np.full(len(edges_us) - 1, np.uint16(quality.MISSING))
    for is_wanted in (~periods.is_usable, periods.is_usable & ~periods.is_whole_only):
        if bool(np.any(is_wanted)):
            chosen = periods.select(is_wanted)
            touched = np.zeros(len(worst), np.uint8)
            load_curve_kernels.collect_quality(
                chosen.start_us, chosen.end_us, chosen.quality, edges_us, worst, touched
            )
    return worst


def _touched(periods: SamplePeriods, mask: Mask, edges_us: I64) -> Mask:
    """Which slots the periods of `mask` reach into."""
    touched = np.zeros(len(edges_us) - 1, np.uint8)
    if bool(np.any(mask)):
        chosen = periods.select(mask)
        ignored = np.zeros(len(touched), np.uint16)
        load_curve_kernels.collect_quality(
            chosen.start_us, chosen.end_us, chosen.quality, edges_us, ignored, touched
        )
    return touched > 0


def _count_samples(run: SampleRun, edges_us: I64) -> I64:
    times_us = sample_period.without_deleted(run).time_us
    return np.diff(np.searchsorted(times_us, edges_us)).astype(np.int64)


def _exact_column_sums(values: F64) -> list[Fraction]:
    """Sum down each column, leaving out NaN: exact for decimals, whatever the order of the rows."""
    fixed = fixed_point.to_fixed(np.where(np.isnan(values), 0.0, values).reshape(-1))
    scaled = fixed.scaled.reshape(values.shape)
    high = np.sum(scaled >> HALF_BITS, axis=0).tolist()
    low = np.sum(scaled & HALF_MASK, axis=0).tolist()
    return [((upper << HALF_BITS) + lower) * fixed.unit for upper, lower in zip(high, low, strict=True)]
