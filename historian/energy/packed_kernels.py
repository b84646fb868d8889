"""Day figures from samples where they lie, see `historian.model.packed`: as `steady_kernels`, without a copy.

Whole numbers are added up day by day, piece after piece of a point; when all pieces are through, `finish` makes
the figures. For one sample a slot only. What is not so is "not done", as there.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import steady_kernels
from historian.energy.steady_kernels import Figures, Grid
from historian.jit_kernels import njit
from historian.model import packed

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]

_WHOLE_MAX: Final = 2.0**62
_PART_MAX: Final = 2.0**50  # of a piece's sum of a day: 2,048 of them stay below 2⁶²
_SAMPLES_MAX: Final = 2048  # a day, as in steady_kernels
_EVERYDAY_MASK: Final = 0b10011111  # as in steady_kernels
_SMALL: Final = 1 << 31
_POWERS: Final = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)


class Sums(NamedTuple):
    """Of each point and day, in whole numbers of 10^-exponent of the point: begun as zeros."""

    total: I64
    sample_count: I64
    highest: I64
    lowest: I64
    highest_slot: I64
    lowest_slot: I64
    is_odd: U8  # another quality than good and measured, or a sum beyond 62 bits


@njit(cache=True, nogil=True)
def raise_exponents(fields: I64, exponent: I64) -> None:
    """Raise each point's exponent to that of a piece."""
    for r in range(len(exponent)):
        if fields[packed.SIZE, r]:
            exponent[r] = max(exponent[r], fields[packed.EXPONENT, r])


@njit(cache=True, nogil=True)
def add_stretch(scaled: I32, first: int, last: int) -> tuple[int, int, int]:
    """Sum, highest and lowest of at least one number."""
    total, highest, lowest = 0, scaled[first], scaled[first]
    for i in range(np.uintp(last - first)):  # unsigned: no look whether a place counts from the end
        one = scaled[np.uintp(first) + i]
        total += int(one)
        highest = one if one > highest else highest
        lowest = one if one < lowest else lowest
    return total, int(highest), int(lowest)


@njit(cache=True, nogil=True)
def add_only(scaled: I32, first: int, last: int) -> int:
    """The sum."""
    total = 0
    for i in range(np.uintp(last - first)):
        total += int(scaled[np.uintp(first) + i])
    return total


@njit(cache=True, nogil=True)
def number_of(scaled: I32, first: int, wanted: int, slot: int, missing: U32, m: int, end: int) -> int:
    """The number on the grid of the first sample from `first` on that has a value which is there.

    `slot` is the number that sample `first` has at least, `m` the first missing one that is not below it.
    """
    i = first
    while scaled[i] != wanted:
        i += 1
    slot += i - first
    while m < end and missing[m] <= slot:
        m += 1
        slot += 1
    return slot


@njit(cache=True, nogil=True)
def put_extreme(
    scaled: I32, first: int, one: int, slot: int, missing: U32, m: int, m_end: int, grid: I64, sign: int,
    best: I64, best_slot: I64, r: int, day: int, count: int,
) -> None:  # fmt: skip
    """Take a highest (sign 1) or lowest (sign -1) of a stretch over, where it is one of the day, and the earliest.

    `grid`: time of grid number zero, step, start of the day, interval, factor.
    """
    value = one * grid[4]
    if count and sign * value < sign * best[r, day]:
        return
    number = number_of(scaled, first, one, slot, missing, m, m_end)
    place = (grid[0] + grid[1] * number - grid[2]) // grid[3]
    if count == 0 or value != best[r, day] or place < best_slot[r, day]:
        best[r, day], best_slot[r, day] = value, place


@njit(cache=True, nogil=True)
def is_everyday(quality: U16, at: int, count: int, bits: int) -> bool:
    """Whether samples are good and measured: all of quality `bits`, where `at` is negative."""
    for i in range(at, at + count if at >= 0 else at):
        bits = bits | int(quality[i]) if i > at else int(quality[i])
    return bits & _EVERYDAY_MASK == 0


