"""Exact sums of periods over the slots of a day, as whole numbers of one small unit."""

import math
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point, load_curve_kernels
from historian.energy.load_curve_kernels import HALF_BITS
from historian.energy.sample_period import SamplePeriods
from historian.model.point import HOUR_US

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

SLOT_US_MAX: Final = 26 * HOUR_US  # longer slots would overflow the kernels' halves
EXACT_GRID_MAX: Final = 10_000  # parts of a period that still count as regular
FINE_GRID: Final = 1_000_000  # parts of the last digit where periods are irregular
EXACT_FLOAT_MAX: Final = 2.0**53
_JOINED_HIGH_MAX: Final = 1 << 35  # times 2²⁶, and a low half below 2⁶²: within int64


class SlotPart(NamedTuple):
    """What one factor applies to: slot i holds ``(high[i] × 2²⁶ + low[i]) × unit`` unit·hours."""

    high: I64
    low: I64
    unit: Fraction
    covered_us: I64
    spanned_us: I64
    total: Fraction


class SlotSums(NamedTuple):
    """Sums over slots in unit·hours, each sample's factor applied: the parts added up, over `covered_us`.

    `spanned_us` is time within gaps that a register difference bridges: in `total`, in no slot's sum.
    """

    parts: list[SlotPart]
    covered_us: I64
    spanned_us: I64
    total: Fraction

    @property
    def known_us(self) -> int:
        """Time that `total` speaks for."""
        return int(np.sum(self.covered_us) + np.sum(self.spanned_us))


def sum_slots(periods: SamplePeriods, has_amounts: bool, edges_us: I64) -> SlotSums:
    """Sums of usable periods; every period overlaps ``edges_us[0] … edges_us[-1]``.

    Rates are multiplied by time, amounts are divided among slots in proportion to time.
    """
    slot_lengths_us = np.diff(edges_us)
    assert np.all(slot_lengths_us <= SLOT_US_MAX), "a slot is at most a day"
    used = periods.select(periods.is_usable)
    add_up = _sum_amounts if has_amounts else _sum_rates
    parts = [_scaled(add_up(some, edges_us), factor) for factor, some in _by_factor(used)]
    if len(parts) == 1:
        return SlotSums(parts, parts[0].covered_us, parts[0].spanned_us, parts[0].total)
    covered_us: I64 = np.sum([part.covered_us for part in parts], axis=0, dtype=np.int64)
    spanned_us: I64 = np.sum([part.spanned_us for part in parts], axis=0, dtype=np.int64)
    return SlotSums(parts, covered_us, spanned_us, sum((part.total for part in parts), Fraction()))


def sum_of(sums: SlotSums, mask: npt.NDArray[np.bool_]) -> Fraction:
    """The exact sum over the slots of `mask`, without what gaps hold."""
    return sum((_whole(part.high[mask], part.low[mask]) * part.unit for part in sums.parts), Fraction())


def mean_rates(sums: SlotSums) -> F64:
    """Sum over covered time, per hour, correctly rounded; NaN where nothing is covered."""
    if len(sums.parts) == 1:
        return _mean_rates_of(sums.parts[0])
    value = np.full(len(sums.covered_us), np.nan)
    for slot in np.flatnonzero(sums.covered_us > 0).tolist():
        rest = sum_of(sums, np.arange(len(value)) == slot)
        value[slot] = fixed_point.to_float(rest * HOUR_US / int(sums.covered_us[slot]))
    return value


def _by_factor(periods: SamplePeriods) -> list[tuple[float, SamplePeriods]]:
    """The periods of each factor; mostly there is one."""
    if len(periods.factor) == 0:
        return [(1.0, periods)]
    if bool((periods.factor == periods.factor[0]).all()):
        return [(float(periods.factor[0]), periods)]
    factors = np.unique(periods.factor).tolist()
    return [(factor, periods.select(periods.factor == factor)) for factor in factors]


def _scaled(part: SlotPart, factor: float) -> SlotPart:
    if factor == 1.0:
        return part
    scale = fixed_point.exact(factor)
    return part._replace(unit=part.unit * scale, total=part.total * scale)


def _mean_rates_of(part: SlotPart) -> F64:
    per_us = part.unit * HOUR_US
    numerator, denominator = per_us.numerator, per_us.denominator
    high, low, covered = part.high, part.low, part.covered_us
    value = np.full(len(high), np.nan)
    has_value = covered > 0
    # Joined as whole numbers: the halves may have opposite signs and more digits than a float.
    has_room = np.abs(high) < _JOINED_HIGH_MAX
    whole_sum = np.where(has_room, (high << HALF_BITS) + low, 0)
    if abs(numerator) < EXACT_FLOAT_MAX and denominator < EXACT_FLOAT_MAX:
        # Quotients of whole numbers below 2⁵³ are correctly rounded by the processor.
        dividend, divisor = whole_sum * float(numerator), covered * float(denominator)
        is_exact = has_value & has_room & (np.abs(whole_sum) < EXACT_FLOAT_MAX)
        is_exact &= (np.abs(dividend) < EXACT_FLOAT_MAX) & (divisor < EXACT_FLOAT_MAX)
        value[is_exact] = dividend[is_exact] / divisor[is_exact]
        has_value &= ~is_exact
    for slot in np.flatnonzero(has_value):
        whole = (int(high[slot]) << HALF_BITS) + int(low[slot])
        value[slot] = fixed_point.to_float(Fraction(whole * numerator, int(covered[slot]) * denominator))
    return value + 0.0  # minus zero becomes zero


