"""Days, months and years out of the cells of day figures.

Sums are exact: whole numbers over a common denominator. A quotient is told only where its rounding is certain;
it is computed as a sum of two floats, 106 bits, and where those lie too close to the middle of two floats, or
where a sum does not fit 64 bits, the row is "not done" and `aggregate.row_of` has the word.

Inner functions take arrays and not the tuples that hold them: handing a tuple on counts references of each column.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fleet_kernels
from historian.jit_kernels import njit
from historian.rollup.figure_kernels import DAY_BITS, DAY_MASK, FIGURE, Cells, Place

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

OPEN: Final = 0
PROVISIONAL: Final = 1
COMPLETE: Final = 2

_EXACT_MAX: Final = 2.0**53
_EXACT_WHOLE: Final = 1 << 53
_WHOLE_MAX: Final = 2.0**62
_HALF: Final = 1 << 61
_SPLITTER: Final = 134217729.0  # 2²⁷ + 1
_ERROR_SHARE: Final = 2.0**-96  # of a quotient of 106 bits, with room
_LARGE: Final = 1e280
_SMALL: Final = 1e-280
_HOUR_US: Final = 3_600_000_000.0
_SCALED_MAX: Final = 2.0**53
_POWERS: Final = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_NO_SLOT: Final = 255


class Calendar(NamedTuple):
    """Periods, days of which begin at `first_day`; edges by the zone of each point."""

    zone: I64  # of each point: row of the edges
    day_edge_us: I64  # (zone, day)
    first_day: int
    period_first: I64  # place of the first day of each period; one more is the end of the last
    period_start_us: I64  # (zone, period)
    period_end_us: I64
    period_day_count: I64  # (zone, period): days that are not skipped
    now_us: int


class Periods(NamedTuple):
    """Rows of (point, period), flat. Numbers are NaN and times -1 where there is nothing to tell."""

    energy: F64
    mean: F64
    load_factor: F64
    max_value: F64
    max_start_us: I64
    max_end_us: I64
    min_value: F64
    min_start_us: I64
    min_end_us: I64
    received: I64
    good: I64
    measured: I64
    estimated: I64
    manual: I64
    state: U8
    revision: I64
    computed_at_us: I64
    is_done: U8


@njit(cache=True, nogil=True)
def two_product(one: float, other: float) -> tuple[float, float]:
    """The product and what rounding took from it (Dekker)."""
    product = one * other
    shifted = _SPLITTER * one
    one_high = shifted - (shifted - one)
    shifted = _SPLITTER * other
    other_high = shifted - (shifted - other)
    one_low, other_low = one - one_high, other - other_high
    rest = (
        (one_high * other_high - product) + one_high * other_low + one_low * other_high
    ) + one_low * other_low
    return product, rest


@njit(cache=True, nogil=True)
def times(high: float, low: float, factor: float) -> tuple[float, float]:
    """A number of two floats times a float."""
    product, rest = two_product(high, factor)
    rest += low * factor
    total = product + rest
    return total, rest - (total - product)


@njit(cache=True, nogil=True)
def split_whole(number: int) -> tuple[float, float]:
    """A whole number below 2⁶² as two floats, exactly."""
    high = np.float64(number)
    return high, np.float64(number - int(high))


@njit(cache=True, nogil=True)
def less(high: float, low: float, other_high: float, other_low: float) -> tuple[float, float]:
    """The difference of two numbers of two floats, which are about equal."""
    first = high - other_high
    back = first - high
    rest = (high - (first - back)) - (other_high + back)
    rest += low - other_low
    total = first + rest
    return total, rest - (total - first)


@njit(cache=True, nogil=True)
def certain_quotient(high: float, low: float, over_high: float, over_low: float) -> float:
    """The float nearest to the quotient of two numbers of two floats; NaN where that is not certain."""
    if high == 0.0:
        return 0.0
    if not (_SMALL < abs(high) < _LARGE and _SMALL < abs(over_high) < _LARGE):
        return np.nan
    first = high / over_high
    if not _SMALL < abs(first) < _LARGE:
        return np.nan
    product, rest = times(over_high, over_low, first)
    left, left_low = less(high, low, product, rest)
    second = left / over_high
    product, rest = times(over_high, over_low, second)
    left, left_low = less(left, left_low, product, rest)
    result = first + second
    tail = (second - (result - first)) + left / over_high
    total = result + tail
    tail -= total - result
    margin = abs(total) * _ERROR_SHARE
    if total + (tail + margin) != total or total + (tail - margin) != total:
        return np.nan
    return total


@njit(cache=True, nogil=True)
def quotient(numerator: int, denominator: int) -> float:
    """The float nearest to the quotient of two whole numbers below 2⁶²; NaN where that is not certain."""
    if -_EXACT_WHOLE < numerator < _EXACT_WHOLE and denominator < _EXACT_WHOLE:
        return np.float64(numerator) / np.float64(denominator)
    high, low = split_whole(numerator)
    over_high, over_low = split_whole(denominator)
    return certain_quotient(high, low, over_high, over_low)


@njit(cache=True, nogil=True)
def mean_of(numerator: int, denominator: int, known_us: int) -> float:
    """The sum over its time, per hour."""
    high, low = split_whole(numerator)
    high, low = times(high, low, _HOUR_US)
    over_high, over_low = split_whole(denominator)
    over_high, over_low = times(over_high, over_low, np.float64(known_us))
    if known_us >= _EXACT_MAX:
        return np.nan
    return certain_quotient(high, low, over_high, over_low)


@njit(cache=True, nogil=True)
def load_factor_of(numerator: int, denominator: int, known_us: int, highest: float) -> float:
    """Mean over maximum, at most 1; the maximum taken for the decimal it stands for, as in `fixed_point.exact`."""
    high, low = split_whole(numerator)
    high, low = times(high, low, _HOUR_US)
    over_high, over_low = split_whole(denominator)
    over_high, over_low = times(over_high, over_low, np.float64(known_us))
    scaled, power = highest, 1.0
    if abs(highest) < _SCALED_MAX:
        for one in _POWERS:
            whole = np.rint(highest * one)
            if abs(whole) < _SCALED_MAX and whole / one == highest:
                scaled, power = whole, one
                break
    high, low = times(high, low, power)
    over_high, over_low = times(over_high, over_low, scaled)
    if known_us >= _EXACT_MAX or not highest < _LARGE:
        return np.nan
    factor = certain_quotient(high, low, over_high, over_low)
    return min(factor, 1.0) if factor == factor else np.nan


@njit(cache=True, nogil=True)
def add_sums(sums: I64, total: int, ranked: int, denominator: int) -> bool:
    """Add to sums[0] and sums[1] over sums[2]; False where it does not fit."""
    factor, part_factor = 1, 1
    if denominator != sums[2]:
        if sums[2] % denominator == 0:
            part_factor = sums[2] // denominator
        else:
            common = fleet_kernels.greatest_divisor(sums[2], denominator)
            factor, part_factor = denominator // common, sums[2] // common
        if max(abs(float(sums[0])), abs(float(sums[1])), float(sums[2])) * factor >= _WHOLE_MAX:
            return False
        if max(abs(float(total)), abs(float(ranked))) * part_factor >= _WHOLE_MAX:
            return False
    sums[0] = sums[0] * factor + total * part_factor
    sums[1] = sums[1] * factor + ranked * part_factor
    sums[2] = sums[2] * factor
    return abs(float(sums[0])) < _WHOLE_MAX and abs(float(sums[1])) < _WHOLE_MAX


@njit(cache=True, nogil=True)
def fold_states(place: Place, calendar: Calendar, cells: Cells, rows: I64, out: Periods) -> None:
    """State, revision and time of computing of each point and period; a point's rows begin at rows[p]."""
    for p in range(len(place.group)):
        zone = calendar.zone[p]
        for k in range(len(calendar.period_first) - 1):
            revision, computed_at_us, complete_count = 0, -1, 0
            for d in range(calendar.period_first[k], calendar.period_first[k + 1]):
                day = calendar.first_day + d
                f = place.frames[place.group[p], (day >> DAY_BITS) - place.first_window]
                c = (place.row[p] << DAY_BITS) | (day & DAY_MASK)
                if cells.state[f, c] == FIGURE:
                    revision += cells.revision[f, c]
                    computed_at_us = max(computed_at_us, cells.computed_at_us[f, c])
                    is_there = calendar.day_edge_us[zone, d + 1] > calendar.day_edge_us[zone, d]
                    complete_count += cells.is_complete[f, c] != 0 and is_there
            i = rows[p] + k
            out.revision[i] = revision
            out.computed_at_us[i] = computed_at_us if computed_at_us >= 0 else calendar.now_us
            is_complete = complete_count == calendar.period_day_count[zone, k]
            out.state[i] = COMPLETE if is_complete else PROVISIONAL
            if calendar.now_us < calendar.period_end_us[zone, k]:
                out.state[i] = OPEN


