"""Energy of time-of-use bands for runs whose samples lie on their grid: whole numbers over the day's denominator.

Each sample of such a run speaks for exactly one interval (`steady_kernels`). Times are ticks from the day's start: the
longest time of which the interval and every edge of the day's bands are whole multiples, `parts` of them an interval.

     band     │    valley    │         peak          │
     sample   ├──────┼──────┼──────┼──────┼──────┼──────┤      the third crosses an edge: an instant that is held
     tick     0      2      4    5 6                           is cut there, a mean or an amount has no band
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fleet_kernels, steady_kernels
from historian.energy.steady_kernels import Grid
from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]

NO_BAND: Final = 0

_BAND_COUNT: Final = 5
_POWERS: Final = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_SCALED_MAX: Final = 1 << 51
_SUM_MAX: Final = 2.0**61
_WHOLE_MAX: Final = 2.0**62
_NOT_USABLE_MASK: Final = 0b10000010  # deleted, or a validity of bad or missing


class BandFigures(NamedTuple):
    """Columns (run, day) that are filled or scaled: numerators over one denominator, named as in `Figures`."""

    sharp: I64
    peak: I64
    flat: I64
    valley: I64
    deep_valley: I64
    total_numerator: I64
    ranked_numerator: I64
    denominator: I64


class Layout(NamedTuple):
    """Bands of each schedule (row) and day (column): windows ``[first, last)`` of `end_tick` and `code`.

    `parts` is NO_BAND where all of the day is undivided, and below zero where it has too many.
    """

    first: I64
    last: I64
    tick_us: I64
    parts: I64
    end_tick: I64
    code: I64


class Room(NamedTuple):
    """What a call works in: the values of a day as whole numbers, the sums of its bands, and `fit_scale`'s eight."""

    scaled: I64
    sums: I64
    scale: I64


@njit(cache=True, nogil=True)
def scale_day(value: F64, power: float, scaled: I64) -> bool:
    """Fill `scaled` with the values as whole numbers of 1 / power; False where they are not, or too large."""
    odd_count, bits = 0, 0
    for i in range(len(value)):  # without a branch, so that the processor looks at several at once
        whole = np.rint(value[i] * power)
        odd_count += int(whole / power != value[i])
        scaled[i] = int(whole)
        bits |= scaled[i] ^ (scaled[i] >> 63)
    return odd_count == 0 and 0 <= bits <= _SCALED_MAX


@njit(cache=True, nogil=True)
def sum_full(scaled: I64, end_tick: I64, code: I64, sums: I64) -> None:
    """Add up a day without a hole whose bands begin and end with samples."""
    first = 0
    for window in range(len(code)):
        total, last = 0, end_tick[window]
        for i in range(first, last):
            total += scaled[i]
        if code[window] < _BAND_COUNT:
            sums[code[window]] += total
        first = last


@njit(cache=True, nogil=True)
def sum_aligned(
    time: I64, scaled: I64, start_us: int, interval_us: int, end_tick: I64, code: I64, sums: I64
) -> None:
    """As `sum_full`, of a day with holes."""
    first = 0
    for window in range(len(code)):
        end_us = start_us + end_tick[window] * interval_us
        total, last = 0, steady_kernels.end_of_day(time, first, len(time), end_us, interval_us)
        for i in range(first, last):
            total += scaled[i]
        if code[window] < _BAND_COUNT:
            sums[code[window]] += total
        first = last


@njit(cache=True, nogil=True)
def sum_samples(
    time: I64, scaled: I64, start_us: int, tick_us: int, parts: int, is_held: int, end_tick: I64, code: I64, sums: I64,
) -> None:  # fmt: skip
    """Add up the samples of a day times the ticks that they speak for."""
    window = 0
    for i in range(len(time)):
        first = (time[i] - start_us) // tick_us
        last = first + parts
        while end_tick[window] <= first:
            window += 1
        if last > end_tick[window] and not is_held:
            continue
        at, place = first, window
        while at < last and place < len(code):
            end = min(last, end_tick[place])
            if code[place] < _BAND_COUNT:
                sums[code[place]] += scaled[i] * (end - at)
            at, place = end, place + 1


@njit(cache=True, nogil=True)
def put_sums(sums: I64, numerator: int, denominator: int, r: int, d: int, out: BandFigures) -> bool:
    """Put sums × numerator / denominator beside the total of a cell, all over one denominator, in lowest terms.

    False, with the cell as it was, where that does not fit.
    """
    before = out.denominator[r, d]
    common = fleet_kernels.greatest_divisor(denominator, before)
    rest = before // common  # what the bands' fraction is widened with
    factor = denominator // common  # and the total's
    total, ranked = out.total_numerator[r, d], out.ranked_numerator[r, d]
    largest = float(max(before, abs(total), abs(ranked))) * float(factor)
    for band in range(_BAND_COUNT):
        largest = max(largest, abs(float(sums[band])) * float(numerator) * float(rest))
    if largest >= _WHOLE_MAX:
        return False
    whole = before * factor
    divisor = whole
    for band in range(_BAND_COUNT):
        sums[band] *= numerator * rest
        if divisor != 1 and sums[band] != 0:
            divisor = fleet_kernels.greatest_divisor(divisor, sums[band])
    for each in (total, ranked):
        if divisor != 1:
            divisor = fleet_kernels.greatest_divisor(divisor, each * factor)
    out.sharp[r, d], out.peak[r, d] = sums[0] // divisor, sums[1] // divisor
    out.flat[r, d], out.valley[r, d] = sums[2] // divisor, sums[3] // divisor
    out.deep_valley[r, d] = sums[4] // divisor
    out.total_numerator[r, d], out.ranked_numerator[r, d] = (
        total * factor // divisor,
        ranked * factor // divisor,
    )
    out.denominator[r, d] = whole // divisor
    return True


