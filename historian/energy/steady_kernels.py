"""Day figures of runs whose samples lie on their grid: the everyday of a fleet, a few nanoseconds a sample.

A run is steady where every stamp is a whole number of intervals from midnight and every value a decimal of at
most nine digits. Each sample then speaks for exactly one interval, so a slot is a sum of whole numbers and a day
needs no look at what lies beside it. What is not so is "not done": `fleet_kernels` or `load_curve` have the word,
and say the same for every day that is done here.

Runs lie one after the other in the same columns; run r is ``[offset[r], offset[r + 1])``.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fleet_kernels
from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]

NO_SLOT: Final = 255
EXPONENT_MAX: Final = 9

_POWERS: Final = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_SCALED_MAX: Final = 1 << 51
_EXACT_MAX: Final = 2.0**53
_WHOLE_MAX: Final = 2.0**62
_SAMPLES_MAX: Final = 2048  # times 2⁵¹: the sum of a stretch stays below 2⁶²
_COVERED_SHARE_MIN: Final = 0.99  # as in load_curve
_EXTREME_SHARE_MIN: Final = 0.5
EVERYDAY_MASK: Final = 0b10011111  # validity, origin, deleted: all zero is good and measured
_LOWEST: Final = -(1 << 62)
_HIGHEST: Final = 1 << 62


class Figures(NamedTuple):
    """Of each run (row) and day (column). Exact sums are ``numerator / denominator``, all three without a common
    divisor; `ranked_…` are over the slots that may be the maximum. Slots are NO_SLOT where there is none.
    `input_digest` names the samples of the day, where more than these figures is made from them; else zero.
    """

    total_numerator: I64
    ranked_numerator: I64
    denominator: I64
    known_us: I64
    ranked_us: I64
    max_value: F64
    min_value: F64
    max_slot: U8
    min_slot: U8
    received: U32
    good: U32
    measured: U32
    estimated: U32
    manual: U32
    is_complete: U8
    input_digest: I64


class Grid(NamedTuple):
    """What all runs of a call share: the interval, the slots, and the interval as a fraction of an hour."""

    interval_us: int
    slot_us: int
    hours: int
    per_hours: int


@njit(cache=True, nogil=True)
def is_on_grid(time: I64, origin_us: int, interval_us: int) -> bool:
    """Whether every stamp is a whole number of intervals from the origin."""
    if len(time) == 0:
        return True
    if (time[0] - origin_us) % interval_us != 0:
        return False
    odd_count = 0
    for i in range(1, len(time)):  # without a branch, so that the processor looks at eight at once
        step = time[i] - time[i - 1]
        odd_count += int((step != interval_us) & (step != 2 * interval_us) & (step != 3 * interval_us))
    for i in range(1, len(time) if odd_count else 0):  # noqa: SIM110 a kernel has no generators
        if (time[i] - time[i - 1]) % interval_us != 0:
            return False
    return True


@njit(cache=True, nogil=True)
def sum_scaled(value: F64, power: float) -> tuple[bool, int, int, int]:
    """Whether all values are whole numbers of 1 / power, and sum, highest and lowest of those numbers."""
    total, highest, lowest, odd_count = 0, _LOWEST, _HIGHEST, 0
    for i in range(len(value)):  # without a branch, as above
        scaled = np.rint(value[i] * power)
        odd_count += int(scaled / power != value[i])
        whole = int(scaled)
        total += whole
        highest = whole if whole > highest else highest
        lowest = whole if whole < lowest else lowest
    is_exact = odd_count == 0 and highest <= _SCALED_MAX and lowest >= -_SCALED_MAX
    return is_exact, total, highest, lowest


@njit(cache=True, nogil=True)
def find_exponent(value: F64, first: int) -> int:
    """The first exponent from `first` on at which all values are exact decimals; -1 where there is none."""
    for exponent in range(first, EXPONENT_MAX + 1):
        if sum_scaled(value, _POWERS[exponent])[0]:
            return exponent
    return -1


@njit(cache=True, nogil=True)
def is_everyday(quality: U16) -> bool:
    """Whether all samples are good and measured."""
    bits = 0
    for one in quality:
        bits |= one
    return bits & EVERYDAY_MASK == 0


@njit(cache=True, nogil=True)
def index_of(value: F64, wanted: float) -> int:
    """The first place of a value that is there."""
    i = 0
    while value[i] != wanted:
        i += 1
    return i


@njit(cache=True, nogil=True)
def quotient(numerator: float, denominator: float) -> float:
    """The quotient of two whole numbers, correctly rounded; NaN where that is not certain."""
    if abs(numerator) >= _EXACT_MAX or denominator >= _EXACT_MAX:
        return np.nan
    result: float = numerator / denominator + 0.0
    return result


@njit(cache=True, nogil=True)
def reduced(total: int, ranked: int, numerator: int, denominator: int) -> tuple[int, int, int]:
    """Total and ranked × numerator / denominator without a common divisor: two numerators and the denominator,
    which is 0 where they do not fit.
    """
    if max(abs(float(total)), abs(float(ranked))) * abs(float(numerator)) >= _WHOLE_MAX:
        return 0, 0, 0
    total, ranked = total * numerator, ranked * numerator
    common = fleet_kernels.greatest_divisor(denominator, total)
    if ranked != total:
        common = fleet_kernels.greatest_divisor(common, ranked)
    return total // common, ranked // common, denominator // common


@njit(cache=True, nogil=True)
def lay_single(
    time: I64, value: F64, start_us: int, power: float, scale: I64, grid: Grid
) -> tuple[bool, int, float, float, int, int, int, int, int]:
    """A day whose slots hold one sample each: whether it is done, sum, maximum, minimum and their slots,
    sum and time of those that may be an extreme, and how many slots are complete. `scale`: see `scale_of`.
    """
    is_exact, total, highest, lowest = sum_scaled(value, power)
    high = quotient(float(highest) * float(scale[2]), float(scale[3]))
    low = quotient(float(lowest) * float(scale[2]), float(scale[3]))
    if not is_exact or np.isnan(high) or np.isnan(low) or len(value) > _SAMPLES_MAX:
        return False, 0, 0.0, 0.0, 0, 0, 0, 0, 0
    max_slot = (time[index_of(value, float(highest) / power)] - start_us) // grid.slot_us
    min_slot = (time[index_of(value, float(lowest) / power)] - start_us) // grid.slot_us
    return True, total, high, low, max_slot, min_slot, total, len(value) * grid.interval_us, len(value)


@njit(cache=True, nogil=True)
def lay_many(
    time: I64, value: F64, start_us: int, end_us: int, power: float, scale: I64, grid: Grid
) -> tuple[bool, int, float, float, int, int, int, int, int]:
    """A day whose slots hold several samples each; as `lay_single`."""
    is_exact, total, highest, lowest = sum_scaled(value, power)
    is_done = is_exact and max(abs(float(highest)), abs(float(lowest))) * len(value) < _WHOLE_MAX
    ranked, ranked_us, complete_count = 0, 0, 0
    high, low, max_slot, min_slot = np.nan, np.nan, NO_SLOT, NO_SLOT
    i = 0
    while is_done and i < len(value):
        slot = (time[i] - start_us) // grid.slot_us
        slot_start_us = start_us + slot * grid.slot_us
        slot_end_us = min(slot_start_us + grid.slot_us, end_us)
        first, slot_total = i, 0
        while i < len(value) and time[i] < slot_end_us:
            slot_total += int(np.rint(value[i] * power))
            i += 1
        mean = quotient(float(slot_total) * float(scale[2]), float(scale[3]) * (i - first))
        is_done = not np.isnan(mean)
        covered_us, length_us = (i - first) * grid.interval_us, slot_end_us - slot_start_us
        complete_count += covered_us >= length_us * _COVERED_SHARE_MIN
        if covered_us >= length_us * _EXTREME_SHARE_MIN:
            ranked += slot_total
            ranked_us += covered_us
            if not mean <= high:
                max_slot, high = slot, mean
            if not mean >= low:
                min_slot, low = slot, mean
    return is_done, total, high, low, max_slot, min_slot, ranked, ranked_us, complete_count


@njit(cache=True, nogil=True)
def lay_day(
    time: I64, value: F64, start_us: int, end_us: int, power: float, scale: I64, grid: Grid
) -> tuple[bool, int, float, float, int, int, int, int, int]:
    """A day of samples that are all good and measured, or of none; as `lay_single`."""
    if len(value) == 0:
        return True, 0, np.nan, np.nan, NO_SLOT, NO_SLOT, 0, 0, 0
    if grid.interval_us == grid.slot_us:
        return lay_single(time, value, start_us, power, scale, grid)
    return lay_many(time, value, start_us, end_us, power, scale, grid)


@njit(cache=True, nogil=True)
def scale_of(exponent: int, is_amount: int, numerator: int, denominator: int, grid: Grid, scale: I64) -> bool:
    """Fill what a sum of scaled values is multiplied with: [0] over [1] for unit·hours, [2] over [3] for the
    mean of one sample. False where a product does not fit.
    """
    power = int(_POWERS[exponent])
    if float(denominator) * float(power) * float(max(grid.hours, grid.per_hours)) >= _WHOLE_MAX:
        return False
    if float(numerator) * float(max(grid.hours, grid.per_hours)) >= _WHOLE_MAX:
        return False
    scale[0] = numerator * (1 if is_amount else grid.hours)
    scale[1] = denominator * power * (1 if is_amount else grid.per_hours)
    scale[2] = numerator * (grid.per_hours if is_amount else 1)
    scale[3] = denominator * power * (grid.hours if is_amount else 1)
    for place in (0, 2):
        common = fleet_kernels.greatest_divisor(scale[place + 1], scale[place])
        scale[place] //= common
        scale[place + 1] //= common
    return True


@njit(cache=True, nogil=True)
def end_of_day(time: I64, first: int, high: int, end_us: int, interval_us: int) -> int:
    """The place of the first sample from `first` on at or after `end_us`, on a grid."""
    if first == high or time[first] >= end_us:
        return first
    last: int = min(high, first + (end_us - 1 - time[first]) // interval_us + 1)
    while time[last - 1] >= end_us:  # as often as samples are missing
        last -= 1
    return last


@njit(cache=True, nogil=True)
def make_figures(
    offset: I64, time: I64, value: F64, quality: U16, is_amount: U8, numerator: I64, denominator: I64,
    day_start: I64, grid: Grid, out: Figures, is_done: U8,
) -> None:  # fmt: skip
    """Figures of each run and day; day d is ``[day_start[d], day_start[d + 1])``, all on one grid.

    A run's values are multiplied with numerator / denominator; a denominator of zero leaves the run alone.
    """
    scale = np.zeros(4, np.int64)
    exponent = 3
    for r in range(len(offset) - 1):
        low, high = offset[r], offset[r + 1]
        if denominator[r] == 0 or not is_on_grid(time[low:high], day_start[0], grid.interval_us):
            continue
        is_tried = False
        d, first = 0, low + np.searchsorted(time[low:high], day_start[0])
        is_scaled = scale_of(exponent, is_amount[r], numerator[r], denominator[r], grid, scale)
        while is_scaled and d < len(day_start) - 1:
            start_us, end_us = day_start[d], day_start[d + 1]
            last = end_of_day(time, first, high, end_us, grid.interval_us)
            if not is_everyday(quality[first:last]):
                d, first = d + 1, last
                continue
            is_laid, total, highest, lowest, max_slot, min_slot, ranked, ranked_us, complete_count = lay_day(
                time[first:last], value[first:last], start_us, end_us, _POWERS[exponent], scale, grid
            )
            if not is_laid and not is_tried:
                # Another number of digits: one that fits the whole run, tried once.
                is_tried = True
                found = find_exponent(value[low:high], 0)
                if found >= 0 and found != exponent:
                    exponent = found
                    is_scaled = scale_of(exponent, is_amount[r], numerator[r], denominator[r], grid, scale)
                    continue
            sums = reduced(total, ranked, scale[0], scale[1])
            out.total_numerator[r, d], out.ranked_numerator[r, d], out.denominator[r, d] = sums
            out.known_us[r, d] = (last - first) * grid.interval_us
            out.ranked_us[r, d] = ranked_us
            out.max_value[r, d], out.min_value[r, d] = highest, lowest
            out.max_slot[r, d], out.min_slot[r, d] = max_slot, min_slot
            out.received[r, d], out.good[r, d], out.measured[r, d] = last - first, last - first, last - first
            out.estimated[r, d], out.manual[r, d] = 0, 0
            slot_count = -((start_us - end_us) // grid.slot_us)
            out.is_complete[r, d] = first < last and complete_count == slot_count
            is_done[r, d] = is_laid and out.denominator[r, d] != 0
            d, first = d + 1, last


@njit(cache=True, nogil=True)
def take_over(
    rows: I64, whole: I64, extreme: F64, done: U8, slot_count: I64, out: Figures, is_done: U8
) -> None:
    """Fill what is not done yet from what `fleet_kernels.make_figures` made of the runs `rows`."""
    for i in range(len(rows)):
        for d in range(len(slot_count)):
            r, one = rows[i], whole[i, d]
            if done[i, d] == 0 or is_done[r, d] != 0 or slot_count[d] > NO_SLOT:
                continue
            total_denominator = one[fleet_kernels.TOTAL_DENOMINATOR]
            ranked_denominator = one[fleet_kernels.RANKED_DENOMINATOR]
            factor = ranked_denominator // fleet_kernels.greatest_divisor(
                total_denominator, ranked_denominator
            )
            rest = float(total_denominator) * float(factor) / float(ranked_denominator)
            total, ranked = one[fleet_kernels.TOTAL_NUMERATOR], one[fleet_kernels.RANKED_NUMERATOR]
            largest = max(float(total_denominator), abs(float(total))) * factor
            if largest >= _WHOLE_MAX or abs(float(ranked)) * rest >= _WHOLE_MAX:
                continue
            common = total_denominator * factor
            out.total_numerator[r, d] = total * factor
            out.denominator[r, d] = common
            out.ranked_numerator[r, d] = ranked * (common // ranked_denominator)
            out.known_us[r, d] = one[fleet_kernels.KNOWN_US]
            out.ranked_us[r, d] = one[fleet_kernels.RANKED_US]
            has_extremes = one[fleet_kernels.MAX_SLOT] >= 0
            out.max_value[r, d] = extreme[i, d, 0] if has_extremes else np.nan
            out.min_value[r, d] = extreme[i, d, 1] if has_extremes else np.nan
            out.max_slot[r, d] = one[fleet_kernels.MAX_SLOT] if has_extremes else NO_SLOT
            out.min_slot[r, d] = one[fleet_kernels.MIN_SLOT] if has_extremes else NO_SLOT
            out.is_complete[r, d] = one[fleet_kernels.COMPLETE_COUNT] == slot_count[d]
            out.received[r, d] = one[fleet_kernels.RECEIVED]
            out.good[r, d] = one[fleet_kernels.GOOD]
            out.measured[r, d] = one[fleet_kernels.MEASURED]
            out.estimated[r, d] = one[fleet_kernels.ESTIMATED]
            out.manual[r, d] = one[fleet_kernels.MANUAL]
            is_done[r, d] = 1


@njit(cache=True, nogil=True)
def sum_runs(
    offset: I64, time: I64, value: F64, quality: U16, multiplier: I64, power: float,
    start_us: int, slot_us: int, total: I64, count: I64, flags: U16,
) -> bool:  # fmt: skip
    """Add up runs of one sample a slot: the values as whole numbers of 1 / power × multiplier, how many there are,
    and every flag of theirs. False, with half-filled columns, where a run is not steady.
    """
    end_us, slot_count = start_us + slot_us * len(total), len(total)
    largest, full_count = 0, 0
    for r in range(len(offset) - 1):
        low, high = offset[r], offset[r + 1]
        if not is_on_grid(time[low:high], start_us, slot_us):
            return False
        while low < high and time[low] < start_us:
            low += 1
        while low < high and time[high - 1] >= end_us:
            high -= 1
        if low == high:
            continue
        is_full = high - low == slot_count and time[low] == start_us
        odd_count, seen = 0, 0
        for i in range(low, high):  # without a branch, so that the processor looks at eight at once
            scaled = np.rint(value[i] * power)
            odd_count += int(scaled / power != value[i])
            seen |= quality[i]
        if odd_count or (seen & EVERYDAY_MASK):
            return False
        if is_full and seen == 0:
            for i in range(slot_count):
                whole = int(np.rint(value[low + i] * power)) * multiplier[r]
                total[i] += whole
                largest = max(largest, abs(whole))
            full_count += 1
        else:
            slot = (time[low] - start_us) // slot_us
            for i in range(low, high):
                step = time[i] - time[max(low, i - 1)]
                slot += int(step > 0) if step <= slot_us else step // slot_us
                whole = int(np.rint(value[i] * power)) * multiplier[r]
                total[slot] += whole
                count[slot] += 1
                flags[slot] |= quality[i]
                largest = max(largest, abs(whole))
    count += full_count
    is_done: bool = largest <= _SCALED_MAX and float(largest) * len(offset) < _WHOLE_MAX
    return is_done