def _sum_rates(periods: SamplePeriods, edges_us: I64) -> SlotPart:
    fixed = fixed_point.to_fixed(periods.value)
    start = np.maximum(periods.start_us, edges_us[0]) - edges_us[0]
    end = np.minimum(periods.end_us, edges_us[-1]) - edges_us[0]
    edges = edges_us - edges_us[0]
    tick_us = _greatest_tick_us(edges, start, end)
    high, low, covered = (np.zeros(len(edges) - 1, np.int64) for _ in range(3))
    load_curve_kernels.integrate_power(
        start // tick_us, end // tick_us, fixed.scaled, edges // tick_us, high, low, covered
    )
    unit = fixed.unit * Fraction(tick_us, HOUR_US)
    return SlotPart(high, low, unit, covered * tick_us, np.zeros_like(covered), _whole(high, low) * unit)


def _sum_amounts(periods: SamplePeriods, edges_us: I64) -> SlotPart:
    count = len(periods.value)
    has_carry = bool(periods.carry.any())
    columns = (periods.value, periods.base, periods.carry)[: 3 if has_carry else 2]
    fixed = fixed_point.to_fixed(np.concatenate(columns))
    amount = fixed.scaled[:count] - fixed.scaled[count : 2 * count]
    if has_carry:
        amount += fixed.scaled[2 * count :]
    grid = _grid(periods, amount, edges_us)
    unit = fixed.unit / grid
    is_spanned = periods.is_whole_only
    high, low, covered_us = _spread(periods, amount, ~is_spanned, grid, edges_us)
    spanned_high, spanned_low, spanned_us = _spread(periods, amount, is_spanned, grid, edges_us)
    total = (_whole(high, low) + _whole(spanned_high, spanned_low)) * unit
    total += _rounded_off_at_ends(periods, amount, grid, edges_us) * unit
    return SlotPart(high, low, unit, covered_us, spanned_us, total)


def _spread(
    periods: SamplePeriods, amount: I64, mask: npt.NDArray[np.bool_], grid: int, edges_us: I64
) -> tuple[I64, I64, I64]:
    high, low, covered_us = (np.zeros(len(edges_us) - 1, np.int64) for _ in range(3))
    load_curve_kernels.spread_amounts(
        periods.start_us[mask], periods.end_us[mask], amount[mask], grid, edges_us, high, low, covered_us
    )
    return high, low, covered_us


def _grid(periods: SamplePeriods, amount: I64, edges_us: I64) -> int:
    """Into how many parts of its last digit an amount is cut: so many that regular shares come out whole."""
    if len(amount) == 0:
        return 1
    lengths = periods.end_us - periods.start_us
    tick_us = _greatest_tick_us(edges_us - edges_us[0], periods.start_us - edges_us[0], lengths)
    grid = 1
    for length in np.unique(lengths // tick_us):
        grid = math.lcm(grid, int(length))
        if grid > EXACT_GRID_MAX:
            grid = FINE_GRID
            break
    largest = int(np.max(np.abs(amount)))
    return max(1, min(grid, (1 << 52) // max(1, largest)))


def _rounded_off_at_ends(periods: SamplePeriods, amount: I64, grid: int, edges_us: I64) -> Fraction:
    """What the grid rounded off the periods that cross the first or last edge.

    Inside, roundings cancel from slot to slot; adding this makes neighbouring days add up exactly too.
    """
    first_us, last_us = int(edges_us[0]), int(edges_us[-1])
    crosses = (periods.start_us < first_us) | (periods.end_us > last_us)
    rest = Fraction()
    for i in np.flatnonzero(crosses):
        start_us, end_us = int(periods.start_us[i]), int(periods.end_us[i])
        length_us, whole = end_us - start_us, int(amount[i]) * grid
        from_us, to_us = max(start_us, first_us) - start_us, min(end_us, last_us) - start_us
        rounded = np.rint(float(whole) * (to_us / length_us)) - np.rint(float(whole) * (from_us / length_us))
        rest += Fraction(whole * (to_us - from_us), length_us) - int(rounded)
    return rest


def _whole(high: I64, low: I64) -> int:
    halves: tuple[list[int], list[int]] = (high.tolist(), low.tolist())
    return (sum(halves[0]) << HALF_BITS) + sum(halves[1])


def _greatest_tick_us(*columns: I64) -> int:
    """The longest time of which all given times are whole multiples; 1 where all are zero."""
    tick_us = 0
    for column in columns:
        tick_us = math.gcd(tick_us, int(np.gcd.reduce(column))) if len(column) else tick_us
    return max(1, tick_us)