@njit(cache=True, nogil=True)
def fit_scale(
    exponent: int, is_amount: int, numerator: int, denominator: int, grid: Grid, scale: I64
) -> bool:
    """As `steady_kernels.scale_of`; what it was made for stands behind it, for most runs ask for the same."""
    if scale[4] == exponent and scale[5] == is_amount and scale[6] == numerator and scale[7] == denominator:
        return True
    scale[4], scale[5], scale[6], scale[7] = exponent, is_amount, numerator, denominator
    if steady_kernels.scale_of(exponent, is_amount, numerator, denominator, grid, scale):
        return True
    scale[4] = -1
    return False


@njit(cache=True, nogil=True)
def has_room(scaled: I64, count: int, parts: int) -> bool:
    """Whether no sum of `count` values times `parts` can leave 62 bits."""
    if float(_SCALED_MAX) * float(count) * float(parts) < _SUM_MAX:
        return True
    largest = 0
    for i in range(count):
        largest = max(largest, abs(scaled[i]))
    return float(largest) * float(count) * float(parts) < _SUM_MAX


@njit(cache=True, nogil=True)
def sum_day(
    time: I64, value: F64, quality: U16, start_us: int, end_us: int, power: float, is_held: int, grid: Grid,
    schedule: int, d: int, layout: Layout, scaled: I64, sums: I64,
) -> bool:  # fmt: skip
    """Fill `sums` with the samples of one day, in ticks; False where they are not all usable and decimal."""
    sums[:] = 0
    bits = 0
    for one in quality:
        bits |= one
    if bits & _NOT_USABLE_MASK or len(time) > len(scaled) or not scale_day(value, power, scaled):
        return False
    parts = layout.parts[schedule, d]
    if not has_room(scaled, len(time), parts):
        return False
    first, last = layout.first[schedule, d], layout.last[schedule, d]
    end_tick, code = layout.end_tick[first:last], layout.code[first:last]
    if parts == 1 and len(time) * grid.interval_us == end_us - start_us:
        sum_full(scaled, end_tick, code, sums)
    elif parts == 1:
        sum_aligned(time, scaled, start_us, grid.interval_us, end_tick, code, sums)
    else:
        tick_us = layout.tick_us[schedule, d]
        sum_samples(time, scaled, start_us, tick_us, parts, is_held, end_tick, code, sums)
    return True


@njit(cache=True, nogil=True)
def add_run(
    time: I64, value: F64, quality: U16, r: int, schedule: int, is_amount: int, is_held: int, numerator: int,
    denominator: int, day_start: I64, grid: Grid, layout: Layout, exponent: int, room: Room, out: BandFigures,
    is_done: U8,
) -> int:  # fmt: skip
    """The bands of one run's days, where they are done; gives the number of digits that fitted last.

    A cell that cannot be exact becomes one that is not done.
    """
    scale, sums = room.scale, room.sums
    is_tried = False
    d, first = 0, np.searchsorted(time, day_start[0])
    while d < len(day_start) - 1:
        start_us, end_us, parts = day_start[d], day_start[d + 1], layout.parts[schedule, d]
        last = steady_kernels.end_of_day(time, first, len(time), end_us, grid.interval_us)
        if is_done[r, d] and first < last and parts != NO_BAND:
            is_laid = parts > 0 and fit_scale(exponent, is_amount, numerator, denominator, grid, scale)
            is_laid = is_laid and sum_day(
                time[first:last], value[first:last], quality[first:last], start_us, end_us, _POWERS[exponent],
                is_held, grid, schedule, d, layout, room.scaled, sums,
            )  # fmt: skip
            if not is_laid and not is_tried:
                # Another number of digits: one that fits the whole run, tried once.
                is_tried = True
                found = steady_kernels.find_exponent(value, 0)
                if found >= 0 and found != exponent:
                    exponent = found
                    continue
            is_laid = is_laid and float(scale[1]) * float(parts) < _WHOLE_MAX
            is_done[r, d] = is_laid and put_sums(sums, scale[0], scale[1] * parts, r, d, out)
        d, first = d + 1, last
    return exponent


@njit(cache=True, nogil=True)
def add_bands(
    offset: I64, time: I64, value: F64, quality: U16, schedule_of_run: I64, is_amount: U8, is_held: U8, numerator: I64,
    denominator: I64, day_start: I64, grid: Grid, layout: Layout, room: Room, out: BandFigures, is_done: U8,
    is_seen: U8,
) -> None:  # fmt: skip
    """Bands of each run that has a schedule and is of this grid (a denominator of zero: of another one); those are
    marked as seen, those off the grid are not.
    """
    exponent = 3
    for r in range(len(offset) - 1):
        low, high = offset[r], offset[r + 1]
        if schedule_of_run[r] < 0 or denominator[r] == 0:
            continue
        if not steady_kernels.is_on_grid(time[low:high], day_start[0], grid.interval_us):
            continue
        is_seen[r] = 1
        exponent = add_run(
            time[low:high], value[low:high], quality[low:high], r, schedule_of_run[r], is_amount[r], is_held[r],
            numerator[r], denominator[r], day_start, grid, layout, exponent, room, out, is_done,
        )  # fmt: skip