@njit(cache=True, nogil=True)
def add_piece(
    fields: I64, scaled: I32, missing: U32, quality: U16, exponent: I64, day_start: I64, interval_us: int,
    has_extremes: bool, sums: Sums, is_packed: U8,
) -> None:  # fmt: skip
    """Add a piece to the sums; a point that is not on the grid of its interval is no longer packed."""
    total, count, highest, lowest, highest_slot, lowest_slot, is_odd = sums
    grid = np.empty(5, np.int64)
    grid[3] = interval_us
    for r in range(len(exponent)):
        size = fields[packed.SIZE, r]
        if size == 0 or is_packed[r] == 0:
            continue
        first_us, step = fields[packed.FIRST_US, r], fields[packed.STEP_US, r]
        if (first_us - day_start[0]) % interval_us != 0 or step % interval_us != 0:
            is_packed[r] = 0
            continue
        factor = _POWERS[exponent[r] - fields[packed.EXPONENT, r]]
        at, slot = fields[packed.AT, r], fields[packed.SLOT, r]
        m, m_end = fields[packed.MISSING_AT, r], fields[packed.MISSING_END, r]
        m_first, slot_end = m, slot + size + m_end - m
        grid[0], grid[1], grid[4] = first_us - step * slot, step, factor
        begin, begin_slot, begin_m = 0, slot, m
        for d in range(len(day_start)):
            # Up to the first sample at or after the start of day d, which ends the day before.
            edge_slot = min(max(slot - (first_us - day_start[d]) // step, slot), slot_end)
            while m < m_end and missing[m] < edge_slot:
                m += 1
            edge = edge_slot - slot - (m - m_first)
            if d > 0 and edge > begin:
                day, a, known = d - 1, at + begin, count[r, d - 1]
                grid[2] = day_start[day]
                if has_extremes:
                    part, high, low = add_stretch(scaled, a, at + edge)
                    put_extreme(
                        scaled, a, high, begin_slot, missing, begin_m, m_end, grid, 1, highest, highest_slot,
                        r, day, known,
                    )  # fmt: skip
                    put_extreme(
                        scaled, a, low, begin_slot, missing, begin_m, m_end, grid, -1, lowest, lowest_slot,
                        r, day, known,
                    )  # fmt: skip
                else:
                    part = add_only(scaled, a, at + edge)
                quality_at = fields[packed.QUALITY_AT, r]
                is_good = is_everyday(
                    quality,
                    quality_at + begin if quality_at >= 0 else -1,
                    edge - begin,
                    fields[packed.QUALITY, r],
                )
                if not is_good or abs(float(part)) * factor >= _PART_MAX:
                    is_odd[r, day] = 1
                else:
                    total[r, day] += part * factor
                    count[r, day] += edge - begin
            begin, begin_slot, begin_m = edge, edge_slot, m


@njit(cache=True, nogil=True)
def reduced(total: int, numerator: int, denominator: int) -> tuple[int, int]:
    """`steady_kernels.reduced` where ranked is the total: numerator and denominator, which is 0 where they do not fit."""
    if denominator >= _SMALL or abs(float(total)) * float(numerator) >= _WHOLE_MAX:
        numerator_of_all, _, common = steady_kernels.reduced(total, total, numerator, denominator)
        return numerator_of_all, common
    product = total * numerator
    one, other = np.uint32(denominator), np.uint32(abs(product) % denominator)
    while other:
        one, other = other, one % other
    common = int(one)
    return product // common, denominator // common


@njit(cache=True, nogil=True)
def finish(
    sums: Sums, exponent: I64, is_packed: U8, is_amount: U8, numerator: I64, denominator: I64, day_start: I64,
    grid: Grid, has_extremes: bool, is_whole: bool, out: Figures, is_done: U8,
) -> None:  # fmt: skip
    """The figures of each point and day, as `steady_kernels.make_figures` makes them.

    Unless `is_whole`, only the sum, its denominator and its time; without extremes those are left as nothing.
    """
    scale = np.zeros(4, np.int64)
    for r in range(len(exponent)):
        if is_packed[r] == 0 or denominator[r] == 0:
            continue
        if not steady_kernels.scale_of(exponent[r], is_amount[r], numerator[r], denominator[r], grid, scale):
            continue
        for d in range(len(day_start) - 1):
            count = sums.sample_count[r, d]
            if sums.is_odd[r, d] or count > _SAMPLES_MAX:
                continue
            high, low, max_slot, min_slot = np.nan, np.nan, steady_kernels.NO_SLOT, steady_kernels.NO_SLOT
            if has_extremes and count:
                high = steady_kernels.quotient(float(sums.highest[r, d]) * float(scale[2]), float(scale[3]))
                low = steady_kernels.quotient(float(sums.lowest[r, d]) * float(scale[2]), float(scale[3]))
                if np.isnan(high) or np.isnan(low):
                    continue
                max_slot, min_slot = sums.highest_slot[r, d], sums.lowest_slot[r, d]
            total, divisor = reduced(sums.total[r, d], scale[0], scale[1])
            if divisor == 0:
                continue
            known_us = count * grid.interval_us
            out.total_numerator[r, d], out.denominator[r, d], out.known_us[r, d] = total, divisor, known_us
            is_done[r, d] = 1
            if not is_whole:
                continue
            out.ranked_numerator[r, d], out.ranked_us[r, d] = total, known_us
            out.max_value[r, d], out.min_value[r, d] = high, low
            out.max_slot[r, d], out.min_slot[r, d] = max_slot, min_slot
            out.received[r, d], out.good[r, d], out.measured[r, d] = count, count, count
            out.estimated[r, d], out.manual[r, d] = 0, 0
            slot_count = -((day_start[d] - day_start[d + 1]) // grid.slot_us)
            out.is_complete[r, d] = count == slot_count and count > 0
