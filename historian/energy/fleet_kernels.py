"""Curves and day figures of many runs at once, for the everyday case; exact, or refused.

A run's values are whole numbers `scaled` of a decimal digit or of a power of two. Time is counted in a `tick` of
which all stamps, edges and the interval are multiples, so a sum is a 64-bit whole number and a mean is one
quotient of whole numbers below 2⁵³, which the processor rounds correctly. Where any of that does not hold the
answer is "not done", and `load_curve.build` has the word: it says the same for every input that is done here.

Runs lie one after the other in the same columns; run r is ``[first[r], first[r + 1])``.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.model import decimal_kernels

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]

# Whole numbers a figure, in the columns of `whole`; maximum and minimum are slot numbers, -1 where there is none.
TOTAL_NUMERATOR: Final = 0
TOTAL_DENOMINATOR: Final = 1
KNOWN_US: Final = 2
RANKED_NUMERATOR: Final = 3
RANKED_DENOMINATOR: Final = 4
RANKED_US: Final = 5
MAX_SLOT: Final = 6
MIN_SLOT: Final = 7
RECEIVED: Final = 8
GOOD: Final = 9
MEASURED: Final = 10
ESTIMATED: Final = 11
MANUAL: Final = 12
COMPLETE_COUNT: Final = 13
WHOLE_COUNT: Final = 14

# What a point asks for, in the columns of `ask`.
IS_AMOUNT: Final = 0  # else a rate
IS_HELD: Final = 1  # until the next sample, else for its interval
INTERVAL_US: Final = 2
LONGEST_GAP_US: Final = 3
FACTOR_NUMERATOR: Final = 4
FACTOR_DENOMINATOR: Final = 5  # 0: the point is not for these kernels
ASK_COUNT: Final = 6

# The scale of a run, in the columns of `scale`.
NUMERATOR: Final = 0  # value × time of one slot sum, over DENOMINATOR × time × 2^SHIFT, is its mean
DENOMINATOR: Final = 1
SHIFT: Final = 2
TICK_US: Final = 3  # 0: not done
SUM_DENOMINATOR: Final = 4  # slot sums × the point's factor's numerator over this are unit·hours
SCALE_COUNT: Final = 5

# Slot states and quality bits: `load_curve.SlotState`, `historian.model.quality`.
_COMPLETE: Final = 0
_PARTIAL: Final = 1
_MISSING: Final = 2
_SUSPECT: Final = 3
_SPREAD: Final = 4
_VALIDITY_MASK: Final = 0b11
_ORIGIN_MASK: Final = 0b11100
_ORIGIN_ESTIMATED: Final = 1 << 2
_ORIGIN_SUBSTITUTED: Final = 2 << 2
_ORIGIN_MANUAL: Final = 3 << 2
_DELETED: Final = 1 << 7

_HOUR_US: Final = 3_600_000_000
_EXACT_MAX: Final = 2.0**53
_WHOLE_MAX: Final = 2.0**62
_SCALED_MAX: Final = 1 << 51
_SHIFT_MAX: Final = 40
_COVERED_SHARE_MIN: Final = 0.99  # as in load_curve
_EXTREME_SHARE_MIN: Final = 0.5


@njit(cache=True, nogil=True)
def greatest_divisor(one: int, other: int) -> int:
    """Of two whole numbers, not both zero."""
    one, other = abs(one), abs(other)
    while other:
        one, other = other, one % other
    return one


@njit(cache=True, nogil=True)
def tick_of(times: I64, edges: I64, interval_us: int) -> int:
    """The longest of a minute, a second, a millisecond and a microsecond that divides all of them."""
    for tick in (60_000_000, 1_000_000, 1_000):
        if interval_us % tick == 0:
            does_divide = True
            for edge in edges:
                if edge % tick != 0:
                    does_divide = False
                    break
            if does_divide:
                for time in times:
                    if time % tick != 0:
                        does_divide = False
                        break
            if does_divide:
                return tick
    return 1


@njit(cache=True, nogil=True)
def binary_shift(values: F64) -> int:
    """The smallest n ≤ 40 for which every value × 2ⁿ is whole and below 2⁵¹; -1 where a value has not the
    24 bits of a single-precision float, or there is no such n.
    """
    shift = 0
    largest = 0.0
    for value in values:
        if np.float64(np.float32(value)) != value:
            return -1
        largest = max(largest, abs(value))
        scaled = np.ldexp(value, shift)
        while np.rint(scaled) != scaled:
            shift += 1
            scaled = np.ldexp(value, shift)
            if shift > _SHIFT_MAX:
                return -1
    return shift if np.ldexp(largest, shift) < _SCALED_MAX else -1


@njit(cache=True, nogil=True)
def scale_values(values: F64, scaled: I64) -> tuple[int, int]:
    """Fill `scaled` with the values × 10^exponent × 2^shift, whole numbers; (-1, -1) where there are none."""
    shift = 0
    exponent = decimal_kernels.decimal_exponent(values)
    if exponent != decimal_kernels.NOT_DECIMAL:
        scaled[:] = decimal_kernels.to_scaled(values, exponent)
        return exponent, shift
    shift = binary_shift(values)
    if shift < 0:
        return -1, -1
    for i in range(len(values)):
        scaled[i] = np.int64(np.ldexp(values[i], shift))
    return 0, shift


@njit(cache=True, nogil=True)
def put_scale(ask: I64, power: int, shift: int, tick: int, scale: I64) -> None:
    """Fill one row of `scale` for values × `power` × 2^shift; its tick stays zero where it does not fit."""
    ticks_an_hour = _HOUR_US // tick
    is_amount = ask[IS_AMOUNT] != 0
    numerator = ask[FACTOR_NUMERATOR] * (ticks_an_hour if is_amount else 1)
    denominator = ask[FACTOR_DENOMINATOR] * power
    hours = 1 if is_amount else ticks_an_hour
    if float(denominator) * float(1 << shift) * float(hours) >= _WHOLE_MAX:
        return
    common = greatest_divisor(numerator, denominator)
    scale[NUMERATOR] = numerator // common
    scale[DENOMINATOR] = denominator // common
    scale[SHIFT] = shift
    scale[SUM_DENOMINATOR] = denominator * (1 << shift) * hours
    scale[TICK_US] = tick


@njit(cache=True, nogil=True)
def scale_runs(first: I64, time: I64, value: F64, edges: I64, ask: I64, scaled: I64, scale: I64) -> None:
    """Fill `scaled` with the values as whole numbers, and `scale` with what they are multiples of."""
    for run in range(len(first) - 1):
        low, high = first[run], first[run + 1]
        scale[run, TICK_US] = 0
        if ask[run, FACTOR_DENOMINATOR] == 0:
            continue
        exponent, shift = scale_values(value[low:high], scaled[low:high])
        if exponent < 0:
            continue
        largest = 0
        for i in range(low, high):
            largest = max(largest, abs(scaled[i]))
        tick = tick_of(time[low:high], edges, ask[run, INTERVAL_US])
        # A rate over the whole time of all slots, or an amount of each sample: neither may leave 62 bits.
        longest = float(edges[-1] - edges[0]) / tick + (high - low)
        if largest <= _SCALED_MAX and float(largest) * longest < _WHOLE_MAX:
            put_scale(ask[run], 10**exponent, shift, tick, scale[run])


@njit(cache=True, nogil=True)
def fold_quality(one: int, other: int) -> int:
    """Worst validity, origin of least trust, every flag."""
    validity = max(one & _VALIDITY_MASK, other & _VALIDITY_MASK)
    origin = max(one & _ORIGIN_MASK, other & _ORIGIN_MASK)
    return validity | origin | ((one | other) & ~(_VALIDITY_MASK | _ORIGIN_MASK))


@njit(cache=True, nogil=True)
def next_sample(quality: I64, i: int) -> int:
    """The position after `i` of the next sample that is not marked as deleted; the count where there is none."""
    i += 1
    while i < len(quality) and quality[i] & _DELETED:
        i += 1
    return i


@njit(cache=True, nogil=True)
def period_end_us(time: I64, i: int, following: int, ask: I64) -> int:
    """Until when sample `i` speaks, `following` being the one after it: see `sample_period`."""
    to_us: int = time[i] + ask[INTERVAL_US]
    if following == len(time):
        return to_us
    if ask[IS_HELD] == 0:
        return min(to_us, int(time[following]))
    return int(time[following]) if time[following] - time[i] <= ask[LONGEST_GAP_US] else to_us


@njit(cache=True, nogil=True)
def lay_period(
    from_us: int, to_us: int, power: int, bits: int, is_amount: int, tick: int, edges: I64, slot: int,
    total: I64, covered: I64, worst: I64, has_bad: U8,
) -> bool:  # fmt: skip
    """Lay one period over the slots from `slot` on; False for an amount that reaches over an edge."""
    slot_count = len(edges) - 1
    is_usable = (bits & _VALIDITY_MASK) <= 1
    while slot < slot_count and edges[slot] < to_us:
        if is_usable:
            duration = min(to_us, edges[slot + 1]) - max(from_us, edges[slot])
            if is_amount and duration != to_us - from_us:
                return False
            total[slot] += power if is_amount else power * (duration // tick)
            worst[slot] = fold_quality(worst[slot], bits) if covered[slot] else bits
            covered[slot] += duration
        else:
            if covered[slot] == 0:
                worst[slot] = fold_quality(worst[slot], bits) if has_bad[slot] else bits
            has_bad[slot] = 1
        slot += 1
    return True


@njit(cache=True, nogil=True)
def lay_samples(
    time: I64, scaled: I64, quality: I64, ask: I64, tick: int, edges: I64,
    total: I64, covered: I64, count: I64, worst: I64, has_bad: U8,
) -> bool:  # fmt: skip
    """Lay one run over the slots of `edges`: the sums of `scaled` × ticks (or of amounts), the time covered,
    the samples stamped in each slot, and the quality: -1 where nothing touches, of usable samples where any does.

    Returns False, with half-filled columns, where an amount reaches over an edge.
    """
    total[:], covered[:], count[:], worst[:], has_bad[:] = 0, 0, 0, -1, 0
    slot = 0
    i = next_sample(quality, np.searchsorted(time, edges[0] - ask[LONGEST_GAP_US]) - 1)
    while i < len(time) and time[i] < edges[-1]:
        following = next_sample(quality, i)
        from_us, to_us = time[i], period_end_us(time, i, following, ask)
        if to_us > edges[0]:
            while edges[slot + 1] <= from_us:
                slot += 1
            if from_us >= edges[0]:
                count[slot] += 1
            if not lay_period(
                from_us, to_us, scaled[i], quality[i], ask[IS_AMOUNT], tick, edges, slot,
                total, covered, worst, has_bad,
            ):  # fmt: skip
                return False
        i = following
    return True


@njit(cache=True, nogil=True)
def mean_of(total: int, covered_us: int, scale: I64) -> float:
    """The mean of a slot, correctly rounded; NaN where it is not certain to be. Something is covered."""
    dividend = float(total) * float(scale[NUMERATOR])
    divisor = float(covered_us // scale[TICK_US]) * float(scale[DENOMINATOR])
    if not (abs(dividend) < _EXACT_MAX and divisor < _EXACT_MAX):
        return np.nan
    mean: float = np.ldexp(dividend / divisor, -scale[SHIFT]) + 0.0
    return mean


@njit(cache=True, nogil=True)
def state_of(covered_us: int, length_us: int, interval_us: int, has_bad: int) -> int:
    """The SlotState of a slot."""
    if covered_us > 0:
        if covered_us >= length_us * _COVERED_SHARE_MIN:
            return _SPREAD if interval_us > length_us else _COMPLETE
        return _PARTIAL
    return _SUSPECT if has_bad else _MISSING


@njit(cache=True, nogil=True)
def put_sum(total: int, factor: int, denominator: int, whole: I64, place: int) -> bool:
    """Store ``total × factor / denominator`` in lowest terms; False where it does not fit."""
    if abs(float(total)) * abs(float(factor)) >= _WHOLE_MAX:
        return False
    numerator = total * factor
    common = greatest_divisor(numerator, denominator)
    whole[place] = numerator // common
    whole[place + 1] = denominator // common
    return True


@njit(cache=True, nogil=True)
def sum_up(edges: I64, ask: I64, scale: I64, total: I64, covered: I64, value: F64, whole: I64) -> bool:
    """Means into `value`, and all of `whole` that follows from the slots; False where not done."""
    whole_sum, ranked_sum = 0, 0
    whole[KNOWN_US], whole[RANKED_US], whole[COMPLETE_COUNT] = 0, 0, 0
    whole[MAX_SLOT], whole[MIN_SLOT] = -1, -1
    for slot in range(len(edges) - 1):
        value[slot] = np.nan
        if covered[slot] == 0:
            continue
        mean = mean_of(total[slot], covered[slot], scale)
        if np.isnan(mean):
            return False
        value[slot] = mean
        length_us = edges[slot + 1] - edges[slot]
        whole_sum += total[slot]
        whole[KNOWN_US] += covered[slot]
        if covered[slot] >= length_us * _COVERED_SHARE_MIN:
            whole[COMPLETE_COUNT] += 1
        if covered[slot] >= length_us * _EXTREME_SHARE_MIN:
            ranked_sum += total[slot]
            whole[RANKED_US] += covered[slot]
            if whole[MAX_SLOT] < 0 or mean > value[whole[MAX_SLOT]]:
                whole[MAX_SLOT] = slot
            if whole[MIN_SLOT] < 0 or mean < value[whole[MIN_SLOT]]:
                whole[MIN_SLOT] = slot
    factor, denominator = ask[FACTOR_NUMERATOR], scale[SUM_DENOMINATOR]
    has_total = put_sum(whole_sum, factor, denominator, whole, TOTAL_NUMERATOR)
    return put_sum(ranked_sum, factor, denominator, whole, RANKED_NUMERATOR) and has_total


@njit(cache=True, nogil=True)
def count_samples(time: I64, quality: I64, start_us: int, end_us: int, whole: I64) -> None:
    """The counts of the evidence of ``[start_us, end_us)``."""
    for place in (RECEIVED, GOOD, MEASURED, ESTIMATED, MANUAL):
        whole[place] = 0
    for i in range(np.searchsorted(time, start_us), np.searchsorted(time, end_us)):
        bits = quality[i]
        if bits & _DELETED:
            continue
        whole[RECEIVED] += 1
        validity = bits & _VALIDITY_MASK
        if validity == 0:
            whole[GOOD] += 1
        if validity <= 1:
            origin = bits & _ORIGIN_MASK
            if origin == _ORIGIN_ESTIMATED:
                whole[ESTIMATED] += 1
            elif origin in (_ORIGIN_SUBSTITUTED, _ORIGIN_MANUAL):
                whole[MANUAL] += 1
            else:
                whole[MEASURED] += 1


@njit(cache=True, nogil=True)
def make_figures(
    first: I64, time: I64, scaled: I64, quality: I64, ask: I64, scale: I64,
    edges: I64, first_edge: I64, last_edge: I64,
    whole: I64, extreme: F64, is_done: U8,
) -> None:  # fmt: skip
    """Figures of each run and day; day d has the edges ``[first_edge[d], last_edge[d]]``.

    `whole` is (run, day, WHOLE_COUNT), `extreme` (run, day, 2) maximum and minimum, `is_done` (run, day).
    """
    most = np.max(last_edge - first_edge)
    total, covered = np.empty(most, np.int64), np.empty(most, np.int64)
    count, worst = np.empty(most, np.int64), np.empty(most, np.int64)
    has_bad, value = np.empty(most, np.uint8), np.empty(most, np.float64)
    for run in range(len(first) - 1):
        low, high = first[run], first[run + 1]
        if scale[run, TICK_US] == 0:
            is_done[run, :] = 0
            continue
        for day in range(len(first_edge)):
            some = edges[first_edge[day] : last_edge[day] + 1]
            size = len(some) - 1
            out = whole[run, day]
            is_laid = lay_samples(
                time[low:high], scaled[low:high], quality[low:high], ask[run], scale[run, TICK_US], some,
                total[:size], covered[:size], count[:size], worst[:size], has_bad[:size],
            )  # fmt: skip
            is_done[run, day] = is_laid and sum_up(some, ask[run], scale[run], total, covered, value, out)
            if is_done[run, day]:
                count_samples(time[low:high], quality[low:high], some[0], some[size], out)
                extreme[run, day, 0] = value[out[MAX_SLOT]] if out[MAX_SLOT] >= 0 else np.nan
                extreme[run, day, 1] = value[out[MIN_SLOT]] if out[MIN_SLOT] >= 0 else np.nan


@njit(cache=True, nogil=True)
def make_curves(
    first: I64, time: I64, scaled: I64, quality: I64, ask: I64, scale: I64, edges: I64, missing_quality: int,
    value: F64, state: U8, count: I64, worst: U16, covered: I64, whole: I64, is_done: U8,
) -> None:  # fmt: skip
    """The curve of each run over the slots of `edges`: rows of (run, slot) columns, and of `whole` its sums."""
    slot_count = len(edges) - 1
    total, folded = np.empty(slot_count, np.int64), np.empty(slot_count, np.int64)
    has_bad = np.empty(slot_count, np.uint8)
    for run in range(len(first) - 1):
        low, high = first[run], first[run + 1]
        is_done[run] = 0
        if scale[run, TICK_US] == 0:
            continue
        is_laid = lay_samples(
            time[low:high], scaled[low:high], quality[low:high], ask[run], scale[run, TICK_US], edges,
            total, covered[run], count[run], folded, has_bad,
        )  # fmt: skip
        if not (is_laid and sum_up(edges, ask[run], scale[run], total, covered[run], value[run], whole[run])):
            continue
        is_done[run] = 1
        for slot in range(slot_count):
            length_us = edges[slot + 1] - edges[slot]
            interval_us = ask[run, INTERVAL_US]
            state[run, slot] = state_of(covered[run, slot], length_us, interval_us, has_bad[slot])
            worst[run, slot] = missing_quality if folded[slot] < 0 else folded[slot]
