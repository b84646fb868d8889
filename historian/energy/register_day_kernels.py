"""Day figures of registers that only rise: differences of readings, laid over the slots of a day as `slot_sum` does.

Whole numbers of the last digit throughout. A difference within one slot is that slot's; one across an edge is shared
in proportion to time on the same grid, and rounded by the same expression, as in `slot_sum`; one across a gap is in
the day's total only. What falls, is flagged, is not decimal, or does not fit is "not done": `load_curve` has the word.

Runs lie one after the other in the same columns; run r is ``[offset[r], offset[r + 1])``.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fleet_kernels, register_kernels
from historian.energy.steady_kernels import NO_SLOT, Figures
from historian.jit_kernels import njit
from historian.model import decimal_kernels

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]

_UNFIT: Final = 0b10 | 1 << 7 | 1 << 8 | 1 << 13  # bad or missing, deleted, invalid, adjusted
_VALIDITY_MASK: Final = 0b11
_ORIGIN_MASK: Final = 0b11100
_ORIGIN_ESTIMATED: Final = 1 << 2
_ORIGIN_SUBSTITUTED: Final = 2 << 2
_ORIGIN_MANUAL: Final = 3 << 2
_SCALED_MAX: Final = 1 << 51
_EXACT_MAX: Final = 2.0**53
_WHOLE_MAX: Final = 2.0**62
_GRID_MAX: Final = 10_000  # as in slot_sum
_FINE_GRID: Final = 1_000_000
_HOUR_US: Final = 3_600_000_000
_COVERED_SHARE_MIN: Final = 0.99  # as in load_curve
_EXTREME_SHARE_MIN: Final = 0.5


class Registers(NamedTuple):
    """Of each run: its factor as a fraction (of denominator 0: not for this kernel) and as a float, its capacity (NaN:
    unknown), its last digit (0: unknown), the longest distance of readings, and whether its meter has events.
    """

    numerator: I64
    denominator: I64
    factor: F64
    capacity: F64
    resolution: F64
    longest_gap_us: I64
    has_events: U8


class Slots(NamedTuple):
    """Room for one day: readings as whole numbers, sums, and time covered."""

    plain: F64
    scaled: I64
    whole: I64
    covered_us: I64


@njit(cache=True, nogil=True)
def is_fit(
    time: I64, value: F64, quality: U16, first: int, last: int, factor: float, capacity: float, resolution: float
) -> bool:  # fmt: skip
    """Whether readings ``[first, last]`` only rise, as fast as the point can, and all may be used."""
    seen, fall_count = 0, 0
    for i in range(first, last + 1):
        seen |= quality[i]
    for i in range(first, last):  # without a branch, so that the processor looks at several at once
        fall_count += int(not value[i] <= value[i + 1])
    if seen & _UNFIT or fall_count:
        return False
    # A first reading near zero may be a lone one that is set aside, unless the one before is no higher.
    is_doubtful = first > 0 and 0.0 <= value[first] < register_kernels.NEAR_ZERO
    if is_doubtful and (quality[first - 1] & _UNFIT or value[first - 1] > value[first]):
        return False
    for i in range(first, last if not np.isnan(capacity) else first):
        amount, duration_us = value[i + 1] - value[i], time[i + 1] - time[i]
        if not register_kernels.is_plausible(amount, factor, capacity, resolution, duration_us):
            return False
    return True


@njit(cache=True, nogil=True)
def scale_readings(value: F64, room: Slots) -> int:
    """Fill ``room.scaled``; returns the decimal exponent, -1 where there is none or a number is too large."""
    count = len(value)
    plain = room.plain[:count]
    for i in range(count):
        plain[i] = value[i] + 0.0  # minus zero becomes zero
    exponent: int = decimal_kernels.decimal_exponent(plain)
    if exponent < 0:
        return -1
    power, largest = 10.0**exponent, 0
    for i in range(count):
        whole = np.int64(np.rint(plain[i] * power))
        room.scaled[i] = whole
        largest = max(largest, abs(int(whole)))
    return exponent if largest <= _SCALED_MAX else -1


@njit(cache=True, nogil=True)
def grid_of(time: I64, scaled: I64, edges: I64) -> int:
    """Into how many parts of the last digit differences are cut: the rule of `slot_sum`."""
    tick = 0
    for edge in edges:
        tick = fleet_kernels.greatest_divisor(tick, edge - edges[0]) if tick or edge != edges[0] else tick
    for i in range(len(time) - 1):
        tick = fleet_kernels.greatest_divisor(tick, time[i] - edges[0])
        tick = fleet_kernels.greatest_divisor(tick, time[i + 1] - time[i])
    grid, largest = 1, 1
    for i in range(len(time) - 1):
        largest = max(largest, scaled[i + 1] - scaled[i])
        if grid <= _GRID_MAX:
            length = (time[i + 1] - time[i]) // tick
            grid = grid // fleet_kernels.greatest_divisor(grid, length) * length
    grid = grid if grid <= _GRID_MAX else _FINE_GRID
    return max(1, min(grid, (1 << 52) // largest))


@njit(cache=True, nogil=True)
def lay(time: I64, scaled: I64, edges: I64, grid: int, longest_gap_us: int, room: Slots) -> tuple[int, bool]:
    """Lay differences × grid over the slots; returns the time within gaps, and whether a difference crosses an edge."""
    slot_count = len(edges) - 1
    room.whole[:slot_count], room.covered_us[:slot_count] = 0, 0
    spanned_us, does_cross, first_slot = 0, False, 0
    for i in range(len(time) - 1):
        from_us, to_us = time[i], time[i + 1]
        if to_us - from_us > longest_gap_us:
            spanned_us += min(to_us, edges[slot_count]) - max(from_us, edges[0])
            continue
        while edges[first_slot + 1] <= from_us:
            first_slot += 1
        amount = (scaled[i + 1] - scaled[i]) * grid
        if from_us >= edges[first_slot] and to_us <= edges[first_slot + 1]:
            room.whole[first_slot] += amount
            room.covered_us[first_slot] += to_us - from_us
            continue
        does_cross = True
        length, whole, slot = to_us - from_us, float(amount), first_slot
        while slot < slot_count and edges[slot] < to_us:
            share_start = max(from_us, edges[slot]) - from_us
            share_end = min(to_us, edges[slot + 1]) - from_us
            share = np.int64(np.rint(whole * (share_end / length))) - np.int64(
                np.rint(whole * (share_start / length))
            )
            room.whole[slot] += share
            room.covered_us[slot] += share_end - share_start
            slot += 1
    return spanned_us, does_cross


@njit(cache=True, nogil=True)
def fits(one: int, other: int) -> bool:
    """Whether the product of two whole numbers does."""
    return abs(float(one) * float(other)) < _WHOLE_MAX


@njit(cache=True, nogil=True)
def total_of(time: I64, scaled: I64, start_us: int, end_us: int) -> tuple[int, int]:
    """The sum of all differences and shares within the day, exactly: numerator and denominator, 0 if it does not fit.

    All of the run's difference, less what the first and the last period have outside.
    """
    last = len(time) - 1
    if last < 1:
        return 0, 1
    total, denominator = scaled[last] - scaled[0], 1
    for end in (0, 1):
        i = last - 1 if end else 0
        outside, length = time[last] - end_us if end else start_us - time[0], time[i + 1] - time[i]
        amount = scaled[i + 1] - scaled[i]
        if outside <= 0 or amount == 0:
            continue
        common = fleet_kernels.greatest_divisor(length, outside)
        length, outside = length // common, outside // common
        common = fleet_kernels.greatest_divisor(length, amount)
        length, amount = length // common, amount // common
        own, other = denominator, length  # both over their least common multiple
        common = fleet_kernels.greatest_divisor(own, other)
        own, other = own // common, other // common
        if not (fits(total, 2 * other) and fits(denominator, other) and fits(amount, outside)):
            return 0, 0
        if not fits(amount * outside, 2 * own):
            return 0, 0
        total, denominator = total * other - amount * outside * own, denominator * other
    return total, denominator


@njit(cache=True, nogil=True)
def mean_of(whole: int, covered_us: int, numerator: int, denominator: int) -> float:
    """``whole × numerator / (covered × denominator)``, correctly rounded; NaN where that is not certain."""
    dividend, divisor = float(whole) * float(numerator), float(covered_us) * float(denominator)
    if not (abs(dividend) < _EXACT_MAX and divisor < _EXACT_MAX):
        common = fleet_kernels.greatest_divisor(covered_us, numerator)
        covered_us, numerator = covered_us // common, numerator // common
        common = fleet_kernels.greatest_divisor(denominator, whole)
        denominator, whole = denominator // common, whole // common
        dividend, divisor = float(whole) * float(numerator), float(covered_us) * float(denominator)
        if not (abs(dividend) < _EXACT_MAX and divisor < _EXACT_MAX):
            return np.nan
    mean: float = dividend / divisor + 0.0
    return mean


@njit(cache=True, nogil=True)
def rate_scale(numerator: int, denominator: int, unit: int) -> tuple[int, int]:
    """``numerator × an hour / (denominator × unit)`` in lowest terms; denominator 0 where it does not fit."""
    common = fleet_kernels.greatest_divisor(unit, _HOUR_US)
    hour, unit = _HOUR_US // common, unit // common
    common = fleet_kernels.greatest_divisor(denominator, hour)
    hour, denominator = hour // common, denominator // common
    common = fleet_kernels.greatest_divisor(unit, numerator)
    numerator, unit = numerator // common, unit // common
    if not (fits(numerator, hour) and fits(denominator, unit)):
        return 0, 0
    return numerator * hour, denominator * unit


@njit(cache=True, nogil=True)
def put_extremes(
    edges: I64, room: Slots, scale: tuple[int, int], out: Figures, r: int, d: int
) -> tuple[bool, int]:
    """Maximum, minimum and what is complete; whether all means are certain, and the sum over ranked slots."""
    slot_count, complete_count = len(edges) - 1, 0
    high, low, max_slot, min_slot = np.nan, np.nan, NO_SLOT, NO_SLOT
    known_us, ranked_us, ranked = 0, 0, 0
    for slot in range(slot_count):
        covered_us = room.covered_us[slot]
        if covered_us == 0:
            continue
        mean = mean_of(room.whole[slot], covered_us, scale[0], scale[1])
        if np.isnan(mean):
            return False, 0
        length_us = edges[slot + 1] - edges[slot]
        known_us += covered_us
        complete_count += covered_us >= length_us * _COVERED_SHARE_MIN
        if covered_us >= length_us * _EXTREME_SHARE_MIN:
            ranked += room.whole[slot]
            ranked_us += covered_us
            if not mean <= high:
                max_slot, high = slot, mean
            if not mean >= low:
                min_slot, low = slot, mean
    out.known_us[r, d], out.ranked_us[r, d] = known_us, ranked_us
    out.max_value[r, d], out.min_value[r, d] = high, low
    out.max_slot[r, d], out.min_slot[r, d] = max_slot, min_slot
    out.is_complete[r, d] = complete_count == slot_count
    return True, ranked


@njit(cache=True, nogil=True)
def put_sums(
    total: int, total_unit: int, ranked: int, ranked_unit: int, numerator: int, denominator: int,
    out: Figures, r: int, d: int,
) -> bool:  # fmt: skip
    """``total / total_unit`` and ``ranked / ranked_unit``, times the factor, over one denominator without a common
    divisor; False where they do not fit. `total_unit` and `ranked_unit` are positive.
    """
    common = fleet_kernels.greatest_divisor(total_unit, ranked_unit)
    one, other = ranked_unit // common, total_unit // common
    if not (fits(total, one) and fits(ranked, other) and fits(total_unit, one)):
        return False
    total, ranked, unit = total * one, ranked * other, total_unit * one
    common = fleet_kernels.greatest_divisor(fleet_kernels.greatest_divisor(unit, total), ranked)
    total, ranked, unit = total // common, ranked // common, unit // common
    common = fleet_kernels.greatest_divisor(unit, numerator)
    unit, numerator = unit // common, numerator // common
    if not (fits(total, numerator) and fits(ranked, numerator) and fits(unit, denominator)):
        return False
    total, ranked, unit = total * numerator, ranked * numerator, unit * denominator
    common = fleet_kernels.greatest_divisor(fleet_kernels.greatest_divisor(unit, total), ranked)
    out.total_numerator[r, d], out.ranked_numerator[r, d] = total // common, ranked // common
    out.denominator[r, d] = unit // common
    return True


@njit(cache=True, nogil=True)
def put_counts(quality: U16, out: Figures, r: int, d: int) -> None:
    """The counts of the evidence, of samples that may all be used."""
    good, estimated, manual = 0, 0, 0
    for bits in quality:
        good += (bits & _VALIDITY_MASK) == 0
        origin = bits & _ORIGIN_MASK
        estimated += origin == _ORIGIN_ESTIMATED
        manual += (origin == _ORIGIN_SUBSTITUTED) | (origin == _ORIGIN_MANUAL)
    out.received[r, d], out.good[r, d] = len(quality), good
    out.estimated[r, d], out.manual[r, d] = estimated, manual
    out.measured[r, d] = len(quality) - estimated - manual


@njit(cache=True, nogil=True)
def make_day(
    time: I64, value: F64, quality: U16, first: int, last: int, edges: I64, registers: Registers, room: Slots,
    out: Figures, r: int, d: int,
) -> bool:  # fmt: skip
    """Figures of one run and day from the readings ``[first, last]``; False where not done."""
    if not is_fit(
        time, value, quality, first, last, registers.factor[r], registers.capacity[r], registers.resolution[r]
    ):
        return False
    some = time[first : last + 1]
    exponent = scale_readings(value[first : last + 1], room)
    if exponent < 0:
        return False
    scaled, power, grid = room.scaled[: len(some)], 10**exponent, 1
    spanned_us, does_cross = lay(some, scaled, edges, grid, registers.longest_gap_us[r], room)
    if does_cross:
        grid = grid_of(some, scaled, edges)
        if float(scaled[-1] - scaled[0]) * grid >= _WHOLE_MAX:
            return False
        spanned_us, _ = lay(some, scaled, edges, grid, registers.longest_gap_us[r], room)
    numerator, denominator = registers.numerator[r], registers.denominator[r]
    total, total_unit = total_of(some, scaled, edges[0], edges[-1])
    if not (fits(power, grid) and fits(power, total_unit)) or total_unit == 0:
        return False
    scale = rate_scale(numerator, denominator, power * grid)
    if scale[1] == 0:
        return False
    is_certain, ranked = put_extremes(edges, room, scale, out, r, d)
    if not is_certain:
        return False
    out.known_us[r, d] += spanned_us
    begin, end = first + np.searchsorted(some, edges[0]), first + np.searchsorted(some, edges[-1])
    put_counts(quality[begin:end], out, r, d)
    return put_sums(total, power * total_unit, ranked, power * grid, numerator, denominator, out, r, d)


@njit(cache=True, nogil=True)
def make_figures(
    offset: I64, time: I64, value: F64, quality: U16, registers: Registers,
    edges: I64, first_edge: I64, last_edge: I64, out: Figures, is_done: U8,
) -> None:  # fmt: skip
    """Figures of each run and day; day d has the edges ``[first_edge[d], last_edge[d]]``."""
    most, slots_max = 0, np.max(last_edge - first_edge)
    for r in range(len(offset) - 1):
        most = max(most, offset[r + 1] - offset[r])
    room = Slots(
        np.empty(most), np.empty(most, np.int64), np.empty(slots_max, np.int64), np.empty(slots_max, np.int64)
    )
    for r in range(len(offset) - 1):
        if registers.denominator[r] == 0:
            continue
        low, high = offset[r], offset[r + 1]
        own_time, own_value, own_quality = time[low:high], value[low:high], quality[low:high]
        for d in range(len(first_edge)):
            some = edges[first_edge[d] : last_edge[d] + 1]
            if not 1 < len(some) <= NO_SLOT + 1:
                continue
            first = np.searchsorted(own_time, some[0], side="right") - 1
            last = np.searchsorted(own_time, some[-1])
            is_enclosed = first >= 0 and last < high - low
            if high == low or (registers.has_events[r] and not is_enclosed):
                continue
            first, last = max(0, first), min(last, high - low - 1)
            is_done[r, d] = make_day(
                own_time, own_value, own_quality, first, last, some, registers, room, out, r, d
            )