@njit(cache=True, nogil=True)
def fold_energy(
    place: Place, calendar: Calendar, is_summed: U8, cells: Cells, rows: I64, out: Periods
) -> None:
    """The exact sum, rounded once; `is_done` tells where that is certain."""
    sums = np.zeros(3, np.int64)
    for p in range(len(place.group)):
        for k in range(len(calendar.period_first) - 1):
            known_us, is_done, total, denominator = 0, True, 0, 1
            for d in range(calendar.period_first[k], calendar.period_first[k + 1]):
                day = calendar.first_day + d
                f = place.frames[place.group[p], (day >> DAY_BITS) - place.first_window]
                c = (place.row[p] << DAY_BITS) | (day & DAY_MASK)
                if cells.state[f, c] != FIGURE or not is_done:
                    continue
                part, part_denominator = cells.total_numerator[f, c], cells.denominator[f, c]
                if part_denominator == 0:
                    is_done = False
                elif known_us == 0 and total == 0:
                    total, denominator = part, part_denominator
                elif part_denominator == denominator and -_HALF < total < _HALF and -_HALF < part < _HALF:
                    total += part
                else:
                    sums[0], sums[1], sums[2] = total, 0, denominator
                    is_done = add_sums(sums, part, 0, part_denominator)
                    total, denominator = sums[0], sums[2]
                known_us += cells.known_us[f, c]
            i = rows[p] + k
            out.energy[i] = np.nan
            if known_us and is_summed[p] and is_done:
                out.energy[i] = quotient(total, denominator)
                is_done = not np.isnan(out.energy[i])
            out.is_done[i] = is_done


@njit(cache=True, nogil=True)
def fold_ratios(
    place: Place, calendar: Calendar, is_summed: U8, cells: Cells, rows: I64, out: Periods
) -> None:
    """Mean and load factor; `is_done` no longer holds where they are not certain."""
    sums = np.zeros(3, np.int64)
    for p in range(len(place.group)):
        for k in range(len(calendar.period_first) - 1):
            known_us, ranked_us, is_done, highest = 0, 0, True, -np.inf
            for d in range(calendar.period_first[k], calendar.period_first[k + 1]):
                day = calendar.first_day + d
                f = place.frames[place.group[p], (day >> DAY_BITS) - place.first_window]
                c = (place.row[p] << DAY_BITS) | (day & DAY_MASK)
                if cells.state[f, c] != FIGURE:
                    continue
                total, ranked = cells.total_numerator[f, c], cells.ranked_numerator[f, c]
                denominator = cells.denominator[f, c]
                if known_us == 0 and ranked_us == 0 and denominator != 0:
                    sums[0], sums[1], sums[2] = total, ranked, denominator
                else:
                    is_done = is_done and denominator != 0 and add_sums(sums, total, ranked, denominator)
                known_us += cells.known_us[f, c]
                ranked_us += cells.ranked_us[f, c]
                if cells.max_slot[f, c] != _NO_SLOT:
                    highest = max(highest, cells.max_value[f, c])
            i = rows[p] + k
            out.mean[i], out.load_factor[i] = np.nan, np.nan
            if known_us and is_done:
                out.mean[i] = mean_of(sums[0], sums[2], known_us)
                is_done = not np.isnan(out.mean[i])
                if is_summed[p] and highest > 0.0:
                    out.load_factor[i] = load_factor_of(sums[1], sums[2], ranked_us, highest)
                    is_done = is_done and not np.isnan(out.load_factor[i])
            if not is_done:
                out.is_done[i] = 0


@njit(cache=True, nogil=True)
def fold_counts(place: Place, calendar: Calendar, cells: Cells, rows: I64, out: Periods) -> None:
    """The evidence added up."""
    for p in range(len(place.group)):
        for k in range(len(calendar.period_first) - 1):
            i = rows[p] + k
            out.received[i], out.good[i], out.measured[i] = 0, 0, 0
            out.estimated[i], out.manual[i] = 0, 0
            for d in range(calendar.period_first[k], calendar.period_first[k + 1]):
                day = calendar.first_day + d
                f = place.frames[place.group[p], (day >> DAY_BITS) - place.first_window]
                c = (place.row[p] << DAY_BITS) | (day & DAY_MASK)
                if cells.state[f, c] == FIGURE:
                    out.received[i] += cells.received[f, c]
                    out.good[i] += cells.good[f, c]
                    out.measured[i] += cells.measured[f, c]
                    out.estimated[i] += cells.estimated[f, c]
                    out.manual[i] += cells.manual[f, c]
